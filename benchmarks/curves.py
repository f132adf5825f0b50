"""What curves cost: a loop, a thousand geodesics at once, two given ends; beside SciPy's integrator alone.

Writes ``results/curves.md``. Everything runs in one process; times are CPU time.
"""
import math
import sys
import time
from pathlib import Path

import numpy as np
import scipy
import sympy as sp
from scipy.integrate import solve_ivp

from derivations.riemann import Metric, circle, holonomy, polygon, spaces
from derivations.riemann.geodesics import exponential_map, geodesic
from derivations.riemann.jacobi import jacobi_field
from derivations.riemann.shooting import geodesic_between

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 5
COLATITUDE = 1.0
GEODESICS, SINGLE, FIXED_STEPS, RTOL = 1000, 20, 800, 1e-10
SPHERE = spaces.sphere().numeric()


def hole():
    """Schwarzschild metric with M = 1."""
    t, r, theta, phi = coords = sp.symbols("t r theta phi", positive=True)
    return Metric(coords, sp.diag(-(1 - 2 / r), 1 / (1 - 2 / r), r**2, r**2 * sp.sin(theta)**2)).numeric()


def rays():
    """Start and velocities (1000, 4) of light rays at r = 20, whose closest approach is at r = 9 or farther."""
    x, r = np.array([0.0, 20.0, 1.4, 0.0]), 20.0
    angle = np.random.default_rng(1).uniform(np.radians(30), np.radians(150), GEODESICS)
    tilt = np.random.default_rng(2).uniform(-0.5, 0.5, GEODESICS)
    f = 1 - 2 / r
    v = np.stack([np.full(GEODESICS, 1 / f), -np.cos(angle), np.sin(angle) * np.sin(tilt) / r,
                  np.sin(angle) * np.cos(tilt) / (r * np.sin(x[2]))], axis=-1)
    return x, 30 * v


def rate_by_hand(_, state):
    """Geodesic equation of the Schwarzschild metric, typed in."""
    _, r, theta, _, vt, vr, vth, vph = state
    f, sin, cos = 1 - 2 / r, math.sin(theta), math.cos(theta)
    return [
        vt, vr, vth, vph,
        -2 * vt * vr / (r**2 * f),
        -f / r**2 * vt**2 + vr**2 / (r**2 * f) + r * f * (vth**2 + sin**2 * vph**2),
        -2 * vr * vth / r + sin * cos * vph**2,
        -2 * vr * vph / r - 2 * cos / sin * vth * vph,
    ]


def transport_by_hand(_, vector):
    """Parallel transport round the circle of latitude, typed in; the parameter is the longitude."""
    return [math.sin(COLATITUDE) * math.cos(COLATITUDE) * vector[1], -vector[0] / math.tan(COLATITUDE)]


def propagator_by_solve_ivp():
    """The loop with SciPy alone, one column after the other."""
    return np.stack([solve_ivp(transport_by_hand, (0, 2 * np.pi), column, "DOP853", rtol=1e-12, atol=1e-12).y[:, -1]
                     for column in np.eye(2)], axis=1)


def exact_propagator():
    """Rotation by -2 pi cos(colatitude) in lengths, taken back to coordinates."""
    angle, scale = 2 * np.pi * np.cos(COLATITUDE), np.sin(COLATITUDE)
    return np.array([[np.cos(angle), scale * np.sin(angle)], [-np.sin(angle) / scale, np.cos(angle)]])


def best_times(functions, rounds=ROUNDS):
    """CPU seconds a call of each function: rounds in turn, the best of each counts."""
    best = [math.inf] * len(functions)
    for _ in range(rounds):
        for index, function in enumerate(functions):
            began = time.process_time()
            function()
            best[index] = min(best[index], time.process_time() - began)
    return best


def loop_table():
    """Milliseconds and error of one round at a colatitude of 1 radian."""
    halves = polygon([[COLATITUDE, 0.0], [COLATITUDE, 2.0], [COLATITUDE, 2 * np.pi]], closed=False)
    wavy = polygon([[COLATITUDE, 0.0], [1.5, 2.0], [0.7, 4.0], [COLATITUDE, 2 * np.pi]], closed=False)
    ways = {
        "`holonomy`, circle of latitude": lambda: holonomy(SPHERE, circle(COLATITUDE)).propagator,
        "`holonomy`, the same in two legs": lambda: holonomy(SPHERE, halves).propagator,
        "`solve_ivp`, Christoffel symbols typed in, rtol 1e-12": propagator_by_solve_ivp,
    }
    errors = [np.max(np.abs(way() - exact_propagator())) for way in ways.values()]
    wavy_way = lambda: holonomy(SPHERE, wavy)  # noqa: E731
    seconds = best_times([*ways.values(), wavy_way])
    rows = [f"| {name} | {1e3 * spent:.2f} | {error:.0e} |" for name, spent, error in zip(ways, seconds, errors)]
    return [
        "| Once round the sphere | Milliseconds | Largest error |", "|:--|--:|--:|", *rows,
        f"| `holonomy`, loop of three slanted legs | {1e3 * seconds[-1]:.1f} | (drift {wavy_way().drift:.0e}) |",
    ]


def family_table():
    """Time and error of a thousand light rays, together and one by one."""
    metric, (x, v) = hole(), rays()
    start = np.concatenate([np.broadcast_to(x, v.shape), v], axis=-1)

    def by_hand(rtol, count):
        return np.array([solve_ivp(rate_by_hand, (0, 1), y, "DOP853", rtol=rtol, atol=rtol).y[:4, -1]
                         for y in start[:count]])

    ways = {
        "`exponential_map`, rtol 1e-10": (lambda: exponential_map(metric, x, v, rtol=RTOL).points, GEODESICS),
        f"`exponential_map`, {FIXED_STEPS} fixed steps (no SciPy)":
            (lambda: exponential_map(metric, x, v, steps=FIXED_STEPS).points, GEODESICS),
        "`geodesic`, one by one, rtol 1e-10":
            (lambda: np.array([geodesic(metric, x, w, 1.0, rtol=RTOL).points(1.0) for w in v[:SINGLE]]), SINGLE),
        "`solve_ivp`, one by one, typed in, rtol 1e-10": (lambda: by_hand(RTOL, 5 * SINGLE), 5 * SINGLE),
    }
    reference = by_hand(1e-13, 5 * SINGLE)
    errors = [np.max(np.abs(way()[: min(count, 5 * SINGLE)] - reference[:count])) for way, count in ways.values()]
    seconds = best_times([way for way, _ in ways.values()], rounds=3)
    each = [spent / count for spent, (_, count) in zip(seconds, ways.values())]
    return [
        "| Light rays round a Schwarzschild hole | Milliseconds a ray | Rays a second | Largest error |",
        "|:--|--:|--:|--:|",
        *(f"| {name} | {1e3 * spent:.3f} | {1 / spent:,.0f} | {error:.0e} |"
          for name, spent, error in zip(ways, each, errors)),
    ]


def other_table():
    """Time of a Jacobi field and of a geodesic between two points of the sphere."""
    walk = geodesic(SPHERE, [1.0, 0.0], [0.3, 0.8], 2.0)
    rows = {
        "`geodesic`, length 2": lambda: geodesic(SPHERE, [1.0, 0.0], [0.3, 0.8], 2.0),
        "`jacobi_field`, two fields along it": lambda: jacobi_field(SPHERE, walk, np.zeros((2, 2)), np.eye(2)),
        "`geodesic_between`, across the sphere": lambda: geodesic_between(SPHERE, [0.3, 0.0], [2.5, 2.8]),
    }
    return ["| On the unit sphere, rtol 1e-11 | Milliseconds |", "|:--|--:|",
            *(f"| {name} | {1e3 * spent:.0f} |" for name, spent in zip(rows, best_times(list(rows.values()))))]


def main():
    """Measure, print, and write the report."""
    lines = [
        f"Python {sys.version.split()[0]}, NumPy {np.__version__}, SciPy {scipy.__version__}. CPU time, best of "
        f"{ROUNDS} rounds in turn (light rays: 3). \"Typed in\" means: written down by hand for this one metric, with "
        "no check of the chart; `solve_ivp` is SciPy's, with its method DOP853.",
        "",
        *loop_table(),
        "",
        f"{GEODESICS:,} rays start at r = 20 M and are followed for 30 M of their affine parameter; one by one, the "
        f"first {SINGLE} (`solve_ivp`: {5 * SINGLE}) of them. Errors are distances in the coordinates from `solve_ivp` "
        "with rtol 1e-13.",
        "",
        *family_table(),
        "",
        *other_table(),
    ]
    text = "\n".join(lines) + "\n"
    results = ROOT / "benchmarks" / "results"
    results.mkdir(exist_ok=True)
    (results / "curves.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
