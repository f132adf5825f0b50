"""Rules that hold for the repository as a whole."""
import ast
import importlib.metadata
import re
import subprocess

import pytest
from derivations.book.rooms import ARROWS, draw, levels
from packaging.specifiers import SpecifierSet

NOT_IN_MATHS = {"matplotlib", "IPython", "ipywidgets", "sphinx", "docutils"}


def imports(path):
    """(module, whether it is imported at module level) of each import in a file, relative ones resolved by level."""
    tree = ast.parse(path.read_text("utf8"))
    for node in ast.walk(tree):
        top = node in tree.body
        if isinstance(node, ast.Import):
            yield from ((alias.name, top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 1:
            yield "", top
        elif isinstance(node, ast.ImportFrom):
            module = ".".join(filter(None, ["derivations" if node.level else "", node.module]))
            # "from derivations import figures" names the room only in what it imports.
            yield from ((f"{module}.{alias.name}", top) for alias in node.names)


@pytest.mark.parametrize("room", sorted(ARROWS))
def test_arrows_point_one_way(root, room):
    files = list((root / "code/derivations" / room).rglob("*.py"))
    assert files
    for path in files:
        for module, top in imports(path):
            parts = (module or "").split(".")
            if parts[0] == "derivations" and len(parts) > 1:
                assert parts[1] in ARROWS[room] | {room}, f"{path} imports {module}"
            if room in ("adamw", "riemann"):
                assert parts[0] not in NOT_IN_MATHS, f"{path} imports {module}"
                assert not (top and parts[0] == "scipy"), f"{path} imports scipy where it is not needed"


def test_every_room_has_its_arrows(root):
    """A new room must be entered in the table, and the picture on the page *How it is built* shows all of it."""
    assert set(ARROWS) == {path.parent.name for path in (root / "code/derivations").glob("*/__init__.py")}
    assert max(levels(ARROWS).values()) > 1
    picture = draw(ARROWS)
    assert picture.count("<rect") == len(ARROWS)
    assert picture.count("<line") == sum(len(below & set(ARROWS)) for below in ARROWS.values())


def test_arrows_in_a_circle_are_refused():
    with pytest.raises(ValueError, match="arrows run in a circle among a, b"):
        levels({"a": {"b"}, "b": {"a"}, "c": set()})


def test_no_init_beside_the_package(root):
    """``code/__init__.py`` would shadow Python's own module ``code``."""
    assert not (root / "code/__init__.py").exists()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_direct_dependencies_are_pinned(root, name):
    lines = [line.split("#")[0].strip() for line in (root / name).read_text("utf8").splitlines()]
    for line in filter(None, lines):
        assert re.fullmatch(r"-c constraints\.txt|-e \./code|-r requirements\.txt|[\w.-]+==[\w.]+", line), line


def test_constraints_are_plain_versions(root):
    """No local version label (``+cpu``), no file path, no address: the file must work anywhere."""
    pinned = {}
    for line in (root / "constraints.txt").read_text("utf8").splitlines():
        assert re.fullmatch(r"[\w.-]+==[\w.!]+", line), line
        name, version = line.split("==")
        pinned[name.lower().replace("_", "-")] = version
    for name in ("requirements.txt", "requirements-dev.txt"):
        for package, version in re.findall(r"^([\w.-]+)==([\w.]+)", (root / name).read_text("utf8"), re.M):
            assert pinned[package.lower().replace("_", "-")] == version, f"{package}: {name} and constraints.txt differ"


def too_new(names, python):
    """Which installed packages do not run on a version of Python."""
    needs = {name: importlib.metadata.metadata(name).get("Requires-Python") for name in names}
    return [name for name, need in needs.items() if need and not SpecifierSet(need).contains(python)]


def test_pinned_versions_run_on_the_oldest_python(root):
    """Debian 12 has Python 3.11.2: a package that wants 3.11.5 would stop ``make book`` there."""
    pinned = [line.split("==")[0] for line in (root / "constraints.txt").read_text("utf8").splitlines()]
    assert not too_new(pinned, "3.11.2")
    assert "numpy" in too_new(pinned, "3.9.0"), "a negative control"


def test_files_name_no_machine(root):
    """No tracked text names a path of one machine or a host of a package registry."""
    tracked = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True).stdout.split()
    hosts = "|".join(["pypi" + r"\.org", "python" + "hosted", "registry" + r"\.npmjs", "deb" + r"\.debian"])
    for name in tracked:
        path = root / name
        if path.suffix in {".py", ".md", ".yml", ".toml", ".js", ".css", ".txt", ".cff", ""} and "vendor" not in path.parts:
            text = path.read_text("utf8")
            assert not re.search(r"(?<![\w/.])/(?:work|root|home)/\w", text), name
            assert not re.search(hosts, text), name
