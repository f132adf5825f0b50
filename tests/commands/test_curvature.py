"""``derivations curvature``: how it reads a line element, what it prints, what it refuses."""
import re
import shlex
import subprocess
import sys
import time

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from derivations.commands import curvature, main
from derivations.riemann import Metric, MetricError, spaces
from derivations.riemann.line_element import LineElementError, read_line_element, read_number

METHODS = {
    "christoffel": "christoffel_symbols", "riemann": "riemann_tensor", "ricci": "ricci_tensor",
    "ricci_scalar": "ricci_scalar", "kretschmann_scalar": "kretschmann_scalar", "einstein": "einstein_tensor",
    "weyl": "weyl_tensor",
}
SCHWARZSCHILD = " -(1 - 2*M/r)*dt**2 + dr**2/(1 - 2*M/r) + r**2*(dtheta**2 + sin(theta)**2*dphi**2)"


def in_this_process(words):
    """Without a limit of time nothing is started, which is faster; tests of the limit give it."""
    return words if "--time-limit" in words else (*words, "--time-limit", "0")


@pytest.fixture
def command(capsys):
    """Run ``derivations curvature``; return what it printed."""
    def run(*words):
        assert main(["curvature", *in_this_process(words)]) == 0
        printed = capsys.readouterr()
        assert printed.err == ""
        return printed.out
    return run


@pytest.fixture
def fails(capsys):
    """Run a command line that is wrong; return its one line on stderr."""
    def run(*words):
        with pytest.raises(SystemExit) as caught:
            main(["curvature", *in_this_process(words)])
        assert caught.value.code == 2
        message = capsys.readouterr().err
        assert message.startswith("derivations curvature: error: ")
        assert message.count("\n") == 1 and message.endswith("\n")
        return message
    return run


def real(names):
    return sp.symbols(names, real=True)


# Reading a line element

t, r, x, y, M, b, theta, phi = real("t r x y M b theta phi")
a, f = sp.Function("a"), sp.Function("f")


@pytest.mark.parametrize("text, coords, matrix", [
    ("dr**2 + r**2*dphi**2", (r, phi), sp.diag(1, r**2)),
    ("dr^2+(r*dphi)^2", (r, phi), sp.diag(1, r**2)),
    ("  dx*dx + dy*dy", (x, y), sp.eye(2)),
    ("2*dx*dy", (x, y), sp.Matrix([[0, 1], [1, 0]])),
    ("dx**2 + dx*dy + dy**2", (x, y), sp.Matrix([[1, 1 / sp.S(2)], [1 / sp.S(2), 1]])),
    ("dx*dy + dy*dx", (x, y), sp.Matrix([[0, 1], [1, 0]])),
    ("(dx**2 + dy**2)/y**2", (x, y), sp.eye(2) / y**2),
    ("-dt**2 + a(t)**2*dx**2", (t, x), sp.diag(-1, a(t)**2)),
    ("f(x,y)*dx^2 + dy^2", (x, y), sp.diag(f(x, y), 1)),
    ("0.5*dx**2 + 1.5e-1*dy**2 + 0*dx*dy", (x, y), sp.diag(sp.Rational(1, 2), sp.Rational(3, 20))),
    ("2**-x*dx**2 + 2**3**2*dy**2", (x, y), sp.diag(2**-x, 512)),
    ("-x**2*dx*-dx + +--dy**2", (x, y), sp.diag(x**2, 1)),
    ("cosh(x/2)^2*dx^2/4/2 + sqrt(y)*dy*dy*pi", (x, y), sp.diag(sp.cosh(x / 2)**2 / 8, sp.sqrt(y) * sp.pi)),
    ("(1 + x)*" * 30 + "dx**2 + dy**2", (x, y), sp.diag((1 + x)**30, 1)),    # 2**30 products, 31 terms
    ("dr**2/(1 - b*r**2) + M*dx**2", (r, x), sp.diag(1 / (1 - b * r**2), M)),
])
def test_line_elements(text, coords, matrix):
    metric = read_line_element(text)
    assert metric.coords == coords
    assert metric.matrix == matrix


def test_squares_of_sums_are_multiplied_out():
    metric = read_line_element("-(dt + exp(x)*dy)**2 + dx**2 + (dx - dy)*dy")
    assert metric.coords == (t, y, x)
    assert metric.matrix == sp.Matrix([
        [-1, -sp.exp(x), 0], [-sp.exp(x), -sp.exp(2 * x) - 1, sp.Rational(1, 2)], [0, sp.Rational(1, 2), 1],
    ])


def test_order_of_the_coordinates_can_be_given():
    metric = read_line_element("dr**2 + r**2*dphi**2", ["phi", "r"])
    assert metric.coords == (phi, r) and metric.matrix == sp.diag(r**2, 1)


def test_parameters_that_begin_with_d():
    metric = read_line_element("dx**2 + delta*dy**2", params=("delta",))
    assert metric.coords == (x, y) and [symbol.name for symbol in metric.params] == ["delta"]


def test_a_known_metric_typed_in_equals_the_catalogue():
    typed, known = read_line_element(SCHWARZSCHILD), spaces.schwarzschild().metric
    symbols = dict(zip(known.coords + known.params, typed.coords + typed.params))
    assert all(sp.simplify(entry) == 0 for entry in typed.matrix - known.matrix.subs(symbols))


@pytest.mark.parametrize("make", spaces.SPACES, ids=lambda make: make.__name__)
def test_every_metric_of_the_catalogue_can_be_typed_in(make):
    metric = make().metric
    entries = ((i, j) for i in range(metric.n) for j in range(metric.n))
    text = " + ".join(f"({metric.matrix[i, j]})*d{metric.coords[i]}*d{metric.coords[j]}" for i, j in entries)
    names = [str(symbol) for symbol in metric.coords]
    typed = read_line_element(text, names, [str(symbol) for symbol in metric.params])
    assert typed.n == metric.n and len(typed.params) == len(metric.params)


# Random polynomials with functions of a symbol: the text, and what SymPy makes of it.
leaves = st.sampled_from([
    ("x", x), ("y", y), ("b", b), ("2", sp.Integer(2)), ("0.25", sp.Rational(1, 4)), ("sin(x)", sp.sin(x)),
    ("exp(2*y)", sp.exp(2 * y)), ("x^2", x**2),
])
OPERATIONS = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b}
trees = st.recursive(leaves, lambda children: st.one_of(
    st.tuples(st.sampled_from("+-*"), children, children).map(lambda parts: (
        f"({parts[1][0]} {parts[0]} {parts[2][0]})", OPERATIONS[parts[0]](parts[1][1], parts[2][1]))),
    children.map(lambda child: (f"(-{child[0]}**2)", -child[1]**2)),
), max_leaves=5)


@settings(max_examples=40, deadline=None)
@given(trees, trees)
def test_random_coefficients_are_read_as_sympy_builds_them(first, second):
    text = f"{first[0]}*dx**2 + 2*dx*dy + {second[0]}*dy**2"
    try:
        metric = read_line_element(text, ["x", "y"])
    except MetricError as error:
        assert "determinant" in str(error) and sp.simplify(first[1] * second[1] - 1) == 0
        return
    assert (metric.matrix - sp.Matrix([[first[1], 1], [1, second[1]]])).expand() == sp.zeros(2, 2)


@pytest.mark.parametrize("text, same", [
    ("dr² + r²·dφ²", "dr**2 + r**2*dφ**2"),
    ("dr² − 2⋅r²×dφ²", "dr**2 - 2*r**2*dφ**2"),
    ("r¹²*dr² + 2³*dφ²", "r**12*dr**2 + 8*dφ**2"),
    ("sin(r)²*dr² + (r + 1)⁴*dφ²", "sin(r)**2*dr**2 + (r + 1)**4*dφ**2"),
])
def test_signs_as_in_print(text, same):
    """Python counts a raised digit as a part of a name: r² must not be a symbol of its own."""
    assert read_line_element(text).matrix == read_line_element(same).matrix


@pytest.mark.parametrize("text, message", [
    ("dx**2 + x½*dy**2", "'x½' is no name at position 9"),
    ("", "the text ends where a number, a name or '(' should stand at position 1"),
    ("dr**2 + ", "the text ends where a number, a name or '(' should stand at position 8"),
    ("dr**2 + *dx", "'*' where a number, a name or '(' should stand at position 9"),
    ("dr**2 + (r*dphi**2", "the bracket is not closed at position 9"),
    ("dr**2 + sin(r*dphi**2", "the bracket is not closed at position 9"),
    ("dr**2 + r)*dphi**2", "')' has no meaning at position 10"),
    ("dr**2, dphi**2", "',' has no meaning at position 6"),
    ("dr**2 + 2 r*dphi**2", "an operator is missing before 'r' at position 11"),
    ("dr**2 + (2 r)*dphi**2", "an operator is missing before 'r' at position 12"),
    ("dr**2 + 2(r)*dphi**2", "an operator is missing before '(' at position 10"),
    ("dr**2 + 2r*dphi**2", "'2r' is no number at position 9"),
    ("1.2.3*dr**2", "'1.2.3' is no number at position 1"),
    ("1e999999999*dr**2", "'1e999999999' is no number at position 1"),
    ("dr**2 + $x*dy**2", "'$' has no meaning at position 9"),
    ("dr**2 + r**2*dphi", "terms with 2 and 1 differentials are added at position 7"),
    ("1 + dr**2", "terms with 0 and 2 differentials are added at position 3"),
    ("r**2", "every term must have 2 differentials such as dx, got 0"),
    ("dx*dy*dz", "every term must have 2 differentials such as dx, got 3"),
    ("dr**2/dt", "division by a differential at position 6"),
    ("dr**2/(r - r)", "division by zero at position 6"),
    ("dr**2*0**-1", "division by zero at position 8"),
    ("dr**(1/2)*dx", "a power of a differential must be a whole number at position 3"),
    ("r**dr*dx", "a differential in an exponent at position 2"),
    ("sin(dr)*dx", "a differential as an argument of sin at position 1"),
    ("sin(r, 2)*dr**2", "sin takes 1 argument, got 2 at position 1"),
    ("sin*dr**2", "sin needs an argument in brackets at position 1"),
    ("log(0)*dr**2", "log(0) is not finite at position 1"),
    ("a(2*r)*dr**2", "the arguments of a must be coordinates"),
    ("a(b)*dr**2", "b in a(b) is none of the coordinates r"),
    ("a(r)*a*dr**2", "a is a function and a symbol in 'a(r)*a*dr**2'"),
    ("lambda*dr**2", "'lambda' is a reserved word of Python (write 'Lambda') at position 1"),
    ("pi(r)*dr**2", "'pi' is no function at position 1"),
    ("dpi**2", "dpi is no differential: 'pi' cannot be a coordinate at position 1"),
    ("d1**2", "d1 is no differential: '1' cannot be a coordinate at position 1"),
    ("(x**99)**99*dx**2", "a polynomial of degree 9801 (at most 1000) at position 8"),
    ("(pi^100)^100*dx**2", "a polynomial of degree 10000 (at most 1000) at position 9"),
    ("((1+x+y)^100)^100*dx**2", "a polynomial of degree 10000 (at most 1000) at position 14"),
    ("dx^2/(1+x+y+z)^99", "up to 171700 terms when multiplied out (at most 20000) at position 15"),
    ("(1+x+y)^100*(1+x-y)^100*dx^2", "up to 20301 terms when multiplied out (at most 20000) at position 12"),
    ("exp(9999)*dx^2", "a number too large to compute at position 1"),
    ("dx^2 + E*dy^2", "write exp(1) for the number, another name for a symbol at position 8"),
    ("dx^2 + I*dy^2", "the metric is real, so 'I' cannot stand for sqrt(-1)"),
    ("dx^2 + dI^2", "dI is no differential: 'I' cannot be a coordinate at position 8"),
    ("dr**101", "an exponent above 100 at position 3"),
    ("9**9**9**9*dr**2", "an exponent above 100 at position"),
    ("((2**90)**90)**90*dr**2", "a number with too many digits at position 9"),
    ("(" * 61 + "dr**2" + ")" * 61, "more than 60 nested signs and brackets at position 61"),
    ("-" * 99 + "dr**2", "more than 60 nested signs and brackets at position 61"),
    ("dr**2 + " * 999 + "dr**2", "a line element has at most 4000 characters, got"),
    ("__import__('os').system('true')", "has no meaning at position 12"),
    ("dr**2 + r.__class__*dx", "an operator is missing before '.__class__' at position 10"),
    ("dr**2 + (r, 2)*dx**2", "',' has no meaning at position 11"),
    ("dr**2 + x[0]*dx", "'[' has no meaning at position 10"),
    ("dr**2\n; dx", "';' has no meaning at position 7"),
])
def test_what_is_no_line_element(text, message):
    with pytest.raises(LineElementError) as caught:
        read_line_element(text)
    assert message in str(caught.value)


def test_differentials_of_unknown_coordinates():
    with pytest.raises(LineElementError, match=r"dz is no differential of a coordinate \(the coordinates are x, y\)"):
        read_line_element("dx**2 + dz**2", ["x", "y"])


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="dxy+-*/^().,0123456789 sin", max_size=30))
def test_any_text_is_read_or_refused_with_a_reason(text):
    try:
        assert isinstance(read_line_element(text), Metric)
    except (LineElementError, MetricError) as error:
        assert str(error)


@pytest.mark.parametrize("text, value", [
    ("3", 3), ("-1.5e-2", sp.Rational(-3, 200)), ("2*pi/3", 2 * sp.pi / 3), ("sqrt(2)", sp.sqrt(2)),
    ("1/3", sp.Rational(1, 3)),
])
def test_numbers_are_exact(text, value):
    assert read_number(text) == value


@pytest.mark.parametrize("text", ["r", "dx", "a(r)", "sqrt(-1)", "", "log(0)", "1e400"])
def test_what_is_no_number(text):
    with pytest.raises(LineElementError):
        read_number(text)


# What is printed

def test_text_of_polar_coordinates(command):
    printed = command("dr**2 + r**2*dphi**2")
    assert "coordinates  r, phi\n" in printed
    assert "\nChristoffel symbols\n  Gamma^r_phi phi = -r\n  Gamma^phi_r phi = 1/r\n" in printed
    for title, letter in (("Riemann tensor", "R"), ("Ricci tensor", "R"), ("Ricci scalar", "R")):
        assert f"\n{title}\n  {letter} = 0\n" in printed
    assert "Einstein" not in printed and "Weyl" not in printed


def test_only_the_tensors_asked_for(command):
    printed = command("sphere", "--tensors", "scalar")
    assert "R = 2/r**2" in printed and "Gamma" not in printed and "R^" not in printed


@pytest.mark.parametrize("name", ["polar_plane", "torus", "three_sphere", "schwarzschild", "flrw", "pp_wave"])
def test_the_sympy_format_is_a_program_that_makes_the_arrays(command, name):
    metric = spaces.named(name).metric
    tensors = curvature.TENSORS if metric.n > 2 else curvature.TENSORS[:-1]
    made = {}
    exec(command(name, "--format", "sympy", "--tensors", *tensors), made)
    assert sp.Matrix(made["g"].tolist()) == metric.matrix
    for variable, method in METHODS.items():
        if variable == "weyl" and metric.n == 2:
            continue
        expected = getattr(metric, method)()
        if isinstance(expected, sp.NDimArray):
            assert made[variable].shape == expected.shape
        assert all(sp.simplify(a - b) == 0 for a, b in zip(sp.flatten([made[variable]]), sp.flatten([expected])))


def test_the_sympy_format_keeps_fractions_and_avoids_names_of_the_user(command):
    made = {}
    exec(command("dx**2 + g**2*x**(2/3)*driemann**2 + dx*driemann/3", "--format", "sympy"), made)
    assert made["g_"][0, 1] == sp.Rational(1, 6) and made["g_"][1, 1] == real("g")**2 * x**sp.Rational(2, 3)
    assert made["riemann"] == real("riemann") and made["riemann_"].shape == (2, 2, 2, 2)
    assert not any(sp.sympify(entry).has(sp.Float) for entry in sp.flatten(made["christoffel"]))


def test_latex(command):
    printed = command("sphere", "--format", "latex")
    assert r"\Gamma^{\phi}{}_{\theta \phi} &= \frac{\cos{\left(\theta \right)}}{\sin{\left(\theta \right)}}" in printed
    assert "R = \\frac{2}{r^{2}}" in printed
    assert printed.count("\\[") == printed.count("\\]") == 6


def test_numbers_at_a_point(command):
    printed = command("kerr", "--tensors", "kretschmann", "riemann", "--at", "r=3,theta=1", "--params", "a=0.4", "M=1")
    numeric, at = spaces.kerr().numeric(M=1.0, a=0.4), [0.0, 3.0, 1.0, 0.0]
    value = float(re.search(r"K = (\S+)", printed)[1])
    assert value == pytest.approx(float(numeric.kretschmann_scalar(at)), rel=1e-11)
    names, riemann = ["t", "r", "theta", "phi"], numeric.riemann_tensor(at)
    lines = re.findall(r"R\^(\w+)_(\w+) (\w+) (\w+) = (\S+)", printed)
    assert len(lines) > 20
    for *index, number in lines:
        assert float(number) == pytest.approx(riemann[tuple(map(names.index, index))], rel=1e-10, abs=1e-14)


def test_all_components_at_a_point_in_the_sympy_format(command):
    made = {}
    exec(command("three_sphere", "--format", "sympy", "--tensors", "riemann", "--at", "chi=1,theta=2,r=3"), made)
    expected = spaces.three_sphere().numeric(r=3.0).riemann_tensor([1.0, 2.0, 0.0])
    np.testing.assert_allclose(np.array(made["riemann"].tolist(), dtype=float), expected, rtol=1e-10, atol=1e-13)


def test_values_of_parameters_are_put_in_exactly(command):
    assert "R = 18\n" in command("sphere", "--tensors", "scalar", "--params", "r=1/3")
    assert "Gamma" in command("dx**2 + delta*x*dy**2", "--params", "delta=2")
    assert "parameters   delta\n" in command("dx**2 + delta*x*dy**2", "--params", "delta")


def test_dimensions_of_a_space(command):
    assert "R = 30/r**2" in command("n_sphere", "--n", "6", "--tensors", "scalar")


def test_metrics_beyond_exact_fractions_say_so(command):
    assert "simplify" in command("dx**2 + log(1 + x^2)^2*dy**2", "--tensors", "christoffel")
    assert "simplify" not in command("dx**2 + cosh(x)^2*dy**2", "--tensors", "scalar")


def test_the_examples_of_the_help_run(command):
    lines = [line for line in curvature.EXAMPLE.splitlines() if line.startswith("  derivations curvature ")]
    assert len(lines) == 5
    for line in lines:
        assert command(*shlex.split(line)[2:])


def test_list_names_every_space(command):
    printed = command("--list")
    assert [line.split()[0] for line in printed.splitlines()] == [make.__name__ for make in spaces.SPACES]
    assert max(map(len, printed.splitlines())) <= 110


@pytest.mark.parametrize("words, message", [
    ([], "no line element"),
    (["kerrr"], "no space has the name='kerrr'; did you mean 'kerr'?"),
    (["kerr", "--n", "3"], "kerr has no option n=3"),
    (["n_sphere", "--n", "1"], "n must be a whole number from 2 upwards, got n=1"),
    (["kerr", "--coords", "t", "r"], "--coords t r belongs to a line element"),
    (["dx**2", "--n", "3"], "--n 3 belongs to"),
    (["dx**2", "--coords", "x", "x"], "--coords x x names a coordinate twice"),
    (["dx**2", "--coords", "x", "y"], "determinant is 0 everywhere"),
    (["dx**2 + 2*dx*dy + dy**2"], "determinant is 0 everywhere"),
    (["dx**2 +"], "the text ends"),
    (["sqrt(-1)*dx**2"], "must be real"),
    (["sphere", "--tensors", "weyl"], "n >= 3"),
    (["sphere", "--tensors", "magic"], "invalid choice: 'magic'"),
    (["sphere", "--params", "M=1"], "--params M=1: the metric has no such parameter, only r"),
    (["sphere", "--params", "r=-1"], "--params r=-1: r must be positive"),
    (["sphere", "--params", "r=one"], "--params 'r=one': 'one' is no number"),
    (["sphere", "--params", "r=1=2"], "--params 'r=1=2'"),
    (["sphere", "--at", "theta"], "--at 'theta' must be of the form name=value"),
    (["sphere", "--at", "phi=1"], "no value for theta"),
    (["sphere", "--at", "theta=1,q=2"], "q is no coordinate or free parameter of sphere"),
    (["sphere", "--at", "theta=4"], "is not in the chart"),
    (["schwarzschild", "--at", "r=2,theta=1"], "is not in the chart"),
    (["dr**2 + r**2*dphi**2", "--at", "r=0"], "singular at r=0"),
    (["kerr", "--at", "r=3,theta=1", "--params", "a=2", "M=1"], "is no interval"),
    (["flrw", "--at", "t=1,r=1,theta=1"], "a(t) has no numerical value"),
    (["sphere", "--time-limit", "-1"], "must not be negative, got '-1'"),
    (["sphere", "--time-limit", "nan"], "must be 0 or a number"),
    (["dx**2 + exp(exp(exp(exp(100))))*dy**2"], "a number too large to compute at position 17"),
    (["dx**2 + x**2*dy**2", "--at", "x=exp(exp(exp(exp(9))))"], "a number too large to compute at position 9"),
    (["dx**2 + x**2*dy**2", "--at", "x=exp(1000)"], "--at: x is too large for a floating-point number"),
    (["dx**2 + b*dy**2", "--params", "b=9^exp(99)"], "a number too large to compute at position 2"),
    (["dx^2 + I*dy^2"], "the metric is real, so 'I' cannot stand for sqrt(-1)"),
])
def test_errors_are_one_line(fails, words, message):
    assert message in fails(*words)


def test_what_sympy_cannot_do_is_one_line(fails, monkeypatch):
    def unfinished(self):
        raise NotImplementedError("no derivatives here")

    monkeypatch.setattr(Metric, "ricci_scalar", unfinished)
    assert "SymPy cannot simplify the tensors of this metric: no derivatives here" in fails("dx**2 + dy**2")


@pytest.mark.parametrize("error, message", [
    (OverflowError, "too large to compute"), (RecursionError, "nested too deeply"), (MemoryError, "not enough memory"),
])
def test_what_python_cannot_do_is_one_line(fails, monkeypatch, error, message):
    def unfinished(self):
        raise error

    monkeypatch.setattr(Metric, "ricci_scalar", unfinished)
    assert message in fails("dx**2 + dy**2")


# The other process

DENSE = "(1+x+y)^100*dx^2 + (1+x*y+z)^60*dy^2 + (1+x+y^2+z)^30*dx*dy + (1+z*y)^90*dz^2"    # minutes inside FLINT


@pytest.mark.parametrize("words", [[DENSE], ["n_sphere", "--n", "40"]])
def test_the_time_limit_stops_a_long_computation(fails, words):
    started = time.monotonic()
    assert "not finished after --time-limit 2 seconds" in fails(*words, "--time-limit", "2")
    assert time.monotonic() - started < 6


@pytest.mark.parametrize("words, message", [
    (["sphere", "--params", "r=-1"], "--params r=-1: r must be positive"),
    (["dx**2 +"], "the text ends"),
    (["(1+x+y+z+a)^100*(1+x+y+z+a)^100*dx^2+dy^2"], "up to 4598126 terms when multiplied out"),
])
def test_errors_of_the_other_process_are_one_line(fails, words, message):
    assert message in fails(*words, "--time-limit", "30")


def test_a_failure_of_the_other_process_is_one_line(fails, monkeypatch):
    monkeypatch.setattr(curvature, "_PROGRAM", "raise TypeError('no such thing')")
    assert "(--time-limit 0 shows where): TypeError: no such thing" in fails("sphere", "--time-limit", "30")


def test_the_other_process_prints_the_same(command):
    words = ["kerr", "--tensors", "ricci", "kretschmann", "--at", "M=1,a=0.5,r=3,theta=1"]
    assert command(*words, "--time-limit", "60") == command(*words)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited where the system can do it")
def test_memory_is_limited(fails, monkeypatch):
    started = time.monotonic()
    monkeypatch.setattr(curvature, "_PROGRAM", curvature._PROGRAM.replace(
        "_answer(task", "import derivations.commands.curvature as c; c.MEMORY_LIMIT = 1 << 29; _answer(task"
    ))
    assert "memory" in fails(DENSE, "--time-limit", "60")
    assert time.monotonic() - started < 30


def test_a_script_without_a_guard_is_not_run_again(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("from derivations.commands import main\nprint('once')\n"
                      "main(['curvature', 'sphere', '--tensors', 'scalar'])\n")
    (tmp_path / "json.py").write_text("raise RuntimeError('a module of the user')")
    command = [sys.executable, "-P", script]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.count("once") == 1 and "R = 2/r**2" in done.stdout and done.stderr == ""
