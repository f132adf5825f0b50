"""A live figure in a notebook: ordinary ipywidgets, one picture redrawn in place."""
import asyncio
import traceback
from html import escape

import ipywidgets as widgets

from .render import draw_figure, picture_of
from .texts import plain_text

__all__ = ["live_widget"]

_PAUSE = 0.02   # seconds in which further moves of a control are gathered before drawing


def live_widget(draw, *, name, alt, caption, controls):
    """Build the controls and the picture of a figure.

    Parameters
    ----------
    draw : callable
    name : str
    alt : AltText
    caption : str
    controls : dict of str to Control

    Returns
    -------
    ipywidgets.VBox

    Raises
    ------
    FigureError
        If the first frame cannot be drawn. Later failures are shown in place of the picture.

    Examples
    --------
    >>> from derivations.explore import slider
    >>> from derivations.explore.texts import AltText
    >>> from derivations.figures import new_figure
    >>> def draw(height):
    ...     return new_figure(height=height)[0]
    >>> controls = {"height": slider(1, 2, 1)}
    >>> box = live_widget(draw, name="demo", alt=AltText("{height} in", controls), caption="", controls=controls)
    >>> box.children[0].children[0].value
    '1'
    """
    inputs = {key: _input(control, key) for key, control in controls.items()}
    picture = widgets.HTML()

    def redraw():
        indices = {key: _index(inputs[key], control) for key, control in controls.items()}
        values = {key: controls[key].values[index] for key, index in indices.items()}
        svg = picture_of(draw_figure(draw, values), name, values).markup()
        sentence = escape(alt.sentence(indices))
        picture.value = (
            f'<div role="img" aria-label="{sentence}" style="max-width:33rem">{svg}</div>'
            f'<p style="max-width:33rem">{sentence}</p>'
        )

    redraw()
    later = _LatestWins(redraw, picture)
    for key in controls:
        inputs[key].observe(later, names="index" if hasattr(inputs[key], "index") else "value")
    rows = [_row(inputs[key], control) for key, control in controls.items()]
    below = [widgets.HTMLMath(f"<p>{escape(caption)}</p>")] if caption else []
    return widgets.VBox([*rows, _reset_button(inputs, controls), picture, *below])


class _LatestWins:
    """Redraw soon after a change; changes that arrive meanwhile are drawn once, at their latest values."""

    def __init__(self, redraw, picture):
        self.redraw, self.picture, self.waiting = redraw, picture, False

    def __call__(self, change):
        loop = _event_loop()
        if loop is None:
            self.run()
        elif not self.waiting:
            self.waiting = True
            loop.call_later(_PAUSE, self.run)

    def run(self):
        self.waiting = False
        try:
            self.redraw()
        except Exception:
            # Nobody would see an exception of a callback: show it where the picture was.
            self.picture.value = f"<pre>{escape(traceback.format_exc())}</pre>"


def _event_loop():
    """The running event loop, or None in a plain script."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _input(control, key):
    label = control.label or key
    common = {"description": label, "tooltip": plain_text(label), "style": {"description_width": "initial"}}
    if control.kind == "toggle":
        return widgets.Checkbox(value=control.default, indent=False, **common)
    make = widgets.Dropdown if control.kind == "choice" else widgets.SelectionSlider
    return make(options=control.shown, index=control.start, **common)


def _index(widget, control):
    return int(widget.value) if control.kind == "toggle" else widget.index


def _row(widget, control):
    widget.layout.width = "min(33rem, 100%)"
    if not control.play:
        return widgets.HBox([widget])
    play = widgets.Play(value=control.start, max=len(control.values) - 1, interval=200)
    widgets.link((play, "value"), (widget, "index"))
    return widgets.VBox([widget, play])


def _reset_button(inputs, controls):
    button = widgets.Button(description="Reset", tooltip="Back to the first values")

    def reset(_):
        for key, control in controls.items():
            if control.kind == "toggle":
                inputs[key].value = control.default
            else:
                inputs[key].index = control.start

    button.on_click(reset)
    return button
