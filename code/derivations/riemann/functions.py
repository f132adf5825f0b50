r"""From SymPy to the exact field: which functions of a metric become generators, and how they differentiate.

=====================================  ==========================================================================
in the formulas                        in the field
=====================================  ==========================================================================
coordinates, parameters, pi            generators
powers :math:`x^{p/q}` of a symbol     generator :math:`x^{1/q}`
cos, sin, tan, ... of an angle b       generator :math:`\cos b`, radical :math:`\sin b = \sqrt{1 - \cos^2 b}`
cosh, sinh, ... of b                   generator :math:`\cosh b`, radical :math:`\sinh b = \sqrt{\cosh^2 b - 1}`
exp, e, powers :math:`x^p`             generator :math:`e^b`; hyperbolic functions of the same b follow it
undetermined functions a(t), h(r, u)   one generator for the function and for each of its derivatives
log of a symbol                        generator
square roots of base elements          radicals
=====================================  ==========================================================================

Arguments are sums of rational multiples of products, such as :math:`2\theta - \omega t/3`. The arguments of one
metric span a lattice; each becomes an integer combination of a basis of it, and angle sums are expanded. Distinct
products are linearly independent over the rational numbers, so the generators are algebraically independent and zero
tests are exact. Everything else (floats, inverse functions, nested or dependent roots, ...) is out of scope.
"""
import itertools
import math

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.functions.elementary.hyperbolic import HyperbolicFunction
from sympy.functions.elementary.trigonometric import TrigonometricFunction

from .expressions import HYPERBOLIC, without_hyperbolic_logs
from .lattice import Lattice, NotRational, linear_terms, within_bound
from .rational import RationalField

__all__ = ["FunctionField", "NotRational"]

TRIGONOMETRIC = (sp.sin, sp.cos, sp.tan, sp.cot, sp.sec, sp.csc)


class FunctionField(RationalField):
    """The field of all functions that occur in some expressions and in their derivatives by the coordinates.

    Parameters
    ----------
    engine : str
        ``"flint"`` or ``"sympy.polys"``.
    expressions : iterable of sympy expressions
    coords : sequence of sympy.Symbol
        What can be differentiated by.
    order : int
        How many times the expressions will be differentiated: undetermined functions need a generator for each
        derivative.

    Raises
    ------
    NotRational
        If an expression is out of scope.

    Examples
    --------
    >>> import sympy as sp
    >>> x = sp.Symbol("x")
    >>> field = FunctionField("sympy.polys", [sp.tan(x)], (x,))
    >>> tangent = field.convert(sp.tan(x))
    >>> field.to_sympy(field.derivative(tangent, 0) - tangent * tangent)
    1
    """

    def __init__(self, engine, expressions, coords, order=2):
        found = _Contents([_prepared(expression) for expression in expressions], coords, order)
        super().__init__(engine, found.generators())
        self.coords, self._found, self._converted = tuple(coords), found, {}
        self._index = {expression: index for index, expression in enumerate(self.generators)}
        self._radical_elements = {}
        self._adjoin_circles()
        self._adjoin_roots()
        for axis, x in enumerate(self.coords):
            self._derive_by(axis, x)

    def convert(self, expression):
        """Element that equals a SymPy expression.

        Raises
        ------
        NotRational
            If the expression is not in this field.
        """
        return self._convert(_prepared(expression))

    def _convert(self, expression):
        if expression not in self._converted:
            self._converted[expression] = self._new(expression)
        return self._converted[expression]

    def _new(self, expression):
        if expression.is_Rational:
            return self.constant(expression.p, expression.q)
        if expression.is_Add or expression.is_Mul:
            parts = [self._convert(part) for part in expression.args]
            total = parts[0]
            for part in parts[1:]:
                total = total + part if expression.is_Add else total * part
            return total
        if isinstance(expression, sp.exp) or expression is sp.E:
            return self._exponential(_exponent_terms(expression))
        if expression.is_Pow:
            return self._power(expression.base, expression.exp)
        if isinstance(expression, (*TRIGONOMETRIC, *HYPERBOLIC)):
            return self._circular(expression)
        if expression.is_Symbol and expression in self._found.roots:
            return self._root(expression)**self._found.roots[expression]
        return self._atom(expression)

    def _atom(self, expression):
        key = _jet_key(expression) if isinstance(expression, (AppliedUndef, sp.Derivative)) else expression
        expression = _jet(*key) if isinstance(key, tuple) else key
        if expression not in self._index:
            raise NotRational(f"{expression} is not in the field")
        return self.generator(self._index[expression])

    def _root(self, symbol):
        degree = self._found.roots.get(symbol, 1)
        return self._atom(symbol if degree == 1 else symbol**sp.Rational(1, degree))

    def _power(self, base, exponent):
        if exponent.is_Integer:
            return self._convert(base)**within_bound("power", int(exponent))
        if base.is_Symbol:
            terms = linear_terms(exponent)
            rational = terms.pop(sp.S.One, sp.Integer(0))
            power = rational * self._found.roots.get(base, 1)
            if not power.is_Integer:
                raise NotRational(f"{base}**{exponent} is not in the field")
            root = self._root(base)**within_bound("power of a root", int(power))
            return root * self._exponential(_with_log(terms, base))
        if not (exponent.is_Rational and exponent.q == 2):
            raise NotRational(f"{base}**({exponent}) is not in the field")
        if base.is_Rational:
            return self._root_of_rational(base)**exponent.p
        if base not in self._radical_elements:
            raise NotRational(f"sqrt({base}) is not in the field")
        return self._radical_elements[base]**within_bound("power of a root", exponent.p)

    def _root_of_rational(self, number):
        root = self.one
        for prime, power in sp.factorint(number).items():
            if prime == -1:
                raise NotRational(f"sqrt({number}) is not real")
            if power % 2 and prime not in self._radical_elements:
                raise NotRational(f"sqrt({prime}) is not in the field")
            root = root * self.constant(prime)**(power // 2)
            root = root * self._radical_elements[prime] if power % 2 else root
        return root

    def _exponential(self, terms):
        result = self.one
        for base, power in zip(self._found.exponents.basis, self._found.exponents.coordinates(terms)):
            if power:
                result = result * self._atom(sp.exp(base))**within_bound("multiple of an exponent", power)
        return result

    def _circular(self, expression):
        """cos, sin, cosh, ... of an argument, by the functions of the basis."""
        hyperbolic = isinstance(expression, HyperbolicFunction)
        even, odd = self._hyperbola(expression.args[0]) if hyperbolic else self._circle(expression.args[0])
        name = type(expression).__name__.rstrip("h")
        return {
            "cos": lambda: even, "sin": lambda: odd, "tan": lambda: odd / even,
            "cot": lambda: even / odd, "sec": lambda: even.inverse(), "csc": lambda: odd.inverse(),
        }[name]()

    def _circle(self, angle):
        return self._rotate(self._found.angles, sp.cos, linear_terms(angle), -1)

    def _hyperbola(self, argument):
        terms = linear_terms(argument)
        if self._found.hyperbolic_by_exp:
            growth = self._exponential(terms)
            decay = growth.inverse()
            return (growth + decay) * self.half, (growth - decay) * self.half
        return self._rotate(self._found.hyperbolics, sp.cosh, terms, 1)

    def _rotate(self, lattice, cosine, terms, square):
        """Cosine and sine of a combination of the basis; `square` is the square of the imaginary unit."""
        even, odd = self.one, self.zero
        for base, power in zip(lattice.basis, lattice.coordinates(terms)):
            c, s = self._atom(cosine(base)), self._radical_elements[cosine(base)]
            s = s if power > 0 else -s
            for _ in range(abs(within_bound("multiple of an angle", power))):
                even, odd = even * c + (odd * s if square > 0 else -(odd * s)), odd * c + even * s
        return even, odd

    def _adjoin_circles(self):
        for cosine, sine, lattice, sign in (
            (sp.cos, sp.sin, self._found.angles, -1), (sp.cosh, sp.sinh, self._found.hyperbolics, 1),
        ):
            for base in lattice.basis:
                c = self._atom(cosine(base))
                radicand = c * c - self.one if sign > 0 else self.one - c * c
                root = self.adjoin(sine(base), radicand, circle=self._index[cosine(base)])
                self._radical_elements[cosine(base)] = root

    def _adjoin_roots(self):
        rows = []
        for prime in sorted(self._found.primes):
            self._radical_elements[prime] = self.adjoin(sp.sqrt(prime), self.constant(prime))
            rows.append({prime: 1})
        for base in sorted(self._found.radicands, key=sp.default_sort_key):
            radicand = self._convert(base)
            if set(radicand.parts) != {0}:
                raise NotRational(f"sqrt({base}) has a radicand with roots in it")
            self._radical_elements[base] = self.adjoin(sp.sqrt(base), radicand)
            rows.append(self._odd_factors(radicand))
        if self._found.radicands:
            circles = [element * element for key, element in self._radical_elements.items()
                       if isinstance(key, (sp.cos, sp.cosh))]
            if not _independent_modulo_two([self._odd_factors(radicand) for radicand in circles] + rows):
                raise NotRational("the square roots depend on each other")

    def _odd_factors(self, radicand):
        """What makes a radicand different from a square: its sign, and primes and factors with odd powers."""
        (numerator, denominator), powers = self.factors(radicand.parts[0])
        numbers = sp.factorint(numerator * denominator)
        return {key: power % 2 for key, power in (*numbers.items(), *powers.items()) if power % 2}

    def _derive_by(self, axis, x):
        rates, radical_rates = {}, {}
        for index, expression in enumerate(self.generators):
            rates[index] = self._rate(expression, x)
        self.set_derivation(axis, rates, {})  # enough for the radicands: they hold no radicals
        for number, root in enumerate(self.radicals):
            radical_rates[number] = self._radical_rate(root, axis)
        self.set_derivation(axis, rates, radical_rates)

    def _rate(self, generator, x):
        """Derivative of a generator by x; None if it is a derivative of an undetermined function of too high order."""
        if generator.is_Symbol:
            return self.one if generator == x else self.zero
        if isinstance(generator, (AppliedUndef, sp.Derivative)):
            function, counts = _jet_key(generator)
            if x not in function.args:
                return self.zero
            counts = tuple(count + (argument == x) for count, argument in zip(counts, function.args))
            return self._atom(_jet(function, counts)) if _jet(function, counts) in self._index else None
        if isinstance(generator, (sp.cos, sp.cosh)):
            sine = self._radical_elements[generator]
            slope = self._slope(generator.args[0], x)
            return -(sine * slope) if isinstance(generator, sp.cos) else sine * slope
        if isinstance(generator, sp.exp):
            return self._atom(generator) * self._slope(generator.exp, x)
        return self._slope(generator, x)  # powers and logarithms

    def _slope(self, expression, x):
        return self._convert(_prepared(expression.diff(x)))

    def _radical_rate(self, root, axis):
        """Derivative of a radical by a coordinate: for roots, w' = R'/(2 R) w."""
        if isinstance(root, (sp.sin, sp.sinh)):
            cosine = (sp.cos if isinstance(root, sp.sin) else sp.cosh)(root.args[0])
            return self._atom(cosine) * self._slope(root.args[0], self.coords[axis])
        element = self._radical_elements[root**2]
        radicand = element * element
        return self.derivative(radicand, axis) * self.half / radicand * element


class _Contents:
    """What occurs in some expressions and in the derivatives of the arguments of their functions."""

    def __init__(self, expressions, coords, order):
        self.coords, self.order = coords, order
        self.symbols, self.logs, self.functions = set(), set(), {}
        self.angle_terms, self.hyperbolic_terms, self.exponent_terms = [], [], []
        self.primes, self.radicands, self.roots = set(), set(), {}
        self._seen = set()
        for expression in expressions:
            self._collect(expression)
        self._make_lattices()
        for base, x in itertools.product(self._bases(), coords):
            self._collect(_prepared(base.diff(x)))

    def generators(self):
        """Expressions of all generators."""
        roots = [s if self.roots.get(s, 1) == 1 else s**sp.Rational(1, self.roots[s]) for s in self.symbols]
        jets = [_jet(function, counts) for function, highest in self.functions.items()
                for counts in _multi_indices(len(function.args), highest + self.order)]
        groups = [
            roots, [sp.log(s) for s in self.logs], jets, map(sp.cos, self.angles.basis),
            map(sp.cosh, self.hyperbolics.basis), map(sp.exp, self.exponents.basis),
        ]
        return [generator for group in groups for generator in sorted(group, key=sp.default_sort_key)]

    def _bases(self):
        return [*self.angles.basis, *self.hyperbolics.basis, *self.exponents.basis]

    def _make_lattices(self):
        hyperbolic, exponential = (
            {term for terms in group for term in terms} for group in (self.hyperbolic_terms, self.exponent_terms)
        )
        self.hyperbolic_by_exp = bool(hyperbolic & exponential)
        if self.hyperbolic_by_exp:
            self.exponent_terms += self.hyperbolic_terms
            self.hyperbolic_terms = []
        self.angles = Lattice(self.angle_terms, odd=True)
        self.hyperbolics = Lattice(self.hyperbolic_terms, odd=True)
        self.exponents = Lattice(self.exponent_terms)

    def _collect(self, expression):
        if expression in self._seen:
            return
        self._seen.add(expression)
        if expression.is_Rational:
            return
        if expression.is_Add or expression.is_Mul:
            for part in expression.args:
                self._collect(part)
        elif expression.is_Symbol or expression is sp.pi:
            self.symbols.add(expression)
        elif isinstance(expression, TRIGONOMETRIC):
            terms = linear_terms(expression.args[0])
            if sp.pi in terms:
                raise NotRational(f"{expression} holds a root of unity")  # algebraic, and so no generator
            self.angle_terms.append(terms)
        elif isinstance(expression, HYPERBOLIC):
            self.hyperbolic_terms.append(linear_terms(expression.args[0]))
        elif isinstance(expression, sp.exp) or expression is sp.E:
            self._collect_exponent(expression, _exponent_terms(expression))
        elif expression.is_Pow:
            self._collect_power(expression.base, expression.exp)
        elif isinstance(expression, (AppliedUndef, sp.Derivative)):
            function, counts = _jet_key(expression)
            self.functions[function] = max(self.functions.get(function, 0), sum(counts))
        elif isinstance(expression, sp.log) and expression.args[0].is_Symbol:
            self.logs.add(expression.args[0])
            self.symbols.add(expression.args[0])
        else:
            raise NotRational(f"{expression} is out of scope")

    def _collect_exponent(self, expression, terms):
        if any(isinstance(product, sp.log) for product in terms):
            raise NotRational(f"{expression} hides a power")
        self.exponent_terms.append(terms)

    def _collect_power(self, base, exponent):
        if exponent.is_Integer:
            self._collect(base)
        elif base.is_Symbol:
            terms = linear_terms(exponent)
            rational = terms.pop(sp.S.One, sp.Integer(0))
            self.symbols.add(base)
            self.roots[base] = within_bound("degree of a root", math.lcm(self.roots.get(base, 1), int(rational.q)))
            if terms:
                self._collect_exponent(base**exponent, _with_log(terms, base))
        elif not (exponent.is_Rational and exponent.q == 2):
            raise NotRational(f"{base}**({exponent}) is out of scope")
        elif base.is_Rational:
            self.primes.update(prime for prime, power in sp.factorint(base).items() if power % 2)
        else:
            self._collect(base)
            self.radicands.add(base)


def _independent_modulo_two(rows):
    """Whether sparse rows of ones are linearly independent over the field with two elements."""
    pivots = {}
    for row in rows:
        keys = set(row)
        while keys:
            pivot = max(keys, key=repr)
            if pivot not in pivots:
                pivots[pivot] = keys
                break
            keys = keys ^ pivots[pivot]
        if not keys:
            return False
    return True


def _prepared(expression):
    """Expression with angles such as x + pi/4 split up, and with powers for hyperbolic functions of logarithms."""
    expression = sp.sympify(expression)
    expression = without_hyperbolic_logs(expression)
    if expression.has(sp.pi):
        functions = (*TRIGONOMETRIC, *HYPERBOLIC)
        expression = expression.replace(
            lambda e: isinstance(e, TrigonometricFunction) and isinstance(e, functions) and e.args[0].has(sp.pi),
            lambda e: e.expand(trig=True),
        )
    return expression


def _exponent_terms(expression):
    """Terms of the exponent of an exponential function, or of the number e."""
    return linear_terms(sp.S.One if expression is sp.E else expression.exp)


def _with_log(terms, base):
    """Exponent of base**terms."""
    return {product * sp.log(base): coefficient for product, coefficient in terms.items()}


def _jet_key(expression):
    """Undetermined function and how many times it is differentiated by each argument."""
    function, counts = expression, {}
    if isinstance(expression, sp.Derivative):
        function, counts = expression.expr, dict(expression.variable_count)
    arguments = function.args
    if (not isinstance(function, AppliedUndef) or len(set(arguments)) < len(arguments)
            or not all(argument.is_Symbol for argument in arguments) or not set(counts) <= set(arguments)
            or not all(sp.sympify(count).is_Integer for count in counts.values())):
        raise NotRational(f"{expression} is out of scope")
    return function, tuple(int(counts.get(argument, 0)) for argument in arguments)


def _jet(function, counts):
    """The derivative of an undetermined function."""
    variables = [(argument, count) for argument, count in zip(function.args, counts) if count]
    return sp.Derivative(function, *variables) if variables else function


def _multi_indices(length, order):
    """All tuples of `length` non-negative integers with a sum of at most `order`."""
    return [index for index in itertools.product(range(order + 1), repeat=length) if sum(index) <= order]
