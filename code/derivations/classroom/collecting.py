"""Take in what was handed in, whatever its shape, and rebuild a clean notebook from it.

The rebuilt notebook is the release with the student's answers, and the cells that the student added, put in. So
deleted cells, edited tests, changed points, other names and other formats do no harm, and nothing else of a student's
file reaches a later step. Every file is kept as it came, in ``received``.
"""
import base64
import binascii
import copy
import hashlib
import json
import os
import stat
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell

from .course import write_whole
from .variants import normal_name

__all__ = ["Collected", "Unreadable", "collect", "rebuild", "tidy"]

MOST_CELLS = 1000
LONGEST_CELL = 200_000         # characters
MOST_FILES = 50                # of one student
MOST_MEMBERS = 100_000         # of one zip file
LARGEST_PICTURE = 8 << 20      # bytes, of a photograph in a written answer
PICTURES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
RUBBISH = {".ipynb_checkpoints", "__MACOSX"}


class Unreadable(ValueError):
    """A submission from which nothing can be taken; the text says why."""


@dataclass
class Collected:
    """What became of one submission.

    Attributes
    ----------
    student : str
    problem : str
        Why there is nothing to grade; empty if there is.
    notes : list of str
        What was repaired.
    """

    student: str
    problem: str = ""
    notes: list = field(default_factory=list)


def collect(course, name, handed_in):
    """Take in a class's submissions of one assignment.

    Parameters
    ----------
    course : Course
    name : str
        The assignment.
    handed_in : path-like
        A folder or a zip file, with a folder, or a notebook, named after each student. Names are compared without
        regard to case and Unicode form; what follows an underscore is ignored if need be, as in the files of Moodle
        and Canvas.

    Returns
    -------
    found : list of Collected
        One for each student from whom anything came.
    strangers : list of str
        Files and folders that belong to nobody on the class list.

    Raises
    ------
    FileNotFoundError, Unreadable
        If there is no such folder, or the zip file cannot be read.
    """
    handed_in = Path(handed_in)
    if not handed_in.exists():
        raise FileNotFoundError(f"no folder or zip file {handed_in}")
    names = {normal_name(student): student for student in course.students()}
    files = _zip_files(handed_in, course) if handed_in.is_file() else _folder_files(handed_in, course)
    by_student, strangers = {}, set()
    for parts, read in files:
        student = _owner(parts, names)
        if student is None:
            strangers.add(parts[0])
        else:
            by_student.setdefault(student, {})[parts] = read
    found = []
    for student, files in sorted(by_student.items()):
        # A folder that holds several assignments has one folder for each.
        here = {parts: read for parts, read in files.items() if name in parts[:-1]} or files
        found.append(_take(course, name, student, here))
    return found, sorted(strangers)


def tidy(course, name):
    """Rebuild what nbgrader's own ``collect`` put into ``submitted``, from its exchange; leave alone what is rebuilt.

    Returns
    -------
    list of Collected
        One for each submission that was rebuilt now.
    """
    found = []
    for folder in sorted((course.root / "submitted").glob(f"*/{name}")):
        student = folder.parent.name
        files = dict(_folder_files(folder, course))
        own = f"{name}.ipynb"
        digest = course.read_report(name, student).get("rebuilt")
        if digest and set(files) <= {(own,), ("timestamp.txt",)} and (own,) in files:
            content = files[own,]()
            if isinstance(content, bytes) and _digest(content) == digest:
                continue
        found.append(_take(course, name, student, files))
    return found


def rebuild(release, content, largest=20 << 20):
    """A clean notebook with a student's answers.

    Parameters
    ----------
    release : nbformat.NotebookNode
        What was handed out.
    content : bytes
        What was handed in.
    largest : int
        Most bytes.

    Returns
    -------
    notebook : nbformat.NotebookNode
    notes : list of str
        What was repaired.

    Raises
    ------
    Unreadable
    """
    cells, notes = _cells(content, largest)
    release = copy.deepcopy(release)
    known = {_name(cell): cell for cell in release.cells if _name(cell)}
    texts = {_squeezed(cell.source) for cell in release.cells if cell.cell_type == "markdown"}
    answers, added, anchor, order, changed, lost = {}, {}, None, [], [], []
    for cell in cells:
        name, source = cell["name"], cell["source"]
        if name in known:
            anchor = name
            order.append(name)
            metadata = known[name].metadata.nbgrader
            if metadata.solution:
                answers.setdefault(name, []).append(cell)
            elif _squeezed(source) != _squeezed(known[name].source):
                changed.append(name)
        elif source.strip() and _squeezed(source) not in texts:
            added.setdefault(anchor, []).append(cell)
    if not order:
        raise Unreadable("no cell of this assignment is in it")
    once = list(dict.fromkeys(order))
    if once != [name for name in known if name in once]:
        notes.append("cells in another order: put back")
    built = list(_as_cells(added.get(None, ()), "start"))
    for cell in release.cells:
        name = _name(cell)
        built.append(cell)
        extra = []
        if name and cell.metadata.nbgrader.solution:
            if name not in answers:
                notes.append(f"answer {name!r} was deleted")
            else:
                first, *copies = answers[name]
                _put(cell, [first, *copies] if cell.metadata.nbgrader.grade else [first], notes)
                if copies and not cell.metadata.nbgrader.grade:
                    extra = copies
                if copies:
                    notes.append(f"answer {name!r} is there {len(copies) + 1} times: all kept, in their order")
        elif name and name not in once:
            lost.append(name)
        built += _as_cells([*extra, *added.get(name, ())] if name else (), name)
    for what, cells in {"changed": changed, "deleted": lost}.items():
        if cells:
            notes.append(f"given cells {what}, restored: {', '.join(dict.fromkeys(cells))}")
    release.cells = built
    return release, notes


def _put(cell, found, notes):
    """Put what a student wrote into a cell of the release."""
    cell.source = "\n\n".join(one["source"] for one in found)
    if cell.cell_type != "markdown":
        return
    attachments = {}
    for one in found:
        for name, bundle in one["attachments"].items():
            for kind, text in bundle.items() if isinstance(bundle, dict) else ():
                if _is_picture(kind, text):
                    attachments[_clean(name)] = {kind: text}
                else:
                    notes.append(f"an attachment that is no PNG or JPEG picture of at most {LARGEST_PICTURE >> 20} MB")
    if attachments:
        cell.attachments = attachments


def _is_picture(kind, text):
    if kind not in PICTURES or not isinstance(text, str) or len(text) > LARGEST_PICTURE * 4 // 3:
        return False
    try:
        return base64.b64decode(text.strip(), validate=False).startswith(PICTURES[kind])
    except (ValueError, binascii.Error):
        return False


def _as_cells(cells, after):
    """A student's own cells, as cells of the rebuilt notebook."""
    for number, cell in enumerate(cells, 1):
        make = new_code_cell if cell["code"] else new_markdown_cell
        made = make(cell["source"], metadata={})
        made["id"] = f"added-{after or 'start'}-{number}"[:64]
        yield made


def _cells(content, largest):
    """Cells of a file: name in the assignment, source, whether code, attachments; notes on the format."""
    if len(content) > largest:
        raise Unreadable(f"larger than {largest >> 20} MB")
    try:
        notebook = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Unreadable("not UTF-8 text") from None
    except (ValueError, RecursionError):
        raise Unreadable("not JSON: is it a notebook?") from None
    if not isinstance(notebook, dict):
        raise Unreadable("not a notebook")
    notes = []
    version = (notebook.get("nbformat"), notebook.get("nbformat_minor"))
    if version != (4, 5):
        notes.append(f"notebook format {str(version[0])[:8]}.{str(version[1])[:8]}")
    cells = notebook.get("cells")
    if cells is None and isinstance(notebook.get("worksheets"), list):    # format 3
        cells = [cell for sheet in notebook["worksheets"] if isinstance(sheet, dict) and isinstance(sheet.get("cells"), list)
                 for cell in sheet["cells"]]
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise Unreadable("not a notebook: no list of cells")
    if len(cells) > MOST_CELLS:
        raise Unreadable(f"more than {MOST_CELLS} cells")
    found = []
    for cell in cells:
        source = cell.get("source", cell.get("input", ""))
        source = "".join(str(line) for line in source) if isinstance(source, list) else str(source)
        if len(source) > LONGEST_CELL:
            raise Unreadable(f"a cell of more than {LONGEST_CELL} characters")
        metadata = cell.get("metadata") if isinstance(cell.get("metadata"), dict) else {}
        nbgrader = metadata.get("nbgrader") if isinstance(metadata.get("nbgrader"), dict) else {}
        name = nbgrader.get("grade_id")
        attachments = cell.get("attachments")
        found.append({"name": name if isinstance(name, str) else None, "source": _clean(source),
                      "code": cell.get("cell_type") == "code",
                      "attachments": attachments if isinstance(attachments, dict) else {}})
    return found, notes


def _take(course, name, student, files):
    """Choose a student's notebook among some files, keep all, rebuild it."""
    collected = Collected(student)
    raw, notes = {}, collected.notes
    if len(files) > MOST_FILES:
        notes.append(f"{len(files)} files: only the first {MOST_FILES} were looked at")
    for parts, read in sorted(files.items())[:MOST_FILES]:
        path, content = "/".join(parts), read()
        if isinstance(content, bytes):
            kept = f"{_digest(content)[:12]}-{parts[-1][-80:]}"
            write_whole(course.root / "received" / student / name / kept, content)
            if path.lower().endswith(".ipynb") or parts[-1] == "timestamp.txt":
                raw[path] = content
        else:
            notes.append(f"{path}: {content}")
    notebooks = {path: content for path, content in raw.items() if path.lower().endswith(".ipynb")}
    try:
        path = _choose(notebooks, name, course.release_notebook(name))
        if PurePosixPath(path).name != f"{name}.ipynb":
            notes.append(f"the file's name was {PurePosixPath(path).name!r}")
        rebuilt, repaired = rebuild(course.release_notebook(name), notebooks[path], course.settings.largest << 20)
    except Unreadable as error:
        collected.problem = "; ".join([str(error), *notes])
        course.add_to_report(name, student, problem=collected.problem, rebuilt=None)
        _clear(course, name, student)
        return collected
    notes += repaired
    content = nbformat.writes(rebuilt).encode()
    target = course.notebook("submitted", name, student)
    time = next((raw[path] for path in raw if PurePosixPath(path).name == "timestamp.txt"), None)
    before = course.read_report(name, student).get("rebuilt")
    if before and before != _digest(content):
        notes.append("replaces an earlier one")
    _clear(course, name, student)
    write_whole(target, content)
    if time is not None and _is_time(time):
        write_whole(target.with_name("timestamp.txt"), time)
    elif time is not None:
        notes.append("the time of submission could not be read")
    course.add_to_report(name, student, problem="", rebuilt=_digest(content), collected=notes)
    return collected


def _choose(notebooks, name, release):
    """The one notebook that is meant."""
    if not notebooks:
        raise Unreadable("no notebook")
    named = [path for path in notebooks if PurePosixPath(path).name == f"{name}.ipynb"]
    if len(named) == 1:
        return named[0]
    names = {_name(cell) for cell in release.cells if _name(cell)}
    fitting = []
    for path, content in notebooks.items():
        try:
            if names & {cell["name"] for cell in _cells(content, len(content))[0]}:
                fitting.append(path)
        except Unreadable:
            continue    # it is not the one; the report names it if none is
    if len(fitting) == 1:
        return fitting[0]
    if not fitting and len(notebooks) == 1:
        return next(iter(notebooks))    # so that the report says what is wrong with it
    raise Unreadable(f"several notebooks, and none is called {name}.ipynb: {', '.join(sorted(notebooks))}")


def _clear(course, name, student):
    """Take away what lies in ``submitted``; it is kept in ``received``."""
    folder = course.notebook("submitted", name, student).parent
    if not folder.is_dir():
        return
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()


def _owner(parts, names):
    """The student to whom a path belongs: by one of its folders, else by the file's name."""
    for part in [*parts[:-1], PurePosixPath(parts[-1]).stem]:
        part = unicodedata.normalize("NFC", part)
        for candidate in (part, part.partition("_")[0]):
            if normal_name(candidate) in names:
                return names[normal_name(candidate)]
    return None


def _folder_files(folder, course):
    """(parts of the path, function that reads it) of each file below a folder."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in RUBBISH)
        for name in sorted(files) + [name for name in folders if os.path.islink(os.path.join(place, name))]:
            path = Path(place, name)
            yield path.relative_to(folder).parts, partial(_read, path, course.settings.largest << 20)


def _read(path, largest):
    """Content of a file, or why it was not read. Follows no link and waits for no pipe."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return "a link, or not readable: left out"
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return "not a file: left out"
        content = file.read(largest + 1)
    return content if len(content) <= largest else f"larger than {largest >> 20} MB: left out"


def _zip_files(path, course):
    """The same for a zip file; nothing is unpacked on disk."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise Unreadable(f"{path}: {error}") from None
    if len(members) > MOST_MEMBERS:
        raise Unreadable(f"{path}: more than {MOST_MEMBERS} files")
    for info in members:
        parts = PurePosixPath(info.filename.replace("\\", "/")).parts
        if not info.is_dir() and parts and not RUBBISH & set(parts):
            yield parts, partial(_read_member, path, info, course.settings.largest << 20)


def _read_member(path, info, largest):
    """Content of one file of a zip file, or why it was not read."""
    if stat.S_ISLNK(info.external_attr >> 16):
        return "a link: left out"
    try:
        with zipfile.ZipFile(path) as archive, archive.open(info) as file:
            content = file.read(largest + 1)    # not what the header promises: what really comes
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error) as error:
        return f"{error}: left out"
    return content if len(content) <= largest else f"larger than {largest >> 20} MB: left out"


def _is_time(content):
    from nbgrader.utils import parse_utc

    try:
        parse_utc(content.decode().strip()[:64])
    except (ValueError, OverflowError):    # UnicodeDecodeError and dateutil's ParserError are ValueErrors
        return False
    return len(content) <= 64


def _name(cell):
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def _squeezed(source):
    """Source without what editors change on their own: blanks at the ends of lines and at the end."""
    return "\n".join(line.rstrip() for line in source.strip().splitlines())


def _clean(text):
    """Text that every later step can write: no control characters but tab and new line, no halves of pairs."""
    text = text.encode("utf8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")
    return "".join(letter for letter in text if letter in "\n\t" or unicodedata.category(letter) != "Cc")


def _digest(content):
    return hashlib.sha256(content).hexdigest()
