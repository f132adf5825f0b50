"""Checks of arguments that several modules share. Each error names the argument and its value."""
import numbers

import numpy as np


class DoesNotApply(ValueError):
    """A method was asked for a run that it says nothing about."""


def finite(name, value):
    """Return ``value`` as a float array; it must be real and finite."""
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be a number or an array of numbers, got {name}={value!r}") from error
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name} must be finite, got {name}={value!r}")
    return array


def positive(name, value):
    """Return ``value`` as a float array; it must be positive."""
    array = finite(name, value)
    if np.any(array <= 0):
        raise ValueError(f"{name} must be positive, got {name}={value!r}")
    return array


def non_negative(name, value):
    """Return ``value`` as a float array; it must not be negative."""
    array = finite(name, value)
    if np.any(array < 0):
        raise ValueError(f"{name} must not be negative, got {name}={value!r}")
    return array


def count(name, value, smallest=1):
    """Return ``value`` as an int that is at least ``smallest``."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < smallest:
        raise ValueError(f"{name} must be an integer >= {smallest}, got {name}={value!r}")
    return int(value)


def beta_pair(betas):
    """Return ``betas`` as two floats in [0, 1)."""
    try:
        beta1, beta2 = (float(beta) for beta in betas)
    except (TypeError, ValueError) as error:
        raise ValueError(f"betas must be two numbers, got betas={betas!r}") from error
    if not (0 <= beta1 < 1 and 0 <= beta2 < 1):
        raise ValueError(f"betas must lie in [0, 1), got betas={betas!r}")
    return beta1, beta2


def one_of(name, value, options):
    """Return ``value``; it must be one of ``options``."""
    if value not in options:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, options))}, got {name}={value!r}")
    return value


def start(init_rms, init_mean):
    """Return ``init_rms`` and ``init_mean`` as float arrays; a mean cannot exceed the RMS."""
    rms, mean = non_negative("init_rms", init_rms), finite("init_mean", init_mean)
    if np.any(np.abs(mean) > rms):
        raise ValueError(f"init_rms must be at least |init_mean|, got init_rms={init_rms!r}, init_mean={init_mean!r}")
    return rms, mean


def gradient_rms(gradient_mean, gradient_std):
    """Return ``sqrt(mean^2 + std^2)``; it must be positive."""
    mean, std = finite("gradient_mean", gradient_mean), non_negative("gradient_std", gradient_std)
    if np.any((mean == 0) & (std == 0)):
        raise ValueError(
            "gradient_std must be positive where gradient_mean is 0, "
            f"got gradient_mean={gradient_mean!r}, gradient_std={gradient_std!r}"
        )
    return np.hypot(mean, std)
