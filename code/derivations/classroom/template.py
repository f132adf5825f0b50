"""A new course's files."""
from pathlib import Path

from .course import write_whole
from .settings import CONFIG, NoCourse

__all__ = ["start_course"]

CONFIGURATION = '''\
"""The one configuration file of this course: ours, and nbgrader's (https://nbgrader.readthedocs.io)."""
from pathlib import Path

from derivations.classroom.settings import configure

c = get_config()    # noqa: F821  (the loader provides it)
configure(c, Path(__file__).resolve().parent)

c.CourseDirectory.course_id = {course!r}

# Folders of assignments. The first is yours: copy a shipped source into it and change it there, tests and numbers
# included; nobody outside sees it. What is in a public repository is no secret.
c.Classroom.assignments = ["assignments", {shipped!r}]

# With a secret, `release` writes a personal code for every student, and nobody can compute another one's numbers.
# c.Classroom.secret = "at least 16 characters, not in any repository"

# Limits of one student's notebook: processor seconds for a cell and for a run of all, megabytes of memory.
# c.Classroom.cell_seconds = 10
# c.Classroom.seconds = 60
# c.Classroom.memory = 2048
'''
STUDENTS = "id,first_name,last_name,email\n"
README = """\
# {course}

    derivations classroom release adamw-by-hand        the notebook to hand out: release/adamw-by-hand/
    derivations classroom collect adamw-by-hand FOLDER what came back: a folder or a zip file
    derivations classroom grade adamw-by-hand --jobs 2
    jupyter lab                                        mark the written answers: menu Nbgrader > Formgrader
    derivations classroom feedback adamw-by-hand       pages to give back: feedback/
    derivations classroom export adamw-by-hand --csv marks.csv

Enter your students in students.csv first; the column id is what they write into their notebooks. This folder holds
marks and students' work: keep it off public places, and make a copy before each change of software.
"""


def start_course(root, shipped):
    """Write a new course's files.

    Parameters
    ----------
    root : path-like
        Must be empty or not exist.
    shipped : path-like or None
        Folder of the shipped assignments.

    Raises
    ------
    NoCourse
        If there is something in the folder.
    """
    root = Path(root).resolve()
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise NoCourse(f"{root} is not empty: a new course needs a folder of its own")
    if shipped is None:
        shipped = root / "assignments"
    write_whole(root / CONFIG, CONFIGURATION.format(course=root.name, shipped=str(shipped)).encode())
    write_whole(root / "students.csv", STUDENTS.encode())
    write_whole(root / "README.md", README.format(course=root.name).encode())
    (root / "assignments").mkdir(exist_ok=True)
    root.chmod(0o700)    # marks are nobody else's business
