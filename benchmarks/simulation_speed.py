"""What a simulated weight costs: beside NumPy's random numbers alone, naive NumPy and torch; and what accuracy costs.

Writes ``results/simulation_speed.md``. Everything runs in one process; rates are of CPU time on one thread.
"""
import importlib.util
import math
import os
import sys
import time
from pathlib import Path

import numpy as np

from derivations.adamw import constant, simulate

ROOT = Path(__file__).resolve().parents[1]
WEIGHTS, STEPS, ROUNDS = 65_536, 400, 8
LR, BETAS = 0.01, (0.9, 0.95)
SCHEDULE, DECAY = constant(LR, STEPS), 0.5
# Time to a given accuracy: constant learning rate from a start at zero.
LONG, TARGET, ACCURACY_ROUNDS = 2000, 1e-4, 4
CASES = [(betas, kappa) for betas in ((0.9, 0.95), (0.9, 0.999)) for kappa in (2, 8)]
THREADED_WEIGHTS, THREADED_ROUNDS = 262_144, 12


def numpy_normals():
    """Only draw the gradients, in blocks that stay in the cache."""
    rng, block = np.random.Generator(np.random.SFC64(1)), np.empty(16_384, np.float32)
    for _ in range(STEPS * (WEIGHTS // block.size)):
        rng.standard_normal(out=block, dtype=np.float32)


def plain():
    """Our simulation without control variate."""
    simulate(SCHEDULE, DECAY, BETAS, parameters=WEIGHTS, rng=np.random.default_rng(1), control_variate=False, threads=1)


def controlled():
    """Our simulation with control variate."""
    simulate(SCHEDULE, DECAY, BETAS, parameters=WEIGHTS, rng=np.random.default_rng(1), threads=1)


def naive():
    """The formulas of AdamW as one writes them down, in float64."""
    rng, (beta1, beta2) = np.random.default_rng(1), BETAS
    theta, m, v = np.zeros(WEIGHTS), np.zeros(WEIGHTS), np.zeros(WEIGHTS)
    for t in range(1, STEPS + 1):
        gradient = rng.standard_normal(WEIGHTS)
        m = beta1 * m + (1 - beta1) * gradient
        v = beta2 * v + (1 - beta2) * gradient**2
        update = m / (1 - beta1**t) / np.sqrt(v / (1 - beta2**t))
        theta = theta - LR * (update + DECAY * theta)
    return np.sqrt(np.mean(theta**2))


def torch_fused():
    """torch.optim.AdamW, fused, float32, with gradients from ``normal_``."""
    import torch
    generator = torch.Generator().manual_seed(1)
    theta = torch.zeros(WEIGHTS)
    theta.grad = torch.empty(WEIGHTS)
    optimizer = torch.optim.AdamW([theta], LR, BETAS, eps=0.0, weight_decay=DECAY, fused=True)
    for _ in range(STEPS):
        theta.grad.normal_(generator=generator)
        optimizer.step()


def best_times(functions, rounds, clock=time.process_time):
    """Seconds a call of each function: rounds in turn, the best of each counts."""
    best = [math.inf] * len(functions)
    for _ in range(rounds):
        for index, function in enumerate(functions):
            began = clock()
            function()
            best[index] = min(best[index], clock() - began)
    return best


def rate_table():
    """Weights times steps in a second, for everybody."""
    rows = {
        "NumPy SFC64 normals alone, float32": numpy_normals,
        "`simulate` without control variate": plain,
        "`simulate` with control variate": controlled,
        "naive NumPy, float64": naive,
    }
    note = []
    if importlib.util.find_spec("torch"):
        import torch
        torch.set_num_threads(1)
        rows[f"torch {torch.__version__.split('+')[0]} fused AdamW and `normal_`, float32"] = torch_fused
    else:
        note = ["", "torch was not installed."]
    rates = [WEIGHTS * STEPS / seconds for seconds in best_times(list(rows.values()), ROUNDS)]
    normals, slow = rates[0], rates[3]
    return [
        "| One thread | Million weight-steps a second | Over normals alone | Over naive NumPy |",
        "|:--|--:|--:|--:|",
        *(
            f"| {name} | {rate / 1e6:.0f} | {rate / normals:.2f} | {rate / slow:.1f} |"
            for name, rate in zip(rows, rates)
        ),
        *note,
    ]


def accuracy_table():
    """CPU time to a relative standard error of the RMS, with and without control variate."""
    lines = [
        r"| $\beta_1,\ \beta_2$ | $\kappa$ | Seconds without | Seconds with | Ratio |",
        "|:--|--:|--:|--:|--:|",
    ]
    for betas, kappa in CASES:
        runs = {}

        def run(control_variate, betas=betas, kappa=kappa, runs=runs):
            runs[control_variate] = simulate(
                constant(LR, LONG), kappa / (LR * LONG), betas, parameters=WEIGHTS, rng=np.random.default_rng(2),
                control_variate=control_variate, threads=1,
            )

        times = best_times([lambda: run(False), lambda: run(True)], ACCURACY_ROUNDS)
        # The standard error falls with the root of the number of weights, and so of the time.
        without, with_control = (
            seconds * (runs[flag].standard_error / runs[flag].rms / TARGET) ** 2
            for flag, seconds in zip((False, True), times)
        )
        lines.append(
            f"| {betas[0]}, {betas[1]} | {kappa} | {without:.1f} | {with_control:.2f} | {without / with_control:.0f} |"
        )
    return lines


def thread_sentence():
    """Wall time with two threads against one, and how many processors the system gave to the two."""
    def run(threads):
        began, used = time.perf_counter(), time.process_time()
        simulate(SCHEDULE, DECAY, BETAS, parameters=THREADED_WEIGHTS, rng=np.random.default_rng(3), threads=threads)
        wall = time.perf_counter() - began
        return wall, (time.process_time() - used) / wall

    rounds = [(run(1), run(2)) for _ in range(THREADED_ROUNDS)]
    (one, _), (two, processors) = (min(times) for times in zip(*rounds))
    return (
        f"Wall time for {THREADED_WEIGHTS:,} weights: {one:.2f} s with one thread, {two:.2f} s with two, {one / two:.2f} "
        f"times as fast. The two threads kept {processors:.1f} processors of {os.cpu_count()} busy; on a machine that "
        "has other work they get less."
    )


def main():
    """Measure, print, and write the report."""
    from pictures import draw    # beside this script, which may be imported from elsewhere

    lines = [
        f"Python {sys.version.split()[0]}, NumPy {np.__version__}; {WEIGHTS:,} weights, {STEPS} steps, "
        rf"$\beta_1, \beta_2$ = {BETAS[0]}, {BETAS[1]}, $\epsilon = 0$, normal gradients. CPU time, best of {ROUNDS} "
        "rounds in turn, one thread for everybody. `simulate` includes its random numbers.",
        "",
        *rate_table(),
        "",
        f"CPU time until the standard error of the RMS is {TARGET:g} of it, from runs of {WEIGHTS:,} weights and "
        rf"{LONG} steps with $\eta = {LR}$ and $\lambda = \kappa / ({LR} \cdot {LONG})$, started at zero (seed 2):",
        "",
        *accuracy_table(),
        "",
        thread_sentence(),
    ]
    text = "\n".join(lines) + "\n"
    results = ROOT / "benchmarks" / "results"
    results.mkdir(exist_ok=True)
    (results / "simulation_speed.md").write_text(text, encoding="utf-8")
    draw("simulation_speed")
    print(text)


if __name__ == "__main__":
    main()
