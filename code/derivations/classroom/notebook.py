"""What a student's notebook calls: the same ``student(...)`` that the grader's tests use, answered on the spot."""
import sys

from .transport import decode, encode

__all__ = ["student"]


def student(expression, **data):
    """Value of an expression in your notebook, as the grader sees it: data only.

    The checks of an assignment ask for your work through this one function. When the grader runs them, your code runs
    in another process, and only numbers, text, arrays, lists and dictionaries come back; here the value takes the same
    way, so that what works for you works there.

    Parameters
    ----------
    expression : str
        One Python expression, such as ``"rms(lr, weight_decay)"``.
    **data
        Values of the names in the expression; they are known to this expression only.

    Returns
    -------
    object
        Tuples come back as lists, dictionaries with text as keys.

    Raises
    ------
    NotData
        If the value is anything else, such as a function or an array of objects.

    Examples
    --------
    >>> student("numbers[0] + 1", numbers=[41])
    42
    """
    space = dict(sys._getframe(1).f_globals)
    # Arrays are handed over as copies: a function that changes its arguments in place must not change the check's.
    space.update({name: decode(encode(value)) for name, value in data.items()})
    return decode(encode(eval(expression, space)))
