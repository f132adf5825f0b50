"""Run live, Python's side: the cells of one page, run by Python in the reader's browser.

The script of the page (``assets/run-live-worker.js``) starts Pyodide in a worker, installs this package there and calls
the functions below. They take and give text in JSON, so that nothing of Python's has to be kept alive by JavaScript.
Nothing here needs a browser: the tests call the same functions in ordinary Python.
"""
import ast
import base64
import contextlib
import hashlib
import importlib
import importlib.abc
import importlib.machinery
import inspect
import io
import json
import linecache
import math
import numbers
import re
import string
import sys
import traceback

from .baked import BakedFigure, live_markup
from .render import draw_figure, picture_of, render_png

__all__ = ["LiveFigure", "OnDemand", "call", "draw", "run_cell", "running", "scale", "start", "stop", "value_at"]

_MOST_TEXT = 100_000    # characters of printed text a cell; more would make the page slow
_PAGE = {"namespace": None, "figures": {}, "made": [], "outputs": None}


def start():
    """Begin a page: an empty namespace, as a notebook's kernel has it. From here on ``explore`` makes live figures."""
    namespace = {"__name__": "__main__", "__builtins__": __builtins__, "display": _show_now}
    _PAGE.update(namespace=namespace, figures={}, made=[], outputs=None)


def stop():
    """End the page: ``explore`` makes widgets again."""
    _PAGE.update(namespace=None, figures={}, made=[], outputs=None)


def running():
    """Whether a page has been started."""
    return _PAGE["namespace"] is not None


# ---------------------------------------------------------------- figures


class LiveFigure:
    """A figure whose every frame is drawn when the reader asks for it.

    Parameters
    ----------
    draw : callable
    name : str
    alt : AltText
    template : str
        The text from which ``alt`` was made: it can write values between those that a control offers.
    caption : str
    controls : dict of str to Control
    """

    def __init__(self, draw, *, name, alt, template, caption, controls):
        self.draw, self.name, self.alt, self.caption, self.controls = draw, name, alt, caption, controls
        self.template = template
        _PAGE["figures"][name] = self
        _PAGE["made"].append(name)

    def __repr__(self):
        return self.alt.sentence({key: control.start for key, control in self.controls.items()})

    def frame(self, positions):
        """The figure at one position of each control.

        Parameters
        ----------
        positions : sequence of float
            Place of each control among its values, from 0; between two of them for a continuous slider.

        Returns
        -------
        dict
            ``svg``, ``alt``, and for each control its ``texts`` and (for a slider) ``values``.
        """
        values, texts = {}, {}
        for (key, control), position in zip(self.controls.items(), positions, strict=True):
            values[key] = value_at(control, position)
            texts[key] = _text_at(control, position, values[key])
        svg = picture_of(draw_figure(self.draw, values), self.name, values).markup()
        shown = [values[key] if control.kind == "range" else None for key, control in self.controls.items()]
        return {"svg": svg, "alt": self._sentence(positions, values), "texts": list(texts.values()), "values": shown}

    def _sentence(self, positions, values):
        """The alt sentence; where a control stands on one of its values, as the page has it."""
        at = dict(zip(self.controls, positions))
        fields = iter(_fields(self.template))
        pieces = []
        for part in self.alt.parts:
            if isinstance(part, str):
                pieces.append(part)
                continue
            key, field = part[0], next(fields)
            pieces.append(part[1][round(at[key])] if _is_step(at[key]) else field.format(**{key: values[key]}))
        return "".join(pieces)

    def described(self):
        """What the page must know to offer the figure's controls."""
        return {"name": self.name, "scales": [scale(control) for control in self.controls.values()]}

    def markup(self):
        """HTML of the figure, for a cell whose code the reader has changed."""
        first = self.frame([control.start for control in self.controls.values()])
        return live_markup(first["svg"], name=self.name, alt=self.alt, caption=self.caption, controls=self.controls)


def scale(control):
    """How the values between two steps of a control are spaced.

    Parameters
    ----------
    control : Control

    Returns
    -------
    str
        ``"linear"``, ``"log"``, or ``"steps"`` if there are none in between: whole numbers, choices, switches.

    Examples
    --------
    >>> from derivations.explore import log_slider, slider
    >>> scale(slider(0.0, 1.0, 0.5)), scale(log_slider(0.01, 1, 3)), scale(slider(1, 9, 2))
    ('linear', 'log', 'steps')
    """
    values = control.values
    if control.kind != "range" or all(isinstance(value, numbers.Integral) for value in values):
        return "steps"
    first, second, last = values[0], values[1], values[-1]
    even = math.isclose(second - first, (last - first) / (len(values) - 1), rel_tol=1e-6)
    return "linear" if even else "log"


def value_at(control, position):
    """Value of a control at a position among its values.

    Parameters
    ----------
    control : Control
    position : float
        From 0 to the number of values less 1.

    Returns
    -------
    object
        At a whole position exactly the value that the control offers.

    Raises
    ------
    ValueError
        If the position is not a finite number on the control.

    Examples
    --------
    >>> from derivations.explore import log_slider, slider
    >>> value_at(slider(0.0, 1.0, 0.25), 1.5), round(value_at(log_slider(0.01, 1, 3), 0.5), 12)
    (0.375, 0.031622776602)
    """
    last = len(control.values) - 1
    if not isinstance(position, numbers.Real) or not 0 <= position <= last:
        raise ValueError(f"position must be a number from 0 to {last}, got position={position!r}")
    kind = scale(control)
    if kind == "steps" or _is_step(position):
        return control.values[round(position)]
    below = math.floor(position)
    low, high, part = control.values[below], control.values[below + 1], position - below
    return low * (high / low) ** part if kind == "log" else low + part * (high - low)


def _is_step(position):
    return position == round(position)


def _text_at(control, position, value):
    if _is_step(position) or scale(control) == "steps":
        return control.shown[round(position)]
    return f"{_short(value)} {control.unit}".rstrip()


def _short(value):
    return f"{value:.5g}".replace("e-0", "e-").replace("e+0", "e")


def _fields(template):
    """The fields of a format string, each as a format string of its own."""
    for _, field, spec, conversion in string.Formatter().parse(template):
        if field is not None:
            yield "{" + field + (f"!{conversion}" if conversion else "") + f":{spec}}}"


def draw(request):
    """Draw one frame of a figure.

    Parameters
    ----------
    request : str
        JSON of ``{"name": ..., "positions": [...]}``.

    Returns
    -------
    str
        JSON of what :meth:`LiveFigure.frame` gives, or of ``{"error": ...}``.
    """
    asked = json.loads(request)
    figure = _PAGE["figures"].get(asked["name"])
    if figure is None:
        return json.dumps({"error": f"the figure {asked['name']!r} has not been made: run its cell first"})
    try:
        return json.dumps(figure.frame(asked["positions"]))
    except Exception as error:
        # The reader's own code may raise anything; the page shows it below the figure.
        return json.dumps({"error": str(error) or type(error).__name__})


# ---------------------------------------------------------------- packages


class OnDemand(importlib.abc.MetaPathFinder):
    """Packages that are fetched when something imports them: SciPy alone is as large as all the rest.

    Parameters
    ----------
    packages : dict of str to list
        For each importable name the files that it needs, in order, each a dict with ``name``, ``sha256`` and ``size``.
    fetch : callable
        ``fetch(name, text)`` returns the bytes of a file; the text is what the page shows meanwhile.
    install : callable
        ``install(name, bytes)`` unpacks a file where Python finds it.

    Notes
    -----
    An import cannot wait for a promise. So ``fetch`` asks synchronously, which browsers allow in a worker.
    """

    def __init__(self, packages, fetch, install):
        self.packages, self.fetch, self.install = dict(packages), fetch, install
        self.installed = set()

    def find_spec(self, name, path=None, target=None):
        """Install the package if it is one of ours and not there yet."""
        if name not in self.packages:
            return None
        for file in self.packages[name]:
            self._add(name, file)
        del self.packages[name]
        importlib.invalidate_caches()
        return importlib.machinery.PathFinder.find_spec(name)

    def _add(self, package, file):
        if file["name"] in self.installed:
            return
        try:
            data = self.fetch(file["name"], f"fetching {package} ({file['size'] / 1e6:.1f} MB)")
        except Exception as error:
            raise ImportError(f"{package} could not be fetched ({file['name']}): is the network there?") from error
        found = hashlib.sha256(data).hexdigest()
        if found != file["sha256"]:
            raise ImportError(f"{package} was not installed: {file['name']} is not the expected file (sha256 {found})")
        self.install(file["name"], data)
        self.installed.add(file["name"])


# ---------------------------------------------------------------- cells


class _Outputs(list):
    """What a cell has shown, in order; neighbouring pieces of one stream are one output."""

    def __init__(self):
        super().__init__()
        self.length = 0

    def write(self, stream, text):
        if self.length > _MOST_TEXT:
            return
        self.length += len(text)
        if self.length > _MOST_TEXT:
            text += f"\n... (the rest is left out: a cell may print {_MOST_TEXT:,} characters)\n"
        if self and self[-1]["kind"] == stream:
            self[-1]["text"] += text
        elif text:
            self.append({"kind": stream, "text": text})


class _Stream(io.TextIOBase):
    def __init__(self, outputs, kind):
        self.outputs, self.kind = outputs, kind

    def writable(self):
        return True

    def write(self, text):
        self.outputs.write(self.kind, text)
        return len(text)


def run_cell(request):
    """Run one cell as a notebook does: its last expression is shown.

    Parameters
    ----------
    request : str
        JSON of ``{"number": ..., "source": ...}``; the number, counted from 1, names the cell in tracebacks.

    Returns
    -------
    str
        JSON of ``{"ok": ..., "outputs": [...], "figures": [...]}``: outputs have a ``kind`` (``stdout``, ``stderr``,
        ``text``, ``latex``, ``html``, ``figure``, ``png`` or ``error``), figures are those that the cell has made.
    """
    asked = json.loads(request)
    name, source = f"<cell {asked['number']}>", asked["source"]
    outputs = _Outputs()
    _PAGE["made"], _PAGE["outputs"] = [], outputs
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    ok = True
    with contextlib.redirect_stdout(_Stream(outputs, "stdout")), contextlib.redirect_stderr(_Stream(outputs, "stderr")):
        try:
            _execute(source, name)
        except BaseException as error:      # SystemExit too: it must not end the worker
            ok = False
            outputs.append(_failure(error, name))
    made = [_PAGE["figures"][figure].described() for figure in dict.fromkeys(_PAGE["made"])]
    _PAGE["outputs"] = None
    return json.dumps({"ok": ok, "outputs": outputs, "figures": made})


def _execute(source, name):
    namespace = _PAGE["namespace"]
    tree = ast.parse(source, name)
    shown = None
    if tree.body and isinstance(tree.body[-1], ast.Expr) and not _ends_with_semicolon(source):
        shown = ast.Expression(tree.body.pop().value)
    exec(compile(tree, name, "exec"), namespace)
    if shown is not None:
        value = eval(compile(shown, name, "eval"), namespace)
        if value is not None:
            namespace["_"] = value
            _show_now(value)
    _show_pyplot()


def _ends_with_semicolon(source):
    """As in a notebook, a semicolon after the last expression says: do not show it."""
    code = re.sub(r"(?m)#.*$", "", source.rstrip().rpartition("\n")[2])
    return code.rstrip().endswith(";")


def _show_now(*values):
    """Show values below the cell at once (``display`` of a notebook)."""
    for value in values:
        _PAGE["outputs"].append(_shown(value))


def _shown(value):
    """The richest form of a value that the page can show safely."""
    from matplotlib.figure import Figure
    if isinstance(value, LiveFigure):
        return {"kind": "figure", "name": value.name, "html": value.markup(), "scales": value.described()["scales"]}
    if isinstance(value, BakedFigure):
        return {"kind": "html", "html": value.markup}
    if isinstance(value, Figure):
        return _picture(value)
    latex = getattr(value, "_repr_latex_", None)
    text = latex() if callable(latex) and not inspect.isclass(value) else None
    # HTML of other types is not taken: the page shows only markup that this package has written.
    return {"kind": "latex", "text": text, "plain": str(value)} if text else {"kind": "text", "text": repr(value)}


def _picture(figure):
    """A bare matplotlib figure: in the look of the page if it can be, else as it is."""
    try:
        svg = picture_of(figure, "output").markup()
        return {"kind": "html", "html": f'<div class="live-figure-picture">{svg}</div>'}
    except ValueError:
        return {"kind": "png", "data": base64.b64encode(render_png(figure)).decode("ascii")}


def _show_pyplot():
    """Show the figures of pyplot that the cell has left open, as notebooks do, and close them."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    for number in pyplot.get_fignums() if pyplot else ():
        _PAGE["outputs"].append(_picture(pyplot.figure(number)))
        pyplot.close(number)


def _failure(error, name):
    """An exception as the reader sees it: from the cell on, with the line of the cell that it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [index for index, frame in enumerate(frames) if frame.filename == name]
    line = frames[inside[-1]].lineno if inside else getattr(error, "lineno", None)
    seen = traceback.TracebackException.from_exception(error)
    _cut(seen)
    text = re.sub(r'File "<cell (\d+)>", line (\d+)', r"Cell \1, line \2", "".join(seen.format()))
    text = re.sub(r'File "[^"]*?site-packages/', 'File "', text)
    return {"kind": "error", "name": type(error).__name__, "text": text.rstrip(), "line": line}


def _cut(seen):
    """Leave out the frames above the first one that belongs to a cell: they are ours."""
    while seen is not None:
        first = next((i for i, frame in enumerate(seen.stack) if frame.filename.startswith("<cell ")), None)
        if first is not None:
            del seen.stack[:first]
        elif all(frame.filename == __file__ or frame.filename == ast.__file__ for frame in seen.stack):
            seen.stack.clear()
        seen = seen.__cause__ or seen.__context__


# ---------------------------------------------------------------- calls


def call(request):
    """Call a public function of this package for a part of the page, such as a calculator.

    Parameters
    ----------
    request : str
        JSON of ``{"name": "room.function", "values": {...}}``: ``calculators.curvature`` is
        ``derivations.calculators.curvature``, and ``values`` are its keyword arguments.

    Returns
    -------
    str
        JSON of ``{"result": ...}`` or of ``{"error": ...}``.

    Examples
    --------
    >>> call('{"name": "adamw.equilibrium_rms", "values": {"lr": 0.01, "weight_decay": "much"}}')[:11]
    '{"error": "'
    """
    asked = json.loads(request)
    try:
        result = _function(asked["name"])(**asked["values"])
        return json.dumps({"result": result}, default=_plain, allow_nan=False)
    except Exception as error:
        # Whatever it is, the page says it in a sentence.
        return json.dumps({"error": f"{type(error).__name__}: {error}"})


def _function(name):
    if not re.fullmatch(r"[a-z]\w*(\.[a-z]\w*)+", name):
        raise ValueError(f"name must be room.function, got name={name!r}")
    module, _, function = name.rpartition(".")
    found = getattr(importlib.import_module(f"derivations.{module}"), function, None)
    if not callable(found):
        raise ValueError(f"name must be a function of the package, got name={name!r}")
    return found


def _plain(value):
    """Numbers and arrays of NumPy as JSON has them."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"the result holds a {type(value).__name__}, which the page cannot read")
