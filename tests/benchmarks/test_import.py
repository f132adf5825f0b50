"""Every script in benchmarks/ can be imported without anything happening, and its results are kept."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).resolve().parents[2] / "benchmarks").glob("*.py"))
# What a benchmark may need beside the book's own requirements; without it, its script cannot be imported.
PEERS = ("torch", "optax", "jax", "sklearn", "onnx")
IMPORT = """
import importlib.util, sys, threading
spec = importlib.util.spec_from_file_location("benchmark", sys.argv[1])
module = importlib.util.module_from_spec(spec)
sys.modules["benchmark"] = module
try:
    spec.loader.exec_module(module)
except ModuleNotFoundError as error:
    sys.exit(f"missing {error.name}")
assert callable(module.main), "no main()"
assert threading.active_count() == 1, threading.enumerate()
"""


def test_there_are_benchmarks():
    assert SCRIPTS


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_importing_a_benchmark_does_nothing(script, tmp_path):
    results = script.parent / "results"
    before = {path: path.stat().st_mtime_ns for path in results.iterdir()}
    done = subprocess.run(
        [sys.executable, "-B", "-c", IMPORT, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    missing = done.stderr.strip().removeprefix("missing ")
    if done.returncode and missing in PEERS and not os.environ.get("PEERS"):
        pytest.skip(f"{missing} is not installed")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not list(tmp_path.iterdir())
    assert {path: path.stat().st_mtime_ns for path in results.iterdir()} == before


# The pictures of these results are looked at in test_pictures.
@pytest.mark.parametrize("script", [script for script in SCRIPTS if script.stem != "pictures"], ids=lambda script: script.stem)
def test_a_benchmark_has_results(script):
    results = script.parent / "results" / f"{script.stem}.md"
    assert results.is_file() and results.stat().st_size > 0
