"""Jets: derivatives equal to SymPy's, curvature of random metrics equal to the definition, rules for branches."""
import math

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings, strategies as st

from derivations.riemann import ChartError, MetricError
from derivations.riemann.jets import COMPOSED, FUNCTIONS, derivatives, integer_power, variables
from derivations.riemann.numeric import NumericMetric

X, Y = sp.symbols("x y", real=True)
POINTS = np.array([[0.3, 0.7], [0.8, -0.4], [-0.6, 0.9]])
# Same names in NumPy and SymPy, or the formula; inner arguments lie where the function is smooth.
INNER = X * Y / 2 + X**2 / 4 + sp.Rational(1, 5)  # within (0, 0.5) at the points
BY_NAME = {
    "positive": lambda z: z, "negative": lambda z: -z, "absolute": lambda z: z, "fabs": lambda z: z,
    "sign": lambda z: sp.Integer(1),
    "reciprocal": lambda z: 1 / z, "square": lambda z: z**2, "sqrt": sp.sqrt, "cbrt": sp.cbrt, "exp": sp.exp,
    "exp2": lambda z: 2**z, "expm1": lambda z: sp.exp(z) - 1, "log": sp.log, "log2": lambda z: sp.log(z, 2),
    "log10": lambda z: sp.log(z, 10), "log1p": lambda z: sp.log(1 + z), "sin": sp.sin, "cos": sp.cos, "tan": sp.tan,
    "arcsin": sp.asin, "arccos": sp.acos, "arctan": sp.atan, "sinh": sp.sinh, "cosh": sp.cosh, "tanh": sp.tanh,
    "arcsinh": sp.asinh, "arccosh": sp.acosh, "arctanh": sp.atanh, "deg2rad": lambda z: z * sp.pi / 180,
    "radians": lambda z: z * sp.pi / 180, "rad2deg": lambda z: z * 180 / sp.pi, "degrees": lambda z: z * 180 / sp.pi,
}


def by_sympy(expression, points=POINTS):
    """Value, gradient and Hessian at the points, with 30 digits until the end."""
    gradient = [expression.diff(s) for s in (X, Y)]
    hessian = [[d.diff(s) for s in (X, Y)] for d in gradient]
    at = [{X: sp.Float(x, 30), Y: sp.Float(y, 30)} for x, y in points]

    def numbers(entries):
        evaluate = np.frompyfunc(lambda entry, p: float(sp.N(entry.subs(p), 30)), 2, 1)
        return np.array([evaluate(np.array(entries, dtype=object), p) for p in at], dtype=float)

    return [numbers(entries) for entries in (expression, gradient, hessian)]


def check(function, expression, points=POINTS, rtol=1e-13):
    for ours, exact in zip(derivatives(function, points), by_sympy(sp.sympify(expression), points)):
        np.testing.assert_allclose(ours, exact, rtol=rtol, atol=rtol * max(1.0, np.max(np.abs(exact))))


def test_the_table_is_covered():
    assert set(BY_NAME) == set(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    inner = INNER + 1 if name == "arccosh" else INNER
    smooth = sp.lambdify((X, Y), inner)
    expression = BY_NAME[name](inner)
    check(lambda x: getattr(np, name)(smooth(*x)), expression)
    if name in ("absolute", "fabs", "sign"):  # the other side
        check(lambda x: getattr(np, name)(-smooth(*x)), -expression if name == "sign" else expression)


@pytest.mark.parametrize("formula", [
    "a + b", "a - b", "a * b", "a / b", "-a", "+a", "a**b", "2**a", "0.5 - a", "3 - a", "2 / b", "b / 4", "a * a",
    "a**0", "a**1", "a**2", "a**3", "a**7", "a**-1", "a**-3", "a**0.5", "a**-1.5", "a**2.0", "abs(b)", "a * 0",
])
def test_arithmetic(formula):
    a, b = INNER, 2 + X - Y * X
    smooth = sp.lambdify((X, Y), (a, b))

    def function(x):
        first, second = smooth(*x)
        return eval(formula, {"a": first, "b": second, "abs": abs})

    check(function, sp.sympify(eval(formula, {"a": a, "b": b, "abs": lambda z: z})))


def test_powers_of_zero():
    value, first, second = derivatives(lambda x: [x[0]**2, x[0]**1, x[0]**0, x[0]**2.5, x[0]**3], [[0.0, 1.0]])
    np.testing.assert_array_equal(value[0], [0, 0, 1, 0, 0])
    np.testing.assert_array_equal(first[0, :, 0], [0, 1, 0, 0, 0])
    np.testing.assert_array_equal(second[0, :, 0, 0], [2, 0, 0, 0, 0])


@pytest.mark.parametrize("x, y", [
    (1.0, 0.5), (-1.0, 0.5), (-1.0, -0.5), (0.3, -2.0), (0.0, 1.0), (0.0, -1.0), (-1.0, 0.0),
])
def test_arctan2_in_all_quadrants(x, y):
    squared = x**2 + y**2
    angle, gradient, hessian = derivatives(lambda p: np.arctan2(p[1], p[0]), [[x, y]])
    assert angle[0] == math.atan2(y, x)
    np.testing.assert_allclose(gradient[0], [-y / squared, x / squared], rtol=1e-13)
    expected = np.array([[2 * x * y, y**2 - x**2], [y**2 - x**2, -2 * x * y]]) / squared**2
    np.testing.assert_allclose(hessian[0], expected, rtol=1e-13, atol=1e-13)


def test_hypot_and_extremes():
    check(lambda x: np.hypot(x[0], x[1]), sp.sqrt(X**2 + Y**2))
    for point in POINTS:
        larger, smaller = (X, Y**2) if point[0] > point[1]**2 else (Y**2, X)
        check(lambda x: np.maximum(x[0], x[1]**2), larger, [point])
        check(lambda x: np.minimum(x[0], x[1]**2), smaller, [point])
        check(lambda x: np.where(x[0] > x[1]**2, x[0]**3, 2.0), X**3 if larger == X else sp.Integer(2), [point])
    assert set(COMPOSED) == {"add", "subtract", "multiply", "divide", "power", "float_power", "arctan2", "hypot",
                             "maximum", "minimum"}


@given(base=st.floats(-3, 3), exponent=st.integers(0, 12))
def test_integer_power(base, exponent):
    assert integer_power(base, exponent) == pytest.approx(math.pow(base, exponent), rel=1e-14, abs=1e-300)
    if abs(base) > 0.1:
        assert integer_power(base, -exponent) == pytest.approx(math.pow(base, -exponent), rel=1e-14)


def test_only_what_is_needed_is_computed():
    t, r, theta, phi = variables(np.ones((3, 4)))
    jet = r**2 * np.sin(theta) + t * 0.0 + phi - phi
    assert {*(r * theta).first} == {1, 2} and {*(r * theta).second} == {(1, 2)}
    assert (1, 2) in jet.second and (0, 3) not in jet.second
    x, y = variables(np.ones((3, 2)), order=1)
    product = x * y / (1 + np.exp(x)) + 3
    assert {*product.first} == {0, 1} and product.second == {}
    x, y = variables(np.ones((3, 2)), order=0)
    assert (x * y / np.sin(y)).first == {}
    full = derivatives(lambda x: x[0]**2 * np.cos(x[1]), POINTS)
    for order in (0, 1):
        for ours, expected in zip(derivatives(lambda x: x[0]**2 * np.cos(x[1]), POINTS, order), full, strict=False):
            np.testing.assert_array_equal(ours, expected)


STYLES = {
    "nested lists": lambda x: [[1, 0], [0, np.sin(x[0])**2]],
    "array of lists": lambda x: np.array([[1.0, 0], [0, np.sin(x[0])**2]]),
    "diagonal": lambda x: np.diag([1.0, np.sin(x[0])**2]),
    "filled": lambda x: _filled(x),
    "stacked": lambda x: np.stack([np.stack([1 + 0 * x[0], 0 * x[0]]), np.stack([0, np.sin(x[0])**2])]),
    "whole arrays": lambda x: np.diag([1.0, 0.0]) + np.diag([0.0, 1.0]) * np.sin(x)[0]**2,
    "chosen": lambda x: np.where(x[0] > 9, np.eye(2), np.diag([1, np.sin(x[0])**2])),
    "sums": lambda x: [[np.sum(x) / (x @ [1, 1]), 0], [0, 1 - np.einsum("i,i", np.cos(x)[:1], np.cos(x[:1]))]],
}


def _filled(x):
    g = np.zeros((2, 2), dtype=object)
    g[0, 0], g[1, 1] = 1, np.sin(x[0])**2
    return g


@pytest.mark.parametrize("style", STYLES)
def test_plain_functions_in_many_styles(style):
    points = np.random.default_rng(5).uniform(0.4, 1.3, (4, 2))
    metric = NumericMetric(STYLES[style], 2)
    np.testing.assert_allclose(metric.riemann_tensor(points)[:, 0, 1, 0, 1], np.sin(points[:, 0])**2, atol=1e-14)
    np.testing.assert_allclose(metric.gauss_curvature(points), 1.0, rtol=1e-13)


SYMBOLS = sp.symbols("x y z")


def monomials(x):
    x, y, z = x
    return [1, x, y, z, x**2, x * y, y * z, z**2, x**3, x * y * z]


# The monomials, their gradients and Hessians, by SymPy.
TABLE = sp.Array(monomials(SYMBOLS))
SLOPE_TABLE = sp.derive_by_array(TABLE, SYMBOLS)
TABLES = [sp.lambdify(SYMBOLS, t.tolist()) for t in (TABLE, SLOPE_TABLE, sp.derive_by_array(SLOPE_TABLE, SYMBOLS))]
ENTRY = st.lists(st.integers(-3, 3), min_size=10, max_size=10)


def riemann_by_definition(g, dg, ddg):
    """R^m_abc = d_b Gamma^m_ac - ... with the derivative of the inverse; dg[k] = d_k g, ddg[k, l] = d_k d_l g."""
    inverse = np.linalg.inv(g)
    first = (np.einsum("anb->nab", dg) + np.einsum("bna->nab", dg) - dg) / 2
    gamma = np.einsum("mn,nab->mab", inverse, first)
    d_inverse = -np.einsum("mp,kpq,qn->kmn", inverse, dg, inverse)
    d_first = (np.einsum("kanb->knab", ddg) + np.einsum("kbna->knab", ddg) - ddg) / 2
    d_gamma = np.einsum("kmn,nab->kmab", d_inverse, first) + np.einsum("mn,knab->kmab", inverse, d_first)
    half = np.einsum("bmac->mabc", d_gamma) + np.einsum("mnb,nac->mabc", gamma, gamma)
    return gamma, half - np.swapaxes(half, 2, 3)


@settings(max_examples=60, deadline=None)
@given(entries=st.lists(ENTRY, min_size=6, max_size=6), x=st.tuples(*[st.floats(-0.5, 0.5)] * 3))
def test_random_polynomial_metrics(entries, x):
    upper = np.zeros((3, 3, 10))
    upper[np.triu_indices(3)] = entries
    lower = np.swapaxes(upper, 0, 1) * (1 - np.eye(3))[:, :, None]
    coefficients = upper + lower
    constant = np.diag([60.0, 60.0, -60.0])

    def matrix(x):
        terms = monomials(x)
        return [[constant[i, j] + sum(float(k) * term for k, term in zip(coefficients[i, j], terms)) for j in range(3)]
                for i in range(3)]

    tables = (np.array(table(*x), dtype=float) for table in TABLES)
    g, dg, ddg = (np.einsum("ijm,...m->...ij", coefficients, table) for table in tables)
    gamma, riemann = riemann_by_definition(g + constant, dg, ddg)
    metric = NumericMetric(matrix, 3)
    np.testing.assert_allclose(metric.christoffel_symbols(x), gamma, atol=1e-14)
    np.testing.assert_allclose(metric.riemann_tensor(x), riemann, atol=1e-14 * (1 + np.abs(riemann).max()))


@pytest.mark.parametrize("function, message", [
    (lambda x: [[1, 0], [0, np.floor(x[0])]], "floor has no derivative here; known are absolute, add"),
    (lambda x: [[1, 0], [0, np.mod(x[0], 2)]], "remainder has no derivative"),
    (lambda x: [[1, 0], [0, math.sin(x[0])]], "np.sin, not math.sin"),
    (lambda x: [[1, 0], [0, 1 if x[0] > 0.7 else 2]], "cannot decide an `if`: use np.where"),
    (lambda x: [[1, 0], [0, 1j * x[0]]], "real numbers, got 1j"),
    (lambda x: [[1, 0], [0, "one"]], "real numbers, got 'one'"),
    (lambda x: [[1, 0], [0, None]], "real numbers, got None"),
    (lambda x: [[1, 0], [0, np.multiply(x[0], 2, dtype=float)]], "multiply has no derivative here when called"),
    (lambda x: [[1, 0], [0, np.add.reduce(x[0])]], "add has no derivative here when called as reduce"),
])
def test_what_has_no_derivative_is_named(function, message):
    with pytest.raises(MetricError, match=message):
        NumericMetric(function, 2).riemann_tensor([[0.5, 1.0], [0.9, 1.0]])


def test_an_array_of_float_cannot_hold_jets():
    def function(x):
        g = np.eye(2)
        g[1, 1] = x[0]**2
        return g

    with pytest.raises(MetricError, match="dtype=object"):
        NumericMetric(function, 2).metric([1.0, 2.0])


def test_an_if_that_all_points_answer_alike_is_allowed():
    metric = NumericMetric(lambda x: [[1, 0], [0, x[0]**2 if x[0] > 0 else 1]], 2)
    np.testing.assert_allclose(metric.christoffel_symbols([[1.0, 0.0], [2.0, 0.0]])[:, 0, 1, 1], [-1.0, -2.0])
    np.testing.assert_allclose(metric.christoffel_symbols([-1.0, 0.0])[0, 1, 1], 0.0)


KINKS = {
    "abs": lambda x: 1 + abs(x[0]), "fabs": lambda x: 1 + np.fabs(x[0]), "sign": lambda x: 2 + np.sign(x[0]),
    "maximum": lambda x: 1 + np.maximum(x[0], 0), "minimum": lambda x: 3 + np.minimum(x[0], x[0]**2),
    "root": lambda x: 1 + np.sqrt(x[0]), "root of a square": lambda x: 1 + np.sqrt(x[0]**2),
    "power": lambda x: 1 + x[0]**1.5,
}


@pytest.mark.parametrize("kink", KINKS)
def test_kinks_are_reported_with_their_place(kink):
    metric = NumericMetric(lambda x: [[1, 0], [0, KINKS[kink](x)]], 2, names=("u", "v"))
    assert np.isfinite(metric.riemann_tensor([[0.5, 0.0], [1.5, 0.0]])).all()
    assert np.isfinite(metric.metric([0.0, 2.0])).all()
    with pytest.raises(ChartError, match="derivative.* is not finite at u=0, v=2"):
        metric.riemann_tensor([[0.5, 0.0], [0.0, 2.0]])


def test_the_side_not_taken_does_not_leak():
    def function(x):
        return [[1, 0], [0, np.where(x[0] > 0, np.sqrt(abs(x[0])), 1 + x[0]**2)]]

    with np.errstate(all="raise"):  # nothing but the place is reported
        gauss = NumericMetric(function, 2).gauss_curvature([[-1.0, 0.0], [4.0, 0.0]])
    # K = -f''/f for ds^2 = du^2 + f^2 dv^2; f = u^(1/4) and f = (1 + u^2)^(1/2).
    np.testing.assert_allclose(gauss, [-0.25, 0.1875 / 16], rtol=1e-13)


def sphere(x):
    return [[1, 0], [0, np.sin(x[0])**2]]


def hemisphere(x):
    slope = -x / np.sqrt(1 - x[0]**2 - x[1]**2)
    return np.eye(2) + np.outer(slope, slope)


@pytest.mark.parametrize("function, x, place", [
    (sphere, [1e-8, 0.0], "theta=1e-08, phi=0"), (sphere, [np.pi - 1e-8, 0.0], "theta=3.14159, phi=0"),
    (lambda x: 1e12 * np.array(sphere(x), dtype=object), [1e-8, 0.0], "theta=1e-08"),  # in other units
    (hemisphere, [0.70710678, 0.70710677], "theta=0.707107, phi=0.707107"),
])
def test_curvature_lost_to_rounding_is_refused(function, x, place):
    metric, good = NumericMetric(function, 2, names=("theta", "phi")), [0.5, 0.4]
    for method in (metric.riemann_tensor, metric.ricci_tensor, metric.gauss_curvature, metric.kretschmann_scalar):
        with pytest.raises(ChartError, match=f"curvature is lost to rounding at {place}"):
            method([good, x])
    assert np.isfinite(metric.christoffel_symbols(x)).all()  # need no curvature


@settings(max_examples=60, deadline=None)
@given(distance=st.floats(-9, 0), angle=st.floats(0.0, 1.5))
def test_curvature_near_a_singularity_is_right_or_refused(distance, angle):
    rim = np.sqrt(1 - 10.0**distance) * np.array([np.cos(angle), np.sin(angle)])
    for function, x in ((sphere, [10.0**distance, angle]), (hemisphere, rim)):
        try:
            gauss = NumericMetric(function, 2).gauss_curvature(x)
        except ChartError:
            assert distance < -3
        else:
            assert gauss == pytest.approx(1.0, rel=1e-2)


FLAT = {
    "polar": (2, lambda x: np.diag([1, x[0]**2])),
    "spherical": (3, lambda x: np.diag([1, x[0]**2, (x[0] * np.sin(x[1]))**2])),
    "space-time with seconds and metres": (4, lambda x: np.diag([-9e16, 1, x[1]**2, (x[1] * np.sin(x[2]))**2])),
}


@pytest.mark.parametrize("name", FLAT)
@pytest.mark.parametrize("radius", [1e-3, 0.1, 1.0, 7.0, 100.0, 1e9])
@pytest.mark.parametrize("theta", [0.01, 0.7, 3.1])
def test_flat_spaces_are_not_refused(name, radius, theta):
    n, function = FLAT[name]
    x = [0.0, radius, theta, 0.3] if n == 4 else [radius, theta, 0.3][:n]
    riemann = NumericMetric(function, n).riemann_tensor(x, lowered=True)
    assert np.max(np.abs(riemann)) <= 1e-14 * max(1.0, radius**2)
