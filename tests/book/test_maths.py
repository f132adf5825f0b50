"""Formulas as MathML: each construct of the chapters, errors, the font, and both settings on a tiny book."""
import re
import xml.etree.ElementTree as ElementTree
from io import BytesIO

import pytest
from docutils import nodes
from fontTools.ttLib import TTFont
from tiny_book import CONFIG, HEADER, TOC, Book

from derivations.book.maths import FormulaError, block_tex, characters_of, mathml, subset_font, typeset_html

PAGE = HEADER + r"""# One of $\kappa$

Inline $\beta_1 < 1$, and {math}`s'`.

$$
a &= b \\
  &= c
$$ (eq-chain)

$$
d = e

f = g
$$

\begin{align}
h &= k \\
  &= l
\end{align}

See {eq}`eq-chain`.

```{code-cell} ipython3
from IPython.display import HTML, Math
HTML(r'<p><span class="math notranslate nohighlight">\(q &lt; 2\)</span></p>')
```

```{code-cell} ipython3
Math(r"\frac{m}{n}")
```
"""


def parsed(tex, display=False):
    return ElementTree.fromstring(mathml(tex, display))


@pytest.mark.parametrize(("tex", "elements"), [
    (r"R^{\mu}{}_{\alpha\beta\gamma}", ["msup", "msub"]),
    (r"\begin{cases} a & x > 0 \\ b & \text{else} \end{cases}", ["mtable", "mtext"]),
    (r"\underbrace{a + b}_{\text{sum}}", ["munder", "mtext"]),
    (r"\begin{aligned} a &= b \\ &= c \end{aligned}", ["mtable", "mtr", "mtd"]),
    (r"\begin{pmatrix} 1 & 0 \\ 0 & 1 \end{pmatrix}", ["mtable"]),
    (r"\sqrt{\hat v_t} + \bar\alpha + \ddot\xi", ["msqrt", "mover"]),
    (r"\binom{n}{k} + \overset{!}{=}", ["mfrac", "mover"]),
    (r"a = b \tag{3}", ["mtable"]),
    (r"\operatorname{Var}[x] \ll \mathbb{E}\big[x^2\big]", ["mi", "mo", "msup"]),
])
def test_constructs_of_the_chapters(tex, elements):
    found = {element.tag for element in parsed(tex, display=True).iter()}
    assert set(elements) <= found
    assert "\\" not in mathml(tex, display=True)


def test_indices_stand_one_after_the_other():
    row = parsed(r"R^{\mu}{}_{\alpha}")[0]
    assert [child.tag for child in row] == ["msup", "msub"]
    assert len(row[1][0]) == 0, "an empty base, right of the upper index"


def test_an_accent_does_not_lift_the_index():
    bases = parsed(r"\dot x^\mu \bar\beta^2 x^2 \bar x").iter("mpadded")
    assert [base.get("height") for base in bases] == ["0.6em", "0.8em"]


def test_a_sum_in_a_script_is_set_tight():
    sign = next(element for element in parsed("x^{t-i}").iter("mo"))
    assert (sign.get("lspace"), sign.get("rspace")) == ("0em", "0em")
    assert next(parsed("t-i").iter("mo")).get("lspace") is None
    assert next(parsed(r"\tfrac{a+b}{2}").iter("mo")).get("lspace") == "0em"
    assert next(parsed(r"\frac{a+b}{2}", display=True).iter("mo")).get("lspace") is None


def test_a_line_that_begins_with_a_sign_is_spaced_as_a_sum():
    signs = list(parsed(r"\begin{aligned} a &= b \\ &\quad - c \\ &+ d \end{aligned}", display=True).iter("mo"))
    assert [(sign.text, sign.get("form")) for sign in signs] == [("=", None), ("−", None), ("+", "infix")]
    assert next(parsed(r"\begin{pmatrix} -1 \end{pmatrix}").iter("mo"), None).get("form") == "prefix"


def test_a_list_of_numbers_is_no_number():
    assert [element.text for element in parsed("(0,1)").iter("mn")] == ["0", "1"]
    assert [element.text for element in parsed("1.5").iter("mn")] == ["1.5"]


@pytest.mark.parametrize(("tex", "parts"), [
    ("a = b + c", ["a=", "b+", "c"]),
    (r"f(a + b) = \big[c + d\big]", ["f(a+b)=", "[c+d]"]),
    ("a = -b", ["a=", "−b"]),
    (r"1, \dots, n", ["1,", "…,", "n"]),
])
def test_a_formula_in_a_line_may_break_after_relations_and_sums(tex, parts):
    root = parsed(tex)
    assert root.get("class") == "breaks"
    assert ["".join(row.itertext()) for row in root] == parts


@pytest.mark.parametrize("tex", ["x", "f(a, b)", "-x", r"\frac{a + b}{c}"])
def test_other_formulas_do_not_break(tex):
    assert parsed(tex).get("class") is None
    assert parsed("a = b", display=True).get("class") == "tml-display"


@pytest.mark.parametrize("tex", [r"\frac{1}{", r"\nosuch", "a & b", "x_"])
def test_what_cannot_be_read_is_an_error(tex):
    with pytest.raises(FormulaError) as caught:
        mathml(tex)
    assert "̲" not in str(caught.value)


@pytest.mark.parametrize(("tex", "written"), [
    ("a", "a"),
    ("a \\\\ b", "\\begin{split}a \\\\ b\\end{split}"),
    ("a\n\nb \\\\ c", r"\begin{aligned}a \\ \begin{split}b \\ c\end{split}\end{aligned}"),
])
def test_displayed_formula(tex, written):
    assert block_tex(nodes.math_block("", tex, nowrap=False)) == written
    assert mathml(written, display=True)


def test_html_of_a_cell():
    html = r'<p>\(x\) <span class="math notranslate nohighlight">\(a &lt; b\)</span></p>'
    assert typeset_html(html) == html.replace(r"\(a &lt; b\)", mathml("a < b"))


def test_the_font_holds_what_is_asked_for():
    characters = characters_of(f"x<math><mi>β</mi><mo>&lt;</mo></math>y<math><mi>{'′√∑'}</mi></math>")
    assert characters == set("β<′√∑")
    font = TTFont(BytesIO(subset_font(characters)))
    assert {ord(letter) for letter in characters} <= set(font.getBestCmap())
    variants = font["MATH"].table.MathVariants
    large = dict(zip(variants.VertGlyphCoverage.glyphs, variants.VertGlyphConstruction))
    letters = font.getBestCmap()
    assert len(large[letters[ord("∑")]].MathGlyphVariantRecord) > 1
    roots = {record.VariantGlyph for record in large[letters[ord("√")]].MathGlyphVariantRecord}
    assert len(roots) > 3 and {font["hmtx"][name][0] for name in roots} == {900}


def book_with(folder, setting, page=PAGE):
    book = Book(folder, {"one": page})
    book.write("_config.yml", CONFIG.replace("config: {", f"config: {{derivations_maths: {setting}, ")
               + "parse: {myst_enable_extensions: [amsmath, dollarmath]}\n")
    book.write("_toc.yml", TOC.replace(", {file: chapters/two}", ""))
    return book


def test_mathml(tmp_path):
    book = book_with(tmp_path, "mathml")
    assert book.build(), book.output
    page = book.page("one")
    article = page[page.index("<article"):page.index("</article>")]
    assert article.count("<math") == 8, "title, two in a line, three displayed, two of cells"
    assert not re.search(r"\\[(\[]", re.sub("(?s)<pre>.*?</pre>", "", article)) and "vendor/mathjax" not in page
    assert "<math><mi>κ</mi></math>" in page.replace(article, ""), "table of contents"
    assert re.search(r"<title>[^<]*κ", page)
    assert page.count("rel: 'preload', as: 'font'") == 1
    assert '<span class="eqno">(1.1)<a class="headerlink" href="#equation-eq-chain"' in article
    static = tmp_path / "_build/html/_static/vendor"
    assert (static / "temml/STIXTwoMath.woff2").is_file()
    assert not (static / "mathjax").exists() and not (static / "stix-two-math").exists()
    assert "as: 'font'" not in book.page("index"), "a page without formulas needs no font"

    marked = r'<p><span class="math notranslate nohighlight">\(\nocell\)</span>'
    book.write("chapters/one.md", PAGE.replace("<p>", marked).replace(r"\beta_1 < 1", r"\frac{1"))
    for _ in range(2):
        assert not book.build()
        assert re.search(r"chapters/one\.md:\d+: ERROR: the formula \\frac\{1 cannot be typeset", book.output)
        assert r"the formula \nocell cannot be typeset" in book.output


def test_mathjax(tmp_path):
    book = book_with(tmp_path, "mathjax")
    assert book.build(), book.output
    page = book.page("one")
    assert "<math" not in page and "vendor/mathjax/tex-chtml-full.js" in page
    assert r"\(\beta_1 &lt; 1\)" in page and r"\(q &lt; 2\)" in page
    assert "temml" not in page.lower() and "as: 'font'" not in page
    static = tmp_path / "_build/html/_static/vendor"
    assert (static / "mathjax/tex-chtml-full.js").is_file() and not (static / "temml").exists()


def test_another_setting_is_refused(tmp_path):
    book = book_with(tmp_path, "katex")
    assert not book.build()
    assert "derivations_maths must be mathml or mathjax, got 'katex'" in book.output
