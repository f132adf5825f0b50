/* MathML of a formula in TeX: by Temml, with the spacing of TeX and with places where a line may break.
 *
 * Runs where the book is built (maths.py) and in the browser (maths.js): what is typeset later looks the same.
 */
(() => {
'use strict';

const OPEN = '([{⟨⌊⌈';
const CLOSE = ')]}⟩⌋⌉';
const BREAK_AFTER = new Set([...'=≠≈≤≥<>≪≫∼≃≡∝→←↔↦⇒⇔∈+−±∓×,;']);
const LOW = 'acegmnopqrsuvwxyzαγεηικμνπρστυχω';      // letters without an upper part
const DOTS = { '…': '0em', '⋯': '0.1667em' };     // MathML's own rules set them as wide as a relation
const SCRIPTS = new Set(['msub', 'msup', 'msubsup', 'munder', 'mover', 'munderover', 'mmultiscripts']);

/** The character of an operator, else nothing. */
function operator({ type, children }) {
  return type === 'mo' && children.length === 1 ? children[0].text : undefined;
}

/** In scripts, and in what is as small, TeX sets no space around operators; MathML's own rules would. */
function tighten(node, small, display) {
  const { type, children, attributes } = node;
  if (type === 'mo' && small) {
    attributes.lspace ??= '0em';
    attributes.rspace ??= '0em';
  } else if (type === 'mo' && operator(node) in DOTS) {
    attributes.lspace = DOTS[operator(node)];
    attributes.rspace = attributes.lspace;
  } else if (type === 'mfrac') {
    for (const child of children) tighten(child, small || !display, false);
  } else if (SCRIPTS.has(type)) {
    children.forEach((child, i) => tighten(child, small || i > 0, display && i === 0));
  } else if (children) {
    if (attributes?.displaystyle) display = attributes.displaystyle === 'true';
    else if (type === 'mtable') display = false;
    if (attributes?.scriptlevel) small = Number(attributes.scriptlevel) > 0;
    for (const child of children) tighten(child, small, display);
  }
}

/** An accent does not lift the index above its letter: the index stands as beside the bare letter. */
function lower(node) {
  const base = node.children?.[0];
  if ((node.type === 'msup' || node.type === 'msubsup') && base.type === 'mover' && base.children[0].type === 'mi') {
    const padded = new node.constructor('mpadded', [base]);
    padded.attributes.height = LOW.includes(base.children[0].children[0].text) ? '0.6em' : '0.8em';
    node.children[0] = padded;
  }
  for (const child of node.children ?? []) lower(child);
}

/** A line of a chain that begins with a sign: TeX sets it as between two terms, as which it stands. */
function space(node) {
  if (node.type === 'mtd' && node.classes.includes('tml-left')) {
    const first = node.children[0]?.type === 'mrow' ? node.children[0].children[0] : node.children[0];
    if (first && '+−±∓'.includes(operator(first) ?? ' ')) first.attributes.form = 'infix';
  }
  for (const child of node.children ?? []) space(child);
}

/** Whether what follows a node can be an operator between two things. */
function isOperand(node) {
  const sign = operator(node);
  return sign === undefined || `${CLOSE}!…⋯`.includes(sign);
}

/** Parts of a row, each to the end of a relation, a sum or a list that stands outside of brackets. */
function parts(row) {
  const found = [[]];
  let depth = 0;
  row.forEach((node, i) => {
    const sign = operator(node);
    found.at(-1).push(node);
    if (sign && OPEN.includes(sign)) depth++;
    if (sign && CLOSE.includes(sign)) depth--;
    // A sign at either end, or right after another one, is no place to part.
    const between = i > 0 && i < row.length - 1 && node.attributes?.form !== 'prefix' && isOperand(row[i - 1]);
    if (depth === 0 && between && BREAK_AFTER.has(sign)) {
      node.attributes.form = 'infix';     // though it stands at the end of its part
      found.push([]);
    }
  });
  return found;
}

/** Give a formula within a line one row a part: the style sheet lets them stand below each other. */
function allowBreaks(math) {
  const row = math.children[0].type ? math.children[0] : math.children[0].children[0];
  if (row?.type !== 'mrow') return;
  const found = parts(row.children);
  if (found.length === 1) return;
  const MathNode = math.constructor;
  math.children = found.map((nodes) => new MathNode('mrow', nodes));
  math.classes.push('breaks');
}

globalThis.texToMathml = (tex, display) => {
  // Temml would read "0,1" as one number.
  const source = tex.replace(/(\d),(?=\d)/g, '$1, ');
  // Of Temml's functions, the one whose result can still be changed; the version is pinned.
  const math = temml.__renderToMathMLTree(source, { displayMode: display, throwOnError: true });
  tighten(math, false, display);
  space(math);
  lower(math);
  if (!display) allowBreaks(math);
  return math.toMarkup();
};
})();
