"""Parallel transport and holonomy: known answers, conserved quantities, and what is refused."""
import re
import sys
import timeit

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings, strategies as st
from scipy import linalg

from derivations.riemann import (
    ChartError,
    Curve,
    CurveError,
    IntegrationError,
    Metric,
    NumericMetric,
    circle,
    conjugate_points,
    exponential_map,
    geodesic,
    geodesic_between,
    holonomy,
    jacobi_field,
    parallel_transport,
    polygon,
    rectangle,
    spaces,
    straight,
    total_curvature,
    transport,
)

ALL = pytest.mark.parametrize("space", spaces.CATALOGUE, ids=lambda space: space.__name__)
TRIANGLE = st.lists(st.tuples(st.floats(0.4, 2.2), st.floats(0.4, 2.2)), min_size=3, max_size=3)
WALK = geodesic(spaces.sphere(), [1.0, 0.0], [0.0, 1.0], 1.0)
VECTOR = st.tuples(st.floats(-2, 2), st.floats(-2, 2))


def wrapped(angle):
    """Angle in (-pi, pi]."""
    return np.pi - (np.pi - angle) % (2 * np.pi)


@pytest.mark.parametrize("theta", [0.1, 0.7, 1.2, 1.9, 3.0])
def test_sphere_turns_by_the_solid_angle(theta):
    turned = holonomy(spaces.sphere().numeric(r=3.0), circle(theta))
    assert wrapped(turned.angle - 2 * np.pi * (1 - np.cos(theta))) == pytest.approx(0, abs=1e-9)
    assert turned.drift < 1e-9


@pytest.mark.parametrize("alpha", [0.2, np.pi / 6, 1.0, 1.5])
def test_cone_turns_by_the_deficit_angle_round_the_tip_only(alpha):
    cone = spaces.cone().numeric(alpha=alpha)
    deficit = 2 * np.pi * (1 - np.sin(alpha))
    assert wrapped(holonomy(cone, circle(1.3)).angle - deficit) == pytest.approx(0, abs=1e-9)
    wobbly = polygon([[1.0, 0.0], [2.0, 2.0], [0.5, 4.0], [1.0, 2 * np.pi]], closed=False)
    assert wrapped(holonomy(cone, wobbly).angle - deficit) == pytest.approx(0, abs=1e-9)
    beside = rectangle([1.0, 0.0], [2.0, 5.0])
    assert holonomy(cone, beside).angle == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("theta", [1e-9, 1e-5, 0.4, np.pi - 1e-5])
def test_circles_of_latitude_are_exact_up_to_round_off(theta):
    turned = holonomy(spaces.sphere(), circle(theta))
    assert wrapped(turned.angle + 2 * np.pi * np.cos(theta)) == pytest.approx(0, abs=1e-14)
    assert turned.drift < 1e-13


@pytest.mark.parametrize("near_pole", [1e-7, 1e-5, 1e-3])
def test_octant_of_the_sphere_turns_by_a_right_angle(near_pole):
    octant = rectangle([near_pole, 0], [np.pi / 2, np.pi / 2])
    assert holonomy(spaces.sphere(), octant).angle == pytest.approx(np.pi / 2 * np.cos(near_pole), abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(vertices=TRIANGLE, v=VECTOR)
def test_flat_transport_keeps_cartesian_components(vertices, v):
    curve = polygon(vertices, closed=False)
    moved = parallel_transport(spaces.polar_plane(), curve, v, samples=5)
    arrows = spaces.polar_plane().push_forward(moved.points, moved.vectors)
    np.testing.assert_allclose(arrows, np.broadcast_to(arrows[0], arrows.shape), atol=1e-8)


@ALL
@settings(max_examples=8, deadline=None)
@given(vertices=TRIANGLE)
def test_lengths_are_kept_and_the_way_back_undoes_the_way_there(space, vertices):
    numeric, loop = space().numeric(), polygon(vertices)
    there, back = holonomy(numeric, loop), holonomy(numeric, loop.reversed())
    np.testing.assert_allclose(back.propagator @ there.propagator, np.eye(2), atol=1e-7)
    assert there.drift < 1e-7
    assert wrapped(there.angle + back.angle) == pytest.approx(0, abs=1e-7)


@ALL
@settings(max_examples=8, deadline=None)
@given(low=st.tuples(st.floats(0.4, 1.2), st.floats(0.4, 1.2)), sides=st.tuples(st.floats(0.1, 1), st.floats(0.1, 1)))
def test_gauss_bonnet_for_rectangles(space, low, sides):
    numeric = space().numeric()
    low, high = np.array(low), np.array(low) + sides
    angle = holonomy(numeric, rectangle(low, high)).angle
    assert wrapped(angle - total_curvature(numeric, low, high)) == pytest.approx(0, abs=1e-8)


def test_transport_is_linear_and_takes_frames():
    curve = polygon([[1.0, 0.0], [2.0, 1.0]], closed=False)
    frame = parallel_transport(spaces.sphere(), curve, np.eye(2), samples=9)
    one = parallel_transport(spaces.sphere(), curve, [2.0, -3.0], samples=9)
    assert frame.vectors.shape == (9, 2, 2) and one.points.shape == (9, 2)
    np.testing.assert_allclose(frame.vectors @ [2.0, -3.0], one.vectors, atol=1e-14)


def test_samples_do_not_change_the_answer():
    loop = circle(0.8)
    ends = [parallel_transport(spaces.sphere(), loop, [1.0, 0.0], samples=s).vectors[-1] for s in (2, 7, 100)]
    np.testing.assert_allclose(ends[0], ends[1], atol=1e-10)
    np.testing.assert_allclose(ends[0], ends[2], atol=1e-10)


def test_parametrisation_does_not_matter():
    def slow_then_fast(u):
        x = np.stack([0.5 + u**3, 1.0 + 0 * u], axis=-1)
        return x, np.stack([3 * u**2, 0 * u], axis=-1)
    even = parallel_transport(spaces.half_plane(), polygon([[0.5, 1.0], [1.5, 1.0]], closed=False), [1.0, 2.0])
    uneven = parallel_transport(spaces.half_plane(), Curve([slow_then_fast]), [1.0, 2.0])
    np.testing.assert_allclose(even.vectors[-1], uneven.vectors[-1], atol=1e-10)


def test_tighter_tolerance_means_less_drift():
    wavy = polygon([[0.3, 0.0], [0.5, 2.0], [0.3, 4.0]], closed=False)
    drifts = [parallel_transport(spaces.sphere(), wavy, [1, 0], rtol=rtol).drift for rtol in (1e-6, 1e-8, 1e-10)]
    assert drifts[0] > drifts[1] > drifts[2]


@pytest.mark.parametrize("near_pole", [1e-5, 0.4])
def test_triangles_turn_by_the_solid_angle(near_pole):
    """L'Huilier's and Girard's theorems do not apply to coordinate lines; Gauss-Bonnet does: the integral of sin."""
    corners = np.array([[near_pole, 0.3], [1.0, 0.5], [0.5, 2.0]])
    # Area of (theta, phi) triangles: minus the integral of cos(theta) dphi along the sides, each a straight line.
    area = 0.0
    for (theta, phi), (to, end) in zip(corners, np.roll(corners, -1, axis=0)):
        area -= (end - phi) * (np.sin(to) - np.sin(theta)) / (to - theta)
    assert holonomy(spaces.sphere(), polygon(corners)).angle == pytest.approx(area, abs=1e-9)


def test_three_ways_give_one_propagator():
    metric = spaces.torus().numeric()
    for leg in (straight([0.0, 0.4], [2.0, 1.5]), straight([0.0, 0.4], [2.0, 0.4])):
        ways = [transport._by_runge_kutta(metric, leg, 4, 1e-12), transport._by_dop853(metric, leg, 4, 1e-12)]
        np.testing.assert_allclose(transport._leg_propagators(metric, leg, 4, 1e-12), ways[0], atol=1e-11)
        np.testing.assert_allclose(ways[1], ways[0], atol=1e-11)


@settings(max_examples=50, deadline=None)
@given(entries=st.lists(st.floats(-20, 20), min_size=9, max_size=9))
def test_matrix_exponential_agrees_with_scipy(entries):
    matrix = np.reshape(entries, (3, 3))
    matrix = matrix - matrix.T + np.diag(np.diag(matrix)) / 20
    stack = matrix * np.array([0.0, 1e-9, 0.3, 1.0])[:, None, None]
    np.testing.assert_allclose(transport._exponential(stack), linalg.expm(stack), rtol=0, atol=1e-11)


def test_without_scipy_the_runge_kutta_method_does_it_alone(monkeypatch):
    loops = [circle(0.8), polygon([[0.05, 0.0], [1.0, 0.5], [0.5, 2.0]])]
    with_scipy = [holonomy(spaces.sphere(), loop).propagator for loop in loops]
    monkeypatch.setitem(sys.modules, "scipy.integrate", None)  # an import of it fails
    without = [holonomy(spaces.sphere(), loop).propagator for loop in loops]
    np.testing.assert_allclose(without, with_scipy, rtol=0, atol=1e-8)
    with pytest.raises(IntegrationError, match="with 32768 steps"):
        holonomy(spaces.sphere(), polygon([[1e-5, 0.0], [1.0, 0.5], [0.5, 2.0]]))


def test_transport_in_space_time_keeps_products():
    t, r = sp.symbols("t r", positive=True)
    metric = Metric((t, r), sp.diag(-(1 - 2 / r), 1 / (1 - 2 / r))).numeric()
    curve = polygon([[0.0, 3.0], [5.0, 10.0], [6.0, 2.1]], closed=False)
    moved = parallel_transport(metric, curve, np.eye(2))
    products = np.swapaxes(moved.vectors, 1, 2) @ metric.metric(moved.points) @ moved.vectors
    np.testing.assert_allclose(products, np.broadcast_to(products[0], products.shape), atol=1e-9)
    assert moved.drift < 1e-9


def test_no_angle_outside_surfaces_with_positive_metric():
    x, y, z = sp.symbols("x y z")
    space = Metric((x, y, z), sp.eye(3))
    assert holonomy(space, polygon(np.eye(3))).angle is None
    assert holonomy(Metric((x, y), sp.diag(-1, 1)), polygon([[0, 0], [1, 0], [0, 1]])).angle is None


def test_bad_curves_are_refused():
    with pytest.raises(CurveError, match="at least one leg"):
        Curve([])
    with pytest.raises(CurveError, match="a leg ends at"):
        Curve([straight([0, 0], [1, 0]), straight([2, 0], [3, 0])])
    with pytest.raises(CurveError, match="k >= 2"):
        polygon([[0.0, 1.0]])
    for low, high in (([0, 0], [0, 1]), ([0, 0], [1, -1]), ([0, 0, 0], [1, 1, 1]), ([0, 0], [1, np.nan])):
        with pytest.raises(CurveError, match="low and high must be corners"):
            rectangle(low, high)
    with pytest.raises(CurveError, match="position must be finite, got position=inf"):
        circle(np.inf)
    with pytest.raises(CurveError, match="must be closed, but it starts at"):
        holonomy(spaces.sphere(), polygon([[1, 0], [1, 6]], closed=False))
    with pytest.raises(CurveError, match="must be closed"):  # without the chart nobody knows that phi is an angle
        holonomy(spaces.sphere().metric.numeric(r=1.0), circle(1.0))


def test_loops_that_leave_the_chart_are_refused():
    with pytest.raises(ChartError, match="theta=.*is not in the chart"):
        holonomy(spaces.sphere(), polygon([[0.5, 0], [-0.5, 0], [-0.5, 1]]))
    with pytest.raises(ChartError, match="y=0 is not in the chart"):
        parallel_transport(spaces.half_plane(), polygon([[0, 1], [1, 0]], closed=False), [1, 0])


@pytest.mark.parametrize("v", [[1.0], [1.0, 2.0, 3.0], [np.nan, 0.0], 1.0, [1j, 0.0]])
def test_bad_vectors_are_refused(v):
    with pytest.raises(ValueError, match="v must be"):
        parallel_transport(spaces.plane(), polygon([[0, 0], [1, 1]]), v)


def test_one_sample_is_refused():
    with pytest.raises(ValueError, match="samples=1"):
        parallel_transport(spaces.plane(), polygon([[0, 0], [1, 1]]), [1, 0], samples=1)


def test_an_integrator_that_fails_says_so(monkeypatch):
    monkeypatch.setattr(transport, "MOST_STEPS", 100)
    with pytest.raises(IntegrationError, match="did not reach rtol=1e-13"):
        holonomy(spaces.sphere(), polygon([[0.3, 0.0], [1.0, 0.5], [0.5, 2.0]]), rtol=1e-13)


RTOLS = pytest.mark.parametrize("rtol", [0, -1, 1, 10, np.inf, np.nan, 1e-15, 2.2e-14, "1e-9", None])


@RTOLS
@pytest.mark.parametrize("entry", [
    lambda rtol: holonomy(spaces.sphere(), circle(1.0), rtol=rtol),
    lambda rtol: parallel_transport(spaces.sphere(), circle(1.0), [1, 0], rtol=rtol),
    lambda rtol: geodesic(spaces.sphere(), [1, 0], [0, 1], 1.0, rtol=rtol),
    lambda rtol: exponential_map(spaces.sphere(), [1, 0], [0, 1], rtol=rtol),
    lambda rtol: geodesic_between(spaces.sphere(), [1, 0], [1, 1], rtol=rtol),
    lambda rtol: jacobi_field(spaces.sphere(), WALK, [0, 0], [0, 1], rtol=rtol),
    lambda rtol: conjugate_points(spaces.sphere(), WALK, rtol=rtol),
], ids=["holonomy", "transport", "geodesic", "exponential", "between", "jacobi", "conjugate"])
def test_impossible_tolerances_are_refused_everywhere(entry, rtol):
    with pytest.raises(ValueError, match=re.escape(f"rtol must lie between 2.3e-14 and 1, got rtol={rtol!r}")):
        entry(rtol)


def narrow(width, place=0.37):
    """Flat plane with a conformal bump of the given width at (place, 0)."""
    def function(q):
        x, y = q
        factor = 1 + np.exp(-((x - place)**2 + y**2) / width**2)
        return [[factor, 0 * x], [0 * x, factor]]
    return NumericMetric(function, n=2)


@pytest.mark.parametrize("width", [5e-3, 5e-4])
@pytest.mark.parametrize("place", [0.37, 0.123])
def test_a_narrow_bump_on_a_long_leg_is_not_missed(width, place):
    """Along y = c the vector turns by the integral of d(ln f)/dy / 2 dx; the other sides are flat."""
    c = width / 2
    x = np.linspace(place - 7 * width, place + 7 * width, 4001)
    bump = np.exp(-((x - place)**2 + c**2) / width**2)
    expected = np.sum(-c / width**2 * bump / (1 + bump)) * (x[1] - x[0])
    turned = holonomy(narrow(width, place), rectangle([0.0, c], [1.0, 1.0]))
    assert turned.angle == pytest.approx(expected, abs=1e-9) and turned.drift < 1e-9


def test_the_exponential_is_used_only_where_the_formulas_hold_no_changing_coordinate():
    sphere, torus = spaces.sphere().numeric(), spaces.torus().numeric()
    assert transport._surely_constant(sphere, straight([1.0, 0.0], [1.0, 6.0]))
    assert transport._surely_constant(torus, straight([0.0, 1.0], [6.0, 1.0]))
    assert not transport._surely_constant(sphere, straight([1.0, 0.0], [1.1, 0.0]))
    assert not transport._surely_constant(narrow(1.0), straight([0.0, 0.0], [1.0, 0.0]))
    assert not transport._surely_constant(sphere, lambda u: straight([1.0, 0.0], [1.0, 6.0])(u))


def test_circles_of_latitude_are_quick():
    sphere, loop = spaces.sphere().numeric(), circle(1.0)
    times = [timeit.timeit(lambda: holonomy(sphere, loop), number=1) for _ in range(20)]
    assert min(times) < 0.01


@pytest.mark.parametrize("space, axis", [("sphere", 1), ("cone", 1), ("torus", 0), ("cylinder", 0), ("catenoid", 0)])
def test_circles_go_round_the_angle_of_the_space(space, axis):
    metric = getattr(spaces, space)().numeric()
    assert metric.periods[axis] == pytest.approx(2 * np.pi)
    assert holonomy(metric, circle(0.7, axis=axis)).drift < 1e-12


@pytest.mark.parametrize("curve, message", [
    (lambda: polygon([[1, 0], [1]]), "vertices must be an array of real numbers"),
    (lambda: polygon([[1, 0], [np.nan, 1]]), "vertices must be finite"),
    (lambda: polygon([["1", "0"], ["2", "1"]]), "vertices must be an array of real numbers"),
    (lambda: straight([0, 0], [1]), "start and stop must be finite with one shape"),
    (lambda: straight([0, 0], [1, np.inf]), "start and stop must be finite"),
    (lambda: rectangle(["a", 0], [1, 1]), "low must be an array of real numbers"),
    (lambda: circle("1"), "position must be an array of real numbers, got position='1'"),
    (lambda: circle(1.0, axis=2), "axis must be 0 or 1, got axis=2"),
])
def test_curves_of_bad_numbers_are_refused_by_name(curve, message):
    with pytest.raises(CurveError, match=message):
        curve()


@pytest.mark.parametrize("samples", [2.5, 0, -1, None, "9"])
def test_samples_that_are_no_whole_number_are_refused(samples):
    for call in (lambda: parallel_transport(spaces.sphere(), circle(1.0), [1, 0], samples=samples),
                 lambda: circle(1.0).points(samples)):
        with pytest.raises(ValueError, match=re.escape(f"whole number of at least 2, got samples={samples!r}")):
            call()


def test_bad_velocities_are_refused():
    def broken(u):
        return np.stack([1 + u, u], axis=-1), np.full((len(u), 2), np.nan)

    def flat(u):
        return np.stack([1 + u, u], axis=-1), np.ones(len(u))
    for leg in (broken, flat):
        with pytest.raises(CurveError, match="velocities must be finite and have the shape"):
            parallel_transport(spaces.sphere(), Curve([leg]), [1.0, 0.0])
