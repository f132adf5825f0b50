r"""A catalogue of spaces: coordinates, metric, chart limits, and the curvature that the textbooks give.

Every function returns a :class:`Space`, and the curvature in its ``known`` is typed in from the literature, not
computed: the tests compare it with the tensors that :class:`~derivations.riemann.Metric` computes. ``CATALOGUE`` holds
the functions of the classical surfaces, ``SPACES`` all of them; :func:`named` finds one by its name.

Space-times have the signature (- + + +), and units in which c = G = 1.
"""
import dataclasses
import difflib
import functools
import inspect
import re
from dataclasses import dataclass, field

import numpy as np
import sympy as sp

from .errors import ChartError, MetricError, ParameterError
from .numeric import FormulaMetric
from .symbolic import Metric

__all__ = [
    "Space", "CATALOGUE", "SPACES", "named", "plane", "polar_plane", "sphere", "cone", "torus", "paraboloid", "saddle",
    "gaussian_bump", "half_plane", "cylinder", "catenoid", "helicoid", "hyperbolic_disk", "hyperbolic_polar",
    "normal_family", "euclidean_space", "spherical_space", "three_sphere", "n_sphere", "hyperbolic_space", "minkowski",
    "schwarzschild", "eddington_finkelstein", "reissner_nordstrom", "kerr", "kerr_newman", "flrw", "de_sitter",
    "anti_de_sitter", "goedel", "pp_wave",
]

REAL_LINE = (-sp.oo, sp.oo)
POSITIVE = (sp.Integer(0), sp.oo)
COLATITUDE = (sp.Integer(0), sp.pi)
TAU = 2 * np.pi


@dataclass(frozen=True)
class Space:
    r"""A space with a name, and what the literature knows about it.

    Attributes
    ----------
    name : str
        As in a sentence: "the sphere".
    metric : Metric
    known : dict
        Facts from the literature, in the coordinates and parameters of the metric. Not every space has every key:

        - ``"gauss_curvature"``, ``"ricci_scalar"``, ``"kretschmann_scalar"``: expressions;
        - ``"ricci_tensor"``: matrix of shape (n, n);
        - ``"ricci_squared"``: :math:`R_{\mu\nu}R^{\mu\nu}`;
        - ``"sectional_curvature"``: K of a space of constant curvature,
          :math:`R_{abcd} = K(g_{ac}g_{bd} - g_{ad}g_{bc})`;
        - ``"einstein_constant"``: the factor in :math:`R_{\mu\nu} = \lambda g_{\mu\nu}`;
        - ``"ricci_flat"``, ``"conformally_flat"``: ``True`` if the Ricci, or the Weyl tensor is zero.
    limits : tuple of n (low, high)
        Open interval of each coordinate; expressions in the parameters. Left out: all real numbers.
    periods : tuple of n (expression or None)
        Period of each coordinate, ``None`` if it is no angle. Left out: all ``None``.
    defaults : tuple of (str, float)
        A value for each parameter.
    times : int
        Number of minus signs of the signature: 0 for a space, 1 for a space-time.
    embedding : tuple of 3 expressions, or None
        Cartesian position, if the space stands in three-dimensional Euclidean space.
    window : pair of pairs of float
        Opposite corners of the coordinate rectangle that is drawn; for surfaces.

    Raises
    ------
    MetricError
        If ``limits`` or ``periods`` have not one entry for each coordinate.

    Examples
    --------
    >>> schwarzschild().signature, schwarzschild().metric.coords
    ('-+++', (t, r, theta, phi))
    >>> schwarzschild().known["kretschmann_scalar"]
    48*M**2/r**6
    """

    name: str
    metric: Metric
    known: dict = field(default_factory=dict, hash=False)
    limits: tuple = ()
    periods: tuple = ()
    defaults: tuple = ()
    times: int = 0
    embedding: tuple | None = None
    window: tuple = ((-1.5, -1.5), (1.5, 1.5))

    def __post_init__(self):
        for name, default in (("limits", REAL_LINE), ("periods", None)):
            entries = tuple(getattr(self, name)) or (default,) * self.n
            if len(entries) != self.n:
                raise MetricError(f"{name} must have {self.n} entries for coords={self.metric.coords}, got {entries}")
            object.__setattr__(self, name, entries)

    @property
    def n(self):
        """Number of dimensions."""
        return self.metric.n

    @property
    def signature(self):
        """Signs of the metric, the minus signs first: ``"-+++"``."""
        return "-" * self.times + "+" * (self.n - self.times)

    @property
    def curvature(self):
        """Gauss curvature of a surface from the literature, ``None`` where there is none."""
        return self.known.get("gauss_curvature")

    def numeric(self, **params) -> FormulaMetric:
        """Metric with numbers for its parameters (defaults where left out), aware of the limits of the chart.

        Parameters
        ----------
        **params : float
            Values by name of parameter.

        Returns
        -------
        FormulaMetric

        Raises
        ------
        ParameterError
            If a parameter is unknown, no finite real number, not positive where it must be, or if the chart has no
            points for these values: a Kerr hole with a > M has no horizon. Also if the metric contains an
            undetermined function.

        Examples
        --------
        >>> sphere().numeric(r=2.0).gauss_curvature([1.0, 0.0]).round(12)
        np.float64(0.25)
        >>> schwarzschild().numeric(M=3.0).limits[1]
        (6.0, inf)
        """
        params = {**dict(self.defaults), **params}
        numeric = self.metric.numeric(**params)
        for symbol in self.metric.params:
            if symbol.is_positive and not params[symbol.name] > 0:
                raise ParameterError(f"{symbol} must be positive, got {symbol}={params[symbol.name]!r}")
        limits = tuple(self._interval(axis, params) for axis in range(self.n))
        periods = tuple(None if period is None else float(period) for period in self.periods)
        return dataclasses.replace(numeric, limits=limits, periods=periods)

    def embed(self, x, **params):
        """Cartesian positions, shape (..., 3), of the points x, shape (..., n).

        Raises
        ------
        ChartError
            If the space has no embedding in the catalogue.

        Examples
        --------
        >>> polar_plane().embed([2.0, 0.0])
        array([2., 0., 0.])
        """
        return self._embedding(x, params)[0]

    def push_forward(self, x, v, **params):
        """Arrows in space, shape (..., 3), of vectors with components v, shape (..., n), at the points x.

        Raises
        ------
        ChartError
            If the space has no embedding in the catalogue.

        Examples
        --------
        >>> polar_plane().push_forward([2.0, 0.0], [0.0, 1.0])
        array([0., 2., 0.])
        """
        return (self._embedding(x, params)[1] @ np.asarray(v, dtype=float)[..., None])[..., 0]

    def arrows(self, x, v, **params):
        """Tails and tips in space, each of shape (..., 3), of vectors with components v at the points x.

        Raises
        ------
        ChartError
            If the space has no embedding in the catalogue.

        Examples
        --------
        >>> tail, tip = polar_plane().arrows([2.0, 0.0], [1.0, 0.0])
        >>> tail, tip
        (array([2., 0., 0.]), array([3., 0., 0.]))
        """
        tails = self.embed(x, **params)
        return tails, tails + self.push_forward(x, v, **params)

    def mesh(self, shape=(15, 25), **params):
        """Grid of Cartesian positions over the window of the space, for drawing: array of shape ``(*shape, 3)``.

        Examples
        --------
        >>> plane().mesh(shape=(2, 3))[1, 2]
        array([1.5, 1.5, 0. ])
        """
        axes = [np.linspace(a, b, count) for a, b, count in zip(*self.window, shape)]
        return self.embed(np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1), **params)

    def _interval(self, axis, params):
        """Limits of a coordinate as numbers."""
        values = {symbol: params[symbol.name] for symbol in self.metric.params}
        interval = [sp.sympify(limit).subs(values) for limit in self.limits[axis]]
        if all(limit.is_extended_real for limit in interval):
            low, high = map(float, interval)
            if low < high:
                return low, high
        low, high = self.limits[axis]
        at = ", ".join(f"{name}={value}" for name, value in params.items())
        raise ParameterError(f"{low} < {self.metric.coords[axis]} < {high} is no interval for {at}")

    def _embedding(self, x, params):
        """Position (..., 3) and its derivatives (..., 3, n)."""
        if self.embedding is None:
            raise ChartError(f"the {self.name} has no embedding in three-dimensional space here")
        self.numeric(**params)  # refuses wrong parameters
        params = {**dict(self.defaults), **params}
        x = np.asarray(x, dtype=float)
        values = [params[symbol.name] for symbol in self.metric.params]
        entries = _embedding_formula(self)(*np.moveaxis(x, -1, 0), *values)
        entries = np.stack([np.broadcast_to(entry, x.shape[:-1]) for entry in entries], axis=-1).astype(float)
        return entries[..., :3], entries[..., 3:].reshape(*x.shape[:-1], 3, self.n)


@functools.cache
def _embedding_formula(space):
    """NumPy function with the 3 components of the position and then the 3 n of its derivatives."""
    position = sp.Matrix(space.embedding)
    entries = [*position, *position.jacobian(sp.Matrix(space.metric.coords))]
    return sp.lambdify((*space.metric.coords, *space.metric.params), entries, modules="numpy", cse=True)


def _embedded(name, coords, xyz, known, **details):
    """Space whose metric comes from its Cartesian position."""
    return Space(name, Metric.from_embedding(coords, xyz), known, embedding=tuple(xyz), **details)


def _graph(name, height, coords, known, **details):
    """Space whose points are (x, y, height)."""
    return _embedded(name, coords, (*coords, height), known, **details)


def _gauss(curvature):
    """What follows for a surface from its Gauss curvature K: scalar 2 K, Kretschmann scalar 4 K^2."""
    curvature = sp.sympify(curvature)
    return {"gauss_curvature": curvature, "ricci_scalar": 2 * curvature, "kretschmann_scalar": 4 * curvature**2}


def _constant(curvature, n):
    """What follows for a space of n dimensions from its constant sectional curvature K (Lee 2018, chapter 8)."""
    curvature = sp.sympify(curvature)
    known = {
        "sectional_curvature": curvature,
        "einstein_constant": (n - 1) * curvature,
        "ricci_scalar": n * (n - 1) * curvature,
        "kretschmann_scalar": 2 * n * (n - 1) * curvature**2,
    }
    return known | ({"gauss_curvature": curvature} if n == 2 else {"conformally_flat": True})


@functools.cache
def plane():
    """Euclidean plane, Cartesian coordinates (x, y); K = 0.

    Examples
    --------
    >>> plane().metric.gauss_curvature()
    0
    """
    coords = sp.symbols("x y", real=True)
    return _graph("plane", sp.Integer(0), coords, _constant(0, 2))


@functools.cache
def polar_plane():
    """Euclidean plane without its origin, polar coordinates (r, phi); K = 0.

    Notes
    -----
    Equation :eq:`eq-riemann-polar` of the book.

    Examples
    --------
    >>> polar_plane().metric.christoffel_symbols()[0, 1, 1]
    -r
    """
    r, phi = sp.Symbol("r", positive=True), sp.Symbol("phi", real=True)
    xyz = (r * sp.cos(phi), r * sp.sin(phi), sp.Integer(0))
    return _embedded("plane in polar coordinates", (r, phi), xyz, _constant(0, 2), limits=(POSITIVE, REAL_LINE),
                     periods=(None, 2 * sp.pi), window=((0.0, 0.0), (1.5, TAU)))


@functools.cache
def sphere():
    r"""Sphere of radius r without its poles, colatitude and longitude :math:`(\theta, \phi)`; :math:`K = 1/r^2`.

    Notes
    -----
    Equation :eq:`eq-riemann-sphere` of the book.

    Examples
    --------
    >>> sphere().metric.riemann_tensor()[0, 1, 0, 1]
    sin(theta)**2
    """
    theta, phi = sp.symbols("theta phi", real=True)
    r = sp.Symbol("r", positive=True)
    xyz = (r * sp.sin(theta) * sp.cos(phi), r * sp.sin(theta) * sp.sin(phi), r * sp.cos(theta))
    return _embedded("sphere", (theta, phi), xyz, _constant(1 / r**2, 2), limits=(COLATITUDE, REAL_LINE),
                     periods=(None, 2 * sp.pi), defaults=(("r", 1.0),), window=((0.0, 0.0), (np.pi, TAU)))


@functools.cache
def cone():
    """Cone without its tip: distance r from the tip along the cone, longitude phi, half-opening angle alpha; K = 0.

    Examples
    --------
    >>> cone().metric.gauss_curvature()
    0
    """
    r, phi = sp.Symbol("r", positive=True), sp.Symbol("phi", real=True)
    alpha = sp.Symbol("alpha", positive=True)
    xyz = (r * sp.sin(alpha) * sp.cos(phi), r * sp.sin(alpha) * sp.sin(phi), -r * sp.cos(alpha))
    return _embedded("cone", (r, phi), xyz, _constant(0, 2), limits=(POSITIVE, REAL_LINE),
                     periods=(None, 2 * sp.pi), defaults=(("alpha", np.pi / 6),), window=((0.0, 0.0), (1.25, TAU)))


@functools.cache
def torus():
    r"""Torus: longitude u, angle v round the tube, :math:`R > r > 0`; :math:`K = \cos v/(r\,(R + r\cos v))`.

    Examples
    --------
    >>> torus().metric.gauss_curvature()
    cos(v)/(r*(R + r*cos(v)))
    """
    u, v = sp.symbols("u v", real=True)
    R, r = sp.symbols("R r", positive=True)
    axis = R + r * sp.cos(v)
    xyz = (axis * sp.cos(u), axis * sp.sin(u), r * sp.sin(v))
    return _embedded("torus", (u, v), xyz, _gauss(sp.cos(v) / (r * axis)), periods=(2 * sp.pi, 2 * sp.pi),
                     defaults=(("R", 2.0), ("r", 1.0)), window=((0.0, 0.0), (TAU, TAU)))


@functools.cache
def paraboloid():
    r"""Paraboloid :math:`z = a\,(x^2 + y^2)/2`; :math:`K = a^2/(1 + a^2(x^2 + y^2))^2`.

    Examples
    --------
    >>> float(paraboloid().numeric(a=2.0).gauss_curvature([0.0, 0.0]))
    4.0
    """
    x, y = sp.symbols("x y", real=True)
    a = sp.Symbol("a", positive=True)
    curvature = a**2 / (1 + a**2 * (x**2 + y**2))**2
    return _graph("paraboloid", a * (x**2 + y**2) / 2, (x, y), _gauss(curvature), defaults=(("a", 1.0),))


@functools.cache
def saddle():
    r"""Saddle :math:`z = a\,(x^2 - y^2)/2`; :math:`K = -a^2/(1 + a^2(x^2 + y^2))^2`.

    Examples
    --------
    >>> float(saddle().numeric(a=2.0).gauss_curvature([0.0, 0.0]))
    -4.0
    """
    x, y = sp.symbols("x y", real=True)
    a = sp.Symbol("a", positive=True)
    curvature = -a**2 / (1 + a**2 * (x**2 + y**2))**2
    return _graph("saddle", a * (x**2 - y**2) / 2, (x, y), _gauss(curvature), defaults=(("a", 1.0),))


@functools.cache
def gaussian_bump():
    r"""Bump :math:`z = h\,e^{-\rho^2/2w^2}`, :math:`\rho^2 = x^2 + y^2`; :math:`K > 0` where :math:`\rho < w`.

    Examples
    --------
    >>> bump = gaussian_bump().numeric(h=1.0, w=1.0)
    >>> [float(k) for k in bump.gauss_curvature([[0.0, 0.0], [1.0, 0.0]]).round(12)]
    [1.0, 0.0]
    """
    x, y = sp.symbols("x y", real=True)
    h, w = sp.symbols("h w", positive=True)
    square = (x**2 + y**2) / w**2
    curvature = h**2 / w**4 * (1 - square) * sp.exp(-square) / (1 + h**2 / w**2 * square * sp.exp(-square))**2
    return _graph("Gaussian bump", h * sp.exp(-square / 2), (x, y), _gauss(curvature),
                  defaults=(("h", 1.0), ("w", 1.0)), window=((-2.4, -2.4), (2.4, 2.4)))


@functools.cache
def half_plane():
    """Hyperbolic plane in Poincare's half-plane, :math:`ds^2 = (dx^2 + dy^2)/y^2`, :math:`y > 0`; :math:`K = -1`.

    Notes
    -----
    Equation :eq:`eq-riemann-half-plane` of the book.

    Examples
    --------
    >>> half_plane().metric.gauss_curvature()
    -1
    """
    x, y = sp.Symbol("x", real=True), sp.Symbol("y", positive=True)
    return Space("half-plane", Metric((x, y), sp.eye(2) / y**2), _constant(-1, 2), limits=(REAL_LINE, POSITIVE))


@functools.cache
def cylinder():
    """Cylinder of radius r: longitude phi and height z; K = 0.

    Examples
    --------
    >>> cylinder().metric.gauss_curvature()
    0
    """
    phi, z = sp.symbols("phi z", real=True)
    r = sp.Symbol("r", positive=True)
    return _embedded("cylinder", (phi, z), (r * sp.cos(phi), r * sp.sin(phi), z), _constant(0, 2),
                     periods=(2 * sp.pi, None), defaults=(("r", 1.0),), window=((0.0, -1.5), (TAU, 1.5)))


@functools.cache
def catenoid():
    r"""Catenoid with the waist c: longitude u, height v; :math:`ds^2 = \cosh^2(v/c)\,(c^2 du^2 + dv^2)`.

    :math:`K = -1/(c^2 \cosh^4(v/c))` (M. P. do Carmo, *Differential Geometry of Curves and Surfaces*, section 3-5).

    Examples
    --------
    >>> float(catenoid().numeric(c=2.0).gauss_curvature([0.0, 0.0]))
    -0.25
    """
    u, v = sp.symbols("u v", real=True)
    c = sp.Symbol("c", positive=True)
    cosh = sp.cosh(v / c)
    return Space("catenoid", Metric((u, v), cosh**2 * sp.diag(c**2, 1), (c,)), _gauss(-1 / (c**2 * cosh**4)),
                 periods=(2 * sp.pi, None), defaults=(("c", 1.0),),
                 embedding=(c * cosh * sp.cos(u), c * cosh * sp.sin(u), v), window=((0.0, -1.5), (TAU, 1.5)))


@functools.cache
def helicoid():
    r"""Helicoid of pitch :math:`2\pi c`: signed distance u from the axis, angle v; :math:`K = -c^2/(u^2 + c^2)^2`.

    M. P. do Carmo, *Differential Geometry of Curves and Surfaces*, section 3-5.

    Examples
    --------
    >>> float(helicoid().numeric(c=2.0).gauss_curvature([0.0, 0.0]))
    -0.25
    """
    u, v = sp.symbols("u v", real=True)
    c = sp.Symbol("c", positive=True)
    return _embedded("helicoid", (u, v), (u * sp.cos(v), u * sp.sin(v), c * v), _gauss(-c**2 / (u**2 + c**2)**2),
                     defaults=(("c", 1.0),), window=((-1.5, 0.0), (1.5, TAU)))


@functools.cache
def hyperbolic_disk():
    r"""Hyperbolic plane in Poincare's disk without its centre, coordinates (r, phi), r < 1; K = -1.

    :math:`ds^2 = 4(dr^2 + r^2 d\phi^2)/(1 - r^2)^2` (J. M. Lee, *Introduction to Riemannian Manifolds*, 2nd
    ed., chapter 3). Polar coordinates, because the limits of a chart are intervals here.

    Examples
    --------
    >>> hyperbolic_disk().metric.gauss_curvature()
    -1
    """
    r, phi = sp.Symbol("r", positive=True), sp.Symbol("phi", real=True)
    return Space("hyperbolic disk", Metric((r, phi), 4 * sp.diag(1, r**2) / (1 - r**2)**2), _constant(-1, 2),
                 limits=((sp.Integer(0), sp.Integer(1)), REAL_LINE), periods=(None, 2 * sp.pi),
                 window=((0.0, 0.0), (0.9, TAU)))


@functools.cache
def hyperbolic_polar():
    r"""Hyperbolic plane around a point, :math:`ds^2 = d\rho^2 + \sinh^2\!\rho\, d\phi^2` (rho: distance); K = -1.

    J. M. Lee, *Introduction to Riemannian Manifolds*, 2nd ed., chapter 10.

    Examples
    --------
    >>> hyperbolic_polar().metric.gauss_curvature()
    -1
    """
    rho, phi = sp.Symbol("rho", positive=True), sp.Symbol("phi", real=True)
    return Space("hyperbolic plane in polar coordinates", Metric((rho, phi), sp.diag(1, sp.sinh(rho)**2)),
                 _constant(-1, 2), limits=(POSITIVE, REAL_LINE), periods=(None, 2 * sp.pi),
                 window=((0.0, 0.0), (1.5, TAU)))


@functools.cache
def normal_family():
    r"""Fisher metric of the normal distributions :math:`N(\mu, \sigma^2)`; :math:`K = -1/2`.

    :math:`ds^2 = (d\mu^2 + 2\,d\sigma^2)/\sigma^2` (S. Amari and H. Nagaoka, *Methods of Information Geometry*, AMS,
    2000, chapter 2).

    Notes
    -----
    Equation :eq:`eq-bridge-fisher` of the book.

    Examples
    --------
    >>> normal_family().metric.gauss_curvature()
    -1/2
    """
    mu, sigma = sp.Symbol("mu", real=True), sp.Symbol("sigma", positive=True)
    return Space("family of normal distributions", Metric((mu, sigma), sp.diag(1, 2) / sigma**2),
                 _constant(-sp.Rational(1, 2), 2), limits=(REAL_LINE, POSITIVE), window=((-1.5, 0.2), (1.5, 2.0)))


@functools.cache
def euclidean_space():
    """Euclidean space of three dimensions, Cartesian coordinates (x, y, z).

    Examples
    --------
    >>> euclidean_space().metric.ricci_scalar()
    0
    """
    coords = sp.symbols("x y z", real=True)
    return _embedded("Euclidean space", coords, coords, _constant(0, 3))


@functools.cache
def spherical_space():
    """Euclidean space of three dimensions without an axis, spherical coordinates: radius r, colatitude, longitude.

    Examples
    --------
    >>> spherical_space().metric.christoffel_symbols()[0, 1, 1]
    -r
    """
    r, theta, phi = sp.Symbol("r", positive=True), *sp.symbols("theta phi", real=True)
    xyz = (r * sp.sin(theta) * sp.cos(phi), r * sp.sin(theta) * sp.sin(phi), r * sp.cos(theta))
    return _embedded("Euclidean space in spherical coordinates", (r, theta, phi), xyz, _constant(0, 3),
                     limits=(POSITIVE, COLATITUDE, REAL_LINE), periods=(None, None, 2 * sp.pi))


@functools.cache
def three_sphere():
    r"""Sphere :math:`S^3` of radius r, angles :math:`(\chi, \theta, \phi)`; sectional curvature :math:`1/r^2`.

    :math:`ds^2 = r^2\big(d\chi^2 + \sin^2\!\chi\,(d\theta^2 + \sin^2\!\theta\,d\phi^2)\big)` (C. W. Misner,
    K. S. Thorne, J. A. Wheeler, *Gravitation*, 1973, section 27.6).

    Examples
    --------
    >>> three_sphere().metric.ricci_scalar()
    6/r**2
    """
    chi, theta, phi = sp.symbols("chi theta phi", real=True)
    r = sp.Symbol("r", positive=True)
    g = r**2 * sp.diag(1, sp.sin(chi)**2, sp.sin(chi)**2 * sp.sin(theta)**2)
    return Space("3-sphere", Metric((chi, theta, phi), g, (r,)), _constant(1 / r**2, 3),
                 limits=(COLATITUDE, COLATITUDE, REAL_LINE), periods=(None, None, 2 * sp.pi), defaults=(("r", 1.0),))


@functools.cache
def n_sphere(n=4):
    r"""Sphere :math:`S^n` of radius r, angles (theta1, ..., theta(n-1), phi); sectional curvature :math:`1/r^2`.

    Each angle's line element carries the squared sines of all angles before it (J. M. Lee, *Introduction to Riemannian
    Manifolds*, 2nd ed., chapters 3 and 8).

    Parameters
    ----------
    n : int
        Number of dimensions, at least 2.

    Raises
    ------
    ParameterError
        If n is no whole number from 2 upwards.

    Examples
    --------
    >>> n_sphere(5).known["ricci_scalar"]
    20/r**2
    """
    _require_dimension(n)
    angles = sp.symbols(f"theta1:{n}", real=True)
    r = sp.Symbol("r", positive=True)
    squares = [r**2 * sp.prod(sp.sin(angle)**2 for angle in angles[:axis]) for axis in range(n)]
    coords = (*angles, sp.Symbol("phi", real=True))
    return Space(f"{n}-sphere", Metric(coords, sp.diag(*squares), (r,)), _constant(1 / r**2, n),
                 limits=(COLATITUDE,) * (n - 1) + (REAL_LINE,), periods=(None,) * (n - 1) + (2 * sp.pi,),
                 defaults=(("r", 1.0),))


@functools.cache
def hyperbolic_space(n=3):
    r"""Hyperbolic space in Poincare's half-space, :math:`ds^2 = (dx_1^2 + \dots + dx_{n-1}^2 + dy^2)/y^2`, y > 0.

    Sectional curvature -1 (J. M. Lee, *Introduction to Riemannian Manifolds*, 2nd ed., chapters 3 and 8).

    Parameters
    ----------
    n : int
        Number of dimensions, at least 2.

    Raises
    ------
    ParameterError
        If n is no whole number from 2 upwards.

    Examples
    --------
    >>> hyperbolic_space(4).known["ricci_scalar"]
    -12
    """
    _require_dimension(n)
    y = sp.Symbol("y", positive=True)
    coords = (*sp.symbols(f"x1:{n}", real=True), y)
    return Space(f"hyperbolic {n}-space", Metric(coords, sp.eye(n) / y**2), _constant(-1, n),
                 limits=(REAL_LINE,) * (n - 1) + (POSITIVE,))


def _require_dimension(n):
    if not isinstance(n, int) or n < 2:
        raise ParameterError(f"n must be a whole number from 2 upwards, got n={n!r}")


@functools.cache
def minkowski():
    """Space-time without gravity, coordinates (t, x, y, z).

    Notes
    -----
    Equation :eq:`eq-riemann-minkowski` of the book.

    Examples
    --------
    >>> minkowski().metric.matrix[0, 0]
    -1
    """
    return Space("Minkowski space-time", Metric(sp.symbols("t x y z", real=True), sp.diag(-1, 1, 1, 1)),
                 _constant(0, 4), times=1)


def _black_hole(name, g, known, lowest_radius, params):
    """Stationary space-time in the coordinates (t, r, theta, phi), with default values M = 1 and 1/2 for the others."""
    t, theta, phi = sp.symbols("t theta phi", real=True)
    metric = Metric((t, sp.Symbol("r", positive=True), theta, phi), g, params)
    defaults = tuple((symbol.name, 1.0 if symbol.name == "M" else 0.5) for symbol in params)
    return Space(name, metric, known, limits=(REAL_LINE, (lowest_radius, sp.oo), COLATITUDE, REAL_LINE),
                 periods=(None, None, None, 2 * sp.pi), defaults=defaults, times=1)


def _static(name, f, known, lowest_radius, params):
    r"""Space-time :math:`ds^2 = -f\,dt^2 + dr^2/f + r^2 d\Omega^2`."""
    r, theta = sp.Symbol("r", positive=True), sp.Symbol("theta", real=True)
    g = sp.diag(-f, 1 / f, r**2, r**2 * sp.sin(theta)**2)
    return _black_hole(name, g, known, lowest_radius, params)


@functools.cache
def schwarzschild():
    r"""Outside of a black hole of mass M, Schwarzschild's coordinates (t, r, theta, phi), r > 2 M.

    :math:`ds^2 = -(1 - 2M/r)\,dt^2 + dr^2/(1 - 2M/r) + r^2 d\Omega^2`. Ricci tensor 0, Kretschmann scalar
    :math:`48M^2/r^6` (C. W. Misner, K. S. Thorne, J. A. Wheeler, *Gravitation*, 1973, chapter 31).

    Notes
    -----
    Equation :eq:`eq-riemann-tides-metric` of the book.

    Examples
    --------
    >>> schwarzschild().limits[1]
    (2*M, oo)
    """
    r, M = sp.symbols("r M", positive=True)
    known = {"ricci_flat": True, "ricci_scalar": sp.Integer(0), "kretschmann_scalar": 48 * M**2 / r**6}
    return _static("Schwarzschild space-time", 1 - 2 * M / r, known, 2 * M, (M,))


@functools.cache
def eddington_finkelstein():
    r"""Black hole of mass M in ingoing coordinates (v, r, theta, phi): regular at the horizon, r > 0.

    :math:`ds^2 = -(1 - 2M/r)\,dv^2 + 2\,dv\,dr + r^2 d\Omega^2`. Ricci tensor 0, Kretschmann scalar :math:`48M^2/r^6`
    (C. W. Misner, K. S. Thorne, J. A. Wheeler, *Gravitation*, 1973, chapter 31).

    Notes
    -----
    Equation :eq:`eq-riemann-computing-ingoing` of the book.

    Examples
    --------
    >>> eddington_finkelstein().metric.matrix[:2, :2]
    Matrix([
    [2*M/r - 1, 1],
    [        1, 0]])
    """
    v, theta, phi = sp.symbols("v theta phi", real=True)
    r, M = sp.symbols("r M", positive=True)
    g = sp.diag(sp.Matrix([[2 * M / r - 1, 1], [1, 0]]), r**2, r**2 * sp.sin(theta)**2)
    known = {"ricci_flat": True, "ricci_scalar": sp.Integer(0), "kretschmann_scalar": 48 * M**2 / r**6}
    return Space("Schwarzschild space-time in Eddington-Finkelstein coordinates", Metric((v, r, theta, phi), g, (M,)),
                 known, limits=(REAL_LINE, POSITIVE, COLATITUDE, REAL_LINE), periods=(None, None, None, 2 * sp.pi),
                 defaults=(("M", 1.0),), times=1)


@functools.cache
def reissner_nordstrom():
    r"""Outside of a black hole of mass M and charge Q, coordinates (t, r, theta, phi).

    As Schwarzschild's metric with :math:`f = 1 - 2M/r + Q^2/r^2`. Ricci scalar 0, Ricci tensor
    :math:`R^\mu{}_\nu = (Q^2/r^4)\,\mathrm{diag}(-1, -1, 1, 1)`, Kretschmann scalar
    :math:`48M^2/r^6 - 96MQ^2/r^7 + 56Q^4/r^8` (R. C. Henry, *Astrophys. J.* 535 (2000) 350, with a = 0).

    Examples
    --------
    >>> reissner_nordstrom().limits[1]
    (M + sqrt(M**2 - Q**2), oo)
    """
    r, M = sp.symbols("r M", positive=True)
    Q, theta = sp.symbols("Q theta", real=True)
    f = 1 - 2 * M / r + Q**2 / r**2
    known = {
        "ricci_scalar": sp.Integer(0),
        "ricci_tensor": Q**2 / r**4 * sp.diag(f, -1 / f, r**2, r**2 * sp.sin(theta)**2),
        "ricci_squared": 4 * Q**4 / r**8,
        "kretschmann_scalar": 48 * M**2 / r**6 - 96 * M * Q**2 / r**7 + 56 * Q**4 / r**8,
    }
    return _static("Reissner-Nordstrom space-time", f, known, M + sp.sqrt(M**2 - Q**2), (M, Q))


def _rotating(twice):
    r"""Metric of Kerr and of Kerr and Newman, with :math:`2Mr` or :math:`2Mr - Q^2` for ``twice``."""
    r, a, theta = sp.Symbol("r", positive=True), *sp.symbols("a theta", real=True)
    sine = sp.sin(theta)**2
    sigma = r**2 + a**2 * sp.cos(theta)**2
    mixed = -a * twice * sine / sigma
    return sp.Matrix([
        [twice / sigma - 1, 0, 0, mixed],
        [0, sigma / (r**2 + a**2 - twice), 0, 0],
        [0, 0, sigma, 0],
        [mixed, 0, 0, (r**2 + a**2 + a**2 * twice * sine / sigma) * sine],
    ])


@functools.cache
def kerr():
    r"""Outside of a rotating black hole of mass M and angular momentum a M, Boyer-Lindquist coordinates.

    With :math:`\Sigma = r^2 + a^2\cos^2\theta` the Ricci tensor is 0 and the Kretschmann scalar is
    :math:`48M^2(r^2 - a^2\cos^2\theta)(\Sigma^2 - 16r^2a^2\cos^2\theta)/\Sigma^6` (R. C. Henry,
    *Astrophys. J.* 535 (2000) 350; the metric: C. W. Misner, K. S. Thorne, J. A. Wheeler, *Gravitation*, 1973,
    chapter 33).

    Notes
    -----
    Equation :eq:`eq-riemann-kerr` of the book.

    Examples
    --------
    >>> kerr().limits[1]
    (M + sqrt(M**2 - a**2), oo)
    """
    r, M = sp.symbols("r M", positive=True)
    a, theta = sp.symbols("a theta", real=True)
    square = a**2 * sp.cos(theta)**2
    sigma = r**2 + square
    known = {
        "ricci_flat": True,
        "ricci_scalar": sp.Integer(0),
        "kretschmann_scalar": 48 * M**2 * (r**2 - square) * (sigma**2 - 16 * r**2 * square) / sigma**6,
    }
    return _black_hole("Kerr space-time", _rotating(2 * M * r), known, M + sp.sqrt(M**2 - a**2), (M, a))


@functools.cache
def kerr_newman():
    r"""Outside of a rotating black hole with charge Q, Boyer-Lindquist coordinates: Kerr's, with :math:`2Mr - Q^2`.

    With :math:`c = a\cos\theta` and :math:`\Sigma = r^2 + c^2` the Ricci scalar is 0,
    :math:`R_{\mu\nu}R^{\mu\nu} = 4Q^4/\Sigma^4`, and the Kretschmann scalar is

    .. math:: \frac{8}{\Sigma^6}\big[6M^2(r^6 - 15r^4c^2 + 15r^2c^4 - c^6) - 12MQ^2r(r^4 - 10r^2c^2 + 5c^4)
              + Q^4(7r^4 - 34r^2c^2 + 7c^4)\big]

    (R. C. Henry, *Astrophys. J.* 535 (2000) 350).

    Examples
    --------
    >>> kerr_newman().metric.params
    (M, a, Q)
    """
    r, M = sp.symbols("r M", positive=True)
    a, Q, theta = sp.symbols("a Q theta", real=True)
    c = a * sp.cos(theta)
    kretschmann = 8 / (r**2 + c**2)**6 * (
        6 * M**2 * (r**6 - 15 * r**4 * c**2 + 15 * r**2 * c**4 - c**6)
        - 12 * M * Q**2 * r * (r**4 - 10 * r**2 * c**2 + 5 * c**4)
        + Q**4 * (7 * r**4 - 34 * r**2 * c**2 + 7 * c**4)
    )
    known = {
        "ricci_scalar": sp.Integer(0),
        "ricci_squared": 4 * Q**4 / (r**2 + c**2)**4,
        "kretschmann_scalar": kretschmann,
    }
    return _black_hole("Kerr-Newman space-time", _rotating(2 * M * r - Q**2), known,
                       M + sp.sqrt(M**2 - a**2 - Q**2), (M, a, Q))


@functools.cache
def flrw(k=None, scale_factor=None):
    r"""Expanding universe (Friedmann, Lemaitre, Robertson, Walker), coordinates (t, r, theta, phi).

    :math:`ds^2 = -dt^2 + a(t)^2\big(dr^2/(1 - kr^2) + r^2 d\Omega^2\big)` with an undetermined function a(t). Ricci
    scalar :math:`6(\ddot a/a + \dot a^2/a^2 + k/a^2)`, Kretschmann scalar
    :math:`12\big((\ddot a/a)^2 + (\dot a^2 + k)^2/a^4\big)`; the Weyl tensor is 0 (C. W. Misner, K. S. Thorne,
    J. A. Wheeler, *Gravitation*, 1973, chapter 27).

    Parameters
    ----------
    k : -1, 0 or 1, optional
        Sign of the curvature of space. Left out: a parameter ``k``.
    scale_factor : callable, optional
        Formula of a, as a function of the symbol t. Without it the metric has no numbers.

    Raises
    ------
    ParameterError
        If k is none of these.

    Notes
    -----
    Equation :eq:`eq-riemann-computing-flrw` of the book.

    Examples
    --------
    >>> universe = flrw(k=0, scale_factor=lambda t: t**sp.Rational(2, 3))
    >>> universe.known["ricci_scalar"], float(universe.numeric().ricci_scalar([2.0, 1.0, 1.0, 0.0]).round(12))
    (4/(3*t**2), 0.333333333333)
    """
    if k not in (None, -1, 0, 1):
        raise ParameterError(f"k must be -1, 0 or 1, got k={k!r}")
    t, r = sp.symbols("t r", positive=True)
    theta, phi, symbol = sp.symbols("theta phi k", real=True)
    a = sp.Function("a")(t) if scale_factor is None else sp.sympify(scale_factor(t))
    params, defaults = ((symbol,), (("k", 0.0),)) if k is None else ((), ())
    k = symbol if k is None else sp.Integer(k)
    speed, acceleration = a.diff(t), a.diff(t, 2)
    g = sp.diag(-1, a**2 / (1 - k * r**2), a**2 * r**2, a**2 * r**2 * sp.sin(theta)**2)
    known = {
        "ricci_scalar": sp.powsimp(sp.expand(6 * (acceleration / a + speed**2 / a**2 + k / a**2))),
        "kretschmann_scalar": 12 * ((acceleration / a)**2 + (speed**2 + k)**2 / a**4),
        "conformally_flat": True,
    }
    farthest = sp.Piecewise((1 / sp.sqrt(k), k > 0), (sp.oo, True))
    return Space("expanding universe", Metric((t, r, theta, phi), g, params), known,
                 limits=(POSITIVE, (sp.Integer(0), farthest), COLATITUDE, REAL_LINE),
                 periods=(None, None, None, 2 * sp.pi), defaults=defaults, times=1)


@functools.cache
def de_sitter():
    r"""De Sitter's space-time of radius L, static coordinates (t, r, theta, phi), r < L.

    As Schwarzschild's metric with :math:`f = 1 - r^2/L^2`; sectional curvature :math:`1/L^2` (S. W. Hawking, G. F. R.
    Ellis, *The Large Scale Structure of Space-Time*, 1973, section 5.2).

    Examples
    --------
    >>> de_sitter().known["ricci_scalar"]
    12/L**2
    """
    r, L = sp.symbols("r L", positive=True)
    space = _static("de Sitter space-time", 1 - r**2 / L**2, _constant(1 / L**2, 4), sp.Integer(0), (L,))
    limits = (REAL_LINE, (sp.Integer(0), L), COLATITUDE, REAL_LINE)
    return dataclasses.replace(space, limits=limits, defaults=(("L", 1.0),))


@functools.cache
def anti_de_sitter():
    r"""Anti-de Sitter's space-time of radius L, static coordinates (t, r, theta, phi).

    As Schwarzschild's metric with :math:`f = 1 + r^2/L^2`; sectional curvature :math:`-1/L^2` (S. W. Hawking, G. F. R.
    Ellis, *The Large Scale Structure of Space-Time*, 1973, section 5.2).

    Examples
    --------
    >>> anti_de_sitter().known["ricci_scalar"]
    -12/L**2
    """
    r, L = sp.symbols("r L", positive=True)
    space = _static("anti-de Sitter space-time", 1 + r**2 / L**2, _constant(-1 / L**2, 4), sp.Integer(0), (L,))
    return dataclasses.replace(space, defaults=(("L", 1.0),))


@functools.cache
def goedel():
    r"""Goedel's rotating universe, coordinates (t, x, y, z).

    :math:`ds^2 = a^2\big(-(dt + e^x dy)^2 + dx^2 + \tfrac12 e^{2x}dy^2 + dz^2\big)`. With :math:`w = dt + e^x dy` the
    Ricci tensor is :math:`w_\mu w_\nu`, the Ricci scalar :math:`-1/a^2` and the Kretschmann scalar :math:`3/a^4` (K.
    Goedel, *Rev. Mod. Phys.* 21 (1949) 447, where the signature is + - - -).

    Examples
    --------
    >>> goedel().metric.ricci_scalar()
    -1/a**2
    """
    t, x, y, z = sp.symbols("t x y z", real=True)
    a = sp.Symbol("a", positive=True)
    e = sp.exp(x)
    w = sp.Matrix([1, 0, e, 0])
    known = {
        "ricci_scalar": -1 / a**2,
        "ricci_tensor": w * w.T,
        "ricci_squared": 1 / a**4,
        "kretschmann_scalar": 3 / a**4,
    }
    return Space("Goedel universe", Metric((t, x, y, z), a**2 * (sp.diag(0, 1, e**2 / 2, 1) - w * w.T), (a,)), known,
                 defaults=(("a", 1.0),), times=1)


@functools.cache
def pp_wave(profile=None):
    r"""Plane-fronted wave with parallel rays, Brinkmann's coordinates (u, v, x, y).

    :math:`ds^2 = H(u, x, y)\,du^2 - 2\,du\,dv + dx^2 + dy^2` with an undetermined function H. The only component of the
    Ricci tensor is :math:`R_{uu} = -\tfrac12(H_{xx} + H_{yy})`; all scalars made of the curvature are 0 (H. Stephani et
    al., *Exact Solutions of Einstein's Field Equations*, 2nd ed., 2003, section 24.5).

    Parameters
    ----------
    profile : callable, optional
        Formula of H, as a function of the symbols u, x, y. Without it the metric has no numbers.

    Examples
    --------
    >>> pp_wave().known["ricci_tensor"][0, 0]
    -Derivative(H(u, x, y), (x, 2))/2 - Derivative(H(u, x, y), (y, 2))/2
    >>> pp_wave(lambda u, x, y: x**2 - y**2).known["ricci_tensor"][0, 0]
    0
    """
    u, v, x, y = sp.symbols("u v x y", real=True)
    H = sp.Function("H")(u, x, y) if profile is None else sp.sympify(profile(u, x, y))
    g = sp.diag(sp.Matrix([[H, -1], [-1, 0]]), 1, 1)
    known = {
        "ricci_tensor": sp.diag(sp.expand(-(H.diff(x, 2) + H.diff(y, 2)) / 2), 0, 0, 0),
        "ricci_scalar": sp.Integer(0),
        "ricci_squared": sp.Integer(0),
        "kretschmann_scalar": sp.Integer(0),
    }
    return Space("pp-wave", Metric((u, v, x, y), g), known, times=1)


CATALOGUE = (plane, polar_plane, sphere, cone, torus, paraboloid, saddle, gaussian_bump, half_plane)
"""The functions of the classical surfaces."""

SPACES = (
    *CATALOGUE, cylinder, catenoid, helicoid, hyperbolic_disk, hyperbolic_polar, normal_family, euclidean_space,
    spherical_space, three_sphere, n_sphere, hyperbolic_space, minkowski, schwarzschild, eddington_finkelstein,
    reissner_nordstrom, kerr, kerr_newman, flrw, de_sitter, anti_de_sitter, goedel, pp_wave,
)
"""All functions of the catalogue."""


def named(name, **options):
    """Space of the catalogue by its name.

    Parameters
    ----------
    name : str
        Name of a function of this module; capitals, and hyphens or spaces for underscores, make no difference.
    **options
        Passed on to the function, for instance ``n=5`` to :func:`n_sphere`.

    Returns
    -------
    Space

    Raises
    ------
    ParameterError
        If there is no such space, or if it has no such option. The message lists what there is.

    Examples
    --------
    >>> named("Kerr-Newman").name
    'Kerr-Newman space-time'
    >>> named("schwarzshild")
    Traceback (most recent call last):
    derivations.riemann.errors.ParameterError: no space has the name='schwarzshild'; did you mean 'schwarzschild'?
    """
    makers = {make.__name__: make for make in SPACES}
    key = re.sub(r"[\s_-]+", "_", str(name).strip().lower())
    if key not in makers:
        close = difflib.get_close_matches(key, makers, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(makers)}"
        raise ParameterError(f"no space has the name={name!r}; {hint}")
    allowed = inspect.signature(makers[key]).parameters
    for option in options:
        if option not in allowed:
            raise ParameterError(f"{key} has no option {option}={options[option]!r}, only {list(allowed) or 'none'}")
    return makers[key](**options)
