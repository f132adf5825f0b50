"""The curvature calculator in a browser: prepared answers, its form, its links, and how it asks the package."""
import json
import re

import pytest
import sympy as sp
from axe_playwright_python.sync_playwright import Axe
from browsers import watch
from pyodide_mirror import NoMirror, Server, mirror

from derivations.calculators import curvature
from derivations.riemann import spaces

PAGE = "chapters/riemann/calculator.html"
ROOT = "#calculator-curvature"
KERR = """-(1 - 2*M*r/(r^2 + a^2*cos(theta)^2))*dt^2 - 4*M*a*r*sin(theta)^2/(r^2 + a^2*cos(theta)^2)*dt*dphi
 + (r^2 + a^2*cos(theta)^2)/(r^2 - 2*M*r + a^2)*dr^2 + (r^2 + a^2*cos(theta)^2)*dtheta^2
 + (r^2 + a^2 + 2*M*a^2*r*sin(theta)^2/(r^2 + a^2*cos(theta)^2))*sin(theta)^2*dphi^2"""
DENSE = "(1+x+y)^100*dx^2 + (1+x*y+z)^60*dy^2 + (1+x+y^2+z)^30*dx*dy + (1+z*y)^90*dz^2"    # minutes anywhere

# A stand-in for Run live: the page asks, and the package in this process answers.
STAND_IN = """() => {
    const live = new EventTarget();
    const tell = (state, text) => {
        live.state = state;
        live.dispatchEvent(new CustomEvent('status', { detail: { state, text } }));
    };
    live.state = 'idle';
    live.boot = async () => {
        if (window.liveFails) { tell('failed', ''); throw new Error('Pyodide cannot be reached.'); }
        tell('starting', 'Python is on its way.');
        tell('ready', 'Python runs.');
    };
    live.call = async (name, values, { timeout }) => {
        if (window.callFails) throw { kind: window.callFails, message: 'Stopped.' };
        if (window.callWaits) {
            await new Promise((resolve, reject) => { live.stop = () => reject({ message: 'Stopped.' }); });
        }
        return JSON.parse(await window.askPython(name, JSON.stringify(values), timeout));
    };
    Object.defineProperty(window, 'runLive', { get: () => live, set() {} });
}"""


def settled(page, space=None):
    """Wait until an answer stands there with its formulas; of a space, or of a metric that was typed in."""
    kind = f"[data-space='{space}']" if space else "[data-source=package]"
    page.wait_for_function(f"""() => document.querySelector(`{ROOT} .curvature-results{kind}`)
        && !document.querySelector(`{ROOT} [data-waiting]:not(details:not([open]) *)`)""")


def open_calculator(page, served, address="", space="sphere"):
    """Open the page and wait for its first answer."""
    page.goto(served + PAGE + address)
    settled(page, space)
    return page.locator(ROOT)


def status(root, text):
    """Wait until the status line holds a text."""
    root.locator("> .calculator-status").filter(has_text=text).wait_for()


@pytest.fixture
def live_page(page):
    """A page whose Run live is the package in this process."""
    page.asked = []

    def ask(name, text, timeout):
        assert name == "calculators.curvature" and timeout == 30000
        page.asked.append(json.loads(text))
        return json.dumps(curvature(**page.asked[-1]), allow_nan=False)

    page.expose_function("askPython", ask)
    page.add_init_script(f"({STAND_IN})()")
    return page


# Prepared answers

@pytest.mark.parametrize("name", ["plane", "torus", "three_sphere", "schwarzschild", "kerr", "flrw", "pp_wave"])
def test_a_chosen_space_answers_at_once(page, served, name):
    root = open_calculator(page, served)
    root.get_by_label("space", exact=True).select_option(name)
    settled(page, name)
    expected = curvature(name)
    assert root.locator(".calculator-source").first.text_content() == "Prepared with the site."
    assert root.get_by_label("line element").input_value() == expected["input"]["metric"]
    for quantity in expected["quantities"]:
        box = root.locator(f"[data-quantity={quantity['key']}]")
        if not box.evaluate("box => box.open"):
            box.locator("summary").click()
    settled(page, name)
    assert root.locator(".curvature-quantity math").count() == len(expected["quantities"])
    assert root.locator(".curvature-formula code").count() == 0, "TeX that cannot be typeset"
    assert root.locator("figure svg").count() == (expected["picture"] is not None)
    rows = root.locator("[data-quantity=christoffel] .equation > math > mtable > mtr")
    assert rows.count() in (0, len(spaces.named(name).metric.christoffel_symbols().independent_components()))
    assert not page.problems


def test_only_the_chosen_space_is_loaded(page, served):
    root = open_calculator(page, served)
    root.get_by_label("space", exact=True).select_option("kerr")
    settled(page, "kerr")
    root.get_by_label("space", exact=True).select_option("sphere")
    settled(page, "sphere")
    loaded = [address for address in page.addresses if "/_static/curvature/" in address]
    assert [address.rsplit("/", 1)[1] for address in loaded] == ["sphere.js", "kerr.js"]
    assert all(address.startswith(served) for address in page.addresses)


def test_it_works_from_a_file(page, site):
    page.goto((site / PAGE).as_uri())
    settled(page, "sphere")
    root = page.locator(ROOT)
    root.get_by_label("space", exact=True).select_option("torus")
    settled(page, "torus")
    root.get_by_label("line element").fill("dx**2 + x**4*dy**2")
    root.get_by_role("button", name="Compute").click()
    status(root, "Python cannot start on a page opened as a file")
    root.get_by_label("space", exact=True).select_option("cone")
    settled(page, "cone")
    assert not page.problems


def test_without_scripts_the_example_stands(browser, served):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(served + PAGE)
    assert "needs the scripts" in page.locator(ROOT).inner_text()
    assert "Γ" in "".join(page.locator("main .cell_output").all_text_contents())
    context.close()


def test_no_other_page_loads_it(site):
    for path in site.rglob("*.html"):
        there = "calculator-curvature.js" in path.read_text("utf8")
        assert there == (path.relative_to(site).as_posix() == PAGE), path


def test_a_missing_file_is_told(page, served):
    root = open_calculator(page, served)
    page.route("**/_static/curvature/kerr.js", lambda route: route.abort())
    root.get_by_label("space", exact=True).select_option("kerr")
    root.get_by_text("The prepared answer for kerr could not be loaded. Is the network there?").wait_for()
    page.unroute("**/_static/curvature/kerr.js")
    root.get_by_label("space", exact=True).select_option("cone")
    settled(page, "cone")
    root.get_by_label("space", exact=True).select_option("kerr")
    settled(page, "kerr")


def test_copying(page, served):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=served.rstrip("/"))
    root = open_calculator(page, served, "#curvature:space=torus", "torus")

    def copied(name, told):
        root.get_by_role("button", name=name, exact=True).click()
        status(root, f"{told} copied.")
        return page.evaluate("() => navigator.clipboard.readText()")

    metric, names = spaces.torus().metric, {}
    assert copied("Copy link", "Link") == f"{served}{PAGE}#curvature:space=torus"
    assert copied("Copy LaTeX: Christoffel symbols", "LaTeX") == sp.latex(metric.christoffel_symbols())
    assert copied("Copy LaTeX: Gauss curvature", "LaTeX") == f"K = {sp.latex(metric.gauss_curvature())}"
    exec(copied("Copy SymPy: Ricci tensor", "SymPy code"), names)
    assert (names["ricci"] - metric.ricci_tensor()).applyfunc(sp.simplify) == 0 * metric.ricci_tensor()
    exec(copied("Copy all as SymPy code", "SymPy code"), names)
    assert {"g", "inverse", "christoffel", "riemann", "ricci", "ricci_scalar", "gauss_curvature", "einstein"} < set(names)
    text = copied("Copy all as LaTeX", "LaTeX")
    assert text.count("\\[") == text.count("\\]") == len(curvature("torus", picture=False)["quantities"]) + 1


def test_an_array_that_is_0_has_its_indices(page, served):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=served.rstrip("/"))
    root = open_calculator(page, served, "#curvature:space=minkowski", "minkowski")
    for title, tex in [("Ricci tensor", r"R_{\mu\nu} = 0"), ("Riemann tensor", r"R^{\mu}{}_{\alpha\beta\gamma} = 0"),
                       ("Ricci scalar", "R = 0")]:
        root.get_by_role("button", name=f"Copy LaTeX: {title}", exact=True).click()
        status(root, "LaTeX copied.")
        assert page.evaluate("() => navigator.clipboard.readText()") == tex


# Links

@pytest.mark.parametrize("pair", [
    "space=nowhere", "space=", "space=__proto__", "unknown=1", "metric=%zz", "constructor=1", "metric=" + "x" * 5000,
])
def test_a_broken_link_is_told(page, served, pair):
    root = open_calculator(page, served, f"#curvature:{pair}")
    status(root, "The link has what this calculator cannot use; the sphere stands there instead: ")
    assert not page.problems


def test_a_link_brings_a_metric_back(live_page, served):
    root = open_calculator(live_page, served)
    text = "dx**2 + f(x)**2*dphi**2*(1 + delta), 100%"
    root.get_by_label("line element").fill(text)
    root.get_by_label("parameters that begin with d").fill("delta")
    root.get_by_label("order of the coordinates").fill("phi, x")
    live_page.wait_for_function("() => location.hash.includes('coordinates=phi%2C%20x')")
    link = live_page.url
    live_page.goto("about:blank")
    live_page.goto(link)
    again = live_page.locator(ROOT)
    status(again, "Press Compute for this metric.")
    assert again.get_by_label("line element").input_value() == text
    assert again.get_by_label("order of the coordinates").input_value() == "phi, x"
    assert again.get_by_label("space", exact=True).input_value() == ""
    assert not live_page.asked, "a link alone must not start Python"
    assert not live_page.problems


def test_a_link_with_a_known_line_element_answers_at_once(page, served):
    address = "#curvature:metric=dx**2%20%2B%20dy**2,coordinates=x%2Cy"
    root = open_calculator(page, served, address, "plane")
    assert root.get_by_label("space", exact=True).input_value() == "plane"


# Typed in

def test_by_keyboard_only(live_page, served):
    root = open_calculator(live_page, served)
    root.get_by_label("space", exact=True).focus()
    live_page.keyboard.press("Home")
    status(root, "Press Compute for this metric")
    for _ in range(2):
        if not root.get_by_label("line element").evaluate("area => area === document.activeElement"):
            live_page.keyboard.press("Tab")
    live_page.keyboard.press("Control+a")
    live_page.keyboard.type("dx^2 + x^4*dy^2")
    live_page.keyboard.press("Control+Enter")
    settled(live_page)
    status(root, "Your metric of 2 dimensions. Christoffel symbols: 2 components listed")
    assert root.get_by_label("line element").evaluate("area => area === document.activeElement")
    assert live_page.asked == [{"metric": "dx^2 + x^4*dy^2"}]
    assert not live_page.problems


def test_a_metric_of_ones_own(live_page, served):
    root = open_calculator(live_page, served)
    root.get_by_label("space", exact=True).select_option("example:a wormhole")
    status(root, "Press Compute for this metric. Below still stands: the sphere.")
    root.get_by_role("button", name="Compute").click()
    settled(live_page)
    assert re.fullmatch(r"Live: computed by the package in \d+\.\d seconds\.",
                        root.locator(".calculator-source").first.text_content())
    assert set(live_page.asked[-1]) == {"metric"}
    text = root.locator("[data-quantity=scalar]").inner_text()
    assert text.startswith("Ricci scalar: not 0")
    root.get_by_label("line element").fill("dx**2 + dx*dy*x + dy**2*x")
    root.get_by_label("symbols that are positive").fill("x")
    root.get_by_role("button", name="Compute").click()
    status(root, "Your metric of 2 dimensions")
    assert live_page.asked[-1] == {"metric": "dx**2 + dx*dy*x + dy**2*x", "positive": "x"}
    assert root.get_by_text("No picture: the metric has a mixed term").is_visible()


def test_names_of_the_space_before_do_not_spoil_a_metric_of_ones_own(live_page, served):
    """The form holds the coordinates of the sphere, and that r is positive, until another text is typed in."""
    root = open_calculator(live_page, served)
    area = root.get_by_label("line element")
    for text, asked in [
        ("r**4*dtheta**2 + dphi**2", {"coordinates": "theta, phi", "positive": "r"}),    # what still fits is kept
        ("r**2*dtheta**2 + dphi**2 + dz**2", {"positive": "r"}),
        ("dx**2 + dy**2/x", {}),
    ]:
        root.get_by_label("space", exact=True).select_option("sphere")
        settled(live_page, "sphere")
        area.fill(text)
        area.press("Control+Enter")
        settled(live_page)
        assert live_page.asked[-1] == {"metric": text, **asked}
    root.get_by_label("order of the coordinates").fill("y, q")    # typed by the reader: not dropped in silence
    area.press("Control+Enter")
    root.get_by_text("names q, but the line element has no differential dq").wait_for()


@pytest.mark.parametrize("text, told, asks", [
    ("", "Type a line element here", False), ("dx**2 + (y*dy**2", "A bracket “(” is not closed.", False),
    ("dx**2 + y)*dy**2", "The bracket “)” at position 10 closes nothing.", False),
    ("r**2 + 1", "There is no differential in this text", False),
    ("dx**2" + " + dx**2" * 600, "A line element has at most 4000 characters, this one has 4805.", False),
    ("dx**2 + foo(2*x)*dy**2", "the arguments of foo must be coordinates", True),
    ("dx**2 + 2*dx*dy + dy**2", "determinant is 0 everywhere", True),
    ("dx**2 + dy", "terms with 2 and 1 differentials", True), ("a(x)*a*dx**2", "a is a function and a symbol", True),
    ("dx**2 + <b>*dy**2", "'<' has no meaning", True),
])
def test_bad_input_is_told_at_its_field(live_page, served, text, told, asks):
    root = open_calculator(live_page, served)
    area = root.get_by_label("line element")
    area.fill(text)
    root.get_by_role("button", name="Compute").click()
    root.locator("#curvature-metric-error").filter(has_text=told).wait_for()
    assert area.get_attribute("aria-invalid") == "true"
    assert bool(live_page.asked) == asks
    status(root, "Below still stands: the sphere.")
    area.fill("dx**2")
    assert area.get_attribute("aria-invalid") is None and not live_page.problems


def test_a_wrong_name_is_told_at_its_own_field(live_page, served):
    root = open_calculator(live_page, served)
    root.get_by_label("line element").fill("dx**2 + x**4*dy**2")
    root.get_by_label("order of the coordinates").fill("x, q")
    root.get_by_role("button", name="Compute").click()
    root.locator("#curvature-coordinates-error").filter(has_text="has no differential dq").wait_for()
    assert root.get_by_label("order of the coordinates").get_attribute("aria-invalid") == "true"


@pytest.mark.parametrize("setting, told", [
    ("window.liveFails = true", "No answer: Pyodide cannot be reached."),
    ("window.callFails = 'timeout'", "No answer: this metric takes longer than 30 seconds."),
    ("window.callFails = 'stopped'", "No answer: Stopped."),
])
def test_a_failure_is_told_and_the_page_goes_on(live_page, served, setting, told):
    live_page.add_init_script(setting)
    root = open_calculator(live_page, served)
    root.get_by_label("line element").fill("dx**2 + x**4*dy**2")
    root.get_by_role("button", name="Compute").click()
    status(root, told)
    assert root.get_by_role("button", name="Compute").is_enabled()
    root.get_by_label("space", exact=True).select_option("cone")
    settled(live_page, "cone")


def test_a_prepared_space_can_be_chosen_meanwhile_and_python_be_stopped(live_page, served):
    live_page.add_init_script("window.callWaits = true")
    root = open_calculator(live_page, served)
    root.get_by_label("line element").fill("dx**2 + x**4*dy**2")
    root.get_by_role("button", name="Compute").click()
    status(root, "Computing. After 30 seconds it gives up")
    root.get_by_label("space", exact=True).select_option("cone")
    settled(live_page, "cone")
    root.get_by_role("button", name="Stop").click()
    root.get_by_role("button", name="Stop").wait_for(state="hidden")
    assert root.get_by_role("button", name="Compute").is_enabled()
    assert root.locator(".curvature-results").get_attribute("data-space") == "cone"


def test_without_run_live_it_says_what_to_do(page, served):
    page.add_init_script("Object.defineProperty(window, 'runLive', { get: () => undefined, set() {} })")
    root = open_calculator(page, served)
    root.get_by_label("line element").fill("dx**2 + x**4*dy**2")
    root.get_by_role("button", name="Compute").click()
    status(root, "derivations.calculators.curvature computes it")


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (390, "light"), (1280, "light"), (1280, "dark")])
@pytest.mark.parametrize("space", ["sphere", "kerr", "flrw"])
def test_accessible_and_no_wider_than_the_page(browser, served, width, scheme, space):
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = watch(context.new_page())
    root = open_calculator(page, served, f"#curvature:space={space}", space)
    if space != "sphere":
        root.evaluate("root => root.querySelectorAll('details').forEach(box => { box.open = true; })")
        settled(page, space)
    else:
        root.get_by_label("line element").fill("(dx")
        root.get_by_role("button", name="Compute").click()
        root.get_by_text("is not closed").wait_for()
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not page.problems    # before axe, which asks for style sheets again
    found = Axe().run(page).response["violations"]
    assert not [(violation["id"], [node["target"] for node in violation["nodes"]])
                for violation in found if violation["impact"] in ("serious", "critical")]
    context.close()


# With Python in the browser

@pytest.fixture(scope="module")
def pyodide():
    """Address of the tests' copy of Pyodide; without it the test says why it did not run."""
    try:
        folder = mirror()
    except NoMirror as missing:
        pytest.skip(f"not run: there is no Pyodide to test with: {missing}")
    with Server(folder) as address:
        yield address


@pytest.fixture
def python_page(page, site, pyodide):
    """A page whose Run live takes Python from the tests' copy."""
    config = json.loads((site / "_static/live/config.json").read_text("utf8"))
    page.route("**/live/config.json", lambda route: route.fulfill(json={**config, "pyodide": pyodide}))
    return page


def test_kerr_typed_in_takes_less_than_30_seconds(python_page, served):
    root = open_calculator(python_page, served)
    root.get_by_label("line element").fill(KERR)
    root.get_by_role("button", name="Compute").click()
    python_page.wait_for_selector(f"{ROOT} .curvature-results[data-source=package]", timeout=120_000)
    settled(python_page)
    seconds = float(re.search(r"[\d.]+(?= seconds)", root.locator(".calculator-source").first.text_content())[0])
    assert seconds <= 30
    told = python_page.evaluate("metric => runLive.call('calculators.curvature', { metric })", KERR)
    assert told == json.loads(json.dumps(curvature(KERR)))
    assert not python_page.problems


def test_python_in_the_page_gives_the_expressions_of_the_build(python_page, served):
    open_calculator(python_page, served)
    for make in spaces.SPACES:
        told = python_page.evaluate(
            "name => runLive.call('calculators.curvature', { metric: name, picture: false }, { timeout: 60000 })",
            make.__name__)
        assert told == json.loads(json.dumps(curvature(make.__name__, picture=False))), make.__name__
    assert not python_page.problems


def test_what_takes_too_long_is_stopped_and_the_next_question_answered(python_page, served):
    root = open_calculator(python_page, served)
    root.get_by_label("line element").fill(DENSE)
    root.get_by_role("button", name="Compute").click()
    root.locator("> .calculator-status").filter(has_text="Computing").wait_for(timeout=60_000)
    root.get_by_role("button", name="Stop").click()
    status(root, "No answer: Stopped.")
    root.get_by_label("line element").fill("dx**2 + x**4*dy**2")
    root.get_by_role("button", name="Compute").click()
    python_page.wait_for_selector(f"{ROOT} .curvature-results[data-source=package]", timeout=120_000)
    assert not python_page.problems
