"""The search finds equations by their names; a term shows its definition on hover and focus, and on a tap its page."""
import pytest
from axe_playwright_python.sync_playwright import Axe
from browsers import watch

# What a reader types, and a page that must be among the first three hits.
QUERIES = {
    "equilibrium equation": "chapters/adamw/equilibrium.html#equation-eq-adamw-equilibrium",
    "eq-adamw-equilibrium": "chapters/adamw/equilibrium.html#equation-eq-adamw-equilibrium",
    "eq-riemann-loop-way-two": "chapters/riemann/loop.html#equation-eq-riemann-loop-way-two",
    "Ricci identity": "chapters/riemann/commuting.html#equation-eq-riemann-commuting",
    "Jacobi equation": "chapters/riemann/deviation.html#equation-eq-riemann-deviation",
    "half-life": "chapters/adamw/schedules.html#thm-adamw-forgetting",
    "geodesic equation": "chapters/riemann/geodesics.html#equation-eq-riemann-geodesic",
    "Christoffel symbols": "chapters/riemann/geodesics.html#equation-eq-riemann-christoffel",
    "second Bianchi identity": "chapters/riemann/symmetries.html#equation-eq-riemann-bianchi-second",
    "Gauss-Bonnet theorem": "chapters/riemann/contractions.html",
    "sectional curvature": "chapters/riemann/contractions.html#equation-eq-riemann-sectional",
    "Riemann tensor": "chapters/riemann/loop.html#equation-eq-riemann-loop-definition",
    "Kerr metric": "chapters/riemann/computing.html#equation-eq-riemann-kerr",
    "tidal matrix": "chapters/riemann/tides.html#equation-eq-riemann-tidal-matrix",
    "noise factor": "chapters/adamw/exact_prediction.html#equation-eq-adamw-noise-factor-exact",
    "mean field equation": "chapters/adamw/mean_field.html#equation-eq-adamw-mean-field-formula",
    "control variate": "chapters/adamw/simulation.html#equation-eq-adamw-control-variate",
    "Robbins-Monro conditions": "chapters/adamw/without_decay.html",
    "weight rms": "chapters/glossary.html#term-weight-RMS",
    "predict_weight_rms": "chapters/reference/api_adamw.html#derivations.adamw.predict_weight_rms",
    "Fisher metric": "chapters/bridge/gaussians.html#equation-eq-bridge-fisher",
    "parallel transport": "chapters/riemann/covariant_derivative.html#equation-eq-riemann-transport",
}

CHAPTER = "chapters/riemann/loop.html"
TERM = 'main p a[aria-describedby="note-term-holonomy"]'
NOTE = "#note-term-holonomy"


def test_the_search_leads_to_the_equation(page, served):
    missed = []
    for query, wanted in QUERIES.items():
        page.goto(served + "search.html")
        field = page.locator("main input[name=q]")
        field.fill(query)
        field.press("Enter")
        page.wait_for_url("**/search.html?q=*")
        # Sphinx writes this line when the last hit stands on the page.
        page.get_by_text("Search finished").or_(page.get_by_text("did not match any")).wait_for()
        hits = page.eval_on_selector_all("ul.search li > a", "links => links.slice(0, 3).map(link => link.href)")
        if not any(hit.startswith(served + wanted) for hit in hits):
            missed.append(f"{query}: {[hit.removeprefix(served) for hit in hits]}")
    assert not missed, "\n".join(missed)


def test_a_word_that_is_nowhere_is_not_found(page, served):
    page.goto(served + "search.html?q=qwertzuiop")
    page.get_by_text("did not match any").wait_for()
    assert page.locator("ul.search li").count() == 0


@pytest.fixture(params=["served", "from disk"])
def address(request, site, served):
    """Where the site is read."""
    return served if request.param == "served" else site.as_uri() + "/"


def test_a_term_shows_its_definition_under_the_mouse(page, address):
    page.goto(address + CHAPTER)
    page.evaluate("document.fonts.ready")
    term, note = page.locator(TERM).first, page.locator(NOTE)
    term.scroll_into_view_if_needed()
    before = page.evaluate("[document.documentElement.scrollHeight, document.documentElement.scrollWidth]")
    place = term.bounding_box()
    assert note.is_hidden()
    term.hover()
    note.wait_for(state="visible")
    assert "carried once round a loop" in note.inner_text()
    assert page.evaluate("[document.documentElement.scrollHeight, document.documentElement.scrollWidth]") == before
    assert term.bounding_box() == place
    note.hover()                            # the mouse may go there, to read on or to follow a link
    assert note.is_visible()
    page.mouse.move(2, 2)
    note.wait_for(state="hidden")
    term.hover()
    note.wait_for(state="visible")
    page.keyboard.press("Escape")
    note.wait_for(state="hidden")
    assert not page.problems


def test_a_term_shows_its_definition_with_the_keyboards_focus(page, served):
    page.goto(served + CHAPTER)
    page.keyboard.press("Tab")              # from here on the browser knows that the keyboard is in use
    term, note = page.locator(TERM).first, page.locator(NOTE)
    term.focus()
    note.wait_for(state="visible")
    assert term.get_attribute("aria-describedby") == note.get_attribute("id")
    assert note.get_attribute("role") == "tooltip"
    found = Axe().run(page).response["violations"]
    assert not [violation["id"] for violation in found if "note-term" in str(violation["nodes"])]
    page.keyboard.press("Escape")
    note.wait_for(state="hidden")
    assert term.evaluate("link => link === document.activeElement")
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    note.wait_for(state="visible")
    page.keyboard.press("Tab")
    note.wait_for(state="hidden")


@pytest.mark.parametrize("width", [320, 1280])
def test_every_definition_fits_and_is_typeset(browser, served, width):
    context = browser.new_context(viewport={"width": width, "height": 700})
    page = watch(context.new_page())
    page.goto(served + "chapters/riemann/contractions.html")
    page.evaluate("window.MathJax?.startup?.promise")
    page.keyboard.press("Tab")
    terms = page.locator("main a[aria-describedby^=note-term-]")
    assert terms.count() > 5
    for term in terms.all():
        if not term.is_visible():           # in a folded solution
            continue
        term.focus()
        note = page.locator("#" + term.get_attribute("aria-describedby"))
        note.wait_for(state="visible")
        box = note.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width, note.inner_text()
        assert "\\" not in note.inner_text()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not page.problems
    context.close()


def test_a_tap_follows_the_link(browser, served):
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    page = watch(context.new_page())
    page.goto(served + CHAPTER)
    page.locator(TERM).first.tap()
    page.wait_for_url("**/glossary.html#term-holonomy")
    assert not page.problems
    context.close()


def test_a_page_holds_the_definitions_it_needs_and_no_others(site):
    text = (site / CHAPTER).read_text("utf8")
    assert text.count('id="note-term-holonomy"') == 1
    assert "note-term-weight-RMS" not in text
    assert "note-term" not in (site / "chapters/glossary.html").read_text("utf8")
