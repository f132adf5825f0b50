"""A whole class, honest and hostile: everybody gets the mark or the report that the work deserves."""
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from demo_class import SUBMISSIONS, hand_in, start

from derivations.classroom.collecting import collect
from derivations.classroom.grading import feedback, grade, marks
from derivations.classroom.sandbox import Limits, Sandbox, StudentDied

SETTINGS = "c.Classroom.cell_seconds = 1.0\nc.Classroom.seconds = 15\nc.Classroom.memory = 1024"


@pytest.fixture(scope="module")
def klass(tmp_path_factory, locked):
    """The class, collected and graded two at a time, with feedback written."""
    course = start(tmp_path_factory.mktemp("class") / "klass", [*SUBMISSIONS, "absent"], SETTINGS)
    folder = tmp_path_factory.mktemp("handed-in")
    hand_in(folder, course.release_notebook("demo"))
    stranger = folder / "stranger" / "right"    # somebody unknown, with another's name inside
    stranger.mkdir(parents=True)
    (stranger / "demo.ipynb").write_text("{}")
    course.strangers = collect(course, "demo", folder)[1]
    grade(course, "demo", jobs=2)
    course.unwritten = feedback(course, "demo", jobs=2)
    return course


@pytest.fixture(scope="module")
def rows(klass):
    return {row.student: row for row in marks(klass, "demo")}


@pytest.mark.parametrize("student", SUBMISSIONS)
def test_gets_what_it_deserves(rows, student):
    submission, row = SUBMISSIONS[student], rows[student]
    assert (row.state, row.tests) == (submission.state, submission.points), row
    assert submission.note in "; ".join(row.notes), row


def test_a_stranger_stays_one(klass):
    assert klass.strangers == ["stranger"]


def test_students_do_not_set_the_time(klass):
    assert not klass.notebook("submitted", "demo", "early").with_name("timestamp.txt").exists()


def test_who_handed_in_nothing_is_named(rows):
    assert rows["absent"].state == "missing" and rows["absent"].total is None


def test_nothing_is_left_running(rows):
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "derivations.classroom.inside" not in running


def test_nothing_was_unpickled(rows):
    assert not os.path.exists("/tmp/pickle-was-loaded")


def test_received_files_are_kept(klass, rows):
    kept = list((klass.root / "received/other-name/demo").iterdir())
    assert [path.name.partition("-")[2] for path in kept] == ["my homework (1).ipynb"]


def test_a_spy_sees_nothing(klass, rows):
    text = (klass.notebook("autograded", "demo", "spy")).read_text("utf8")
    assert "FOUND []" in text


def page(klass, student):
    return (klass.root / "feedback" / student / "demo" / "demo.html").read_text("utf8")


def test_everybody_graded_gets_a_page(klass, rows):
    assert klass.unwritten == []
    for student, row in rows.items():
        assert Path(klass.root / "feedback" / student / "demo" / "demo.html").exists() == (row.state in ("graded", "to mark"))


@pytest.mark.parametrize("student", [s for s, one in SUBMISSIONS.items() if one.state != "unreadable"])
def test_pages_give_nothing_away(klass, rows, student):
    """Neither hidden tests, nor their inputs, nor answers, nor another student, nor a path of this machine."""
    text = re.sub(r"<style.*?</style>", "", page(klass, student), flags=re.S)
    for secret in ["HIDDEN TESTS", "secret_input", "31415", "np.arange(7.0)", "model answer", str(klass.root), "gradebook"]:
        assert secret not in text, secret
    for other in ("Zoë Ünïcode 7", "swallows-interrupts"):
        assert other == student or other not in text


def test_hints_reach_the_student(klass, rows):
    assert "negative numbers too" in page(klass, "only-visible")
    assert "squares, mean, root" in page(klass, "wrong")
    assert "no end within 1 s" in page(klass, "loop")
    assert "RuntimeError: no" in page(klass, "raises")
    assert "SyntaxError" in page(klass, "syntax-error")


def test_a_hidden_input_cannot_be_smuggled_out(klass, rows):
    """The visible call's input may show, since the student can read it; the hidden one's may not."""
    graded = klass.notebook("autograded", "demo", "leaks-hidden-inputs")
    for place in (page(klass, "leaks-hidden-inputs"), graded.read_text("utf8")):
        assert "stash" in place and "[1.0, 2.0]" in place
        assert "31415.9" not in place.replace("secret_input = np.array([-31415.9265, 0.0])", "")


def test_a_hint_carries_no_hidden_value_out(klass, rows):
    text = page(klass, "leaks-in-a-hint")
    assert "the mean, not the sum: ..." in text and "4207" not in text


def test_a_talkative_notebook_fills_no_disk(klass, rows):
    assert "left out: this notebook shows too much" in page(klass, "talkative")
    assert klass.notebook("autograded", "demo", "talkative").stat().st_size < 13 << 20


def test_nothing_is_fetched_from_elsewhere(klass, rows):
    text = page(klass, "script")
    assert 'src="https://example.org' not in text and "\\mmlToken" not in text and "\\bbox" not in text


def test_a_process_cannot_leave(klass, rows):
    assert page(klass, "leaves").count("-1\nno 1\nno 1") == 1


def test_time_that_is_used_up_is_no_failure_of_the_grader(locked):
    with Sandbox(limits=Limits(cell_seconds=1, seconds=1)) as sandbox:
        with pytest.raises(StudentDied):
            sandbox.run("import time\ntime.sleep(100)")
        with pytest.raises(StudentDied, match="the whole notebook, 1 s, is used up"):
            sandbox.value("1")


def test_pictures_and_photographs_stay(klass, rows):
    for student in ("plots", "photograph", "colab", "own-import"):
        assert "data:image/png;base64," in page(klass, student)
    assert json.loads(klass.notebook("autograded", "demo", "photograph").read_text("utf8"))
    assert "image/png" in klass.notebook("autograded", "demo", "photograph").read_text("utf8")
    assert "svg+xml" not in klass.notebook("autograded", "demo", "photograph").read_text("utf8")


@pytest.mark.parametrize("student", ["script", "html-output", "plots"])
def test_scripts_of_students_do_not_run(klass, rows, browser, student):
    """In whose browser soever the page is opened."""
    opened = browser.new_page()
    opened.route("http*://**", lambda route: route.abort())
    opened.goto((klass.root / "feedback" / student / "demo" / "demo.html").as_uri())
    opened.wait_for_timeout(300)
    assert opened.evaluate("window.caught") is None
    assert opened.locator("iframe, a[href^='javascript']").count() == 0
    opened.close()
