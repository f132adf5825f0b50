"""Names of equations and theorems: for the index, and for the search.

``chapters/names.yml`` gives a label one or several names. Each becomes an entry of the index; the search looks at those
first. In addition the search finds every numbered equation by its label, or by words of it.
"""
from pathlib import Path

import yaml
from docutils import nodes
from sphinx import addnodes
from sphinx.domains import Domain, ObjType
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

logger = logging.getLogger(__name__)

FILE = "chapters/names.yml"
"""Names by label, below the folder of the book."""

_UNIMPORTANT = 2    # in Sphinx's search: after pages that have the words in their text


def read_names(root):
    """Names of equations and theorems.

    Parameters
    ----------
    root : pathlib.Path
        Folder of the book.

    Returns
    -------
    dict of str to list of str
        Names by label; empty for a book without such a file.
    """
    path = Path(root) / FILE
    return yaml.safe_load(path.read_text("utf8")) if path.is_file() else {}


class IndexNames(SphinxTransform):
    """Puts the names of a page's equations and theorems into the index."""

    default_priority = 800  # before the domains look at the page (850)

    def apply(self):
        """Add one index node a label."""
        if (Path(self.app.srcdir) / FILE).is_file():
            self.env.note_dependency(FILE)
        anchors = {anchor for node in self.document.findall(nodes.Element) for anchor in node["ids"]}
        for label, names in read_names(self.app.srcdir).items():
            anchor = next((anchor for anchor in (f"equation-{label}", label) if anchor in anchors), None)
            if anchor:
                # "main": the search takes other entries for mere mentions, and shows them last.
                entries = [("single", name, anchor, "main", None) for name in names]
                self.document.insert(0, addnodes.index(entries=entries))


class Equations(Domain):
    """All numbered equations as objects that the search can find."""

    name = "book"
    label = "Book"
    object_types = {"equation": ObjType("equation")}

    def get_objects(self):
        """(label, label, type, page, anchor, priority) of each labelled equation."""
        for label, (page, _) in self.env.get_domain("math").equations.items():
            if label.startswith("eq-"):
                yield label, label, "equation", page, f"equation-{label}", _UNIMPORTANT

    def merge_domaindata(self, docnames, otherdata):
        """Nothing of its own to merge."""


def check(app, env):
    """``env-check-consistency``: complain about names of what does not exist."""
    anchors = {entry[2] for entries in env.get_domain("index").entries.values() for entry in entries}
    for label in read_names(app.srcdir):
        if not anchors & {label, f"equation-{label}"}:
            logger.warning("%s names %s, but no equation or theorem has this label", FILE, label)


def configure(app, config):
    """``config-inited``: let the search put first what is named exactly as the query."""
    config.html_search_scorer = str(Path(__file__).parent / "scorer.js")


def setup(app):
    """Connect this module's steps to the Sphinx build."""
    app.connect("config-inited", configure)
    app.add_transform(IndexNames)
    app.add_domain(Equations)
    app.connect("env-check-consistency", check)
