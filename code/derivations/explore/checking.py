"""Run live, the exercises: a reader's answer, and the check of it, beside the cells of the page.

Called by ``assets/run-live-exercises.js`` as ``runLive.call('explore.checking.check', ...)``.
"""
import contextlib
import linecache
import re
import traceback

from .browser import _PAGE, _failure, _Outputs, _Stream

__all__ = ["check"]

_ANSWER, _CHECK = "<cell answer>", "<cell check>"


def check(source, tests):
    """Run an answer and its check with the names of the page, in a copy: the page's own names stay as they are.

    Parameters
    ----------
    source : str
        The reader's code.
    tests : str
        Code whose ``assert`` statements have messages that begin with ``hint:``.

    Returns
    -------
    dict
        ``right``; ``hint``, a sentence or None; and ``outputs`` as :func:`~derivations.explore.browser.run_cell`
        gives them, the last one an error if the code raised one.
    """
    outputs, namespace = _Outputs(), dict(_PAGE["namespace"])
    figures = dict(_PAGE["figures"])        # a figure of the answer must not take the place of the page's
    right, hint = False, None
    _PAGE["outputs"] = outputs
    with contextlib.redirect_stdout(_Stream(outputs, "stdout")), contextlib.redirect_stderr(_Stream(outputs, "stderr")):
        try:
            _run(source, _ANSWER, namespace)
            _run(tests, _CHECK, namespace)
            right = True
        except BaseException as error:      # SystemExit too: it must not end the worker
            hint = _hint(error)
            if hint is None:
                outputs.append(_told(error))
    _PAGE.update(outputs=None, figures=figures)
    return {"right": right, "hint": hint, "outputs": list(outputs)}


def _run(source, name, namespace):
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    exec(compile(source, name, "exec"), namespace)


def _hint(error):
    """The hint of an assert of the check; an assert of the answer is an error like any other."""
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, AssertionError) and frames[-1].filename == _CHECK:
        return str(error).removeprefix("hint: ")
    return None


def _told(error):
    """The error with the names of its two places in words."""
    told = _failure(error, _ANSWER)
    for name, words in ((_ANSWER, "Your answer"), (_CHECK, "The check")):
        told["text"] = re.sub(rf'File "{name}", line (\d+)', rf"{words}, line \1", told["text"])
    return told
