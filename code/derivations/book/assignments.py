"""The assignments on the site: what each is about, and the student's version to download.

The directive ``{assignment} NAME`` shows what the header of ``assignments/NAME.md`` says. At the end of the build
each assignment is written twice below the site's root: ``assignments/NAME.ipynb``, and ``assignments/NAME.zip`` with
all that is needed to open it with one command. Both come from ``Assignment.release``; nothing else of a source is
written.
"""
import html
import io
import posixpath
import re
import shutil
import tempfile
import zipfile
from pathlib import Path

import nbformat
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from ..classroom.sources import BadSource, find_sources, read_source
from .wheel import student_wheel

logger = logging.getLogger(__name__)

FOLDER = "assignments"
"""Folder of the downloads below the site's root, and of the sources below the repository's."""

STUDENTS_NEED = ("numpy", "scipy", "sympy", "matplotlib", "ipywidgets", "tqdm", "jupyterlab", "ipykernel")
"""Packages of ``requirements.txt`` that a student's notebook uses."""

START = Path(__file__).with_name("start.py")
_DATE = (1980, 1, 1, 0, 0, 0)

_README = """\
{title}

  python start.py

opens the notebook in JupyterLab, in your browser. The first time it installs what the notebook needs into a folder
.venv beside this file; that takes some minutes and about {size} MB of disk, and needs a network. Write python3 instead
of python where that is the command's name, py on Windows. Python 3.11 or newer is needed; the pinned versions of the
packages were tested with Python {python}.

Your work is in {name}.ipynb. That file is what you hand in. Do not unpack the archive a second time into the same
place: that would put an empty notebook over yours.

What is here:

- {name}.ipynb: the assignment
- start.py: installs and opens; read it, it is short
- requirements.txt: versions of the packages
- {wheel}: the course's own package

For the next assignment you need the notebook alone: put it into this folder, and open it in JupyterLab.

If you have a Python environment of your own: pip install -r requirements.txt
"""
_SIZE = 650
"""Megabytes of a student's environment, measured on Linux."""

_PYTHON = "3.11"


class AssignmentDirective(SphinxDirective):
    """Show an assignment: a section with the title, the directive's text, the goals, time, points and downloads."""

    required_arguments = 1
    has_content = True

    def run(self):
        name = self.arguments[0]
        path = Path(self.env.srcdir, FOLDER, f"{name}.md")
        self.env.note_dependency(str(path))
        try:
            assignment = read_source(path)
        except (OSError, BadSource) as error:
            raise self.error(f"assignment {name!r}: {error}") from None
        section = nodes.section(ids=[f"assignment-{name}"], names=[name], classes=["assignment"])
        title, messages = self.state.inline_text(assignment.title, self.lineno)
        section += [nodes.title(assignment.title, "", *title), *messages]
        lines = [*self.content, "", *_facts(assignment)]
        self.state.nested_parse(StringList(lines, self.get_source_info()[0]), self.content_offset, section)
        section += nodes.raw("", _links(assignment, self.env.docname), format="html")
        return [section]


def _facts(assignment):
    """What the header says, as lines of Markdown."""
    tests, written = assignment.points
    yield "After it you can"
    yield ""
    yield from (f"- {goal.rstrip(' ,;.')}{'.' if goal is assignment.goals[-1] else ','}" for goal in assignment.goals)
    yield ""
    yield (f"{assignment.minutes} minutes · {tests + written} points: {tests} for code and numbers, {written} for what "
           "is marked by hand")
    if assignment.chapters:
        yield ""
        yield "Chapters to read first: " + ", ".join(f"{{doc}}`/chapters/{chapter}`" for chapter in assignment.chapters)


def _links(assignment, docname):
    name, title = assignment.name, html.escape(assignment.title)
    root = posixpath.relpath(".", posixpath.dirname(docname))
    offers = {"zip": "Download with everything to run it", "ipynb": "Download the notebook alone"}
    links = (f'<a href="{root}/{FOLDER}/{name}.{kind}" download="{name}.{kind}" aria-label="{text}: {title}">{text}</a>'
             for kind, text in offers.items())
    return f'<p class="assignment-downloads">{" · ".join(links)}</p>'


def students_requirements(text):
    """The lines of ``requirements.txt`` that students need.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str

    Raises
    ------
    ValueError
        If one of ``STUDENTS_NEED`` is not pinned there.

    Examples
    --------
    >>> text = "\\n".join(f"{name}==1.0  # why" for name in ["sphinx", *STUDENTS_NEED])
    >>> students_requirements(text)[:2]
    ['numpy==1.0', 'scipy==1.0']
    """
    pinned = dict(re.findall(r"^([\w.-]+)(==[\w.]+)", text, re.M))
    missing = [name for name in STUDENTS_NEED if name not in pinned]
    if missing:
        raise ValueError(f"requirements.txt does not pin {', '.join(missing)}")
    return [name + pinned[name] for name in STUDENTS_NEED]


def package(assignment, requirements, wheel):
    """Everything that a student needs for one assignment, as a zip file.

    Parameters
    ----------
    assignment : derivations.classroom.sources.Assignment
    requirements : list of str
    wheel : pathlib.Path
        The course's package.

    Returns
    -------
    bytes
        The same for the same input: the files in it carry no date.
    """
    name = assignment.name
    files = {
        "README.txt": _README.format(name=name, title=assignment.title, wheel=wheel.name, size=_SIZE, python=_PYTHON),
        f"{name}.ipynb": notebook(assignment),
        "requirements.txt": "\n".join([*requirements, f"./{wheel.name}", ""]),
        "start.py": START.read_text("utf8").replace("assignment.ipynb", f"{name}.ipynb"),
        wheel.name: wheel.read_bytes(),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, content in files.items():
            entry = zipfile.ZipInfo(f"{name}/{path}", _DATE)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(entry, content)
    return out.getvalue()


def notebook(assignment):
    """The student's version as the text of an ``.ipynb`` file."""
    return nbformat.writes(assignment.release()) + "\n"


def write_site(folder, sources, requirements):
    """Write the downloads of all assignments.

    Parameters
    ----------
    folder : pathlib.Path
        Emptied first.
    sources : dict of str to pathlib.Path
        Authors' files by name.
    requirements : list of str
        What students need.
    """
    shutil.rmtree(folder, ignore_errors=True)    # with what is there of assignments that are gone
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as place:
        wheel = student_wheel(Path(place))
        for name, path in sources.items():
            assignment = read_source(path)
            (folder / f"{name}.ipynb").write_text(notebook(assignment), "utf8")
            (folder / f"{name}.zip").write_bytes(package(assignment, requirements, wheel))


def write(app, exception):
    """``build-finished``: write the downloads."""
    if exception is not None or app.builder.format != "html":
        return
    source = Path(app.srcdir)
    sources = find_sources(source / FOLDER)
    if sources:
        requirements = students_requirements((source / "requirements.txt").read_text("utf8"))
        write_site(Path(app.outdir) / FOLDER, sources, requirements)


def setup(app):
    """Connect this module's steps to the Sphinx build."""
    app.add_directive("assignment", AssignmentDirective)
    app.connect("build-finished", write)
