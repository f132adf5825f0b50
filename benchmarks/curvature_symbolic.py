"""What exact curvature costs: each exact engine, and plain SymPy, beside einsteinpy's Riemann tensor alone.

Writes ``results/curvature_symbolic.md``. Each measurement runs in a process of its own, which is stopped after
``LIMIT`` seconds: nothing is warm, and nothing waits for ever.
"""
import importlib
import importlib.util
import os
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import sympy as sp

from derivations.riemann import Metric, spaces
from derivations.riemann.rational import forced_engine

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 60
SPACES = {
    "sphere": "sphere", "three_sphere": "3-sphere", "schwarzschild": "Schwarzschild",
    "eddington_finkelstein": "Eddington-Finkelstein", "reissner_nordstrom": "Reissner-Nordström",
    "flrw": "FLRW, a(t) undetermined", "goedel": "Gödel", "kerr": "Kerr", "kerr_newman": "Kerr-Newman",
}
OURS = ("flint", "sympy.polys", "sympy.simplify")


def complete(engine, metric):
    """Everything: the metric checked, all components of the Riemann and Ricci tensors, both scalars, factored."""
    with forced_engine(engine):
        metric = Metric(metric.coords, metric.matrix, metric.params)
    metric.riemann_tensor()
    metric.ricci_tensor()
    metric.ricci_scalar()
    metric.kretschmann_scalar()


def einsteinpy(metric):
    """The Riemann tensor alone."""
    from einsteinpy.symbolic import MetricTensor, RiemannCurvatureTensor
    RiemannCurvatureTensor.from_metric(MetricTensor(metric.matrix.tolist(), metric.coords)).tensor()


def measure(program, name):
    """Print the CPU seconds of one program on one space."""
    importlib.import_module("sympy.tensor.tensor")  # SymPy puts this import off until the first sum is made
    if program == "einsteinpy":
        importlib.import_module("einsteinpy.symbolic")
    metric = spaces.named(name).metric
    sp.core.cache.clear_cache()
    began = time.process_time()
    if program in OURS:
        complete(program, metric)
    else:
        einsteinpy(metric)
    print(time.process_time() - began)


def seconds(program, name):
    """CPU seconds in a fresh process, or None if it was stopped."""
    environment = dict(os.environ)
    if program != "flint":
        environment["SYMPY_GROUND_TYPES"] = "python"  # SymPy itself would use python-flint, if it is there
    command = [sys.executable, __file__, program, name]
    try:
        run = subprocess.run(command, env=environment, timeout=LIMIT, capture_output=True, text=True, check=True)
    except subprocess.TimeoutExpired:
        return None
    return float(run.stdout)


def cell(value):
    """Seconds as text."""
    return f"> {LIMIT}" if value is None else f"{value:.3f}" if value < 1 else f"{value:.1f}"


def table(programs):
    """CPU seconds of all programs on all spaces."""
    lines = [
        "| Space | " + " | ".join(programs.values()) + " |",
        "|:--|" + "--:|" * len(programs),
    ]
    for name, title in SPACES.items():
        lines.append(f"| {title} | " + " | ".join(cell(seconds(program, name)) for program in programs) + " |")
    return lines


def main():
    """Measure, print, and write the report."""
    from pictures import draw    # beside this script, which may be imported from elsewhere

    programs, missing = {}, []
    for module, program, title in (
        ("flint", "flint", "`flint`"), ("sympy", "sympy.polys", "`sympy.polys`"),
        ("sympy", "sympy.simplify", "`sympy.simplify`"),
        ("einsteinpy", "einsteinpy", "einsteinpy, Riemann alone"),
    ):
        if importlib.util.find_spec(module):
            programs[program] = title
        else:
            missing.append(module)
    packages = {"flint": "python-flint", "einsteinpy": "einsteinpy"}
    versions = [f"{packages[name]} {version(packages[name])}" for name in packages if name not in missing]
    lines = [
        f"Python {sys.version.split()[0]}, SymPy {sp.__version__}{''.join(f', {v}' for v in versions)}. CPU seconds in "
        f"a fresh process, imports not counted; stopped after {LIMIT} s on the clock. Our three engines compute "
        "everything: the metric checked, all components of the Riemann and Ricci tensors, the scalar curvature and the "
        "Kretschmann scalar, factored.",
        "",
        *table(programs),
    ]
    if missing:
        lines += ["", f"Not installed: {', '.join(packages[name] for name in missing)}."]
    text = "\n".join(lines) + "\n"
    results = ROOT / "benchmarks" / "results"
    results.mkdir(exist_ok=True)
    (results / "curvature_symbolic.md").write_text(text, encoding="utf-8")
    draw("curvature_symbolic")
    print(text)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        measure(*sys.argv[1:])
    else:
        main()
