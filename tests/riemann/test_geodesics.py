"""Geodesics: closed forms of the literature, conserved quantities, families, two given ends, and what is refused."""
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings, strategies as st
from scipy import integrate, optimize

from derivations.riemann import ChartError, IntegrationError, Metric, observed_order, parallel_transport, spaces
from derivations.riemann.geodesics import exponential_map, geodesic
from derivations.riemann.shooting import geodesic_between

SPHERE, HALF_PLANE = spaces.sphere().numeric(), spaces.half_plane().numeric()
TORUS, POLAR, BUMP = spaces.torus().numeric(), spaces.polar_plane().numeric(), spaces.gaussian_bump().numeric()


@pytest.fixture(scope="module")
def hole():
    """Schwarzschild metric, M = 1."""
    t, r, theta, phi = coords = sp.symbols("t r theta phi", positive=True)
    return Metric(coords, sp.diag(-(1 - 2 / r), 1 / (1 - 2 / r), r**2, r**2 * sp.sin(theta)**2)).numeric()


def energy_and_momentum():
    """What is conserved round a Schwarzschild hole, M = 1."""
    return {
        "E": lambda x, v: (1 - 2 / x[:, 1]) * v[:, 0],
        "L": lambda x, v: x[:, 1]**2 * np.sin(x[:, 2])**2 * v[:, 3],
    }


def on_sphere(x):
    """Cartesian position on the unit sphere."""
    theta, phi = np.moveaxis(np.asarray(x), -1, 0)
    return np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=-1)


@pytest.mark.parametrize("x0, v0", [([1.0, 0.3], [0.6, 0.8]), ([0.01, 0.0], [-1.0, 0.5]), ([2.0, -1.0], [0.1, -0.3])])
def test_great_circles(x0, v0):
    length = np.hypot(v0[0], np.sin(x0[0]) * v0[1])
    walk = geodesic(SPHERE, x0, v0, 5.0 / length)
    s = np.linspace(0, walk.end, 40)
    theta, phi = x0
    frame = np.array([[np.cos(theta) * np.cos(phi), np.cos(theta) * np.sin(phi), -np.sin(theta)],
                      [-np.sin(theta) * np.sin(phi), np.sin(theta) * np.cos(phi), 0.0]])
    arrow = np.array(v0) @ frame
    expected = (np.cos(length * s)[:, None] * on_sphere(x0)
                + np.sin(length * s)[:, None] * arrow / length)
    np.testing.assert_allclose(on_sphere(walk.points(s)), expected, atol=1e-9)
    assert walk.drift < 1e-9 and walk.length == pytest.approx(5.0)


def test_half_circles_of_the_half_plane():
    walk = geodesic(spaces.half_plane(), [0.0, 1.0], [1.0, 0.0], 6.0)
    s = np.linspace(0, 6, 50)
    np.testing.assert_allclose(walk.points(s), np.stack([np.tanh(s), 1 / np.cosh(s)], axis=-1), atol=1e-9)
    np.testing.assert_allclose(walk.velocities(s)[:, 0], 1 / np.cosh(s)**2, atol=1e-9)
    assert walk.drift < 1e-9 and walk.stopped is None and walk.nodes[-1] == walk.end == 6.0


def test_half_ellipses_of_the_normal_distributions():
    """Fisher metric (d mu^2 + 2 d sigma^2)/sigma^2: mu = c + sqrt(2) R tanh t, sigma = R / cosh t, t = s/sqrt(2)."""
    mu, sigma = sp.Symbol("mu", real=True), sp.Symbol("sigma", positive=True)
    fisher = Metric((mu, sigma), sp.diag(1, 2) / sigma**2).numeric()
    centre, radius, t0 = 0.3, 1.7, -0.8
    x0 = [centre + np.sqrt(2) * radius * np.tanh(t0), radius / np.cosh(t0)]
    v0 = [radius / np.cosh(t0)**2, -radius * np.tanh(t0) / np.cosh(t0) / np.sqrt(2)]
    walk = geodesic(fisher, x0, v0, 4.0)
    s = np.linspace(0, 4, 30)
    t = t0 + s / np.sqrt(2)
    expected = np.stack([centre + np.sqrt(2) * radius * np.tanh(t), radius / np.cosh(t)], axis=-1)
    np.testing.assert_allclose(walk.points(s), expected, atol=1e-9)
    assert walk.length == pytest.approx(4.0, abs=1e-12)


def test_light_is_bent_by_four_masses_over_the_distance(hole):
    """From the closest approach r0: 4 e + (15 pi/4 - 4) e^2 + (122/3 - 15 pi/2) e^3 with e = M/r0."""
    r0, far = 1000.0, 1e10
    impact = r0 / np.sqrt(1 - 2 / r0)
    ray = geodesic(hole, [0.0, r0, np.pi / 2, 0.0], [1 / (1 - 2 / r0), 0.0, 0.0, impact / r0**2], far,
                   conserved=energy_and_momentum())
    _, r, _, phi = ray.points(ray.end)
    bend = 2 * (phi + np.arcsin(impact / r) - np.pi / 2)
    e = 1 / r0
    expected = 4 * e + (15 * np.pi / 4 - 4) * e**2 + (122 / 3 - 15 * np.pi / 2) * e**3
    assert bend == pytest.approx(expected, abs=1e-9)
    assert abs(bend - 4 * e) > 5e-6  # the second order is seen
    assert ray.drift < 1e-9 and ray.drifts["E"] < 1e-12 and ray.drifts["L"] < 1e-5 * impact
    assert ray.length == pytest.approx(0.0, abs=1e-4 * far)


def test_perihelion_advances_as_the_exact_quadrature_says(hole):
    """With r = p/(1 + e cos chi): d phi/d chi = (1 - 2 (3 + e cos chi)/p)^(-1/2) (Chandrasekhar 1983, section 19)."""
    p, e = 30.0, 0.4
    r0 = p / (1 + e)
    energy = np.sqrt(((1 - 2 / p)**2 - 4 * e**2 / p**2) / (1 - (3 + e**2) / p))
    momentum = np.sqrt(p / (1 - (3 + e**2) / p))
    orbit = geodesic(hole, [0.0, r0, np.pi / 2, 0.0], [energy / (1 - 2 / r0), 0.0, 0.0, momentum / r0**2], 2500.0,
                     conserved=energy_and_momentum())
    assert orbit.drift < 1e-9 and max(orbit.drifts.values()) < 1e-8
    s = np.linspace(10, orbit.end, 2000)
    radial = orbit.velocities(s)[:, 1]
    first = np.flatnonzero((radial[:-1] < 0) & (radial[1:] >= 0))[0]
    back = optimize.brentq(lambda s: orbit.velocities(s)[1], s[first], s[first + 1], xtol=1e-12)
    expected = 2 * integrate.quad(lambda chi: (1 - 2 * (3 + e * np.cos(chi)) / p)**-0.5, 0, np.pi, epsabs=1e-12)[0]
    assert orbit.points(back)[3] == pytest.approx(expected, abs=1e-8)
    assert orbit.points(back)[1] == pytest.approx(r0, abs=1e-8)


@settings(max_examples=10, deadline=None)
@given(x0=st.tuples(st.floats(0, 6), st.floats(0, 6)), angle=st.floats(0, 6.28))
def test_the_way_back_leads_home_and_clairaut_holds(x0, angle):
    def clairaut(x, v):
        return (2 + np.cos(x[:, 1]))**2 * v[:, 0]
    v0 = [np.cos(angle) / (2 + np.cos(x0[1])), np.sin(angle)]
    there = geodesic(TORUS, x0, v0, 3.0, conserved={"Clairaut": clairaut})
    back = geodesic(TORUS, there.points(3.0), -there.velocities(3.0), 3.0)
    np.testing.assert_allclose(back.points(3.0), x0, atol=1e-8)
    assert there.drift < 1e-9 and there.drifts["Clairaut"] < 1e-9


def test_velocity_is_carried_along_its_own_geodesic():
    walk = geodesic(BUMP, [-1.0, 0.3], [1.0, 0.2], 2.0)
    moved = parallel_transport(BUMP, walk.curve(), walk.velocities(0.0), samples=9)
    s = np.linspace(0, 2, 9)
    np.testing.assert_allclose(moved.points, walk.points(s), atol=1e-13)
    np.testing.assert_allclose(moved.vectors, walk.velocities(s), atol=1e-8)


def test_shapes_of_s():
    walk = geodesic(SPHERE, [1.0, 0.0], [0.0, 1.0], 1.0)
    assert walk.points(0.5).shape == (2,) and walk.points([[0.1, 0.2, 0.3]]).shape == (1, 3, 2)
    assert walk.points([]).shape == (0, 2)
    for s in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match="s must lie between 0 and end=1.0"):
            walk.velocities(s)


def test_leaving_the_chart_is_an_error_or_an_early_end():
    with pytest.raises(ChartError, match=r"the geodesic leaves the chart at s=1, at the point .*theta="):
        geodesic(SPHERE, [1.0, 0.2], [-1.0, 0.0], 2.0)
    walk = geodesic(SPHERE, [1.0, 0.2], [-1.0, 0.0], 2.0, leave="stop")
    assert walk.end == pytest.approx(1.0, abs=1e-6) and isinstance(walk.stopped, ChartError)
    np.testing.assert_allclose(walk.points(walk.end), [0.0, 0.2], atol=1e-6)
    np.testing.assert_allclose(walk.points(0.5), [0.5, 0.2], atol=1e-12)


def test_falling_into_a_hole_ends_at_the_horizon(hole):
    """From rest at r = 10 the proper time to r = 2 is finite (cycloid)."""
    r0 = 10.0
    fall = geodesic(hole, [0.0, r0, np.pi / 2, 0.0], [1 / np.sqrt(1 - 2 / r0), 0.0, 0.0, 0.0], 100.0, leave="stop")
    eta = np.arccos(2 * 2 / r0 - 1)
    expected = np.sqrt(r0**3 / 8) * (eta + np.sin(eta))
    assert fall.end == pytest.approx(expected, abs=5e-5)
    assert isinstance(fall.stopped, (ChartError, IntegrationError)) and str(fall.end)[:6] in str(fall.stopped)


@pytest.mark.parametrize("r0, v", [(10.0, [1.2, -0.3, 0, 0]), (8.0, [1 / np.sqrt(0.75), 0, 0, 0])])
def test_round_off_at_a_horizon_is_cut_off(hole, r0, v):
    fall = geodesic(hole, [0.0, r0, np.pi / 2, 0.0], v, 100.0, leave="stop")
    assert fall.drift < 1e-6 and fall.end == fall.nodes[-1]
    assert 2.0 < fall.points(fall.end)[1] < 2.01
    with pytest.raises(ValueError, match="s must lie between"):
        fall.points(fall.end + 0.01)


@pytest.mark.parametrize("steps", [None, 400])
def test_families_agree_with_single_geodesics(steps):
    rng = np.random.default_rng(0)
    v = rng.normal(size=(3, 4, 2)) * [0.4, 0.2]
    x = np.array([1.3, 0.1])
    ends = exponential_map(BUMP, x, v, steps=steps)
    assert ends.points.shape == ends.velocities.shape == (3, 4, 2) and ends.drift.shape == (3, 4)
    assert ends.drift.max() < 1e-9
    for index in [(0, 0), (1, 2), (2, 3)]:
        single = geodesic(BUMP, x, v[index], 1.0)
        np.testing.assert_allclose(ends.points[index], single.points(1.0), atol=1e-9)
        np.testing.assert_allclose(ends.velocities[index], single.velocities(1.0), atol=1e-9)


def test_equidistant_points_of_the_sphere_and_the_half_plane():
    angle = np.linspace(0, 2 * np.pi, 200)
    ring = exponential_map(SPHERE, [np.pi / 2, 0.0], 1.2 * np.stack([np.cos(angle), np.sin(angle)], axis=-1))
    np.testing.assert_allclose(on_sphere(ring.points)[:, 0], np.cos(1.2), atol=1e-9)
    ring = exponential_map(HALF_PLANE, [0.0, 1.0], 1.2 * np.stack([np.cos(angle), np.sin(angle)], axis=-1)).points
    np.testing.assert_allclose(1 + (ring[:, 0]**2 + (ring[:, 1] - 1)**2) / (2 * ring[:, 1]), np.cosh(1.2), atol=1e-9)


def test_order_of_the_fixed_steps():
    exact, steps = [np.tanh(2.0), 1 / np.cosh(2.0)], 10 * 2**np.arange(5)
    errors = [np.abs(exponential_map(HALF_PLANE, [0, 1], [2, 0], steps=int(k)).points - exact).max() for k in steps]
    assert observed_order(1 / steps, errors)[-1] == pytest.approx(4, abs=0.2)


def test_families_from_many_points_and_at_rest():
    x = np.array([[1.0, 0.0], [1.2, 0.5], [1.4, 1.0]])
    ends = exponential_map(SPHERE, x, np.zeros((3, 2)))
    np.testing.assert_array_equal(ends.points, x)
    mixed = exponential_map(SPHERE, x, [[0.0, 0.0], [0.3, 0.0], [0.0, 0.0]])
    np.testing.assert_allclose(mixed.points, [[1.0, 0.0], [1.5, 0.5], [1.4, 1.0]], atol=1e-12)
    assert mixed.drift[0] == mixed.drift[2] == 0.0


@pytest.mark.parametrize("steps", [None, 50])
def test_families_that_leave_the_chart_are_refused(steps):
    with pytest.raises(ChartError, match="a geodesic leaves the chart (at|near) s=0?.*theta="):
        exponential_map(SPHERE, [1.0, 0.0], [[0.1, 0.0], [-1.5, 0.0]], steps=steps)


@pytest.mark.parametrize("a, b", [([0.3, 0.0], [2.5, 2.8]), ([1.0, 0.0], [1.2, 0.4]), ([0.02, 0.0], [0.03, 3.0])])
def test_distance_on_the_sphere(a, b):
    found = geodesic_between(spaces.sphere(), a, b)
    assert found.length == pytest.approx(np.arccos(on_sphere(a) @ on_sphere(b)), abs=1e-9)
    np.testing.assert_allclose(found.points([0.0, 1.0]), [a, b], atol=1e-9)
    assert found.end == 1.0 and found.drift < 1e-9


@pytest.mark.parametrize("a, b", [([0.0, 0.1], [5.0, 0.2]), ([0.0, 1.0], [0.3, 0.9]), ([0.0, 1.0], [0.0, 9.0])])
def test_distance_in_the_half_plane(a, b):
    gap = np.sum((np.array(a) - b)**2) / (2 * a[1] * b[1])
    assert geodesic_between(HALF_PLANE, a, b).length == pytest.approx(np.arccosh(1 + gap), abs=1e-8)


@settings(max_examples=8, deadline=None)
@given(angle=st.floats(-2.5, 2.5), radius=st.floats(0.3, 3.0))
def test_distance_in_polar_coordinates(angle, radius):
    b = [radius, angle]
    if np.hypot(angle, radius - 1) > 1e-3:
        expected = np.sqrt(1 + radius**2 - 2 * radius * np.cos(angle))
        assert geodesic_between(POLAR, [1.0, 0.0], b).length == pytest.approx(expected, abs=1e-9)


def test_the_first_aim_decides_between_two_geodesics():
    """Round the inside of a torus there are two ways from (0, pi) to (pi, pi), one of which the guess asks for."""
    for side in (1.0, -1.0):
        found = geodesic_between(TORUS, [0.0, np.pi], [side * np.pi, np.pi], v_guess=[side * 3.0, 0.0])
        assert found.length == pytest.approx(np.pi, abs=1e-9)


def test_opposite_points_are_joined_by_one_of_many():
    found = geodesic_between(SPHERE, [1.0, 0.0], [np.pi - 1.0, np.pi])
    assert found.length == pytest.approx(np.pi, abs=1e-9)


def test_points_without_a_geodesic_in_the_chart_are_refused():
    with pytest.raises(IntegrationError, match=r"shooting from a=\[1. 0.\] to b=\[2.  3.5\] did not converge"):
        geodesic_between(POLAR, [1.0, 0.0], [2.0, 3.5])  # the straight line would pass the origin on the other side


def test_too_few_rounds_end_with_an_error(monkeypatch):
    monkeypatch.setattr("derivations.riemann.shooting.MOST_ROUNDS", 1)
    with pytest.raises(IntegrationError, match="did not converge from the aim v="):
        geodesic_between(HALF_PLANE, [0.0, 1.0], [3.0, 1.0], v_guess=[0.0, 1.0])


@pytest.mark.parametrize("arguments, error, message", [
    (dict(x0=[0.0, 1.0]), ChartError, "theta=0"),
    (dict(x0=[1.0]), ChartError, r"x0 must have shape \(2,\)"),
    (dict(x0=[1.0 + 1j, 0.0]), ChartError, "real"),
    (dict(x0=[np.nan, 0.0]), ChartError, "theta=nan"),
    (dict(v0=[1.0]), ValueError, "v0 must be finite, not zero and have shape"),
    (dict(v0=[0.0, 0.0]), ValueError, "v0 must be finite, not zero"),
    (dict(v0=[np.inf, 0.0]), ValueError, "v0 must be finite"),
    (dict(v0=[1j, 0.0]), ValueError, "v0 must be real"),
    (dict(end=0.0), ValueError, "end must be positive, got end=0.0"),
    (dict(end=np.inf), ValueError, "end=inf"),
    (dict(leave="fly"), ValueError, "got leave='fly'"),
    (dict(rtol=1e-15), ValueError, "rtol must lie between 2.3e-14 and 1, got rtol=1e-15"),
    (dict(v0=["a", 0]), ValueError, "v0 must be an array of real numbers"),
    (dict(x0=["a", 0]), ChartError, "x0 must be an array of real numbers"),
    (dict(x0=[[1.0], 0]), ChartError, "x0 must be an array of real numbers"),
    (dict(end="3"), ValueError, "end must be an array of real numbers, got end='3'"),
    (dict(end=None), ValueError, "end must be positive, got end=None"),
    (dict(end=[1.0, 2.0]), ValueError, "end must be positive, got end="),
    (dict(conserved={"a": lambda x, v: np.full(len(x), np.nan)}), ValueError, r"conserved\['a'\] must return finite"),
    (dict(conserved={"a": lambda x, v: 1.0}), ValueError, r"conserved\['a'\] must return finite numbers of shape"),
    (dict(progress="yes"), ValueError, "progress='yes'"),
])
def test_bad_geodesics_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        geodesic(SPHERE, **{**dict(x0=[1.0, 0.0], v0=[1.0, 0.0], end=1.0), **arguments})


@pytest.mark.parametrize("arguments, message", [
    (dict(v=[1.0]), "v must be finite with shape"),
    (dict(v=[np.nan, 1.0]), "v must be finite"),
    (dict(v=np.ones((3, 2)), x=np.ones((2, 2))), r"x and v must go together, got shapes \(2, 2\) and \(3, 2\)"),
    (dict(steps=0), "steps=0"),
    (dict(steps=2.5), "steps=2.5"),
])
def test_bad_families_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        exponential_map(SPHERE, **{**dict(x=[1.0, 0.0], v=[1.0, 0.0]), **arguments})


@pytest.mark.parametrize("arguments, error, message", [
    (dict(a=[0.0, 1.0]), ChartError, "theta=0"),
    (dict(b=[1.0]), ChartError, r"b must have shape \(2,\)"),
    (dict(b=[1.0, 0.0]), ValueError, "different points"),
    (dict(v_guess=[0.0, 0.0]), ValueError, "v_guess must be finite, not zero"),
])
def test_bad_ends_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        geodesic_between(SPHERE, **{**dict(a=[1.0, 0.0], b=[1.0, 1.0]), **arguments})


def test_too_many_steps_end_with_an_error(monkeypatch):
    monkeypatch.setattr("derivations.riemann._integrate.MOST_STEPS", 3)
    with pytest.raises(IntegrationError, match="3 steps were not enough"):
        geodesic(SPHERE, [1.0, 0.0], [0.0, 1.0], 50.0)


def test_progress_is_drawn_when_asked_for(capsys):
    geodesic(SPHERE, [1.0, 0.0], [0.0, 1.0], 2.0)
    exponential_map(SPHERE, [1.0, 0.0], [0.0, 1.0], steps=4)
    assert capsys.readouterr().err == ""  # no terminal
    geodesic(SPHERE, [1.0, 0.0], [0.0, 1.0], 2.0, progress=True)
    exponential_map(SPHERE, [1.0, 0.0], [0.0, 1.0], steps=4, progress=True)
    drawn = capsys.readouterr().err
    assert "2/2 of s" in drawn and "4/4 steps" in drawn
