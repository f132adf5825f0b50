"""Exercises that the page checks: the directive, the notebook, and the exercises of the chapters themselves."""
import json
import re
import textwrap
from pathlib import Path

import nbformat
import pytest
from book.test_build import HEADER, Book
from derivations.book.exercises import checking_cell, find_problem
from derivations.explore import browser
from derivations.explore.checking import check

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^````\{try-it\} ([\w-]+)\n:title: [^\n]+\n(.*?)^````$", re.S | re.M)
CODE = re.compile(r"^```python\n(.*?)^```$", re.S | re.M)
CELL = re.compile(r"^(`{3,})\{code-cell\}[^\n]*\n(.*?)^\1\s*$", re.S | re.M)
CHAPTERS = {"decay-for-rms": "adamw/equilibrium", "memory-of-steps": "adamw/schedules", "angle": "riemann/metric",
            "mean-curvature": "riemann/loop"}

# What a teacher would write. It stands on no page.
ANSWERS = {
    "decay-for-rms": """
        def decay_for_rms(rms, lr):
            return lr / (2 * rms**2)
        """,
    "memory-of-steps": """
        def shares(rates, decays):
            kappa = np.cumsum(rates * decays)
            weights = np.exp(kappa) * rates
            return weights / weights.sum()
        """,
    "angle": """
        def angle_between(g, a, b):
            return np.arccos(a @ g @ b / np.sqrt((a @ g @ a) * (b @ g @ b)))
        """,
    "mean-curvature": """
        from derivations.riemann import area

        def mean_curvature(surface, low, high):
            turned = holonomy(surface, rectangle(low, high)).angle
            return turned / area(surface, low, high)
        """,
}

# Likely slips, and a part of the hint that each gets.
SLIPS = {
    "decay-for-rms": [("lr / (2 * rms**2)", "lr / rms**2", "is the 2 in its place"),
                      ("lr / (2 * rms**2)", "lr / (2 * rms)", "the mean square")],
    "memory-of-steps": [(" / weights.sum()", "", "add up to 1"), ("np.exp(kappa)", "np.exp(-kappa)", "last step"),
                        (" * rates\n", "\n", "goes with its rate")],
    "angle": [("np.arccos", "", "np.arccos"), ("((a @ g @ a) * (b @ g @ b))", "((a @ a) * (b @ b))", "lengths are measured with g"),
              ("a @ g @ b /", "a @ np.diag(np.diag(g)) @ b /", "off the diagonal")],
    "mean-curvature": [("turned / area", "abs(turned) / area", "keep the sign"),
                       (" / area(surface, low, high)", "", "divided by area")],
}


def exercises():
    """Name and chapter, and both blocks of code, of every exercise of the book."""
    found = {}
    for path in sorted((ROOT / "chapters").rglob("*.md")):
        for name, body in BLOCK.findall(path.read_text("utf8")):
            found[name] = (path.relative_to(ROOT / "chapters").with_suffix("").as_posix(), *CODE.findall(body))
    return found


@pytest.fixture(scope="module")
def names():
    """The names that the first cell of a chapter imports, and what its other definitions need."""
    made = {}

    def names_of(chapter):
        if chapter not in made:
            text = (ROOT / f"chapters/{chapter}.md").read_text("utf8")
            first = CELL.search(text)[2]
            made[chapter] = {}
            exec(first, made[chapter])
        return made[chapter]
    return names_of


@pytest.fixture
def checked(names):
    """Check an answer as the page does."""
    def checked(name, answer):
        chapter, _, tests = exercises()[name]
        browser.start()
        try:
            browser._PAGE["namespace"].update(names(chapter))
            return json.loads(json.dumps(check(answer, tests)))
        finally:
            browser.stop()
    return checked


def test_the_exercises_stand_where_they_belong():
    assert {name: chapter for name, (chapter, *_) in exercises().items()} == CHAPTERS
    for chapter, stub, tests in exercises().values():
        text = (ROOT / f"chapters/{chapter}.md").read_text("utf8")
        assert text.index("## Exercises") < text.index("{try-it}") < text.index("## References")
        assert find_problem(stub, tests) is None
        assert max(map(len, f"{stub}{tests}".splitlines())) <= 96


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_stub_gets_a_hint(checked, name):
    result = checked(name, exercises()[name][1])
    assert result == {"right": False, "hint": "end the function with return", "outputs": []}


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_answer_is_right(checked, name):
    assert checked(name, textwrap.dedent(ANSWERS[name])) == {"right": True, "hint": None, "outputs": []}


@pytest.mark.parametrize("name, old, new, hint", [(name, *slip) for name, slips in SLIPS.items() for slip in slips])
def test_a_slip_gets_its_hint(checked, name, old, new, hint):
    answer = textwrap.dedent(ANSWERS[name])
    assert old in answer
    result = checked(name, answer.replace(old, new))
    assert hint in (result["hint"] or ""), result


@pytest.mark.parametrize("name", CHAPTERS)
@pytest.mark.parametrize("answered", [False, True])
def test_the_cells_of_the_notebook(names, name, answered, capsys):
    chapter, stub, tests = exercises()[name]
    room = dict(names(chapter))
    exec(textwrap.dedent(ANSWERS[name]) if answered else stub, room)
    before = set(room)
    exec(checking_cell(tests.strip("\n")), room)
    assert capsys.readouterr().out == ("Right.\n" if answered else "hint: end the function with return\n")
    assert set(room) - before == {"check_answer"}       # the figures of the notebook keep their names


# ---------------------------------------------------------------- Python's side of the page


@pytest.fixture
def page():
    browser.start()
    yield browser._PAGE["namespace"]
    browser.stop()


def test_an_answer_leaves_the_page_as_it_is(page):
    page["kept"] = 1
    assert check("kept = 2\nnew = 3", "assert kept + new == 5, 'hint: add'")["right"]
    assert page["kept"] == 1 and "new" not in page


def test_an_answer_may_print_and_display(page):
    result = check("print(6 * 7)\ndisplay(1)", "assert True, 'hint: none'")
    assert [(output["kind"], output["text"]) for output in result["outputs"]] == [("stdout", "42\n"), ("text", "1")]


def test_an_error_of_the_answer_names_its_line(page):
    result = check("def half(x):\n    return x / 0", "assert half(1), 'hint: none'")
    told = result["outputs"][-1]
    assert (result["right"], result["hint"], told["name"], told["line"]) == (False, None, "ZeroDivisionError", 2)
    assert "Your answer, line 2, in half" in told["text"] and "The check, line 1" in told["text"]
    assert "checking.py" not in told["text"]


def test_a_syntax_error_names_its_line(page):
    told = check("x = 1\ny = = 2", "assert True, 'hint: none'")["outputs"][-1]
    assert (told["name"], told["line"]) == ("SyntaxError", 2) and "Your answer, line 2" in told["text"]


def test_an_assert_of_the_answer_is_no_hint(page):
    result = check("def f():\n    assert False, 'my own'", "assert f(), 'hint: none'")
    assert result["hint"] is None and result["outputs"][-1]["name"] == "AssertionError"


def test_leaving_python_is_an_error_like_any_other(page):
    assert check("raise SystemExit", "assert True, 'hint: none'")["outputs"][-1]["name"] == "SystemExit"


# ---------------------------------------------------------------- the directive


PAGE = HEADER + """# One

```{code-cell} ipython3
print(6 * 7)
```

````{try-it} double
:title: twice $x$

Double the $x$.

```python
def double(x):
    ...
```

```python
assert double(2) == 4, "hint: add it to itself"
```
````
"""


@pytest.fixture
def book(tmp_path):
    book = Book(tmp_path)
    book.write("chapters/one.md", PAGE)
    book.write("chapters/two.md", "# Two\n")
    return book


def test_page_and_notebook(book):
    assert book.build(), book.output
    shown = book.page("one")
    assert '<div class="try-it docutils container" id="try-double">' in shown
    assert "Press “Run live”" in shown and "<summary>What the check looks at</summary>" in shown
    notebook = nbformat.read(book.folder / "_build/html/notebooks/one.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert [(cell.cell_type, cell.source) for cell in notebook.cells[2:]] == [
        ("markdown", "**Try it: twice $x$**\n\nDouble the $x$."),
        ("code", "def double(x):\n    ..."),
        ("code", checking_cell('assert double(2) == 4, "hint: add it to itself"'))]


WRONG = [
    (":title: twice $x$\n", "", "try-it double lacks its :title:"),
    ("{try-it} double", "{try-it} Twice!", "must be small letters, digits and hyphens, got 'Twice!'"),
    ("Double the $x$.\n", "", "it has 0 parts of text and 2 blocks"),
    ("```python\ndef double(x):\n    ...\n```\n", "", "it has 1 parts of text and 1 blocks"),
    ("double(x):", "double(x:", "line 1 of the stub is no Python"),
    ('"hint: add it to itself"', '"wrong"', "line 1 of the check must be an assert with a message"),
    ("assert double(2) == 4, ", "double(2), ", "the check must hold an assert"),
]


def test_what_is_missing_stops_the_build(book):
    exercise = PAGE[PAGE.index("````{try-it}"):]
    assert all(old in exercise for old, _, _ in WRONG)
    book.write("chapters/two.md", "# Two\n\n" + "\n".join(exercise.replace(old, new) for old, new, _ in WRONG))
    assert not book.build()
    output = re.sub(r"\s+", " ", book.output)
    assert not [told for _, _, told in WRONG if told not in output], book.output
