r"""A catalogue of spaces: coordinates, metric, chart limits, and the curvature that the textbooks give.

Every function returns a :class:`Space`. Its ``curvature`` is typed in from the literature, not computed: the tests
compare it with the tensor that :class:`~derivations.riemann.Metric` computes.
"""
import dataclasses
import functools
from dataclasses import dataclass

import numpy as np
import sympy as sp

from .errors import ChartError
from .numeric import NumericMetric
from .symbolic import Metric

__all__ = [
    "Space", "CATALOGUE", "plane", "polar_plane", "sphere", "cone", "torus", "paraboloid", "saddle", "gaussian_bump",
    "half_plane",
]

REAL_LINE = (-sp.oo, sp.oo)
POSITIVE = (sp.Integer(0), sp.oo)
TAU = 2 * np.pi


@dataclass(frozen=True)
class Space:
    """A surface with a name.

    Attributes
    ----------
    name : str
    metric : Metric
    curvature : sympy expression
        Gauss curvature from the literature.
    limits : tuple of (low, high)
        Open interval of each coordinate.
    periods : tuple of (expression or None)
        Period of each coordinate, ``None`` if it is no angle.
    defaults : tuple of (str, float)
        A value for each parameter.
    embedding : tuple of 3 expressions, or None
        Cartesian position, if the surface stands in Euclidean space.
    window : pair of pairs of float
        Opposite corners of the coordinate rectangle that is drawn.
    """

    name: str
    metric: Metric
    curvature: sp.Expr
    limits: tuple = (REAL_LINE, REAL_LINE)
    periods: tuple = (None, None)
    defaults: tuple = ()
    embedding: tuple | None = None
    window: tuple = ((-1.5, -1.5), (1.5, 1.5))

    def numeric(self, **params) -> NumericMetric:
        """Metric with numbers for its parameters (defaults where left out), aware of the limits of the chart.

        Examples
        --------
        >>> sphere().numeric(r=2.0).gauss_curvature([1.0, 0.0]).round(12)
        np.float64(0.25)
        """
        numeric = self.metric.numeric(**{**dict(self.defaults), **params})
        limits = tuple((float(low), float(high)) for low, high in self.limits)
        periods = tuple(None if period is None else float(period) for period in self.periods)
        return dataclasses.replace(numeric, limits=limits, periods=periods)

    def embed(self, x, **params):
        """Cartesian positions, shape (..., 3), of the points x, shape (..., 2).

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
        """Arrows in space, shape (..., 3), of vectors with components v, shape (..., 2), at the points x.

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

    def _embedding(self, x, params):
        """Position (..., 3) and its derivatives (..., 3, 2)."""
        if self.embedding is None:
            raise ChartError(f"the {self.name} has no embedding in three-dimensional space here")
        x = np.asarray(x, dtype=float)
        entries = _embedding_formula(self)(*np.moveaxis(x, -1, 0), *self.numeric(**params).values)
        entries = np.stack([np.broadcast_to(entry, x.shape[:-1]) for entry in entries], axis=-1).astype(float)
        return entries[..., :3], entries[..., 3:].reshape(*x.shape[:-1], 3, 2)


@functools.cache
def _embedding_formula(space):
    """NumPy function with the 3 components of the position and then the 6 of its derivatives."""
    position = sp.Matrix(space.embedding)
    entries = [*position, *position.jacobian(sp.Matrix(space.metric.coords))]
    return sp.lambdify((*space.metric.coords, *space.metric.params), entries, modules="numpy", cse=True)


def _embedded(name, coords, xyz, curvature, **details):
    """Space whose metric comes from its Cartesian position."""
    return Space(name, Metric.from_embedding(coords, xyz), curvature, embedding=tuple(xyz), **details)


def _graph(name, height, coords, curvature, **details):
    """Space whose points are (x, y, height)."""
    return _embedded(name, coords, (*coords, height), curvature, **details)


@functools.cache
def plane():
    """Euclidean plane, Cartesian coordinates (x, y); K = 0.

    Examples
    --------
    >>> plane().metric.gauss_curvature()
    0
    """
    coords = sp.symbols("x y", real=True)
    return _graph("plane", sp.Integer(0), coords, sp.Integer(0))


@functools.cache
def polar_plane():
    """Euclidean plane without its origin, polar coordinates (r, phi); K = 0.

    Examples
    --------
    >>> polar_plane().metric.christoffel_symbols()[0, 1, 1]
    -r
    """
    r, phi = sp.Symbol("r", positive=True), sp.Symbol("phi", real=True)
    xyz = (r * sp.cos(phi), r * sp.sin(phi), sp.Integer(0))
    return _embedded("plane in polar coordinates", (r, phi), xyz, sp.Integer(0), limits=(POSITIVE, REAL_LINE),
                     periods=(None, 2 * sp.pi), window=((0.0, 0.0), (1.5, TAU)))


@functools.cache
def sphere():
    """Sphere of radius r without its poles, colatitude and longitude (theta, phi); K = 1/r^2.

    Examples
    --------
    >>> sphere().metric.riemann_tensor()[0, 1, 0, 1]
    sin(theta)**2
    """
    theta, phi = sp.symbols("theta phi", real=True)
    r = sp.Symbol("r", positive=True)
    xyz = (r * sp.sin(theta) * sp.cos(phi), r * sp.sin(theta) * sp.sin(phi), r * sp.cos(theta))
    return _embedded("sphere", (theta, phi), xyz, 1 / r**2, limits=((sp.Integer(0), sp.pi), REAL_LINE),
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
    return _embedded("cone", (r, phi), xyz, sp.Integer(0), limits=(POSITIVE, REAL_LINE),
                     periods=(None, 2 * sp.pi), defaults=(("alpha", np.pi / 6),), window=((0.0, 0.0), (1.25, TAU)))


@functools.cache
def torus():
    """Torus: longitude u, angle v round the tube, R > r > 0; K = cos(v)/(r (R + r cos v)).

    Examples
    --------
    >>> torus().metric.gauss_curvature()
    cos(v)/(r*(R + r*cos(v)))
    """
    u, v = sp.symbols("u v", real=True)
    R, r = sp.symbols("R r", positive=True)
    axis = R + r * sp.cos(v)
    return _embedded("torus", (u, v), (axis * sp.cos(u), axis * sp.sin(u), r * sp.sin(v)), sp.cos(v) / (r * axis),
                     periods=(2 * sp.pi, 2 * sp.pi), defaults=(("R", 2.0), ("r", 1.0)),
                     window=((0.0, 0.0), (TAU, TAU)))


@functools.cache
def paraboloid():
    """Paraboloid z = a (x^2 + y^2)/2; K = a^2/(1 + a^2 (x^2 + y^2))^2.

    Examples
    --------
    >>> float(paraboloid().numeric(a=2.0).gauss_curvature([0.0, 0.0]))
    4.0
    """
    x, y = sp.symbols("x y", real=True)
    a = sp.Symbol("a", positive=True)
    return _graph("paraboloid", a * (x**2 + y**2) / 2, (x, y), a**2 / (1 + a**2 * (x**2 + y**2))**2,
                  defaults=(("a", 1.0),))


@functools.cache
def saddle():
    """Saddle z = a (x^2 - y^2)/2; K = -a^2/(1 + a^2 (x^2 + y^2))^2.

    Examples
    --------
    >>> float(saddle().numeric(a=2.0).gauss_curvature([0.0, 0.0]))
    -4.0
    """
    x, y = sp.symbols("x y", real=True)
    a = sp.Symbol("a", positive=True)
    return _graph("saddle", a * (x**2 - y**2) / 2, (x, y), -a**2 / (1 + a**2 * (x**2 + y**2))**2,
                  defaults=(("a", 1.0),))


@functools.cache
def gaussian_bump():
    r"""Bump z = h exp(-rho^2/(2 w^2)), rho^2 = x^2 + y^2; K > 0 for rho < w and K < 0 outside.

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
    return _graph("Gaussian bump", h * sp.exp(-square / 2), (x, y), curvature, defaults=(("h", 1.0), ("w", 1.0)),
                  window=((-2.4, -2.4), (2.4, 2.4)))


@functools.cache
def half_plane():
    """Hyperbolic plane in Poincare's half-plane, ds^2 = (dx^2 + dy^2)/y^2, y > 0; K = -1.

    Examples
    --------
    >>> half_plane().metric.gauss_curvature()
    -1
    """
    x, y = sp.Symbol("x", real=True), sp.Symbol("y", positive=True)
    return Space("half-plane", Metric((x, y), sp.eye(2) / y**2), sp.Integer(-1), limits=(REAL_LINE, POSITIVE))


CATALOGUE = (plane, polar_plane, sphere, cone, torus, paraboloid, saddle, gaussian_bump, half_plane)
"""All functions of the catalogue."""
