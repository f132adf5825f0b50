"""Labels, captions and alt sentences: maths for the page, plain text for screen readers.

Maths stands between dollar signs; ``\\$`` is a dollar.
"""
import html
import re
import string

__all__ = ["AltText", "check_text", "label_html", "plain_text"]

_MATHS = re.compile(r"(?<!\\)\$([^$]+?)(?<!\\)\$")
_DISPLAY = re.compile(r"(?<!\\)\$\$")
_GREEK = dict(zip(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho sigma tau "
    "upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega".split(),
    "αβγδεεζηθϑικλμνξπρστυφφχψωΓΔΘΛΞΠΣΦΨΩ",
))
_SYMBOLS = {
    "times": "×", "cdot": "·", "infty": "∞", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "approx": "≈",
    "pm": "±", "to": "→", "nabla": "∇", "partial": "∂", "sqrt": "√", "ell": "ℓ", "circ": "°", "sim": "∼",
}
_FORMATTING = frozenset(
    "mathrm mathbf mathit mathsf mathtt mathcal mathbb mathfrak boldsymbol bm operatorname text textbf textit textrm "
    "left right middle big Big bigl bigr Bigl Bigr displaystyle textstyle limits nolimits quad qquad".split()
)
_GROUP = r"\{((?:[^{}]|\{[^{}]*\})*)\}"
_FRACTION = re.compile(r"\\[dt]?frac\s*" + _GROUP + r"\s*" + _GROUP)
_COMMAND = re.compile(r"\\([a-zA-Z]+)((?:\s*[_^](?:" + _GROUP + r"|\\[a-zA-Z]+|[^\\{}]))*)")


def check_text(name, text):
    r"""Refuse what cannot stand in a label or a caption.

    Parameters
    ----------
    name : str
        What the text is, for the error message.
    text : str

    Raises
    ------
    ValueError
        If the text is not a str or holds ``$$``.

    Examples
    --------
    >>> check_text("caption", r"costs \$5")
    >>> check_text("caption", "$$x$$")
    Traceback (most recent call last):
    ...
    ValueError: caption must write its maths between single dollar signs, got caption='$$x$$'
    """
    if not isinstance(text, str):
        raise ValueError(f"{name} must be a str, got {name}={text!r}")
    if _DISPLAY.search(text):
        raise ValueError(f"{name} must write its maths between single dollar signs, got {name}={text!r}")


def label_html(text):
    r"""Escape a text for HTML and mark its maths the way Sphinx does, so that MathJax typesets it.

    Examples
    --------
    >>> label_html(r"rate $\eta$ < 1")
    'rate <span class="math notranslate nohighlight">\\(\\eta\\)</span> &lt; 1'
    """
    pieces = _MATHS.split(text)
    pieces[0::2] = [html.escape(_with_dollars(piece)) for piece in pieces[0::2]]
    pieces[1::2] = [
        rf'<span class="math notranslate nohighlight">\({html.escape(piece)}\)</span>' for piece in pieces[1::2]
    ]
    return "".join(pieces)


def plain_text(text):
    r"""Write the maths of a label in plain characters, for screen readers.

    Examples
    --------
    >>> plain_text(r"learning rate $\eta$, $\beta_2$, $\mathrm{RMS}(w)$")
    'learning rate η, β2, RMS(w)'
    """
    pieces = _MATHS.split(text)
    pieces[0::2] = map(_with_dollars, pieces[0::2])
    pieces[1::2] = map(_plain_maths, pieces[1::2])
    return "".join(pieces)


def _with_dollars(text):
    return text.replace(r"\$", "$")


def _plain_maths(tex):
    text = _repeated(_FRACTION, r"\1/\2", re.sub(r"\\[,;!:> ]", " ", tex))
    text = re.sub(r"[{}_\\]", "", _repeated(_COMMAND, _plain_command, text))
    return re.sub(r"\s+", " ", text).strip()


def _plain_command(match):
    """A symbol as its character, formatting as nothing, anything else (sin, log, hat) as a word of its own."""
    name, scripts = match[1], match[2]
    if name in _FORMATTING:
        return scripts
    symbol = _GREEK.get(name) or _SYMBOLS.get(name)
    return symbol + scripts if symbol else f" {name}{scripts.strip()} "


def _repeated(pattern, replacement, text):
    """Substitute until nothing is left to do: commands stand inside one another."""
    while pattern.search(text):
        text = pattern.sub(replacement, text)
    return text


class AltText:
    """An alt sentence as a format string over the values of the controls.

    Parameters
    ----------
    template : str
        Such as ``"RMS against the step at learning rate {lr:.3g}"``. A choice or a toggle without a format is written as
        the reader sees it: ``"{hats}"`` becomes "on" or "off".
    controls : dict of str to Control

    Raises
    ------
    ValueError
        If the template is empty, names an unknown control or cannot format one of its values.

    Examples
    --------
    >>> from derivations.explore import slider
    >>> AltText("A circle of radius {r:.1f}.", {"r": slider(1, 2, 0.5)}).sentence({"r": 1})
    'A circle of radius 1.5.'
    """

    def __init__(self, template, controls):
        if not isinstance(template, str) or not template.strip():
            raise ValueError(f"alt must be a sentence that says what the figure shows, got alt={template!r}")
        self.parts = [part for piece in _parsed(template) for part in _parts(piece, template, controls)]

    def sentence(self, indices):
        """The sentence at the given index of each control."""
        return "".join(part if isinstance(part, str) else part[1][indices[part[0]]] for part in self.parts)


def _parsed(template):
    try:
        return list(string.Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"alt must be a valid format string ({error}), got alt={template!r}") from error


def _parts(piece, template, controls):
    """Split one parsed piece into literal text and, for a field, (control, its text at every value)."""
    literal, field, spec, conversion = piece
    if literal:
        yield literal
    if field is None:
        return
    name = re.match(r"\w*", field)[0]
    if name not in controls:
        raise ValueError(f"alt names {{{field}}}, but the controls are {', '.join(controls) or 'none'}: {template!r}")
    if "{" in spec:
        raise ValueError(f"alt must not nest fields, got {{{field}:{spec}}} in {template!r}")
    one_field = "{" + field + (f"!{conversion}" if conversion else "") + f":{spec}}}"
    control = controls[name]
    if field == name and not spec and not conversion and control.kind in ("choice", "toggle"):
        yield name, [plain_text(text) for text in control.texts]  # "on", not "True"
    else:
        yield name, [_formatted(one_field, name, value) for value in control.values]


def _formatted(one_field, name, value):
    try:
        return one_field.format(**{name: value})
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        raise ValueError(f"alt: {one_field} cannot write {name}={value!r} ({error})") from error
