"""A progress bar that shows itself only where somebody watches."""
import sys

__all__ = ["Meter"]

# A bar that appears and vanishes at once only disturbs.
PATIENCE = 2.0


class Meter:
    """Counts finished work and draws a bar on standard error.

    Parameters
    ----------
    progress : bool or None
        Whether to draw the bar; None: only when standard error is a terminal, and after two seconds.
    total : float
        Amount of work.
    unit : str
        What is counted.

    Raises
    ------
    ValueError
        If ``progress`` is something else.

    Examples
    --------
    >>> with Meter(False, total=10, unit="steps") as meter:
    ...     meter.reach(10)
    """

    def __init__(self, progress, total, unit):
        if not (progress is None or isinstance(progress, bool)):
            raise ValueError(f"progress must be True, False or None, got progress={progress!r}")
        self._bar = None
        if progress or (progress is None and sys.stderr is not None and sys.stderr.isatty()):
            self._bar = _bar_class()(total=total, unit=unit, delay=0 if progress else PATIENCE,
                                     bar_format="{l_bar}{bar}| {n:.4g}/{total:.4g} {unit} [{elapsed}<{remaining}]")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._bar is not None:
            self._bar.close()

    def reach(self, amount):
        """Tell how much is finished by now."""
        if self._bar is not None:
            self._bar.update(amount - self._bar.n)


def _bar_class():
    from tqdm import tqdm

    class Bar(tqdm):
        monitor_interval = 0  # no thread that redraws the bar while nothing happens

    return Bar
