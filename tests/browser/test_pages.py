"""Every page of the site: quiet, self-contained, accessible, and no wider than a phone."""
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsers import watch

VIEWS = [(320, "dark"), (390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")]

RAW_MATHS = """() => {
    const copy = document.querySelector('main').cloneNode(true);
    copy.querySelectorAll('pre, code, script, math, mjx-container, svg').forEach(node => node.remove());
    return copy.textContent;
}"""

SETTLED = """async () => {
    if (window.MathJax?.startup) await MathJax.startup.promise;
    await document.fonts.ready;
}"""


def _serious(page):
    """Accessibility findings of weight."""
    for violation in Axe().run(page).response["violations"]:
        if violation["impact"] in ("serious", "critical"):
            yield f"{violation['id']} at {[node['target'] for node in violation['nodes'][:3]]}"


def _inspect(page, served, width):
    """All findings of one page in one view, as (kind, text)."""
    page.evaluate(SETTLED)
    page.wait_for_timeout(100)
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > width:
        yield "overflow", f"{wide} px"
    for match in re.findall(r".{0,20}(?:\$|\\\(|\\\[|\\begin).{0,20}", page.evaluate(RAW_MATHS)):
        yield "raw maths", match
    for alt in page.eval_on_selector_all("main img", "images => images.map(image => image.alt)"):
        if not alt or re.search(r"\.(png|svg|jpe?g)$", alt):
            yield "alt text", repr(alt)
    for problem in page.problems:
        yield "console", problem
    for url in page.addresses:
        if not url.startswith((served, "data:", "blob:")):
            yield "other host", url
    # Last, since axe itself asks for style sheets again.
    for text in _serious(page):
        yield "accessibility", text


@pytest.fixture(scope="session")
def names(site):
    """All pages below the site's root, but for the root itself, which only leads on to the start page."""
    found = {path.relative_to(site).as_posix() for path in site.rglob("*.html") if "_static" not in path.parts}
    assert {"index.html", "chapters/index.html", "search.html"} <= found
    return sorted(found - {"index.html"})


@pytest.fixture(scope="session")
def findings(browser, served, names):
    """Each page visited once in each view."""
    found = []
    for width, scheme in VIEWS:
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        for name in names:
            page = watch(context.new_page())
            page.goto(served + name)
            found += [(kind, f"{name} ({width} px, {scheme}): {text}") for kind, text in _inspect(page, served, width)]
            page.close()
        context.close()
    return found


@pytest.mark.parametrize("kind", ["accessibility", "overflow", "raw maths", "alt text", "console", "other host"])
def test_nothing_found(findings, kind):
    lines = [text for found, text in findings if found == kind]
    assert not lines, "\n".join(lines)


def test_the_root_leads_to_the_start_page(page, served):
    page.goto(served)
    page.wait_for_url("**/chapters/index.html")
    assert not page.problems


def test_no_widget_state(site, names):
    """Nothing of the live widgets is in the static pages: no RequireJS, no widget manager, no saved state."""
    for name in names:
        text = (site / name).read_text("utf8")
        assert not re.search(r"require(\.min)?\.js|widget-state|widget-view|html-manager|embed-amd", text), name


def test_the_inspection_finds_what_it_looks_for(browser, served, site):
    """A page with one fault of each kind: otherwise an inspection that sees nothing would pass unnoticed."""
    context = browser.new_context(viewport={"width": 390, "height": 800})
    page = watch(context.new_page())
    page.route("**/faulty.html", lambda route: route.fulfill(content_type="text/html", body="""<html lang="en">
        <title>faulty</title><main><h1>Faulty</h1><img src="x.png" alt="x.png"><div style="width: 600px">$x$</div>
        <input><script>console.error('loud')</script><script src="http://other.invalid/x.js"></script></main></html>"""))
    page.goto(served + "faulty.html")
    kinds = {kind for kind, _ in _inspect(page, served, 390)}
    context.close()
    assert kinds == {"accessibility", "overflow", "raw maths", "alt text", "console", "other host"}
