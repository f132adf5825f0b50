r"""Geodesic between two points: aim, shoot, correct the aim.

The map from the aim v to the end :math:`\exp_a(v)` has Jacobi fields for its derivatives,

.. math:: \frac{\partial \exp_a(v)}{\partial v^\alpha} = J_\alpha(1), \qquad
          J_\alpha(0) = 0, \quad \frac{DJ_\alpha}{ds}(0) = e_\alpha ,

so Newton's method needs no finite differences. It only converges from a good first aim; a rough solution of the
boundary value problem, by collocation, gives one.
"""
import numpy as np

from ._integrate import require_rtol
from ._progress import Meter
from .errors import ChartError, IntegrationError
from .geodesics import _Edge, _rate, geodesic, require_point, require_velocity
from .jacobi import with_neighbours
from .transport import _numeric, coordinate_sizes

__all__ = ["geodesic_between"]

# Newton's method needs few rounds, or nothing helps.
MOST_ROUNDS = 20
SMALLEST_DAMPING = 2.0**-5
# The rough solution: points of its first guess, its tolerance, and the limit of its patience.
GUESS_POINTS, ROUGH_TOLERANCE, MOST_POINTS = 17, 1e-2, 500
# Smallest part of the way to the target that is tried by itself.
SMALLEST_STRIDE = 2.0**-8
# Slopes whose singular values differ by more than this factor belong to a conjugate point.
DEPENDENT = 1e-10
# How far the last shot may miss, as a part of the distance of the coordinates. The aim is far better than that, but
# where geodesics spread exponentially a small error grows.
LARGEST_MISS = 1e-6


def geodesic_between(metric, a, b, *, v_guess=None, rtol=1e-11, tolerance=1e-9, progress=None):
    r"""Geodesic that joins two points, by shooting.

    Newton's method for the velocity v in :math:`\exp_a(v) = b`, with Jacobi fields as the derivatives.

    Parameters
    ----------
    metric : NumericMetric, Space or Metric
        A space or a metric without parameters stands for its numeric form.
    a, b : array_like, shape (n,)
        First and last point, different. Angles are taken as they are: from longitude 0.1 to longitude 6.2 leads the
        long way round, from 0.1 to :math:`6.2 - 2\pi` the short way.
    v_guess : array_like, shape (n,), optional
        Where Newton's method begins; left out: what collocation suggests, from the coordinate line between a and b.
        Where several geodesics join the points, it decides which one is found.
    rtol : float
        Relative tolerance of a step of the integrator.
    tolerance : float
        Newton's method ends when it changes v by less than this part.
    progress : bool or None
        Whether to show a progress bar; None: only on a terminal and after two seconds.

    Returns
    -------
    Geodesic
        With end = 1, so that ``velocities(0)`` is the v of the formula, and ``length`` the length between the points.

    Raises
    ------
    ChartError
        If a or b is no point of the chart.
    ValueError
        If a and b are the same, `v_guess` has the wrong shape, is not finite or is zero, or `rtol` does not lie
        between 2.3e-14 and 1.
    IntegrationError
        If Newton's method does not converge: perhaps no geodesic inside the chart joins the points.

    Notes
    -----
    A correction is halved until the next one would be smaller (damped Newton method). Where collocation fails, it is
    tried with a nearer target on the coordinate line from a to b, from there with the next one, and so on to b.
    If b is conjugate to a, like opposite points of a sphere, many geodesics may join them, and one of them is returned.

    Equation :eq:`eq-riemann-geodesic` of the book.

    References
    ----------
    P. Deuflhard, *Newton Methods for Nonlinear Problems*, Springer, 2004, chapters 3 (damping), 5 (continuation) and 8
    (boundary value problems).

    Examples
    --------
    The distance of (0, 1) and (0, e) in the half-plane is 1.

    >>> import numpy as np
    >>> from derivations.riemann import spaces
    >>> print(f"{geodesic_between(spaces.half_plane(), [0.0, 1.0], [0.0, np.e]).length:.9f}")
    1.000000000
    """
    metric, rtol = _numeric(metric), require_rtol(rtol)
    a, b = require_point(metric, "a", a), require_point(metric, "b", b)
    if np.array_equal(a, b):
        raise ValueError(f"a and b must be different points, got a=b={a}")
    if v_guess is None:
        with Meter(progress, 1.0, "of the way") as meter:
            v = _rough_aim(metric, a, b, meter)
    else:
        v = require_velocity(metric, "v_guess", v_guess)
    aim = _newton(metric, a, b, v, rtol, tolerance)
    found = None if aim is None else geodesic(metric, a, aim, 1.0, rtol=rtol, progress=False)
    if found is None or np.max(np.abs(found.points(1.0) - b)) > LARGEST_MISS * np.max(np.abs(b - a)):
        raise IntegrationError(f"shooting from a={a} to b={b} did not converge from the aim v={v}")
    return found


def _rough_aim(metric, a, b, meter):
    """Velocity of a rough solution, found by way of nearer targets where necessary."""
    n, reached, stride = metric.n, 0.0, 1.0
    s = np.linspace(0.0, 1.0, GUESS_POINTS)
    state = np.concatenate([np.repeat(a[:, None], len(s), axis=1), np.zeros((n, len(s)))])
    while reached < 1.0:
        part = min(1.0, reached + stride)
        change = (part - reached) * (b - a)[:, None]
        found = _collocation(metric, a, a + part * (b - a), s, state + np.concatenate([change * s, change + 0 * s]))
        if found.success:
            s, state, reached, stride = found.x, found.y, part, 2 * stride
            meter.reach(reached)
        elif stride > SMALLEST_STRIDE:
            stride /= 4
        else:
            raise IntegrationError(f"shooting from a={a} to b={b} did not converge: no aim was found beyond "
                                   f"{a + reached * (b - a)} on the coordinate line between them")
    return state[n:, 0]


def _collocation(metric, a, b, s, guess):
    """Rough solution of the boundary value problem; SciPy's result."""
    from scipy.integrate import solve_bvp

    edge = _Edge(lambda s, state: _rate(metric, state))  # outside the chart there is no solution
    with np.errstate(all="ignore"):
        return solve_bvp(lambda s, state: edge(s, state.T).T,
                         lambda first, last: np.concatenate([first[: len(a)] - a, last[: len(b)] - b]),
                         s, guess, tol=ROUGH_TOLERANCE, max_nodes=MOST_POINTS)


def _newton(metric, a, b, v, rtol, tolerance):
    """Aim from a to b, or None."""
    sizes = coordinate_sizes(metric.metric(a))
    end, slopes = _shoot(metric, a, v, rtol)
    if end is None:
        return None
    for _ in range(MOST_ROUNDS):
        correction = _correction(slopes, b - end)
        length, damping = np.linalg.norm(sizes * correction), 1.0
        if length <= tolerance * np.linalg.norm(sizes * v):
            return v + correction
        while True:
            next_end, next_slopes = _shoot(metric, a, v + damping * correction, rtol)
            # The slopes from before measure how far the aim is off, in any coordinates.
            if next_end is not None and np.linalg.norm(sizes * _correction(slopes, b - next_end)) < length:
                break
            damping /= 2
            if damping < SMALLEST_DAMPING:
                return None
        v, end, slopes = v + damping * correction, next_end, next_slopes
    return None


def _correction(slopes, miss):
    """Change of the aim that mends a miss; the smallest one where the slopes are dependent (conjugate points)."""
    return np.linalg.lstsq(slopes, miss, rcond=DEPENDENT)[0]


def _shoot(metric, a, v, rtol):
    """End (n,) and its derivatives (n, n) by the aim v; None twice if the geodesic leaves the chart."""
    n = metric.n
    try:
        path = with_neighbours(metric, a, v, 1.0, np.zeros((n, n)), np.eye(n), rtol)
    except (ChartError, IntegrationError):
        return None, None
    return path.states[-1, :n], path.states[-1, 2 * n : 2 * n + n * n].reshape(n, n)
