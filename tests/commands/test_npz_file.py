"""The reader of .npz files: exact on valid files, never pickle, one named error on every other."""
import io
import struct
import tracemalloc
import zipfile
from contextlib import ExitStack, nullcontext

import numpy as np
import pytest
from derivations.commands.npz_file import read_npz
from derivations.commands.tensors import BLOCK, CheckpointError
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst


def read(path):
    """{name: (tensor, flat array of its numbers or None)} of a file."""
    with ExitStack() as stack:
        return {
            tensor.name: (tensor, np.concatenate([np.zeros(0), *tensor.blocks()]) if tensor.kind == "float" else None)
            for tensor in read_npz(path, stack)
        }


def npy(shape, dtype="<f8", content=b"", version=1):
    """The bytes of an .npy file with any header."""
    header = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + content


def archive(path, members, method=zipfile.ZIP_STORED):
    """Write {name: bytes} as a ZIP file."""
    with zipfile.ZipFile(path, "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


@settings(deadline=None, max_examples=50)
@given(
    npst.arrays(st.sampled_from([np.float64, np.float32, np.float16, ">f8"]), npst.array_shapes(min_dims=0, min_side=0),
                elements=st.floats(-1000, 1000, width=16)),
    st.booleans(), st.sampled_from([np.savez, np.savez_compressed]),
)
def test_valid_files_are_read_exactly(folder, array, fortran, save):
    stored = np.asfortranarray(array) if fortran and array.ndim else array
    save(folder / "valid.npz", **{"layer/0.weight": stored, "count": np.arange(3), "flag": np.array(True)})
    found = read(folder / "valid.npz")
    tensor, numbers = found["layer/0.weight"]
    assert tensor.shape == array.shape and tensor.dtype == array.dtype.name
    # Fortran order changes the order of the numbers, not the numbers.
    order = "F" if stored.flags.f_contiguous and not stored.flags.c_contiguous else "C"
    np.testing.assert_array_equal(numbers, array.ravel(order))
    assert [found[name][0].kind for name in ("count", "flag")] == ["integer", "integer"]


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_damage_gives_nothing_but_the_named_error(folder, data):
    path = folder / "damaged.npz"
    save = data.draw(st.sampled_from([np.savez, np.savez_compressed]))
    save(path, a=np.ones((2, 3), np.float32), b=np.arange(4.0))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[:data.draw(st.sampled_from([len(content), len(content) - 1, len(content) // 2, 0]))])
    try:
        found = read(path)
    except CheckpointError as error:
        assert "damaged.npz" in str(error) and "\n" not in str(error)
    else:    # the damage hit a name or a field that means nothing here
        assert all(numbers is None or numbers.size <= 6 for _, numbers in found.values())


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_damaged_array_header_gives_nothing_but_the_named_error(folder, data):
    """The ZIP file is sound, its check sums included, so that the damage reaches the parser of the header."""
    stream = io.BytesIO()
    np.save(stream, np.ones((2, 3)))
    content = bytearray(stream.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, 79))] = data.draw(st.integers(0, 255))
    path = archive(folder / "header.npz", {"w.npy": bytes(content)})
    try:
        [(tensor, _)] = read(path).values()
    except CheckpointError as error:
        assert "header.npz" in str(error)
    else:
        assert tensor.name == "w"


@pytest.mark.parametrize("member, message", [
    (npy("(2,)", "|O", b"\x80\x04N." * 4), "holds Python objects, which only pickle could read; refused"),
    (npy("(1000000000000,)"), "more elements than the file has room for"),
    (npy("(2, -1)", content=bytes(16)), "shape must be a list of integers >= 0"),
    (npy("(2, True)", content=bytes(16)), "shape must be a list of integers >= 0"),
    (npy("(2,)", content=bytes(24)), r"24 bytes of data do not match shape \(2,\)"),
    (npy("(2,)", content=bytes(15)), r"15 bytes of data do not match shape \(2,\)"),
    (npy("(2,)", "[" * 3000), "damaged, or no .npy file"),
    (npy("(2,)", content=bytes(16)).replace(b"\x93NUMPY", b"\x93NUMPI"), "damaged, or no .npy file"),
    (npy("(2,)", content=bytes(16), version=9), "damaged, or no .npy file"),
    (b"\x93NUMPY\x02\0" + struct.pack("<I", 2**32 - 1) + b" " * 100, "damaged, or no .npy file"),
    (b"", "damaged, or no .npy file"),
])
def test_hostile_arrays(tmp_path, member, message):
    path = archive(tmp_path / "hostile.npz", {"w.npy": member})
    with pytest.raises(CheckpointError, match=message):
        read(path)


def test_members_without_a_place_here(tmp_path):
    with pytest.raises(CheckpointError, match="'notes.txt' is no .npy file"):
        read(archive(tmp_path / "notes.npz", {"notes.txt": b"hello"}))
    with pytest.raises(CheckpointError, match="compressed in an unknown way"):
        read(archive(tmp_path / "lzma.npz", {"w.npy": npy("(0,)")}, zipfile.ZIP_LZMA))
    with pytest.warns(UserWarning, match="Duplicate name"):
        with zipfile.ZipFile(tmp_path / "twice.npz", "w") as file:
            file.writestr("w.npy", npy("(0,)"))
            file.writestr("w.npy", npy("(0,)"))
    with pytest.raises(CheckpointError, match="two members of the archive have the same name"):
        read(tmp_path / "twice.npz")
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(CheckpointError, match="no ZIP file"):
        read(tmp_path / "text.npz")


def test_encrypted_members_are_refused(tmp_path):
    path = archive(tmp_path / "secret.npz", {"w.npy": npy("(0,)")})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1    # the flag in the central directory
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="'w.npy' is encrypted"):
        read(path)


def test_members_that_share_their_bytes_are_refused(tmp_path):
    """The quadratic ZIP bomb: many entries of the directory point at the same compressed bytes."""
    path = archive(tmp_path / "bomb.npz", {f"{name}.npy": npy("(1000,)", content=bytes(8000)) for name in "ab"})
    content = path.read_bytes()
    start = content.index(b"PK\x01\x02")
    end = content.index(b"PK\x05\x06")
    entry = content[start:start + (end - start) // 2]
    entries = b"".join(entry.replace(b"a.npy", f"{name}.npy".encode()) for name in "abcdefgh")
    tail = bytearray(content[end:])
    struct.pack_into("<HHI", tail, 8, 8, 8, len(entries))
    path.write_bytes(content[:start] + entries + tail)
    with pytest.raises(CheckpointError, match="more bytes than the file has"):
        read(path)


def test_flipped_data_is_noticed(tmp_path):
    path = archive(tmp_path / "w.npz", {"w.npy": npy("(100000,)", content=np.ones(100_000).tobytes())})
    content = bytearray(path.read_bytes())
    content[400_000] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="w.npz, array 'w': damaged data"):
        read(path)


@pytest.mark.parametrize("member, outcome, elements", [
    # Sound, but it grows a thousandfold.
    (npy(f"({8 * BLOCK},)", content=bytes(64 * BLOCK)), nullcontext(), 8 * BLOCK),
    # A header of 256 MB of blanks.
    (b"\x93NUMPY\x02\0" + struct.pack("<I", 2**28) + b" " * 2**28, pytest.raises(CheckpointError), 0),
])
def test_a_bomb_costs_no_memory(tmp_path, member, outcome, elements):
    path = archive(tmp_path / "bomb.npz", {"w.npy": member}, zipfile.ZIP_DEFLATED)
    del member
    total = 0
    tracemalloc.start()
    try:
        with outcome, ExitStack() as stack:
            for tensor in read_npz(path, stack):
                total += sum(block.size for block in tensor.blocks())
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert total == elements
    assert peak < 4 * 8 * BLOCK
