"""Reader for ``.safetensors`` that never holds a whole tensor.

The NumPy side of the safetensors package knows no bfloat16 and hands out whole tensors only, hence our own reader.

The file: 8 bytes (length of the header, little-endian), the header (JSON), the data. The header maps the name of each
tensor to its ``dtype``, ``shape`` and ``data_offsets`` [begin, end), counted from the end of the header. Files come
from strangers: everything that the header says is checked before it is used, as strictly as the package does.

References
----------
https://github.com/huggingface/safetensors#format
"""
import json
import os
from functools import cache

import numpy as np

from .tensors import CheckpointError, Tensor, element_count, named_errors, quoted, read_blocks

__all__ = ["LARGEST_HEADER", "parse_json", "read_safetensors"]

LARGEST_HEADER = 100_000_000    # bytes; the limit of the safetensors package

# Bits of one number of each type that the format knows.
_BITS = {
    "BOOL": 8, "I8": 8, "U8": 8, "I16": 16, "U16": 16, "I32": 32, "U32": 32, "I64": 64, "U64": 64,
    "F64": 64, "F32": 32, "F16": 16, "BF16": 16, "F8_E4M3": 8, "F8_E5M2": 8,
    "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "F8_E8M0": 8, "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4, "C64": 64,
}
_STORED = {
    "F64": np.dtype("<f8"), "F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "BF16": np.dtype("<u2"),
    "F8_E4M3": np.dtype("u1"), "F8_E5M2": np.dtype("u1"),
}


def read_safetensors(path):
    """List the tensors of a ``.safetensors`` file; their numbers are read later, block by block.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    list of Tensor
        In the order of their data.

    Raises
    ------
    CheckpointError
        If the file is not exactly what the format demands.

    Examples
    --------
    >>> import json, tempfile
    >>> header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    >>> with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
    ...     size = file.write(len(header).to_bytes(8, "little") + header + np.array([3, 4], "<f4").tobytes())
    ...     file.flush()
    ...     [w] = read_safetensors(file.name)
    ...     w.name, w.shape, list(w.blocks())
    ('w', (2,), [array([3., 4.], dtype=float32)])
    """
    path = os.fspath(path)
    where = quoted(path)
    with named_errors(path), open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > size - 8:
            raise CheckpointError(f"{where}: no safetensors file, or cut off within its header")
        if length > LARGEST_HEADER:
            raise CheckpointError(f"{where}: header of {length} bytes, more than {LARGEST_HEADER}")
        header = parse_json(file.read(length), where)
    entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
    data = 8 + length
    spans = {name: _checked_span(entry, size - data, f"{where}, tensor '{quoted(name)}'")
             for name, entry in entries.items()}
    names = sorted(spans, key=spans.get)
    end = 0
    for name in names:
        if spans[name][0] != end:
            problem = "overlaps another" if spans[name][0] < end else "leaves a gap before it"
            raise CheckpointError(f"{where}, tensor '{quoted(name)}': its data {problem}")
        end = spans[name][1]
    if end != size - data:
        raise CheckpointError(f"{where}: {size - data} bytes of data, but the header describes {end}")
    return [_tensor(path, name, entries[name], data + spans[name][0]) for name in names]


def parse_json(text, where):
    """Parse the bytes of a JSON object that may be hostile.

    Parameters
    ----------
    text : bytes
    where : str
        The file, for messages.

    Returns
    -------
    dict

    Raises
    ------
    CheckpointError
        If ``text`` is no JSON object, names a key twice, or is nested too deeply.

    Examples
    --------
    >>> parse_json(b'{"a": 1, "a": 2}', "demo")
    Traceback (most recent call last):
    derivations.commands.tensors.CheckpointError: demo: the key 'a' stands twice in the header
    """
    def unique(pairs):
        keys = set()
        for key, _ in pairs:
            if key in keys:
                raise CheckpointError(f"{where}: the key '{quoted(key)}' stands twice in the header")
            keys.add(key)
        return dict(pairs)

    try:
        value = json.loads(text.decode("utf-8"), object_pairs_hook=unique)
    except CheckpointError:
        raise
    except (ValueError, RecursionError) as error:    # ValueError: no UTF-8, no JSON, a number of too many digits
        raise CheckpointError(f"{where}: the header is no valid JSON") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{where}: the header is no JSON object")
    return value


def _checked_span(entry, room, where):
    """(begin, end) of a tensor's data, after every check that this one entry allows."""
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise CheckpointError(f"{where}: needs exactly dtype, shape and data_offsets")
    dtype, offsets = entry["dtype"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _BITS:
        raise CheckpointError(f"{where}: unknown dtype")
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(type(offset) is int for offset in offsets):
        raise CheckpointError(f"{where}: data_offsets must be two integers")
    begin, end = offsets
    if not 0 <= begin <= end <= room:
        raise CheckpointError(f"{where}: data_offsets lie outside the data")
    bits = _BITS[dtype] * element_count(entry["shape"], 8 * room, where)
    if bits != 8 * (end - begin):
        raise CheckpointError(f"{where}: {end - begin} bytes of data do not match shape and dtype")
    return begin, end


def _tensor(path, name, entry, start):
    dtype, shape = entry["dtype"], tuple(entry["shape"])
    if dtype not in _STORED:
        kind = "integer" if dtype[0] in "BIU" else "unsupported"
    else:
        kind = "float8" if dtype.startswith("F8") else "float"

    def blocks():
        where = f"{quoted(path)}, tensor '{quoted(name)}'"
        with named_errors(path), open(path, "rb") as file:
            file.seek(start)
            elements = element_count(shape, 2**63, where)
            for stored in read_blocks(file, _STORED[dtype], elements, where):
                yield _decode(dtype, stored)

    return Tensor(name, shape, dtype, path, kind, blocks)


def _decode(dtype, stored):
    """Numbers of a type that NumPy has, with the values of ``stored``."""
    if dtype == "BF16":    # the upper half of a float32
        return (stored.astype(np.uint32) << 16).view(np.float32)
    if dtype == "F8_E5M2":    # the upper half of a float16
        return (stored.astype(np.uint16) << 8).view(np.float16)
    if dtype == "F8_E4M3":
        return _e4m3_values()[stored]
    return stored


@cache
def _e4m3_values():
    """The 256 numbers of an F8_E4M3: sign, 4 bits of exponent with bias 7, 3 bits of mantissa; no infinity."""
    code = np.arange(256)
    exponent, mantissa = code >> 3 & 15, code & 7
    magnitude = np.where(exponent > 0, np.ldexp(1 + mantissa / 8, exponent - 7), np.ldexp(mantissa / 8, -6))
    magnitude[code & 127 == 127] = np.nan
    return np.where(code & 128, -magnitude, magnitude).astype(np.float32)
