"""Grade a class: one process a submission, several at a time; what was interrupted goes on where it stopped."""
import csv
import ctypes
import io
import logging
import multiprocessing
import multiprocessing.connection
import os
import re
import resource
import signal
import sys
import time
import warnings
from dataclasses import dataclass, field

from .. import __version__
from .collecting import tidy
from .course import Course, NoCourse, fingerprint, write_whole
from .sandbox import PATIENCE, can_sandbox
from .variants import personal_code

__all__ = ["Row", "feedback", "grade", "marks", "release", "table"]

PR_SET_PDEATHSIG = 1    # of Linux's prctl
MEMORY = 4 << 30        # bytes of address space for a submission's process
SLACK = 120    # seconds that a submission's process may take beside the student's own time


@dataclass
class Row:
    """One line of a class's marks.

    Attributes
    ----------
    student : str
    state : str
        ``graded``, ``to mark`` (written answers wait for a marker), ``missing``, ``unreadable`` or ``failed``.
    tests, written, total, most : float or None
        Points of the tests, of the written answers, their sum, and the most that can be had.
    notes : list of str
    """

    student: str
    state: str
    tests: float | None = None
    written: float | None = None
    total: float | None = None
    most: float | None = None
    notes: list = field(default_factory=list)


def release(course, names):
    """Make the notebooks to hand out.

    The teacher's version goes into ``source``, the student's into ``release``, both into nbgrader's gradebook. With a
    class secret the students' personal codes go into ``reports/NAME/codes.csv``.

    Parameters
    ----------
    course : Course
    names : list of str

    Raises
    ------
    NoCourse, BadSource
    """
    import nbformat
    from nbgrader.converters import GenerateAssignment

    for name in names:
        assignment = course.assignment(name)
        write_whole(course.notebook("source", name), nbformat.writes(assignment.notebook).encode())
        problem = _convert(GenerateAssignment, course, name, ".")
        if problem:
            raise NoCourse(f"nbgrader could not release {name}: {problem}")
        _enter_students(course)
        if course.settings.secret:
            _write_codes(course, name)


def grade(course, name, *, jobs=1, students=None, force=False, progress=None):
    """Grade what was handed in of one assignment.

    Parameters
    ----------
    course : Course
    name : str
    jobs : int
        How many submissions at a time.
    students : list of str, optional
        Only these.
    force : bool
        Also what was graded already and has not changed since.
    progress : callable, optional
        Called with a student's name and a word on each submission.

    Returns
    -------
    list of Row
        As from :func:`marks`.

    Raises
    ------
    NoCourse, NoSandbox
    """
    _check_jobs(jobs)
    course.release_notebook(name)
    if not course.settings.unsafe_no_sandbox:
        course.check_place()
        can_sandbox()
    _enter_students(course)
    tidy(course, name)
    todo = []
    for student in dict.fromkeys(students or _with_submission(course, name)):
        if not course.notebook("submitted", name, student).is_file():
            if students:
                raise NoCourse(f"nothing of {name!r} was collected from {student!r}")
            continue
        key = _key(course, name, student)
        if force or course.read_report(name, student).get("graded") != key or not course.notebook(
                "autograded", name, student).is_file():
            todo.append((student, key))
    _in_processes(_grade_one, course, name, todo, jobs, progress)
    return marks(course, name)


def feedback(course, name, *, jobs=1, progress=None):
    """Write the pages to give back, ``feedback/STUDENT/NAME/NAME.html``.

    Returns
    -------
    list of str
        Students for whom a page could not be written.
    """
    _check_jobs(jobs)
    course.release_notebook(name)
    done = [row for row in marks(course, name) if row.state in ("graded", "to mark")]
    _in_processes(_feedback_one, course, name, [(row.student, "") for row in done], jobs, progress)
    return [row.student for row in done if course.read_report(name, row.student).get("feedback")]


def marks(course, name):
    """Everybody's marks, those included from whom nothing came or whose work could not be graded.

    Returns
    -------
    list of Row
        In the order of the class list; then students who are not on it.
    """
    from nbgrader.api import Gradebook, MissingEntry

    listed = course.students()
    rows = []
    with Gradebook(course.config.CourseDirectory.db_url) as gradebook:
        for student in [*listed, *sorted(set(_with_report(course, name)) - set(listed))]:
            report = course.read_report(name, student)
            notes = [*report.get("collected", []), *report.get("notes", [])]
            if student not in listed:
                notes.append("not on the class list")
            row = Row(student, "missing", notes=notes)
            rows.append(row)
            if report.get("problem"):
                row.state, row.notes = "unreadable", [report["problem"]]
            elif report.get("failed"):
                row.state, row.notes = "failed", [report["failed"].splitlines()[0], *notes]
            elif report.get("graded"):
                try:
                    submission = gradebook.find_submission(name, student)
                except MissingEntry:
                    row.state, row.notes = "failed", ["not in the gradebook: grade again with --force", *notes]
                    continue
                row.state = "to mark" if submission.needs_manual_grade else "graded"
                row.tests, row.written = submission.code_score, submission.written_score
                row.total, row.most = submission.score, submission.max_score
                if submission.late_submission_penalty:
                    row.total -= submission.late_submission_penalty
                    notes.append(f"late: {submission.late_submission_penalty:g} points taken off")
            elif report.get("rebuilt"):
                row.state, row.notes = "failed", ["collected, but not graded yet", *notes]
    return rows


def table(rows):
    """Marks as CSV text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["student", "state", "tests", "written", "total", "most", "notes"])
    for row in rows:
        numbers = ["" if value is None else f"{value:g}" for value in (row.tests, row.written, row.total, row.most)]
        writer.writerow([_cell(row.student), row.state, *numbers, _cell("; ".join(row.notes))])
    return out.getvalue()


def _cell(text):
    """Text that a spreadsheet shows and does not take for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _reason(log):
    """The line of a log that says why: the first exception, since nbgrader raises one of its own after it."""
    lines = [line.strip() for line in log.splitlines() if re.match(r"\s*[\w.]+(Error|Exception|Sandbox|Course|Interrupt)\b", line)]
    return (lines or log.strip().splitlines() or ["failed"])[0]


def _check_jobs(jobs):
    if not isinstance(jobs, int) or not 1 <= jobs <= 256:
        raise ValueError(f"jobs must be a whole number from 1 to 256, got jobs={jobs!r}")


def _enter_students(course):
    from nbgrader.api import Gradebook

    with Gradebook(course.config.CourseDirectory.db_url) as gradebook:
        for row in course.class_list():
            known = {key: row[key] for key in ("first_name", "last_name", "email") if row.get(key)}
            gradebook.update_or_create_student(row["id"], **known)


def _write_codes(course, name):
    lines = [["student", "code"], *([student, personal_code(course.settings.secret, name, student)]
                                    for student in course.students())]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines)
    write_whole(course.report(name) / "codes.csv", out.getvalue().encode())


def _with_submission(course, name):
    return sorted(path.parents[1].name for path in (course.root / "submitted").glob(f"*/{name}/{name}.ipynb"))


def _with_report(course, name):
    return [path.stem for path in course.report(name).glob("*.json")]


def _key(course, name, student):
    """Changes when a submission has to be graded anew."""
    settings = course.settings
    time = course.notebook("submitted", name, student).with_name("timestamp.txt")
    return fingerprint(
        __version__, time.read_bytes() if time.is_file() else "", course.notebook("submitted", name, student).read_bytes(),
        course.notebook("source", name).read_bytes(), settings.limits, settings.secret, settings.unsafe_no_sandbox)


def _in_processes(work, course, name, todo, jobs, progress):
    """Do some work for each student in a process of its own, some at a time; a process that hangs is killed."""
    # The server of forks has everything imported and no thread: a process then costs milliseconds.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", "derivations.classroom.grading", "nbgrader.converters",
                                     "nbconvert.exporters.html", "derivations.adamw", "derivations.riemann",
                                     "scipy.special"])
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    longest = 2 * PATIENCE * course.settings.seconds + SLACK
    waiting, running = list(reversed(todo)), {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                student, key = waiting.pop()
                process = context.Process(target=work, args=(course.root, course.settings.unsafe_no_sandbox, name, student, key))
                process.start()
                running[process.sentinel] = process, student, time.monotonic() + longest
            ready = multiprocessing.connection.wait(list(running), timeout=1.0)
            late = [key for key, (_, _, ends) in running.items() if time.monotonic() > ends]
            for sentinel in {*ready, *late}:
                process, student, _ = running.pop(sentinel)
                if sentinel in late:
                    process.kill()
                process.join()
                if process.exitcode:
                    why = f"no end within {longest:g} s" if sentinel in late else f"its process ended with {process.exitcode}"
                    course.add_to_report(name, student, failed=why, graded=None)
                if progress:
                    progress(student, "failed" if course.read_report(name, student).get("failed") else "done")
    finally:
        for process, _, _ in running.values():
            process.kill()


def _open(root, unlocked):
    """The course, in a process that dies with the command that started it, so that two never grade the same work."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    course = Course.open(root)
    if unlocked:
        course.settings.unsafe_no_sandbox = True
        course.config.Classroom.unsafe_no_sandbox = True
    return course


def _grade_one(root, unlocked, name, student, key):
    """Grade one submission with nbgrader's own converter; runs in a process of its own."""
    from nbgrader.converters import Autograde

    course = _open(root, unlocked)
    # Tests compute with what a student's code returned; what the student's process may use is limited by itself.
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    marked, answers = _marked_by_hand(course, name, student), _answers_key(course, name, student)
    if course.read_report(name, student).get("answers") != answers:
        marked = []
    course.add_to_report(name, student, failed="interrupted", graded=None, answers=answers)
    problem = _convert(Autograde, course, name, student)
    if problem:
        course.add_to_report(name, student, failed=problem)
        return
    _marked_by_hand(course, name, student, marked)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    seconds = sum(part.ru_utime + part.ru_stime for part in used)
    course.add_to_report(name, student, failed="", graded=key, cpu_seconds=round(seconds, 2))


def _answers_key(course, name, student):
    """Changes when what a person marked may have changed: the student's notebook, or what the answers are marked by."""
    written = [cell for cell in course.teachers_notebook(name).cells if cell.metadata.get("nbgrader", {}).get("solution")
               and cell.metadata.nbgrader.grade]
    return fingerprint(course.notebook("submitted", name, student).read_bytes(),
                       *(f"{cell.metadata.nbgrader.points} {cell.source}" for cell in written))


def _marked_by_hand(course, name, student, again=()):
    """Names of the answers in text that a person has marked; those in ``again`` are marked once more as they were."""
    from nbgrader.api import Gradebook, MissingEntry

    with Gradebook(course.config.CourseDirectory.db_url) as gradebook:
        try:
            grades = [grade for notebook in gradebook.find_submission(name, student).notebooks for grade in notebook.grades]
        except MissingEntry:
            return []
        # Points of a test that a person changed wait for that person: the test may have changed.
        grades = [grade for grade in grades if grade.cell.cell_type == "markdown" and grade.manual_score is not None]
        for grade in grades:
            if grade.name in again:
                grade.needs_manual_grade = False
        gradebook.db.commit()
        return [grade.name for grade in grades if not grade.needs_manual_grade]


def _feedback_one(root, unlocked, name, student, key):
    """Write one page of feedback with nbgrader's own converter; runs in a process of its own."""
    from nbgrader.converters import GenerateFeedback

    course = _open(root, unlocked)
    problem = _convert(GenerateFeedback, course, name, student)
    page = course.notebook("feedback", name, student).with_suffix(".html")
    if not problem and page.is_file():
        # nbgrader's list at the top calls every check "Test cell".
        write_whole(page, re.sub(r'<a href="#([a-z0-9-]+)">Test cell</a>', r'<a href="#\1">\1</a>',
                                 page.read_text("utf8")).encode())
    course.add_to_report(name, student, feedback=problem)


def _convert(converter, course, name, student):
    """Run one of nbgrader's converters; what went wrong, or nothing."""
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.utils import capture_log
    from sqlalchemy.exc import SAWarning

    logging.getLogger("traitlets").handlers[:] = [logging.NullHandler()]    # capture_log adds its own
    # nbgrader's own code makes SQLAlchemy warn on every submission; its own tests let that pass too.
    warnings.filterwarnings("ignore", category=SAWarning, module="nbgrader")
    folder = CourseDirectory(config=course.config, assignment_id=name, student_id=student)
    result = capture_log(converter(coursedir=folder, config=course.config, force=True))
    if result["success"]:
        return ""
    log = f"{result.get('log', '')}\n{result.get('error', '')}"
    return f"{_reason(log)}\n{log[-6000:]}"
