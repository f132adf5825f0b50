r"""Geodesics: one with an answer everywhere on it, or many at once.

.. math:: \frac{d^2x^\mu}{ds^2} = -\Gamma^\mu_{\alpha\beta}(x)\, \frac{dx^\alpha}{ds}\frac{dx^\beta}{ds}

Along a geodesic :math:`g(v, v)`, the square of its speed v = dx/ds, does not change. Every function returns by how much
it did: the ``drift``.
"""
import numbers
from dataclasses import dataclass, field

import numpy as np

from ._integrate import FINEST_RTOL, Path, integrate, require_rtol
from ._progress import Meter
from .errors import ChartError, IntegrationError
from .transport import Curve, _numeric, coordinate_sizes, positive_number, real_array

__all__ = ["Geodesic", "geodesic", "Endpoints", "exponential_map"]

LEAVES = ("error", "stop")
# Where a geodesic breaks off, its last nodes may be nothing but round-off. They are cut off if g(v, v) has changed by
# more than this there, or by more than so many times the tolerance.
POLLUTED, POLLUTED_RTOLS = 1e-6, 100


@dataclass(frozen=True)
class Geodesic:
    r"""Result of :func:`geodesic` and :func:`derivations.riemann.geodesic_between`.

    Attributes
    ----------
    metric : NumericMetric
    end : float
        The geodesic is known for :math:`0 \le s \le` ``end``.
    nodes : numpy.ndarray, shape (m,)
        The values of s that the integrator stepped on; first 0, last `end`.
    drift : float
        Accuracy: largest change of :math:`g(v, v)` at the nodes, divided by :math:`\sum_{\mu\nu}|g_{\mu\nu} v^\mu
        v^\nu|` at the start (which is not zero for light rays either).
    drifts : dict of str to float
        Largest change at the nodes of each quantity that was given as conserved, in its own units.
    stopped : ChartError, IntegrationError or None
        Why the geodesic ends earlier than asked for; None if it does not.
    """

    metric: object = field(repr=False)
    end: float
    nodes: np.ndarray = field(repr=False)
    drift: float
    drifts: dict
    stopped: Exception | None
    _path: object = field(repr=False)

    def points(self, s):
        """Points x(s), shape (..., n), for s of shape (...); raises a ValueError outside 0 <= s <= end.

        Examples
        --------
        >>> from derivations.riemann import geodesic, spaces
        >>> geodesic(spaces.plane(), [0, 0], [1, 2], end=1).points([0.0, 0.5]).round(9)
        array([[0. , 0. ],
               [0.5, 1. ]])
        """
        return self._state(s)[..., : self.metric.n]

    def velocities(self, s):
        """Velocities dx/ds, shape (..., n), for s of shape (...); raises a ValueError outside 0 <= s <= end.

        Examples
        --------
        >>> from derivations.riemann import geodesic, spaces
        >>> geodesic(spaces.plane(), [0, 0], [1, 2], end=1).velocities(0.5).round(9)
        array([1., 2.])
        """
        return self._state(s)[..., self.metric.n :]

    @property
    def length(self):
        r"""Length :math:`\int \sqrt{|g(v, v)|}\, ds` (proper time for massive bodies, 0 for light).

        Notes
        -----
        Equation :eq:`eq-riemann-length` of the book.

        Examples
        --------
        >>> from derivations.riemann import geodesic, spaces
        >>> round(geodesic(spaces.plane(), [0, 0], [3, 4], end=2).length, 9)
        10.0
        """
        v = self.velocities(0.0)
        return float(np.sqrt(np.abs(v @ self.metric.metric(self.points(0.0)) @ v)) * self.end)

    def curve(self):
        """Geodesic as a :class:`Curve` of one leg, to carry vectors along.

        Examples
        --------
        >>> from derivations.riemann import geodesic, spaces
        >>> geodesic(spaces.plane(), [0, 0], [1, 2], end=3).curve().end.round(9)
        array([3., 6.])
        """
        def leg(u):
            state = self._state(np.asarray(u) * self.end)
            return state[:, : self.metric.n], self.end * state[:, self.metric.n :]
        return Curve([leg])

    def _state(self, s):
        s = np.asarray(s, dtype=float)
        if not np.all((s >= 0.0) & (s <= self.end)):
            raise ValueError(f"s must lie between 0 and end={self.end}, got s={s}")
        return self._path(s.ravel()).reshape(*s.shape, 2 * self.metric.n)


def geodesic(metric, x0, v0, end, *, rtol=1e-11, leave="error", conserved=None, progress=None):
    r"""Geodesic through a point in a given direction.

    :math:`d^2x^\mu/ds^2 = -\Gamma^\mu_{\alpha\beta}\, (dx^\alpha/ds)(dx^\beta/ds)`.

    Parameters
    ----------
    metric : NumericMetric, Space or Metric
        A space or a metric without parameters stands for its numeric form.
    x0 : array_like, shape (n,)
        First point.
    v0 : array_like, shape (n,)
        dx/ds there.
    end : float
        Last value of the affine parameter s, which begins with 0; positive. If v0 has the length 1, it is the length
        of the geodesic. (To walk backwards, use -v0.)
    rtol : float
        Relative tolerance of a step.
    leave : {"error", "stop"}
        What happens where the geodesic leaves the chart or cannot be followed any further: an error that names the
        place, or an earlier end.
    conserved : dict of str to callable, optional
        Quantities whose drift is returned. Each takes points and velocities, both of shape (m, n), and returns (m,).
    progress : bool or None
        Whether to show a progress bar; None: only on a terminal and after two seconds.

    Returns
    -------
    Geodesic

    Raises
    ------
    ChartError
        If x0 is no point of the chart, or the geodesic leaves the chart and `leave` is "error".
    ValueError
        If `v0` has the wrong shape, is not finite or is zero, `end` is not a positive number, `rtol` does not lie
        between 2.3e-14 and 1, `leave` is unknown, or a conserved quantity does not return finite numbers (m,).
    IntegrationError
        If 100,000 steps are not enough, or the steps become too small (at a horizon, say) and `leave` is "error".

    Notes
    -----
    DOP853, an explicit Runge-Kutta method of order 8 (in SciPy). Between the nodes the order is 7.

    The chart ends at the limits of the metric. A metric without limits, such as polar coordinates given as a plain
    function, has no such guard: a step may lead across a singular place of the coordinates (r = 0) without notice,
    and a feature of the metric that lies between all the places a step looks at is not seen. Give limits, and look at
    the drift. With `leave` = "stop", a geodesic that breaks off is cut where the relative
    change of g(v, v) first exceeds 1e-6 (or 100 rtol, if that is more): what follows is round-off.

    Equation :eq:`eq-riemann-geodesic` of the book.

    References
    ----------
    J. M. Lee, *Introduction to Riemannian Manifolds*, 2nd ed., Springer, 2018, chapters 4 and 5.

    Examples
    --------
    In the half-plane geodesics are half-circles: from (0, 1) to the right the point (tanh s, 1/cosh s).

    >>> from derivations.riemann import spaces
    >>> walk = geodesic(spaces.half_plane(), [0.0, 1.0], [1.0, 0.0], 3.0)
    >>> walk.points([0.0, 1.0]).round(6)
    array([[0.      , 1.      ], [0.761594, 0.648054]])
    """
    metric, rtol = _numeric(metric), require_rtol(rtol)
    x0 = require_point(metric, "x0", x0)
    v0 = require_velocity(metric, "v0", v0)
    end = positive_number("end", end)
    if leave not in LEAVES:
        raise ValueError(f"leave must be one of {LEAVES}, got leave={leave!r}")
    edge = _Edge(lambda s, state: _rate(metric, state))
    path = integrate(edge, np.concatenate([x0, v0]), end, rtol, _tolerances(metric, x0, v0, end, rtol), progress)
    stopped = None
    if not path.finished:
        stopped, whole = edge.explain(metric, path, "the geodesic"), len(path.nodes)
        path = _sound_part(metric, path, max(POLLUTED, POLLUTED_RTOLS * rtol))
        if leave == "stop" and len(path.nodes) < whole:
            stopped = type(stopped)(f"{stopped}; cut at s={path.nodes[-1]:.6g}, beyond which g(v, v) is not kept")
    if stopped and (leave == "error" or len(path.nodes) == 1):
        raise stopped
    return _result(metric, path, stopped, conserved)


def _sound_part(metric, path, bound):
    """Path up to the node before the first at which the relative change of g(v, v) exceeds the bound."""
    sound = _changes(metric, path.states[:, : metric.n], path.states[:, metric.n :]) <= bound
    count = len(sound) if sound.all() else int(np.argmin(sound))
    return Path(path.nodes[:count], path.states[:count], path.dense, path.finished)


def _result(metric, path, stopped, conserved=None):
    """Geodesic from a path whose state begins with the point and the velocity."""
    n = metric.n
    x, v = path.states[:, :n], path.states[:, n : 2 * n]
    drifts = {}
    for name, quantity in (conserved or {}).items():
        values = real_array(f"conserved[{name!r}]", quantity(x, v))
        if values.shape != (len(x),) or not np.all(np.isfinite(values)):
            raise ValueError(f"conserved[{name!r}] must return finite numbers of shape ({len(x)},), got {values}")
        drifts[name] = float(np.max(np.abs(values - values[0])))
    return Geodesic(metric, float(path.nodes[-1]), path.nodes, float(_drift(metric, x, v)), drifts, stopped,
                    lambda s: path(s)[:, : 2 * n])


@dataclass
class _Edge:
    """Rate of a differential equation that answers NaN outside the chart and remembers why."""

    rate: object
    reason: ChartError | None = None
    at: float = -1.0

    def __call__(self, s, state):
        if np.all(np.isfinite(state)):  # else a place before was outside already
            try:
                return self.rate(s, state)
            except ChartError as error:
                self.reason, self.at = error, s
        return np.full_like(state, np.nan)

    def explain(self, metric, path, what):
        """Error that says where and why a path ended early."""
        s, x = path.nodes[-1], path.states[-1, : metric.n]
        if self.at < s:  # the steps that failed did not leave the chart
            return IntegrationError(f"{what} cannot be followed beyond s={s:.6g}, the point {x}: the steps become too "
                                    "small")
        return ChartError(f"{what} leaves the chart at s={s:.6g}, at the point {x}: {self.reason}")


def _rate(metric, state):
    """Rate of change of (x, v), both parts of the last axis (..., 2 n)."""
    x, v = state[..., : metric.n], state[..., metric.n :]
    return np.concatenate([v, -_twice(metric.christoffel_symbols(x), v)], axis=-1)


def _twice(gamma, v):
    r"""Contraction :math:`\Gamma^\mu_{\alpha\beta} v^\alpha v^\beta`, shape (..., n)."""
    return ((gamma @ v[..., None, :, None])[..., 0] @ v[..., None])[..., 0]


def _drift(metric, x, v):
    """Drift of g(v, v) along the first axis, shape (...), for points and velocities of shape (m, ..., n)."""
    return np.max(_changes(metric, x, v), axis=0)


def _changes(metric, x, v):
    """Relative change (m, ...) of g(v, v) since the first place, for points and velocities of shape (m, ..., n)."""
    products = metric.metric(x) * v[..., :, None] * v[..., None, :]
    squares = products.sum(axis=(-2, -1))
    return np.abs(squares - squares[0]) / np.abs(products[0]).sum(axis=(-2, -1))


def _tolerances(metric, x, v, end, rtol):
    """Absolute tolerances of the state (x, v), shape (..., 2 n): in each coordinate small against the whole walk."""
    g = metric.metric(x)
    speed = np.sqrt(np.abs(g * v[..., :, None] * v[..., None, :]).sum(axis=(-2, -1)))[..., None]
    rates = speed / coordinate_sizes(g)
    return rtol * np.concatenate([np.minimum(1.0, end * rates), rates], axis=-1)


def require_point(metric, name, x):
    """One point (n,) of the chart, or a ChartError."""
    x = real_array(name, x, ChartError)
    if x.shape != (metric.n,):
        raise ChartError(f"{name} must have shape ({metric.n},), got {name}={x}")
    metric.metric(x)
    return x


def require_velocity(metric, name, v):
    """One vector (n,) that is not zero, or a ValueError."""
    v = real_array(name, v)
    if v.shape != (metric.n,) or not np.all(np.isfinite(v)) or not np.any(v):
        raise ValueError(f"{name} must be finite, not zero and have shape ({metric.n},), got {name}={v}")
    return v


@dataclass(frozen=True)
class Endpoints:
    """Result of :func:`exponential_map`.

    Attributes
    ----------
    points : numpy.ndarray, shape (..., n)
        The end of each geodesic.
    velocities : numpy.ndarray, shape (..., n)
        dx/ds there.
    drift : numpy.ndarray, shape (...)
        Accuracy: relative change of g(v, v) from the start to the end, as in :class:`Geodesic`.
    """

    points: np.ndarray
    velocities: np.ndarray
    drift: np.ndarray


def exponential_map(metric, x, v, *, rtol=1e-11, steps=None, progress=None):
    r"""Ends :math:`\exp_x(v)` of many geodesics at once: start at x with the velocity v and walk until s = 1.

    Parameters
    ----------
    metric : NumericMetric, Space or Metric
    x : array_like, shape (..., n)
        One point for all, or one for each velocity: x and v are broadcast.
    v : array_like, shape (..., n)
        dx/ds at the start. If it has the length L, the geodesic has the length L.
    rtol : float
        Relative tolerance of a step, for each of the geodesics.
    steps : int, optional
        If given, as many equal steps of the classical Runge-Kutta method of order 4, which needs no SciPy; `rtol` is
        not used then.
    progress : bool or None
        Whether to show a progress bar; None: only on a terminal and after two seconds.

    Returns
    -------
    Endpoints

    Raises
    ------
    ChartError
        If a geodesic starts outside the chart or leaves it.
    ValueError
        If `v` has the wrong shape or is not finite, `steps` is below 1, or `rtol` does not lie between
        2.3e-14 and 1.
    IntegrationError
        As :func:`geodesic`.

    Notes
    -----
    Without `steps`: DOP853 with the same steps for all. SciPy measures the error by its root mean square over the
    family; the tolerance is divided by the root of their number, so that it holds for each. Velocities of zero are
    allowed: those points stay where they are.

    Equation :eq:`eq-riemann-geodesic` of the book.

    References
    ----------
    J. M. Lee, *Introduction to Riemannian Manifolds*, 2nd ed., Springer, 2018, chapter 5.

    Examples
    --------
    >>> import numpy as np
    >>> from derivations.riemann import spaces
    >>> ends = exponential_map(spaces.sphere(), [np.pi / 2, 0.0], [[0.5, 0.0], [0.0, 0.5]])
    >>> ends.points.round(6)
    array([[2.070796, 0. ], [1.570796, 0.5 ]])
    """
    metric, rtol = _numeric(metric), require_rtol(rtol)
    x, v = real_array("x", x, ChartError), real_array("v", v)
    metric.metric(x)
    if v.shape[-1:] != (metric.n,) or not np.all(np.isfinite(v)):
        raise ValueError(f"v must be finite with shape (..., {metric.n}), got v={v}")
    if not (steps is None or (isinstance(steps, numbers.Integral) and steps > 0)):
        raise ValueError(f"steps must be a whole number of at least 1, got steps={steps}")
    try:
        x, v = np.broadcast_arrays(x, v)
    except ValueError:
        raise ValueError(f"x and v must go together, got shapes {x.shape} and {v.shape}") from None
    if steps is None:
        end = _ends_by_dop853(metric, x, v, rtol, progress)
    else:
        end = _ends_by_runge_kutta(metric, np.concatenate([x, v], axis=-1), steps, progress)
    points, velocities = end[..., : metric.n], end[..., metric.n :]
    moves = np.any(v != 0, axis=-1)
    drift = np.zeros(moves.shape)
    drift[moves] = _drift(metric, np.stack([x[moves], points[moves]]), np.stack([v[moves], velocities[moves]]))
    return Endpoints(points, velocities, drift)


def _ends_by_dop853(metric, x, v, rtol, progress):
    """States (..., 2 n) at s = 1, all with the same steps."""
    start = np.concatenate([x, v], axis=-1)
    if not np.any(v):
        return start
    rtol = max(rtol / np.sqrt(start[..., 0].size), min(rtol, FINEST_RTOL))
    atol = _tolerances(metric, x, v, 1.0, rtol)
    atol = np.maximum(atol, 1e-3 * np.max(atol, axis=tuple(range(atol.ndim - 1))))  # points at rest have none
    edge = _Edge(lambda s, state: _rate(metric, state.reshape(start.shape)).ravel())
    path = integrate(edge, start.ravel(), 1.0, rtol, atol.ravel(), progress)
    if not path.finished:
        s = path.nodes[-1]
        if edge.at < s:
            raise IntegrationError(f"a geodesic cannot be followed beyond s={s:.6g}: the steps become too small")
        raise ChartError(f"a geodesic leaves the chart at s={s:.6g}: {edge.reason}")
    return path.states[-1].reshape(start.shape)


def _ends_by_runge_kutta(metric, state, steps, progress):
    """States (..., 2 n) at s = 1 by equal steps."""
    h = 1.0 / steps
    with Meter(progress, steps, "steps") as meter:
        for step in range(steps):
            try:
                state = _runge_kutta_step(metric, state, h)
            except ChartError as error:
                raise ChartError(f"a geodesic leaves the chart near s={step * h:.6g}: {error}") from error
            meter.reach(step + 1)
    return state


def _runge_kutta_step(metric, state, h):
    """Classical step of order 4 of the geodesic equation."""
    k1 = _rate(metric, state)
    k2 = _rate(metric, state + h / 2 * k1)
    k3 = _rate(metric, state + h / 2 * k2)
    k4 = _rate(metric, state + h * k3)
    return state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
