"""Exercises in a real browser: what the page answers to a wrong answer, a right one, and one that never ends."""
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser.test_run_live import LIGHT, MINUTES, boot, config, open_page, pyodide, run_in  # noqa: F401 (fixtures)

RIGHT = """def shares(rates, decays):
    kappa = np.cumsum(rates * decays)
    weights = np.exp(kappa) * rates
    return weights / weights.sum()"""
SLIP = RIGHT.replace(" / weights.sum()", "")


@pytest.fixture
def live(open_page):  # noqa: F811
    """Open a page, start Python, and return the page and its exercise."""
    def live(**options):
        page = open_page(LIGHT, **options)
        assert boot(page).startswith("Live")
        return page, page.locator(".try-it")
    return live


def answer(page, box, code):
    """Write an answer and have it checked, by keyboard alone."""
    area = box.locator("textarea")
    area.focus()
    area.press("Control+a")
    page.keyboard.insert_text(code)
    area.press("Control+Enter")


def verdict(page, box, pattern):
    """Wait until what the exercise says matches."""
    handle = box.locator("[role=status]").element_handle()
    page.wait_for_function("([note, pattern]) => new RegExp(pattern).test(note.textContent)", arg=[handle, pattern])
    return handle.text_content()


def test_before_python_is_there(open_page):  # noqa: F811
    page = open_page(LIGHT)
    box = page.locator(".try-it")
    assert box.locator("textarea, button:has-text('Check')").count() == 0
    assert "Press “Run live”" in box.inner_text() and "def shares" in box.inner_text()
    assert not box.locator(".try-it-check pre").is_visible()
    box.get_by_text("What the check looks at").click()
    assert "hint: one share for each step" in box.locator(".try-it-check pre").inner_text()


def test_without_scripts(browser, served):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{served}chapters/{LIGHT}.html")
    shown = page.locator(".try-it-where").inner_text()
    assert shown == "The chapter’s notebook has this exercise, too."
    context.close()


def test_a_hint_then_right(live):
    page, box = live()
    assert not box.locator(".try-it-live").is_visible()
    box.get_by_role("button", name="Check your answer").click()
    assert verdict(page, box, "^Not yet") == "Not yet. Hint: end the function with return"
    answer(page, box, SLIP)
    assert "add up to 1" in verdict(page, box, "^Not yet.*shares")
    answer(page, box, RIGHT + "\nprint('seen')\nsteps = 0")
    verdict(page, box, r"^Right\.$")
    assert box.locator(".run-live-text").all_text_contents() == ["seen\n"]
    # The page's own cells know nothing of the answer.
    assert run_in(page, "('shares' in globals(), steps)")[-1]["text"] == "(False, 1000)"
    answer(page, box, RIGHT.replace("np.exp", "exp"))
    assert verdict(page, box, "see below") == "NameError in line 3: see below."
    assert "Your answer, line 3, in shares" in box.locator(".run-live-error").text_content()
    assert box.locator(".pce-line").nth(2).evaluate("line => line.classList.contains('run-live-wrong')")
    box.get_by_role("button", name="Reset your answer").click()
    assert box.locator("textarea").input_value().endswith("    ...")
    assert box.locator(".run-live-text").count() == 0
    assert page.evaluate("document.activeElement === document.querySelector('.try-it textarea')")
    assert not page.problems


def test_an_answer_that_never_ends(live):
    page, box = live()
    answer(page, box, "while True: pass")
    verdict(page, box, "^Checking")
    box.get_by_role("button", name="Stop the check").click()
    assert "What the cells had computed is lost" in verdict(page, box, "^Stopped")
    # The next check starts Python and runs the page's cells by itself.
    answer(page, box, RIGHT)
    verdict(page, box, r"^Right\.$")
    answer(page, box, "while True: pass")
    assert "was stopped" in verdict(page, box, "^This took longer than 30 seconds")
    answer(page, box, RIGHT)
    verdict(page, box, r"^Right\.$")


@pytest.mark.parametrize("scheme, width", [("light", 1280), ("dark", 320)])
def test_an_exercise_is_accessible_and_not_too_wide(live, scheme, width):
    page, box = live(color_scheme=scheme, viewport={"width": width, "height": 800})
    for code, said in ((SLIP, "^Not yet"), (RIGHT, "^Right"), ("1 / 0", "see below")):
        answer(page, box, code)
        verdict(page, box, said)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        # The theme's button fades in and out: its colours are judged with the pages (test_pages.py), not in between.
        page.evaluate("document.querySelector('#pst-back-to-top')?.remove()")
        found = Axe().run(page).response["violations"]
        assert not [(rule["id"], [node["target"] for node in rule["nodes"][:3]]) for rule in found
                    if rule["impact"] in ("serious", "critical")]
    box.locator("textarea").press("Escape")
    page.keyboard.press("Tab")
    assert re.search("Check your answer", page.evaluate("document.activeElement.getAttribute('aria-label')"))
