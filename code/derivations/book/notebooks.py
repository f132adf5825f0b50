"""Write every executed chapter as a runnable ``.ipynb`` file that reads well outside the book.

The text is taken from the resolved doctree, the same tree that the site is written from: so numbers, references and
glued values agree with the page. Boxes, proofs and exercises become plain Markdown, equation numbers ``\\tag``,
solutions ``<details>``. Cells carry no outputs: whoever opens the notebook runs it, and the sliders are ipywidgets.

``python -m derivations.book.notebooks FROM TO`` copies built notebooks to a working folder and leaves alone those that
were edited there.
"""
import hashlib
import json
import posixpath
import re
import shutil
import sys
from pathlib import Path

import nbformat
from docutils import nodes
from sphinx import addnodes
from sphinx.util import logging

logger = logging.getLogger(__name__)

FOLDER = "notebooks"
"""Folder of the notebooks below the site's root."""

_ADMONITIONS = {
    nodes.note: "Note", nodes.tip: "Tip", nodes.hint: "Hint", nodes.warning: "Warning", nodes.important: "Important",
    nodes.caution: "Caution", nodes.danger: "Danger", nodes.attention: "Attention", addnodes.seealso: "See also",
}
_INVISIBLE = (nodes.target, nodes.comment, nodes.substitution_definition, addnodes.index, addnodes.toctree,
              nodes.system_message, nodes.pending)


def _escape(text):
    """Escape what Markdown would take for markup in running text."""
    return re.sub(r"([\\*_$<`\[\]])", r"\\\1", text)


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
        self.cells, self.pieces = [], []

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
            elif isinstance(node, nodes.container) and node.get("nb_element") == "cell_code":
                self._flush()
                self.cells.append(nbformat.v4.new_code_cell(_source(node)))
            else:
                self.pieces.append(self.block(node))

    # ---- blocks

    def blocks(self, parent):
        """Markdown of all children of a block."""
        return "\n\n".join(text for text in map(self.block, parent.children) if text.strip())

    def block(self, node):
        """Markdown of one block, without a final line end."""
        if isinstance(node, _INVISIBLE):
            return ""
        if isinstance(node, (nodes.paragraph, nodes.rubric, nodes.attribution)):
            return self.inline(node)
        if isinstance(node, nodes.math_block):
            return self._equation(node)
        if isinstance(node, (nodes.bullet_list, nodes.enumerated_list)):
            return self._list(node)
        if isinstance(node, nodes.definition_list):
            return "\n\n".join(f"**{self.inline(item.children[0])}**: {self.blocks(item.children[-1])}"
                               for item in node.children)
        if isinstance(node, nodes.literal_block):
            return f"```{node.get('language', '')}\n{node.astext()}\n```"
        if isinstance(node, nodes.block_quote):
            return _quote(self.blocks(node))
        if isinstance(node, nodes.table):
            return self._table(node)
        if isinstance(node, nodes.transition):
            return "---"
        if isinstance(node, nodes.citation):
            label = node.next_node(nodes.label).astext()
            texts = [self.inline(child) for child in node.children if isinstance(child, nodes.paragraph)]
            return f"- [{label}] {texts[0]}"
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
        text = node.astext().strip()
        if r"\\" in text and not node["nowrap"]:
            text = r"\begin{split}" + text + r"\end{split}"
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

    def _table(self, node):
        rows = [[self.inline(entry).replace("|", r"\|") for entry in row.children] for row in node.findall(nodes.row)]
        rule = ["---"] * len(rows[0])
        return "\n".join("| " + " | ".join(row) + " |" for row in [rows[0], rule, *rows[1:]])

    def _box(self, node):
        """Admonitions, theorems, proofs, exercises and solutions."""
        title = next((child for child in node.children if isinstance(child, nodes.title)), None)
        heading = self.inline(title).strip() if title is not None else _ADMONITIONS.get(type(node), "")
        kind = node.get("countertype")
        if kind:
            heading = f"{node['realtype'].title()} {self._number(node, kind)} {heading}".strip()
        elif node.get("type") == "exercise":
            number = self._number(node, "exercise") or node["serial_number"]
            heading = f"Exercise {number} {heading}".strip()
        body = "\n\n".join(text for child in node.children if child is not title and (text := self.block(child)))
        if "dropdown" in node["classes"]:
            return f"<details>\n<summary>{_plain(heading)}</summary>\n\n{body}\n\n</details>"
        return _quote(f"**{heading}**\n\n{body}" if heading else body)

    # ---- running text

    def inline(self, parent):
        """Markdown of a node's running text."""
        return "".join(map(self._span, parent.children)).strip() if parent.children else _escape(parent.astext())

    def _span(self, node):
        if isinstance(node, nodes.Text):
            return _escape(node.astext()).replace("\n", " ")
        if isinstance(node, nodes.math):
            return f"${node.astext()}$"
        if isinstance(node, nodes.literal):
            return f"`{node.astext()}`"
        if isinstance(node, nodes.emphasis):
            return f"*{self.inline(node)}*"
        if isinstance(node, nodes.strong):
            return f"**{self.inline(node)}**"
        if isinstance(node, (nodes.reference, addnodes.number_reference)):
            return self._link(node)
        if isinstance(node, (nodes.target, addnodes.index, nodes.label, nodes.footnote_reference)):
            return ""
        if isinstance(node, nodes.raw):
            return node.astext() if node["format"] == "html" else ""
        if isinstance(node, nodes.paragraph):  # a table's entry
            return self.inline(node) + " "
        return "".join(map(self._span, node.children))

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


def _source(cell):
    # Searched for, not the first child: a folded input stands in a node of its own.
    return next(node for node in cell.findall(nodes.container) if node.get("nb_element") == "cell_code_source").astext()


def _quote(text):
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _plain(markdown):
    """Text for a ``<summary>``, where Markdown is not read."""
    return re.sub(r"[*`\\]", "", markdown)


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
    for name in sorted(chapters):
        tree = app.env.get_and_resolve_doctree(name, app.builder, trees[name])
        notebook = Translator(app, name, chapters).notebook(tree)
        path = Path(app.outdir) / notebook_path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(nbformat.writes(notebook) + "\n", "utf8")


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
    copied = json.loads(ledger.read_text("utf8")) if ledger.is_file() else {}
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
    ledger.write_text(json.dumps(copied, indent=1), "utf8")
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
        print(f"kept, because it was edited: {edited}")
