r"""Parallel transport as a power series in the size of the path, for Christoffel symbols that are formulas.

The transport equation is solved term by term (Picard iteration), not with the results that the book derives from it:
so the series can check them.
"""
import itertools

import sympy as sp

from .errors import CurveError

__all__ = ["propagator_series"]


def propagator_series(christoffel, coords, legs, *, start=None, order=2):
    r"""Propagator of a chain of straight legs, expanded in the size of the legs.

    The path goes from :math:`x + \epsilon\,\mathrm{start}` along :math:`\epsilon d_1`, then :math:`\epsilon d_2`, and
    so on; the propagator is :math:`P = C_0 + \epsilon C_1 + \epsilon^2 C_2 + \dots` with matrices taken at x.

    Parameters
    ----------
    christoffel : array of sympy expressions, shape (n, n, n)
        ``christoffel[mu, alpha, beta]``; it need not be symmetric and may hold undetermined functions.
    coords : sequence of n sympy.Symbol
    legs : sequence of vectors with n components
        The displacements d.
    start : vector with n components, optional
        Where the path begins, seen from x; at x if left out.
    order : int
        Last power of epsilon.

    Returns
    -------
    list of sympy.Matrix, length order + 1, shape (n, n)
        The matrices C.

    Raises
    ------
    CurveError
        If a leg or the start does not have n components, or the order is negative.

    Notes
    -----
    Equations :eq:`eq-riemann-loop-second-order` to :eq:`eq-riemann-loop-main` of the book.

    References
    ----------
    J. Su, *Understanding Riemannian geometry, part 5*, https://kexue.fm/archives/4014, equations (45) to (48).

    Examples
    --------
    Round a small square in the half-plane: no term of first order, and minus the curvature in second order.

    >>> from derivations.riemann import spaces
    >>> metric = spaces.half_plane().metric
    >>> square = [(1, 0), (0, 1), (-1, 0), (0, -1)]
    >>> series = propagator_series(metric.christoffel_symbols(), metric.coords, square)
    >>> series[1][0, 1], sp.simplify(series[2][0, 1])
    (0, y**(-2))
    """
    n = len(coords)
    point = sp.Matrix(start if start is not None else [0] * n)
    legs = [sp.Matrix(leg) for leg in legs]
    if any(vector.shape != (n, 1) for vector in (point, *legs)):
        raise CurveError(f"start and legs must have {n} components, got start={start}, legs={legs}")
    if order < 0:
        raise CurveError(f"order must not be negative, got order={order}")
    total = [sp.eye(n)] + [sp.zeros(n, n)] * order
    for leg in legs:
        along = sp.Matrix(n, n, lambda mu, alpha: sum(christoffel[mu, alpha, beta] * leg[beta] for beta in range(n)))
        total = _product(_leg_series(along, coords, point, leg, order), total)
        point = point + leg
    return total


def _leg_series(along, coords, start, leg, order):
    """Series of one leg: C_k(s) = - integral from 0 to s of the sum over j of Taylor_j C_{k-1-j}, at s = 1.

    Polynomials in s are lists of matrices: with s as a symbol, SymPy takes minutes.
    """
    zero = 0 * along
    taylor = [[along]]  # Christoffel symbols at start + s leg
    for j in range(1, order):
        fixed = [_directional(matrix, coords, start) / j for matrix in taylor[-1]]
        growing = [_directional(matrix, coords, leg) / j for matrix in taylor[-1]]
        taylor.append([p + q for p, q in zip([*fixed, zero], [zero, *growing])])
    terms = [[sp.eye(along.rows)]]
    for k in range(1, order + 1):
        term = [zero] * (k + 1)
        for j in range(k):
            for (p, left), (q, right) in itertools.product(enumerate(taylor[j]), enumerate(terms[k - 1 - j])):
                term[p + q + 1] = term[p + q + 1] - left * right / (p + q + 1)
        terms.append(term)
    return [sum(term, zero) for term in terms]


def _directional(matrix, coords, direction):
    """Derivative of a matrix in a direction."""
    return sum((component * matrix.diff(x) for component, x in zip(direction, coords)), 0 * matrix)


def _product(left, right):
    """Product of two series of matrices, cut off at the same power."""
    return [sum((left[j] * right[k - j] for j in range(k + 1)), 0 * left[0]) for k in range(len(left))]
