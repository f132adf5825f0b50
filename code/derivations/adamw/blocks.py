"""The engine of the simulation: AdamW on blocks of weights, which may run on several threads.

A block's arrays stay in the processor's cache while all steps pass over them. Memory does not grow with the number of
weights, and since each block has its own stream of random numbers the result does not depend on the threads.
"""
import sys
from collections import deque
from dataclasses import dataclass

import numpy as np

from .gradients import Curved, fill_normal, noise_stream

__all__ = ["BLOCK", "Plan", "run_blocks"]

BLOCK = 32_768
# A factor that has left the interval between this and its inverse is multiplied into the array.
SMALLEST_SCALE = 2.0**-20
# The second moment starts here, so that a random gradient which is exactly 0 gives the update 0 and not 0/0.
TINY = 1e-30
STEPS_A_REPORT = 256


@dataclass(frozen=True)
class Plan:
    r"""What every block does. Gradients are in units of :math:`\sigma` (of :math:`\mu` if there is no noise).

    With :math:`M_t = m_t/(1 - \beta_1)` and :math:`W_t = v_t/(1 - \beta_2)`, which save two multiplications a weight,
    a step is

    .. math:: \theta_t = \mathrm{shrink}_t\,\theta_{t-1} - \mathrm{rate}_t\,\frac{M_t}{\sqrt{W_t} + \mathrm{floor}_t} .

    Parameters
    ----------
    betas : pair of float
        :math:`(\beta_1, \beta_2)`.
    shrink, rate, floor : numpy.ndarray, shape (T,)
        The three factors above.
    linear_rate : numpy.ndarray, shape (T,), or None
        Rate of the linear companion, :math:`\theta_t = \mathrm{shrink}_t\,\theta_{t-1} - \mathrm{linear\_rate}_t M_t`;
        None without control variate.
    gradients : "gaussian", Law, Correlated, Curved or numpy.ndarray of shape (T, parameters)
        As in :func:`simulate`; the curvature is in the unit of the gradients.
    gradient_mean : float
        :math:`\mu` in the unit of the gradients.
    has_noise : bool
        Whether :math:`\sigma > 0`.
    init_mean, init_std : float
        The start.
    record : list of int
        Steps after which to measure.
    dtype : numpy.dtype
        In which precision to compute.
    """

    betas: tuple
    shrink: np.ndarray
    rate: np.ndarray
    floor: np.ndarray
    linear_rate: np.ndarray | None
    gradients: object
    gradient_mean: float
    has_noise: bool
    init_mean: float
    init_std: float
    record: list
    dtype: np.dtype


class _Decaying:
    """An array kept as ``scale * stored``: a decay costs no pass over it, and float32 cannot lose a factor 1 - 1e-8."""

    def __init__(self, stored):
        self.stored, self.scale = stored, 1.0

    def decay(self, factor):
        self.scale *= factor
        # Also where the scale is 0, or grows because lr * weight_decay exceeds 2.
        if not SMALLEST_SCALE < abs(self.scale) < 1 / SMALLEST_SCALE:
            self.stored *= self.scale
            self.scale = 1.0


class _Block:
    """A block of weights; the linear companion has the second row of ``theta``, and of ``first`` if that differs."""

    def __init__(self, plan, first, size, rng):
        self.plan = plan
        self.noise = noise_stream(plan.gradients, rng, first, size, plan.gradient_mean, plan.has_noise)
        self.curvature = plan.gradients.curvature if isinstance(plan.gradients, Curved) else 0.0
        rows = 1 if plan.linear_rate is None else 2
        start = np.zeros(size, np.float32)
        if plan.init_std:
            fill_normal(rng, start)
        self.theta = _Decaying(np.tile(plan.init_mean + plan.init_std * start.astype(plan.dtype), (rows, 1)))
        self.first = _Decaying(np.zeros((rows if self.curvature else 1, size), plan.dtype))
        self.pulled = np.empty_like(self.first.stored) if self.curvature else None
        given = isinstance(plan.gradients, np.ndarray)
        self.second = _Decaying(np.full(size, 0.0 if given else TINY, plan.dtype))

    def advance(self, step):
        """Take one step, counted from 0. All lines work in place: new arrays would cost more than the arithmetic."""
        plan, theta, first, second = self.plan, self.theta, self.first, self.second
        gradient = self.noise(step).astype(plan.dtype, copy=False)[np.newaxis]
        if self.curvature:
            np.multiply(theta.stored, self.curvature * theta.scale, out=self.pulled)
            self.pulled += gradient
            gradient = self.pulled
        first.decay(plan.betas[0])
        gradient *= 1 / first.scale
        first.stored += gradient
        second.decay(plan.betas[1])
        work = gradient[0]
        np.multiply(work, work, out=work)
        work *= first.scale**2 / second.scale
        second.stored += work
        np.sqrt(second.stored, out=work)
        if plan.floor[step]:
            work += float(plan.floor[step]) / second.scale**0.5
        np.divide(first.stored[0], work, out=work)
        theta.decay(float(plan.shrink[step]))
        work *= float(plan.rate[step]) * first.scale / second.scale**0.5 / theta.scale
        theta.stored[0] -= work
        if plan.linear_rate is not None:
            np.multiply(first.stored[-1], float(plan.linear_rate[step]) * first.scale / theta.scale, out=work)
            theta.stored[1] -= work

    def sums(self):
        """Sums of d and of d^2 over the weights, where d = theta^2, minus that of the companion if there is one."""
        squares = np.square(self.theta.stored, dtype=float)
        difference = squares[0] if len(squares) == 1 else np.subtract(*squares, out=squares[0])
        total = difference.sum()
        np.multiply(difference, difference, out=difference)
        return total * self.theta.scale**2, difference.sum() * self.theta.scale**4


def run_blocks(plan, parameters, entropy, threads, meter):
    """Simulate ``parameters`` weights; yield for each block, in order, the sums of d and d^2, an array of shape (2, K).

    Parameters
    ----------
    plan : Plan
    parameters : int
        Number of weights.
    entropy : list of int
        Seed; block number i uses child i of its ``numpy.random.SeedSequence``.
    threads : int
        Number of threads; with 1 none is started.
    meter : Meter
        Is told about weights times steps.
    """
    def run(first):
        seed = np.random.SeedSequence(entropy, spawn_key=(first // BLOCK,))
        rng = np.random.Generator(np.random.SFC64(seed))
        return _run_block(plan, first, min(BLOCK, parameters - first), rng, meter)

    starts = range(0, parameters, BLOCK)
    threads = min(threads, len(starts))
    if threads == 1 or sys.platform == "emscripten":  # in a browser there are no threads; the sums are the same
        yield from map(run, starts)
        return
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(threads) as pool:
        waiting = deque()
        try:
            for first in starts:
                waiting.append(pool.submit(run, first))
                if len(waiting) > 2 * threads:  # results that nobody has collected yet would fill the memory
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BaseException:  # a keyboard interrupt too: the other threads would go on to the end of the run
            meter.stop()
            pool.shutdown(cancel_futures=True)
            raise


def _run_block(plan, first, size, rng, meter):
    """Run all steps of one block."""
    sums = np.empty((2, len(plan.record)))
    with np.errstate(all="ignore"):  # the caller looks for numbers that are not finite
        block = _Block(plan, first, size, rng)
        recorded = 0
        for step in range(plan.record[-1]):
            block.advance(step)
            if step + 1 == plan.record[recorded]:
                sums[:, recorded] = block.sums()
                recorded += 1
            if (step + 1) % STEPS_A_REPORT == 0:
                meter.advance(size * STEPS_A_REPORT)
        if not np.isfinite(block.second.stored).all():  # an infinite denominator leaves finite weights, but wrong ones
            sums[:, -1] = np.nan
    meter.advance(size * (plan.record[-1] % STEPS_A_REPORT))
    return sums
