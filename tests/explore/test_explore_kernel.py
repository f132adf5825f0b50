"""Live figures in a notebook: ordinary widgets, one picture, the latest value wins."""
import ast
import time

import pytest
from derivations.explore import FigureError, choice, explore, log_slider, show, slider, toggle
from derivations.figures import new_figure

jupyter_client = pytest.importorskip("jupyter_client")

CELL = """
from derivations.explore import explore, slider
from derivations.figures import new_figure
drawn = []
def draw(k):
    drawn.append(k)
    figure, axes = new_figure()
    axes.plot([0, k], [0, 1])
    return figure
box = explore(draw, name="demo", alt="A line to {k}.", caption="Where $k$ ends.", k=slider(1, 50, 1, value=3))
control, picture = box.children[0].children[0], box.children[2]
box
"""


@pytest.fixture(autouse=True)
def no_event_loop(monkeypatch):
    """Redraw at once: the browser tests of the same session leave Playwright's event loop running."""
    monkeypatch.setattr("derivations.explore.kernel._event_loop", lambda: None)


def draw_line(slope, colour, grid):
    figure, axes = new_figure()
    axes.plot([0, 1], [0, slope], color=colour)
    axes.grid(grid)
    if slope > 50:
        raise ArithmeticError("too steep")
    return figure


@pytest.fixture
def box():
    return explore(
        draw_line, name="demo", alt="A {colour} line of slope {slope}, grid {grid}.", caption="Slope $s$.",
        slope=log_slider(1, 100, 3, label="slope $s$", unit="m"), colour=choice(["red", "green"]), grid=toggle(),
    )


def inputs(box):
    return [row.children[0] for row in box.children[:3]]


def test_a_move_redraws_the_one_picture(box):
    slope, colour, grid = inputs(box)
    picture = box.children[4]
    assert "A red line of slope 1.0, grid off." in picture.value
    first = picture.value
    slope.index, colour.index, grid.value = 1, 1, True
    assert "A green line of slope 10.0, grid on." in picture.value
    assert picture.value != first
    assert picture.value.count("<svg") == 1


def test_controls_show_label_and_unit(box):
    slope, colour, grid = inputs(box)
    assert slope.description == "slope $s$"
    assert slope.tooltip == "slope s"
    assert slope.options == ("1 m", "10 m", "100 m")
    assert (colour.description, grid.description) == ("colour", "grid")


def test_reset_goes_back(box):
    slope, colour, grid = inputs(box)
    slope.index, colour.index, grid.value = 1, 1, True
    box.children[3].click()
    assert (slope.index, colour.index, grid.value) == (0, 0, False)
    assert "A red line of slope 1.0, grid off." in box.children[4].value


def test_an_error_after_the_first_frame_is_shown(box):
    inputs(box)[0].index = 2
    assert "ArithmeticError: too steep" in box.children[4].value
    inputs(box)[0].index = 0
    assert "A red line of slope 1.0" in box.children[4].value


def test_an_error_in_the_first_frame_is_raised():
    with pytest.raises(FigureError, match="draw failed at slope=51, colour='red', grid=False"):
        explore(draw_line, name="demo", alt="x", slope=slider(51, 52, 1), colour=choice(["red", "blue"]), grid=toggle())


def test_a_play_button_drives_the_slider():
    box = explore(lambda k: new_figure(height=k)[0], name="demo", alt="{k}", k=slider(1, 3, 1, play=True))
    control, play = box.children[0].children
    play.value = 2
    assert control.index == 2
    assert "<p style=\"max-width:33rem\">3</p>" in box.children[2].value


def test_the_same_name_may_be_used_again():
    for _ in range(2):
        explore(lambda k: new_figure(height=k)[0], name="again", alt="{k}", k=slider(1, 2, 1))
        show(new_figure()[0], name="again", alt="Empty axes.")


@pytest.fixture(scope="module")
def kernel():
    manager, client = jupyter_client.manager.start_new_kernel(kernel_name="python3")
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run(client, code):
    """Run a cell; return its outputs."""
    outputs = []

    def collect(message):
        if message["header"]["msg_type"] in ("execute_result", "display_data", "stream", "error"):
            outputs.append(message["content"])

    client.execute_interactive(code, output_hook=collect, timeout=60)
    return outputs


def test_in_a_running_kernel_the_latest_value_wins(kernel):
    view, = run(kernel, CELL)
    assert "application/vnd.jupyter.widget-view+json" in view["data"]
    name = run(kernel, "control.comm.comm_id")[0]["data"]["text/plain"].strip("'")
    for index in range(10, 40):
        data = {"method": "update", "state": {"index": index}, "buffer_paths": []}
        kernel.shell_channel.send(kernel.session.msg("comm_msg", {"comm_id": name, "data": data}))
    time.sleep(1)
    result, = run(kernel, "drawn[-1], len(drawn), 'A line to 40.' in picture.value")
    last, count, told = ast.literal_eval(result["data"]["text/plain"])
    assert last == 40
    assert told
    assert count < 20   # 30 moves arrived, far fewer were drawn


def test_a_cell_can_run_again_in_a_kernel(kernel):
    for _ in range(2):
        outputs = run(kernel, CELL)
        assert [sorted(output) for output in outputs] == [["data", "execution_count", "metadata"]]


@pytest.fixture
def baking_kernel(monkeypatch):
    monkeypatch.setenv("DERIVATIONS_BAKE", "1")
    manager, client = jupyter_client.manager.start_new_kernel(kernel_name="python3")
    run(client, """
from derivations.explore import explore, show, slider
from derivations.figures import new_figure
def make(name):
    return explore(lambda k: new_figure(height=k)[0], name=name, alt="{k}", k=slider(1, 2, 1))
""")
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_a_baked_figure_that_is_not_shown_is_named(baking_kernel):
    lost, found = run(baking_kernel, "make('one')\nmake('two')")
    if "data" in lost:
        lost, found = found, lost
    assert (lost["name"], lost["text"]) == (
        "stderr", "figure 'one' was made but not shown: let it be the last expression of its cell\n"
    )
    assert 'id="fig-two"' in found["data"]["text/html"]
    (lost,) = run(baking_kernel, "x = show(new_figure()[0], name='three', alt='Empty axes.')")
    assert "'three' was made but not shown" in lost["text"]
    reply = baking_kernel.execute_interactive("x = make('four')", output_hook=lambda message: None, timeout=60)
    assert reply["content"]["status"] == "error"    # so the build stops
    assert run(baking_kernel, "make('five')")[0]["data"]["text/plain"] == "1"


def test_a_baked_figure_that_is_shown_is_not_complained_about(baking_kernel):
    for code in ("make('one')", "from IPython.display import display\ndisplay(make('two'))", "1"):
        (output,) = run(baking_kernel, code)
        assert "data" in output
    (output,) = run(baking_kernel, "make('three'); 1 / 0")     # the error of the cell is enough
    assert output["ename"] == "ZeroDivisionError"
