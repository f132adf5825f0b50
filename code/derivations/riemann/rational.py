r"""Exact arithmetic for curvature: fractions of polynomials, with square roots adjoined, and derivations.

The elements of one field are

.. math:: \sum_{J} \frac{p_J}{q_J}\, w_J, \qquad w_J = \prod_{j \in J} w_j, \qquad w_j^2 = R_j,

with polynomials p, q over the integers in independent generators, in lowest terms, and radicals w such as
:math:`\sin\theta` with :math:`R = 1 - \cos^2\theta`. This form is canonical: an element is zero if and only if it has
no term. Nothing is ever simplified, because nothing is ever unsimplified.

Two libraries do the arithmetic of polynomials: python-flint if it is installed, ``sympy.polys`` otherwise. All the rest
is the same code, so they give the same results. Which functions become generators is decided in
``derivations.riemann.functions``.
"""
import contextlib
import os

import sympy as sp
from sympy.polys.orderings import lex
from sympy.polys.rings import PolyRing

try:
    import flint
except ImportError:  # the browser, and whoever did not ask for it
    flint = None

__all__ = ["ENGINES", "exact_engine", "forced_engine", "RationalField"]

ENGINES = ("flint", "sympy.polys", "sympy.simplify")
"""Exact with python-flint, exact without it, and plain SymPy for metrics that the exact field does not hold."""

VARIABLE = "DERIVATIONS_ENGINE"
"""Environment variable that forces an engine on all metrics made while it is set."""


def exact_engine():
    """Name of the exact engine in use, or None while plain SymPy is forced.

    Raises
    ------
    ValueError
        If the environment variable ``DERIVATIONS_ENGINE`` names no engine, or one that is not installed.

    Examples
    --------
    >>> with forced_engine("sympy.polys"):
    ...     exact_engine()
    'sympy.polys'
    """
    engine = os.environ.get(VARIABLE) or ("flint" if flint else "sympy.polys")
    if engine not in ENGINES:
        raise ValueError(f"{VARIABLE} must be one of {ENGINES}, got {VARIABLE}={engine!r}")
    if engine == "flint" and flint is None:
        raise ValueError("the engine 'flint' needs the package python-flint, which is not installed")
    return None if engine == "sympy.simplify" else engine


@contextlib.contextmanager
def forced_engine(name):
    """Let all metrics that are made inside the ``with`` block use one engine: for tests and benchmarks.

    Parameters
    ----------
    name : str
        One of ``ENGINES``.

    Raises
    ------
    ValueError
        If the name is unknown, or python-flint is asked for and not installed.

    Examples
    --------
    >>> from derivations.riemann import spaces
    >>> metric = spaces.half_plane().metric
    >>> with forced_engine("sympy.simplify"):
    ...     type(metric)(metric.coords, metric.matrix).engine
    'sympy.simplify'
    """
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = name
    try:
        exact_engine()
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


class PolysRing:
    """Polynomials over the integers by ``sympy.polys``."""

    engine = "sympy.polys"

    def __init__(self, count):
        self._ring = PolyRing([f"g{i}" for i in range(count)], sp.ZZ, lex)
        self.gens = self._ring.gens

    def constant(self, integer):
        return self._ring.ground_new(sp.ZZ(integer))

    def cofactors(self, p, q):
        """Greatest common divisor h, p/h and q/h."""
        return p.cofactors(q)

    def derivative(self, p, index):
        return p.diff(self.gens[index])

    def is_one(self, p):
        return p == 1

    def leading_coefficient(self, p):
        return p.LC

    def factors(self, p):
        """Integer content and the list of (irreducible factor, multiplicity)."""
        if len(p) == 1:  # most denominators; SymPy does not see that they are done
            (exponents, content), = p.terms()
            return content, [(g, k) for g, k in zip(self.gens, exponents) if k]
        return p.factor_list()

    def terms(self, p):
        """List of (tuple of exponents, coefficient) in decreasing order."""
        return p.terms()


class FlintRing:
    """Polynomials over the integers by python-flint."""

    engine = "flint"

    def __init__(self, count):
        self._ring = flint.fmpz_mpoly_ctx.get([f"g{i}" for i in range(count)], "lex")
        self.gens = self._ring.gens()

    def constant(self, integer):
        return self._ring.constant(int(integer))

    def cofactors(self, p, q):
        """Greatest common divisor h, p/h and q/h."""
        h = p.gcd(q)
        return (h, p, q) if h.is_one() else (h, p // h, q // h)

    def derivative(self, p, index):
        return p.derivative(index)

    def is_one(self, p):
        return p.is_one()

    def leading_coefficient(self, p):
        return p.leading_coefficient()

    def factors(self, p):
        """Integer content and the list of (irreducible factor, multiplicity)."""
        return p.factor()

    def terms(self, p):
        """List of (tuple of exponents, coefficient) in decreasing order."""
        return list(p.terms())


def make_ring(engine, count):
    """Polynomials in `count` generators by the library of an exact engine."""
    return (FlintRing if engine == "flint" else PolysRing)(count)


class Fraction:
    """Quotient of two polynomials in lowest terms; the leading coefficient of the denominator is positive."""

    __slots__ = ("ring", "num", "den")

    def __init__(self, ring, num, den):
        self.ring, self.num, self.den = ring, num, den

    @classmethod
    def reduced(cls, ring, num, den):
        """Fraction of any two polynomials."""
        if not num:
            return cls(ring, num, ring.constant(1))
        _, num, den = ring.cofactors(num, den)
        return cls.with_positive_denominator(ring, num, den)

    @classmethod
    def with_positive_denominator(cls, ring, num, den):
        if ring.leading_coefficient(den) < 0:
            num, den = -num, -den
        return cls(ring, num, den)

    def __bool__(self):
        return bool(self.num)

    def __eq__(self, other):
        return self.num == other.num and self.den == other.den

    def __neg__(self):
        return Fraction(self.ring, -self.num, self.den)

    def __add__(self, other):
        # Henrici's way: only greatest common divisors of the small parts.
        ring = self.ring
        if not self.num:
            return other
        if not other.num:
            return self
        if self.den == other.den:
            num = self.num + other.num
            return Fraction.reduced(ring, num, self.den)
        common, left, right = ring.cofactors(self.den, other.den)
        num = self.num * right + other.num * left
        if not num:
            return Fraction(ring, num, ring.constant(1))
        if ring.is_one(common):
            return Fraction(ring, num, left * right * common)
        _, num, common = ring.cofactors(num, common)
        return Fraction.with_positive_denominator(ring, num, left * right * common)

    def __sub__(self, other):
        return self + -other

    def __mul__(self, other):
        ring = self.ring
        if not self.num:
            return self
        if not other.num:
            return other
        _, a, d = ring.cofactors(self.num, other.den)
        _, c, b = ring.cofactors(other.num, self.den)
        return Fraction.with_positive_denominator(ring, a * c, b * d)

    def inverse(self):
        return Fraction.with_positive_denominator(self.ring, self.den, self.num)

    def derivative(self, index):
        """Partial derivative by one generator."""
        ring = self.ring
        num, den = ring.derivative(self.num, index), ring.derivative(self.den, index)
        if not den:
            return Fraction.reduced(ring, num, self.den)
        # d(p/q) = (p' q/h - p q'/h) / (q q/h) with h = gcd(q, q').
        _, reduced, den = ring.cofactors(self.den, den)
        return Fraction.reduced(ring, num * reduced - self.num * den, reduced * self.den)


class Element:
    """Sum of fractions times products of radicals: a dict from sets of radicals, as bit masks, to fractions."""

    __slots__ = ("field", "parts")

    def __init__(self, field, parts):
        self.field, self.parts = field, parts

    def __bool__(self):
        return bool(self.parts)

    def __eq__(self, other):
        return isinstance(other, Element) and self.parts == other.parts

    def __neg__(self):
        return Element(self.field, {mask: -part for mask, part in self.parts.items()})

    def __add__(self, other):
        if not self.parts:
            return other
        if not other.parts:
            return self
        parts = dict(self.parts)
        for mask, part in other.parts.items():
            _accumulate(parts, mask, part)
        return Element(self.field, parts)

    def __sub__(self, other):
        return self + -other

    def __mul__(self, other):
        parts = {}
        for mask, part in self.parts.items():
            for other_mask, other_part in other.parts.items():
                product = part * other_part
                if mask & other_mask:
                    product = product * self.field.square(mask & other_mask)
                _accumulate(parts, mask ^ other_mask, product)
        return Element(self.field, parts)

    def __truediv__(self, other):
        return self * other.inverse()

    def __pow__(self, exponent):
        base, result = (self, self.field.one) if exponent >= 0 else (self.inverse(), self.field.one)
        for bit in bin(abs(exponent))[2:]:
            result = result * result
            if bit == "1":
                result = result * base
        return result

    def inverse(self):
        """Reciprocal: multiply with conjugates until only one radical product is left."""
        if not self.parts:
            raise ZeroDivisionError("a denominator is 0 everywhere")
        if len(self.parts) == 1:
            ((mask, part),) = self.parts.items()
            return Element(self.field, {mask: (part * self.field.square(mask)).inverse()})
        first, second, *_ = self.parts
        bit = (first ^ second) & -(first ^ second)
        conjugate = Element(self.field, {m: -part if m & bit else part for m, part in self.parts.items()})
        return conjugate * (self * conjugate).inverse()


def _accumulate(parts, mask, part):
    """Add a fraction to one term of a dict, dropping zeros."""
    if mask in parts:
        part = parts[mask] + part
    if part:
        parts[mask] = part
    else:
        parts.pop(mask, None)


class RationalField:
    """Field of fractions with radicals, its derivations, and the way back to SymPy.

    Parameters
    ----------
    engine : str
        ``"flint"`` or ``"sympy.polys"``.
    generators : sequence of sympy expressions
        What the generators stand for; algebraically independent.

    Attributes
    ----------
    engine : str
    zero, one, half : Element

    Notes
    -----
    Radicals are adjoined with :meth:`adjoin`, derivations set with :meth:`set_derivation`, by the subclass that knows
    what the generators mean. The radicands must be independent modulo squares; otherwise this is no field.
    """

    def __init__(self, engine, generators):
        self.engine = engine
        self.generators = tuple(generators)
        self.ring = make_ring(engine, max(1, len(self.generators)))
        self.radicals, self._radicands, self._squares = [], [], {}
        self._circles = {}
        self._rates = {}
        self._exported, self._powers = {}, {}
        self.zero = Element(self, {})
        self.one = self.constant(1)
        self.half = self.constant(1, 2)

    def constant(self, numerator, denominator=1):
        """Element that is a rational number."""
        fraction = Fraction.reduced(self.ring, self.ring.constant(numerator), self.ring.constant(denominator))
        return self._element(fraction)

    def generator(self, index):
        """Element that is a generator."""
        return self._element(Fraction(self.ring, self.ring.gens[index], self.ring.constant(1)))

    def adjoin(self, expression, radicand, circle=None):
        """Adjoin the square root `expression` of the element `radicand`, and return it.

        If the radicand is 1 - c^2 or c^2 - 1, `circle` is the index of the generator c: products (c-1)(c+1) are then
        written with the root.
        """
        (fraction,) = radicand.parts.values()
        self.radicals.append(expression)
        self._radicands.append(fraction)
        bit = 1 << (len(self.radicals) - 1)
        if circle is not None:
            sign = -1 if self.ring.leading_coefficient(fraction.num) < 0 else 1
            self._circles[circle] = (expression, sign)
        return Element(self, {bit: self.one.parts[0]})

    def set_derivation(self, key, rates, radical_rates):
        """Define a derivation: elements by index of generator, and elements by number of radical."""
        self._rates[key] = (
            [(index, rate) for index, rate in rates.items() if rate is None or rate],
            {1 << number: rate for number, rate in radical_rates.items() if rate},
        )

    def square(self, mask):
        """Fraction that is the square of a product of radicals."""
        if mask not in self._squares:
            product = self.one.parts[0]
            for number, radicand in enumerate(self._radicands):
                if mask >> number & 1:
                    product = product * radicand
            self._squares[mask] = product
        return self._squares[mask]

    def derivative(self, element, key):
        """Apply a derivation to an element."""
        rates, radical_rates = self._rates[key]
        total = self.zero
        for mask, part in element.parts.items():
            for index, rate in rates:
                slope = part.derivative(index)
                if not slope:
                    continue
                if rate is None:
                    raise ArithmeticError(f"the derivative of {self.generators[index]} is not in the field")
                total = total + Element(self, {mask: slope}) * rate
            for bit, rate in radical_rates.items():
                if mask & bit:
                    total = total + Element(self, {mask ^ bit: part}) * rate
        return total

    def sum(self, elements):
        """Sum over one common denominator: a single reduction at the end."""
        groups = {}
        for element in elements:
            for mask, part in element.parts.items():
                groups.setdefault(mask, []).append(part)
        parts = {mask: self._common_sum(parts) for mask, parts in groups.items()}
        return Element(self, {mask: part for mask, part in parts.items() if part})

    def _common_sum(self, parts):
        if len(parts) == 1:
            return parts[0]
        ring, denominator = self.ring, parts[0].den
        for part in parts[1:]:
            if part.den != denominator:
                denominator = denominator * ring.cofactors(denominator, part.den)[2]
        numerator = ring.constant(0)
        for part in parts:
            numerator = numerator + (
                part.num if part.den == denominator else part.num * self._quotient(denominator, part.den))
        return Fraction.reduced(ring, numerator, denominator)

    def tidy(self, element):
        """Nothing to do: elements are canonical."""
        return element

    def to_sympy(self, element):
        """SymPy expression: one fraction, factored."""
        if not element:
            return sp.Integer(0)
        if self.ring.leading_coefficient(element.parts[min(element.parts)].num) < 0:
            return -self.to_sympy(-element)  # half of the components of a tensor are minus the others
        key = self._key(element)
        if key not in self._exported:
            self._exported[key] = self._export(element)
        return self._exported[key]

    def factors(self, fraction):
        """Integer content (numerator, denominator) and dict of (key, polynomial): multiplicity of a fraction."""
        content, powers = [1, 1], {}
        for side, polynomial in enumerate((fraction.num, fraction.den)):
            number, factors = self.ring.factors(polynomial)
            content[side] = int(number)
            for factor, power in factors:
                key = tuple(self.ring.terms(factor))
                powers[key] = powers.get(key, 0) + (-power if side else power)
        return content, powers

    def _element(self, fraction):
        return Element(self, {0: fraction} if fraction else {})

    def _key(self, element):
        terms = self.ring.terms
        return frozenset(
            (mask, tuple(terms(part.num)), tuple(terms(part.den))) for mask, part in element.parts.items()
        )

    def _export(self, element):
        common, numerators = self._common_factor(element)
        content, powers = self.factors(common)
        factors = self._circle_powers(powers)
        factors += [self._polynomial(key)**power for key, power in powers.items()]
        if len(numerators) == 1:
            (mask,) = numerators
            rest = self._radical(mask)
        else:
            rest = sp.Add(*(self._polynomial(self.ring.terms(p)) * self._radical(m) for m, p in numerators.items()))
        return sp.Mul(sp.Rational(*content), *factors, rest)

    def _common_factor(self, element):
        """Fraction and coprime polynomials whose products are the parts of an element."""
        ring, parts = self.ring, element.parts
        denominator, common = ring.constant(1), ring.constant(0)
        for part in parts.values():
            denominator = denominator * ring.cofactors(denominator, part.den)[2]
        numerators = {m: part.num * self._quotient(denominator, part.den) for m, part in parts.items()}
        for numerator in numerators.values():
            common = ring.cofactors(common, numerator)[0]
        numerators = {m: self._quotient(numerator, common) for m, numerator in numerators.items()}
        if ring.leading_coefficient(numerators[min(numerators)]) < 0:
            common, numerators = -common, {m: -numerator for m, numerator in numerators.items()}
        return Fraction.with_positive_denominator(ring, common, denominator), numerators

    def _quotient(self, p, divisor):
        """Polynomial p over a divisor of it. The sign of a greatest common divisor is not to be relied on."""
        _, quotient, sign = self.ring.cofactors(p, divisor)
        return quotient * sign

    def _circle_powers(self, powers):
        """Take the products (c-1)(c+1) out of the factors and return them as powers of the root."""
        found = []
        for index, (root, sign) in self._circles.items():
            c, one = self.ring.gens[index], self.ring.constant(1)
            minus, plus = tuple(self.ring.terms(c - one)), tuple(self.ring.terms(c + one))
            low, high = powers.get(minus, 0), powers.get(plus, 0)
            if low * high <= 0:
                continue
            shared = min(low, high, key=abs)
            for key in (minus, plus):
                powers[key] -= shared
            found.append((sign * root**2)**shared)
        return found

    def _polynomial(self, terms):
        return sp.Add(*(
            sp.Mul(sp.Integer(int(coefficient)), *(self._generator_power(i, k) for i, k in enumerate(exponents) if k))
            for exponents, coefficient in terms
        ))

    def _generator_power(self, index, exponent):
        if (index, exponent) not in self._powers:
            self._powers[index, exponent] = self.generators[index]**int(exponent)
        return self._powers[index, exponent]

    def _radical(self, mask):
        return sp.Mul(*(root for number, root in enumerate(self.radicals) if mask >> number & 1))
