"""A progress bar that shows itself only where somebody watches."""
import sys
import threading

__all__ = ["Meter"]

# A bar that appears and vanishes at once only disturbs.
PATIENCE = 2.0


class Meter:
    """Counts finished work, possibly from several threads, and draws a bar on standard error.

    Parameters
    ----------
    progress : bool or None
        Whether to draw the bar; None: only when standard error is a terminal, and after two seconds.
    total : int
        Amount of work.
    unit : str
        What is counted.

    Raises
    ------
    ValueError
        If ``progress`` is something else.

    Examples
    --------
    >>> with Meter(False, total=10, unit="weights") as meter:
    ...     meter.advance(10)
    """

    def __init__(self, progress, total, unit):
        if progress not in (None, True, False):
            raise ValueError(f"progress must be True, False or None, got progress={progress!r}")
        self._bar = None
        self._lock = threading.Lock()
        self._stopped = False
        if progress or (progress is None and sys.stderr is not None and sys.stderr.isatty()):
            self._bar = _bar_class()(total=total, unit=" " + unit, unit_scale=True, delay=0 if progress else PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._bar is not None:
            self._bar.close()

    def advance(self, amount):
        """Add finished work. After :meth:`stop` this raises, so that other threads end early."""
        if self._stopped:
            raise RuntimeError("stopped, because the run failed elsewhere")
        if self._bar is not None:
            with self._lock:
                self._bar.update(amount)

    def stop(self):
        """Let every thread that works for this meter end at its next report."""
        self._stopped = True


def _bar_class():
    from tqdm import tqdm

    class Bar(tqdm):
        monitor_interval = 0  # no thread that redraws the bar while nothing happens

    return Bar
