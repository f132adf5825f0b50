"""A live figure on a static page: every frame drawn while the book is built, nothing left to compute."""
import base64
import itertools
import json
import math
import os
import sys
import time
from html import escape

from .encode import encode, snake_order
from .render import FigureError, draw_figure, picture_of, render_png
from .texts import label_html, plain_text

__all__ = ["BakedFigure", "Session", "bake", "bake_still", "live_markup"]


class Session:
    """What has been baked in this kernel: the names of its figures, the number of their frames, whether they show.

    Examples
    --------
    >>> session = Session()
    >>> session.add("rms")
    >>> session.add("rms")
    Traceback (most recent call last):
    ...
    ValueError: name must be unique on a page, but name='rms' is already taken
    """

    def __init__(self):
        self.names = set()
        self.frames = 0
        self.made = {}      # in the running cell: name -> BakedFigure

    def add(self, name, controls=None, max_frames=0):
        """Take up a figure; raises ValueError if its name is taken or it has too many frames."""
        if name in self.names:
            raise ValueError(f"name must be unique on a page, but name={name!r} is already taken")
        if controls:
            self._add_frames(name, controls, max_frames)
        self.names.add(name)

    def _add_frames(self, name, controls, max_frames):
        count = math.prod(len(control.values) for control in controls.values())
        total = self.frames + count
        if total > max_frames:
            steps = " x ".join(f"{key} ({len(control.values)} steps)" for key, control in controls.items())
            before = f" and {self.frames} frames stand before it on the page" if self.frames else ""
            raise ValueError(
                f"figure {name!r} has {steps} = {count} frames{before}: {total} in all, more than "
                f"max_frames={max_frames}. Offer fewer steps, or pass max_frames={total} if the page can carry them"
            )
        self.frames = total

    def watch(self, name, figure):
        """Return the figure; once its cell has run, complain if it was not shown: it would be missing on the page."""
        from IPython import get_ipython
        shell = get_ipython()
        if shell is not None:       # None in plain Python, which shows nothing
            self.made[name] = figure
            shell.events.register("post_run_cell", self._check_shown)   # once: IPython ignores repetitions
        return figure

    def _check_shown(self, result):
        lost = [name for name, figure in self.made.items() if not figure.shown]
        self.made = {}
        if lost and result.success:     # else the cell has an error of its own
            message = "\n".join(
                f"figure {name!r} was made but not shown: let it be the last expression of its cell" for name in lost
            )
            # IPython swallows what is raised here. So the cell is made to fail, and says why where the book reads it.
            result.error_in_exec = FigureError(message)
            print(message, file=sys.stderr)


class BakedFigure:
    """A figure that a page shows without a kernel.

    Parameters
    ----------
    markup : str
        HTML of the figure.
    png : bytes
        The frame that is shown first, on white ground.
    alt : str
        The alt sentence of that frame.
    """

    def __init__(self, markup, png, alt):
        self.markup, self.png, self.alt = markup, png, alt
        self.shown = False

    def _repr_mimebundle_(self, include=None, exclude=None):
        self.shown = True
        return {
            "text/html": self.markup,
            "image/png": base64.b64encode(self.png).decode("ascii"),
            "text/plain": self.alt,
        }

    def __repr__(self):
        return self.alt


def bake(draw, *, name, alt, caption, controls):
    """Draw every frame of a figure and write its HTML.

    Parameters
    ----------
    draw : callable
    name : str
    alt : AltText
    caption : str
    controls : dict of str to Control

    Returns
    -------
    BakedFigure

    Raises
    ------
    FigureError
        If a frame cannot be drawn.

    Examples
    --------
    >>> from derivations.explore import slider
    >>> from derivations.explore.texts import AltText
    >>> from derivations.figures import new_figure
    >>> def draw(height):
    ...     return new_figure(height=height)[0]
    >>> controls = {"height": slider(1, 2, 1)}
    >>> bake(draw, name="demo", alt=AltText("{height} in", controls), caption="", controls=controls)
    1 in
    """
    began = time.process_time()
    default = _default_frame(controls)
    pictures, png = _draw_all(draw, name, controls, default)
    encoded = encode(pictures, default, snake_order([len(control.values) for control in controls.values()]))
    data = _page_data(alt, controls, encoded)
    _report(name, len(pictures), time.process_time() - began, len(data))
    sentence = _first_sentence(alt, controls)
    note = f"{len(pictures)} prepared frames"
    inside = _inside_html(name, controls, sentence, note, data)
    return BakedFigure(_figure_html(name, encoded.svg, sentence, inside, caption), png, sentence)


def live_markup(svg, *, name, alt, caption, controls):
    """Write the HTML of a figure that has no prepared frames: Python draws each one in the reader's browser.

    Parameters
    ----------
    svg : str
        The frame that is shown first.
    name : str
    alt : AltText
    caption : str
    controls : dict of str to Control

    Returns
    -------
    str
    """
    sentence = _first_sentence(alt, controls)
    inside = _inside_html(name, controls, sentence, "", _page_data(alt, controls, None))
    return _figure_html(name, svg, sentence, inside, caption)


def bake_still(figure, *, name, alt, caption):
    """Write the HTML of a figure without controls.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    name, alt, caption : str

    Returns
    -------
    BakedFigure

    Examples
    --------
    >>> from derivations.figures import new_figure
    >>> bake_still(new_figure()[0], name="demo", alt="Empty axes.", caption="")
    Empty axes.
    """
    svg = picture_of(figure, name).markup()
    return BakedFigure(_figure_html(name, svg, alt, "", caption), render_png(figure), alt)


def _default_frame(controls):
    """Number of the frame that is shown first; the last control runs fastest."""
    frame = 0
    for control in controls.values():
        frame = frame * len(control.values) + control.start
    return frame


def _draw_all(draw, name, controls, default):
    """Draw every frame, and the default one also as PNG."""
    pictures = []
    for point in itertools.product(*(control.values for control in controls.values())):
        values = dict(zip(controls, point))
        figure = draw_figure(draw, values)
        pictures.append(picture_of(figure, name, values))
        if len(pictures) == default + 1:    # after the SVG: drawing moves what the layout places
            png = render_png(figure)
    return pictures, png


def _first_sentence(alt, controls):
    return alt.sentence({key: control.start for key, control in controls.items()})


def _inside_html(name, controls, sentence, note, data):
    return (
        f'<p class="live-figure-alt" aria-live="polite">{escape(sentence)}</p>\n'
        f'{_controls_html(name, controls, note)}<script type="application/json">{data}</script>\n'
    )


def _figure_html(name, svg, sentence, inside, caption):
    live = f' data-live-figure="{name}"' if inside else ""
    shown = f"<figcaption>{label_html(caption)}</figcaption>\n" if caption else ""
    return (
        f'<figure class="live-figure" id="fig-{name}"{live}>\n'
        f'<div class="live-figure-picture" role="img" aria-label="{escape(sentence)}">{svg}</div>\n'
        f"{inside}{shown}</figure>"
    )


def _page_data(alt, controls, encoded):
    """What the script needs besides the HTML. Texts of the alt sentence are prepared: no formatter in the browser."""
    order = list(controls)
    data = {
        "controls": [
            {
                "name": key, "kind": control.kind, "start": control.start, "keys": control.keys,
                "texts": control.shown, "plain": plain_text(control.label or key),
            }
            for key, control in controls.items()
        ],
        "alt": [part if isinstance(part, str) else [order.index(part[0]), part[1]] for part in alt.parts],
        "frames": encoded and base64.b64encode(encoded.data).decode("ascii"),
    }
    return json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")


def _controls_html(name, controls, note):
    """Native controls, hidden until the script is up: without scripts no dead control is seen."""
    rows = "".join(_control_html(f"fig-{name}_{key}", key, control) for key, control in controls.items())
    return (
        f'<div class="live-figure-controls" role="group" aria-label="Controls of the figure" hidden>\n{rows}'
        '<div class="live-figure-buttons"><button type="button" data-action="reset">Reset</button>'
        '<button type="button" data-action="copy">Copy link</button>'
        f'<span class="live-figure-note">{note}</span>'
        '<span class="live-figure-status" role="status"></span></div>\n</div>\n'
    )


def _control_html(id, key, control):
    label = f'<label for="{id}">{label_html(control.label or key)}</label>'
    plain = escape(plain_text(control.label or key))
    common = f'id="{id}" data-control="{key}" aria-label="{plain}" autocomplete="off"'
    shown = escape(control.shown[control.start])
    if control.kind == "choice":
        options = "".join(
            f'<option{" selected" if index == control.start else ""}>{escape(text)}</option>'
            for index, text in enumerate(control.shown)
        )
        body = f"{label}<select {common}>{options}</select>"
    elif control.kind == "toggle":
        body = f'{label}<input type="checkbox" {common}{" checked" if control.start else ""}>'
    else:
        body = (
            f'{label}<input type="range" {common} min="0" max="{len(control.values) - 1}" step="1" '
            f'value="{control.start}" aria-valuetext="{plain} {shown}"><output for="{id}">{shown}</output>'
        )
    if control.play:
        body += (
            f'<button type="button" data-action="play" data-for="{key}" aria-pressed="false" '
            f'aria-label="Play {plain}">Play</button>'
        )
    return f'<div class="live-figure-control">{body}</div>\n'


def _report(name, frames, seconds, size):
    """Append one line to the file that DERIVATIONS_BAKE_PROGRESS names; a page must not show a cell's stderr."""
    path = os.environ.get("DERIVATIONS_BAKE_PROGRESS")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"{name}: {frames} frames, {seconds:.1f} s CPU, {size / 1000:.1f} kB\n")
