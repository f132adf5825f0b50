/* Formulas in the browser: those that appear when the page has been read, and the boxes of those that are too wide. */
(() => {
'use strict';

const HERE = new URL('.', document.currentScript.src).href;     // _static/
const SCRIPTS = ['vendor/temml/temml.min.js', 'mathml.js'];
const MARKED = /^\s*\\([([])(.*)\\[)\]]\s*$/s;
let temml = null;       // promise of the scripts
let queue = Promise.resolve();

function load(name) {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = HERE + name;
    script.addEventListener('load', resolve);
    script.addEventListener('error', () => reject(new Error(`${name} could not be loaded`)));
    document.head.append(script);
  });
}

/** By MathJax, where the book was built for it; a formula that it cannot read stays as TeX. */
async function byMathjax(element) {
  await window.MathJax.startup.promise;
  await window.MathJax.typesetPromise([element]).catch(() => {});
}

async function byTemml(element) {
  const waiting = [...element.querySelectorAll('.math')].filter((box) => MARKED.test(box.textContent));
  if (!waiting.length) return;
  temml ??= SCRIPTS.reduce((before, name) => before.then(() => load(name)), Promise.resolve());
  await temml.catch(() => { temml = null; });      // no network: the next formula tries again
  waiting.forEach(typesetOne);
}

/** Without Temml, or if it cannot read the formula, its TeX stands there, which can be read and copied. */
function typesetOne(box) {
  const [, bracket, tex] = MARKED.exec(box.textContent) ?? [];
  if (!bracket) return;
  const place = document.createElement(bracket === '[' ? 'div' : 'span');
  try {
    place.innerHTML = window.texToMathml(tex, bracket === '[');
    place.className = bracket === '[' ? 'equation' : '';
  } catch {
    place.append(Object.assign(document.createElement('code'), { textContent: tex }));
  }
  box.replaceChildren(place);
}

/** Let the keyboard reach the boxes whose formula is too wide, and no others. */
function reach() {
  for (const box of document.querySelectorAll('div.math > .equation, mjx-container[display="true"]')) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute('tabindex');
  }
}

/** Typeset the formulas inside an element that are marked as those of the book: class math, and \(..\) or \[..\]. */
window.typesetMaths = (element) => {
  queue = queue.then(async () => {
    await (window.MathJax ? byMathjax : byTemml)(element);
    reach();
  });
  return queue;
};

addEventListener('load', async () => {
  await window.MathJax?.startup?.promise;
  await document.fonts.ready;
  // At once, and whenever the width changes, which it also does when a side bar comes or goes.
  new ResizeObserver(reach).observe(document.querySelector('article') ?? document.body);
});
})();
