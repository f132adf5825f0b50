"""Conventions: every author's own formula, typed in as printed, gives what ``to_convention`` gives."""
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from derivations.riemann import Metric, ParameterError, spaces
from derivations.riemann.conventions import CONVENTIONS, QUANTITIES, from_convention, to_convention


def mtw(G, d, n):
    """Gravitation, (8.44): R^a_bcd = d_c G^a_bd - d_d G^a_bc + G^a_mc G^m_bd - G^a_md G^m_bc."""
    return lambda a, b, c, k: (d(G[a, b, k], c) - d(G[a, b, c], k) + sum(
        G[a, m, c] * G[m, b, k] - G[a, m, k] * G[m, b, c] for m in range(n)))


def weinberg(G, d, n):
    """Gravitation and Cosmology, (6.1.5): R^l_mnk = d_k G^l_mn - d_n G^l_mk + G^h_mn G^l_kh - G^h_mk G^l_nh."""
    return lambda la, mu, nu, ka: (d(G[la, mu, nu], ka) - d(G[la, mu, ka], nu) + sum(
        G[h, mu, nu] * G[la, ka, h] - G[h, mu, ka] * G[la, nu, h] for h in range(n)))


def landau_lifshitz(G, d, n):
    """The Classical Theory of Fields, section 91: R^i_klm = d_l G^i_km - d_m G^i_kl + G^i_nl G^n_km - G^i_nm G^n_kl."""
    return lambda i, k, el, m: (d(G[i, k, m], el) - d(G[i, k, el], m) + sum(
        G[i, p, el] * G[p, k, m] - G[i, p, m] * G[p, k, el] for p in range(n)))


def geomstats(G, d, n):
    """Connection.riemann_tensor: R_ijk^l = d_j G^l_ki - d_k G^l_ji + G^l_jm G^m_ki - G^l_km G^m_ji."""
    return lambda i, j, k, el: (d(G[el, k, i], j) - d(G[el, j, i], k) + sum(
        G[el, j, m] * G[m, k, i] - G[el, k, m] * G[m, j, i] for m in range(n)))


FORMULAS = {"mtw": mtw, "weinberg": weinberg, "landau_lifshitz": landau_lifshitz, "geomstats": geomstats}
# The Ricci tensor of each author: R^l_mln, R^l_mln, R^l_ilk, R_ikj^k; and the sign of the metric of a space-time.
RICCI = {"mtw": (0, 2), "weinberg": (0, 2), "landau_lifshitz": (0, 2), "geomstats": (1, 3)}
SIGNATURE = {"mtw": 1, "weinberg": 1, "landau_lifshitz": -1, "geomstats": 1}
NAMES = pytest.mark.parametrize("name", CONVENTIONS)


def literal(name, metric):
    """The author's metric, Riemann tensor, Ricci tensor and scalar, by the author's own formulas."""
    n, g = metric.n, SIGNATURE[name] * metric.matrix
    theirs = Metric(metric.coords, g, metric.params)

    def d(expression, axis):
        return sp.diff(expression, metric.coords[axis])

    component = FORMULAS[name](theirs.christoffel_symbols(), d, n)
    riemann = sp.Array([component(*index) for index in np.ndindex(*(n,) * 4)], (n,) * 4)
    ricci = sp.tensorcontraction(riemann, RICCI[name])
    inverse = g.inv()
    scalar = sum(inverse[a, b] * ricci[a, b] for a in range(n) for b in range(n))
    return {"metric": g, "riemann": riemann, "ricci": ricci, "ricci_scalar": scalar}


def lowered(name, tensors):
    """The author's Riemann tensor with the upper index lowered at its place."""
    place = 3 if name == "geomstats" else 0
    product = sp.tensorproduct(sp.Array(tensors["metric"]), tensors["riemann"])
    in_front = sp.tensorcontraction(product, (1, 2 + place))
    return sp.permutedims(in_front, (1, 2, 3, 0)) if place else in_front


def without_symmetry():
    x, y, z = sp.symbols("x y z", real=True)
    return Metric((x, y, z), sp.Matrix([[1 + x**2, x * y, 0], [x * y, 2 + z**2, y], [0, y, 3 + x * z]]))


def equal(a, b):
    if not hasattr(a, "shape"):
        return sp.simplify(a - b) == 0
    return a.shape == b.shape and all(sp.simplify(p - q) == 0 for p, q in zip(sp.flatten(a), sp.flatten(b)))


METRICS = {
    "sphere": spaces.sphere().metric, "schwarzschild": spaces.schwarzschild().metric,
    "without symmetry": without_symmetry(),
}


@NAMES
@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_translation_is_what_the_author_writes(name, metric):
    theirs = literal(name, metric)
    ours = {"metric": metric.matrix, "riemann": metric.riemann_tensor(), "ricci": metric.ricci_tensor(),
            "ricci_scalar": metric.ricci_scalar()}
    if metric.n < 4:
        theirs["riemann_lowered"], ours["riemann_lowered"] = lowered(name, theirs), metric.riemann_tensor(lowered=True)
        theirs["einstein"] = theirs["ricci"] - sp.Array(theirs["metric"]) * theirs["ricci_scalar"] / 2
        ours["einstein"] = metric.einstein_tensor()
    for quantity, tensor in ours.items():
        if metric.n == 3:  # rational numbers instead of long fractions
            at = dict(zip(metric.coords, (sp.Rational(1, 3), sp.Rational(2, 5), sp.Rational(-1, 4))))
            tensor, theirs[quantity] = sp.sympify(tensor).subs(at), sp.sympify(theirs[quantity]).subs(at)
        assert equal(to_convention(tensor, name, quantity), theirs[quantity]), quantity
        assert equal(from_convention(theirs[quantity], name, quantity), tensor), quantity


@pytest.mark.parametrize("name, of_space_time, of_positive_metric", [
    ("mtw", 2, 2), ("weinberg", -2, -2), ("landau_lifshitz", -2, 2), ("geomstats", 2, 2),
])
def test_sign_of_the_scalar_curvature_of_the_sphere(name, of_space_time, of_positive_metric, monkeypatch):
    metric = spaces.sphere().metric
    r = metric.params[0]
    assert sp.simplify(literal(name, metric)["ricci_scalar"] - of_space_time / r**2) == 0
    assert to_convention(metric.ricci_scalar(), name, "ricci_scalar") == of_space_time / r**2
    monkeypatch.setitem(SIGNATURE, name, 1)
    assert sp.simplify(literal(name, metric)["ricci_scalar"] - of_positive_metric / r**2) == 0


@NAMES
@pytest.mark.parametrize("quantity", QUANTITIES)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 4), before=st.lists(st.integers(1, 3), max_size=2))
def test_there_and_back(name, quantity, seed, n, before):
    theirs = np.random.default_rng(seed).normal(size=(*before, *(n,) * 4))
    ours = from_convention(theirs, name, quantity)
    assert ours.shape == theirs.shape
    np.testing.assert_array_equal(to_convention(ours, name, quantity), theirs)
    np.testing.assert_array_equal(from_convention(to_convention(theirs, name, quantity), name, quantity), theirs)


@NAMES
def test_sympy_arrays_and_numpy_arrays_agree(name):
    space, x = spaces.sphere(), np.array([[0.7, 0.1], [1.2, 0.3]])
    many = to_convention(space.numeric().riemann_tensor(x), name)
    exact = to_convention(space.metric.riemann_tensor(), name)
    assert isinstance(exact, sp.ImmutableDenseNDimArray) and isinstance(many, np.ndarray)
    for i, (theta, phi) in enumerate(x):
        at = dict(zip(space.metric.coords, (theta, phi)))
        np.testing.assert_allclose(many[i], np.array(exact.subs(at).tolist(), dtype=float), rtol=1e-12, atol=1e-15)


def test_nested_lists_are_arrays():
    assert to_convention([[[[1.0]]]], "weinberg").tolist() == [[[[-1.0]]]]


def test_names_are_forgiving():
    ours = spaces.sphere().metric.ricci_scalar()
    assert to_convention(ours, "Landau-Lifshitz", "ricci_scalar") == -ours


@pytest.mark.parametrize("translate", [to_convention, from_convention])
@pytest.mark.parametrize("tensor, name, quantity, message", [
    (np.zeros((2,) * 4), "wald", "riemann", "name must be one of mtw, .* got name='wald'"),
    (np.zeros((2,) * 4), "mtw", "torsion", "quantity must be one of riemann, .* got quantity='torsion'"),
    (np.zeros((2,) * 3), "mtw", "riemann", r"axes of the same length, got shape \(2, 2, 2\)"),
    (np.zeros((2, 2, 2, 3)), "geomstats", "riemann_lowered", r"got shape \(2, 2, 2, 3\)"),
    (sp.Array.zeros(2, 2, 2), "mtw", "riemann", r"got shape \(2, 2, 2\)"),
    (sp.Array.zeros(1, 2, 2, 2, 2), "mtw", "riemann", r"shape \(n, n, n, n\), got shape \(1, 2, 2, 2, 2\)"),
    (1.0, "mtw", "riemann", r"got shape \(\)"),
])
def test_what_is_refused(translate, tensor, name, quantity, message):
    with pytest.raises(ParameterError, match=message):
        translate(tensor, name, quantity)
