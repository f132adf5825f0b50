"""The configuration of a course: nbgrader's file ``nbgrader_config.py``, with one section of ours."""
import warnings
from pathlib import Path

from traitlets import Bool, Float, Integer, List, Unicode
from traitlets.config import Configurable, PyFileConfigLoader
from traitlets.config.loader import ConfigFileNotFound

from .sandbox import Limits

__all__ = ["CONFIG", "Classroom", "NoCourse", "configure", "load"]

CONFIG = "nbgrader_config.py"
SHORTEST_SECRET = 16


class NoCourse(ValueError):
    """A folder is no course, or its configuration is wrong."""


class Classroom(Configurable):
    """Settings of a course beside nbgrader's own."""

    assignments = List(Unicode(), ["assignments"], help="""Folders of the assignments' sources; a file in an earlier
        folder replaces its namesake in a later one. Relative to the course.""").tag(config=True)
    students = Unicode("students.csv", help="The class list: a CSV file with a column id.").tag(config=True)
    secret = Unicode("", help="""With a class secret, every student gets a personal code, and own numbers that nobody else
        can compute.""").tag(config=True)
    cell_seconds = Float(10.0, help="Most processor time for one cell, or one call of a check.").tag(config=True)
    seconds = Float(60.0, help="Most processor time for one run of a notebook; it is run twice.").tag(config=True)
    memory = Integer(2048, help="Most memory of a student's process, in megabytes.").tag(config=True)
    disk = Integer(64, help="Size of each folder that a student's code can write, in megabytes.").tag(config=True)
    unsafe_no_sandbox = Bool(False, help="""Let students' code do all that you can do: read and delete your files, other
        students' work, the gradebook. For code that you trust.""").tag(config=True)
    largest = Integer(20, help="Largest notebook that is read, in megabytes.").tag(config=True)

    @property
    def limits(self):
        """Limits of a student's process.

        Raises
        ------
        NoCourse
            If one is out of range.
        """
        try:
            return Limits(self.cell_seconds, self.seconds, self.memory, self.disk)
        except ValueError as error:
            raise NoCourse(f"{CONFIG}: c.Classroom: {error}") from None


def configure(config, root):
    """Set nbgrader up for this course: our sandbox in place of its kernel, and feedback that gives nothing away.

    Parameters
    ----------
    config : traitlets.config.Config
        The ``c`` of ``nbgrader_config.py``.
    root : path-like
        Folder of the course.
    """
    from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
    from nbgrader import preprocessors as theirs

    from .nbgrader_steps import ClearAnswers, MarkInSandbox

    config.CourseDirectory.root = str(root)
    # Several submissions are marked at once: a busy gradebook is waited for.
    config.CourseDirectory.db_url = f"sqlite:///{Path(root) / 'gradebook.db'}?timeout=120"
    config.GenerateAssignment.preprocessors = [
        theirs.LockCells, ClearAnswers, theirs.CheckCellMetadata, theirs.ComputeChecksums, theirs.SaveCells,
        theirs.ClearHiddenTests, theirs.ComputeChecksums, theirs.CheckCellMetadata]
    config.Autograde.autograde_preprocessors = [
        MarkInSandbox, theirs.SaveAutoGrades, theirs.AssignLatePenalties, theirs.CheckCellMetadata]
    config.GenerateFeedback.preprocessors = [theirs.GetGrades, theirs.ClearHiddenTests, CSSHTMLHeaderPreprocessor]


def load(course):
    """The configuration of a course.

    Parameters
    ----------
    course : path-like

    Returns
    -------
    config : traitlets.config.Config
    classroom : Classroom

    Raises
    ------
    NoCourse
    """
    course = Path(course).resolve()
    try:
        config = PyFileConfigLoader(CONFIG, path=str(course)).load_config()
    except ConfigFileNotFound:
        raise NoCourse(f"{course} is no course: it has no {CONFIG} (make one with `derivations classroom init`)") from None
    except Exception as error:  # the file is Python: it may raise anything
        raise NoCourse(f"{course / CONFIG}: {type(error).__name__}: {error}") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)    # so that a misspelt name is no silent one
            classroom = Classroom(config=config)
    except Exception as error:  # traitlets has several errors for a value of the wrong type
        raise NoCourse(f"{course / CONFIG}: {error}") from error
    if not 1 <= classroom.largest <= 1000:
        raise NoCourse(f"{course / CONFIG}: c.Classroom.largest must be from 1 to 1000, got {classroom.largest}")
    if 0 < len(classroom.secret) < SHORTEST_SECRET:
        raise NoCourse(f"{course / CONFIG}: c.Classroom.secret must have at least {SHORTEST_SECRET} characters: whoever "
                       "has one personal code could find a shorter one by trying")
    return config, classroom
