"""Assignments as their author writes them: one MyST file, from which both notebooks come.

A source is a MyST notebook. Its header has an entry ``classroom`` with ``title``, ``minutes``, ``goals`` (a list) and,
where needed, ``rooms`` (the rooms of this package that a student's code may import while it is marked; often none) and
``chapters`` (what to read first, as ``adamw/optimizer``). Its cells are marked by options::

    ```{code-cell} ipython3
    :answer: step              the student writes this cell; ### BEGIN SOLUTION ... ### END SOLUTION is cleared

    ```{code-cell} ipython3
    :tests: step-first         the teacher's tests, which the student sees
    :points: 2                 but for ### BEGIN HIDDEN TESTS ... ### END HIDDEN TESTS

    ```{code-cell} ipython3
    :numbers: true             draws the student's own numbers; the grader runs it too

    +++ {"written": "proof", "points": 4}
                               the model answer and how to mark it: text, cleared whole and marked by hand

Any other code cell is given, any other text is text. The cell with the student's name, and the imports, are added.
"""
import ast
import copy
import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Assignment", "BadSource", "NAME_CELL", "cleared", "find_sources", "read_source"]

ROOMS = {"adamw", "riemann", "figures"}
SOLUTION = ("### BEGIN SOLUTION", "### END SOLUTION")
HIDDEN = ("### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS")
HINT = "hint:"
CODE_STUB = "# Your code here.\nraise NotImplementedError(\"this cell is still empty\")"
TEXT_STUB = "*Write your answer here: text and formulas, or drop a photograph of your page into this cell.*"
NAME_CELL = "who"
NAME_SOURCE = ('STUDENT = "{student}"    # your name or number, as on the class list\n'
               'CODE = ""       # your personal code, if your teacher gave you one')
HEAD = """\
**How to work.** Write your name into the next cell and run it. Fill in each cell that is still empty; add cells of your
own where you like. Run a check as often as you wish: one that passes prints nothing. Before you hand in, restart the
kernel and run all cells from top to bottom. Further checks, which you do not see, run when your work is marked; they
run on other numbers.
"""
SETUP = "import numpy as np\nfrom derivations.classroom import student, variant"


class BadSource(ValueError):
    """An author's file that breaks a rule; the text names the file and the rule."""


@dataclass(frozen=True)
class Assignment:
    """One assignment.

    Attributes
    ----------
    name : str
        The file's name without ending, and the name under which everything about it is kept.
    title : str
    minutes : int
        Working time of a student.
    goals : list of str
    rooms : tuple of str
        Rooms of the package that a student's code may import while it is marked.
    chapters : tuple of str
        What to read first, such as ``"adamw/optimizer"``.
    notebook : nbformat.NotebookNode
        The teacher's version: solutions, all tests, nbgrader's metadata.
    """

    name: str
    title: str
    minutes: int
    goals: list
    rooms: tuple
    chapters: tuple
    notebook: object

    def release(self):
        """The student's version, a new notebook."""
        return cleared(self.notebook)

    @property
    def points(self):
        """Most points to be had: of the tests, and of the written answers."""
        grades = [cell.metadata.nbgrader for cell in self.notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
        return sum(g.points for g in grades if not g.solution), sum(g.points for g in grades if g.solution)


def find_sources(*folders):
    """The sources in some folders, by name; a file in an earlier folder replaces its namesake in a later one.

    Returns
    -------
    dict of str to pathlib.Path
    """
    found = {}
    for folder in folders:
        for path in sorted(Path(folder).glob("*.md")):
            if path.name != "README.md":
                found.setdefault(path.stem, path)
    return dict(sorted(found.items()))


def read_source(path):
    """Read an author's file.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    Assignment

    Raises
    ------
    BadSource
        If a rule of this module's description is broken.
    """
    import jupytext

    path = Path(path)
    try:
        notebook = jupytext.reads(path.read_text("utf8"), "md:myst")
    except Exception as error:  # jupytext raises whatever its parsers raise
        raise BadSource(f"{path}: {type(error).__name__}: {error}") from error
    about = notebook.metadata.get("classroom") or {}
    missing = {"title", "minutes", "goals"} - set(about)
    if missing:
        raise BadSource(f"{path}: the header's entry classroom lacks {', '.join(sorted(missing))}")
    rooms = tuple(about.get("rooms") or ())
    if set(rooms) - ROOMS:
        raise BadSource(f"{path}: rooms must be some of {', '.join(sorted(ROOMS))}, got rooms={list(rooms)}")
    if not re.fullmatch(r"[a-z][a-z0-9-]*", path.stem):
        raise BadSource(f"{path}: the name must be small letters, digits and hyphens")

    cells = _with_head(notebook.cells)
    given = 0
    names = set()
    for number, cell in enumerate(cells, 1):
        where = f"{path}, cell {number}"
        metadata = _nbgrader(cell, where)
        if metadata is None and cell.cell_type == "code":
            given += 1
            metadata = {"grade_id": f"given-{given}", "locked": True}
        numbers = cell.metadata.pop("numbers", False)
        if cell.metadata.keys() - {"tags"}:
            raise BadSource(f"{where}: unknown options {', '.join(sorted(cell.metadata))}")
        if metadata is None:
            continue
        if metadata["grade_id"] in names:
            raise BadSource(f"{where}: there are two cells {metadata['grade_id']!r}")
        names.add(metadata["grade_id"])
        cell.metadata["nbgrader"] = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3,
                                     **metadata}
        cell.metadata["numbers"] = bool(numbers)
        cell["id"] = metadata["grade_id"]
    _check_regions(cells, path)
    _check_hints(cells, path)

    notebook.cells = cells
    notebook.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
                         "language_info": {"name": "python"},
                         "classroom": {"assignment": path.stem, "rooms": list(rooms)}}
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(cells):
        if "nbgrader" not in cell.metadata:
            cell["id"] = f"text-{number}"
    return Assignment(path.stem, about["title"], int(about["minutes"]), list(about["goals"]), rooms,
                      tuple(about.get("chapters") or ()), notebook)


def cleared(notebook, hidden=True):
    """A teacher's notebook without solutions, hidden tests and outputs.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
    hidden : bool
        Whether to clear the hidden tests too.

    Returns
    -------
    nbformat.NotebookNode
        A copy.
    """
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        metadata = cell.metadata.get("nbgrader")
        if not metadata:
            continue
        if metadata.grade_id == NAME_CELL:
            cell.source = NAME_SOURCE.format(student="")
        elif metadata.solution and metadata.grade:
            cell.source = TEXT_STUB
            cell.pop("attachments", None)
        elif metadata.solution:
            cell.source = _without(cell.source, SOLUTION, CODE_STUB)
        elif metadata.grade and hidden:
            cell.source = _without(cell.source, HIDDEN, "")
    return notebook


def _with_head(cells):
    """The cells with the name, the imports and the instructions before the first cell of code."""
    from nbformat.v4 import new_code_cell, new_markdown_cell

    first = next((i for i, cell in enumerate(cells) if cell.cell_type == "code"), len(cells))
    head = [new_markdown_cell(HEAD), new_code_cell(NAME_SOURCE.format(student="teacher"), metadata={"answer": NAME_CELL}),
            new_code_cell(SETUP)]
    return [*cells[:first], *head, *cells[first:]]


def _nbgrader(cell, where):
    """What a cell's options mean in nbgrader's terms, None for a cell without such options; takes the options away."""
    kinds = [kind for kind in ("answer", "tests", "written") if kind in cell.metadata]
    if not kinds:
        return None
    if len(kinds) > 1:
        raise BadSource(f"{where}: a cell is either {' or '.join(kinds)}")
    [kind] = kinds
    name = str(cell.metadata.pop(kind))
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name) or name.startswith("given"):
        raise BadSource(f"{where}: {kind} must be small letters, digits and hyphens, got {kind}={name!r}")
    if cell.cell_type != ("markdown" if kind == "written" else "code"):
        raise BadSource(f"{where}: {kind} belongs to a cell of {'text' if kind == 'written' else 'code'}")
    if kind == "answer":
        return {"grade_id": name, "solution": True}
    points = cell.metadata.pop("points", None)
    if not isinstance(points, int) or not 1 <= points <= 100:
        raise BadSource(f"{where}: points must be a whole number from 1 to 100, got points={points!r}")
    return {"grade_id": name, "grade": True, "points": points, "solution": kind == "written", "locked": kind == "tests"}


def _check_regions(cells, path):
    kinds = {"answer": 0, "tests": 0, "written": 0}
    for cell in cells:
        metadata = cell.metadata.get("nbgrader", {})
        expected = ()
        if metadata.get("solution") and metadata.get("grade"):
            kinds["written"] += 1
            continue
        if metadata.get("solution"):
            kinds["answer"] += 1
            expected = SOLUTION if metadata["grade_id"] != NAME_CELL else ()
        elif metadata.get("grade"):
            kinds["tests"] += 1
            expected = HIDDEN
        marks = [line.strip() for line in cell.source.splitlines() if line.strip().startswith(("### BEGIN", "### END"))]
        if marks != list(expected):
            raise BadSource(f"{path}, cell {metadata.get('grade_id', 'of text')!r}: "
                            f"expected the marks {list(expected)}, got {marks}")
    if kinds["answer"] < 2 or not kinds["tests"] or not kinds["written"]:
        raise BadSource(f"{path}: an assignment has at least one answer, one cell of tests and one written answer")


def _check_hints(cells, path):
    """Only texts that begin with the mark of a hint reach students: each assert of a test must have one."""
    for cell in cells:
        metadata = cell.metadata.get("nbgrader", {})
        if cell.cell_type != "code" or not metadata.get("grade"):
            continue
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Assert) and not all(text.startswith(HINT) for text in _texts(node.msg)):
                raise BadSource(f"{path}, cell {metadata['grade_id']!r}, line {node.lineno}: an assert needs a text that "
                                f"begins with {HINT!r}")


def _texts(node):
    """How the texts begin that an expression can give; an empty one stands for what cannot be read off."""
    if isinstance(node, ast.IfExp):
        return _texts(node.body) + _texts(node.orelse)
    if isinstance(node, ast.JoinedStr):
        node = node.values[0]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else [""]


def _without(source, marks, stub):
    """Some source with its marked region replaced by a stub that is indented like the region."""
    out, inside = [], False
    for line in source.splitlines():
        if line.strip() == marks[0]:
            inside = True
            indent = line[:len(line) - len(line.lstrip())]
            out += [indent + text for text in stub.splitlines()]
        elif line.strip() == marks[1]:
            inside = False
        elif not inside:
            out.append(line)
    return "\n".join(out).strip()
