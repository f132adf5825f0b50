"""Chapters that run elsewhere than on the author's machine: in the reader's browser, in Colab, in Binder.

*Run live* needs the packages as wheels, and one file that says where everything lies.

The wheels are made here, with a few lines of :mod:`zipfile`, and not by pip: a build must work without a network, leave
no trace in ``code/`` and give the same bytes each time. The course's package comes from ``code/derivations``. SymPy and
its companions come from the environment that runs the book, file by file as their ``RECORD`` lists them, each checked
against the checksum written there: so the browser computes with the very versions that the build has used.
"""
import base64
import hashlib
import importlib.metadata
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.parse import quote

import nbformat
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import derivations

from .notebooks import FOLDER as NOTEBOOKS
from .notebooks import has_code, notebook_path

FOLDER = "_static/live"
"""Folder of the wheels below the site's root."""

PYODIDE = "https://cdn.jsdelivr.net/pyodide/v0.27.7/full/"
"""Address of Pyodide's files: the official one, at a pinned version."""

NEEDS = {"sympy": ["mpmath"], "mpmath": [], "tqdm": []}
"""Packages of the environment that are served with the site, and what each of them needs. Pure Python, all of them."""

BRANCH = "gh-pages"
"""Branch of the repository that holds the built notebooks, from which Colab and Binder take them."""

_MADE_WITH = ["numpy", "scipy", "sympy", "matplotlib", "ipywidgets", "tqdm"]
_INSTALL = """\
import sys
if "google.colab" in sys.modules:  # elsewhere the package is there already
    %pip install --quiet "derivations @ git+https://github.com/{repository}#subdirectory=code\""""

_LEFT_OUT = {"tests", "benchmarks", "__pycache__"}
_ROOMS_LEFT_OUT = {"book", "classroom", "assets", "__pycache__"}  # they work on the author's machine only
_WHEEL = b"Wheel-Version: 1.0\nGenerator: derivations.book\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_DATE = (1980, 1, 1, 0, 0, 0)


def course_files():
    """Files of the course's package that run in a browser.

    Returns
    -------
    dict of str to bytes
        Content of each file by its path inside the wheel.
    """
    folder = Path(derivations.__file__).parent
    version = importlib.metadata.version("derivations")
    files = {
        f"derivations/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in folder.rglob("*")
        if path.suffix in (".py", ".json") and not _ROOMS_LEFT_OUT & set(path.relative_to(folder).parts)
    }
    about = f"derivations-{version}.dist-info/"
    files[about + "METADATA"] = f"Metadata-Version: 2.1\nName: derivations\nVersion: {version}\n".encode()
    files[about + "WHEEL"] = _WHEEL
    files[about + "RECORD"] = _record(files, about + "RECORD")
    return files


def installed_files(name):
    """Files of an installed pure-Python package, without its tests.

    Parameters
    ----------
    name : str

    Returns
    -------
    dict of str to bytes

    Raises
    ------
    ValueError
        If a file is not the one that was installed, or the package is not pure Python.
    """
    distribution = importlib.metadata.distribution(name)
    files = {}
    for entry in distribution.files:
        path = entry.as_posix()
        if path.startswith("../") or _LEFT_OUT & set(entry.parts) or entry.name in ("RECORD", "INSTALLER", "REQUESTED"):
            continue
        if entry.suffix in (".so", ".pyd", ".dylib"):
            raise ValueError(f"{name} holds {path}, which does not run in a browser")
        if entry.hash is None:      # bytecode that pip made
            continue
        data = Path(entry.locate()).read_bytes()
        if _urlsafe(data) != entry.hash.value:
            raise ValueError(f"{path} of {name} is not the file that was installed: its checksum differs")
        files[path] = data
    record = next(path.partition("/")[0] for path in files if ".dist-info/" in path) + "/RECORD"
    files[record] = _record(files, record)
    return files


def _urlsafe(data):
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _record(files, own):
    lines = [f"{path},sha256={_urlsafe(data)},{len(data)}" for path, data in sorted(files.items())]
    return "\n".join([*lines, f"{own},,", ""]).encode()


def write_wheel(folder, name, files):
    """Write a wheel whose name tells its content; one that is there already is kept.

    Parameters
    ----------
    folder : pathlib.Path
    name : str
        Name of the package.
    files : dict of str to bytes

    Returns
    -------
    pathlib.Path
    """
    digest = hashlib.sha256()
    for path, data in sorted(files.items()):
        digest.update(f"{path}\0{len(data)}\0".encode() + data)
    # A build tag must begin with a digit. With it in the name, a browser never uses an old copy.
    wheel = folder / f"{name}-{importlib.metadata.version(name)}-0{digest.hexdigest()[:12]}-py3-none-any.whl"
    if wheel.is_file():
        return wheel
    for old in folder.glob(f"{name}-*.whl"):
        old.unlink()
    unfinished = wheel.with_suffix(".new")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path, data in sorted(files.items()):
            entry = zipfile.ZipInfo(path, _DATE)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, data)
    unfinished.replace(wheel)
    return wheel


def describe(wheel, needs):
    """What the worker must know of a wheel."""
    data = wheel.read_bytes()
    return {"file": wheel.name, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "needs": needs}


def write_site(folder, pyodide):
    """Write the wheels and ``config.json``.

    Parameters
    ----------
    folder : pathlib.Path
    pyodide : str
        Address of Pyodide's files, ending with a slash; relative to the site's root if they are served with it.

    Returns
    -------
    dict
        What ``config.json`` says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wheels = {"derivations": describe(write_wheel(folder, "derivations", course_files()), [])}
    for name, needs in NEEDS.items():
        wheels[name] = describe(write_wheel(folder, name, installed_files(name)), needs)
    config = {"pyodide": pyodide, "wheels": wheels}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n", "utf8")
    return config


# ---------------------------------------------------------------- the pages

_BAR = """<div class="run-live" data-run-live>
<button type="button" data-action="run-live">Run live</button>
<button type="button" data-action="stop" hidden>Stop</button>
<span role="status">Python in your browser: {purpose}. Fetches about {size} MB once, and 20 MB more when SciPy is
needed.</span>
</div>"""
_PURPOSES = [  # what a page's body holds, and what Run live does for it
    ('id="calculator-', "what you type in is computed by the course's own package, and the code can be changed"),
    ("data-live-figure", "sliders stop at any value, and the code can be changed"),
    ("", "the code can be changed and run"),
]

# Megabytes that a browser fetches before a page answers, unpacked (benchmarks/run_live.py).
_SIZES = {"numeric": 26, "symbolic": 30}


def add_button(app, pagename, templatename, context, doctree):
    """``html-page-context``: offer *Run live* under the title, and load its script on this page only."""
    if not app.config.derivations_pyodide or doctree is None or not has_code(doctree):
        return
    body = context["body"]
    purpose = next(purpose for mark, purpose in _PURPOSES if mark in body)
    symbolic = "derivations.riemann" in doctree.astext() or "sympy" in doctree.astext()
    bar = _BAR.format(purpose=purpose, size=_SIZES["symbolic" if symbolic else "numeric"])
    head, mark, rest = body.partition('<p class="take-away">')
    line, end, rest = rest.partition("</p>")
    context["body"] = f"{head}{mark}{line}{end}\n{bar}{rest}"
    # Before the scripts of calculators, which look for it.
    app.add_js_file("run-live.js", loading_method="defer", priority=300)
    app.add_css_file("run-live.css")


def elsewhere(repository, path):
    """Links that open a notebook of the published site in Colab and in Binder.

    Parameters
    ----------
    repository : str
        ``owner/name`` on GitHub; its branch ``gh-pages`` holds the site.
    path : str
        Path of the notebook below the site's root.

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> elsewhere("someone/book", "notebooks/a.ipynb")["Open in Binder"]
    'https://mybinder.org/v2/gh/someone/book/gh-pages?labpath=notebooks%2Fa.ipynb'
    """
    return {
        "Open in Colab": f"https://colab.research.google.com/github/{repository}/blob/{BRANCH}/{path}",
        "Open in Binder": f"https://mybinder.org/v2/gh/{repository}/{BRANCH}?labpath={quote(path, safe='')}",
    }


def add_links(app, pagename, templatename, context, doctree):
    """``html-page-context``: beside the download, links to services that run the notebook."""
    repository = app.config.derivations_repository
    if not repository or doctree is None or not has_code(doctree):
        return
    links = "".join(f' · <a href="{address}">{text}</a>'
                    for text, address in elsewhere(repository, notebook_path(pagename)).items())
    head, mark, rest = context["body"].partition('<p class="take-away">')
    line, end, rest = rest.partition("</p>")
    context["body"] = f"{head}{mark}{line}{links}{end}{rest}"


def versions():
    """Versions that the book was made with, as pip writes them.

    Returns
    -------
    list of str
    """
    return [f"{name}=={importlib.metadata.version(name)}" for name in _MADE_WITH]


def opening(repository):
    """First cells of a notebook that is opened elsewhere: the versions, and the line that installs the package.

    Parameters
    ----------
    repository : str

    Returns
    -------
    list of nbformat.NotebookNode
    """
    python = ".".join(map(str, sys.version_info[:3]))
    told = f"Made with Python {python}, {', '.join(versions())}. In Colab, run the next cell first."
    install = _INSTALL.format(repository=repository)
    return [nbformat.v4.new_markdown_cell(told, id="versions"), nbformat.v4.new_code_cell(install, id="install")]


def needed(names):
    """All packages that some packages need in this environment, directly or not.

    Parameters
    ----------
    names : iterable of str

    Returns
    -------
    dict of str to str
        Version by name, the given ones included; sorted.
    """
    found, waiting = {}, [(name, "") for name in names]
    while waiting:
        name, extra = waiting.pop()
        distribution = importlib.metadata.distribution(name)
        if (name, extra) in found:
            continue
        found[name, extra] = distribution.version
        for need in map(Requirement, distribution.requires or []):
            if need.marker is None or need.marker.evaluate({"extra": extra}):
                waiting += [(canonicalize_name(need.name), wanted) for wanted in ["", *need.extras]]
    return {name: found[name, extra] for name, extra in sorted(found) if not extra}


def write_binder(folder, repository, source):
    """Write the environment that Binder is to make: the versions with which the book was built.

    Parameters
    ----------
    folder : pathlib.Path
    repository : str
        ``owner/name`` on GitHub.
    source : pathlib.Path
        Folder of the book. If it is a clone, the package is taken from its commit.

    Notes
    -----
    repo2docker, which Binder uses, brings its own JupyterLab; so only what the notebooks' kernel needs is pinned.
    """
    head = subprocess.run(["git", "rev-parse", "--verify", "--quiet", "HEAD"], cwd=source, capture_output=True, text=True)
    commit = f"@{head.stdout.strip()}" if head.returncode == 0 else ""
    lines = [f"{name}=={version}" for name, version in needed([*_MADE_WITH, "ipykernel"]).items()]
    lines += [f"derivations @ git+https://github.com/{repository}{commit}#subdirectory=code", ""]
    folder.mkdir(exist_ok=True)
    (folder / "requirements.txt").write_text("\n".join(lines), "utf8")
    (folder / "runtime.txt").write_text(f"python-{sys.version_info[0]}.{sys.version_info[1]}\n", "utf8")


def prepare_notebooks(app, exception):
    """``build-finished``: let the notebooks, and Binder, install what they need from the repository."""
    repository = app.config.derivations_repository
    if exception is not None or app.builder.format != "html" or not repository:
        return
    out = Path(app.outdir)
    for path in sorted((out / NOTEBOOKS).rglob("*.ipynb")):
        notebook = nbformat.read(path, 4)
        notebook.cells[1:1] = opening(repository)   # after the title
        path.write_text(nbformat.writes(notebook) + "\n", "utf8")
    write_binder(out / "binder", repository, Path(app.srcdir))


def write(app, exception):
    """``build-finished``: write the wheels and where they lie."""
    if exception is None and app.builder.format == "html" and app.config.derivations_pyodide:
        write_site(Path(app.outdir) / FOLDER, app.config.derivations_pyodide)


def setup(app):
    """Connect this module's steps to the Sphinx build."""
    app.add_config_value("derivations_pyodide", PYODIDE, "html", str)
    app.add_config_value("derivations_repository", "", "html", str)
    app.connect("html-page-context", add_links, priority=590)
    app.connect("build-finished", prepare_notebooks, priority=920)  # when they have been written
    app.connect("html-page-context", add_button, priority=600)  # after the link to the notebook, below which it stands
    app.connect("build-finished", write)
