"""One style sheet for the whole site, with only the rules and icons that its pages use.

The theme and the extensions bring a dozen sheets and three fonts of icons, 0.3 MB on the line, of which a page uses a
tenth. After the build the sheets that all pages share become ``_static/site.css``: in their order, without the rules
for classes that occur nowhere, with the few icons inside. A sheet that only some pages load stays as it is, and so
stay the names of the book's own classes: a sheet is thinned out by its pages, not by guesses.
"""
import base64
import hashlib
import io
import logging
import posixpath
import re
import shutil

import tinycss2
from fontTools import subset

SHEET = "site.css"
"""Name of the sheet below ``_static``."""

# Classes that scripts put together from parts, or that computed output brings along.
_ALWAYS = {"dataframe"}
logging.getLogger("fontTools.subset").setLevel(logging.WARNING)     # it reports each table of a font
_LINK = re.compile(r'[ \t]*<link(?=[^>]*rel="stylesheet")(?![^>]*media=)'
                   r'[^>]*href="([^"?]*_static/)([^"?]+\.css)[^"]*"[^>]*>\n?')
_WORD = re.compile(r"[A-Za-z_][\w-]*")
_CLASS = re.compile(r"\.((?:[\w-]|[^\x00-\x7f]|\\.)+)")
_IMPORT = re.compile(r'@import\s+(?:url\()?"([^":]+)"\)?\s*;')
_URL = re.compile(r"url\((['\"]?)(?!data:|#|/|\w+:)([^)'\"]+)\1\)")
_FACE = re.compile(r"@font-face\s*\{[^}]*\}")
_ICON = re.compile(r'\\([0-9a-f]{2,6})|([^\x00-\x7f])|content:\s*"([^"\\])"')
_PARTS = re.compile(r'data-parts="([^"]*)"')


def words_of(texts):
    """All words that can be the name of a class in pages and scripts.

    Parameters
    ----------
    texts : iterable of str

    Returns
    -------
    set of str
    """
    return _ALWAYS.union(*(_WORD.findall(text) for text in texts))


def thin_out(sheet, words):
    """Leave out the selectors that no page can match, and the rules that have none left.

    Parameters
    ----------
    sheet : str
        CSS.
    words : set of str
        Names of classes that may occur.

    Returns
    -------
    str
        CSS; licences (comments that begin with ``!``) stay.
    """
    return "".join(_kept(tinycss2.parse_stylesheet(sheet, skip_whitespace=True), words))


def _kept(rules, words):
    for rule in rules:
        if rule.type == "comment" and rule.value.startswith("!"):
            yield f"/*{rule.value}*/\n"
        elif rule.type == "qualified-rule":
            selectors = [text for text in _selectors(rule.prelude) if _can_match(text, words)]
            if selectors:
                yield f"{','.join(selectors)}{{{_tight(rule.content)}}}\n"
        elif rule.type == "at-rule" and rule.lower_at_keyword in ("media", "supports", "layer") and rule.content:
            inner = "".join(_kept(tinycss2.parse_rule_list(rule.content, skip_whitespace=True), words))
            if inner:
                yield f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude).rstrip()}{{\n{inner}}}\n"
        elif rule.type == "at-rule":
            yield rule.serialize() + "\n"
        elif rule.type == "error":
            raise ValueError(f"a style sheet holds what is no CSS: {rule.message}, line {rule.source_line}")


def _selectors(prelude):
    """Split at the commas that stand outside of brackets."""
    part = []
    for token in [*prelude, None]:
        if token is None or (token.type == "literal" and token.value == ","):
            yield tinycss2.serialize(part).strip()
            part = []
        elif token.type != "comment":
            part.append(token)


def _tight(tokens):
    text = tinycss2.serialize([token for token in tokens if token.type != "comment"])
    return re.sub(r"\s*\n\s*", "", text).strip()


def _can_match(selector, words):
    """Whether all classes of a selector occur; what stands in brackets (``:not``, ``:is``) is not looked at."""
    while "(" in selector:
        selector, before = re.sub(r"\([^()]*\)", "", selector), selector
        if selector == before:
            return True
    return all(re.sub(r"\\", "", name) in words for name in _CLASS.findall(re.sub(r"\[[^]]*\]", "", selector)))


def read_sheet(static, part):
    """A sheet as it reads below ``_static``: imports filled in, addresses relative to that folder.

    Parameters
    ----------
    static : pathlib.Path
    part : str
        Path of the sheet below `static`.

    Returns
    -------
    str
    """
    folder = posixpath.dirname(part)

    def imported(match):
        return read_sheet(static, posixpath.normpath(posixpath.join(folder, match[1])))

    def address(match):
        return f'url("{posixpath.normpath(posixpath.join(folder, match[2]))}")'

    text = (static / part).read_text("utf8").replace("\ufeff", "")
    return _IMPORT.sub(imported, _URL.sub(address, re.sub(r'@charset "[^"]*";', "", text)))


def put_icons_inside(sheet, static):
    """Put the icons that a sheet names into it, and leave the fonts of all others out.

    Parameters
    ----------
    sheet : str
    static : pathlib.Path

    Returns
    -------
    str
    """
    rest = _FACE.sub("", sheet)
    wanted = {int(code, 16) if code else ord(sign or letter) for code, sign, letter in _ICON.findall(rest)}

    def face(match):
        font = re.search(r'url\("(vendor/fontawesome/[^"]+\.woff2)"\)', match[0])
        if font is None:
            return match[0]
        family = re.search(r"font-family:\s*(['\"]?)(.*?)\1\s*[;}]", match[0])[2].replace("\\", "")
        data = _subset(static / font[1], wanted) if family in rest else None
        if data is None:
            return ""
        address = f'url("data:font/woff2;base64,{base64.b64encode(data).decode()}") format("woff2")'
        return re.sub(r"src:[^;}]*", lambda _: f"src:{address}", match[0])

    return _FACE.sub(face, sheet)


def _subset(path, codes):
    """A font with only some of its characters, or None when it has none of them."""
    options = subset.Options(flavor="woff2", layout_features=[], hinting=False, notdef_outline=True)
    font = subset.load_font(path, options)
    font.recalcTimestamp = False
    found = codes & set(font.getBestCmap())
    if not any(code > 0xFF for code in found):
        return None
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=found)
    cutter.subset(font)
    written = io.BytesIO()
    subset.save_font(font, written, options)
    return written.getvalue()


def parts_of(page):
    """The sheets of a page below ``_static``, in order; those in the shared sheet as well.

    Parameters
    ----------
    page : str
        HTML.

    Returns
    -------
    list of str
    """
    found = []
    for match in _LINK.finditer(page):
        held = _PARTS.search(match[0])
        found += held[1].split() if held else [match[2]]
    return found


def share(page, parts, digest):
    """Let a page load the shared sheet in the place of its first part.

    Parameters
    ----------
    page : str
        HTML.
    parts : list of str
        What the shared sheet holds.
    digest : str
        Changes when the sheet changes, so that no browser uses an old copy.

    Returns
    -------
    str
        HTML; what the sheet holds is written beside its address, so that the next build finds it again.
    """
    done = False

    def link(match):
        nonlocal done
        if match[2] != SHEET and match[2] not in parts:
            return match[0]
        if done:
            return ""
        done = True
        return f'<link rel="stylesheet" href="{match[1]}{SHEET}?v={digest}" data-parts="{" ".join(parts)}">\n'

    return _LINK.sub(link, page)


def merge(out, pages):
    """Write the shared sheet of a site, let its pages load it, and delete what it replaces.

    Parameters
    ----------
    out : pathlib.Path
        The site.
    pages : dict of pathlib.Path to str
        HTML of all pages; changed in place.
    """
    static = out / "_static"
    lists = {path: found for path, page in pages.items() if (found := parts_of(page))}
    shortest = min(lists.values(), key=len, default=[])
    parts = [part for part in shortest if all(part in others for others in lists.values())]
    scripts = [path.read_text("utf8") for path in static.rglob("*.js") if "vendor" not in path.parts]
    if not parts or not all((static / part).is_file() for part in parts):
        return      # nothing was written since the last build
    words = words_of([*pages.values(), *scripts])
    sheet = put_icons_inside("".join(thin_out(read_sheet(static, part), words) for part in parts), static)
    digest = hashlib.sha256(sheet.encode()).hexdigest()[:8]
    (static / SHEET).write_text(sheet, "utf8")
    for path in lists:
        pages[path] = share(pages[path], parts, digest)
    for part in {*parts, "basic.css"}:      # imported by the theme's first sheet
        (static / part).unlink()
    shutil.rmtree(static / "vendor" / "fontawesome")
