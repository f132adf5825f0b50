"""Every page of the site: quiet, self-contained, light, accessible, and no wider than a phone.

Each page is loaded once in light and once in dark, and then looked at in several widths: loading takes longest.
"""
import gzip
import re
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsers import watch
from inspection import COUNT_SHIFTS, LINKS, MOVING, OUTLINE, SETTLED, accessibility, raw_maths

# Widths in the order of looking; the first is that of loading. Readers of the dark pages asked for stillness.
VIEWS = {"light": (390, 1280), "dark": (1280, 390, 320)}
KINDS = ["accessibility", "overflow", "raw maths", "alt text", "size of images", "console", "other host", "language",
         "headings", "tables", "layout shift", "motion"]
SHIFT = 0.1

# Bytes on the line, without the formulas' own script and fonts where the book is built with MathJax.
BUDGET, BUDGET_WITH_FIGURES = 300_000, 600_000
MATHS = re.compile(r"_static/vendor/mathjax/")
COMPRESSED = re.compile(r"\.(html|css|js|json|svg|wasm|webmanifest|txt)$")


def _inspect(page, served, widths, axe):
    """All findings of one page, loaded in the first width, as (kind, text)."""
    page.evaluate(SETTLED)
    shift = page.evaluate("shifts")
    if sum(value for value, _ in shift) > SHIFT:
        yield "layout shift", f"{shift}"
    yield from map(tuple, page.evaluate(OUTLINE))
    for text in raw_maths(page):
        yield "raw maths", text
    if page.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches"):
        for text in page.evaluate(MOVING):
            yield "motion", text
    for problem in page.problems:
        yield "console", problem
    for url in page.addresses:
        if not url.startswith((served, "data:", "blob:")):
            yield "other host", url
    for width in widths:
        if page.viewport_size["width"] != width:
            page.set_viewport_size({"width": width, "height": 800})
            page.evaluate(SETTLED)
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            yield "overflow", f"{wide} px in {width} px"
        if width > 320:
            # Colours do not depend on the width.
            for text in accessibility(page, axe, colours=width == widths[0]):
                yield "accessibility", f"{text} in {width} px"


def _open(browser, scheme, width):
    """A new page of a browser that has kept nothing."""
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme,
                                  reduced_motion="reduce" if scheme == "dark" else "no-preference")
    context.add_init_script(COUNT_SHIFTS)
    return context


@pytest.fixture(scope="session")
def names(site):
    """All pages below the site's root, but for the root itself, which only leads on to the start page."""
    found = {path.relative_to(site).as_posix() for path in site.rglob("*.html") if "_static" not in path.parts}
    assert {"index.html", "chapters/index.html", "search.html"} <= found
    return sorted(found - {"index.html"})


@pytest.fixture(scope="session")
def visits(browser, served, names):
    """Each page visited in each view: findings, links and names of places, and what it asked for."""
    findings, links, places, asked = [], {}, {}, {}
    axe = Axe()
    for scheme, widths in VIEWS.items():
        context = _open(browser, scheme, widths[0])
        for name in names:
            page = watch(context.new_page())
            page.goto(served + name)
            # Before the inspection, since axe asks for style sheets again.
            page.evaluate(SETTLED)
            asked[name] = {urldefrag(url)[0].partition("?")[0] for url in page.addresses}
            found = page.evaluate(LINKS)
            links[name], places[name] = set(found["links"]), set(found["names"])
            findings += [(kind, f"{name} ({scheme}): {text}") for kind, text in _inspect(page, served, widths, axe)]
            page.close()
        context.close()
    return findings, links, places, asked


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_found(visits, kind):
    lines = [text for found, text in visits[0] if found == kind]
    assert not lines, "\n".join(lines)


def _astray(links, places, served, site):
    """Links within the site that lead nowhere."""
    for name, targets in links.items():
        for target in sorted(targets):
            if not target.startswith(served):
                continue
            address, place = urldefrag(target)
            path = unquote(urlsplit(address).path).lstrip("/")
            if path in places:
                if place and unquote(place) not in places[path]:
                    yield f"{name}: {path} has no place {place}"
            elif not (site / path).is_file() and not (site / path / "index.html").is_file():
                yield f"{name}: {path} is not there"


def test_every_link_within_the_site_leads_somewhere(visits, served, site):
    _, links, places, _ = visits
    assert sum(map(len, links.values())) > 1000
    lines = list(_astray(links, places, served, site))
    assert not lines, "\n".join(lines)


def test_links_that_lead_nowhere_are_found(served, site):
    links = {"a.html": {f"{served}a.html#here", f"{served}a.html#gone", f"{served}gone.html", f"{served}search.html",
                        "https://other.invalid/"}}
    assert list(_astray(links, {"a.html": {"here"}}, served, site)) == [
        "a.html: a.html has no place gone", "a.html: gone.html is not there"]


def _heavy(asked, site, served, budget):
    """What a page costs on the line, if that is more than the budget allows."""
    sizes = {}
    for url in asked:
        path = unquote(url.removeprefix(served))
        if url.startswith(served) and (site / path).is_file():
            data = (site / path).read_bytes()
            sizes[path] = len(gzip.compress(data, 6)) if COMPRESSED.search(path) else len(data)
    counted = {path: size for path, size in sizes.items() if not MATHS.search(path)}
    if sum(counted.values()) > budget:
        heaviest = sorted(counted.items(), key=lambda item: -item[1])[:3]
        listed = ", ".join(f"{path} {size / 1000:.0f}" for path, size in heaviest)
        return f"{sum(counted.values()) / 1000:.0f} kB, {listed}"
    return None


def test_pages_are_light(visits, site, served):
    """At the first visit, with nothing kept: 300 kB for a page of text and formulas, 600 kB with live figures."""
    lines = []
    for name, asked in visits[3].items():
        live = 'data-live-figure="' in (site / name).read_text("utf8")
        heavy = _heavy(asked, site, served, BUDGET_WITH_FIGURES if live else BUDGET)
        if heavy:
            lines.append(f"{name}: {heavy}")
    assert not lines, "\n".join(lines)


def test_a_heavy_page_is_found(site, served):
    name = "chapters/riemann/loop.html"
    assert _heavy({served + name}, site, served, 100_000).endswith(f"{name} {_weight(site / name)}")
    assert _heavy({served + name}, site, served, 10_000_000) is None


def _weight(path):
    return f"{len(gzip.compress(path.read_bytes(), 6)) / 1000:.0f}"


@pytest.mark.parametrize("name", [
    "index", "adamw/equilibrium", "riemann/loop", "adamw/calculator", "riemann/calculator", "reference/api"])
def test_the_layout_keeps_still_on_a_slow_phone(browser, served, name):
    """A processor at a quarter of its speed; then the reader scrolls to the end."""
    context = _open(browser, "light", 390)
    page = context.new_page()
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.goto(f"{served}chapters/{name}.html")
    page.evaluate(SETTLED)
    page.evaluate("""async () => {
        for (let y = 0; y < document.body.scrollHeight; y += 4 * innerHeight) {
            scrollTo(0, y);
            await new Promise(requestAnimationFrame);
        }
    }""")
    shifts = page.evaluate("shifts")
    context.close()
    assert sum(value for value, _ in shifts) < SHIFT, shifts


def test_the_root_leads_to_the_start_page(page, served):
    page.goto(served)
    page.wait_for_url("**/chapters/index.html")
    assert not page.problems


def test_no_widget_state(site, names):
    """Nothing of the live widgets is in the static pages: no RequireJS, no widget manager, no saved state."""
    for name in names:
        text = (site / name).read_text("utf8")
        assert not re.search(r"require(\.min)?\.js|widget-state|widget-view|html-manager|embed-amd", text), name


FAULTY = """<html><title>faulty</title>
<style>@keyframes turn { to { rotate: 1turn } } .turning { animation: turn 1s infinite }</style>
<main><h1>Faulty</h1><h3>Too deep</h3><img src="x.png" alt="x.png"><div style="width: 600px">$x$</div>
<p class="turning">turns</p><table><tr><td>no header</td></tr></table><input>
<div id="late"></div><p style="height: 900px">moved</p>
<script>
console.warn('loud');
requestAnimationFrame(() => requestAnimationFrame(() => { late.style.height = '300px'; window.moved = true; }));
</script><script src="http://other.invalid/x.js"></script></main></html>"""


def test_the_inspection_finds_what_it_looks_for(browser, served):
    """A page with one fault of each kind: otherwise an inspection that sees nothing would pass unnoticed."""
    context = _open(browser, "dark", 390)
    page = watch(context.new_page())
    page.route("**/faulty.html", lambda route: route.fulfill(content_type="text/html", body=FAULTY))
    page.goto(served + "faulty.html")
    page.wait_for_function("window.moved && window.shifts.length")
    kinds = {kind for kind, _ in _inspect(page, served, [390], Axe())}
    context.close()
    assert kinds == set(KINDS)
