r"""First and second derivatives of plain NumPy functions, exact to rounding: second-order forward jets.

A jet is the value of a function together with its first and second partial derivatives, at many points at once. A sum,
product or elementary function of jets is a jet again, by the chain rule

.. math:: \partial_i f(a, b) = f_a\, \partial_i a + f_b\, \partial_i b, \qquad
          \partial_i\partial_j f(a, b) = f_a\, \partial_i\partial_j a + f_b\, \partial_i\partial_j b
          + f_{aa}\, \partial_i a\, \partial_j a + f_{bb}\, \partial_i b\, \partial_j b
          + f_{ab}\, (\partial_i a\, \partial_j b + \partial_j a\, \partial_i b),

so a function that is called with jets for its coordinates returns its own derivatives. NumPy hands its functions over
to a jet (``__array_ufunc__``): ``np.sin(theta)**2`` in a user's function needs no change.

What happens at branches:

* A comparison compares values and has no derivatives. ``np.where(condition, a, b)`` differentiates, at each point, the
  side that is taken there; nobody checks that the two sides join smoothly.
* Python's ``if`` is answered when the condition is the same at all points, and is a :class:`MetricError` otherwise.
* ``abs``, ``np.sign``, ``np.maximum`` and ``np.minimum`` take the derivatives of the side that is taken. At a kink (0,
  or two equal arguments) these are NaN; :class:`derivations.riemann.NumericMetric` then reports the point.
"""
import itertools
import numbers

import numpy as np

from .errors import MetricError

__all__ = ["Jet", "variables", "derivatives", "integer_power"]


class Jet(np.lib.mixins.NDArrayOperatorsMixin):
    """Value, first and second partial derivatives of one quantity at many points.

    Parameters
    ----------
    value : float or numpy.ndarray, shape (m,)
        One value for each point.
    first : dict of int to (float or numpy.ndarray, shape (m,)), optional
        ``first[i]`` is the derivative by coordinate i.
    second : dict of (int, int) to (float or numpy.ndarray, shape (m,)), optional
        ``second[i, j]`` with i <= j is the second derivative by coordinates i and j.
    order : {1, 2}
        Highest derivative that is followed.

    Raises
    ------
    MetricError
        When a NumPy function is applied that has no derivative here, when a single number or truth value is asked of
        many points, or when a jet meets a complex number.

    Notes
    -----
    Derivatives that are zero everywhere are left out of the dicts, so a metric that depends on two of its four
    coordinates costs no more than one in two dimensions. An array of numbers that meets a jet counts as an array of
    constants: the answer is an array of jets (``dtype=object``) of its shape.

    References
    ----------
    A. Griewank, A. Walther, *Evaluating Derivatives*, 2nd ed., SIAM, 2008, chapter 13.

    Examples
    --------
    >>> import numpy as np
    >>> x, y = variables([[3.0, 2.0]])
    >>> z = x**2 * np.exp(y - 2)
    >>> z.first[0], z.second[0, 1]
    (array([6.]), array([6.]))
    """

    __slots__ = ("value", "first", "second", "order")

    def __init__(self, value, first=None, second=None, order=2):
        self.value, self.order = value, order
        self.first = {} if first is None else first
        self.second = {} if second is None else second

    def __repr__(self):
        return f"Jet({self.value}, {self.first}, {self.second}, order={self.order})"

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if method != "__call__" or kwargs:
            raise MetricError(f"np.{ufunc.__name__} has no derivative here when called as {method} with {kwargs}")
        if any(isinstance(item, (list, tuple)) or np.ndim(item) for item in inputs if not isinstance(item, Jet)):
            return np.frompyfunc(ufunc, len(inputs), 1)(*_boxed(inputs))
        return _apply(ufunc, [_jet(item) for item in inputs])

    def __array_function__(self, function, types, args, kwargs):
        # Functions that only move entries about (stack, sum, zeros_like, ...) treat a jet as one object.
        function = np.frompyfunc(_choice, 3, 1) if function is np.where and len(args) == 3 else function
        return function(*_boxed(args), **{name: _boxed(item) for name, item in kwargs.items()})

    def __bool__(self):
        answers = np.asarray(self.value, dtype=bool)
        if answers.size and np.any(answers) != np.all(answers):
            raise MetricError("a condition that differs from point to point cannot decide an `if`: use np.where")
        return bool(np.all(answers))

    def __float__(self):
        raise MetricError(
            "a jet holds many points with their derivatives and is no single number: write the metric with NumPy's "
            "functions (np.sin, not math.sin), and as nested lists or an array of dtype=object"
        )


def variables(x, order=2):
    """The coordinates as jets: each has derivative 1 by itself.

    Parameters
    ----------
    x : array_like, shape (m, n)
        m points.
    order : {0, 1, 2}
        Highest derivative that is followed; 0 makes constants.

    Returns
    -------
    numpy.ndarray of Jet, shape (n,), dtype=object

    Examples
    --------
    >>> theta, phi = variables([[0.0, 1.0], [0.5, 2.0]])
    >>> phi.value, phi.first
    (array([1., 2.]), {1: 1.0})
    """
    columns = np.ascontiguousarray(np.transpose(np.asarray(x, dtype=float)))
    jets = np.empty(len(columns), dtype=object)
    jets[:] = [Jet(column, {i: 1.0} if order else {}, order=order or 2) for i, column in enumerate(columns)]
    return jets


def derivatives(function, x, order=2):
    r"""Values, first and second partial derivatives of a function of the coordinates.

    Parameters
    ----------
    function : callable
        Takes an array with the n coordinates and returns a number, nested lists or an array of any shape (...).
    x : array_like, shape (m, n)
        m points.
    order : {0, 1, 2}
        Highest derivative wanted.

    Returns
    -------
    list of numpy.ndarray
        Values of shape (m, ...); then, up to the order, first derivatives (m, ..., n) and second ones (m, ..., n, n).

    Raises
    ------
    MetricError
        If the function cannot be differentiated, or returns something that is not a real number.

    Examples
    --------
    >>> import numpy as np
    >>> value, first, second = derivatives(lambda x: [np.sin(x[0]), x[0] * x[1]], [[0.0, 2.0]])
    >>> first[0]
    array([[1., 0.],
           [2., 0.]])
    >>> second[0, 1]
    array([[0., 1.],
           [1., 0.]])
    """
    x = np.asarray(x, dtype=float)
    m, n = x.shape
    with np.errstate(all="ignore"):  # infinities and NaN stay in the results, for the caller to report
        entries = np.array(function(variables(x, order)), dtype=object)
        arrays = [np.zeros((m, *entries.shape, *(n,) * k)) for k in range(order + 1)]
        for index in np.ndindex(entries.shape):
            jet = _jet(entries[index])
            at = (slice(None), *index)
            arrays[0][at] = jet.value
            if order >= 1:
                for i, d in jet.first.items():
                    arrays[1][(*at, i)] = d
            if order == 2:
                for (i, j), d in jet.second.items():
                    arrays[2][(*at, i, j)] = arrays[2][(*at, j, i)] = d
    return arrays


def integer_power(base, exponent):
    """base**exponent for an integer by repeated squaring: a few products, where NumPy takes logarithms.

    Parameters
    ----------
    base : float or numpy.ndarray
    exponent : int

    Returns
    -------
    float or numpy.ndarray

    Examples
    --------
    >>> integer_power(2.0, 10), integer_power(2.0, -1), integer_power(0.0, 0)
    (1024.0, 0.5, 1.0)
    """
    if exponent < 0:
        return 1.0 / integer_power(base, -exponent)
    result = None
    while exponent:
        if exponent % 2:
            result = base if result is None else result * base
        exponent //= 2
        if exponent:
            base = base * base
    return 1.0 if result is None else result


def _jet(item):
    """A jet as it is, a number as a jet without derivatives."""
    if isinstance(item, np.ndarray) and item.ndim == 0:
        item = item.item()
    if isinstance(item, Jet):
        return item
    if isinstance(item, (bool, np.bool_)):
        return Jet(item)
    if not isinstance(item, numbers.Real):
        raise MetricError(f"the components of a metric must be real numbers, got {item!r}")
    return Jet(np.float64(item))  # divides by zero as NumPy does


def _boxed(item):
    """Jets as arrays of objects without axes, also inside lists: NumPy then leaves them whole."""
    if isinstance(item, (list, tuple)):
        return type(item)(map(_boxed, item))
    if not isinstance(item, Jet):
        return item
    box = np.empty((), dtype=object)
    box[()] = item
    return box


def _apply(ufunc, jets):
    """The jet of ufunc(*jets)."""
    name = ufunc.__name__
    if name in COMPOSED:
        return COMPOSED[name](*jets)
    if name in WITHOUT_DERIVATIVES or not any(jet.first for jet in jets):
        return Jet(ufunc(*(jet.value for jet in jets)))
    if name not in FUNCTIONS:
        raise MetricError(f"{name} has no derivative here; known are {', '.join(sorted({*FUNCTIONS, *COMPOSED}))}")
    value = ufunc(jets[0].value)
    return _chain(value, jets[0], *FUNCTIONS[name](jets[0].value, value))


def _chain(value, a, p, pp):
    """Jet of f(a) from the numbers f, f' and f'' (None for 0)."""
    result = _linear(value, (p, a))
    if result.order == 2 and pp is not None:
        bends = {i: pp * d for i, d in a.first.items()}
        for i, j in itertools.combinations_with_replacement(sorted(a.first), 2):
            _add_to(result.second, (i, j), bends[i] * a.first[j])
    return result


def _linear(value, *terms):
    """Jet with this value and the derivatives sum(factor * a) of the terms (factor, a)."""
    result = Jet(value, order=min(a.order for _, a in terms))
    for factor, a in terms:
        for i, d in a.first.items():
            _add_to(result.first, i, factor * d)
        if result.order == 2:
            for pair, d in a.second.items():
                _add_to(result.second, pair, factor * d)
    return result


def _add_to(total, key, term):
    total[key] = total[key] + term if key in total else term


def _sum(a, b):
    return _linear(a.value + b.value, (1.0, a), (1.0, b))


def _difference(a, b):
    return _linear(a.value - b.value, (1.0, a), (-1.0, b))


def _product(a, b):
    result = _linear(a.value * b.value, (b.value, a), (a.value, b))
    if result.order == 2:
        for (i, d), (j, e) in itertools.product(a.first.items(), b.first.items()):
            _add_to(result.second, (min(i, j), max(i, j)), d * e * 2.0 if i == j else d * e)
    return result


def _quotient(a, b):
    result = _product(a, np.reciprocal(b))
    result.value = a.value / b.value  # rounded once, as without jets
    return result


def _power(a, b):
    if b.first or np.ndim(b.value):
        return np.exp(b * np.log(a))
    return _constant_power(a, float(b.value))


def _constant_power(a, p):
    """Jet of a**p for a number p."""
    def power(q):
        return integer_power(a.value, int(q)) if q.is_integer() else a.value**q

    # A factor 0 removes its power before that can be infinite: 0 * 0**(-1) would be NaN.
    slope = p * power(p - 1) if p != 0 else 0.0
    bend = p * (p - 1) * power(p - 2) if p not in (0, 1) else None
    return _chain(power(p), a, slope, bend)


def _arctan2(y, x):
    """The angle is arctan(y/x) or -arctan(x/y), up to constants; each is safe where the other is not."""
    steep = Jet(np.abs(y.value) > np.abs(x.value))
    angle = _choice(steep, -np.arctan(x / y), np.arctan(y / x))
    return Jet(np.arctan2(y.value, x.value), angle.first, angle.second, angle.order)


def _choice(condition, a, b):
    """Jet of a where the condition holds and of b elsewhere."""
    condition, a, b = _jet(condition).value, _jet(a), _jet(b)

    def chosen(of_a, of_b):
        return {key: np.where(condition, of_a.get(key, 0.0), of_b.get(key, 0.0)) for key in {*of_a, *of_b}}

    value = np.where(condition, a.value, b.value)
    return Jet(value, chosen(a.first, b.first), chosen(a.second, b.second), min(a.order, b.order))


def _extreme(a, b, first_wins):
    """The larger or the smaller of two jets; where they tie, a kink."""
    return _choice(Jet(a.value == b.value), _sum(a, np.abs(_difference(a, b))), _choice(Jet(first_wins), a, b))


def _off_zero(v, number):
    """A constant, but NaN at the kink v = 0."""
    return np.where(v == 0.0, np.nan, number)


# f(v) is at hand as f; each gives f'(v) and f''(v), None for 0.
FUNCTIONS = {
    "positive": lambda v, f: (1.0, None),
    "negative": lambda v, f: (-1.0, None),
    "absolute": lambda v, f: (_off_zero(v, np.sign(v)), None),
    "fabs": lambda v, f: (_off_zero(v, np.sign(v)), None),
    "sign": lambda v, f: (_off_zero(v, 0.0), None),
    "reciprocal": lambda v, f: (-f * f, 2 * f * f * f),
    "square": lambda v, f: (2 * v, 2.0),
    "sqrt": lambda v, f: (0.5 / f, -0.25 / (f * v)),
    "cbrt": lambda v, f: (f / (3 * v), -2 * f / (9 * v * v)),
    "exp": lambda v, f: (f, f),
    "exp2": lambda v, f: (LOG_2 * f, LOG_2**2 * f),
    "expm1": lambda v, f: (f + 1, f + 1),
    "log": lambda v, f: (1 / v, -1 / (v * v)),
    "log2": lambda v, f: (1 / (LOG_2 * v), -1 / (LOG_2 * v * v)),
    "log10": lambda v, f: (1 / (LOG_10 * v), -1 / (LOG_10 * v * v)),
    "log1p": lambda v, f: (1 / (1 + v), -1 / (1 + v)**2),
    "sin": lambda v, f: (np.cos(v), -f),
    "cos": lambda v, f: (-np.sin(v), -f),
    "tan": lambda v, f: (1 + f * f, 2 * f * (1 + f * f)),
    "arcsin": lambda v, f: ((1 - v * v)**-0.5, v * (1 - v * v)**-1.5),
    "arccos": lambda v, f: (-(1 - v * v)**-0.5, -v * (1 - v * v)**-1.5),
    "arctan": lambda v, f: (1 / (1 + v * v), -2 * v / (1 + v * v)**2),
    "sinh": lambda v, f: (np.cosh(v), f),
    "cosh": lambda v, f: (np.sinh(v), f),
    "tanh": lambda v, f: (1 / np.cosh(v)**2, -2 * f / np.cosh(v)**2),
    "arcsinh": lambda v, f: ((1 + v * v)**-0.5, -v * (1 + v * v)**-1.5),
    "arccosh": lambda v, f: ((v * v - 1)**-0.5, -v * (v * v - 1)**-1.5),
    "arctanh": lambda v, f: (1 / (1 - v * v), 2 * v / (1 - v * v)**2),
    "deg2rad": lambda v, f: (DEGREE, None),
    "radians": lambda v, f: (DEGREE, None),
    "rad2deg": lambda v, f: (1 / DEGREE, None),
    "degrees": lambda v, f: (1 / DEGREE, None),
}
COMPOSED = {
    "add": _sum,
    "subtract": _difference,
    "multiply": _product,
    "divide": _quotient,
    "power": _power,
    "float_power": _power,
    "arctan2": _arctan2,
    "hypot": lambda a, b: np.sqrt(a * a + b * b),
    "maximum": lambda a, b: _extreme(a, b, a.value > b.value),
    "minimum": lambda a, b: _extreme(a, b, a.value < b.value),
}
WITHOUT_DERIVATIVES = {
    "less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "isfinite", "isnan", "isinf",
    "logical_and", "logical_or", "logical_xor", "logical_not", "bitwise_and", "bitwise_or", "bitwise_xor", "invert",
}
LOG_2, LOG_10, DEGREE = np.log(2.0), np.log(10.0), np.pi / 180


def _method(ufunc):
    """For arrays of objects NumPy calls the method of the same name of each object: np.sin calls jet.sin()."""
    return lambda self: ufunc(self)


for _name in FUNCTIONS:
    setattr(Jet, _name, _method(getattr(np, _name)))
