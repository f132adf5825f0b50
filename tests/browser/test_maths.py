"""Formulas in a real browser: all of them are there, in the book's font, and those that appear later look the same."""
import pickle
import re
from io import BytesIO

import pytest
from browsers import watch
from docutils import nodes
from fontTools.ttLib import TTFont
from tiny_book import CONFIG, HEADER, TOC, Book

from derivations.book.maths import characters_of, mathml

CHAPTER = "chapters/riemann/formulas.html"
READY = "async () => { await window.MathJax?.startup?.promise; await document.fonts.ready; }"
MARKED = 'class="math notranslate nohighlight'


def sources(root):
    """For each page, its name and the number of formulas that its source and its outputs hold."""
    folder = root / "_build/.doctrees"
    for path in sorted(folder.rglob("*.doctree")):
        tree = pickle.loads(path.read_bytes())
        count = sum(1 for _ in tree.findall(lambda node: isinstance(node, (nodes.math, nodes.math_block))))
        count += sum(node.astext().count(MARKED) for node in tree.findall(nodes.raw))
        yield path.relative_to(folder).with_suffix("").as_posix(), count


def formulas(text):
    """Formulas of a page's article, but for those of other pages' titles in links, and of the glossary's notes at its end."""
    article = text[text.index("<article"):text.index("</article>")].partition('<div class="term-note"')[0]
    return re.sub(r'(?s)<a class="reference internal".*?</a>', "", article).count("<math")


def test_every_formula_of_the_source_is_on_its_page(site, root):
    if "<math" not in (site / CHAPTER).read_text("utf8"):
        pytest.skip("the book was built with derivations_maths: mathjax")
    counts = {name: count for name, count in sources(root) if (site / f"{name}.html").is_file()}
    assert sum(counts.values()) > 8000
    assert {name: formulas((site / f"{name}.html").read_text("utf8")) for name in counts} == counts


def test_a_formula_that_is_missing_would_be_noticed(site):
    text = (site / CHAPTER).read_text("utf8")
    less = re.sub(r"(?s)(<article.*?)<math.*?</math>", r"\1", text, count=1)
    assert formulas(less) == formulas(text) - 1


def test_the_books_font_is_used(page, served, site):
    page.goto(served + CHAPTER)
    page.evaluate(READY)
    loaded = page.evaluate("[...document.fonts].filter(f => f.status === 'loaded').map(f => f.family)")
    assert sum("Book Maths" in family for family in loaded) == 1
    assert [url for url in page.addresses if url.endswith("woff2") and "STIX" in url] == [
        served + "_static/vendor/temml/STIXTwoMath.woff2"], "fetched once, by the preload"
    assert not [url for url in page.addresses if "temml.min.js" in url], "no script typesets a finished page"
    assert not page.problems


def test_the_font_holds_every_character_of_every_page(site):
    font = TTFont(BytesIO((site / "_static/vendor/temml/STIXTwoMath.woff2").read_bytes())).getBestCmap()
    used = set().union(*(characters_of(path.read_text("utf8")) for path in site.rglob("*.html")))
    invisible = set("\u2061\u2062\u2063\u200b\n ")
    assert len(used) > 100
    assert not {letter for letter in used - invisible if ord(letter) not in font}


def test_a_page_opened_as_a_file_uses_the_font_quietly(page, site):
    page.goto((site / CHAPTER).as_uri())
    page.evaluate(READY)
    assert page.evaluate("[...document.fonts].some(f => f.family.includes('Book Maths') && f.status === 'loaded')")
    assert not page.problems


def test_wide_formulas_scroll_and_the_keyboard_reaches_them(browser, served):
    context = browser.new_context(viewport={"width": 320, "height": 700})
    page = context.new_page()
    page.goto(served + CHAPTER)
    page.evaluate(READY)
    page.evaluate(r"""async () => {
        const box = document.createElement('div');
        box.innerHTML = ['x', 'x + '.repeat(40) + 'x'].map(tex => `<div class="math">\\[${tex}\\]</div>`).join('');
        document.querySelector('article').append(box);
        await typesetMaths(box);
    }""")
    boxes = page.locator("article div.math > .equation")
    wide = boxes.evaluate_all("boxes => boxes.map(box => [box.scrollWidth > box.clientWidth, box.tabIndex === 0])")
    assert wide[-2:] == [[False, False], [True, True]]
    assert all(is_wide == reachable for is_wide, reachable in wide)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    context.close()


def test_long_formulas_in_a_line_break_on_a_phone(browser, served):
    context = browser.new_context(viewport={"width": 320, "height": 700})
    page = context.new_page()
    page.goto(served + "chapters/adamw/closed_forms.html")
    page.evaluate(READY)
    rows = page.locator("p math.breaks").evaluate_all("""formulas => formulas.map(formula =>
        new Set([...formula.children].map(row => Math.round(row.getBoundingClientRect().bottom / 12))).size)""")
    assert max(rows) > 1
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    context.close()


LATER = r"""async () => {
    const box = document.createElement('div');
    box.innerHTML = '<p>Of <span class="math">\\(\\beta_1 &lt; 1\\)</span></p>'
        + '<p>and <span class="math">\\(\\nosuch\\)</span></p>'
        + '<div class="math">\\[\\frac{a}{b}\\]</div>';
    document.querySelector('article').append(box);
    await typesetMaths(box);
    return box.innerHTML;
}"""


def test_formulas_that_appear_later(page, served):
    page.goto(served + CHAPTER)
    found = page.evaluate(LATER)
    assert mathml(r"\beta_1 < 1") in found and mathml(r"\frac{a}{b}", True) in found
    assert r"<code>\nosuch</code>" in found
    assert [url for url in page.addresses if "temml.min.js" in url] == [served + "_static/vendor/temml/temml.min.js"]
    page.evaluate(LATER)
    assert len([url for url in page.addresses if "temml.min.js" in url]) == 1
    assert not page.problems


def test_without_the_network_the_tex_stays(page, served):
    page.goto(served + CHAPTER)
    page.evaluate(READY)
    page.context.set_offline(True)
    found = page.evaluate(LATER)
    assert "<math" not in found and r"<code>\frac{a}{b}</code>" in found


@pytest.fixture(scope="module")
def with_mathjax(tmp_path_factory):
    book = Book(tmp_path_factory.mktemp("mathjax"), {"one": HEADER + "# One\n\n$x$ and {math}`y`\n"})
    book.write("_toc.yml", TOC.replace(", {file: chapters/two}", ""))
    book.write("_config.yml", CONFIG.replace("config: {", "config: {derivations_maths: mathjax, "))
    assert book.build(), book.output
    return book.folder / "_build/html/chapters/one.html"


@pytest.mark.parametrize("choice", ['{"renderer": "SVG"}', '{"explorer": true}'])
def test_with_mathjax(page, with_mathjax, choice):
    """A choice made in the menu of another site's MathJax is kept for all pages of a host; it does no harm."""
    page.goto(with_mathjax.as_uri())
    page.evaluate("choice => localStorage.setItem('MathJax-Menu-Settings', choice)", choice)
    again = watch(page.context.new_page())
    again.goto(with_mathjax.as_uri())
    again.evaluate(READY)
    assert again.locator("mjx-container").count() == 2
    again.evaluate(LATER)
    assert again.locator("article mjx-container").count() == 5
    assert not again.problems
