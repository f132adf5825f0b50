"""Ordinary differential equations: SciPy's DOP853, with an answer between the steps."""
import numbers
from dataclasses import dataclass

import numpy as np

from ._progress import Meter
from .errors import IntegrationError

__all__ = ["MOST_STEPS", "FINEST_RTOL", "Path", "integrate", "require_rtol"]

MOST_STEPS = 100_000
# So many steps that together lead less far than this part of the way: round-off near a singular place, no progress.
STUCK_STEPS, STUCK_PART = 200, 1e-9
FINEST_RTOL = 2.3e-14  # below 100 eps = 2.22e-14 SciPy cannot tell an error from round-off


def require_rtol(rtol):
    """Tolerance as a float, or a ValueError: it must be a number from FINEST_RTOL to 1."""
    if np.ndim(rtol) != 0 or not isinstance(rtol, (numbers.Real, np.ndarray)) or not FINEST_RTOL <= rtol < 1:
        raise ValueError(f"rtol must lie between {FINEST_RTOL} and 1, got rtol={rtol!r}")
    return float(rtol)


@dataclass(frozen=True)
class Path:
    """Solution y(s) of a differential equation.

    Attributes
    ----------
    nodes : numpy.ndarray, shape (m,)
        Values of s at which a step begins or ends.
    states : numpy.ndarray, shape (m, d)
        y there.
    dense : callable
        ``dense(s)`` is y between the nodes, shape (d, k) for s of shape (k,).
    finished : bool
        False if the steps became too small before the end: the equation is singular there.
    """

    nodes: np.ndarray
    states: np.ndarray
    dense: object
    finished: bool

    def __call__(self, s):
        """y at s of shape (k,), shape (k, d)."""
        return self.dense(s).T if len(s) else np.empty((0, self.states.shape[1]))


def integrate(rate, start, end, rtol, atol, progress=False, max_step=np.inf):
    """Solve dy/ds = rate(s, y) from s = 0 to s = end.

    Parameters
    ----------
    rate : callable
        May answer with NaN where it is not defined: the step is then tried again with a fifth of the size.
    start : numpy.ndarray, shape (d,)
    end : float
        Positive.
    rtol : float
        Relative tolerance of a step.
    atol : float or numpy.ndarray, shape (d,)
        Absolute tolerance of a step.
    progress : bool or None
        See :class:`Meter`.
    max_step : float
        Longest step.

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        If `rtol` is below 2.3e-14 or not below 1.
    IntegrationError
        If 100,000 steps are not enough.

    Notes
    -----
    Explicit Runge-Kutta method of order 8(5,3) with dense output of order 7.

    References
    ----------
    E. Hairer, S. P. Norsett, G. Wanner, *Solving Ordinary Differential Equations I*, 2nd ed., Springer, 1993,
    section II.5.

    Examples
    --------
    >>> path = integrate(lambda s, y: -y, np.ones(1), 2.0, 1e-12, 1e-12)
    >>> print(f"{path(np.array([1.0]))[0, 0]:.10f}")
    0.3678794412
    """
    from scipy.integrate import DOP853, OdeSolution

    rtol = require_rtol(rtol)
    with np.errstate(all="ignore"), Meter(progress, end, "of s") as meter:  # bad values only make the step smaller
        solver = DOP853(rate, 0.0, start, end, rtol=rtol, atol=atol, max_step=max_step)
        nodes, states, pieces = [0.0], [np.asarray(start, dtype=float)], []
        while solver.status == "running" and len(pieces) < MOST_STEPS and not _stuck(nodes, end):
            solver.step()
            if solver.status != "failed":
                nodes.append(solver.t)
                states.append(solver.y)
                pieces.append(solver.dense_output())
                meter.reach(solver.t)
    if len(pieces) >= MOST_STEPS and solver.status == "running":
        raise IntegrationError(f"{MOST_STEPS} steps were not enough: they reached s={solver.t:.6g} of {end:.6g}")
    dense = OdeSolution(nodes, pieces) if pieces else None
    return Path(np.array(nodes), np.array(states), dense, solver.status == "finished")


def _stuck(nodes, end):
    return len(nodes) > STUCK_STEPS and nodes[-1] - nodes[-STUCK_STEPS] < STUCK_PART * end
