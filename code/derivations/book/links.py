"""Links between the chapters and the reference: each way, from what the docstrings say.

A docstring names the equation that its function computes, ``:eq:`eq-adamw-step```. Below that equation the chapter then
says *In code: adamw_step*. A page of the reference begins with a table of what it documents: the directive
``api-table`` asks for it.
"""
from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx import addnodes
from sphinx.environment.collectors import EnvironmentCollector


class api_table(nodes.General, nodes.Element):
    """Place of the table, until the page has been read."""


class ApiTable(Directive):
    """The directive ``api-table``: names and first sentences of all that the page documents."""

    def run(self):
        """Leave a place for the table."""
        return [api_table()]


def _documented(tree):
    """(description, signature) of each object of a page, methods included."""
    for description in tree.findall(addnodes.desc):
        signature = description.next_node(addnodes.desc_signature)
        if description["domain"] == "py" and signature["ids"]:
            yield description, signature


def _link(uri, name):
    return nodes.reference("", "", nodes.literal("", name), internal=True, refuri=uri)


def fill_table(app, tree):
    """``doctree-read``: write the table, one row an object and a line above for each section with objects."""
    for place in list(tree.findall(api_table)):
        body = nodes.tbody()
        section = None
        for description, signature in _documented(tree):
            if isinstance(description.parent, addnodes.desc_content):    # a method: it stands with its class
                continue
            above = description.parent
            while not isinstance(above, nodes.section):
                above = above.parent
            if above is not section:
                section = above
                title = nodes.strong("", "", *(child.deepcopy() for child in section.next_node(nodes.title)))
                body += nodes.row("", nodes.entry("", nodes.paragraph("", "", title), morecols=1))
            first = description[-1].next_node(nodes.paragraph)
            body += nodes.row("", nodes.entry("", nodes.paragraph(
                "", "", _link(f"#{signature['ids'][0]}", signature["fullname"]))), nodes.entry("", first.deepcopy()))
        titles = (nodes.entry("", nodes.paragraph("", text)) for text in ("Name", "What it is"))
        head = nodes.thead("", nodes.row("", *titles))
        columns = [nodes.colspec(colwidth=30), nodes.colspec(colwidth=70)]
        place.replace_self(nodes.table("", nodes.tgroup("", *columns, head, body, cols=2), classes=["api-table"]))


class Computed(EnvironmentCollector):
    """Keeps, for each page of the reference, which of its objects name which equation."""

    def clear_doc(self, app, env, docname):
        """Forget a page."""
        env.derivations_computed = {**getattr(env, "derivations_computed", {})}
        env.derivations_computed.pop(docname, None)

    def merge_other(self, app, env, docnames, other):
        """Take over what another process has read."""
        env.derivations_computed.update((name, other.derivations_computed[name]) for name in docnames)

    def process_doc(self, app, doctree):
        """Keep (label, anchor, name) of a page."""
        found = {}
        for _, signature in _documented(doctree):      # a method's references belong to the method, not to its class
            for xref in signature.parent.findall(addnodes.pending_xref):
                if xref["reftype"] == "eq":
                    found[id(xref)] = (xref["reftarget"], signature["ids"][0], signature["fullname"])
        app.env.derivations_computed[app.env.docname] = list(dict.fromkeys(found.values()))


def computed_by(env, label):
    """What computes an equation.

    Parameters
    ----------
    env : sphinx.environment.BuildEnvironment
    label : str
        Label of the equation.

    Returns
    -------
    list of tuple
        Page, anchor and name of each function, in alphabetical order of the pages.
    """
    return [(page, anchor, name) for page, rows in sorted(env.derivations_computed.items())
            for found, anchor, name in rows if found == label]


def link_equations(app, tree, docname):
    """``doctree-resolved``: below each equation, links to what computes it."""
    for equation in list(tree.findall(nodes.math_block)):
        functions = computed_by(app.env, equation.get("label")) if equation.get("label") else []
        if functions:
            line = nodes.paragraph("", "In code: ", classes=["in-code"])
            for page, anchor, name in functions:
                line += [nodes.Text(", ")] * (len(line) > 1)
                line += _link(f"{app.builder.get_relative_uri(docname, page)}#{anchor}", name)
            equation.parent.insert(equation.parent.index(equation) + 1, line)


def setup(app):
    """Connect this module's steps to the Sphinx build."""
    app.add_node(api_table)
    app.add_directive("api-table", ApiTable)
    app.add_env_collector(Computed)
    app.connect("doctree-read", fill_table)
    app.connect("doctree-resolved", link_equations)
