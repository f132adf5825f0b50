"""Options that describe a learning-rate schedule, and the schedule they describe."""
import warnings
from pathlib import Path

import numpy as np

from ..adamw import from_array
from ..calculators.weight_rms import make_schedule
from .options import LONGEST_RUN, UsageError, count, library_errors, non_negative, positive

__all__ = ["add_schedule_arguments", "schedule_from"]

# Which further options each kind of schedule has.
_OPTIONS = {
    "constant": {"warmup_steps"},
    "linear": {"warmup_steps", "final_lr"},
    "cosine": {"warmup_steps", "final_lr"},
    "wsd": {"warmup_steps", "final_lr", "decay_steps"},
    "inverse-time": {"warmup_steps", "timescale", "power"},
}
_ALL_OPTIONS = sorted(set().union(*_OPTIONS.values()))


def add_schedule_arguments(parser):
    """Add the options of the schedule to ``parser``."""
    group = parser.add_argument_group("schedule")
    kind = group.add_mutually_exclusive_group(required=True)
    kind.add_argument("--schedule", choices=list(_OPTIONS), help="kind of schedule")
    kind.add_argument("--schedule-file", metavar="FILE", help="learning rate of each step: .npy, .txt or .csv")
    group.add_argument("--lr", type=positive, help="peak learning rate")
    group.add_argument("--steps", type=count(1), help="steps in all, warm-up included")
    group.add_argument("--final-lr", type=non_negative, metavar="LR",
                       help="last learning rate of linear, cosine and wsd (default 0)")
    group.add_argument("--warmup-steps", type=count(0), metavar="N",
                       help="steps of a linear warm-up from 0 that comes first (default 0)")
    group.add_argument("--decay-steps", type=count(0), metavar="N", help="steps of the final decay of wsd")
    group.add_argument("--timescale", type=positive, metavar="N",
                       help="inverse-time: lr (1 + s / timescale)^-power after s steps")
    group.add_argument("--power", type=positive, help="power of inverse-time (default 1)")


def schedule_from(arguments):
    """Make the schedule that the options describe.

    Parameters
    ----------
    arguments : argparse.Namespace
        What :func:`add_schedule_arguments` declared.

    Returns
    -------
    schedule : Schedule
    peak : float
        Its largest learning rate.

    Raises
    ------
    UsageError
        If an option is missing, does not belong to the schedule, or does not fit the others.

    Examples
    --------
    >>> from derivations.commands.options import Parser
    >>> parser = Parser()
    >>> add_schedule_arguments(parser)
    >>> schedule, peak = schedule_from(parser.parse_args("--schedule cosine --lr 0.1 --steps 4".split()))
    >>> schedule.values.round(3), peak
    (array([0.085, 0.05 , 0.015, 0.   ]), 0.1)
    """
    if arguments.schedule_file is not None:
        return _from_file(arguments)
    kind = arguments.schedule
    for name in ("lr", "steps"):
        if getattr(arguments, name) is None:
            raise UsageError(f"--schedule {kind} needs --{name}")
    _refuse(arguments, set(_ALL_OPTIONS) - _OPTIONS[kind], f"--schedule {kind}")
    lr, steps, warmup, final = arguments.lr, arguments.steps, arguments.warmup_steps or 0, arguments.final_lr or 0.0
    if kind == "wsd" and arguments.decay_steps is None:
        raise UsageError("--schedule wsd needs --decay-steps")
    if kind == "inverse-time" and arguments.timescale is None:
        raise UsageError("--schedule inverse-time needs --timescale")
    if kind != "wsd" and warmup >= steps:
        raise UsageError(f"--warmup-steps must be less than --steps, got --warmup-steps {warmup} --steps {steps}")
    with library_errors():
        schedule = make_schedule(kind.replace("-", "_"), lr, steps, warmup, final, arguments.decay_steps or 0,
                                 arguments.timescale, arguments.power or 1.0)
    return schedule, max(lr, final)


def _from_file(arguments):
    _refuse(arguments, {"lr", *_ALL_OPTIONS}, "--schedule-file")
    name = f"--schedule-file {arguments.schedule_file!r}"
    values = _read_values(arguments.schedule_file, name)
    if arguments.steps not in (None, values.size):
        raise UsageError(f"{name} has {values.size} learning rates, but got --steps {arguments.steps}")
    if values.size > LONGEST_RUN:
        raise UsageError(f"{name} has {values.size} learning rates, more than {LONGEST_RUN}")
    if not np.all(np.isfinite(values)) or np.any(values < 0) or not np.any(values > 0):
        raise UsageError(f"{name} must hold finite learning rates >= 0, not all 0")
    return from_array(values), float(values.max())


def _refuse(arguments, names, owner):
    for name in sorted(names):
        value = getattr(arguments, name)
        if value is not None:
            raise UsageError(f"--{name.replace('_', '-')} {value} does not apply to {owner}")


def _read_values(path, name):
    """The numbers in a file, as a float array of shape (T,)."""
    suffix = Path(path).suffix.lower()
    if suffix not in (".npy", ".txt", ".csv"):
        raise UsageError(f"{name} must end in .npy, .txt or .csv")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")    # an empty file only warns; its size is checked below
            if suffix == ".npy":
                # Mapped, not loaded: a header that promises more than the file holds is refused before any memory is
                # reserved; and objects, which would need pickle, are refused.
                values = np.lib.format.open_memmap(path, mode="r")
            else:
                values = np.loadtxt(path, delimiter="," if suffix == ".csv" else None, ndmin=1)
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror or error}") from error
    except (ValueError, SyntaxError, EOFError, RecursionError, MemoryError) as error:
        raise UsageError(f"{name} cannot be read as numbers: {error}") from error
    if values.size == 0 or values.size != max(values.shape) or values.dtype.kind not in "fiu":
        raise UsageError(f"{name} must hold one row or one column of numbers, got {values.dtype} {values.shape}")
    return np.array(values, dtype=float).ravel()
