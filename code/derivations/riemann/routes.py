r"""Curvature measured: numbers from three experiments that converge to the formula.

1. Covariant derivatives in two orders, :func:`curvature_by_commuting`:

   .. math:: A^\mu{}_{;\alpha;\beta} - A^\mu{}_{;\beta;\alpha} = -R^\mu{}_{\nu\alpha\beta} A^\nu

2. Neighbouring geodesics, :func:`curvature_by_deviation`:

   .. math:: \frac{D^2\xi^\mu}{Ds^2} = -R^\mu{}_{\nu\alpha\beta}\, v^\nu \xi^\alpha v^\beta

3. A vector carried round a loop, :func:`curvature_by_loop`:

   .. math:: \Delta A^\mu = -R^\mu{}_{\alpha\beta\gamma} A^\alpha\, dx^\beta\, \delta x^\gamma + O(h^3)

None of them uses the formula for R; all three know the space by its Christoffel symbols only.
"""
import itertools
import numbers

import numpy as np

from .geodesics import require_point
from .transport import _numeric, holonomy, polygon, positive_number, real_array

__all__ = [
    "LOOPS", "curvature_by_commuting", "curvature_by_deviation", "coordinate_loop", "curvature_by_loop",
    "gauss_curvature_by_loop", "errors_by_loop", "area", "total_curvature", "observed_order",
]

LOOPS = ("corner", "centred", "lasso")
# Truncation grows like step^2, round-off (of the order of eps = 2.2e-16) falls like eps/step if everything is
# differenced once, and like eps/step^2 if twice. They meet at these steps.
FIRST_DIFFERENCES, SECOND_DIFFERENCES = np.finfo(float).eps ** (1 / 3), np.finfo(float).eps ** (1 / 4)


def curvature_by_commuting(metric, x, step=FIRST_DIFFERENCES, *, fields=None):
    r"""Curvature tensor from second covariant derivatives in both orders.

    :math:`R^\mu{}_{\nu\alpha\beta} A_k^\nu = -(A_k^\mu{}_{;\alpha;\beta} - A_k^\mu{}_{;\beta;\alpha})` for n vector
    fields :math:`A_k`, with every partial derivative replaced by a centred difference.

    Parameters
    ----------
    metric : NumericMetric, Space or Metric
    x : array_like, shape (n,)
    step : float or array_like, shape (...)
        Step of the differences, in units of the coordinates; positive.
    fields : callable, optional
        The vector fields: takes points y of shape (m, n) and returns the components ``A[m, mu, k]``, shape (m, n, n);
        at x the n vectors must be independent. Left out: :math:`A_k^\mu(y) = \delta_k^\mu + \sin(y^k - x^k)`.

    Returns
    -------
    numpy.ndarray, shape (..., n, n, n, n)
        ``riemann[..., mu, alpha, beta, gamma]``, one tensor for each step.

    Raises
    ------
    ChartError
        If x or a point one step away from it is not in the chart.
    ValueError
        If `step` is not positive, or the fields have the wrong shape, are not finite or are dependent at x.

    Notes
    -----
    Equation :eq:`eq-riemann-commuting` of the book. The error falls as :math:`h^2` with ``h = step``, whatever the
    fields. The second differences of the fields are the same in both orders and cancel, also in floating point, so
    round-off is only about 1e-16/step. The default step, 6.1e-6, makes both errors about equal, and leaves about 10
    digits where the coordinates and the curvature are of the order of 1.

    References
    ----------
    J. M. Lee, *Introduction to Riemannian Manifolds*, 2nd ed., Springer, 2018, chapter 7.

    Examples
    --------
    >>> from derivations.riemann import spaces
    >>> print(f"{curvature_by_commuting(spaces.half_plane(), [0.0, 1.0])[0, 1, 0, 1]:.6f}")
    -1.000000
    """
    metric = _numeric(metric)
    x, steps = _place(metric, x, step)
    fields = fields or (lambda y: np.eye(metric.n) + np.sin(y - x)[:, None, :])
    tensors = [_riemann_by_commuting(metric, x, float(h), fields) for h in steps.flat]
    return np.reshape(tensors, steps.shape + (metric.n,) * 4)


def _riemann_by_commuting(metric, x, step, fields):
    """Tensor of shape (n, n, n, n) with one step."""
    n = metric.n
    ahead, behind = x + step * np.eye(n), x - step * np.eye(n)
    first = _covariant_derivative(metric, np.stack([x, *ahead, *behind]), step, fields)  # [place, mu, alpha, k]
    here, gamma = first[0], metric.christoffel_symbols(x)
    change = (first[1 : n + 1] - first[n + 1 :]) / (2 * step)  # [beta, mu, alpha, k]
    second = np.moveaxis(change, 0, 2)  # A^mu_{;alpha;beta} is second[mu, alpha, beta, k]
    second = second + np.einsum("mpb,pak->mabk", gamma, here) - np.einsum("pab,mpk->mabk", gamma, here)
    commuted = second - np.swapaxes(second, 1, 2)
    vectors = fields(x[None])[0]
    if not np.linalg.cond(vectors) < 1 / np.finfo(float).eps:
        raise ValueError(f"the fields must be independent at x={x}, got the vectors {vectors}")
    return -np.einsum("mabk,kn->mnab", commuted, np.linalg.inv(vectors))


def _covariant_derivative(metric, y, step, fields):
    """First covariant derivatives A^mu_{;alpha} of the fields at the points y, shape (m, n, n, k)."""
    n = metric.n
    moved = np.stack([y[:, None] + step * np.eye(n), y[:, None] - step * np.eye(n)]).reshape(-1, n)
    values = np.asarray(fields(np.concatenate([y, moved])), dtype=float)
    if values.shape != (len(y) + len(moved), n, n) or not np.all(np.isfinite(values)):
        raise ValueError(f"fields must be finite and take points (m, {n}) to (m, {n}, {n}), got shape {values.shape}")
    ahead, behind = values[len(y) :].reshape(2, len(y), n, n, n)  # [place, alpha, mu, k]
    slopes = np.swapaxes((ahead - behind) / (2 * step), 1, 2)
    return slopes + np.einsum("tmna,tnk->tmak", metric.christoffel_symbols(y), values[: len(y)])


def curvature_by_deviation(metric, x, step=SECOND_DIFFERENCES):
    r"""Curvature tensor from the relative acceleration of neighbouring geodesics.

    Two geodesics start at :math:`x \pm h\, e_\alpha` with equal components v of their velocities. Their separation,
    divided by 2 h, is observed at s = -h, 0 and h, carried to s = 0 along the geodesic in the middle, and differenced
    twice: :math:`D^2\xi^\mu/Ds^2 = -K^\mu{}_\alpha(v)` with :math:`K^\mu{}_\alpha(v) = R^\mu{}_{\nu\alpha\beta}
    v^\nu v^\beta`. The velocities :math:`e_\nu` and :math:`e_\nu + e_\beta` give

    .. math:: S^\mu_{\nu\beta|\alpha}
              = K^\mu{}_\alpha(e_\nu + e_\beta) - K^\mu{}_\alpha(e_\nu) - K^\mu{}_\alpha(e_\beta)
              = R^\mu{}_{\nu\alpha\beta} + R^\mu{}_{\beta\alpha\nu} ,

    and the symmetries of R give :math:`R^\mu{}_{\alpha\beta\gamma} = (S^\mu_{\alpha\gamma|\beta} -
    S^\mu_{\alpha\beta|\gamma})/3`.

    Parameters
    ----------
    metric : NumericMetric, Space or Metric
    x : array_like, shape (n,)
    step : float or array_like, shape (...)
        h: half of the first separation, in units of the coordinates, and how far along s the geodesics are followed;
        positive.

    Returns
    -------
    numpy.ndarray, shape (..., n, n, n, n)
        ``riemann[..., mu, alpha, beta, gamma]``, one tensor for each step.

    Raises
    ------
    ChartError
        If x or a geodesic is not in the chart.
    ValueError
        If `step` is not positive.

    Notes
    -----
    Equations :eq:`eq-riemann-deviation` and :eq:`eq-riemann-loop-polarised` of the book. The error falls as :math:`h^2`
    with ``h = step``. Geodesics are followed by one Runge-Kutta step of order 4, and only their way from x is stored,
    not their place: so round-off is about :math:`10^{-16}/h^2`. The default step, 1.2e-4, makes both errors about
    equal, and leaves about 8 digits where the coordinates and the curvature are of the order of 1.

    References
    ----------
    C. W. Misner, K. S. Thorne, J. A. Wheeler, *Gravitation*, Freeman, 1973, section 8.7 and chapter 11.

    Examples
    --------
    >>> from derivations.riemann import spaces
    >>> print(f"{curvature_by_deviation(spaces.half_plane(), [0.0, 1.0])[0, 1, 0, 1]:.6f}")
    -1.000000
    """
    metric = _numeric(metric)
    x, steps = _place(metric, x, step)
    tensors = [_riemann_by_deviation(metric, x, float(h)) for h in steps.flat]
    return np.reshape(tensors, steps.shape + (metric.n,) * 4)


def _riemann_by_deviation(metric, x, step):
    """Tensor of shape (n, n, n, n) with one step."""
    n = metric.n
    pairs = list(itertools.combinations_with_replacement(range(n), 2))
    basis = np.eye(n)
    velocities = np.array([basis[a] if a == b else basis[a] + basis[b] for a, b in pairs])
    tides = dict(zip(pairs, -_relative_acceleration(metric, x, velocities, step)))
    mixed = np.empty((n,) * 4)  # S^mu_{nu beta|alpha} is mixed[mu, nu, beta, alpha]
    for a, b in pairs:
        tide = 2 * tides[a, a] if a == b else tides[a, b] - tides[a, a] - tides[b, b]
        mixed[:, a, b], mixed[:, b, a] = tide, tide
    return (np.swapaxes(mixed, 2, 3) - mixed) / 3


def _relative_acceleration(metric, x, velocities, step):
    """Second covariant derivatives [velocity, mu, alpha] of the separations that begin as e_alpha, (m, n, n)."""
    m, n = velocities.shape
    starts = step * np.concatenate([np.zeros((1, n)), np.eye(n), -np.eye(n)])  # the middle, ahead, behind
    way = np.broadcast_to(starts, (m, 2 * n + 1, n))
    velocity = np.broadcast_to(velocities[:, None], way.shape)
    separation = np.broadcast_to(np.eye(n), (m, n, n))
    carried = []
    for h in (step, -step):
        moved, home = _follow(metric, x, way, velocity, h)
        apart = (moved[:, 1 : n + 1] - moved[:, n + 1 :]) / (2 * step)  # [velocity, alpha, mu]
        carried.append(home @ np.swapaxes(apart, 1, 2))
    return (carried[0] - 2 * separation + carried[1]) / step**2


def _follow(metric, x, way, velocity, h):
    """One Runge-Kutta step: the ways from x (m, k, n), and the propagators (m, n, n) back along the first geodesics."""
    frame = np.broadcast_to(np.eye(way.shape[-1]), (len(way), *way.shape[-1:] * 2))

    def rates(way, velocity, frame):
        connection = (metric.christoffel_symbols(x + way) @ velocity[..., None, :, None])[..., 0]
        return velocity, -(connection @ velocity[..., None])[..., 0], -connection[:, 0] @ frame

    def after(part, slopes):
        return [value + part * h * slope for value, slope in zip((way, velocity, frame), slopes)]

    k1 = rates(way, velocity, frame)
    k2 = rates(*after(0.5, k1))
    k3 = rates(*after(0.5, k2))
    k4 = rates(*after(1.0, k3))
    mean = [(a + 2 * b + 2 * c + d) / 6 for a, b, c, d in zip(k1, k2, k3, k4)]
    way, _, frame = after(1.0, mean)
    return way, np.linalg.inv(frame)


def _place(metric, x, step):
    """Point (n,) and positive steps as arrays."""
    x, steps = require_point(metric, "x", x), real_array("step", step)
    if not (np.all(steps > 0) and np.all(np.isfinite(steps))):
        raise ValueError(f"step must be positive, got step={step}")
    return x, steps


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
        If `x` is no finite point, `size` is not a positive number, `plane` is no pair of different axes, or `kind` is
        unknown.

    Examples
    --------
    >>> coordinate_loop([0.0, 0.0], 2.0, kind="centred").start
    array([-1., -1.])
    """
    x, size = real_array("x", x), positive_number("size", size)
    if x.ndim != 1 or not np.all(np.isfinite(x)):
        raise ValueError(f"x must be finite with shape (n,), got x={x}")
    if kind not in LOOPS:
        raise ValueError(f"kind must be one of {LOOPS}, got kind={kind!r}")
    if (np.shape(plane) != (2,) or plane[0] == plane[1]
            or not all(isinstance(axis, numbers.Integral) and 0 <= axis < len(x) for axis in plane)):
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
        See :func:`coordinate_loop`. The error falls as :math:`h^2` for ``lasso`` and as h for the others.

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
    Equation :eq:`eq-riemann-loop-measured` of the book. Round-off is about :math:`2\cdot10^{-15}/h^2`: below h = 1e-4
    it takes over.

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
    metric, sizes = _numeric(metric), real_array("size", size)
    x = require_point(metric, "x", x)
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
        See :func:`coordinate_loop`. The error falls as the square of ``size`` if x is the centre and as size if x is a
        corner.

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
    Equation :eq:`eq-riemann-loop-gauss` of the book.

    References
    ----------
    J. M. Lee, *Introduction to Riemannian Manifolds*, 2nd ed., Springer, 2018, chapter 9.

    Examples
    --------
    >>> from derivations.riemann import spaces
    >>> print(f"{gauss_curvature_by_loop(spaces.sphere(), [1.0, 0.0], 0.5):.6f}")
    1.000000
    """
    metric, sizes = _numeric(metric), real_array("size", size)
    x = require_point(metric, "x", x)
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
    Equations :eq:`eq-riemann-loop-measured` and :eq:`eq-riemann-loop-gauss` of the book.

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

    Notes
    -----
    Equation :eq:`eq-riemann-area` of the book.

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
    Equation :eq:`eq-riemann-loop-angle` of the book; over a closed surface, :eq:`eq-riemann-gauss-bonnet`.

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
