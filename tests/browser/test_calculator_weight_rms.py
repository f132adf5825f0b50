"""The weight RMS calculator in a browser: its own numbers, its form, its links, and how it asks the package."""
import itertools
import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsers import watch
from pyodide_mirror import NoMirror, Server, mirror

from derivations.calculators import weight_rms

PAGE = "chapters/adamw/calculator.html"
ROOT = "#calculator-weight-rms"
READY = f"() => document.querySelector('{ROOT} [data-method=recursion]')"

SCHEDULES = [
    {"schedule": "constant"}, {"schedule": "constant", "warmup_steps": 0},
    {"schedule": "linear", "final_lr": 2e-3}, {"schedule": "linear", "warmup_steps": 1},
    {"schedule": "cosine"}, {"schedule": "cosine", "final_lr": 1e-3, "warmup_steps": 0},
    {"schedule": "wsd"}, {"schedule": "wsd", "warmup_steps": 0, "decay_steps": 600, "final_lr": 1e-4},
    {"schedule": "inverse_time", "power": 1.0}, {"schedule": "inverse_time", "power": 0.5, "warmup_steps": 0},
    {"schedule": "inverse_time", "power": 2.3},
    {"schedule": "drawn"}, {"schedule": "drawn", "points": [[0, 100], [30, 20], [30, 80], [71, 80], [100, 3]]},
]
MODELS = [
    {}, {"beta1": 0.0, "beta2": 0.98, "init_rms": 0.0}, {"beta1": 0.99, "beta2": 0.999, "weight_decay": 4.0},
    {"adamc": True}, {"weight_decay": 0.0}, {"gradient_mean": 0.1, "eps": 0.2}, {"gradient_mean": -3.0, "adamc": True},
    {"beta1": 0.77, "beta2": 0.5, "init_rms": 2.0},
]
SHORT = {"lr": 0.01, "steps": 600, "warmup_steps": 50, "decay_steps": 150, "timescale": 90.0, "weight_decay": 0.4,
         "power": 1.0, "final_lr": 0.0}

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
    live.call = async (name, values) => {
        if (window.callFails) throw { kind: 'timeout', message: 'it took longer than 120 s.' };
        return JSON.parse(await window.askPython(name, JSON.stringify(values)));
    };
    Object.defineProperty(window, 'runLive', { get: () => live, set() {} });
}"""


def open_calculator(page, served, address=""):
    """Open the page and wait for its first answer."""
    page.goto(served + PAGE + address)
    page.wait_for_function(f"() => document.querySelector('{ROOT} .calculator-headline')?.textContent")
    return page.locator(ROOT)


def headline(page, text):
    """Wait until the headline holds a text."""
    page.wait_for_function(f"text => document.querySelector('{ROOT} .calculator-headline').textContent.includes(text)",
                           arg=text)


def changed_headline(page, before):
    """Wait until the headline shows another text."""
    page.wait_for_function(f"was => document.querySelector('{ROOT} .calculator-headline').textContent !== was",
                           arg=before)


def close(told, expected, rel=1e-9):
    """Whether two numbers, or two Nones, agree."""
    return told is expected is None or told == pytest.approx(expected, rel=rel, abs=1e-300)


def test_numbers_are_those_of_the_package(page, served):
    open_calculator(page, served)
    for schedule, model in itertools.product(SCHEDULES, MODELS):
        fields = {**SHORT, **schedule, **model}
        if schedule["schedule"] == "drawn":
            fields.pop("warmup_steps")
        python = weight_rms(**fields, picture=False)
        told = page.evaluate(f"fields => document.querySelector('{ROOT}').compute(fields)", fields)
        assert {"recursion", "double_sum", "single_sum"} <= set(told["methods"]), fields
        for method, row in told["methods"].items():
            assert close(row["rms"], python["methods"][method]["rms"]), (method, fields)
            assert row["error"] == python["methods"][method]["error"]
        assert ("mean_field" in told["methods"]) == (python["methods"]["mean_field"]["rms"] is not None)
        for name in set(python["totals"]) - {"of_the_end"}:
            assert close(told["totals"][name], python["totals"][name]), (name, fields)
        if "exact" in told["methods"]:
            assert close(told["totals"]["of_the_end"], python["totals"]["of_the_end"]), fields
        assert [place["where"] for place in told["equilibrium"]] == [place["where"] for place in python["equilibrium"]]
        for mine, other in zip(told["equilibrium"], python["equilibrium"]):
            for name in ("step", "lr", "weight_decay", "leading", "recursion"):
                assert close(mine[name], other[name]), (name, fields)
            assert mine["exact"] is None or close(mine["exact"], other["exact"])
        assert [text.split("{")[0][:20] for text in told["warnings"]] == [text[:20] for text in python["warnings"]]


@pytest.mark.parametrize("schedule", SCHEDULES[::3])
@pytest.mark.parametrize("target", [0.02, 0.1])
def test_the_inverse_is_that_of_the_package(page, served, schedule, target):
    open_calculator(page, served)
    fields = {**SHORT, **schedule, "target_rms": target, "init_rms": 0.01}
    python = weight_rms(**fields, picture=False)["inverse"]
    told = page.evaluate(f"fields => document.querySelector('{ROOT}').inverse(fields)", fields)
    assert close(told["weight_decay"], python["weight_decay"])
    assert bool(told["notes"]) == (python["weight_decay"] is None)


def test_first_answer_is_the_example(page, served):
    root = open_calculator(page, served)
    rms = float(root.locator("[data-method=exact]").get_attribute("data-value"))
    assert rms == pytest.approx(weight_rms(picture=False)["methods"]["exact"]["rms"], rel=1e-9)
    assert root.locator("svg[role=img]").count() == 2
    assert not page.problems


def test_it_works_from_a_file(page, site):
    page.goto((site / PAGE).as_uri())
    page.wait_for_function(READY)
    assert not page.problems


def test_without_scripts_the_example_stands(browser, served):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(served + PAGE)
    assert "needs the scripts" in page.locator(ROOT).inner_text()
    assert page.locator("#fig-calculator-example svg").is_visible()
    context.close()


def test_no_other_page_loads_it(site):
    for path in site.rglob("*.html"):
        there = "calculator-weight-rms.js" in path.read_text("utf8")
        assert there == (path.relative_to(site).as_posix() == PAGE), path


def test_by_keyboard_only(page, served):
    root = open_calculator(page, served)
    before = root.locator(".calculator-headline").text_content()
    page.keyboard.press("Tab")
    page.locator("#calculator-schedule").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Control+a")
    page.keyboard.type("6e-4")
    changed_headline(page, before)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("End")    # drawn by hand
    handle = root.get_by_role("slider", name="Point 3 of 8")
    handle.wait_for()
    handle.focus()
    before = root.locator(".calculator-headline").text_content()
    for key in ("ArrowDown", "PageDown", "Shift+ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    assert handle.get_attribute("aria-valuetext") == "79 % of the peak, at 21 % of the run"
    changed_headline(page, before)
    page.wait_for_timeout(300)
    assert handle.evaluate("handle => handle === document.activeElement"), "the answer must not take the focus away"
    page.keyboard.press("Home")
    page.wait_for_function("() => location.hash.includes(encodeURIComponent('21/0;'))")
    assert not page.problems


def test_points_can_be_dragged_and_typed(page, served):
    root = open_calculator(page, served, "#weight-rms:schedule=drawn")
    handle = root.get_by_role("slider", name="Point 5 of 8")
    handle.scroll_into_view_if_needed()
    box = handle.locator("circle").last.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 500, y + 500, steps=4)
    page.mouse.up()
    assert handle.get_attribute("aria-valuetext") == "0 % of the peak, at 40 % of the run", "not beyond its neighbour"
    root.get_by_text("The points as a table").click()
    field = root.get_by_label("Point 5, per cent of the peak")
    page.wait_for_function("() => document.querySelector('[data-point=\"4\"][data-side=\"1\"]').value === '0'")
    field.fill("55")
    page.wait_for_function("() => location.hash.includes(encodeURIComponent('40/55;'))")
    field.fill("much")
    assert root.get_by_text('Point 5 must have a number from 0 to 100 here, got "much".').is_visible()
    assert not page.problems


def test_a_link_brings_everything_back(page, served, browser):
    root = open_calculator(page, served)
    root.get_by_label("schedule", exact=True).select_option("wsd")
    root.get_by_label("weight decay", exact=True).fill("0.3")
    root.get_by_label("AdamC").check()
    root.get_by_label("wanted RMS").fill("0.04")
    page.wait_for_function("() => location.hash.includes('adamc=true') && location.hash.includes('target_rms=0.04')")
    text = root.locator(".calculator-results").inner_text()
    context = browser.new_context()
    again = watch(context.new_page())
    again.goto(page.url)
    again.wait_for_function(READY)
    assert again.locator(f"{ROOT} .calculator-results").inner_text() == text
    assert again.get_by_label("schedule", exact=True).input_value() == "wsd"
    assert not again.problems
    context.close()


def test_copying(page, served):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=served.rstrip("/"))
    root = open_calculator(page, served, "#weight-rms:schedule=drawn,lr=0.001,steps=500,points=0/50;100/100")
    root.get_by_role("button", name="Copy link").click()
    root.get_by_text("Link copied.").wait_for()
    link = page.evaluate("() => navigator.clipboard.readText()")
    assert link.startswith(served + PAGE + "#weight-rms:schedule=drawn,lr=0.001,")
    root.get_by_role("button", name="Copy as Python").click()
    root.get_by_text("Copied as Python.").wait_for()
    names = {}
    exec(page.evaluate("() => navigator.clipboard.readText()").replace("\nweight_rms(", "\ntold = weight_rms("), names)
    assert float(root.locator("[data-method=exact]").get_attribute("data-value")) == pytest.approx(
        names["told"]["methods"]["exact"]["rms"], rel=1e-9)


@pytest.mark.parametrize("pair", [
    "lr=abc", "lr=-1", "steps=1e9", "schedule=zigzag", "points=1;2", "points=0/0;50/500;100/0", "adamc=maybe",
    "unknown=1", "eps=%zz", "beta1=", "__proto__=1", "constructor=1",
])
def test_a_broken_link_is_told(page, served, pair):
    root = open_calculator(page, served, f"#weight-rms:weight_decay=0.2,{pair}")
    assert f"the default stands there instead: {pair}" in root.inner_text()
    assert root.get_by_label("weight decay", exact=True).input_value() == "0.2"
    assert root.locator("[data-method=exact]").count() == 1
    assert not page.problems


@pytest.mark.parametrize(("label", "text", "told"), [
    ("peak learning rate", "fast", 'peak learning rate must be a number from 1e-12 to 1000, got "fast"'),
    ("peak learning rate", "", 'peak learning rate must be a number from 1e-12 to 1000, got ""'),
    ("steps in all", "12.5", 'steps in all must be a whole number from 1 to 1000000, got "12.5"'),
    ("warm-up steps", "100000", "warm-up steps must be less than the steps in all, 100000, got 100000"),
    ("beta1", "1", 'beta1 must be a number from 0 to 0.9999, got "1"'),
    ("weight decay", "1e400", 'weight decay must be a number from 0 to 10000, got "1e400"'),
    ("weight decay", "9999", "the weights grow beyond all bounds, with lr x weight decay up to 3"),
    ("wanted RMS", "none",
     'wanted RMS at the end (may stay empty) must be a number from 1e-12 to 1000000, got "none"'),
])
def test_wrong_input_is_told_and_the_page_goes_on(page, served, label, text, told):
    root = open_calculator(page, served)
    field = root.get_by_label(label, exact=label != "wanted RMS")
    good = field.input_value()
    field.fill(text)
    headline(page, f"No answer: {told}.")
    if "bounds" not in told:
        assert field.get_attribute("aria-invalid") == "true"
        drawn = root.locator(".calculator-drawing text").all_text_contents()
        assert drawn == ["step", "learning rate"], drawn    # no numbers of settings that are none
        assert told in page.locator(f"#{field.get_attribute('aria-describedby')}").inner_text()
    field.fill(good)
    headline(page, "Weight RMS at the end")
    assert field.get_attribute("aria-invalid") is None
    assert not page.problems


def test_a_wanted_rms_out_of_reach_is_told(page, served):
    root = open_calculator(page, served, "#weight-rms:target_rms=50")
    root.get_by_text("gives the wanted RMS 50").wait_for()


def test_a_million_steps_take_little_time(page, served):
    open_calculator(page, served)
    seconds = page.evaluate(f"""() => {{
        const begun = performance.now();
        document.querySelector('{ROOT}').compute({{ steps: 1e6 }});
        return (performance.now() - begun) / 1000;
    }}""")
    assert seconds < 2


@pytest.fixture
def live_page(page):
    """A page whose Run live is the package of this process; ``page.asked`` collects what was asked."""
    page.asked = []

    def answer(name, values):
        page.asked.append((name, json.loads(values)))
        assert name == "calculators.weight_rms"
        return json.dumps(weight_rms(**json.loads(values)), allow_nan=False)

    page.expose_function("askPython", answer)
    page.add_init_script(f"({STAND_IN})()")
    return page


def test_after_run_live_the_package_answers(live_page, served):
    fields = {"schedule": "linear", "lr": 0.001, "steps": 3000, "warmup_steps": 100, "beta2": 0.97, "target_rms": 0.05}
    address = ",".join(f"{name}={value}" for name, value in fields.items())
    root = open_calculator(live_page, served, f"#weight-rms:{address}")
    assert root.locator("[data-method=exact]").count() == 0 and not live_page.asked
    root.get_by_role("button", name="Run live").click()
    root.get_by_text("Live: computed by the package").wait_for()
    expected = weight_rms(**fields)
    for method, row in expected["methods"].items():
        told = root.locator(f"[data-method={method}]").get_attribute("data-value")
        assert json.loads(told) == row["rms"], method
    assert root.locator(".calculator-picture [role=img]").get_attribute("aria-label") == expected["alt"]
    assert f"{expected['inverse']['lr']:.5g}"[:6] in root.locator(".calculator-inverse").inner_text()
    root.get_by_label("weight decay", exact=True).fill("0.7")
    root.get_by_label("weight decay", exact=True).fill("0.75")
    live_page.wait_for_function("() => location.hash.includes('0.75')")
    live_page.wait_for_timeout(1000)
    assert root.locator(".calculator-results").get_attribute("data-source") == "package"
    exact = weight_rms(**{**live_page.asked[-1][1], "picture": False})["methods"]["exact"]["rms"]
    assert live_page.asked[-1][1]["weight_decay"] == 0.75
    assert json.loads(root.locator("[data-method=exact]").get_attribute("data-value")) == exact
    assert not live_page.problems


def test_a_failed_start_is_told_and_the_page_goes_on(live_page, served):
    live_page.add_init_script("window.liveFails = true")
    root = open_calculator(live_page, served)
    root.get_by_role("button", name="Run live").click()
    root.get_by_text("Pyodide cannot be reached.").wait_for()
    before = root.locator(".calculator-headline").text_content()
    root.get_by_label("weight decay", exact=True).fill("0.7")
    changed_headline(live_page, before)
    assert root.get_by_role("button", name="Run live").is_enabled()


def test_a_failed_call_is_told_and_the_answer_of_the_page_stays(live_page, served):
    live_page.add_init_script("window.callFails = true")
    root = open_calculator(live_page, served)
    root.get_by_role("button", name="Run live").click()
    root.get_by_text("The package gave no answer: it took longer than 120 s.").wait_for()
    assert root.locator(".calculator-results").get_attribute("data-source") == "page"


def test_without_run_live_there_is_no_button(page, served):
    page.add_init_script("Object.defineProperty(window, 'runLive', { get: () => undefined, set() {} })")
    root = open_calculator(page, served)
    assert not root.get_by_role("button", name="Run live").is_visible()


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (390, "light"), (1280, "dark")])
@pytest.mark.parametrize("address", ["#weight-rms:schedule=drawn,lr=fast,target_rms=0.03,gradient_mean=0.1", ""])
def test_accessible_and_no_wider_than_the_page(browser, served, width, scheme, address):
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = watch(context.new_page())
    root = open_calculator(page, served, address)
    if "drawn" in address:
        root.get_by_text("The points as a table").click()
    else:
        root.get_by_label("steps in all").fill("many")
        headline(page, "No answer")
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page).response["violations"]
    assert not [(violation["id"], [node["target"] for node in violation["nodes"]])
                for violation in found if violation["impact"] in ("serious", "critical")]
    context.close()


@pytest.fixture(scope="module")
def pyodide():
    """Address of the tests' copy of Pyodide; without it the test says why it did not run."""
    try:
        folder = mirror()
    except NoMirror as missing:
        pytest.skip(f"not run: there is no Pyodide to test with: {missing}")
    with Server(folder) as address:
        yield address


def test_python_in_the_page_gives_the_numbers_of_the_build(page, served, site, pyodide):
    config = json.loads((site / "_static/live/config.json").read_text("utf8"))
    page.route("**/live/config.json", lambda route: route.fulfill(json={**config, "pyodide": pyodide}))
    fields = {"schedule": "drawn", "lr": 0.001, "steps": 20_000, "beta2": 0.97, "gradient_mean": 0.01, "target_rms": 0.05}
    address = ",".join(f"{name}={value}" for name, value in fields.items())
    root = open_calculator(page, served, f"#weight-rms:{address}")
    root.get_by_role("button", name="Run live").click()
    root.get_by_text("Live: computed by the package").wait_for(timeout=120_000)
    expected = weight_rms(**fields)
    for method, row in expected["methods"].items():
        told = json.loads(root.locator(f"[data-method={method}]").get_attribute("data-value"))
        assert told is row["rms"] is None or told == pytest.approx(row["rms"], rel=1e-12), method
    told = page.evaluate("values => runLive.call('calculators.weight_rms', values)", fields)
    for name, value in expected["totals"].items():
        assert told["totals"][name] == pytest.approx(value, rel=1e-12), name
    # Both are found to a relative accuracy of 1e-10.
    assert told["inverse"]["weight_decay"] == pytest.approx(expected["inverse"]["weight_decay"], rel=1e-9)
    assert told["inverse"]["lr"] == pytest.approx(expected["inverse"]["lr"], rel=1e-9)
    assert root.locator(".calculator-picture [role=img] svg").is_visible()
    assert not page.problems
