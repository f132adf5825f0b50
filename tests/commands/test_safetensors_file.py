"""The reader of safetensors files: exact on valid files, one named error on every other."""
import json
import tracemalloc

import numpy as np
import pytest
from derivations.commands.safetensors_file import LARGEST_HEADER, read_safetensors
from derivations.commands.tensors import BLOCK, CheckpointError
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
NUMBERS = np.array([3, 4], "<f4").tobytes()


def numbers(tensor):
    """All numbers of a tensor in one flat array."""
    return np.concatenate([np.zeros(0), *tensor.blocks()])


@settings(deadline=None)
@given(st.dictionaries(
    st.text(max_size=20).filter(lambda name: name != "__metadata__"),
    npst.arrays(st.sampled_from([np.float64, np.float32, np.float16]), npst.array_shapes(min_dims=0, min_side=0),
                elements=st.floats(-1000, 1000, width=16)),
    max_size=5,
))
def test_valid_files_are_read_exactly(folder, write, arrays):
    path = write(folder / "valid.safetensors", arrays, metadata={"format": "pt"})
    tensors = {tensor.name: tensor for tensor in read_safetensors(path)}
    assert tensors.keys() == arrays.keys()
    for name, array in arrays.items():
        assert tensors[name].shape == array.shape
        assert tensors[name].kind == "float"
        np.testing.assert_array_equal(numbers(tensors[name]), array.ravel())


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_a_damaged_header_gives_nothing_but_the_named_error(folder, write, data):
    path = write(folder / "damaged.safetensors", {"a.weight": np.ones((2, 3), np.float32), "b": np.ones(4)})
    content = bytearray(path.read_bytes())
    end = 8 + int.from_bytes(content[:8], "little")
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, end - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[:data.draw(st.sampled_from([len(content), end, end - 1, 7]))])
    try:
        tensors = read_safetensors(path)
    except CheckpointError as error:
        assert "damaged.safetensors" in str(error) and str(error).isascii() and str(error).isprintable()
    else:    # the damage hit a name, a blank or a dtype of the same size
        assert sum(np.prod(tensor.shape, dtype=int) for tensor in tensors) == 10


@settings(deadline=None, max_examples=200)
@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["F32", "BOOL"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["w", "dtype", "shape", "data_offsets", "__metadata__"]), inner, max_size=4),
    max_leaves=15,
))
def test_any_json_gives_nothing_but_the_named_error(folder, write_raw, header):
    path = write_raw(folder / "any.safetensors", header, NUMBERS)
    with pytest.raises(CheckpointError):    # no generated header describes these 8 bytes
        read_safetensors(path)


@pytest.mark.parametrize("header, message", [
    (b"{not json", "no valid JSON"),
    (b"\xff\xfe{}", "no valid JSON"),
    (b"[" * 200_000, "no valid JSON"),
    (b'{"w":' * 100_000, "no valid JSON"),
    (b'{"w": {"dtype": "F32", "shape": [' + b"9" * 5000 + b'], "data_offsets": [0, 8]}}', "no valid JSON"),
    (b"[1]", "no JSON object"),
    (b'{"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "w": 1}', "'w' stands twice"),
    (b'{"w": {"dtype": "F32", "dtype": "F64", "shape": [2], "data_offsets": [0, 8]}}', "'dtype' stands twice"),
    ({"w": [1]}, "needs exactly dtype, shape and data_offsets"),
    ({"w": {**ENTRY, "more": 1}}, "needs exactly dtype, shape and data_offsets"),
    ({"w": {**ENTRY, "dtype": "F31"}}, "unknown dtype"),
    ({"w": {**ENTRY, "dtype": ["F32"]}}, "unknown dtype"),
    ({"w": {**ENTRY, "shape": 2}}, "shape must be a list of integers >= 0"),
    ({"w": {**ENTRY, "shape": [-2]}}, "shape must be a list of integers >= 0"),
    ({"w": {**ENTRY, "shape": [2.0]}}, "shape must be a list of integers >= 0"),
    ({"w": {**ENTRY, "shape": [True, 2]}}, "shape must be a list of integers >= 0"),
    ({"w": {**ENTRY, "shape": [2] + [1] * 64}}, "65 dimensions, more than 64"),
    ({"w": {**ENTRY, "shape": [2**62, 4]}}, "more elements than the file has room for"),
    ({"w": {**ENTRY, "shape": [2**64, 2]}}, "more elements than the file has room for"),
    ({"w": {**ENTRY, "shape": [3]}}, "8 bytes of data do not match shape and dtype"),
    ({"w": {**ENTRY, "shape": [0, 2**64]}}, "8 bytes of data do not match shape and dtype"),
    ({"w": {**ENTRY, "data_offsets": [0]}}, "data_offsets must be two integers"),
    ({"w": {**ENTRY, "data_offsets": [0, 8.0]}}, "data_offsets must be two integers"),
    ({"w": {**ENTRY, "data_offsets": [-8, 0]}}, "data_offsets lie outside the data"),
    ({"w": {**ENTRY, "data_offsets": [8, 0]}}, "data_offsets lie outside the data"),
    ({"w": {**ENTRY, "data_offsets": [4, 12]}}, "data_offsets lie outside the data"),
    ({"w": {**ENTRY, "data_offsets": [0, 10**30]}}, "data_offsets lie outside the data"),
    ({"w": ENTRY, "v": ENTRY}, "its data overlaps another"),
    ({"w": {**ENTRY, "shape": [1], "data_offsets": [4, 8]}}, "its data leaves a gap before it"),
    ({"w": {**ENTRY, "shape": [1], "data_offsets": [0, 4]}}, "8 bytes of data, but the header describes 4"),
    ({}, "8 bytes of data, but the header describes 0"),
])
def test_hostile_headers(tmp_path, write_raw, header, message):
    path = write_raw(tmp_path / "hostile.safetensors", header, NUMBERS)
    with pytest.raises(CheckpointError, match=message) as caught:
        read_safetensors(path)
    assert "hostile.safetensors" in str(caught.value)
    assert str(caught.value).count("\n") == 0


@pytest.mark.parametrize("content", [b"", b"\x02\0\0", b"\x02" + b"\0" * 7, (2**63).to_bytes(8, "little") + b"{}"])
def test_cut_off_files(tmp_path, content):
    path = tmp_path / "short.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="cut off within its header"):
        read_safetensors(path)


def test_a_huge_header_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "huge.safetensors"
    with open(path, "wb") as file:
        file.write((LARGEST_HEADER + 1).to_bytes(8, "little"))
        file.truncate(LARGEST_HEADER + 1000)    # a hole: takes no room on the disk
    with pytest.raises(CheckpointError, match="header of 100000001 bytes"):
        read_safetensors(path)


def test_a_name_cannot_steer_the_terminal(tmp_path, write_raw):
    path = write_raw(tmp_path / "w.safetensors", {"\x1b[2J\ud800\n": {**ENTRY, "dtype": "X"}}, NUMBERS)
    with pytest.raises(CheckpointError, match=r"tensor '\\x1b\[2J\\ud800\\n': unknown dtype"):
        read_safetensors(path)


def test_data_that_vanishes_after_the_header_was_read(tmp_path, write):
    path = write(tmp_path / "w.safetensors", {"w": np.ones(100)})
    [tensor] = read_safetensors(path)
    with open(path, "r+b") as file:
        file.truncate(500)
    with pytest.raises(CheckpointError, match="w.safetensors, tensor 'w': the data ends early"):
        list(tensor.blocks())
    path.unlink()
    with pytest.raises(CheckpointError, match="No such file"):
        list(tensor.blocks())


def test_only_one_block_is_held(tmp_path, write):
    path = write(tmp_path / "w.safetensors", {"w": np.full(4 * BLOCK + 5, 0.5, np.float32)})
    [tensor] = read_safetensors(path)
    tracemalloc.start()
    try:
        total = sum(block.size for block in tensor.blocks() if block.max() == 0.5)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == 4 * BLOCK + 5
    assert peak < 2.5 * 4 * BLOCK


def test_small_floats_have_their_known_values(tmp_path, write):
    content = {
        "bf16": ("BF16", [4], np.array([0x3F80, 0xC049, 0x0001, 0x7F80], "<u2").tobytes()),
        "e5m2": ("F8_E5M2", [4], bytes([0x3C, 0x01, 0x7B, 0xFC])),
        "e4m3": ("F8_E4M3", [6], bytes([0x38, 0x01, 0x08, 0x7E, 0xB8, 0x7F])),
    }
    tensors = {tensor.name: tensor for tensor in read_safetensors(write(tmp_path / "w.safetensors", content))}
    np.testing.assert_array_equal(numbers(tensors["bf16"]), [1, -3.140625, 2.0**-133, np.inf])
    np.testing.assert_array_equal(numbers(tensors["e5m2"]), [1, 2.0**-16, 57344, -np.inf])
    np.testing.assert_array_equal(numbers(tensors["e4m3"]), [1, 2.0**-9, 2.0**-6, 448, -1, np.nan])
    assert [tensors[name].kind for name in content] == ["float", "float8", "float8"]


@pytest.mark.parametrize("dtype, peer_name", [("F8_E4M3", "float8_e4m3fn"), ("F8_E5M2", "float8_e5m2")])
def test_every_8_bit_float_equals_that_of_ml_dtypes(tmp_path, write, peer, dtype, peer_name):
    codes = bytes(range(256))
    [tensor] = read_safetensors(write(tmp_path / "w.safetensors", {"w": (dtype, [256], codes)}))
    expected = np.frombuffer(codes, getattr(peer("ml_dtypes"), peer_name)).astype(np.float64)
    np.testing.assert_array_equal(numbers(tensor), expected)


def test_types_without_an_rms_are_listed(tmp_path, write):
    content = {"i": np.arange(3), "b": np.ones(2, bool), "c": ("C64", [1], bytes(8))}
    kinds = {tensor.name: tensor.kind for tensor in read_safetensors(write(tmp_path / "w.safetensors", content))}
    assert kinds == {"i": "integer", "b": "integer", "c": "unsupported"}


def test_files_of_the_package_itself(tmp_path, peer):
    save = peer("safetensors.numpy").save_file
    rng = np.random.default_rng(3)
    arrays = {
        "half": rng.normal(size=(3, 5)).astype(np.float16), "single": rng.normal(size=(2, 2, 2)).astype(np.float32),
        "double": rng.normal(size=7), "empty": np.zeros((0, 4)), "scalar": np.array(2.5), "count": np.array(3),
    }
    save(arrays, tmp_path / "w.safetensors", metadata={"format": "np"})
    tensors = {tensor.name: tensor for tensor in read_safetensors(tmp_path / "w.safetensors")}
    assert tensors.keys() == arrays.keys() and tensors.pop("count").kind == "integer"
    for name, tensor in tensors.items():
        assert tensor.shape == arrays[name].shape
        np.testing.assert_array_equal(numbers(tensor), arrays[name].ravel())


def test_bfloat16_of_torch(tmp_path, peer):
    torch, save = peer("torch"), peer("safetensors.torch").save_file
    values = torch.randn(1000, generator=torch.Generator().manual_seed(3)).to(torch.bfloat16)
    save({"w": values, "f8": values.to(torch.float8_e4m3fn)}, tmp_path / "w.safetensors")
    tensors = {tensor.name: tensor for tensor in read_safetensors(tmp_path / "w.safetensors")}
    np.testing.assert_array_equal(numbers(tensors["w"]), values.double().numpy())
    np.testing.assert_array_equal(numbers(tensors["f8"]), values.to(torch.float8_e4m3fn).double().numpy())


def test_what_we_refuse_the_package_refuses(tmp_path, write_raw, peer):
    """The same damage, shown to the package: our checks are no stricter than its own."""
    safetensors = peer("safetensors")
    for index, header in enumerate([
        {"w": ENTRY, "v": ENTRY},
        {"w": {**ENTRY, "shape": [3]}},
        {"w": {**ENTRY, "data_offsets": [0, 16]}},
        {"w": {**ENTRY, "shape": [1], "data_offsets": [0, 4]}},
        {"w": {**ENTRY, "shape": [1], "data_offsets": [4, 8]}},
        {"w": {**ENTRY, "dtype": "F31"}},
    ]):
        path = write_raw(tmp_path / f"{index}.safetensors", header, NUMBERS)
        with pytest.raises(safetensors.SafetensorError), safetensors.safe_open(path, "numpy"):
            pass
        with pytest.raises(CheckpointError):
            read_safetensors(path)
    assert json.loads(path.read_bytes()[8:-8])["w"]["dtype"] == "F31"
