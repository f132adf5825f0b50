"""Curvature of Kerr's space-time at many points: compiled exact formulas and jets, beside jax and geomstats.

Writes ``results/curvature_numeric.md``. Everything runs in one process; rates are of CPU time.
"""
import importlib.metadata
import importlib.util
import math
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("GEOMSTATS_BACKEND", "autograd")  # read when geomstats is imported

import mpmath
import numpy as np
import sympy as sp

from derivations.riemann import NumericMetric, spaces

ROOT = Path(__file__).resolve().parents[1]
POINTS, ROUNDS = 100_000, 3
MASS, SPIN = 1.0, 0.7
# Outside the horizon at r = 1.72 and off the axis: t, r, theta, phi.
LOW, HIGH = [-1.0, 2.0, 0.2, 0.0], [1.0, 10.0, 2.9, 6.2]
CHECKED, DIGITS = 60, 30
JAX_BLOCK, GEOMSTATS_POINTS = 2_000, 4  # jax is fastest in blocks of about this size
TENSORS = ("metric", "christoffel_symbols", "riemann_tensor", "ricci_tensor", "weyl_tensor", "kretschmann_scalar")


def kerr(x, library=np):
    """Kerr's metric in Boyer-Lindquist coordinates, with the sine and cosine of any array library."""
    t, r, theta, phi = x
    sin2 = library.sin(theta)**2
    sigma = r**2 + SPIN**2 * library.cos(theta)**2
    delta = r**2 - 2 * MASS * r + SPIN**2
    mixed = -2 * MASS * SPIN * r * sin2 / sigma
    last = (r**2 + SPIN**2 + 2 * MASS * SPIN**2 * r * sin2 / sigma) * sin2
    return [
        [2 * MASS * r / sigma - 1, 0, 0, mixed],
        [0, sigma / delta, 0, 0],
        [0, 0, sigma, 0],
        [mixed, 0, 0, last],
    ]


FORMULAS = spaces.kerr().numeric(M=MASS, a=SPIN)
JETS = NumericMetric(kerr, n=4)


def stacked(x, library):
    """The matrix as an array of a library that wants all entries to be alike."""
    return library.stack([library.stack([entry + 0.0 * x[0] for entry in row]) for row in kerr(x, library)])


def jax_curvature():
    """Function of points (m, 4) that returns Riemann tensors: jax's second derivatives, compiled."""
    import jax
    import jax.numpy as jnp
    jax.config.update("jax_enable_x64", True)

    def metric(x):
        return stacked(x, jnp)

    def riemann(x):
        dg, ddg, inverse = jax.jacfwd(metric)(x), jax.jacfwd(jax.jacfwd(metric))(x), jnp.linalg.inv(metric(x))
        first = (dg + jnp.swapaxes(dg, 1, 2) - jnp.moveaxis(dg, 2, 0)) / 2
        gamma = jnp.einsum("mn,nab->mab", inverse, first)
        half = (jnp.einsum("adbc->abcd", ddg) + jnp.einsum("bcad->abcd", ddg)) / 2
        half = half + jnp.einsum("ebc,ead->abcd", first, gamma)
        return jnp.einsum("me,eabc->mabc", inverse, half - jnp.swapaxes(half, 2, 3))

    compiled = jax.jit(jax.vmap(riemann))

    def in_blocks(x):
        size = min(len(x), JAX_BLOCK)
        return np.concatenate([compiled(x[start:start + size]) for start in range(0, len(x), size)])

    return in_blocks


def geomstats_curvature():
    """Function of points (m, 4) that returns Riemann tensors in our order: geomstats with autograd."""
    import autograd.numpy
    from geomstats.geometry.euclidean import Euclidean
    from geomstats.geometry.riemannian_metric import RiemannianMetric

    class Kerr(RiemannianMetric):
        def metric_matrix(self, base_point=None):
            x = autograd.numpy.moveaxis(base_point, -1, 0)
            return autograd.numpy.moveaxis(stacked(x, autograd.numpy), (0, 1), (-2, -1))

    metric = Kerr(Euclidean(4, equip=False))
    return lambda x: np.einsum("pijkl->plijk", metric.riemann_tensor(x))


def exact_curvature(points):
    """Riemann tensors with 30 digits, from the exact formulas, rounded once."""
    metric = spaces.kerr().metric
    numbers = [{"M": MASS, "a": SPIN}[symbol.name] for symbol in metric.params]
    formula = sp.lambdify((*metric.coords, *metric.params), sp.flatten(metric.riemann_tensor()), "mpmath", cse=True)
    with mpmath.workdps(DIGITS):
        rows = [formula(*map(mpmath.mpf, (*point.tolist(), *numbers))) for point in points]
    return np.array(rows, dtype=float).reshape(-1, 4, 4, 4, 4)


def largest_error(answers, exact):
    """Largest error of a component, relative to the largest component at its point."""
    axes = (1, 2, 3, 4)
    return np.max(np.abs(answers - exact).max(axis=axes) / np.abs(exact).max(axis=axes))


def cpu_seconds(function):
    """CPU seconds of one call."""
    began = time.process_time()
    function()
    return time.process_time() - began


def peers():
    """Functions of points by name, and sentences about the packages that could not run."""
    found, notes = {}, []
    for package, build in (("jax", jax_curvature), ("geomstats", geomstats_curvature)):
        if not importlib.util.find_spec(package):
            notes.append(f"{package} was not installed.")
            continue
        try:
            function = build()
        except ImportError as error:
            notes.append(f"{package} could not be imported: {error}".split(" (")[0] + ".")
            continue
        found[f"{package} {importlib.metadata.version(package)}"] = function
    return found, notes


def riemann_table(points):
    """All components of the Riemann tensor: everybody's points a second, error and time to the first answer."""
    others, notes = peers()
    rows = {"closed form, compiled": FORMULAS.riemann_tensor, "plain function, jets": JETS.riemann_tensor, **others}
    lines = ["| Riemann tensor of Kerr | Points a second | Largest relative error | First answer, s |",
             "|:--|--:|--:|--:|"]
    counts = {name: GEOMSTATS_POINTS if name.startswith("geomstats") else len(points) for name in rows}
    first = {name: cpu_seconds(lambda: rows[name](points[:1])) for name in rows}
    exact = exact_curvature(points[:CHECKED])
    best = dict.fromkeys(rows, math.inf)
    for name, function in rows.items():
        function(points[:counts[name]])  # jax compiles for each number of points anew
    for _ in range(ROUNDS):
        for name, function in rows.items():
            best[name] = min(best[name], cpu_seconds(lambda: function(points[:counts[name]])))
    for name, function in rows.items():
        checked = min(CHECKED, counts[name])
        error = largest_error(function(points[:checked]), exact[:checked])
        lines.append(f"| {name} | {counts[name] / best[name]:,.0f} | {error:.0e} | {first[name]:.2f} |")
    return [*lines, *(["", *notes] if notes else [])]


def tensors_table(points):
    """Points a second for the other tensors."""
    lines = ["| Tensor | Closed form, points a second | Jets, points a second |", "|:--|--:|--:|"]
    for name in TENSORS:
        rates = []
        for metric in (FORMULAS, JETS):
            method = getattr(metric, name)
            method(points[:1])
            rates.append(len(points) / min(cpu_seconds(lambda: method(points)) for _ in range(ROUNDS)))
        lines.append(f"| `{name}` | {rates[0]:,.0f} | {rates[1]:,.0f} |")
    return lines


def main():
    """Measure, print, and write the report."""
    from pictures import draw    # beside this script, which may be imported from elsewhere

    points = np.random.default_rng(1).uniform(LOW, HIGH, (POINTS, 4))
    lines = [
        f"Python {sys.version.split()[0]}, NumPy {np.__version__}; Kerr's metric in Boyer-Lindquist coordinates, "
        f"M = {MASS:g}, a = {SPIN:g}, at {POINTS:,} random points with {LOW[1]:g} < r < {HIGH[1]:g} (seed 1), "
        f"geomstats at {GEOMSTATS_POINTS} of them. CPU time of all threads, best of {ROUNDS} rounds in turn. Errors: "
        f"largest component of the difference from the exact formulas with {DIGITS} digits, over the largest component "
        f"at the point, at {CHECKED} of the points. The first answer is one point in a fresh process: it includes what "
        "must be derived and compiled.",
        "",
        *riemann_table(points),
        "",
        "Other tensors, the same points:",
        "",
        *tensors_table(points),
    ]
    text = "\n".join(lines) + "\n"
    results = ROOT / "benchmarks" / "results"
    results.mkdir(exist_ok=True)
    (results / "curvature_numeric.md").write_text(text, encoding="utf-8")
    draw("curvature_numeric")
    print(text)


if __name__ == "__main__":
    main()
