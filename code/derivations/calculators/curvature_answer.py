"""How :mod:`.curvature` computes and words its answers; apart from it because SymPy takes long to import."""
import re

import sympy as sp

from ..riemann import GeometryError, Space, read_line_element, spaces
from ..riemann.line_element import LONGEST
from ..riemann.listing import METRIC, QUANTITIES, array_code, equations, foreseen_errors, metric_tensor, symbol_code
from .surface_picture import surface_picture

__all__ = ["answer", "typed"]

_NAME = re.compile(r"[A-Za-z]+([ _-]+[A-Za-z]+)*")
_SHOWN = ("christoffel", "riemann", "ricci", "scalar", "kretschmann", "einstein")
_FIELDS = {
    "metric": "line element", "coordinates": "order of the coordinates", "parameters": "parameters beginning with d",
    "positive": "positive symbols",
}
_MOST_NAMES = 50
_MOST_QUOTED = 120    # characters of a text that a sentence repeats
_TITLES = {"kretschmann": "Kretschmann scalar"}


class _BadInput(ValueError):
    """A field is not what it must be; the text is a sentence for the reader."""

    def __init__(self, field, text):
        super().__init__(text)
        self.field = field


def answer(metric, coordinates, parameters, positive, picture):
    """What :func:`derivations.calculators.curvature` returns."""
    try:
        space, key = _space(metric, coordinates, parameters, positive)
        with foreseen_errors():
            return _written(space, key, picture)
    except _BadInput as error:
        return {"error": str(error), "field": error.field}
    except MemoryError:
        return {"error": "There is not enough memory for the curvature of this metric.", "field": "metric"}
    except GeometryError as error:
        return {"error": _refused(metric, error), "field": "metric"}


def typed(metric):
    """The arguments of :func:`derivations.calculators.curvature` that give a metric as a line element.

    Parameters
    ----------
    metric : Metric

    Returns
    -------
    dict of str to str
        ``metric``, ``coordinates``, ``parameters``, ``positive``: each a text, as it would be typed in.
    """
    symbols = (*metric.coords, *metric.params)
    return {
        "metric": _typed_line_element(metric),
        "coordinates": ", ".join(str(x) for x in metric.coords),
        "parameters": ", ".join(str(x) for x in metric.params if str(x)[0] == "d" and len(str(x)) > 1),
        "positive": ", ".join(str(x) for x in symbols if x.is_positive),
    }


# ---------------------------------------------------------------- input


def _space(metric, coordinates, parameters, positive):
    """The space that is asked for, and its name in the catalogue or None."""
    if not isinstance(metric, str) or not metric.strip():
        raise _BadInput("metric", "The line element (metric) must be a text such as dr**2 + r**2*dphi**2, "
                                  f"got {_quoted(metric)}.")
    if len(metric) > LONGEST:
        raise _BadInput("metric", f"The line element (metric) must have at most {LONGEST} characters, "
                                  f"got {len(metric)}.")
    given = {"coordinates": _names("coordinates", coordinates), "parameters": _names("parameters", parameters),
             "positive": _names("positive", positive)}
    if _NAME.fullmatch(metric.strip()):
        return _catalogued(metric, given)
    text = " ".join(metric.split())
    _check_names(text, given)
    coords, params, positive = given["coordinates"] or None, given["parameters"], given["positive"]
    with foreseen_errors():
        return Space(text, read_line_element(text, coords, params, positive)), None


def _check_names(text, given):
    """Names in the other fields that the line element does not have."""
    words = set(re.findall(r"[^\W\d]\w*", text))
    for name in given["coordinates"]:
        if f"d{name}" not in words:
            raise _BadInput("coordinates", f"The field {_FIELDS['coordinates']} (coordinates) names {name}, but the "
                                           f"line element has no differential d{name}.")
    for field in ("parameters", "positive"):
        for name in given[field]:
            if not words & {name, f"d{name}"}:
                raise _BadInput(field, f"The field {_FIELDS[field]} ({field}) names {name}, but the line element has "
                                       "no such symbol.")


def _catalogued(metric, given):
    for field, names in given.items():
        if names:
            raise _BadInput(field, f"The field {_FIELDS[field]} ({field}) belongs to a line element, not to the space "
                                   f"{metric.strip()}; got {', '.join(names)}.")
    try:
        space = spaces.named(metric)
    except GeometryError as error:
        hint = re.search(r"did you mean '\w+'\?", str(error))
        raise _BadInput("metric", f"{_quoted(metric.strip())} (metric) is no space of the catalogue"
                                  f"{f': {hint[0]}' if hint else '.'} A line element has differentials, as in "
                                  "dr**2 + r**2*dphi**2.") from error
    return space, re.sub(r"[\s_-]+", "_", metric.strip().lower())


def _names(field, value):
    """The names in a field, which may be a text with commas or spaces, a sequence of texts, or empty."""
    parts = re.split(r"[,;\s]+", value.strip()) if isinstance(value, str) else value or []
    where = f"The field {_FIELDS[field]} ({field})"
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        raise _BadInput(field, f"{where} must be names such as r, phi, got {_quoted(value)}.")
    names = [part for part in parts if part]
    if len(names) > _MOST_NAMES:
        raise _BadInput(field, f"{where} must have at most {_MOST_NAMES} names, got {len(names)}.")
    for number, name in enumerate(names):
        if not name.isidentifier():
            raise _BadInput(field, f"{where} must be names such as r, phi, got {_quoted(name)}.")
        if name in names[:number]:
            raise _BadInput(field, f"{where} names {name} twice.")
    return names


def _refused(metric, error):
    """The library's message as one sentence; a long line element is not repeated in full."""
    text = " ".join(str(error).split()).rstrip(".")
    whole = repr(" ".join(metric.split()))
    if len(whole) > _MOST_QUOTED:
        text = text.replace(whole, f"{whole[:_MOST_QUOTED]}...'")
    text = text if len(text) <= 600 else f"{text[:600]}..."
    return f"The line element (metric) cannot be used: {text}."


def _quoted(value):
    text = repr(value)
    return text if len(text) <= _MOST_QUOTED else f"{text[:_MOST_QUOTED]}..."


# ---------------------------------------------------------------- output


def _written(space, key, picture):
    metric = space.metric
    results = {"metric": metric_tensor(metric.matrix, metric.coords),
               "inverse": metric_tensor(metric.inverse(), metric.coords, "uu")}
    results |= {name: getattr(metric, QUANTITIES[name].method)() for name in _SHOWN}
    if metric.n == 2:
        results["gauss"] = metric.gauss_curvature()
    drawn, about = surface_picture(space, key) if picture else (None, None)
    return {
        "name": space.name if key else _plain_name(metric),
        "space": key,
        "line_element": _line_element(metric),
        "input": typed(metric),
        "coordinates": [str(x) for x in metric.coords],
        "symbols": _symbols(metric),
        "assumptions": _assumptions(metric),
        "chart": _chart(space),
        "notes": [*_notes(metric, results), *([about] if about else [])],
        "quantities": [_quantity(metric, name, results[name]) for name in _order(metric)],
        "code": symbol_code(metric),
        "picture": drawn,
    }


def _order(metric):
    first = ["metric", "inverse", "christoffel", "riemann", "ricci", "scalar"]
    return [*first, *(["gauss"] if metric.n == 2 else []), "kretschmann", "einstein"]


def _quantity(metric, name, result):
    title, symbol, variable = {
        "metric": ("Metric", "g", METRIC.variable),
        "inverse": ("Inverse metric", "g", "inverse"),
        "gauss": ("Gauss curvature", "K", "gauss_curvature"),
    }.get(name) or (QUANTITIES[name].title, QUANTITIES[name].symbol, QUANTITIES[name].variable)
    if name == "kretschmann":    # K is the Gauss curvature in this book
        title, symbol = "Kretschmann scalar", r"R_{abcd}R^{abcd}"
    return {
        "key": name, "title": title,
        "equations": [list(pair) for pair in equations(symbol, result)],
        "code": array_code(metric, variable, result),
    }


def _plain_name(metric):
    return f"Your metric of {metric.n} dimension{'s' * (metric.n > 1)}"


def _line_element(metric):
    """The line element as LaTeX."""
    d = [rf"\mathrm{{d}}{sp.latex(x)}" for x in metric.coords]

    def term(factor, i, j):
        square = f"{d[i]}^{{2}}" if i == j else rf"{d[i]}\,{d[j]}"
        if factor in (1, -1):
            return square if factor == 1 else f"-{square}"
        text = sp.latex(factor)
        return rf"\left({text}\right) {square}" if factor.is_Add else rf"{text}\, {square}"

    return r"\mathrm{d}s^{2} = " + _sum(metric, term)


def _typed_line_element(metric):
    """The line element as somebody types it."""
    d = [f"d{x}" for x in metric.coords]

    def term(factor, i, j):
        square = f"{d[i]}**2" if i == j else f"{d[i]}*{d[j]}"
        above, below = sp.fraction(factor)
        text = square if above == 1 else f"-{square}" if above == -1 else f"{_bracketed(above, above.is_Add)}*{square}"
        return text if below == 1 else f"{text}/{_bracketed(below, below.is_Add or below.is_Mul)}"

    return _sum(metric, term)


def _bracketed(expression, needed):
    return f"({expression})" if needed else str(expression)


def _sum(metric, term):
    """The terms of a line element with their signs; a mixed term counts for both of its components."""
    g, n = metric.matrix, metric.n
    terms = [term(g[i, j] * (1 if i == j else 2), i, j) for i in range(n) for j in range(i, n) if g[i, j] != 0]
    return " + ".join(terms).replace("+ -", "- ")


def _functions(metric):
    return sorted(metric.matrix.atoms(sp.core.function.AppliedUndef), key=str)


def _symbols(metric):
    return {
        "coordinates": [sp.latex(x) for x in metric.coords],
        "parameters": [sp.latex(x) for x in metric.params],
        "functions": [sp.latex(f) for f in _functions(metric)],
    }


def _assumptions(metric):
    positive = [str(x) for x in (*metric.coords, *metric.params) if x.is_positive]
    if not positive:
        return "All symbols are real."
    return f"All symbols are real; {_listed(positive)} {'is' if len(positive) == 1 else 'are'} positive."


def _listed(words):
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _chart(space):
    """Limits of the coordinates that are not all real numbers, as LaTeX."""
    found = []
    for x, (low, high) in zip(space.metric.coords, space.limits):
        low, high = sp.sympify(low), sp.sympify(high)
        if (low, high) == (-sp.oo, sp.oo):
            continue
        left = "" if low == -sp.oo else f"{sp.latex(low)} < "
        right = "" if high == sp.oo else f" < {sp.latex(high)}"
        found.append(f"{left}{sp.latex(x)}{right}")
    return found


def _notes(metric, results):
    """What one would otherwise have to read off the tables."""
    notes = []
    if metric.engine == "sympy.simplify":
        notes.append("This metric is beyond exact fractions: SymPy's simplify was used, and it may miss that a "
                     "component is 0.")
    zero = {name for name in ("christoffel", "riemann", "ricci") if not results[name].independent_components()}
    if "christoffel" in zero:
        notes.append("The components of the metric are constant: all Christoffel symbols are 0, and so is the "
                     "curvature.")
    elif "riemann" in zero:
        notes.append("Flat: the Riemann tensor is 0, although the Christoffel symbols are not.")
    elif "ricci" in zero:
        notes.append("The Ricci tensor is 0, the Riemann tensor is not"
                     + (": a solution of Einstein's equations without matter." if metric.n == 4 else "."))
    return notes
