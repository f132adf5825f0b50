"""Checks of arguments that several modules share. Each error names the argument and its value."""
import numbers

import numpy as np


class DoesNotApply(ValueError):
    """A method was asked for a run that it says nothing about."""


LARGEST = 1e100  # of a number whose square is needed


def finite(name, value):
    """Return ``value`` as a float array; it must be real and finite, and neither text nor truth values."""
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "iufO":
            raise TypeError(f"dtype {array.dtype}")
        array = array.astype(float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be a number or an array of numbers, got {name}={_short(value)}") from error
    _require(np.isfinite(array), "finite", name, value, array)
    return array


def positive(name, value):
    """Return ``value`` as a float array; it must be positive."""
    array = finite(name, value)
    _require(array > 0, "positive", name, value, array)
    return array


def non_negative(name, value):
    """Return ``value`` as a float array; it must not be negative."""
    array = finite(name, value)
    bad = array < 0
    if np.any(bad):
        raise ValueError(f"{name} must not be negative, got {_offender(name, value, array, bad)}")
    return array


def squarable(name, value):
    """Return ``value`` as a float array; it must be so small that its square is finite."""
    array = finite(name, value)
    _require(np.abs(array) <= LARGEST, f"at most {LARGEST:g} in size", name, value, array)
    return array


def flag(name, value):
    """Return ``value``; it must be true or false."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name} must be True or False, got {name}={value!r}")
    return bool(value)


def same_shape(**arguments):
    """Check that the shapes of the arguments broadcast."""
    shapes = {name: np.shape(value) for name, value in arguments.items()}
    try:
        np.broadcast_shapes(*shapes.values())
    except ValueError as error:
        told = ", ".join(f"{name} {shape}" for name, shape in shapes.items() if shape)
        raise ValueError(f"shapes must broadcast, got {told}") from error


def _require(good, what, name, value, array):
    if not np.all(good):
        raise ValueError(f"{name} must be {what}, got {_offender(name, value, array, ~good)}")


def _offender(name, value, array, bad):
    """The value or, for a long array, its first bad entry."""
    if array.ndim == 0:
        return f"{name}={np.asarray(value).item()!r}"
    if array.size <= 8:
        return f"{name}={value!r}"
    index = tuple(int(i) for i in np.argwhere(bad)[0])
    return f"{name}[{', '.join(map(str, index))}]={array[index]}"


def _short(value):
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}..."


def count(name, value, smallest=1):
    """Return ``value`` as an int that is at least ``smallest``."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < smallest:
        raise ValueError(f"{name} must be an integer >= {smallest}, got {name}={value!r}")
    return int(value)


def beta_pair(betas):
    """Return ``betas`` as two floats in [0, 1)."""
    try:
        beta1, beta2 = (float(finite("betas", beta)) for beta in betas)
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
    rms, mean = squarable("init_rms", non_negative("init_rms", init_rms)), finite("init_mean", init_mean)
    same_shape(init_rms=init_rms, init_mean=init_mean)
    if np.any(np.abs(mean) > rms):
        raise ValueError(f"init_rms must be at least |init_mean|, got init_rms={init_rms!r}, init_mean={init_mean!r}")
    return rms, mean


def gradient_rms(gradient_mean, gradient_std):
    """Return ``sqrt(mean^2 + std^2)``; it must be positive."""
    mean, std = squarable("gradient_mean", gradient_mean), non_negative("gradient_std", gradient_std)
    squarable("gradient_std", std)
    same_shape(gradient_mean=gradient_mean, gradient_std=gradient_std)
    if np.any((mean == 0) & (std == 0)):
        raise ValueError(
            "gradient_std must be positive where gradient_mean is 0, "
            f"got gradient_mean={gradient_mean!r}, gradient_std={gradient_std!r}"
        )
    return np.hypot(mean, std)
