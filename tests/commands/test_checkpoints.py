"""Checkpoints: the measured RMS, the reasons why the theory does not speak of a tensor, shards and indices."""
import json
import math

import numpy as np
import pytest
from derivations.commands.checkpoints import FLAGS, flags, measure, open_checkpoint
from derivations.commands.tensors import CheckpointError, Tensor
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst


def names(paths):
    """Names of all tensors of a checkpoint."""
    with open_checkpoint(paths) as tensors:
        return [tensor.name for tensor in tensors]


@given(st.lists(npst.arrays(np.float64, st.integers(1, 20), elements=st.floats(-1e3, 1e3)), min_size=1, max_size=5))
def test_measure_equals_the_root_mean_square(blocks):
    measured, whole = measure(blocks), np.concatenate(blocks)
    expected = math.sqrt(math.fsum(x**2 for x in whole.tolist()) / whole.size)
    assert measured.rms == pytest.approx(expected, rel=1e-14, abs=1e-150)
    assert measured.elements == whole.size and measured.finite
    assert measured.constant == (len(set(whole.tolist())) == 1)


def test_measure_neither_overflows_nor_loses_digits():
    assert measure([np.array([3e300, 4e300])]).rms == pytest.approx(math.sqrt(12.5) * 1e300, rel=1e-15)
    assert measure([np.array([3e-200, 4e-200])]).rms == pytest.approx(math.sqrt(12.5) * 1e-200, rel=1e-15)
    half = np.full(2**20, 300, np.float16)    # in float16 even one square would be infinite
    assert measure([half, half]).rms == pytest.approx(300, rel=1e-14)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_measure_finds_what_is_not_finite(bad):
    measured = measure([np.ones(3), np.array([1.0, bad]), np.full(2, 2.0)])
    assert not measured.finite and math.isnan(measured.rms) and not measured.constant


@pytest.mark.parametrize("name, shape, expected", [
    ("model.layers.0.self_attn.q_proj.weight", (64, 64), []),
    ("transformer.h.3.attn.c_attn.weight", (64, 192), []),
    ("bert.encoder.layer.0.attention.output.dense.weight", (64, 64), []),
    ("vit.embeddings.patch_embed.proj.weight", (64, 3, 16, 16), ["embedding"]),
    ("patch_embed.proj.weight", (64, 3, 16, 16), []),
    ("model.norm.weight", (64,), ["vector"]),
    ("scale", (), ["vector"]),
    ("model.embed_tokens.weight", (1000, 64), ["embedding"]),
    ("transformer.wte.weight", (1000, 64), ["embedding"]),
    ("bert.embeddings.word_embeddings.weight", (1000, 64), ["embedding"]),
    ("params/Embed_0/embedding", (1000, 64), ["embedding"]),
    ("shared.weight", (1000, 64), ["embedding"]),
    ("lm_head.weight", (1000, 64), ["head"]),
    ("output.weight", (1000, 64), ["head"]),
    ("embed_out.weight", (1000, 64), ["head"]),
    ("classifier.bias", (10,), ["head", "vector"]),
    ("multihead.in_proj", (64, 64), []),
    ("state.0.exp_avg_sq", (64, 64), ["optimizer"]),
    ("opt_state/0/mu/Dense_0/kernel", (64, 64), ["optimizer"]),
    ("music.weight", (64, 64), []),
])
def test_flags_by_name_and_shape(name, shape, expected):
    assert flags(Tensor(name, shape, "F32", "model.safetensors", "float", list)) == expected


@pytest.mark.parametrize("values, expected", [
    (np.linspace(-1, 1, 256), []),
    (np.linspace(-1, 1, 255), ["small"]),
    (np.full(300, 0.5), ["constant"]),
    (np.r_[np.zeros(299), np.nan], ["non-finite"]),
    (np.zeros(0), ["small"]),
])
def test_flags_by_content(values, expected):
    tensor = Tensor("w", (1, values.size), "F64", "w.npz", "float", list)
    assert flags(tensor, measure([values] if values.size else [])) == expected
    assert set(expected) <= FLAGS.keys()


def test_shards_given_one_by_one_and_by_their_index(tmp_path, write):
    first = write(tmp_path / "model-1.safetensors", {"a": np.ones(3), "b": np.ones(2)})
    second = write(tmp_path / "model-2.safetensors", {"c": np.ones(4)})
    index = tmp_path / "model.safetensors.index.json"
    shards = {"a": first.name, "b": first.name, "c": second.name}
    index.write_text(json.dumps({"metadata": {"total_size": 72}, "weight_map": shards}))
    assert names([first, second]) == names([index]) == ["a", "b", "c"]
    with pytest.raises(CheckpointError, match="'a' stands both in .* and in .*no shards of one checkpoint"):
        names([index, first])


@pytest.mark.parametrize("file", [
    "../secret.safetensors", "/etc/secret.safetensors", "sub/w.safetensors", "..", "", ".", "sub\\w.safetensors",
    "C:w.safetensors", "w.npz", "w\n.safetensors", "w\0.safetensors",
])
def test_an_index_cannot_lead_out_of_its_folder(tmp_path, file):
    folder = tmp_path / "model"
    folder.mkdir()
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"w": file}}))
    with pytest.raises(CheckpointError, match="is no .safetensors file beside the index"):
        names([index])


@pytest.mark.parametrize("content, message", [
    ({}, "needs a weight_map"),
    ({"weight_map": ["w.safetensors"]}, "needs a weight_map"),
    ({"weight_map": {"w": 3}}, "needs a weight_map"),
    ({"weight_map": {"w": "w.safetensors", "v": "w.safetensors"}}, "the tensor 'v' is not in 'w.safetensors'"),
    ({"weight_map": {"w": "gone.safetensors"}}, "gone.safetensors: no such file"),
    ([1], "no JSON object"),
])
def test_damaged_indices(tmp_path, write, content, message):
    write(tmp_path / "w.safetensors", {"w": np.ones(3)})
    index = tmp_path / "w.safetensors.index.json"
    index.write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match=message):
        names([index])


def test_files_that_are_no_checkpoints(tmp_path):
    (tmp_path / "model.bin").write_bytes(b"\x80\x02.")
    with pytest.raises(CheckpointError, match="model.bin: must end in .safetensors, .npz or"):
        names([tmp_path / "model.bin"])
    with pytest.raises(CheckpointError, match="no such file"):
        names([tmp_path / "gone.safetensors"])
    with pytest.raises(CheckpointError, match="no such file"):
        names([tmp_path])
