r"""Curvature measured: numbers from loops that converge to the formula.

.. math:: \Delta A^\mu = -R^\mu{}_{\alpha\beta\gamma} A^\alpha\, dx^\beta\, \delta x^\gamma + O(h^3)
"""
import itertools

import numpy as np

from .transport import _numeric, holonomy, polygon

__all__ = [
    "LOOPS", "coordinate_loop", "curvature_by_loop", "gauss_curvature_by_loop", "errors_by_loop", "area",
    "total_curvature", "observed_order",
]

LOOPS = ("corner", "centred", "lasso")


def coordinate_loop(x, size, plane=(0, 1), kind="lasso"):
    """Square loop in coordinates: first along axis ``plane[0]``, then along axis ``plane[1]``, and back.

    Parameters
    ----------
    x : array_like, shape (n,)
        The point that the loop belongs to.
    size : float
        Side of the square, in units of the coordinates; positive.
    plane : pair of int
        The two axes.
    kind : {"corner", "centred", "lasso"}
        ``corner``: x is the corner that the walk starts from. ``centred``: x is the centre, the walk starts from the
        corner with the smallest coordinates. ``lasso``: x is the centre and the start; the walk goes to that corner,
        round the square and back to the centre.

    Returns
    -------
    Curve

    Raises
    ------
    ValueError
        If `size` is not positive, `plane` is no pair of different axes, or `kind` is unknown.

    Examples
    --------
    >>> coordinate_loop([0.0, 0.0], 2.0, kind="centred").start
    array([-1., -1.])
    """
    x = np.asarray(x, dtype=float)
    if not size > 0:
        raise ValueError(f"size must be positive, got size={size}")
    if kind not in LOOPS:
        raise ValueError(f"kind must be one of {LOOPS}, got kind={kind!r}")
    if len(plane) != 2 or plane[0] == plane[1] or not all(axis in range(len(x)) for axis in plane):
        raise ValueError(f"plane must hold two different axes below {len(x)}, got plane={plane}")
    first, second = size * np.eye(len(x))[list(plane)]
    corner = x if kind == "corner" else x - (first + second) / 2
    square = polygon([corner, corner + first, corner + first + second, corner + second])
    if kind != "lasso":
        return square
    rope = polygon([x, corner], closed=False)
    return rope.then(square).then(rope.reversed())


def curvature_by_loop(metric, x, size, *, kind="lasso"):
    r"""Curvature tensor from vectors that are carried round small square loops.

    :math:`R^\mu{}_{\alpha\beta\gamma} \approx -(P - 1)^\mu{}_\alpha / h^2` with the propagator P of the loop in the
    plane of the axes beta and gamma, and h the side of the loop in coordinates.

    Parameters
    ----------
    metric : NumericMetric, Space or Metric
    x : array_like, shape (n,)
    size : float or array_like, shape (...)
        Side h of the loops, in units of the coordinates; positive.
    kind : {"lasso", "centred", "corner"}
        See :func:`coordinate_loop`. The error falls as h^2 for ``lasso`` and as h for the others.

    Returns
    -------
    numpy.ndarray, shape (..., n, n, n, n)
        ``riemann[..., mu, alpha, beta, gamma]``, one tensor for each size.

    Raises
    ------
    ChartError
        If a loop leaves the chart.
    ValueError
        If `size` is not positive or `kind` is unknown.

    Notes
    -----
    Equation ``eq-riemann-loop-measured`` of the book. Round-off is about 2e-15/h^2: below h = 1e-4 it takes over.

    References
    ----------
    J. Su, *Understanding Riemannian geometry, part 5*, https://kexue.fm/archives/4014, equation (48).

    Examples
    --------
    >>> from derivations.riemann import spaces
    >>> riemann = curvature_by_loop(spaces.half_plane(), [0.0, 1.0], 1e-2)
    >>> print(f"{riemann[0, 1, 0, 1]:.3f}")
    -1.000
    """
    metric, sizes = _numeric(metric), np.asarray(size, dtype=float)
    tensors = [_riemann_by_loop(metric, x, float(h), kind) for h in sizes.flat]
    return np.reshape(tensors, sizes.shape + (metric.n,) * 4)


def _riemann_by_loop(metric, x, size, kind):
    """Tensor of shape (n, n, n, n) from loops of one size."""
    n = metric.n
    riemann = np.zeros((n, n, n, n))
    for beta, gamma in itertools.combinations(range(n), 2):
        propagator = holonomy(metric, coordinate_loop(x, size, (beta, gamma), kind)).propagator
        riemann[:, :, beta, gamma] = -(propagator - np.eye(n)) / size**2
        riemann[:, :, gamma, beta] = -riemann[:, :, beta, gamma]  # the loop walked backwards
    return riemann


def gauss_curvature_by_loop(metric, x, size, *, kind="centred"):
    r"""Gauss curvature of a surface: rotation angle of a small square loop divided by its area.

    Parameters
    ----------
    metric : NumericMetric, Space or Metric
        Of a surface.
    x : array_like, shape (2,)
    size : float or array_like, shape (...)
        Side of the loop, in units of the coordinates; positive. The angle is known up to full turns only, so the
        loop must be so small that it turns vectors by less than half a turn.
    kind : {"centred", "corner", "lasso"}
        See :func:`coordinate_loop`. The error falls as size^2 if x is the centre and as size if x is a corner.

    Returns
    -------
    numpy.ndarray, shape (...)
        One value for each size.

    Raises
    ------
    ChartError
        If the loop leaves the chart.
    ValueError
        If the space is no surface with a positive metric, `size` is not positive, or `kind` is unknown.

    Notes
    -----
    Equation ``eq-riemann-loop-gauss`` of the book.

    References
    ----------
    J. M. Lee, *Introduction to Riemannian Manifolds*, 2nd ed., Springer, 2018, chapter 9.

    Examples
    --------
    >>> from derivations.riemann import spaces
    >>> print(f"{gauss_curvature_by_loop(spaces.sphere(), [1.0, 0.0], 0.5):.6f}")
    1.000000
    """
    metric, sizes = _numeric(metric), np.asarray(size, dtype=float)
    return np.reshape([_angle_per_area(metric, x, float(h), kind) for h in sizes.flat], sizes.shape)


def _angle_per_area(metric, x, size, kind):
    """Rotation angle over area of one loop."""
    loop = coordinate_loop(x, size, kind=kind)
    angle = holonomy(metric, loop).angle
    if angle is None:
        raise ValueError(f"rotation angles need a surface with a positive metric, got n={metric.n}")
    corner = np.asarray(x, dtype=float) - (0.0 if kind == "corner" else size / 2)
    return angle / area(metric, corner, corner + size)


def errors_by_loop(metric, x, size, *, kind, of="tensor"):
    r"""Absolute errors of curvature that is measured by loops.

    Parameters
    ----------
    metric : NumericMetric, Space or Metric
    x : array_like, shape (n,)
    size : float or array_like, shape (...)
        Side of the loops, in units of the coordinates; positive.
    kind : {"corner", "centred", "lasso"}
        See :func:`coordinate_loop`.
    of : {"tensor", "gauss"}
        ``tensor``: the largest error of a component of :func:`curvature_by_loop`. ``gauss``: the error of
        :func:`gauss_curvature_by_loop`, on surfaces.

    Returns
    -------
    numpy.ndarray, shape (...)
        One error for each size.

    Raises
    ------
    ChartError
        If a loop leaves the chart.
    ValueError
        If `size` is not positive, or `kind` or `of` is unknown.

    Notes
    -----
    Equations ``eq-riemann-loop-measured`` and ``eq-riemann-loop-gauss`` of the book.

    References
    ----------
    P. J. Roache, *Fundamentals of Verification and Validation*, Hermosa, 2009.

    Examples
    --------
    >>> from derivations.riemann import spaces
    >>> errors = errors_by_loop(spaces.half_plane(), [0.0, 1.0], [0.2, 0.1, 0.05], kind="lasso")
    >>> observed_order([0.2, 0.1, 0.05], errors).round(1)
    array([2., 2.])
    """
    metric = _numeric(metric)
    if of not in ("tensor", "gauss"):
        raise ValueError(f"of must be 'tensor' or 'gauss', got of={of!r}")
    if of == "gauss":
        return np.abs(gauss_curvature_by_loop(metric, x, size, kind=kind) - metric.gauss_curvature(x))
    return np.abs(curvature_by_loop(metric, x, size, kind=kind) - metric.riemann_tensor(x)).max(axis=(-4, -3, -2, -1))


def area(metric, low, high, *, nodes=16):
    r"""Area of a coordinate rectangle, :math:`\int \sqrt{\det g}\, dx^1 dx^2`, by Gauss-Legendre quadrature.

    Parameters
    ----------
    metric : NumericMetric, Space or Metric
        Of a surface.
    low, high : array_like, shape (2,)
        Opposite corners.
    nodes : int
        Nodes of the quadrature in each direction.

    Returns
    -------
    float

    Raises
    ------
    ChartError
        If the rectangle leaves the chart.

    References
    ----------
    P. J. Davis, P. Rabinowitz, *Methods of Numerical Integration*, 2nd ed., Academic Press, 1984.

    Examples
    --------
    >>> import numpy as np
    >>> from derivations.riemann import spaces
    >>> print(f"{area(spaces.sphere(), [0, 0], [np.pi, 2 * np.pi]) / np.pi:.12f}")
    4.000000000000
    """
    metric = _numeric(metric)
    return _integral(metric.volume_element, low, high, nodes)


def total_curvature(metric, low, high, *, nodes=16):
    r"""Total curvature of a coordinate rectangle, :math:`\int K \sqrt{\det g}\, dx^1 dx^2`.

    Parameters
    ----------
    metric : NumericMetric, Space or Metric
        Of a surface.
    low, high : array_like, shape (2,)
        Opposite corners.
    nodes : int
        Nodes of the quadrature in each direction.

    Returns
    -------
    float
        In radians: the angle by which a vector turns on its way round the rectangle, up to full turns.

    Raises
    ------
    ChartError
        If the rectangle leaves the chart.

    Notes
    -----
    Equation ``eq-riemann-loop-angle`` of the book.

    References
    ----------
    J. M. Lee, *Introduction to Riemannian Manifolds*, 2nd ed., Springer, 2018, chapter 9.

    Examples
    --------
    A whole torus has none.

    >>> import numpy as np
    >>> from derivations.riemann import spaces
    >>> print(f"{abs(total_curvature(spaces.torus(), [0, 0], [2 * np.pi, 2 * np.pi], nodes=32)):.6f}")
    0.000000
    """
    metric = _numeric(metric)
    return _integral(lambda x: metric.gauss_curvature(x) * metric.volume_element(x), low, high, nodes)


def _integral(function, low, high, nodes):
    """Integral of a function of points (m, 2) over a coordinate rectangle."""
    low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    u, weights = np.polynomial.legendre.leggauss(nodes)
    u, v = (grid.ravel() for grid in np.meshgrid(u, u, indexing="ij"))
    points = low + (high - low) * (np.stack([u, v], axis=-1) + 1) / 2
    return float(np.outer(weights, weights).ravel() @ function(points) * np.prod(high - low) / 4)


def observed_order(sizes, errors):
    r"""Order p of errors that behave like :math:`h^p`, from each pair of neighbouring sizes.

    Parameters
    ----------
    sizes, errors : array_like, shape (m,)
        Step sizes and the positive errors measured with them.

    Returns
    -------
    numpy.ndarray, shape (m - 1,)

    Raises
    ------
    ValueError
        If the shapes differ, or a size or an error is not positive.

    References
    ----------
    P. J. Roache, *Fundamentals of Verification and Validation*, Hermosa, 2009.

    Examples
    --------
    >>> observed_order([0.4, 0.2, 0.1], [0.16, 0.04, 0.01]).round(12)
    array([2., 2.])
    """
    sizes, errors = np.asarray(sizes, dtype=float), np.asarray(errors, dtype=float)
    if sizes.ndim != 1 or sizes.shape != errors.shape:
        raise ValueError(f"sizes and errors must have one shape (m,), got {sizes.shape} and {errors.shape}")
    if np.any(sizes <= 0) or np.any(errors <= 0):
        raise ValueError(f"sizes and errors must be positive, got sizes={sizes}, errors={errors}")
    return np.diff(np.log(errors)) / np.diff(np.log(sizes))
