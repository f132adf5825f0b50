"""Metrics as formulas: closed forms, identities, and what is refused."""
import copy
import dataclasses
import gc
import itertools
import pickle
import weakref

import pytest
import sympy as sp

from derivations.riemann import Metric, MetricError, ParameterError, spaces
from derivations.riemann.rational import ENGINES, forced_engine

X, Y, Z, T = sp.symbols("x y z t", real=True)


def tidy(expression):
    return sp.simplify(expression)


def three_dimensional():
    """A metric without symmetry, off the diagonal too: nothing vanishes by accident."""
    return Metric((X, Y, Z), sp.Matrix([[1 + X**2, X * Y, 0], [X * Y, 2 + Z**2, Y], [0, Y, 3 + X * Z]]))


def schwarzschild():
    t, phi = sp.symbols("t phi", real=True)
    r, theta, M = sp.symbols("r theta M", positive=True)
    f = 1 - 2 * M / r
    return Metric((t, r, theta, phi), sp.diag(-f, 1 / f, r**2, r**2 * sp.sin(theta)**2), (M,))


def three_sphere():
    a, b, c = sp.symbols("a b c", real=True)
    r = sp.Symbol("r", positive=True)
    return Metric((a, b, c), r**2 * sp.diag(1, sp.sin(a)**2, sp.sin(a)**2 * sp.sin(b)**2), (r,))


@pytest.mark.parametrize("space", spaces.CATALOGUE, ids=lambda space: space.__name__)
def test_gauss_curvature_is_the_textbook_value(space):
    assert tidy(space().metric.gauss_curvature() - space().curvature) == 0


@pytest.mark.parametrize("space", spaces.CATALOGUE, ids=lambda space: space.__name__)
def test_scalar_curvature_is_twice_gauss(space):
    metric = space().metric
    assert tidy(metric.ricci_scalar() - 2 * metric.gauss_curvature()) == 0


def test_sphere_components_fix_sign_and_index_order():
    theta = spaces.sphere().metric.coords[0]
    riemann = spaces.sphere().metric.riemann_tensor()
    assert tidy(riemann[0, 1, 0, 1] - sp.sin(theta)**2) == 0
    assert tidy(riemann[1, 0, 1, 0] - 1) == 0
    christoffel = spaces.sphere().metric.christoffel_symbols()
    assert tidy(christoffel[0, 1, 1] + sp.sin(theta) * sp.cos(theta)) == 0
    assert tidy(christoffel[1, 0, 1] - sp.cos(theta) / sp.sin(theta)) == 0


def test_polar_plane_has_christoffel_symbols_but_no_curvature():
    metric = spaces.polar_plane().metric
    assert any(component != 0 for component in sp.flatten(metric.christoffel_symbols()))
    assert all(component == 0 for component in sp.flatten(metric.riemann_tensor()))


def test_three_sphere_has_constant_curvature():
    metric = three_sphere()
    g, r = metric.matrix, metric.params[0]
    lowered = metric.riemann_tensor(lowered=True)
    for a, b, c, d in itertools.product(range(3), repeat=4):
        assert tidy(lowered[a, b, c, d] - (g[a, c] * g[b, d] - g[a, d] * g[b, c]) / r**2) == 0
    assert tidy(metric.ricci_scalar() - 6 / r**2) == 0


def test_schwarzschild_is_ricci_flat_with_the_known_kretschmann_scalar():
    metric = schwarzschild()
    assert all(tidy(component) == 0 for component in sp.flatten(metric.ricci_tensor()))
    lowered, inverse = metric.riemann_tensor(lowered=True), metric.inverse()
    kretschmann = sum(lowered[i]**2 * sp.prod(inverse[a, a] for a in i)
                      for i in itertools.product(range(4), repeat=4))
    r, M = metric.coords[1], metric.params[0]
    assert tidy(kretschmann - 48 * M**2 / r**6) == 0
    assert metric.kretschmann_scalar() == 48 * M**2 / r**6


def test_algebraic_symmetries_and_first_bianchi_identity():
    lowered = three_dimensional().riemann_tensor(lowered=True)
    assert any(component != 0 for component in sp.flatten(lowered))
    for a, b, c, d in itertools.product(range(3), repeat=4):
        assert tidy(lowered[a, b, c, d] + lowered[b, a, c, d]) == 0
        assert tidy(lowered[a, b, c, d] + lowered[a, b, d, c]) == 0
        assert tidy(lowered[a, b, c, d] - lowered[c, d, a, b]) == 0
        assert tidy(lowered[a, b, c, d] + lowered[a, c, d, b] + lowered[a, d, b, c]) == 0


def test_deviation_of_geodesics_fixes_the_whole_tensor():
    """Equation eq-riemann-loop-polarised: the part of R that is symmetric in two indices gives R back."""
    riemann = three_dimensional().riemann_tensor()

    def symmetric(m, a, b, c):
        return riemann[m, a, c, b] + riemann[m, b, c, a]
    for m, a, b, c in itertools.product(range(3), repeat=4):
        assert tidy(symmetric(m, a, c, b) - symmetric(m, a, b, c) - 3 * riemann[m, a, b, c]) == 0


def test_second_bianchi_identity():
    metric = three_dimensional()
    riemann, gamma, x, axes = metric.riemann_tensor(), metric.christoffel_symbols(), metric.coords, range(3)
    point = {X: sp.Rational(1, 3), Y: sp.Rational(2, 5), Z: sp.Rational(-1, 4)}

    def derivative(m, a, b, c, e):
        """Component R^m_{abc;e}, exactly, at one rational point."""
        value = riemann[m, a, b, c].diff(x[e])
        for n in axes:
            value += gamma[m, n, e] * riemann[n, a, b, c] - gamma[n, a, e] * riemann[m, n, b, c]
            value -= gamma[n, b, e] * riemann[m, a, n, c] + gamma[n, c, e] * riemann[m, a, b, n]
        return value.subs(point)

    for m, a in itertools.product(axes, repeat=2):
        assert derivative(m, a, 0, 1, 2) + derivative(m, a, 1, 2, 0) + derivative(m, a, 2, 0, 1) == 0


def test_results_are_kept():
    metric = three_dimensional()
    assert metric.riemann_tensor() is metric.riemann_tensor()
    assert metric.riemann_tensor(lowered=True) is metric.riemann_tensor(True)
    assert metric == three_dimensional() and hash(metric) == hash(three_dimensional())


def test_results_go_with_the_metric():
    metric = three_dimensional()
    results = weakref.ref(metric.riemann_tensor())
    del metric
    gc.collect()
    assert results() is None


def test_metrics_are_frozen_values():
    metric = schwarzschild()
    kretschmann = metric.kretschmann_scalar()
    with pytest.raises(dataclasses.FrozenInstanceError):
        metric.coords = ()
    for other in (pickle.loads(pickle.dumps(metric)), copy.deepcopy(metric), dataclasses.replace(metric)):
        assert other == metric and hash(other) == hash(metric)
        assert other.kretschmann_scalar() == kretschmann


def test_the_engine_says_what_it_is():
    assert three_dimensional().engine in ENGINES[:2]
    for factor in (sp.Float(0.5), 1 + sp.atan(X)**2, 1 + sp.Abs(X)):
        assert Metric((X, Y), sp.diag(1, factor)).engine == "sympy.simplify"
    with forced_engine("sympy.simplify"):
        assert three_dimensional().engine == "sympy.simplify"


def test_metrics_outside_the_exact_field_are_computed_all_the_same():
    metric = Metric((X, Y), sp.diag(1, (2 + sp.atan(X))**2))
    assert tidy(metric.gauss_curvature() - 2 * X / ((1 + X**2)**2 * (2 + sp.atan(X)))) == 0
    assert float(Metric((X, Y), sp.diag(1, sp.Float(0.25) * sp.sin(X)**2)).gauss_curvature()) == pytest.approx(1.0)


def test_equality_is_tested_modulo_trigonometry():
    double, product = sp.sin(2 * X), 2 * sp.sin(X) * sp.cos(X)
    metric = Metric((X, Y), sp.Matrix([[1, double], [product, 5]]))
    assert tidy(metric.determinant() - 5 + sp.sin(2 * X)**2) == 0
    with pytest.raises(MetricError, match="symmetric"):
        Metric((X, Y), sp.Matrix([[1, double], [sp.sin(X), 5]]))
    with pytest.raises(MetricError, match="determinant is 0 everywhere"):
        Metric((X, Y), sp.Matrix([[1, sp.sin(X)], [sp.sin(X), 1 - sp.cos(X)**2]]))
    with pytest.raises(MetricError, match="a denominator is 0 everywhere"):
        Metric((X, Y), sp.diag(1, 1 / (sp.sin(X)**2 + sp.cos(X)**2 - 1)))


def test_embeddings_are_computed_exactly():
    ellipsoid = Metric.from_embedding(
        (X, Y), (2 * sp.sin(X) * sp.cos(Y), 2 * sp.sin(X) * sp.sin(Y), 3 * sp.cos(X)))
    assert ellipsoid.matrix[0, 1] == 0 and ellipsoid.matrix[1, 1] == 4 * sp.sin(X)**2
    # a spheroid with the semi-axes a, a, c has K = c^2/(c^2 sin^2 + a^2 cos^2)^2 at the colatitude-like parameter
    expected = 9 / (4 * sp.cos(X)**2 + 9 * sp.sin(X)**2)**2
    assert tidy(ellipsoid.gauss_curvature() - expected) == 0
    tube = Metric.from_embedding((X, Y), (sp.cos(X), sp.sin(X), sp.atan(Y)))
    assert tube.gauss_curvature() == 0


def test_graph_of_one_variable_is_flat():
    assert Metric.from_graph(X**2).gauss_curvature() == 0
    assert Metric.from_graph(sp.Integer(0)).matrix == sp.eye(2)
    assert Metric.from_graph(T**2 + X, coords=(X, T)).gauss_curvature() == 0


@pytest.mark.parametrize("coords, matrix, params, message", [
    ((X, Y), sp.eye(3), (), r"shape \(2, 2\).*got shape \(3, 3\)"),
    ((X, Y), sp.ones(2, 3), (), r"got shape \(2, 3\)"),
    ((), sp.zeros(0, 0), (), "shape"),
    ((X, Y), sp.Matrix([[1, X], [0, 1]]), (), "symmetric"),
    ((X, Y), sp.Matrix([[1, X], [X, X**2]]), (), "determinant is 0 everywhere"),
    ((X, Y), sp.diag(1, Z), (), "'z'"),
    ((X, Y), sp.diag(1, sp.I), (), "real"),
    ((X, Y), sp.diag(1, sp.nan), (), "real and finite"),
    ((X, X), sp.eye(2), (), "different names"),
    ((X, Y), sp.eye(2), (X,), "different names"),
    ((X, sp.Integer(2)), sp.eye(2), (), "sympy symbols"),
    ((X, "y"), sp.eye(2), (), "sympy symbols"),
])
def test_what_is_no_metric_is_refused(coords, matrix, params, message):
    with pytest.raises(MetricError, match=message):
        Metric(coords, matrix, params)


def test_gauss_curvature_needs_a_surface():
    with pytest.raises(MetricError, match="n=3"):
        three_dimensional().gauss_curvature()
    with pytest.raises(MetricError, match="n=3"):
        three_dimensional().numeric().gauss_curvature([0.1, 0.1, 0.1])


def test_graph_needs_a_pair_of_coordinates():
    with pytest.raises(MetricError, match="pair"):
        Metric.from_graph(X**2, coords=(X,))


@pytest.mark.parametrize("params, message", [
    ({}, "no value for the parameters"),
    ({"r": 1.0, "q": 2.0}, "unknown parameter q=2.0"),
    ({"r": float("nan")}, "r must be a finite real number, got r=nan"),
    ({"r": 1j}, "r must be a finite real number"),
    ({"r": "one"}, "got r='one'"),
])
def test_parameters_are_checked(params, message):
    with pytest.raises(ParameterError, match=message):
        spaces.sphere().metric.numeric(**params)


def test_undetermined_functions_have_no_numbers():
    a = sp.Function("a")
    metric = Metric((T, X), sp.diag(-1, a(T)**2))
    assert tidy(metric.ricci_scalar() - 2 * a(T).diff(T, 2) / a(T)) == 0
    with pytest.raises(ParameterError, match=r"a\(t\) has no numerical value"):
        metric.numeric().metric([0.0, 0.0])
