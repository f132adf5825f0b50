"""How far each method is from a simulation of AdamW, over 48 settings.

Four schedules, three total decays and four pairs of betas; every run has 2000 steps and 65,536 weights with independent
normal gradients. Writes ``results/prediction_accuracy.md`` (the table of the book) and every number for
``derivations.adamw.kept_results("prediction_accuracy")``: a list with, for each run, the schedule, ``kappa``, ``betas`` and
``weight_decay``, the simulated mean square ``rho``, its relative ``standard_error``, and the relative ``errors`` of the mean
square that each method predicts (None where it does not apply).
"""
import json
from itertools import product
from pathlib import Path

import numpy as np

import derivations.adamw
from derivations.adamw import METHODS, DoesNotApply, constant, cosine, linear, predict_weight_rms, simulate, wsd

RESULTS = Path(__file__).resolve().parent / "results"
KEPT = Path(derivations.adamw.__file__).parent / "data"
STEPS, LR, INIT_RMS, PARAMETERS, SEED = 2000, 0.01, 0.02, 65_536, 20_261_122
SCHEDULES = {
    "constant": constant(LR, STEPS),
    "linear": linear(LR, STEPS),
    "cosine": cosine(LR, STEPS),
    "WSD": wsd(LR, STEPS, warmup_steps=STEPS // 10, decay_steps=STEPS // 5),
}
KAPPAS = (0.5, 2.0, 8.0)
BETAS = ((0.9, 0.95), (0.9, 0.999), (0.95, 0.95), (0.99, 0.999))


def measure(name, kappa, betas, rng):
    """One setting: the simulated mean square with its relative standard error, and each method's relative error."""
    schedule = SCHEDULES[name]
    decay = kappa / float(schedule.kappa(1.0))
    run = simulate(schedule, decay, betas, parameters=PARAMETERS, rng=rng, init_rms=INIT_RMS)
    errors = {}
    for method in METHODS:
        try:
            errors[method] = (predict_weight_rms(schedule, decay, betas, init_rms=INIT_RMS, method=method) / run.rms) ** 2 - 1
        except DoesNotApply:
            errors[method] = None
    return {
        "schedule": name, "kappa": kappa, "betas": betas, "weight_decay": decay,
        "rho": run.rms**2, "standard_error": 2 * run.standard_error / run.rms, "errors": errors,
    }


def table(rows):
    """Median and worst error of the mean square by method, in per cent, and the same for each schedule."""
    lines = [
        "| Method | Settings | Median | Worst | " + " | ".join(f"Worst: {name}" for name in SCHEDULES) + " |",
        "|:--|--:|--:|--:|" + "--:|" * len(SCHEDULES),
    ]
    for method in METHODS:
        errors = {name: _errors(rows, method, name) for name in SCHEDULES}
        every = np.concatenate(list(errors.values()))
        worst = " | ".join(f"{100 * e.max():.3g} %" if e.size else "does not apply" for e in errors.values())
        lines.append(
            f"| `{method}` | {every.size} | {100 * np.median(every):.3g} % | {100 * every.max():.3g} % | {worst} |"
        )
    return lines


def _errors(rows, method, name):
    found = [row["errors"][method] for row in rows if row["schedule"] == name]
    return np.array([abs(error) for error in found if error is not None])


def summary(rows):
    """What the table says about ``exact``, in standard errors."""
    distances = np.array([abs(row["errors"]["exact"]) / row["standard_error"] for row in rows])
    long = np.array([row["kappa"] >= 2 for row in rows])
    errors = np.array([row["standard_error"] for row in rows])
    return (
        f"Relative errors of the mean square $\\rho$; those of the RMS are half as large. {len(rows)} runs of {STEPS} steps "
        f"with {PARAMETERS:,} weights each, peak learning rate {LR}, start N(0, {INIT_RMS}²), seed {SEED}. The "
        f"simulation's own standard error is between {100 * errors.min():.2g} % and {100 * errors.max():.2g} %. Where "
        f"$\\kappa \\ge 2$, `exact` is within {distances[long].max():.1f} standard errors of every run; over all runs within "
        f"{distances.max():.1f}."
    )


def main():
    """Run all settings and write both files."""
    from pictures import draw    # beside this script, which may be imported from elsewhere

    rng = np.random.default_rng(SEED)
    rows = [measure(name, kappa, betas, rng) for name, kappa, betas in product(SCHEDULES, KAPPAS, BETAS)]
    RESULTS.mkdir(exist_ok=True)
    text = "\n".join([summary(rows), "", *table(rows)]) + "\n"
    (RESULTS / "prediction_accuracy.md").write_text(text, encoding="utf-8")
    (KEPT / "prediction_accuracy.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    draw("prediction_accuracy")
    print(text)


if __name__ == "__main__":
    main()
