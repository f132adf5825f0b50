"""Many settings at once, on any executor: processes on one machine or Dask workers on many."""
import functools
from concurrent.futures import Executor

import numpy as np

from ._progress import Meter
from .estimators import predict_stacked, predict_weight_rms
from .simulation import simulate

__all__ = ["predict_many", "simulate_many"]


def simulate_many(settings, *, rng, executor=None, progress=None):
    """Run :func:`simulate` for each setting.

    Parameters
    ----------
    settings : list of dict
        Arguments of :func:`simulate` by name, without ``rng``. ``threads`` and ``progress`` are 1 and False unless the
        setting says otherwise: the executor's workers are what runs side by side.
    rng : numpy.random.Generator
        Source of all randomness. Each setting gets its own stream, so the executor does not change the results.
    executor : concurrent.futures.Executor, optional
        What runs the settings: ``ProcessPoolExecutor()`` from Python's library, or
        ``dask.distributed.Client(...).get_executor()``. By default they run here, one after the other.
    progress : bool, optional
        Whether to show a progress bar on standard error; by default only in a terminal, for sweeps of more than 2 s.

    Returns
    -------
    list of SimulationResult
        In the order of ``settings``.

    Raises
    ------
    ValueError
        If a setting is no dictionary of arguments, or :func:`simulate` refuses it; the error names the setting.

    Examples
    --------
    >>> from derivations.adamw import constant
    >>> settings = [dict(schedule=constant(0.02, 200), weight_decay=wd, parameters=1000) for wd in (0.5, 2.0)]
    >>> small, large = simulate_many(settings, rng=np.random.default_rng(1))
    >>> small.rms > large.rms
    True
    """
    settings = _checked(settings, forbidden="rng")
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng must be a numpy.random.Generator, got rng={rng!r}")
    entropy = rng.integers(0, 2**32, 4, dtype=np.uint32).tolist()
    return _run(functools.partial(_simulate, entropy), settings, executor, progress)


def predict_many(settings, *, trajectory=False, executor=None):
    """Evaluate :func:`predict_weight_rms` for each setting; in one process much faster than one after the other.

    Parameters
    ----------
    settings : list of dict
        Arguments of :func:`predict_weight_rms` by name, without ``trajectory``.
    trajectory : bool
        Whether to return the RMS after every step instead of after the last one.
    executor : concurrent.futures.Executor, optional
        As in :func:`simulate_many`. By default the runs of ``"exact"`` and ``"recursion"`` that share their number of
        steps and ``beta1`` are solved together.

    Returns
    -------
    list of float or numpy.ndarray
        In the order of ``settings``.

    Raises
    ------
    ValueError
        If a setting is no dictionary of arguments, or :func:`predict_weight_rms` refuses it; the error names the
        setting.

    Examples
    --------
    >>> from derivations.adamw import constant
    >>> settings = [dict(schedule=constant(1e-3, 20_000), weight_decay=wd, method="recursion") for wd in (0.1, 0.4)]
    >>> [round(rms, 4) for rms in predict_many(settings)]
    [0.07, 0.0353]
    """
    settings = _checked(settings, forbidden="trajectory")
    if executor is None:
        return predict_stacked(settings, trajectory)
    return _run(functools.partial(_predict, trajectory), settings, executor, progress=False)


def _checked(settings, forbidden):
    """``settings`` as a list of dictionaries."""
    if not isinstance(settings, (list, tuple)):
        raise ValueError(f"settings must be a list of dictionaries, got settings={settings!r}")
    for index, setting in enumerate(settings):
        if not isinstance(setting, dict):
            raise ValueError(f"settings[{index}] must be a dictionary of arguments, got {setting!r}")
        if forbidden in setting:
            raise ValueError(f"settings[{index}] must not hold {forbidden!r}: it is given once for all")
    return settings


def _simulate(entropy, index, setting):
    # The same stream wherever and whenever this setting runs.
    rng = np.random.Generator(np.random.SFC64(np.random.SeedSequence(entropy, spawn_key=(index,))))
    return simulate(**dict(threads=1, progress=False) | setting, rng=rng)


def _predict(trajectory, index, setting):
    return predict_weight_rms(**setting, trajectory=trajectory)


def _run(function, settings, executor, progress):
    """``[function(index, setting), ...]``; an error names the setting that has failed."""
    if not isinstance(executor, Executor | None):
        raise ValueError(f"executor must be a concurrent.futures.Executor, got executor={executor!r}")
    jobs = list(enumerate(settings))
    with Meter(progress, len(jobs), "settings") as meter:
        futures = [executor.submit(function, *job) for job in jobs] if executor else []
        results = []
        try:
            for index, setting in jobs:
                results.append(futures[index].result() if executor else function(index, setting))
                meter.advance(1)
        except (TypeError, ValueError) as error:  # a wrong name of an argument is a TypeError
            raise ValueError(f"settings[{index}]: {error}") from error
        finally:
            for future in futures:
                future.cancel()  # has no effect on those that have ended
    return results
