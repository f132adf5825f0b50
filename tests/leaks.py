"""Look for an assignment's solutions, hidden tests and model answers in finished files.

A secret is a *pair* of neighbouring lines of such a part, or one *long line*. Single short lines are none: a line such
as ``return np.sqrt(np.mean(x**2))`` is common property, and chapters may hold it. What also stands in the student's
version of the same assignment is no secret either, nor a line of formulas alone that is in a chapter: the curvature
tensor is the same everywhere. Nothing else is exempt. So a teacher's file that is copied into a chapter is found, by
its code and its sentences.

Only letters and digits are compared. So it does not matter whether a line was indented, coloured (HTML tags), escaped
(HTML, JSON), cut into a notebook's list of lines, or typeset.
"""
import hashlib
import html
import io
import re
import zipfile

import numpy as np

from derivations.classroom.sources import HIDDEN, SOLUTION

LONG = 40      # letters and digits of a line that is a secret by itself
PAIR = 24      # of two neighbouring lines
_PREFIX = 8    # bytes that are looked for first


def parts(assignment):
    """Texts that students must not see: solutions, hidden tests, model answers."""
    for cell in assignment.notebook.cells:
        grade = cell.metadata.get("nbgrader", {})
        if grade.get("grade") and grade.get("solution"):
            yield cell.source
        for begin, end in (SOLUTION, HIDDEN):
            yield from re.findall(rf"{begin}\n(.*?){end}", cell.source, re.S)


def secrets(texts, public, chapters=""):
    """Secrets in some texts.

    Parameters
    ----------
    texts : iterable of str
        From :func:`parts`.
    public : str
        The student's version.
    chapters : str
        The chapters' sources.

    Returns
    -------
    dict of str to str
        By the squeezed text of each, the lines as they were written.
    """
    public, chapters, found = squeeze(public), squeeze(chapters), {}
    for part in texts:
        lines = [line.strip() for line in part.splitlines() if squeeze(line)]
        pairs = [f"{first}\n{second}" for first, second in zip(lines, lines[1:])]
        long = LONG if pairs else PAIR    # a part of one line has no pair
        for text, least in [*((line, long) for line in lines), *((pair, PAIR) for pair in pairs)]:
            key = squeeze(text)
            if len(key) >= least and key not in public and not (_formulas_alone(text) and key in chapters):
                found[key] = text
    return found


def _formulas_alone(text):
    return "\\" in text and not re.search(r"[^\W\d_]{3}", re.sub(r"\\[A-Za-z]+", " ", text))


def squeeze(text):
    """Letters and digits of a text."""
    return re.sub(r"[\W_]+", "", text)


def views(text):
    """A text as it stands, without JSON's escapes, and both of them without HTML's tags and escapes."""
    # A backslash that JSON does not know is left: it may belong to a formula.
    plain = re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)
    plain = re.sub(r'\\(["\\/nrt])', lambda match: " " if match[1] in "nrt" else match[1], plain)
    for one in dict.fromkeys((text, plain)):
        yield one
        bare = re.sub(r"</?[A-Za-z][^<>]*>", "", one)
        yield from {html.unescape(bare), html.unescape(one)} - {one}


def blobs(path, name=None):
    """Names and bytes of a file, and of all files in it if it is a zip file or a wheel, however deep."""
    data = path if isinstance(path, bytes) else path.read_bytes()
    name = name or str(path)
    yield name, data
    if data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.namelist():
                yield from blobs(archive.read(member), f"{name}!{member}")


def leaks(folder, wanted):
    """Places where secrets stand: pairs of a file's name and the lines as they were written."""
    keys = [secret.encode() for secret in wanted]
    prefixes = np.unique(np.array([int.from_bytes(key[:_PREFIX], "little") for key in keys], np.uint64))
    by_prefix = {}
    for key in keys:
        by_prefix.setdefault(key[:_PREFIX], []).append(key)
    found, seen = set(), set()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        for name, data in blobs(path, str(path.relative_to(folder))):
            digest = hashlib.sha256(data).digest()    # the same wheel lies in every archive
            if digest in seen:
                continue
            seen.add(digest)
            for view in views(data.decode("utf8", "replace")):
                text = squeeze(view).encode("utf8", "replace")
                for place in _places(text, prefixes):
                    for key in by_prefix.get(text[place:place + _PREFIX], ()):
                        if text.startswith(key, place):
                            found.add((name, wanted[key.decode()]))
    return sorted(found)


def _places(text, prefixes):
    """Where one of the prefixes may begin: comparing numbers of eight bytes is fast enough for all bytes of a site."""
    for start in range(_PREFIX):
        count = (len(text) - start) // _PREFIX
        if count > 0:
            numbers = np.frombuffer(text, "<u8", count, start)
            for index in np.flatnonzero(np.isin(numbers, prefixes)):
                yield start + _PREFIX * int(index)
