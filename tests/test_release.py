"""A release can be made: one version everywhere, valid metadata, workflows and a wheel that holds the package."""
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from derivations.book import release

PROGRAMS = Path(sys.executable).parent


def run(*words, cwd):
    return subprocess.run([str(word) for word in words], cwd=cwd, capture_output=True, text=True)


# ---------------------------------------------------------------- lint


def test_lint_finds_nothing(root):
    """What `make lint` runs on all files: Python, words, white space, data files, workflows, chapters."""
    done = run(PROGRAMS / "pre-commit", "run", "--all-files", cwd=root)
    assert done.returncode == 0, done.stdout + done.stderr


SCHEMA = [PROGRAMS / "check-jsonschema", "--builtin-schema", "vendor.github-workflows"]
ZIZMOR = [PROGRAMS / "zizmor", "--offline", "--quiet", "--no-progress"]


@pytest.mark.parametrize(("command", "old", "new"), [
    (SCHEMA, "runs-on: ubuntu-latest", "runs-at: ubuntu-latest"),
    (SCHEMA, r"branches: \[main\]", "branches: 3"),
    (ZIZMOR, "run: bash .ci/run", "run: bash .ci/run ${{ github.head_ref }}"),
    (ZIZMOR, r"@[0-9a-f]{40}  # v7\.0\.1", "@v7"),
    (ZIZMOR, "persist-credentials: false", "fetch-depth: 1"),
])
def test_lint_finds_a_bad_workflow(root, tmp_path, command, old, new):
    """Negative control: each of these faults is found in a copy of tests.yml."""
    text, path = (root / ".github/workflows/tests.yml").read_text("utf8"), tmp_path / ".github/workflows/tests.yml"
    path.parent.mkdir(parents=True)
    path.write_text(text, "utf8")
    assert run(*command, path, cwd=tmp_path).returncode == 0
    path.write_text(re.sub(old, new, text), "utf8")
    assert path.read_text("utf8") != text
    assert run(*command, path, cwd=tmp_path).returncode != 0


def test_every_workflow_has_a_limit_and_says_what_was_not_run(root):
    for path in (root / ".github/workflows").glob("*.yml"):
        text = path.read_text("utf8")
        workflow = yaml.safe_load(text)
        assert re.match(r"#[^\n]*\n(#[^\n]*\n)*", text) and re.search(r"^#.*\b(not|Not|None)\b", text, re.M), path
        assert "permissions" in workflow and "concurrency" in workflow, path
        assert all("timeout-minutes" in job for job in workflow["jobs"].values()), path


def test_workflows_call_targets_that_exist(root):
    targets = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text("utf8"), re.M))
    for path in (root / ".github/workflows").glob("*.yml"):
        for target in re.findall(r"^\s*(?:- run: )?make (\w+)", path.read_text("utf8"), re.M):
            assert target in targets, path


# ---------------------------------------------------------------- metadata


def test_the_version_is_the_same_everywhere(root):
    number = release.version(root)
    assert set(release.repetitions(root).values()) == {number}
    assert release.notes((root / "CHANGELOG.md").read_text("utf8"), number)


def test_metadata_agree(root):
    citation = yaml.safe_load((root / "CITATION.cff").read_text("utf8"))
    codemeta = json.loads((root / "codemeta.json").read_text("utf8"))
    zenodo = json.loads((root / ".zenodo.json").read_text("utf8"))
    assert citation["title"] == codemeta["name"] == zenodo["title"]
    assert citation["keywords"] == codemeta["keywords"] == zenodo["keywords"]
    assert [author["name"] for author in citation["authors"]] == [author["name"] for author in codemeta["author"]]
    assert [author["name"] for author in citation["authors"]] == [author["name"] for author in zenodo["creators"]]
    released = re.search(rf"^## {citation['version']} - (\S+)", (root / "CHANGELOG.md").read_text("utf8"), re.M)[1]
    assert str(citation["date-released"]) == codemeta["datePublished"] == released


# ---------------------------------------------------------------- the release


@pytest.fixture
def repository(tmp_path, root):
    """A small repository in a state that can be released."""
    for name in ("code/pyproject.toml", "code/derivations/__init__.py", "CITATION.cff", "CHANGELOG.md", "codemeta.json"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, path)
    (tmp_path / ".gitignore").write_text("_build/\n", "utf8")
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "All"]):
        done = run("git", "-c", "user.name=Test", "-c", "user.email=test@example.org", *words, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    (tmp_path / "_build").mkdir()
    assert release.note_tested(tmp_path).startswith("tested: ")
    return tmp_path


def test_a_tested_clean_state_can_be_released(repository, root):
    assert release.check(repository) == release.version(root)


@pytest.mark.parametrize(("spoil", "why"), [
    (lambda root: (root / "new.txt").write_text("new", "utf8"), r"\?\? new\.txt the first: commit or remove"),
    (lambda root: (root / release.MARK).unlink(), "no commit was tested, not .*: run make test"),
    (lambda root: (root / release.MARK).write_text("0" * 40, "utf8"), "0{40} was tested, not"),
    (lambda root: replace(root / "CITATION.cff", "version: ", "version: 9"), "CITATION.cff says version 9"),
    (lambda root: replace(root / "CHANGELOG.md", " - 2026", " (2026"), "CHANGELOG.md says version nothing"),
])
def test_any_other_state_cannot(repository, spoil, why):
    spoil(repository)
    with pytest.raises(release.NotReady, match=why):
        release.check(repository)


def replace(path, old, new):
    path.write_text(path.read_text("utf8").replace(old, new), "utf8")


def test_uncommitted_changes_are_not_marked_as_tested(repository):
    (repository / "new.txt").write_text("new", "utf8")
    assert "no release can be made of this state" in release.note_tested(repository)
    assert not (repository / release.MARK).exists()


def test_the_wheel_holds_every_file_of_the_package(root, tmp_path):
    """Also those that Python never imports: scripts, styles, data; and the licence."""
    wheel = release.build(root, tmp_path)
    tracked = run("git", "ls-files", "code/derivations", cwd=root).stdout.splitlines()
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert not {name.removeprefix("code/") for name in tracked} - set(names)
    assert not [name for name in names if "__pycache__" in name]
    assert [name for name in names if name.endswith("licenses/LICENSE")]
    assert len(list(tmp_path.glob("*.tar.gz"))) == 1


def test_checksums_are_those_that_sha256sum_reads(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"abc")
    release.write_checksums(tmp_path)
    assert (tmp_path / "SHA256SUMS").read_text("utf8") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a.txt\n")
