/* Printing: what is folded unfolds, a dark page becomes light, what is too wide is scaled. Afterwards all is as before.
 *
 * "beforeprint" comes with the screen's layout. Widths on paper are known only when the medium has changed.
 */
(() => {
'use strict';

const WIDE = 'div.math > :not(.eqno), .pst-scrollable-table-container, .calculator-table';

let undo = [];

/** Change a property until the print is over. */
function set(object, name, value) {
  const before = object[name];
  object[name] = value;
  undo.push(() => { object[name] = before; });
}

function restore() {
  while (undo.length) undo.pop()();
}

/** The chapter and the book at the head of each sheet. */
function addHead() {
  const quote = (text) => `"${text.replace(/["\\]/g, '\\$&')}"`;
  const [chapter, book = ''] = document.title.split(' \u2014 ');
  const style = document.createElement('style');
  const font = 'font: 9pt sans-serif; color: #555;';
  style.textContent = `@page { @top-left { content: ${quote(chapter)}; ${font} } @top-right { content: ${quote(book === chapter ? '' : book)}; ${font} } }`;
  document.head.append(style);
  undo.push(() => style.remove());
}

function unfold() {
  restore();
  for (const part of document.querySelectorAll('details')) set(part, 'open', true);
  for (const part of document.querySelectorAll('.toggle-hidden')) {
    part.classList.remove('toggle-hidden');
    undo.push(() => part.classList.add('toggle-hidden'));
  }
  set(document.documentElement.dataset, 'theme', 'light');
  addHead();
}

function fit() {
  const boxes = [...document.querySelectorAll(WIDE)].filter((box) => box.clientWidth && box.scrollWidth > box.clientWidth + 1);
  // A little less: what is inside a formula is rounded on its own.
  const factors = boxes.map((box) => 0.99 * box.clientWidth / box.scrollWidth);
  boxes.forEach((box, i) => set(box.style, 'zoom', factors[i]));
}

addEventListener('beforeprint', unfold);
addEventListener('afterprint', restore);
matchMedia('print').addEventListener('change', ({ matches }) => { if (matches) fit(); });
})();
