"""Make a release out of a tested state: ``make release``.

Into ``_build/release`` come the wheel and the source archive of the package, the site as a zip file, the PDF if there
is one, checksums, and the notes of this version from the changelog. Nothing is published and no tag is set: the last
line says the command for the tag.
"""
import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
MARK = "_build/tested"
"""Holds the commit whose tests have all passed; ``make test`` writes it."""

NAME = "derivations-you-can-run"
_TRIED = [["rms", "--schedule", "cosine", "--lr", "3e-4", "--weight-decay", "0.1", "--steps", "1000"],
          ["curvature", "sphere"]]


class NotReady(Exception):
    """The repository is in no state to be released; the text says what to do."""


def version(root):
    """The version, from the one place where it is decided.

    Parameters
    ----------
    root : pathlib.Path
        Folder of the repository.

    Returns
    -------
    str
    """
    return tomllib.loads((root / "code/pyproject.toml").read_text("utf8"))["project"]["version"]


def repetitions(root):
    """The version as the other files repeat it.

    Parameters
    ----------
    root : pathlib.Path

    Returns
    -------
    dict of str to str
        By name of the file; empty where a file has none.
    """
    places = {
        "code/derivations/__init__.py": r'^__version__ = "([^"]+)"',
        "CITATION.cff": r"^version: (\S+)",
        "CHANGELOG.md": r"^## (\d\S*) - ",
    }
    found = {name: re.search(pattern, (root / name).read_text("utf8"), re.M) for name, pattern in places.items()}
    return {name: match[1] if match else "" for name, match in found.items()} | {
        "codemeta.json": json.loads((root / "codemeta.json").read_text("utf8")).get("version", "")}


def notes(changelog, number):
    """What the changelog says about a version.

    Parameters
    ----------
    changelog : str
    number : str

    Returns
    -------
    str

    Raises
    ------
    NotReady
        If it has no such section.

    Examples
    --------
    >>> notes("# Changelog\\n\\n## 1.1.0 - 2027-01-02\\n\\n- New.\\n\\n## 1.0.0 - 2026-01-01\\n\\n- Old.\\n", "1.1.0")
    '- New.\\n'
    """
    match = re.search(rf"^## {re.escape(number)} - \d{{4}}-\d\d-\d\d\n(.*?)(?=^## |\Z)", changelog, re.M | re.S)
    if not match or not match[1].strip():
        raise NotReady(f"CHANGELOG.md has no section '## {number} - YEAR-MONTH-DAY': write it first")
    return match[1].strip() + "\n"


def commit(root):
    """Hash of the present commit.

    Raises
    ------
    NotReady
        If there are changes that are not committed.
    """
    changed = _git(root, "status", "--porcelain").splitlines()
    if changed:
        raise NotReady(f"{len(changed)} file(s) are changed or new, {changed[0].strip()} the first: commit or remove them")
    return _git(root, "rev-parse", "HEAD").strip()


def _git(root, *words):
    return subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True).stdout


def note_tested(root):
    """Keep in mind that the tests of this commit have passed; changes that are not committed make no mark.

    Returns
    -------
    str
        What to tell.
    """
    mark = root / MARK
    mark.unlink(missing_ok=True)
    try:
        tested = commit(root)
    except (NotReady, OSError, subprocess.CalledProcessError) as error:
        return f"no release can be made of this state: {error}"
    mark.write_text(tested + "\n", "utf8")
    return f"tested: {tested}"


def check(root):
    """Whether a release can be made.

    Returns
    -------
    str
        The version.

    Raises
    ------
    NotReady
    """
    number = version(root)
    for name, repeated in repetitions(root).items():
        if repeated != number:
            raise NotReady(f"{name} says version {repeated or 'nothing'}, code/pyproject.toml says {number}")
    now = commit(root)
    mark = root / MARK
    tested = mark.read_text("utf8").strip() if mark.is_file() else "no commit"
    if tested != now:
        raise NotReady(f"{tested} was tested, not {now}: run make test")
    return number


def build(root, folder):
    """Write wheel and source archive of the package, from a copy, so that ``code/`` stays clean.

    Parameters
    ----------
    root, folder : pathlib.Path

    Returns
    -------
    pathlib.Path
        The wheel.
    """
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / "code"
        left_out = shutil.ignore_patterns("*.egg-info", "__pycache__", "build")
        shutil.copytree(root / "code", copy, ignore=left_out)   # LICENSE, a link, becomes a file
        subprocess.run([sys.executable, "-m", "build", "--outdir", str(folder), str(copy)], check=True,
                       stdout=subprocess.DEVNULL)
    return next(folder.glob("*.whl"))


def try_wheel(root, wheel):
    """Install a wheel into a fresh environment and call the command on something small.

    Parameters
    ----------
    root : pathlib.Path
        Folder of the repository, for the versions of what the package needs.
    wheel : pathlib.Path

    Raises
    ------
    subprocess.CalledProcessError
        If that fails.
    """
    with tempfile.TemporaryDirectory() as place:
        venv.create(place, with_pip=True)
        programs = Path(place) / ("Scripts" if os.name == "nt" else "bin")
        pip = [programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
        subprocess.run([*pip, "-c", root / "constraints.txt", wheel], check=True, env=environment, cwd=place)
        for words in _TRIED:
            subprocess.run([programs / "derivations", *words], check=True, env=environment, cwd=place,
                           stdout=subprocess.DEVNULL)


def add_site(root, folder, number):
    """The site as a zip file: the one that it offers for download if it does, else its folder.

    Returns
    -------
    pathlib.Path
    """
    site = root / "_build/html"
    goal = folder / f"{NAME}-{number}.zip"
    offered = site / f"{NAME}.zip"
    if offered.is_file():
        shutil.copyfile(offered, goal)
    else:
        shutil.make_archive(str(goal.with_suffix("")), "zip", site)
    return goal


def add_documents(root, folder, number):
    """The book as PDF and EPUB, if they have been made.

    Returns
    -------
    list of pathlib.Path
    """
    found = [path for pattern in ("pdf/*.pdf", "pdf/*.epub", "epub/*.epub") for path in sorted((root / "_build").glob(pattern))]
    return [Path(shutil.copyfile(path, folder / f"{path.stem}-{number}{path.suffix}")) for path in found]


def write_checksums(folder):
    """Write ``SHA256SUMS`` for all files of a folder, in the form that ``sha256sum --check`` reads."""
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(folder.iterdir())]
    (folder / "SHA256SUMS").write_text("".join(sums), "utf8")


def release(root, say=print):
    """Do all of it.

    Parameters
    ----------
    root : pathlib.Path
    say : callable
        Takes a line of progress.

    Returns
    -------
    pathlib.Path
        Folder of the release.

    Raises
    ------
    NotReady
    """
    number = check(root)
    text = notes((root / "CHANGELOG.md").read_text("utf8"), number)
    folder = root / "_build/release"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    wheel = build(root, folder)
    say(f"{wheel.name}: installing it into a fresh environment, and trying it")
    try_wheel(root, wheel)
    add_site(root, folder, number)
    if not add_documents(root, folder, number):
        say("no PDF is in this release: make pdf was not run")
    (folder / "NOTES.md").write_text(text, "utf8")
    write_checksums(folder)
    for path in sorted(folder.iterdir()):
        say(f"{path.stat().st_size / 1000:9.0f} kB  {path.relative_to(root)}")
    say(f'ready. Now set the tag: git tag -a v{number} -m "Version {number}"')
    return folder


def main(words=None):
    parser = argparse.ArgumentParser(prog="python -m derivations.book.release", description="Make a release.")
    parser.add_argument("--tested", action="store_true", help="only note that the tests of this commit have passed")
    options = parser.parse_args(words)
    if options.tested:
        print(note_tested(ROOT))
        return 0
    try:
        release(ROOT)
    except NotReady as error:
        print(f"no release: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
