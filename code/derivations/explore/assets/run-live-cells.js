/* Run live, the cells of a page: an editor in the place of each code cell, what it shows below it, live figures.
 *
 * Fetched when the reader has pressed "Run live". The cells run in the order of the page, each once; a cell that the
 * reader runs goes first, after those above it.
 */
const EDITOR = 'vendor/prism-code-editor/';
const HELP = 'Ctrl+Enter runs the cell. Tab indents; Escape leaves the cell.';

let editor = null;      // the modules of the editor

/** Open the page's cells: fetch the editor and put it into each cell. */
export async function open(runLive, bar) {
  editor ??= await loadEditor(runLive.here);
  const exercises = document.querySelector('.try-it') && await import('./run-live-exercises.js');
  const page = new Page(runLive, bar);
  page.exercises = exercises?.open(page) ?? [];
  return page;
}

async function loadEditor(here) {
  const [main, commands] = await Promise.all([
    import(`${here}${EDITOR}index.js`), import(`${here}${EDITOR}extensions/commands/index.js`),
    import(`${here}${EDITOR}prism/languages/python.js`), import(`${here}${EDITOR}languages/python.js`),
    loadStyle(`${here}${EDITOR}layout.css`),
  ]);
  return { ...main, ...commands };
}

function loadStyle(address) {
  return new Promise((resolve, reject) => {
    const link = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: address });
    link.onload = resolve;
    link.onerror = reject;
    document.head.prepend(link);    // before the book's own, which has the last word
  });
}

/** An editor for Python, put into a place; Ctrl+Enter there calls run. */
export function makeEditor(place, value, label, run) {
  const made = editor.createEditor(place, {
    value, language: 'python', tabSize: 4, lineNumbers: true,
  }, editor.defaultCommands([], /(?!)/), editor.editHistory());
  const { textarea } = made;
  textarea.setAttribute('aria-label', label);
  // Before the editor's own commands, for which Ctrl+Enter is a new line.
  textarea.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    run();
  }, { capture: true });
  return made;
}

export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// ---------------------------------------------------------------- outputs

/** Write what a cell has shown. HTML comes from the course's own package only; all else is text. */
export function writeOutput(output) {
  const scrolling = (className, label, ...children) => {
    const box = element('pre', { className, tabIndex: 0 }, ...children);
    box.setAttribute('role', 'region');
    box.setAttribute('aria-label', label);
    return box;
  };
  switch (output.kind) {
    case 'stdout': return scrolling('run-live-text', 'Printed by the cell', output.text);
    case 'stderr': return scrolling('run-live-text run-live-warning', 'Warnings of the cell', output.text);
    case 'text': return scrolling('run-live-text', 'Result of the cell', output.text);
    case 'error': return scrolling('run-live-text run-live-error', 'Error of the cell', output.text);
    case 'latex': return writeMaths(output);
    case 'png': return element('img', { src: `data:image/png;base64,${output.data}`, alt: 'Figure of the cell' });
    default: return Object.assign(element('div', { className: 'text_html' }), { innerHTML: output.html });
  }
}

function writeMaths({ text, plain }) {
  const tex = text.trim().replace(/^\$+|\$+$/g, '').replace(/^\\displaystyle/, '');
  const box = element('div', { className: 'math notranslate nohighlight', title: plain }, `\\[${tex}\\]`);
  box.tabIndex = 0;
  return box;
}

// ---------------------------------------------------------------- one cell

class Cell {
  constructor(page, root, number) {
    this.page = page;
    this.root = root;
    this.number = number;
    this.printed = root.querySelector('.cell_input pre').textContent.replace(/\n$/, '');
    this.source = this.printed;         // what ran last without an error
    this.printedOutput = root.querySelector('.cell_output');
    this.output = this.printedOutput;
    this.done = false;
    this.mount();
  }

  get edited() {
    return this.editor.value !== this.printed;
  }

  mount() {
    const highlight = this.root.querySelector('.cell_input div.highlight');
    highlight.classList.add('run-live-cell');
    this.place = element('div', { className: 'run-live-editor' });
    const label = `Code of cell ${this.number}. ${HELP}`;
    this.editor = makeEditor(this.place, this.printed, label, () => this.page.runCell(this));
    this.editor.on('update', () => this.mark());
    this.button = element('button', { type: 'button', textContent: 'Run' });
    this.resetButton = element('button', { type: 'button', textContent: 'Reset', disabled: true });
    this.note = element('span', { className: 'run-live-note', textContent: HELP });
    this.note.setAttribute('role', 'status');
    this.button.setAttribute('aria-label', `Run cell ${this.number}`);
    this.resetButton.setAttribute('aria-label', `Reset cell ${this.number} to the printed code`);
    this.button.addEventListener('click', () => (this.running ? this.page.runLive.stop() : this.page.runCell(this)));
    this.resetButton.addEventListener('click', () => this.reset());
    this.tools = element('div', { className: 'run-live-tools' }, this.button, this.resetButton, this.note);
    highlight.append(this.place, this.tools);
  }

  /** Show the state of the code: as printed, or changed and not run yet. */
  mark() {
    this.resetButton.disabled = !this.edited;
    this.wrongLine?.classList.remove('run-live-wrong');
    this.wrongLine = null;
    if (!this.running) this.note.textContent = this.editor.value === this.source ? HELP : 'Changed; not run yet.';
  }

  setRunning(running) {
    this.running = running;
    this.root.classList.toggle('run-live-running', running);
    this.button.textContent = running ? 'Stop' : 'Run';
    this.button.setAttribute('aria-label', `${running ? 'Stop' : 'Run'} cell ${this.number}`);
  }

  reset() {
    this.editor.setOptions({ value: this.printed });
    this.mark();
    this.page.runCell(this);
  }

  /** Run a source; what it shows replaces what stands below the cell, unless it is the printed one. */
  async run(source, keepPrinted) {
    this.setRunning(true);
    this.note.textContent = 'Running.';
    const began = performance.now();
    try {
      const result = await this.page.runLive.ask('cell', { number: this.number, source });
      this.done = result.ok;
      this.failed = !result.ok;
      if (result.ok) this.source = source;
      if (keepPrinted && result.ok) await this.putOutput(this.printedOutput);
      else await this.show(result.outputs);
      this.page.bindFigures(result, keepPrinted && result.ok);
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      this.note.textContent = result.ok ? `Run in ${seconds} s.` : this.complaint(result.outputs);
      return result.ok;
    } catch (error) {
      this.note.textContent = error.message;
      throw error;
    } finally {
      this.setRunning(false);
    }
  }

  complaint(outputs) {
    const { name, line } = outputs.find(({ kind }) => kind === 'error') ?? {};
    this.wrongLine = line ? this.editor.lines[line] : null;
    this.wrongLine?.classList.add('run-live-wrong');
    return line ? `${name} in line ${line}: see below the cell.` : `${name}: see below the cell.`;
  }

  /** Let an output stand below the cell, its figures ready to answer. */
  async putOutput(output) {
    if (this.output === output) return;
    if (this.output && output) this.output.replaceWith(output);
    else if (output) this.root.append(output);
    else this.output?.remove();
    this.output = output;
    const figures = [...output?.querySelectorAll('[data-live-figure]') ?? []];
    await Promise.all(figures.map((root) => window.liveFigures.adopt(root)));
  }

  async show(outputs) {
    if (!outputs.length) {
      await this.putOutput(null);
      return;
    }
    const box = element('div', { className: 'cell_output docutils container run-live-output' });
    box.append(...outputs.map(writeOutput));
    await this.putOutput(box);
    window.typesetMaths?.(box);
  }
}

// ---------------------------------------------------------------- all cells

class Page {
  constructor(runLive, bar) {
    this.runLive = runLive;
    this.bar = bar;
    bar.root.dataset.cells = 'yes';
    const roots = [...document.querySelectorAll('div.cell')].filter((root) => root.querySelector('.cell_input pre'));
    this.cells = roots.map((root, i) => new Cell(this, root, i + 1));
    this.wanted = [];       // cells that the reader wants to run, in the order of the presses
    this.working = null;
    runLive.addEventListener('lost', () => this.lose());
    runLive.addEventListener('status', ({ detail }) => this.remind(detail));
    addEventListener('beforeunload', (event) => {
      if ([...this.cells, ...this.exercises].some((cell) => cell.edited)) event.preventDefault();
    });
  }

  /** Run every cell that has not run yet, in order. */
  runAll() {
    this.all = true;
    return this.work();
  }

  /** Run one cell as it stands now, after those above it. */
  async runCell(cell) {
    if (cell.running || this.wanted.includes(cell)) return;
    this.wanted.push(cell);
    cell.note.textContent = 'Waiting for the cells above.';
    try {
      await this.runLive.boot();
      await this.work();
    } catch (error) {
      this.wanted = this.wanted.filter((other) => other !== cell);
      cell.note.textContent = error.message;
    }
  }

  work() {
    this.bar.stopper.hidden = false;
    this.working ??= this.loop().finally(() => {
      this.working = null;
      this.bar.stopper.hidden = true;
    });
    return this.working;
  }

  async loop() {
    for (let task = this.next(); task; task = this.next()) {
      const { cell, asked } = task;
      if (asked) this.wanted = this.wanted.filter((other) => other !== cell);
      this.progress(cell);
      const source = asked ? cell.editor.value : cell.source;
      this.changed ||= source !== cell.printed;     // until Python starts anew
      const keep = source === cell.printed && !this.changed;
      if (!await cell.run(source, keep) && !asked) {
        this.halt(cell);
        return;
      }
    }
    this.finish();
  }

  /** The cell to run now: one that the reader wants, or the first above it that has not run; else the first at all. */
  next() {
    const wanted = this.wanted[0];
    const last = wanted ? this.cells.indexOf(wanted) : this.all ? this.cells.length : -1;
    const above = this.cells.slice(0, Math.max(last, 0)).find((cell) => !cell.done && !cell.failed);
    if (above) return { cell: above, asked: this.wanted.includes(above) };
    return wanted ? { cell: wanted, asked: true } : null;
  }

  progress(cell) {
    if (!this.all) return;
    this.bar.say(`Running the cells of this page: ${cell.number} of ${this.cells.length}.`);
  }

  finish() {
    if (!this.all) return;
    this.all = false;
    delete this.bar.root.dataset.again;
    this.bar.button.hidden = true;
    this.bar.say(`Live: sliders are continuous, cells can be changed and run (${this.runLive.amount()}).`);
  }

  halt(cell) {
    this.all = false;
    for (const other of this.wanted) other.note.textContent = `Not run: cell ${cell.number} above it has an error.`;
    this.wanted = [];
    this.bar.say(`Cell ${cell.number} has an error; the cells below it have not run.`);
  }

  // -------------------------------------------------------------- figures

  /** Let the figures that a cell has made answer live. */
  bindFigures({ figures }, asPrinted) {
    for (const { name, scales } of figures) {
      window.liveFigures?.get(name)?.goLive(this.answers(scales));
    }
    // From the first change on, prepared frames may show what the code no longer says.
    if (!asPrinted && this.changed) window.liveFigures?.forEach((figure) => figure.distrust());
  }

  answers(scales) {
    return { scales, draw: (name, positions) => this.runLive.ask('draw', { name, positions }, { first: true }) };
  }

  // -------------------------------------------------------------- lost state

  lose() {
    this.all = false;
    this.wanted = [];
    this.changed = false;
    for (const cell of this.cells) {
      cell.done = false;
      cell.failed = false;
    }
    window.liveFigures?.forEach((figure) => figure.leaveLive());
    this.bar.root.dataset.again = 'yes';
    this.bar.button.textContent = 'Run all cells';
    this.lost = true;
  }

  remind({ state }) {
    if (state !== 'ready' || !this.lost) return;
    this.lost = false;
    this.bar.say('Python is ready again, but what the cells had computed is lost. '
      + 'Running a cell runs those above it first; “Run all cells” runs the whole page.');
  }
}
