"""Ordinary differential equations: SciPy's DOP853, with an answer between the steps."""
from dataclasses import dataclass

import numpy as np

from ._progress import Meter
from .errors import IntegrationError

__all__ = ["MOST_STEPS", "FINEST_RTOL", "Path", "integrate"]

MOST_STEPS = 100_000
# So many steps that together lead less far than this part of the way: round-off near a singular place, no progress.
STUCK_STEPS, STUCK_PART = 200, 1e-9
FINEST_RTOL = 100 * np.finfo(float).eps  # below it SciPy cannot tell an error from round-off


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


def integrate(rate, start, end, rtol, atol, progress=False):
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

    Returns
    -------
    Path

    Raises
    ------
    IntegrationError
        If `rtol` is below 2.3e-14, or 100,000 steps are not enough.

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

    if not rtol >= FINEST_RTOL:
        raise IntegrationError(f"did not reach rtol={rtol}: float64 allows no less than {FINEST_RTOL:.2g}")
    with np.errstate(all="ignore"), Meter(progress, end, "of s") as meter:  # bad values only make the step smaller
        solver = DOP853(rate, 0.0, start, end, rtol=rtol, atol=atol)
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
