"""What is listed of a curvature: equations in LaTeX, and a program that makes the arrays with SymPy."""
import contextlib
import itertools
from dataclasses import dataclass

import sympy as sp

from .display import Tensor
from .errors import GeometryError

__all__ = ["QUANTITIES", "Quantity", "array_code", "equations", "foreseen_errors", "metric_tensor", "symbol_code"]


@dataclass(frozen=True)
class Quantity:
    """A tensor or scalar as it is listed.

    Attributes
    ----------
    title : str
    symbol : str
        Letter, as LaTeX.
    method : str
        Method of :class:`~derivations.riemann.Metric` that computes it.
    variable : str
        Its name in a program.
    """

    title: str
    symbol: str
    method: str
    variable: str


QUANTITIES = {
    "christoffel": Quantity("Christoffel symbols", r"\Gamma", "christoffel_symbols", "christoffel"),
    "riemann": Quantity("Riemann tensor", "R", "riemann_tensor", "riemann"),
    "ricci": Quantity("Ricci tensor", "R", "ricci_tensor", "ricci"),
    "scalar": Quantity("Ricci scalar", "R", "ricci_scalar", "ricci_scalar"),
    "kretschmann": Quantity("Kretschmann scalar R_abcd R^abcd", "K", "kretschmann_scalar", "kretschmann_scalar"),
    "einstein": Quantity("Einstein tensor", "G", "einstein_tensor", "einstein"),
    "weyl": Quantity("Weyl tensor", "C", "weyl_tensor", "weyl"),
}
"""The tensors and scalars of a metric, by their names in ``derivations curvature``."""

METRIC = Quantity("Metric", "g", "matrix", "g")
"""The metric itself, see :func:`metric_tensor`."""


def metric_tensor(matrix, coords, indices="ll"):
    """A symmetric matrix as a tensor: the metric, or its inverse.

    Parameters
    ----------
    matrix : sympy matrix, shape (n, n)
    coords : sequence of n sympy.Symbol
    indices : {"ll", "uu"}

    Returns
    -------
    Tensor, shape (n, n)

    Examples
    --------
    >>> from derivations.riemann import spaces
    >>> polar = spaces.polar_plane().metric
    >>> metric_tensor(polar.matrix, polar.coords)
    g_r r = 1
    g_phi phi = r**2
    """
    return Tensor(list(matrix), matrix.shape, symbol="g", indices=indices, coords=coords, symmetries=[((1, 0), 1)])


def equations(symbol, result):
    """The non-zero independent components as equations.

    Parameters
    ----------
    symbol : str
        Letter of a scalar, as LaTeX; a tensor has its own.
    result : Tensor or sympy expression

    Returns
    -------
    list of (str, str)
        Left and right side, as LaTeX. If there is no component, one equation says that all are 0.

    Examples
    --------
    >>> from derivations.riemann import spaces
    >>> equations("R", spaces.sphere().metric.ricci_scalar())
    [('R', '\\\\frac{2}{r^{2}}')]
    """
    return result.latex_equations() if isinstance(result, Tensor) else [(symbol, sp.latex(result))]


def symbol_code(metric):
    """Lines of a program that declare the symbols and functions of a metric, with what is assumed of them.

    Parameters
    ----------
    metric : Metric

    Returns
    -------
    list of str

    Examples
    --------
    >>> from derivations.riemann import spaces
    >>> symbol_code(spaces.polar_plane().metric)
    ['from sympy import *', "r = Symbol('r', positive=True)", "phi = Symbol('phi', real=True)"]
    """
    return ["from sympy import *", *(f"{name} = {sp.srepr(name)}" for name in _names(metric))]


def array_code(metric, variable, result):
    """Lines of a program that make one scalar or array, after those of :func:`symbol_code`.

    Parameters
    ----------
    metric : Metric
    variable : str
        Name of the result; where it is taken by a symbol of the metric, ``_`` is appended.
    result : Tensor or sympy expression

    Returns
    -------
    list of str

    Examples
    --------
    >>> from derivations.riemann import spaces
    >>> metric = spaces.polar_plane().metric
    >>> array_code(metric, "christoffel", metric.christoffel_symbols())[:2]
    ['christoffel = MutableDenseNDimArray.zeros(2, 2, 2)', 'christoffel[0, 1, 1] = -r']
    """
    variable += "_" * (variable in {str(name) for name in _names(metric)})
    printer = _CodePrinter()
    if not isinstance(result, Tensor):
        return [f"{variable} = {printer.doprint(result)}"]
    return [f"{variable} = MutableDenseNDimArray.zeros{result.shape}"] + [
        f"{variable}[{', '.join(map(str, index))}] = {printer.doprint(result[index])}"
        for index in itertools.product(*map(range, result.shape)) if result[index] != 0
    ]


@contextlib.contextmanager
def foreseen_errors():
    """Turn what SymPy raises for metrics that are too much for it into a :class:`GeometryError` with a sentence.

    Raises
    ------
    GeometryError
        Memory that runs out is left to the caller, who knows what could be left out.

    Examples
    --------
    >>> with foreseen_errors():
    ...     raise RecursionError
    Traceback (most recent call last):
    derivations.riemann.errors.GeometryError: an expression in this metric is nested too deeply
    """
    try:
        yield
    except NotImplementedError as error:    # some steps of SymPy's simplify lack cases
        raise GeometryError(f"SymPy cannot simplify the tensors of this metric: {error}") from error
    except OverflowError as error:
        raise GeometryError("a number in this metric, or at this point, is too large to compute") from error
    except RecursionError as error:
        raise GeometryError("an expression in this metric is nested too deeply") from error


def _names(metric):
    """Symbols and undetermined functions of a metric."""
    functions = {function.func for function in metric.matrix.atoms(sp.core.function.AppliedUndef)}
    return (*metric.coords, *metric.params, *sorted(functions, key=str))


class _CodePrinter(sp.StrPrinter):
    """Prints fractions so that Python does not turn them into floating-point numbers."""

    def _print_Rational(self, expr):
        return f"Rational({expr.p}, {expr.q})"

    _print_Half = _print_Rational
