"""What ``derivations curvature`` computes and prints: text, LaTeX, or a program for SymPy."""
import dataclasses
import itertools
import math
import re

import sympy as sp

from ..riemann import Metric, Space, spaces
from ..riemann.display import Tensor
from ..riemann.line_element import LineElementError, read_line_element, read_number
from ..riemann.listing import METRIC, QUANTITIES, array_code, metric_tensor, symbol_code
from .options import UsageError

__all__ = ["print_catalogue", "print_curvature"]

_NAMED = re.compile(r"[A-Za-z]+([ _-]+[A-Za-z]+)*")
_ASSIGNED = re.compile(r"\s*([^\W\d]\w*)\s*=(.*)")


def print_curvature(arguments):
    """Compute what the options of ``derivations curvature`` ask for, and print it."""
    given = dict(_assignment(text, "--params") for text in arguments.params)
    space = _space(arguments, given)
    space = _with_values(space, {name: value for name, value in given.items() if value is not None})
    point = None if arguments.at is None else _point(space, arguments.at)
    results = {name: getattr(space.metric, QUANTITIES[name].method)() for name in dict.fromkeys(arguments.tensors)}
    metric = space.metric
    rows = [(METRIC, metric_tensor(metric.matrix, metric.coords))]
    rows += [(QUANTITIES[name], result) for name, result in results.items()]
    if point is not None:
        whole = arguments.format == "sympy"
        rows = [(quantity, _numbers(quantity, result, metric, point, whole)) for quantity, result in rows]
    {"text": _print_text, "latex": _print_latex, "sympy": _print_sympy}[arguments.format](space, point, rows)


def print_catalogue():
    """Print one line for each space of the catalogue: its name here, its name in words, coordinates, parameters."""
    width = max(len(make.__name__) for make in spaces.SPACES)
    for make in spaces.SPACES:
        space = make()
        params = ", ".join(str(symbol) for symbol in space.metric.params)
        coords = ", ".join(str(symbol) for symbol in space.metric.coords)
        print(f"{make.__name__:<{width}}  {space.name}: {coords}" + (f"; {params}" if params else ""))


def _assignment(text, option):
    """Name and exact value of ``name=value``; None for the value of a name alone."""
    match = _ASSIGNED.fullmatch(text)
    if match:
        try:
            return match[1], read_number(match[2])
        except LineElementError as error:
            raise UsageError(f"{option} {text.strip()!r}: {error}") from error
    if not re.fullmatch(r"\s*[^\W\d]\w*\s*", text) or option == "--at":
        raise UsageError(f"{option} {text.strip()!r} must be of the form name=value")
    return text.strip(), None


def _space(arguments, given):
    """The space of the command line: from the catalogue, or without a name and limits."""
    if _NAMED.fullmatch(arguments.space.strip()):
        if arguments.coords:
            raise UsageError(f"--coords {' '.join(arguments.coords)} belongs to a line element, not to a named space")
        return spaces.named(arguments.space, **({} if arguments.n is None else {"n": arguments.n}))
    if arguments.n is not None:
        raise UsageError(f"--n {arguments.n} belongs to n_sphere and hyperbolic_space")
    coords = arguments.coords
    if coords is not None and len(set(coords)) < len(coords):
        raise UsageError(f"--coords {' '.join(coords)} names a coordinate twice")
    return Space(arguments.space.strip(), read_line_element(arguments.space, coords, tuple(given)))


def _with_values(space, values):
    """The space with numbers for some of its parameters, also in the limits of its chart."""
    if not values:
        return space
    metric = space.metric
    symbols = {symbol.name: symbol for symbol in metric.params}
    for name in values:
        if name not in symbols:
            raise UsageError(f"--params {name}={values[name]}: the metric has no such parameter, "
                             f"only {', '.join(symbols) or 'none'}")
        if symbols[name].is_positive and not values[name] > 0:
            raise UsageError(f"--params {name}={values[name]}: {name} must be positive")
    replaced = {symbols[name]: value for name, value in values.items()}
    params = [symbol for symbol in metric.params if symbol not in replaced]
    return dataclasses.replace(
        space, metric=Metric(metric.coords, metric.matrix.subs(replaced), params), known={},
        limits=tuple(tuple(sp.sympify(limit).subs(replaced) for limit in interval) for interval in space.limits),
        defaults=tuple((name, value) for name, value in space.defaults if name not in values),
    )


def _point(space, text):
    """Exact values of all symbols at the point of ``--at``, which must lie in the chart."""
    metric = space.metric
    values = dict(_assignment(part, "--at") for part in text.split(","))
    names = {symbol.name for symbol in (*metric.coords, *metric.params)}
    for name in values:
        if name not in names:
            raise UsageError(f"--at {text!r}: {name} is no coordinate or free parameter of {space.name}")
    values = {name: sp.Rational(str(value)) for name, value in space.defaults} | values
    cyclic = {symbol.name: sp.Integer(0) for symbol in metric.coords if not metric.matrix.has(symbol)}
    values = cyclic | values
    missing = sorted(names - set(values))
    if missing:
        raise UsageError(f"--at {text!r}: no value for {', '.join(missing)}")
    numbers = {name: _float(name, values[name]) for name in names}
    numeric = space.numeric(**{symbol.name: numbers[symbol.name] for symbol in metric.params})
    numeric.metric([numbers[symbol.name] for symbol in metric.coords])  # refuses what is not in the chart
    return {symbol: values[symbol.name] for symbol in (*metric.coords, *metric.params)}


def _float(name, value):
    try:
        result = float(value)
    except (OverflowError, RecursionError):
        result = math.inf
    if not math.isfinite(result):
        raise UsageError(f"--at: {name} is too large for a floating-point number")
    return result


def _numbers(quantity, result, metric, point, whole):
    """A tensor or scalar at a point, to 12 digits; unless it is wanted whole, only its independent components."""
    def number(expression):
        return sp.N(expression.subs(point), 12)

    if not isinstance(result, Tensor):
        return number(result)
    shown = result.independent_components()
    indices = itertools.product(range(metric.n), repeat=result.rank())
    entries = [number(result[index]) if whole or index in shown else 0 for index in indices]
    return Tensor(entries, result.shape, symbol=quantity.symbol, indices=result.indices, coords=metric.coords)


def _header(space, point):
    """What is computed, as pairs of a word and its explanation."""
    metric = space.metric
    yield "space", space.name
    yield "coordinates", ", ".join(map(str, metric.coords))
    if metric.params:
        yield "parameters", ", ".join(map(str, metric.params))
    if point is not None:
        yield "point", ", ".join(f"{symbol} = {value}" for symbol, value in point.items())
    if metric.engine == "sympy.simplify":
        yield "arithmetic", "SymPy's simplify: the metric is beyond exact fractions, a 0 may be missed"


def _print_text(space, point, rows):
    for word, text in _header(space, point):
        print(f"{word:<13}{text}")
    for quantity, result in rows:
        print(f"\n{quantity.title}")
        listing = str(result) if isinstance(result, Tensor) else f"{quantity.symbol} = {result}"
        print("\n".join(f"  {line}" for line in listing.splitlines()))


def _print_latex(space, point, rows):
    for word, text in _header(space, point):
        print(f"% {word}: {text}")
    for quantity, result in rows:
        print(f"% {quantity.title}")
        print("\\[")
        print(sp.latex(result) if isinstance(result, Tensor) else f"{quantity.symbol} = {sp.latex(result)}")
        print("\\]")


def _print_sympy(space, point, rows):
    for word, text in _header(space, point):
        print(f"# {word}: {text}")
    print("\n".join(symbol_code(space.metric)))
    for quantity, result in rows:
        print("\n".join(array_code(space.metric, quantity.variable, result)))
