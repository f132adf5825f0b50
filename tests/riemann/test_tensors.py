"""Tensors made of the curvature: closed forms, identities, covariant derivatives, and how they are shown."""
import itertools
import pickle
import random

import pytest
import sympy as sp
from sympy import cos, exp, sin

from derivations.riemann import Metric, MetricError, spaces
from derivations.riemann.display import Tensor
from derivations.riemann.rational import forced_engine

T, X, Y, Z, THETA, PHI = sp.symbols("t x y z theta phi", real=True)
R, M, K, CHARGE, SPIN = sp.symbols("r M k Q a", positive=True)


def black_hole(factor=1):
    """Schwarzschild's metric times a factor."""
    f = 1 - 2 * M / R
    return Metric((T, R, THETA, PHI), factor * sp.diag(-f, 1 / f, R**2, R**2 * sin(THETA)**2), (M,))


def charged_hole():
    f = 1 - 2 * M / R + CHARGE**2 / R**2
    return Metric((T, R, THETA, PHI), sp.diag(-f, 1 / f, R**2, R**2 * sin(THETA)**2), (M, CHARGE))


def kerr():
    delta, sigma = R**2 - 2 * M * R + SPIN**2, R**2 + SPIN**2 * cos(THETA)**2
    time, turn = sp.Matrix([1, 0, 0, -SPIN * sin(THETA)**2]), sp.Matrix([-SPIN, 0, 0, R**2 + SPIN**2])
    g = (-delta * time * time.T + sin(THETA)**2 * turn * turn.T) / sigma + sp.diag(0, sigma / delta, sigma, 0)
    return Metric((T, R, THETA, PHI), g, (M, SPIN))


def universe():
    a = sp.Function("a")(T)
    return Metric((T, R, THETA, PHI), a**2 * sp.diag(-1 / a**2, 1 / (1 - K * R**2), R**2, R**2 * sin(THETA)**2), (K,))


def sphere():
    return Metric((THETA, PHI), sp.diag(1, sin(THETA)**2))


def hyperbolic_space(n):
    coords = sp.symbols(f"x1:{n + 1}", positive=True)
    return Metric(coords, sp.eye(n) / coords[-1]**2)


def crooked():
    """A metric of three dimensions without symmetry."""
    return Metric((X, Y, Z), sp.Matrix([[1 + X**2, X * Y, 0], [X * Y, 2 + Z**2, Y], [0, Y, 3 + X * Z]]))


def tilted():
    """A metric of three dimensions off the diagonal, lighter than the crooked one."""
    return Metric((X, Y, Z), sp.Matrix([[1 + X**2, X, Z], [X, 2, 0], [Z, 0, 1 + Z**2 + Y**2]]))


def zero(expression):
    expression = sp.cancel(expression)
    return expression == 0 or sp.simplify(expression) == 0


def test_determinant_and_inverse():
    for metric in (kerr(), crooked(), universe()):
        difference = metric.matrix * metric.inverse() - sp.eye(metric.n)
        assert all(zero(entry) for entry in difference)
        assert zero(metric.determinant() - metric.matrix.det())


def test_reissner_nordstrom():
    """Closed forms of S. Chandrasekhar, The Mathematical Theory of Black Holes, section 38, and Henry (2000)."""
    metric = charged_hole()
    assert metric.ricci_scalar() == 0
    g, ricci = metric.matrix, metric.ricci_tensor()
    for a, sign in enumerate((-1, -1, 1, 1)):
        assert zero(ricci[a, a] - sign * CHARGE**2 / R**4 * g[a, a])
    known = 8 * (6 * M**2 * R**2 - 12 * M * CHARGE**2 * R + 7 * CHARGE**4) / R**8
    assert zero(metric.kretschmann_scalar() - known)


def test_friedmann_equations():
    metric = universe()
    a = sp.Function("a")(T)
    rate, pull = a.diff(T) / a, a.diff(T, 2) / a
    einstein = metric.einstein_tensor()
    assert zero(einstein[0, 0] - 3 * (rate**2 + K / a**2))
    for i in (1, 2, 3):
        assert zero(einstein[i, i] / metric.matrix[i, i] + 2 * pull + rate**2 + K / a**2)
    assert zero(metric.ricci_scalar() - 6 * (pull + rate**2 + K / a**2))
    assert zero(metric.kretschmann_scalar() - 12 * (pull**2 + (rate**2 + K / a**2)**2))
    assert not any(sp.flatten(metric.weyl_tensor()))  # conformally flat


@pytest.mark.parametrize("metric", [universe, charged_hole, tilted], ids=lambda f: f.__name__)
def test_einstein_tensor_has_no_divergence(metric):
    metric = metric()
    raised = metric.inverse() * sp.Matrix(metric.einstein_tensor())
    derivative = metric.covariant_derivative(raised, "ul")
    assert any(sp.flatten(derivative))
    for b in range(metric.n):
        assert zero(sum(derivative[a, b, a] for a in range(metric.n)))


def test_weyl_tensor_is_riemann_in_empty_space():
    metric = kerr()
    assert metric.weyl_tensor() == metric.riemann_tensor()
    assert metric.weyl_tensor(lowered=True) == metric.riemann_tensor(lowered=True)


def test_weyl_tensor_has_no_traces():
    metric = charged_hole()
    weyl = metric.weyl_tensor()
    assert any(sp.flatten(weyl))
    for b, d in itertools.product(range(4), repeat=2):
        assert zero(sum(weyl[a, b, a, d] for a in range(4)))


def test_weyl_tensor_is_conformally_invariant():
    assert black_hole(1 / (1 + R**2)).weyl_tensor() == black_hole().weyl_tensor()
    assert black_hole(sp.Function("w")(R)).weyl_tensor() == black_hole().weyl_tensor()
    for flat in (sp.exp(X * Y) * sp.eye(4), sp.eye(4) / (1 + X**2 + Y**2 + Z**2 + T**2)**2):
        assert not any(sp.flatten(Metric((X, Y, Z, T), flat).weyl_tensor()))


def test_weyl_tensor_in_low_dimensions():
    assert not any(sp.flatten(crooked().weyl_tensor()))
    with pytest.raises(MetricError, match="n=2"):
        sphere().weyl_tensor()


def test_sectional_curvature_of_constant_curvature():
    u, v = sp.symbols("u1:4"), sp.symbols("v1:4")
    assert hyperbolic_space(3).sectional_curvature(u, v) == -1
    assert sphere().sectional_curvature([1, THETA], [0, cos(PHI)]) == 1


def test_sectional_curvature_of_schwarzschild():
    metric, axes = black_hole(), sp.eye(4)
    known = {(0, 1): 2, (2, 3): 2, (0, 2): -1, (0, 3): -1, (1, 2): -1, (1, 3): -1}
    for (i, j), multiple in known.items():
        assert metric.sectional_curvature(axes[:, i], axes[:, j]) == multiple * M / R**3


def test_sectional_curvature_is_gauss_on_a_surface():
    torus = spaces.torus().metric
    assert zero(torus.sectional_curvature([1, 2], [3, 5]) - torus.gauss_curvature())


@pytest.mark.parametrize("u, v, message", [
    ([1, 0, 0, 0], [2, 0, 0, 0], "span a plane"),
    ([1, 1 - 2 * M / R, 0, 0], [0, 0, 1, 0], "span a plane"),  # the first vector is light-like
    ([1, 0, 0], [0, 1, 0, 0], "u must have 4 components"),
])
def test_planes_without_area_are_refused(u, v, message):
    with pytest.raises(MetricError, match=message):
        black_hole().sectional_curvature(u, v)


@pytest.mark.parametrize("metric", [kerr, universe, crooked], ids=lambda f: f.__name__)
def test_the_metric_is_constant_for_the_connection(metric):
    metric = metric()
    assert not any(sp.flatten(metric.covariant_derivative(metric.matrix, "ll")))
    assert not any(sp.flatten(metric.covariant_derivative(metric.inverse(), "uu")))


def test_covariant_derivatives_commute_up_to_curvature():
    """A^m_{;a;b} - A^m_{;b;a} = -R^m_{n a b} A^n for a field with undetermined components."""
    metric = sphere()
    field = [sp.Function(name)(THETA, PHI) for name in ("A", "B")]
    second = metric.covariant_derivative(metric.covariant_derivative(field, "u"))
    riemann = metric.riemann_tensor()
    assert second.indices == "ull"
    for m, a, b in itertools.product(range(2), repeat=3):
        assert zero(second[m, a, b] - second[m, b, a] + sum(riemann[m, n, a, b] * field[n] for n in range(2)))


def test_rotations_of_the_sphere_are_killing_fields():
    metric = sphere()
    rotation = metric.matrix * sp.Matrix([-sin(PHI), -cos(PHI) * cos(THETA) / sin(THETA)])
    derivative = metric.covariant_derivative(list(rotation), "l")
    assert any(sp.flatten(derivative))
    for a, b in itertools.product(range(2), repeat=2):
        assert zero(derivative[a, b] + derivative[b, a])


def test_covariant_derivative_of_scalars_and_products():
    metric = crooked()
    f = X * sin(Y) + Z
    gradient = metric.covariant_derivative(f, "")
    assert list(gradient) == [f.diff(x) for x in (X, Y, Z)]
    mixed = sp.Array([[X, Y, 0], [Z, 1, X], [0, X * Y, Z]])
    left = metric.covariant_derivative(f * mixed, "ul")
    right = metric.covariant_derivative(mixed, "ul")
    for i in itertools.product(range(3), repeat=3):
        assert zero(left[i] - f * right[i] - gradient[i[2]] * mixed[i[:2]])


def test_covariant_derivative_outside_the_exact_field():
    derivative = sphere().covariant_derivative([sp.atan(THETA), 0], "u")
    assert zero(derivative[0, 0] - 1 / (1 + THETA**2))
    assert zero(derivative[1, 1] - sp.atan(THETA) * cos(THETA) / sin(THETA))


@pytest.mark.parametrize("tensor, indices, message", [
    ([1, 2], "x", "letters u and l"), ([1, 2], None, "letters u and l"), ([1, 2], "ul", r"shape \(2, 2\)"),
    ([1, 2, 3], "u", r"got shape \(3,\)"), (1, "u", r"got shape \(\)"),
    ("abc", "u", "tensor='abc'"), (["a", "b"], "u", "array of expressions"),
])
def test_indices_must_fit(tensor, indices, message):
    with pytest.raises(MetricError, match=message):
        sphere().covariant_derivative(tensor, indices)


@pytest.mark.parametrize("metric", [kerr, universe, crooked, charged_hole], ids=lambda f: f.__name__)
def test_second_bianchi_identity(metric):
    residual = metric().bianchi_residual()
    assert residual.shape == (metric().n,) * 5
    assert not any(sp.flatten(residual))


def test_second_bianchi_identity_term_by_term():
    """The same sum, made of covariant derivatives that are not zero one by one."""
    derivative = crooked().covariant_derivative(crooked().riemann_tensor(lowered=True))
    assert derivative[0, 1, 0, 1, 2] != 0
    point = {X: sp.Rational(1, 3), Y: sp.Rational(2, 5), Z: sp.Rational(-1, 4)}
    values = derivative.subs(point)
    for a, b, c, d, e in itertools.product(range(3), repeat=5):
        assert values[a, b, c, d, e] + values[a, b, d, e, c] + values[a, b, e, c, d] == 0


def test_first_bianchi_identity_in_four_dimensions():
    riemann = kerr().riemann_tensor(lowered=True)
    assert riemann[0, 1, 2, 3] != 0
    for a, b, c, d in itertools.product(range(4), repeat=4):
        assert zero(riemann[a, b, c, d] + riemann[a, c, d, b] + riemann[a, d, b, c])
        assert riemann[a, b, c, d] == riemann[c, d, a, b]


# How they are shown

def algebraic_curvature(n):
    """A tensor with the symmetries of R_{abcd} and no more: product of two random symmetric matrices."""
    rng = random.Random(n)
    h, k = ([[rng.randint(1, 10**6) for _ in range(n)] for _ in range(n)] for _ in range(2))
    h, k = ([[m[min(i, j)][max(i, j)] for j in range(n)] for i in range(n)] for m in (h, k))
    return [
        h[a][c] * k[b][d] + h[b][d] * k[a][c] - h[a][d] * k[b][c] - h[b][c] * k[a][d]
        for a, b, c, d in itertools.product(range(n), repeat=4)
    ]


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
def test_number_of_independent_components(n):
    names = {"symbol": "R", "coords": sp.symbols(f"x:{n}"), "indices": "llll", "cyclic": True}
    symmetries = [((1, 0, 2, 3), -1), ((0, 1, 3, 2), -1), ((2, 3, 0, 1), 1)]
    tensor = Tensor(algebraic_curvature(n), (n,) * 4, symmetries=symmetries, **names)
    assert len(tensor.independent_components()) == n**2 * (n**2 - 1) // 12


def test_components_are_listed():
    metric = sphere()
    assert str(metric.riemann_tensor()) == "R^theta_phi theta phi = sin(theta)**2\nR^phi_theta theta phi = -1"
    assert repr(metric.ricci_tensor()) == "R_theta theta = 1\nR_phi phi = sin(theta)**2"
    assert str(metric.covariant_derivative([0, sin(THETA)], "u")) == (
        "A^theta_;phi = -sin(theta)**2*cos(theta)\nA^phi_;theta = 2*cos(theta)")
    assert str(black_hole().ricci_tensor()) == "R = 0"
    assert str(metric.covariant_derivative(metric.riemann_tensor())) == "R = 0"


def test_components_in_latex():
    metric = sphere()
    text = metric.christoffel_symbols()._repr_latex_()
    assert text.startswith(r"$\displaystyle \begin{aligned}") and text.endswith(r"\end{aligned}$")
    assert r"\Gamma^{\theta}{}_{\phi \phi} &= - \sin{\left(\theta \right)} \cos{\left(\theta \right)}\\" in text
    assert text.count("&=") == 2  # the third one is the second by symmetry
    assert sp.latex(black_hole().ricci_tensor()) == "\\begin{aligned}\nR &= 0\n\\end{aligned}"


def test_results_are_arrays():
    tensor = sphere().riemann_tensor()
    plain = sp.ImmutableDenseNDimArray(list(tensor), tensor.shape)
    assert tensor == plain and plain == tensor
    assert str(tensor[0]) == str(plain[0]) and sp.latex(tensor[0]) == sp.latex(plain[0])
    assert (tensor + plain)[0, 1, 0, 1] == 2 * sin(THETA)**2
    assert tensor.subs(THETA, 0) == plain.subs(THETA, 0)
    assert tensor.diff(THETA) == plain.diff(THETA)
    assert tensor[0].indices is None and tensor[0].symbol is None
    copy = pickle.loads(pickle.dumps(tensor))
    assert copy == tensor and str(copy) == str(tensor) and copy.indices == "ulll"


def test_undecorated_tensors_list_all_components():
    assert Tensor([1, 0, 2, 0], (2, 2)).independent_components() == {(0, 0): 1, (1, 0): 2}


@pytest.mark.parametrize("build", [
    black_hole, sphere, tilted, lambda: hyperbolic_space(3), lambda: Metric((X, Y), sp.diag(exp(X), exp(Y))),
])
def test_plain_sympy_agrees(build):
    exact = build()
    with forced_engine("sympy.simplify"):
        plain = Metric(exact.coords, exact.matrix, exact.params)
    assert (exact.engine == "sympy.simplify", plain.engine) == (False, "sympy.simplify")
    assert all(zero(component) for component in sp.flatten(exact.riemann_tensor() - plain.riemann_tensor()))
    assert all(zero(component) for component in sp.flatten(exact.einstein_tensor() - plain.einstein_tensor()))
    assert zero(exact.kretschmann_scalar() - plain.kretschmann_scalar())
    assert not any(sp.flatten(plain.covariant_derivative(plain.matrix, "ll")))
