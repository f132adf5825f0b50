"""Matplotlib's SVG, made canonical: what is left is only what the reader sees.

Ids are short and unique on the page, numbers are rounded to .01 pt, black is the colour of the page's text, and
nothing (style sheet, font list, metadata) reaches outside the picture.
"""
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

__all__ = ["NUMBER", "NotFiniteError", "Picture", "canonical", "holds_lengths"]

_GEOMETRY = frozenset("d x y x1 y1 x2 y2 cx cy r rx ry points width height transform viewBox".split())
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")

_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_NOT_FINITE = re.compile(r"nan|inf")
_STYLE_NOT_FINITE = re.compile(r":[^;']*\b(?:nan|inf)\b")     # not a font in quotes
_NO_ROTATION = re.compile(r"\s*rotate\(-?0(?: [^)]*)?\)")
_BOOK_FONT = re.compile(r"; font-family: 'DejaVu Sans'(?:,[^;]*)?")
_ROOT = {
    "aria-hidden": "true",      # the element around it carries the alt sentence
    "fill": "currentColor",
    "stroke-linejoin": "round",
    "font-family": "'DejaVu Sans', Verdana, sans-serif",
}


class NotFiniteError(ValueError):
    """A number of the picture, such as a coordinate or the width of a line, is not finite."""


@dataclass(frozen=True)
class Picture:
    """An SVG taken apart in document order.

    Parameters
    ----------
    shape : tuple
        For each element ``(tag, attribute names, whether it holds text)``, and ``None`` where one ends.
    values : list of str
        The attribute values and texts in the same order.

    Examples
    --------
    >>> canonical('<svg><text x="1.2345" y="0">hi</text></svg>', "demo").values[-3:]
    ['1.23', '0', 'hi']
    """

    shape: tuple
    values: list

    def markup(self):
        """Write the picture as SVG that can stand inside an HTML page."""
        values = iter(self.values)
        pieces, open_tags = [], []
        for token in self.shape:
            if token is None:
                pieces.append(f"</{open_tags.pop()}>")
                continue
            tag, names, has_text = token
            attributes = "".join(f' {name}="{_escape(next(values))}"' for name in names)
            pieces.append(f"<{tag}{attributes}>" + (_escape(next(values)) if has_text else ""))
            open_tags.append(tag)
        return "".join(pieces)


def canonical(svg, name):
    """Take matplotlib's SVG apart and make it canonical.

    Parameters
    ----------
    svg : str
        As matplotlib writes it.
    name : str
        Prefix of the ids, unique on the page.

    Returns
    -------
    Picture

    Raises
    ------
    NotFiniteError
        If a coordinate or a number of a style is not finite.
    xml.etree.ElementTree.ParseError
        If the text is not well-formed XML.

    Examples
    --------
    >>> canonical('<svg><path style="fill: #000000" d="M 0.004 1 "/></svg>', "demo").values[-2:]
    ['fill: currentColor', 'M0 1']
    """
    root = ElementTree.fromstring(svg)
    ids = _renumbered_ids(root, name)
    shape, values = [], []

    def visit(element):
        tag = element.tag.rpartition("}")[2]
        if tag in ("metadata", "style"):
            return
        attributes = _attributes(tag, element.attrib, ids)
        bare = tag == "g" and not attributes        # a group without attributes does nothing
        if tag == "svg":
            attributes = {**attributes, **_ROOT}
        has_text = not len(element) and bool(element.text and element.text.strip())
        if not bare:
            shape.append((tag, tuple(attributes), has_text))
            values.extend(attributes.values())
            values.extend([element.text] if has_text else [])
        for child in element:
            visit(child)
        if not bare:
            shape.append(None)

    visit(root)
    return Picture(tuple(shape), values)


def _renumbered_ids(root, name):
    """Map each id that is referred to onto ``fig-<name>_<number>``; the other ids are dropped."""
    used = set()
    for element in root.iter():
        for key, value in element.attrib.items():
            if key.endswith("href") and value.startswith("#"):
                used.add(value[1:])
            elif "url(" in value:
                used.update(_REFERENCE.findall(value))
    found = (element.get("id") for element in root.iter())
    return {old: f"fig-{name}_{number}" for number, old in enumerate(old for old in found if old in used)}


def holds_lengths(attribute, value):
    """Whether the numbers of an attribute are lengths in points or angles in degrees.

    Factors of a scale or a matrix are not: they multiply lengths, and rounding them to .01 would be visible.

    Examples
    --------
    >>> holds_lengths("transform", "translate(3 4)"), holds_lengths("transform", "scale(0.015625)")
    (True, False)
    """
    return attribute in _GEOMETRY and "scale" not in value and "matrix" not in value


def _attributes(tag, attributes, ids):
    """Attributes of one element without what the reader cannot see."""
    result = {}
    for key, value in attributes.items():
        key = key.rpartition("}")[2]
        if key == "id":
            value = ids.get(value)
        elif key == "href" and value.startswith("#"):
            value = "#" + ids.get(value[1:], value[1:])
        elif key in _GEOMETRY:
            value = _geometry(tag, key, value)
        else:
            if key == "style" and _STYLE_NOT_FINITE.search(value):
                raise _not_finite(tag, key, value)
            value = _BOOK_FONT.sub("", value).replace("#000000", "currentColor")
            value = _REFERENCE.sub(lambda match: f"url(#{ids.get(match[1], match[1])})", value)
        if value:
            result[key] = value
    return result


def _geometry(tag, key, value):
    if _NOT_FINITE.search(value):
        raise _not_finite(tag, key, value)
    if tag == "svg":        # the size of the picture stays as it is
        return value
    if key == "d":
        value = re.sub(r"\s*([A-Za-z])\s*", r"\1", value.strip())
    elif key == "transform":
        value = _NO_ROTATION.sub("", value)
    return NUMBER.sub(_rounded, value) if holds_lengths(key, value) else value


def _not_finite(tag, key, value):
    return NotFiniteError(f"{tag} has {key}={value!r}, which is not finite")


def _rounded(match):
    """Round to .01 pt and write the number as JavaScript does (0.5, 12, -3.25)."""
    text = f"{round(float(match[0]) * 100) / 100:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
