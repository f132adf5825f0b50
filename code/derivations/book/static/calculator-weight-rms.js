/* The weight RMS calculator of chapters/adamw/calculator.
 *
 * At once, and without Python: the recursions of the package (`recursion`, `double_sum`, `single_sum`), the mean field
 * in closed form, and `exact` where the page carries the noise factor. After Run live: `calculators.weight_rms` of the
 * package, with every method. Fields, limits, sentences and known errors come from the package, see `page_data` there.
 */
(() => {
'use strict';

const { make, settle, copyText, followAddress, startCalculator } = globalThis.calculators;
const ANSWER_PAUSE = 150;   // ms without a keystroke before the page computes
const ADDRESS_PAUSE = 300;  // ms; browsers limit how often the address may change
const SPEAK_PAUSE = 900;    // ms without a change before the answer is read out
const PATIENCE = 120000;    // ms for the package to answer
const SILENT = 1000;        // ms after which the page says that the package is at work
const SAMPLES = 200;        // points of a curve
const WHERE = { peak: 'at the peak', half: 'when half a unit of decay is left', last: 'at the last step' };

// ---------------------------------------------------------------- schedule: pieces with their integrals

function line(from, to, length) {
  const rate = (s) => (from === to ? from : from * (1 - s / length) + to * (s / length));
  return {
    length, rate, peak: Math.max(from, to),
    integral: (s) => s * (from + rate(s)) / 2,
    square: (s) => s * (from * from + from * rate(s) + rate(s) ** 2) / 3,
  };
}

function cosine(from, to, length) {
  const mean = (from + to) / 2;
  const swing = (from - to) / 2;
  const turn = Math.PI / length;
  return {
    length, peak: Math.max(from, to),
    rate: (s) => {
      const share = Math.sin(Math.PI / 2 * (1 - s / length)) ** 2;
      return from * share + to * (1 - share);
    },
    integral: (s) => mean * s + swing * Math.sin(turn * s) / turn,
    square: (s) => mean * mean * s + 2 * mean * swing * Math.sin(turn * s) / turn
      + swing * swing * (s / 2 + Math.sin(2 * turn * s) / (4 * turn)),
  };
}

function inverseTime(from, timescale, power, length) {
  const growth = (s, exponent) => {
    const width = Math.log1p(s / timescale);
    return timescale * (exponent ? Math.expm1(exponent * width) / exponent : width);
  };
  return {
    length, peak: from,
    rate: (s) => from * Math.exp(-power * Math.log1p(s / timescale)),
    integral: (s) => from * growth(s, 1 - power),
    square: (s) => from * from * growth(s, 1 - 2 * power),
  };
}

function drawnPieces({ lr, steps, points }) {
  const ends = points.map(([place]) => Math.floor(place / 100 * steps + 0.5));
  return points.slice(1).map(([, share], i) =>
    line(points[i][1] / 100 * lr, share / 100 * lr, ends[i + 1] - ends[i]));
}

function piecesOf(values) {
  const { schedule, lr, steps, warmup_steps: warmup = 0, final_lr: last, decay_steps: decay } = values;
  if (schedule === 'drawn') return drawnPieces(values).filter(({ length }) => length > 0);
  const rest = steps - warmup;
  const tail = {
    constant: () => [line(lr, lr, rest)],
    linear: () => [line(lr, last, rest)],
    cosine: () => [cosine(lr, last, rest)],
    wsd: () => [line(lr, lr, rest - decay), line(lr, last, decay)],
    inverse_time: () => [inverseTime(lr, values.timescale, values.power, rest)],
  }[schedule]();
  return [line(0, lr, warmup), ...tail].filter(({ length }) => length > 0);
}

/** A run: learning rate of each step, and the weight decay of each as factor x learning rate, or constant. */
function runOf(values) {
  const pieces = piecesOf(values);
  const rates = new Float64Array(values.steps);
  let start = 0;
  for (const piece of pieces) {
    for (let s = 1; s <= piece.length; s++) rates[start + s - 1] = piece.rate(s);
    start += piece.length;
  }
  const peak = Math.max(...pieces.map((piece) => piece.peak));
  const { weight_decay: decay, beta1, beta2, init_rms: start0, gradient_mean: mean, eps } = values;
  const scale = Math.hypot(mean, 1) + eps;
  return {
    pieces, rates, peak, decay, adamc: values.adamc, beta1, beta2, mean, eps, start: start0,
    pull: (mean / scale) ** 2, noise: 1 / scale ** 2, scale,
    perStep: values.adamc ? (rate) => decay / peak * rate * rate : (rate) => decay * rate,
  };
}

/** Integrals of the learning rate and of its square from 0 to step t. */
function integrals(pieces, t) {
  let first = 0;
  let second = 0;
  for (const piece of pieces) {
    const s = Math.min(t, piece.length);
    first += piece.integral(s);
    second += piece.square(s);
    t -= s;
    if (t <= 0) break;
  }
  return [first, second];
}

// ---------------------------------------------------------------- methods: the RMS after the steps that are asked for

const meanSquare = (run, shrunk, drift, variance) =>
  shrunk * shrunk * run.start ** 2 + run.pull * drift * drift + run.noise * variance;

/** `recursion` (`exact` with its factor on the noise); without hats, and with exponentials, `double_sum`. */
function withMomentum(run, marks, { hats = true, factor = 1 } = {}) {
  const { rates, beta1, perStep } = run;
  const settled = (1 - beta1) / (1 + beta1);
  const logBeta = Math.log(beta1);
  const found = [];
  let [shrunk, drift, variance, covariance, next] = [1, 0, 0, 0, 0];
  let unbias = 0;
  for (let t = 1; t <= rates.length; t++) {
    const rate = rates[t - 1];
    const keep = hats ? 1 - perStep(rate) : Math.exp(-perStep(rate));
    if (unbias < 1) unbias = -Math.expm1(t * logBeta);
    const step = hats ? rate / unbias : rate;
    const momentum = settled * unbias * (2 - unbias);
    const before = beta1 * covariance;
    covariance = keep * before - step * momentum;
    variance = keep * keep * variance + step * step * momentum - 2 * keep * step * before;
    drift = keep * drift + rate;
    shrunk *= keep;
    if (t === marks[next]) {
      found.push(Math.sqrt(Math.max(0, meanSquare(run, shrunk, drift, factor * variance))));
      next++;
    }
  }
  return found;
}

function singleSum(run, marks) {
  const found = [];
  let [shrunk, drift, variance, next] = [1, 0, 0, 0];
  for (let t = 1; t <= run.rates.length; t++) {
    const rate = run.rates[t - 1];
    const keep = Math.exp(-run.perStep(rate));
    shrunk *= keep;
    drift = keep * drift + rate;
    variance = keep * keep * variance + rate * rate;
    if (t === marks[next]) {
      found.push(Math.sqrt(meanSquare(run, shrunk, drift, variance)));
      next++;
    }
  }
  return found;
}

function meanField(run, marks) {
  return marks.map((t) => {
    const [first, second] = integrals(run.pieces, t);
    const kappa = run.adamc ? run.decay / run.peak * second : run.decay * first;
    const shape = kappa > 0 ? -Math.expm1(-2 * kappa) / (2 * kappa) : 1;
    const drift = run.decay > 0 ? -Math.expm1(-kappa) / run.decay : first;
    return Math.sqrt(meanSquare(run, Math.exp(-kappa), drift, shape * second));
  });
}

/** The noise factor if the page carries it and if it is all that `exact` needs; else undefined. */
function noiseFactor(data, { beta1, beta2, mean, eps }) {
  if (mean || eps) return undefined;
  return data.noise_factors.find(([b1, b2]) => b1 === beta1 && b2 === beta2)?.[2];
}

function everyMethod(data, run, marks) {
  const factor = noiseFactor(data, run);
  const decayVaries = run.adamc && run.decay > 0 && run.rates.some((rate) => rate !== run.rates[0]);
  return {
    ...(factor && { exact: withMomentum(run, marks, { factor }) }),
    recursion: withMomentum(run, marks),
    double_sum: withMomentum(run, marks, { hats: false }),
    single_sum: singleSum(run, marks),
    // Of a mean gradient and a weight decay that varies, the mean field says nothing.
    ...(!(run.mean && decayVaries) && { mean_field: meanField(run, marks) }),
  };
}

// ---------------------------------------------------------------- answer: the same keys as calculators.weight_rms

function compute(data, values) {
  const run = runOf(values);
  const marks = [...new Set(Array.from({ length: SAMPLES }, (_, i) =>
    Math.round(1 + (values.steps - 1) * i / (SAMPLES - 1))))];
  const curves = everyMethod(data, run, marks);
  const best = curves.exact ? 'exact' : 'recursion';
  const ends = Object.fromEntries(Object.entries(curves).map(([name, curve]) => [name, curve.at(-1)]));
  if (!Object.values(ends).every(Number.isFinite)) {
    const most = short(largest(run));
    return { error: `the weights grow beyond all bounds, with lr x weight decay up to ${most}`, field: null };
  }
  const methods = Object.fromEntries(Object.entries(ends).map(([name, rms]) => [name, {
    rms, difference: ends[best] ? rms / ends[best] - 1 : null, error: data.errors[values.schedule][name],
    note: data.methods[name],
  }]));
  const totals = totalsOf(run, ends[best]);
  return {
    methods, totals, equilibrium: equilibria(data, run), warnings: warningsOf(data, run, totals), inverse: null,
    curves, marks, rates: marks.map((t) => run.rates[t - 1]), run, best,
  };
}

function largest(run) {
  return run.rates.reduce((most, rate) => Math.max(most, run.perStep(rate)), 0);
}

function totalsOf(run, end) {
  const [first, nu] = integrals(run.pieces, run.rates.length);
  const kappa = run.adamc ? run.decay / run.peak * nu : run.decay * first;
  const strongest = run.peak * run.decay;
  const left = Math.exp(-2 * kappa);
  return {
    kappa, nu, peak_lr: run.peak, last_lr: run.rates.at(-1), time_scale: strongest > 0 ? 1 / (2 * strongest) : null,
    mean_square_left: left, rms_left: Math.exp(-kappa),
    of_the_end: end ? Math.min(1, left * (run.start / end) ** 2) : null,
  };
}

function equilibria(data, run) {
  const found = [{ where: 'peak', step: null, lr: run.peak, weight_decay: run.decay }];
  const at = (where, step) => {
    const lr = run.rates[step - 1];
    found.push({ where, step, lr, weight_decay: run.adamc ? run.decay / run.peak * lr : run.decay });
  };
  let left = 0;
  for (let t = run.rates.length; t > 0; t--) {
    left += run.perStep(run.rates[t - 1]);
    if (left >= 0.5) { at('half', t); break; }
  }
  at('last', run.rates.length);
  return found.map((place) => ({ ...place, ...settled(data, run, place) }));
}

function settled(data, run, { lr, weight_decay: decay }) {
  const x = lr * decay;
  if (!(x > 0 && x < 2)) return { leading: null, recursion: null, exact: null };
  const { beta1 } = run;
  const keep = 1 - x;
  const momentum = (1 - beta1) * (1 + keep * beta1) / ((1 + beta1) * (1 - keep * beta1));
  const variance = lr / (decay * (2 - x)) * momentum;
  const root = (noise) => Math.sqrt(run.pull / decay ** 2 + run.noise * noise);
  const factor = noiseFactor(data, run);
  return { leading: root(lr / (2 * decay)), recursion: root(variance), exact: factor ? root(factor * variance) : null };
}

function warningsOf(data, run, { kappa }) {
  const { beta1, beta2, mean, eps } = run;
  const most = largest(run);
  const apply = {
    start: kappa < 0.5, long: kappa > 8, fast: most > 0.1 * (1 - beta1),
    few: run.rates.length * (1 - Math.max(beta1, beta2)) < 20,
    mean: mean !== 0 && Math.abs(mean) > Math.sqrt(most / 2), other: mean || eps,
  };
  const words = {
    kappa: short(kappa), left: short(100 * Math.exp(-kappa)), per_step: short(most), memory: short(1 - beta1),
    steps: run.rates.length,
  };
  return Object.keys(apply).filter((name) => apply[name])
    .map((name) => data.warnings[name].replace(/\{(\w+)\}/g, (_, word) => words[word]));
}

/** The largest constant weight decay that ends at the wanted RMS, searched for as `weight_decay_for` does. */
function inverse(data, values) {
  const { target_rms: target } = values;
  const found = { target, weight_decay: null, lr: null, notes: [] };
  if (values.adamc) return { ...found, notes: ['no weight decay is given: with AdamC it is no single number'] };
  const run = runOf(values);
  const factor = noiseFactor(data, run) ?? 1;
  const end = (decay) => withMomentum({ ...run, perStep: (rate) => decay * rate }, [values.steps], { factor })[0];
  const highest = 0.999 / run.peak;
  const lowest = 1e-9 / integrals(run.pieces, values.steps)[0];
  const count = Math.max(2, Math.round(5 * Math.log10(highest / lowest)));
  const place = (i) => highest * (lowest / highest) ** (i / (count - 1));
  const seen = [end(highest)];
  for (let i = 1; i < count; i++) {
    seen.push(end(place(i)));
    if ((seen[i] - target) * (seen[i - 1] - target) <= 0) {
      const root = bisect((x) => end(Math.exp(x)) - target, Math.log(place(i)), Math.log(place(i - 1)));
      return { ...found, weight_decay: Math.exp(root) };
    }
  }
  const [low, high, least, most] = [lowest, highest, Math.min(...seen), Math.max(...seen)].map(short);
  return { ...found, notes: [`no weight decay between ${low} and ${high} gives the wanted RMS ${target}: `
    + `the RMS found there lies between ${least} and ${most}`] };
}

/** A zero between two ends of different sign: false position, with the end that stays put halved (Illinois). */
function bisect(f, low, high) {
  let [below, above] = [f(low), f(high)];
  let side = 0;
  for (let i = 0; i < 200 && high - low > 1e-13 && below !== above; i++) {
    const middle = (low * above - high * below) / (above - below);
    const value = f(middle);
    if (value === 0) return middle;
    if (value * above > 0) {
      [high, above] = [middle, value];
      if (side === 1) below /= 2;
      side = 1;
    } else {
      [low, below] = [middle, value];
      if (side === -1) above /= 2;
      side = -1;
    }
    if (Math.abs(value) < 1e-15) return middle;
  }
  return Math.abs(below) < Math.abs(above) ? low : high;
}

// ---------------------------------------------------------------- fields: read, check, address

/** Why a text is no value of a field, or null. An empty text is right only where a field may stay empty. */
function complaint(field, text) {
  if (text.trim() === '' && field.default === null) return null;
  const value = numberIn(text);
  const good = value >= field.low && value <= field.high && (!field.whole || Number.isInteger(value));
  return good ? null : `${field.label} must be ${field.demand}, got "${text}"`;
}

const belongs = (field, schedule) => !field.schedules.length || field.schedules.includes(schedule);

/** What several fields together must be; [field, sentence] or null. */
function conflict({ schedule, steps, warmup_steps: warmup, decay_steps: decay, points }) {
  if (schedule === 'wsd' && warmup + decay > steps) {
    return ['decay_steps',
      `warm-up and final decay must have at most ${steps} steps together, got ${warmup} + ${decay}`];
  }
  if (schedule === 'drawn') {
    return points.some(([, share]) => share > 0) ? null
      : ['points', 'the drawing must have a learning rate above 0 somewhere'];
  }
  return schedule !== 'wsd' && warmup >= steps
    ? ['warmup_steps', `warm-up steps must be less than the steps in all, ${steps}, got ${warmup}`] : null;
}

/** The number in a text; an empty one has none. */
function numberIn(text) {
  return text.trim() === '' ? NaN : Number(text);
}

function readPoints(text, most) {
  const points = text.split(';').map((pair) => pair.split('/').map(numberIn));
  const good = points.length >= 2 && points.length <= most && points[0][0] === 0 && points.at(-1)[0] === 100
    && points.every((pair, i) => pair.length === 2 && pair.every((number) => number >= 0 && number <= 100)
      && (i === 0 || pair[0] >= points[i - 1][0]));
  return good ? points : null;
}

// ---------------------------------------------------------------- page: small helpers

const SVG = 'http://www.w3.org/2000/svg';

function draw(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Three digits, for sentences. */
function short(number) {
  return String(Number(number.toPrecision(3)));
}

/** A given number, or a round one. */
function plain(number) {
  return String(Number(number.toPrecision(6)));
}

/** Five digits, for results. */
function digits(number) {
  if (number === null || number === undefined) return '–';
  const usual = number === 0 || (Math.abs(number) >= 1e-4 && Math.abs(number) < 1e5);
  return usual ? number.toPrecision(5) : number.toExponential(4).replace('e+', 'e');
}

/** A share in per cent; what is too small to matter is not written in full. */
function percent(share) {
  return share && share < 1e-5 ? '< 0.001 %' : `${Number((100 * share).toPrecision(3))} %`;
}

// ---------------------------------------------------------------- pictures

const BOX = { left: 64, right: 388, top: 12, bottom: 160, width: 400, height: 200 };
// Colour, dashes and name of each line, as in the picture that the package draws.
const LOOKS = {
  exact: ['#3b82d6', '', 'exact'], recursion: ['#d9731a', '6 3', 'frozen denominator'],
  single_sum: ['#2f9e44', '6 2 2 2', 'single sum'], mean_field: ['#a35ccf', '1.5 2.5', 'mean field'],
  moving: ['#e0484d', '8 2 2 2 2 2', 'moving equilibrium'],
};

/** Round numbers between 0 and a largest value, at most five. */
function ticks(most) {
  const power = 10 ** Math.floor(Math.log10(most / 4));
  const step = [1, 2, 2.5, 5, 10].find((factor) => factor * power * 4.5 >= most) * power;
  return Array.from({ length: Math.floor(most / step * 1.0001) + 1 }, (_, i) => Number((i * step).toPrecision(12)));
}

function tickText(tick) {
  return tick && (tick < 1e-3 || tick >= 1e5) ? tick.toExponential().replace('e+', 'e') : String(tick);
}

function axes(steps, most, ylabel, numbers = true) {
  const x = (value) => BOX.left + (BOX.right - BOX.left) * value / steps;
  const y = (value) => BOX.bottom - (BOX.bottom - BOX.top) * value / most;
  const parts = [draw('path', { d: `M${BOX.left} ${BOX.top}V${BOX.bottom}H${BOX.right}`, class: 'calculator-axis' })];
  for (const tick of numbers ? ticks(most) : []) {
    parts.push(draw('path', { d: `M${BOX.left} ${y(tick)}h-4`, class: 'calculator-axis' }),
      draw('text', { x: BOX.left - 7, y: y(tick) + 4, 'text-anchor': 'end' }, tickText(tick)));
  }
  for (const tick of numbers ? ticks(steps) : []) {
    parts.push(draw('path', { d: `M${x(tick)} ${BOX.bottom}v4`, class: 'calculator-axis' }),
      draw('text', { x: x(tick), y: BOX.bottom + 17, 'text-anchor': tick === steps ? 'end' : 'middle' }, String(tick)));
  }
  parts.push(draw('text', { x: (BOX.left + BOX.right) / 2, y: BOX.height - 6, 'text-anchor': 'middle' }, 'step'),
    draw('text', { x: 11, y: (BOX.top + BOX.bottom) / 2, 'text-anchor': 'middle',
      transform: `rotate(-90 11 ${(BOX.top + BOX.bottom) / 2})` }, ylabel));
  return { x, y, parts };
}

function picture(parts, attributes) {
  return draw('svg', { viewBox: `0 0 ${BOX.width} ${BOX.height}`, ...attributes }, ...parts);
}

function path(xs, ys, { x, y }) {
  return xs.map((at, i) => `${i ? 'L' : 'M'}${x(at).toFixed(2)} ${y(ys[i]).toFixed(2)}`).join('');
}

function stroke(d, name = 'exact') {
  const [color, dashes] = LOOKS[name];
  return draw('path', { d, class: 'calculator-line', stroke: color, 'stroke-dasharray': dashes });
}

function rmsPicture(answer, steps) {
  const { curves, marks, rates, run } = answer;
  const lines = Object.entries(curves).filter(([name]) => name in LOOKS);
  const highest = Math.max(...lines.flatMap(([, curve]) => curve)) || 1;
  const frame = axes(steps, 1.15 * highest, 'weight RMS');
  if (run.decay > 0) {
    const level = run.adamc ? () => Math.sqrt(run.peak / (2 * run.decay)) : (rate) => Math.sqrt(rate / (2 * run.decay));
    lines.push(['moving', rates.map((rate) => Math.min(level(rate), 1.15 * highest))]);
  }
  const key = make('ul', { class: 'calculator-key' }, ...lines.map(([name]) => make('li', {},
    draw('svg', { viewBox: '0 0 28 8', width: 28, height: 8, 'aria-hidden': 'true' }, stroke('M0 4h28', name)),
    LOOKS[name][2])));
  const drawn = lines.map(([name, curve]) => stroke(path(marks, curve, frame), name));
  const alt = `Weight RMS against the step over ${steps} steps: from ${short(run.start)} to `
    + `${digits(curves[answer.best].at(-1))} by the method ${answer.best}.`;
  return [picture([...frame.parts, ...drawn], { role: 'img', 'aria-label': alt }), key];
}

// ---------------------------------------------------------------- the calculator

class Calculator {
  constructor(root, data) {
    this.root = root;
    this.data = data;
    this.points = data.points.map((pair) => [...pair]);
    this.inputs = new Map();
    this.latest = 0;          // number of the last change: an answer to an older one is dropped
    this.form = this.buildForm();
    this.headline = make('p', { class: 'calculator-headline' });
    this.spoken = make('p', { class: 'calculator-spoken', role: 'status' });
    this.results = make('div', { class: 'calculator-results' });
    this.status = make('p', { class: 'calculator-status', role: 'status' });
    this.liveStatus = make('p', { class: 'calculator-status', role: 'status' });
    root.replaceChildren(this.form, this.status, this.liveStatus, this.spoken, this.headline, this.results);
    this.answerSoon = settle(ANSWER_PAUSE, () => this.answer());
    this.addressSoon = settle(ADDRESS_PAUSE, () => history.replaceState(history.state, '', this.address()));
    this.speakSoon = settle(SPEAK_PAUSE, () => { this.spoken.textContent = this.sentence || ''; });
    root.compute = (values) => compute(data, { ...this.defaults(), ...values });
    root.inverse = (values) => inverse(data, { ...this.defaults(), ...values });
  }

  defaults() {
    const values = Object.fromEntries(this.data.fields.map((field) => [field.name, field.default]));
    return { schedule: 'cosine', adamc: false, points: this.data.points, ...values };
  }

  // -------------------------------------------------------------- form

  buildForm() {
    const group = (name, legend, ...first) => make('fieldset', {}, make('legend', {}, legend), ...first,
      ...this.data.fields.filter((field) => field.group === name).map((field) => this.numberField(field)));
    this.kind = make('select', { id: 'calculator-schedule' },
      ...Object.entries(this.data.schedules).map(([value, text]) => make('option', { value }, text)));
    this.kind.value = 'cosine';
    this.adamc = make('input', { type: 'checkbox', id: 'calculator-adamc' });
    const choose = make('div', { class: 'calculator-field' },
      make('label', { for: 'calculator-schedule' }, 'schedule'), this.kind);
    const adamc = make('div', { class: 'calculator-check' }, this.adamc,
      make('label', { for: 'calculator-adamc' },
        'AdamC: weight decay proportional to the learning rate, largest at its peak'));
    this.drawing = make('div', { class: 'calculator-drawing' });
    this.table = make('details', { class: 'calculator-points' });
    this.shape = make('div', { class: 'calculator-shape' }, this.drawing, this.table);
    const form = make('form', { class: 'calculator-form', novalidate: true, 'aria-label': 'Settings of the run' },
      group('schedule', 'Learning rate', choose), this.shape, group('optimizer', 'Optimizer'), adamc,
      group('start', 'Start and gradient'), group('target', 'The other way round'), this.buildButtons());
    form.querySelectorAll('fieldset')[1].append(adamc);
    form.addEventListener('submit', (event) => event.preventDefault());
    form.addEventListener('input', (event) => this.changed(event.target));
    return form;
  }

  numberField(field) {
    const id = `calculator-${field.name.replaceAll('_', '-')}`;
    const input = make('input', { id, type: 'text', inputmode: 'decimal', autocomplete: 'off', spellcheck: 'false',
      'aria-describedby': `${id}-error`, 'data-field': field.name });
    input.value = field.default ?? '';
    const error = make('p', { id: `${id}-error`, class: 'calculator-error' });
    const box = make('div', { class: 'calculator-field' }, make('label', { for: id }, field.label), input, error);
    this.inputs.set(field.name, { field, input, error, box });
    return box;
  }

  buildButtons() {
    const button = (action, text) => {
      const element = make('button', { type: 'button' }, text);
      element.addEventListener('click', () => this[action]());
      return element;
    };
    this.liveButton = button('goLive', 'Run live: every method, exactly');
    this.liveButton.hidden = !globalThis.runLive;
    return make('div', { class: 'calculator-buttons' }, this.liveButton, button('copyLink', 'Copy link'),
      button('copyPython', 'Copy as Python'), button('reset', 'Reset'));
  }

  changed(target) {
    if (target.dataset.point !== undefined) this.movedInTable(target);
    this.refresh();
  }

  /** After any change: which fields show, the pictures, the answers, the address. */
  refresh() {
    this.latest++;
    for (const { field, box } of this.inputs.values()) box.hidden = !belongs(field, this.kind.value);
    this.answerSoon();
    this.addressSoon();
  }

  /** The settings, or null if one of them is wrong; then it is said at its field. */
  read() {
    const values = { schedule: this.kind.value, adamc: this.adamc.checked };
    let wrong = null;
    for (const { field, input, error } of this.inputs.values()) {
      if (!belongs(field, values.schedule)) continue;
      const problem = complaint(field, input.value);
      this.mark(input, error, problem);
      wrong ??= problem;
      values[field.name] = input.value.trim() === '' ? null : Number(input.value);
    }
    if (values.schedule === 'drawn') values.points = this.points.map((pair) => [...pair]);
    const clash = wrong ? null : conflict(values);
    if (clash) {
      const place = this.inputs.get(clash[0]);
      if (place) this.mark(place.input, place.error, clash[1]);
    }
    this.problem = wrong || (clash && clash[1]);
    return this.problem ? null : values;
  }

  mark(input, error, problem) {
    error.textContent = problem || '';
    if (problem) input.setAttribute('aria-invalid', 'true');
    else input.removeAttribute('aria-invalid');
  }

  // -------------------------------------------------------------- drawing a schedule

  showShape(values) {
    const drawn = this.kind.value === 'drawn';
    const active = this.drawing.contains(document.activeElement) && document.activeElement.dataset.index;
    const steps = values ? values.steps : 100;
    const pieces = values ? runOf(values) : null;
    const most = (values ? Math.max(pieces.peak, drawn ? values.lr : 0) : 100) * 1.05;
    const frame = axes(steps, most, 'learning rate', Boolean(values));     // of wrong settings, none are known
    const parts = [...frame.parts];
    if (values) {
      const marks = [...new Set(Array.from({ length: SAMPLES }, (_, i) =>
        Math.max(1, Math.round(steps * i / (SAMPLES - 1)))))];
      if (!drawn) {
        parts.push(stroke(path(marks, marks.map((t) => pieces.rates[t - 1]), frame)));
      }
    }
    if (drawn) parts.push(...this.handles(frame, steps, values ? values.lr : 100));
    const alt = drawn ? 'The drawn schedule. Its points can be moved with the arrow keys or by dragging.'
      : `Learning rate against the step: ${this.data.schedules[this.kind.value]}.`;
    const svg = picture(parts, { role: drawn ? 'group' : 'img', 'aria-label': alt });
    this.drawing.replaceChildren(svg);
    this.frame = { svg };
    if (active) this.drawing.querySelector(`[data-index="${active}"]`)?.focus();
    this.table.hidden = !drawn;
    if (drawn) this.showTable();
  }

  /** The drawn line and its points: each a slider for the keyboard, and something to drag. */
  handles({ x, y }, steps, peak) {
    const at = ([place, share]) => [x(place / 100 * steps), y(share / 100 * peak)];
    const lineOf = () => this.points.map((pair, i) => `${i ? 'L' : 'M'}${at(pair).join(' ')}`).join('');
    const curve = stroke(lineOf());
    const dots = this.points.map((_, i) => {
      const dot = draw('g', { tabindex: 0, role: 'slider', 'aria-label': `Point ${i + 1} of ${this.points.length}`,
        'aria-orientation': 'vertical', 'aria-valuemin': 0, 'aria-valuemax': 100, class: 'calculator-handle',
        'data-index': i },
      draw('circle', { r: 15, class: 'calculator-touch' }), draw('circle', { r: 6 }));
      const place = () => {
        const [left, top] = at(this.points[i]);
        dot.setAttribute('transform', `translate(${left} ${top})`);
        dot.setAttribute('aria-valuenow', this.points[i][1]);
        dot.setAttribute('aria-valuetext', `${this.points[i][1]} % of the peak, at ${this.points[i][0]} % of the run`);
        curve.setAttribute('d', lineOf());
      };
      place();
      dot.addEventListener('keydown', (event) => this.keyed(event, i, place));
      dot.addEventListener('pointerdown', (event) => this.dragged(event, i, dot, place));
      return dot;
    });
    return [curve, ...dots];
  }

  /** Move a point within its neighbours; the first and the last stay at the ends of the run. */
  movePoint(i, place, share) {
    const last = this.points.length - 1;
    const clamp = (value, low, high) => Math.round(Math.min(high, Math.max(low, value)));
    if (i > 0 && i < last) this.points[i][0] = clamp(place, this.points[i - 1][0], this.points[i + 1][0]);
    this.points[i][1] = clamp(share, 0, 100);
  }

  keyed(event, i, place) {
    const [at, share] = this.points[i];
    const step = event.shiftKey ? 10 : 1;
    const target = {
      ArrowUp: [at, share + step], ArrowDown: [at, share - step],
      ArrowLeft: [at - step, share], ArrowRight: [at + step, share],
      PageUp: [at, share + 10], PageDown: [at, share - 10], Home: [at, 0], End: [at, 100],
    }[event.key];
    if (!target) return;
    event.preventDefault();
    this.movePoint(i, ...target);
    place();
    this.refresh();
  }

  dragged(event, i, dot, place) {
    event.preventDefault();
    dot.focus();
    const move = ({ clientX, clientY }) => {
      const box = this.frame.svg.getBoundingClientRect();
      const scale = BOX.width / box.width;
      const across = ((clientX - box.left) * scale - BOX.left) / (BOX.right - BOX.left);
      const up = (BOX.bottom - (clientY - box.top) * scale) / (BOX.bottom - BOX.top);
      this.movePoint(i, 100 * across, 105 * up);
      place();
    };
    const drop = () => {
      removeEventListener('pointermove', move);
      this.refresh();
    };
    addEventListener('pointermove', move);
    addEventListener('pointerup', drop, { once: true });
    addEventListener('pointercancel', drop, { once: true });
  }

  showTable() {
    if (this.table.contains(document.activeElement) && document.activeElement.localName === 'input') return;
    const cell = (i, side, label) => make('td', {}, make('input', { type: 'text', inputmode: 'decimal', 'data-point': i,
      'data-side': side, 'aria-label': `Point ${i + 1}, ${label}`, value: this.points[i][side],
      disabled: side === 0 && (i === 0 || i === this.points.length - 1) }));
    this.tableError = make('p', { class: 'calculator-error', role: 'status' });
    this.table.replaceChildren(make('summary', {}, 'The points as a table'), make('table', {},
      make('thead', {}, make('tr', {}, ...['point', '% of the run', '% of the peak'].map((text) =>
        make('th', { scope: 'col' }, text)))),
      make('tbody', {}, ...this.points.map((_, i) => make('tr', {}, make('th', { scope: 'row' }, String(i + 1)),
        cell(i, 0, 'per cent of the run'), cell(i, 1, 'per cent of the peak'))))), this.tableError);
  }

  movedInTable({ value, dataset: { point, side } }) {
    const number = numberIn(value);
    const i = Number(point);
    const [low, high] = side === '1' ? [0, 100] : [this.points[i - 1][0], this.points[i + 1][0]];
    if (number >= low && number <= high) {
      this.points[i][side] = number;
      this.tableError.textContent = '';
    } else {
      this.tableError.textContent = `Point ${i + 1} must have a number from ${low} to ${high} here, got "${value}".`;
    }
  }

  // -------------------------------------------------------------- answers

  answer() {
    const values = this.read();
    this.showShape(values);
    if (!values) {
      this.fail(this.problem);
      return;
    }
    const answer = compute(this.data, values);
    if (answer.error) {
      this.fail(answer.error);
      return;
    }
    if (values.target_rms !== null) answer.inverse = inverse(this.data, values);
    this.show(answer, values, 'page');
    if (globalThis.runLive?.state === 'ready' && this.unanswered !== this.latest) this.askPackage(values);
  }

  fail(text) {
    this.results.replaceChildren();
    this.sentence = `No answer: ${text}.`;
    this.headline.textContent = this.sentence;
    this.speakSoon();
  }

  show(answer, values, source) {
    const best = answer.methods.exact ? 'exact' : 'recursion';
    const end = answer.methods[best].rms;
    const pictures = answer.svg ? [parsed(answer.svg, answer.alt)] : rmsPicture(answer, values.steps);
    this.results.dataset.source = source;
    this.headline.replaceChildren('Weight RMS at the end: ', make('strong', {}, digits(end)), ` (${best})`);
    this.results.replaceChildren(
      make('p', { class: 'calculator-source' }, source === 'package' ? 'Live: computed by the package, every method.'
        : this.provenance(best)),
      make('div', { class: 'calculator-picture' }, ...pictures),
      ...(answer.warnings.length ? [make('ul', { class: 'calculator-warnings', 'aria-label': 'Warnings' },
        ...answer.warnings.map((text) => make('li', {}, text)))] : []),
      ...inverseParts(answer.inverse, best),
      methodTable(answer.methods, best), totalsTable(answer.totals), equilibriumTable(answer.equilibrium));
    this.sentence = `Weight RMS at the end ${digits(end)}, by ${best}${source === 'package' ? ', live' : ''}.`;
    this.speakSoon();
  }

  provenance(best) {
    const factor = best === 'exact' ? ', with a prepared noise factor' : '';
    const how = globalThis.runLive ? 'Run live computes them' : 'Copy as Python, and Python computes them';
    const exact = best === 'exact' ? '' : 'exact (for these betas, or this gradient), ';
    return `Computed by this page in JavaScript${factor}. `
      + `Not computed here: ${exact}integral, ode, closed_form, constant. ${how}.`;
  }

  // -------------------------------------------------------------- live

  watchLive() {
    const live = globalThis.runLive;
    if (!live) return;
    this.liveButton.hidden = live.state === 'ready';
    let before = live.state;
    live.addEventListener('status', ({ detail }) => {
      const now = live.state;
      if (this.asked && detail.text) this.liveStatus.textContent = detail.text;
      this.liveButton.hidden = now === 'ready';
      this.liveButton.disabled = now === 'starting';
      if (now === 'ready' && before !== now) this.answerSoon();
      before = now;
    });
  }

  async goLive() {
    this.asked = true;
    this.liveStatus.textContent = 'Starting Python in this page. The page goes on answering meanwhile.';
    try {
      await globalThis.runLive.boot();
    } catch (error) {
      this.liveStatus.textContent = error.message;
    }
  }

  /** One question at a time; when its answer comes and the settings have changed, only the latest are asked for. */
  async askPackage(values) {
    this.wanted = values;
    if (this.asking) return;
    this.asking = true;
    while (this.wanted) {
      const [sent, number] = [this.wanted, this.latest];
      this.wanted = null;
      this.results.setAttribute('aria-busy', 'true');
      const slow = setTimeout(() => { this.liveStatus.textContent = 'Python is computing every method.'; }, SILENT);
      try {
        const answer = await globalThis.runLive.call('calculators.weight_rms', sent, { timeout: PATIENCE });
        this.liveStatus.textContent = '';
        if (number !== this.latest) continue;
        if (answer.error) this.fail(answer.error);
        else this.show(answer, sent, 'package');
      } catch (error) {
        this.unanswered = number;    // Python may have started anew: do not ask the same again by itself
        if (number === this.latest) this.liveStatus.textContent = `The package gave no answer: ${error.message}`;
      } finally {
        clearTimeout(slow);
      }
    }
    this.results.removeAttribute('aria-busy');
    this.asking = false;
  }

  // -------------------------------------------------------------- address and buttons

  settings() {
    const shown = [...this.inputs.values()].filter(({ field }) => belongs(field, this.kind.value));
    const pairs = [['schedule', this.kind.value], ...shown.map(({ field, input }) => [field.name, input.value.trim()])];
    if (this.adamc.checked) pairs.push(['adamc', 'true']);
    if (this.kind.value === 'drawn') pairs.push(['points', this.points.map((pair) => pair.join('/')).join(';')]);
    return pairs.filter(([, text]) => text !== '');
  }

  address() {
    return `#weight-rms:${this.settings().map(([name, text]) => `${name}=${encodeURIComponent(text)}`).join(',')}`;
  }

  /** Take the values of an address; what does not fit is named, and its default is used. */
  restore(pairs) {
    this.toDefaults();
    const refused = [];
    for (const [name, text, typed] of pairs) {
      if (text === null || !this.take(name, text)) refused.push(`${name}=${text ?? typed}`);
    }
    this.refresh();
    this.status.textContent = refused.length
      ? `The link has what this calculator cannot use; the default stands there instead: ${refused.join(', ')}.` : '';
  }

  take(name, text) {
    if (name === 'schedule') {
      if (!Object.hasOwn(this.data.schedules, text)) return false;
      this.kind.value = text;
    } else if (name === 'adamc') {
      if (text !== 'true' && text !== 'false') return false;
      this.adamc.checked = text === 'true';
    } else if (name === 'points') {
      const points = readPoints(text, this.data.most_points);
      if (!points) return false;
      this.points = points;
    } else {
      const place = this.inputs.get(name);
      if (!place || complaint(place.field, text)) return false;
      place.input.value = text;
    }
    return true;
  }

  toDefaults() {
    this.kind.value = 'cosine';
    this.adamc.checked = false;
    this.points = this.data.points.map((pair) => [...pair]);
    for (const { field, input } of this.inputs.values()) input.value = field.default ?? '';
  }

  reset() {
    this.toDefaults();
    this.status.textContent = '';
    this.refresh();
  }

  async copyLink() {
    const link = location.href.split('#')[0] + this.address();
    this.status.textContent = await copyText(link) ? 'Link copied.' : `Copy this link: ${link}`;
  }

  async copyPython() {
    const text = (name, value) => {
      if (name === 'schedule') return `"${value}"`;
      if (name === 'points') return `[${this.points.map(([place, share]) => `(${place}, ${share})`).join(', ')}]`;
      return name === 'adamc' ? 'True' : value;
    };
    const given = this.settings().map(([name, value]) => `${name}=${text(name, value)}`).join(', ');
    const code = `from derivations.calculators import weight_rms\nweight_rms(${given})`;
    this.status.textContent = await copyText(code) ? 'Copied as Python.' : `Copy this: ${code}`;
  }
}

// ---------------------------------------------------------------- results

function parsed(markup, alt) {
  const template = document.createElement('template');
  template.innerHTML = markup;
  return make('div', { role: 'img', 'aria-label': alt }, template.content);
}

function table(caption, head, rows) {
  const box = make('div', { class: 'calculator-table', tabindex: 0, role: 'region', 'aria-label': caption },
    make('table', { class: head.length > 2 ? 'calculator-wide' : '' },
    make('caption', {}, caption),
    make('thead', {}, make('tr', {}, ...head.map((text) => make('th', { scope: 'col' }, text)))),
    make('tbody', {}, ...rows)));
  return box;
}

function row(first, ...cells) {
  return make('tr', {}, make('th', { scope: 'row' }, first), ...cells.map((cell) => make('td', {}, cell)));
}

function methodTable(methods, best) {
  const rows = Object.entries(methods).map(([name, { rms, difference, error, note }]) => {
    const size = percent(Math.abs(difference));
    const sign = size.startsWith('<') ? '' : difference < 0 ? '−' : '+';
    const off = difference === null || name === best ? '–' : sign + size;
    const line = row(make('code', {}, name), digits(rms), off, error ?? '–', note);
    line.dataset.method = name;
    line.dataset.value = rms;
    return line;
  });
  const head = ['method', 'RMS', `against ${best}`, 'known error of the RMS', 'gives up'];
  return table('The RMS at the end, method by method', head, rows);
}

function totalsTable(totals) {
  const share = totals.of_the_end === null ? '–' : percent(totals.of_the_end);
  const rows = [
    ['total decay κ', plain(totals.kappa)],
    ['sum of squared learning rates ν', plain(totals.nu)],
    ['time scale at the peak, 1 / (2 lr × weight decay)', totals.time_scale === null ? 'infinite: no weight decay'
      : `${Math.round(totals.time_scale)} steps`],
    ['left of the mean square of the start, exp(−2κ)', percent(totals.mean_square_left)],
    ['left of its RMS, exp(−κ)', percent(totals.rms_left)],
    ['share of the start in the mean square at the end', share],
  ];
  return table('What is forgotten', ['quantity', 'value'], rows.map((pair) => row(...pair)));
}

function equilibriumTable(places) {
  const rows = places.map(({ where, step, lr, weight_decay: decay, leading, recursion, exact }) => {
    const why = lr === 0 ? 'rate 0: 0, out of reach' : decay === 0 ? 'no decay: none' : '–';
    return row(`${WHERE[where]}${step ? `, step ${step}` : ''}`, plain(lr), leading === null ? why : digits(leading),
      digits(recursion), digits(exact));
  });
  return table('Equilibrium for constant settings', ['settings', 'learning rate', '√(lr / 2 wd) and mean part',
    'frozen denominator', 'exact'], rows);
}

function inverseParts(found, best) {
  if (!found) return [];
  const parts = [];
  if (found.weight_decay !== null) parts.push(`weight decay ${digits(found.weight_decay)}`);
  if (found.lr !== null) parts.push(`peak learning rate ${digits(found.lr)}`);
  const lines = parts.map((text) => make('li', {}, text)).concat(found.notes.map((text) => make('li', {}, text)));
  const what = ['', ', change this', ', change one of the two'][parts.length];
  return [make('div', { class: 'calculator-inverse' },
    make('p', {}, `To end at RMS ${plain(found.target)} (${best})${what}:`), make('ul', {}, ...lines))];
}

// ---------------------------------------------------------------- start

startCalculator('weight-rms', (root, data) => {
  const calculator = new Calculator(root, data);
  followAddress('weight-rms', root, (pairs) => calculator.restore(pairs), () => calculator.answer());
  calculator.watchLive();
  for (const { field, box } of calculator.inputs.values()) box.hidden = !belongs(field, calculator.kind.value);
});
})();
