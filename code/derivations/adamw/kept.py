"""Numbers of experiments that are too long for a chapter, kept with their seeds."""
import json
from importlib import resources

from . import _checks as check

__all__ = ["KEPT", "kept_results"]

KEPT = ("prediction_accuracy", "published_checkpoint", "real_network")


def kept_results(name):
    """Read what a script in ``benchmarks`` measured and kept.

    Parameters
    ----------
    name : {"prediction_accuracy", "published_checkpoint", "real_network"}
        The script ``benchmarks/NAME.py``, whose docstring says what it measures, with which seed, and what each entry
        means.

    Returns
    -------
    list or dict
        The numbers as the script wrote them.

    Raises
    ------
    ValueError
        If nothing of that name is kept.

    Examples
    --------
    >>> run = kept_results("prediction_accuracy")[0]
    >>> run["schedule"], run["kappa"], run["betas"]
    ('constant', 0.5, [0.9, 0.95])
    """
    check.one_of("name", name, KEPT)
    file = resources.files(__package__) / "data" / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8"))
