"""The examples of CONTRIBUTING.md do what it says."""
import re

import numpy as np
import pytest
from derivations.adamw import schedules
from derivations.riemann import spaces


@pytest.fixture(scope="module")
def examples(root):
    """The Python code of CONTRIBUTING.md, block by block."""
    return re.findall(r"^```(?:python|\{code-cell\} ipython3)\n(.*?)^```", (root / "CONTRIBUTING.md").read_text("utf8"),
                      re.S | re.M)


def run(examples, word, names):
    """Execute the one example in which a word stands."""
    found, = (example for example in examples if word in example)
    exec(found, names)
    return names


def test_the_space_has_the_curvature_that_it_says(examples):
    space = run(examples, "def pseudosphere", dict(vars(spaces)))["pseudosphere"]()
    assert space.metric.gauss_curvature() == space.known["gauss_curvature"] == -1


def test_the_schedule_has_the_values_and_the_refusal_that_it_says(examples):
    names = run(examples, "def one_cycle", dict(vars(schedules)))
    assert np.allclose(names["one_cycle"](0.04, steps=4, warmup_steps=2).values, [0.02, 0.04, 0.02, 0])
    with pytest.raises(ValueError, match="warmup_steps must be below steps, got warmup_steps=4, steps=4"):
        names["one_cycle"](0.04, steps=4, warmup_steps=4)


def test_the_live_figure_is_drawn(examples):
    names = run(examples, 'name="cosine-tail"', {})
    line, = names["draw"](0.2).axes[0].lines
    assert np.isclose(line.get_ydata()[-1], 0.2)


def test_the_chapter_template_has_the_parts_that_the_tests_want(root):
    from book.test_chapters import PARTS
    text = (root / "CONTRIBUTING.md").read_text("utf8")
    places = [text.find(part) for part in PARTS]
    assert -1 not in places and places == sorted(places)


def test_commands_and_files_that_it_names_are_there(root):
    text = (root / "CONTRIBUTING.md").read_text("utf8")
    targets = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text("utf8"), re.M))
    assert set(re.findall(r"`make ([a-z]+)", text)) <= targets | {"pdf"}
    paths = re.findall(r"`((?:chapters|code|tests|benchmarks|assignments|\.github)/[\w./-]+)`", text)
    missing = [path for path in paths if not (root / path).exists() and "mean" not in path]
    assert len(paths) > 10 and not missing
