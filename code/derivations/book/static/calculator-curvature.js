/* The curvature calculator of chapters/riemann/calculator.
 *
 * A space that is chosen: its answer lies ready, one file of the site for each space, loaded when it is chosen. A
 * metric that is typed in: `calculators.curvature` of the package, by Run live. Both are the same kind of answer; the
 * spaces, their line elements and the longest text come from the package, see `page_data` there.
 */
(() => {
'use strict';

const { make, settle, copyText, followAddress, startCalculator } = globalThis.calculators;
const HERE = new URL('.', document.currentScript.src).href;     // _static/
const PATIENCE = 30000;         // ms for the package to answer
const ADDRESS_PAUSE = 300;      // ms; browsers limit how often the address may change
const OPEN_FORMULAS = 4000;     // characters of TeX that are typeset without being asked for
const MOST_FORMULAS = 60000;    // beyond, typesetting would stop the page for long
const START = 'sphere';
const ZERO = {
  christoffel: '\\Gamma^{\\mu}{}_{\\alpha\\beta}', riemann: 'R^{\\mu}{}_{\\alpha\\beta\\gamma}', ricci: 'R_{\\mu\\nu}',
  einstein: 'G_{\\mu\\nu}',
};
const FIELDS = {
  coordinates: ['order of the coordinates', 'such as r, phi; if empty, as they appear'],
  positive: ['symbols that are positive', 'such as r, M; all others are real'],
  parameters: ['parameters that begin with d', 'such as delta; otherwise it is a differential'],
};
const CONVENTION = 'Convention: the Riemann tensor of the section “Signs and order of the indices” below; '
  + 'components that are 0 or follow from the symmetries are left out.';

function button(text, action, attributes = {}) {
  const element = make('button', { type: 'button', ...attributes }, text);
  element.addEventListener('click', action);
  return element;
}

// ---------------------------------------------------------------- prepared answers

const prepared = new Map();     // promise of the answer, by the name of the space
const arrived = new Map();
globalThis.derivationsCurvature = (name, answer) => arrived.set(name, answer);

/** The prepared answer for a space. A script and not fetch(): that a page from disk can load, too. */
function load(name) {
  if (!prepared.has(name)) {
    prepared.set(name, new Promise((resolve, reject) => {
      const script = make('script', { src: `${HERE}curvature/${name}.js` });
      const done = () => {
        script.remove();
        if (arrived.has(name)) {
          resolve(arrived.get(name));
        } else {
          prepared.delete(name);
          reject(new Error(`The prepared answer for ${name} could not be loaded. Is the network there?`));
        }
      };
      script.addEventListener('load', done);
      script.addEventListener('error', done);
      document.head.append(script);
    }));
  }
  return prepared.get(name);
}

// ---------------------------------------------------------------- what is wrong with a text, seen without Python

function complaint(text, longest) {
  if (!text.trim()) return 'Type a line element here, such as dr**2 + r**2*dphi**2, or choose a space above.';
  if (text.length > longest) return `A line element has at most ${longest} characters, this one has ${text.length}.`;
  let open = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') open++;
    if (text[i] === ')') open--;
    if (open < 0) return `The bracket “)” at position ${i + 1} closes nothing.`;
  }
  if (open) return `${open === 1 ? 'A bracket “(” is' : `${open} brackets “(” are`} not closed.`;
  if (!/(^|[^\p{L}\p{N}_])d[\p{L}\p{N}_]+/u.test(text)) {
    return 'There is no differential in this text: a line element is made of terms such as dr**2 or dx*dy.';
  }
  return null;
}

/** Spaces do not matter, and neither does the sign of a power. */
const bare = (text) => text.replace(/\s+/g, '').replaceAll('^', '**');

const names = (text) => text.split(/[,;\s]+/).filter(Boolean);

// ---------------------------------------------------------------- formulas

/** A place for a formula, which is typeset when it stands on the page and is seen. */
function formula(tex, display = true) {
  const box = make(display ? 'div' : 'span', { class: 'curvature-formula', 'data-waiting': true });
  box.tex = display ? `\\[${tex}\\]` : `\\(${tex}\\)`;
  return box;
}

/** Typeset what waits inside an element, but for what is folded. */
async function typeset(element) {
  const waiting = [...element.querySelectorAll('.curvature-formula[data-waiting]')]
    .filter((box) => !box.closest('details:not([open])'));
  for (const box of waiting) {
    if (!box.firstChild) box.append(make(box.localName, { class: 'math' }, box.tex));
  }
  await globalThis.typesetMaths(element);
  for (const box of waiting) delete box.dataset.waiting;
}

/** The formulas of a quantity. An array that is 0 is written with its indices: else three of them were R. */
function block({ key, equations }) {
  const name = ZERO[key];
  if (name && equations.length === 1 && equations[0][1] === '0') return `${name} = 0`;
  if (equations.length === 1) return equations[0].join(' = ');
  return `\\begin{aligned}\n${equations.map(([left, right]) => `${left} &= ${right}`).join('\\\\\n')}\n\\end{aligned}`;
}

// ---------------------------------------------------------------- the calculator

class Calculator {
  constructor(root, data) {
    this.root = root;
    this.data = data;
    this.spaces = new Map(data.groups.flatMap(({ spaces }) => spaces.map((space) => [space.key, space])));
    this.inputs = new Map();
    this.latest = 0;          // number of the last question: an answer to an older one is dropped
    this.form = this.buildForm();
    this.status = make('p', { class: 'calculator-status', role: 'status' });
    this.results = make('div', { class: 'curvature-results', role: 'region', 'aria-label': 'Curvature' });
    root.replaceChildren(this.form, this.status, this.results);
    this.addressSoon = settle(ADDRESS_PAUSE, () => history.replaceState(history.state, '', this.address()));
  }

  // -------------------------------------------------------------- form

  buildForm() {
    const option = (value, text) => make('option', { value }, text);
    this.choice = make('select', { id: 'curvature-space' }, option('', 'a metric of your own'),
      ...this.data.groups.map(({ title, spaces }) => make('optgroup', { label: `${title}, prepared` },
        ...spaces.map(({ key, name }) => option(key, name)))),
      make('optgroup', { label: 'Examples to compute live' },
        ...Object.keys(this.data.examples).map((name) => option(`example:${name}`, name))));
    this.choice.addEventListener('change', () => this.chosen());
    const choose = make('div', { class: 'calculator-field' },
      make('label', { for: 'curvature-space' }, 'space'), this.choice);
    const text = make('textarea', { id: 'curvature-metric', rows: 3, spellcheck: 'false', autocomplete: 'off',
      autocapitalize: 'off', 'aria-describedby': 'curvature-metric-hint curvature-metric-error' });
    const metric = this.field('metric', 'line element ds²', text, 'dx is the differential of the coordinate x. '
      + 'Functions: sin cos tan sinh cosh tanh exp log sqrt; any other, such as a(t), is undetermined.');
    metric.classList.add('calculator-whole');
    text.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        this.compute();
      }
    });
    const more = Object.entries(FIELDS).map(([name, [label, hint]]) => this.field(name, label,
      make('input', { id: `curvature-${name}`, type: 'text', spellcheck: 'false', autocomplete: 'off',
        autocapitalize: 'off', 'aria-describedby': `curvature-${name}-hint curvature-${name}-error` }), hint));
    const form = make('form', { class: 'calculator-form', novalidate: true, 'aria-label': 'Metric',
      'data-run-live-needs': 'sympy' },
    make('fieldset', {}, make('legend', {}, 'Metric'), choose, metric),
    make('fieldset', {}, make('legend', {}, 'Optional details'), ...more),
    this.buildButtons());
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.compute();
    });
    form.addEventListener('input', ({ target }) => {
      if (target === this.choice) return;
      delete target.dataset.filled;
      this.edited();
    });
    return form;
  }

  field(name, label, input, hint) {
    const id = `curvature-${name}`;
    const error = make('p', { id: `${id}-error`, class: 'calculator-error', role: 'alert' });
    this.inputs.set(name, { input, error, label });
    return make('div', { class: 'calculator-field' }, make('label', { for: id }, label), input,
      make('p', { id: `${id}-hint`, class: 'calculator-hint' }, hint), error);
  }

  buildButtons() {
    this.computer = make('button', { type: 'submit' }, 'Compute');
    this.stopper = button('Stop', () => globalThis.runLive?.stop(), { hidden: true });
    return make('div', { class: 'calculator-buttons' }, this.computer, this.stopper,
      button('Copy link', () => this.copy('Link', location.href.split('#')[0] + this.address())));
  }

  value(name) {
    return this.inputs.get(name).input.value;
  }

  fill(input) {
    for (const [name, { input: place }] of this.inputs) {
      place.value = input[name] ?? '';
      place.dataset.filled = '';      // by the page: the reader has not typed it
    }
    this.clearErrors();
  }

  /** Names that a chosen space has brought and that the reader's own line element does not have: they go. */
  prune() {
    const words = new Set(this.value('metric').match(/[\p{L}_][\p{L}\p{N}_]*/gu));
    const has = {
      coordinates: (name) => words.has(`d${name}`),
      positive: (name) => words.has(name) || words.has(`d${name}`),
      parameters: (name) => words.has(name),
    };
    for (const [name, fits] of Object.entries(has)) {
      const { input } = this.inputs.get(name);
      if (input.dataset.filled === undefined) continue;
      const given = names(input.value);
      const kept = given.filter(fits);
      const others = name === 'coordinates' && [...words].some((word) => /^d./u.test(word)
        && !names(this.value('parameters')).includes(word) && !given.includes(word.slice(1)));
      // A part of an order is none; and coordinates that are new have no place in it.
      if (name === 'coordinates') input.value = kept.length === given.length && !others ? input.value : '';
      else input.value = kept.join(', ');
    }
  }

  clearErrors() {
    for (const { input, error } of this.inputs.values()) {
      error.textContent = '';
      input.removeAttribute('aria-invalid');
    }
  }

  fail(text, field = 'metric') {
    const { input, error } = this.inputs.get(field) ?? this.inputs.get('metric');
    error.textContent = text;
    input.setAttribute('aria-invalid', 'true');
    this.status.textContent = this.shown ? `Below still stands: ${this.shown}.` : '';
  }

  /** The reader has chosen in the list. */
  chosen() {
    const choice = this.choice.value;
    if (this.spaces.has(choice)) {
      this.choose(choice);
    } else {
      const example = this.data.examples[choice.replace('example:', '')];
      if (example) this.fill({ metric: example });
      this.choice.value = '';
      this.edited();
      if (!example) this.inputs.get('metric').input.focus();
    }
    this.addressSoon();
  }

  /** The reader has typed: the answer below is that of another metric. */
  edited() {
    this.choice.value = '';
    this.latest++;
    this.clearErrors();
    this.status.textContent = this.shown
      ? `Press Compute for this metric. Below still stands: ${this.shown}.` : 'Press Compute for this metric.';
    this.addressSoon();
  }

  // -------------------------------------------------------------- questions

  /** Show a space of the catalogue. */
  async choose(key) {
    const number = ++this.latest;
    this.choice.value = key;
    this.fill(this.spaces.get(key).input);
    try {
      const answer = await load(key);
      if (number !== this.latest) return;
      this.show(answer, 'Prepared with the site.', 'prepared');
    } catch (error) {
      if (number === this.latest) this.fail(error.message);
    }
  }

  /** The space whose line element stands in the form, if it is one of the catalogue. */
  known() {
    const metric = bare(this.value('metric'));
    const same = (input) => bare(input.metric) === metric
      && ['coordinates', 'positive', 'parameters'].every((name) =>
        names(input[name]).join() === names(this.value(name)).join());
    return [...this.spaces.values()].find(({ key, input }) => key === metric || same(input))?.key;
  }

  async compute() {
    this.clearErrors();
    const key = this.known();
    if (key) {
      this.choose(key);
      this.addressSoon();
      return;
    }
    const wrong = complaint(this.value('metric'), this.data.longest);
    if (wrong) {
      this.fail(wrong);
      return;
    }
    this.prune();
    this.addressSoon();
    await this.askPackage();
  }

  async askPackage() {
    const live = globalThis.runLive;
    if (!live) {
      this.status.textContent = 'This page has no Run live. In Python, derivations.calculators.curvature computes it.';
      return;
    }
    const values = { metric: this.value('metric') };
    for (const name of Object.keys(FIELDS)) if (this.value(name).trim()) values[name] = this.value(name);
    const number = ++this.latest;
    this.working(number, true);
    try {
      await this.booted(live);
      if (number !== this.latest) return;
      this.stopper.hidden = false;
      this.status.textContent = 'Computing. After 30 seconds it gives up; Stop ends it before.';
      const began = performance.now();
      const answer = await live.call('calculators.curvature', values, { timeout: PATIENCE });
      if (number !== this.latest) return;
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      if (answer.error) this.fail(answer.error, answer.field);
      else this.show(answer, `Live: computed by the package in ${seconds} seconds.`, 'package');
    } catch (error) {
      if (number === this.latest) {
        this.status.textContent = error.kind === 'timeout'
          ? 'No answer: this metric takes longer than 30 seconds. Python was stopped and starts anew; what the cells '
            + 'of this page had computed is lost.'
          : `No answer: ${error.message}`;
      }
    } finally {
      this.working(number, false);
    }
  }

  /** Wait until Python runs, and tell meanwhile how far it is. */
  async booted(live) {
    if (live.state === 'ready') return;
    const tell = ({ detail }) => {
      if (detail.text) this.status.textContent = detail.text;
    };
    this.status.textContent = 'Starting Python in this page. The prepared spaces go on answering meanwhile.';
    live.addEventListener('status', tell);
    try {
      await live.boot();
    } finally {
      live.removeEventListener('status', tell);
    }
  }

  /** Only the last question moves the buttons: an older one may still wait for its end. */
  working(number, yes) {
    if (yes) this.asked = number;
    if (this.asked !== number) return;
    this.computer.disabled = yes;
    this.stopper.hidden = true;     // shown when Python runs: before, there is nothing to stop
    if (yes) this.results.setAttribute('aria-busy', 'true');
    else this.results.removeAttribute('aria-busy');
  }

  // -------------------------------------------------------------- answers

  show(answer, source, kind) {
    this.answer = answer;
    this.shown = answer.space ? `the ${answer.name}` : 'the metric computed before';
    this.results.dataset.source = kind;
    this.results.dataset.space = answer.space ?? '';
    this.results.replaceChildren(
      make('p', { class: 'calculator-source' }, source),
      formula(answer.line_element), this.facts(answer), ...this.notes(answer), ...this.picture(answer),
      this.buttons(answer), ...answer.quantities.map((quantity) => this.quantity(answer, quantity)),
      make('p', { class: 'calculator-source' }, CONVENTION));
    this.status.textContent = `${answer.name[0].toUpperCase()}${answer.name.slice(1)}. ${this.sentence(answer)}`;
    typeset(this.results);
  }

  sentence(answer) {
    const counts = answer.quantities.filter(({ key }) => ['christoffel', 'riemann'].includes(key))
      .map((quantity) => `${quantity.title}: ${count(quantity)}`);
    return `${counts.join('; ')}.`;
  }

  facts(answer) {
    const { coordinates, parameters, functions } = answer.symbols;
    const line = (term, ...content) => [make('dt', {}, term), make('dd', {}, ...content)];
    const list = (texts) => texts.flatMap((tex, i) => [...(i ? [', '] : []), formula(tex, false)]);
    return make('dl', { class: 'curvature-facts' },
      ...line('space', answer.name),
      ...line('coordinates', ...list(coordinates)),
      ...(parameters.length ? line('parameters', ...list(parameters)) : []),
      ...(functions.length ? line('undetermined functions', ...list(functions)) : []),
      ...(answer.chart.length ? line('chart', ...list(answer.chart)) : []),
      ...line('assumptions', answer.assumptions));
  }

  notes({ notes }) {
    return notes.length ? [make('ul', { class: 'curvature-notes' }, ...notes.map((text) => make('li', {}, text)))] : [];
  }

  picture({ picture }) {
    if (!picture) return [];
    const template = document.createElement('template');
    template.innerHTML = picture.svg;
    return [make('figure', { class: 'calculator-picture' },
      make('div', { role: 'img', 'aria-label': picture.alt }, template.content),
      make('figcaption', {}, picture.caption))];
  }

  buttons(answer) {
    const latex = () => [`\\[${answer.line_element}\\]`, ...answer.quantities.map((quantity) =>
      `% ${quantity.title}\n\\[\n${block(quantity)}\n\\]`)].join('\n');
    const code = () => [...answer.code, ...answer.quantities.flatMap((quantity) => quantity.code)].join('\n');
    return make('div', { class: 'calculator-buttons' },
      button('Copy all as LaTeX', () => this.copy('LaTeX', latex())),
      button('Copy all as SymPy code', () => this.copy('SymPy code', code())));
  }

  quantity(answer, quantity) {
    const { key, title } = quantity;
    const tex = block(quantity);
    const size = tex.length;
    const box = make('details', { class: 'curvature-quantity', 'data-quantity': key, open: size <= OPEN_FORMULAS },
      make('summary', {}, `${title}: ${count(quantity)}`),
      make('div', { class: 'curvature-body' },
        size <= MOST_FORMULAS ? formula(tex)
          : make('p', {}, `${size} characters of TeX are too many to typeset here; they can be copied.`),
        make('div', { class: 'calculator-buttons' },
          button('Copy LaTeX', () => this.copy('LaTeX', tex), { 'aria-label': `Copy LaTeX: ${title}` }),
          button('Copy SymPy', () => this.copy('SymPy code', [...answer.code, ...quantity.code].join('\n')),
            { 'aria-label': `Copy SymPy: ${title}` }))));
    box.addEventListener('toggle', () => {
      if (box.open) typeset(box);
    });
    return box;
  }

  async copy(what, text) {
    this.status.textContent = await copyText(text) ? `${what} copied.` : `Copy this: ${text}`;
  }

  // -------------------------------------------------------------- address

  address() {
    if (this.spaces.has(this.choice.value)) return `#curvature:space=${this.choice.value}`;
    const pairs = ['metric', ...Object.keys(FIELDS)].map((name) => [name, this.value(name).trim()]);
    const code = (text) => encodeURIComponent(text).replaceAll('(', '%28').replaceAll(')', '%29');
    return `#curvature:${pairs.filter(([, text]) => text).map(([name, text]) => `${name}=${code(text)}`).join(',')}`;
  }

  /** Take what an address gives; what does not fit is named, and the space of the start stands there instead. */
  restore(found) {
    const refused = [...found].filter(([name, text]) => !this.fits(name, text)).map(([name, text]) =>
      (text === null ? name : `${name}=${text.slice(0, 80)}`));
    if (!refused.length && found.has('metric')) {
      this.fill(Object.fromEntries(found));
      this.edited();
      const key = this.known();
      if (key) this.choose(key);
      else if (globalThis.runLive?.state === 'ready') this.compute();
      return;
    }
    this.choose(refused.length || !found.has('space') ? START : found.get('space')).then(() => {
      if (refused.length) {
        this.status.textContent = `The link has what this calculator cannot use; the ${START} stands there instead: `
          + `${refused.join(', ')}.`;
      }
    });
  }

  fits(name, text) {
    if (text === null) return false;
    if (name === 'space') return this.spaces.has(text);
    return this.inputs.has(name) && text.length <= this.data.longest;
  }
}

/** How many components are listed, in words; a scalar has none to count. Of the Riemann tensor fewer are independent:
 * with its first index up, not all of its symmetries can be seen. */
function count({ key, equations }) {
  if (['scalar', 'gauss', 'kretschmann'].includes(key)) return equations[0][1] === '0' ? '0' : 'not 0';
  if (equations.length === 1 && equations[0][1] === '0') return 'all 0';
  return `${equations.length} component${equations.length === 1 ? '' : 's'} listed`;
}

// ---------------------------------------------------------------- start

startCalculator('curvature', (root, data) => {
  const calculator = new Calculator(root, data);
  followAddress('curvature', root, (pairs) => calculator.restore(new Map(pairs)), () => calculator.choose(START));
});
})();
