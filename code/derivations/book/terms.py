"""Terms of the glossary: their definition shows beside the link, on hover and on keyboard focus.

The definitions that a page needs are written into that page, hidden, each described by its link. So they are there
without a network and from a file on disk, and their formulas are typeset like all others. ``terms.js`` shows them.
"""
import re

from docutils import nodes
from sphinx import addnodes

_LINK = re.compile(r'<a class="reference internal" href="([^"#]*)#(term-[^"]+)"')


def definitions(env):
    """Definitions of the book's glossaries.

    Parameters
    ----------
    env : sphinx.environment.BuildEnvironment

    Returns
    -------
    dict of str to (str, docutils.nodes.definition)
        Page and definition by the anchor of the term.
    """
    found = {}
    for page in sorted({page for (kind, _), (page, _) in env.get_domain("std").objects.items() if kind == "term"}):
        for glossary in env.get_doctree(page).findall(addnodes.glossary):
            for item in glossary.findall(nodes.definition_list_item):
                for term in item.findall(nodes.term):
                    found |= dict.fromkeys(term["ids"], (page, item[-1]))
    return found


def notes(app, pagename, anchors):
    """HTML of the hidden definitions, with links that are right on a page.

    Parameters
    ----------
    app : sphinx.application.Sphinx
    pagename : str
    anchors : iterable of str
        Anchors of the terms.

    Returns
    -------
    str
    """
    page, _ = app.derivations_terms[next(iter(anchors))]
    tree = app.env.get_doctree(page).copy()     # without its children, with its settings
    for anchor in anchors:
        tree += nodes.container("", *(child.deepcopy() for child in app.derivations_terms[anchor][1]))
    for reference in tree.findall(addnodes.pending_xref):
        reference["refdoc"] = pagename      # where it stands now, to which its address is relative
    app.env.resolve_references(tree, pagename, app.builder)
    rendered = (app.builder.render_partial(part)["fragment"] for part in list(tree))
    return "".join(f'<div class="term-note" role="tooltip" id="note-{anchor}" hidden="hidden">{text}</div>'
                   for anchor, text in zip(anchors, rendered))


def add_notes(app, pagename, templatename, context, doctree):
    """``html-page-context``: the definitions of a page's terms, at its end."""
    if doctree is None or app.builder.name != "html":
        return
    if not hasattr(app, "derivations_terms"):
        app.derivations_terms = definitions(app.env)
    used = {}   # in the order of the page

    def describe(link):
        if not link[1] or link[2] not in app.derivations_terms:     # on the glossary's own page the definition is there
            return link[0]
        used[link[2]] = True
        return f'{link[0]} aria-describedby="note-{link[2]}"'

    body = _LINK.sub(describe, context["body"])
    if used:
        context["body"] = body + notes(app, pagename, list(used))


def setup(app):
    """Connect this module's steps to the Sphinx build."""
    app.connect("html-page-context", add_notes)
    app.add_js_file("terms.js", loading_method="defer")
