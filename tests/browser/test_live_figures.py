"""Every control of every live figure of the site answers: served, offline, and from a file on disk."""
import statistics

import pytest
from browsers import watch

WAYS = ["served", "offline", "file"]
PICTURE = "figure => figure.querySelector('.live-figure-picture').innerHTML"

# Milliseconds of script from just before to just after the drawing of one step.
STEP_TIME = """async (input) => {
    const figure = input.closest('figure');
    const times = [];
    for (let index = 0; index <= +input.max; index++) {
        times.push(await new Promise((done) => {
            let begun;
            requestAnimationFrame(() => { begun = performance.now(); });
            input.value = index;
            input.dispatchEvent(new Event('input', { bubbles: true }));
            requestAnimationFrame(() => done(performance.now() - begun));
        }));
    }
    return times;
}"""


@pytest.fixture(scope="session")
def figure_pages(site):
    """Pages with live figures, and the names of the figures in each."""
    found = {}
    for path in sorted(site.rglob("*.html")):
        names = [piece.split('"')[0] for piece in path.read_text("utf8").split(' data-live-figure="')[1:]]
        if names:
            found[path.relative_to(site).as_posix()] = names
    assert {"chapters/index.html", "chapters/adamw/equilibrium.html", "chapters/riemann/loop.html"} <= set(found)
    return found


def open_page(context, way, served, site, name):
    """Open a page one of the three ways; offline means that the network goes away once the page is there."""
    page = watch(context.new_page())
    page.goto((site / name).as_uri() if way == "file" else served + name)
    page.wait_for_function("""() => [...document.querySelectorAll('[data-live-figure] .live-figure-controls')]
        .every(panel => !panel.hidden)""")
    if way == "offline":
        context.set_offline(True)
    return page


def drawn(page, figure, before):
    """Wait until the picture differs from ``before``, and return it; None if it stays the same."""
    for _ in range(20):
        page.evaluate("() => new Promise(requestAnimationFrame)")
        after = figure.evaluate(PICTURE)
        if after != before:
            return after
    return None


def by_keyboard(control):
    """Move a control by one step with keys only."""
    kind = control.evaluate("input => input.type")
    control.focus()
    if kind == "range":
        at_the_end = control.evaluate("input => input.value === input.max")
        control.press("ArrowLeft" if at_the_end else "ArrowRight")
    elif kind == "checkbox":
        control.press(" ")
    else:
        control.press("ArrowUp" if control.evaluate("s => s.selectedIndex === s.length - 1") else "ArrowDown")


def by_mouse(page, control):
    """Move a control with the mouse: a slider to its other half, a list to another entry, a box by a click."""
    kind = control.evaluate("input => input.type")
    control.scroll_into_view_if_needed()
    if kind == "range":
        box = control.bounding_box()
        part = 0.1 if control.evaluate("input => +input.value > +input.max / 2") else 0.9
        page.mouse.click(box["x"] + part * box["width"], box["y"] + box["height"] / 2)
    elif kind == "checkbox":
        control.click()
    else:
        control.select_option(index=(control.evaluate("s => s.selectedIndex") + 1) % control.evaluate("s => s.length"))


@pytest.mark.parametrize("way", WAYS)
def test_every_control_changes_its_picture(browser, served, site, figure_pages, way):
    silent = []
    for name, figures in figure_pages.items():
        context = browser.new_context(viewport={"width": 390, "height": 800})
        page = open_page(context, way, served, site, name)
        for figure_name in figures:
            figure = page.locator(f"#fig-{figure_name}")
            for control in figure.locator("[data-control]").all():
                what = f"{name} #{figure_name} {control.get_attribute('data-control')}"
                assert control.evaluate("input => input.labels.length"), f"{what} has no label"
                before = figure.evaluate(PICTURE)
                by_keyboard(control)
                after = drawn(page, figure, before)
                if after is None:
                    silent.append(f"{what}: keyboard")
                by_mouse(page, control)
                if drawn(page, figure, after or before) is None:
                    silent.append(f"{what}: mouse")
            reset = figure.get_by_role("button", name="Reset")
            reset.click()
        assert not page.problems, page.problems
        context.close()
    assert not silent, "\n".join(silent)


def test_reset_restores_the_first_picture(browser, served, site, figure_pages):
    for name, figures in figure_pages.items():
        context = browser.new_context()
        page = open_page(context, "served", served, site, name)
        for figure_name in figures:
            figure = page.locator(f"#fig-{figure_name}")
            control = figure.locator("[data-control]").first
            by_keyboard(control)     # from here on the script has drawn the picture, attribute by attribute
            drawn(page, figure, "")
            figure.get_by_role("button", name="Reset").click()
            page.wait_for_timeout(50)
            first = figure.evaluate(PICTURE)
            by_keyboard(control)
            assert drawn(page, figure, first) is not None
            figure.get_by_role("button", name="Reset").click()
            page.wait_for_timeout(50)
            assert figure.evaluate(PICTURE) == first, f"{name} #{figure_name}"
        context.close()


def test_a_step_takes_less_than_a_frame_of_the_screen(browser, served, site, figure_pages):
    slow = []
    for name in figure_pages:
        context = browser.new_context()
        page = open_page(context, "served", served, site, name)
        for slider in page.locator("[data-live-figure] input[type=range]").all():
            median = statistics.median(slider.evaluate(STEP_TIME))
            if median > 1000 / 60:
                slow.append(f"{name} {slider.get_attribute('id')}: {median:.1f} ms")
        context.close()
    assert not slow, "\n".join(slow)


def test_default_frame_shows_without_scripts(browser, served, figure_pages):
    for name, figures in figure_pages.items():
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(served + name)
        for figure_name in figures:
            figure = page.locator(f"#fig-{figure_name}")
            assert figure.locator("svg").is_visible()
            assert not figure.locator("input, select, button").first.is_visible()
        context.close()


def test_address_sets_a_figure(browser, served, site, figure_pages):
    """Take the address that a figure writes, open it anew, and see the same picture."""
    for name, figures in figure_pages.items():
        context = browser.new_context()
        for figure_name in figures:
            page = open_page(context, "served", served, site, name)
            figure = page.locator(f"#fig-{figure_name}")
            before = figure.evaluate(PICTURE)
            by_keyboard(figure.locator("[data-control]").first)
            drawn(page, figure, before)
            page.wait_for_function(f"() => location.hash.startsWith('#fig-{figure_name}:')")
            texts = figure.locator(".live-figure-picture").get_attribute("aria-label")
            address = page.url
            page.close()
            again = watch(context.new_page())
            again.goto(address)
            again.wait_for_function(
                "([id, text]) => document.querySelector(`#fig-${id} .live-figure-picture`).ariaLabel === text",
                arg=[figure_name, texts])
            assert not again.problems
            again.close()
        context.close()
