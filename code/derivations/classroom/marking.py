"""Mark one notebook: the student's cells in a sandbox, the teacher's tests here.

The notebook runs twice, in two processes. In the first, cells show what they print and the visible parts of the tests
say in full what failed; this process never receives anything that the student does not know already. In the second,
whose output nobody sees, the whole tests run: out of it come only passes, failures and the author's fixed hints.
"""
import contextlib
import os
import warnings
from dataclasses import dataclass, field

import numpy as np

from .sandbox import Limits, Sandbox, StudentDied, StudentError
from .sources import HINT, NAME_CELL, cleared
from .variants import normal_name, personal_code, variant

__all__ = ["Marking", "TestResult", "mark"]


@dataclass(frozen=True)
class TestResult:
    """What became of one cell of tests.

    Attributes
    ----------
    passed : bool
    message : str
        For the student; reveals nothing that the student cannot know.
    detail : str
        For the teacher: what failed, with values.
    """

    passed: bool
    message: str = ""
    detail: str = ""


@dataclass
class Marking:
    """What became of one notebook.

    Attributes
    ----------
    tests : dict of str to TestResult
        By name of the cell.
    cells : dict of int to dict
        Of each other cell of code, by its place in the notebook: what it printed, its value, pictures, error.
    notes : list of str
        What a teacher should know.
    """

    tests: dict = field(default_factory=dict)
    cells: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)


def mark(notebook, teachers, student, *, secret="", others=(), limits=None, locked=True):
    """Mark a notebook.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        The student's, rebuilt by :mod:`collecting`.
    teachers : nbformat.NotebookNode
        The teacher's version of the same assignment; its tests are run, whatever the student's notebook holds.
    student : str
        Whose folder the notebook lay in.
    secret : str
        The class secret.
    others : iterable of str
        Everybody on the class list: a notebook signed with another of these names gets no points from tests.
    limits : Limits
    locked : bool
        Whether the student's code is locked in; ``False`` lets it do all that you can do.

    Returns
    -------
    Marking

    Raises
    ------
    NoSandbox
        If the code cannot be locked in.
    """
    limits = limits or Limits()
    about = teachers.metadata["classroom"]
    code = personal_code(secret, about["assignment"], student)
    full, visible = _tests(teachers), _tests(cleared(teachers))
    space = {"np": np, "variant": variant, "STUDENT": student, "CODE": code, "__name__": "tests"}
    for cell in teachers.cells:
        if cell.metadata.get("numbers"):
            exec(compile(cell.source, "<the student's numbers>", "exec"), space)

    marking = Marking()
    rooms = tuple(about["rooms"])
    with Sandbox(rooms, limits, locked) as shown:
        seen = {}
        for number, cell in enumerate(notebook.cells):
            name = _name(cell)
            if name in full:
                seen[name] = _run_test(name, visible[name], space, shown)
            elif cell.cell_type == "code":
                marking.cells[number] = _run_cell(cell, shown, marking.notes, show=True)
    deadly = {number for number, answer in marking.cells.items() if answer.get("died")}
    with Sandbox(rooms, limits, locked) as hidden:
        stranger = None
        for number, cell in enumerate(notebook.cells):
            name = _name(cell)
            if name in full:
                marking.tests[name] = _judge(_run_test(name, full[name], space, hidden), seen[name])
            elif cell.cell_type == "code" and number not in deadly:
                _run_cell(cell, hidden, [], show=False)
            if name == NAME_CELL:
                stranger = _signature(hidden, student, others, marking.notes)
    if stranger:
        sentence = "This notebook carries the name of another student, so its tests earn no points."
        marking.tests = {name: TestResult(False, sentence, f"signed {stranger!r}") for name in marking.tests}
    for name in full:
        marking.tests.setdefault(name, TestResult(False, "This check is missing from the notebook.", "no such cell"))
    return marking


def _name(cell):
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def _tests(notebook):
    """Sources of the cells of tests, by name."""
    return {_name(cell): cell.source for cell in notebook.cells
            if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade")}


def _run_cell(cell, sandbox, notes, show):
    try:
        return sandbox.run(cell.source, show)
    except StudentDied as error:
        notes.append(f"cell {_name(cell) or cell.get('id', '?')!r}: {error}")
        return {"printed": "", "value": None, "pictures": [], "error": str(error), "died": True}


def _run_test(name, source, space, sandbox):
    """Run some tests here, against the student's process there; the exception, or None."""
    space = {**space, "student": sandbox.value}
    try:
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(source, f"<tests {name}>", "exec"), space)
    except Exception as error:  # whatever a test raises over a student's data, it did not pass
        return error
    return None


def _judge(error, seen):
    """Result of a test: what the whole of it raised, and what its visible part raised in the other process."""
    if error is None:
        return TestResult(True)
    detail = f"{type(error).__name__}: {error}"[:2000]
    if seen is not None:
        text = str(seen)[:1000]
        known = isinstance(seen, (AssertionError, StudentError, StudentDied))
        return TestResult(False, text if known and text else f"The visible check failed ({type(seen).__name__}).", detail)
    if isinstance(error, AssertionError) and str(error).startswith(HINT):
        return TestResult(False, f"A check that you do not see failed. {str(error)}", detail)
    if isinstance(error, (StudentError, StudentDied)):
        return TestResult(False, "In a check that you do not see, your code raised an error or gave no answer.", detail)
    return TestResult(False, "A check that you do not see failed.", detail)


def _signature(sandbox, student, others, notes):
    """The name in the notebook, if it is another student's; notes what is unusual."""
    try:
        signed = sandbox.value("STUDENT")
    except (StudentError, StudentDied) as error:
        notes.append(f"no name in the notebook: {error}")
        return None
    if not isinstance(signed, str) or not normal_name(signed):
        notes.append("no name in the notebook")
    elif normal_name(signed) != normal_name(student):
        notes.append(f"signed {signed[:80]!r}")
        if normal_name(signed) in {normal_name(name) for name in others}:
            return signed[:80]
    return None
