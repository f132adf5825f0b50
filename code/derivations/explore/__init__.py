"""Figures with controls: one call, the same figure in a notebook, on a static page, and live in the browser.

``explore(draw, ...)`` shows ordinary ipywidgets in a running kernel. While the book is built (environment variable
``DERIVATIONS_BAKE=1``) it draws a frame at every step that the controls offer and returns HTML whose native controls
answer without a kernel. When the reader has pressed *Run live*, Python in the browser draws the same figure at any
value (``derivations.explore.browser``).
"""
import inspect
import re

from matplotlib.figure import Figure

from . import baked, browser
from .controls import Control, choice, log_slider, slider, toggle
from .glue import baking, glue
from .render import FigureError, check_not_pyplot
from .texts import AltText, check_text

__all__ = ["FigureError", "choice", "explore", "glue", "log_slider", "show", "slider", "toggle"]

_session = baked.Session()


def explore(draw, *, name, alt, caption="", max_frames=400, **controls):
    """Show a figure that answers to controls.

    Parameters
    ----------
    draw : callable
        ``draw(**values)`` returns a matplotlib Figure, made with :func:`derivations.figures.style.new_figure` (figures
        of pyplot are refused: the notebook would show them a second time). It is called once for every combination
        of values: compute what does not depend on them outside.
    name : str
        Address of the figure: ``name="rms"`` can be linked to as ``#fig-rms``. Small letters, digits, hyphens.
    alt : str
        What the figure shows, in a sentence: a format string over the values, such as ``"RMS at rate {lr:.3g}"``.
    caption : str, optional
        Stands below the figure; maths between dollar signs, a dollar itself as ``\\$``.
    max_frames : int, optional
        Most frames that this kernel may have prepared, this figure included. Counts only while the book is built.
    **controls : Control
        One for each parameter of ``draw`` that the reader sets: :func:`slider`, :func:`log_slider`, :func:`choice`
        or :func:`toggle`.

    Returns
    -------
    ipywidgets.VBox, BakedFigure or LiveFigure
        The second while the book is built, the third in the browser. Let it be the last expression of its cell: else
        the build complains.

    Raises
    ------
    ValueError
        If the name, the alt sentence, the caption or the controls do not fit, or there are too many frames.
    FigureError
        If ``draw`` fails (the message says at which values) or makes its figure with pyplot.

    Examples
    --------
    >>> from derivations.figures import new_figure
    >>> def draw(slope):
    ...     figure, axes = new_figure()
    ...     axes.plot([0, 1], [0, slope])
    ...     return figure
    >>> type(explore(draw, name="demo-line", alt="A line of slope {slope}.", slope=slider(1, 3, 1))).__name__
    'VBox'
    """
    _check_name(name)
    check_text("caption", caption)
    _check_controls(draw, controls)
    figure = {"name": name, "alt": AltText(alt, controls), "caption": caption, "controls": controls}
    if baking():
        _session.add(name, controls, max_frames)
        return _session.watch(name, baked.bake(draw, **figure))
    if browser.running():
        return browser.LiveFigure(draw, **figure, template=alt)
    from .kernel import live_widget    # here, so that building the book does not start ipywidgets
    return live_widget(draw, **figure)


def show(figure, *, name, alt, caption=""):
    """Show a figure without controls, in the same look as :func:`explore`.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    name : str
        Address of the figure, as in :func:`explore`.
    alt : str
        What the figure shows, in a sentence.
    caption : str, optional
        Stands below the figure; maths between dollar signs.

    Returns
    -------
    BakedFigure
        Let it be the last expression of its cell.

    Raises
    ------
    ValueError
        If the name, the alt sentence or the caption does not fit.
    FigureError
        If pyplot made the figure or it cannot be written: a coordinate is not finite, say.

    Examples
    --------
    >>> from derivations.figures import new_figure
    >>> show(new_figure()[0], name="demo-empty", alt="Empty axes.")
    Empty axes.
    """
    _check_name(name)
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(f"alt must be a sentence that says what the figure shows, got alt={alt!r}")
    if not isinstance(figure, Figure):
        raise ValueError(f"figure must be a matplotlib Figure, got figure={figure!r}")
    check_text("caption", caption)
    check_not_pyplot(figure, "the cell")
    if baking():
        _session.add(name)
    still = baked.bake_still(figure, name=name, alt=alt, caption=caption)
    return _session.watch(name, still) if baking() else still


def _check_name(name):
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise ValueError(f"name must be small letters, digits and single hyphens, got name={name!r}")


def _check_controls(draw, controls):
    if not controls:
        raise ValueError("explore needs at least one control; use show(figure, ...) for a figure without controls")
    for key, control in controls.items():
        if not isinstance(control, Control):
            raise ValueError(f"{key} must be made with slider, log_slider, choice or toggle, got {key}={control!r}")
    parameters = inspect.signature(draw).parameters.values()
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    unknown = [key for key in controls if key not in names and not takes_any]
    if unknown:
        raise ValueError(f"draw does not take {', '.join(unknown)}; its parameters are {', '.join(names)}")
    missing = [p.name for p in parameters if p.name in names and p.default is p.empty and p.name not in controls]
    if missing:
        raise ValueError(f"draw needs {', '.join(missing)}: add a control for it")
