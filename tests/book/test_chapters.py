"""Every chapter keeps the order and the measures that CONTRIBUTING.md promises."""
import re
from collections import Counter
from pathlib import Path

import pytest

import derivations.explore
from derivations.explore.browser import scale, value_at

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted(
    path for strand in ("adamw", "riemann", "bridge") for path in (ROOT / "chapters" / strand).glob("*.md")
)
LESSONS = [path for path in CHAPTERS if path.stem not in ("overview", "formulas", "calculator")]
CELL = re.compile(r"^(`{3,})\{code-cell\}[^\n]*\n(.*?)^\1\s*$", re.S | re.M)
PARTS = ["At a glance", "## The question", "## Where it fails", "## Summary", "## Exercises", "## References"]


def name(path):
    return f"{path.parent.name}/{path.stem}"


def cells(path):
    """Lines of each code cell without its options."""
    found = [match[2].splitlines() for match in CELL.finditer(path.read_text("utf8"))]
    return [[line for line in cell if not re.match(r":[\w-]+:", line)] for cell in found]


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_parts_stand_in_their_order(path):
    text = path.read_text("utf8")
    places = [text.find(part) for part in PARTS]
    assert -1 not in places, [part for part, place in zip(PARTS, places) if place < 0]
    assert places == sorted(places), PARTS


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_a_lesson_checks_shows_and_asks(path):
    text = path.read_text("utf8")
    code = "\n".join(line for cell in cells(path) for line in cell)
    assert re.search(r"\bassert\b|assert_allclose", code)
    assert "explore(" in code
    assert re.search(r"^\*\*What you should have seen\.?\*\*", text, re.M)
    exercises = re.findall(r"^`{3,}\{exercise\}.*?^:label: ([\w-]+)", text, re.S | re.M)
    solved = re.findall(r"^`{3,}\{solution(?:-start)?\} ([\w-]+)", text, re.M)
    assert 3 <= len(exercises) and sorted(exercises) == sorted(solved)


@pytest.mark.parametrize("path", CHAPTERS, ids=name)
def test_code_keeps_its_measures(path):
    found = cells(path)
    # A line that only goes on with a sentence (an alt text, say) is prose: nobody should cut the sentence for it.
    code = [[line for line in cell if not re.fullmatch(r'\s*"[^"]*"[,)]*', line)] for cell in found]
    assert sum(bool(line.strip()) for cell in code for line in cell) <= 120
    for cell, lines in zip(found, code):
        assert len(lines) <= 20, cell[0]
        assert not [line for line in cell if len(line) > 96]
        for place, line in enumerate(cell):
            if line.lstrip().startswith("def "):
                indent = len(line) - len(line.lstrip())
                rest = cell[place + 1:]
                ends = (n for n, later in enumerate(rest) if later.strip() and len(later) - len(later.lstrip()) <= indent)
                body = rest[:next(ends, len(rest))]
                assert sum(bool(later.strip()) for later in body) <= 5, line


def test_names_are_used_once():
    """Equations, theorems, exercises and figures have an address of their own in the whole book."""
    texts = [path.read_text("utf8") for path in CHAPTERS]
    labels = [label for text in texts for label in re.findall(r"^\$\$ \(([\w-]+)\)|^:label: ([\w-]+)", text, re.M)]
    assert not [label for label, count in Counter(map("".join, labels)).items() if count > 1]
    figures = [figure for text in texts for figure in re.findall(r'\bname="([a-z0-9-]+)"', text)]
    assert not [figure for figure, count in Counter(figures).items() if count > 1]


@pytest.mark.parametrize("path", CHAPTERS, ids=name)
def test_figures_still_answer_after_the_last_cell(path, monkeypatch):
    """In a notebook a slider is moved when all cells have run: no later cell may overwrite what an earlier figure uses.
    Live in the browser a slider also stops between its steps."""
    figures = []

    def explore(draw, *, name, alt, caption="", max_frames=400, **controls):
        first = {key: control.default for key, control in controls.items()}
        ends = [(key, value) for key, control in controls.items() for value in (control.values[0], control.values[-1])]
        between = [(key, value_at(control, place)) for key, control in controls.items() if scale(control) != "steps"
                   for place in (0.37, len(control.values) - 1.59)]
        settings = [first, *(first | {key: value} for key, value in [*ends, *between])]
        figures.append((name, draw, [(values, contents(draw(**values))) for values in settings]))

    monkeypatch.setattr(derivations.explore, "explore", explore)
    monkeypatch.setattr(derivations.explore, "show", lambda figure, **texts: None)
    names = {"__name__": "chapter"}
    for cell in cells(path):
        exec(compile("\n".join(cell), str(path), "exec"), names)
    for figure, draw, shown in figures:
        for values, before in shown:
            assert contents(draw(**values)) == before, (figure, values)


def contents(figure):
    """What a figure shows, as text: enough to notice another curve, axis or label."""
    found = []
    for axes in figure.axes:
        found += [axes.get_xlabel(), axes.get_ylabel(), axes.get_title(), axes.get_xlim(), axes.get_ylim()]
        found += [text.get_text() for text in axes.texts] + [len(c.get_paths()) for c in axes.collections]
        found += [(line.get_label(), line.get_xydata().round(9).tolist()) for line in axes.lines]
    return repr(found)
