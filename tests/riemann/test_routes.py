"""Three routes to one tensor: their orders, their agreement, their independence of the formula for the tensor."""
import numpy as np
import pytest
import sympy as sp

from derivations.riemann import ChartError, Metric, curvature_by_loop, observed_order, spaces
from derivations.riemann.routes import curvature_by_commuting, curvature_by_deviation

ROUTES = pytest.mark.parametrize("route", [curvature_by_commuting, curvature_by_deviation, curvature_by_loop])
OWN_STEP = pytest.mark.parametrize("route", [curvature_by_commuting, curvature_by_deviation])
SIZES = 0.1 / 2**np.arange(5)


def hole():
    """Schwarzschild metric, M = 1."""
    t, r, theta, phi = coords = sp.symbols("t r theta phi", positive=True)
    return Metric(coords, sp.diag(-(1 - 2 / r), 1 / (1 - 2 / r), r**2, r**2 * sp.sin(theta)**2))


def uneven():
    """A metric of three dimensions without any symmetry."""
    x, y, z = sp.symbols("x y z", real=True)
    return Metric((x, y, z), sp.Matrix([[1 + x**2, x * y, 0], [x * y, 2 + z**2, y], [0, y, 3 + x * z]]))


PLACES = {
    "sphere": (spaces.sphere(), [1.0, 0.3]),
    "half-plane": (spaces.half_plane(), [0.2, 0.8]),
    "torus": (spaces.torus(), [0.4, 1.1]),
    "Schwarzschild": (hole(), [0.0, 5.0, 1.0, 0.3]),
    "uneven": (uneven(), [0.3, -0.4, 0.7]),
}
ALL = pytest.mark.parametrize("place", PLACES)


def largest(tensors):
    """Largest component of each tensor."""
    return np.abs(tensors).max(axis=(-4, -3, -2, -1))


@ALL
@ROUTES
def test_order_two(route, place):
    space, x = PLACES[place]
    numeric = space.numeric()
    errors = largest(route(numeric, x, SIZES) - numeric.riemann_tensor(x))
    assert observed_order(SIZES, errors)[-1] == pytest.approx(2, abs=0.1)


@ALL
def test_three_routes_agree(place):
    space, x = PLACES[place]
    numeric = space.numeric()
    exact = numeric.riemann_tensor(x)
    scale = max(1.0, largest(exact))
    measured = [curvature_by_commuting(numeric, x), curvature_by_deviation(numeric, x),
                curvature_by_loop(numeric, x, 1e-3)]
    for tensor, tolerance in zip(measured, (2e-9, 2e-6, 2e-5)):
        assert largest(tensor - exact) < tolerance * scale


def test_weyl_part_of_the_hole_is_seen():
    """R_{trtr} = -2M/r^3, typed in from Misner, Thorne, Wheeler, (31.4): no use of our own formulas."""
    x = [0.0, 5.0, 1.0, 0.3]
    numeric = hole().numeric()
    for tensor in (curvature_by_commuting(numeric, x), curvature_by_deviation(numeric, x)):
        assert (numeric.metric(x) @ tensor[:, 1, 0, 1])[0] == pytest.approx(-2 / 5**3, abs=1e-6)


@ROUTES
def test_no_route_asks_for_the_formula(route):
    class Blind:
        """A metric that does not know its curvature."""

        def __init__(self):
            numeric = spaces.torus().numeric()
            self.n, self.periods = numeric.n, numeric.periods
            self.metric, self.christoffel_symbols = numeric.metric, numeric.christoffel_symbols

    expected = np.cos(1.1) / (2 + np.cos(1.1)) * (2 + np.cos(1.1))**2
    numeric = Blind()
    lowered = numeric.metric([0.4, 1.1]) @ route(numeric, [0.4, 1.1], 1e-3)[:, 1, 0, 1]
    assert lowered[0] == pytest.approx(expected, abs=1e-5)


@ROUTES
def test_flat_space_in_curved_coordinates(route):
    assert largest(route(spaces.polar_plane(), [1.2, 0.4], 1e-3)) < 1e-5


def test_default_steps_are_near_the_best():
    numeric, x = spaces.torus().numeric(), [0.4, 1.1]
    exact = numeric.riemann_tensor(x)
    steps = 10.0**np.arange(-8, -1)
    for route in (curvature_by_commuting, curvature_by_deviation):
        errors = largest(route(numeric, x, steps) - exact)
        assert largest(route(numeric, x) - exact) < 5 * errors.min()
        assert errors.argmin() not in (0, len(steps) - 1)


def test_fields_do_not_matter():
    numeric, x = spaces.torus().numeric(), np.array([0.4, 1.1])

    def fields(y):
        u, v = np.moveaxis(y, -1, 0)
        return np.stack([np.stack([np.exp(u * v), v**2], axis=-1), np.stack([u - v, 2 + np.sin(3 * u)], axis=-1)], 1)

    exact = numeric.riemann_tensor(x)
    errors = largest(curvature_by_commuting(numeric, x, SIZES, fields=fields) - exact)
    assert observed_order(SIZES, errors)[-1] == pytest.approx(2, abs=0.1)
    assert largest(curvature_by_commuting(numeric, x, fields=fields) - exact) < 1e-8


@OWN_STEP
def test_algebraic_symmetries(route):
    numeric, x = uneven().numeric(), [0.3, -0.4, 0.7]
    tensor = route(numeric, x, 0.05)
    np.testing.assert_allclose(tensor, -np.swapaxes(tensor, 2, 3), atol=1e-12)
    if route is curvature_by_deviation:  # polarisation puts the first Bianchi identity in
        cycle = tensor + np.moveaxis(tensor, 1, 3) + np.moveaxis(tensor, 3, 1)
        np.testing.assert_allclose(cycle, 0, atol=1e-10)


@OWN_STEP
def test_steps_may_be_arrays(route):
    steps = np.array([[0.1, 0.2, 0.3]])
    together = route(spaces.torus(), [0.4, 1.1], steps)
    assert together.shape == (1, 3, 2, 2, 2, 2)
    np.testing.assert_array_equal(together[0, 1], route(spaces.torus(), [0.4, 1.1], 0.2))


@OWN_STEP
@pytest.mark.parametrize("x, step, error, message", [
    ([1.0], 0.1, ChartError, r"x must have shape \(2,\)"),
    ([0.0, 1.0], 0.1, ChartError, "theta=0"),
    ([0.05, 1.0], 0.1, ChartError, "is not in the chart"),
    ([np.nan, 1.0], 0.1, ChartError, "theta=nan"),
    ([1.0, 1.0], 0.0, ValueError, "step must be positive, got step=0.0"),
    ([1.0, 1.0], [0.1, np.nan], ValueError, "step must be positive"),
])
def test_bad_places_and_steps_are_refused(route, x, step, error, message):
    with pytest.raises(error, match=message):
        route(spaces.sphere(), x, step)


@pytest.mark.parametrize("fields, message", [
    (lambda y: np.ones((len(y), 2, 2)), "independent at x="),
    (lambda y: np.full((len(y), 2, 2), np.nan), "fields must be finite"),
    (lambda y: np.ones((len(y), 2)), "to .m, 2, 2."),
])
def test_bad_fields_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        curvature_by_commuting(spaces.sphere(), [1.0, 0.0], fields=fields)
