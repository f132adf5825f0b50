"""Transport as a power series: against the numerical transport, and against the definition of the curvature."""
import numpy as np
import pytest
import sympy as sp

from derivations.riemann import CurveError, observed_order, parallel_transport, polygon, propagator_series, spaces

X, Y = sp.symbols("x y")
UNKNOWN = sp.Array([[[sp.Function(f"G{m}{k}{c}")(X, Y) for c in range(2)] for k in range(2)] for m in range(2)])
A, B = sp.Matrix(sp.symbols("a:2")), sp.Matrix(sp.symbols("b:2"))


def curvature(christoffel, coords, a, b):
    """The definition, contracted with the two sides: a matrix with the indices mu, alpha."""
    def component(mu, alpha, beta, gamma):
        products = sum(christoffel[mu, nu, beta] * christoffel[nu, alpha, gamma] for nu in range(2))
        return christoffel[mu, alpha, gamma].diff(coords[beta]) + products

    def entry(mu, alpha):
        return sum((component(mu, alpha, i, j) - component(mu, alpha, j, i)) * a[i] * b[j]
                   for i in range(2) for j in range(2))
    return sp.Matrix(2, 2, entry)


def test_loop_gives_minus_the_curvature_for_any_connection():
    zeroth, first, second = propagator_series(UNKNOWN, (X, Y), [A, B, -A, -B])
    assert zeroth == sp.eye(2)
    assert first.expand() == sp.zeros(2)
    assert (second + curvature(UNKNOWN, (X, Y), A, B)).expand() == sp.zeros(2)


def test_way_back_is_the_inverse():
    there = propagator_series(UNKNOWN, (X, Y), [A, B])
    back = propagator_series(UNKNOWN, (X, Y), [-B, -A], start=A + B)
    assert (back[1] + there[1]).expand() == sp.zeros(2)
    assert (back[2] + there[2] + back[1] * there[1]).expand() == sp.zeros(2)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_each_order_agrees_with_the_numerical_transport(order):
    space, at = spaces.saddle(), np.array([0.5, 0.8])
    legs = np.array([[1.0, 0.2], [-0.3, 0.7]])
    series = propagator_series(space.metric.christoffel_symbols(), space.metric.coords, legs.tolist(), order=order)
    values = dict(zip(space.metric.coords, at)) | {space.metric.params[0]: 1.0}
    terms = [np.array(term.subs(values), dtype=float) for term in series]
    sizes, errors = 0.2 / 2**np.arange(3), []
    for size in sizes:
        way = polygon(at + size * np.concatenate([np.zeros((1, 2)), np.cumsum(legs, axis=0)]), closed=False)
        exact = parallel_transport(space, way, np.eye(2)).vectors[-1]
        errors.append(np.abs(exact - sum(size**k * term for k, term in enumerate(terms))).max())
    assert observed_order(sizes, errors)[-1] == pytest.approx(order + 1, abs=0.25)


def test_bad_input_is_refused():
    with pytest.raises(CurveError, match="must have 2 components"):
        propagator_series(UNKNOWN, (X, Y), [(1, 2, 3)])
    with pytest.raises(CurveError, match="must have 2 components"):
        propagator_series(UNKNOWN, (X, Y), [A], start=(1,))
    with pytest.raises(CurveError, match="order=-1"):
        propagator_series(UNKNOWN, (X, Y), [A], order=-1)
