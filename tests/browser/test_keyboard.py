"""A chapter from its first line to the next chapter with the keyboard alone; where the focus is must always be seen."""
import pytest
from browsers import watch
from inspection import LOOK, SETTLED

CHAPTER = "chapters/adamw/equilibrium.html"
FIGURE = '[data-live-figure="equilibrium-approach"]'
STOPS = "a[href], button, input, select, textarea, summary, [tabindex]"

# How each place that the focus may reach looks without it.
KEEP_LOOKS = """stops => {
    const look = LOOK;
    window.looks = new Map([...document.querySelectorAll(stops)].map((element) => [element, look(element)]));
}""".replace("LOOK", LOOK)

# What has the focus: a name for messages, what is wrong with it, and whether it is the one looked for.
STOP = """goal => {
    const look = LOOK;
    const element = document.activeElement;
    if (!element || element === document.body) return { name: 'nothing', faults: [], reached: false, lost: true };
    const text = (element.getAttribute('aria-label') || element.textContent || element.name || '').trim();
    const faults = [];
    const { left, right, top, bottom, width, height } = element.getBoundingClientRect();
    if (width < 1 || height < 1) faults.push('has no size');
    if (right < 1 || bottom < 1 || left > innerWidth || top > innerHeight) faults.push('is out of sight');
    const before = window.looks?.get(element);
    const now = look(element);
    const marked = now.some(([outline, shadow], place) => (outline || shadow !== 'none')
        && (!before || outline !== before[place]?.[0] || shadow !== before[place]?.[1]));
    if (!marked) faults.push('does not show the focus');
    return { name: `${element.tagName} ${element.className} ${text.slice(0, 40)}`, faults,
             reached: !!goal && element.matches(goal) };
}""".replace("LOOK", LOOK)


def go_to(page, goal, key="Tab", limit=150):
    """Press a key until the focus is where it should be; each stop on the way must show the focus."""
    passed = []
    for _ in range(limit):
        if focus_is_on(page, "textarea"):
            page.keyboard.press("Escape")       # the editor of a cell says so: there, Tab indents
        page.keyboard.press(key)
        stop = page.evaluate(STOP, goal)
        assert not stop["faults"], (stop["name"], stop["faults"])
        if stop["reached"]:
            return
        passed.append(stop["name"])
    pytest.fail(f"{limit} times {key} did not lead to {goal}, but by {passed[:3]} to {passed[-3:]}")


def focus_is_on(page, goal):
    """Whether the focus is on a certain element."""
    return page.evaluate("goal => document.activeElement.matches(goal)", goal)


@pytest.fixture
def chapter(browser, served):
    """The chapter on a laptop's screen."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    page = watch(context.new_page())
    page.goto(served + CHAPTER)
    page.evaluate(SETTLED)
    page.evaluate(KEEP_LOOKS, STOPS)
    yield page
    context.close()


def test_a_chapter_by_keyboard_alone(chapter):
    page, press = chapter, chapter.keyboard.press

    # Past everything to the text.
    go_to(page, "#pst-skip-link a", limit=1)
    press("Enter")
    assert page.evaluate("location.hash") == "#main-content"
    go_to(page, "main a, main button", limit=1)

    # Back to the search, which opens a dialog, and gives the focus back.
    go_to(page, "#pst-primary-sidebar .search-button__button", key="Shift+Tab")
    press("Enter")
    page.wait_for_selector("#pst-search-dialog[open]")
    assert focus_is_on(page, "#pst-search-dialog input")
    page.keyboard.type("curvature")
    press("Escape")
    page.wait_for_selector("#pst-search-dialog", state="hidden")
    assert focus_is_on(page, "#pst-primary-sidebar .search-button__button")

    # The side bar goes and comes; the colours change; both keep the focus.
    go_to(page, ".primary-toggle")
    press("Enter")
    page.wait_for_selector("#pst-primary-sidebar", state="hidden")
    press(" ")
    page.wait_for_selector("#pst-primary-sidebar", state="visible")
    assert focus_is_on(page, ".primary-toggle")
    go_to(page, ".theme-switch-button")
    theme = page.evaluate("document.documentElement.dataset.mode")
    for _ in range(3):
        press("Enter")
        assert focus_is_on(page, ".theme-switch-button")
    assert page.evaluate("document.documentElement.dataset.mode") == theme

    # Python in the browser starts, or says why not.
    page.route("https://**", lambda route: route.abort())
    go_to(page, "[data-action=run-live]")
    press("Enter")
    page.wait_for_selector(".run-live:has([data-action=run-live]:enabled) [role=status]:has-text('could not')")

    # A live figure: slider, list and buttons.
    go_to(page, f"{FIGURE} input[type=range]")
    picture = page.locator(f"{FIGURE} .live-figure-picture")
    first = picture.inner_html()
    press("ArrowRight")
    page.wait_for_function("([goal, first]) => document.querySelector(goal).innerHTML !== first",
                           arg=[f"{FIGURE} .live-figure-picture", first])
    go_to(page, f"{FIGURE} select")
    press("ArrowDown")
    go_to(page, f"{FIGURE} [data-action=reset]")
    press(" ")
    page.wait_for_function("([goal, first]) => document.querySelector(goal).innerHTML === first",
                           arg=[f"{FIGURE} .live-figure-picture", first])
    go_to(page, f"{FIGURE} select", key="Shift+Tab")

    # A folded solution opens and closes.
    go_to(page, ".solution .toggle-button")
    solution = page.locator(".solution").first.locator(".section, .solution-content, p:not(.admonition-title)").first
    assert not solution.is_visible()
    press("Enter")
    solution.wait_for(state="visible")
    press(" ")
    solution.wait_for(state="hidden")

    # The contents of the page, and the next chapter.
    go_to(page, "#pst-page-toc-nav a")
    press("Enter")
    assert page.evaluate("location.hash") == "#the-question"
    page.evaluate("document.querySelector('.right-next').scrollIntoView()")
    go_to(page, ".right-next", limit=200)
    press("Enter")
    page.wait_for_url("**/adamw/schedules.html")


@pytest.mark.parametrize("name", ["index", "adamw/calculator", "riemann/calculator", "reference/api"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_focus_is_seen_and_goes_through(browser, served, name, scheme):
    """Tab leads through the page to its end, and out of it: nothing holds the focus, nothing hides it."""
    context = browser.new_context(viewport={"width": 390, "height": 800}, color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{served}chapters/{name}.html")
    page.evaluate(SETTLED)
    page.evaluate(KEEP_LOOKS, STOPS)
    faults, stops = [], 0
    for _ in range(60):
        page.keyboard.press("Tab")
        stop = page.evaluate(STOP, None)
        if stop.get("lost"):
            break
        stops += 1
        faults += [f"{stop['name']}: {fault}" for fault in stop["faults"]]
    context.close()
    assert stops > 10
    assert not faults, "\n".join(faults)


def test_hidden_focus_is_found(browser, served):
    """A page that hides where the focus is, or puts it out of sight."""
    context = browser.new_context(viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.set_content("<style>:focus { outline: none }</style><main><a href='#x'>seen by nobody</a>"
                     "<button style='position: fixed; left: -9999px; outline: 2px solid'>away</button></main>")
    page.evaluate(KEEP_LOOKS, STOPS)
    page.keyboard.press("Tab")
    assert page.evaluate(STOP, "a")["faults"] == ["does not show the focus"]
    page.keyboard.press("Tab")
    assert page.evaluate(STOP, "a")["faults"] == ["is out of sight", "does not show the focus"]
    context.close()
