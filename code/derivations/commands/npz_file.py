"""Reader for ``.npz`` that never holds a whole array and never unpickles.

An ``.npz`` is a ZIP file of ``.npy`` members: a header (shape, dtype) and the numbers. Files come from strangers:
objects are refused, and so are archives whose members promise more than they can hold.
"""
import io
import os
import tokenize
import warnings
import zipfile
import zlib

import numpy as np

from .tensors import CheckpointError, Tensor, element_count, named_errors, quoted, read_blocks

__all__ = ["read_npz"]

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)    # those that NumPy writes
_HEADER = 16_384    # bytes; NumPy's own limit is 10,000 characters
# What zipfile, zlib and NumPy's header parser raise on damaged input.
_DAMAGE = (
    ValueError, SyntaxError, TypeError, KeyError, IndexError, AttributeError, RuntimeError, OverflowError,
    EOFError, MemoryError, NotImplementedError, zipfile.BadZipFile, zlib.error, tokenize.TokenError,
)


def read_npz(path, stack):
    """List the arrays of an ``.npz`` file; their numbers are read later, block by block.

    Parameters
    ----------
    path : path-like
    stack : contextlib.ExitStack
        Keeps the archive open as long as its arrays are read.

    Returns
    -------
    list of Tensor
        In the order of the archive.

    Raises
    ------
    CheckpointError
        If the file is damaged or hostile.

    Examples
    --------
    >>> import contextlib, tempfile
    >>> with tempfile.NamedTemporaryFile(suffix=".npz") as file, contextlib.ExitStack() as stack:
    ...     np.savez(file, w=np.array([[3.0, 4.0]]))
    ...     file.flush()
    ...     [w] = read_npz(file.name, stack)
    ...     w.name, w.shape, w.dtype, list(w.blocks())
    ('w', (1, 2), 'float64', [array([3., 4.])])
    """
    path = os.fspath(path)
    where = quoted(path)
    with named_errors(path):
        size = os.path.getsize(path)
        try:
            archive = stack.enter_context(zipfile.ZipFile(path))
        except _DAMAGE as error:
            raise CheckpointError(f"{where}: no ZIP file, or a damaged one") from error
        members = archive.infolist()
        _check_archive(members, size, where)
        return [_tensor(path, archive, member) for member in members]


def _check_archive(members, size, where):
    if len({member.filename for member in members}) < len(members):
        raise CheckpointError(f"{where}: two members of the archive have the same name")
    # A ZIP bomb lets its members share the same compressed bytes. Otherwise deflate grows 1032-fold at most.
    if sum(member.compress_size for member in members) > size:
        raise CheckpointError(f"{where}: its members claim more bytes than the file has (a ZIP bomb?)")
    for member in members:
        problem = (
            "is no .npy file" if not member.filename.endswith(".npy")
            else "is encrypted" if member.flag_bits & 1
            else "is compressed in an unknown way" if member.compress_type not in _METHODS
            else None
        )
        if problem:
            raise CheckpointError(f"{where}: the member '{quoted(member.filename)}' {problem}")


def _tensor(path, archive, member):
    name = member.filename.removesuffix(".npy")
    where = f"{quoted(path)}, array '{quoted(name)}'"
    try:
        with archive.open(member) as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")    # NumPy warns of headers that Python 2 wrote
            head = io.BytesIO(stream.read(_HEADER))    # bounded: the header may claim to be of any length
            version = np.lib.format.read_magic(head)
            if version == (1, 0):
                shape, _, dtype = np.lib.format.read_array_header_1_0(head)
            elif version == (2, 0):
                shape, _, dtype = np.lib.format.read_array_header_2_0(head)
            else:
                raise ValueError(f"unknown version {version} of the .npy format")
    except _DAMAGE as error:
        raise CheckpointError(f"{where}: damaged, or no .npy file") from error
    if dtype.hasobject:
        raise CheckpointError(f"{where}: holds Python objects, which only pickle could read; refused")
    start = head.tell()
    room = member.file_size - start
    elements = element_count(shape, max(room, 0), where)
    if elements * dtype.itemsize != room:
        raise CheckpointError(f"{where}: {room} bytes of data do not match shape {shape} and dtype {dtype}")
    # Extended precision (a "float128" of NumPy) differs from machine to machine.
    kind = "float" if dtype.kind == "f" and dtype.itemsize <= 8 else "integer" if dtype.kind in "biu" else "unsupported"

    def blocks():
        try:
            with named_errors(path), archive.open(member) as stream:
                stream.read(start)
                yield from read_blocks(stream, dtype, elements, where)
        except CheckpointError:
            raise
        except _DAMAGE as error:
            raise CheckpointError(f"{where}: damaged data") from error

    return Tensor(name, tuple(shape), dtype.name, path, kind, blocks)
