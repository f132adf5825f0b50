"""The page of the build's status: versions, commit, and what each chapter has run and checked.

Nothing is typed by hand. Times come from the execution cache, counts from the pages as they were read. A cell that
fails stops the build, so each check that is counted has passed.
"""
import ast
import importlib.metadata
import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from jupyter_cache import get_cache
from sphinx.util import logging

from .notebooks import has_code

logger = logging.getLogger(__name__)

PACKAGES = ["derivations", "numpy", "scipy", "sympy", "python-flint", "matplotlib", "ipywidgets", "jupyter-book",
            "sphinx", "myst-nb"]
"""Packages whose versions the page tells; those that are not installed are left out."""

_COLUMNS = ["Chapter", "Seconds", "Executed", "Code cells", "Checks", "Equations", "Live figures", "Frames"]


class status_table(nodes.General, nodes.Element):
    """Place of a table, until everything has been read."""


class Status(Directive):
    """The directive ``build-status``: with the argument ``versions`` or ``chapters``."""

    required_arguments = 1

    def run(self):
        """Leave a place for the table."""
        if self.arguments[0] not in _TABLES:
            raise self.error(f"build-status knows {', '.join(_TABLES)}, got {self.arguments[0]!r}")
        return [status_table(kind=self.arguments[0])]


def checks(code):
    """Whether a cell checks something: an ``assert``, or a call of a function whose name begins so.

    Parameters
    ----------
    code : str

    Returns
    -------
    bool

    Examples
    --------
    >>> checks("np.testing.assert_allclose(a, b)"), checks("x = 1  # assert nothing")
    (True, False)
    """
    def called(node):
        return getattr(node.func, "attr", getattr(node.func, "id", ""))

    return any(isinstance(node, ast.Assert) or isinstance(node, ast.Call) and called(node).startswith("assert")
               for node in ast.walk(ast.parse(code)))


def count(tree):
    """Code cells, cells that check, displayed formulas, live figures and their prepared frames of a page.

    Parameters
    ----------
    tree : docutils.nodes.document

    Returns
    -------
    tuple of int
    """
    cells = [node.next_node(nodes.literal_block) for node in tree.findall(nodes.container)
             if node.get("nb_element") == "cell_code_source"]
    html = [node.astext() for node in tree.findall(nodes.raw) if node.get("format") == "html"]
    frames = [int(n) for text in html for n in re.findall(r'class="live-figure-note">(\d+) prepared frames', text)]
    return (len(cells), sum(checks(cell.astext()) for cell in cells), len(list(tree.findall(nodes.math_block))),
            len(frames), sum(frames))


def executions(cache_path):
    """Seconds and time of each execution, by the path of the chapter.

    Parameters
    ----------
    cache_path : str

    Returns
    -------
    dict of pathlib.Path to (float, datetime.datetime)
    """
    cache = get_cache(cache_path)
    found = {}
    for project in cache.list_project_records():
        record = cache.get_cached_project_nb(project.pk)
        if record is not None:
            found[Path(project.uri)] = record.data["execution_seconds"], record.created
    return found


def commit(root):
    """Commit of the book's folder and its date.

    Parameters
    ----------
    root : pathlib.Path

    Returns
    -------
    str
        Says so if there is no git or no repository, or if tracked files differ from the commit.
    """
    def git(*arguments):
        return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True).stdout.strip()

    try:
        text = git("log", "-1", "--format=%h of %cd", "--date=format:%Y-%m-%d")
        return f"{text}, with later changes" if git("status", "--porcelain", "--untracked-files=no") else text
    except (OSError, subprocess.CalledProcessError) as error:
        logger.info("no commit to tell: %s", error)
        return "unknown (built outside a git repository)"


def _versions(app, docname):
    built = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), UTC) \
        if "SOURCE_DATE_EPOCH" in os.environ else datetime.now(UTC)
    rows = [("Commit", commit(Path(app.srcdir))), ("Built", f"{built:%Y-%m-%d}"), ("Python", platform.python_version())]
    for name in PACKAGES:
        try:
            rows.append((name, importlib.metadata.version(name)))
        except importlib.metadata.PackageNotFoundError:
            continue    # python-flint, say, is an extra
    return _table(["What", "Version"], rows, numbers=0)


def _chapters(app, docname):
    run, rows = executions(app.config.nb_execution_cache_path), []
    for name in _in_order(app.env):
        tree = app.env.get_doctree(name)
        if has_code(tree):
            number = ".".join(map(str, app.env.toc_secnumbers.get(name, {}).get("", ())))
            title = f"{number}. " * bool(number) + app.env.titles[name].astext()
            link = nodes.reference("", title, internal=True, refuri=app.builder.get_relative_uri(docname, name))
            seconds, when = run.get(Path(app.env.doc2path(name)), (None, None))
            rows.append((link, seconds, when, *count(tree)))
    total = [sum(row[i] or 0 for row in rows) for i in (1, *range(3, len(_COLUMNS)))]
    shown = [(row[0], *_time(*row[1:3]), *map(str, row[3:])) for row in rows]
    shown.append(("All chapters", f"{total[0]:.0f}", "", *map(str, total[1:])))
    return _table(_COLUMNS, shown, numbers=len(_COLUMNS) - 1)


def _time(seconds, when):
    if when is None:
        return "not run", ""
    return f"{seconds:.1f}", f"{when:%Y-%m-%d}".replace("-", "\N{NON-BREAKING HYPHEN}")


def _in_order(env):
    """Pages in the order of the table of contents."""
    pages, order = [env.config.root_doc], []
    while pages:
        order.append(pages.pop(0))
        pages[:0] = env.toctree_includes.get(order[-1], [])
    return order


def _table(heads, rows, numbers):
    def cell(content):
        inline = content if isinstance(content, nodes.Node) else nodes.Text(content)
        return nodes.entry("", nodes.paragraph("", "", inline))

    head = nodes.thead("", nodes.row("", *map(cell, heads)))
    body = nodes.tbody("", *(nodes.row("", *map(cell, row)) for row in rows))
    for row in (*head, *body):
        for entry in row[len(heads) - numbers:]:
            entry["classes"].append("text-right")
    columns = [nodes.colspec(colwidth=1) for _ in heads]
    return nodes.table("", nodes.tgroup("", *columns, head, body, cols=len(heads)), classes=["colwidths-auto"])


_TABLES = {"versions": _versions, "chapters": _chapters}


def fill(app, tree, docname):
    """``doctree-resolved``: write the tables."""
    for place in list(tree.findall(status_table)):
        place.replace_self(_TABLES[place["kind"]](app, docname))


def setup(app):
    """Connect this module's steps to the Sphinx build."""
    app.add_node(status_table)
    app.add_directive("build-status", Status)
    app.connect("doctree-resolved", fill)
