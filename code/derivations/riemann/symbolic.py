r"""Metrics as formulas: Christoffel symbols and curvature with SymPy.

One convention holds in the whole book,

.. math:: R^\mu{}_{\alpha\beta\gamma} = \partial_\beta \Gamma^\mu_{\alpha\gamma}
          - \partial_\gamma \Gamma^\mu_{\alpha\beta}
          + \Gamma^\mu_{\nu\beta}\Gamma^\nu_{\alpha\gamma} - \Gamma^\mu_{\nu\gamma}\Gamma^\nu_{\alpha\beta},

and the order of the axes of an array is the order of the indices: ``riemann[mu, alpha, beta, gamma]``,
``christoffel[mu, alpha, beta]``.
"""
import functools
import itertools
from dataclasses import dataclass

import sympy as sp

from .errors import MetricError, ParameterError
from .numeric import NumericMetric, finite_number

__all__ = ["Metric"]


@dataclass(frozen=True)
class Metric:
    r"""A metric :math:`ds^2 = g_{\mu\nu}\, dx^\mu dx^\nu` given by formulas.

    Parameters
    ----------
    coords : sequence of n sympy.Symbol
        The coordinates, in the order of the indices.
    matrix : sympy matrix, shape (n, n)
        The components :math:`g_{\mu\nu}`; symmetric, with a determinant that is not identically zero.
    params : sequence of sympy.Symbol, optional
        All other symbols of the matrix: radii, masses, ... (not coordinates).

    Raises
    ------
    MetricError
        If the matrix is not square, of the wrong size, not symmetric, not real, singular everywhere, or if it
        contains a symbol that is neither a coordinate nor a parameter.

    Notes
    -----
    Equation ``eq-riemann-loop-metric`` of the book. Each tensor is computed once and kept. Expressions are tidied
    with SymPy's ``cancel`` and ``trigsimp``: fine for the surfaces of the catalogue, slow for metrics like Kerr's.

    References
    ----------
    J. M. Lee, *Introduction to Riemannian Manifolds*, 2nd ed., Springer, 2018.

    Examples
    --------
    >>> import sympy as sp
    >>> theta, phi = sp.symbols("theta phi", real=True)
    >>> r = sp.Symbol("r", positive=True)
    >>> sphere = Metric((theta, phi), sp.diag(r**2, r**2 * sp.sin(theta)**2), params=(r,))
    >>> sphere.riemann_tensor()[0, 1, 0, 1]
    sin(theta)**2
    >>> sphere.ricci_scalar()
    2/r**2
    """

    coords: tuple
    matrix: sp.ImmutableMatrix
    params: tuple = ()

    def __post_init__(self):
        object.__setattr__(self, "coords", tuple(self.coords))
        object.__setattr__(self, "params", tuple(self.params))
        object.__setattr__(self, "matrix", sp.ImmutableMatrix(self.matrix))
        _check_symbols(self.coords, self.params)
        _check_matrix(self.matrix, self.coords, self.params)

    @classmethod
    def from_embedding(cls, coords, xyz):
        r"""Metric that a surface (or any patch) inherits from the Euclidean space around it.

        :math:`g_{\mu\nu} = \partial_\mu X \cdot \partial_\nu X` for the point :math:`X(x^1, \dots, x^n)`.

        Parameters
        ----------
        coords : sequence of n sympy.Symbol
            The coordinates on the surface.
        xyz : sequence of sympy expressions
            The Cartesian components of X. Symbols that are no coordinates become parameters, sorted by name.

        Returns
        -------
        Metric

        Raises
        ------
        MetricError
            If the patch is degenerate (determinant zero everywhere).

        Notes
        -----
        Equation ``eq-riemann-loop-metric`` of the book.

        References
        ----------
        J. M. Lee, *Introduction to Riemannian Manifolds*, 2nd ed., Springer, 2018, chapter 2.

        Examples
        --------
        >>> import sympy as sp
        >>> r, phi = sp.symbols("r phi", positive=True)
        >>> Metric.from_embedding((r, phi), (r * sp.cos(phi), r * sp.sin(phi))).matrix
        Matrix([
        [1,    0],
        [0, r**2]])
        """
        point = sp.Matrix([sp.sympify(component) for component in xyz])
        tangents = point.jacobian(sp.Matrix(tuple(coords)))
        params = sorted(point.free_symbols - set(coords), key=str)
        return cls(coords, (tangents.T * tangents).applyfunc(_tidy), params)

    @classmethod
    def from_graph(cls, f, coords=None):
        r"""Metric of the graph :math:`z = f(x, y)`: :math:`g_{ij} = \delta_{ij} + \partial_i f\, \partial_j f`.

        Parameters
        ----------
        f : sympy expression
            The height. Symbols that are no coordinates become parameters, sorted by name.
        coords : pair of sympy.Symbol, optional
            The coordinates. Left out: the symbols of f named ``x`` and ``y``.

        Returns
        -------
        Metric

        Raises
        ------
        MetricError
            If `coords` is not a pair of symbols.

        Notes
        -----
        Equation ``eq-riemann-loop-metric`` of the book.

        References
        ----------
        J. M. Lee, *Introduction to Riemannian Manifolds*, 2nd ed., Springer, 2018, chapter 2.

        Examples
        --------
        >>> import sympy as sp
        >>> x, y = sp.symbols("x y", real=True)
        >>> Metric.from_graph((x**2 - y**2) / 2).gauss_curvature()
        -1/(x**2 + y**2 + 1)**2
        """
        f = sp.sympify(f)
        if coords is None:
            by_name = {symbol.name: symbol for symbol in f.free_symbols}
            coords = tuple(by_name.get(name, sp.Symbol(name, real=True)) for name in ("x", "y"))
        if len(coords) != 2:
            raise MetricError(f"coords must be a pair of symbols, got coords={coords}")
        return cls.from_embedding(coords, (*coords, f))

    @property
    def n(self):
        """Number of dimensions."""
        return len(self.coords)

    @functools.cache
    def inverse(self):
        r"""Inverse metric :math:`g^{\mu\nu}`, a matrix of shape (n, n)."""
        return self.matrix.inv().applyfunc(_tidy).as_immutable()

    @functools.cache
    def christoffel_symbols(self):
        r"""Christoffel symbols of the second kind, ``christoffel[mu, alpha, beta]``.

        .. math:: \Gamma^\mu_{\alpha\beta} = \tfrac12 g^{\mu\nu}
                  (\partial_\alpha g_{\nu\beta} + \partial_\beta g_{\nu\alpha} - \partial_\nu g_{\alpha\beta})

        Returns
        -------
        sympy.ImmutableDenseNDimArray, shape (n, n, n)

        Notes
        -----
        Equation ``eq-riemann-loop-christoffel`` of the book. Symmetric in the last two indices.

        References
        ----------
        J. M. Lee, *Introduction to Riemannian Manifolds*, 2nd ed., Springer, 2018, chapter 5.

        Examples
        --------
        >>> import sympy as sp
        >>> r, phi = sp.symbols("r phi", positive=True)
        >>> Metric((r, phi), sp.diag(1, r**2)).christoffel_symbols()[0, 1, 1]
        -r
        """
        g, x = self.matrix, self.coords

        def first_kind(nu, alpha, beta):
            terms = g[nu, beta].diff(x[alpha]) + g[nu, alpha].diff(x[beta]) - g[alpha, beta].diff(x[nu])
            return terms / 2

        def second_kind(mu, alpha, beta):
            inverse = self.inverse()
            return _tidy(sum(inverse[mu, nu] * first_kind(nu, alpha, beta) for nu in range(self.n)))

        return _array(second_kind, self.n, 3)

    @functools.cache
    def riemann_tensor(self, lowered=False):
        r"""Riemann curvature tensor, ``riemann[mu, alpha, beta, gamma]``.

        .. math:: R^\mu{}_{\alpha\beta\gamma} = \partial_\beta \Gamma^\mu_{\alpha\gamma}
                  - \partial_\gamma \Gamma^\mu_{\alpha\beta}
                  + \Gamma^\mu_{\nu\beta}\Gamma^\nu_{\alpha\gamma} - \Gamma^\mu_{\nu\gamma}\Gamma^\nu_{\alpha\beta}

        Parameters
        ----------
        lowered : bool
            If true, lower the first index: :math:`R_{\mu\alpha\beta\gamma}`.

        Returns
        -------
        sympy.ImmutableDenseNDimArray, shape (n, n, n, n)

        Notes
        -----
        Equation ``eq-riemann-loop-definition`` of the book.

        References
        ----------
        J. Su, *Understanding Riemannian geometry, part 5*, https://kexue.fm/archives/4014, equation (49).

        Examples
        --------
        >>> import sympy as sp
        >>> x, y = sp.symbols("x y", positive=True)
        >>> half_plane = Metric((x, y), sp.eye(2) / y**2)
        >>> half_plane.riemann_tensor()[0, 1, 0, 1], half_plane.riemann_tensor(lowered=True)[0, 1, 0, 1]
        (-1/y**2, -1/y**4)
        """
        if lowered:
            return self._lowered_riemann()
        gamma_, x, n = self.christoffel_symbols(), self.coords, self.n

        def half(mu, alpha, beta, gamma):
            products = sum(gamma_[mu, nu, beta] * gamma_[nu, alpha, gamma] for nu in range(n))
            return gamma_[mu, alpha, gamma].diff(x[beta]) + products

        def component(mu, alpha, beta, gamma):
            return _tidy(half(mu, alpha, beta, gamma) - half(mu, alpha, gamma, beta))

        return _array(component, n, 4)

    def _lowered_riemann(self):
        riemann = self.riemann_tensor()

        def component(mu, *rest):
            return _tidy(sum(self.matrix[mu, nu] * riemann[(nu, *rest)] for nu in range(self.n)))

        return _array(component, self.n, 4)

    @functools.cache
    def ricci_tensor(self):
        r"""Ricci tensor :math:`R_{\mu\nu} = R^\alpha{}_{\mu\alpha\nu}`, an array of shape (n, n)."""
        riemann, n = self.riemann_tensor(), self.n
        return _array(lambda mu, nu: _tidy(sum(riemann[a, mu, a, nu] for a in range(n))), n, 2)

    @functools.cache
    def ricci_scalar(self):
        r"""Scalar curvature :math:`g^{\mu\nu} R_{\mu\nu}`, an expression (2/r^2 on a sphere of radius r)."""
        inverse, ricci, axes = self.inverse(), self.ricci_tensor(), range(self.n)
        return _tidy(sum(inverse[mu, nu] * ricci[mu, nu] for mu in axes for nu in axes))

    @functools.cache
    def gauss_curvature(self):
        r"""Gauss curvature :math:`K = R_{1212}/\det g` of a surface, an expression.

        Raises
        ------
        MetricError
            If the space is not two-dimensional.
        """
        if self.n != 2:
            raise MetricError(f"the Gauss curvature belongs to surfaces (n=2), got n={self.n}")
        return _tidy(self.riemann_tensor(lowered=True)[0, 1, 0, 1] / self.matrix.det())

    def numeric(self, **params):
        """Same metric with numbers for its parameters, ready for arrays of points.

        Parameters
        ----------
        **params : float
            One value for each symbol of ``params``, by its name.

        Returns
        -------
        NumericMetric

        Raises
        ------
        ParameterError
            If a parameter is missing, unknown or not a finite real number.

        Examples
        --------
        >>> import sympy as sp
        >>> x, y = sp.symbols("x y", real=True)
        >>> a = sp.Symbol("a", positive=True)
        >>> bowl = Metric.from_graph(a * (x**2 + y**2) / 2).numeric(a=2.0)
        >>> float(bowl.gauss_curvature([0.0, 0.0]))
        4.0
        """
        names = [symbol.name for symbol in self.params]
        for name in params:
            if name not in names:
                raise ParameterError(f"unknown parameter {name}={params[name]!r}; this metric has {names or 'none'}")
        missing = [name for name in names if name not in params]
        if missing:
            raise ParameterError(f"no value for the parameters {missing}")
        return NumericMetric(self, tuple(finite_number(name, params[name]) for name in names))


def _tidy(expression):
    """One fraction, factored, sines and cosines joined; without tan, which trigsimp may leave uncancelled."""
    expression = expression.replace(sp.tan, lambda angle: sp.sin(angle) / sp.cos(angle))
    return sp.factor(sp.trigsimp(sp.cancel(sp.together(expression))))


def _array(component, n, rank):
    """Array of shape (n, ..., n) with the entries component(i, j, ...)."""
    entries = [component(*index) for index in itertools.product(range(n), repeat=rank)]
    return sp.ImmutableDenseNDimArray(entries, (n,) * rank)


def _check_symbols(coords, params):
    for role, symbols in (("coords", coords), ("params", params)):
        for symbol in symbols:
            if not isinstance(symbol, sp.Symbol):
                raise MetricError(f"{role} must be sympy symbols, got {symbol!r} in {role}={symbols}")
    names = [symbol.name for symbol in (*coords, *params)]
    if len(set(names)) < len(names):
        raise MetricError(f"coords and params must have different names, got {names}")


def _check_matrix(matrix, coords, params):
    n = len(coords)
    if n == 0 or matrix.shape != (n, n):
        raise MetricError(f"matrix must have shape ({n}, {n}) for coords={coords}, got shape {matrix.shape}")
    foreign = matrix.free_symbols - set(coords) - set(params)
    if foreign:
        raise MetricError(f"matrix contains {sorted(map(str, foreign))}: neither coordinates nor parameters")
    if matrix.has(sp.I, sp.nan, sp.zoo, sp.oo, -sp.oo):
        raise MetricError(f"matrix must be real and finite, got {matrix}")
    if (matrix - matrix.T).applyfunc(_tidy) != sp.zeros(n, n):
        raise MetricError(f"matrix must be symmetric, got {matrix}")
    if _tidy(matrix.det()) == 0:
        raise MetricError(f"matrix must have an inverse, but its determinant is 0 everywhere: {matrix}")
