"""Curvature measured with loops: the orders of convergence that the book states."""
import numpy as np
import pytest
import sympy as sp

from derivations.riemann import (
    ChartError,
    Metric,
    area,
    coordinate_loop,
    curvature_by_loop,
    errors_by_loop,
    gauss_curvature_by_loop,
    observed_order,
    spaces,
    total_curvature,
)

SIZES = 0.2 / 2**np.arange(5)
UNEVEN = [
    (spaces.torus, [0.4, 1.1]),
    (spaces.saddle, [0.5, 0.8]),
    (spaces.gaussian_bump, [0.6, 0.3]),
    (spaces.paraboloid, [0.7, 0.2]),
]


@pytest.mark.parametrize("space, x", UNEVEN, ids=lambda value: getattr(value, "__name__", None))
@pytest.mark.parametrize("kind, order", [("corner", 1), ("centred", 1), ("lasso", 2)])
def test_order_of_the_tensor(space, x, kind, order):
    errors = errors_by_loop(space(), x, SIZES, kind=kind)
    assert observed_order(SIZES, errors)[-1] == pytest.approx(order, abs=0.15)


@pytest.mark.parametrize("space, x", UNEVEN, ids=lambda value: getattr(value, "__name__", None))
@pytest.mark.parametrize("kind, order", [("corner", 1), ("centred", 2), ("lasso", 2)])
def test_order_of_the_rotation_angle(space, x, kind, order):
    errors = errors_by_loop(space(), x, SIZES, kind=kind, of="gauss")
    assert observed_order(SIZES, errors)[-1] == pytest.approx(order, abs=0.15)


def test_corner_square_has_order_two_where_the_curvature_is_greatest():
    errors = errors_by_loop(spaces.torus(), [0, 0], SIZES, kind="corner", of="gauss")
    assert observed_order(SIZES, errors)[-1] == pytest.approx(2, abs=0.05)


def test_errors_are_the_distance_to_the_formula():
    torus, x = spaces.torus().numeric(), [0.4, 1.1]
    exact = torus.riemann_tensor(x)
    off = curvature_by_loop(torus, x, SIZES, kind="corner") - exact
    errors = errors_by_loop(torus, x, SIZES, kind="corner")
    np.testing.assert_array_equal(errors, np.abs(off).max(axis=(1, 2, 3, 4)))
    assert errors_by_loop(torus, x, 0.1, kind="corner").shape == ()
    with pytest.raises(ValueError, match="of must be 'tensor' or 'gauss', got of='ricci'"):
        errors_by_loop(torus, x, 0.1, kind="corner", of="ricci")


@pytest.mark.parametrize("space, x, curvature", [
    (spaces.sphere, [1.0, 0.3], 1.0),
    (spaces.half_plane, [0.2, 2.0], -1.0),
])
@pytest.mark.parametrize("size", [1.0, 0.3, 0.05])
def test_constant_curvature_is_exact_at_every_size(space, x, curvature, size):
    for kind in ("corner", "centred", "lasso"):
        assert gauss_curvature_by_loop(space(), x, size, kind=kind) == pytest.approx(curvature, abs=1e-8)


def test_order_of_the_tensor_in_three_dimensions():
    x, y, z = sp.symbols("x y z", real=True)
    matrix = sp.Matrix([[1 + x**2, x * y, 0], [x * y, 2 + z**2, y], [0, y, 3 + x * z]])
    numeric, at = Metric((x, y, z), matrix).numeric(), [0.3, -0.4, 0.7]
    exact = numeric.riemann_tensor(at)
    for kind, order in (("corner", 1), ("centred", 1), ("lasso", 2)):
        errors = np.abs(curvature_by_loop(numeric, at, SIZES, kind=kind) - exact).max(axis=(1, 2, 3, 4))
        assert observed_order(SIZES, errors)[-1] == pytest.approx(order, abs=0.15)


def test_centred_loop_misses_by_the_turn_of_the_frame():
    """Components at the corner and at the centre differ: the first-order error is [R, Gamma delta]."""
    space, x, size = spaces.saddle().numeric(), np.array([0.5, 0.8]), 1e-3
    matrix = space.riemann_tensor(x)[:, :, 0, 1]
    turn = np.einsum("mab,b->ma", space.christoffel_symbols(x), [-size / 2, -size / 2])
    predicted = matrix @ turn - turn @ matrix
    measured = curvature_by_loop(space, x, size, kind="centred")[:, :, 0, 1] - matrix
    np.testing.assert_allclose(measured, predicted, atol=1e-2 * np.max(np.abs(predicted)))


def test_total_curvature_of_sphere_and_torus():
    whole = [[0, 0], [np.pi, 2 * np.pi]]
    assert area(spaces.sphere().numeric(r=2.0), *whole) == pytest.approx(16 * np.pi)
    assert total_curvature(spaces.sphere().numeric(r=2.0), *whole) == pytest.approx(4 * np.pi)
    assert total_curvature(spaces.torus(), [0, 0], [2 * np.pi, 2 * np.pi], nodes=32) == pytest.approx(0, abs=1e-9)


def test_loops_start_where_they_say():
    at = [1.0, 2.0]
    np.testing.assert_array_equal(coordinate_loop(at, 0.5, kind="corner").start, at)
    np.testing.assert_array_equal(coordinate_loop(at, 0.5, kind="lasso").start, at)
    np.testing.assert_array_equal(coordinate_loop(at, 0.5, kind="centred").start, [0.75, 1.75])
    swapped = coordinate_loop(at, 0.5, plane=(1, 0), kind="corner").points(2)
    np.testing.assert_array_equal(swapped[1], [1.0, 2.5])


def test_sizes_may_be_arrays():
    sizes, at = np.array([[0.1, 0.2, 0.3]]), [0.4, 1.1]
    together = curvature_by_loop(spaces.torus(), at, sizes)
    assert together.shape == (1, 3, 2, 2, 2, 2)
    np.testing.assert_array_equal(together[0, 1], curvature_by_loop(spaces.torus(), at, 0.2))
    angles = gauss_curvature_by_loop(spaces.torus(), at, sizes)
    assert angles.shape == (1, 3) and angles[0, 2] == gauss_curvature_by_loop(spaces.torus(), at, 0.3)


@pytest.mark.parametrize("arguments, message", [
    (dict(size=0.0), "size=0.0"),
    (dict(size=-1.0), "size must be positive, got size=-1.0"),
    (dict(size=float("nan")), "size=nan"),
    (dict(size=0.1, kind="round"), "got kind='round'"),
    (dict(size=0.1, plane=(0, 0)), r"plane=\(0, 0\)"),
    (dict(size=0.1, plane=(0, 2)), r"plane=\(0, 2\)"),
    (dict(size=0.1, plane=(0.0, 1)), r"plane must hold two different axes below 2, got plane=\(0.0, 1\)"),
    (dict(size=0.1, plane=0), "plane must hold two different axes"),
    (dict(size=float("inf")), "size must be positive, got size=inf"),
    (dict(size="1"), "size must be an array of real numbers, got size='1'"),
])
def test_bad_loops_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        coordinate_loop([0.0, 0.0], **arguments)


@pytest.mark.parametrize("measure", [curvature_by_loop, gauss_curvature_by_loop])
def test_loops_round_no_point_are_refused(measure):
    with pytest.raises(ChartError, match=r"x must have shape \(2,\), got x=1.0"):
        measure(spaces.sphere(), 1.0, 0.1)
    with pytest.raises(ValueError, match="size must be an array of real numbers"):
        measure(spaces.sphere(), [1.0, 0.0], ["a"])


def test_measuring_outside_the_chart_is_refused():
    with pytest.raises(ChartError, match="not in the chart"):
        curvature_by_loop(spaces.sphere(), [0.05, 0.0], 0.2)


def test_gauss_curvature_by_loop_needs_a_positive_surface():
    x, y = sp.symbols("x y", real=True)
    with pytest.raises(ValueError, match="positive metric"):
        gauss_curvature_by_loop(Metric((x, y), sp.diag(-1, 1)), [0, 0], 0.1)


@pytest.mark.parametrize("sizes, errors", [([1, 2], [1]), ([1, 0], [1, 1]), ([1, 2], [1, 0]), ([[1, 2]], [[1, 2]])])
def test_bad_errors_are_refused(sizes, errors):
    with pytest.raises(ValueError, match="sizes and errors must"):
        observed_order(sizes, errors)
