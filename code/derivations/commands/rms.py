"""Predict the weight RMS of an AdamW run, and compare it with a checkpoint.

The prediction is that of :func:`derivations.adamw.predict_weight_rms`.
"""
import json
import math
import re
import statistics
from pathlib import Path

import numpy as np

from ..adamw import DoesNotApply, Schedule, lr_for, predict_weight_rms, weight_decay_for
from ..calculators.weight_rms import NOTES as METHODS
from . import report
from .checkpoints import flags, measure, open_checkpoint
from .options import UsageError, library_errors, non_negative, number, option_names, positive
from .schedules import add_schedule_arguments, schedule_from
from .tensors import CheckpointError

__all__ = ["EXAMPLE", "add_arguments", "run"]

EXAMPLE = """\
examples:
  derivations rms --schedule cosine --lr 3e-4 --weight-decay 0.1 --steps 100000 --betas 0.9 0.95
  derivations rms --schedule wsd --lr 1e-3 --weight-decay 0.1 --steps 20000 --warmup-steps 500 --decay-steps 4000 \\
      --init-rms 0.02 --plot rms.svg
  derivations rms --schedule cosine --lr 3e-4 --weight-decay 0.1 --steps 100000 --checkpoint model.safetensors

A negative number in scientific notation needs an equals sign: --init-mean=-1e-3.
Exit code 0; 2 after an error, which is one line on stderr.
"""

_DRAWN = ("exact", "double_sum", "single_sum", "mean_field")
_MOST_DRAWN = 4
_MOST_POINTS = 1000    # of a curve in a drawing
_MODEL = ("betas", "eps", "init_rms", "init_mean", "gradient_mean", "gradient_std")


def add_arguments(parser):
    """Add the options of ``derivations rms`` to ``parser``."""
    add_schedule_arguments(parser)
    group = parser.add_argument_group("optimizer and model")
    group.add_argument("--weight-decay", type=non_negative, required=True, metavar="WD",
                       help="as torch's AdamW takes it")
    group.add_argument("--adamc", action="store_true", help="weight decay proportional to lr; WD is its maximum")
    group.add_argument("--betas", type=non_negative, nargs=2, default=(0.9, 0.95), metavar="B",
                       help="(default 0.9 0.95)")
    group.add_argument("--eps", type=non_negative, default=0.0, help="in the unit of the gradient (default 0)")
    group.add_argument("--init-rms", type=non_negative, default=0.0, metavar="R",
                       help="RMS of the weights at the start (default 0)")
    group.add_argument("--init-mean", type=number, default=0.0, metavar="M",
                       help="mean of a weight at the start (default 0)")
    group.add_argument("--gradient-mean", type=number, default=0.0, metavar="M",
                       help="mean of one component of the gradient (default 0)")
    group.add_argument("--gradient-std", type=non_negative, default=1.0, metavar="S",
                       help="its standard deviation (default 1)")
    group = parser.add_argument_group("output")
    group.add_argument("--method", nargs="+", choices=list(METHODS), metavar="METHOD",
                       help=f"only these of: {', '.join(METHODS)}")
    group.add_argument("--target-rms", type=positive, metavar="R",
                       help="also print the weight decay, and the learning rate, that end at this RMS")
    group.add_argument("--plot", metavar="FILE", help=f"draw up to {_MOST_DRAWN} trajectories; .svg, .png or .pdf")
    group.add_argument("--log", action="store_true", help="logarithmic axes in the drawing")
    group.add_argument("--json", action="store_true", help="print JSON instead of text")
    group = parser.add_argument_group("checkpoint")
    group.add_argument("--checkpoint", nargs="+", metavar="FILE",
                       help="compare the tensors of .safetensors or .npz files, or of a .safetensors.index.json, with "
                            "the prediction of the first METHOD (default exact)")
    group.add_argument("--names", metavar="REGEX", help="only tensors whose name this regular expression finds")


def run(arguments):
    """Do what the options ask for, and print it: everything as JSON, or as text, tensor by tensor."""
    names = _name_pattern(arguments)
    schedule, peak = schedule_from(arguments)
    weight_decay = arguments.weight_decay
    if arguments.adamc and weight_decay > 0:
        weight_decay = schedule.scaled(weight_decay / peak)
    run_model = (schedule, weight_decay, {name: getattr(arguments, name) for name in _MODEL})
    # A run that diverges overflows on its way to the error that says so.
    with library_errors(), np.errstate(all="ignore"):
        results = {
            "settings": _settings(arguments, schedule, peak),
            "totals": _totals(schedule, weight_decay, peak * arguments.weight_decay),
        }
        if arguments.checkpoint is None:
            results["predictions"] = _predictions(arguments.method or METHODS, *run_model)
        else:
            method = (arguments.method or ["exact"])[0]
            results["checkpoint"] = {"method": method, "rms": _applicable(method, *run_model)}
        if arguments.target_rms is not None:
            results["target"] = _inverse(arguments.target_rms, *run_model)
        if arguments.plot is not None:
            _draw(arguments, *run_model)
    if not arguments.json:
        report.print_results(results)
    if arguments.checkpoint is not None:
        _compare(arguments, names, results["checkpoint"])
    if arguments.json:
        print(json.dumps(results, indent=2, allow_nan=False))
    elif arguments.plot is not None:
        print(f"\nDrawn in {arguments.plot}")


def _name_pattern(arguments):
    if arguments.names is None:
        return re.compile("")
    if arguments.checkpoint is None:
        raise UsageError(f"--names {arguments.names!r} needs --checkpoint")
    try:
        return re.compile(arguments.names)
    except re.error as error:
        raise UsageError(f"--names {arguments.names!r} is no regular expression: {error}") from error


def _settings(arguments, schedule, peak):
    names = ("weight_decay", "adamc", *_MODEL)
    source = arguments.schedule or arguments.schedule_file
    return {"schedule": source, "steps": schedule.steps, "peak_lr": peak, "last_lr": float(schedule.values[-1]),
            **{name: getattr(arguments, name) for name in names}}


def _totals(schedule, weight_decay, strongest):
    """``strongest`` is the largest decay per step."""
    kappa = float(schedule.kappa(weight_decay))
    return {
        "kappa": kappa,
        "nu": float(schedule.nu()),
        "time_scale_steps": 1 / (2 * strongest) if strongest > 0 else None,
        "start_share": math.exp(-2 * kappa),
    }


def _predictions(methods, schedule, weight_decay, model):
    """One row for each method; ``difference_percent`` is that of the RMS from the exact one."""
    rms, reasons = {}, {}
    for method in dict.fromkeys(["exact", *methods]):
        try:
            rms[method] = predict_weight_rms(schedule, weight_decay, method=method, **model)
        except DoesNotApply as error:
            reasons[method] = str(error)
    exact = rms.get("exact")
    return [
        {
            "method": method,
            "rms": rms.get(method),
            "difference_percent": 100 * (rms[method] / exact - 1) if exact and method in rms else None,
            "note": reasons.get(method, METHODS[method]),
        }
        for method in methods
    ]


def _applicable(method, schedule, weight_decay, model):
    try:
        return predict_weight_rms(schedule, weight_decay, method=method, **model)
    except DoesNotApply as error:
        raise UsageError(f"--method {method} does not apply: {error}") from error


def _inverse(target, schedule, weight_decay, model):
    """The two single changes that end at the RMS ``target``, or why there is none."""
    found = {"rms": target, "weight_decay": None, "lr": None, "notes": []}
    if isinstance(weight_decay, Schedule):
        found["notes"].append("no weight decay: with --adamc it is no single number")
    else:
        try:
            found["weight_decay"] = float(weight_decay_for(target, schedule, **model))
        except ValueError as error:
            found["notes"].append(option_names(str(error)))
    try:
        found["lr"] = float(lr_for(target, schedule, weight_decay, **model))
    except ValueError as error:
        found["notes"].append(option_names(str(error)))
    return found


def _draw(arguments, schedule, weight_decay, model):
    """Write the trajectories to the file that ``--plot`` names."""
    from ..figures.adamw import weight_rms    # matplotlib takes long to import

    methods = list(dict.fromkeys(arguments.method or _DRAWN))
    suffix = Path(arguments.plot).suffix.lower()
    if suffix not in (".svg", ".png", ".pdf"):
        raise UsageError(f"--plot {arguments.plot!r} must end in .svg, .png or .pdf")
    if len(methods) > _MOST_DRAWN:
        raise UsageError(f"--plot draws at most {_MOST_DRAWN} methods, got --method {' '.join(methods)}")
    ends = np.geomspace if arguments.log else np.linspace
    steps = np.unique(ends(1, schedule.steps, _MOST_POINTS).round().astype(int))
    curves = {}
    for method in methods:
        try:
            path = predict_weight_rms(schedule, weight_decay, method=method, trajectory=True, **model)
        except DoesNotApply:
            continue    # the table says why
        curves[method.replace("_", " ")] = path[steps - 1]
    if not curves:
        raise UsageError(f"--plot has nothing to draw: --method {' '.join(methods)} does not apply")
    figure = weight_rms(steps, curves, log=arguments.log, limits=_limits(list(curves.values()), arguments.log))
    if not arguments.log:
        figure.axes[0].locator_params(axis="x", nbins=5)    # numbers of six digits need room
    try:
        figure.savefig(arguments.plot, format=suffix[1:], facecolor="white", dpi=200)
    except OSError as error:
        raise UsageError(f"--plot {arguments.plot!r}: {error.strerror or error}") from error


def _limits(curves, log):
    """Ends of the RMS axis: from 0, or whole decades, so that there are ticks."""
    curves = np.array(curves)
    if not log:
        return 0, 1.05 * curves.max()
    low, high = np.log10([curves[curves > 0].min(), curves.max()])
    return 10 ** np.floor(low), 10 ** (np.floor(high) + 1)


def _compare(arguments, names, results):
    """Measure every tensor whose name matches, add the rows to ``results``, and print each unless JSON is wanted."""
    results["files"], results["tensors"] = arguments.checkpoint, []
    try:
        with open_checkpoint(arguments.checkpoint) as tensors:
            tensors = [tensor for tensor in tensors if names.search(tensor.name)]
            if not tensors:
                raise UsageError(f"--names {arguments.names!r} finds no tensor in --checkpoint"
                                 if arguments.names else "--checkpoint holds no tensor")
            table = None if arguments.json else report.TensorTable(tensors)
            for tensor in tensors:
                row = _compared(tensor, results["rms"])
                results["tensors"].append(row)
                if table:
                    table.print_row(row)
    except CheckpointError as error:
        raise UsageError(f"--checkpoint {error}") from error
    ratios = [row["ratio"] for row in results["tensors"] if row["ratio"] is not None and not row["flags"]]
    results["covered"] = len(ratios)
    results["ratios"] = [min(ratios), statistics.median(ratios), max(ratios)] if ratios else None
    if table:
        report.print_comparison(results)


def _compared(tensor, prediction):
    measured = measure(tensor.blocks()) if tensor.kind in ("float", "float8") else None
    rms = measured.rms if measured and math.isfinite(measured.rms) else None
    return {
        "name": tensor.name,
        "shape": list(tensor.shape),
        "dtype": tensor.dtype,
        "rms": rms,
        "ratio": rms / prediction if rms is not None and prediction > 0 else None,
        "flags": flags(tensor, measured),
    }
