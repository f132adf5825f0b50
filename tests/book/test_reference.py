"""The reference: equations and functions name each other, every public name has its page and its example."""
import importlib
import inspect
import re

import pytest
import yaml

from derivations.book import names, status

MODULES = [
    "adamw", "adamw.schedules", "riemann", "riemann.conventions", "riemann.spaces", "explore", "calculators",
    "classroom", "figures", "figures.plots", "figures.surfaces", "figures.style",
]

# Main results that no function computes, each with the reason.
NOT_COMPUTED = {
    "eq-adamw-target-ratio": "an equation for the quotient of eq-adamw-ode and its fixed point",
    "eq-adamw-no-decay-bounds": "bounds, which the cells of the chapter check",
    "eq-adamw-pull-sum": "measured where a real network is trained: benchmarks/real_network.py",
    "eq-adamw-pull-decay": "puts eq-adamw-pull-sum in the place of the decay",
    "eq-adamw-recipe": "solves for two settings at once; lr_for and weight_decay_for solve for one",
    "eq-bridge-update": "a change of variables, which the cells of the chapter check",
    "eq-riemann-ball": "a limit, which the cells of the chapter measure",
    "eq-riemann-circumference": "a limit, which the cells of the chapter measure",
    "eq-riemann-surviving": "a count in a proof; it is the number of eq-riemann-count",
    "eq-riemann-carry-commute": "a step of a proof",
    "eq-riemann-computing-normal": "the form of expressions inside Metric",
    "eq-riemann-tides": "eq-riemann-deviation in one space-time; jacobi_field computes that",
}


def public():
    """(module, name, object) of all public names."""
    for module in MODULES:
        loaded = importlib.import_module(f"derivations.{module}")
        for name in loaded.__all__ if hasattr(loaded, "__all__") else [
            name for name, value in vars(loaded).items()
            if getattr(value, "__module__", "") == loaded.__name__ and not name.startswith("_")
        ]:
            yield module, name, getattr(loaded, name)


def docstrings():
    """Docstring of each public function, class and method, by its name."""
    found = {}
    for _, name, value in public():
        if inspect.ismodule(value) or not (callable(value) or inspect.isclass(value)):
            continue
        found[name] = inspect.getdoc(value) or ""
        for inner, method in vars(value).items() if inspect.isclass(value) else ():
            if not inner.startswith("_") and (callable(method) or isinstance(method, property)):
                found[f"{name}.{inner}"] = inspect.getdoc(method) or ""
    return found


def equations(root):
    """Labels of all equations of the chapters."""
    return {label for path in (root / "chapters").rglob("*.md")
            for label in re.findall(r"^\$\$ \((eq-[\w-]+)\)", path.read_text("utf8"), re.M)}


def main_equations(root):
    """Equations that the boxes *At a glance* of the lessons refer to."""
    boxes = [re.search(r"^`{3,}\{admonition\} At a glance\n.*?^`{3,}$", path.read_text("utf8"), re.M | re.S)
             for path in (root / "chapters").rglob("*.md")]
    return {label for box in boxes if box for label in re.findall(r"\{eq\}`([\w-]+)`", box[0])}


def computed():
    """Labels of the equations that docstrings name."""
    return {label for text in docstrings().values() for label in re.findall(r":eq:`([\w-]+)`", text)}


def test_every_equation_that_a_docstring_names_exists(root):
    assert len(computed()) > 40
    assert computed() <= equations(root)


def test_docstrings_link_the_equations_they_name():
    bare = {name: text for name, text in docstrings().items() if re.search(r"``eq-", text)}
    assert not bare


def test_every_main_equation_is_computed_or_excused(root):
    main = main_equations(root)
    assert len(main) > 30
    assert main - computed() == set(NOT_COMPUTED), "update NOT_COMPUTED, or name the equation in a docstring"


def test_every_public_function_has_an_example():
    internal = {"require_schedule"}     # it serves other modules
    functions = {name for _, name, value in public() if inspect.isroutine(value)} - internal
    assert len(functions) > 60
    assert not {name for name in functions if ">>>" not in docstrings()[name]}


def test_the_reference_documents_every_public_name(root):
    pages = "\n".join(path.read_text("utf8") for path in (root / "chapters/reference").glob("api_*.md"))
    documented = re.findall(r"^\.\. (?:auto\w+|py:data):: ([\w.]+)$", pages, re.M)
    internal = {"require_schedule"}     # it serves other modules
    every = {name for _, name, value in public() if not inspect.ismodule(value)} - internal
    assert not every - {name.rpartition(".")[2] for name in documented}
    assert len(documented) == len(set(documented)), "documented twice"


def test_an_equation_links_to_what_computes_it(site):
    page = (site / "chapters/adamw/equilibrium.html").read_text("utf8")
    after = page.partition('id="equation-eq-adamw-equilibrium"')[2]
    line = re.search(r'<p class="in-code">(.*?)</p>', after, re.S)
    assert 'href="../reference/api_adamw.html#derivations.adamw.equilibrium_rms"' in line[1]
    target = (site / "chapters/reference/api_adamw.html").read_text("utf8")
    assert 'id="derivations.adamw.equilibrium_rms"' in target
    assert 'href="../adamw/equilibrium.html#equation-eq-adamw-equilibrium"' in target


def test_names_belong_to_labels_and_are_unique(root):
    found = names.read_names(root)
    text = "\n".join(path.read_text("utf8") for path in (root / "chapters").rglob("*.md"))
    assert set(found) <= equations(root) | set(re.findall(r"^:label: (\S+)$", text, re.M))
    every = [name.lower() for values in found.values() for name in values]
    assert len(every) == len(set(every))
    assert main_equations(root) - set(found) <= {"eq-adamw-slow", "eq-riemann-carry-commute"}


def test_a_book_without_names_has_none(tmp_path):
    assert names.read_names(tmp_path) == {}


def test_the_index_and_the_search_know_the_names(site, root):
    index = (site / "genindex.html").read_text("utf8")
    for label in ("eq-riemann-commuting", "eq-adamw-equilibrium"):
        for name in yaml.safe_load((root / names.FILE).read_text("utf8"))[label]:
            assert re.search(rf'#equation-{label}">(?:<[^>]*>)*{re.escape(name)}<', index), name


@pytest.mark.parametrize("code, expected", [
    ("assert x", True), ("np.testing.assert_allclose(a, b)", True), ("for i in x:\n    assert i", True),
    ("print('assert')", False), ("assertion = 1", False),
])
def test_a_check_is_recognised(code, expected):
    assert status.checks(code) is expected


def test_a_folder_without_git_has_no_commit(tmp_path):
    assert "unknown" in status.commit(tmp_path)


def test_the_status_page_counts_what_is_there(site, root):
    page = (site / "chapters/reference/status.html").read_text("utf8")
    rows = [re.findall(r"<td[^>]*><p>(.*?)</p></td>", row, re.S) for row in re.findall(r"<tr.*?</tr>", page, re.S)]
    chapters = {re.sub("<[^>]*>", "", row[0]): row[1:] for row in rows if len(row) == 8}
    loop = chapters[next(name for name in chapters if "loop" in name.lower())]
    text = (root / "chapters/riemann/loop.md").read_text("utf8")
    assert int(loop[2]) == len(re.findall(r"^`{3,}\{code-cell\}", text, re.M))
    assert int(loop[5]) == len(re.findall(r"^explore\(|= explore\(", text, re.M)) > 0
    totals = chapters.pop("All chapters")
    for place in range(2, 7):
        assert int(totals[place]) == sum(int(row[place]) for row in chapters.values())
    assert all(float(row[0]) > 0 for row in chapters.values())
