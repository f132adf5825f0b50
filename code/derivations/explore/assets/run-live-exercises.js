/* Run live, the exercises of a page: an editor on the stub, and a button that runs the check on the reader's answer.
 *
 * Fetched with the cells when the page has an exercise. The answer runs in a copy of the page's names, after the cells
 * of the page, and leaves them as they are.
 */
import { element, makeEditor, writeOutput } from './run-live-cells.js';

const HELP = 'Ctrl+Enter checks your answer. Tab indents; Escape leaves the editor.';
const TIMEOUT = 30_000;     // ms; a right answer takes less than one second

/** Open the exercises of a page. */
export function open(page) {
  return [...document.querySelectorAll('.try-it')].map((root) => new Exercise(page, root));
}

class Exercise {
  constructor(page, root) {
    this.page = page;
    this.root = root;
    this.title = root.querySelector('.try-it-title').textContent;
    this.printed = root.querySelector('.try-it-stub pre').textContent.replace(/\n$/, '');
    this.tests = root.querySelector('.try-it-check pre').textContent;
    this.mount();
  }

  get edited() {
    return this.editor.value !== this.printed;
  }

  mount() {
    const highlight = this.root.querySelector('.try-it-stub div.highlight');
    highlight.classList.add('run-live-cell');
    this.root.classList.add('try-it-open');
    const place = element('div', { className: 'run-live-editor' });
    this.editor = makeEditor(place, this.printed, `Your answer. ${this.title}. ${HELP}`, () => this.check());
    this.editor.on('update', () => this.mark());
    this.button = element('button', { type: 'button', textContent: 'Check' });
    this.resetButton = element('button', { type: 'button', textContent: 'Reset', disabled: true });
    this.resetButton.setAttribute('aria-label', `Reset your answer. ${this.title}`);
    this.note = element('span', { className: 'run-live-note', textContent: HELP });
    this.note.setAttribute('role', 'status');
    this.button.addEventListener('click', () => (this.running ? this.page.runLive.stop() : this.check()));
    this.resetButton.addEventListener('click', () => this.reset());
    this.output = element('div', { className: 'run-live-output' });
    highlight.append(place, element('div', { className: 'run-live-tools' }, this.button, this.resetButton, this.note));
    highlight.after(this.output);
    this.setRunning(false);
  }

  mark() {
    this.resetButton.disabled = !this.edited;
    this.wrongLine?.classList.remove('run-live-wrong');
    this.wrongLine = null;
    if (!this.running) this.say(this.edited ? 'Changed; not checked yet.' : HELP);
  }

  say(text, verdict = '') {
    this.note.textContent = text;
    this.root.dataset.verdict = verdict;
  }

  setRunning(running) {
    this.running = running;
    this.button.textContent = running ? 'Stop' : 'Check';
    this.button.setAttribute('aria-label', `${running ? 'Stop the check' : 'Check your answer'}. ${this.title}`);
  }

  reset() {
    this.editor.setOptions({ value: this.printed });
    this.output.replaceChildren();
    this.mark();
    this.editor.textarea.focus();       // the button has just been disabled
  }

  async check() {
    if (this.running) return;
    this.setRunning(true);
    const { runLive } = this.page;
    const values = { source: this.editor.value, tests: this.tests };
    try {
      this.say('Waiting for the cells of the page.');
      await runLive.boot();
      await this.page.runAll();
      this.say('Checking.');
      this.show(await runLive.call('explore.checking.check', values, { timeout: TIMEOUT }));
    } catch (error) {
      this.say(error.message);
    } finally {
      this.setRunning(false);
    }
  }

  show({ right, hint, outputs }) {
    this.output.replaceChildren(...outputs.map(writeOutput));
    if (right) this.say('Right.', 'right');
    else if (hint) this.say(`Not yet. Hint: ${hint}`, 'hint');
    else this.complain(outputs.at(-1));
  }

  complain({ name, line }) {
    this.wrongLine = line ? this.editor.lines[line] : null;
    this.wrongLine?.classList.add('run-live-wrong');
    this.say(line ? `${name} in line ${line}: see below.` : `${name}: see below.`, 'error');
  }
}
