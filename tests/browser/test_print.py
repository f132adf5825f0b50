"""The book on paper: nothing cut, everything there, and a PDF that a reader can find the way in."""
import re
import shutil

import pypdf
import pytest
from derivations.book import pdf
from derivations.book.pages import STATIC

SHEET = 657     # px: A4 without its margins; Letter is wider

# What stands out of the sheet, is cut, or still scrolls.
CUT = """sheet => {
    const found = [];
    const boxes = 'p, pre, table, figure, svg, img, .admonition, .eqno, dt, div.math > *';
    for (const box of document.querySelectorAll(`.bd-article :is(${boxes})`)) {
        const { right, left, width } = box.getBoundingClientRect();
        if (!width || box.closest('.visually-hidden, svg svg')) continue;
        const inside = /^(pre|div|mjx-container)$/i.test(box.tagName) ? box.scrollWidth - box.clientWidth : 0;
        if (left < -1 || right > sheet + 1 || (box.clientWidth && inside > 1)) {
            const name = `${box.tagName} ${box.className.baseVal ?? box.className}`;
            found.push(`${name} ${Math.round(right)} ${inside}: ${box.textContent.slice(0, 40)}`);
        }
    }
    return found;
}"""


def on_paper(page):
    """Show the open page as it prints."""
    page.evaluate(pdf.SETTLED)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    # The script of the page answers to the change of the medium before the next frame.
    page.evaluate("() => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)))")


@pytest.fixture
def sheet(browser):
    """A page as wide as a sheet of A4 without its margins."""
    context = browser.new_context(viewport={"width": SHEET, "height": 960}, color_scheme="dark")
    yield context.new_page()
    context.close()


def test_nothing_is_cut(sheet, served, site):
    found = []
    for path in sorted((site / "chapters").rglob("*.html")):
        name = path.relative_to(site).as_posix()
        sheet.emulate_media(media="screen")
        sheet.goto(served + name)
        on_paper(sheet)
        found += [f"{name}: {line}" for line in sheet.evaluate(CUT, SHEET)]
    assert not found, "\n".join(found)


def test_the_measure_finds_what_is_cut(sheet, served):
    sheet.goto(served + "chapters/riemann/loop.html")
    on_paper(sheet)
    assert not sheet.evaluate(CUT, SHEET)
    sheet.evaluate("document.querySelector('.bd-article pre').style.minWidth = '900px'")
    sheet.evaluate("document.querySelector('.bd-article figure').style.minWidth = '900px'")
    kinds = {line.split()[0].lower() for line in sheet.evaluate(CUT, SHEET)}
    assert {"pre", "figure"} <= kinds


def test_a_wide_formula_is_scaled(sheet, served):
    """It is as wide as its box on paper, and as large as before on the screen."""
    sheet.goto(served + "chapters/riemann/loop.html")
    sheet.evaluate(pdf.SETTLED)
    sheet.evaluate("""() => {
        const formula = document.querySelector('div.math > :not(.eqno)');
        formula.innerHTML = '<div style="width: 1500px; height: 1em"></div>';
        formula.classList.add('wide');
    }""")
    on_paper(sheet)
    assert sheet.eval_on_selector(".wide", "box => box.firstChild.getBoundingClientRect().width") <= SHEET
    sheet.evaluate("dispatchEvent(new Event('afterprint'))")
    sheet.emulate_media(media="screen")
    assert sheet.eval_on_selector(".wide", "box => box.firstChild.getBoundingClientRect().width") == 1500


def test_folded_parts_unfold_for_the_print_only(page, served):
    page.goto(served + "chapters/riemann/loop.html")
    state = """() => [document.documentElement.dataset.theme,
        ...[...document.querySelectorAll('.toggle, details')].map(part => part.className + part.open),
        document.head.querySelectorAll('style').length]"""
    page.locator(".toggle-hidden, details").first.wait_for(state="attached")
    before = page.evaluate(state)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".toggle-hidden, details:not([open])").count() == 0
    assert page.evaluate(state)[0] == "light"
    page.evaluate("dispatchEvent(new Event('beforeprint'))")    # some browsers tell twice
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(state) == before


@pytest.fixture(scope="module")
def printed(browser, site, tmp_path_factory):
    """One chapter as PDF."""
    return next(pdf.make(site, tmp_path_factory.mktemp("pdf"), browser, only="riemann/loop"))


def _letters(text):
    return re.sub(r"\s", "", text)


def test_everything_is_there(printed, page, served):
    """Every equation's number, the last line of every cell, solutions, the sentence of every figure."""
    text = _letters("".join(sheet.extract_text() for sheet in pypdf.PdfReader(printed).pages))
    page.goto(served + "chapters/riemann/loop.html")
    wanted = page.eval_on_selector_all(".bd-article .eqno", "all => all.map(e => e.firstChild.textContent)")
    wanted += page.eval_on_selector_all(
        ".bd-article pre", "all => all.map(e => e.textContent.trimEnd().split('\\n').at(-1))")
    wanted += page.eval_on_selector_all(".bd-article .live-figure-alt", "all => all.map(e => e.textContent)")
    assert len(wanted) > 30
    assert [line for line in wanted if _letters(line) not in text] == []
    for gone in ("Runlive", "Downloadasanotebook", "Copylink", "prepared frames"):
        assert _letters(gone) not in text


def test_a_chapter_as_pdf_is_in_order(printed):
    reader = pypdf.PdfReader(printed)
    assert 10 < len(reader.pages) < 40
    assert reader.metadata.title.startswith("24. Once round a small loop") and reader.metadata.author
    assert reader.trailer["/Root"]["/Lang"] == "en"
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"] and "/StructTreeRoot" in reader.trailer["/Root"]
    assert len(reader.outline) >= 1
    for number, sheet in enumerate(reader.pages, start=1):
        text = sheet.extract_text()
        assert "24. Once round a small loop" in text and re.search(rf"(?m)^{number}$", text)
        assert (float(sheet.mediabox.width), float(sheet.mediabox.height)) == pytest.approx((595, 842), abs=1)


def _fonts(reader):
    for sheet in reader.pages:
        for font in sheet["/Resources"].get("/Font", {}).values():
            font = font.get_object()
            yield font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in font else font


def test_fonts_are_embedded(printed):
    fonts = list(_fonts(pypdf.PdfReader(printed)))
    assert fonts
    for font in fonts:
        assert font["/Subtype"] == "/Type3" or {"/FontFile", "/FontFile2", "/FontFile3"} & set(font["/FontDescriptor"])


def test_links_lead_to_the_other_chapters(printed):
    """None to the machine that printed it."""
    others, places = set(), set()
    for sheet in pypdf.PdfReader(printed).pages:
        for annotation in sheet.get("/Annots", ()):
            action = annotation.get_object().get("/A", {})
            assert "127.0.0.1" not in str(action.get("/URI", ""))
            if action.get("/S") == "/GoToR":
                others.add(action["/F"])
                places.add(str(action["/D"]))
    assert "three_roads.pdf" in others and "../glossary.pdf" in others
    assert "/term-Parallel-transport" in places


@pytest.mark.parametrize("strand", ["adamw", "riemann"])
def test_formulas_are_two_sheets(browser, site, tmp_path, strand):
    path = next(pdf.make(site, tmp_path, browser, only=f"{strand}/formulas"))
    assert len(pypdf.PdfReader(path).pages) == 2


PAGE = """<!DOCTYPE html><html lang="en"><head><title>{title} &#8212; The Book</title>
<style>@media print {{ nav, .component-author {{ display: none }} }}</style>
<script src="{up}print.js" defer></script></head><body>
<nav class="bd-docs-nav"><a class="reference internal" href="{up}chapters/index.html">The Book</a>
<p class="caption">Part one</p><a class="reference internal" href="{up}chapters/one.html">1. One</a>
<a class="reference internal" href="{up}chapters/two.html">2. Two</a></nav>
<main class="bd-main"><div class="bd-content"><article class="bd-article">
<h1 id="top">{title}</h1>{body}</article></div></main>
<p class="component-author">By Nobody</p></body></html>"""


@pytest.fixture
def small_book(tmp_path):
    """A site of three pages, whose chapters use the same names."""
    folder = tmp_path / "site"
    (folder / "chapters").mkdir(parents=True)
    long = "<p>text</p>" * 100
    out = '<a href="https://elsewhere.invalid/">out</a><a href="../notebooks/two.ipynb">file</a>'
    bodies = {
        "index": ("The Book", '<p><a href="two.html#place">to the place</a></p>'),
        "one": ("1. One", f'<p id="place">the first place</p>{long}<a href="two.html">two</a>'),
        "two": ("2. Two", f'{long}<p id="place">the second place</p><a href="one.html#place">there</a>{out}'),
    }
    for name, (title, body) in bodies.items():
        (folder / f"chapters/{name}.html").write_text(PAGE.format(title=title, up="../", body=body), "utf8")
    shutil.copy(STATIC / "print.js", folder)
    return folder


def test_the_whole_book(browser, small_book, tmp_path):
    *_, path = pdf.make(small_book, tmp_path / "out", browser)
    assert path.name == "the-book.pdf" and (tmp_path / "out/chapters/two.pdf").is_file()
    reader = pypdf.PdfReader(path)
    texts = [sheet.extract_text() for sheet in reader.pages]
    numbers = pdf.page_numbers(path)
    assert "Nobody" in texts[0] and "Contents" in texts[1]
    assert "1. One" in texts[numbers["chapters-one"]]    # its second sheet, which has no heading
    for title, name in [("1. One", "one"), ("2. Two", "two")]:
        start = numbers[f"chapters-{name}"]
        assert title in texts[start - 1] and re.search(rf"{title}\s*{start}\b", texts[1])
    second = next(i for i, text in enumerate(texts, start=1) if "the second place" in text)
    assert numbers["chapters-two--place"] == second > numbers["chapters-two"]
    assert reader.metadata.title == "The Book" and reader.metadata.author == "Nobody"
    links = [str(annotation.get_object().get("/A", {}).get("/URI", "")) for sheet in reader.pages
             for annotation in sheet.get("/Annots", ())]
    assert "https://elsewhere.invalid/" in links and not any("127.0.0.1" in link for link in links)
    part = [entry for entry in reader.outline if not isinstance(entry, list)]
    assert [str(entry.title) for entry in part][:3] == ["The Book", "Contents", "Part one"]


def test_an_unknown_page_is_named(browser, small_book, tmp_path):
    with pytest.raises(ValueError, match="only='three'"):
        list(pdf.make(small_book, tmp_path, browser, only="three"))
