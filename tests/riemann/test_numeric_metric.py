"""Metrics as numbers: equal to the formulas, to finite differences of the definition, and loud on bad points."""
import dataclasses
import gc
import pickle
import re
import tracemalloc

import numpy as np
import pytest
import sympy as sp
from hypothesis import example, given, settings, strategies as st

from derivations.riemann import ChartError, GeometryError, Metric, MetricError, ParameterError, numeric, spaces
from derivations.riemann.numeric import NumericMetric, numeric_metric

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

    metric = Metric((x, y, z), matrix).numeric()
    np.testing.assert_allclose(metric.riemann_tensor(at), riemann_by_differences(by_hand, at), atol=1e-7)


@ALL
@settings(max_examples=10, deadline=None)
@given(x=POINT)
def test_numbers_equal_formulas(space, x):
    space, metric = space(), space().numeric()
    assert float(metric.gauss_curvature(x)) == pytest.approx(substituted(space.curvature, space, x), abs=1e-11)
    for index in np.ndindex(2, 2, 2):
        exact = substituted(space.metric.christoffel_symbols()[index], space, x)
        assert metric.christoffel_symbols(x)[index] == pytest.approx(exact, rel=1e-11, abs=1e-11)
    assert float(metric.ricci_scalar(x)) == pytest.approx(2 * substituted(space.curvature, space, x), abs=1e-10)


@ALL
@settings(max_examples=10, deadline=None)
@given(x=POINT)
def test_symmetries_of_the_numbers(space, x):
    metric = space().numeric()
    lowered = metric.riemann_tensor(x, lowered=True)
    scale = 1 + np.abs(lowered).max()
    np.testing.assert_allclose(lowered, -np.swapaxes(lowered, 0, 1), atol=1e-11 * scale)
    np.testing.assert_allclose(lowered, -np.swapaxes(lowered, 2, 3), atol=1e-11 * scale)
    np.testing.assert_allclose(lowered, np.moveaxis(lowered, (0, 1), (2, 3)), atol=1e-11 * scale)
    np.testing.assert_allclose(metric.inverse(x) @ metric.metric(x), np.eye(2), atol=1e-9)


@ALL
def test_many_points_at_once(space):
    metric = space().numeric()
    points = np.random.default_rng(1).uniform(0.3, 2.5, (3, 4, 2))
    together = metric.riemann_tensor(points)
    assert together.shape == (3, 4, 2, 2, 2, 2)
    np.testing.assert_array_equal(together[2, 1], metric.riemann_tensor(points[2, 1]))
    assert metric.volume_element(points).shape == (3, 4)


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


TENSORS = ("metric", "inverse", "volume_element", "christoffel_symbols", "riemann_tensor", "ricci_tensor",
           "ricci_scalar", "einstein_tensor", "kretschmann_scalar")


def methods(metric):
    """All methods that take points, as functions of x."""
    found = [getattr(metric, name) for name in TENSORS]
    found.append(lambda x: metric.riemann_tensor(x, lowered=True))
    found.append(lambda x: metric.sectional_curvature(x, *np.eye(metric.n)[:2]))
    found.extend([metric.weyl_tensor, lambda x: metric.weyl_tensor(x, lowered=True)] if metric.n > 2 else [])
    found.extend([metric.gauss_curvature] if metric.n == 2 else [])
    return found


def plain(space):
    """Same metric as a plain NumPy function: nothing of the exact engine."""
    exact = space.metric
    values = {symbol: dict(space.defaults)[symbol.name] for symbol in exact.params}
    function = sp.lambdify(exact.coords, exact.matrix.subs(values).tolist(), modules="numpy")
    names = tuple(symbol.name for symbol in exact.coords)
    known = space.numeric()
    return NumericMetric(lambda x: function(*x), exact.n, names, known.limits, known.periods)


def points_in(metric, count=40, seed=3):
    """Random points well inside the limits."""
    ends = [(max(low, -1.5) + 0.3 * np.isfinite(low), min(high, max(low, -1.5) + 3.0) - 0.3 * np.isfinite(high))
            for low, high in metric.limits]
    return np.random.default_rng(seed).uniform(*np.transpose(ends), (count, metric.n))


DETERMINED = [space for space in spaces.SPACES if not space().metric.matrix.atoms(sp.core.function.AppliedUndef)]


@pytest.mark.parametrize("space", DETERMINED, ids=lambda space: space.__name__)
def test_jets_equal_formulas_on_every_space(space):
    formulas, jets = space().numeric(), plain(space())
    points = points_in(formulas)
    scales = 1 + np.abs(formulas.riemann_tensor(points)).reshape(len(points), -1).max(axis=1)
    scales *= 1 + np.abs(formulas.riemann_tensor(points, lowered=True)).reshape(len(points), -1).max(axis=1)
    for ours, theirs in zip(methods(jets), methods(formulas), strict=True):
        difference = np.abs(ours(points) - theirs(points)).reshape(len(points), -1).max(axis=1)
        assert np.max(difference / scales) < 1e-11


def test_jets_by_hand_equal_formulas_on_the_catalogue():
    assert {space.__name__ for space in spaces.CATALOGUE} <= set(BY_HAND)
    points = np.random.default_rng(4).uniform(0.4, 2.0, (30, 2))
    for space in spaces.CATALOGUE:
        formulas, jets = space().numeric(), NumericMetric(BY_HAND[space.__name__], 2)
        for ours, theirs in zip(methods(jets), methods(formulas), strict=True):
            np.testing.assert_allclose(ours(points), theirs(points), rtol=1e-11, atol=1e-12)


def kerr_function(x, M=1.0, a=0.7):
    t, r, theta, phi = x
    sigma, delta, sin2 = r**2 + a**2 * np.cos(theta)**2, r**2 - 2 * M * r + a**2, np.sin(theta)**2
    mixed = -2 * M * a * r * sin2 / sigma
    return [[-(1 - 2 * M * r / sigma), 0, 0, mixed], [0, sigma / delta, 0, 0], [0, 0, sigma, 0],
            [mixed, 0, 0, (r**2 + a**2 + 2 * M * a**2 * r * sin2 / sigma) * sin2]]


KERR_POINTS = np.random.default_rng(6).uniform([-1, 2.2, 0.3, 0], [1, 9, 2.8, 6], (200, 4))
BOTH_KERR = pytest.mark.parametrize("kerr", [
    NumericMetric(kerr_function, 4), spaces.kerr().numeric(M=1.0, a=0.7),
], ids=["jets", "formulas"])


@BOTH_KERR
def test_kerr(kerr):
    t, r, theta, phi = KERR_POINTS.T
    c2 = (0.7 * np.cos(theta))**2
    known = 48 * (r**2 - c2) * ((r**2 + c2)**2 - 16 * r**2 * c2) / (r**2 + c2)**6
    size = 48 / r**6
    np.testing.assert_allclose(kerr.kretschmann_scalar(KERR_POINTS) / size, known / size, atol=1e-12)
    np.testing.assert_allclose(kerr.ricci_tensor(KERR_POINTS), 0.0, atol=1e-13)
    np.testing.assert_allclose(kerr.einstein_tensor(KERR_POINTS), 0.0, atol=1e-13)
    np.testing.assert_allclose(kerr.weyl_tensor(KERR_POINTS), kerr.riemann_tensor(KERR_POINTS), atol=1e-13)


@BOTH_KERR
def test_kerr_to_thirty_digits(kerr):
    exact = spaces.kerr().metric
    values = dict(zip((s for s in exact.params), [{"M": 1, "a": sp.Rational(7, 10)}[s.name] for s in exact.params]))
    formulas = [exact.riemann_tensor()[index] for index in np.ndindex((4,) * 4)]
    for point in KERR_POINTS[:3]:
        at = values | {symbol: sp.Rational(float(x)) for symbol, x in zip(exact.coords, point)}
        digits = np.array([float(formula.subs(at).evalf(30)) for formula in formulas]).reshape((4,) * 4)
        np.testing.assert_allclose(kerr.riemann_tensor(point), digits, rtol=0, atol=1e-13 * np.abs(digits).max())


@pytest.mark.parametrize("metric", [
    NumericMetric(kerr_function, 4), spaces.three_sphere().numeric(), spaces.goedel().numeric(),
    NumericMetric(lambda x: np.diag([-1, 1, 1, 1, 1]) * np.exp(x[1] * x[2] / 4) + np.outer(x, x) / 9, 5),
], ids=["kerr", "three-sphere", "goedel", "five dimensions"])
def test_identities(metric):
    points = np.random.default_rng(7).uniform(0.4, 1.2, (20, metric.n))
    points += np.array([0.0, 2.0, 0.0, 0.0, 0.0])[:metric.n] * (metric.n == 4)  # outside Kerr's horizon
    g, inverse = metric.metric(points), metric.inverse(points)
    riemann, ricci = metric.riemann_tensor(points, lowered=True), metric.ricci_tensor(points)
    close = dict(rtol=0, atol=1e-12 * np.abs(riemann).max())
    np.testing.assert_allclose(riemann, -np.swapaxes(riemann, 1, 2), **close)
    np.testing.assert_allclose(riemann, -np.swapaxes(riemann, 3, 4), **close)
    np.testing.assert_allclose(riemann, np.moveaxis(riemann, (1, 2), (3, 4)), **close)
    cyclic = riemann + np.einsum("pabcd->pacdb", riemann) + np.einsum("pabcd->padbc", riemann)
    np.testing.assert_allclose(cyclic, 0.0, **close)
    np.testing.assert_allclose(np.einsum("pab,pbcde->pacde", g, metric.riemann_tensor(points)), riemann, **close)
    np.testing.assert_allclose(np.einsum("pab,pacbd->pcd", inverse, riemann), ricci, **close)
    scalar = metric.ricci_scalar(points)
    np.testing.assert_allclose(np.einsum("pab,pab->p", inverse, ricci), scalar, **close)
    np.testing.assert_allclose(metric.einstein_tensor(points), ricci - scalar[:, None, None] * g / 2, **close)
    weyl = metric.weyl_tensor(points)
    np.testing.assert_allclose(np.einsum("pabad->pbd", weyl), 0.0, **close)
    lowered = metric.weyl_tensor(points, lowered=True)
    np.testing.assert_allclose(np.einsum("pab,pbcde->pacde", g, weyl), lowered, **close)
    square = np.einsum("pabcd,pae,pbf,pcg,pdh,pefgh->p", riemann, *[inverse] * 4, riemann, optimize=True)
    np.testing.assert_allclose(metric.kretschmann_scalar(points), square, rtol=1e-9, atol=1e-12 * np.abs(square).max())
    np.testing.assert_allclose(metric.volume_element(points)**2, np.abs(np.linalg.det(g)), rtol=1e-12)


@pytest.mark.parametrize("metric, x", [
    (NumericMetric(kerr_function, 4), [0.0, 4.0, 1.0, 0.0]), (spaces.torus().numeric(), [0.3, 0.9]),
    (NumericMetric(lambda x: 3 * np.eye(3) + np.outer(x, np.cos(x)) + np.outer(np.cos(x), x), 3), [0.3, 0.9, -0.4]),
], ids=["kerr", "torus", "three dimensions"])
def test_derivatives_of_the_tensors(metric, x):
    """nabla g = 0, and the second Bianchi identity with its contraction, by finite differences of the answers."""
    x, gamma, g = np.array(x), metric.christoffel_symbols(x), metric.metric(x)
    transported = np.einsum("mac,mb->abc", gamma, g)
    np.testing.assert_allclose(gradient(metric.metric, x), transported + np.swapaxes(transported, 0, 1), atol=1e-8)
    slope = gradient(metric.riemann_tensor, x) + np.einsum("ame,mbcd->abcde", gamma, metric.riemann_tensor(x))
    for axes in ("mbe,amcd->abcde", "mce,abmd->abcde", "mde,abcm->abcde"):
        slope = slope - np.einsum(axes, gamma, metric.riemann_tensor(x))
    cyclic = slope + np.einsum("abcde->abdec", slope) + np.einsum("abcde->abecd", slope)
    np.testing.assert_allclose(cyclic, 0.0, atol=1e-7)
    raised = np.linalg.inv(g)
    einstein = gradient(metric.einstein_tensor, x)
    for axes in ("mae,mb->abe", "mbe,am->abe"):
        einstein = einstein - np.einsum(axes, gamma, metric.einstein_tensor(x))
    np.testing.assert_allclose(np.einsum("ae,abe->b", raised, einstein), 0.0, atol=1e-7)


def test_weyl_is_unchanged_by_a_change_of_scale():
    def scaled(x):
        factor = np.exp(x[0] * x[1] / 3 + np.sin(x[3]))
        return factor * np.array(kerr_function(x), dtype=object)

    weyl = NumericMetric(kerr_function, 4).weyl_tensor(KERR_POINTS)
    size = np.abs(weyl).reshape(len(weyl), -1).max(axis=1)[:, None, None, None, None]
    other = NumericMetric(scaled, 4).weyl_tensor(KERR_POINTS)
    np.testing.assert_allclose(other / size, weyl / size, atol=1e-9)


def test_weyl_in_few_dimensions():
    metric = NumericMetric(lambda x: np.eye(3) + np.outer(x, x**2) + np.outer(x**2, x), 3)
    x = np.array([0.3, 0.5, -0.4])
    np.testing.assert_array_equal(metric.weyl_tensor(x), 0.0)
    # The theorem behind it: in three dimensions the Ricci tensor gives all of the curvature.
    g, schouten = metric.metric(x), metric.ricci_tensor(x) - metric.ricci_scalar(x) * metric.metric(x) / 4
    half = np.einsum("ac,bd->abcd", g, schouten) - np.einsum("ad,bc->abcd", g, schouten)
    whole = half + np.einsum("abcd->badc", half)
    np.testing.assert_allclose(metric.riemann_tensor(x, lowered=True), whole, atol=1e-13)
    with pytest.raises(MetricError, match="three dimensions, got n=2"):
        spaces.sphere().numeric().weyl_tensor([1.0, 0.0])
    with pytest.raises(MetricError, match="n=2.*got n=3"):
        metric.gauss_curvature(x)


VECTOR = st.tuples(*[st.floats(-2, 2)] * 3)


@settings(max_examples=40, deadline=None)
@given(u=VECTOR, v=VECTOR, mix=st.tuples(*[st.floats(-2, 2)] * 4))
def test_sectional_curvature(u, v, mix):
    # Sphere of radius 2 times a line: K = 1/4 times the squared cosine between the plane and the sphere's.
    metric = NumericMetric(lambda x: np.diag([4, 4 * np.sin(x[0])**2, 1]), 3)
    x, u, v = np.array([1.1, 0.4, 0.2]), np.array(u), np.array(v)
    frame = np.array([2.0, 2.0 * np.sin(1.1), 1.0])
    normal = np.cross(u * frame, v * frame)
    if np.linalg.norm(normal) < 1e-3 * (1 + np.linalg.norm(u) * np.linalg.norm(v)):
        return
    expected = 0.25 * normal[2]**2 / (normal @ normal)
    assert metric.sectional_curvature(x, u, v) == pytest.approx(expected, rel=1e-6, abs=1e-9)
    a, b, c, d = mix
    if abs(a * d - b * c) > 0.1:  # another basis of the plane
        other = metric.sectional_curvature(x, a * u + b * v, c * u + d * v)
        assert other == pytest.approx(expected, rel=1e-5, abs=1e-8)


def test_sectional_curvature_of_many_planes():
    sphere, rng = spaces.three_sphere().numeric(), np.random.default_rng(8)
    points = points_in(sphere, 12).reshape(3, 4, 3)
    assert sphere.sectional_curvature(points, rng.normal(size=3), rng.normal(size=(4, 3))).shape == (3, 4)
    together = sphere.sectional_curvature(points[0, 0], rng.normal(size=(5, 1, 3)), rng.normal(size=(1, 6, 3)))
    np.testing.assert_allclose(together, together[0, 0] * np.ones((5, 6)), rtol=1e-11)
    assert sphere.sectional_curvature(points[0, 0], [1, 0, 0], [0, 1, 0]).shape == ()


@pytest.mark.parametrize("u, v, error, message", [
    ([1, 0, 0], [2, 0, 0], ChartError, "plane of u=.* and v=.* is degenerate at x0=1, x1=2, x2=3"),
    ([1, 0, 0], [0, 0, 0], ChartError, "degenerate"),
    ([0.1, 0.2, 0.3], [0.3, 0.6, 0.9], ChartError, "degenerate"),
    ([1, 1, 0], [0, 0, 1], ChartError, "degenerate"),  # tangent to the light cone
    ([1, 0], [0, 1], GeometryError, r"u must be finite with shape \(..., 3\)"),
    ([1, 0, 0], [0, np.nan, 0], GeometryError, "v must be finite"),
    ([1, 0, 0], [0, 1j, 0], GeometryError, "v must be real numbers"),
    ([1, 0, 0], "abc", GeometryError, "v must be real numbers"),
    (np.ones((2, 3)), np.ones((5, 3)), GeometryError, "shapes that broadcast"),
])
def test_bad_planes(u, v, error, message):
    flat = NumericMetric(lambda x: np.diag([-1, 1, 1]), 3)
    with pytest.raises(error, match=message):
        flat.sectional_curvature([1.0, 2.0, 3.0], u, v)


def test_blocks_do_not_show(monkeypatch):
    metrics = [NumericMetric(kerr_function, 4), spaces.kerr().numeric()]
    points, directions = KERR_POINTS[:50].reshape(5, 10, 4), np.random.default_rng(9).normal(size=(5, 10, 4))
    whole = [[method(points) for method in methods(metric)] for metric in metrics]
    planes = [metric.sectional_curvature(points, directions, [0.0, 0.0, 1.0, 0.2]) for metric in metrics]
    for size in (1, 7, 49, 50, 51):
        monkeypatch.setattr(numeric, "BLOCK", size)
        for metric, answers, plane in zip(metrics, whole, planes):
            for method, answer in zip(methods(metric), answers, strict=True):
                np.testing.assert_allclose(method(points), answer, rtol=1e-13, atol=1e-15)
            again = metric.sectional_curvature(points, directions, [0.0, 0.0, 1.0, 0.2])
            np.testing.assert_allclose(again, plane, rtol=1e-11)


@BOTH_KERR
def test_memory_does_not_grow_with_the_points(kerr):
    points = np.tile(KERR_POINTS, (200, 1))  # their curvature would take 80 MB
    kerr.kretschmann_scalar(points[:1])
    tracemalloc.start()
    kerr.kretschmann_scalar(points)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 45e6


@BOTH_KERR
def test_no_points(kerr):
    for method in methods(kerr):
        shape = np.shape(method(KERR_POINTS[0]))
        assert method(np.empty((0, 4))).shape == (0, *shape)
        assert method(np.empty((3, 0, 4))).shape == (3, 0, *shape)


def by_hand_sphere(x):
    theta, phi = x
    return [[1, 0], [0, np.sin(theta)**2]]


BOTH_SPHERES = pytest.mark.parametrize("sphere", [
    spaces.sphere().numeric(), NumericMetric(by_hand_sphere, 2, ("theta", "phi"), ((0, np.pi), (-np.inf, np.inf))),
], ids=["formulas", "jets"])


@BOTH_SPHERES
@pytest.mark.parametrize("x, message", [
    ([1.0], r"shape \(..., 2\), got x of shape \(1,\)"),
    (1.0, r"got x of shape \(\)"),
    ([1.0 + 1j, 0.0], "points must be real"),
    (["north", "pole"], "points must be real"),
    ([None, 0.0], "theta=nan, phi=0 is not in the chart"),
    ([{}, 0.0], "points must be real"),
    ([float("nan"), 0.0], "theta=nan, phi=0 is not in the chart"),
    ([1.0, float("inf")], "phi=inf"),
    ([-0.1, 0.0], "theta=-0.1, phi=0 is not in the chart: 0 < theta < 3.14159"),
    ([0.0, 0.0], "not in the chart"),
    ([[1.0, 0.0], [4.0, 2.0]], "theta=4, phi=2"),
    ([1e-16, 0.0], "the metric is singular at theta=1e-16, phi=0"),
])
def test_bad_points_are_named(sphere, x, message):
    for method in methods(sphere):
        with pytest.raises(ChartError, match=message):
            method(x)


def test_a_pole_is_found_without_limits():
    with pytest.raises(ChartError, match="not finite at x=0, y=0"):
        Metric(sp.symbols("x y"), sp.diag(1, 1 / sp.Symbol("x"))).numeric().metric([0.0, 0.0])
    for sphere in (spaces.sphere().metric.numeric(r=1.0), NumericMetric(by_hand_sphere, 2, ("theta", "phi"))):
        for theta in (0.0, np.pi, -np.pi, 2 * np.pi):
            with pytest.raises(ChartError, match="singular at theta="):
                sphere.christoffel_symbols([theta, 0.0])


@BOTH_SPHERES
def test_near_a_pole_the_answer_is_still_right(sphere):
    theta = np.array([1e-3, 1e-6, 1e-9, 1e-12])
    gamma = sphere.christoffel_symbols(np.stack([theta, 0 * theta], axis=-1))
    np.testing.assert_allclose(gamma[:, 1, 0, 1], 1 / np.tan(theta), rtol=1e-12)


SINGULAR = {
    "horizon": (lambda x: [[-(1 - 2 / x[0]), 0], [0, 1 / (1 - 2 / x[0])]], [2.0, 0.0]),
    "rank one": (lambda x: [[1, 1], [1, 1 + 0 * x[0]]], [0.5, 0.0]),
    "zero": (lambda x: [[0 * x[0], 0], [0, 0]], [0.5, 0.0]),
    "rank one up to rounding": (lambda x: [[1 + x[0]**2, x[0] * x[1]], [x[0] * x[1], x[1]**2 - 1e-17]], [1e9, 1e9]),
}


@pytest.mark.parametrize("name", SINGULAR)
def test_singular_points_among_good_ones(name):
    function, x = SINGULAR[name]
    metric = NumericMetric(function, 2, ("a", "b"))
    good = [x] if name in ("rank one", "zero") else [[3.0, 1.5], x]
    for method in methods(metric):
        with pytest.raises(ChartError, match=rf"(singular|not finite) at {re.escape(f'a={x[0]:g}, b={x[1]:g}')}"):
            method(good)


@settings(max_examples=60, deadline=None)
@given(powers=st.tuples(*[st.integers(-6, 6)] * 3), twist=st.floats(-1, 1))
@example(powers=(-5, 6, -6), twist=1.0)  # the off-diagonal entry is the largest of its row
def test_units_of_the_coordinates_do_not_matter(powers, twist):
    units = 10.0 ** np.array(powers)

    def rescaled(x):
        a, b, c = x * units
        g = np.array([[-1 - a**2, twist, 0], [twist, 2 + b**2, a], [0, a, 3 + c**2]], dtype=object)
        return g * np.outer(units, units)

    metric, x = NumericMetric(rescaled, 3), np.array([0.3, 0.2, 0.1])
    plain = NumericMetric(lambda x: [[-1 - x[0]**2, twist, 0], [twist, 2 + x[1]**2, x[0]], [0, x[0], 3 + x[2]**2]], 3)
    np.testing.assert_allclose(metric.ricci_scalar(x / units), plain.ricci_scalar(x), rtol=1e-12, atol=1e-13)


@settings(max_examples=60, deadline=None)
@given(distance=st.floats(-20, 0), powers=st.tuples(st.integers(-5, 5), st.integers(-5, 5)))
def test_cancellation_in_the_determinant_is_found(distance, powers):
    units = 10.0 ** np.array(powers)
    g = np.array([[1.0, 1.0], [1.0, 1.0 + 10.0**distance]]) * np.outer(units, units)
    metric = NumericMetric(lambda x: g, 2)
    if distance > -14.5:
        metric.inverse([0.0, 0.0])
    elif distance < -16.5:
        with pytest.raises(ChartError, match="singular at x0=0, x1=0"):
            metric.inverse([0.0, 0.0])


def schwarzschild_function(x):
    t, r, theta, phi = x
    return np.diag([2 * 1477.0 / r - 1, 1 / (1 - 2 * 1477.0 / r), r**2, r**2 * np.sin(theta)**2])


@pytest.mark.parametrize("sun", [spaces.schwarzschild().numeric(M=1477.0), NumericMetric(schwarzschild_function, 4)],
                         ids=["formulas", "jets"])
def test_the_sun_in_metres(sun):
    # M = 1,477 m, r = 150 million km: the components differ by 10^22, which is no singularity.
    x = np.array([0.0, 1.5e11, 1.0, 0.0])
    assert sun.kretschmann_scalar(x) == pytest.approx(48 * 1477.0**2 / 1.5e11**6, rel=1e-12)
    assert sun.riemann_tensor(x, lowered=True)[1, 0, 1, 0] == pytest.approx(-2 * 1477.0 / 1.5e11**3, rel=1e-12)


@pytest.mark.parametrize("arguments, message", [
    (("sphere", 2), "function must be callable, got function='sphere'"),
    ((by_hand_sphere, 0), "n must be a positive integer, got n=0"),
    ((by_hand_sphere, 2.0), "n must be a positive integer, got n=2.0"),
    ((by_hand_sphere, 2, ("theta",)), "names must have one entry for each of 2"),
    ((by_hand_sphere, 2, None, ((0, 1),)), "limits must have one entry for each of 2"),
    ((by_hand_sphere, 2, None, (), (None, None, 1.0)), "periods must have one entry for each of 2"),
])
def test_bad_arguments(arguments, message):
    with pytest.raises(MetricError, match=message):
        NumericMetric(*arguments)


@pytest.mark.parametrize("function, message", [
    (lambda x: np.eye(3), r"matrix of shape \(2, 2\), got shape \(3, 3\)"),
    (lambda x: 1.0, r"got shape \(\)"),
    (lambda x: [[1, x[0]], [0, 1]], r"symmetric matrix, got \[\[1. 1.\]\s.* at x0=1, x1=2"),
])
def test_bad_functions(function, message):
    for method in methods(NumericMetric(function, 2)):
        with pytest.raises(MetricError, match=message):
            method([[0.0, 0.0], [1.0, 2.0]] if "symmetric" in message else [1.0, 2.0])


@pytest.mark.parametrize("function, message", [
    (lambda x: [[1, 0], [0, np.log(x[0])]], "the metric is not finite at x0=-1, x1=2"),
    (lambda x: [[1, 0], [0, 1 + np.exp(x[0] * 1e3)**-2]], "not finite at x0=-1, x1=2"),
])
def test_no_nan_in_silence(function, message):
    for method in methods(NumericMetric(function, 2)):
        with pytest.raises(ChartError, match=message):
            method([[2.0, 2.0], [-1.0, 2.0]])


def test_undetermined_functions_need_formulas():
    t, x = sp.symbols("t x", real=True)
    metric = Metric((t, x), sp.diag(-1, sp.Function("a")(t)**2)).numeric()
    with pytest.raises(ParameterError, match="a\\(t\\) has no numerical value"):
        metric.metric([0.0, 0.0])


def test_functions_that_numpy_lacks_are_named():
    t, x = sp.symbols("t x", real=True)
    metric = Metric((t, x), sp.diag(-1, 2 + sp.besselj(0, t))).numeric()
    with pytest.raises(MetricError, match="cannot be evaluated: NumPy has no function besselj"):
        metric.christoffel_symbols([1.0, 0.0])


@pytest.mark.parametrize("entry", [
    "Abs(x)", "sign(x) + 3", "Max(x, y)", "Piecewise((x**2, x > 2), (x, True))", "atan2(x, y)", "exp(x)*asinh(y)",
    "cosh(x)/tanh(y)", "acosh(1 + x)", "log(x)**2 + 1", "x**Rational(5, 2) + 1/sqrt(y)", "pi + x**-3",
    "cot(x)*sec(y)",
])
def test_functions_that_numpy_has(entry):
    x, y = sp.symbols("x y", positive=True)
    formula = sp.sympify(entry, {"x": x, "y": y})
    metric = Metric((x, y), sp.diag(1, formula)).numeric().metric([[0.3, 0.7], [1.1, 0.4]])
    expected = [float(formula.subs({x: a, y: b})) for a, b in ((0.3, 0.7), (1.1, 0.4))]
    np.testing.assert_allclose(metric[:, 1, 1], expected, rtol=1e-14)


def test_limits_and_periods_can_be_replaced():
    for metric in (spaces.sphere().metric.numeric(r=1.0), NumericMetric(by_hand_sphere, 2)):
        assert metric.limits == metric.periods == ()
        narrow = dataclasses.replace(metric, limits=((0.0, 1.0), (-1.0, 1.0)), periods=(None, 2 * np.pi))
        assert narrow.periods == (None, 2 * np.pi) and narrow.n == 2
        with pytest.raises(ChartError, match="0 < .* < 1"):
            narrow.metric([2.0, 0.0])
        np.testing.assert_array_equal(narrow.riemann_tensor([0.5, 0.5]), metric.riemann_tensor([0.5, 0.5]))
        with pytest.raises(MetricError, match="limits"):
            dataclasses.replace(metric, limits=((0.0, 1.0),))


def test_formulas_can_be_pickled_and_are_let_go():
    x, y = sp.symbols("x y", positive=True)
    metric = numeric_metric(Metric((x, y), sp.diag(1 + x**4, y**2 + 7)))
    value = metric.riemann_tensor([1.0, 2.0])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(metric)).riemann_tensor([1.0, 2.0]), value)
    gc.collect()
    count = len(numeric._FORMULAS)
    del metric
    gc.collect()
    assert len(numeric._FORMULAS) == count - 1


def test_parameters_that_make_a_formula_infinite_are_reported():
    x, y, a = sp.symbols("x y a", real=True)
    with pytest.raises(ChartError, match="not finite at x=1, y=1"):
        Metric((x, y), sp.diag(1, x**2 / a), (a,)).numeric(a=0.0).metric([1.0, 1.0])


def test_errors_are_value_errors():
    assert issubclass(ChartError, ValueError) and issubclass(MetricError, ValueError)


PLANE = sp.symbols("x y", positive=True)
LONG_MATRICES = {
    "tan, sec": "[[1 + tan(x) + sec(x/2) + csc(y), 0], [0, 2 + cot(y/3)]]",
    "off-diagonal": "[[2 + tan(x/2), x*y/3], [x*y/3, 3 + sin(x)*cos(y)]]",
    "off-diagonal, half angles": "[[3 + tan(x) + sec(y/2), sin(x/2)/3], [sin(x/2)/3, 2 + cot(y/2)]]",
    "roots and logarithms": "[[2 + x**Rational(1, 3) + log(y)/9, x/5], [x/5, 1 + sqrt(2) + y**x + sqrt(1 + x*y)]]",
    "cases": "[[3 + tan(x) + sec(y/2), sin(x/2)/3], [sin(x/2)/3, 2 + cot(y/2) + Piecewise((x, x > y), (y, True))]]",
}


def long_metric(name):
    return Metric(PLANE, sp.Matrix(sp.sympify(LONG_MATRICES[name], dict(zip("xy", PLANE)))))


@pytest.mark.parametrize("name", [name for name in LONG_MATRICES if name != "cases"])
def test_long_formulas_keep_their_digits(name):
    exact = long_metric(name)
    function = sp.lambdify(PLANE, exact.matrix.tolist(), "numpy")
    points = np.random.default_rng(10).uniform(0.3, 0.9, (20, 2))
    formulas, jets = exact.numeric(), NumericMetric(lambda x: function(*x), 2)
    for ours, theirs in zip(methods(formulas), methods(jets), strict=True):
        expected = theirs(points)
        scale = max(np.abs(expected).max(), np.abs(jets.riemann_tensor(points)).max())  # the Einstein tensor is zero
        np.testing.assert_allclose(ours(points), expected, rtol=0, atol=1e-11 * scale)


def test_long_formulas_to_fifty_digits():
    # Gauss curvature of ds^2 = E dx^2 + G dy^2: K = -((E_y/w)_y + (G_x/w)_x)/(2w), w = sqrt(E G); typed in, and so
    # differentiated numerically with 50 digits: nothing of the package.
    mp = pytest.importorskip("mpmath")

    def e(x, y):
        return 1 + mp.tan(x) + mp.sec(x / 2) + mp.csc(y)

    def g(x, y):
        return 2 + mp.cot(y / 3)

    def w(x, y):
        return mp.sqrt(e(x, y) * g(x, y))

    points = np.random.default_rng(11).uniform(0.3, 0.9, (5, 2))
    with mp.workdps(50):
        expected = []
        for x, y in (map(mp.mpf, map(float, point)) for point in points):
            inner = mp.diff(lambda t: mp.diff(lambda s: e(x, s), t) / w(x, t), y)  # G does not depend on x
            expected.append(float(-inner / w(x, y)))
    np.testing.assert_allclose(long_metric("tan, sec").numeric().ricci_scalar(points), expected, rtol=1e-12)


def test_cases_in_long_formulas():
    # On either side of the case, the metric without cases.
    metric, x, y = long_metric("cases").numeric(), *PLANE
    first = Metric(PLANE, sp.Matrix(metric.exact.matrix.tolist()).replace(sp.Piecewise, lambda *cases: x)).numeric()
    second = Metric(PLANE, sp.Matrix(metric.exact.matrix.tolist()).replace(sp.Piecewise, lambda *cases: y)).numeric()
    np.testing.assert_allclose(metric._matrix([0.7, 0.4]), first.metric([0.7, 0.4]))
    np.testing.assert_allclose(metric._matrix([0.4, 0.7]), second.metric([0.4, 0.7]))


@pytest.mark.parametrize("name", ["cos", "sqrt", "integer_power", "lambda", "x0", "numpy", "_Dummy_1"])
def test_names_may_clash_with_generated_code(name):
    def metric(c, d, p):
        return Metric((c, d), sp.diag(2 + p * sp.cos(c)**3, 3 + sp.sqrt(c + d) + d * sp.cos(c)**3), (p,)).numeric(
            **{p.name: 1.5})

    point, (a, b, c) = [0.3, 0.4], sp.symbols("a b c", positive=True)
    expected = metric(a, b, c).riemann_tensor(point)
    clash, other = sp.Symbol(name, positive=True), sp.Symbol("x1", positive=True)
    np.testing.assert_allclose(metric(clash, other, c).riemann_tensor(point), expected, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(metric(a, other, clash).riemann_tensor(point), expected, rtol=1e-13, atol=1e-15)
