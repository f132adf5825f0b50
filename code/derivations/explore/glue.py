"""Numbers of the prose: computed in a cell, written by the book."""
import math
import numbers
import os

__all__ = ["baking", "glue"]

_PREFIX = "application/papermill.record/"


def baking():
    """Whether the book is being built (environment variable ``DERIVATIONS_BAKE=1``)."""
    return os.environ.get("DERIVATIONS_BAKE") == "1"


def glue(name, value, fmt=""):
    """Keep a number for the prose: ``{glue:text}`name``` writes it in MyST.

    In a notebook this shows nothing; while the book is built it emits the record that MyST-NB looks for.

    Parameters
    ----------
    name : str
        Key of the number, unique on the page.
    value : object
        Usually a number.
    fmt : str, optional
        Format specification, for example ``".3f"``.

    Raises
    ------
    ValueError
        If the name is empty, the value is a number but not finite, or ``fmt`` does not fit the value.

    References
    ----------
    MyST-NB, "Embed code outputs": https://myst-nb.readthedocs.io/en/latest/render/glue.html

    Examples
    --------
    >>> glue("demo-rms", 0.12345, ".3f")
    """
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"name must be a non-empty string, got name={name!r}")
    if isinstance(value, numbers.Number) and (value != value or abs(value) == math.inf):
        raise ValueError(f"value must be finite, got value={value!r} for name={name!r}")
    try:
        text = format(value, fmt)
    except (ValueError, TypeError) as error:
        raise ValueError(f"fmt must fit the value {value!r} ({error}), got fmt={fmt!r}") from error
    if baking():
        from IPython.display import display
        metadata = {"scrapbook": {"name": name, "mime_prefix": _PREFIX}}
        # In quotes: MyST-NB evaluates the text, and would write 0.1000 as 0.1.
        display({f"{_PREFIX}text/plain": repr(text)}, raw=True, metadata=metadata)
