"""The exact field: its arithmetic against numbers, and curvature against the definition, differenced numerically."""
import itertools
import math

import mpmath
import pytest
import sympy as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sympy import cos, cosh, exp, sin, sinh, sqrt, tan

from derivations.riemann import Metric, MetricError, rational
from derivations.riemann.functions import FunctionField
from derivations.riemann.lattice import Lattice, NotRational
from derivations.riemann.rational import ENGINES, forced_engine

T, X, Y, Z, U, V, PHI = sp.symbols("t x y z u v phi", real=True)
R, THETA, M, SPIN, CHARGE, K, P, Q = sp.symbols("r theta M a Q k p q", positive=True)
A, F, H, W = sp.Function("A")(T), sp.Function("F")(R), sp.Function("H")(R), sp.Function("W")(U, X, Y)
CONCRETE = {A: 2 + T + T**2, F: 1 + R**2 / 3, H: 2 + R / 5, W: X**2 * U + Y**3 + X * Y * U**2}
"""What undetermined functions stand for in comparisons with numbers."""

EXACT = [*(["flint"] if rational.flint else []), "sympy.polys"]


def kerr_newman(charge=CHARGE):
    delta, sigma = R**2 - 2 * M * R + SPIN**2 + charge**2, R**2 + SPIN**2 * cos(THETA)**2
    time, turn = sp.Matrix([1, 0, 0, -SPIN * sin(THETA)**2]), sp.Matrix([-SPIN, 0, 0, R**2 + SPIN**2])
    return (-delta * time * time.T + sin(THETA)**2 * turn * turn.T) / sigma + sp.diag(0, sigma / delta, sigma, 0)


def kerr_ingoing():
    sigma, form = R**2 + SPIN**2 * cos(THETA)**2, sp.Matrix([1, 0, 0, -SPIN * sin(THETA)**2])
    dr = sp.Matrix([0, 1, 0, 0])
    flat = sp.diag(-1, 0, sigma, (R**2 + SPIN**2) * sin(THETA)**2) + dr * form.T + form * dr.T
    return flat + 2 * M * R / sigma * form * form.T


def doran():
    """Kerr's space-time with the time of observers who fall in: has a square root off the diagonal."""
    sigma, square = R**2 + SPIN**2 * cos(THETA)**2, R**2 + SPIN**2
    form = sp.Matrix([sqrt(2 * M * R * square) / sigma, 1, 0, 0])
    form[3] = -form[0] * SPIN * sin(THETA)**2
    return sp.diag(-1, 0, sigma, square * sin(THETA)**2) + sigma / square * form * form.T


def sphere_in_angles(n):
    angles = sp.symbols(f"a1:{n + 1}", real=True)
    return angles, sp.diag(*(sp.prod(sin(angle)**2 for angle in angles[:i]) for i in range(n)))


def six_dimensional():
    x = sp.symbols("x1:7", real=True)
    g = sp.diag(*(2 + x[(i + 1) % 6]**2 for i in range(6)))
    g[0, 1] = g[1, 0] = x[2]
    g[3, 4] = g[4, 3] = sp.Rational(1, 2)
    return x, g


METRICS = {
    "sphere, rotated chart": ((U, V), [[1 + sin(U + V)**2, 1 - sin(U + V)**2], [1 - sin(U + V)**2, 1 + sin(U + V)**2]]),
    "sphere, double angle": ((THETA, PHI), [[4, 0], [0, sin(2 * THETA)**2]]),
    "half angles": ((THETA, PHI), [[1, 0], [0, sin(THETA / 2)**2 * (1 + cos(THETA))]]),
    "odd powers of sines": ((U, V), [[2 + cos(U), sin(U) * cos(V)], [sin(U) * cos(V), 3 + sin(V)]]),
    "tangent and secant": ((U, V), [[1 + tan(U)**2, tan(U)], [tan(U), 2 + sp.sec(U)]]),
    "shifted angle": ((T, X), [[1, 0], [0, 2 + sin(T + sp.pi / 4)]]),
    "wave": ((T, X), [[-1, 0], [0, 3 + cos(K * T) + sin(K * T - X)]]),
    "hyperbolic plane": ((R, PHI), [[1, 0], [0, sinh(R)**2]]),
    "hyperbolic and trigonometric": ((U, V), [[2 + cosh(U), sinh(U)], [sinh(U), 9 + cosh(2 * U) + sin(V)]]),
    "exponential and hyperbolic": ((U, V), [[exp(U), sinh(U) / 3], [sinh(U) / 3, 3 + exp(-2 * U) + V**2]]),
    "expanding universe": ((T, R, THETA, PHI), sp.diag(-1, A**2 / (1 - K * R**2), A**2 * R**2,
                                                        A**2 * R**2 * sin(THETA)**2)),
    "static star": ((T, R, THETA, PHI), sp.diag(-exp(2 * F), 1 / H, R**2, R**2 * sin(THETA)**2)),
    "pp-wave": ((U, V, X, Y), [[W, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
    "Kerr": ((T, R, THETA, PHI), kerr_newman(0)),
    "Kerr-Newman": ((T, R, THETA, PHI), kerr_newman()),
    "Kerr, ingoing": ((V, R, THETA, PHI), kerr_ingoing()),
    "Kerr, Doran": ((T, R, THETA, PHI), doran()),
    "Eddington-Finkelstein": ((V, R, THETA, PHI), [
        [-(1 - 2 * M / R), 1, 0, 0], [1, 0, 0, 0], [0, 0, R**2, 0], [0, 0, 0, R**2 * sin(THETA)**2],
    ]),
    "Kasner": ((T, X, Y, Z), sp.diag(-1, T**(2 * P), T**(2 * Q), T**(P + 1))),
    "fractional powers": ((R, X, Y), sp.diag(-1, R**sp.Rational(4, 3), R**sp.Rational(-1, 2))),
    "logarithm": ((R, PHI), [[1 + sp.log(R)**2, 0], [0, R**2]]),
    "square roots": ((R, PHI), [[5 + sqrt(1 + M * R), sqrt(2)], [sqrt(2), R**2 * sqrt(R)]]),
    "5-sphere": sphere_in_angles(5),
    "six dimensions": six_dimensional(),
}
"""Coordinates and matrix of metrics that must stay in the exact field."""


def make(name, engine):
    coords, matrix = METRICS[name]
    matrix = sp.Matrix(matrix)
    with forced_engine(engine):
        return Metric(coords, matrix, sorted(matrix.free_symbols - set(coords), key=str))


def riemann_by_differences(function, x, h=mpmath.mpf(10)**-14):
    """R^m_{abc} from its definition with central differences of central differences, in 50 digits."""
    n = len(x)

    def moved(x, i, step):
        return [entry + step * (j == i) for j, entry in enumerate(x)]

    def christoffel(x):
        inverse = mpmath.inverse(function(*x))
        slopes = [(function(*moved(x, i, h)) - function(*moved(x, i, -h))) / (2 * h) for i in range(n)]
        return {
            (m, a, b): sum(inverse[m, e] * (slopes[a][e, b] + slopes[b][e, a] - slopes[e][a, b]) for e in range(n)) / 2
            for m, a, b in itertools.product(range(n), repeat=3)
        }

    gamma = christoffel(x)
    above, below = ([christoffel(moved(x, i, step)) for i in range(n)] for step in (h, -h))

    def half(m, a, b, c):
        slope = (above[b][m, a, c] - below[b][m, a, c]) / (2 * h)
        return slope + sum(gamma[m, e, b] * gamma[e, a, c] for e in range(n))

    return {(m, a, b, c): half(m, a, b, c) - half(m, a, c, b) for m, a, b, c in itertools.product(range(n), repeat=4)}


@pytest.mark.parametrize("name", METRICS)
def test_curvature_is_the_definition_differenced_numerically(name):
    metric = make(name, rational.exact_engine())
    assert metric.engine == rational.exact_engine()
    point = {x: sp.Rational(3 + i, 7 + 2 * i) for i, x in enumerate(metric.coords)}
    point |= {parameter: sp.Rational(1, 5 + i) for i, parameter in enumerate(metric.params)}
    with mpmath.workdps(50):
        matrix = metric.matrix.subs(CONCRETE).subs({p: point[p] for p in metric.params})
        expected = riemann_by_differences(
            sp.lambdify(metric.coords, matrix, "mpmath"), [mpmath.mpf(point[x].p) / point[x].q for x in metric.coords]
        )
        riemann = metric.riemann_tensor()
        for index, value in expected.items():
            got = sp.N(riemann[index].subs(CONCRETE).doit().subs(point), 40)
            assert abs(mpmath.mpf(got) - value) < mpmath.mpf(10)**-20 * (1 + abs(value)), index


@pytest.mark.parametrize("name", METRICS if rational.flint else [])
def test_both_exact_engines_give_the_same_expressions(name):
    fast, slow = (make(name, engine) for engine in ("flint", "sympy.polys"))
    assert (fast.engine, slow.engine) == ("flint", "sympy.polys")
    assert fast.riemann_tensor() == slow.riemann_tensor()
    assert fast.christoffel_symbols() == slow.christoffel_symbols()
    if fast.n < 6:  # factoring this scalar takes sympy.polys long
        assert fast.ricci_scalar() == slow.ricci_scalar()
    assert fast.determinant() == slow.determinant()


@pytest.mark.parametrize("name", ["sphere, double angle", "hyperbolic plane", "Eddington-Finkelstein", "logarithm"])
def test_plain_sympy_gives_equal_expressions(name):
    exact, plain = make(name, "sympy.polys"), make(name, "sympy.simplify")
    assert plain.engine == "sympy.simplify"
    difference = exact.riemann_tensor() - plain.riemann_tensor()
    assert all(sp.simplify(component) == 0 for component in sp.flatten(difference))
    assert sp.simplify(exact.kretschmann_scalar() - plain.kretschmann_scalar()) == 0


@pytest.mark.parametrize("engine", EXACT)
def test_kerr_in_three_charts_is_empty_space(engine):
    for name in ("Kerr", "Kerr, ingoing", "Kerr, Doran"):
        metric = make(name, engine)
        assert not any(sp.flatten(metric.ricci_tensor()))
        sigma, square = R**2 + SPIN**2 * cos(THETA)**2, SPIN**2 * cos(THETA)**2
        known = 48 * M**2 * (R**2 - square) * (sigma**2 - 16 * R**2 * square) / sigma**6
        assert sp.cancel(metric.kretschmann_scalar() - known) == 0


# The field itself

GROUND = sp.Function("f")(X)
LEAVES = [
    X, Y, K, sp.Integer(2), sp.Rational(-3, 5), sin(X), cos(X), tan(Y), sin(X + Y), cos(2 * Y), sin(X / 2), cosh(K * X),
    sinh(K * X), exp(-X**2), exp(X * Y), sqrt(1 + X**2), sqrt(2), GROUND, GROUND.diff(X), R**sp.Rational(1, 3),
]
COORDS = (X, Y, R)
POINT = {X: sp.Rational(3, 7), Y: sp.Rational(5, 11), R: sp.Rational(2, 3), K: sp.Rational(4, 3)}


@pytest.fixture(scope="module", params=EXACT)
def field(request):
    return FunctionField(request.param, LEAVES, COORDS)


def trees():
    def grown(smaller):
        return st.one_of(
            st.tuples(st.sampled_from("+*-"), smaller, smaller),
            st.tuples(st.just("power"), smaller, st.sampled_from([-1, 2])),
        )
    return st.recursive(st.sampled_from(LEAVES), grown, max_leaves=5)


def evaluated(field, tree):
    """Element and SymPy expression of a tree; divisions by zero are no examples."""
    if not isinstance(tree, tuple):
        return field.convert(tree), tree
    operation, *branches = tree
    (left, first), (right, second) = evaluated(field, branches[0]), (None, None)
    if operation == "power":
        assume(left or branches[1] > 0)
        return left**branches[1], first**branches[1]
    right, second = evaluated(field, branches[1])
    return {"+": (left + right, first + second), "-": (left - right, first - second),
            "*": (left * right, first * second)}[operation]


def number(expression):
    return sp.N(expression.subs(GROUND, 1 + X**3 / 2).doit().subs(POINT), 40)


@given(trees())
@settings(max_examples=60, deadline=None)
def test_elements_and_their_derivatives_are_what_sympy_computes(field, tree):
    element, expression = evaluated(field, tree)
    scale = 1 + abs(number(expression))
    assert abs(number(field.to_sympy(element)) - number(expression)) < 1e-25 * scale
    for axis, x in enumerate(COORDS):
        expected = number(expression.diff(x))
        derivative = number(field.to_sympy(field.derivative(element, axis)))
        assert abs(derivative - expected) < 1e-25 * (scale + abs(expected))


@given(trees(), trees(), trees())
@settings(max_examples=40, deadline=None)
def test_laws_of_a_field(field, first, second, third):
    a, b, c = (evaluated(field, tree)[0] for tree in (first, second, third))
    assert a * b == b * a and (a + b) * c == a * c + b * c and a * (b * c) == (a * b) * c
    assert not (a - a) and a + field.zero == a and a * field.one == a
    assert field.sum([a, b, -a, c]) == b + c
    if b:
        assert b * b.inverse() == field.one and a / b * b == a
    for axis in range(len(COORDS)):
        assert field.derivative(a * b, axis) == field.derivative(a, axis) * b + a * field.derivative(b, axis)


@given(trees())
@settings(max_examples=30, deadline=None)
def test_expressions_come_back(field, tree):
    element, _ = evaluated(field, tree)
    assert field.convert(field.to_sympy(element)) == element


@pytest.mark.parametrize("engine", EXACT)
@pytest.mark.parametrize("zero", [
    sin(X)**2 + cos(X)**2 - 1, sin(2 * X) - 2 * sin(X) * cos(X), cos(X + Y) - cos(X) * cos(Y) + sin(X) * sin(Y),
    cos(X)**2 - (1 + cos(2 * X)) / 2, tan(X) - sin(X) / cos(X), cosh(X)**2 - sinh(X)**2 - 1,
    exp(X) - cosh(X) - sinh(X), exp(X + Y) - exp(X) * exp(Y), sqrt(1 + X**2)**2 - 1 - X**2, sqrt(6) - sqrt(2) * sqrt(3),
    (1 / (1 + sin(X)) - (1 - sin(X)) / cos(X)**2), sqrt(R)**3 - R * sqrt(R), T**(2 * P + 1) - T * (T**P)**2,
    sin(X + sp.pi / 4) - (sin(X) + cos(X)) / sqrt(2), sp.log(R) * (X + 1) - X * sp.log(R) - sp.log(R),
    GROUND.diff(X, 2) - GROUND.diff(X).diff(X), sp.coth(X) - cosh(X) / sinh(X), sp.csc(X) - 1 / sin(X),
    cosh(sp.log(X)) - (X + 1 / X) / 2, sinh(sp.log(R) * K) - (R**K - R**-K) / 2, sp.exp(Y + sp.log(X)) - X * exp(Y),
    sp.tanh(sp.log(R) / 2) - (R - 1) / (R + 1), cosh(sp.log(X) + Y) - (X * exp(Y) + exp(-Y) / X) / 2,
    cosh(sp.log(2 * X)) - X - 1 / (4 * X), sp.E * cosh(1) - (sp.E**2 + 1) / 2, exp(X + 1) - sp.E * exp(X),
    sqrt(sp.E)**2 * X - sp.E * X, sin(2 * sp.log(X)) - 2 * sin(sp.log(X)) * cos(sp.log(X)),
])
def test_zero_is_seen(engine, zero):
    element = FunctionField(engine, [zero], (X, Y)).convert(zero)
    assert not element


@pytest.mark.parametrize("expression", [
    sp.Float(0.5) * X, sp.atan(X), sp.Abs(X), sqrt(1 + sqrt(1 + X)), sqrt(1 + sin(X)), sin(1 / (1 + X)), exp(sin(X)),
    sin(sp.pi / 7) * X, (1 + X)**sp.Rational(1, 3), (1 + X)**P, sp.Function("f")(2 * X), sp.log(1 + X),
    Y**(X + sp.log(R) / sp.log(Y)), exp((Y / sp.log(X) + 1) * sp.log(X)), sp.log(R * P), sp.log(X**2), sqrt(X**2) - X,
    sqrt(X * (1 - X)) + sqrt(1 - X) + sqrt(X), sqrt(1 - cos(X)**2) + sin(X), sp.Piecewise((X, X > 0), (0, True)),
])
def test_what_is_out_of_scope_is_refused(expression):
    with pytest.raises(NotRational):
        FunctionField("sympy.polys", [expression], (X, Y)).convert(expression)


@pytest.mark.parametrize("engine", ENGINES if rational.flint else ENGINES[1:])
def test_hyperbolic_functions_of_logarithms_are_no_independent_functions(engine):
    wave = cosh(sp.log(R))
    with forced_engine(engine):
        flat = Metric((R, Y), sp.diag(sinh(sp.log(R))**2 / R**2, (R + 1 / R)**2 / 4))  # d(cosh log r)^2 and its square
        assert flat.engine == engine
        assert flat.ricci_scalar() == 0
        with pytest.raises(MetricError, match="determinant is 0"):
            Metric((R, Y), [[1, wave], [wave, (R + 1 / R)**2 / 4]])


@pytest.mark.parametrize("engine", EXACT)
def test_the_number_e_is_a_constant(engine):
    with forced_engine(engine):
        metric = Metric((X, Y), sp.diag(1, sp.E + X**2))
    assert metric.engine == engine
    assert sp.cancel(metric.gauss_curvature() + sp.E / (sp.E + X**2)**2) == 0  # K = -w''/w for w^2 = e + x^2
    assert metric.covariant_derivative([sp.E * Y, 0], "u")[0, 1] == sp.E


@pytest.mark.parametrize("entry", [
    (2 + sin(X) + sin(10**6 * X))**2, 1 + exp(X) + exp(10**5 * X), 2 + cosh(X) + cosh(1000 * X), 1 + X**(10**6),
    (1 + X)**(-10**6), 1 + R + R**sp.Rational(1, 10007), 1 + R**sp.Rational(10001, 2), sqrt(1 + X**2)**10001,
])
def test_huge_degrees_are_refused_at_once(entry):
    with pytest.raises(MetricError, match="beyond 200"):
        Metric((X, Y, R), sp.diag(1, entry, 1))
    with pytest.raises(MetricError, match="beyond 200"):
        Metric((X, Y, R), sp.eye(3)).covariant_derivative([entry, 0, 0], "u")


def test_large_angles_alone_are_no_large_multiples():
    metric = Metric((X, Y), sp.diag(1, sin(10**6 * X)**2))
    assert metric.gauss_curvature() == 10**12
    assert Metric((X, Y), sp.diag(1, (2 + sin(X) + sin(100 * X))**2)).engine in EXACT


def test_a_determinant_needs_no_division():
    """Half and multiple angles off the diagonal: elimination would divide by long sums of radicals."""
    matrix = sp.diag(2 + sin(X / 2) * cos(3 * Y), 3 + cos(X + Y / 3), 2 + sin(Z - X))
    matrix[0, 1] = matrix[1, 0] = sin(2 * X) / 5
    matrix[1, 2] = matrix[2, 1] = cos(Z) / 4
    metric, point = Metric((X, Y, Z), matrix), {X: 0.3, Y: 0.7, Z: -0.2}
    assert metric.engine in EXACT
    assert math.isclose(metric.determinant().subs(point), matrix.subs(point).det(), rel_tol=1e-12)


def test_functions_that_are_not_in_the_field_are_refused(field):
    for expression in (sp.Symbol("unknown"), sin(3 * R), exp(X / 3), sqrt(3), sqrt(1 + Y), sp.sqrt(R)):
        with pytest.raises(NotRational):
            field.convert(expression)
    with pytest.raises(ZeroDivisionError):
        field.zero.inverse()
    top = field.convert(GROUND.diff(X, 3))  # the field was made for two derivatives of f'
    with pytest.raises(ArithmeticError, match="not in the field"):
        field.derivative(top, 0)


@given(st.lists(st.lists(st.fractions(-3, 3, max_denominator=6), min_size=3, max_size=3), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_a_lattice_combines_its_arguments(rows):
    arguments = [{s: sp.Rational(k.numerator, k.denominator) for s, k in zip((X, Y, Z), row) if k} for row in rows]
    for odd in (False, True):
        lattice = Lattice(arguments, odd)
        matrix = sp.Matrix([[base.coeff(s) for s in (X, Y, Z)] for base in lattice.basis] or [[0, 0, 0]])
        assert matrix.rank() == len(lattice.basis)
        for terms in arguments:
            total = sum((k * base for k, base in zip(lattice.coordinates(terms), lattice.basis)), sp.Integer(0))
            assert sp.expand(total - sum(k * s for s, k in terms.items())) == 0
        if odd:
            assert all(sp.sin(base).func is sp.sin for base in lattice.basis)


def test_engines_are_chosen_by_name(monkeypatch):
    monkeypatch.delenv("DERIVATIONS_ENGINE", raising=False)
    assert rational.exact_engine() == ("flint" if rational.flint else "sympy.polys")
    with forced_engine("sympy.simplify"):
        assert rational.exact_engine() is None
        with forced_engine("sympy.polys"):
            assert rational.exact_engine() == "sympy.polys"
        assert rational.exact_engine() is None
    with pytest.raises(ValueError, match="DERIVATIONS_ENGINE='maple'"):
        with forced_engine("maple"):
            pass
    assert rational.exact_engine() is not None


def test_flint_is_missed_by_name(monkeypatch):
    monkeypatch.delenv("DERIVATIONS_ENGINE", raising=False)
    monkeypatch.setattr(rational, "flint", None)
    assert rational.exact_engine() == "sympy.polys"
    with pytest.raises(ValueError, match="python-flint"):
        with forced_engine("flint"):
            pass


@pytest.mark.parametrize("count", [2, 3, 4])
def test_multiple_angles_are_chebyshev_polynomials(count):
    field = FunctionField("sympy.polys", [cos(X), cos(count * X)], (X,))
    c = sp.Symbol("c")
    element = field.convert(cos(count * X))
    assert sp.expand(field.to_sympy(element).subs(cos(X), c) - sp.chebyshevt(count, c)) == 0
    assert math.isclose(field.to_sympy(element).subs(X, 0.3), math.cos(count * 0.3))
