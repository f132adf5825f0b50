"""What the site offers of the assignments: everything a student needs, and nothing of what a student must not see."""
import base64
import csv
import hashlib
import html
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import leaks
import nbformat
import pytest
from derivations.book import assignments
from derivations.book.wheel import package_files, student_wheel
from derivations.classroom.marking import mark
from derivations.classroom.sources import NAME_CELL, find_sources, read_source

ROOT = Path(__file__).resolve().parents[2]
SOURCES = find_sources(ROOT / "assignments")
REQUIREMENTS = assignments.students_requirements((ROOT / "requirements.txt").read_text("utf8"))


@pytest.fixture(scope="module", params=sorted(SOURCES))
def assignment(request):
    return read_source(SOURCES[request.param])


@pytest.fixture(scope="module")
def downloads(tmp_path_factory):
    """The downloads, written by the function that writes the site's."""
    folder = tmp_path_factory.mktemp("downloads") / "assignments"
    assignments.write_site(folder, SOURCES, REQUIREMENTS)
    return folder


# ---------------------------------------------------------------- the downloads


def test_the_page_shows_and_offers_every_assignment(site, assignment):
    page = (site / "chapters/classroom/overview.html").read_text("utf8")
    assert f'id="assignment-{assignment.name}"' in page and html.escape(assignment.title) in page
    for kind in ("ipynb", "zip"):
        assert f'href="../../assignments/{assignment.name}.{kind}"' in page
        assert (site / "assignments" / f"{assignment.name}.{kind}").is_file()


def test_the_site_offers_nothing_else(site):
    names = {f"{name}.{kind}" for name in SOURCES for kind in ("ipynb", "zip")}
    assert {path.name for path in (site / "assignments").iterdir()} == names


def test_the_notebook_is_the_students_version(downloads, assignment):
    notebook = nbformat.read(downloads / f"{assignment.name}.ipynb", 4)
    nbformat.validate(notebook)
    assert notebook == assignment.release()
    assert "### " + "BEGIN" not in (downloads / f"{assignment.name}.ipynb").read_text("utf8")


def test_the_archive_holds_what_a_student_needs(downloads, assignment):
    name = assignment.name
    with zipfile.ZipFile(downloads / f"{name}.zip") as archive:
        files = {path.removeprefix(f"{name}/"): archive.read(path) for path in archive.namelist()}
    [wheel] = [path for path in files if path.endswith(".whl")]
    assert set(files) == {"README.txt", f"{name}.ipynb", "requirements.txt", "start.py", wheel}
    assert files[f"{name}.ipynb"] == (downloads / f"{name}.ipynb").read_bytes()
    assert files["requirements.txt"].decode().split() == [*REQUIREMENTS, f"./{wheel}"]
    assert f'NOTEBOOK = "{name}.ipynb"' in files["start.py"].decode()
    assert wheel in files["README.txt"].decode() and files["README.txt"].decode().startswith(assignment.title)


def test_the_same_sources_give_the_same_bytes(downloads, tmp_path):
    assignments.write_site(tmp_path / "again", SOURCES, REQUIREMENTS)
    for path in downloads.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name


def test_downloads_of_an_assignment_that_is_gone_go_too(tmp_path):
    (tmp_path / "gone.zip").write_text("old")
    assignments.write_site(tmp_path, {}, REQUIREMENTS)
    assert not list(tmp_path.iterdir())


def test_the_wheel_holds_what_its_record_says(tmp_path):
    with zipfile.ZipFile(student_wheel(tmp_path)) as wheel:
        files = {path: wheel.read(path) for path in wheel.namelist()}
    record = next(path for path in files if path.endswith("/RECORD"))
    rows = list(csv.reader(io.StringIO(files[record].decode())))
    assert sorted(row[0] for row in rows) == sorted(files)
    for path, digest, size in rows:
        if path != record:
            code = base64.urlsafe_b64encode(hashlib.sha256(files[path]).digest()).rstrip(b"=").decode()
            assert (digest, size) == (f"sha256={code}", str(len(files[path]))), path


def test_the_wheel_is_the_package_without_the_book():
    files = set(package_files())
    package = ROOT / "code/derivations"
    rooms = {path.name for path in package.iterdir() if path.is_dir() and path.name not in ("book", "__pycache__")}
    assert {path.split("/")[1] for path in files if path.startswith("derivations/") and path.count("/") > 1} == rooms
    assert not [path for path in files if path.startswith("derivations/book/")]


def test_requirements_that_lack_a_package_are_refused():
    with pytest.raises(ValueError, match="does not pin sympy"):
        assignments.students_requirements("\n".join(line for line in REQUIREMENTS if "sympy" not in line))


# ---------------------------------------------------------------- nothing secret


@pytest.fixture(scope="module")
def chapters():
    return "\n".join(path.read_text("utf8") for path in (ROOT / "chapters").rglob("*.md"))


def secrets(assignment, chapters, texts=None):
    public = "\n".join(cell.source for cell in assignment.release().cells)
    return leaks.secrets(leaks.parts(assignment) if texts is None else texts, public, chapters)


@pytest.fixture(scope="module")
def wanted(chapters):
    """Secrets of all assignments."""
    found = {}
    for path in SOURCES.values():
        found |= secrets(read_source(path), chapters)
    return found


def test_no_solution_hidden_test_or_model_answer_is_on_the_site(site, wanted):
    assert len(wanted) > 100 * len(SOURCES)
    assert leaks.leaks(site, wanted) == []


def test_none_is_in_the_downloads(downloads, wanted):
    assert leaks.leaks(downloads, wanted) == []


def test_every_secret_part_would_be_noticed(assignment, chapters):
    for part in leaks.parts(assignment):
        assert secrets(assignment, chapters, [part]), part


def zipped(name, data):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return out.getvalue()


def coloured(text):
    """Code as a page shows it: escaped, a tag round every word."""
    return "<pre>" + re.sub(r"(\w+)", r'<span class="n">\1</span>', html.escape(text)) + "</pre>"


PLANTED = {
    "as it is": lambda source, notebook: ("_sources/a.md", source),
    "in a notebook": lambda source, notebook: ("a.ipynb", nbformat.writes(notebook)),
    "on a page": lambda source, notebook: ("a.html", coloured(source)),
    "as JSON": lambda source, notebook: ("a.js", f"load({json.dumps({'text': source})})"),
    "a page as JSON": lambda source, notebook: ("a.json", json.dumps([coloured(source)])),
    "in an archive": lambda source, notebook: ("a.zip", zipped("a.md", source)),
    "in a wheel in an archive": lambda source, notebook: ("a.zip", zipped("a.whl", zipped("a.md", source))),
}


@pytest.mark.parametrize("way", PLANTED)
def test_a_planted_source_is_found(tmp_path, assignment, chapters, wanted, way):
    """The negative control: without it the test above could pass because it sees nothing. All secrets are seen."""
    name, content = PLANTED[way](SOURCES[assignment.name].read_text("utf8"), assignment.notebook)
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    seen = {lines for _, lines in leaks.leaks(tmp_path, wanted)}
    own = set(secrets(assignment, chapters).values())
    assert len(seen & own) > 0.98 * len(own), own - seen


def test_a_source_that_became_a_chapter_is_found(tmp_path, assignment, chapters):
    """What chapters say is no licence: only formulas are let through on their account."""
    source = SOURCES[assignment.name].read_text("utf8")
    (tmp_path / "a.html").write_text(coloured(source), "utf8")
    assert len(leaks.leaks(tmp_path, secrets(assignment, chapters + source))) > 100


# ---------------------------------------------------------------- the one command


def unpack(downloads, name, folder):
    with zipfile.ZipFile(downloads / f"{name}.zip") as archive:
        archive.extractall(folder)
    return folder / name


def start(folder, *words, **variables):
    return subprocess.run([sys.executable, "start.py", *words], cwd=folder, capture_output=True, text=True,
                          env={**os.environ, **variables})


def test_a_student_starts_with_one_command(downloads, tmp_path):
    """In an empty folder with a blank and an accent in its name: install, and run the notebook with right answers."""
    pin = next(line for line in REQUIREMENTS if line.startswith("tqdm"))
    if subprocess.run([sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(tmp_path / "try"), pin],
                      capture_output=True).returncode:
        pytest.skip("pip cannot download here")
    name = "schedules"
    folder = unpack(downloads, name, tmp_path / "my école")
    done = start(folder, "--prepare")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    again = start(folder, "--prepare", PIP_NO_INDEX="1")
    assert again.returncode == 0 and "Installing" not in again.stdout

    source = read_source(SOURCES[name])
    answers = {cell.metadata.nbgrader.grade_id: cell.source for cell in source.notebook.cells
               if cell.metadata.get("nbgrader", {}).get("solution")}
    notebook = nbformat.read(folder / f"{name}.ipynb", 4)
    for cell in notebook.cells:
        cell.source = answers.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
    nbformat.write(notebook, folder / "answered.ipynb")
    python = folder / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    run = subprocess.run([python, "-m", "jupyter", "execute", "answered.ipynb"], cwd=folder, capture_output=True,
                         text=True, env={**os.environ, "IPYTHONDIR": str(tmp_path / "ipython")})
    assert run.returncode == 0, run.stderr[-3000:]
    where = subprocess.run([python, "-c", "import derivations; print(derivations.__file__)"], cwd=folder,
                           capture_output=True, text=True)
    assert str(folder) in where.stdout, "the package is the one of the archive"


def test_an_old_python_is_told_so(downloads, tmp_path):
    folder = unpack(downloads, "schedules", tmp_path)
    pretend = ("import sys, runpy; sys.version_info = (3, 8); sys.argv = ['start.py']; "
               "runpy.run_path('start.py', run_name='__main__')")
    done = subprocess.run([sys.executable, "-c", pretend], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("Python 3.11 or newer is needed")
    assert "Traceback" not in done.stderr
    assert not (folder / ".venv").exists()


def test_a_failed_download_is_explained_and_tried_again(downloads, tmp_path):
    folder = unpack(downloads, "schedules", tmp_path)
    offline = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""}
    for _ in range(2):
        done = start(folder, "--prepare", **offline)
        assert done.returncode == 1 and "Installing into" in done.stdout
        assert "Are you online? Then run this again" in done.stderr and "Traceback" not in done.stderr


def test_a_renamed_notebook_and_a_wrong_word_are_explained(downloads, tmp_path):
    folder = unpack(downloads, "schedules", tmp_path)
    assert "python start.py" in start(folder, "--help").stderr
    (folder / "schedules.ipynb").rename(folder / "mine.ipynb")
    text = (folder / "start.py").read_text("utf8").replace("    prepare()\n", "")
    (folder / "start.py").write_text(text, "utf8")
    assert "schedules.ipynb is not in this folder" in start(folder).stderr


# ---------------------------------------------------------------- the example of the authors' page


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    text = (ROOT / "chapters/classroom/writing.md").read_text("utf8")
    path = tmp_path_factory.mktemp("example") / "mean-square.md"
    path.write_text(re.search(r"^`{5}text\n(.*?)^`{5}$", text, re.S | re.M)[1], "utf8")
    space = {}
    exec(re.search(r"^```python\n(MISTAKES.*?)^```$", text, re.S | re.M)[1], space)
    return read_source(path), space["MISTAKES"]


def failed(notebook, source):
    tests = mark(notebook, source.notebook, "teacher", locked=False).tests
    return {name for name, result in tests.items() if not result.passed}


def test_the_example_of_the_page_keeps_what_the_page_says(example):
    source, mistakes = example
    assert source.points == (2, 3)
    assert failed(source.notebook, source) == set()
    assert failed(source.release(), source) == {"square-mean"}
    for why, cells, expected in mistakes:
        wrong = source.release()
        for cell in wrong.cells:
            grade = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = 'STUDENT = "teacher"\nCODE = ""' if grade == NAME_CELL else cells.get(grade, cell.source)
        assert failed(wrong, source) == expected, why
