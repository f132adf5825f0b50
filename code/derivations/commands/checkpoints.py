"""The weights of a checkpoint, measured: one RMS for each tensor, and why the theory may not speak of it."""
import math
import os
import re
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np

from .npz_file import read_npz
from .safetensors_file import LARGEST_HEADER, parse_json, read_safetensors
from .tensors import CheckpointError, named_errors, quoted

__all__ = ["FLAGS", "Measurement", "flags", "measure", "open_checkpoint"]

FLAGS = {
    "integer": "integers or booleans are no weights: skipped",
    "unsupported": "unsupported dtype: skipped",
    "float8": "8-bit floats: their scale is usually kept apart, so the RMS may be that of scaled weights",
    "non-finite": "holds NaN or infinity: no RMS",
    "vector": "fewer than 2 dimensions: biases and norm gains are usually not decayed, and their mean gradient does "
              "not vanish",
    "small": "fewer than 256 numbers: the measured RMS alone has a standard error above 4 %",
    "constant": "all numbers are equal: never trained, or no weight",
    "embedding": "an embedding by its name: most rows have no gradient in most steps, while weight decay acts in all",
    "head": "an output head by its name: its gradients keep their sign as long as the logits grow",
    "optimizer": "state of an optimizer by its name: no weight",
}
_SMALLEST = 256    # numbers; the relative standard error of an RMS of normal weights is 1 / sqrt(2 n)

# Whole words of a lower-case name; a word ends where no letter follows. Patch embeddings see every input.
_EMBEDDING = re.compile(
    r"(?<!patch_)(?<![a-z])(?:emb|embd|embed|embedder|embeddings?|wte|wpe)(?![a-z])|^shared\.weight$"
)
_HEAD = re.compile(r"(?<![a-z])(?:head|classifier|unembed|embed_out|logits)(?![a-z])|^(?:output|fc)\.weight$")
_OPTIMIZER = re.compile(r"exp_avg|exp_inf|optim|opt_state|momentum_buffer|(?<![a-z])(?:mu|nu)(?![a-z])")


@contextmanager
def open_checkpoint(paths):
    """Open the files of one checkpoint.

    Parameters
    ----------
    paths : list of path-like
        ``.safetensors`` and ``.npz`` files (the shards of one checkpoint) or ``.safetensors.index.json``, which names
        its shards.

    Yields
    ------
    list of Tensor
        Tensors of all files, in the order of the files.

    Raises
    ------
    CheckpointError
        If a file is missing, damaged, hostile or of another kind, or two files hold a tensor of the same name.
    """
    with ExitStack() as stack:
        tensors, files = [], {}
        for path in paths:
            for tensor in _read(os.fspath(path), stack):
                if tensor.name in files:
                    raise CheckpointError(
                        f"the tensor '{quoted(tensor.name)}' stands both in {quoted(files[tensor.name])} and in "
                        f"{quoted(tensor.file)}: these are no shards of one checkpoint"
                    )
                files[tensor.name] = tensor.file
                tensors.append(tensor)
        yield tensors


def _read(path, stack):
    """The tensors of one file, by the end of its name."""
    if not Path(path).is_file():    # a pipe or a device would hang
        raise CheckpointError(f"{quoted(path)}: no such file")
    if path.endswith(".safetensors"):
        return read_safetensors(path)
    if path.endswith(".npz"):
        return read_npz(path, stack)
    if path.endswith(".safetensors.index.json"):
        return _read_index(Path(path), stack)
    raise CheckpointError(f"{quoted(path)}: must end in .safetensors, .npz or .safetensors.index.json")


def _read_index(path, stack):
    """The tensors of the shards that an index names; they must lie beside it."""
    where = quoted(os.fspath(path))
    with named_errors(path):
        if path.stat().st_size > LARGEST_HEADER:
            raise CheckpointError(f"{where}: more than {LARGEST_HEADER} bytes")
        weight_map = parse_json(path.read_bytes(), where).get("weight_map")
    if not isinstance(weight_map, dict) or not all(isinstance(file, str) for file in weight_map.values()):
        raise CheckpointError(f"{where}: needs a weight_map from tensor to file name")
    tensors = []
    for file in sorted(set(weight_map.values())):
        # A bare name on any system: no folder, no drive, no "..". A link is followed: it is the owner's.
        bare = file == PurePosixPath(file).name == PureWindowsPath(file).name and file.isprintable()
        if not bare or not file.endswith(".safetensors"):
            raise CheckpointError(f"{where}: the shard '{quoted(file)}' is no .safetensors file beside the index")
        tensors += _read(os.fspath(path.parent / file), stack)
    found = {tensor.name: Path(tensor.file).name for tensor in tensors}
    for name, file in weight_map.items():
        if found.get(name) != file:
            raise CheckpointError(f"{where}: the tensor '{quoted(name)}' is not in '{quoted(file)}'")
    return tensors


@dataclass(frozen=True)
class Measurement:
    """What one pass over the numbers of a tensor finds.

    Parameters
    ----------
    elements : int
    rms : float
        Root of the mean square, summed in float64; NaN if there is no number or one is not finite.
    finite, constant : bool
        Whether all numbers are finite, and whether all are equal.
    """

    elements: int
    rms: float
    finite: bool
    constant: bool


def measure(blocks):
    """RMS of the numbers in ``blocks``; only one block is held at a time.

    Parameters
    ----------
    blocks : iterable of numpy.ndarray
        Non-empty float arrays.

    Returns
    -------
    Measurement

    Notes
    -----
    Squares are taken relative to the largest number of a block, so that 1e300 does not overflow.

    Examples
    --------
    >>> measure([np.array([3.0, 4.0]), np.array([0.0])]).rms * 3**0.5
    5.0
    """
    elements, norm, finite = 0, 0.0, True
    low, high = math.inf, -math.inf
    for block in blocks:
        elements += block.size
        block_low, block_high = float(block.min()), float(block.max())
        low, high = min(low, block_low), max(high, block_high)
        largest = max(-block_low, block_high)
        if not math.isfinite(largest):    # min and max hand NaN on
            finite = False
        elif largest > 0 and finite:
            relative = block / np.float64(largest)
            norm = math.hypot(norm, largest * math.sqrt(relative @ relative))
    rms = norm / math.sqrt(elements) if finite and elements else math.nan
    return Measurement(elements, rms, finite, finite and low == high)


def flags(tensor, measurement=None):
    """Why the theory says nothing, or less, about a tensor.

    Parameters
    ----------
    tensor : Tensor
    measurement : Measurement, optional
        Without it only what the file says about the tensor counts.

    Returns
    -------
    list of str
        Keys of ``FLAGS``; empty if the prediction applies.

    Examples
    --------
    >>> from derivations.commands.tensors import Tensor
    >>> flags(Tensor("transformer.wte.weight", (50257, 768), "BF16", "model.safetensors", "float", list))
    ['embedding']
    """
    name = tensor.name.lower()
    found = [tensor.kind] if tensor.kind != "float" else []
    if _OPTIMIZER.search(name):
        found.append("optimizer")
    elif _HEAD.search(name):
        found.append("head")
    elif _EMBEDDING.search(name):
        found.append("embedding")
    if len(tensor.shape) < 2:
        found.append("vector")
    if measurement is not None:
        if not measurement.finite:
            found.append("non-finite")
        if measurement.elements < _SMALLEST:
            found.append("small")
        if measurement.constant:
            found.append("constant")
    return found
