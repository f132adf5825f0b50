"""Many frames of one figure as one picture plus what a control moves.

Frames that agree in their elements form a class. Within a class every attribute and every text is

* *constant*: stored once, in the SVG of the class;
* *numeric* (geometry whose text differs only in its numbers): hundredths of a point, differenced along the vertices
  (x with x, y with y) and then from frame to frame, zigzag-coded, split into byte planes;
* a *table* of distinct strings otherwise. Contours and images end here by themselves.

Everything is deflated once. No frame is interpolated: each is exactly what was drawn, within .005 pt.
The byte layout stands in :func:`pack`; ``assets/live-figures.js`` undoes it in the browser.
"""
import json
import zlib
from dataclasses import dataclass

import numpy as np

from .svg import NUMBER, holds_lengths

__all__ = ["Encoded", "encode", "snake_order"]

_LARGEST = 2**28    # hundredths of a point; keeps every zigzag-coded difference of differences within 32 bits


@dataclass(frozen=True)
class Encoded:
    """One figure, ready for the page.

    Parameters
    ----------
    svg : str
        The frame that is shown first.
    data : bytes
        Deflated description of all frames, see :func:`pack`.
    """

    svg: str
    data: bytes


def encode(pictures, default, order=None):
    """Encode the frames of one figure.

    Parameters
    ----------
    pictures : list of Picture
        Every frame.
    default : int
        Index of the frame that the page shows first.
    order : list of int, optional
        Order in which frames are differenced: neighbours should look alike. As given if omitted.

    Returns
    -------
    Encoded

    Examples
    --------
    >>> from derivations.explore.svg import canonical
    >>> frames = [canonical(f'<svg><path d="M 0 {y}"/></svg>', "demo") for y in (1, 2)]
    >>> encode(frames, default=1).svg.count("M0 2")
    1
    """
    classes = {}
    for index in order or range(len(pictures)):
        classes.setdefault(pictures[index].shape, []).append(index)
    parts = [_encode_class(pictures, members, default) for members in classes.values()]
    return Encoded(pictures[default].markup(), pack([head for head, _ in parts], [planes for _, planes in parts]))


def pack(heads, planes):
    """Deflate the classes of a figure into one block of bytes.

    Layout before deflating: length of the JSON (4 bytes, little endian), the JSON, then for each class its byte
    planes. The JSON is a list of classes, each with

    ``frames``
        Index of each frame of the class, in the order of the rows below.
    ``svg``
        One frame of the class as markup, or null: the picture that stands in the page.
    ``numeric``
        List of ``[element, attribute]``; their numbers, in order, are the columns.
    ``planes``
        Bytes a number.
    ``columns``
        Numbers a frame.
    ``tables``
        List of ``[element, attribute or "" for text, strings, one index a frame]``.

    Elements are counted in document order; the svg element itself is 0.

    Parameters
    ----------
    heads : list of dict
    planes : list of bytes

    Returns
    -------
    bytes

    Examples
    --------
    >>> zlib.decompress(pack([], []))
    b'\\x02\\x00\\x00\\x00[]'
    """
    text = json.dumps(heads, separators=(",", ":"), ensure_ascii=False).encode()
    return zlib.compress(len(text).to_bytes(4, "little") + text + b"".join(planes), 9)


def snake_order(lengths):
    """Order a grid so that each frame is one step of one control away from the frame before.

    Parameters
    ----------
    lengths : list of int
        Number of values of each control; frames are numbered with the last control running fastest.

    Returns
    -------
    list of int

    Examples
    --------
    >>> snake_order([2, 3])
    [0, 1, 2, 5, 4, 3]
    """
    order = np.zeros(1, dtype=int)
    for length in lengths:
        rows = order[:, None] * length + np.arange(length)
        rows[1::2] = rows[1::2, ::-1]
        order = rows.ravel()
    return order.tolist()


def _encode_class(pictures, members, default):
    """Encode the frames of one class.

    Returns
    -------
    head : dict
        See :func:`pack`.
    planes : bytes
    """
    in_page = default in members
    model = pictures[default if in_page else members[0]]
    columns = list(zip(*(pictures[index].values for index in members)))
    numeric, tables, numbers = [], [], []
    for (element, attribute), column in zip(_slots(model.shape), columns):
        if column.count(column[0]) == len(column):
            continue
        block = _numbers(attribute, column)
        if block is None:
            tables.append([element, attribute, *_table(column)])
        else:
            numeric.append([element, attribute])
            numbers.append(block)
    rows = np.hstack(numbers) if numbers else np.zeros((len(members), 0), dtype=np.int64)
    coded = _zigzag(_differences(rows))
    count = max(1, (int(coded.max(initial=0)).bit_length() + 7) // 8)
    head = {
        "frames": members, "svg": None if in_page else model.markup(),
        "numeric": numeric, "planes": count, "columns": rows.shape[1], "tables": tables,
    }
    return head, b"".join(((coded >> 8 * plane) & 255).astype(np.uint8).tobytes() for plane in range(count))


def _slots(shape):
    """Yield (element number, attribute name or "" for text) of every value of a picture."""
    for element, (_, names, has_text) in enumerate(token for token in shape if token is not None):
        yield from ((element, name) for name in names)
        if has_text:
            yield element, ""


def _numbers(attribute, column):
    """Numbers of one attribute in every frame, in hundredths, or None if its text differs in more than numbers."""
    if not holds_lengths(attribute, column[0]):
        return None
    pattern = NUMBER.sub("#", column[0])
    if any(NUMBER.sub("#", text) != pattern for text in column):
        return None
    values = np.array([[float(number) for number in NUMBER.findall(text)] for text in column])
    hundredths = np.rint(values * 100)
    if not hundredths.size or np.abs(hundredths).max() > _LARGEST:
        return None
    # A number that is finer than .01 (the size of the svg element) must not be rounded here.
    return hundredths.astype(np.int64) if np.allclose(values * 100, hundredths, rtol=0, atol=1e-6) else None


def _table(column):
    strings = list(dict.fromkeys(column))
    numbered = {text: number for number, text in enumerate(strings)}
    return strings, [numbered[text] for text in column]


def _differences(rows):
    """Difference along the vertices (x with x, y with y), then from frame to frame."""
    along = rows.copy()
    along[:, 2:] -= rows[:, :-2]
    result = along.copy()
    result[1:] -= along[:-1]
    return result


def _zigzag(numbers):
    """Map 0, -1, 1, -2, ... to 0, 1, 2, 3, ..., so that small differences have empty high bytes."""
    return np.where(numbers < 0, -2 * numbers - 1, 2 * numbers)
