r"""Formulas: MathML, written while the book is built, or MathJax in the reader's browser.

``derivations_maths: mathml`` (the default) typesets by Temml, a script that runs inside the build. Pages then need no
script for their formulas, but a web font with the letters that they use. ``derivations_maths: mathjax`` leaves the TeX
on the page and typesets in the browser. Everything comes from the site itself, in both cases.

TeX that a cell or a script writes into HTML is marked as Sphinx marks it, ``<span class="math">\(x\)</span>``. Here it
becomes MathML, too; in the browser, ``typesetMaths`` of ``maths.js`` does the same for what appears later.
"""
import functools
import html
import io
import json
import os
import re
from pathlib import Path

from docutils import nodes
from fontTools import subset
from fontTools.ttLib import TTFont
from py_mini_racer import MiniRacer
from sphinx.errors import ConfigError
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

STATIC = Path(__file__).parent / "static"

MATHJAX = {
    "options": {
        "processHtmlClass": "tex2jax_process|mathjax_process|math|output_area",
        "enableMenu": False,  # it offers renderers and explorers that are loaded from files we do not serve
    },
    "chtml": {"displayAlign": "left", "displayIndent": "1em"},
}
# MathJax keeps the choices of its menu for all sites of a host; one made elsewhere would ask for files we do not serve.
_FORGET_MENU = "try { localStorage.removeItem('MathJax-Menu-Settings') } catch {}"

FONT = "vendor/temml/STIXTwoMath.woff2"
"""Where Temml's style sheet looks for the font, below ``_static``."""

# By a script, since on a page opened as a file a preloaded font is an error.
_PRELOAD = """
<script>if (location.protocol !== 'file:') document.head.append(Object.assign(document.createElement('link'),
{rel: 'preload', as: 'font', type: 'font/woff2', crossOrigin: '', href: %s}))</script>"""

# Characters that formulas typeset in the browser (curvature of a metric of your own, outputs of a cell) may need.
_LATER = (
    "".join(map(chr, range(0x20, 0x7F))) + "".join(map(chr, range(0x391, 0x3D7)))
    + "".join(map(chr, range(0x1D434, 0x1D468))) + "ℎ" + "".join(map(chr, range(0x1D6E2, 0x1D71C)))  # italic letters
    + "ℏℓ∂∇∞∫∮∑∏√±∓×÷·⋅∗∘−∣∥≠≈≡≤≥≪≫∼≃∝∈∉⊂∪∩∧∨¬∀∃→←↔⇒⇔↦…⋯⋮⋱′″‴⟨⟩⌈⌉⌊⌋⏞⏟‾ˆ˙¨~¯→ıȷ𝚤𝚥"
)
_ROOT = 900     # width of every sign of a root, in thousandths of the size
_MARKED = re.compile(
    r'(<(span|div) class="math notranslate nohighlight[^"]*">)\s*\\([(\[])(.*?)\\[)\]]\s*(</\2>)', re.DOTALL
)
_MATH = re.compile(r"<math\b.*?</math>", re.DOTALL)
_LOGGER = logging.getLogger(__name__)


class FormulaError(ValueError):
    """TeX that cannot be typeset."""


@functools.cache
def _engine(process):
    """Temml in a JavaScript engine. One for each process: an engine does not survive a fork."""
    engine = MiniRacer()
    engine.eval((STATIC / "vendor/temml/temml.min.js").read_text("utf8"))
    engine.eval((STATIC / "mathml.js").read_text("utf8"))
    engine.eval("""function typeset(tex, display) {
        try { return {mathml: texToMathml(tex, display)} } catch (error) { return {error: error.message} }
    }""")
    return engine


@functools.cache
def mathml(tex, display=False):
    r"""Typeset a formula.

    Parameters
    ----------
    tex : str
        Without delimiters.
    display : bool
        Whether it stands on a line of its own.

    Returns
    -------
    str
        A ``<math>`` element.

    Raises
    ------
    FormulaError
        If Temml cannot read the formula.

    Examples
    --------
    >>> mathml(r"\beta_1")
    '<math><msub><mi>β</mi><mn>1</mn></msub></math>'
    >>> mathml(r"\nosuch")
    Traceback (most recent call last):
    ...
    derivations.book.maths.FormulaError: Unsupported function name: \nosuch at position 1: \nosuch
    """
    answer = json.loads(_engine(os.getpid()).eval(f"JSON.stringify(typeset({json.dumps(tex)}, {json.dumps(display)}))"))
    if "error" in answer:
        # Temml underlines the place with combining characters, which a terminal cannot show.
        raise FormulaError(answer["error"].replace("ParseError:", "").replace("\u0332", "").strip())
    return answer["mathml"]


def block_tex(node):
    r"""TeX of a displayed formula.

    As Sphinx writes it for MathJax: a ``\\`` outside of an environment parts lines that are aligned at ``&``, an empty
    line parts formulas. Numbers are Sphinx's, so an environment that numbers its lines must not.

    Parameters
    ----------
    node : docutils.nodes.math_block

    Returns
    -------
    str

    Examples
    --------
    >>> block_tex(nodes.math_block("", r"a &= b \\ &= c", nowrap=False))
    '\\begin{split}a &= b \\\\ &= c\\end{split}'
    >>> block_tex(nodes.math_block("", r"\begin{align}a\end{align}", nowrap=True))
    '\\begin{align*}a\\end{align*}'
    """
    tex = node.astext()
    if node.get("nowrap"):
        tex = re.sub(r"\\label\{[^}]*\}", "", tex)
        return re.sub(r"\\(begin|end)\{(equation|align|gather|alignat|multline|flalign)\}", r"\\\1{\2*}", tex).strip()
    parts = [part.strip() for part in tex.split("\n\n") if part.strip()]
    parts = [rf"\begin{{split}}{part}\end{{split}}" if r"\\" in part else part for part in parts]
    joined = r" \\ ".join(parts)
    return joined if len(parts) == 1 else rf"\begin{{aligned}}{joined}\end{{aligned}}"


def _typeset(tex, display, location):
    """MathML; for a formula that cannot be read, its TeX, and an error, which stops a strict build."""
    try:
        return mathml(tex, display)
    except FormulaError as error:
        _LOGGER.error("the formula %s cannot be typeset: %s", tex, error, location=location)
        return f"<code>{html.escape(tex)}</code>"


def visit_math(writer, node):
    """Write a formula within a line."""
    writer.body.append(writer.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    writer.body.append(_typeset(node.astext(), False, node) + "</span>")
    raise nodes.SkipNode


def visit_math_block(writer, node):
    """Write a displayed formula, in a box that scrolls, with its number beside it."""
    writer.body.append(writer.starttag(node, "div", CLASS="math notranslate nohighlight"))
    if node.get("number"):
        writer.body.append(f'<span class="eqno">({get_node_equation_number(writer, node)})')
        writer.add_permalink_ref(node, "Link to this equation")
        writer.body.append("</span>")
    writer.body.append(f'<div class="equation">{_typeset(block_tex(node), True, node)}</div></div>\n')
    raise nodes.SkipNode


def typeset_html(text, location=None):
    r"""Typeset the formulas that stand in HTML, marked as Sphinx marks them.

    Parameters
    ----------
    text : str
    location : docutils.nodes.Node or str, optional
        For the message about a formula that cannot be read.

    Returns
    -------
    str

    Examples
    --------
    >>> typeset_html(r'of <span class="math notranslate nohighlight">\(x\)</span>')
    'of <span class="math notranslate nohighlight"><math><mi>x</mi></math></span>'
    """
    def replaced(match):
        start, _, bracket, tex, end = match.groups()
        return start + _typeset(html.unescape(tex).strip(), bracket == "[", location) + end

    return _MARKED.sub(replaced, text)


def typeset_raw(app, doctree, docname):
    """``doctree-resolved``: the formulas of HTML that cells or directives have written."""
    if app.builder.format == "html" and app.builder.math_renderer_name == "mathml":
        for node in list(doctree.findall(nodes.raw)):
            if "html" in node.get("format", "") and (text := typeset_html(node.astext(), node)) != node.astext():
                node.children, node.rawsource = [nodes.Text(text)], text


def configure(app, config):
    """``config-inited``: choose the renderer."""
    if config.derivations_maths not in ("mathml", "mathjax"):
        raise ConfigError(f"derivations_maths must be mathml or mathjax, got {config.derivations_maths!r}")
    config.html_math_renderer = config.derivations_maths
    config.mathjax_path = "vendor/mathjax/tex-chtml-full.js"
    config.mathjax3_config = {**MATHJAX, **(config.mathjax3_config or {})}
    unused = "mathjax" if config.derivations_maths == "mathml" else "temml"
    config.exclude_patterns += [f"vendor/{unused}", "vendor/stix-two-math"]      # of our static files
    app.add_js_file("maths.js", loading_method="defer")
    if config.derivations_maths == "mathml":
        app.add_css_file("vendor/temml/Temml-STIX2.css")
        app.add_css_file("mathml.css")      # has the last word
    else:
        app.add_js_file(None, body=_FORGET_MENU, priority=100)


def preload_font(app, pagename, templatename, context, doctree):
    """``html-page-context``: let a page with formulas fetch their font at once."""
    if app.builder.math_renderer_name == "mathml" and "<math" in context.get("body", ""):
        address = context["pathto"](f"_static/{FONT}", resource=True)
        context["metatags"] = context.get("metatags", "") + _PRELOAD % json.dumps(address)


def subset_font(characters):
    """The part of the font that some characters need, with their large and stretched forms.

    Parameters
    ----------
    characters : set of str

    Returns
    -------
    bytes
        WOFF2.
    """
    font = TTFont(STATIC / "vendor/stix-two-math/stix-two-math-latin-400-normal.woff2", recalcTimestamp=False)
    _mend(font)
    options = subset.Options(flavor="woff2", hinting=False, name_IDs=["*"])
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=map(ord, characters))
    subsetter.subset(font)
    font.flavor = "woff2"
    written = io.BytesIO()
    font.save(written)
    return written.getvalue()


def _reshape(font, name, scale, shift, advance):
    glyph = font["glyf"][name]
    glyph.coordinates.scale(scale)
    glyph.coordinates.translate(shift)
    glyph.recalcBounds(font["glyf"])
    font["hmtx"][name] = (advance, glyph.xMin)


def _mend(font):
    """Change what would stand out."""
    # In formulas the prime is always a script, so small and high; this copy of the font has lost its form for that.
    letters = font.getBestCmap()
    _reshape(font, letters[ord("′")], (1.35, 1.35), (-40, -390), 330)
    # Chromium reserves the width of the widest sign for every root, and leaves a gap after those that are narrower.
    maths = font["MATH"].table
    variants = maths.MathVariants
    signs = variants.VertGlyphConstruction[variants.VertGlyphCoverage.glyphs.index(letters[ord("√")])]
    names = {record.VariantGlyph for record in signs.MathGlyphVariantRecord}
    for name in names | {part.glyph for part in signs.GlyphAssembly.PartRecords}:
        advance = font["hmtx"][name][0]
        narrower = min(1, _ROOT / advance)
        _reshape(font, name, (narrower, 1), (max(0, _ROOT - advance), 0), _ROOT)
    # It also takes the next larger one rather early; and bars of small fractions would be as thick as their letters.
    maths.MathConstants.RadicalVerticalGap.Value = 50
    maths.MathConstants.FractionRuleThickness.Value = 50


def characters_of(page):
    """Characters of the formulas of a page.

    Parameters
    ----------
    page : str
        HTML.

    Returns
    -------
    set of str
    """
    return {letter for formula in _MATH.findall(page) for letter in html.unescape(re.sub("<[^>]*>", "", formula))}


def write_font(app, exception):
    """``build-finished``: write the font for the formulas of all pages."""
    if exception is not None or app.builder.format != "html" or app.builder.math_renderer_name != "mathml":
        return
    out = Path(app.outdir)
    used = set(_LATER).union(*(characters_of(path.read_text("utf8")) for path in out.rglob("*.html")))
    (out / "_static" / FONT).write_bytes(subset_font(used))


def setup(app):
    """Connect this module's steps to the Sphinx build."""
    app.add_config_value("derivations_maths", "mathml", "html", str)
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    app.connect("config-inited", configure)
    app.connect("doctree-resolved", typeset_raw)
    app.connect("html-page-context", preload_font, priority=900)
    app.connect("build-finished", write_font)
