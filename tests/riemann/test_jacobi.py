"""Jacobi fields: constant curvature, neighbouring geodesics, tidal forces, conjugate points, and what is refused."""
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings, strategies as st

from derivations.riemann import Metric, observed_order, parallel_transport, spaces
from derivations.riemann.geodesics import geodesic
from derivations.riemann.jacobi import conjugate_points, jacobi_field

SPHERE, HALF_PLANE, PLANE = spaces.sphere().numeric(), spaces.half_plane().numeric(), spaces.polar_plane().numeric()
TORUS, BUMP = spaces.torus().numeric(), spaces.gaussian_bump().numeric()
S = np.linspace(0, 2.5, 26)


def unit_walk(metric, x0, direction):
    """Geodesic of unit speed, length 2.5, and the unit normal at its start."""
    g = metric.metric(x0)
    v0 = np.array(direction) / np.sqrt(direction @ g @ direction)
    normal = np.array([[0.0, -1.0], [1.0, 0.0]]) @ g @ v0 / np.sqrt(np.linalg.det(g))
    return geodesic(metric, x0, v0, 2.5), normal


@pytest.mark.parametrize("metric, x0, apart, beside", [
    (SPHERE, [1.2, 0.3], np.sin, np.cos),
    (PLANE, [2.0, 0.3], lambda s: s, np.ones_like),
    (HALF_PLANE, [0.2, 1.4], np.sinh, np.cosh),
], ids=["sphere", "plane", "half-plane"])
@pytest.mark.parametrize("angle", [0.0, 0.7, 1.6])
def test_constant_curvature(metric, x0, apart, beside, angle):
    walk, normal = unit_walk(metric, x0, np.array([np.sin(angle), np.cos(angle)]))
    rest = np.zeros(2)
    fields = jacobi_field(metric, walk, np.stack([rest, normal], axis=-1), np.stack([normal, rest], axis=-1))
    carried = parallel_transport(metric, walk.curve(), normal, samples=len(S)).vectors
    xi = fields.values(S)
    np.testing.assert_allclose(xi[:, :, 0], apart(S)[:, None] * carried, atol=1e-7)
    np.testing.assert_allclose(xi[:, :, 1], beside(S)[:, None] * carried, atol=1e-7)
    slope = np.gradient(apart(S), S, edge_order=2)
    np.testing.assert_allclose(fields.derivatives(S)[:, :, 0], slope[:, None] * carried, rtol=1e-2, atol=3e-2)
    assert fields.drift < 1e-8


def test_derivatives_are_covariant_derivatives():
    """D xi/ds = d xi/ds + Gamma v xi, by centred differences of the values."""
    walk = geodesic(TORUS, [0.3, 0.8], [0.3, 0.5], 2.0)
    field = jacobi_field(TORUS, walk, [0.2, -0.4], [0.5, 0.1])
    s, h = np.linspace(0.1, 1.9, 7), 1e-4
    x, v = walk.points(s), walk.velocities(s)
    rate = (field.values(s + h) - field.values(s - h)) / (2 * h)
    rate += np.einsum("tmab,ta,tb->tm", TORUS.christoffel_symbols(x), v, field.values(s))
    np.testing.assert_allclose(field.derivatives(s), rate, atol=1e-6)


def test_tangential_fields_grow_linearly():
    """v and s v are Jacobi fields on every geodesic."""
    walk = geodesic(BUMP, [-1.0, 0.3], [1.0, 0.2], 2.5)
    v0 = walk.velocities(0.0)
    fields = jacobi_field(BUMP, walk, np.stack([v0, 0 * v0], axis=-1), np.stack([0 * v0, v0], axis=-1)).values(S)
    np.testing.assert_allclose(fields[:, :, 0], walk.velocities(S), atol=1e-8)
    np.testing.assert_allclose(fields[:, :, 1], S[:, None] * walk.velocities(S), atol=1e-8)


@pytest.mark.parametrize("metric, x0, v0", [(TORUS, [0.3, 0.8], [0.3, 0.9]), (BUMP, [-1.2, 0.4], [1.0, 0.1])])
def test_neighbouring_geodesics_are_met_with_their_order(metric, x0, v0):
    """(x(s; w) - x(s; 0))/w -> xi with order 1, (x(s; w) - x(s; -w))/(2 w) with order 2."""
    x0, v0, xi0, rate = np.array(x0), np.array(v0), np.array([0.4, -0.3]), np.array([0.2, 0.5])
    # Velocities change by `rate` with the start; the covariant derivative adds Gamma v xi.
    dxi0 = rate + np.einsum("mab,a,b->m", metric.christoffel_symbols(x0), v0, xi0)
    walk = geodesic(metric, x0, v0, 2.0)
    exact = jacobi_field(metric, walk, xi0, dxi0).values(2.0)
    sizes = 0.04 / 2**np.arange(4)

    def end(w):
        return geodesic(metric, x0 + w * xi0, v0 + w * rate, 2.0, rtol=1e-12).points(2.0)

    one_sided = [np.abs((end(w) - walk.points(2.0)) / w - exact).max() for w in sizes]
    centred = [np.abs((end(w) - end(-w)) / (2 * w) - exact).max() for w in sizes]
    assert observed_order(sizes, one_sided)[-1] == pytest.approx(1, abs=0.1)
    assert observed_order(sizes, centred)[-1] == pytest.approx(2, abs=0.1)


@settings(max_examples=8, deadline=None)
@given(numbers=st.lists(st.floats(-1, 1), min_size=8, max_size=8))
def test_wronskian_of_two_fields_is_conserved(numbers):
    first, second, dfirst, dsecond = np.reshape(numbers, (4, 2))
    walk = geodesic(TORUS, [0.3, 0.8], [0.3, 0.5], 2.5)
    fields = jacobi_field(TORUS, walk, np.stack([first, second], axis=-1), np.stack([dfirst, dsecond], axis=-1))
    xi, eta, g = fields.values(S), fields.derivatives(S), TORUS.metric(walk.points(S))
    products = np.einsum("sma,smn,snb->sab", xi, g, eta)
    wronskian = products[:, 0, 1] - products[:, 1, 0]
    np.testing.assert_allclose(wronskian, wronskian[0], atol=1e-8)
    assert fields.drift < 1e-8


def test_tidal_force_of_a_hole():
    """At rest in free fall: stretched by 2M/r^3 along the radius, squeezed by M/r^3 sideways."""
    t, r, theta, phi = coords = sp.symbols("t r theta phi", positive=True)
    hole = Metric(coords, sp.diag(-(1 - 2 / r), 1 / (1 - 2 / r), r**2, r**2 * sp.sin(theta)**2)).numeric()
    r0 = 8.0
    fall = geodesic(hole, [0.0, r0, np.pi / 2, 0.0], [1 / np.sqrt(1 - 2 / r0), 0.0, 0.0, 0.0], 0.2)
    fields = jacobi_field(hole, fall, np.eye(4)[:, 1:], np.zeros((4, 3)))
    s = np.array([0.05, 0.1, 0.2])
    tides = np.stack([fields.derivatives(at)[[1, 2, 3], [0, 1, 2]] / at for at in s])
    # Over so short a time the direction of e_r hardly changes: the quotients tend to the tidal matrix like s^2.
    np.testing.assert_allclose(tides[0], np.array([2.0, -1.0, -1.0]) / r0**3, rtol=1e-3)


def test_conjugate_points_of_spheres():
    walk = geodesic(SPHERE, [1.0, 0.0], [0.3, 0.8], 9.5)
    speed = walk.length / walk.end
    np.testing.assert_allclose(conjugate_points(SPHERE, walk), np.pi / speed * np.arange(1, 3), atol=1e-6)
    a, b, c = coords = sp.symbols("a b c")
    sphere = Metric(coords, sp.diag(1, sp.sin(a)**2, sp.sin(a)**2 * sp.sin(b)**2)).numeric()
    walk = geodesic(sphere, [1.0, 1.0, 0.0], [0.2, 0.9, 0.7], 5.0)
    double = conjugate_points(sphere, walk)  # a double zero of the determinant
    np.testing.assert_allclose(double, [np.pi / (walk.length / walk.end)], atol=1e-6)


@pytest.mark.parametrize("end, count", [
    (3.14, 0), (np.pi, 1), (3.1417, 1), (3.15, 1), (3.2, 1), (3.5, 1), (6.28, 1), (6.2832, 2), (6.3, 2), (9.425, 3),
])
def test_conjugate_points_near_the_end_are_found_once(end, count):
    """On the equator of the unit sphere they are the multiples of pi."""
    equator = geodesic(SPHERE, [np.pi / 2, 0.0], [0.0, 1.0], end)
    found = conjugate_points(SPHERE, equator)
    assert found.shape == (count,)
    np.testing.assert_allclose(found, np.pi * np.arange(1, count + 1), atol=1e-6)


def test_conjugate_point_of_the_outer_equator_of_a_torus():
    """There K = 1/(r (R + r)) is constant: pi sqrt(r (R + r)), on the inner equator none."""
    outside = geodesic(TORUS, [0.0, 0.0], [1 / 3, 0.0], 7.0)
    np.testing.assert_allclose(conjugate_points(TORUS, outside), [np.pi * np.sqrt(3)], atol=1e-6)
    inside = geodesic(TORUS, [0.0, np.pi], [1.0, 0.0], 4.0)
    assert conjugate_points(TORUS, inside).shape == (0,)
    assert conjugate_points(HALF_PLANE, geodesic(HALF_PLANE, [0, 1], [1, 0], 4.0)).size == 0


def test_bad_fields_are_refused():
    walk = geodesic(SPHERE, [1.0, 0.0], [0.0, 1.0], 1.0)
    for xi0, dxi0, message in (
        ([1.0], [0.0, 0.0], r"xi0 must be finite with shape \(2,\)"),
        ([1.0, 0.0], [np.nan, 0.0], "dxi0 must be finite"),
        ([1.0, 0.0], np.eye(2), r"one shape, got \(2,\) and \(2, 2\)"),
        ([1j, 0.0], [0.0, 0.0], "xi0 must be real"),
    ):
        with pytest.raises(ValueError, match=message):
            jacobi_field(SPHERE, walk, xi0, dxi0)
    x, y, z = sp.symbols("x y z")
    with pytest.raises(ValueError, match="the geodesic has 2 dimensions, the metric 3"):
        jacobi_field(Metric((x, y, z), sp.eye(3)), walk, np.eye(3), np.eye(3))
    with pytest.raises(ValueError, match="s must lie between 0 and end=1.0"):
        jacobi_field(SPHERE, walk, [1.0, 0.0], [0.0, 0.0]).values(2.0)
