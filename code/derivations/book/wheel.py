"""The course's package as a wheel for students.

Made without pip, like the one for browsers: a build needs no network, leaves no trace in ``code/`` and gives the same
bytes each time.
"""
import importlib.metadata
import tomllib
from pathlib import Path

import derivations

from .live import _record, write_wheel

__all__ = ["package_files", "student_wheel"]

_LEFT_OUT = {"book", "assets", "__pycache__"}    # they build the site, and 3 MB of it are the means to typeset formulas


def package_files():
    """Files of the wheel: all that a notebook and the command ``derivations`` use.

    Returns
    -------
    dict of str to bytes
        Content of each file by its path inside the wheel.
    """
    folder = Path(derivations.__file__).parent
    project = tomllib.loads((folder.parent / "pyproject.toml").read_text("utf8"))["project"]
    files = {
        f"derivations/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in folder.rglob("*")
        if path.suffix in (".py", ".json") and not _LEFT_OUT & set(path.relative_to(folder).parts)
    }
    about = f"derivations-{importlib.metadata.version('derivations')}.dist-info/"
    files[about + "METADATA"] = _metadata(project).encode()
    files[about + "WHEEL"] = (b"Wheel-Version: 1.0\nGenerator: derivations.book\nRoot-Is-Purelib: true\n"
                              b"Tag: py3-none-any\n")
    scripts = [f"{name} = {target}" for name, target in sorted(project["scripts"].items())]
    files[about + "entry_points.txt"] = "\n".join(["[console_scripts]", *scripts, ""]).encode()
    files[about + "RECORD"] = _record(files, about + "RECORD")
    return files


def _metadata(project):
    version = importlib.metadata.version("derivations")
    lines = ["Metadata-Version: 2.1", f"Name: {project['name']}", f"Version: {version}",
             f"Summary: {project['description']}", f"License: {project['license']}",
             f"Requires-Python: {project['requires-python']}"]
    lines += [f"Requires-Dist: {need}" for need in project["dependencies"]]
    for extra, needs in sorted(project["optional-dependencies"].items()):
        lines += [f"Provides-Extra: {extra}", *(f'Requires-Dist: {need}; extra == "{extra}"' for need in needs)]
    return "\n".join([*lines, ""])


def student_wheel(folder):
    """Write the wheel; its name tells its content.

    Parameters
    ----------
    folder : pathlib.Path

    Returns
    -------
    pathlib.Path
    """
    return write_wheel(folder, "derivations", package_files())
