"""Metrics as numbers: the formulas of a metric evaluated at arrays of points."""
import functools
import numbers
from dataclasses import dataclass

import numpy as np
import sympy as sp

from .errors import ChartError, MetricError, ParameterError

__all__ = ["NumericMetric", "finite_number"]


@dataclass(frozen=True)
class NumericMetric:
    r"""A metric with numbers for its parameters; made by :meth:`derivations.riemann.Metric.numeric`.

    Every method takes points ``x`` of shape (..., n) and answers for all of them at once.

    Parameters
    ----------
    exact : Metric
        The formulas.
    values : tuple of float
        One number for each symbol of ``exact.params``.
    limits : tuple of (float, float), optional
        Open interval of each coordinate; left out: all real numbers.
    periods : tuple of (float or None), optional
        Period of each coordinate that is an angle (``None`` for the others): two points whose coordinates differ by
        periods are the same point.

    Raises
    ------
    ChartError
        By every method: if ``x`` has the wrong shape, is complex, NaN or infinite, lies outside the limits, or is a
        point at which the metric is singular.

    Notes
    -----
    "Singular" means that the condition number of the matrix reaches 1/eps = 4.5e15: no digit of its inverse would
    be right.

    Examples
    --------
    >>> from derivations.riemann import spaces
    >>> torus = spaces.torus().numeric(R=2.0, r=1.0)
    >>> torus.christoffel_symbols([[0.0, 0.5], [0.0, 1.0]]).shape
    (2, 2, 2, 2)
    """

    exact: object
    values: tuple = ()
    limits: tuple = ()
    periods: tuple = ()

    @property
    def n(self):
        """Number of dimensions."""
        return self.exact.n

    def metric(self, x):
        r"""Components :math:`g_{\mu\nu}` at the points x, shape (..., n, n)."""
        x = self._points(x)
        g = self._evaluate("matrix", x, (self.n, self.n))
        singular = np.linalg.cond(g) >= 1 / np.finfo(float).eps
        if np.any(singular):
            raise ChartError(f"the metric is singular at {self._name(x[singular][0])}")
        return g

    def inverse(self, x):
        r"""Inverse metric :math:`g^{\mu\nu}` at the points x, shape (..., n, n)."""
        return np.linalg.inv(self.metric(x))

    def volume_element(self, x):
        r"""Area (volume) of a coordinate unit cell, :math:`\sqrt{|\det g|}`, shape (...)."""
        return np.sqrt(np.abs(np.linalg.det(self.metric(x))))

    def christoffel_symbols(self, x):
        r"""Christoffel symbols ``christoffel[..., mu, alpha, beta]`` at the points x, shape (..., n, n, n)."""
        self.metric(x)
        return self._evaluate("christoffel_symbols", self._points(x), (self.n,) * 3)

    def riemann_tensor(self, x, lowered=False):
        r"""Curvature tensor ``riemann[..., mu, alpha, beta, gamma]`` at the points x, shape (..., n, n, n, n).

        Parameters
        ----------
        x : array_like, shape (..., n)
        lowered : bool
            If true, lower the first index.
        """
        g = self.metric(x)
        riemann = self._evaluate("riemann_tensor", self._points(x), (self.n,) * 4)
        return np.einsum("...mn,...nabc->...mabc", g, riemann) if lowered else riemann

    def ricci_tensor(self, x):
        r"""Ricci tensor :math:`R_{\mu\nu} = R^\alpha{}_{\mu\alpha\nu}` at the points x, shape (..., n, n)."""
        return np.einsum("...aman->...mn", self.riemann_tensor(x))

    def ricci_scalar(self, x):
        r"""Scalar curvature :math:`g^{\mu\nu}R_{\mu\nu}` at the points x, shape (...)."""
        return np.einsum("...mn,...mn->...", self.inverse(x), self.ricci_tensor(x))

    def gauss_curvature(self, x):
        r"""Gauss curvature :math:`K = R_{1212}/\det g` of a surface at the points x, shape (...)."""
        if self.n != 2:
            raise MetricError(f"the Gauss curvature belongs to surfaces (n=2), got n={self.n}")
        return self.riemann_tensor(x, lowered=True)[..., 0, 1, 0, 1] / np.linalg.det(self.metric(x))

    def _points(self, x):
        x = np.asarray(x)
        if np.iscomplexobj(x):
            raise ChartError(f"points must be real, got x={x}")
        x = x.astype(float)
        if x.shape[-1:] != (self.n,):
            raise ChartError(f"points must have shape (..., {self.n}), got x of shape {x.shape}")
        inside = np.isfinite(x)
        for axis, (low, high) in enumerate(self.limits):
            inside[..., axis] &= (x[..., axis] > low) & (x[..., axis] < high)
        bad = ~inside.all(axis=-1)
        if np.any(bad):
            raise ChartError(f"{self._name(x[bad][0])} is not in the chart: {self._chart()}")
        return x

    def _chart(self):
        limits = self.limits or ((-np.inf, np.inf),) * self.n
        return ", ".join(f"{low:.6g} < {symbol} < {high:.6g}" for symbol, (low, high) in zip(self.exact.coords, limits))

    def _name(self, point):
        return ", ".join(f"{symbol}={value:.6g}" for symbol, value in zip(self.exact.coords, point))

    def _evaluate(self, tensor, x, shape):
        formula = _compiled(self.exact, tensor)
        with np.errstate(all="ignore"):  # infinities are caught below and named
            components = formula(*np.moveaxis(x, -1, 0), *self.values)
        components = [np.broadcast_to(component, x.shape[:-1]) for component in components]
        result = np.stack(components, axis=-1).astype(float)
        bad = ~np.isfinite(result).all(axis=-1)
        if np.any(bad):
            raise ChartError(f"{tensor} is not finite at {self._name(x[bad][0])}")
        return result.reshape(*x.shape[:-1], *shape)


@functools.cache
def _compiled(metric, tensor):
    """NumPy function of the coordinates and parameters with the list of all components of a tensor."""
    value = getattr(metric, tensor)
    components = list(sp.flatten(value if tensor == "matrix" else value()))
    functions = [f for component in components for f in component.atoms(sp.core.function.AppliedUndef)]
    if functions:
        raise ParameterError(f"{functions[0]} has no numerical value: substitute a formula for it first")
    return sp.lambdify((*metric.coords, *metric.params), components, modules="numpy", cse=True)


def finite_number(name, value):
    """Return value as a float, or raise a :class:`ParameterError` that names it."""
    if not isinstance(value, numbers.Real) or not np.isfinite(value):
        raise ParameterError(f"{name} must be a finite real number, got {name}={value!r}")
    return float(value)
