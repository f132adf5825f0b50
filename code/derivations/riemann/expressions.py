"""Plain SymPy expressions with the interface of the exact field, for metrics that the field does not hold.

Zero tests are as good as SymPy's ``simplify``, and as slow.
"""
import sympy as sp

__all__ = ["ExpressionField", "tidy", "without_hyperbolic_logs"]

HYPERBOLIC = (sp.sinh, sp.cosh, sp.tanh, sp.coth, sp.sech, sp.csch)


class Expression:
    """A SymPy expression as an element."""

    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value

    def __bool__(self):
        return self.value != 0

    def __eq__(self, other):
        return isinstance(other, Expression) and self.value == other.value

    def __neg__(self):
        return Expression(-self.value)

    def __add__(self, other):
        return Expression(self.value + other.value)

    def __sub__(self, other):
        return Expression(self.value - other.value)

    def __mul__(self, other):
        return Expression(self.value * other.value)

    def __truediv__(self, other):
        return Expression(self.value / other.value)

    def inverse(self):
        return Expression(1 / self.value)


class ExpressionField:
    """Arithmetic of SymPy expressions; :meth:`tidy` simplifies, everything else does not.

    Examples
    --------
    >>> import sympy as sp
    >>> x = sp.Symbol("x", real=True)
    >>> field = ExpressionField((x,))
    >>> field.to_sympy(field.tidy(field.derivative(field.convert(sp.atan(x)), 0)))
    1/(x**2 + 1)
    """

    engine = "sympy.simplify"

    def __init__(self, coords):
        self.coords = tuple(coords)
        self.zero, self.one, self.half = (Expression(v) for v in (sp.Integer(0), sp.Integer(1), sp.Rational(1, 2)))

    def constant(self, numerator, denominator=1):
        return Expression(sp.Rational(numerator, denominator))

    def convert(self, expression):
        return Expression(without_hyperbolic_logs(sp.sympify(expression)))

    def sum(self, elements):
        return Expression(sp.Add(*(element.value for element in elements)))

    def derivative(self, element, axis):
        return Expression(element.value.diff(self.coords[axis]))

    def tidy(self, element):
        return Expression(tidy(element.value))

    def to_sympy(self, element):
        return element.value


def without_hyperbolic_logs(expression):
    """Expression with powers for hyperbolic functions of logarithms, which are no independent functions.

    Examples
    --------
    >>> without_hyperbolic_logs(sp.cosh(sp.log(sp.Symbol("x"))))
    x/2 + 1/(2*x)
    """
    if not (expression.has(sp.log) and expression.has(*HYPERBOLIC)):
        return expression
    return expression.replace(
        lambda e: isinstance(e, HYPERBOLIC) and e.args[0].has(sp.log), lambda e: e.rewrite(sp.exp))


def tidy(expression):
    """One fraction, factored, sines and cosines joined; then ``simplify``, if that finds a zero.

    Examples
    --------
    >>> import sympy as sp
    >>> x = sp.Symbol("x", real=True)
    >>> tidy(sp.sin(x)**2 + sp.cos(x)**2 - 1)
    0
    """
    # tan is written out: trigsimp may leave it uncancelled.
    expression = expression.replace(sp.tan, lambda angle: sp.sin(angle) / sp.cos(angle))
    expression = sp.factor(sp.trigsimp(sp.cancel(sp.together(expression))))
    if expression.is_number or expression.is_rational_function():
        return expression
    return sp.Integer(0) if sp.simplify(expression) == 0 else expression
