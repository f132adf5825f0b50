"""Arguments of functions as integer combinations of a basis: 2 theta and theta/2 are combinations of theta/2."""
import math
from collections import Counter

import sympy as sp
from sympy.core.function import AppliedUndef

__all__ = ["Lattice", "NotRational", "TooLarge", "linear_terms", "within_bound"]

BOUND = 200
"""Largest multiple of an angle or exponent, integer power and degree of a root: polynomials get such degrees."""


class NotRational(Exception):
    """An expression does not fit into the exact field."""


class TooLarge(NotRational):
    """An expression would fit, but only with polynomials of huge degrees."""


def within_bound(what, number):
    """Integer that is not too large to be a degree.

    Raises
    ------
    TooLarge
        If its absolute value is greater than ``BOUND``.

    Examples
    --------
    >>> within_bound("power", -3)
    -3
    """
    if abs(number) > BOUND:
        raise TooLarge(f"{what} {number} is beyond {BOUND}")
    return number


class Lattice:
    """Integer combinations of some arguments, each a dict from products to rational coefficients.

    Parameters
    ----------
    arguments : list of dict
    odd : bool
        Whether the basis is for odd functions: then its signs are such that SymPy does not write sin(-b) as -sin(b).
        Otherwise signs are kept as they occur: exp(-x**2) stays a function that decays.

    Attributes
    ----------
    basis : list of sympy expressions

    Examples
    --------
    >>> import sympy as sp
    >>> x, y = sp.symbols("x y")
    >>> lattice = Lattice([{x: sp.Integer(2)}, {x: sp.Integer(3), y: sp.Rational(1, 2)}, {x: sp.Integer(1)}])
    >>> lattice.basis, lattice.coordinates({x: sp.Integer(-1), y: sp.Integer(1)})
    ([x, y/2], [-1, 2])
    """

    def __init__(self, arguments, odd=False):
        arguments = [terms for terms in arguments if terms]
        self._terms = sorted({term for terms in arguments for term in terms}, key=sp.default_sort_key)
        denominators = [int(coefficient.q) for terms in arguments for coefficient in terms.values()]
        self._scale = math.lcm(1, *denominators)
        rows = {tuple(self._row(terms)) for terms in arguments}
        self._rows = _echelon(sorted(rows))
        for number, row in enumerate(self._rows):
            minus = tuple(-k for k in row)
            if self._sum(row).could_extract_minus_sign() if odd else minus in rows and tuple(row) not in rows:
                self._rows[number] = list(minus)
        self.basis = [self._sum(row) for row in self._rows]

    def coordinates(self, terms):
        """Integers that combine the basis to an argument.

        Raises
        ------
        NotRational
            If the argument is not in the lattice.
        """
        if not set(terms) <= set(self._terms):
            raise NotRational(f"{terms} is not in the lattice")
        rest, numbers = self._row(terms), []
        for row in self._rows:
            pivot = next(i for i, entry in enumerate(row) if entry)
            number, remainder = divmod(rest[pivot], row[pivot])
            if remainder:
                raise NotRational(f"{terms} is not in the lattice")
            rest = [r - number * entry for r, entry in zip(rest, row)]
            numbers.append(int(number))
        if any(rest):
            raise NotRational(f"{terms} is not in the lattice")
        return numbers

    def _sum(self, row):
        return sp.Add(*(sp.Rational(k, self._scale) * term for k, term in zip(row, self._terms)))

    def _row(self, terms):
        return [terms.get(term, sp.Integer(0)) * self._scale for term in self._terms]


def _echelon(rows):
    """Basis in row echelon form, with positive pivots, of the lattice of integer rows, by Euclid's algorithm."""
    rows, done = [list(map(sp.Integer, row)) for row in rows], []
    for column in range(len(rows[0]) if rows else 0):
        while True:
            active = sorted((row for row in rows if row[column]), key=lambda row: abs(row[column]))
            if len(active) <= 1:
                break
            pivot = active[0]
            for row in active[1:]:
                number = row[column] // pivot[column]
                row[:] = [r - number * p for r, p in zip(row, pivot)]
        for row in active:
            rows.remove(row)
            done.append([-entry for entry in row] if row[column] < 0 else row)
    return done


def linear_terms(argument):
    """Write an argument as a sum of rational multiples of products: dict from the products to the coefficients.

    Raises
    ------
    NotRational
        If a factor of a product is not an integer power of a symbol, an undetermined function or a logarithm.

    Examples
    --------
    >>> import sympy as sp
    >>> t, x, k = sp.symbols("t x k")
    >>> linear_terms(k * (x - t) / 2) == {k * x: sp.Rational(1, 2), k * t: sp.Rational(-1, 2)}
    True
    """
    terms = Counter()
    for summand in sp.Add.make_args(sp.expand(argument)):
        coefficient, product = summand.as_coeff_Mul()
        if not coefficient.is_Rational or not all(_is_plain(factor) for factor in sp.Mul.make_args(product)):
            raise NotRational(f"{argument} is no sum of products of symbols and undetermined functions")
        if coefficient:
            terms[product] += coefficient
    return terms


def _is_plain(factor):
    base, exponent = factor.as_base_exp()
    if factor is sp.S.One:
        return True
    plain = base.is_Symbol or base is sp.pi or isinstance(base, (AppliedUndef, sp.Derivative))
    plain = plain or isinstance(base, sp.log) and base.args[0].is_Symbol
    return bool(plain and exponent.is_Integer)
