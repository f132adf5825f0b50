"""Set the course's assignments, collect, grade, give back.

Start with ``doctor``; each step's own --help says more. The course's folder is the present one, or that of --course.
"""
import sys
from pathlib import Path

from .options import UsageError

EXAMPLE = """examples:
  derivations classroom doctor
  derivations classroom init my-class
  cd my-class
  derivations classroom release adamw-by-hand
  derivations classroom collect adamw-by-hand ~/Downloads/submissions.zip
  derivations classroom grade adamw-by-hand --jobs 2
  derivations classroom feedback adamw-by-hand
  derivations classroom export adamw-by-hand --csv marks.csv
"""

UNFINISHED = 3
"""Exit code when somebody's work is missing, unreadable or could not be graded."""


def add_arguments(parser):
    """Declare the options."""
    steps = parser.add_subparsers(dest="step", metavar="step", required=True)

    def step(name, help, work, assignment=True, course=True):
        sub = steps.add_parser(name, help=help, description=help, allow_abbrev=False)
        if assignment:
            sub.add_argument("assignment", help="name of the assignment, such as adamw-by-hand")
        if course:
            sub.add_argument("--course", type=Path, default=Path(), metavar="FOLDER", help="the course (default: here)")
        sub.set_defaults(work=work)
        return sub

    sub = step("init", "Start a course in a new folder.", _init, assignment=False, course=False)
    sub.add_argument("folder", type=Path, help="the new folder; its name becomes the name of the course")
    sub.add_argument("--from", dest="shipped", type=Path, metavar="FOLDER",
                     help="the shipped assignments (default: those of the clone that this package runs from)")
    step("list", "List the assignments.", _list, assignment=False)
    sub = step("release", "Make the notebooks to hand out.", _release, assignment=False)
    sub.add_argument("assignments", nargs="+", metavar="assignment")
    sub = step("collect", "Take in what was handed in, and repair it.", _collect)
    sub.add_argument("handed_in", type=Path, nargs="?", metavar="FOLDER",
                     help="a folder or zip file with a folder or notebook named after each student; without it: what "
                          "`nbgrader collect` fetched from the exchange")
    sub = step("grade", "Run every notebook and its tests, locked in; show the marks.", _grade)
    sub.add_argument("--jobs", type=int, default=1, metavar="N", help="how many at a time (default 1)")
    sub.add_argument("--student", action="append", metavar="ID", help="only this one (may be repeated)")
    sub.add_argument("--force", action="store_true", help="also what was graded already and has not changed")
    sub.add_argument("--unsafe-no-sandbox", action="store_true",
                     help="do not lock in students' code: it can then do all that you can do")
    sub = step("feedback", "Write the pages to give back.", _feedback)
    sub.add_argument("--jobs", type=int, default=1, metavar="N", help="how many at a time (default 1)")
    sub = step("export", "Write everybody's marks.", _export)
    sub.add_argument("--csv", type=Path, metavar="FILE", help="one line a student, those who are missing included")
    sub.add_argument("--gradescope", action="store_true", help="one results.json a student, in reports/")
    sub = step("doctor", "Say whether this machine is ready, and what to install.", _doctor, assignment=False, course=False)
    sub.add_argument("--course", type=Path, metavar="FOLDER", help="look at this course too")


def run(arguments):
    """Do the step that the arguments name; its exit code."""
    try:
        import jupytext  # noqa: F401
        import nbgrader  # noqa: F401
    except ImportError:
        if arguments.step != "doctor":
            raise UsageError("nbgrader or jupytext is missing: pip install 'derivations[classroom]' "
                             "(in a clone: make classroom)") from None
    from ..classroom.doctor import ensure_path

    ensure_path()
    if arguments.step == "doctor":
        return arguments.work(arguments)
    from ..classroom.collecting import Unreadable
    from ..classroom.sandbox import NoSandbox
    from ..classroom.settings import NoCourse
    from ..classroom.sources import BadSource

    try:
        return arguments.work(arguments)
    except NoSandbox as error:
        raise UsageError(f"{error}. Without the lock students' code could read and delete your files; if you trust it "
                         "all, say --unsafe-no-sandbox") from None
    except (NoCourse, BadSource, Unreadable, OSError, ValueError) as error:
        raise UsageError(str(error)) from None


def _open(arguments):
    from ..classroom.course import Course

    return Course.open(arguments.course)


def _init(arguments):
    from ..classroom.template import start_course

    shipped = arguments.shipped
    if shipped is None:
        beside = Path(__file__).resolve().parents[3] / "assignments"
        shipped = beside if beside.is_dir() else None
    elif not shipped.is_dir():
        raise UsageError(f"--from {shipped}: no such folder")
    start_course(arguments.folder, shipped and shipped.resolve())
    print(f"A new course: {arguments.folder}. Next: enter your students in {arguments.folder / 'students.csv'}.")


def _list(arguments):
    course = _open(arguments)
    from ..classroom.sources import read_source

    for name, path in course.sources().items():
        assignment = read_source(path)
        tests, written = assignment.points
        print(f"{name:26} {assignment.minutes:4} min  {tests:3} + {written} points  {assignment.title}")


def _release(arguments):
    from ..classroom.grading import release

    course = _open(arguments)
    release(course, arguments.assignments)
    for name in arguments.assignments:
        print(f"hand out     {course.notebook('release', name)}")
        print(f"keep         {course.notebook('source', name)} (solutions and rubric)")
        if course.settings.secret:
            print(f"send each    {course.report(name) / 'codes.csv'} (personal codes)")


def _collect(arguments):
    from ..classroom.collecting import collect, tidy

    course = _open(arguments)
    if arguments.handed_in is None:
        found, strangers = tidy(course, arguments.assignment), []
    else:
        found, strangers = collect(course, arguments.assignment, arguments.handed_in)
    for one in found:
        if one.problem:
            print(f"{one.student}: cannot be read: {one.problem}")
        elif one.notes:
            print(f"{one.student}: {'; '.join(one.notes)}")
    for name in strangers:
        print(f"nobody on the class list is called {name!r}: left where it is")
    bad = sum(bool(one.problem) for one in found)
    print(f"{len(found) - bad} taken in, {bad} cannot be read, {len(strangers)} belong to nobody.")
    if strangers:
        print("Name what belongs to nobody after the student's id in the class list, and collect it again.")
    return UNFINISHED if bad or strangers else 0


def _grade(arguments):
    from ..classroom.grading import grade

    course = _open(arguments)
    if arguments.unsafe_no_sandbox:
        course.settings.unsafe_no_sandbox = True
    with _Progress() as progress:
        rows = grade(course, arguments.assignment, jobs=arguments.jobs, students=arguments.student,
                     force=arguments.force, progress=progress)
    code = _show(rows)
    _show_questions(course, arguments.assignment)
    return code


def _feedback(arguments):
    from ..classroom.grading import feedback, marks

    course = _open(arguments)
    with _Progress() as progress:
        failed = feedback(course, arguments.assignment, jobs=arguments.jobs, progress=progress)
    print(f"Pages to give back: {course.root / 'feedback'}")
    for student in failed:
        print(f"{student}: no page could be written: see {course.report(arguments.assignment, student)}")
    waiting = [row.student for row in marks(course, arguments.assignment) if row.state == "to mark"]
    if waiting:
        print(f"Still to mark, so their pages are not final: {', '.join(waiting)}")
    return UNFINISHED if failed else 0


def _export(arguments):
    from ..classroom.exporting import gradescope
    from ..classroom.grading import marks, table

    if not arguments.csv and not arguments.gradescope:
        raise UsageError("say --csv FILE or --gradescope")
    course = _open(arguments)
    course.release_notebook(arguments.assignment)
    rows = marks(course, arguments.assignment)
    if arguments.csv:
        arguments.csv.write_text(table(rows), "utf8")
        print(f"{len(rows)} students in {arguments.csv}")
    if arguments.gradescope:
        files = gradescope(course, arguments.assignment)
        print(f"{len(files)} files in {course.report(arguments.assignment) / 'gradescope'}")
    return UNFINISHED if any(row.state not in ("graded", "to mark") for row in rows) else 0


def _doctor(arguments):
    from ..classroom.doctor import examine

    found = examine(arguments.course)
    for good, sentence in found:
        print(f"{'ok     ' if good else 'MISSING'} {sentence}")
    return 0 if all(good for good, _ in found) else 1


def _show(rows):
    width = max((len(row.student) for row in rows), default=0)
    for row in rows:
        points = "" if row.total is None else f"{row.total:5g} of {row.most:g}"
        print(f"{row.student:{width}}  {row.state:10} {points}".rstrip())
        for note in row.notes:
            print(f"{'':{width}}  - {_shortened(note)}")
    states = {state: sum(row.state == state for row in rows) for state in ("graded", "to mark", "missing", "unreadable", "failed")}
    print(", ".join(f"{count} {state}" for state, count in states.items() if count) + ".")
    return UNFINISHED if states["missing"] + states["unreadable"] + states["failed"] else 0


def _show_questions(course, name):
    """Where points were lost, and what most of those were told."""
    from ..classroom.exporting import questions

    lost = [question for question in questions(course, name) if question.passed < question.graded]
    if lost:
        print("Tests passed, where not by all:")
    width = max((len(question.name) for question in lost), default=0)
    for question in lost:
        told = _shortened(question.commonest)
        print(f"  {question.name:{width}}  {question.passed:3} of {question.graded}" + (f"  mostly: {told}" if told else ""))


def _shortened(note):
    note = " ".join(note.split())
    return note if len(note) <= 200 else note[:200] + " ..."


class _Progress:
    """One line on a terminal that counts; nothing where nobody looks."""

    def __init__(self):
        self.count, self.shown = 0, sys.stderr.isatty()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.shown and self.count:
            print(file=sys.stderr)

    def __call__(self, student, word):
        self.count += 1
        if self.shown:
            print(f"\r{self.count} done, last: {student}: {word}\x1b[K", end="", file=sys.stderr, flush=True)
