"""Python's side of Run live, without a browser."""
import hashlib
import json
import sys

import pytest
from derivations.explore import browser, choice, explore, log_slider, show, slider, toggle
from derivations.explore.encode import encode
from derivations.figures import new_figure

SETUP = """
import numpy as np
from derivations.explore import choice, explore, log_slider, show, slider
from derivations.figures import new_figure
def line(rate, shape="up"):
    figure, axes = new_figure()
    axes.plot([0, 1], [0, rate if shape == "up" else -rate])
    return figure
"""
FIGURE = """explore(line, name="demo", alt="A line of slope {rate:.3f}, {shape}.", rate=slider(0.0, 1.0, 0.25),
        shape=choice(["up", "down"]))"""


@pytest.fixture(autouse=True)
def page():
    browser.start()
    yield
    browser.stop()


def run(source, number=1):
    return json.loads(browser.run_cell(json.dumps({"number": number, "source": source})))


def draw(name, *positions):
    return json.loads(browser.draw(json.dumps({"name": name, "positions": positions})))


def test_the_last_expression_is_shown():
    assert run("1 + 1")["outputs"] == [{"kind": "text", "text": "2"}]
    assert run("_ * 2")["outputs"] == [{"kind": "text", "text": "4"}]
    assert run("x = 1")["outputs"] == []
    assert run("x;  # silent")["outputs"] == []
    assert run("None")["outputs"] == []
    assert run("")["ok"]


def test_what_is_printed_keeps_its_order():
    outputs = run("import sys\nprint('a')\nprint('b', file=sys.stderr)\nprint('c')\nprint('d')\n'e'")["outputs"]
    assert [(out["kind"], out["text"]) for out in outputs] == [
        ("stdout", "a\n"), ("stderr", "b\n"), ("stdout", "c\nd\n"), ("text", "'e'")]


def test_a_flood_of_text_is_cut():
    (output,) = run("for k in range(100_000): print('x' * 50)")["outputs"]
    assert len(output["text"]) < 110_000
    assert "the rest is left out" in output["text"]


def test_maths_is_shown_as_latex():
    (output,) = run("import sympy as sp\nsp.sqrt(sp.Symbol('x')) / 3")["outputs"]
    assert output["kind"] == "latex"
    assert r"\frac{\sqrt{x}}{3}" in output["text"]
    assert output["plain"] == "sqrt(x)/3"


def test_html_of_other_types_is_not_taken():
    source = ("class Sly:\n    def _repr_html_(self): return '<script>alert(1)</script>'\n"
              "    def __repr__(self): return 'sly'\nSly()")
    assert run(source)["outputs"] == [{"kind": "text", "text": "sly"}]


@pytest.mark.parametrize("source, name, line", [
    ("x = 1\ny = 2\n1 / 0", "ZeroDivisionError", 3),
    ("def f():\n    return missing\n\nf()", "NameError", 2),
    ("x = (1,\n", "SyntaxError", 1),
    ("if True:\nx = 1", "IndentationError", 2),
    ("import sys\nsys.exit(3)", "SystemExit", 2),
    ("raise KeyboardInterrupt", "KeyboardInterrupt", 1),
    ("from derivations.adamw import constant\nconstant(-1, 10)", "ValueError", 2),
])
def test_an_error_names_the_line(source, name, line):
    result = run(source, number=7)
    (error,) = result["outputs"]
    assert not result["ok"]
    assert (error["kind"], error["name"], error["line"]) == ("error", name, line)
    assert f"Cell 7, line {line}" in error["text"]
    assert "browser.py" not in error["text"]


def test_an_error_says_what_led_to_it():
    (error,) = run("try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError('no') from e")["outputs"]
    assert "direct cause" in error["text"]
    assert "browser.py" not in error["text"]


def test_cells_share_their_names():
    run("x = 5", 1)
    assert run("x", 2)["outputs"] == [{"kind": "text", "text": "5"}]
    browser.start()
    assert run("x", 3)["outputs"][0]["name"] == "NameError"


def test_explore_makes_a_live_figure():
    run(SETUP)
    result = run(FIGURE, 2)
    (output,) = result["outputs"]
    assert result["figures"] == [{"name": "demo", "scales": ["linear", "steps"]}]
    assert output["kind"] == "figure"
    assert 'data-live-figure="demo"' in output["html"]
    assert '"frames": null' in output["html"]
    assert "A line of slope 0.000, up." in output["html"]


def test_a_frame_at_a_step_is_the_prepared_one():
    """Same markup, number by number, as the frame that the build would prepare."""
    run(SETUP)
    run(FIGURE, 2)
    from derivations.explore.render import draw_figure, picture_of
    line = browser._PAGE["namespace"]["line"]
    prepared = picture_of(draw_figure(line, {"rate": 0.75, "shape": "down"}), "demo", {})
    frame = draw("demo", 3, 1)
    assert frame["svg"] == prepared.markup() == encode([prepared], 0).svg
    assert frame["texts"] == ["0.75", "down"]
    assert frame["alt"] == "A line of slope 0.750, down."


def test_a_frame_between_two_steps():
    run(SETUP)
    run(FIGURE, 2)
    frame = draw("demo", 1.3, 0)
    assert frame["values"] == [pytest.approx(0.325, abs=1e-15), None]
    assert frame["texts"] == ["0.325", "up"]
    assert frame["alt"] == "A line of slope 0.325, up."


def test_positions_that_do_not_exist():
    run(SETUP)
    run(FIGURE, 2)
    assert "position must be a number from 0 to 4" in draw("demo", 4.2, 0)["error"]
    assert "position must be" in draw("demo", None, 0)["error"]
    assert "run its cell first" in draw("other", 1)["error"]


def test_an_error_while_drawing_is_told():
    run(SETUP + "def fails(rate):\n    raise ValueError('not here')\n"
        "explore(fails, name='bad', alt='Bad.', rate=slider(0.0, 1.0, 0.5));")
    assert "draw failed at rate=0.25: ValueError: not here" in draw("bad", 0.5)["error"]


@pytest.mark.parametrize("control, position, value", [
    (slider(0, 10, 1), 3.4, 3),
    (slider(0.0, 1.0, 0.1), 3, 0.3),
    (slider(0.0, 1.0, 0.1), 10, 1.0),
    (log_slider(1e-4, 1e-2, 3), 0.5, 10**-3.5),
    (log_slider(1e-4, 1e-2, 3), 1, 1e-3),
    (toggle(), 1, True),
    (choice({"flat": 0, "round": 1}), 1, 1),
])
def test_value_at(control, position, value):
    assert browser.value_at(control, position) == pytest.approx(value, rel=1e-14)
    assert type(browser.value_at(control, position)) is type(value)


def test_a_changed_figure_replaces_its_former_self():
    run(SETUP)
    run(FIGURE, 2)
    run(FIGURE.replace("0.25", "0.5"), 2)
    assert draw("demo", 1, 0)["texts"] == ["0.5", "up"]


def test_still_figures_and_bare_ones():
    run(SETUP)
    (still,) = run("show(line(1), name='still', alt='A line.')")["outputs"]
    assert still["kind"] == "html" and 'id="fig-still"' in still["html"]
    (bare,) = run("line(1)")["outputs"]
    assert bare["kind"] == "html" and "<svg" in bare["html"]
    source = "import matplotlib\nmatplotlib.use('agg')\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]);"
    (pyplot,) = run(source)["outputs"]
    assert "<svg" in pyplot["html"]
    assert run("1;")["outputs"] == []      # it is closed


def test_display_shows_at_once():
    outputs = run("display(1)\nprint(2)\n3")["outputs"]
    assert [output["text"] for output in outputs] == ["1", "2\n", "3"]


def test_explore_without_a_page_is_the_notebooks():
    browser.stop()
    widget = explore(lambda k: new_figure(height=k)[0], name="demo", alt="{k}", k=slider(1, 2, 1))
    assert type(widget).__name__ == "VBox"
    assert show(new_figure()[0], name="empty", alt="Empty.").alt == "Empty."


# ---------------------------------------------------------------- calls


def call(name, **values):
    return json.loads(browser.call(json.dumps({"name": name, "values": values})))


def test_call():
    leading = call("adamw.equilibrium_rms", lr=0.02, weight_decay=1.0, method="leading")
    assert leading == {"result": pytest.approx(0.1)}
    assert len(call("adamw.equilibrium_rms", lr=[0.01, 0.02], weight_decay=1.0)["result"]) == 2


@pytest.mark.parametrize("name", ["os.system", "adamw", "adamw.__class__", "_checks.positive", "adamw.none", "..os"])
def test_call_takes_public_functions_of_the_package_only(name):
    assert "Error" in call(name)["error"]


def test_call_tells_errors():
    assert call("adamw.equilibrium_rms", lr=-1.0, weight_decay=1.0)["error"].startswith("ValueError: lr must be")


# ---------------------------------------------------------------- packages on demand


@pytest.fixture
def on_demand(tmp_path, monkeypatch):
    """A package ``farfetched`` of one file, which 'the network' holds."""
    data = b"answer = 42\n"
    monkeypatch.syspath_prepend(str(tmp_path))
    asked = []

    def fetch(name, text):
        asked.append((name, text))
        return data

    def make(digest=hashlib.sha256(data).hexdigest(), fetch=fetch):
        files = {"farfetched": [{"name": "farfetched.py", "sha256": digest, "size": 1_500_000}]}
        finder = browser.OnDemand(files, fetch, lambda name, found: (tmp_path / name).write_bytes(found))
        monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, finder])
        return asked

    yield make
    sys.modules.pop("farfetched", None)


def test_a_package_comes_when_it_is_imported(on_demand):
    asked = on_demand()
    assert run("import farfetched\nfarfetched.answer\n")["outputs"][0]["text"] == "42"
    assert asked == [("farfetched.py", "fetching farfetched (1.5 MB)")]
    assert not run("import no_such_package")["ok"]


def test_another_file_is_not_installed(on_demand):
    on_demand(digest="0" * 64)
    assert "is not the expected file" in run("import farfetched")["outputs"][0]["text"]


def test_without_a_network_the_import_says_so(on_demand):
    def fails(name, text):
        raise OSError("blocked")
    on_demand(fetch=fails)
    assert "farfetched could not be fetched" in run("import farfetched")["outputs"][0]["text"]
