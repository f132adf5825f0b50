"""The rooms of the package and the arrows between them: one table, drawn on a page of the book and held by a test.

The directive ``{rooms}`` draws the arrows and lists each room's modules with the first line of their documentation.
"""
import ast
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

import derivations

PACKAGE = Path(derivations.__file__).parent

ARROWS = {
    "adamw": set(),
    "riemann": set(),
    "figures": set(),
    "explore": {"figures"},
    "calculators": {"adamw", "riemann", "figures", "explore"},
    "classroom": {"__version__"},
    "book": {"explore", "classroom", "calculators"},
    "commands": {"adamw", "riemann", "figures", "classroom", "calculators", "__version__"},
}
"""Which rooms a room may import from; ``tests/test_repository.py`` reads every import and compares."""

_WIDTH, _HEIGHT, _COLUMN, _ROW = 112, 34, 124, 86   # of a box, and the distance between two


def levels(arrows):
    """How far each room stands above those that import nothing.

    Parameters
    ----------
    arrows : dict of str to set of str

    Returns
    -------
    dict of str to int

    Raises
    ------
    ValueError
        If the arrows run in a circle.

    Examples
    --------
    >>> levels({"a": set(), "b": {"a"}, "c": {"a", "b"}})
    {'a': 0, 'b': 1, 'c': 2}
    """
    found = {}
    while len(found) < len(arrows):
        ready = [room for room, below in arrows.items() if room not in found and (below & set(arrows)) <= set(found)]
        if not ready:
            raise ValueError(f"arrows run in a circle among {', '.join(sorted(set(arrows) - set(found)))}")
        found |= {room: 1 + max((found[one] for one in arrows[room] & set(arrows)), default=-1) for room in ready}
    return found


def sentence(arrows):
    """The arrows in words, as a screen reader says them.

    Examples
    --------
    >>> sentence({"a": set(), "b": {"a"}})
    'a imports no other room; b imports a.'
    """
    said = ((room, ", ".join(sorted(below & set(arrows))) or "no other room") for room, below in arrows.items())
    return "; ".join(f"{room} imports {below}" for room, below in said) + "."


def draw(arrows):
    """The arrows as an SVG picture, in the colours of the page's text.

    Parameters
    ----------
    arrows : dict of str to set of str

    Returns
    -------
    str
    """
    height = levels(arrows)
    rows = [[room for room in arrows if height[room] == level] for level in range(max(height.values()) + 1)]
    longest = max(map(len, rows))
    place = {room: (_COLUMN * (column + (longest - len(row)) / 2) + _WIDTH / 2 + 6, _ROW * (len(rows) - 1 - level) + 24)
             for level, row in enumerate(rows) for column, room in enumerate(row)}
    lines = [
        f'<line x1="{place[room][0]:g}" y1="{place[room][1] + _HEIGHT / 2:g}" x2="{place[below][0]:g}" '
        f'y2="{place[below][1] - _HEIGHT / 2 - 5:g}" marker-end="url(#rooms-tip)"/>'
        for room in arrows for below in sorted(arrows[room] & set(arrows))]
    boxes = [
        f'<rect x="{x - _WIDTH / 2:g}" y="{y - _HEIGHT / 2:g}" width="{_WIDTH}" height="{_HEIGHT}" rx="5"/>'
        f'<text x="{x:g}" y="{y + 5:g}">{room}</text>' for room, (x, y) in place.items()]
    wide, high = _COLUMN * longest, _ROW * (len(rows) - 1) + 48
    return (
        f'<svg class="rooms" viewBox="0 0 {wide} {high}" role="img" aria-label="Arrows between the rooms: '
        f'{sentence(arrows)}"><defs><marker id="rooms-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs>'
        f'<g class="lines">{"".join(lines)}</g><g class="boxes">{"".join(boxes)}</g></svg>')


def first_line(path):
    """First sentence of a module's documentation.

    Examples
    --------
    >>> first_line(PACKAGE / "riemann/errors.py")
    'What can go wrong in geometry, each with a name that a caller can catch.'
    """
    text = (ast.get_docstring(ast.parse(path.read_text("utf8"))) or "").split("\n\n")[0]
    return " ".join(text.split())


class Rooms(SphinxDirective):
    """Draw the arrows, and list rooms and modules."""

    def run(self):
        section = [nodes.raw("", draw(ARROWS), format="html")]
        for room in ARROWS:
            modules = sorted(path for path in (PACKAGE / room).glob("*.py") if path.name != "__init__.py")
            for path in [PACKAGE / room / "__init__.py", *modules]:
                self.env.note_dependency(str(path))
            rows = nodes.definition_list("", *(
                nodes.definition_list_item("", nodes.term("", "", nodes.literal(text=path.name)),
                                           nodes.definition("", nodes.paragraph("", "", *_prose(first_line(path)))))
                for path in modules))
            part = nodes.section("", nodes.title(text=f"Room {room}"),
                                 nodes.paragraph("", "", *_prose(first_line(PACKAGE / room / "__init__.py"))), rows,
                                 ids=[f"room-{room}"], names=[f"room {room}"])
            section.append(part)
        return section


def _prose(text):
    """A docstring's line as nodes: what stands between backquotes is code."""
    for number, piece in enumerate(text.replace(":mod:`.", "``").replace("``", "`").split("`")):
        if piece:
            yield nodes.literal(text=piece) if number % 2 else nodes.Text(piece)


def setup(app):
    """Register the directive with Sphinx."""
    app.add_directive("rooms", Rooms)
