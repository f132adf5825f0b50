"""Live figures in a real browser, on a page opened from a file."""
import io
import re
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from derivations.explore import choice, explore, log_slider, show, slider, toggle
from derivations.explore.baked import BakedFigure
from derivations.explore.render import _SVG_RC
from derivations.figures import new_figure
from matplotlib.backends.backend_svg import FigureCanvasSVG

X = np.linspace(0, 2 * np.pi, 60)
GRID_X, GRID_Y = np.meshgrid(np.linspace(-1, 1, 12), np.linspace(-1, 1, 10))


def line(k):
    figure, axes = new_figure()
    axes.plot(X, np.sin(k * X), label="$\\sin kx$")
    axes.plot(X, np.cos(k * X), label=r"$\frac{1}{2}\cos^2 kx$")
    axes.set(xlabel="$x$ & <y>", ylabel="size", title="fixed")
    axes.legend(loc="lower left")
    return figure


def scatter(k):
    figure, axes = new_figure()
    axes.scatter(X, np.sin(k * X), s=10 + 5 * X, c=X, marker="^")
    axes.plot(X[::9], np.cos(X[::9]) / k, "o")
    return figure


def bar(k):
    figure, axes = new_figure()
    axes.bar(["a", "b", "c"], [k, k**2, 1], hatch=["/", "x", None])
    return figure


def quiver(k):
    figure, axes = new_figure()
    axes.quiver(GRID_X, GRID_Y, -GRID_Y * k, GRID_X)
    return figure


def surface(k):
    figure, axes = new_figure(subplot_kw={"projection": "3d"})
    axes.plot_surface(GRID_X, GRID_Y, k * GRID_X * GRID_Y, cmap="viridis")
    return figure


def wireframe(k):
    figure, axes = new_figure(subplot_kw={"projection": "3d"})
    axes.plot_wireframe(GRID_X, GRID_Y, GRID_X**2 - GRID_Y**2)
    axes.view_init(30, 40 * k)
    return figure


def contour(k):
    figure, axes = new_figure()
    axes.contour(GRID_X, GRID_Y, GRID_X**2 + k * GRID_Y**2)
    return figure


def contourf(k):
    figure, axes = new_figure()
    figure.colorbar(axes.contourf(GRID_X, GRID_Y, GRID_X**2 - k * GRID_Y**2))
    return figure


def image(k):
    figure, axes = new_figure()
    axes.imshow(np.sin(k * GRID_X * GRID_Y))
    return figure


def words(k):
    figure, axes = new_figure()
    axes.set_title(f"k = {k:.2f} <{'&' * k}>")
    axes.text(0.5, 0.5, rf"$\lambda_{k} = {k}$", rotation=10 * k)
    axes.annotate("here", (0.2, 0.2), (0.3 * k, 0.6), arrowprops={"arrowstyle": "->"})
    return figure


def rescaled(k):
    figure, (upper, lower) = new_figure(nrows=2)
    upper.plot(X, np.exp(k * X))
    lower.loglog(X[1:], X[1:] ** k)
    return figure


def legend(k):
    figure, axes = new_figure()
    for j in range(k):
        axes.plot(X, X * j, label=f"line {j}")
    if k > 1:
        axes.legend()
    return figure


def gaps(k):
    figure, axes = new_figure()
    axes.plot(X, np.where(np.abs(X - k) < 0.5, np.nan, X))
    axes.fill_between(X, 0, np.sin(k * X), alpha=0.3, where=X < k)
    return figure


def raster(k):
    figure, axes = new_figure()
    axes.pcolormesh(GRID_X, GRID_Y, np.cos(k * GRID_X), rasterized=True)
    axes.plot([-1, 1], [0, k / 9])
    return figure


def gouraud(k):
    figure, axes = new_figure()
    axes.pcolormesh(GRID_X[:4, :4], GRID_Y[:4, :4], k * GRID_X[:4, :4], shading="gouraud")
    return figure


def polar(k):
    figure, axes = new_figure(subplot_kw={"projection": "polar"})
    axes.plot(X, 1 + np.sin(k * X))
    return figure


DRAWINGS = [
    line, scatter, bar, quiver, surface, wireframe, contour, contourf, image, words, rescaled, legend, gaps, raster,
    gouraud, polar,
]

READ_PICTURE = """
root => [...root.querySelectorAll('.live-figure-picture svg, .live-figure-picture svg *')].map(e => [
  e.localName, Object.fromEntries([...e.attributes].map(a => [a.localName, a.value])),
  e.children.length ? '' : e.textContent])
"""
NEXT_FRAME = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
NUMBER = re.compile(r"-?\d+\.?\d*(?:e[-+]?\d+)?")
VISIBLE = {"path", "use", "text", "tspan", "image", "rect", "line", "polygon"}


def fresh(draw, values):
    """What matplotlib itself writes for these values: (tag, attributes, text) of all that is visible."""
    buffer = io.StringIO()
    with mpl.rc_context(_SVG_RC):
        FigureCanvasSVG(draw(**values)).print_svg(buffer, metadata={"Date": None})
    return visible(
        (local(e.tag), {local(key): value for key, value in e.attrib.items()}, "" if len(e) else e.text or "")
        for e in ElementTree.fromstring(buffer.getvalue()).iter()
    )


def local(name):
    """A name of XML without its namespace."""
    return name.rpartition("}")[2]


def visible(elements):
    """Keep what a reader sees, without what the book changes on purpose: fonts, ids, black."""
    kept = []
    for tag, attributes, text in elements:
        if tag not in VISIBLE:
            continue
        look = re.sub(r"; font-family: 'DejaVu Sans'(, [^;]*)?", "", attributes.get("style", ""))
        numbers = []
        for key in ("d", "x", "y", "width", "height", "transform"):
            value = re.sub(r" ?rotate\(-0[^)]*\)", "", attributes.get(key, ""))
            numbers += [float(number) for number in NUMBER.findall(value)]
            look += " ".join(NUMBER.sub("#", value).split()).replace(" ", "") if key != "d" else ""
        commands = re.sub(r"[^A-Za-z]", "", attributes.get("d", ""))
        look = re.sub(r"url\(#[^)]*\)", "url()", look).replace("#000000", "currentColor")
        picture = attributes.get("href", "") if tag == "image" else ""
        kept.append(((tag, look, commands, "".join(picture.split()), text.strip()), numbers))
    return kept


@pytest.mark.parametrize("draw", DRAWINGS, ids=lambda draw: draw.__name__)
def test_every_frame_equals_a_fresh_drawing(bake, open_page, draw):
    page = open_page(explore(draw, name="demo", alt="k is {k}", k=slider(1, 4, 1, value=2)))
    page.wait_for_selector(".live-figure-controls:visible")
    control = page.locator("#fig-demo_k")
    for index in (1, 0, 3, 2, 0, 1):
        control.fill(str(index))
        page.evaluate(NEXT_FRAME)
        shown = visible(map(tuple, page.locator("#fig-demo").evaluate(READ_PICTURE)))
        expected = fresh(draw, {"k": index + 1})
        assert [look for look, _ in shown] == [look for look, _ in expected]
        for (look, ours), (_, theirs) in zip(shown, expected):
            assert len(ours) == len(theirs)
            assert np.allclose(ours, theirs, rtol=0, atol=0.01), look


def wave(lr, shape, grid):
    figure, axes = new_figure()
    axes.plot(X, lr * (np.sin(X) if shape == "sine" else np.cos(X)))
    axes.grid(grid)
    axes.set_title(f"{lr:g}")
    return figure


@pytest.fixture
def waves(bake):
    """A figure with one control of each kind."""
    return explore(
        wave, name="waves", alt="A {shape} of height {lr:.2g}, grid {grid}.", caption=r"Height $\eta$.",
        lr=log_slider(0.01, 100, 5, value=1, label=r"rate $\eta$", unit="m"),
        shape=choice(["sine", "co, sine"]), grid=toggle(label="grid"),
    )


def ready(page, name="waves"):
    """Wait until the controls of a figure answer; return the figure."""
    figure = page.locator(f"#fig-{name}")
    figure.locator(".live-figure-controls").wait_for(state="visible")
    return figure


def title(figure):
    """The title that the picture shows: the last text of these drawings."""
    return figure.locator("svg text").last.text_content()


def test_controls_are_native_and_labelled(waves, open_page):
    page = open_page(waves)
    ready(page)
    assert page.get_by_role("slider", name="rate η").get_attribute("aria-valuetext") == "rate η 1 m"
    assert page.get_by_role("combobox", name="shape").input_value() == "sine"
    assert not page.get_by_role("checkbox", name="grid").is_checked()
    assert page.get_by_role("img", name="A sine of height 1, grid off.").count() == 1
    label = page.locator("label[for=fig-waves_lr] .math")
    assert label.text_content() == r"\(\eta\)"
    assert label.get_attribute("class") == "math notranslate nohighlight"


def test_keyboard_moves_the_picture_its_output_and_its_sentence(waves, open_page):
    page = open_page(waves)
    figure = ready(page)
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    page.evaluate(NEXT_FRAME)
    assert title(figure) == "10"
    assert figure.locator("output").text_content() == "10 m"
    assert page.get_by_role("slider").get_attribute("aria-valuetext") == "rate η 10 m"
    assert figure.get_by_role("img").get_attribute("aria-label") == "A sine of height 10, grid off."
    page.get_by_text("A sine of height 10, grid off.").wait_for()


def test_the_sentence_waits_until_the_reader_rests(waves, open_page):
    page = open_page(waves)
    figure = ready(page)
    page.get_by_role("slider").fill("0")
    page.evaluate(NEXT_FRAME)
    assert title(figure) == "0.01"
    assert figure.locator(".live-figure-alt").text_content() == "A sine of height 1, grid off."
    page.get_by_text("A sine of height 0.01, grid off.").wait_for()


def test_several_moves_within_one_frame_are_drawn_once(waves, open_page):
    page = open_page(waves)
    ready(page)
    changes = page.evaluate("""async () => {
      let drawn = 0;
      const output = document.querySelector('output'), input = document.querySelector('input[type=range]');
      new MutationObserver(() => drawn++).observe(output, {childList: true, characterData: true, subtree: true});
      for (const value of [0, 1, 3, 4]) { input.value = value; input.dispatchEvent(new Event('input')); }
      await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
      return [drawn, output.textContent];
    }""")
    assert changes == [1, "100 m"]


def test_the_address_follows_the_reader_and_only_the_reader(waves, open_page):
    page = open_page(waves)
    ready(page)
    page.wait_for_timeout(500)
    assert "#" not in page.url
    page.get_by_role("slider").fill("3")
    page.get_by_role("combobox").select_option("co, sine")
    page.wait_for_url("**#fig-waves:lr=10,shape=co%2C%20sine,grid=off")


def test_an_address_restores_its_state(waves, open_page):
    page = open_page(waves, fragment="#fig-waves:lr=9.5,shape=co%2C%20sine,grid=on")
    figure = ready(page)
    page.get_by_text("A co, sine of height 10, grid on.").wait_for()
    assert title(figure) == "10"
    assert page.get_by_role("checkbox").is_checked()
    page.evaluate("location.hash = '#fig-waves:grid=off'")
    page.get_by_text("A co, sine of height 10, grid off.").wait_for()


def test_the_address_scrolls_to_its_figure(bake, open_page):
    first, second = (explore(line, name=name, alt="k is {k}", k=slider(1, 2, 1)) for name in ("one", "two"))
    space = BakedFigure("<div style='height: 3000px'></div>", b"", "")
    page = open_page(first, space, second, space, fragment="#fig-two:k=2")
    ready(page, "two")
    page.wait_for_function("Math.abs(document.getElementById('fig-two').getBoundingClientRect().top) < 5")
    assert page.locator("#fig-one output").text_content() == "1"
    page.wait_for_function("document.querySelector('#fig-two output').textContent === '2'")


# As the book's theme does it: a box with a button, folded once the page is there.
FOLDED = """<div class="box"><p><button type="button" class="toggle-button">show</button></p>
<style>.toggle-hidden > :not(p) { display: none }</style>
<details><summary>more</summary>%s</details></div>
<script>document.addEventListener('DOMContentLoaded', () => {
  const box = document.querySelector('.box');
  const toggle = () => box.classList.toggle('toggle-hidden');
  box.querySelector('.toggle-button').addEventListener('click', toggle);
  toggle();
})</script>"""


def test_an_address_opens_the_folded_boxes_of_its_figure(waves, open_page):
    folded = BakedFigure(FOLDED % waves.markup, b"", "")
    page = open_page(folded)
    page.locator("#fig-waves .live-figure-controls:not([hidden])").wait_for(state="attached")
    assert not page.locator("#fig-waves").is_visible()
    for _ in range(2):      # what is open stays open
        page.evaluate("location.hash = '#fig-waves:grid=on'")
        page.locator("#fig-waves svg").wait_for(state="visible")
        page.evaluate("location.hash = ''")
    page = open_page(folded, fragment="#fig-waves:lr=10")
    page.locator("#fig-waves svg").wait_for(state="visible")


def _stop_the_clock(page):
    """From here on time passes only in ``page.clock.run_for``, however slow the machine is."""
    page.clock.install(time=0)
    page.reload()
    figure = ready(page, "demo")
    page.clock.pause_at(3600 * 1000)
    return figure


def test_an_address_stops_a_running_play(bake, open_page):
    page = open_page(explore(line, name="demo", alt="k is {k}", k=slider(1, 4, 1, play=True)))
    figure = _stop_the_clock(page)
    page.get_by_role("button", name="Play k").click()
    page.evaluate("""() => new Promise(done => {
      addEventListener('hashchange', done, {once: true});
      location.hash = '#fig-demo:k=2';
    })""")
    page.clock.run_for(2000)
    assert figure.locator("output").text_content() == "2"
    assert page.get_by_role("button", name="Play k").get_attribute("aria-pressed") == "false"


@pytest.mark.parametrize("fragment", [
    "#fig-waves:", "#fig-waves:lr", "#fig-waves:lr=abc,shape=none", "#fig-waves:lr=%E0%A4%A", "#fig-waves:x=1,=,,",
    "#fig-other:lr=1", "#fig-waves:lr=Infinity", "#%%%", "#fig-waves:__proto__=1",
])
def test_a_malformed_address_is_ignored(waves, open_page, fragment):
    page = open_page(waves, fragment=fragment)
    figure = ready(page)
    page.evaluate(NEXT_FRAME)
    assert title(figure) == "1"


def test_reset_goes_back_to_the_first_values(waves, open_page):
    page = open_page(waves, fragment="#fig-waves:lr=100,shape=co%2C%20sine,grid=on")
    figure = ready(page)
    page.get_by_text("A co, sine of height 1e+02").wait_for()
    page.get_by_role("button", name="Reset").click()
    page.get_by_text("A sine of height 1, grid off.").wait_for()
    assert title(figure) == "1"
    assert page.get_by_role("combobox").input_value() == "sine"


@pytest.mark.parametrize("clipboard", ["modern", "older", "none"])
def test_copy_link_says_what_happened(waves, open_page, clipboard):
    page = open_page(waves)
    ready(page)
    page.evaluate("""kind => {
      const modern = { writeText: async text => { window.copied = text; } };
      Object.defineProperty(navigator, 'clipboard', { value: kind === 'modern' ? modern : undefined });
      document.execCommand = () => { window.copied = document.activeElement.value; return kind === 'older'; };
    }""", clipboard)
    page.get_by_role("slider").fill("4")
    page.get_by_role("button", name="Copy link").click()
    link = page.url.split("#")[0] + "#fig-waves:lr=100,shape=sine,grid=off"
    page.get_by_text(f"Copy this link: {link}" if clipboard == "none" else "Link copied.").wait_for()
    assert page.evaluate("window.copied") == link


@pytest.mark.parametrize("motion, pause", [("no-preference", 150), ("reduce", 1000)])
def test_play_runs_to_the_end_and_pauses(bake, open_page, motion, pause):
    baked = explore(line, name="demo", alt="k is {k}", k=slider(1, 3, 1, play=True))
    page = open_page(baked, reduced_motion=motion)
    figure = _stop_the_clock(page)
    button = page.get_by_role("button", name="Play k")
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    page.clock.run_for(pause + 60)
    assert figure.locator("output").text_content() == "2"
    button.click()
    page.clock.run_for(5 * pause)
    assert figure.locator("output").text_content() == "2"
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    page.clock.run_for(5 * pause)
    assert figure.locator("output").text_content() == "3"
    assert button.get_attribute("aria-pressed") == "false"


def test_without_scripts_the_default_frame_shows_and_no_dead_control(waves, open_page):
    page = open_page(waves, java_script_enabled=False)
    assert page.locator("#fig-waves svg").is_visible()
    assert page.get_by_text("A sine of height 1, grid off.").is_visible()
    assert page.locator("input:visible, select:visible, button:visible").count() == 0


@pytest.mark.parametrize("damage", ["no stream", "cut", "not base64", "not json"])
def test_data_that_cannot_be_read_leave_the_default_frame(waves, open_page, damage):
    markup = waves.markup
    if damage == "no stream":
        markup = "<script>delete window.DecompressionStream</script>" + markup
    elif damage == "cut":
        markup = re.sub(r'("frames": "[^"]{400})[^"]*"', r'\1"', markup)
    elif damage == "not base64":
        markup = markup.replace('"frames": "', '"frames": "*')
    else:
        markup = markup.replace('{"controls"', '{controls')
    page = open_page(BakedFigure(markup, b"", ""))
    page.get_by_text("This browser could not read the prepared frames").wait_for()
    assert page.locator("#fig-waves svg").is_visible()
    assert page.locator("input:visible, select:visible, button:visible").count() == 0


def test_two_figures_on_a_page_do_not_share_ids(bake, open_page):
    page = open_page(*(
        explore(bar, name=name, alt="k is {k}", k=slider(1, 2, 1)) for name in ("one", "two")
    ))
    ready(page, "two")
    page.locator("#fig-two_k").fill("1")
    page.evaluate(NEXT_FRAME)
    assert page.locator("#fig-one output").text_content() == "1"
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    missing = page.evaluate("""[...document.querySelectorAll('[clip-path], use')].map(e =>
      (e.getAttribute('clip-path') || e.getAttribute('href')).match(/#([^)]*)/)[1])
      .filter(id => !document.getElementById(id))""")
    assert missing == []


@pytest.mark.parametrize("width", [320, 400, 1280])
def test_nothing_overflows(waves, open_page, width):
    page = open_page(waves, viewport={"width": width, "height": 700})
    ready(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("#fig-waves svg").bounding_box()["width"] <= 36 * 16
    assert page.get_by_role("slider").bounding_box()["height"] >= 24
    for button in page.get_by_role("button").all():
        assert button.bounding_box()["height"] >= 24


def test_the_picture_takes_the_colour_of_the_text(waves, open_page):
    page = open_page(waves)
    figure = ready(page)
    page.evaluate("document.documentElement.style.setProperty('--pst-color-text-base', 'rgb(1, 200, 3)')")
    assert figure.locator("svg text").first.evaluate("e => getComputedStyle(e).fill") == "rgb(1, 200, 3)"
    axis = figure.locator("svg use").first
    assert axis.evaluate("e => getComputedStyle(e).stroke") == "rgb(1, 200, 3)"


def test_the_theme_does_not_put_the_figure_on_a_light_ground(waves, open_page):
    theme = """<style>html[data-theme=dark] .bd-content div.cell_output .text_html:not(:has(table.dataframe))
        {background-color: rgb(200, 200, 200); padding: .5rem}</style>"""
    output = f'<div class="bd-content"><div class="cell_output"><div class="text_html">{waves.markup}</div></div></div>'
    page = open_page(BakedFigure(theme + output, b"", ""))
    ready(page)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    ground = page.locator(".text_html").evaluate("e => getComputedStyle(e).backgroundColor")
    assert ground == "rgba(0, 0, 0, 0)"


def test_accessibility_checker_finds_nothing(waves, open_page):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = open_page(waves)
    ready(page)
    found = axe.Axe().run(page, context="#fig-waves").response["violations"]
    assert [(rule["id"], rule["help"]) for rule in found] == []


def test_a_still_figure_has_no_controls(bake, open_page):
    page = open_page(show(line(1), name="still", alt="Two waves.", caption=r"Waves $\sin x$."))
    page.wait_for_timeout(100)
    assert page.get_by_role("img", name="Two waves.").is_visible()
    assert page.locator("input, select, button, script[type='application/json']").count() == 0


def test_a_step_takes_less_than_a_frame_of_script(bake, open_page):
    page = open_page(explore(line, name="demo", alt="k is {k}", k=slider(1, 20, 1)))
    ready(page, "demo")
    milliseconds = page.evaluate("""async () => {
      const input = document.querySelector('input[type=range]');
      const times = [];
      for (let step = 1; step < 20; step++) {
        input.value = step;
        input.dispatchEvent(new Event('input'));
        // The figure asked for the next frame of the screen first, so it is drawn when this callback runs.
        const began = await new Promise(done => requestAnimationFrame(done));
        times.push(performance.now() - began);
      }
      return times.sort((a, b) => a - b)[9];
    }""")
    assert milliseconds < 16
