"""Take in what was handed in, whatever its shape, and rebuild a clean notebook from it.

The rebuilt notebook is the release with the student's answers, and the cells that the student added, put in. So
deleted cells, edited tests, changed points, other names and other formats do no harm, and nothing else of a student's
file reaches a later step. Every file is kept as it came, in ``received``.
"""
import base64
import binascii
import copy
import hashlib
import itertools
import json
import lzma
import os
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import quote

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell

from .course import write_whole
from .variants import normal_name

__all__ = ["Collected", "Unreadable", "collect", "rebuild", "tidy"]

MOST_CELLS = 1000
LONGEST_CELL = 200_000         # characters
LONGEST_TEXT = 50_000          # characters of a text: the time to show some grows with the square of their length
MOST_TEXT = 200_000            # characters of all texts
MOST_CODE = 1_000_000          # characters of all code
MOST_BLANK = 20                # blank lines in a row: to show them takes such a time too
MOST_FILES = 50                # of one student
MOST_KEPT = 5                  # of one student: so many times the largest notebook
DEEPEST = 20                   # folders in folders
MOST_MEMBERS = 100_000         # of one zip file
LARGEST_PICTURE = 8 << 20      # bytes, of a photograph in a written answer
PICTURES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
BROKEN_ZIP = (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError, struct.error,
              zlib.error, lzma.LZMAError)
RUBBISH = {".ipynb_checkpoints", "__MACOSX"}
EMBEDDED = re.compile("data:image/(png|jpeg);base64,([A-Za-z0-9+/=]+)")    # how Colab keeps a picture in a text


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
        A folder or a zip file, with a folder, or a notebook, named after each student: the ``id`` of the class list,
        or first and last name as Moodle writes them, or as Canvas does. Names are compared without regard to case and
        Unicode form; what follows an underscore is ignored if need be.

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
    names = _names(course.class_list())
    files = _zip_files(handed_in, course) if handed_in.is_file() else _folder_files(handed_in, course)
    owned = [(parts, read, _owners(parts, names)) for parts, read in files]
    # Students' names stand at one level: what lies below it was named by the student, and may carry any name.
    level = min((min(owners) for _, _, owners in owned if owners), default=0)
    by_student, strangers = {}, set()
    for parts, read, owners in owned:
        if level in owners:
            by_student.setdefault(owners[level], {})[parts] = read
        else:
            strangers.add(parts[0])
    found = []
    for student, files in sorted(by_student.items()):
        # A folder that holds several assignments has one folder for each.
        here = {parts: read for parts, read in files.items() if name in parts[:-1]} or files
        found.append(_take(course, name, student, here))
    return found, sorted(map(_printable, strangers))


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
        if digest and set(files) <= {(own,), *((name,) for name in EXCHANGE)} and (own,) in files:
            content = files[own,]()
            if isinstance(content, bytes) and _digest(content) == digest:
                continue
        found.append(_take(course, name, student, files, exchange=True))
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
    answers, added, anchor, order, changed, edited, lost = {}, {}, None, [], [], [], []
    named = {cell["name"] for cell in cells}
    for cell in cells:
        if cell["name"] not in known and cell["id"] in known and cell["id"] not in named:
            cell["name"] = cell["id"]    # an editor took the metadata away
        name, source = cell["name"], cell["source"]
        if name in known:
            anchor = name
            order.append(name)
            metadata = known[name].metadata.nbgrader
            if metadata.solution:
                answers.setdefault(name, []).append(cell)
            elif _squeezed(source) != _squeezed(known[name].source):
                changed.append(name)
                if cell["code"] and not metadata.grade and not known[name].metadata.get("numbers"):
                    edited.append(name)    # an import, say, that the answers need
                    added.setdefault(name, []).append(cell)
        elif source.strip() and _squeezed(source) not in texts:
            added.setdefault(anchor, []).append(cell)
    if not order:
        raise Unreadable("no cell of this assignment is in it")
    once = list(dict.fromkeys(order))
    if once != [name for name in known if name in once]:
        notes.append("cells in another order: put back")
    notes += [f"answer {name!r} is there {len(copies)} times: all kept, in their order"
              for name, copies in answers.items() if len(copies) > 1]
    built = list(_as_cells(added.get(None, ()), "start", notes))
    for cell in release.cells:
        name = _name(cell)
        built.append(cell)
        extra = []
        if name and cell.metadata.nbgrader.solution:
            if cell.metadata.nbgrader.grade:
                _find_text(name, cell, answers, added, notes)
            if name not in answers:
                notes.append(f"answer {name!r} was deleted")
            else:
                first, *copies = answers[name]
                _put(cell, [first, *copies] if cell.metadata.nbgrader.grade else [first], notes)
                if copies and not cell.metadata.nbgrader.grade:
                    extra = copies
        elif name and name not in once:
            lost.append(name)
        built += _as_cells([*extra, *added.get(name, ())] if name else (), name, notes)
    for what, cells in {"changed": changed, "deleted": lost}.items():
        if cells:
            notes.append(f"given cells {what}, restored: {', '.join(dict.fromkeys(cells))}")
    if edited:
        notes.append(f"the student's versions run after the given ones: {', '.join(dict.fromkeys(edited))}")
    release.cells = built
    return release, notes


def _put(cell, found, notes):
    """Put what a student wrote into a cell of the release."""
    sources, attachments = [], {}
    for one in found:
        names = {}
        for name, bundle in one["attachments"].items() if cell.cell_type == "markdown" else ():
            for kind, text in bundle.items() if isinstance(bundle, dict) else ():
                picture = _picture(kind, text)
                if picture:
                    # Names of ours: two cells may use the same, and nbconvert finds none that a link has to quote.
                    new = f"picture-{len(attachments)}.{kind.partition('/')[2]}"
                    names |= {_clean(name): new, quote(_clean(name)): new}
                    attachments[new] = {kind: picture}
                else:
                    notes.append(f"an attachment that is no PNG or JPEG picture of at most {LARGEST_PICTURE >> 20} MB")
        known = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
        sources.append(re.sub(f"attachment:({known})", lambda match: f"attachment:{names[match[1]]}", one["source"])
                       if names else one["source"])
    cell.source = "\n\n".join(sources)
    if attachments:
        cell.attachments = attachments


def _picture(kind, text):
    """A picture in base64, nothing but its own bytes; empty if it is none."""
    if kind not in PICTURES or not isinstance(text, str) or len(text) > LARGEST_PICTURE * 4 // 3:
        return ""
    try:
        content = base64.b64decode(text)
    except (ValueError, binascii.Error):
        return ""
    return base64.b64encode(content).decode() if content.startswith(PICTURES[kind]) else ""


def _find_text(name, cell, answers, added, notes):
    """A written answer that stands in cells behind the one meant for it, which is as it was handed out."""
    beside = [one for one in added.get(name, ()) if not one["code"]]
    if beside and all(_squeezed(one["source"]) == _squeezed(cell.source) for one in answers.get(name, ())):
        answers[name] = beside
        added[name] = [one for one in added[name] if one["code"]]
        notes.append(f"answer {name!r} stood in cells behind its own: moved")


def _as_cells(cells, after, notes):
    """A student's own cells, as cells of the rebuilt notebook."""
    for number, cell in enumerate(cells, 1):
        made = (new_code_cell if cell["code"] else new_markdown_cell)(metadata={})
        _put(made, [cell], notes)
        made["id"] = f"added-{after or 'start'}-{number}"[:64]
        yield made


def _cells(content, largest):
    """Cells of a file: name in the assignment, source, whether code, attachments; notes on the format."""
    if len(content) > largest:
        raise Unreadable(f"larger than {largest >> 20} MB")
    try:
        notebook = json.loads(content)    # in UTF-8 or UTF-16, with or without a mark at the beginning
    except UnicodeDecodeError:
        raise Unreadable("not UTF-8 text") from None
    except (ValueError, RecursionError):
        raise Unreadable("not JSON: is it a notebook?") from None
    if not isinstance(notebook, dict):
        raise Unreadable("not a notebook")
    notes = []
    version = (notebook.get("nbformat"), notebook.get("nbformat_minor"))
    if version != (4, 5):
        major, minor = (number if isinstance(number, int) and 0 <= number < 1000 else "?" for number in version)
        notes.append(f"notebook format {major}.{minor}")
    cells = notebook.get("cells")
    if cells is None and isinstance(notebook.get("worksheets"), list):    # format 3
        cells = [cell for sheet in notebook["worksheets"] if isinstance(sheet, dict) and isinstance(sheet.get("cells"), list)
                 for cell in sheet["cells"]]
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise Unreadable("not a notebook: no list of cells")
    if len(cells) > MOST_CELLS:
        raise Unreadable(f"more than {MOST_CELLS} cells")
    found, total = [], {True: 0, False: 0}
    for cell in cells:
        source = cell.get("source", cell.get("input", ""))
        source = "".join(line for line in (source if isinstance(source, list) else [source]) if isinstance(line, str))
        code = cell.get("cell_type") == "code"
        attachments = cell.get("attachments")
        attachments = attachments if isinstance(attachments, dict) else {}
        if not code:
            source, attachments = _attached(source, attachments)
        total[code] += len(source)
        if len(source) > (LONGEST_CELL if code else LONGEST_TEXT):
            raise Unreadable(f"a cell of more than {LONGEST_CELL} characters, or a text of more than {LONGEST_TEXT}")
        if total[True] > MOST_CODE or total[False] > MOST_TEXT:
            raise Unreadable(f"more than {MOST_CODE} characters of code, or {MOST_TEXT} of text")
        metadata = cell.get("metadata") if isinstance(cell.get("metadata"), dict) else {}
        nbgrader = metadata.get("nbgrader") if isinstance(metadata.get("nbgrader"), dict) else {}
        name, own = nbgrader.get("grade_id"), cell.get("id", metadata.get("id"))    # Colab moves the id
        found.append({"name": name if isinstance(name, str) else None, "id": own if isinstance(own, str) else None,
                      "source": _clean(source), "code": code, "attachments": attachments})
    return found, notes


def _attached(source, attachments):
    """A text whose embedded pictures became attachments."""
    attachments = dict(attachments)

    def attach(match):
        kind, text = match.groups()
        name = f"picture-{len(attachments)}.{kind}"
        attachments[name] = {f"image/{kind}": text}
        return f"attachment:{name}"

    return EMBEDDED.sub(attach, source), attachments


def _take(course, name, student, files, exchange=False):
    """Choose a student's notebook among some files, keep all, rebuild it; only nbgrader's exchange tells the time."""
    collected = Collected(student)
    notebooks, notes, beside, flat = {}, collected.notes, {}, set()
    left = MOST_KEPT * (course.settings.largest << 20)
    # Notebooks first: many other files must not hide them.
    files = sorted((not parts[-1].lower().endswith(".ipynb"), parts, read) for parts, read in files.items())
    for number, (other, parts, read) in enumerate(files):
        if number == MOST_FILES or left < 0:
            notes.append(f"{len(files)} files: only the first {number} were looked at")
            break
        path, content = _printable("/".join(parts)), read()
        if not isinstance(content, bytes):
            notes.append(f"{path}: {content}")
            continue
        left -= len(content)
        kept = f"{_digest(content)[:12]}-{_printable(parts[-1])}"
        write_whole(course.root / "received" / student / name / kept, content)
        if not other:
            notebooks[path] = content
            if len(parts) == 1 and not exchange:
                flat.add(path)    # it is named after the student
        elif exchange and len(parts) == 1 and parts[0] in EXCHANGE:
            beside[parts[0]] = content
    try:
        path = _choose(notebooks, name, course.release_notebook(name))
        if PurePosixPath(path).name != f"{name}.ipynb" and path not in flat:
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
    before = course.read_report(name, student).get("rebuilt")
    if before and before != _digest(content):
        notes.append("replaces an earlier one")
    course.add_to_report(name, student, problem="interrupted while it was taken in: collect again")
    _clear(course, name, student)
    write_whole(target, content)
    for file, content_beside in beside.items():
        if EXCHANGE[file](content_beside):
            write_whole(target.with_name(file), content_beside)
        else:
            notes.append(f"{file} could not be read")
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
            if any({cell["name"], cell["id"]} & names for cell in _cells(content, len(content))[0]):
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


def _names(rows):
    """Students by each name that a platform may give their files; a full name only if just one student has it."""
    known = {normal_name(row["id"]): row["id"] for row in rows}
    full = {}
    for row in rows:
        first, last = ((row.get(part) or "").strip() for part in ("first_name", "last_name"))
        if first and last:
            shapes = {normal_name(f"{first} {last}"), re.sub(r"\W", "", normal_name(last + first))}    # Moodle, Canvas
            for shape in shapes - {""}:
                full.setdefault(shape, set()).add(row["id"])
    return {**{shape: next(iter(ids)) for shape, ids in full.items() if len(ids) == 1}, **known}


def _owners(parts, names):
    """The students whom a path names, by level: its folders and, at the end, the file's name without ending."""
    found = {}
    for level, part in enumerate([*parts[:-1], PurePosixPath(parts[-1]).stem]):
        words = unicodedata.normalize("NFC", part).split("_")
        for count in range(len(words), 0, -1):
            name = normal_name("_".join(words[:count]))
            if name in names:
                found[level] = names[name]
                break
    return found


def _folder_files(folder, course):
    """(parts of the path, function that reads it) of each file below a folder."""
    closed = []
    for place, folders, files in os.walk(folder, onerror=closed.append):
        # Python 3.11 walks by recursion.
        deep = len(Path(place).relative_to(folder).parts) >= DEEPEST
        folders[:] = [] if deep else sorted(name for name in folders if name not in RUBBISH)
        for name in sorted(files) + [name for name in folders if os.path.islink(os.path.join(place, name))]:
            path = Path(place, name)
            yield path.relative_to(folder).parts, partial(_read, path, course.settings.largest << 20)
    for error in closed:
        if Path(error.filename) == folder:
            raise Unreadable(f"{folder}: {error.strerror}")
        yield Path(error.filename).relative_to(folder).parts, lambda: "a folder that is not readable: left out"


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
    except BROKEN_ZIP as error:
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
    except BROKEN_ZIP as error:
        return f"{_printable(str(error))}: left out"
    return content if len(content) <= largest else f"larger than {largest >> 20} MB: left out"


def _is_time(content):
    """Whether nbgrader can read this time of submission."""
    from nbgrader.utils import parse_utc

    try:
        parse_utc(content.decode().strip()[:64])
    except (ValueError, OverflowError):    # UnicodeDecodeError and dateutil's ParserError are ValueErrors
        return False
    return len(content) <= 64


def _is_key(content):
    """Whether this can be the key under which nbgrader gives feedback back."""
    return re.fullmatch(rb"[\w.=+/-]{8,128}\s*", content) is not None


# What nbgrader's exchange writes beside a notebook, and needs again later.
EXCHANGE = {"timestamp.txt": _is_time, "submission_secret.txt": _is_key}


def _name(cell):
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def _squeezed(source):
    """Source without what editors change on their own: blanks at the ends of lines and at the end."""
    return "\n".join(line.rstrip() for line in source.strip().splitlines())


def _clean(text):
    """Text that every later step can write: no control characters but tab and new line, no halves of pairs, no long run
    of blank lines."""
    text = text.encode("utf8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(letter for letter in text if letter in "\n\t" or unicodedata.category(letter) != "Cc")
    return "\n".join(line for blank, lines in itertools.groupby(text.split("\n"), lambda line: not line.strip())
                     for line in itertools.islice(lines, MOST_BLANK if blank else None))


def _printable(name):
    """The end of a file's name, as text for reports, terminals and new names of files, which have at most 255 bytes."""
    text = "".join(letter if letter.isprintable() else "?" for letter in name)
    return text.encode()[-150:].decode(errors="ignore")


def _digest(content):
    return hashlib.sha256(content).hexdigest()
