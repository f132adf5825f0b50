"""Exercises that the page itself checks: a text, a stub to complete, and a check that the reader can read.

.. code-block:: md

    ````{try-it} total-decay
    :title: The total decay

    Write a function. Formulas are allowed.

    ```python
    def total_decay(rates, decays):
        ...
    ```

    ```python
    assert total_decay([0.1], [0.2]) is not None, "hint: return the sum"
    ```
    ````

The last two blocks of code are the stub and the check. Each ``assert`` of the check says what to think about if it
fails, with a message that begins with ``hint:``. The page offers them as soon as the reader has started *Run live*
(``explore/assets/run-live-exercises.js``); in the chapter's notebook they are two cells.
"""
import ast
import re
import textwrap

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

LIVE = "Press “Run live” under the chapter's title, and you can write your answer here and have it checked. "
NOTEBOOK = "The chapter's notebook has this exercise, too."

_FOLD = '<details class="try-it-check"><summary>What the check looks at</summary>'
_HINT = "hint: "


class TryIt(SphinxDirective):
    """The directive ``try-it``; its argument is a short name, part of the address of the exercise."""

    required_arguments = 1
    has_content = True
    option_spec = {"title": directives.unchanged_required}

    def run(self):
        """Build the box; what is missing or wrong is an error, which stops a strict build."""
        name = self.arguments[0]
        if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
            raise self.error(f"the name of a try-it must be small letters, digits and hyphens, got {name!r}")
        if "title" not in self.options:
            raise self.error(f"try-it {name} lacks its :title:")
        body = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, body)
        blocks = [node for node in body.children if isinstance(node, nodes.literal_block)]
        if len(blocks) != 2 or body.children[-2:] != blocks or len(body.children) == 2:
            raise self.error(f"try-it {name} must be a text, then two blocks of code, the stub and the check; "
                             f"it has {len(body.children) - len(blocks)} parts of text and {len(blocks)} blocks")
        stub, check = blocks
        problem = find_problem(stub.astext(), check.astext())
        if problem:
            raise self.error(f"try-it {name}: {problem}")
        title, _ = self.state.inline_text(self.options["title"], self.lineno)
        return [self.box(name, title, body.children[:-2], stub, check)]

    def box(self, name, title, text, stub, check):
        """The exercise as nodes that every writer knows."""
        for block in (stub, check):
            block["language"] = "python"
        box = nodes.container(try_it=name, ids=[f"try-{name}"], classes=["try-it"])
        box += nodes.rubric("", "", nodes.Text("Try it: "), *title, classes=["try-it-title"])
        box += text
        box += nodes.container("", stub, classes=["try-it-stub"])
        where = nodes.paragraph(classes=["try-it-where"])
        if self.config.derivations_pyodide:
            where += nodes.inline("", LIVE, classes=["try-it-live"])
        where += nodes.Text(NOTEBOOK)
        box += where
        box += [nodes.raw("", _FOLD, format="html"), check, nodes.raw("", "</details>", format="html")]
        self.set_source_info(box)
        return box


def find_problem(stub, check):
    """What is wrong with the code of an exercise.

    Parameters
    ----------
    stub, check : str
        Python.

    Returns
    -------
    str or None

    Examples
    --------
    >>> find_problem("x = ...", "assert x == 2")
    'line 1 of the check must be an assert with a message that begins with "hint: "'
    """
    for part, source in (("stub", stub), ("check", check)):
        try:
            tree = ast.parse(source)
        except SyntaxError as error:
            return f"line {error.lineno} of the {part} is no Python: {error.msg}"
    asserts = [node for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    if not asserts:
        return "the check must hold an assert"
    for node in asserts:
        if not (isinstance(node.msg, ast.Constant) and str(node.msg.value).startswith(_HINT)):
            return f'line {node.lineno} of the check must be an assert with a message that begins with "{_HINT}"'
    return None


def is_exercise(node):
    """Whether a node of a doctree is such an exercise."""
    return isinstance(node, nodes.container) and "try_it" in node


def parts(node):
    """Parts of an exercise.

    Parameters
    ----------
    node : docutils.nodes.container

    Returns
    -------
    title : docutils.nodes.rubric
    text : list of docutils.nodes.Node
    stub, check : str
    """
    stub, check = (block.astext().strip("\n") for block in list(node.findall(nodes.literal_block))[-2:])
    end = next(place for place, child in enumerate(node.children) if "try-it-stub" in child.get("classes", []))
    return node.children[0], node.children[1:end], stub, check


def checking_cell(check):
    """The check as a cell of a notebook: it prints the hint, so that a notebook with open exercises runs to its end.

    A function, since its names must not take the place of those that the figures of the notebook use.

    Parameters
    ----------
    check : str

    Returns
    -------
    str

    Examples
    --------
    >>> print(checking_cell("assert x == 2, 'hint: add'"))
    def check_answer():
        assert x == 2, 'hint: add'
    <BLANKLINE>
    try:
        check_answer()
    except AssertionError as hint:
        print(hint)
    else:
        print("Right.")
    """
    inside = textwrap.indent(check, "    ")
    return (f"def check_answer():\n{inside}\n\ntry:\n    check_answer()\n"
            'except AssertionError as hint:\n    print(hint)\nelse:\n    print("Right.")')


def setup(app):
    """Register the directive."""
    app.add_directive("try-it", TryIt)
