"""Marks in other systems' formats."""
import json

from .course import write_whole
from .grading import marks

__all__ = ["gradescope"]


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
    teachers = course.teachers_notebook(name)
    points = {cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.points for cell in teachers.cells
              if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade")}
    written = []
    for row in marks(course, name):
        if row.state not in ("graded", "to mark"):
            continue
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
