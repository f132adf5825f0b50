"""Controls of a live figure: each offers a finite list of exact values.

A control is described here once. :mod:`derivations.explore.kernel` turns it into an ipywidget and
:mod:`derivations.explore.baked` into a native HTML input; both offer exactly ``control.values``.
"""
import math
import numbers
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from .texts import check_text

__all__ = ["Control", "choice", "log_slider", "slider", "toggle"]

_HARDLY = 1e-6      # of a step: numbers of a slider that differ by less are meant to be the same


@dataclass(frozen=True)
class Control:
    """What one control offers. Make it with :func:`slider`, :func:`log_slider`, :func:`choice` or :func:`toggle`.

    Parameters
    ----------
    kind : {"range", "choice", "toggle"}
        How the control is shown.
    values : tuple
        Every value that the control offers, in order.
    texts : tuple of str
        The same values as the reader sees them, without the unit.
    start : int
        Index of the value that is shown first.
    label : str or None
        What the control sets; maths between dollar signs. None stands for the parameter's name.
    unit : str
        Plain text written after each value.
    play : bool
        Whether a button runs through the values.

    Raises
    ------
    ValueError
        If two values would look alike, the control offers nothing to choose or its label is no text.

    Examples
    --------
    >>> Control("range", (1, 2), ("1", "2"), start=0, unit="s").shown
    ('1 s', '2 s')
    """

    kind: str
    values: tuple
    texts: tuple
    start: int = 0
    label: str | None = None
    unit: str = ""
    play: bool = False

    def __post_init__(self):
        if self.label is not None:
            check_text("label", self.label)
        if len(self.values) < 2:
            raise ValueError(f"a control must offer at least 2 values, got values={self.values!r}")
        for index, text in enumerate(self.texts):
            first = self.texts.index(text)
            if first != index:
                raise ValueError(
                    f"fmt must tell all values apart, but {self.values[first]!r} and {self.values[index]!r} "
                    f"are both shown as {text!r}"
                )

    @property
    def default(self):
        """The value that is shown first."""
        return self.values[self.start]

    @property
    def shown(self):
        """The values as the reader sees them, unit included."""
        return tuple(f"{text} {self.unit}".rstrip() for text in self.texts)

    @property
    def keys(self):
        """The values as they stand in the address of a figure: numbers for a slider, else the shown texts."""
        if self.kind != "range":
            return self.texts
        short = tuple(f"{value:.12g}" for value in self.values)
        return short if len(set(short)) == len(short) else tuple(map(repr, self.values))


def slider(start, stop, step, *, value=None, label=None, unit="", fmt=None, play=False):
    """Offer the values ``start, start + step, ..., stop``.

    Parameters
    ----------
    start, stop : int or float
        First and last value; both are offered.
    step : int or float
        Distance of neighbouring values; ``stop - start`` must be a whole number of steps. The values are ints
        if start, stop and step are ints, else floats.
    value : int or float, optional
        The value that is shown first: one of those offered. The first one if omitted.
    label : str, optional
        What the slider sets, maths between dollar signs; the parameter's name if omitted.
    unit : str, optional
        Plain text written after each value.
    fmt : str, optional
        Format specification of the shown values, for example ``".2f"``. By default as many decimals as needed.
    play : bool, optional
        Whether to add a button that runs through the values.

    Returns
    -------
    Control

    Raises
    ------
    ValueError
        If a number is not finite, ``stop <= start``, ``step <= 0``, ``stop`` is not reached by whole steps or
        ``value`` is not offered.

    Examples
    --------
    >>> slider(0, 0.3, 0.1).values
    (0.0, 0.1, 0.2, 0.3)
    >>> slider(2, 8, 3, value=5).default
    5
    """
    _check_ends(start, stop)
    _check_finite("step", step)
    if step <= 0:
        raise ValueError(f"step must be positive, got step={step}")
    count = round((stop - start) / step)
    if count < 1 or not math.isclose(start + count * step, stop, rel_tol=1e-15, abs_tol=_HARDLY * step):
        raise ValueError(
            f"stop - start must be a whole number of steps, got start={start}, stop={stop}, step={step}"
        )
    if all(isinstance(number, numbers.Integral) for number in (start, stop, step)):
        values = tuple(range(int(start), int(stop) + 1, int(step)))
    else:
        # Decimal arithmetic: 3 * 0.1 is then 0.3 and not 0.30000000000000004.
        first, width = Decimal(repr(float(start))), Decimal(repr(float(step)))
        values = (*(float(first + k * width) for k in range(count)), float(stop))
        # From -pi in steps of pi/4, rounding leaves 2e-16 in the middle.
        values = tuple(0.0 if abs(number) < _HARDLY * step else number for number in values)
    return _range_control(values, fmt or _plain_spec(values, step), value, label, unit, play)


def log_slider(start, stop, steps, *, value=None, label=None, unit="", fmt=None):
    """Offer ``steps`` values from ``start`` to ``stop``, each the same factor above the one before.

    Parameters
    ----------
    start, stop : float
        First and last value, both positive; both are offered.
    steps : int
        Number of values. Each is rounded to 12 significant digits, so that a power of ten is met exactly.
    value : float, optional
        The value that is shown first: one of those offered. The first one if omitted.
    label, unit, fmt : str, optional
        As in :func:`slider`.

    Returns
    -------
    Control

    Raises
    ------
    ValueError
        If an end is not finite and positive, ``stop <= start``, ``steps < 2`` or ``value`` is not offered.

    Examples
    --------
    >>> log_slider(1e-4, 1e-2, 3, value=1e-3).values
    (0.0001, 0.001, 0.01)
    """
    _check_ends(start, stop)
    if start <= 0:
        raise ValueError(f"start must be positive on a logarithmic slider, got start={start}")
    if not isinstance(steps, numbers.Integral) or steps < 2:
        raise ValueError(f"steps must be a whole number of at least 2, got steps={steps}")
    values = tuple(float(f"{number:.12g}") for number in np.geomspace(start, stop, steps))
    return _range_control(values, fmt or _short_spec(values), value, label, unit, False)


def choice(options, *, value=None, label=None):
    """Offer a list of alternatives.

    Parameters
    ----------
    options : list or dict
        The values; a dict maps the text that is shown to the value.
    value : object, optional
        The value that is shown first: one of those offered. The first one if omitted.
    label : str, optional
        What is chosen, maths between dollar signs; the parameter's name if omitted.

    Returns
    -------
    Control

    Raises
    ------
    ValueError
        If there are fewer than 2 options, two look alike or ``value`` is not offered.

    Examples
    --------
    >>> choice({"flat": 0, "round": 1}, value=1).shown
    ('flat', 'round')
    """
    if not isinstance(options, (list, tuple, dict)):
        raise ValueError(f"options must be a list or a dict, got options={options!r}")
    shown = options if isinstance(options, dict) else {str(option): option for option in options}
    if len(shown) != len(options):
        raise ValueError(f"options must look different from one another, got options={options!r}")
    values = tuple(shown.values())
    return Control("choice", values, tuple(map(str, shown)), _start_index(values, value), label)


def toggle(value=False, *, label=None):
    """Offer off and on: the drawing function gets False or True.

    Parameters
    ----------
    value : bool, optional
        The state that is shown first.
    label : str, optional
        What is switched, maths between dollar signs; the parameter's name if omitted.

    Returns
    -------
    Control

    Raises
    ------
    ValueError
        If ``value`` is not a bool.

    Examples
    --------
    >>> toggle(True).default
    True
    """
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"value must be True or False, got value={value!r}")
    return Control("toggle", (False, True), ("off", "on"), int(value), label)


def _range_control(values, spec, value, label, unit, play):
    try:
        texts = tuple(_tidy(format(number, spec)) for number in values)
    except (ValueError, TypeError) as error:
        raise ValueError(f"fmt must be a format specification for numbers ({error}), got fmt={spec!r}") from error
    return Control("range", values, texts, _nearest_index(values, value), label, unit, play)


def _check_finite(name, number):
    if not isinstance(number, numbers.Real) or not math.isfinite(number):
        raise ValueError(f"{name} must be a finite number, got {name}={number!r}")


def _check_ends(start, stop):
    _check_finite("start", start)
    _check_finite("stop", stop)
    if stop <= start:
        raise ValueError(f"stop must be greater than start, got start={start}, stop={stop}")


def _start_index(values, value):
    if value is None:
        return 0
    for index, offered in enumerate(values):
        if _same(offered, value):
            return index
    raise _not_offered(values, value)


def _nearest_index(values, value):
    """Index of the number that is meant, be it written with another rounding."""
    if value is None:
        return 0
    if not isinstance(value, numbers.Real):
        raise _not_offered(values, value)
    nearest = min(range(len(values)), key=lambda index: abs(values[index] - value))
    step = min(b - a for a, b in zip(values, values[1:]))
    if not math.isclose(values[nearest], value, rel_tol=1e-9, abs_tol=_HARDLY * step):
        raise _not_offered(values, value)
    return nearest


def _not_offered(values, value):
    return ValueError(f"value must be one of the offered values {_listed(values)}, got value={value!r}")


def _same(offered, value):
    if isinstance(offered, numbers.Real) and isinstance(value, numbers.Real):
        return math.isclose(offered, value, rel_tol=1e-9)
    return offered is value or (type(offered) is type(value) and bool(np.all(offered == value)))


def _listed(values):
    shown = [repr(value) for value in values]
    return ", ".join(shown if len(shown) <= 7 else [*shown[:3], "...", *shown[-3:]])


def _plain_spec(values, step):
    """Format specification with the fewest decimals, the same for all values, that loses nothing up to 6."""
    if all(isinstance(value, int) for value in values):
        return "d"
    for decimals in range(7):
        if all(math.isclose(round(value, decimals), value, rel_tol=1e-15, abs_tol=1e-9 * step) for value in values):
            return f".{decimals}f"
    return _short_spec(values)


def _short_spec(values):
    """Format specification with 3 significant digits, or as many as tell the values apart."""
    digits = 3
    while len({format(value, f".{digits}g") for value in values}) < len(values) and digits < 17:
        digits += 1
    return f".{digits}g"


def _tidy(text):
    """Write exponents shortly: 1e-5, not 1e-05."""
    return text.replace("e-0", "e-").replace("e+0", "e")
