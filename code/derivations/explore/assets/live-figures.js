/* Live figures: native controls that show prepared frames. No kernel, no library; works from a file.
 *
 * The page holds, for each figure, one frame as SVG and a block of data (layout: encode.pack in Python) from which
 * every other frame follows exactly. Nothing is interpolated. When the reader has started Python (run-live.js), a
 * figure goes live: its sliders then stop at any value, and what is not prepared is drawn by Python.
 */
(() => {
'use strict';

const NUMBER = /-?\d+(?:\.\d+)?(?:e[-+]?\d+)?/g;    // the same as NUMBER in svg.py
const ALT_PAUSE = 400;      // ms without a move before the alt sentence is read out
const ADDRESS_PAUSE = 300;  // ms; browsers limit how often the address may change
const PLAY_PAUSE = 150;     // ms a step
const CALM_PAUSE = 1000;    // ms a step for readers who asked for reduced motion
const LATE = 400;           // ms of waiting for Python before the page says so

// ---------------------------------------------------------------- data

async function inflate(base64) {
  const packed = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Undo zigzag and both differences: rows of hundredths of a point. */
function readNumbers(bytes, offset, count, columns, planes) {
  const size = count * columns;
  const rows = new Int32Array(size);
  for (let plane = 0; plane < planes; plane++) {
    const start = offset + plane * size;
    for (let i = 0; i < size; i++) rows[i] |= bytes[start + i] << (8 * plane);
  }
  for (let i = 0; i < size; i++) rows[i] = (rows[i] >>> 1) ^ -(rows[i] & 1);
  for (let i = columns; i < size; i++) rows[i] += rows[i - columns];
  for (let start = 0; start < size; start += columns) {
    for (let j = start + 2; j < start + columns; j++) rows[j] += rows[j - 2];
  }
  return rows;
}

async function decode(base64) {
  const bytes = await inflate(base64);
  const length = new DataView(bytes.buffer).getUint32(0, true);
  const classes = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  let offset = 4 + length;
  for (const part of classes) {
    part.rows = readNumbers(bytes, offset, part.frames.length, part.columns, part.planes);
    offset += part.frames.length * part.columns * part.planes;
  }
  if (offset !== bytes.length) throw new Error('unexpected length');
  return classes;
}

// ---------------------------------------------------------------- one class of frames

/** Find the elements of a class that change. */
function bind(part, svg) {
  const elements = [svg, ...svg.querySelectorAll('*')];
  let column = 0;
  part.element = svg;
  part.bound = part.numeric.map(([number, attribute]) => {
    const pieces = elements[number].getAttribute(attribute).split(NUMBER);
    const slot = { element: elements[number], attribute, pieces, column };
    column += pieces.length - 1;
    return slot;
  });
  part.boundTables = part.tables.map(([number, attribute, strings, rows]) =>
    ({ element: elements[number], attribute, strings, rows }));
  part.shown = -1;
}

function paint(part, row) {
  const { rows, columns, shown } = part;
  const at = row * columns;
  const was = shown * columns;
  for (const { element, attribute, pieces, column } of part.bound) {
    const last = column + pieces.length - 1;
    let same = shown >= 0;
    for (let j = column; same && j < last; j++) same = rows[at + j] === rows[was + j];
    if (same) continue;
    let text = pieces[0];
    for (let j = column, i = 1; j < last; j++, i++) text += rows[at + j] / 100 + pieces[i];
    element.setAttribute(attribute, text);
  }
  for (const { element, attribute, strings, rows: indices } of part.boundTables) {
    if (shown >= 0 && indices[row] === indices[shown]) continue;
    const text = strings[indices[row]];
    if (attribute) element.setAttribute(attribute, text);
    else element.textContent = text;
  }
  part.shown = row;
}

function parseSvg(markup) {
  const template = document.createElement('template');
  template.innerHTML = markup;
  return template.content.firstElementChild;
}

// ---------------------------------------------------------------- scheduler: one for the page

const waiting = new Set();

/** Draw before the next frame of the screen; several moves of a control in between are drawn once. */
function schedule(figure) {
  if (!waiting.size) requestAnimationFrame(drawWaiting);
  waiting.add(figure);
}

function drawWaiting() {
  const figures = [...waiting];
  waiting.clear();
  for (const figure of figures) figure.draw();
}

/** Run a function once things have been quiet for a while. */
function settle(pause, run) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(run, pause);
  };
}

// ---------------------------------------------------------------- figure

class LiveFigure {
  constructor(root, data) {
    this.root = root;
    this.name = root.dataset.liveFigure;
    this.data = data;
    this.picture = root.querySelector('.live-figure-picture');
    this.sentence = root.querySelector('.live-figure-alt');
    this.panel = root.querySelector('.live-figure-controls');
    this.status = root.querySelector('.live-figure-status');
    this.inputs = data.controls.map(({ name }) => root.querySelector(`[data-control="${name}"]`));
    this.outputs = this.inputs.map((input) => input.parentElement.querySelector('output'));
    this.remark = root.querySelector('.live-figure-note');
    this.prepared = this.remark.textContent;
    this.indices = data.controls.map(({ start }) => start);     // between two steps they are no whole numbers
    this.spoken = this.sentence.textContent;
    this.speak = settle(ALT_PAUSE, () => { this.sentence.textContent = this.spoken; });
    this.note = settle(ADDRESS_PAUSE, () => history.replaceState(history.state, '', this.fragment()));
  }

  async load() {
    if (this.data.frames) {     // a figure of a changed cell has none
      const classes = await decode(this.data.frames);
      this.frames = [];
      for (const part of classes) part.frames.forEach((frame, row) => { this.frames[frame] = [part, row]; });
      bind(this.frames[this.frame()][0], this.picture.querySelector('svg'));
    }
    this.listen();
    this.panel.hidden = false;
  }

  listen() {
    this.inputs.forEach((input, i) => {
      input.addEventListener('input', () => {
        this.pause();
        this.asked = null;
        const { kind } = this.data.controls[i];
        this.move(i, kind === 'choice' ? input.selectedIndex : kind === 'toggle' ? +input.checked : +input.value);
      });
    });
    this.panel.addEventListener('click', (event) => {
      const button = event.target.closest('button');
      if (button) this[button.dataset.action](button);
    });
  }

  /** Number of the frame at the present values; the last control runs fastest. */
  frame() {
    return this.data.controls.reduce((frame, { keys }, i) => frame * keys.length + this.indices[i], 0);
  }

  /** Whether there is a prepared frame of the present values, and the code behind it is the printed one. */
  isPrepared() {
    return this.frames && !this.distrusted && this.indices.every(Number.isInteger);
  }

  move(i, index) {
    this.indices[i] = index;
    this.note();
    schedule(this);
  }

  draw() {
    if (!this.isPrepared()) {
      if (this.live) this.drawLive();
      return;
    }
    this.wanted = false;
    const [part, row] = this.frames[this.frame()];
    if (!part.element) bind(part, parseSvg(part.svg));
    paint(part, row);
    this.values = null;
    this.put(part.element, this.data.controls.map(({ texts }, i) => texts[this.indices[i]]), this.alt());
  }

  /** Show a picture with the texts of its controls. */
  put(svg, texts, sentence) {
    if (this.picture.firstElementChild !== svg) this.picture.replaceChildren(svg);
    this.data.controls.forEach((control, i) => {
      this.label(control, this.inputs[i], this.outputs[i], this.indices[i], texts[i]);
    });
    this.picture.setAttribute('aria-label', sentence);
    this.spoken = sentence;
    this.speak();
  }

  label({ kind, plain }, input, output, index, text) {
    if (kind === 'choice') input.selectedIndex = index;
    else if (kind === 'toggle') input.checked = index === 1;
    else {
      if (+input.value !== index) input.value = index;
      input.setAttribute('aria-valuetext', `${plain} ${text}`);
      output.textContent = text;
    }
  }

  alt() {
    return this.data.alt.map((part) => (typeof part === 'string' ? part : part[1][this.indices[part[0]]])).join('');
  }

  // -------------------------------------------------------------- live

  /** From now on Python draws what is not prepared: live has scales and draw(name, positions). */
  goLive(live) {
    this.live = live;
    this.inputs.forEach((input, i) => { if (this.isContinuous(i)) input.step = 'any'; });
    this.setDisabled(false);
    this.remark.textContent = 'live: exact';
    this.status.textContent = '';
    if (this.asked) this.restore(this.asked);
    else if (!this.isPrepared()) schedule(this);
  }

  /** Python is gone: back to the prepared frames, if there are any. */
  leaveLive() {
    if (!this.live) return;
    this.live = null;
    this.wanted = false;
    this.distrusted = false;
    this.inputs.forEach((input) => { if (input.type === 'range') input.step = 1; });
    this.remark.textContent = this.prepared;
    if (this.frames) {
      this.indices = this.indices.map(Math.round);
      this.move(0, this.indices[0]);
    } else {
      this.setDisabled(true);
      this.status.textContent = 'Its values are lost with Python: run the cell again.';
    }
  }

  /** The code of the page has been changed: the prepared frames may no longer be what it says. */
  distrust() {
    if (!this.live || this.distrusted) return;
    this.distrusted = true;
    schedule(this);
  }

  isContinuous(i) {
    return this.data.controls[i].kind === 'range' && this.live?.scales[i] !== 'steps';
  }

  setDisabled(disabled) {
    for (const input of this.inputs) input.disabled = disabled;
  }

  /** One question at a time; moves that come meanwhile are drawn once, at their latest values. */
  async drawLive() {
    this.wanted = true;
    if (this.drawing) return;
    this.drawing = true;
    while (this.wanted) {
      this.wanted = false;
      const { live } = this;
      const late = setTimeout(() => { this.remark.textContent = 'live: Python is at work'; }, LATE);
      try {
        const frame = await live.draw(this.name, this.indices);
        if (live === this.live && !this.isPrepared()) this.putLive(frame);
      } catch (error) {     // Python has ended; leaveLive has put the figure back
        this.status.textContent = error.message;
      }
      clearTimeout(late);
      if (live === this.live) this.remark.textContent = 'live: exact';
      if (!this.live) break;
    }
    this.drawing = false;
  }

  putLive({ svg, texts, values, alt, error }) {
    this.status.textContent = error ?? '';
    if (error) return;
    this.values = values;
    this.put(parseSvg(svg), texts, alt);
  }

  // -------------------------------------------------------------- address

  fragment() {
    const state = this.data.controls.map(({ name }, i) => `${name}=${encodeURIComponent(this.key(i))}`);
    return `#fig-${this.name}:${state.join(',')}`;
  }

  /** Present value of a control as it stands in an address. */
  key(i) {
    const { keys } = this.data.controls[i];
    const index = this.indices[i];
    if (Number.isInteger(index)) return keys[index];
    return this.values ? String(+this.values[i].toPrecision(12)) : keys[Math.round(index)];
  }

  /** Take the values of an address; what does not fit is left alone. */
  restore(pairs) {
    this.pause();
    this.asked = pairs;     // once the figure is live, values between the steps can be had exactly
    for (const [name, text = ''] of pairs) {
      const i = this.data.controls.findIndex((control) => control.name === name);
      const find = i >= 0 && this.isContinuous(i) && this.live ? between : nearest;
      const index = i < 0 ? -1 : find(this.data.controls[i], text, this.live?.scales[i]);
      if (index >= 0) this.indices[i] = index;
    }
    schedule(this);
  }

  // -------------------------------------------------------------- buttons

  reset() {
    this.pause();
    this.data.controls.forEach(({ start }, i) => this.move(i, start));
  }

  async copy() {
    const link = location.href.split('#')[0] + this.fragment();
    this.status.textContent = await copyText(link) ? 'Link copied.' : `Copy this link: ${link}`;
  }

  play(button) {
    if (this.player) { this.pause(); return; }
    const i = this.data.controls.findIndex(({ name }) => name === button.dataset.for);
    const last = this.data.controls[i].keys.length - 1;
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (this.indices[i] === last) this.move(i, 0);
    button.setAttribute('aria-pressed', 'true');
    const timer = setInterval(() => {
      if (this.indices[i] < last) this.move(i, Math.floor(this.indices[i]) + 1);
      if (this.indices[i] === last) this.pause();
    }, calm ? CALM_PAUSE : PLAY_PAUSE);
    this.player = { timer, button };
  }

  pause() {
    if (!this.player) return;
    clearInterval(this.player.timer);
    this.player.button.setAttribute('aria-pressed', 'false');
    this.player = null;
  }
}

/** Index of the offered value that is nearest to the text of an address, or -1. */
function nearest({ kind, keys }, text) {
  if (kind !== 'range') return keys.indexOf(text);
  const value = text.trim() === '' ? NaN : Number(text);
  if (!Number.isFinite(value)) return -1;
  let best = 0;
  keys.forEach((key, i) => { if (Math.abs(key - value) < Math.abs(keys[best] - value)) best = i; });
  return best;
}

/** Place of the text of an address among the offered values, between two of them if need be, or -1. */
function between(control, text, scale) {
  const value = Number(text);
  const near = nearest(control, text);
  const keys = control.keys.map(Number);
  if (near < 0 || value === keys[near]) return near;
  const low = Math.max(0, Math.min(value < keys[near] ? near - 1 : near, keys.length - 2));
  const measure = scale === 'log' ? Math.log : (number) => number;
  const part = (measure(value) - measure(keys[low])) / (measure(keys[low + 1]) - measure(keys[low]));
  return Math.min(Math.max(low + part, 0), keys.length - 1) || 0;
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

// ---------------------------------------------------------------- page

const figures = new Map();      // by name, those on the page
const roots = new WeakMap();

/** Read an address such as #fig-rms:lr=0.001,wd=0.1 into ['rms', [['lr', '0.001'], ['wd', '0.1']]]. */
function parseAddress(hash) {
  const match = /^#fig-([a-z0-9-]+):(.*)$/.exec(hash);
  try {
    return match && [match[1], match[2].split(',').map((pair) => pair.split('=').map(decodeURIComponent))];
  } catch {      // a broken address is no reason to complain
    return null;
  }
}

/** Open the folded boxes around an element, innermost first. */
function unfold(element) {
  for (let box = element.parentElement; box; box = box.parentElement) {
    if (box.localName === 'details' && !box.open) box.querySelector('summary')?.click();
    if (box.classList.contains('toggle-hidden')) box.querySelector('.toggle-button')?.click();
  }
}

function follow() {
  const [name, pairs] = parseAddress(location.hash) || [];
  const figure = figures.get(name);
  if (!figure) return;
  figure.restore(pairs);
  unfold(figure.root);
  figure.root.scrollIntoView();
}

async function start() {
  for (const root of document.querySelectorAll('[data-live-figure]')) {
    try {
      await adopt(root);
    } catch {
      const note = document.createElement('p');
      note.className = 'live-figure-failure';
      note.textContent = 'This browser could not read the prepared frames, so the figure stays as it is.';
      root.querySelector('.live-figure-picture').after(note);
    }
  }
  follow();
  addEventListener('hashchange', follow);
}

/** Make a figure of the page answer; one that already does takes its name back. */
async function adopt(root) {
  const known = roots.get(root);
  const figure = known ?? new LiveFigure(root, JSON.parse(root.querySelector('script').textContent));
  roots.set(root, figure);
  if (!known) await figure.load();
  figures.set(figure.name, figure);
}

window.liveFigures = {
  adopt,
  get: (name) => figures.get(name),
  forEach: (run) => figures.forEach(run),
};

// Deferred, this runs before DOMContentLoaded, where the book folds its boxes: those must be folded before we unfold.
if (document.readyState === 'complete') start();
else document.addEventListener('DOMContentLoaded', start);
})();
