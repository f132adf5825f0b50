"""Marks in other systems' formats, and what the class as a whole found hard."""
import json
from collections import Counter
from dataclasses import dataclass

from .course import write_whole
from .grading import marks

__all__ = ["Question", "gradescope", "questions"]


@dataclass(frozen=True)
class Question:
    """How a class did in one cell of tests.

    Attributes
    ----------
    name : str
        Name of the cell.
    points : float
    passed, graded : int
        Students who passed, of all whose work was graded.
    commonest : str
        What most of those who did not pass were told, or "".
    """

    name: str
    points: float
    passed: int
    graded: int
    commonest: str


def questions(course, name):
    """How the class did in each cell of tests, in the order of the notebook.

    Parameters
    ----------
    course : Course
    name : str

    Returns
    -------
    list of Question
    """
    reports = [course.read_report(name, row.student)["tests"] for row in _graded(course, name)]
    found = []
    for cell, points in _tested_cells(course, name).items():
        told = Counter(report[cell]["message"] for report in reports if not report[cell]["passed"])
        commonest = max(told, key=told.get, default="")
        found.append(Question(cell, points, len(reports) - told.total(), len(reports), commonest))
    return found


def _graded(course, name):
    return [row for row in marks(course, name) if row.state in ("graded", "to mark")]


def _tested_cells(course, name):
    """Points of each cell of tests."""
    cells = course.teachers_notebook(name).cells
    return {cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.points for cell in cells
            if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade")}


def gradescope(course, name):
    """Write ``reports/NAME/gradescope/STUDENT.json``, each as Gradescope's autograders write ``results.json``.

    Parameters
    ----------
    course : Course
    name : str

    Returns
    -------
    list of pathlib.Path
        The files, one for each student whose work was graded.

    Notes
    -----
    Tests show only what feedback shows too. Written answers stand under a name of their own, with the marker's points
    once they are marked.
    """
    points = _tested_cells(course, name)
    written = []
    for row in _graded(course, name):
        results = course.read_report(name, row.student)["tests"]
        tests = [{"name": cell, "score": most if results[cell]["passed"] else 0, "max_score": most,
                  "output": results[cell]["message"], "visibility": "visible"} for cell, most in points.items()]
        rest = row.most - sum(points.values())
        tests.append({"name": "written answers", "score": row.written, "max_score": rest, "visibility": "visible",
                      "output": "" if row.state == "graded" else "not marked yet"})
        path = course.report(name) / "gradescope" / f"{row.student}.json"
        write_whole(path, json.dumps({"score": row.total, "tests": tests}, indent=1, ensure_ascii=False).encode())
        written.append(path)
    return written
