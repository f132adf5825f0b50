"""Run live: Python in a real browser, on the built site.

Pyodide's files come from a local copy (``tests/pyodide_mirror.py``), at the place where the site has its official
address. Without that copy these tests do not run and say so; in CI they fail.

``LIVE_PAGES=all`` boots every page with code (six to ten minutes); else one of each strand is booted.
"""
import json
import os
import re
import statistics

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsers import watch
from derivations.explore import browser as worker_side
from pyodide_mirror import NoMirror, Server, mirror

EVERY = bool(os.environ.get("CI")) or os.environ.get("LIVE_PAGES") == "all"
SOME = ["index", "adamw/schedules", "riemann/metric", "bridge/gaussians"]
LIGHT = "adamw/schedules"       # the page that starts fastest
MINUTES = 60_000                # milliseconds; a page's cells may take several

PICTURE = "figure => figure.querySelector('.live-figure-picture').innerHTML"
KEEP_WORKER = """const Plain = window.Worker;
window.Worker = class extends Plain { constructor(...given) { super(...given); window.lastWorker = this; } };"""


@pytest.fixture(scope="session")
def pyodide():
    """Address of the local copy of Pyodide."""
    try:
        folder = mirror()
    except NoMirror as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"Python in the browser was not tested: {missing}")
    with Server(folder) as address:
        yield address


@pytest.fixture(scope="session")
def config(site):
    return json.loads((site / "_static/live/config.json").read_text("utf8"))


def point_to(page, config, address):
    """Let the page take Pyodide from another address."""
    page.route("**/live/config.json", lambda route: route.fulfill(json={**config, "pyodide": address}))


@pytest.fixture
def open_page(browser, served, config, pyodide):
    """Open a page that will find Python at the local copy."""
    contexts = []

    def opened(name, address=pyodide, **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = watch(context.new_page())
        page.set_default_timeout(MINUTES)
        page.add_init_script(KEEP_WORKER)
        point_to(page, config, address)
        page.goto(f"{served}chapters/{name}.html")
        return page

    yield opened
    for context in contexts:
        context.close()


def status(page):
    return page.locator(".run-live [role=status]")


def press(page):
    page.get_by_role("button", name="Run live", exact=True).click()


def wait_for(page, pattern, minutes=4):
    """Wait until the status line matches, and return it."""
    page.wait_for_function(
        "pattern => new RegExp(pattern).test(document.querySelector('.run-live [role=status]').textContent)",
        arg=pattern, timeout=minutes * MINUTES)
    return status(page).text_content()


def boot(page):
    """Start Python and run all cells of the page."""
    press(page)
    return wait_for(page, "^Live|has an error|could not")


def cell(page, number):
    return page.locator("div.cell:has(.run-live-editor)").nth(number - 1)


def write(page, box, code):
    """Put code into a cell and run it by keyboard."""
    area = box.locator("textarea")
    area.focus()
    area.press("Control+a")
    page.keyboard.insert_text(code)
    area.press("Control+Enter")


def note(page, box, pattern):
    """Wait until the note of a cell matches."""
    handle = box.locator(".run-live-tools .run-live-note").element_handle()
    page.wait_for_function("([note, pattern]) => new RegExp(pattern).test(note.textContent)", arg=[handle, pattern])
    return handle.text_content()


def run_in(page, source):
    """Outputs of some code, run in the page's Python beside its cells."""
    result = page.evaluate("source => runLive.ask('cell', {number: 99, source})", source)
    assert result["ok"], result["outputs"]
    return result["outputs"]


# ---------------------------------------------------------------- before the click


def test_nothing_is_fetched_before_the_reader_asks(open_page, served):
    page = open_page(LIGHT)
    page.wait_for_load_state("networkidle")
    assert not [url for url in page.addresses if not url.startswith(served)]
    assert not [url for url in page.addresses if re.search(r"/live/|worker|run-live-cells|prism", url)]
    assert page.evaluate("[runLive.state, runLive.bytes]") == ["idle", 0]
    assert re.search(r"about \d+ MB", status(page).text_content())


# ---------------------------------------------------------------- boot


def pages_with_code(site):
    return sorted(path.relative_to(site / "notebooks").with_suffix("").as_posix()
                  for path in (site / "notebooks").rglob("*.ipynb"))


def test_some_pages_of_each_strand(open_page):
    for name in SOME:
        page = open_page(name)
        assert boot(page).startswith("Live"), (name, status(page).text_content())
        assert_all_live(page, name)
        page.context.close()


@pytest.mark.skipif(not EVERY, reason="LIVE_PAGES=all boots every page with code")
def test_every_page_with_code(open_page, site):
    wrong = []
    for name in pages_with_code(site):
        page = open_page(name)
        said = boot(page)
        if said.startswith("Live"):
            assert_all_live(page, name)
        else:
            wrong.append(f"{name}: {said} {page.locator('.run-live-error').all_inner_texts()}")
        page.context.close()
    assert not wrong, "\n".join(wrong)


def assert_all_live(page, name):
    """Every figure with controls answers live, no cell shows an error, and nothing was logged."""
    notes = page.locator("[data-live-figure] .live-figure-note").all_text_contents()
    assert set(notes) <= {"live: exact"}, (name, notes)
    assert page.locator(".run-live-error").count() == 0
    assert not page.problems, (name, page.problems)


def test_the_status_tells_words_and_bytes(open_page):
    page = open_page(LIGHT)
    page.evaluate("""() => { window.said = [];
        runLive.addEventListener('status', ({detail}) => said.push([detail.state, detail.text, detail.bytes])); }""")
    boot(page)
    said = page.evaluate("said")
    assert [state for state, _, _ in said][0] == "starting"
    assert "ready" in {state for state, _, _ in said}
    assert max(size for _, _, size in said) > 15e6
    assert {"Starting Python", "Fetching Python", "Installing the packages"} <= {text for _, text, _ in said}
    assert re.search(r"\d+ MB fetched, \d+ MB of memory", status(page).text_content())


# ---------------------------------------------------------------- figures


def test_a_slider_stops_between_two_prepared_values(open_page, site):
    page = open_page(LIGHT)
    figure = page.locator("[data-live-figure]").first
    boot(page)
    slider = figure.locator("input[type=range][step=any]").first
    before = figure.evaluate(PICTURE)
    slider.evaluate("input => { input.value = 0.43; input.dispatchEvent(new Event('input', {bubbles: true})); }")
    page.wait_for_function("([figure, before]) => figure.querySelector('.live-figure-picture').innerHTML !== before",
                           arg=[figure.element_handle(), before])
    assert float(slider.input_value()) == 0.43
    assert figure.locator("svg").count() == 1
    shown = slider.evaluate("input => input.parentElement.querySelector('output').textContent")
    assert shown in slider.get_attribute("aria-valuetext")
    page.wait_for_function("() => location.hash.startsWith('#fig-')")
    address = page.url
    # The address leads to the same picture: as soon as the figure is live there.
    drawn = figure.evaluate(PICTURE)
    again = open_page(LIGHT)
    again.goto(address)
    boot(again)
    again.wait_for_function(
        "([name, drawn]) => document.querySelector(`#${name} .live-figure-picture`).innerHTML === drawn",
        arg=[figure.get_attribute("id"), drawn])


PROBE = """
import json
from derivations.explore import browser
arrays = []
for name, figure in browser._PAGE["figures"].items():
    places = [0.37 if browser.scale(control) != "steps" else 1 for control in figure.controls.values()]
    values = {key: browser.value_at(control, place) for (key, control), place in zip(figure.controls.items(), places)}
    drawn = figure.draw(**values)
    arrays.append([line.get_xydata().tolist() for axes in drawn.axes for line in axes.lines])
json.dumps(arrays)
"""


@pytest.mark.parametrize("name", [LIGHT, "riemann/metric"])
def test_the_numbers_of_a_figure_are_those_of_the_build(open_page, site, name):
    """What the browser draws between two prepared values equals what ordinary Python computes, to 1e-12."""
    page = open_page(name)
    boot(page)
    there = json.loads(eval(run_in(page, PROBE)[-1]["text"]))
    worker_side.start()
    try:
        notebook = json.loads((site / "notebooks" / f"{name}.ipynb").read_text("utf8"))
        sources = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
        for number, source in enumerate([*sources, PROBE]):
            result = json.loads(worker_side.run_cell(json.dumps({"number": number, "source": source})))
            assert result["ok"], result["outputs"]
    finally:
        worker_side.stop()
    here = json.loads(eval(result["outputs"][-1]["text"]))
    assert sum(len(line) for figure in here for line in figure) > 10
    compare(there, here)


def compare(there, here):
    if isinstance(here, list):
        assert len(there) == len(here)
        for one, other in zip(there, here):
            compare(one, other)
    else:
        assert there == pytest.approx(here, rel=1e-12, abs=1e-14, nan_ok=True)


NUMBERS = """
import numpy as np
from derivations.adamw import cosine, equilibrium_rms, predict_weight_rms, weight_decay_for, wsd
schedule = cosine(3e-3, 2000)
methods = ["exact", "recursion", "double_sum", "single_sum", "integral", "closed_form", "mean_field"]
repr([float(predict_weight_rms(schedule, 0.1, init_rms=0.02, method=name)) for name in methods]
     + [float(equilibrium_rms(1e-3, 0.1)), float(equilibrium_rms(1e-3, 0.1, (0.9, 0.99)))])
"""
SYMBOLS = """
import sympy as sp
from derivations.riemann import spaces
sp.srepr([sp.Array(part) for space in (spaces.sphere(), spaces.schwarzschild())
          for part in (space.metric.christoffel_symbols(), space.metric.riemann_tensor())])
"""


def here_and_there(page, source):
    worker_side.start()
    try:
        here = json.loads(worker_side.run_cell(json.dumps({"number": 1, "source": source})))
    finally:
        worker_side.stop()
    assert here["ok"], here["outputs"]
    return eval(here["outputs"][-1]["text"]), eval(run_in(page, source)[-1]["text"])


def test_numbers_are_those_of_the_build(open_page):
    page = open_page(LIGHT)
    boot(page)
    here, there = here_and_there(page, NUMBERS)
    assert eval(there) == pytest.approx(eval(here), rel=1e-12)


def test_symbols_are_those_of_the_build(open_page):
    page = open_page("riemann/metric")
    boot(page)
    here, there = here_and_there(page, SYMBOLS)
    assert there == here


def test_prepared_figures_answer_while_python_starts(open_page, config):
    page = open_page(LIGHT, address="https://held.invalid/")
    page.route("https://held.invalid/**", lambda route: None)      # never answered
    press(page)
    wait_for(page, "Fetching Python")
    assert_prepared_figures_answer(page)


def assert_prepared_figures_answer(page):
    figure = page.locator("[data-live-figure]").first
    slider = figure.locator("input[type=range]").first
    before = figure.evaluate(PICTURE)
    slider.focus()
    slider.press("ArrowLeft" if slider.evaluate("input => input.value === input.max") else "ArrowRight")
    page.wait_for_function("([figure, before]) => figure.querySelector('.live-figure-picture').innerHTML !== before",
                           arg=[figure.element_handle(), before])
    assert slider.get_attribute("step") == "1"
    assert "prepared frames" in figure.locator(".live-figure-note").text_content()


def test_only_the_latest_of_many_moves_is_drawn(open_page):
    page = open_page(LIGHT)
    boot(page)
    slider = page.locator("[data-live-figure] input[type=range][step=any]").first
    asked = slider.evaluate("""async (input) => {
        const ask = runLive.ask;
        let asked = 0;
        runLive.ask = (...given) => { asked++; return ask.apply(runLive, given); };
        for (let k = 1; k <= 50; k++) {
            input.value = k / 100;
            input.dispatchEvent(new Event('input', {bubbles: true}));
            if (k % 10 === 0) await new Promise(requestAnimationFrame);
        }
        await new Promise((done) => setTimeout(done, 1500));
        runLive.ask = ask;
        return asked;
    }""")
    assert 1 <= asked <= 10
    assert float(slider.input_value()) == 0.5


# ---------------------------------------------------------------- cells


@pytest.fixture(scope="module")
def editing(browser, served, config, pyodide):
    """One page for the tests that only edit its second cell; each leaves it as it was."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = watch(context.new_page())
    page.set_default_timeout(MINUTES)
    point_to(page, config, pyodide)
    page.goto(f"{served}chapters/{LIGHT}.html")
    assert boot(page).startswith("Live")
    yield page
    context.close()


def test_output_of_an_edited_cell(editing):
    box = cell(editing, 2)
    write(editing, box, "import sys\nprint('printed', 6 * 7)\nprint('warned', file=sys.stderr)\n{'a': 1}")
    note(editing, box, r"^Run in [\d.]+ s\.$")
    assert box.locator(".run-live-text").all_text_contents() == ["printed 42\n", "warned\n", "{'a': 1}"]
    box.get_by_role("button", name="Reset cell 2").click()
    note(editing, box, "^Run in")
    assert box.locator("textarea").input_value().count("\n") > 1
    assert box.locator(".run-live-text").count() == 0


def test_latex_of_an_edited_cell_is_typeset(editing):
    box = cell(editing, 2)
    write(editing, box, "import sympy as sp\nsp.Integral(sp.exp(-sp.Symbol('x')**2))")
    box.locator(".run-live-output .math math").wait_for()
    assert "\\" not in box.locator(".run-live-output").inner_text()
    box.get_by_role("button", name="Reset cell 2").click()
    note(editing, box, "^Run in")


def test_a_traceback_names_the_line(editing):
    box = cell(editing, 2)
    write(editing, box, "def half(x):\n    return x / 0\n\nhalf(3)")
    assert note(editing, box, "line") == "ZeroDivisionError in line 2: see below the cell."
    shown = box.locator(".run-live-error").text_content()
    assert "Cell 2, line 4" in shown and "Cell 2, line 2, in half" in shown
    assert box.locator(".pce-line").nth(1).evaluate("line => line.classList.contains('run-live-wrong')")
    box.get_by_role("button", name="Reset cell 2").click()
    note(editing, box, "^Run in")


def test_code_is_coloured_and_the_keyboard_can_leave(editing):
    box = cell(editing, 1)
    assert box.locator(".token.keyword", has_text="import").count() >= 1
    area = box.locator("textarea")
    area.focus()
    area.press("Escape")
    assert editing.evaluate("document.activeElement === document.body")
    assert "Ctrl+Enter" in area.get_attribute("aria-label")


@pytest.mark.parametrize("scheme, width", [("light", 1280), ("dark", 1280), ("light", 320)])
def test_a_live_page_is_accessible_and_not_too_wide(open_page, scheme, width):
    page = open_page(LIGHT, color_scheme=scheme, viewport={"width": width, "height": 800})
    boot(page)
    write(page, cell(page, 2), "print('x' * 200)\n1 / 0")
    note(page, cell(page, 2), "line 2")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # The theme's button fades in and out: its colours are judged with the pages (test_pages.py), not in between.
    page.evaluate("document.querySelector('#pst-back-to-top')?.remove()")
    found = Axe().run(page).response["violations"]
    assert not [(rule["id"], [node["target"] for node in rule["nodes"][:3]]) for rule in found
                if rule["impact"] in ("serious", "critical")]


def test_an_edited_cell_changes_its_figure(open_page):
    page = open_page("adamw/equilibrium")
    figure = page.locator("#fig-equilibrium-approach")
    boot(page)
    box = page.locator("div.cell", has=page.locator("#fig-equilibrium-approach"))
    code = box.locator("textarea").input_value()
    before = figure.evaluate(PICTURE)
    write(page, box, code.replace('"recursion": "recursion"', ""))
    note(page, box, "^Run in")
    changed = page.locator("#fig-equilibrium-approach")
    assert changed.count() == 1
    assert changed.evaluate(PICTURE) != before
    slider = changed.locator("input[type=range]").first
    drawn = changed.evaluate(PICTURE)
    slider.evaluate("input => { input.value = 0.5; input.dispatchEvent(new Event('input', {bubbles: true})); }")
    page.wait_for_function("([figure, before]) => figure.querySelector('.live-figure-picture').innerHTML !== before",
                           arg=[changed.element_handle(), drawn])
    # The other figures of the page no longer trust their prepared frames.
    assert page.evaluate("liveFigures.get('equilibrium-mean-gradient').distrusted")


def test_a_cell_that_asks_for_input_fails_as_at_the_end_of_a_file(editing):
    box = cell(editing, 2)
    write(editing, box, "input('name')")
    assert note(editing, box, "line") == "EOFError in line 1: see below the cell."
    box.get_by_role("button", name="Reset cell 2").click()
    note(editing, box, "^Run in")
    assert not editing.problems


def test_python_started_by_another_part_of_the_page_leaves_the_cells_their_button(open_page):
    page = open_page(LIGHT)
    page.evaluate("runLive.boot()")
    assert "opens the cells of this page" in wait_for(page, "^Python is ready")
    page.evaluate("runLive.call('adamw.equilibrium_rms', {lr: 0.001, weight_decay: 0.1})")     # fetches SciPy
    assert "opens the cells of this page" in wait_for(page, "^Python is ready: 4")
    assert page.locator(".run-live-editor").count() == 0
    assert boot(page).startswith("Live")
    assert page.get_by_role("button", name="Run live", exact=True).count() == 0
    assert_all_live(page, LIGHT)


def test_a_cell_runs_those_above_it_first(open_page):
    """Without the button: the reader runs one cell after Python was stopped."""
    page = open_page(LIGHT)
    boot(page)
    page.evaluate("runLive.stop()")
    wait_for(page, "ready again")
    box = cell(page, 3)
    box.get_by_role("button", name="Run cell 3").click()
    note(page, box, "^Run in")
    assert "Run in" in cell(page, 1).locator(".run-live-tools .run-live-note").text_content()


# ---------------------------------------------------------------- stop, and what goes wrong


def test_stop_ends_a_runaway_cell(open_page):
    page = open_page(LIGHT)
    boot(page)
    box = cell(page, 2)
    write(page, box, "while True: pass")
    box.get_by_role("button", name="Stop cell 2").click()
    assert "What the cells had computed is lost" in note(page, box, "^Stopped")
    assert "lost" in wait_for(page, "ready again")
    assert_prepared_figures_answer(page)
    box.get_by_role("button", name="Reset cell 2").click()
    note(page, box, "^Run in")
    page.get_by_role("button", name="Run all cells").click()
    wait_for(page, "^Live")
    assert_all_live(page, LIGHT)


def test_a_call_that_takes_too_long(open_page):
    page = open_page(LIGHT)
    boot(page)
    caught = "error => ({kind: error.kind, message: error.message})"
    # The first call of this function fetches SciPy, which takes longer.
    slow = f"runLive.call('adamw.equilibrium_rms', {{lr: 0.001, weight_decay: 0.1}}, {{timeout: 200}}).catch({caught})"
    told = page.evaluate(slow)
    assert told["kind"] == "timeout" and "took longer than 0.2 seconds" in told["message"]
    wait_for(page, "ready again")
    quick = "runLive.call('adamw.equilibrium_rms', {lr: 0.001, weight_decay: 0.1})"
    assert page.evaluate(quick) == pytest.approx(0.07, rel=0.01)
    told = page.evaluate(f"runLive.call('adamw.equilibrium_rms', {{lr: -1, weight_decay: 0.1}}).catch({caught})")
    assert told["kind"] == "error" and "lr must be" in told["message"]


def test_a_worker_that_the_browser_kills(open_page):
    page = open_page(LIGHT)
    boot(page)
    page.evaluate("lastWorker.terminate()")
    assert "What the cells had computed is lost" in wait_for(page, "Python has ended")
    assert_prepared_figures_answer(page)
    page.get_by_role("button", name="Run all cells").click()
    wait_for(page, "^Live")


def test_a_blocked_address(open_page):
    page = open_page(LIGHT, address="http://127.0.0.1:9/")
    press(page)
    said = wait_for(page, "could not")
    assert "its files could not be fetched" in said and "127.0.0.1:9" in said and "goes on working" in said
    assert_prepared_figures_answer(page)
    assert page.get_by_role("button", name="Run live", exact=True).is_enabled()


def test_a_missing_wheel_of_a_package(open_page, config, pyodide):
    """Pyodide does not fail when a package cannot be fetched: the page must find out by itself."""
    page = open_page(LIGHT)
    page.route("**/matplotlib-3*.whl", lambda route: route.abort())
    press(page)
    assert "could not be fetched" in wait_for(page, "could not")
    page.unroute("**/matplotlib-3*.whl")
    assert boot(page).startswith("Live")


def test_the_site_has_gone(open_page):
    page = open_page(LIGHT)
    page.unroute("**/live/config.json")
    page.context.set_offline(True)
    press(page)
    wait_for(page, "could not")
    assert_prepared_figures_answer(page)


def test_another_wheel_than_the_expected_one(open_page, config):
    page = open_page(LIGHT)
    name = config["wheels"]["derivations"]["file"]
    page.route(f"**/{name}", lambda route: route.fulfill(body=b"harmful"))
    press(page)
    wait_for(page, "could not")


def test_a_page_opened_as_a_file(browser, site):
    context = browser.new_context()
    page = watch(context.new_page())
    page.goto((site / f"chapters/{LIGHT}.html").as_uri())
    press(page)
    assert "page opened as a file" in wait_for(page, "cannot start")
    assert_prepared_figures_answer(page)
    assert not page.problems
    context.close()


# ---------------------------------------------------------------- how long


def test_a_live_step_is_quick(open_page):
    """A quarter of a second at most: measured in benchmarks/results/run_live.md is about a fifth of that."""
    page = open_page(LIGHT)
    boot(page)
    times = page.evaluate("""async () => {
        const name = document.querySelector('[data-live-figure]').dataset.liveFigure;
        const figure = liveFigures.get(name);
        const times = [];
        for (let k = 0; k < 9; k++) {
            const places = figure.live.scales.map((scale) => (scale === 'steps' ? 0 : 0.1 + k / 11));
            const began = performance.now();
            await figure.live.draw(name, places);
            times.push(performance.now() - began);
        }
        return times;
    }""")
    assert statistics.median(times) < 250
