"""What all sub-commands share: errors in one line, and types of options that check their range."""
import argparse
import contextlib
import math
import re

__all__ = [
    "LONGEST_RUN", "Parser", "UsageError", "count", "library_errors", "non_negative", "number", "option_names",
    "positive",
]

LONGEST_RUN = 10**7    # steps; some methods hold dozens of arrays of that length


class UsageError(Exception):
    """Something in the command line is wrong; the text names the option and its value."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line.

    Examples
    --------
    >>> parser = Parser(prog="demo")
    >>> action = parser.add_argument("--lr", type=positive)
    >>> parser.parse_args(["--lr", "3e-4"]).lr
    0.0003
    """

    def error(self, message):
        """Print ``message`` to stderr in one line and leave with exit code 2."""
        self.exit(2, f"{self.prog}: error: {' '.join(message.split())}\n")


def number(text):
    """A number whose square, and ratio to another one, is far from overflow and underflow.

    Examples
    --------
    >>> number("-1e-3")
    -0.001
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if value != 0 and not 1e-30 <= abs(value) <= 1e30:
        raise argparse.ArgumentTypeError(f"must be 0 or a number of size 1e-30 to 1e30, got {text!r}")
    return value


def positive(text):
    """A number > 0."""
    value = number(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"must be positive, got {text!r}")
    return value


def non_negative(text):
    """A number >= 0."""
    value = number(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"must not be negative, got {text!r}")
    return value


def count(smallest):
    """Type of an option that is a number of steps, from ``smallest`` to ``LONGEST_RUN``.

    Examples
    --------
    >>> count(1)("1e5")
    100000
    """
    def whole(text):
        value = number(text)
        if value != int(value) or not smallest <= value <= LONGEST_RUN:
            raise argparse.ArgumentTypeError(
                f"must be a whole number from {smallest} to {LONGEST_RUN}, got {text!r}"
            )
        return int(value)
    return whole


# Arguments of the library that are options of the same name here. Those of one word are also plain words: only where
# the message says something about the argument.
_ARGUMENT = re.compile(
    r"\b(?:(decay_steps|final_lr|gradient_mean|gradient_std|init_mean|init_rms|target_rms|warmup_steps|weight_decay)"
    r"|(betas|eps|lr|power|steps|timescale)(?==| must| [*+] ))\b"
)


def option_names(message):
    """``message`` of the library, with its arguments named as the options that they are.

    Examples
    --------
    >>> option_names("warmup_steps + decay_steps must be at most steps, got steps=3")
    '--warmup-steps + --decay-steps must be at most steps, got --steps=3'
    """
    return _ARGUMENT.sub(lambda match: "--" + match.group().replace("_", "-"), message)


@contextlib.contextmanager
def library_errors():
    """Turn an error of the library into a :class:`UsageError` in terms of options.

    Examples
    --------
    >>> with library_errors():
    ...     raise ValueError("init_rms must be at least |init_mean|, got init_rms=0.1")
    Traceback (most recent call last):
    derivations.commands.options.UsageError: --init-rms must be at least |--init-mean|, got --init-rms=0.1
    """
    try:
        yield
    except ValueError as error:
        raise UsageError(option_names(str(error))) from error
    except MemoryError as error:
        raise UsageError("not enough memory: --steps is too large, or one of --betas too close to 1") from error
