"""Metrics as numbers: equal to the formulas, to finite differences of the definition, and loud on bad points."""
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings, strategies as st

from derivations.riemann import ChartError, Metric, MetricError, spaces

ALL = pytest.mark.parametrize("space", spaces.CATALOGUE, ids=lambda space: space.__name__)
POINT = st.tuples(st.floats(0.3, 2.5), st.floats(0.3, 2.5))


def substituted(expression, space, x):
    values = dict(zip(space.metric.coords, x)) | {s: dict(space.defaults)[s.name] for s in space.metric.params}
    return float(expression.subs(values))


def derivative(f, x, axis, h=2e-3):
    """Fourth-order central difference."""
    step = h * np.eye(len(x))[axis]
    return (8 * (f(x + step) - f(x - step)) - f(x + 2 * step) + f(x - 2 * step)) / (12 * h)


def gradient(f, x):
    """Derivatives, the new index last."""
    return np.stack([derivative(f, x, axis) for axis in range(len(x))], axis=-1)


def christoffel_by_differences(metric_at, x):
    dg = gradient(metric_at, x)  # dg[a, b, c] = d_c g_ab
    first = (np.einsum("nba->nab", dg) + np.einsum("nab->nab", dg) - np.einsum("abn->nab", dg)) / 2
    return np.linalg.solve(metric_at(x), first.reshape(len(x), -1)).reshape(first.shape)


def riemann_by_differences(metric_at, x):
    """The definition, term by term, from a plain function that returns g: no SymPy, no code of the package."""
    gamma = christoffel_by_differences(metric_at, x)
    d = gradient(lambda p: christoffel_by_differences(metric_at, p), x)  # d[m, a, c, b] = d_b Gamma^m_ac
    half = np.einsum("macb->mabc", d) + np.einsum("mnb,nac->mabc", gamma, gamma)
    return half - np.swapaxes(half, 2, 3)


BY_HAND = {
    "sphere": lambda x: np.diag([1.0, np.sin(x[0])**2]),
    "torus": lambda x: np.diag([(2 + np.cos(x[1]))**2, 1.0]),
    "half_plane": lambda x: np.eye(2) / x[1]**2,
    "saddle": lambda x: np.eye(2) + np.outer([x[0], -x[1]], [x[0], -x[1]]),
    "paraboloid": lambda x: np.eye(2) + np.outer(x, x),
    "gaussian_bump": lambda x: np.eye(2) + np.outer(x, x) * np.exp(-x @ x),
    "polar_plane": lambda x: np.diag([1.0, x[0]**2]),
    "cone": lambda x: np.diag([1.0, (x[0] * 0.5)**2]),
    "plane": lambda x: np.eye(2),
}


@ALL
@settings(max_examples=10, deadline=None)
@given(x=POINT)
def test_definition_by_finite_differences(space, x):
    metric, x = space().numeric(), np.array(x)
    by_hand = BY_HAND[space.__name__]
    np.testing.assert_allclose(metric.metric(x), by_hand(x), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(metric.christoffel_symbols(x), christoffel_by_differences(by_hand, x), atol=1e-6)
    scale = 1 + np.max(np.abs(metric.riemann_tensor(x)))
    np.testing.assert_allclose(metric.riemann_tensor(x) / scale, riemann_by_differences(by_hand, x) / scale, atol=2e-5)


def test_definition_by_finite_differences_in_three_dimensions():
    x, y, z = sp.symbols("x y z", real=True)
    matrix = sp.Matrix([[1 + x**2, x * y, 0], [x * y, 2 + z**2, y], [0, y, 3 + x * z]])
    at = np.array([0.3, -0.4, 0.7])

    def by_hand(p):
        x, y, z = p
        return np.array([[1 + x**2, x * y, 0], [x * y, 2 + z**2, y], [0, y, 3 + x * z]])

    numeric = Metric((x, y, z), matrix).numeric()
    np.testing.assert_allclose(numeric.riemann_tensor(at), riemann_by_differences(by_hand, at), atol=1e-7)


@ALL
@settings(max_examples=10, deadline=None)
@given(x=POINT)
def test_numbers_equal_formulas(space, x):
    space, numeric = space(), space().numeric()
    assert float(numeric.gauss_curvature(x)) == pytest.approx(substituted(space.curvature, space, x), abs=1e-11)
    for index in np.ndindex(2, 2, 2):
        exact = substituted(space.metric.christoffel_symbols()[index], space, x)
        assert numeric.christoffel_symbols(x)[index] == pytest.approx(exact, rel=1e-11, abs=1e-11)
    assert float(numeric.ricci_scalar(x)) == pytest.approx(2 * substituted(space.curvature, space, x), abs=1e-10)


@ALL
@settings(max_examples=10, deadline=None)
@given(x=POINT)
def test_symmetries_of_the_numbers(space, x):
    numeric = space().numeric()
    lowered = numeric.riemann_tensor(x, lowered=True)
    scale = 1 + np.abs(lowered).max()
    np.testing.assert_allclose(lowered, -np.swapaxes(lowered, 0, 1), atol=1e-11 * scale)
    np.testing.assert_allclose(lowered, -np.swapaxes(lowered, 2, 3), atol=1e-11 * scale)
    np.testing.assert_allclose(lowered, np.moveaxis(lowered, (0, 1), (2, 3)), atol=1e-11 * scale)
    np.testing.assert_allclose(numeric.inverse(x) @ numeric.metric(x), np.eye(2), atol=1e-9)


@ALL
def test_many_points_at_once(space):
    numeric = space().numeric()
    points = np.random.default_rng(1).uniform(0.3, 2.5, (3, 4, 2))
    together = numeric.riemann_tensor(points)
    assert together.shape == (3, 4, 2, 2, 2, 2)
    np.testing.assert_array_equal(together[2, 1], numeric.riemann_tensor(points[2, 1]))
    assert numeric.volume_element(points).shape == (3, 4)


@ALL
def test_embedding_carries_the_metric(space):
    if space().embedding is None:
        with pytest.raises(ChartError, match="no embedding"):
            space().embed([1.0, 1.0])
        return
    points = np.random.default_rng(2).uniform(0.3, 2.5, (5, 2))
    assert space().embed(points).shape == (5, 3)
    a, b = space().push_forward(points, [1.0, 2.0]), space().push_forward(points, [-1.0, 0.5])
    inner = np.einsum("i,tij,j->t", [1.0, 2.0], space().numeric().metric(points), [-1.0, 0.5])
    np.testing.assert_allclose(np.sum(a * b, axis=-1), inner, atol=1e-12)
    assert space().mesh(shape=(3, 4)).shape == (3, 4, 3)
    tails, tips = space().arrows(points, [1.0, 2.0])
    np.testing.assert_allclose(tips - tails, a, atol=1e-12)


@pytest.mark.parametrize("x, message", [
    ([1.0], r"shape \(..., 2\), got x of shape \(1,\)"),
    (1.0, r"got x of shape \(\)"),
    ([1.0 + 1j, 0.0], "real"),
    ([float("nan"), 0.0], "theta=nan, phi=0 is not in the chart"),
    ([1.0, float("inf")], "phi=inf"),
    ([-0.1, 0.0], "theta=-0.1, phi=0 is not in the chart: 0 < theta < 3.14159"),
    ([0.0, 0.0], "not in the chart"),
    ([[1.0, 0.0], [4.0, 2.0]], "theta=4, phi=2"),
    ([1e-9, 0.0], "the metric is singular at theta=1e-09, phi=0"),
])
def test_bad_points_are_named(x, message):
    numeric = spaces.sphere().numeric()
    for method in (numeric.metric, numeric.inverse, numeric.volume_element, numeric.christoffel_symbols,
                   numeric.riemann_tensor, numeric.ricci_tensor, numeric.ricci_scalar, numeric.gauss_curvature):
        with pytest.raises(ChartError, match=message):
            method(x)


def test_a_pole_is_found_without_limits():
    with pytest.raises(ChartError, match="not finite at x=0, y=0"):
        Metric(sp.symbols("x y"), sp.diag(1, 1 / sp.Symbol("x"))).numeric().metric([0.0, 0.0])
    with pytest.raises(ChartError, match="singular at theta="):
        spaces.sphere().metric.numeric(r=1.0).christoffel_symbols([np.pi, 0.0])


def test_errors_are_value_errors():
    assert issubclass(ChartError, ValueError) and issubclass(MetricError, ValueError)
