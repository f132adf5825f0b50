/* What both calculators need; they load after it. */
(() => {
'use strict';

/** An element with attributes; false leaves one out, true writes it without a value. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children);
  return element;
}

/** Run something when it has not been asked for again for a while. */
function settle(pause, run) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(run, pause);
  };
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {      // no permission, or no clipboard on this page: the older way
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand('copy');
    area.remove();
    return copied;
  }
}

/** Read an address such as #curvature:space=kerr,metric=dx**2 into [name, text, as typed], or null.
 * A broken escape gives no text. */
function parseAddress(calculator) {
  const start = `#${calculator}:`;
  if (!location.hash.startsWith(start)) return null;
  return location.hash.slice(start.length).split(',').filter(Boolean).map((pair) => {
    const [name, ...rest] = pair.split('=');
    const typed = rest.join('=');
    try {
      return [name, decodeURIComponent(typed), typed];
    } catch {
      return [name, null, typed];
    }
  });
}

/** Give a calculator what its address says, now and when it changes; without one, do the other thing. */
function followAddress(name, root, restore, otherwise) {
  const follow = () => {
    const pairs = parseAddress(name);
    if (!pairs) return false;
    restore(pairs);
    root.scrollIntoView();
    return true;
  };
  if (!follow()) otherwise();
  addEventListener('hashchange', follow);
}

/** Call a function with a calculator's container and data when the page has been read. */
function startCalculator(name, start) {
  const run = () => {
    const root = document.getElementById(`calculator-${name}`);
    const data = document.getElementById(`calculator-${name}-data`);
    if (root && data) start(root, JSON.parse(data.textContent));
  };
  if (document.readyState === 'complete') run();
  else document.addEventListener('DOMContentLoaded', run);
}

globalThis.calculators = { make, settle, copyText, followAddress, startCalculator };
})();
