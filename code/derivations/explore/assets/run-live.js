/* Run live: Python in the reader's browser, started when the reader asks for it and not before.
 *
 * window.runLive is the one way to that Python. One worker a page (run-live-worker.js), one request at a time. The
 * cells of the page are another file (run-live-cells.js), fetched with the rest.
 */
(() => {
'use strict';

const HERE = new URL('.', document.currentScript.src).href;     // _static/
const SILENCE = 120_000;    // ms without a byte after which the start is given up
const TIMEOUT = 60_000;     // ms for a call, unless its caller says otherwise
const GOES_ON = 'Everything prepared goes on working.';

const SENTENCES = {
  file: 'Python cannot start on a page opened as a file: browsers allow it only on pages that a web server sends. '
    + `Open the book from its site, or run “make serve”. ${GOES_ON}`,
  old: `This browser is too old to run Python (it lacks WebAssembly or workers). ${GOES_ON}`,
  site: `Python could not start: this site does not answer. Is the network there? ${GOES_ON}`,
  cdn: 'Python could not start: its files could not be fetched. The network may be away or may block their address. '
    + 'Press the button to try again. ',
  memory: 'Python could not start: this browser has not enough free memory for it. Close other pages and try again. '
    + GOES_ON,
  died: 'Python has ended: the browser has stopped it, perhaps for lack of memory. What the cells had computed is '
    + `lost. Press the button to start it anew. ${GOES_ON}`,
  stopped: 'Stopped. What the cells had computed is lost; Python starts anew.',
};

class Refusal extends Error {
  constructor(kind, message) {
    super(message);
    this.kind = kind;
  }
}

const megabytes = (bytes) => (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);

// ---------------------------------------------------------------- Python

class RunLive extends EventTarget {
  state = 'idle';       // 'idle' | 'starting' | 'ready' | 'failed'
  bytes = 0;
  memory = 0;
  seconds = 0;
  #worker = null;
  #started = null;
  #queue = [];
  #running = null;
  #fetched = false;     // a package, since the last answer
  #numbers = 0;

  /** Start Python, once a page. The promise fails with an Error whose message is a sentence for the reader. */
  boot() {
    if (!this.#started) {
      this.#started = this.#start();
      this.#started.catch(() => { this.#started = null; });
    }
    return this.#started;
  }

  /** Call derivations.<name> with keyword arguments; fails with {kind: 'timeout' | 'error' | 'stopped', message}. */
  async call(name, values, { timeout = TIMEOUT } = {}) {
    await this.boot();
    const { result, error } = await this.ask('call', { name, values }, { first: true, timeout });
    if (error) throw new Refusal('error', error);
    return result;
  }

  /** Put a question to the worker: kind is 'cell', 'draw' or 'call'. */
  ask(kind, content, { first = false, timeout = 0 } = {}) {
    return new Promise((resolve, reject) => {
      const job = { id: ++this.#numbers, kind, text: JSON.stringify(content), timeout, resolve, reject };
      if (first) this.#queue.unshift(job);
      else this.#queue.push(job);
      this.#next();
    });
  }

  /** Whether a question is being answered, or waits. */
  get busy() {
    return Boolean(this.#running || this.#queue.length);
  }

  /** End whatever runs, and start Python anew. The state of the page's cells is lost. */
  stop(kind = 'stopped', message = SENTENCES.stopped) {
    if (this.state !== 'ready') return;
    this.#end(kind, message);
    this.#tell('starting', message);
    this.#started = null;
    this.boot().catch(() => {});     // the page reads the sentence from the status
  }

  // -------------------------------------------------------------- start

  async #start() {
    try {
      if (location.protocol === 'file:') throw new Refusal('file', SENTENCES.file);
      if (!self.Worker || !self.WebAssembly || !self.TransformStream) throw new Refusal('old', SENTENCES.old);
      this.bytes = 0;
      this.#tell('starting', 'Starting Python');
      const config = await this.#config();
      await this.#startWorker(config);
      this.#watch();
      this.#tell('ready', `Python is ready: ${this.amount()}.`);
      this.#next();
    } catch (error) {
      const sentence = error instanceof Refusal ? error : new Refusal('site', SENTENCES.site);
      this.#end('stopped', sentence.message);
      this.#tell('failed', sentence.message);
      throw sentence;
    }
  }

  /** What has been fetched and what is held, in words. */
  amount() {
    return `${megabytes(this.bytes)} MB fetched, ${Math.round(this.memory / 1e6)} MB of memory`;
  }

  async #config() {
    const response = await fetch(`${HERE}live/config.json`);
    if (!response.ok) throw new Refusal('site', SENTENCES.site);
    const { pyodide, wheels } = await response.json();
    const first = ['derivations'];
    const code = [...document.querySelectorAll('div.cell_input pre, [data-run-live-needs]')];
    const text = code.map((part) => part.dataset.runLiveNeeds ?? part.textContent).join('\n');
    // Fetched with the rest, since the page needs them at once; the other packages come when something imports them.
    if (/\bsympy\b|derivations\.riemann/.test(text)) first.push('mpmath', 'sympy');
    return { base: new URL(pyodide, new URL('..', HERE)).href, site: `${HERE}live/`, wheels, first };
  }

  #startWorker(config) {
    const worker = new Worker(`${HERE}run-live-worker.js`);
    this.#worker = worker;
    const lock = `derivations-${Math.random()}`;
    return new Promise((resolve, reject) => {
      const blocked = () => new Refusal('cdn', `${SENTENCES.cdn}${GOES_ON} (${config.base})`);
      let patience = 0;
      const wait = () => {
        clearTimeout(patience);
        patience = setTimeout(() => reject(blocked()), SILENCE);
      };
      wait();
      worker.onerror = (event) => {
        event.preventDefault();
        reject(blocked());
      };
      worker.onmessage = ({ data }) => {
        if (worker !== this.#worker) return;
        this.bytes = data.bytes ?? this.bytes;
        this.memory = data.memory ?? this.memory;
        if (data.kind === 'progress') {
          if (this.state === 'starting') wait();
          this.#fetched = this.state === 'ready';
          this.#tell(this.state, data.text);
        } else if (data.kind === 'ready') {
          clearTimeout(patience);
          this.seconds = data.seconds;
          this.lock = lock;
          resolve();
        } else if (data.kind === 'failed') {
          clearTimeout(patience);
          const noMemory = /out of memory|memory access|allocat/i.test(data.message);
          reject(noMemory ? new Refusal('memory', SENTENCES.memory) : blocked());
        } else {
          this.#answer(data);
        }
      };
      worker.postMessage({ kind: 'boot', lock, ...config });
    });
  }

  /** A worker that the browser ends says nothing. But the lock that it held comes free. */
  #watch() {
    const worker = this.#worker;
    worker.onerror = (event) => {
      event.preventDefault();
      this.#died(worker);
    };
    navigator.locks?.request(this.lock, () => this.#died(worker));
  }

  #died(worker) {
    if (worker !== this.#worker) return;
    this.#end('stopped', SENTENCES.died);
    this.#started = null;
    this.#tell('failed', SENTENCES.died);
  }

  #end(kind, message) {
    this.#worker?.terminate();
    this.#worker = null;
    const jobs = [this.#running, ...this.#queue].filter(Boolean);
    clearTimeout(this.#running?.timer);
    this.#running = null;
    this.#queue = [];
    if (this.state === 'ready') this.dispatchEvent(new CustomEvent('lost', { detail: { kind, message } }));
    for (const job of jobs) job.reject(new Refusal(kind, message));
  }

  #tell(state, text) {
    this.state = state;
    this.dispatchEvent(new CustomEvent('status', { detail: { state, text, bytes: this.bytes } }));
  }

  // -------------------------------------------------------------- one request at a time

  #next() {
    if (this.#running || this.state !== 'ready' || !this.#queue.length) return;
    const job = this.#running = this.#queue.shift();
    const { id, kind, text, timeout } = job;
    if (timeout) {
      const sentence = `This took longer than ${timeout / 1000} seconds and was stopped. `
        + 'Python starts anew; what the cells had computed is lost.';
      job.timer = setTimeout(() => this.stop('timeout', sentence), timeout);
    }
    this.#worker.postMessage({ id, kind, text });
  }

  #answer({ kind, id, text, message }) {
    const job = this.#running;
    if (job?.id !== id) return;
    clearTimeout(job.timer);
    this.#running = null;
    // What was fetched meanwhile is there: its words must not stay.
    if (this.#fetched && kind !== 'fatal') this.#tell('ready', `Python is ready: ${this.amount()}.`);
    this.#fetched = false;
    if (kind === 'fatal') {
      const sentence = `Python itself has broken (${message.split('\n')[0]}) and starts anew; `
        + 'what the cells had computed is lost.';
      job.reject(new Refusal('stopped', sentence));
      this.stop('stopped', sentence);
      return;
    }
    job.resolve(JSON.parse(text));
    this.#next();
  }
}

const runLive = window.runLive = new RunLive();
runLive.here = HERE;

// ---------------------------------------------------------------- the button of the page

const hasCells = () => location.protocol !== 'file:' && Boolean(document.querySelector('div.cell_input'));

class Bar {
  constructor(root) {
    this.root = root;
    this.button = root.querySelector('[data-action="run-live"]');
    this.stopper = root.querySelector('[data-action="stop"]');
    this.status = root.querySelector('[role="status"]');
    this.button.addEventListener('click', () => this.press());
    this.stopper.addEventListener('click', () => runLive.stop());
    runLive.addEventListener('status', ({ detail }) => this.show(detail));
  }

  show({ state, text, bytes }) {
    const fetched = state === 'starting' && bytes ? ` (${megabytes(bytes)} MB)` : '';
    // A form may have started Python: the cells are still as printed, and wait for this button.
    const waiting = state === 'ready' && hasCells() && !this.page;
    this.status.textContent = text + fetched + (waiting ? ' “Run live” opens the cells of this page, too.' : '');
    this.root.dataset.state = state;
    this.button.hidden = state === 'ready' && !waiting && !this.root.dataset.again;
    this.button.disabled = state === 'starting';
  }

  async press() {
    try {
      const [cells] = await Promise.all([this.cells(), runLive.boot()]);
      this.button.hidden = runLive.state === 'ready' && !this.root.dataset.again;
      await cells?.runAll();
    } catch {
      // The sentence stands in the status line already.
    }
  }

  /** The page's cells; a page without code has none. */
  async cells() {
    if (!hasCells()) return null;
    this.page ??= import(`${HERE}run-live-cells.js`).then((module) => module.open(runLive, this));
    this.page.catch(() => { this.page = null; });
    return this.page;
  }

  say(text) {
    this.status.textContent = text;
  }
}

function start() {
  const root = document.querySelector('[data-run-live]');
  if (root) new Bar(root);
}

if (document.readyState === 'complete') start();
else document.addEventListener('DOMContentLoaded', start);
})();
