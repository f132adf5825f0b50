"""Time of predictions: one long run by every method, many settings at once, and the literal forms beside them.

Writes ``results/prediction_speed.md``. Best of several rounds, all in one process.
"""
import math
import os
import platform
import time
from pathlib import Path

import numpy as np

from derivations.adamw import METHODS, constant, cosine, noise_factor, predict_many, predict_weight_rms
from derivations.adamw.noise import _autocovariance

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 5


def best(function, rounds=ROUNDS):
    """Shortest wall-clock time of a call, in seconds."""
    shortest = math.inf
    for _ in range(rounds):
        began = time.perf_counter()
        function()
        shortest = min(shortest, time.perf_counter() - began)
    return shortest


def literal_double_sum(lr, weight_decay, beta1):
    """The double sum for the last step as it is written: O(T^2) operations."""
    kappa = np.cumsum(lr * weight_decay)
    weights, powers = np.exp(kappa - kappa[-1]) * lr, beta1 ** np.arange(lr.size)
    return sum(((1 - beta1) * powers[: lr.size - j] @ weights[j:]) ** 2 for j in range(lr.size))


def loop(lr, weight_decay, beta1):
    """The second-moment recursion for pure noise as a Python loop; the mean square after the last step."""
    square = covariance = variance = 0.0
    for t, rate in enumerate(lr.tolist(), start=1):
        shrink, size = 1 - rate * weight_decay, rate / (1 - beta1**t)
        variance = beta1**2 * variance + (1 - beta1) ** 2
        before = beta1 * covariance
        square = shrink**2 * square - 2 * shrink * size * before + size**2 * variance
        covariance = shrink * before - size * variance
    return square


def long_run():
    """Rows for a whole trajectory of a million steps."""
    yield "| A whole trajectory of 1,000,000 steps | ms |"
    yield "|:--|--:|"
    for method in METHODS:
        schedule = constant(1e-3, 10**6) if method == "constant" else cosine(1e-3, 10**6)
        _ = schedule.values  # made once, whatever the method
        seconds = best(lambda: predict_weight_rms(schedule, 0.1, method=method, trajectory=True), rounds=3)
        yield f"| `{method}` | {1e3 * seconds:.0f} |"
    values = cosine(1e-3, 10**6).values
    seconds = best(lambda: loop(values, 0.1, 0.9), rounds=1)
    yield f"| the recursion as a Python loop | {1e3 * seconds:.0f} |"


def many_settings():
    """Rows for a slider: 100 settings of 10,000 steps."""
    def settings():
        return [
            dict(schedule=cosine(lr, 10_000), weight_decay=decay)
            for lr in np.geomspace(1e-4, 1e-2, 10) for decay in np.geomspace(0.01, 1, 10)
        ]

    together = best(lambda: predict_many(settings()))
    each = best(lambda: [predict_weight_rms(**setting) for setting in settings()])
    yield "| 100 settings of 10,000 steps, end values | ms |"
    yield "|:--|--:|"
    yield f"| `predict_many` | {1e3 * together:.0f} |"
    yield f"| `predict_weight_rms` in a loop | {1e3 * each:.0f} |"


def parts():
    """Rows for the double sum and the noise factor."""
    schedule = cosine(1e-3, 10_000)
    literal = best(lambda: literal_double_sum(schedule.values, 0.1, 0.9), rounds=2)
    ours = best(lambda: predict_weight_rms(schedule, 0.1, method="double_sum", trajectory=True))

    def factor():
        _autocovariance.cache_clear()
        noise_factor((0.9, 0.95))

    yield "| Pieces | ms |"
    yield "|:--|--:|"
    yield f"| double sum over 10,000 steps, last value, term by term | {1e3 * literal:.0f} |"
    yield f"| the same for all 10,000 last steps by recursion | {1e3 * ours:.2f} |"
    yield f"| noise factor at (0.9, 0.95), first call | {1e3 * best(factor):.0f} |"


def main():
    """Measure everything and write the tables."""
    from pictures import draw    # beside this script, which may be imported from elsewhere

    factors = f"Python {platform.python_version()}, NumPy {np.__version__}, {os.cpu_count()} cores, one used."
    text = "\n".join([factors, "", *long_run(), "", *many_settings(), "", *parts()]) + "\n"
    (ROOT / "benchmarks" / "results" / "prediction_speed.md").write_text(text, encoding="utf-8")
    draw("prediction_speed")
    print(text)


if __name__ == "__main__":
    main()
