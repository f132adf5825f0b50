"""The curvature calculator: its answers are those of the package, and every bad input gets its sentence."""
import json
import zlib

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from derivations.book.calculators import write_prepared
from derivations.calculators import curvature
from derivations.calculators.curvature import page_data
from derivations.calculators.surface_picture import profile, surface_picture
from derivations.riemann import Metric, read_line_element, spaces
from derivations.riemann.rational import ENGINES, forced_engine

METHODS = {
    "christoffel": "christoffel_symbols", "riemann": "riemann_tensor", "ricci": "ricci_tensor",
    "ricci_scalar": "ricci_scalar", "kretschmann_scalar": "kretschmann_scalar", "einstein": "einstein_tensor",
}
POLAR = "dr**2 + r**2*dphi**2"
everywhere = pytest.mark.parametrize("make", spaces.SPACES, ids=lambda make: make.__name__)


def equations(answer, key):
    """The equations of one quantity of an answer."""
    return next(quantity["equations"] for quantity in answer["quantities"] if quantity["key"] == key)


def entries(value):
    """All entries of an array or a matrix, or the expression itself, in a list."""
    return list(np.ravel(np.array(value.tolist() if hasattr(value, "tolist") else value, dtype=object)))


def same(first, second):
    """Whether two arrays or expressions are equal."""
    flat = [entries(first), entries(second)]
    return len(flat[0]) == len(flat[1]) and all(a == b or sp.simplify(a - b) == 0 for a, b in zip(*flat))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The prepared answers as the page gets them."""
    files = write_prepared(tmp_path_factory.mktemp("site") / "_static" / "curvature")
    texts = {path.stem: path.read_text("utf8") for path in files}
    for name, text in texts.items():
        assert text.startswith(f'derivationsCurvature("{name}",') and text.endswith(");\n")
    return {name: json.loads(text[len(name) + 24:-3]) for name, text in texts.items()}


# The catalogue

@everywhere
def test_what_is_prepared_is_what_is_computed(prepared, make):
    told = prepared[make.__name__]
    assert told == json.loads(json.dumps(curvature(make.__name__)))
    made, metric = {}, make().metric
    exec("\n".join([*told["code"], *(line for quantity in told["quantities"] for line in quantity["code"])]), made)
    assert sp.Matrix(made["g"].tolist()) == metric.matrix
    assert same(sp.Matrix(made["inverse"].tolist()) * metric.matrix, sp.eye(metric.n))
    for variable, method in METHODS.items():
        assert same(made[variable], getattr(metric, method)()), variable


@everywhere
def test_what_the_literature_knows(prepared, make):
    known, told = make().known, prepared[make.__name__]
    made = {}
    exec("\n".join([*told["code"], *(line for quantity in told["quantities"] for line in quantity["code"])]), made)
    for key, variable in (("ricci_scalar",) * 2, ("kretschmann_scalar",) * 2, ("gauss_curvature",) * 2):
        if key in known:
            assert same(made[variable], known[key]), key
    if "ricci_tensor" in known:
        assert same(sp.Matrix(made["ricci"].tolist()), known["ricci_tensor"])
    if known.get("ricci_flat"):
        assert equations(told, "ricci") == [["R", "0"]]


@everywhere
def test_the_line_element_typed_in_gives_the_same_answer(prepared, make):
    told = prepared[make.__name__]
    typed = json.loads(json.dumps(curvature(**told["input"], picture=False)))
    for key in ("quantities", "line_element", "assumptions", "coordinates"):
        assert typed[key] == told[key], key
    assert sorted(typed["symbols"]["parameters"]) == sorted(told["symbols"]["parameters"])
    assert typed["space"] is None and told["space"] == make.__name__


@everywhere
def test_every_formula_shows_an_independent_component(prepared, make):
    """The left sides are those of the display of the package, the right sides its LaTeX."""
    metric = make().metric
    for key, method in (("christoffel", "christoffel_symbols"), ("riemann", "riemann_tensor")):
        tensor = getattr(metric, method)()
        lines = [f"{left} &= {right}" for left, right in equations(prepared[make.__name__], key)]
        assert "\\\\\n".join(lines) == sp.latex(tensor).split("\n", 1)[1].rsplit("\n", 1)[0]
        assert max(1, len(tensor.independent_components())) == len(lines)


def test_all_spaces_are_prepared_and_offered(prepared):
    data = page_data()
    json.dumps(data, allow_nan=False)
    offered = [space for group in data["groups"] for space in group["spaces"]]
    names = [make.__name__ for make in spaces.SPACES]
    assert sorted(prepared) == sorted(names) == sorted(space["key"] for space in offered)
    assert all(space["input"] == prepared[space["key"]]["input"] for space in offered)


def test_the_examples_are_computed():
    for text in page_data()["examples"].values():
        assert "error" not in curvature(text)


def test_old_files_go(tmp_path):
    (tmp_path / "gone.js").write_text("")
    assert not {path.name for path in write_prepared(tmp_path)} - {path.name for path in tmp_path.iterdir()}
    assert not (tmp_path / "gone.js").exists()


@pytest.mark.parametrize("name", ["kerr", "kerr_newman", "gaussian_bump", "flrw"])
@pytest.mark.parametrize("engine", ENGINES[:2])
def test_a_browser_without_flint_gives_the_same(prepared, name, engine):
    if engine == "flint":
        pytest.importorskip("flint", reason="not run: python-flint is not installed")
    with forced_engine(engine):
        spaces_metric = spaces.named(name).metric
        fresh = Metric(spaces_metric.coords, spaces_metric.matrix, spaces_metric.params)
        assert fresh.engine == engine
        told = curvature(**prepared[name]["input"], picture=False)
    assert json.loads(json.dumps(told["quantities"])) == prepared[name]["quantities"]


# What is said of a metric

def test_polar_coordinates():
    told = curvature(POLAR)
    assert told["coordinates"] == ["r", "phi"] and told["symbols"]["coordinates"] == ["r", r"\phi"]
    assert equations(told, "christoffel") == [[r"\Gamma^{r}{}_{\phi \phi}", "- r"],
                                              [r"\Gamma^{\phi}{}_{r \phi}", r"\frac{1}{r}"]]
    assert told["notes"] == ["Flat: the Riemann tensor is 0, although the Christoffel symbols are not."]
    assert told["line_element"] == r"\mathrm{d}s^{2} = \mathrm{d}r^{2} + r^{2}\, \mathrm{d}\phi^{2}"
    assert told["assumptions"] == "All symbols are real."


def test_order_parameters_and_signs_of_symbols():
    told = curvature("dx**2 + delta*sqrt(r**2)*dr**2", coordinates="r, x", parameters=["delta"], positive="r delta")
    assert told["coordinates"] == ["r", "x"]
    assert equations(told, "metric")[0] == ["g_{r r}", r"\delta r"]
    assert told["assumptions"] == "All symbols are real; r and delta are positive."
    assert told["input"]["parameters"] == "delta"


def test_names_in_any_writing():
    assert curvature("Kerr-Newman", picture=False)["space"] == "kerr_newman"


def test_beyond_exact_fractions_is_said():
    assert "simplify" in curvature("dx**2 + log(1 + x**2)**2*dy**2", picture=False)["notes"][0]


@pytest.mark.parametrize("text, note", [
    ("dx**2 + dy**2", "constant"), ("-dt**2 + t**2*dx**2 + dy**2 + dz**2", "Flat"),
    ("-(1-1/r)*dt**2 + dr**2/(1-1/r) + r**2*(da**2 + sin(a)**2*db**2)", "without matter"),
])
def test_notes(text, note):
    assert note in curvature(text, picture=False)["notes"][0]


# Bad input

BAD = [
    ({"metric": ""}, "metric", "must be a text such as"),
    ({"metric": "   "}, "metric", "must be a text"),
    ({"metric": None}, "metric", "got None"),
    ({"metric": 3}, "metric", "got 3"),
    ({"metric": ["dx**2"]}, "metric", "got ["),
    ({"metric": "dx**2 + " * 900 + "dx**2"}, "metric", "at most 4000 characters, got 7205"),
    ({"metric": "kerrr"}, "metric", "did you mean 'kerr'?"),
    ({"metric": "sin"}, "metric", "no space of the catalogue"),
    ({"metric": "x"}, "metric", "no space of the catalogue"),
    ({"metric": "import os"}, "metric", "no space"),
    ({"metric": "r**2"}, "metric", "must have 2 differentials"),
    ({"metric": "5"}, "metric", "must have 2 differentials"),
    ({"metric": "dr**2 + (r*dphi**2"}, "metric", "the bracket is not closed at position 9"),
    ({"metric": "dr**2 + r)*dphi**2"}, "metric", "')' has no meaning at position 10"),
    ({"metric": "dr**2 + r**2*dphi"}, "metric", "terms with 2 and 1 differentials"),
    ({"metric": "dr**2 + foo(2*r)*dx**2"}, "metric", "the arguments of foo must be coordinates (known functions: sin"),
    ({"metric": "dr**2 + a(b)*dx**2"}, "metric", "b in a(b) is none of the coordinates"),
    ({"metric": "a(r)*a*dr**2"}, "metric", "a is a function and a symbol"),
    ({"metric": "dr**2 + I*dx**2"}, "metric", "cannot stand for sqrt(-1)"),
    ({"metric": "E*dr**2"}, "metric", "exp(1)"),
    ({"metric": "lambda*dr**2"}, "metric", "reserved word"),
    ({"metric": "dr**2/0"}, "metric", "division by zero"),
    ({"metric": "dpi**2"}, "metric", "'pi' cannot be a coordinate"),
    ({"metric": "dx**2 + $"}, "metric", "'$' has no meaning"),
    ({"metric": "dx**2 + 2*dx*dy + dy**2"}, "metric", "determinant is 0 everywhere"),
    ({"metric": "0*dx**2"}, "metric", "determinant is 0 everywhere"),
    ({"metric": "sqrt(-1)*dx**2"}, "metric", "must be real"),
    ({"metric": "(1+x+y)^100*(1+x-y)^100*dx^2"}, "metric", "terms when multiplied out"),
    ({"metric": "9**9**9**9*dr**2"}, "metric", "an exponent above 100"),
    ({"metric": "exp(exp(exp(exp(100))))*dy**2"}, "metric", "too large to compute"),
    ({"metric": "(" * 99 + "dx**2" + ")" * 99}, "metric", "nested"),
    ({"metric": "dx**2;dy**2"}, "metric", "';' has no meaning"),
    ({"metric": "__import__('os').system('true')"}, "metric", "has no meaning"),
    ({"metric": POLAR, "coordinates": "r"}, "metric", "dphi is no differential of a coordinate"),
    ({"metric": POLAR, "coordinates": "r, phi, z"}, "coordinates", "names z, but the line element has no differential dz"),
    ({"metric": POLAR, "coordinates": "r r phi"}, "coordinates", "names r twice"),
    ({"metric": POLAR, "coordinates": "r, 1x"}, "coordinates", "got '1x'"),
    ({"metric": POLAR, "coordinates": 7}, "coordinates", "got 7"),
    ({"metric": POLAR, "coordinates": [1]}, "coordinates", "[1]"),
    ({"metric": POLAR, "coordinates": "x" + ",x" * 60}, "coordinates", "at most 50 names, got 61"),
    ({"metric": POLAR, "positive": "q"}, "positive", "names q, but the line element has no such symbol"),
    ({"metric": POLAR, "positive": {"r": 1}}, "positive", "must be names"),
    ({"metric": "dx**2 + a(x)*dy**2", "positive": "a"}, "metric", "a is to be positive"),
    ({"metric": POLAR, "parameters": "delta"}, "parameters", "names delta"),
    ({"metric": "kerr", "coordinates": "t"}, "coordinates", "belongs to a line element, not to the space kerr; got t"),
    ({"metric": "kerr", "positive": "M"}, "positive", "belongs to a line element"),
]


@pytest.mark.parametrize("given, field, text", BAD)
def test_bad_input_is_told_in_a_sentence(given, field, text):
    told = curvature(**given)
    assert set(told) == {"error", "field"} and told["field"] == field
    assert text in told["error"] and f"({field})" in told["error"]
    assert told["error"].endswith((".", "?")) and "\n" not in told["error"] and len(told["error"]) < 800


def test_a_long_text_is_not_repeated_in_full():
    text = "dx**2 + " * 400 + "dx"
    assert "..." in curvature(text)["error"] and len(curvature(text)["error"]) < 400


@pytest.mark.parametrize("error, text", [
    (NotImplementedError("no cases"), "cannot simplify"), (OverflowError(), "too large"), (RecursionError(), "nested"),
    (MemoryError(), "not enough memory"),
])
def test_what_python_cannot_do_is_a_sentence(monkeypatch, error, text):
    def unfinished(self):
        raise error

    monkeypatch.setattr(Metric, "ricci_scalar", unfinished)
    told = curvature(POLAR)
    assert text in told["error"] and told["error"].endswith(".")


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="dxy+-*/^().,0123456789 sin", max_size=24), st.sampled_from([None, "", "x", "x, y", "y x"]),
       st.sampled_from([None, "x", "y,", "1"]))
def test_any_text_gets_an_answer_or_a_sentence(text, coordinates, positive):
    told = curvature(text, coordinates=coordinates, positive=positive, picture=False)
    json.dumps(told, allow_nan=False)
    assert told.get("error", "x").strip() and ("error" in told or len(told["quantities"]) >= 8)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60) | st.lists(st.text(max_size=5)) | st.none() | st.integers())
def test_any_names_get_an_answer_or_a_sentence(value):
    for field in ("coordinates", "positive", "parameters"):
        assert isinstance(curvature(POLAR, **{field: value}, picture=False).get("error", ""), str)


# Pictures

@pytest.mark.parametrize("text", [
    "dr**2 + sin(r)**2*dphi**2", "(dx**2 + dy**2)/y**2", "dr**2 + r**2*dphi**2/4", "dx**2 + exp(2*x)*dy**2",
    "(2 + cos(v))**2*du**2 + dv**2", "du**2 + (1 + u**2)*dv**2", "(1 + x**2)*dx**2 + x**2*dy**2",
    "dx**2 + log(x)*dy**2",
])
def test_the_surface_has_the_lengths_of_the_metric(text):
    metric = read_line_element(text)
    found = profile(metric)
    axis = [str(x) for x in metric.coords].index(found.coords[0])
    middle = slice(len(found.u) // 4, 3 * len(found.u) // 4)
    u = found.u[middle]
    along, across = (sp.lambdify(metric.coords[axis], metric.matrix[k, k])(u) + 0 * u for k in (axis, 1 - axis))
    assert np.allclose(found.rho[middle]**2, across)
    length = np.gradient(found.rho, found.u)[middle]**2 + np.gradient(found.z, found.u)[middle]**2
    assert np.allclose(length, along, rtol=0.02, atol=0.02)


def test_a_torus_closes_like_a_torus():
    """The height goes up and down again: the root that gives it changes its sign."""
    found = profile(read_line_element("(3 + cos(v))**2*du**2 + dv**2"))
    top = found.z.max()
    assert found.z[0] < top / 2 and found.z[-1] < top and np.isclose(top - found.z.min(), 2, atol=0.02)


@pytest.mark.parametrize("text, reason", [
    ("dx**2 + x*y*dy**2", "depends on both"), ("dr**2 + a(r)**2*dphi**2", "undetermined function"),
    ("dr**2 + sinh(r)**2*dphi**2", "grow faster"), ("-dx**2 + dy**2", "not positive"),
    ("dx**2 + dx*dy + x*dy**2", "mixed"),
])
def test_why_there_is_no_picture(text, reason):
    told = curvature(text)
    assert told["picture"] is None and reason in told["notes"][-1]


@everywhere
def test_pictures_of_the_catalogue(prepared, make):
    space, picture = make(), prepared[make.__name__]["picture"]
    if space.n > 2:
        assert picture is None and surface_picture(space) == (None, None)
    elif space.embedding is not None:
        assert picture["svg"].startswith("<svg") and picture["alt"].endswith(".") and space.name in picture["caption"]
    else:
        assert picture or "No picture" in prepared[make.__name__]["notes"][-1]


def test_parameters_of_a_picture_are_told():
    assert "drawn for b = 1" in curvature("dr**2 + (b**2 + r**2)*dphi**2")["picture"]["caption"]


def test_without_a_picture_nothing_is_drawn(monkeypatch):
    monkeypatch.setattr("derivations.calculators.curvature_answer.surface_picture", None)
    assert curvature("sphere", picture=False)["picture"] is None


def test_all_of_it_is_small(prepared):
    sizes = [len(zlib.compress(json.dumps(answer).encode())) for answer in prepared.values()]
    assert max(sizes) < 10_000 and sum(sizes) < 150_000
