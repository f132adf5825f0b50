"""One tensor of a checkpoint: what its file says of it, and its numbers block by block."""
import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["BLOCK", "CheckpointError", "Tensor", "element_count", "named_errors", "quoted", "read_blocks"]

BLOCK = 2**20    # numbers held in memory at a time
_MOST_DIMENSIONS = 64    # as many as NumPy and torch have


class CheckpointError(ValueError):
    """A checkpoint file is damaged, hostile, or of a kind that cannot be read; the text names the file."""


@dataclass(frozen=True)
class Tensor:
    """One tensor of a checkpoint.

    Parameters
    ----------
    name : str
        As the file has it: it may hold any character, see :func:`quoted`.
    shape : tuple of int
    dtype : str
        As the file has it.
    file : str
        Path of the file.
    kind : {"float", "float8", "integer", "unsupported"}
        Only floats have an RMS.
    blocks : callable
        Takes no argument; yields the numbers in storage order, as float arrays of at most ``BLOCK`` numbers. Fails
        with :class:`CheckpointError` if the data is damaged. Only for floats.
    """

    name: str
    shape: tuple
    dtype: str
    file: str
    kind: str
    blocks: Callable


def quoted(text):
    r"""``text`` in printable ASCII: a name from a file must not steer the terminal.

    Examples
    --------
    >>> quoted("layer\x1b[2J")
    'layer\\x1b[2J'
    """
    return ascii(text)[1:-1]


@contextlib.contextmanager
def named_errors(path):
    """Turn the system's errors for the file ``path`` into :class:`CheckpointError`."""
    try:
        yield
    except OSError as error:
        raise CheckpointError(f"{quoted(os.fspath(path))}: {error.strerror or error}") from error


def element_count(shape, most, where):
    """Number of elements of a tensor; ``shape`` comes from a file and may be anything.

    Parameters
    ----------
    shape : object
        Sequence of lengths, as parsed.
    most : int
        Larger numbers are refused. The product is never computed beyond it: lengths may have thousands of digits.
    where : str
        File and tensor, for messages.

    Returns
    -------
    int

    Raises
    ------
    CheckpointError
        If ``shape`` is not a list of integers >= 0, too long, or has too many elements.

    Examples
    --------
    >>> element_count([3, 4], most=100, where="demo")
    12
    """
    if not isinstance(shape, list | tuple) or not all(type(length) is int and length >= 0 for length in shape):
        raise CheckpointError(f"{where}: shape must be a list of integers >= 0")
    if len(shape) > _MOST_DIMENSIONS:
        raise CheckpointError(f"{where}: shape has {len(shape)} dimensions, more than {_MOST_DIMENSIONS}")
    if 0 in shape:
        return 0
    product = 1
    for length in shape:
        if length > most or product * length > most:
            raise CheckpointError(f"{where}: shape has more elements than the file has room for")
        product *= length
    return product


def read_blocks(stream, dtype, elements, where):
    """Yield ``elements`` numbers of a binary stream, at most ``BLOCK`` at a time, as arrays of type ``dtype``."""
    for start in range(0, elements, BLOCK):
        wanted = min(BLOCK, elements - start) * dtype.itemsize
        data = stream.read(wanted)
        if len(data) != wanted:
            raise CheckpointError(f"{where}: the data ends early")
        yield np.frombuffer(data, dtype)
