"""A teacher's way through a term: release, collect, grade, mark by hand, grade again, give back, export."""
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import unicodedata
import zipfile
from pathlib import Path

import nbformat
import pytest
from demo_class import FULL, answers, edited, notebook

from derivations.classroom.collecting import Unreadable, collect, rebuild
from derivations.classroom.course import Course
from derivations.classroom.exporting import gradescope, questions
from derivations.classroom.grading import feedback, grade, marks, release, table
from derivations.classroom.settings import NoCourse
from derivations.classroom.template import start_course
from derivations.commands import main


def hand_in(course, folder, student, submission=None, name=None):
    """Put one submission into a folder, as `student/demo.ipynb` or under another name."""
    submission = submission or answers(FULL)
    for file, content in submission.files(course.release_notebook("demo"), student).items():
        path = Path(folder, name or f"{student}/{file}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf8")


def by_name(rows):
    return {row.student: row for row in rows}


# ---------------------------------------------------------------- the notebooks handed out

def test_the_release_is_what_the_source_says(make_course):
    course = make_course(["ada"])
    released = course.release_notebook("demo")
    assert [cell.source for cell in released.cells] == [cell.source for cell in course.assignment("demo").release().cells]
    nbformat.validate(released)
    text = course.notebook("release", "demo").read_text("utf8")
    assert "model answer" not in text and "secret_input" not in text and "np.mean(np.square" not in text


def test_an_own_source_replaces_the_shipped_one(make_course, tmp_path):
    course = make_course(["ada"])
    shipped = course.sources()["demo"]
    (course.root / "assignments/demo.md").write_text(shipped.read_text("utf8").replace("-31415.9265", "-27182.8"), "utf8")
    assert course.sources()["demo"].parent == course.root / "assignments"
    release(course, ["demo"])
    assert "-27182.8" in course.notebook("source", "demo").read_text("utf8")


def test_personal_codes_come_with_a_secret(make_course, tmp_path):
    course = make_course(["ada", "bob"], settings="c.Classroom.secret = 'a long and private secret'")
    codes = dict(line.split(",") for line in (course.report("demo") / "codes.csv").read_text("utf8").splitlines())
    assert len(codes["ada"]) == 12 and codes["ada"] != codes["bob"]

    def sign(code):
        return edited(lambda filled: next(
            cell for cell in filled["cells"] if cell["metadata"].get("nbgrader", {}).get("grade_id") == "who"
        ).update(source=f'STUDENT = "ada"\nCODE = "{code}"') or None)

    for code, points, note in ((codes["ada"], FULL, ""), (codes["bob"], 3, "a wrong personal code"),
                               ("", 3, "no personal code")):
        hand_in(course, tmp_path / "in", "ada", sign(code))
        collect(course, "demo", tmp_path / "in")
        row = by_name(grade(course, "demo"))["ada"]
        assert row.tests == points and note in "".join(row.notes) and ("code" in "".join(row.notes)) == bool(note)
        assert codes["ada"] not in "".join(row.notes)


# ---------------------------------------------------------------- what comes back

@pytest.mark.parametrize("name", [
    "ADA.ipynb", "ada/demo.ipynb", "ada_assignsubmission_file_/demo.ipynb", "ada_1234_5678_demo.ipynb",
    "deep/er/ada/demo/demo.ipynb",
])
def test_shapes_of_class_folders(make_course, tmp_path, name):
    course = make_course(["ada", "bob"])
    hand_in(course, tmp_path / "in", "ada", name=name)
    found, strangers = collect(course, "demo", tmp_path / "in")
    assert [(one.student, one.problem) for one in found] == [("ada", "")] and strangers == []
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.write(tmp_path / "in" / name, name)
    shutil.rmtree(course.root / "submitted")
    found, strangers = collect(course, "demo", tmp_path / "in.zip")
    assert [(one.student, one.problem) for one in found] == [("ada", "")] and strangers == []


def test_names_are_compared_without_regard_to_unicode_form(make_course, tmp_path):
    course = make_course(["Zoë"])
    hand_in(course, tmp_path / "in", "Zoë", name=f"{unicodedata.normalize('NFD', 'Zoë')}/demo.ipynb")
    found, strangers = collect(course, "demo", tmp_path / "in")
    assert [one.student for one in found] == ["Zoë"] and not strangers


@pytest.mark.parametrize("name", [
    "Ada Byron_4711_assignsubmission_file_/demo.ipynb", "byronada_1234_5678_demo.ipynb", "ADA BYRON.ipynb",
])
def test_full_names_of_platforms_are_known_unless_two_share_them(make_course, tmp_path, name):
    course = make_course(["s1", "s2"])
    hand_in(course, tmp_path / "in", "s1", name=name)
    (course.root / "students.csv").write_text("id,first_name,last_name\ns1,Ada,Byron\ns2,Ben,Byron\n", "utf8")
    found, strangers = collect(course, "demo", tmp_path / "in")
    assert [(one.student, one.notes) for one in found] == [("s1", [])] and strangers == []
    (course.root / "students.csv").write_text("id,first_name,last_name\ns1,Ada,Byron\ns2,Ada,Byron\n", "utf8")
    found, strangers = collect(course, "demo", tmp_path / "in")
    assert found == [] and len(strangers) == 1


def test_strangers_are_named_and_left(make_course, tmp_path):
    course = make_course(["ada"])
    hand_in(course, tmp_path / "in", "mallory")
    found, strangers = collect(course, "demo", tmp_path / "in")
    assert found == [] and strangers == ["mallory"]


@pytest.mark.parametrize("content", [b"PK\x03\x04 no zip", b""])
def test_a_broken_zip_file_is_named(make_course, tmp_path, content):
    course = make_course(["ada"])
    (tmp_path / "in.zip").write_bytes(content)
    with pytest.raises(Unreadable, match="in.zip"):
        collect(course, "demo", tmp_path / "in.zip")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        collect(course, "demo", tmp_path / "nowhere")


def test_paths_in_a_zip_file_lead_nowhere_else(make_course, tmp_path):
    course = make_course(["ada"])
    before = sorted(tmp_path.rglob("*"))
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.writestr("../../ada/../../../demo.ipynb", json.dumps(notebook(course.release_notebook("demo"), "ada")))
        archive.writestr("/etc/ada/evil.ipynb", "x")
    collect(course, "demo", tmp_path / "in.zip")
    outside = [path for path in sorted(tmp_path.rglob("*")) if path not in before and course.root not in path.parents]
    assert outside == [tmp_path / "in.zip"] and not Path("/etc/ada").exists()


def test_a_zip_bomb_is_left_out(make_course, tmp_path):
    course = make_course(["ada"], settings="c.Classroom.largest = 1")
    with zipfile.ZipFile(tmp_path / "in.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ada/demo.ipynb", bytes(100 << 20))
    [one], _ = collect(course, "demo", tmp_path / "in.zip")
    assert "larger than 1 MB" in one.problem


def test_a_new_submission_replaces_the_old_one_and_both_are_kept(make_course, tmp_path):
    course = make_course(["ada"])
    hand_in(course, tmp_path / "in", "ada", answers(2, rms="def rms(x):\n    return 0"))
    collect(course, "demo", tmp_path / "in")
    assert by_name(grade(course, "demo"))["ada"].tests == 2
    hand_in(course, tmp_path / "in", "ada")
    [one], _ = collect(course, "demo", tmp_path / "in")
    assert "replaces an earlier one" in one.notes
    assert by_name(grade(course, "demo"))["ada"].tests == FULL
    assert len(list((course.root / "received/ada/demo").iterdir())) == 2


def test_a_rebuilt_notebook_rebuilds_to_itself(make_course):
    course = make_course(["ada"])
    first, _ = rebuild(course.release_notebook("demo"), json.dumps(notebook(course.release_notebook("demo"), "ada")).encode())
    second, notes = rebuild(course.release_notebook("demo"), nbformat.writes(first).encode())
    assert nbformat.writes(first) == nbformat.writes(second) and notes == []


# ---------------------------------------------------------------- grading

def grading_process(course):
    """A process that grades, as from the command line."""
    return subprocess.Popen([sys.executable, "-m", "derivations", "classroom", "grade", "demo", "--jobs", "2",
                             "--course", str(course.root)], stdout=subprocess.DEVNULL)


def test_an_interrupted_run_goes_on_with_the_same_marks(make_course, tmp_path):
    students = [f"s{number}" for number in range(8)]
    course = make_course([*students, "absent"])
    for number, student in enumerate(students):
        hand_in(course, tmp_path / "in", student, answers(2, rms="def rms(x):\n    return 0") if number % 2 else None)
    collect(course, "demo", tmp_path / "in")
    process = grading_process(course)
    while sum(row.state == "to mark" for row in marks(course, "demo")) < 2:
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(1)    # its processes die with it
    half = [row.student for row in marks(course, "demo") if row.state == "to mark"]
    assert 2 <= len(half) < 8
    done = []
    rows = by_name(grade(course, "demo", jobs=2, progress=lambda student, word: done.append(student)))
    assert not set(half) & set(done), "what was graded is not graded again"
    assert [rows[student].tests for student in students] == [FULL, 2] * 4
    assert rows["absent"].state == "missing"


def test_a_wrong_name_is_said_to_teacher_and_student(capsys, make_course, tmp_path):
    course = make_course(["ada", "bob"])
    for student, signed in (("ada", "bob"), ("bob", "Robert")):
        path = tmp_path / "in" / f"{student}.ipynb"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(notebook(course.release_notebook("demo"), student, signed=signed)), "utf8")
    collect(course, "demo", tmp_path / "in")
    code, out, _ = cli(capsys, "grade", "demo", "--course", str(course.root))
    assert code == 0 and "\n     - signed 'bob', who is another student: the tests earn nothing\nbob  to mark" in out
    assert "\n     - signed 'Robert', which is no id of the class list\n" in out
    feedback(course, "demo")
    page = (course.root / "feedback/bob/demo/demo.html").read_text("utf8")
    assert "This was handed in under the name" in page


def test_jobs_do_not_change_marks_and_a_second_run_does_nothing(make_course, tmp_path):
    course = make_course(["a", "b", "c"])
    for student in "abc":
        hand_in(course, tmp_path / "in", student)
    collect(course, "demo", tmp_path / "in")
    first = grade(course, "demo", jobs=3)
    done = []
    assert grade(course, "demo", progress=lambda *a: done.append(a)) == first and done == []
    assert grade(course, "demo", force=True) == first


def mark_by_hand(course, student, points):
    from nbgrader.api import Gradebook

    with Gradebook(course.config.CourseDirectory.db_url) as gradebook:
        given = gradebook.find_grade("why", "demo", "demo", student)
        given.manual_score, given.needs_manual_grade = points, False
        gradebook.db.commit()


def test_marks_by_hand_survive_a_regrade(make_course, tmp_path):
    course = make_course(["ada"])
    hand_in(course, tmp_path / "in", "ada")
    collect(course, "demo", tmp_path / "in")
    assert by_name(grade(course, "demo"))["ada"].state == "to mark"
    mark_by_hand(course, "ada", 3)
    row = by_name(marks(course, "demo"))["ada"]
    assert (row.state, row.tests, row.written, row.total, row.most) == ("graded", 5, 3, 8, 9)
    row = by_name(grade(course, "demo", force=True))["ada"]
    assert (row.state, row.written, row.total) == ("graded", 3, 8), "nothing that was marked has changed"
    source = course.sources()["demo"]
    (course.root / "assignments/demo.md").write_text(source.read_text("utf8").replace("-31415.9265", "-27182.8"), "utf8")
    release(course, ["demo"])
    assert by_name(grade(course, "demo"))["ada"].state == "graded", "nor does a new test change the answer"
    hand_in(course, tmp_path / "in", "ada", edited(lambda filled: filled["cells"].append(
        {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": "more = 1"})))
    collect(course, "demo", tmp_path / "in")
    row = by_name(grade(course, "demo"))["ada"]
    assert (row.state, row.written) == ("to mark", 3), "another notebook: somebody has to look"


def test_a_run_that_fails_is_named_and_the_next_one_mends_it(make_course, tmp_path):
    course = make_course(["ada", "bob"])
    for student in ("ada", "bob"):
        hand_in(course, tmp_path / "in", student)
    collect(course, "demo", tmp_path / "in")
    good = (course.root / "source/demo/demo.ipynb").read_bytes()
    broken = json.loads(good)
    for cell in broken["cells"]:
        if cell["metadata"].get("numbers"):
            cell["source"] = "1 / 0"
    (course.root / "source/demo/demo.ipynb").write_text(json.dumps(broken), "utf8")
    rows = grade(course, "demo")
    assert [row.state for row in rows] == ["failed", "failed"] and "ZeroDivisionError" in rows[0].notes[0]
    (course.root / "source/demo/demo.ipynb").write_bytes(good)
    assert [row.state for row in grade(course, "demo")] == ["to mark", "to mark"]


# ---------------------------------------------------------------- giving back, exporting

def test_tables(make_course, tmp_path):
    course = make_course(["ada", "bob", "=cmd"])
    hand_in(course, tmp_path / "in", "ada")
    (tmp_path / "in/bob").mkdir()
    (tmp_path / "in/bob/demo.ipynb").write_text("{", "utf8")
    collect(course, "demo", tmp_path / "in")
    lines = table(grade(course, "demo")).splitlines()
    assert lines[0] == "student,state,tests,written,total,most,notes"
    assert lines[1] == "ada,to mark,5,0,5,9,"
    assert lines[2].startswith("bob,unreadable,,,,,not JSON")
    assert lines[3] == "'=cmd,missing,,,,,", "a spreadsheet must not take a name for a formula"
    [path] = gradescope(course, "demo")
    results = json.loads(path.read_text("utf8"))
    assert results["score"] == 5 and sum(test["max_score"] for test in results["tests"]) == 9
    assert feedback(course, "demo") == []
    assert (course.root / "feedback/ada/demo/demo.html").is_file()


def test_what_the_class_found_hard(make_course, tmp_path, capsys):
    course = make_course(["ada", "bob", "cyd", "absent"])
    once = "def scale(x):\n    return factor * np.abs(x)"
    for student, sources in (("ada", {}), ("bob", {"scale": once}), ("cyd", {"scale": "def scale(x):\n    return 1 / 0"})):
        hand_in(course, tmp_path / "in", student, answers(None, **sources))
    assert cli(capsys, "collect", "demo", str(tmp_path / "in"), "--course", str(course.root))[0] == 0
    out = cli(capsys, "grade", "demo", "--course", str(course.root))[1]
    found = {question.name: question for question in questions(course, "demo")}
    assert [question.name for question in found.values() if question.passed < 3] == ["scale-once"]
    assert (found["scale-once"].passed, found["scale-once"].graded) == (1, 3) and found["scale-once"].commonest
    assert "Tests passed, where not by all:\n  scale-once    1 of 3  mostly: " in out


# ---------------------------------------------------------------- the command line

def cli(capsys, *words):
    try:
        code = main(["classroom", *words])
    except SystemExit as error:
        code = error.code
    out, err = capsys.readouterr()
    return code, out, err


def test_the_whole_way_on_the_command_line(capsys, tmp_path, locked):
    here = Path(__file__).parent / "sources"
    root = tmp_path / "klass"
    assert cli(capsys, "init", str(root), "--from", str(here))[0] == 0
    (root / "students.csv").write_text("id\nada\nbob\n", "utf8")
    where = ("--course", str(root))
    assert "demo" in cli(capsys, "list", *where)[1]
    assert "hand out" in cli(capsys, "release", "demo", *where)[1]
    hand_in(Course.open(root), tmp_path / "in", "ada")
    assert cli(capsys, "collect", "demo", str(tmp_path / "in"), *where)[:2] == (
        0, "1 taken in, 0 cannot be read, 0 belong to nobody.\n")
    code, out, _ = cli(capsys, "grade", "demo", *where)
    assert code == 3 and "bob" in out and out.endswith("1 to mark, 1 missing.\n")
    code, out, _ = cli(capsys, "feedback", "demo", *where)
    assert code == 0 and out.endswith("not final: ada\n")
    page = (root / "feedback/ada/demo/demo.html").read_text("utf8")
    assert "Test cell" not in page and 'under the name' not in page
    assert cli(capsys, "export", "demo", "--csv", str(tmp_path / "marks.csv"), *where)[0] == 3
    assert (tmp_path / "marks.csv").read_text("utf8").count("\n") == 3
    code, out, _ = cli(capsys, "doctor", "--course", str(root))
    assert code == 0 and "2 students, 1 assignments" in out and "MISSING" not in out


@pytest.mark.parametrize("words, expected", [
    (["grade", "demo"], "is no course"),
    (["init", "."], "is not empty"),
    (["release", "nothing", "--course", "klass"], "no assignment 'nothing'"),
    (["grade", "demo", "--jobs", "0", "--course", "klass"], "got jobs=0"),
    (["grade", "demo", "--student", "bob", "--course", "klass"], "nothing of 'demo' was collected from 'bob'"),
    (["export", "demo", "--course", "klass"], "say --csv FILE or --gradescope"),
])
def test_wrong_use_is_one_sentence(capsys, make_course, tmp_path, monkeypatch, words, expected):
    make_course(["ada"])
    monkeypatch.chdir(tmp_path)
    code, out, err = cli(capsys, *words)
    assert code == 2 and expected in err and err.count("\n") == 1


def test_without_the_lock_nothing_is_graded_unless_told_so(capsys, make_course, tmp_path, monkeypatch):
    course = make_course(["ada"])
    hand_in(course, tmp_path / "in", "ada")
    collect(course, "demo", tmp_path / "in")
    commands = [Path(sys.executable).parent]
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, commands)))
    code, _, err = cli(capsys, "grade", "demo", "--course", str(course.root))
    assert code == 2 and "apt install bubblewrap" in err and "--unsafe-no-sandbox" in err
    assert not (course.root / "autograded").exists()
    code, out, _ = cli(capsys, "grade", "demo", "--unsafe-no-sandbox", "--course", str(course.root))
    assert code == 0 and "to mark" in out and " 5 of 9" in out


# ---------------------------------------------------------------- wrong configurations

@pytest.mark.parametrize("content, expected", [
    ("name\nada\n", "no column id in its first line, but name"),
    ("id\nada\nADA\n", "'ADA' is there twice"),
    ("id\n../x\n", "got '../x'"),
    ("id\n.hidden\n", "got '.hidden'"),
    ("id\na*\n", "got 'a*'"),
    ("id,name\n,ada\n", "got ''"),
])
def test_class_lists_are_checked(tmp_path, content, expected):
    start_course(tmp_path / "klass", None)
    (tmp_path / "klass/students.csv").write_text(content, "utf8")
    with pytest.raises(NoCourse, match=expected.replace("*", r"\*").replace(".", r"\.")):
        Course.open(tmp_path / "klass").students()


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfsep=;\r\n ID ;Name\r\n7;x\r\n;;\r\n", b"id\tname\n7\tx\n"])
def test_class_lists_of_spreadsheets_are_read(tmp_path, content):
    start_course(tmp_path / "klass", None)
    (tmp_path / "klass/students.csv").write_bytes(content)
    assert Course.open(tmp_path / "klass").students() == ["7"]
    (tmp_path / "klass/students.csv").write_bytes(b"id\n\xe9")
    with pytest.raises(NoCourse, match="CSV UTF-8"):
        Course.open(tmp_path / "klass").students()


def test_a_course_in_the_repository_is_refused(root, locked):
    place = root / "_build/klass"
    start_course(place, None)
    try:
        with pytest.raises(NoCourse, match="public repository"):
            Course.open(place).check_place()
    finally:
        shutil.rmtree(place)


@pytest.mark.parametrize("line, expected", [
    ("c.Classroom.memroy = 1", "memroy"),
    ("c.Classroom.largest = 0", "largest"),
    ("c.Classroom.secret = 'abc'", "secret"),
    ("c.Classroom.seconds = 0", "seconds must be a number from 1"),
    ("c.Classroom.memory = 1", "memory must be a number from 512"),
    ("c.Classroom.seconds = 'long'", "seconds"),
    ("1 / 0", "ZeroDivisionError"),
    ("c.Classroom.assignments = ['nowhere']", "no folder .*nowhere"),
])
def test_configurations_are_checked(tmp_path, line, expected):
    start_course(tmp_path / "klass", None)
    with open(tmp_path / "klass/nbgrader_config.py", "a") as file:
        file.write(f"\n{line}\n")
    with pytest.raises(NoCourse, match=expected):
        course = Course.open(tmp_path / "klass")
        course.settings.limits, course.sources()
