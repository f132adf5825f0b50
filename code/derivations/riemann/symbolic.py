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
from dataclasses import dataclass, fields

import sympy as sp

from .display import Tensor
from .errors import MetricError, ParameterError
from .expressions import ExpressionField
from .functions import FunctionField
from .lattice import NotRational, TooLarge
from .numeric import finite_number, numeric_metric
from .rational import exact_engine
from .tensors import Curvature, antisymmetric

__all__ = ["Metric"]

RICCI = [((1, 0), 1)]
CHRISTOFFEL = [((0, 2, 1), 1)]
MIXED = [((0, 1, 3, 2), -1)]
LOWERED = [((1, 0, 2, 3), -1), ((0, 1, 3, 2), -1), ((2, 3, 0, 1), 1)]
BIANCHI = [((1, 0, 2, 3, 4), -1), ((0, 1, 3, 2, 4), -1), ((0, 1, 2, 4, 3), -1)]


def kept(method):
    """Compute a property of a metric once. It is kept in the metric, and so goes with it."""
    @functools.wraps(method)
    def once(self):
        if method.__name__ not in self._kept:
            self._kept[method.__name__] = method(self)
        return self._kept[method.__name__]
    return once


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
        contains a symbol that is neither a coordinate nor a parameter; if a multiple of an angle or exponent, a
        power or the degree of a root is greater than 200.

    Notes
    -----
    Equation :eq:`eq-riemann-metric` of the book. Each tensor is computed once and kept in the metric.

    Metrics made of rational functions, trigonometric, hyperbolic and exponential functions, powers, undetermined
    functions such as ``Function("a")(t)``, logarithms of symbols and independent square roots are computed in an exact
    field (``derivations.riemann.functions``), where zero is zero without any simplifying: Kerr's metric takes a
    fraction of a second. Other metrics, for instance with floats or inverse functions, are computed with SymPy's
    ``cancel``, ``trigsimp`` and ``simplify``, which can take long (minutes and more, also when the metric is made) and
    may miss a zero. :attr:`engine` says which. Exact is not always quick: a full 3 x 3 matrix of half and multiple
    angles of all coordinates has Christoffel symbols with hundreds of thousands of terms (minutes or more);
    ``NumericMetric`` gives the numbers at points at once.

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
    >>> sphere.riemann_tensor(lowered=True)
    R_theta phi theta phi = r**2*sin(theta)**2
    """

    coords: tuple
    matrix: sp.ImmutableMatrix
    params: tuple = ()

    def __post_init__(self):
        object.__setattr__(self, "coords", tuple(self.coords))
        object.__setattr__(self, "params", tuple(self.params))
        object.__setattr__(self, "matrix", sp.ImmutableMatrix(self.matrix))
        object.__setattr__(self, "_kept", {})
        _check_symbols(self.coords, self.params)
        _check_matrix(self.matrix, self.coords, self.params)
        _check_metric(self._curvature(), self.matrix)

    def __getstate__(self):
        return {field.name: getattr(self, field.name) for field in fields(self)}  # results are computed anew

    def __setstate__(self, state):
        self.__dict__.update(state, _kept={})

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
        Equation :eq:`eq-riemann-induced` of the book.

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
        point = [sp.sympify(component) for component in xyz]
        params = sorted(set().union(*(component.free_symbols for component in point)) - set(coords), key=str)
        return cls(coords, _induced_matrix(coords, point), params)

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
        Equation :eq:`eq-riemann-graph` of the book.

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

    @property
    def engine(self):
        """How the tensors are computed: ``"flint"``, ``"sympy.polys"`` (both exact) or ``"sympy.simplify"``.

        Examples
        --------
        >>> import sympy as sp
        >>> x, y = sp.symbols("x y", real=True)
        >>> Metric((x, y), sp.diag(1, 1 + sp.atan(x)**2)).engine
        'sympy.simplify'
        """
        return self._field().engine

    @kept
    def determinant(self):
        r"""Determinant :math:`\det g`, an expression.

        Examples
        --------
        >>> from derivations.riemann import spaces
        >>> spaces.sphere().metric.determinant()
        r**4*sin(theta)**2
        """
        return self._export(self._curvature().determinant)

    @kept
    def inverse(self):
        r"""Inverse metric :math:`g^{\mu\nu}`, a matrix of shape (n, n).

        Notes
        -----
        Equation :eq:`eq-riemann-inverse` of the book.

        Examples
        --------
        >>> from derivations.riemann import spaces
        >>> spaces.half_plane().metric.inverse()
        Matrix([
        [y**2,    0],
        [   0, y**2]])
        """
        inverse = self._curvature().inverse
        return sp.ImmutableMatrix(self.n, self.n, lambda mu, nu: self._export(inverse[mu][nu]))

    @kept
    def christoffel_symbols(self):
        r"""Christoffel symbols of the second kind, ``christoffel[mu, alpha, beta]``.

        .. math:: \Gamma^\mu_{\alpha\beta} = \tfrac12 g^{\mu\nu}
                  (\partial_\alpha g_{\nu\beta} + \partial_\beta g_{\nu\alpha} - \partial_\nu g_{\alpha\beta})

        Returns
        -------
        Tensor, shape (n, n, n)

        Notes
        -----
        Equation :eq:`eq-riemann-christoffel` of the book. Symmetric in the last two indices.

        References
        ----------
        J. M. Lee, *Introduction to Riemannian Manifolds*, 2nd ed., Springer, 2018, chapter 5.

        Examples
        --------
        >>> import sympy as sp
        >>> r, phi = sp.symbols("r phi", positive=True)
        >>> polar = Metric((r, phi), sp.diag(1, r**2))
        >>> polar.christoffel_symbols()
        Gamma^r_phi phi = -r
        Gamma^phi_r phi = 1/r
        >>> polar.christoffel_symbols()[0, 1, 1]
        -r
        """
        christoffel = self._curvature().christoffel
        return self._tensor(lambda *index: self._export(christoffel[index]), r"\Gamma", "ull", CHRISTOFFEL)

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
        Tensor, shape (n, n, n, n)

        Notes
        -----
        Equation :eq:`eq-riemann-loop-definition` of the book.

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
        return self._lowered_riemann() if lowered else self._mixed_riemann()

    @kept
    def _lowered_riemann(self):
        return self._lowered("R", self._curvature().riemann)

    @kept
    def _mixed_riemann(self):
        return self._mixed("R", self._curvature().mixed)

    @kept
    def ricci_tensor(self):
        r"""Ricci tensor :math:`R_{\mu\nu} = R^\alpha{}_{\mu\alpha\nu}`, an array of shape (n, n).

        Notes
        -----
        Equation :eq:`eq-riemann-ricci` of the book.

        Examples
        --------
        >>> import sympy as sp
        >>> t, x = sp.symbols("t x", real=True)
        >>> Metric((t, x), sp.diag(-1, sp.Function("a")(t)**2)).ricci_tensor()
        R_t t = -Derivative(a(t), (t, 2))/a(t)
        R_x x = a(t)*Derivative(a(t), (t, 2))
        """
        ricci = self._curvature().ricci
        return self._tensor(lambda *index: self._export(ricci[index]), "R", "ll", RICCI)

    @kept
    def ricci_scalar(self):
        r"""Scalar curvature :math:`g^{\mu\nu} R_{\mu\nu}`, an expression (:math:`2/r^2` on a sphere of radius r).

        Notes
        -----
        Equation :eq:`eq-riemann-scalar` of the book.

        Examples
        --------
        >>> from derivations.riemann import spaces
        >>> spaces.sphere().metric.ricci_scalar()
        2/r**2
        """
        return self._export(self._curvature().scalar)

    @kept
    def einstein_tensor(self):
        r"""Einstein tensor :math:`G_{\mu\nu} = R_{\mu\nu} - \tfrac12 R\, g_{\mu\nu}`, an array of shape (n, n).

        Notes
        -----
        Equation :eq:`eq-riemann-einstein` of the book.

        Examples
        --------
        De Sitter space solves Einstein's equations with a cosmological constant, :math:`G = -\Lambda g`.

        >>> import sympy as sp
        >>> t, x, y, z, H = sp.symbols("t x y z H", real=True)
        >>> de_sitter = Metric((t, x, y, z), sp.diag(-1, *[sp.exp(2 * H * t)] * 3), params=(H,))
        >>> de_sitter.einstein_tensor()[0, 0]
        3*H**2
        """
        einstein = self._curvature().einstein
        return self._tensor(lambda *index: self._export(einstein[index]), "G", "ll", RICCI)

    def weyl_tensor(self, lowered=False):
        r"""Weyl tensor: the part of the curvature without traces, ``weyl[mu, alpha, beta, gamma]``.

        .. math:: C_{abcd} = R_{abcd} - \frac{1}{n-2}(g_{ac}R_{bd} - g_{ad}R_{bc} + g_{bd}R_{ac} - g_{bc}R_{ad})
                  + \frac{R}{(n-1)(n-2)}(g_{ac}g_{bd} - g_{ad}g_{bc})

        Parameters
        ----------
        lowered : bool
            If true, :math:`C_{abcd}`, otherwise :math:`C^a{}_{bcd}`, which conformal changes of the metric do not
            alter.

        Returns
        -------
        Tensor, shape (n, n, n, n)
            Zero for n = 3.

        Raises
        ------
        MetricError
            If n < 3: there the formula divides by zero.

        Notes
        -----
        For n > 3 it vanishes if and only if the metric is conformally flat.

        Equation :eq:`eq-riemann-weyl` of the book.

        References
        ----------
        J. M. Lee, *Introduction to Riemannian Manifolds*, 2nd ed., Springer, 2018, chapter 7.

        Examples
        --------
        >>> import sympy as sp
        >>> coords = sp.symbols("a b c", real=True)
        >>> Metric(coords, sp.diag(1, 1, 1 + coords[0]**2)).weyl_tensor()
        C = 0
        """
        if self.n < 3:
            raise MetricError(f"the Weyl tensor needs n >= 3 dimensions, got n={self.n}")
        return self._lowered_weyl() if lowered else self._mixed_weyl()

    @kept
    def _lowered_weyl(self):
        return self._lowered("C", self._curvature().weyl)

    @kept
    def _mixed_weyl(self):
        return self._mixed("C", self._curvature().mixed_weyl)

    @kept
    def kretschmann_scalar(self):
        r"""Kretschmann scalar :math:`R_{abcd}R^{abcd}`, an expression.

        Notes
        -----
        Equation :eq:`eq-riemann-kretschmann` of the book.

        Examples
        --------
        >>> import sympy as sp
        >>> theta, phi = sp.symbols("theta phi", real=True)
        >>> Metric((theta, phi), sp.diag(1, sp.sin(theta)**2)).kretschmann_scalar()
        4
        """
        return self._export(self._curvature().kretschmann)

    @kept
    def gauss_curvature(self):
        r"""Gauss curvature :math:`K = R_{1212}/\det g` of a surface, an expression.

        Raises
        ------
        MetricError
            If the space is not two-dimensional.

        Notes
        -----
        Equation :eq:`eq-riemann-deviation-gauss` of the book.

        Examples
        --------
        >>> from derivations.riemann import spaces
        >>> spaces.half_plane().metric.gauss_curvature()
        -1
        """
        if self.n != 2:
            raise MetricError(f"the Gauss curvature belongs to surfaces (n=2), got n={self.n}")
        curvature = self._curvature()
        return self._export(self._field().tidy(curvature.riemann(0, 1, 0, 1) / curvature.determinant))

    def sectional_curvature(self, u, v):
        r"""Sectional curvature of the plane that two vectors span, an expression.

        .. math:: K(u, v) = \frac{R_{abcd}\, u^a v^b u^c v^d}{g(u,u)\, g(v,v) - g(u,v)^2}

        Parameters
        ----------
        u, v : sequence of n sympy expressions
            Components of the vectors; they may contain the coordinates and other symbols.

        Returns
        -------
        sympy expression

        Raises
        ------
        MetricError
            If a vector does not have n components, or the denominator is 0 everywhere: the vectors are parallel, or
            the plane touches the light cone.

        Notes
        -----
        Equation :eq:`eq-riemann-sectional` of the book.

        References
        ----------
        J. M. Lee, *Introduction to Riemannian Manifolds*, 2nd ed., Springer, 2018, chapter 8.

        Examples
        --------
        >>> import sympy as sp
        >>> x, y, z, s = sp.symbols("x y z s", positive=True)
        >>> Metric((x, y, z), sp.eye(3) / z**2).sectional_curvature([1, s, 0], [x, 0, 1])
        -1
        """
        u, v = (self._vector(name, vector) for name, vector in (("u", u), ("v", v)))
        curvature = self._curvature_with([*u, *v])
        field = curvature.field
        top, bottom = curvature.sectional([field.convert(entry) for entry in u], [field.convert(entry) for entry in v])
        if not bottom:
            raise MetricError(f"u and v must span a plane with an area, got u={u}, v={v}")
        return field.to_sympy(field.tidy(top / bottom))

    def covariant_derivative(self, tensor, indices=None):
        r"""Covariant derivative of a tensor field; the direction is the last index.

        .. math:: A^\mu{}_{\nu;\alpha} = \partial_\alpha A^\mu{}_\nu + \Gamma^\mu_{\beta\alpha}A^\beta{}_\nu
                  - \Gamma^\beta_{\nu\alpha}A^\mu{}_\beta

        and so on: a term with a plus for each upper index, with a minus for each lower one.

        Parameters
        ----------
        tensor : expression, or nested sequence or SymPy array of expressions, shape (n, ..., n)
            The components of the tensor.
        indices : str, optional
            The positions of its indices in order: ``u`` for an upper, ``l`` for a lower one, as in ``"ul"`` for
            :math:`A^\mu{}_\nu`; ``""`` for a scalar. Results of the methods of this class know theirs.

        Returns
        -------
        Tensor, shape (n, ..., n)
            One lower index more, the last.

        Raises
        ------
        MetricError
            If `tensor` contains text, if `indices` has other letters, or does not fit the shape of the tensor.

        Notes
        -----
        Equations :eq:`eq-riemann-covariant-vector`, :eq:`eq-riemann-covariant-covector` and
        :eq:`eq-riemann-covariant-mixed` of the book.

        References
        ----------
        J. M. Lee, *Introduction to Riemannian Manifolds*, 2nd ed., Springer, 2018, chapter 4.

        Examples
        --------
        >>> import sympy as sp
        >>> r, phi = sp.symbols("r phi", positive=True)
        >>> polar = Metric((r, phi), sp.diag(1, r**2))
        >>> polar.covariant_derivative([0, 1], "u")
        A^r_;phi = -r
        A^phi_;r = 1/r
        >>> polar.covariant_derivative(polar.matrix, "ll")
        A = 0
        """
        if _has_text(tensor):  # SymPy would look for the parts of its letters
            raise MetricError(f"tensor must be an expression or an array of expressions, got tensor={tensor!r}")
        components = sp.Array(tensor)
        indices = getattr(tensor, "indices", None) if indices is None else indices
        self._check_indices(components, indices)
        curvature = self._curvature_with(list(sp.flatten(components)) if indices else [components[()]])
        field = curvature.field
        axes = itertools.product(range(self.n), repeat=len(indices))
        derivative = curvature.covariant_derivative({i: field.convert(components[i]) for i in axes}, indices)
        symbol = getattr(tensor, "symbol", None) or "A"
        return self._tensor(lambda *i: field.to_sympy(derivative[i]), symbol, f"{indices};l", (), len(indices) + 1)

    @kept
    def bianchi_residual(self):
        r"""Left side of the second Bianchi identity, ``residual[a, b, c, d, e]``, which must be zero.

        .. math:: R_{abcd;e} + R_{abde;c} + R_{abec;d} = 0

        Returns
        -------
        Tensor, shape (n, n, n, n, n)

        Notes
        -----
        In the exact field a non-zero entry would be an error of the program: the field is canonical.

        Equation :eq:`eq-riemann-bianchi-second` of the book.

        References
        ----------
        J. M. Lee, *Introduction to Riemannian Manifolds*, 2nd ed., Springer, 2018, chapter 7.

        Examples
        --------
        >>> import sympy as sp
        >>> x, y, z = sp.symbols("x y z", real=True)
        >>> Metric((x, y, z), sp.diag(1, 1 + x**2, 1 + x * y)).bianchi_residual()
        B = 0
        """
        curvature = self._curvature_with([], order=3)
        residual, field = curvature.bianchi(), curvature.field

        def component(a, b, *cde):
            if a == b or len(set(cde)) < 3:
                return sp.Integer(0)
            sign = (1 if a < b else -1) * sp.LeviCivita(*cde)
            return sign * field.to_sympy(residual[(min(a, b), max(a, b), *sorted(cde))])

        return self._tensor(component, "B", "lllll", BIANCHI)

    def numeric(self, **params):
        """Same metric with numbers for its parameters, ready for arrays of points.

        Parameters
        ----------
        **params : float
            One value for each symbol of ``params``, by its name.

        Returns
        -------
        FormulaMetric

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
        values = tuple(finite_number(name, params[name]) for name in names)
        return numeric_metric(self, values)

    @kept
    def _field(self):
        return _field([*self.matrix], self.coords)

    @kept
    def _curvature(self):
        return _curvature(self._field(), self.matrix)

    def _curvature_with(self, expressions, order=2):
        """Curvature in a field that holds further expressions, differentiated `order` times."""
        field = _field([*self.matrix, *expressions], self.coords, order, self.engine)
        return _curvature(field, self.matrix)

    def _export(self, element):
        return self._field().to_sympy(element)

    def _tensor(self, component, symbol, indices, symmetries, rank=None, cyclic=False):
        """Array with the entries component(i, j, ...)."""
        shape = (self.n,) * (rank or len(indices))
        entries = [component(*index) for index in itertools.product(range(self.n), repeat=len(shape))]
        return Tensor(entries, shape, symbol=symbol, indices=indices, coords=self.coords, symmetries=symmetries,
                      cyclic=cyclic)

    def _lowered(self, symbol, component):
        return self._tensor(lambda *i: self._export(component(*i)), symbol, "llll", LOWERED, cyclic=True)

    def _mixed(self, symbol, table):
        def component(*index):
            return self._export(antisymmetric(table, self._field(), *index))
        return self._tensor(component, symbol, "ulll", MIXED)

    def _vector(self, name, vector):
        vector = [sp.sympify(entry) for entry in vector]
        if len(vector) != self.n:
            raise MetricError(f"{name} must have {self.n} components, got {name}={vector}")
        return vector

    def _check_indices(self, components, indices):
        if not isinstance(indices, str) or set(indices) - set("ul"):
            raise MetricError(f"indices must be a string of the letters u and l, got indices={indices!r}")
        if components.shape != (self.n,) * len(indices):
            raise MetricError(
                f"a tensor with indices={indices!r} must have shape {(self.n,) * len(indices)}, "
                f"got shape {components.shape}"
            )



def _field(expressions, coords, order=2, engine=None):
    """Exact field that holds some expressions and their derivatives, or plain SymPy if there is none."""
    engine = exact_engine() if engine is None else engine
    if engine and engine != "sympy.simplify":
        try:
            field = FunctionField(engine, expressions, coords, order)
            for expression in expressions:
                field.convert(expression)
            return field
        except TooLarge as error:
            raise MetricError(f"{error}: too much for formulas, in {expressions}; see NumericMetric") from error
        except NotRational:
            return ExpressionField(coords)  # Metric.engine says so
        except ZeroDivisionError as error:
            raise MetricError(f"{error} in {expressions}") from error
    return ExpressionField(coords)


def _curvature(field, matrix):
    n = matrix.rows
    return Curvature(field, [[field.convert(matrix[i, j]) for j in range(n)] for i in range(n)])


def _induced_matrix(coords, point):
    """Scalar products of the tangents along the coordinate lines."""
    field = _field(point, coords, order=1)
    tangents = [[field.derivative(field.convert(component), axis) for component in point]
                for axis in range(len(coords))]

    def product(i, j):
        total = field.zero
        for left, right in zip(tangents[i], tangents[j]):
            total = total + left * right
        return field.to_sympy(field.tidy(total))

    return sp.ImmutableMatrix(len(coords), len(coords), product)


def _has_text(tensor):
    return isinstance(tensor, str) or isinstance(tensor, (list, tuple)) and any(map(_has_text, tensor))


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


def _check_metric(curvature, matrix):
    field, g = curvature.field, curvature.g
    for i, j in itertools.combinations(range(len(g)), 2):
        if field.tidy(g[i][j] - g[j][i]):
            raise MetricError(f"matrix must be symmetric, got {matrix}")
    if not curvature.determinant:
        raise MetricError(f"matrix must have an inverse, but its determinant is 0 everywhere: {matrix}")
