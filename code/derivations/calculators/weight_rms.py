"""The weight RMS calculator: a run's settings in, its weight RMS by every method out.

The page ``chapters/adamw/calculator`` has the same fields; ``page_data`` tells its script what they are. The script
computes the methods that need only a recursion by itself, this module computes all of them.
"""
import math
import numbers
from dataclasses import asdict, dataclass

import numpy as np

from ..adamw import (
    METHODS, DoesNotApply, Schedule, constant, cosine, equilibrium_rms, inverse_time, join, kept_results, linear,
    lr_for, noise_factor, predict_weight_rms, weight_decay_for, wsd,
)
from ..adamw.pieces import Linear

__all__ = [
    "DRAWN_POINTS", "FIELDS", "NOTES", "SCHEDULES", "WARNINGS", "Field", "known_error", "make_schedule", "page_data",
    "weight_rms", "weight_rms_figure",
]

SCHEDULES = {
    "constant": "constant", "linear": "linear", "cosine": "cosine", "wsd": "WSD (warm-up, stable, decay)",
    "inverse_time": "inverse time", "drawn": "drawn by hand",
}

# Where the error of each method comes from.
NOTES = {
    "exact": "noise factor of a settled run, also in its first 1/(1 - beta2) steps",
    "recursion": "denominator frozen at its mean: without the noise factor",
    "double_sum": "as recursion, without bias correction and without start x mean gradient",
    "single_sum": "as double_sum; lr and decay steady over the momentum's 1/(1 - beta1) steps",
    "integral": "as single_sum, with the sum over steps as an integral",
    "ode": "as integral, from its differential equation",
    "closed_form": "as integral, in closed form",
    "mean_field": "as integral, with lr^2 and decay spread evenly over the run",
    "constant": "as double_sum, for constant lr and weight decay, lr x wd << 1 - beta1",
}
# What makes a prediction less sure; the page's script fills in the same names.
WARNINGS = {
    "start": "The total decay kappa is {kappa}, so {left} % of the RMS of the start are left: the start matters. "
             "(The known errors were measured for kappa from 0.5 to 8.)",
    "long": "The total decay kappa is {kappa}: the known errors were measured for kappa from 0.5 to 8, and the mean "
            "field gets worse beyond.",
    "fast": "lr x weight decay reaches {per_step}, which is not small against 1 - beta1 = {memory}: single_sum, "
            "integral and mean_field are too large, and exact is less sure.",
    "few": "{steps} steps are few against the memory of momentum and denominator: every method is less sure.",
    "mean": "The mean of the gradient, not its noise, decides the RMS at equilibrium. It would have to keep its sign "
            "and size for the whole run, which real gradients seldom do.",
    "other": "The known errors were measured for gradients with mean 0, and for eps 0.",
}
_DRAWN = {"exact": "exact", "recursion": "frozen denominator", "single_sum": "single sum", "mean_field": "mean field"}
_MOST_POINTS = 20      # of a drawn schedule
_CURVE_POINTS = 300    # of a curve in the picture
# Pairs of betas whose noise factor comes with the page.
_PREPARED_BETAS = [(beta1, beta2) for beta1 in (0.0, 0.8, 0.9, 0.95, 0.99) for beta2 in (0.95, 0.98, 0.99, 0.999)]


@dataclass(frozen=True)
class Field:
    """One number that the calculator asks for.

    Parameters
    ----------
    name : str
        As the argument of :func:`weight_rms`.
    label : str
        As the reader sees it.
    default : float, int or None
        None is an empty field.
    low, high : float
        Smallest and largest value, both allowed.
    whole : bool
        Whether it must be a whole number.
    schedules : tuple of str
        The schedules that have this field; empty for all.
    group : {"schedule", "optimizer", "start", "target"}
        Where it stands in the form.

    Examples
    --------
    >>> Field("steps", "steps", 1000, 1, 10**6, whole=True).demand
    'a whole number from 1 to 1000000'
    """

    name: str
    label: str
    default: float | int | None
    low: float
    high: float
    whole: bool = False
    schedules: tuple = ()
    group: str = "schedule"

    @property
    def demand(self):
        """What a value must be, in words."""
        return f"a {'whole number' if self.whole else 'number'} from {_short(self.low)} to {_short(self.high)}"


FIELDS = {field.name: field for field in (
    Field("lr", "peak learning rate", 3e-4, 1e-12, 1000),
    Field("steps", "steps in all", 100_000, 1, 10**6, whole=True),
    Field("warmup_steps", "warm-up steps", 2000, 0, 10**6, whole=True,
          schedules=("constant", "linear", "cosine", "wsd", "inverse_time")),
    Field("final_lr", "last learning rate", 0.0, 0, 1000, schedules=("linear", "cosine", "wsd")),
    Field("decay_steps", "steps of the final decay", 20_000, 0, 10**6, whole=True, schedules=("wsd",)),
    Field("timescale", "timescale, in steps", 10_000.0, 1e-3, 10**9, schedules=("inverse_time",)),
    Field("power", "power", 1.0, 0.01, 10, schedules=("inverse_time",)),
    Field("weight_decay", "weight decay", 0.1, 0, 10_000, group="optimizer"),
    Field("beta1", "beta1", 0.9, 0, 0.9999, group="optimizer"),
    Field("beta2", "beta2", 0.95, 0, 0.99999, group="optimizer"),
    Field("eps", "eps / standard deviation of the gradient", 0.0, 0, 1000, group="optimizer"),
    Field("init_rms", "RMS of the weights at the start", 0.02, 0, 10**6, group="start"),
    Field("gradient_mean", "mean / standard deviation of the gradient", 0.0, -100, 100, group="start"),
    Field("target_rms", "wanted RMS at the end (may stay empty)", None, 1e-12, 10**6, group="target"),
)}
DRAWN_POINTS = ((0, 0), (4, 100), (20, 100), (40, 90), (60, 65), (80, 30), (92, 10), (100, 0))
"""A drawn schedule to begin with: per cent of the run, per cent of the peak learning rate."""


class _BadInput(ValueError):
    """A value of a field is not what it must be; the text is a sentence for the reader."""

    def __init__(self, field, text):
        super().__init__(text)
        self.field = field


def weight_rms(
    schedule="cosine", lr=3e-4, steps=100_000, warmup_steps=2000, final_lr=0.0, decay_steps=20_000, timescale=10_000.0,
    power=1.0, points=DRAWN_POINTS, weight_decay=0.1, adamc=False, beta1=0.9, beta2=0.95, eps=0.0, init_rms=0.02,
    gradient_mean=0.0, target_rms=None, picture=True,
):
    r"""Predict the weight RMS of an AdamW run by every method, with all that one wants to know beside it.

    Parameters
    ----------
    schedule : {"constant", "linear", "cosine", "wsd", "inverse_time", "drawn"}
        Kind of schedule.
    lr : float
        Peak learning rate.
    steps, warmup_steps : int
        Steps in all, and those of the linear warm-up from 0 among them.
    final_lr : float
        Last learning rate, of ``"linear"``, ``"cosine"`` and ``"wsd"``.
    decay_steps : int
        Steps of the final decay of ``"wsd"``.
    timescale, power : float
        Of ``"inverse_time"``: :math:`\eta_s = \eta_0 (1 + s/\tau)^{-p}` after the warm-up.
    points : sequence of pair of float
        Of ``"drawn"``: straight lines between points (per cent of the run, per cent of ``lr``). The first one is at 0,
        the last one at 100.
    weight_decay : float
        :math:`\lambda`.
    adamc : bool
        Whether the weight decay is proportional to the learning rate; ``weight_decay`` is its maximum.
    beta1, beta2 : float
        As torch's AdamW takes them.
    eps, gradient_mean : float
        :math:`\epsilon` and the mean of one component of the gradient, both divided by its standard deviation.
    init_rms : float
        RMS of the weights at the start, whose mean is 0.
    target_rms : float, optional
        RMS that is wanted at the end.
    picture : bool
        Whether to draw the run.

    Returns
    -------
    dict
        Fit for JSON. ``methods``: for each method its ``rms``, the relative ``difference`` from the most accurate one,
        what is known about its ``error``, and a ``note``. ``totals``: ``kappa``, ``nu``, ``time_scale``, the shares
        ``mean_square_left`` and ``rms_left`` of the start that are left, and its share ``of_the_end`` of the final mean
        square. ``equilibrium``: a list, see the keys. ``inverse``: the ``weight_decay`` and the ``lr`` that end at the
        target, and ``notes``; None without a target. ``warnings``: sentences. ``svg`` and ``alt``: the picture. Or only
        ``error``, a sentence that names the field and its value, and ``field``.

    Examples
    --------
    >>> answer = weight_rms(schedule="cosine", lr=1e-3, steps=20_000, warmup_steps=0, picture=False)
    >>> round(answer["methods"]["exact"]["rms"], 4), round(answer["totals"]["kappa"], 3)
    (0.0514, 1.0)
    >>> weight_rms(lr=-1)["error"]
    'peak learning rate (lr) must be a number from 1e-12 to 1000, got -1'
    """
    fields = {name: value for name, value in locals().items() if name != "picture"}
    try:
        run = _Setting.of(**fields)
        # A run that diverges overflows on its way to the error that says so.
        with np.errstate(all="ignore"):
            answer = {
                "methods": run.methods(),
                "totals": run.totals(),
                "equilibrium": run.equilibrium(),
                "inverse": None if target_rms is None else run.inverse(float(target_rms)),
                "warnings": run.warnings(),
            }
            if picture:
                answer |= run.picture()
    except _BadInput as error:
        return {"error": str(error), "field": error.field}
    except ValueError as error:
        return {"error": _told(error), "field": None}
    return answer


def weight_rms_figure(**fields):
    """Draw learning rate and weight RMS of a run against the step.

    Parameters
    ----------
    **fields
        Arguments of :func:`weight_rms`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If a field is outside its range.

    Examples
    --------
    >>> len(weight_rms_figure(schedule="constant", steps=100, warmup_steps=10).axes)
    2
    """
    values = {name: field.default for name, field in FIELDS.items()}
    return _Setting.of(**{"schedule": "cosine", "adamc": False, "points": DRAWN_POINTS, **values, **fields}).figure()


def make_schedule(kind, lr, steps, warmup_steps=0, final_lr=0.0, decay_steps=0, timescale=None, power=1.0):
    """Make a schedule from its name and numbers, with a linear warm-up from 0 before it.

    Parameters
    ----------
    kind : {"constant", "linear", "cosine", "wsd", "inverse_time"}
        Which function of :mod:`derivations.adamw` makes it.
    lr : float
        Peak learning rate.
    steps, warmup_steps : int
        Steps in all, and those of the warm-up among them: less than all, but for ``"wsd"``.
    final_lr, decay_steps, timescale, power
        As those functions take them.

    Returns
    -------
    Schedule

    Raises
    ------
    ValueError
        If a number is outside its range.

    Examples
    --------
    >>> make_schedule("linear", 0.04, steps=6, warmup_steps=2).values
    array([0.02, 0.04, 0.03, 0.02, 0.01, 0.  ])
    """
    if kind == "wsd":
        return wsd(lr, steps, warmup_steps, decay_steps, final_lr)
    if warmup_steps >= steps:
        raise ValueError(f"warmup_steps must be less than steps, got warmup_steps={warmup_steps}, steps={steps}")
    rest = steps - warmup_steps
    if kind == "constant":
        schedule = constant(lr, rest)
    elif kind == "inverse_time":
        schedule = inverse_time(lr, rest, timescale, power)
    elif kind in ("linear", "cosine"):
        schedule = {"linear": linear, "cosine": cosine}[kind](lr, rest, final_lr)
    else:
        raise ValueError(f"kind must be one of {', '.join(SCHEDULES)} but for drawn, got kind={kind!r}")
    return join(linear(0.0, warmup_steps, final_lr=lr), schedule) if warmup_steps else schedule


def page_data():
    """What the page's script must know, as the page carries it.

    Returns
    -------
    dict
        Fit for JSON: ``fields``, ``schedules``, ``methods`` (their notes), ``errors`` (for each schedule and method),
        ``noise_factors`` (beta1, beta2 and S of each prepared pair), ``points``, ``most_points``, ``warnings``.

    Examples
    --------
    >>> sorted(page_data())
    ['errors', 'fields', 'methods', 'most_points', 'noise_factors', 'points', 'schedules', 'warnings']
    """
    return {
        "fields": [{**asdict(field), "demand": field.demand} for field in FIELDS.values()],
        "schedules": SCHEDULES,
        "methods": NOTES,
        "errors": {kind: {method: known_error(method, kind) for method in METHODS} for kind in SCHEDULES},
        "noise_factors": [[*betas, float(noise_factor(betas))] for betas in _PREPARED_BETAS],
        "points": DRAWN_POINTS,
        "most_points": _MOST_POINTS,
        "warnings": WARNINGS,
    }


def known_error(method, schedule):
    """What simulations say about the error of a method.

    Parameters
    ----------
    method : str
        One of ``derivations.adamw.METHODS``.
    schedule : str
        Kind of schedule; without simulations of this kind, those of all kinds count.

    Returns
    -------
    str or None
        Median and worst error of the RMS; None if there are no simulations to which the method applies.

    Examples
    --------
    >>> known_error("exact", "cosine")
    'median 0.03 %, worst 0.10 %, 12 cosine runs'
    """
    runs = kept_results("prediction_accuracy")
    same = [run for run in runs if run["schedule"].lower() == schedule]
    errors = [run["errors"][method] for run in same or runs if run["errors"][method] is not None]
    if not errors:
        return None
    errors = 100 * np.abs(np.sqrt(1 + np.array(errors)) - 1)
    which = f"{same[0]['schedule']} runs" if same else "runs of other kinds"
    return f"median {_percent(np.median(errors))}, worst {_percent(errors.max())}, {errors.size} {which}"


def _percent(number):
    return f"{number:.2f} %" if number < 10 else f"{number:.0f} %"


@dataclass(frozen=True, eq=False)
class _Setting:
    """Checked settings of a run."""

    kind: str
    schedule: Schedule
    peak_decay: float
    decay: float | Schedule
    model: dict

    @classmethod
    def of(cls, schedule, adamc, points, **numbers_):
        """Check every field that this schedule has; the others do not matter."""
        if schedule not in list(SCHEDULES):
            raise _BadInput("schedule", f"schedule must be one of {', '.join(SCHEDULES)}, got {_quoted(schedule)}")
        if not isinstance(adamc, bool):
            raise _BadInput("adamc", f"adamc must be true or false, got {_quoted(adamc)}")
        values = {
            name: _checked(field, numbers_[name]) for name, field in FIELDS.items()
            if not field.schedules or schedule in field.schedules
        }
        made = _drawn(points, values["lr"], values["steps"]) if schedule == "drawn" else _named(schedule, values)
        decay = values["weight_decay"]
        model = {name: values[name] for name in ("eps", "init_rms", "gradient_mean")}
        return cls(
            schedule, made, decay, made.scaled(decay / made.peak) if adamc and decay > 0 else decay,
            {"betas": (values["beta1"], values["beta2"]), **model},
        )

    @property
    def _decays(self):
        """Weight decay of each step."""
        return self.decay.values if isinstance(self.decay, Schedule) else np.full(self.schedule.steps, self.decay)

    def methods(self):
        """A row for each method."""
        rms, reasons = {}, {}
        for method in METHODS:
            try:
                rms[method] = predict_weight_rms(self.schedule, self.decay, method=method, **self.model)
            except DoesNotApply as error:
                reasons[method] = "does not apply: " + _told(error).removeprefix(f"method={method!r} ")
        exact = rms["exact"]
        return {
            method: {
                "rms": rms.get(method),
                "difference": rms[method] / exact - 1 if exact and method in rms else None,
                "error": known_error(method, self.kind),
                "note": reasons.get(method, NOTES[method]),
            }
            for method in METHODS
        }

    def totals(self):
        """Sums over the run, and what is left of the start."""
        kappa = float(self.schedule.kappa(self.decay))
        strongest = self.schedule.peak * self.peak_decay
        end = predict_weight_rms(self.schedule, self.decay, **self.model)
        left = math.exp(-2 * kappa)
        return {
            "kappa": kappa,
            "nu": float(self.schedule.nu()),
            "peak_lr": self.schedule.peak,
            "last_lr": float(self.schedule.values[-1]),
            "time_scale": 1 / (2 * strongest) if strongest > 0 else None,
            "mean_square_left": left,
            "rms_left": math.exp(-kappa),
            "of_the_end": min(1.0, left * (self.model["init_rms"] / end) ** 2) if end else None,
        }

    def equilibrium(self):
        """Where constant settings would settle: those of the peak, of the moment that counts, and of the end."""
        values, decays = self.schedule.values, self._decays
        places = {"half": self._half(), "last": values.size - 1}
        settings = [("peak", None, self.schedule.peak, self.peak_decay)] + [
            (where, step + 1, float(values[step]), float(decays[step]))
            for where, step in places.items() if step is not None
        ]
        return [
            {"where": where, "step": step, "lr": lr, "weight_decay": decay, **self._settled(lr, decay)}
            for where, step, lr, decay in settings
        ]

    def _half(self):
        """Position of the last step after which at least half a unit of decay is left, or None."""
        left = np.cumsum((self.schedule.values * self._decays)[::-1])
        later = int(np.searchsorted(left, 0.5))    # number of steps from the end
        return self.schedule.steps - 1 - later if later < self.schedule.steps else None

    def _settled(self, lr, weight_decay):
        if not 0 < lr * weight_decay < 2:
            return {"leading": None, "recursion": None, "exact": None}
        model = {name: value for name, value in self.model.items() if name != "init_rms"}
        return {
            method: equilibrium_rms(lr, weight_decay, method=method, **model)
            for method in ("leading", "recursion", "exact")
        }

    def inverse(self, target):
        """The two single changes that end at the RMS ``target``, or why there is none."""
        found = {"target": target, "weight_decay": None, "lr": None, "notes": []}
        if isinstance(self.decay, Schedule):
            found["notes"].append("no weight decay is given: with AdamC it is no single number")
        else:
            try:
                found["weight_decay"] = float(weight_decay_for(target, self.schedule, **self.model))
            except ValueError as error:
                found["notes"].append(_told(error))
        try:
            found["lr"] = float(lr_for(target, self.schedule, self.decay, **self.model))
        except ValueError as error:
            found["notes"].append(_told(error))
        return found

    def warnings(self):
        """Sentences about what makes the prediction less sure for this run."""
        beta1, beta2 = self.model["betas"]
        kappa, per_step = float(self.schedule.kappa(self.decay)), float((self.schedule.values * self._decays).max())
        mean, eps = abs(self.model["gradient_mean"]), self.model["eps"]
        mean_decides = mean > 0 and mean > math.sqrt(per_step / 2)
        apply = {
            "start": kappa < 0.5, "long": kappa > 8, "fast": per_step > 0.1 * (1 - beta1),
            "few": self.schedule.steps * (1 - max(beta1, beta2)) < 20, "mean": mean_decides, "other": mean or eps,
        }
        words = {"kappa": f"{kappa:.3g}", "left": f"{100 * math.exp(-kappa):.3g}", "per_step": f"{per_step:.3g}",
                 "memory": f"{1 - beta1:.3g}", "steps": self.schedule.steps}
        return [WARNINGS[name].format(**words) for name, applies in apply.items() if applies]

    def curves(self):
        """Steps, learning rates and the RMS by the methods that are drawn."""
        steps = np.unique(np.linspace(1, self.schedule.steps, _CURVE_POINTS).round().astype(int))
        lines = {}
        for method, label in _DRAWN.items():
            try:
                path = predict_weight_rms(self.schedule, self.decay, method=method, trajectory=True, **self.model)
            except DoesNotApply:
                continue    # the table says why
            lines[label] = path[steps - 1]
        if self.peak_decay > 0:
            decays = self._decays[steps - 1]
            square = np.divide(self.schedule.values[steps - 1], 2 * decays, out=np.zeros(steps.size), where=decays > 0)
            lines["moving equilibrium"] = np.sqrt(square)
        return steps, self.schedule.values[steps - 1], lines

    def figure(self):
        """Learning rate above, weight RMS below."""
        from ..figures.adamw import stacked    # matplotlib takes long to import

        with np.errstate(all="ignore"):
            steps, rates, lines = self.curves()
        highest = max(np.max(line) for name, line in lines.items() if name != "moving equilibrium")
        figure = stacked(
            steps,
            [dict(lines={"learning rate": rates}, ylabel="learning rate", limits=(0, 1.05 * rates.max() or 1), legend=None),
             dict(lines=lines, ylabel="weight RMS", limits=(0, 1.3 * highest or 1), legend="best")],
            xlabel="step", xlimits=(0, steps[-1]), height=5.0,
        )
        figure.axes[-1].locator_params(axis="x", nbins=5)    # numbers of six digits need room
        figure.axes[0].ticklabel_format(axis="y", style="sci", scilimits=(-3, 3), useMathText=True)
        return figure

    def picture(self):
        """The figure as SVG, and what it shows in a sentence."""
        from ..explore.render import picture_of    # the look of all figures of the site

        end = predict_weight_rms(self.schedule, self.decay, **self.model)
        alt = (f"Learning rate and weight RMS against the step over {self.schedule.steps} steps; "
               f"the exact RMS goes from {self.model['init_rms']:.3g} to {end:.3g}.")
        return {"svg": picture_of(self.figure(), "calculator").markup(), "alt": alt}


def _checked(field, value):
    """A number that is what the field demands; whole numbers as int."""
    if value is None and field.default is None:
        return None
    good = isinstance(value, numbers.Real) and not isinstance(value, bool) and field.low <= value <= field.high
    if not good or (field.whole and value != int(value)):
        label = field.label if field.label == field.name else f"{field.label} ({field.name})"
        raise _BadInput(field.name, f"{label} must be {field.demand}, got {_quoted(value)}")
    return int(value) if field.whole else float(value)


def _named(kind, values):
    """A schedule with a name; its arguments are in range one by one."""
    steps, warmup, decay = values["steps"], values["warmup_steps"], values.get("decay_steps", 0)
    if kind == "wsd" and warmup + decay > steps:
        raise _BadInput("decay_steps", f"warm-up and final decay (decay_steps) must have at most {steps} steps "
                                       f"together, got {warmup} + {decay}")
    if kind != "wsd" and warmup >= steps:
        raise _BadInput("warmup_steps", f"warm-up steps (warmup_steps) must be less than the steps in all, {steps}, "
                                        f"got {warmup}")
    names = ("lr", "steps", "warmup_steps", "final_lr", "decay_steps", "timescale", "power")
    return make_schedule(kind, **{name: values[name] for name in names if name in values})


def _drawn(points, lr, steps):
    """Straight lines between the points; the steps of a line are counted between rounded ends."""
    try:
        pairs = [(float(place), float(share)) for place, share in points]
        good = 2 <= len(pairs) <= _MOST_POINTS and all(0 <= number <= 100 for pair in pairs for number in pair)
    except (TypeError, ValueError):
        pairs, good = [], False
    places = [place for place, _ in pairs]
    if not good or places[0] != 0 or places[-1] != 100 or places != sorted(places):
        raise _BadInput("points", f"the drawing (points) must be 2 to {_MOST_POINTS} pairs of per cents from 0 to 100, "
                                  "the first at 0, the last at 100 of the run, none before its neighbour, "
                                  f"got {_quoted(points)}")
    ends = [math.floor(place / 100 * steps + 0.5) for place in places]
    pieces = tuple(
        Linear(share / 100 * lr, later / 100 * lr, end - start)
        for (_, share), (_, later), start, end in zip(pairs, pairs[1:], ends, ends[1:]) if end > start
    )
    made = Schedule("drawn", pieces)
    if not made.values.max() > 0:
        raise _BadInput("points", "the drawing (points) must have a learning rate above 0 somewhere, "
                                  f"got {_quoted(points)}")
    return made


def _short(number):
    """A limit as people write it."""
    return str(number) if isinstance(number, int) else f"{number:g}"


def _quoted(value):
    """A value as it came, but no longer than a sentence can carry."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}..."


def _told(error):
    """The library's message as one line."""
    return " ".join(str(error).split())
