"""The curvature calculator: a metric in, its Christoffel symbols and curvature out, as LaTeX and as code for SymPy.

The page ``chapters/riemann/calculator`` has the same fields. Answers for the spaces of the catalogue lie ready on the
site; those for a metric that somebody types in come from :func:`curvature`, in the reader's browser.
"""

__all__ = ["curvature", "page_data", "prepared_answers"]

GROUPS = (
    ("Surfaces", lambda space: space.n == 2),
    ("Spaces", lambda space: space.n > 2 and space.times == 0),
    ("Space-times", lambda space: space.times > 0),
)
EXAMPLES = {
    "a surface of revolution with any profile": "dx**2 + f(x)**2*dphi**2",
    "a wormhole": "-dt**2 + dl**2 + (b**2 + l**2)*(dtheta**2 + sin(theta)**2*dphi**2)",
    "a plane that expands": "-dt**2 + a(t)**2*(dx**2 + dy**2)",
}


def curvature(metric, coordinates=None, parameters=None, positive=None, picture=True):
    r"""Compute the curvature of a line element, or of a space of the catalogue, and write it down.

    Parameters
    ----------
    metric : str
        A line element such as ``"dr**2 + r**2*dphi**2"``, see :func:`derivations.riemann.read_line_element`; or the
        name of a space of :mod:`derivations.riemann.spaces`, such as ``"kerr"``.
    coordinates : str or sequence of str, optional
        The coordinates of a line element in the order of the indices. Left out: as their differentials appear.
    parameters : str or sequence of str, optional
        Parameters of a line element whose name begins with d.
    positive : str or sequence of str, optional
        Symbols of a line element that are positive; all others are real.
    picture : bool
        Whether to draw a surface, if there is one to draw.

    Returns
    -------
    dict
        Fit for JSON. ``name``; ``space``: the name in the catalogue, or None; ``line_element``: LaTeX; ``input``: the
        arguments that give this metric as a line element; ``coordinates``, ``symbols`` (the coordinates, parameters and
        functions as LaTeX), ``assumptions`` (a sentence), ``chart`` (limits of the coordinates, LaTeX); ``notes``:
        sentences; ``quantities``: a list of dicts with a ``key``, a ``title``, ``equations`` (pairs of LaTeX: the
        non-zero independent components) and ``code`` (lines of Python); ``code``: the lines that stand before them;
        ``picture``: ``svg``, ``alt`` and ``caption``, or None. Or only ``error``, a sentence that names the field and
        its value, and ``field``.

    Examples
    --------
    >>> answer = curvature("dr**2 + sin(r)**2*dphi**2", picture=False)
    >>> {quantity["key"]: quantity["equations"] for quantity in answer["quantities"]}["scalar"]
    [['R', '2']]
    >>> print(curvature("dr**2 + r**2*dphi")["error"])
    The line element (metric) cannot be used: terms with 2 and 1 differentials are added at position 7 of
    'dr**2 + r**2*dphi'.
    """
    from .curvature_answer import answer    # SymPy takes long to import

    return answer(metric, coordinates, parameters, positive, picture)


def page_data():
    """What the page's script must know, as the page carries it.

    Returns
    -------
    dict
        Fit for JSON: ``groups`` (title and spaces, each with its ``key``, ``name`` and ``input``), ``examples``,
        ``longest`` (characters of a line element).

    Examples
    --------
    >>> data = page_data()
    >>> [(group["title"], len(group["spaces"])) for group in data["groups"]]
    [('Surfaces', 15), ('Spaces', 5), ('Space-times', 11)]
    """
    from ..riemann import spaces
    from ..riemann.line_element import LONGEST
    from .curvature_answer import typed

    made = [(make.__name__, make()) for make in spaces.SPACES]
    groups = [
        {"title": title, "spaces": [{"key": key, "name": space.name, "input": typed(space.metric)}
                                    for key, space in made if belongs(space)]}
        for title, belongs in GROUPS
    ]
    return {"groups": groups, "examples": EXAMPLES, "longest": LONGEST}


def prepared_answers():
    """Answers for all spaces of the catalogue.

    Returns
    -------
    dict of str to dict
        What :func:`curvature` returns, by the name of the space.
    """
    from ..riemann import spaces

    return {make.__name__: curvature(make.__name__) for make in spaces.SPACES}
