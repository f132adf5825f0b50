"""A course's folder: where everything lies, and who takes part."""
import csv
import dataclasses
import hashlib
import json
import os
import unicodedata
from pathlib import Path

from .sandbox import PACKAGE, readable_folders
from .settings import Classroom, NoCourse, load
from .sources import find_sources, read_source
from .variants import normal_name

__all__ = ["Course", "fingerprint", "write_whole"]

REPOSITORY = PACKAGE.parents[1]        # of a clone
NOT_IN_A_NAME = set('/\\[]*?:"<>|')    # separators, and what nbgrader would take for a pattern


class Course:
    """A course's folder.

    Beside what nbgrader keeps (``source``, ``release``, ``submitted``, ``autograded``, ``feedback``, ``gradebook.db``)
    there are ``assignments`` (the teacher's own sources), ``received`` (every file as it was handed in) and
    ``reports``.

    Parameters
    ----------
    root : path-like
    settings : Classroom
    config : traitlets.config.Config, optional
    """

    def __init__(self, root, settings, config=None):
        self.root, self.settings, self.config = Path(root).resolve(), settings, config

    @classmethod
    def open(cls, root):
        """The course in a folder.

        Raises
        ------
        NoCourse
        """
        config, settings = load(root)
        return cls(root, settings, config)

    @classmethod
    def of(cls, config):
        """The course that one of nbgrader's steps works for."""
        return cls(config.CourseDirectory.root, Classroom(config=config), config)

    def sources(self):
        """Authors' files by name of assignment."""
        folders = [self.root / folder for folder in self.settings.assignments]
        missing = [str(folder) for folder in folders if not folder.is_dir()]
        if missing:
            raise NoCourse(f"c.Classroom.assignments: no folder {', '.join(missing)}")
        return find_sources(*folders)

    def assignment(self, name):
        """One assignment as its author wrote it.

        Raises
        ------
        NoCourse
            If there is none of that name.
        BadSource
        """
        sources = self.sources()
        if name not in sources:
            raise NoCourse(f"no assignment {name!r}; there are {', '.join(sources) or 'none'}")
        return read_source(sources[name])

    def notebook(self, folder, name, student="."):
        """Path of an assignment's notebook in one of nbgrader's folders."""
        return self.root / folder / student / name / f"{name}.ipynb"

    def check_place(self):
        """See that students' code cannot read the course, and that it is not published with the book.

        Raises
        ------
        NoCourse
        """
        for folder in readable_folders():
            if self.root.is_relative_to(folder):
                raise NoCourse(f"{self.root} lies in {folder}, which students' code can read: move the course")
        if (REPOSITORY / "_toc.yml").is_file() and self.root.is_relative_to(REPOSITORY):
            raise NoCourse(f"{self.root} lies in the public repository {REPOSITORY}: move the course")

    def students(self):
        """Names on the class list.

        Returns
        -------
        list of str

        Raises
        ------
        NoCourse
            If the list cannot be read or a name cannot be a folder's name.
        """
        return [row["id"] for row in self.class_list()]

    def class_list(self):
        """Rows of the class list, each with at least ``id``."""
        path = self.root / self.settings.students
        try:
            lines = path.read_text("utf-8-sig").splitlines(keepends=True)
        except UnicodeDecodeError:
            raise NoCourse(f"class list {path} is not UTF-8 text: save it anew (in Excel, as \"CSV UTF-8\")") from None
        except OSError as error:
            raise NoCourse(f"class list {path}: {error.strerror}") from None
        # Excel writes semicolons in some countries, says so in a first line of its own, and adds lines of nothing else.
        first = 0
        while lines[first:] and (not lines[first].strip() or lines[first].lower().startswith("sep=")):
            first += 1
        reader = csv.reader(lines[first:], delimiter=max(",;\t", key="".join(lines[first:first + 1]).count))
        try:
            columns = [name.strip().lower() for name in next(reader, ())]
            rows = [(first + reader.line_num, dict(zip(columns, row))) for row in reader if any(map(str.strip, row))]
        except csv.Error as error:
            raise NoCourse(f"class list {path}, line {first + reader.line_num}: {error}") from None
        if "id" not in columns:
            raise NoCourse(f"class list {path}: no column id in its first line, but {', '.join(columns) or 'nothing'}")
        seen = {}
        for number, row in rows:
            name = unicodedata.normalize("NFC", (row.get("id") or "").strip())
            if not name or name.startswith(".") or len(name) > 100 or NOT_IN_A_NAME & set(name) or not name.isprintable():
                raise NoCourse(f"{path}, line {number}: id must be a name or number that a folder can have, got {name!r}")
            if normal_name(name) in seen:
                raise NoCourse(f"{path}, line {number}: {name!r} is there twice")
            seen[normal_name(name)] = row["id"] = name
        return [row for _, row in rows]

    def teachers_notebook(self, name):
        """The teacher's version of a released assignment.

        Raises
        ------
        NoCourse
            If the assignment was not released.
        """
        return self._released("source", name)

    def release_notebook(self, name):
        """What was handed out.

        Raises
        ------
        NoCourse
            If the assignment was not released.
        """
        return self._released("release", name)

    def _released(self, folder, name):
        import nbformat

        path = self.notebook(folder, name)
        if not path.is_file():
            raise NoCourse(f"assignment {name!r} was not released: run `derivations classroom release {name}`")
        return nbformat.read(path, 4)

    def report(self, name, student=None):
        """Path of the report on a student's work, or of the folder of all reports on an assignment."""
        folder = self.root / "reports" / name
        return folder if student is None else folder / f"{student}.json"

    def read_report(self, name, student):
        """The report on a student's work, ``{}`` if there is none."""
        path = self.report(name, student)
        try:
            return json.loads(path.read_text("utf8")) if path.is_file() else {}
        except ValueError:
            raise NoCourse(f"{path} is damaged: delete it, then collect and grade {student}'s work again") from None

    def add_to_report(self, name, student, **entries):
        """Add entries to the report on a student's work."""
        entries = {**self.read_report(name, student), **entries}
        write_whole(self.report(name, student), json.dumps(entries, indent=1, ensure_ascii=False).encode())

    def keep_marking(self, name, student, marking):
        """Keep a notebook's marking in the report; hidden tests speak in it, so it is for the teacher only."""
        tests = {cell: dataclasses.asdict(result) for cell, result in marking.tests.items()}
        self.add_to_report(name, student, tests=tests, notes=marking.notes)


def write_whole(path, content):
    """Write a file so that whoever is interrupted leaves the old one or the new one, never a half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def fingerprint(*parts):
    """A short text that changes when any of some files' contents, or texts, changes."""
    whole = hashlib.sha256()
    for part in parts:
        part = part if isinstance(part, bytes) else str(part).encode()
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()[:32]
