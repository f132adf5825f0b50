"""Our tensors against those of einsteinpy, and of sympy.diffgeom, on the spaces of the catalogue.

einsteinpy is optional: its tests are skipped when it is missing, unless the environment variable PEERS is set; then
they fail. sympy.diffgeom shares no code with :mod:`derivations.riemann`. It leaves the components as they come, so it
takes seconds for Kerr, and they are compared in numbers; it knows no undetermined functions.
"""
import importlib
import os

import numpy as np
import pytest
import sympy as sp
from sympy import diffgeom

from derivations.riemann import spaces
from derivations.riemann.conventions import from_convention

# einsteinpy simplifies every component: 10 s for the bump; for these two it was stopped after minutes.
TOO_LONG = {"gaussian_bump", "kerr", "kerr_newman"}
NAMES = [make.__name__ for make in spaces.SPACES]
# Formulas for the undetermined functions of the catalogue, put in when the tensors are done.
FORMULAS = {"a": lambda t: t**2 + 1 / t, "H": lambda u, x, y: (1 + u**2) * x**2 - x * y + sp.sin(y)}


def peer(name):
    """The module ``name``; skips when it is missing, fails instead when PEERS is set."""
    return importlib.import_module(name) if os.environ.get("PEERS") else pytest.importorskip(name)


def in_numbers(metric, tensor):
    """Components of a tensor at two points of the chart, shape (2, number of components)."""
    components = sp.flatten([tensor.tolist() if hasattr(tensor, "tolist") else tensor])
    components = [sp.sympify(component) for component in components]
    for name, formula in FORMULAS.items():
        for applied in metric.matrix.atoms(sp.core.function.AppliedUndef):
            if applied.func.__name__ == name:
                components = [component.subs(applied, formula(*applied.args)).doit() for component in components]
    rng = np.random.default_rng(3)
    function = sp.lambdify((*metric.coords, *metric.params), components, "numpy", cse=True)
    # M = 0.2 and a, Q below: every chart of the catalogue contains these points, or the formulas go on beyond it.
    params = [{"R": 2.0, "M": 0.2, "a": 0.13, "Q": 0.11}.get(symbol.name, 1.3) for symbol in metric.params]
    return np.array([function(*rng.uniform(0.55, 0.95, metric.n), *params) for _ in range(2)], dtype=float)


def check(metric, tensor, theirs):
    """Both tensors, in our convention, agree at points of the chart."""
    ours, theirs = in_numbers(metric, tensor), in_numbers(metric, theirs)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-9 * max(1, np.abs(ours).max()))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in TOO_LONG])
def test_einsteinpy(name):
    einsteinpy = peer("einsteinpy.symbolic")
    metric = spaces.named(name).metric
    theirs = einsteinpy.MetricTensor(metric.matrix.tolist(), metric.coords)
    christoffel = einsteinpy.ChristoffelSymbols.from_metric(theirs)
    riemann = einsteinpy.RiemannCurvatureTensor.from_christoffels(christoffel)
    ricci = einsteinpy.RicciTensor.from_riemann(riemann)
    check(metric, metric.christoffel_symbols(), christoffel.tensor())
    check(metric, metric.riemann_tensor(), from_convention(riemann.tensor(), "mtw"))
    check(metric, metric.ricci_tensor(), from_convention(ricci.tensor(), "mtw", "ricci"))
    scalar = einsteinpy.RicciScalar.from_riccitensor(ricci).expr
    check(metric, metric.ricci_scalar(), from_convention(scalar, "mtw", "ricci_scalar"))


@pytest.mark.parametrize("name", ["schwarzschild", "reissner_nordstrom", "flrw", "goedel", "pp_wave"])
def test_weyl_and_einstein_tensor_of_einsteinpy(name):
    einsteinpy = peer("einsteinpy.symbolic")
    metric = spaces.named(name).metric
    theirs = einsteinpy.MetricTensor(metric.matrix.tolist(), metric.coords)
    einstein = einsteinpy.EinsteinTensor.from_metric(theirs)
    check(metric, metric.einstein_tensor(), from_convention(einstein.tensor(), "mtw", "einstein"))
    weyl = einsteinpy.WeylTensor.from_metric(theirs)
    if weyl.config != "llll":
        weyl = weyl.change_config("llll")
    check(metric, metric.weyl_tensor(lowered=True), from_convention(weyl.tensor(), "mtw", "riemann_lowered"))


def with_diffgeom(metric):
    """Riemann tensor by sympy.diffgeom, with our symbols in the place of its coordinate functions."""
    n = metric.n
    patch = diffgeom.Patch("P", diffgeom.Manifold("M", n))
    system = diffgeom.CoordSystem("C", patch, metric.coords)
    scalars, forms = system.base_scalars(), system.base_oneforms()
    there, back = dict(zip(metric.coords, scalars)), dict(zip(scalars, metric.coords))
    form = sum(metric.matrix[a, b].xreplace(there) * diffgeom.TensorProduct(forms[a], forms[b])
               for a in range(n) for b in range(n))
    riemann = diffgeom.metric_to_Riemann_components(form)
    return sp.Array([component.xreplace(back) for component in sp.flatten(riemann.tolist())], riemann.shape)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("flrw", "pp_wave")])
def test_diffgeom(name):
    if name in ("gaussian_bump", "kerr_newman") and not os.environ.get("PEERS"):
        pytest.skip("takes 5 to 10 s, so only with PEERS")
    metric = spaces.named(name).metric
    check(metric, metric.riemann_tensor(), from_convention(with_diffgeom(metric), "mtw"))
