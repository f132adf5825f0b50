"""The catalogue: closed forms of the literature, identities, limits of the charts, and what is refused."""
import inspect
import itertools
import pickle

import numpy as np
import pytest
import sympy as sp

from derivations.riemann import ChartError, MetricError, ParameterError, Space, spaces


def coasting(t):
    """A scale factor without symmetry: nothing vanishes by accident."""
    return t**sp.Rational(2, 3) + t**2 / 5


# Every space of the catalogue as it comes, and all choices; undetermined functions also with a formula.
SPACES = {make.__name__: make() for make in spaces.SPACES} | {
    "n_sphere(5)": spaces.n_sphere(5),
    "hyperbolic_space(5)": spaces.hyperbolic_space(5),
    "flrw(-1)": spaces.flrw(-1, coasting),
    "flrw(0)": spaces.flrw(0, coasting),
    "flrw(1)": spaces.flrw(1, coasting),
    "pp_wave(H)": spaces.pp_wave(lambda u, x, y: (1 + u**2) * x**2 - 3 * x * y + y**4),
}
ALL = pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
UNDETERMINED = sp.core.function.AppliedUndef
NUMERIC = {name: space for name, space in SPACES.items() if not space.metric.matrix.atoms(UNDETERMINED)}
WITH_NUMBERS = pytest.mark.parametrize("space", NUMERIC.values(), ids=NUMERIC)


def values(space):
    """Parameters that are not the default ones."""
    return {name: 1.1 * value if value else 0.3 for name, value in space.defaults}


def points(space, count=4):
    """Points inside of the chart, shape (count, n)."""
    rng, columns = np.random.default_rng(5), []
    for low, high in space.numeric(**values(space)).limits:
        share = rng.uniform(0.15, 0.85, count)
        if np.isfinite([low, high]).all():
            columns.append(low + share * (high - low))
        else:
            columns.append(low + 0.3 + 1.5 * share if np.isfinite(low) else 2 * share - 1)
    return np.stack(columns, axis=-1)


class Definition:
    """Tensors at one point from the definition, with numbers: g and its derivatives, nothing simplified."""

    def __init__(self, space, x):
        metric = space.metric
        replaced = dict(zip(metric.coords, map(sp.Float, x)))
        replaced |= {symbol: sp.Float(values(space)[symbol.name]) for symbol in metric.params}
        n = metric.n

        def number(expression):
            return float(sp.N(expression.subs(replaced)))

        g, dg, ddg = np.zeros((n,) * 2), np.zeros((n,) * 3), np.zeros((n,) * 4)
        for a, b in itertools.combinations_with_replacement(range(n), 2):
            component = metric.matrix[a, b]
            g[a, b] = g[b, a] = number(component)
            for c in range(n):
                first = component.diff(metric.coords[c])
                dg[a, b, c] = dg[b, a, c] = number(first)
                for d in range(n):
                    ddg[a, b, c, d] = ddg[b, a, c, d] = number(first.diff(metric.coords[d])) if first != 0 else 0.0
        self.g, self.dg, self.inverse = g, dg, np.linalg.inv(g)
        lower = (dg.transpose(0, 2, 1) + dg - dg.transpose(2, 0, 1)) / 2  # [m, a, b]: g_mb,a + g_ma,b - g_ab,m
        dlower = (ddg.transpose(0, 2, 1, 3) + ddg - ddg.transpose(2, 0, 1, 3)) / 2
        dinverse = -np.einsum("am,mnc,nb->abc", self.inverse, dg, self.inverse)
        self.christoffel = np.einsum("mn,nab->mab", self.inverse, lower)
        derivative = np.einsum("mnc,nab->mabc", dinverse, lower) + np.einsum("mn,nabc->mabc", self.inverse, dlower)
        half = derivative.transpose(0, 1, 3, 2) + np.einsum("mnb,nac->mabc", self.christoffel, self.christoffel)
        self.riemann = half - half.transpose(0, 1, 3, 2)
        self.lowered = np.einsum("mn,nabc->mabc", g, self.riemann)
        self.ricci = np.einsum("aman->mn", self.riemann)
        self.ricci_scalar = np.sum(self.inverse * self.ricci)
        self.size = np.abs(self.frame(self.lowered)).max()

    def frame(self, tensor):
        """Lower indices taken in a frame with g = diag(+-1): sizes that do not depend on the coordinates."""
        eigenvalues, vectors = np.linalg.eigh(self.g)
        legs = vectors / np.sqrt(np.abs(eigenvalues))
        for _ in range(tensor.ndim):
            tensor = np.tensordot(tensor, legs, axes=(0, 0))
        return tensor

    def raised(self, tensor):
        """All lower indices raised."""
        for _ in range(tensor.ndim):
            tensor = np.tensordot(tensor, self.inverse, axes=(0, 0))
        return tensor

    def wedge(self, h, k):
        """h_ac k_bd - h_ad k_bc, symmetrised in h and k: with h = k = g twice the curvature of constant curvature 1."""
        product = np.einsum("ac,bd->abcd", h, k) + np.einsum("ac,bd->abcd", k, h)
        return product - product.transpose(0, 1, 3, 2)

    @property
    def weyl(self):
        n, schouten = len(self.g), self.ricci - self.ricci_scalar * self.g / (2 * (len(self.g) - 1))
        return self.lowered - self.wedge(self.g, schouten) / (n - 2)

    def facts(self):
        """What the typed-in facts speak of: the measured value, and the value that a fact with the number f claims."""
        return {
            "gauss_curvature": (self.lowered[0, 1, 0, 1] / np.linalg.det(self.g[:2, :2]), lambda f: f),
            "ricci_scalar": (self.ricci_scalar, lambda f: f),
            "ricci_squared": (np.sum(self.raised(self.ricci) * self.ricci), lambda f: f),
            "kretschmann_scalar": (np.sum(self.raised(self.lowered) * self.lowered), lambda f: f),
            "ricci_tensor": (self.ricci, lambda f: f),
            "sectional_curvature": (self.lowered, lambda f: f * self.wedge(self.g, self.g) / 2),
            "einstein_constant": (self.ricci, lambda f: f * self.g),
            "ricci_flat": (self.ricci, lambda f: 0 * self.g),
            "conformally_flat": (self.weyl if len(self.g) > 2 else None, lambda f: 0 * self.lowered),
        }


def fact_at(space, fact, x):
    if fact is True:
        return fact
    metric = space.metric
    replaced = dict(zip(metric.coords, x)) | {symbol: values(space)[symbol.name] for symbol in metric.params}
    numbers = np.array(sp.Matrix([fact]).subs(replaced).evalf().tolist(), dtype=float)
    return numbers if isinstance(fact, sp.MatrixBase) else numbers[0, 0]


@WITH_NUMBERS
def test_closed_forms_of_the_literature_by_the_definition(space):
    for x in points(space, 2):
        measured = Definition(space, x)
        facts = measured.facts()
        assert space.known
        for key, fact in space.known.items():
            value, claim = facts[key]
            powers = 2 if key in ("kretschmann_scalar", "ricci_squared") else 1
            expected = claim(fact_at(space, fact, x))
            scale = max(measured.size**powers, 1e-3)
            if np.ndim(value):
                value, expected = measured.frame(np.asarray(value)), measured.frame(np.asarray(expected))
            np.testing.assert_allclose(value, expected, rtol=0, atol=1e-9 * scale, err_msg=f"{key} at {x}")


def is_zero(expression):
    return expression == 0 or sp.simplify(expression) == 0


@ALL
def test_closed_forms_of_the_literature_exactly(space):
    metric, known = space.metric, space.known
    scalars = {"gauss_curvature": "gauss_curvature", "ricci_scalar": "ricci_scalar",
               "kretschmann_scalar": "kretschmann_scalar"}
    for key in scalars.keys() & known.keys():
        assert is_zero(getattr(metric, scalars[key])() - known[key]), key
    ricci = sp.Matrix(metric.n, metric.n, list(sp.flatten(metric.ricci_tensor())))
    if "ricci_flat" in known:
        assert ricci.is_zero_matrix
    if "ricci_tensor" in known:
        assert all(map(is_zero, ricci - known["ricci_tensor"]))
    if "einstein_constant" in known:
        assert all(map(is_zero, ricci - known["einstein_constant"] * metric.matrix))
    if "conformally_flat" in known:
        assert not any(sp.flatten(metric.weyl_tensor()))


@ALL
def test_identities_exactly(space):
    metric, n = space.metric, space.n
    lowered = metric.riemann_tensor(lowered=True)
    for a, b, c, d in itertools.product(range(n), repeat=4):
        assert lowered[a, b, c, d] == -lowered[b, a, c, d] == -lowered[a, b, d, c] == lowered[c, d, a, b]
    for a, b, c, d in itertools.combinations(range(n), 4):  # all other cyclic sums follow from the lines above
        assert is_zero(lowered[a, b, c, d] + lowered[a, c, d, b] + lowered[a, d, b, c])
    assert not any(sp.flatten(metric.covariant_derivative(metric.matrix, "ll")))
    assert not any(sp.flatten(metric.bianchi_residual()))


@WITH_NUMBERS
def test_tensors_in_numbers_are_those_of_the_definition(space):
    numeric, x = space.numeric(**values(space)), points(space)
    riemann, lowered = numeric.riemann_tensor(x), numeric.riemann_tensor(x, lowered=True)
    for i, at in enumerate(x):
        expected = Definition(space, at)
        np.testing.assert_allclose(numeric.metric(at), expected.g, rtol=1e-12, atol=1e-14)
        size = max(np.abs(expected.christoffel).max(), 1)
        np.testing.assert_allclose(numeric.christoffel_symbols(at), expected.christoffel, rtol=1e-9, atol=1e-11 * size)
        size = max(np.abs(expected.riemann).max(), size**2)
        np.testing.assert_allclose(riemann[i], expected.riemann, rtol=1e-9, atol=1e-11 * size)
        np.testing.assert_allclose(lowered[i], expected.lowered, rtol=1e-9, atol=1e-11 * size)


@WITH_NUMBERS
def test_identities_in_numbers(space):
    numeric, x = space.numeric(**values(space)), points(space, 2)
    lowered = numeric.riemann_tensor(x, lowered=True)
    cyclic = lowered + np.einsum("...abcd->...acdb", lowered) + np.einsum("...abcd->...adbc", lowered)
    size = max(np.abs(lowered).max(), 1)
    for residual in (cyclic, lowered + lowered.swapaxes(-4, -3), lowered + lowered.swapaxes(-2, -1),
                     lowered - np.einsum("...abcd->...cdab", lowered)):
        assert np.abs(residual).max() <= 1e-10 * size
    # g_ab;c = 0, with central differences of g
    h = 1e-5 * np.eye(space.n)
    difference = np.stack([numeric.metric(x + step) - numeric.metric(x - step) for step in h], axis=-1) / 2e-5
    mixed = np.einsum("...nac,...nb->...abc", numeric.christoffel_symbols(x), numeric.metric(x))
    assert np.abs(difference - mixed - mixed.swapaxes(-3, -2)).max() <= 1e-6 * max(1, np.abs(mixed).max())


@pytest.mark.parametrize("name", ["torus", "saddle", "three_sphere", "schwarzschild", "kerr", "goedel", "flrw(1)"])
def test_second_bianchi_identity_in_numbers(name):
    space = SPACES[name]
    numeric, x, step = space.numeric(**values(space)), points(space, 1)[0], 1e-4
    gamma, riemann = numeric.christoffel_symbols(x), numeric.riemann_tensor(x, lowered=True)
    steps = step * np.eye(space.n)
    derivative = np.stack([
        numeric.riemann_tensor(x + h, lowered=True) - numeric.riemann_tensor(x - h, lowered=True) for h in steps
    ], axis=-1) / (2 * step)
    for axis in range(4):
        moved = np.einsum("n...,nae->...ae", np.moveaxis(riemann, axis, 0), gamma)
        derivative -= np.moveaxis(moved, -2, axis)
    cyclic = derivative + np.einsum("abcde->abdec", derivative) + np.einsum("abcde->abecd", derivative)
    assert np.abs(cyclic).max() <= 2e-6 * max(1, np.abs(derivative).max())


@pytest.mark.parametrize("n, count", [(2, 1), (3, 6), (4, 20), (5, 50)])
def test_number_of_independent_components(n, count):
    """n^2 (n^2 - 1)/12: the rank of the tensors R_abcd that arbitrary second derivatives of g make at a point."""
    assert count == n**2 * (n**2 - 1) // 12
    tensors = []
    pairs = list(itertools.combinations_with_replacement(range(n), 2))
    for (a, b), (c, d) in itertools.product(pairs, repeat=2):
        ddg = np.zeros((n,) * 4)
        for i, k in itertools.product(((a, b), (b, a)), ((c, d), (d, c))):
            ddg[(*i, *k)] = 1
        riemann = (np.einsum("adbc->abcd", ddg) + np.einsum("bcad->abcd", ddg)
                   - np.einsum("acbd->abcd", ddg) - np.einsum("bdac->abcd", ddg))
        tensors.append(riemann.ravel())
    assert np.linalg.matrix_rank(np.array(tensors)) == count


@pytest.mark.parametrize("name", ["kerr", "kerr_newman", "n_sphere(5)", "hyperbolic_space(5)", "goedel"])
def test_shown_components_are_at_most_the_independent_ones(name):
    metric, n = SPACES[name].metric, SPACES[name].n
    shown = metric.riemann_tensor(lowered=True).independent_components()
    assert 0 < len(shown) <= n**2 * (n**2 - 1) // 12


# One space as a special case of another

@pytest.mark.parametrize("general, replaced, special", [
    ("kerr_newman", {"Q": 0}, "kerr"),
    ("kerr_newman", {"a": 0}, "reissner_nordstrom"),
    ("kerr", {"a": 0}, "schwarzschild"),
    ("reissner_nordstrom", {"Q": 0}, "schwarzschild"),
])
def test_special_cases(general, replaced, special):
    general, special = SPACES[general].metric, SPACES[special].metric
    symbols = {symbol: replaced[symbol.name] for symbol in general.params if symbol.name in replaced}
    assert general.coords == special.coords
    assert (general.matrix.subs(symbols) - special.matrix).applyfunc(sp.cancel).is_zero_matrix


def test_dimensions_are_free():
    assert spaces.hyperbolic_space(2).metric.matrix[0, 0] == 1 / spaces.hyperbolic_space(2).metric.coords[1]**2
    assert spaces.n_sphere(2).known["gauss_curvature"] == spaces.sphere().known["gauss_curvature"]
    assert spaces.n_sphere(6).metric.ricci_scalar() == spaces.n_sphere(6).known["ricci_scalar"]
    for wrong in (1, 0, 2.5, "three"):
        with pytest.raises(ParameterError, match="n must be a whole number from 2 upwards"):
            spaces.n_sphere(wrong)
        with pytest.raises(ParameterError, match="n must be a whole number"):
            spaces.hyperbolic_space(wrong)


def test_de_sitter_space_is_an_expanding_universe():
    """a = cosh t and k = 1 is de Sitter space of radius 1, in other coordinates."""
    metric = spaces.flrw(1, sp.cosh).metric
    einstein = sp.Matrix(4, 4, list(sp.flatten(metric.einstein_tensor())))
    assert all(map(is_zero, einstein + 3 * metric.matrix))
    assert metric.kretschmann_scalar() == 24


def test_vacuum_waves():
    vacuum = spaces.pp_wave(lambda u, x, y: sp.cos(u) * (x**2 - y**2))
    assert vacuum.metric.ricci_tensor().independent_components() == {}
    assert vacuum.metric.riemann_tensor(lowered=True).independent_components() != {}


def test_wrong_curvature_of_space_is_refused():
    with pytest.raises(ParameterError, match="k must be -1, 0 or 1, got k=2"):
        spaces.flrw(2)


# Charts

@WITH_NUMBERS
def test_signature_is_that_of_the_metric(space):
    for g in space.numeric(**values(space)).metric(points(space)):
        assert (np.linalg.eigvalsh(g) < 0).sum() == space.times == space.signature.count("-")
    assert len(space.signature) == space.n


@ALL
def test_every_parameter_has_a_default_and_every_coordinate_limits(space):
    assert [name for name, _ in space.defaults] == [symbol.name for symbol in space.metric.params]
    assert len(space.limits) == len(space.periods) == space.n
    assert not sp.Matrix(space.limits).free_symbols - set(space.metric.params)


@WITH_NUMBERS
def test_metric_has_the_periods_of_its_angles(space):
    numeric, x = space.numeric(), points(space)
    for axis, period in enumerate(space.periods):
        if period is not None:
            moved = x + float(period) * np.eye(space.n)[axis]
            np.testing.assert_allclose(numeric.metric(moved), numeric.metric(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("make, params, axis, low, high", [
    (spaces.schwarzschild, {"M": 3.0}, 1, 6.0, np.inf),
    (spaces.kerr, {"M": 1.0, "a": 0.6}, 1, 1.8, np.inf),
    (spaces.kerr, {"M": 1.0, "a": -0.6}, 1, 1.8, np.inf),
    (spaces.reissner_nordstrom, {"M": 1.0, "Q": 0.8}, 1, 1.6, np.inf),
    (spaces.kerr_newman, {"M": 1.0, "a": 0.48, "Q": 0.64}, 1, 1.6, np.inf),
    (spaces.de_sitter, {"L": 2.0}, 1, 0.0, 2.0),
    (lambda: spaces.flrw(scale_factor=sp.exp), {"k": 0.25}, 1, 0.0, 2.0),
    (lambda: spaces.flrw(scale_factor=sp.exp), {"k": -1.0}, 1, 0.0, np.inf),
    (spaces.eddington_finkelstein, {}, 1, 0.0, np.inf),
    (spaces.hyperbolic_disk, {}, 0, 0.0, 1.0),
])
def test_limits_of_the_chart_follow_the_parameters(make, params, axis, low, high):
    numeric = make().numeric(**params)
    assert numeric.limits[axis] == pytest.approx((low, high))
    x = np.where(np.arange(make().n) == axis, low + min(high - low, 1) / 2, 1.0)
    numeric.metric(x)
    for outside in (low - 0.01, low, high, high + 0.01):
        if np.isfinite(outside):
            with pytest.raises(ChartError, match="is not in the chart|is not finite|is singular"):
                numeric.metric(np.where(np.arange(make().n) == axis, outside, x))


def test_the_horizon_is_no_boundary_for_falling_coordinates():
    assert np.isfinite(spaces.eddington_finkelstein().numeric().riemann_tensor([0.0, 2.0, 1.0, 0.0])).all()


@pytest.mark.parametrize("make, params, message", [
    (spaces.kerr, {"a": 2.0}, r"sqrt\(M\*\*2 - a\*\*2\) < r < oo is no interval for M=1.0, a=2.0"),
    (spaces.reissner_nordstrom, {"Q": 1.5}, "is no interval"),
    (spaces.sphere, {"r": -1.0}, "r must be positive, got r=-1.0"),
    (spaces.sphere, {"r": 0.0}, "r must be positive"),
    (spaces.sphere, {"R": 1.0}, "unknown parameter R=1.0"),
    (spaces.schwarzschild, {"M": np.nan}, "M must be a finite real number"),
])
def test_parameters_without_a_chart_are_refused(make, params, message):
    with pytest.raises(ParameterError, match=message):
        make().numeric(**params)


@pytest.mark.parametrize("make", [spaces.flrw, spaces.pp_wave])
def test_undetermined_functions_have_no_numbers(make):
    with pytest.raises(ParameterError, match=r"\) has no numerical value"):
        make().numeric().metric(np.ones(4))


# Embeddings

EMBEDDED = {name: space for name, space in NUMERIC.items() if space.embedding}


@pytest.mark.parametrize("space", EMBEDDED.values(), ids=EMBEDDED)
def test_embedding_measures_as_the_metric_does(space):
    """Lengths and angles of differences of nearby embedded points are those of the metric."""
    params, x, step = values(space), points(space), 1e-5
    sides = np.stack([
        (space.embed(x + h, **params) - space.embed(x - h, **params)) / (2 * step) for h in step * np.eye(space.n)
    ], axis=-1)
    measured = np.einsum("...ka,...kb->...ab", sides, sides)
    np.testing.assert_allclose(measured, space.numeric(**params).metric(x), rtol=1e-8, atol=1e-8)
    pushed = np.stack([space.push_forward(x, v, **params) for v in np.eye(space.n)], axis=-1)
    np.testing.assert_allclose(pushed, sides, rtol=1e-8, atol=1e-8)
    if space.n == 2:
        assert space.mesh(shape=(3, 4)).shape == (3, 4, 3)


def test_what_has_no_embedding_says_so():
    with pytest.raises(ChartError, match="half-plane has no embedding"):
        spaces.half_plane().embed([0.0, 1.0])
    with pytest.raises(ParameterError, match="unknown parameter q=1.0"):
        spaces.sphere().embed([1.0, 1.0], q=1.0)


# The catalogue

def test_spaces_are_found_by_name():
    for make in spaces.SPACES:
        assert spaces.named(make.__name__) is make()
        assert spaces.named(" " + make.__name__.upper().replace("_", "-")) is make()
        assert make.__name__ in spaces.__all__
    assert spaces.SPACES[:len(spaces.CATALOGUE)] == spaces.CATALOGUE
    assert spaces.named("n sphere", n=5).n == 5
    assert spaces.named("flrw", k=1) is spaces.flrw(k=1)


@pytest.mark.parametrize("name, options, message", [
    ("kerrr", {}, "name='kerrr'; did you mean 'kerr'"),
    ("reissner nordström", {}, "did you mean 'reissner_nordstrom'"),
    ("qqq", {}, "there are plane, polar_plane, .*, pp_wave"),
    ("", {}, "there are plane"),
    ("__class__", {}, "no space has the name"),
    ("sphere", {"n": 3}, "sphere has no option n=3, only none"),
    ("flrw", {"n": 3}, r"flrw has no option n=3, only \['k', 'scale_factor'\]"),
])
def test_unknown_names_are_refused(name, options, message):
    with pytest.raises(ParameterError, match=message):
        spaces.named(name, **options)


def test_every_space_says_where_its_facts_come_from():
    for make in spaces.SPACES:
        text = inspect.getdoc(make)
        assert "Examples\n--------" in text
        if make().n > 2 and make not in (spaces.euclidean_space, spaces.spherical_space, spaces.minkowski):
            assert "*" in text, make.__name__  # the title of a book or journal


@ALL
def test_spaces_are_frozen_hashable_and_can_be_sent_to_another_process(space):
    copy = pickle.loads(pickle.dumps(space))
    assert copy == space and hash(copy) == hash(space)
    with pytest.raises(AttributeError):
        space.name = "another"


def test_wrong_number_of_limits_is_refused():
    metric = spaces.sphere().metric
    with pytest.raises(MetricError, match="limits must have 2 entries"):
        Space("sphere", metric, limits=((0, 1),))
    with pytest.raises(MetricError, match="periods must have 2 entries"):
        Space("sphere", metric, periods=(None,) * 3)
    plain = Space("sphere", metric)
    assert plain.limits == ((-sp.oo, sp.oo),) * 2 and plain.periods == (None, None) and plain.curvature is None
