"""Line elements such as ``dr**2 + r**2*dphi**2`` typed by a user, read without running them as Python.

A small grammar instead of ``sympify``, which evaluates whatever it is given: numbers, names, ``+ - * / ** ^ ( )``,
signs as in print (``·``, ``×``, ``−``, ``²``), the elementary functions, and undetermined functions of coordinates such
as ``a(t)``.
"""
import keyword
import math
import operator
import re
import unicodedata
from dataclasses import dataclass

import sympy as sp

from .errors import GeometryError
from .symbolic import Metric

__all__ = ["LineElementError", "read_line_element", "read_number"]

FUNCTIONS = {name: getattr(sp, name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "log", "sqrt")}
_GROWING = ("exp", "sinh", "cosh", "tanh")
CONSTANTS = {"pi": sp.pi}
REFUSED = {"I": "the metric is real, so 'I' cannot stand for sqrt(-1), and as a symbol it would look like it",
           "E": "'E' could be exp(1) or a symbol: write exp(1) for the number, another name for a symbol"}

# Limits that no sensible line element meets; they keep a typing error from filling the memory.
LONGEST = 4000
_DEEPEST = 60
_LARGEST_EXPONENT = 100
_LARGEST_DEGREE = 1000
_MOST_TERMS = 20_000
_MOST_BITS = 5000
_LARGEST_LOGARITHM = 5000    # of a number; beyond, SymPy would compute millions of its digits to compare it with 0
_NUMBER = re.compile(r"(\d{1,50}(\.\d{0,50})?|\.\d{1,50})([eE][+-]?\d{1,2})?(?![\w.])")
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"    # Python counts them as parts of a name
_AS_TYPED = {"·": "*", "⋅": "*", "×": "*", "−": "-"}
_TOKEN = re.compile(
    r"\s*(?:(?P<number>[\d.](?:[eE][+-](?=\d)|[^\W%s]|\.)*)|(?P<raised>[%s]+)"
    r"|(?P<name>[^\W\d%s][^\W%s]*)|(?P<sign>\*\*|[-+*/^(),·×⋅−]))" % (4 * (_RAISED,))
)


class LineElementError(GeometryError):
    """A line element cannot be read; the text says what is wrong and where."""


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int


@dataclass(frozen=True)
class _Size:
    """Bounds of what an expression is when multiplied out: a polynomial of so high a degree, with so many terms.

    Its variables are symbols, constants such as pi and applied functions. Numerator and denominator of a fraction
    count together, as if they were multiplied. Fractions are not brought to a common denominator: these are bounds of
    what is typed, not of what the curvature is made of.
    """

    degree: int = 0
    terms: int = 1
    variables: frozenset = frozenset()

    def plus(self, other):
        return _size(max(self.degree, other.degree), self.terms + other.terms, self.variables | other.variables)

    def times(self, other):
        return _size(self.degree + other.degree, self.terms * other.terms, self.variables | other.variables)

    def raised(self, exponent):
        terms = math.comb(exponent + self.terms - 1, self.terms - 1)
        return _size(exponent * self.degree, terms, self.variables)


def _size(degree, terms, variables):
    """No polynomial has more terms than there are monomials of its degree."""
    return _Size(degree, min(terms, math.comb(degree + len(variables), len(variables))), variables)


def _variable(value):
    return _Size(1, 1, frozenset([value]))


@dataclass(frozen=True)
class _Form:
    """An expression with the number of differentials in each of its terms, and its size."""

    value: sp.Expr
    degree: int = 0
    size: _Size = _Size()


def read_line_element(text, coords=None, params=(), positive=()):
    r"""Metric of a line element :math:`ds^2 = g_{\mu\nu}\,dx^\mu dx^\nu` that is given as a text.

    Parameters
    ----------
    text : str
        A sum of terms with two differentials each, such as ``-(1 - 2*M/r)*dt**2 + 2*dt*dr``. ``dx`` is the differential
        of the coordinate ``x``; a factor ``dx*dy`` counts for both components, so half of it is :math:`g_{xy}`.
    coords : sequence of str, optional
        The coordinates, in the order of the indices. Left out: in the order in which their differentials appear.
    params : sequence of str
        Parameters whose name begins with d, which would be taken for differentials. Others need not be listed.
    positive : sequence of str
        Coordinates and parameters that are positive, so that ``sqrt(r**2)`` is ``r``.

    Returns
    -------
    Metric
        All symbols are real; the parameters are sorted by name.

    Raises
    ------
    LineElementError
        If the text is no line element.
    derivations.riemann.MetricError
        If the line element has no inverse.

    Examples
    --------
    >>> read_line_element("dr^2 + (r*dphi)^2").matrix
    Matrix([
    [1,    0],
    [0, r**2]])
    >>> read_line_element("dr**2 + r**2*dphi")
    Traceback (most recent call last):
    derivations.riemann.line_element.LineElementError: terms with 2 and 1 differentials are added at position 7 of
    'dr**2 + r**2*dphi'
    """
    reader = _Reader(text, coords, params, positive)
    form = reader.whole()
    if form.degree != 2:
        raise LineElementError(f"every term must have 2 differentials such as dx, got {form.degree} in {text!r}")
    differentials = reader.differentials
    names = list(differentials) if coords is None else list(coords)
    unknown = [name for name in positive if name not in {*names, *reader.symbols}]
    if unknown:
        raise LineElementError(f"{unknown[0]} is to be positive, but {text!r} has no such symbol")
    coords = tuple(reader.symbol(name) for name in names)
    for function in form.value.atoms(sp.core.function.AppliedUndef):
        for argument in function.args:
            if argument not in coords:
                raise LineElementError(f"{argument} in {function} is none of the coordinates {', '.join(names)}")
    basis = [differentials.get(name, sp.Dummy()) for name in names]
    g = sp.Matrix(len(basis), len(basis), lambda i, j: form.value.diff(basis[i]).diff(basis[j]) / 2)
    return Metric(coords, g, sorted(g.free_symbols - set(coords), key=str))


def read_number(text):
    """Exact value of a text without names, such as ``0.5``, ``-1e-3`` or ``2*pi/3``.

    Raises
    ------
    LineElementError
        If the text is no finite real number.

    Examples
    --------
    >>> read_number("2*pi/3"), read_number("0.1")
    (2*pi/3, 1/10)
    """
    value = _Reader(text, coords=()).whole().value
    if value.free_symbols or value.atoms(sp.core.function.AppliedUndef):
        raise LineElementError(f"{text!r} is no number")
    try:
        usable = value.is_real and value.is_finite
    except (OverflowError, RecursionError):
        raise LineElementError(f"{text!r} is too large to compute") from None
    if not usable:
        raise LineElementError(f"{text!r} is no finite real number")
    return value


class _Reader:
    """Recursive descent through the tokens of one text: ``sum > product > signed > power > atom``."""

    def __init__(self, text, coords=None, params=(), positive=()):
        if len(text) > LONGEST:
            raise LineElementError(f"a line element has at most {LONGEST} characters, got {len(text)}")
        self.text, self.coords, self.params, self.positive = text, coords, set(params), set(positive)
        self.tokens, self.next, self.depth, self.brackets = _tokens(text), 0, 0, 0
        self.differentials = {}  # symbol of each differential by the name of its coordinate, in order of appearance
        self.functions, self.symbols = set(), set()

    def whole(self):
        """The whole text; it must not be empty, and nothing may follow."""
        form = self.sum()
        self.check_next()
        both = sorted(self.functions & self.symbols)
        if both:
            raise LineElementError(f"{both[0]} is a function and a symbol in {self.text!r}")
        return form

    @property
    def token(self):
        return self.tokens[self.next]

    def error(self, message, token=None):
        token = token or self.token
        return LineElementError(f"{message} at position {token.start + 1} of {self.text!r}")

    def check_next(self):
        """Refuse a token that cannot follow a complete sum or product."""
        token = self.token
        if token.kind in ("name", "number") or token.text == "(":
            raise self.error(f"an operator is missing before {token.text!r}")
        if token.text in (")", ",") and not self.brackets:
            raise self.error(f"{token.text!r} has no meaning")

    def take(self, *texts):
        """The next token, if it is one of these signs."""
        token = self.token
        if token.kind == "sign" and token.text in texts:
            self.next += 1
            return token
        return None

    def sum(self):
        form = self.product()
        while sign := self.take("+", "-"):
            other = self.product()
            if form.degree != other.degree and form.value != 0 and other.value != 0:
                self.check_next()
                raise self.error(f"terms with {form.degree} and {other.degree} differentials are added", sign)
            degree = other.degree if form.value == 0 else form.degree
            value = self.computed(sign, lambda a, b: a + b if sign.text == "+" else a - b, form.value, other.value)
            form = _Form(value, degree, self.checked(form.size.plus(other.size), sign))
        return form

    def product(self):
        form = self.signed()
        while sign := self.take("*", "/"):
            other = self.signed()
            size = self.checked(form.size.times(other.size), sign)
            if sign.text == "*":
                value = self.computed(sign, operator.mul, form.value, other.value)
                form = _Form(value, form.degree + other.degree, size)
                continue
            if other.degree:
                raise self.error("division by a differential", sign)
            if other.value == 0:
                raise self.error("division by zero", sign)
            form = _Form(self.computed(sign, operator.truediv, form.value, other.value), form.degree, size)
        return form

    def signed(self):
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.error(f"more than {_DEEPEST} nested signs and brackets")
        if sign := self.take("+", "-"):
            form = self.signed()
            form = form if sign.text == "+" else _Form(-form.value, form.degree, form.size)
        else:
            form = self.power()
        self.depth -= 1
        return form

    def power(self):
        base = self.atom()
        sign = self.take("**", "^")
        if not sign:
            return base
        exponent = self.signed()
        if exponent.degree:
            raise self.error("a differential in an exponent", sign)
        if base.degree and not (exponent.value.is_Integer and exponent.value >= 0):
            raise self.error("a power of a differential must be a whole number", sign)
        degree = base.degree * int(exponent.value) if base.degree else 0
        value, size = self.raised(base, exponent.value, sign)
        return _Form(value, degree, size)

    def raised(self, base, exponent, sign):
        """Value and size of base**exponent, unless it is infinite or enormous."""
        factor, rest = exponent.as_coeff_Mul()
        factor = abs(factor)
        if factor > _LARGEST_EXPONENT:
            raise self.error(f"an exponent above {_LARGEST_EXPONENT}", sign)
        # x**(2*y) is the square of something that is not multiplied out
        size = (base.size if rest == 1 else _variable(base.value**rest)).raised(math.ceil(factor))
        self.checked(size, sign)
        coefficient = base.value.as_coeff_Mul()[0]
        if factor * max(int(coefficient.p).bit_length(), int(coefficient.q).bit_length()) > _MOST_BITS:
            raise self.error("a number with too many digits", sign)
        if base.value == 0 and not self.computed(sign, lambda: exponent.is_positive):
            raise self.error("division by zero", sign)
        if base.value.is_number and exponent.is_number and base.value != 0:
            self.check_logarithm(exponent * sp.log(sp.Abs(base.value)), sign)
        return self.computed(sign, operator.pow, base.value, exponent), size

    def check_logarithm(self, value, token):
        """Refuse a number whose logarithm is this number, if it is enormous."""
        if self.computed(token, lambda: abs(value.evalf(5)) > _LARGEST_LOGARITHM) == True:  # noqa: E712 (of SymPy)
            raise self.error("a number too large to compute", token)

    def checked(self, size, token):
        """The size, if it can be computed with."""
        if size.degree > _LARGEST_DEGREE:
            raise self.error(f"a polynomial of degree {size.degree} (at most {_LARGEST_DEGREE})", token)
        if size.terms > _MOST_TERMS:
            raise self.error(f"up to {size.terms} terms when multiplied out (at most {_MOST_TERMS})", token)
        return size

    def computed(self, token, function, *values):
        """function(*values), unless SymPy cannot tell the order of magnitude of a number."""
        try:
            return function(*values)
        except (OverflowError, RecursionError):
            raise self.error("a number too large to compute", token) from None

    def atom(self):
        token = self.token
        if token.kind == "number":
            self.next += 1
            if not _NUMBER.fullmatch(token.text):
                raise self.error(f"{token.text!r} is no number", token)
            return _Form(sp.Rational(token.text))
        if token.kind == "name":
            self.next += 1
            return self.called(token) if self.take("(") else self.named(token)
        if self.take("("):
            self.brackets += 1
            form = self.sum()
            self.close(token)
            return form
        what = "the text ends" if token.kind == "end" else f"{token.text!r}"
        raise self.error(f"{what} where a number, a name or '(' should stand")

    def close(self, opening):
        """The closing bracket that belongs to the token ``opening``."""
        self.check_next()
        if self.token.text == ",":
            raise self.error("',' has no meaning")
        if not self.take(")"):
            raise self.error("the bracket is not closed", opening)
        self.brackets -= 1

    def named(self, token):
        """A constant, a differential or a symbol."""
        name = token.text
        if keyword.iskeyword(name):
            raise self.error(f"{name!r} is a reserved word of Python (write {name.capitalize()!r})", token)
        if name in FUNCTIONS:
            raise self.error(f"{name} needs an argument in brackets", token)
        if name in CONSTANTS:
            return _Form(CONSTANTS[name], size=_variable(CONSTANTS[name]))
        if name in REFUSED:
            raise self.error(REFUSED[name], token)
        if name[0] == "d" and len(name) > 1 and name not in self.params:
            return self.differential(token, name[1:])
        self.symbols.add(name)
        symbol = self.symbol(name)
        return _Form(symbol, size=_variable(symbol))

    def symbol(self, name):
        """The symbol of a coordinate or parameter."""
        return sp.Symbol(name, positive=True) if name in self.positive else sp.Symbol(name, real=True)

    def differential(self, token, name):
        if self.coords is not None and name not in self.coords:
            known = f"the coordinates are {', '.join(self.coords)}" if self.coords else "only numbers may stand here"
            raise self.error(f"{token.text} is no differential of a coordinate ({known})", token)
        taken = {*CONSTANTS, *FUNCTIONS, *REFUSED}
        if name in taken or keyword.iskeyword(name) or not name.isidentifier():
            raise self.error(f"{token.text} is no differential: {name!r} cannot be a coordinate", token)
        self.symbols.add(name)
        symbol = self.differentials.setdefault(name, sp.Symbol(token.text, real=True))
        return _Form(symbol, 1, _variable(symbol))

    def called(self, token):
        """A function and its arguments; the opening bracket is already taken."""
        self.brackets += 1
        arguments = [self.sum()]
        while self.take(","):
            arguments.append(self.sum())
        self.close(token)
        if any(argument.degree for argument in arguments):
            raise self.error(f"a differential as an argument of {token.text}", token)
        values = [argument.value for argument in arguments]
        if token.text in FUNCTIONS:
            if len(values) != 1:
                raise self.error(f"{token.text} takes 1 argument, got {len(values)}", token)
            if token.text in _GROWING and values[0].is_number:
                self.check_logarithm(values[0], token)
            value = self.computed(token, FUNCTIONS[token.text], *values)
            if not self.computed(token, lambda: value.is_finite) and value.is_number:
                raise self.error(f"{token.text}({values[0]}) is not finite", token)
            return _Form(value, size=_variable(value))
        if token.text in CONSTANTS or keyword.iskeyword(token.text):
            raise self.error(f"{token.text!r} is no function", token)
        if not all(value.is_Symbol for value in values):
            raise self.error(f"the arguments of {token.text} must be coordinates (known functions: "
                             f"{', '.join(FUNCTIONS)})", token)
        self.functions.add(token.text)
        value = sp.Function(token.text)(*values)
        return _Form(value, size=_variable(value))


def _tokens(text):
    tokens, position, end = [], 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if not match:
            position += len(text[position:]) - len(text[position:].lstrip())
            raise LineElementError(f"{text[position]!r} has no meaning at position {position + 1} of {text!r}")
        kind, start = match.lastgroup, match.start(match.lastgroup)
        if kind == "name" and not unicodedata.normalize("NFKC", match[kind]).isidentifier():   # x½, say
            raise LineElementError(f"{match[kind]!r} is no name at position {start + 1} of {text!r}")
        if kind == "raised":
            exponent = str(int("".join(str(_RAISED.index(digit)) for digit in match[kind])))
            tokens += [_Token("sign", "^", start), _Token("number", exponent, start)]
        else:
            tokens.append(_Token(kind, _AS_TYPED.get(match[kind], match[kind]), start))
        position = match.end()
    return [*tokens, _Token("end", "", end)]
