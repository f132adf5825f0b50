r"""Metrics as numbers: metric, Christoffel symbols and curvature at arrays of points.

Two kinds of metric share all methods (:class:`PointwiseMetric`): :class:`FormulaMetric` evaluates the exact formulas of
a :class:`~derivations.riemann.Metric`, and :class:`NumericMetric` differentiates a plain NumPy function with jets
(``derivations.riemann.jets``). Points are worked through in blocks, so that what is needed besides the answer does
not grow with their number.

A point is refused as singular if one of two numbers shows that the metric has no usable inverse there:

* :math:`\sum_{\mu\nu} |g^{\mu\nu} g_{\mu\nu}| \ge 1/\epsilon`, :math:`\epsilon = 2.2 \cdot 10^{-16}`. Without the bars
  the sum is n; with them it is the relative condition number of the determinant,
  :math:`\sum |\partial \ln\det g/\partial \ln g_{\mu\nu}|`: rounding errors :math:`\epsilon` of the components then
  change det g by all of its value, and it cannot be told from 0. The units of the coordinates do not matter.
* :math:`s_\mu \le 10^{-15} \max_\nu s_\nu`, :math:`s_\mu^2 = \max_\nu |g_{\mu\nu}|`: a step along one coordinate is
  shorter by that factor than along another one, as at a pole that is missed by rounding only (:math:`\sin\pi` is
  1.2e-16 in floating point). Units may differ by less than that.

Both cost next to nothing beside the inverse, unlike the condition number of the matrix, which also takes the Sun's
metric in metres for singular: its components differ by :math:`10^{22}`.
"""
import abc
import numbers
import weakref
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.printing.numpy import NumPyPrinter

from .errors import ChartError, GeometryError, MetricError, ParameterError
from .jets import derivatives, integer_power

__all__ = ["PointwiseMetric", "FormulaMetric", "NumericMetric", "numeric_metric", "finite_number"]

BLOCK = 2048  # points: one operation of NumPy on so many numbers stays in the cache
LARGEST = 2**19  # components of the curvature in one block: 4 MB an array
EPS = np.finfo(float).eps
SHORTEST = 1e-15
LOST = 1e-3  # relative error of a curvature that is refused
LONG, LONG_CONTRACTION = 64, 16  # operations for each dimension: see FormulaMetric


class PointwiseMetric(abc.ABC):
    r"""A metric that can be evaluated at points: the methods that all kinds of numeric metrics share.

    Every method takes points ``x`` of shape (..., n) and answers for all of them at once.

    Attributes
    ----------
    n : int
        Number of dimensions.
    names : tuple of str
        Names of the coordinates, for messages.
    limits : tuple of (float, float)
        Open interval of each coordinate; empty: all real numbers.
    periods : tuple of (float or None)
        Period of each coordinate that is an angle (``None`` for the others): two points whose coordinates differ by
        periods are the same point.

    Raises
    ------
    ChartError
        By every method: if ``x`` has the wrong shape, is complex, NaN or infinite, lies outside the limits, or is a
        point at which the metric is singular (see ``derivations.riemann.numeric``) or the answer is not finite.
        The message names the first such point.

    Examples
    --------
    >>> from derivations.riemann import spaces
    >>> torus = spaces.torus().numeric(R=2.0, r=1.0)
    >>> torus.christoffel_symbols([[0.0, 0.5], [0.0, 1.0]]).shape
    (2, 2, 2, 2)
    """

    @abc.abstractmethod
    def _block(self, x, order):
        """The tensors at valid points x of shape (m, n), of the first `order` derivatives: a :class:`_Block`."""

    def metric(self, x):
        r"""Components :math:`g_{\mu\nu}`.

        Parameters
        ----------
        x : array_like, shape (..., n)

        Returns
        -------
        numpy.ndarray, shape (..., n, n)

        Notes
        -----
        Equation :eq:`eq-riemann-metric` of the book.

        Examples
        --------
        >>> NumericMetric(lambda x: [[1, 0], [0, x[0]**2]], n=2).metric([3.0, 0.0])
        array([[1., 0.],
               [0., 9.]])
        """
        return self._everywhere(x, lambda block: block.metric, order=0)

    def inverse(self, x):
        r"""Inverse metric :math:`g^{\mu\nu}`.

        Parameters
        ----------
        x : array_like, shape (..., n)

        Returns
        -------
        numpy.ndarray, shape (..., n, n)

        Notes
        -----
        Equation :eq:`eq-riemann-inverse` of the book.

        Examples
        --------
        >>> polar = NumericMetric(lambda x: [[1, 0], [0, x[0]**2]], n=2)
        >>> polar.inverse([2.0, 0.0])
        array([[1.  , 0.  ],
               [0.  , 0.25]])
        """
        return self._everywhere(x, lambda block: block.inverse, order=0)

    def volume_element(self, x):
        r"""Area (volume) of a coordinate unit cell, :math:`\sqrt{|\det g|}`.

        Parameters
        ----------
        x : array_like, shape (..., n)

        Returns
        -------
        numpy.ndarray, shape (...)

        Notes
        -----
        Equation :eq:`eq-riemann-area` of the book.

        Examples
        --------
        >>> polar = NumericMetric(lambda x: [[1, 0], [0, x[0]**2]], n=2)
        >>> polar.volume_element([[2.0, 0.0], [3.0, 0.0]]).round(12)
        array([2., 3.])
        """
        return self._everywhere(x, lambda block: np.sqrt(np.abs(np.linalg.det(block.metric))), order=0)

    def christoffel_symbols(self, x):
        r"""Christoffel symbols ``christoffel[..., mu, alpha, beta]``.

        .. math:: \Gamma^\mu_{\alpha\beta} = \tfrac12 g^{\mu\nu}
                  (\partial_\alpha g_{\nu\beta} + \partial_\beta g_{\nu\alpha} - \partial_\nu g_{\alpha\beta})

        Parameters
        ----------
        x : array_like, shape (..., n)

        Returns
        -------
        numpy.ndarray, shape (..., n, n, n)

        Notes
        -----
        Equation :eq:`eq-riemann-christoffel` of the book.

        Examples
        --------
        >>> polar = NumericMetric(lambda x: [[1, 0], [0, x[0]**2]], n=2)
        >>> polar.christoffel_symbols([3.0, 0.0])[0]
        array([[ 0.,  0.],
               [ 0., -3.]])
        """
        return self._everywhere(x, lambda block: block.christoffel, order=1)

    def riemann_tensor(self, x, lowered=False):
        r"""Curvature tensor :math:`R^\mu{}_{\alpha\beta\gamma}`, ``riemann[..., mu, alpha, beta, gamma]``.

        Parameters
        ----------
        x : array_like, shape (..., n)
        lowered : bool
            If true, lower the first index.

        Returns
        -------
        numpy.ndarray, shape (..., n, n, n, n)

        Notes
        -----
        Equation :eq:`eq-riemann-loop-definition` of the book.

        Examples
        --------
        >>> half_plane = NumericMetric(lambda x: np.eye(2) / x[1]**2, n=2)
        >>> half_plane.riemann_tensor([0.0, 2.0])[0, 1]
        array([[ 0.  , -0.25],
               [ 0.25,  0.  ]])
        """
        return self._everywhere(x, lambda block: block.lowered if lowered else block.riemann)

    def ricci_tensor(self, x):
        r"""Ricci tensor :math:`R_{\mu\nu} = R^\alpha{}_{\mu\alpha\nu}`.

        Parameters
        ----------
        x : array_like, shape (..., n)

        Returns
        -------
        numpy.ndarray, shape (..., n, n)

        Notes
        -----
        Equation :eq:`eq-riemann-ricci` of the book.

        Examples
        --------
        :math:`g/r^2` on a sphere of radius r.

        >>> sphere = NumericMetric(lambda x: [[4, 0], [0, 4 * np.sin(x[0])**2]], n=2)
        >>> sphere.ricci_tensor([np.pi / 2, 0.0]).round(12)
        array([[1., 0.],
               [0., 1.]])
        """
        return self._everywhere(x, lambda block: block.ricci)

    def ricci_scalar(self, x):
        r"""Scalar curvature :math:`R = g^{\mu\nu}R_{\mu\nu}`, positive on spheres.

        Parameters
        ----------
        x : array_like, shape (..., n)

        Returns
        -------
        numpy.ndarray, shape (...)

        Notes
        -----
        Equation :eq:`eq-riemann-scalar` of the book.

        Examples
        --------
        :math:`2/r^2` on a sphere of radius r.

        >>> sphere = NumericMetric(lambda x: [[4, 0], [0, 4 * np.sin(x[0])**2]], n=2)
        >>> print(f"{sphere.ricci_scalar([1.0, 0.0]):.6f}")
        0.500000
        """
        return self._everywhere(x, lambda block: block.scalar)

    def einstein_tensor(self, x):
        r"""Einstein tensor :math:`G_{\mu\nu} = R_{\mu\nu} - \tfrac12 R\, g_{\mu\nu}`.

        Parameters
        ----------
        x : array_like, shape (..., n)

        Returns
        -------
        numpy.ndarray, shape (..., n, n)

        Notes
        -----
        Equation :eq:`eq-riemann-einstein` of the book.

        Examples
        --------
        Zero on every surface.

        >>> sphere = NumericMetric(lambda x: [[4, 0], [0, 4 * np.sin(x[0])**2]], n=2)
        >>> bool(np.max(np.abs(sphere.einstein_tensor([1.0, 0.0]))) < 1e-14)
        True
        """
        return self._everywhere(x, lambda block: block.einstein)

    def weyl_tensor(self, x, lowered=False):
        r"""Weyl tensor: the part of the curvature that all contractions miss.

        .. math:: C_{\alpha\beta\gamma\delta} = R_{\alpha\beta\gamma\delta} - \frac{1}{n-2}
                  (g_{\alpha\gamma}R_{\beta\delta} - g_{\alpha\delta}R_{\beta\gamma}
                  + g_{\beta\delta}R_{\alpha\gamma} - g_{\beta\gamma}R_{\alpha\delta})
                  + \frac{R}{(n-1)(n-2)}(g_{\alpha\gamma}g_{\beta\delta} - g_{\alpha\delta}g_{\beta\gamma})

        Parameters
        ----------
        x : array_like, shape (..., n)
        lowered : bool
            If true, lower the first index of :math:`C^\mu{}_{\alpha\beta\gamma}`.

        Returns
        -------
        numpy.ndarray, shape (..., n, n, n, n)
            Zero for n = 3.

        Raises
        ------
        MetricError
            If n < 3.

        Notes
        -----
        Equation :eq:`eq-riemann-weyl` of the book.

        References
        ----------
        R. M. Wald, *General Relativity*, University of Chicago Press, 1984, section 3.2.

        Examples
        --------
        >>> from derivations.riemann import spaces
        >>> hole = spaces.schwarzschild().numeric(M=1.0)
        >>> print(f"{hole.weyl_tensor([0.0, 4.0, 1.0, 0.0], lowered=True)[0, 1, 0, 1]:.6f}")
        -0.031250
        """
        if self.n < 3:
            raise MetricError(f"the Weyl tensor needs at least three dimensions, got n={self.n}")
        return self._everywhere(x, lambda block: block.weyl_lowered if lowered else block.weyl)

    def kretschmann_scalar(self, x):
        r"""Kretschmann scalar :math:`R_{\alpha\beta\gamma\delta}R^{\alpha\beta\gamma\delta}`.

        Parameters
        ----------
        x : array_like, shape (..., n)

        Returns
        -------
        numpy.ndarray, shape (...)

        Notes
        -----
        Equation :eq:`eq-riemann-kretschmann` of the book.

        Examples
        --------
        :math:`4K^2` on a surface.

        >>> sphere = NumericMetric(lambda x: [[4, 0], [0, 4 * np.sin(x[0])**2]], n=2)
        >>> print(f"{sphere.kretschmann_scalar([1.0, 0.0]):.6f}")
        0.250000
        """
        return self._everywhere(x, lambda block: block.kretschmann)

    def gauss_curvature(self, x):
        r"""Gauss curvature :math:`K = R_{1212}/\det g` of a surface.

        Parameters
        ----------
        x : array_like, shape (..., 2)

        Returns
        -------
        numpy.ndarray, shape (...)

        Raises
        ------
        MetricError
            If n is not 2.

        Notes
        -----
        Equation :eq:`eq-riemann-deviation-gauss` of the book.

        Examples
        --------
        >>> sphere = NumericMetric(lambda x: [[4, 0], [0, 4 * np.sin(x[0])**2]], n=2)
        >>> print(f"{sphere.gauss_curvature([1.0, 0.0]):.6f}")
        0.250000
        """
        if self.n != 2:
            raise MetricError(f"the Gauss curvature belongs to surfaces (n=2), got n={self.n}")
        return self._everywhere(x, lambda block: block.lowered[:, 0, 1, 0, 1] / np.linalg.det(block.metric))

    def sectional_curvature(self, x, u, v):
        r"""Curvature of the plane of two vectors: the Gauss curvature of the geodesic surface that it spans.

        .. math:: K(u, v) = \frac{R_{\alpha\beta\gamma\delta} u^\alpha v^\beta u^\gamma v^\delta}
                                 {g(u, u)\, g(v, v) - g(u, v)^2}

        Parameters
        ----------
        x : array_like, shape (..., n)
        u, v : array_like, shape (..., n)
            Vectors at x, by components; x, u and v are broadcast against each other.

        Returns
        -------
        numpy.ndarray, shape (...)

        Raises
        ------
        ChartError
            If the plane is degenerate: u and v dependent, or tangent to the light cone (the denominator cannot be
            told from 0). The message names the point and the vectors.
        GeometryError
            If u or v is not finite, not real, or of the wrong shape.

        Notes
        -----
        Equation :eq:`eq-riemann-sectional` of the book.

        References
        ----------
        J. M. Lee, *Introduction to Riemannian Manifolds*, 2nd ed., Springer, 2018, chapter 8.

        Examples
        --------
        >>> from derivations.riemann import spaces
        >>> print(f"{spaces.sphere().numeric(r=0.5).sectional_curvature([1.0, 0.0], [1, 0], [1, 2]):.6f}")
        4.000000
        """
        x, u, v = self._points(x), self._vectors("u", u), self._vectors("v", v)
        try:
            x, u, v = np.broadcast_arrays(x, u, v)
        except ValueError:
            shapes = f"{x.shape}, {u.shape} and {v.shape}"
            raise GeometryError(f"x, u and v must have shapes that broadcast, got {shapes}") from None

        def sectional(block, u, v):
            value, degenerate = block.sectional(u, v)
            if np.any(degenerate):
                worst = int(np.argmax(degenerate))
                raise ChartError(
                    f"the plane of u={u[worst]} and v={v[worst]} is degenerate at {self._name(block.x[worst])}"
                )
            return value

        return self._everywhere(x, sectional, 2, u, v)

    def _everywhere(self, x, tensor, order=2, *vectors):
        """tensor(block, *vectors) for all blocks of points, put together again."""
        x = self._points(x)
        fields = [field.reshape(-1, self.n) for field in (x, *vectors)]
        count, size = len(fields[0]), max(1, min(BLOCK, LARGEST // self.n**4))
        result = None
        with np.errstate(all="ignore"):  # infinities and NaN are caught and named
            for start in range(0, max(count, 1), size):
                part = slice(start, start + size)
                values = self._in_block(tensor, order, *(field[part] for field in fields))
                if count <= size:
                    result = values
                else:
                    result = np.empty((count, *values.shape[1:])) if result is None else result
                    result[part] = values
        return result.reshape((*x.shape[:-1], *result.shape[1:]))[()]  # a number, not an array (), for one point

    def _in_block(self, tensor, order, x, *vectors):
        """tensor(block, *vectors) at few points (m, n), checked."""
        block = self._block(x, order)
        self._check(x, block.metric, "the metric")
        self._check_regular(block)
        if order == 2:
            lost = block.lost()
            if lost.any():
                raise ChartError(f"curvature is lost to rounding at {self._name(x[lost][0])}")
        values = tensor(block, *vectors)
        self._check(x, values, "the answer")
        return values

    def _check(self, x, values, what):
        """Error at the first point where the values are not finite."""
        finite = np.isfinite(values)
        if not finite.all():
            bad = ~finite.all(axis=tuple(range(1, finite.ndim)))
            raise ChartError(f"{what} is not finite at {self._name(x[bad][0])}")

    def _checked(self, x, arrays):
        """The metric and its derivatives, once they are known to be finite."""
        for derivative, what in zip(arrays, ("the metric", "a derivative of the metric", "a second derivative")):
            self._check(x, derivative, what)
        return arrays

    def _check_regular(self, block):
        """Error at the first point where the metric is singular: see the head of this file."""
        sizes = np.abs(block.metric).max(axis=-1)
        bad = sizes.min(axis=-1) <= SHORTEST**2 * sizes.max(axis=-1)
        if not bad.any():
            cancellation = np.abs(block.inverse * block.metric).sum(axis=(-2, -1))
            bad = ~(cancellation < 1 / EPS)
        if bad.any():
            raise ChartError(f"the metric is singular at {self._name(block.x[bad][0])}")

    def _points(self, x):
        x = _real_array(x, "points", ChartError)
        if x.shape[-1:] != (self.n,):
            raise ChartError(f"points must have shape (..., {self.n}), got x of shape {x.shape}")
        inside = np.isfinite(x)
        for axis, (low, high) in enumerate(self.limits):
            inside[..., axis] &= (x[..., axis] > low) & (x[..., axis] < high)
        if not inside.all():
            raise ChartError(f"{self._name(x[~inside.all(axis=-1)][0])} is not in the chart: {self._chart()}")
        return x

    def _vectors(self, name, vector):
        vector = _real_array(vector, name, GeometryError)
        if vector.shape[-1:] != (self.n,) or not np.isfinite(vector).all():
            raise GeometryError(f"{name} must be finite with shape (..., {self.n}), got {name}={vector}")
        return vector

    def _chart(self):
        limits = self.limits or ((-np.inf, np.inf),) * self.n
        return ", ".join(f"{low:.6g} < {name} < {high:.6g}" for name, (low, high) in zip(self.names, limits))

    def _name(self, point):
        return ", ".join(f"{name}={value:.6g}" for name, value in zip(self.names, point))

    def _check_chart(self):
        for role in ("names", "limits", "periods"):
            entries = getattr(self, role)
            if len(entries) not in ({self.n} if role == "names" else {0, self.n}):
                raise MetricError(f"{role} must have one entry for each of {self.n} coordinates, got {role}={entries}")


@dataclass(frozen=True)
class FormulaMetric(PointwiseMetric):
    r"""A metric evaluated by its exact formulas; made by :meth:`derivations.riemann.Metric.numeric`.

    Parameters
    ----------
    exact : Metric
        The formulas.
    values : tuple of float
        One number for each symbol of ``exact.params``.
    limits, periods : tuple, optional
        See :class:`PointwiseMetric`.

    Raises
    ------
    MetricError
        If limits or periods do not have one entry for each coordinate.
    ParameterError
        By every method: if the formulas contain an undetermined function.

    Notes
    -----
    Metric, inverse, Christoffel symbols, :math:`R_{\alpha\beta\gamma\delta}`, Ricci tensor and scalar are compiled to
    NumPy, with common subexpressions joined, when first asked for and once for all equal metrics: only components that
    no symmetry makes zero or equal to another one. The other tensors are contracted from these.

    Long formulas are expanded polynomials whose terms cancel, and lose digits. A formula counts as long if one
    component takes more than 64 n operations (16 n for Ricci tensor and scalar; Kerr-Newman's curvature takes 247).
    Where the Christoffel symbols or the curvature are long, only the matrix is compiled, which is short, and
    differentiated by jets as in :class:`NumericMetric`; a long inverse, Ricci tensor or scalar is computed from the
    other tensors. Formulas below these limits may still lose some digits.

    Examples
    --------
    >>> from derivations.riemann import spaces
    >>> print(f"{spaces.half_plane().metric.numeric().ricci_scalar([0.0, 3.0]):.6f}")
    -2.000000
    """

    exact: object
    values: tuple = ()
    limits: tuple = ()
    periods: tuple = ()

    def __post_init__(self):
        self._check_chart()

    @property
    def n(self):
        """Number of dimensions."""
        return self.exact.n

    @property
    def names(self):
        """Names of the coordinates."""
        return tuple(symbol.name for symbol in self.exact.coords)

    def _block(self, x, order):
        if order == 0 or _is_short(self.exact, ("christoffel_symbols", "riemann_tensor")[order - 1]):
            return _FormulaBlock(x, self.exact, self.values)
        try:
            arrays = derivatives(self._matrix, x, order)
        except (TypeError, AttributeError) as error:  # of a NumPy function that does not know jets
            raise MetricError(f"long formulas are differentiated by jets, which fail here: {error}") from error
        return _JetBlock(x, *self._checked(x, arrays))

    def _matrix(self, x):
        """The matrix at coordinates that may be jets."""
        function, places = _compiled(self.exact, "matrix")
        components = _evaluated(function, (*x, *map(np.float64, self.values)))
        return [[0.0 if place == 0 else components[place - 1] for place in row] for row in places]


@dataclass(frozen=True)
class NumericMetric(PointwiseMetric):
    r"""A metric given by a plain NumPy function, differentiated exactly (to rounding) by jets.

    Parameters
    ----------
    function : callable
        Takes the n coordinates, an array that can be unpacked (``theta, phi = x``), and returns the components
        :math:`g_{\mu\nu}`: nested lists or an array of shape (n, n), of numbers and of what NumPy's functions and the
        arithmetic operators make of the coordinates. See ``derivations.riemann.jets`` for branches.
    n : int
        Number of dimensions.
    names : sequence of str, optional
        Names of the coordinates for messages; left out: x0, x1, ...
    limits, periods : sequence, optional
        See :class:`PointwiseMetric`.

    Raises
    ------
    MetricError
        If `function` cannot be called, `n` is no positive integer, or names, limits or periods do not have n entries.
        By every method: if the function returns something that is not a real symmetric (n, n) matrix, or that
        cannot be differentiated.

    ChartError
        By the methods that need curvature, besides those of :class:`PointwiseMetric`: if curvature is lost to rounding.

    Notes
    -----
    Near a singularity of the coordinates large terms cancel: on the unit sphere at a small angle :math:`\theta` the
    curvature has the error :math:`\epsilon/\theta^2`, :math:`\epsilon = 2.2 \cdot 10^{-16}`. With
    :math:`s_\mu^2 = \max_\nu |g_{\mu\nu}|` and the sum T of the absolute values of all terms of
    :math:`R_{\alpha\beta\gamma\delta}`, a point is refused if for some component

    .. math:: \frac{n\,\epsilon\,T}{s_\alpha s_\beta s_\gamma s_\delta} > 10^{-3} \max\left(\max
              \frac{|R_{\kappa\lambda\mu\nu}|}{s_\kappa s_\lambda s_\mu s_\nu},
              \frac{1}{\max(s_\alpha^2, s_\beta^2, s_\gamma^2, s_\delta^2)}\right).

    The last term accepts flat spaces: nobody can tell from g and its derivatives at one point whether a curvature 0
    with an error is none or a lost one, so the error is measured against the length of one unit of the coordinates.
    Polar coordinates of the plane are refused for :math:`r < 10^{-6}`, in whatever unit r is given.

    References
    ----------
    A. Griewank, A. Walther, *Evaluating Derivatives*, 2nd ed., SIAM, 2008, chapter 13.

    Examples
    --------
    >>> import numpy as np
    >>> def sphere(x):
    ...     theta, phi = x
    ...     return [[1, 0], [0, np.sin(theta)**2]]
    >>> metric = NumericMetric(sphere, n=2, names=("theta", "phi"))
    >>> print(f"{metric.gauss_curvature([1.0, 0.0]):.6f}")
    1.000000
    """

    function: object
    n: int
    names: tuple = None
    limits: tuple = ()
    periods: tuple = ()

    def __post_init__(self):
        if not callable(self.function):
            raise MetricError(f"function must be callable, got function={self.function!r}")
        if not isinstance(self.n, numbers.Integral) or self.n < 1:
            raise MetricError(f"n must be a positive integer, got n={self.n!r}")
        names = tuple(f"x{i}" for i in range(self.n)) if self.names is None else tuple(self.names)
        object.__setattr__(self, "names", names)
        for role in ("limits", "periods"):
            object.__setattr__(self, role, tuple(getattr(self, role)))
        self._check_chart()

    def _block(self, x, order):
        arrays = derivatives(self.function, x, order)
        if arrays[0].shape[1:] != (self.n, self.n):
            shape = arrays[0].shape[1:]
            raise MetricError(f"function must return a matrix of shape ({self.n}, {self.n}), got shape {shape}")
        g = arrays[0]
        skew = np.abs(g - np.swapaxes(g, 1, 2)).max(axis=(1, 2)) > 1e3 * EPS * np.abs(g).max(axis=(1, 2))
        if skew.any():
            raise MetricError(f"function must return a symmetric matrix, got {g[skew][0]} at {self._name(x[skew][0])}")
        return _JetBlock(x, *self._checked(x, arrays))


def numeric_metric(exact, values=()):
    """Numeric form of exact formulas: what :meth:`derivations.riemann.Metric.numeric` returns.

    Parameters
    ----------
    exact : Metric
    values : sequence of float
        One number for each symbol of ``exact.params``.

    Returns
    -------
    FormulaMetric

    Examples
    --------
    >>> from derivations.riemann import spaces
    >>> numeric_metric(spaces.sphere().metric, [2.0]).metric([1.5, 0.0]).round(2)
    array([[4.  , 0.  ],
           [0.  , 3.98]])
    """
    return FormulaMetric(exact, tuple(values))


class _Block(abc.ABC):
    """All tensors at one block of valid points x, shape (m, n), each computed when asked for."""

    def __init__(self, x):
        self.x = x
        self.m, self.n = x.shape

    @cached_property
    def inverse(self):
        # Units in which all coordinates are about as long; by powers of 2, which round nothing.
        units = np.exp2(-np.round(np.log2(np.abs(self.metric).max(axis=-1)) / 2))
        scales = units[:, :, None] * units[:, None, :]
        g = self.metric * scales
        try:
            return np.linalg.inv(g) * scales
        except np.linalg.LinAlgError:  # does not say where
            singular = np.linalg.det(g) == 0.0
            return np.linalg.inv(np.where(singular[:, None, None], np.nan, g)) * scales

    def _raised(self, tensor):
        """First lower index made an upper one."""
        rows = tensor.reshape(self.m, self.n, self.n ** (tensor.ndim - 2))
        return (self.inverse @ rows).reshape(tensor.shape)

    @cached_property
    def riemann(self):
        return self._raised(self.lowered)

    @cached_property
    def ricci(self):
        return np.einsum("paman->pmn", self.riemann)

    @cached_property
    def scalar(self):
        return np.einsum("pmn,pmn->p", self.inverse, self.ricci)

    @property
    def einstein(self):
        return self.ricci - self.scalar[:, None, None] * self.metric / 2

    @property
    def weyl_lowered(self):
        if self.n == 3:
            return np.zeros_like(self.lowered)
        n = self.n
        schouten = (self.ricci - self.scalar[:, None, None] * self.metric / (2 * (n - 1))) / (n - 2)
        half = np.einsum("pac,pbd->pabcd", self.metric, schouten)
        half = half - np.swapaxes(half, 3, 4)
        return self.lowered - half - np.einsum("pabcd->pbadc", half)

    @property
    def weyl(self):
        return self._raised(self.weyl_lowered)

    @property
    def kretschmann(self):
        # R^{ab}_{cd} as a matrix of pairs; the trace of its square.
        operator = self.inverse[:, None] @ self.riemann.reshape(self.m, self.n, self.n, self.n**2)
        operator = operator.reshape(self.m, self.n**2, self.n**2)
        return np.einsum("pij,pji->p", operator, operator)

    def sectional(self, u, v):
        """Sectional curvatures, and where the plane is degenerate."""
        def inner(g, a, b):
            return np.einsum("pa,pab,pb->p", a, g, b)

        plane = np.einsum("pa,pb->pab", u, v).reshape(self.m, self.n**2)
        top = inner(self.lowered.reshape(self.m, self.n**2, self.n**2), plane, plane)
        g = self.metric
        bottom = inner(g, u, u) * inner(g, v, v) - inner(g, u, v)**2
        g, u, v = np.abs(g), np.abs(u), np.abs(v)
        rounding = 8 * self.n * EPS * (inner(g, u, u) * inner(g, v, v) + inner(g, u, v)**2)
        return top / bottom, ~(np.abs(bottom) > rounding)


class _FormulaBlock(_Block):
    """Tensors from compiled formulas."""

    def lost(self):
        return np.zeros(self.m, dtype=bool)  # short formulas: their terms hardly cancel

    def __init__(self, x, exact, values):
        super().__init__(x)
        self.exact = exact
        self.arguments = (*np.ascontiguousarray(x.T), *map(np.float64, values))

    @cached_property
    def metric(self):
        return self._evaluated("matrix")

    @cached_property
    def inverse(self):
        return self._evaluated("inverse") if _is_short(self.exact, "inverse") else super().inverse

    @cached_property
    def christoffel(self):
        return self._evaluated("christoffel_symbols")

    @cached_property
    def lowered(self):
        return self._evaluated("riemann_tensor")

    @cached_property
    def ricci(self):
        return self._evaluated("ricci_tensor") if _is_short(self.exact, "ricci_tensor") else super().ricci

    @cached_property
    def scalar(self):
        return self._evaluated("ricci_scalar") if _is_short(self.exact, "ricci_scalar") else super().scalar

    def _evaluated(self, tensor):
        function, places = _compiled(self.exact, tensor)
        components = _evaluated(function, self.arguments)
        count = len(components)
        table = np.zeros((1 + 2 * count, self.m))  # zero, the components, and their negatives
        for row, component in enumerate(components, start=1):
            table[row] = component
        np.negative(table[1:1 + count], out=table[1 + count:])
        return np.ascontiguousarray(table.T)[:, places]


class _JetBlock(_Block):
    """Tensors from the metric and its derivatives dg[p, a, b, c] = d_c g_ab, ddg[p, a, b, c, d] = d_c d_d g_ab."""

    def __init__(self, x, g, dg=None, ddg=None):
        super().__init__(x)
        self.metric, self.dg, self.ddg = g, dg, ddg

    @cached_property
    def first_kind(self):
        turned = np.moveaxis(self.dg, 3, 1)
        return (self.dg + np.swapaxes(self.dg, 2, 3) - turned) / 2

    @cached_property
    def christoffel(self):
        return self._raised(self.first_kind)

    @cached_property
    def lowered(self):
        # R_abcd = H_abcd - H_abdc with H_abcd = (d_b d_c g_ad + d_a d_d g_bc)/2 + Gamma_ebc Gamma^e_ad, the latter as
        # matrices with the pairs bc and ad for rows and columns.
        m, n = self.m, self.n
        second = self.ddg.reshape(m, n**2, n**2)
        first = self.first_kind.reshape(m, n, n**2)
        half = (second + np.swapaxes(second, 1, 2)) / 2
        half += np.swapaxes(first, 1, 2) @ self.christoffel.reshape(first.shape)
        half = half.reshape(m, n, n, n, n)  # axes b, c, a, d
        return np.einsum("pbcad->pabcd", half) - np.einsum("pbdac->pabcd", half)

    def lost(self):
        """Points where the curvature is lost to rounding, shape (m,)."""
        # A bound of `rounding` that costs little: at most points it is small.
        n, sizes = self.n, np.abs(self.metric).max(axis=-1)
        terms = 2 * (_norm(self.ddg) + _norm(self.first_kind)**2 * _norm(self.inverse))
        lost = ~(n * EPS * terms * sizes.max(axis=-1) / sizes.min(axis=-1)**2 < LOST)
        if lost.any():
            lost[lost] = _JetBlock(*(array[lost] for array in (self.x, self.metric, self.dg, self.ddg))).rounding > LOST
        return lost

    @property
    def rounding(self):
        """Estimated relative rounding error of the curvature, shape (m,): see NumericMetric."""
        m, n = self.m, self.n
        # The sum of `lowered` with the sizes of all terms, in units in which each coordinate has length 1.
        units = _balanced(np.abs(self.metric))
        sizes = 1 / units**2
        pairs = (units[:, :, None] * units[:, None, :]).reshape(m, 1, n**2)
        second = np.abs(self.ddg).reshape(m, n**2, n**2) * np.swapaxes(pairs, 1, 2) * pairs
        first = np.abs(self.first_kind).reshape(m, n, n**2) * pairs
        terms = (second + np.swapaxes(second, 1, 2)) / 2 + np.swapaxes(first, 1, 2) @ (np.abs(self.inverse) @ first)
        terms = terms.reshape(m, n, n, n, n)  # axes b, c, a, d
        error = n * EPS * (terms + np.swapaxes(terms, 2, 4)).reshape(second.shape)
        largest = np.maximum(sizes[:, :, None], sizes[:, None, :]).reshape(m, n**2)
        largest = np.maximum(largest[:, :, None], largest[:, None, :])
        lowered = np.abs(self.lowered).reshape(m, n**2, n**2) * np.swapaxes(pairs, 1, 2) * pairs
        return (error / np.maximum(lowered.max(axis=(1, 2))[:, None, None], 1 / largest)).max(axis=(1, 2))


def _evaluated(function, arguments):
    """function(*arguments), or an error that names the function that NumPy lacks."""
    try:
        return function(*arguments)
    except NameError as error:
        raise MetricError(f"the formulas cannot be evaluated: NumPy has no function {error.name}") from None


def _balanced(sizes, rounds=12):
    """Factors u (m, n) that bring the largest entry of each row of u_i sizes_ij u_j (m, n, n) near 1.

    The row's largest entry alone will not do: in a row with an off-diagonal entry it depends on the other unit, too.
    Ruiz (2001), "A scaling algorithm to equilibrate both rows and columns norms in matrices".
    """
    units = np.ones(sizes.shape[:-1])
    for _ in range(rounds):  # each one halves the logarithms of what is left
        rows = (units[:, :, None] * sizes * units[:, None, :]).max(axis=-1)
        units = units / np.sqrt(np.where(rows > 0, rows, 1.0))
    return units


def _norm(tensor):
    """Root of the sum of the squared components at each point."""
    rows = tensor.reshape(len(tensor), np.prod(tensor.shape[1:]))
    return np.sqrt(np.einsum("pi,pi->p", rows, rows))


_FORMULAS = weakref.WeakKeyDictionary()


def _is_short(exact, tensor):
    """Whether the components of a tensor have closed formulas that are short enough to keep their digits."""
    formulas = _FORMULAS.setdefault(exact, {})
    key = (tensor, "short")
    if key not in formulas:
        components, _ = _components(exact, tensor)
        limit = exact.n * (LONG_CONTRACTION if tensor.startswith("ricci") else LONG)
        formulas[key] = all(sp.count_ops(component) <= limit for component in components)
    return formulas[key]


def _compiled(exact, tensor):
    """NumPy function of coordinates and parameters that returns the components to compute, and where they belong.

    The places are an array of the tensor's shape: 0 for a component that is zero, 1 + k for component k, and
    1 + count + k for its negative.
    """
    formulas = _FORMULAS.setdefault(exact, {})
    if tensor not in formulas:
        formulas[tensor] = _compile(exact, tensor)
    return formulas[tensor]


def _components(exact, tensor):
    """The components to compute, and the places of :func:`_compiled`."""
    rank, formula = TENSORS[tensor]
    formula = formula(exact)
    places = np.zeros((exact.n,) * rank, dtype=np.intp)
    signs = np.zeros(places.shape, dtype=int)
    components, place_of = [], {None: 0}
    for index in np.ndindex(places.shape):
        signs[index], representative = _representative(index)
        if representative not in place_of:
            component = sp.sympify(formula[representative] if rank else formula)
            components.extend([component] if component != 0 else [])
            place_of[representative] = len(components) if component != 0 else 0
        places[index] = place_of[representative]
    places[(signs < 0) & (places > 0)] += len(components)
    return components, places


def _compile(exact, tensor):
    components, places = _components(exact, tensor)
    undetermined = [f for component in components for f in component.atoms(AppliedUndef)]
    if undetermined:
        raise ParameterError(f"{undetermined[0]} has no numerical value: substitute a formula for it first")
    function = sp.lambdify(
        (*exact.coords, *exact.params), components, modules=[{"integer_power": integer_power}, "numpy"],
        printer=_Printer({"fully_qualified_modules": False, "inline": True, "allow_unknown_functions": True}),
        cse=lambda expressions: sp.cse(expressions, order="none"), docstring_limit=0,
        dummify=True,  # a coordinate may be called like a function or a common subexpression
    )
    return function, places


TENSORS = {
    "matrix": (2, lambda exact: exact.matrix),
    "inverse": (2, lambda exact: exact.inverse()),
    "christoffel_symbols": (3, lambda exact: exact.christoffel_symbols()),
    "riemann_tensor": (4, lambda exact: exact.riemann_tensor(lowered=True)),
    "ricci_tensor": (2, lambda exact: exact.ricci_tensor()),
    "ricci_scalar": (0, lambda exact: exact.ricci_scalar()),
}


def _representative(index):
    """Sign and index of the component that this one equals up to the sign; (0, None) if it is zero.

    Rank 2: symmetric. Rank 3, Christoffel symbols: symmetric in the last two. Rank 4, R_abcd: symmetric pairs, each
    antisymmetric. (The first Bianchi identity would save one component in 21 for n = 4, and cost digits.)
    """
    if len(index) < 4:
        return 1, (*index[:-2], *sorted(index[-2:]))
    a, b, c, d = index
    if a == b or c == d:
        return 0, None
    first, second = sorted([tuple(sorted((a, b))), tuple(sorted((c, d)))])
    return (1 if (a < b) == (c < d) else -1), first + second


class _Printer(NumPyPrinter):
    """Integer powers as products: NumPy's power is many times slower. Cases with np.where, which jets know."""

    def _print_Piecewise(self, expr):
        text = "nan"
        for value, condition in reversed(expr.args):
            text = f"where({self._print(condition)}, {self._print(value)}, {text})"
        return text

    def _print_Pow(self, expr, rational=False):
        if expr.exp.is_Integer and expr.exp != -1:
            return f"integer_power({self._print(expr.base)}, {int(expr.exp)})"
        return super()._print_Pow(expr, rational=rational)


def _real_array(values, name, error):
    """Array of float, or an error that names it."""
    try:
        array = np.asarray(values)
        if np.iscomplexobj(array):
            raise TypeError(f"dtype {array.dtype}")
        return array.astype(float)
    except (TypeError, ValueError) as cause:
        raise error(f"{name} must be real numbers, got {values!r}") from cause


def finite_number(name, value):
    """Return value as a float, or raise a :class:`ParameterError` that names it."""
    if not isinstance(value, numbers.Real) or not np.isfinite(value):
        raise ParameterError(f"{name} must be a finite real number, got {name}={value!r}")
    return float(value)
