"""From a drawing function to SVG or PNG, always in the style of the book."""
import functools
import io

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_mixed import MixedModeRenderer
from matplotlib.backends.backend_svg import FigureCanvasSVG, RendererSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.textpath import TextToPath

from ..figures.style import RC
from .svg import canonical

__all__ = ["FigureError", "check_not_pyplot", "draw_figure", "picture_of", "render_png", "render_svg"]

_SVG_RC = {
    **RC,
    "svg.fonttype": "none",         # text stays text
    "svg.hashsalt": "derivations",  # the same figure gives the same ids in every build
    "path.simplify": False,         # else neighbouring frames differ in their number of vertices
}
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}
_TEXT_TO_PATH = TextToPath()


class FigureError(ValueError):
    """A figure could not be drawn; the message says at which values of the controls."""


def _style():
    """Context in which figures are both drawn and saved (legends, for one, read the style while drawing)."""
    return mpl.rc_context(_SVG_RC)


def draw_figure(draw, values):
    """Call the drawing function and check what it returns.

    Parameters
    ----------
    draw : callable
        ``draw(**values)`` must return a :class:`matplotlib.figure.Figure`.
    values : dict

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    FigureError
        If draw raises, returns something else or uses pyplot; the message names the values.

    Examples
    --------
    >>> from derivations.figures import new_figure
    >>> len(draw_figure(lambda rows: new_figure(nrows=rows)[0], {"rows": 2}).axes)
    2
    """
    try:
        with _style():
            figure = draw(**values)
    except Exception as error:
        raise FigureError(f"draw failed at {_listed(values)}: {type(error).__name__}: {error}") from error
    if not isinstance(figure, Figure):
        raise FigureError(
            f"draw must return a matplotlib Figure, got {type(figure).__name__} at {_listed(values)}; "
            "does it end with 'return figure'?"
        )
    check_not_pyplot(figure, "draw")
    return figure


def check_not_pyplot(figure, maker):
    """Refuse a figure of pyplot: the notebook shows those by itself, so it would stand on the page twice.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    maker : str
        Who made the figure, for the error message.

    Raises
    ------
    FigureError
        If pyplot manages the figure.

    Examples
    --------
    >>> from derivations.figures import new_figure
    >>> check_not_pyplot(new_figure()[0], "draw")
    """
    if figure.canvas.manager is not None:
        raise FigureError(f"{maker} made the figure with pyplot; use derivations.figures.new_figure()")


def picture_of(figure, name, values=None):
    """Draw a figure as a canonical picture.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    name : str
        Name of the figure on the page.
    values : dict, optional
        The values it was drawn at, for the error message.

    Returns
    -------
    Picture

    Raises
    ------
    FigureError
        If matplotlib cannot write the figure (a label with broken maths, say) or a coordinate is not a finite
        number; the message names the values.

    Examples
    --------
    >>> from derivations.figures import new_figure
    >>> picture_of(new_figure()[0], "demo").shape[0][0]
    'svg'
    """
    try:
        return canonical(render_svg(figure), name)
    except Exception as error:
        where = _listed(values or {})
        raise FigureError(f"figure {name!r} cannot be written at {where}: {type(error).__name__}: {error}") from error


def render_svg(figure):
    """Write a figure as SVG text, as matplotlib does, in less time.

    Parameters
    ----------
    figure : matplotlib.figure.Figure

    Returns
    -------
    str

    Examples
    --------
    >>> from derivations.figures import new_figure
    >>> "</svg>" in render_svg(new_figure()[0])
    True
    """
    buffer = io.StringIO()
    dpi, figure.dpi = figure.dpi, 72    # one point of the SVG is one dot
    try:
        with _style():
            # Not savefig: it draws everything twice when the layout is constrained.
            canvas = _Canvas(figure)
            canvas.renderer = _Renderer(figure, buffer, dpi)
            mixed = MixedModeRenderer(figure, *figure.get_size_inches(), dpi, canvas.renderer)
            figure.draw(mixed)
            mixed.finalize()
    finally:
        figure.dpi = dpi
    return buffer.getvalue()


def render_png(figure, dpi=150):
    """Write a figure as a PNG on white ground, for print and mail.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    dpi : float, optional
        Dots per inch.

    Returns
    -------
    bytes

    Examples
    --------
    >>> from derivations.figures import new_figure
    >>> render_png(new_figure()[0])[1:4]
    b'PNG'
    """
    buffer = io.BytesIO()
    with _style():
        FigureCanvasAgg(figure)
        figure.savefig(buffer, format="png", dpi=dpi, facecolor="white")
    return buffer.getvalue()


class _Canvas(FigureCanvasSVG):
    """A canvas whose layout engine measures text with the renderer that draws it."""

    renderer = None

    def get_renderer(self):
        return self.renderer


class _Renderer(RendererSVG):
    """Matplotlib's SVG renderer; what it learns about fonts is kept for the next frame.

    A stock renderer starts with empty caches, and parsing the same labels anew takes half of a frame's time.
    """

    def __init__(self, figure, file, dpi):
        width, height = 72 * figure.get_size_inches()
        super().__init__(width, height, file, image_dpi=dpi, metadata=_NO_METADATA)
        self._text2path = _TEXT_TO_PATH

    def get_text_width_height_descent(self, s, prop, ismath):
        return _text_size(s, prop.copy(), ismath)

    def _get_font_height_metrics(self, prop):
        # Matplotlib 3.11 asks a renderer for this before it reads the font's tables for every text; others never do.
        return _font_height(prop.copy())


# FontProperties can change, so the callers above pass copies as keys.
@functools.lru_cache(4096)
def _text_size(text, prop, ismath):
    return _TEXT_TO_PATH.get_text_width_height_descent(text, prop, ismath)


@functools.lru_cache(256)
def _font_height(prop):
    """Ascent, descent and line gap of a font in points, or None three times if it does not give them."""
    font = get_font(findfont(prop))
    table = font.get_sfnt_table("OS/2")
    if table is None:
        return None, None, None
    scale = prop.get_size_in_points() / font.get_sfnt_table("head")["unitsPerEm"]
    return table["sTypoAscender"] * scale, -table["sTypoDescender"] * scale, table["sTypoLineGap"] * scale


def _listed(values):
    return ", ".join(f"{name}={value!r}" for name, value in values.items()) or "its only values"
