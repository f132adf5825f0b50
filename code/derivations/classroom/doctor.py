"""Is this machine ready to grade?"""
import importlib.metadata
import os
import re
import shutil
import sys
from pathlib import Path

from .sandbox import NoSandbox, can_sandbox

__all__ = ["ensure_path", "examine"]

NEEDED = {"nbgrader": "0.9", "jupytext": "1.16"}


def examine(root=None):
    """Look at everything that grading needs.

    Parameters
    ----------
    root : path-like, optional
        A course, to look at too.

    Returns
    -------
    list of (bool, str)
        Whether it is as it should be, and a sentence: what was found, or what to do.
    """
    from .course import Course
    from .settings import NoCourse

    found = [(sys.version_info >= (3, 11), f"Python {sys.version.split()[0]} (3.11 or newer is needed)")]
    for name, least in NEEDED.items():
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found.append((False, f"{name} is missing: pip install 'derivations[classroom]' (in a clone: make classroom)"))
            continue
        found.append((_numbers(version) >= _numbers(least), f"{name} {version} ({least} or newer is needed)"))
    ensure_path()
    found.append((shutil.which("alembic") is not None, "the command alembic, which nbgrader calls, is on the PATH"
                  if shutil.which("alembic") else f"the command alembic is not on the PATH: add {Path(sys.prefix) / 'bin'}"))
    try:
        can_sandbox()
        found.append((True, "students' code can be locked in"))
    except NoSandbox as error:
        found.append((False, str(error)))
    if root is not None:
        try:
            course = Course.open(root)
            found.append((True, f"{len(course.students())} students, {len(course.sources())} assignments in {course.root}"))
            course.check_place()
            if not course.settings.secret:
                found.append((True, "there is no class secret, so a student can compute another one's numbers "
                                    "(c.Classroom.secret)"))
        except NoCourse as error:
            found.append((False, str(error)))
    return found


def ensure_path():
    """Put the folder of this Python's commands on the PATH: nbgrader calls ``alembic`` by name."""
    folder = str(Path(sys.executable).parent)
    if folder not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join(filter(None, [folder, os.environ.get("PATH")]))


def _numbers(version):
    return [int(part) for part in re.findall(r"\d+", version)][:3]
