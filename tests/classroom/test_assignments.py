"""The shipped assignments: solvable, graded rightly, and empty where they have to be."""
import copy
import runpy
import warnings
from pathlib import Path

import numpy as np
import pytest

from derivations.classroom import variant
from derivations.classroom.marking import mark
from derivations.classroom.sandbox import Limits
from derivations.classroom.sources import NAME_CELL, NAME_SOURCE, find_sources, read_source
from derivations.classroom.transport import decode, encode
from derivations.classroom.variants import personal_code

ROOT = Path(__file__).resolve().parents[2]
SOURCES = find_sources(ROOT / "assignments")
NAMES = sorted(SOURCES)


@pytest.fixture(scope="module", params=NAMES)
def assignment(request):
    return read_source(SOURCES[request.param])


def signed(notebook, student, code=""):
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == NAME_CELL:
            cell.source = NAME_SOURCE.format(student=student).replace('CODE = ""', f'CODE = "{code}"')
    return notebook


def failed(marking):
    return {name: (result.message, result.detail) for name, result in marking.tests.items() if not result.passed}


def test_there_are_six():
    assert len(NAMES) == 6


def test_points_and_times(assignment):
    tests, written = assignment.points
    assert tests + written == 20 and 4 <= written <= 6
    assert 60 <= assignment.minutes <= 240 and 3 <= len(assignment.goals) <= 5


@pytest.mark.parametrize("student, secret", [("ada01", ""), ("Zoë 7", "only the teacher knows")])
def test_the_teachers_notebook_gets_all_points(assignment, locked, student, secret):
    code = personal_code(secret, assignment.name, student)
    marking = mark(signed(assignment.notebook, student, code), assignment.notebook, student, secret=secret)
    assert failed(marking) == {} and marking.notes == []


def test_the_untouched_release_gets_none(assignment, locked):
    """Each test fails, and says to the student no more than that the cell is empty or the name is missing."""
    marking = mark(assignment.release(), assignment.notebook, "ada01", limits=Limits(cell_seconds=5))
    assert set(failed(marking)) == set(marking.tests) and len(marking.tests) > 5


def test_a_code_of_another_student_is_noticed(assignment, locked):
    """With a class secret, whoever works with another code has other numbers."""
    code = personal_code("secret", assignment.name, "bob")
    marking = mark(signed(assignment.notebook, "ada01", code), assignment.notebook, "ada01", secret="secret")
    assert failed(marking), "no test depends on the student's own numbers"


def test_solutions_and_hidden_tests_are_cleared(assignment):
    text = "\n".join(cell.source for cell in assignment.release().cells)
    assert "### BEGIN" not in text and "### END" not in text and "How to mark" not in text


# ---------------------------------------------------------------- answers of many kinds, in this process for speed

def run(assignment, student, answers):
    """Names of the tests that fail when some answers are put into the teacher's notebook."""
    spaces = {"student's": {"__name__": "__main__"}}

    def value(expression, **data):
        space = {**spaces["student's"], **{name: decode(encode(one)) for name, one in data.items()}}
        return decode(encode(eval(expression, space)))

    trusted = {"np": np, "variant": variant, "STUDENT": student, "CODE": "", "student": value}
    for cell in assignment.notebook.cells:
        if cell.metadata.get("numbers"):
            exec(cell.source, trusted)
    failing = set()
    for cell in signed(assignment.notebook, student).cells:
        metadata = cell.metadata.get("nbgrader", {})
        if cell.cell_type != "code":
            continue
        name = metadata["grade_id"]
        space = dict(trusted) if metadata["grade"] else spaces["student's"]
        try:
            exec(compile(answers.get(name, cell.source), name, "exec"), space)
        except Exception:  # whatever an answer raises, the notebook goes on, as in the grader
            failing |= {name} if metadata["grade"] else set()
    return failing


@pytest.fixture(autouse=True)
def close_figures():
    yield
    import matplotlib.pyplot
    matplotlib.pyplot.close("all")


CASES = [(name, *case) for name in NAMES
         for case in runpy.run_path(str(ROOT / f"tests/classroom/mistakes/{name.replace('-', '_')}.py"))["MISTAKES"]]


@pytest.mark.parametrize("name, why, answers, expected", CASES, ids=[f"{case[0]}: {case[1]}" for case in CASES])
def test_each_mistake_costs_what_it_should(name, why, answers, expected):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")    # wrong answers divide by zero
        assert run(read_source(SOURCES[name]), "ada01", answers) == set(expected)


@pytest.mark.parametrize("number", range(12))
def test_every_students_numbers_can_be_solved(assignment, number):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert run(assignment, f"student {number}", {}) == set()
