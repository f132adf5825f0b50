"""Copying notebooks to a working folder never overwrites work."""
from derivations.book.notebooks import copy


def test_copy_keeps_what_was_edited(tmp_path):
    source, target = tmp_path / "built", tmp_path / "mine"
    (source / "room").mkdir(parents=True)
    for name in ("room/a.ipynb", "b.ipynb"):
        (source / name).write_text("first")
    assert copy(source, target) == []
    (target / "b.ipynb").write_text("my own work")
    for name in ("room/a.ipynb", "b.ipynb"):
        (source / name).write_text("second")
    assert copy(source, target) == [target / "b.ipynb"]
    assert (target / "room/a.ipynb").read_text() == "second"
    assert (target / "b.ipynb").read_text() == "my own work"


def test_copy_keeps_a_notebook_that_it_never_wrote(tmp_path):
    source, target = tmp_path / "built", tmp_path / "mine"
    source.mkdir()
    target.mkdir()
    (source / "a.ipynb").write_text("built")
    (target / "a.ipynb").write_text("somebody's")
    assert copy(source, target) == [target / "a.ipynb"]
