r"""Jacobi fields: how neighbouring geodesics separate.

.. math:: \frac{D^2\xi^\mu}{Ds^2} = -R^\mu{}_{\nu\alpha\beta}\, v^\nu \xi^\alpha v^\beta

The second covariant derivative is taken apart into two equations of first order, for :math:`\xi` and
:math:`\eta = D\xi/ds`, which are solved together with the geodesic itself.
"""
from dataclasses import dataclass, field

import numpy as np

from ._integrate import integrate, require_rtol
from .geodesics import Geodesic, _Edge, _tolerances, _twice
from .transport import _numeric, coordinate_sizes, real_array

__all__ = ["JacobiField", "jacobi_field", "with_neighbours", "conjugate_points"]

# Conjugate points nearer to each other than this part of the geodesic are one, found twice.
SAME_PLACE = 1e-6


@dataclass(frozen=True)
class JacobiField:
    r"""Result of :func:`jacobi_field`.

    Attributes
    ----------
    geodesic : Geodesic
        The geodesic that the field belongs to.
    drift : float
        Accuracy: largest change of :math:`g(D\xi/ds, v)` and of :math:`g(\xi, v) - s\,g(D\xi/ds, v)` along the way,
        which exactly would be 0, relative to the sizes of :math:`\xi`, :math:`s\,D\xi/ds` and v.
    """

    geodesic: Geodesic
    drift: float
    _path: object = field(repr=False)
    _shape: tuple = field(repr=False)

    def values(self, s):
        r"""Separations :math:`\xi(s)`, shape (..., n) or (..., n, k), for s of shape (...).

        Examples
        --------
        >>> from derivations.riemann import geodesic, jacobi_field, spaces
        >>> line = geodesic(spaces.plane(), [0, 0], [1, 0], end=2)
        >>> jacobi_field(spaces.plane(), line, [0, 1], [0, 3]).values(2.0).round(9)
        array([0., 7.])
        """
        return self._parts(s)[0]

    def derivatives(self, s):
        r"""Covariant derivatives :math:`D\xi/ds`, shape (..., n) or (..., n, k), for s of shape (...).

        Examples
        --------
        >>> from derivations.riemann import geodesic, jacobi_field, spaces
        >>> line = geodesic(spaces.plane(), [0, 0], [1, 0], end=2)
        >>> jacobi_field(spaces.plane(), line, [0, 1], [0, 3]).derivatives(2.0).round(9)
        array([0., 3.])
        """
        return self._parts(s)[1]

    def _parts(self, s):
        s = np.asarray(s, dtype=float)
        if not np.all((s >= 0.0) & (s <= self.geodesic.end)):
            raise ValueError(f"s must lie between 0 and end={self.geodesic.end}, got s={s}")
        xi, eta = np.split(self._path(s.ravel())[:, 2 * self.geodesic.metric.n :], 2, axis=-1)
        return xi.reshape(*s.shape, *self._shape), eta.reshape(*s.shape, *self._shape)


def jacobi_field(metric, geodesic, xi0, dxi0, *, rtol=1e-11, progress=None):
    r"""Separation of a geodesic from its neighbours, to first order.

    :math:`D^2\xi^\mu/Ds^2 = -R^\mu{}_{\nu\alpha\beta} v^\nu\xi^\alpha v^\beta` with v = dx/ds.

    Parameters
    ----------
    metric : NumericMetric, Space or Metric
        The metric that the geodesic was computed with, or an equal one.
    geodesic : Geodesic
        From :func:`derivations.riemann.geodesic`.
    xi0 : array_like, shape (n,) or (n, k)
        Separation at s = 0, or k of them side by side.
    dxi0 : array_like, shape of `xi0`
        Its covariant derivative :math:`D\xi/ds` at s = 0. (It is the covariant derivative of the velocity along `xi0`;
        for neighbours that start parallel it is 0.)
    rtol : float
        Relative tolerance of a step.
    progress : bool or None
        Whether to show a progress bar; None: only on a terminal and after two seconds.

    Returns
    -------
    JacobiField

    Raises
    ------
    ValueError
        If `xi0` or `dxi0` is not finite or has the wrong shape, `metric` has another dimension than the geodesic, or
        `rtol` does not lie between 2.3e-14 and 1.
    IntegrationError
        If the tolerance cannot be reached.

    Notes
    -----
    Equation :eq:`eq-riemann-deviation` of the book.

    References
    ----------
    J. M. Lee, *Introduction to Riemannian Manifolds*, 2nd ed., Springer, 2018, chapter 10.

    Examples
    --------
    Two walkers leave one point of the unit sphere. Their distance grows like sin s.

    >>> import numpy as np
    >>> from derivations.riemann import spaces
    >>> from derivations.riemann.geodesics import geodesic
    >>> equator = geodesic(spaces.sphere(), [np.pi / 2, 0.0], [0.0, 1.0], 3.0)
    >>> apart = jacobi_field(spaces.sphere(), equator, [0.0, 0.0], [1.0, 0.0])
    >>> print(f"{apart.values(2.0)[0]:.9f} {np.sin(2.0):.9f}")
    0.909297427 0.909297427
    """
    metric, rtol = _numeric(metric), require_rtol(rtol)
    n = metric.n
    xi0, dxi0 = real_array("xi0", xi0), real_array("dxi0", dxi0)
    if n != geodesic.metric.n:
        raise ValueError(f"the geodesic has {geodesic.metric.n} dimensions, the metric {n}")
    for name, vector in (("xi0", xi0), ("dxi0", dxi0)):
        if vector.ndim not in (1, 2) or len(vector) != n or not np.all(np.isfinite(vector)):
            raise ValueError(f"{name} must be finite with shape ({n},) or ({n}, k), got {name}={vector}")
    if xi0.shape != dxi0.shape:
        raise ValueError(f"xi0 and dxi0 must have one shape, got {xi0.shape} and {dxi0.shape}")
    path = with_neighbours(metric, geodesic.points(0.0), geodesic.velocities(0.0), geodesic.end, xi0, dxi0, rtol,
                           progress)
    return JacobiField(geodesic, _drift(metric, path), path, xi0.shape)


def with_neighbours(metric, x0, v0, end, xi0, dxi0, rtol, progress=False):
    """Path of the states (x, v, xi, D xi/ds), flat in this order; raises IntegrationError if it breaks off."""
    start = np.concatenate([x0, v0, xi0.ravel(), dxi0.ravel()])
    atol = np.concatenate([
        _tolerances(metric, x0, v0, end, rtol), _field_tolerances(metric.metric(x0), end, xi0, dxi0, rtol),
    ])
    edge = _Edge(lambda s, state: _rate(metric, state))
    path = integrate(edge, start, end, rtol, atol, progress)
    if not path.finished:
        raise edge.explain(metric, path, "the geodesic")
    return path


def _split(metric, state):
    """Point, velocity (..., n), field and derivative (..., n, k) from a state of shape (..., d)."""
    n = metric.n
    xi, eta = np.split(state[..., 2 * n :], 2, axis=-1)
    return (state[..., :n], state[..., n : 2 * n], xi.reshape(*state.shape[:-1], n, -1),
            eta.reshape(*state.shape[:-1], n, -1))


def _rate(metric, state):
    """Rate of change of the state."""
    x, v, xi, eta = _split(metric, state)
    gamma, riemann = metric.christoffel_symbols(x), metric.riemann_tensor(x)
    connection = gamma @ v  # [mu, alpha], by the symmetry of gamma
    tide = np.einsum("mnab,n,b->ma", riemann, v, v)
    return np.concatenate([
        v, -_twice(gamma, v), (eta - connection @ xi).ravel(), (-connection @ eta - tide @ xi).ravel(),
    ])


def _field_tolerances(g, end, xi0, dxi0, rtol):
    """Absolute tolerances of the field and its derivative, (2 n k,): small against their sizes at the start."""
    sizes = coordinate_sizes(g)[:, None]
    xi0, dxi0 = xi0.reshape(len(g), -1), dxi0.reshape(len(g), -1)
    total = np.max(np.abs(sizes * xi0), axis=0) + end * np.max(np.abs(sizes * dxi0), axis=0)
    total = np.where(total > 0, total, 1.0)  # a field of zeros stays zero
    return rtol * np.concatenate([(total / sizes).ravel(), (total / sizes / end).ravel()])


def _drift(metric, path):
    """Largest change of the two conserved products, relative to what they are the sums of."""
    x, v, xi, eta = _split(metric, path.states)
    s = path.nodes[:, None]
    g = metric.metric(x)

    def product(field, absolute=False):
        terms = g[..., None] * field[:, :, None, :] * v[:, None, :, None]
        return (np.abs(terms) if absolute else terms).sum(axis=(1, 2))

    along = product(eta)
    shifted = product(xi) - s * along
    size = np.max(product(xi, True) + path.nodes[-1] * product(eta, True), axis=0)
    changes = np.max(np.abs(shifted - shifted[0]) + path.nodes[-1] * np.abs(along - along[0]), axis=0)
    return float(np.max(changes / np.where(size > 0, size, 1.0)))


def conjugate_points(metric, geodesic, *, rtol=1e-11, tolerance=1e-7):
    r"""Places of a geodesic where walkers who left its start in all directions nearby meet again.

    They are the zeros of :math:`\det J(s)`, s > 0, with the matrix J of the Jacobi fields :math:`J(0) = 0`,
    :math:`DJ/ds(0) = 1`.

    Parameters
    ----------
    metric : NumericMetric, Space or Metric
    geodesic : Geodesic
    rtol : float
        Relative tolerance of a step.
    tolerance : float
        What counts as zero: smallest singular value of J(s)/s, in units of the lengths of the coordinate directions.

    Returns
    -------
    numpy.ndarray, shape (m,)
        The values of s in increasing order.

    Raises
    ------
    ValueError
        If `rtol` does not lie between 2.3e-14 and 1.
    IntegrationError
        If the tolerance of a step cannot be reached.

    Notes
    -----
    The smallest singular value is minimised between the steps of the integrator, so that double zeros, at which the
    determinant keeps its sign, are found as well. The last point of the geodesic counts too, the first does not. Two
    different zeros between neighbouring places that are looked at (eight to a step) are not told apart.

    Equation :eq:`eq-riemann-deviation` of the book.

    References
    ----------
    J. M. Lee, *Introduction to Riemannian Manifolds*, 2nd ed., Springer, 2018, chapter 10.

    Examples
    --------
    On the unit sphere all walkers meet at the opposite point.

    >>> import numpy as np
    >>> from derivations.riemann import spaces
    >>> from derivations.riemann.geodesics import geodesic
    >>> circle = geodesic(spaces.sphere(), [1.0, 0.0], [0.0, 1 / np.sin(1.0)], 4.0)
    >>> conjugate_points(spaces.sphere(), circle).round(6)
    array([3.141593])
    """
    from scipy.optimize import minimize_scalar

    n = geodesic.metric.n
    fields = jacobi_field(metric, geodesic, np.zeros((n, n)), np.eye(n), rtol=rtol)
    start = coordinate_sizes(geodesic.metric.metric(geodesic.points(0.0)))

    def smallest(s):
        sizes = coordinate_sizes(geodesic.metric.metric(geodesic.points(s)))
        return np.linalg.svd(sizes[..., :, None] * fields.values(s) / start / s[..., None, None],
                             compute_uv=False)[..., -1]

    s = np.unique(np.concatenate([np.linspace(a, b, 9)[1:] for a, b in zip(geodesic.nodes, geodesic.nodes[1:])]))
    heights, found = smallest(s), []
    for middle in range(len(s)):  # the first and the last place have neighbours on one side only
        low, high = max(middle - 1, 0), min(middle + 1, len(s) - 1)
        if heights[middle] <= min(heights[low], heights[high]):
            best = minimize_scalar(lambda at: float(smallest(np.array(at))), bounds=(s[low], s[high]), method="bounded",
                                   options={"xatol": 1e-12 * geodesic.end})
            if best.fun < tolerance:
                found.append(best.x)
    if heights[-1] < tolerance:
        found.append(s[-1])
    apart = SAME_PLACE * geodesic.end
    return np.array([place for place, before in zip(found, [-np.inf, *found]) if place - before > apart])
