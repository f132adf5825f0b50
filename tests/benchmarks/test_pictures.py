"""The pictures of the measurements show the numbers of their tables."""
import importlib.util
import math
import re
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
spec = importlib.util.spec_from_file_location("pictures", BENCHMARKS / "pictures.py")
pictures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pictures)

TABLES = """Text.

| A | `b` | c |
|:--|--:|--:|
| one | 1,204.5 | > 60 |
| two | 3 % | does not apply |

| D | e |
|:--|--:|
| x | 0.5 |
"""


def test_a_table_is_read():
    assert pictures.read_table(TABLES, 0) == [{"": "one", "`b`": "1,204.5", "c": "> 60"},
                                              {"": "two", "`b`": "3 %", "c": "does not apply"}]
    assert pictures.read_table(TABLES, 1) == [{"": "x", "e": "0.5"}]


@pytest.mark.parametrize("cell, number", [("1,204.5", 1204.5), ("3 %", 3), ("0.044", 0.044)])
def test_a_number_is_read(cell, number):
    assert pictures.number_of(cell) == number


@pytest.mark.parametrize("cell", ["> 60", "does not apply", ""])
def test_a_limit_is_no_number(cell):
    assert math.isnan(pictures.number_of(cell))


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_the_kept_picture_is_that_of_the_kept_table(name, tmp_path, monkeypatch):
    kept = (pictures.RESULTS / f"{name}.svg").read_text("utf8")
    (tmp_path / f"{name}.md").write_text((pictures.RESULTS / f"{name}.md").read_text("utf8"), "utf8")
    monkeypatch.setattr(pictures, "RESULTS", tmp_path)
    assert pictures.draw(name).read_text("utf8") == kept
    changed = re.sub(r"\| (\d)", r"| 9\1", (tmp_path / f"{name}.md").read_text("utf8"))
    (tmp_path / f"{name}.md").write_text(changed, "utf8")
    assert pictures.draw(name).read_text("utf8") != kept


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_a_picture_has_a_name_and_takes_the_colour_of_the_page(name):
    svg = (pictures.RESULTS / f"{name}.svg").read_text("utf8")
    assert re.match(r'<svg xmlns="[^"]+" role="img" aria-label="[^"]{40,}"', svg)
    assert "aria-hidden" not in svg and "currentColor" in svg and "#000000" not in svg
