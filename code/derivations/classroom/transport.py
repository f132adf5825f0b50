"""Data, and nothing but data, between a student's process and the one that marks.

Values travel as JSON: plain numbers, text, lists and dictionaries as they are, arrays as their bytes with type and
shape. Nothing that arrives is ever executed or unpickled.
"""
import base64
import json
import math
import numbers

import numpy as np

__all__ = ["LARGEST_PICTURE", "LARGEST_REPLY", "NotData", "decode", "encode", "pack", "unpack"]

LARGEST_REPLY = 8 << 20    # bytes of one message
LARGEST_PICTURE = 400_000  # bytes
LONGEST_EMPTY = 1000       # of the lengths of an array without elements: it costs nothing to send, much to walk along
DEEPEST = 8                # levels of lists in lists
KINDS = "biufcSU"          # boolean, integer, float, complex, bytes, text: types whose bytes are the whole value


class NotData(ValueError):
    """A value that is no number, text, array, or list or dictionary of them; or a message that is malformed."""


def encode(value, depth=0):
    """A value as JSON can hold it.

    Parameters
    ----------
    value : None, bool, int, float, complex, str, numpy array or scalar, list, tuple, set or dict
        A dictionary's keys become text. A range becomes a list, a fraction or a number of SymPy a float.

    Returns
    -------
    list
        ``[kind, ...]``, for :func:`decode`.

    Raises
    ------
    NotData
        If the value, or something in it, is anything else; the message names its type.

    Examples
    --------
    >>> encode({"rms": 0.25})
    ['dict', [['rms', ['float', '0.25']]]]
    >>> decode(encode((1, 2j)))
    [1, 2j]
    """
    if depth > DEEPEST:
        raise NotData(f"lists in lists more than {DEEPEST} deep")
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        if array.dtype.kind not in KINDS:
            raise NotData(f"an array of type {array.dtype}, not of numbers")
        array = array.astype(array.dtype.newbyteorder("<"), order="C")
        return ["array", array.dtype.str, list(array.shape), base64.b64encode(array.tobytes()).decode()]
    if value is None or isinstance(value, bool):
        return ["plain", value]
    if isinstance(value, int):
        if value.bit_length() > 4096:
            raise NotData("an integer of more than 4096 bits")
        return ["int", hex(value)]
    if isinstance(value, float):
        return ["float", repr(float(value))]
    if isinstance(value, complex):
        return ["complex", repr(value.real), repr(value.imag)]
    if isinstance(value, str):
        return ["text", str(value)]
    if isinstance(value, numbers.Integral):
        return encode(int(value), depth)
    if isinstance(value, numbers.Real):    # SymPy's numbers, fractions
        return encode(float(value), depth)
    if isinstance(value, (list, tuple, set, frozenset, range)):
        return ["list", [encode(item, depth + 1) for item in value]]
    if isinstance(value, dict):
        return ["dict", [[str(key), encode(item, depth + 1)] for key, item in value.items()]]
    raise NotData(f"a value of type {type(value).__name__}, not numbers, text or lists of them")


def decode(message, depth=0):
    """The value that :func:`encode` was given (tuples and sets as lists), from a message nobody vouches for.

    Raises
    ------
    NotData
        If the message is malformed in any way.
    """
    try:
        if depth > DEEPEST:
            raise NotData(f"lists in lists more than {DEEPEST} deep")
        kind, *rest = message
        if kind == "array":
            name, shape, text = rest
            dtype = np.dtype(str(name))
            if dtype.kind not in KINDS or dtype.hasobject:
                raise NotData(f"an array of type {dtype}")
            if not (dtype.itemsize and all(isinstance(n, int) and n >= 0 for n in shape)):
                raise NotData(f"an array of shape {shape!r}")
            array = np.frombuffer(base64.b64decode(text, validate=True), dtype)
            if array.size != math.prod(shape):
                raise NotData(f"{array.size} numbers for an array of shape {shape!r}")
            if not array.size and max(shape) > LONGEST_EMPTY:
                raise NotData(f"an empty array of shape {shape!r}"[:200])
            array = array.reshape(shape).copy()
            return array[()] if array.ndim == 0 else array
        if kind == "list":
            return [decode(item, depth + 1) for item in rest[0]]
        if kind == "dict":
            return {str(key): decode(item, depth + 1) for key, item in rest[0]}
        [value, *more] = rest
        if kind == "plain" and (value is None or isinstance(value, bool)):
            return value
        if kind == "text" and isinstance(value, str):
            value.encode()    # halves of pairs, which no file can hold, raise here
            return value
        if kind == "int" and len(value) <= 1100:
            return int(value, 16)
        if kind == "float":
            return float(value)
        if kind == "complex":
            return complex(float(value), float(more[0]))
    except NotData:
        raise
    except (TypeError, ValueError, IndexError, OverflowError, RecursionError, MemoryError) as error:
        raise NotData(f"malformed: {type(error).__name__}") from None
    raise NotData("malformed: unknown kind of value")


def pack(message):
    """A message as one line of bytes."""
    return json.dumps(message).encode() + b"\n"


def unpack(line):
    """The message of one line of bytes.

    Raises
    ------
    NotData
        If it is no JSON, or longer than ``LARGEST_REPLY``.
    """
    if len(line) > LARGEST_REPLY:
        raise NotData(f"more than {LARGEST_REPLY >> 20} MB")
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise NotData("malformed: no JSON") from None
