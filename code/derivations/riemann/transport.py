r"""Curves, parallel transport and holonomy.

A vector is moved along a curve x(u) without turning when

.. math:: \frac{dA^\mu}{du} = -\Gamma^\mu_{\alpha\beta}(x)\, A^\alpha\, \frac{dx^\beta}{du}.

The equation is linear, so the whole answer is one matrix, the propagator P with A(end) = P A(start). On each leg it is
found in one of three ways, tried in this order:

1. the matrix exponential, if the coefficients do not change along the leg (circles of latitude, straight lines): for
   sure if the leg is straight and the formulas of the metric do not hold the coordinates that change, or else as far as
   512 uneven places of the leg show;
2. the classical Runge-Kutta method of order 4, all steps at once in NumPy; steps are halved until the propagator no
   longer changes;
3. DOP853, if that would take too many steps: it makes its steps small only where they must be, near a pole for example.

A curve and a metric are known by samples only. What happens between them is not seen: a bump of the metric, or a way
out of the chart, that is much narrower than 1/512 of a leg. Put vertices there.

Without SciPy (in a browser, say) the third way is left out, and the second one has more patience.
"""
import itertools
import numbers
from dataclasses import dataclass

import numpy as np

from ._integrate import FINEST_RTOL, integrate, require_rtol
from .errors import CurveError, IntegrationError

__all__ = [
    "Curve", "straight", "polygon", "rectangle", "circle", "Transport", "parallel_transport", "Holonomy", "holonomy",
]

FEWEST_STEPS, MOST_STEPS = 64, 2**15
# A leg that needs more Runge-Kutta steps than this is quicker by DOP853.
ENOUGH_STEPS = 2**12
# Places of a leg where its coefficients are compared; uneven, so that no periodic coefficient looks constant there.
PLACES = np.arange(512) * (np.sqrt(5) - 1) / 2 % 1
# As many steps to the width of the narrowest peak of the coefficients that is seen at those places.
STEPS_TO_A_PEAK = 8


@dataclass(frozen=True)
class Curve:
    """A chain of smooth legs, so that corners are allowed.

    Parameters
    ----------
    legs : sequence of callables
        Each takes u of shape (m,), 0 <= u <= 1, and returns the points x and the velocities dx/du of one leg, both
        of shape (m, n).

    Raises
    ------
    CurveError
        If there is no leg, or if a leg does not begin where the leg before it ends.

    Examples
    --------
    >>> import numpy as np
    >>> def circle(u):
    ...     angle = 2 * np.pi * u
    ...     return (np.stack([np.cos(angle), np.sin(angle)], axis=-1),
    ...             2 * np.pi * np.stack([-np.sin(angle), np.cos(angle)], axis=-1))
    >>> Curve([circle]).points(5).round(12)[1]
    array([0., 1.])
    """

    legs: tuple

    def __post_init__(self):
        object.__setattr__(self, "legs", tuple(self.legs))
        if not self.legs:
            raise CurveError("legs must hold at least one leg, got legs=()")
        ends = [leg(np.array([0.0, 1.0]))[0] for leg in self.legs]
        for before, after in zip(ends, ends[1:]):
            if not np.allclose(before[1], after[0], rtol=1e-12, atol=1e-12):
                raise CurveError(f"a leg ends at {before[1]} but the next begins at {after[0]}")

    @property
    def start(self):
        """First point, shape (n,)."""
        return self.legs[0](np.array([0.0]))[0][0]

    @property
    def end(self):
        """Last point, shape (n,)."""
        return self.legs[-1](np.array([1.0]))[0][0]

    def points(self, samples=33):
        """Points of the curve, `samples` on each leg (corners once), shape (legs * (samples - 1) + 1, n).

        Examples
        --------
        >>> polygon([[0, 0], [1, 2]], closed=False).points(3)
        array([[0. , 0. ],
               [0.5, 1. ],
               [1. , 2. ]])
        """
        require_samples(samples)
        u = np.linspace(0.0, 1.0, samples)
        pieces = [leg(u)[0] for leg in self.legs]
        return np.concatenate([pieces[0][:1], *(piece[1:] for piece in pieces)])

    def reversed(self):
        """Same curve, walked backwards.

        Examples
        --------
        >>> polygon([[0, 0], [1, 2]], closed=False).reversed().end
        array([0., 0.])
        """
        return Curve([_backwards(leg) for leg in reversed(self.legs)])

    def then(self, other):
        """This curve and then the other one.

        Examples
        --------
        >>> polygon([[0, 0], [1, 2]], closed=False).then(polygon([[1, 2], [5, 5]], closed=False)).end
        array([5., 5.])
        """
        return Curve(self.legs + other.legs)


def _backwards(leg):
    def walked(u):
        x, velocity = leg(1.0 - u)
        return x, -velocity
    return walked


def straight(start, stop):
    """Leg along which the coordinates change at a constant rate.

    Parameters
    ----------
    start, stop : array_like, shape (n,)

    Returns
    -------
    callable
        A leg for :class:`Curve`.

    Raises
    ------
    CurveError
        If the points are not finite or do not have one shape (n,).

    Examples
    --------
    >>> import numpy as np
    >>> Curve([straight([0, 0], [2, 4])]).points(3)[1]
    array([1., 2.])
    """
    start, stop = real_array("start", start, CurveError), real_array("stop", stop, CurveError)
    if start.ndim != 1 or start.shape != stop.shape or not np.all(np.isfinite([start, stop])):
        raise CurveError(f"start and stop must be finite with one shape (n,), got start={start}, stop={stop}")
    return _Straight(start, stop)


@dataclass(frozen=True, eq=False)
class _Straight:
    """Leg of :func:`straight`."""

    start: np.ndarray
    stop: np.ndarray

    def __call__(self, u):
        velocity = np.broadcast_to(self.stop - self.start, (len(u), len(self.start)))
        return self.start + u[:, None] * velocity, velocity


def polygon(vertices, closed=True):
    """Curve of straight coordinate legs through the vertices.

    Parameters
    ----------
    vertices : array_like, shape (k, n), k >= 2
    closed : bool
        If true, a last leg leads back to the first vertex.

    Returns
    -------
    Curve

    Raises
    ------
    CurveError
        If there are fewer than two vertices, or they are not finite numbers of shape (k, n).

    Examples
    --------
    >>> len(polygon([[0, 0], [1, 0], [0, 1]]).legs)
    3
    """
    vertices = real_array("vertices", vertices, CurveError)
    if not np.all(np.isfinite(vertices)):
        raise CurveError(f"vertices must be finite, got vertices={vertices}")
    if vertices.ndim != 2 or len(vertices) < 2:
        raise CurveError(f"vertices must have shape (k, n) with k >= 2, got shape {vertices.shape}")
    if closed:
        vertices = np.concatenate([vertices, vertices[:1]])
    return Curve([straight(a, b) for a, b in zip(vertices, vertices[1:])])


def rectangle(low, high):
    """Coordinate rectangle of a surface: from the corner `low` first along the first axis, then the second, and back.

    Parameters
    ----------
    low, high : array_like, shape (2,)
        Opposite corners.

    Returns
    -------
    Curve

    Raises
    ------
    CurveError
        If a corner does not have two coordinates, or `high` is not above `low` in both.

    Examples
    --------
    >>> rectangle([0, 0], [2, 1]).points(2)[1]
    array([2., 0.])
    """
    low, high = real_array("low", low, CurveError), real_array("high", high, CurveError)
    if low.shape != (2,) or high.shape != (2,) or not np.all(low < high):
        raise CurveError(f"low and high must be corners (2,) with low < high, got low={low}, high={high}")
    return polygon([low, [high[0], low[1]], high, [low[0], high[1]]])


def circle(position, axis=1):
    r"""Once round a surface of revolution: its angle grows from 0 to :math:`2\pi`, the other coordinate stays.

    Parameters
    ----------
    position : float
        The coordinate that stays: the colatitude on a sphere, the distance from the tip on a cone.
    axis : {1, 0}
        Place of the angle among the two coordinates: 1 on the sphere and the cone, 0 on the torus, the cylinder and
        the catenoid of the catalogue.

    Returns
    -------
    Curve

    Raises
    ------
    CurveError
        If `position` is not a finite number, or `axis` is neither 0 nor 1.

    Examples
    --------
    >>> circle(0.5).points(3)[1]
    array([0.5       , 3.14159265])
    >>> circle(0.5, axis=0).points(3)[1]
    array([3.14159265, 0.5       ])
    """
    if real_array("position", position, CurveError).ndim != 0 or not np.isfinite(position):
        raise CurveError(f"position must be finite, got position={position}")
    if not isinstance(axis, numbers.Integral) or axis not in (0, 1):
        raise CurveError(f"axis must be 0 or 1, got axis={axis!r}")
    ends = np.full((2, 2), float(position))
    ends[:, axis] = 0.0, 2 * np.pi
    return polygon(ends, closed=False)


@dataclass(frozen=True)
class Transport:
    """Result of :func:`parallel_transport`.

    Attributes
    ----------
    points : numpy.ndarray, shape (m, n)
        Points of the curve.
    vectors : numpy.ndarray, shape (m, n) or (m, n, k)
        The transported vectors there.
    drift : float
        Accuracy: largest change of an inner product of two transported coordinate directions, each measured in
        units of its length at the start. Exact transport keeps all lengths and angles, so exact would be 0.
    """

    points: np.ndarray
    vectors: np.ndarray
    drift: float


def parallel_transport(metric, curve, v, *, samples=33, rtol=1e-11):
    r"""Carry a vector along a curve without turning it.

    :math:`dA^\mu/du = -\Gamma^\mu_{\alpha\beta} A^\alpha\, dx^\beta/du`.

    Parameters
    ----------
    metric : NumericMetric, Space or Metric
        A space or a metric without parameters stands for its numeric form.
    curve : Curve
    v : array_like, shape (n,) or (n, k)
        One vector, or k vectors side by side, at the start of the curve.
    samples : int
        Points of each leg at which the answer is given.
    rtol : float
        Tolerance: the propagator in units of the lengths of the coordinate directions changes by less than this when
        all steps are halved. Legs with constant coefficients do not need it. From 2.3e-14 to 1.

    Returns
    -------
    Transport

    Raises
    ------
    ChartError
        If the curve leaves the chart.
    CurveError
        If a velocity of the curve is not finite or has the wrong shape.
    ValueError
        If `v` has the wrong shape or is not finite, `samples` is no whole number of at least 2, or `rtol` does not lie
        between 2.3e-14 and 1.
    IntegrationError
        If the tolerance is not reached.

    Notes
    -----
    Equation :eq:`eq-riemann-transport` of the book.

    A leg is seen at 512 uneven places and at 64 equal steps or more; what is much narrower than 1/512 of it, a bump of
    the metric or a way out of the chart and back, can be missed without any drift: put vertices there. A metric without
    limits, such as polar coordinates given as a plain function, is not guarded against legs across a singular place of
    its coordinates (r = 0).

    References
    ----------
    J. M. Lee, *Introduction to Riemannian Manifolds*, 2nd ed., Springer, 2018, chapter 4.

    Examples
    --------
    In the half-plane, to the right at height 1: the vector turns clockwise at a constant rate.

    >>> import numpy as np
    >>> from derivations.riemann import spaces
    >>> line = polygon([[0.0, 1.0], [np.pi / 4, 1.0]], closed=False)
    >>> parallel_transport(spaces.half_plane(), line, [0.0, 1.0]).vectors[-1].round(6)
    array([0.707107, 0.707107])
    """
    metric, rtol = _numeric(metric), require_rtol(rtol)
    v = real_array("v", v)
    if v.ndim not in (1, 2) or len(v) != metric.n or not np.all(np.isfinite(v)):
        raise ValueError(f"v must be finite with shape ({metric.n},) or ({metric.n}, k), got v={v}")
    points, propagators = _propagators(metric, curve, samples, rtol)
    return Transport(points, propagators @ v, _drift(metric, points, propagators))


@dataclass(frozen=True)
class Holonomy:
    r"""Result of :func:`holonomy`.

    Attributes
    ----------
    propagator : numpy.ndarray, shape (n, n)
        ``propagator @ v`` is the vector v after its way round the loop.
    angle : float or None
        For surfaces: the angle in :math:`(-\pi, \pi]` by which every vector has turned, positive from the first
        coordinate direction towards the second. ``None`` in other dimensions and for indefinite metrics.
    drift : float
        Accuracy, as in :class:`Transport`.
    """

    propagator: np.ndarray
    angle: float | None
    drift: float


def holonomy(metric, loop, *, rtol=1e-11):
    r"""Carry all vectors of the first point round a loop.

    Parameters
    ----------
    metric : NumericMetric, Space or Metric
        A space or a metric without parameters stands for its numeric form.
    loop : Curve
        Its last point is its first, up to periods of angles.
    rtol : float
        Tolerance: the propagator in units of the lengths of the coordinate directions changes by less than this when
        all steps are halved. Legs with constant coefficients do not need it. From 2.3e-14 to 1.

    Returns
    -------
    Holonomy

    Raises
    ------
    CurveError
        If the loop is not closed, or its velocity is not finite or has the wrong shape.
    ChartError
        If the loop leaves the chart.
    ValueError
        If `rtol` does not lie between 2.3e-14 and 1.
    IntegrationError
        If the tolerance is not reached.

    Notes
    -----
    Equations :eq:`eq-riemann-loop-main` and :eq:`eq-riemann-loop-angle` of the book. What :func:`parallel_transport`
    says about narrow features and singular places holds here too.

    References
    ----------
    J. Su, *Understanding Riemannian geometry, part 5*, https://kexue.fm/archives/4014.

    Examples
    --------
    Once round the sphere at colatitude 60 degrees: half of a full turn is enclosed.

    >>> import numpy as np
    >>> from derivations.riemann import spaces
    >>> circle = polygon([[np.pi / 3, 0], [np.pi / 3, 2 * np.pi]], closed=False)
    >>> print(f"{abs(holonomy(spaces.sphere(), circle).angle):.6f}")
    3.141593
    """
    metric, rtol = _numeric(metric), require_rtol(rtol)
    gap = loop.end - loop.start
    for axis, period in enumerate(metric.periods):
        if period is not None:
            gap[axis] -= period * np.round(gap[axis] / period)
    if not np.allclose(gap, 0.0, atol=1e-9):
        raise CurveError(f"loop must be closed, but it starts at {loop.start} and ends at {loop.end}")
    points, propagators = _propagators(metric, loop, 2, rtol)
    propagator = propagators[-1]
    angle = _rotation_angle(metric.metric(points[0]), propagator)
    return Holonomy(propagator, angle, _drift(metric, points, propagators))


def _numeric(metric):
    """Numeric form of a metric: spaces and metrics have a method that makes it."""
    return metric.numeric() if hasattr(metric, "numeric") else metric


def real_array(name, value, error=ValueError):
    """Array of floats, or an error that names it."""
    try:
        if np.iscomplexobj(value):
            raise error(f"{name} must be real, got {name}={value}")
        if np.asarray(value).dtype.kind not in "USmM":  # NumPy would read strings and dates as numbers
            return np.asarray(value, dtype=float)
    except (TypeError, ValueError) as reason:
        if isinstance(reason, error) and str(reason).startswith(f"{name} must"):
            raise
    raise error(f"{name} must be an array of real numbers, got {name}={value!r}")


def positive_number(name, value):
    """Finite positive float, or a ValueError that names it."""
    number = real_array(name, value)
    if number.ndim != 0 or not np.isfinite(number) or not number > 0:
        raise ValueError(f"{name} must be positive, got {name}={value}")
    return float(number)


def require_samples(samples):
    """A ValueError unless the number of samples is a whole number of at least 2."""
    if not isinstance(samples, numbers.Integral) or samples < 2:
        raise ValueError(f"samples must be a whole number of at least 2, got samples={samples!r}")


def _propagators(metric, curve, samples, rtol):
    """Points (m, n) of a curve and the propagators (m, n, n) from its start to each of them."""
    require_samples(samples)
    propagators = [np.eye(metric.n)[None]]
    for leg in curve.legs:
        propagators.append(_leg_propagators(metric, leg, samples - 1, rtol) @ propagators[-1][-1])
    return curve.points(samples), np.concatenate(propagators)


def _leg_propagators(metric, leg, pieces, rtol):
    """Propagators (pieces, n, n) from the start of a leg to the ends of equal pieces, to a relative tolerance."""
    if _surely_constant(metric, leg):
        return _exponentials(metric, leg, _rates(metric, leg, np.array([0.0, 1.0]))[0], pieces)
    rates = _rates(metric, leg, PLACES)
    if np.ptp(rates, axis=0).max() <= 8 * np.finfo(float).eps * np.max(np.abs(rates)):
        return _exponentials(metric, leg, rates.mean(axis=0), pieces)
    return _by_runge_kutta(metric, leg, pieces, rtol, _fewest_steps(rates))


def _surely_constant(metric, leg):
    """Whether the formulas of a metric do not hold any coordinate that changes along a straight leg."""
    if not isinstance(leg, _Straight) or not hasattr(metric, "exact") or len(leg.start) != metric.n:
        return False
    changing = {symbol for symbol, a, b in zip(metric.exact.coords, leg.start, leg.stop) if a != b}
    return changing.isdisjoint(metric.exact.matrix.free_symbols)


def _fewest_steps(rates):
    """Steps that do not miss the narrowest peak of the coefficients (m, n, n): about mean/highest of the leg wide."""
    heights = np.abs(rates).max(axis=(1, 2))
    return int(max(FEWEST_STEPS, min(STEPS_TO_A_PEAK * heights.max() / heights.mean(), ENOUGH_STEPS)))


def coordinate_sizes(g):
    """Length scale (..., n) of each coordinate: the roots of the largest entries in the rows of g, shape (..., n, n).

    The roots of the diagonal would do, were they not zero for coordinates along light rays.
    """
    return np.sqrt(np.max(np.abs(g), axis=-1))


def _rates(metric, leg, u):
    """Matrices M(u) of the linear equation dA/du = M A, shape (m, n, n)."""
    x, velocity = leg(u)
    velocity = np.asarray(velocity, dtype=float)
    if velocity.shape != np.shape(x) or not np.all(np.isfinite(velocity)):
        raise CurveError(f"velocities must be finite and have the shape of the points, {np.shape(x)}, got {velocity}")
    return -(metric.christoffel_symbols(x) @ velocity[:, None, :, None])[..., 0]


def _exponentials(metric, leg, rate, pieces):
    """Propagators (pieces, n, n) for one constant matrix."""
    sizes = coordinate_sizes(metric.metric(leg(np.array([0.0]))[0][0]))
    balance = sizes[:, None] / sizes  # lengths in place of coordinates: near a pole they differ by powers of ten
    return _exponential(balance * rate * np.linspace(0.0, 1.0, pieces + 1)[1:, None, None]) / balance


def _exponential(matrices):
    """Exponential of each matrix (..., n, n): Taylor's series of a small part of it, squared again and again.

    For matrices as small as these it is as accurate as SciPy's, and much quicker where SciPy wakes several threads.
    """
    norm = np.max(np.abs(matrices).sum(axis=-1))
    squarings = int(np.ceil(np.log2(max(norm, 0.25)))) + 2  # the norm is 1/4 at most then, and 1/4^13/13! below 1e-17
    part, one = matrices / 2.0**squarings, np.eye(matrices.shape[-1])
    result = one
    for degree in range(12, 0, -1):
        result = one + part @ result / degree
    for _ in range(squarings):
        result = result @ result
    return result


def _by_runge_kutta(metric, leg, pieces, rtol, fewest=FEWEST_STEPS):
    """Propagators (pieces, n, n): halve the steps of the Runge-Kutta method, or leave it to DOP853."""
    weights = _weights(metric, leg, np.linspace(0.0, 1.0, pieces + 1))[1:]
    refinement = 1
    while pieces * refinement < fewest:
        refinement *= 2
    coarse, patience = _runge_kutta(metric, leg, pieces, refinement), ENOUGH_STEPS
    while pieces * refinement < MOST_STEPS:
        refinement *= 2
        steps = pieces * refinement
        fine = _runge_kutta(metric, leg, pieces, refinement)
        change = np.max(np.abs(fine - coarse) * weights) / np.max(np.abs(fine) * weights)
        if change <= rtol:
            return fine
        if steps * change**0.25 > patience * rtol**0.25:  # the error falls as the fourth power of the step
            try:
                return _by_dop853(metric, leg, pieces, rtol, fewest)
            except ImportError:
                patience = np.inf  # no SciPy
        coarse = fine
    raise IntegrationError(
        f"parallel transport did not reach rtol={rtol}: with {pieces * refinement} steps on the leg from "
        f"{leg(np.array([0.0]))[0][0]} the propagator still changed by {change:.2g}"
    )


def _runge_kutta(metric, leg, pieces, refinement):
    """Classical Runge-Kutta with pieces * refinement steps; refinement is a power of 2."""
    steps = pieces * refinement
    rate = _rates(metric, leg, np.linspace(0.0, 1.0, 2 * steps + 1)) / steps
    first, middle, last = rate[:-1:2], rate[1::2], rate[2::2]
    one = np.eye(metric.n)
    k1 = first
    k2 = middle @ (one + k1 / 2)
    k3 = middle @ (one + k2 / 2)
    k4 = last @ (one + k3)
    propagators = one + (k1 + 2 * k2 + 2 * k3 + k4) / 6
    propagators = propagators.reshape(pieces, refinement, metric.n, metric.n)
    while propagators.shape[1] > 1:  # later steps stand on the left
        propagators = propagators[:, 1::2] @ propagators[:, ::2]
    return np.stack(list(itertools.accumulate(propagators[:, 0], lambda before, step: step @ before)))


def _weights(metric, leg, u):
    """Factors (m, n, n) that make the propagators from the start to the places u free of units."""
    sizes = coordinate_sizes(metric.metric(leg(u)[0]))
    return sizes[:, :, None] / sizes[0]


def _by_dop853(metric, leg, pieces, rtol, fewest=FEWEST_STEPS):
    """Propagators (pieces, n, n) with steps of their own size everywhere."""
    n, weights = metric.n, _weights(metric, leg, PLACES).max(axis=0)

    def rate(u, propagator):
        return (_rates(metric, leg, np.array([u]))[0] @ propagator.reshape(n, n)).ravel()

    # A step may err by a tenth of the tolerance, so that all of them together keep it.
    step_rtol = max(rtol / 10, min(rtol, FINEST_RTOL))
    longest = 1.0 / max(FEWEST_STEPS, fewest / STEPS_TO_A_PEAK)
    path = integrate(rate, np.eye(n).ravel(), 1.0, step_rtol, (step_rtol / weights).ravel(), max_step=longest)
    if not path.finished:
        place = leg(path.nodes[-1:])[0][0]
        raise IntegrationError(f"parallel transport did not reach rtol={rtol}: the steps became too small at {place}")
    propagators = path(np.linspace(0.0, 1.0, pieces + 1)[1:])
    propagators[-1] = path.states[-1]  # between the steps the answer is slightly less accurate
    return propagators.reshape(pieces, n, n)


def _drift(metric, points, propagators):
    """Largest change of an inner product of transported vectors, in units of their lengths at the start."""
    g = metric.metric(points)
    now = np.swapaxes(propagators, -1, -2) @ g @ propagators
    sizes = coordinate_sizes(g[0])
    return float(np.max(np.abs(now - g[0]) / (sizes[:, None] * sizes)))


def _rotation_angle(g, propagator):
    """Angle by which a 2 x 2 propagator of a loop turns, in an oriented orthonormal frame; None if there is none."""
    if len(g) != 2 or np.any(np.linalg.eigvalsh(g) <= 0):
        return None
    frame = np.linalg.inv(np.linalg.cholesky(g)).T
    turn = np.linalg.solve(frame, propagator @ frame)
    return float(np.arctan2(turn[1, 0] - turn[0, 1], turn[0, 0] + turn[1, 1]))
