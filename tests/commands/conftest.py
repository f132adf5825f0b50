"""Helpers that write checkpoints by hand, byte for byte."""
import importlib
import json
import math
import os

import numpy as np
import pytest

ITEM = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1, "I64": 8, "U8": 1, "BOOL": 1, "C64": 8}


@pytest.fixture(scope="session")
def peer():
    """Import a package that only tests need; with PEERS set in the environment it must be there."""
    return importlib.import_module if "PEERS" in os.environ else pytest.importorskip


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A folder for property tests, which may not use a new one for every example."""
    return tmp_path_factory.mktemp("checkpoints")


@pytest.fixture(scope="session")
def write_raw():
    """Write a safetensors file from any header (an object or bytes) and any data."""
    def write(path, header, data=b"", length=None):
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + data)
        return path
    return write


@pytest.fixture(scope="session")
def write(write_raw):
    """Write a valid safetensors file from {name: array} or {name: (dtype, shape, bytes)}."""
    names = {"float64": "F64", "float32": "F32", "float16": "F16", "int64": "I64", "uint8": "U8", "bool": "BOOL"}

    def write(path, tensors, metadata=None):
        header, data = {} if metadata is None else {"__metadata__": metadata}, b""
        for name, value in tensors.items():
            if isinstance(value, np.ndarray):
                value = names[value.dtype.name], value.shape, np.ascontiguousarray(value).tobytes()
            dtype, shape, content = value
            assert len(content) == ITEM[dtype] * math.prod(shape)
            header[name] = {
                "dtype": dtype, "shape": list(shape), "data_offsets": [len(data), len(data) + len(content)]
            }
            data += content
        return write_raw(path, header, data)
    return write
