"""Write every executed chapter as a runnable ``.ipynb`` file that reads well outside the book.

What has no Markdown here is a warning, which stops a strict build: nothing of a page is lost without a word.

The text is taken from the resolved doctree, the same tree that the site is written from: so numbers, references and
glued values agree with the page. Boxes, proofs and exercises become plain Markdown, equation numbers ``\\tag``,
solutions ``<details>``. Cells carry no outputs: whoever opens the notebook runs it, and the sliders are ipywidgets.

``python -m derivations.book.notebooks FROM TO`` copies built notebooks to a working folder and leaves alone those that
were edited there.
"""
import hashlib
import html
import json
import os
import posixpath
import re
import shutil
import sys
from pathlib import Path

import nbformat
from docutils import nodes
from jupyter_cache.readers import get_reader
from sphinx import addnodes
from sphinx.util import logging

from .execution import READER
from .exercises import checking_cell, is_exercise, parts

logger = logging.getLogger(__name__)

FOLDER = "notebooks"
"""Folder of the notebooks below the site's root."""

_ADMONITIONS = {
    nodes.note: "Note", nodes.tip: "Tip", nodes.hint: "Hint", nodes.warning: "Warning", nodes.important: "Important",
    nodes.caution: "Caution", nodes.danger: "Danger", nodes.attention: "Attention", nodes.error: "Error",
    addnodes.seealso: "See also",
}
_INVISIBLE = (nodes.target, nodes.comment, nodes.substitution_definition, addnodes.index, addnodes.toctree,
              nodes.system_message, nodes.pending, nodes.meta)


_TRANSPARENT = (nodes.inline, nodes.generated, nodes.abbreviation, nodes.title_reference, nodes.paragraph,
                addnodes.pending_xref)


def _escape(text):
    """Escape what Markdown would take for markup in running text."""
    return re.sub(r"([\\*_$<`~\[\]])", r"\\\1", text)


def _escape_start(text):
    """Escape what Markdown would take for the mark of a heading, a list or a quote at the start of a block."""
    return re.sub(r"^([#>+-]|\d+(?=[.)]))(?=\s|[.)]|#)", lambda match: (
        match[0] + "\\" if match[0].isdigit() else "\\" + match[0]), text)


class Translator:
    """Turn one resolved doctree into the cells of a notebook.

    Parameters
    ----------
    app : sphinx.application.Sphinx
        The running build.
    docname : str
        Name of the document.
    chapters : set of str
        Names of the documents that become notebooks: links between them stay links between notebooks.
    """

    def __init__(self, app, docname, chapters):
        self.app, self.docname, self.chapters = app, docname, chapters
        self.cells, self.pieces, self.in_table = [], [], False

    def notebook(self, doctree):
        """Return the notebook of the document.

        Parameters
        ----------
        doctree : docutils.nodes.document

        Returns
        -------
        nbformat.NotebookNode
        """
        self._top(doctree, level=0)
        self._flush()
        for number, cell in enumerate(self.cells):
            cell["id"] = f"cell-{number}"  # fixed, so that the same chapter gives the same file
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        return nbformat.v4.new_notebook(cells=self.cells, metadata={"kernelspec": kernel})

    def _flush(self):
        text = "\n\n".join(piece for piece in self.pieces if piece.strip())
        if text:
            self.cells.append(nbformat.v4.new_markdown_cell(text))
        self.pieces = []

    def _top(self, parent, level):
        """Walk sections; a section begins a new cell, so that the notebook can be folded by headings."""
        for node in parent.children:
            if isinstance(node, nodes.section):
                self._flush()
                self._top(node, level + 1)
            elif isinstance(node, nodes.title):
                self.pieces.append("#" * level + " " + self.inline(node))
            elif _is_cell(node):
                self._flush()
                self._code(node)
            elif is_exercise(node):
                self._exercise(node)
            elif isinstance(node, nodes.Admonition) and any(map(_is_cell, node.findall(nodes.container))):
                self._open_box(node)
            else:
                self.pieces.append(self.block(node))

    def _open_box(self, node):
        """A box that holds code cells, which can be neither quoted nor folded: its parts in a row below its heading."""
        self.pieces.append(f"**{self._heading(node)}**")
        for child in node.children:
            if isinstance(child, nodes.section):
                self._top(child, level=6)
            elif not isinstance(child, nodes.title):
                self.pieces.append(self.block(child))
        self._flush()

    def _code(self, node):
        """A code cell. Its source is searched for, not the first child: folded, it stands in a node of its own."""
        inputs = [part for part in node.findall(nodes.Element) if part.get("nb_element") == "cell_code_source"]
        if not inputs:
            logger.warning("the notebook would lack the source of a cell that the page does not show", location=node)
            return
        self.cells.append(nbformat.v4.new_code_cell(inputs[0].astext()))

    def _exercise(self, node):
        """An exercise with a check: its text, and a cell each for the stub and the check."""
        title, text, stub, check = parts(node)
        self.pieces += [f"**{self.inline(title)}**", *map(self.block, text)]
        self._flush()
        for source in (stub, checking_cell(check)):
            self.cells.append(nbformat.v4.new_code_cell(source, metadata={"try_it": node["try_it"]}))

    # ---- blocks

    def blocks(self, parent):
        """Markdown of all children of a block."""
        return "\n\n".join(text for text in map(self.block, parent.children) if text.strip())

    def block(self, node):
        """Markdown of one block, without a final line end."""
        if isinstance(node, _INVISIBLE):
            return ""
        if isinstance(node, (nodes.paragraph, nodes.rubric, nodes.attribution)):
            return _escape_start(self.inline(node))
        if isinstance(node, nodes.math_block):
            return self._equation(node)
        if isinstance(node, (nodes.bullet_list, nodes.enumerated_list)):
            return self._list(node)
        if isinstance(node, nodes.definition_list):
            return "\n\n".join(map(self._definition, node.children))
        if isinstance(node, nodes.literal_block):
            fence = "`" * max(3, 1 + _longest_run(node.astext()))
            return f"{fence}{node.get('language', '')}\n{node.astext()}\n{fence}"
        if isinstance(node, nodes.block_quote):
            return _quote(self.blocks(node))
        if isinstance(node, nodes.table):
            return self._table(node)
        if isinstance(node, nodes.transition):
            return "---"
        if isinstance(node, (nodes.citation, nodes.footnote)):
            # bibtex puts label and text in twice
            texts = dict.fromkeys(self.inline(child) for child in node.children if isinstance(child, nodes.paragraph))
            return f"- [{node.next_node(nodes.label).astext()}] " + " ".join(texts)
        if isinstance(node, nodes.raw):
            return "" if "<script" in node.astext() or node["format"] != "html" else node.astext()
        if isinstance(node, (nodes.container, nodes.compound, nodes.section, addnodes.glossary)) \
                or type(node).__name__ == "proof_node":  # sphinx-proof wraps a proof's box once more
            return self.blocks(node)
        if isinstance(node, nodes.Admonition):
            return self._box(node)
        logger.warning("the notebook export has no Markdown for a %s", type(node).__name__, location=node)
        return ""

    def _equation(self, node):
        # As Sphinx writes it on the page: blank lines part the rows of an alignment.
        parts = [part.strip() for part in re.split(r"\n\s*\n", node.astext()) if part.strip()]
        if not node["nowrap"]:
            parts = [r"\begin{split}" + part + r"\end{split}" if r"\\" in part else part for part in parts]
        text = parts[0] if len(parts) == 1 else r"\begin{aligned}" + r" \\ ".join(parts) + r"\end{aligned}"
        number = self._number(node, "displaymath") if node.get("number") else ""
        tag = rf" \tag{{{number}}}" if number else ""
        return f"$$\n{text}{tag}\n$$"

    def _number(self, node, kind):
        """Number as on the site (1.3), or the plain count where chapters are not numbered."""
        numbers = self.app.env.toc_fignumbers.get(self.docname, {}).get(kind, {})
        found = next((numbers[name] for name in node["ids"] if name in numbers), None)
        return ".".join(map(str, found)) if found else str(node.get("number", ""))

    def _list(self, node):
        numbered = isinstance(node, nodes.enumerated_list)
        lines = []
        for count, item in enumerate(node.children, node.get("start", 1)):
            mark = f"{count}. " if numbered else "- "
            body = self.blocks(item).replace("\n", "\n" + " " * len(mark))
            lines.append(mark + body)
        return "\n".join(lines)

    def _definition(self, item):
        """Terms of a definition list, and all that is said of them."""
        terms = [f"**{self.inline(child)}**" for child in item.children if isinstance(child, nodes.term)]
        texts = [self.blocks(child) for child in item.children if isinstance(child, nodes.definition)]
        return ", ".join(terms) + ": " + "\n\n".join(texts)

    def _table(self, node):
        self.in_table = True
        rows = [[self.inline(entry) for entry in row.children] for row in node.findall(nodes.row)]
        self.in_table = False
        title = [self.inline(child) + "\n" for child in node.children if isinstance(child, nodes.title)]
        rule = ["---"] * len(rows[0])
        return "\n".join(title + ["| " + " | ".join(row) + " |" for row in [rows[0], rule, *rows[1:]]])

    def _box(self, node):
        """Admonitions, theorems, proofs, exercises and solutions."""
        heading = self._heading(node)
        body = "\n\n".join(text for child in node.children
                           if not isinstance(child, nodes.title) and (text := self.block(child)))
        if "dropdown" in node["classes"]:
            summary = html.escape(_unescape(heading), quote=False)
            return f"<details>\n<summary>{summary}</summary>\n\n{body}\n\n</details>"
        return _quote(f"**{heading}**\n\n{body}" if heading else body)

    def _heading(self, node):
        """Heading of a box, with the number that it has on the page."""
        title = next((child for child in node.children if isinstance(child, nodes.title)), None)
        heading = self.inline(title).strip() if title is not None else _ADMONITIONS.get(type(node), "")
        kind = node.get("countertype")
        if kind:
            heading = f"{node['realtype'].title()} {self._number(node, kind)} {heading}".strip()
        elif node.get("type") == "exercise":
            number = self._number(node, "exercise") or node["serial_number"]
            heading = f"Exercise {number} {heading}".strip()
        return heading

    # ---- running text

    def inline(self, parent):
        """Markdown of a node's running text."""
        return "".join(map(self._span, parent.children)).strip() if parent.children else _escape(parent.astext())

    def _span(self, node):
        if isinstance(node, nodes.Text):
            text = _escape(node.astext()).replace("\n", " ")
            return text.replace("|", r"\|") if self.in_table else text
        if isinstance(node, nodes.math):
            return f"${self._cell_maths(node.astext())}$"
        if isinstance(node, nodes.literal):
            text = node.astext().replace("|", r"\|") if self.in_table else node.astext()
            fence = "`" * (1 + _longest_run(text))
            return f"{fence}{text}{fence}" if len(fence) == 1 else f"{fence} {text} {fence}"
        if isinstance(node, nodes.emphasis):
            return f"*{self.inline(node)}*"
        if isinstance(node, nodes.strong):
            return f"**{self.inline(node)}**"
        if isinstance(node, nodes.superscript):
            return f"<sup>{self.inline(node)}</sup>"
        if isinstance(node, nodes.subscript):
            return f"<sub>{self.inline(node)}</sub>"
        if isinstance(node, (nodes.reference, addnodes.number_reference)):
            return self._link(node)
        if isinstance(node, nodes.footnote_reference):
            return f"[{node.astext()}]"
        if isinstance(node, (nodes.target, addnodes.index, nodes.label)):
            return ""
        if isinstance(node, nodes.raw):
            return node.astext() if node["format"] == "html" else ""
        if isinstance(node, _TRANSPARENT):
            end = " " if isinstance(node, nodes.paragraph) else ""  # a paragraph here is one of a table's entry
            return "".join(map(self._span, node.children)) + end
        logger.warning("the notebook export has no Markdown for a %s", type(node).__name__, location=node)
        return ""

    def _cell_maths(self, tex):
        """In a table a bar would end the cell, in maths too."""
        return tex.replace(r"\|", r"\Vert ").replace("|", r"\vert ") if self.in_table else tex

    def _link(self, node):
        """A link: outside the book as it is, to another chapter's notebook, or plain text inside this one."""
        text = "".join(map(self._span, node.children))
        target = node.get("refuri", "")
        if re.match(r"(https?|mailto):", target):
            return f"[{text}]({target})"
        page = target.partition("#")[0].removesuffix(".html")
        docname = posixpath.normpath(posixpath.join(posixpath.dirname(self.docname), page)) if page else self.docname
        if docname in self.chapters and docname != self.docname:
            return f"[{text}]({posixpath.relpath(docname, posixpath.dirname(self.docname))}.ipynb)"
        return text


def _is_cell(node):
    return isinstance(node, nodes.container) and node.get("nb_element") == "cell_code"


def _longest_run(text):
    """Length of the longest run of backticks."""
    return max(map(len, re.findall("`+", text)), default=0)


def _quote(text):
    # JupyterLab takes maths out before it reads the quote, with the marks of the lines in between: one line, then.
    text = re.sub(r"\$\$\n(.*?)\n\s*\$\$", lambda match: f"$$ {' '.join(match[1].split())} $$", text, flags=re.S)
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _unescape(markdown):
    """Text for a ``<summary>``, where Markdown is not read; maths stays as it is."""
    pieces = re.split(r"(\$[^$]+\$)", markdown)
    pieces[0::2] = [re.sub(r"\\(.)", r"\1", re.sub(r"(?<!\\)[*`]", "", piece)) for piece in pieces[0::2]]
    return "".join(pieces)


def has_code(doctree):
    """Whether a document is an executed chapter."""
    return any(node.get("nb_element") == "cell_code" for node in doctree.findall(nodes.container))


def notebook_path(docname):
    """Path of a chapter's notebook below the site's root."""
    return f"{FOLDER}/{docname.removeprefix('chapters/')}.ipynb"


def write(app, exception):
    """``build-finished``: write the notebooks beside the site's pages."""
    if exception is not None or app.builder.format != "html":
        return
    trees = {name: app.env.get_doctree(name) for name in sorted(app.env.found_docs)}
    chapters = {name for name, tree in trees.items() if has_code(tree)}
    shutil.rmtree(Path(app.outdir) / FOLDER, ignore_errors=True)  # with the notebooks of chapters that are gone
    for name in sorted(chapters):
        tree = app.env.get_and_resolve_doctree(name, app.builder, trees[name])
        notebook = Translator(app, name, chapters).notebook(tree)
        _check_complete(app.env.doc2path(name), notebook, name)
        path = Path(app.outdir) / notebook_path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(nbformat.writes(notebook) + "\n", "utf8")


def _check_complete(path, notebook, docname):
    """Warn if the chapter has code cells that its notebook lacks: the ones after them could fail."""
    source = get_reader(READER)(path)
    missing = _count_code(source) - _count_code(notebook)
    if missing:
        logger.warning("the notebook would lack %d code cell(s) of the chapter", missing, location=docname)


def _count_code(notebook):
    """Code cells of a chapter; those of an exercise are none in its source."""
    return sum(cell.cell_type == "code" and "try_it" not in cell.metadata for cell in notebook.cells)


def copy(source, target):
    """Copy notebooks to a working folder without overwriting anybody's work.

    Parameters
    ----------
    source, target : pathlib.Path
        Folder of the built notebooks, and the working folder.

    Returns
    -------
    list of pathlib.Path
        Notebooks left alone because they were edited.

    Notes
    -----
    ``target/.copied.json`` holds the checksum of each notebook as it was copied: a file that differs from it was
    edited, and is kept.
    """
    ledger = target / ".copied.json"
    try:
        copied = json.loads(ledger.read_text("utf8"))
    except (FileNotFoundError, json.JSONDecodeError):
        copied = {}  # safe: a notebook that is not in the ledger is kept
    kept = []
    for path in sorted(source.rglob("*.ipynb")):
        name = path.relative_to(source).as_posix()
        goal = target / name
        if goal.is_file() and _checksum(goal) not in (copied.get(name), _checksum(path)):
            kept.append(goal)
            continue
        goal.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, goal)
        copied[name] = _checksum(goal)
    target.mkdir(parents=True, exist_ok=True)
    written = ledger.with_suffix(".new")
    written.write_text(json.dumps(copied, indent=1), "utf8")
    os.replace(written, ledger)
    return kept


def _checksum(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def setup(app):
    """Connect this module's step to the Sphinx build."""
    app.connect("build-finished", write, priority=910)


if __name__ == "__main__":
    if len(sys.argv) != 3 or not Path(sys.argv[1]).is_dir():
        sys.exit("usage: python -m derivations.book.notebooks FOLDER_OF_BUILT_NOTEBOOKS WORKING_FOLDER")
    for edited in copy(Path(sys.argv[1]), Path(sys.argv[2])):
        print(f"kept, because it was edited or run: {edited} (rename or delete it to get the present version)")
