"""Mark one notebook: the student's cells in a sandbox, the teacher's tests here.

The notebook runs twice, in two processes. In the first, cells show what they print and the visible parts of the tests
say in full what failed; this process never receives anything that the student does not know already. In the second,
whose output nobody sees, the whole tests run: out of it come only passes, failures and the author's fixed hints.
"""
import ast
import contextlib
import os
import re
import traceback
import warnings
from dataclasses import dataclass, field

import numpy as np

from .sandbox import Limits, Sandbox, StudentDied, StudentError, plain
from .sources import HINT, NAME_CELL, cleared
from .variants import normal_name, personal_code, variant

__all__ = ["Marking", "TestResult", "mark"]

LONGEST_HINT = 400        # characters of a hint with values in it
MOST_OUTPUT = 10 << 20    # bytes of all that a notebook shows: it is kept twice, and a marker's browser opens it


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
    sources = {f"<tests {name}>": source for name, source in full.items()}
    for number, cell in enumerate(teachers.cells):
        if cell.metadata.get("numbers"):
            sources[f"<numbers {number}>"] = cell.source
            exec(compile(cell.source, f"<numbers {number}>", "exec"), space)

    marking = Marking()
    rooms = tuple(about["rooms"])
    with Sandbox(rooms, limits, locked) as shown:
        seen, room = {}, MOST_OUTPUT
        for number, cell in enumerate(notebook.cells):
            name = _name(cell)
            if name in full:
                seen[name] = _run_test(name, visible[name], space, shown)
            elif cell.cell_type == "code":
                answer = marking.cells[number] = _run_cell(cell, shown, marking.notes, show=True)
                room -= len(answer["printed"]) + len(answer["value"] or "") + sum(map(len, answer["pictures"]))
                if room < 0:
                    answer.update(printed="[left out: this notebook shows too much]", value=None, pictures=[])
    deadly = {number for number, answer in marking.cells.items() if answer.get("died")}
    with Sandbox(rooms, limits, locked) as hidden:
        stranger = None
        for number, cell in enumerate(notebook.cells):
            name = _name(cell)
            if name in full:
                marking.tests[name] = _judge(_run_test(name, full[name], space, hidden), seen[name], sources)
            elif cell.cell_type == "code" and number not in deadly:
                _run_cell(cell, hidden, [], show=False)
            if name == NAME_CELL:
                stranger, unusual = _signature(hidden, student, others, code)
                marking.notes += unusual
                if unusual and not marking.cells[number]["error"]:
                    marking.cells[number]["error"] = (f"This was handed in under the name {student!r}. That name, or its "
                                                      "personal code, does not stand here, so your numbers are others "
                                                      "than those that the checks took.")
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


def _judge(error, seen, sources):
    """Result of a test: what the whole of it raised, and what its visible part raised in the other process."""
    if error is None:
        return TestResult(True)
    detail = plain(f"{type(error).__name__}: {error}")[:2000]
    if seen is not None:
        text = plain(str(seen))[:1000]
        known = isinstance(seen, (AssertionError, StudentError, StudentDied))
        return TestResult(False, text if known and text else f"The visible check failed ({type(seen).__name__}).", detail)
    if isinstance(error, AssertionError):
        return TestResult(False, f"A check that you do not see failed. {_hint(error, sources)}".rstrip(), detail)
    if isinstance(error, (StudentError, StudentDied)):
        return TestResult(False, "In a check that you do not see, your code raised an error or gave no answer.", detail)
    return TestResult(False, "A check that you do not see failed.", detail)


def _hint(error, sources):
    """The hint of an assert that the student does not see, without what the student's work may have put into it.

    A value that the hint shows could carry the hidden inputs out: it stands there only if it is a text of the author's,
    or a whole number below 100; else three dots stand for it.
    """
    frame = traceback.extract_tb(error.__traceback__)[-1]
    tree = ast.parse(sources.get(frame.filename, ""))
    authors = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert) and node.lineno <= frame.lineno <= node.end_lineno:
            for text in (node.msg.body, node.msg.orelse) if isinstance(node.msg, ast.IfExp) else (node.msg,):
                parts = text.values if isinstance(text, ast.JoinedStr) else [text]
                if len(parts) > 1 and len(str(error)) > LONGEST_HINT:
                    continue    # such a value is no author's, and to find it could take for ever
                fixed = [str(part.value) if isinstance(part, ast.Constant) else None for part in parts]
                pattern = "".join("(.*?)" if part is None else re.escape(part) for part in fixed)
                found = re.fullmatch(pattern, str(error), re.S)
                if found and (fixed[0] or "").startswith(HINT):
                    values = (value if value in authors or re.fullmatch("[0-9]{1,2}", value) else "..."
                              for value in found.groups())
                    return "".join(next(values) if part is None else part for part in fixed)
    return ""


def _signature(sandbox, student, others, code):
    """The name in the notebook, if it is another student's; notes on what is unusual."""
    try:
        signed = sandbox.value("STUDENT")
    except (StudentError, StudentDied) as error:
        return None, [f"no name in the notebook: {error}"]
    if not isinstance(signed, str) or not normal_name(signed):
        return None, ["no name in the notebook"]
    if normal_name(signed) == normal_name(student):
        return None, _code_is_wrong(sandbox, code)
    if normal_name(signed) in {normal_name(name) for name in others}:
        return signed[:80], [f"signed {signed[:80]!r}, who is another student: the tests earn nothing"]
    return None, [f"signed {signed[:80]!r}, which is no id of the class list"]


def _code_is_wrong(sandbox, code):
    """A note if a class has personal codes and the notebook holds another one; the code itself is not in it."""
    if not code:
        return []
    try:
        written = sandbox.value("CODE")
    except (StudentError, StudentDied):
        written = None
    if isinstance(written, str) and written.strip().lower() == code:
        return []
    there = isinstance(written, str) and written.strip()    # it may be anything: compare nothing else with text
    return ["a wrong personal code in the notebook" if there else "no personal code in the notebook"]
