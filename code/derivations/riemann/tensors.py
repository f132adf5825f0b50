r"""Curvature from the metric's components, in any field that can add, multiply, divide and differentiate.

Only the independent components :math:`R_{abcd}` are computed,

.. math:: R_{abcd} = \tfrac12(\partial_b\partial_c g_{ad} + \partial_a\partial_d g_{bc}
          - \partial_a\partial_c g_{bd} - \partial_b\partial_d g_{ac})
          + \Gamma_{ebc}\Gamma^e{}_{ad} - \Gamma_{ebd}\Gamma^e{}_{ac},

which follows from the definition and :math:`\Gamma_{ebc} = g_{ef}\Gamma^f{}_{bc}`; everything else comes from them.
"""
import itertools
from functools import cached_property

__all__ = ["Curvature"]


class Curvature:
    """All tensors of one metric, as elements of a field, computed when they are first asked for.

    Parameters
    ----------
    field : FunctionField or ExpressionField
    matrix : nested lists of elements, shape (n, n)
        The symmetric components of the metric.

    Examples
    --------
    >>> import sympy as sp
    >>> from derivations.riemann.expressions import ExpressionField
    >>> x, y = sp.symbols("x y", positive=True)
    >>> field = ExpressionField((x, y))
    >>> matrix = [[field.convert(entry) for entry in row] for row in [[1, 0], [0, sp.sin(x)**2]]]
    >>> field.to_sympy(Curvature(field, matrix).scalar)
    2
    """

    def __init__(self, field, matrix):
        self.field, self.g, self.n = field, matrix, len(matrix)
        self.axes = range(self.n)
        self.pairs = list(itertools.combinations(self.axes, 2))
        self._slopes, self._second = {}, {}

    @cached_property
    def _minors(self):
        return Minors(self.field, self.g)

    @cached_property
    def determinant(self):
        """Element det g, zero if and only if the metric is singular everywhere."""
        return self.field.tidy(self._minors(tuple(self.axes), tuple(self.axes)))

    @cached_property
    def inverse(self):
        """Nested lists of g^{ab}: cofactors over the determinant, so that only one element is inverted."""
        reciprocal, table = self.determinant.inverse(), {}
        for a, b in itertools.combinations_with_replacement(self.axes, 2):
            rows, columns = (tuple(i for i in self.axes if i != left_out) for left_out in (a, b))
            minor = self._minors(rows, columns)
            value = self.field.tidy(minor * reciprocal) if minor else minor
            table[a, b] = table[b, a] = -value if (a + b) % 2 else value
        return [[table[a, b] for b in self.axes] for a in self.axes]

    @cached_property
    def first_kind(self):
        """Dict of the Christoffel symbols of the first kind, by (e, b, c)."""
        table = {}
        for e, b, c in itertools.product(self.axes, repeat=3):
            if b <= c:
                value = (self._slope(e, b, c) + self._slope(e, c, b) - self._slope(b, c, e)) * self.field.half
                table[e, b, c] = table[e, c, b] = self.field.tidy(value)
        return table

    @cached_property
    def christoffel(self):
        """Dict of the Christoffel symbols of the second kind, by (a, b, c)."""
        table = {}
        for a, b, c in itertools.product(self.axes, repeat=3):
            if b <= c:
                value = self._sum((self.inverse[a][e], self.first_kind[e, b, c]) for e in self.axes)
                table[a, b, c] = table[a, c, b] = value
        return table

    @cached_property
    def _riemann(self):
        """Dict of R_{abcd} with a < b and c < d, by pairs."""
        table = {}
        for number, first in enumerate(self.pairs):
            for second in self.pairs[number:]:
                a, b, c, d = first + second
                if a < c and b > d:
                    # a < c < d < b: not independent of the two others, by the first Bianchi identity.
                    value = table[(a, d), (c, b)] - table[(a, c), (d, b)]
                else:
                    value = self._riemann_from_metric(a, b, c, d)
                table[first, second] = table[second, first] = self.field.tidy(value)
        return table

    def _riemann_from_metric(self, a, b, c, d):
        first_kind, christoffel = self.first_kind, self.christoffel
        second = (self._second_slope(a, d, b, c) + self._second_slope(b, c, a, d)
                  - self._second_slope(a, c, b, d) - self._second_slope(b, d, a, c))
        products = [first_kind[e, b, c] * christoffel[e, a, d] for e in self.axes]
        products += [-(first_kind[e, b, d] * christoffel[e, a, c]) for e in self.axes]
        return self.field.sum([second * self.field.half, *products])

    def riemann(self, a, b, c, d):
        """Element R_{abcd}."""
        return self._by_pairs(self._riemann, a, b, c, d)

    @cached_property
    def mixed(self):
        """Dict of R^a_{bcd} with c < d."""
        return self._raised(self.riemann)

    @cached_property
    def ricci(self):
        """Dict of R_{bd}."""
        table = {}
        for b, d in itertools.combinations_with_replacement(self.axes, 2):
            trace = self.field.sum(antisymmetric(self.mixed, self.field, a, b, a, d) for a in self.axes)
            table[b, d] = table[d, b] = self.field.tidy(trace)
        return table

    @cached_property
    def scalar(self):
        """Element g^{bd} R_{bd}."""
        return self._sum((self.inverse[b][d], self.ricci[b, d]) for b in self.axes for d in self.axes)

    @cached_property
    def einstein(self):
        """Dict of R_{ab} - R g_{ab}/2."""
        half = self.scalar * self.field.half
        return {(a, b): self.field.tidy(ricci - half * self.g[a][b]) for (a, b), ricci in self.ricci.items()}

    @cached_property
    def _weyl(self):
        constant, n = self.field.constant, self.n
        share = constant(1, n - 2)
        trace = self.scalar * constant(1, (n - 1) * (n - 2))
        table = {}
        for number, first in enumerate(self.pairs):
            for second in self.pairs[number:]:
                a, b, c, d = first + second
                wedge = (self.g[a][c] * self.ricci[b, d] - self.g[a][d] * self.ricci[b, c]
                         + self.g[b][d] * self.ricci[a, c] - self.g[b][c] * self.ricci[a, d])
                square = self.g[a][c] * self.g[b][d] - self.g[a][d] * self.g[b][c]
                value = self._riemann[first, second] - share * wedge + trace * square
                table[first, second] = table[second, first] = self.field.tidy(value)
        return table

    def weyl(self, a, b, c, d):
        """Element C_{abcd} of the Weyl tensor (n >= 3)."""
        return self._by_pairs(self._weyl, a, b, c, d)

    @cached_property
    def mixed_weyl(self):
        """Dict of C^a_{bcd} with c < d."""
        return self._raised(self.weyl)

    @cached_property
    def kretschmann(self):
        """Element R_{abcd} R^{abcd}: the trace of the square of the operator R^{ab}_{cd} on pairs, times four."""
        operator = {}
        for (a, b), (c, d) in itertools.product(self.pairs, repeat=2):
            operator[(a, b), (c, d)] = self._sum((self.inverse[b][e], self.mixed[a, e, c, d]) for e in self.axes)
        trace = self._sum((operator[p, q], operator[q, p]) for p in self.pairs for q in self.pairs)
        return self.field.tidy(trace * self.field.constant(4))

    def sectional(self, u, v):
        """Numerator R(u, v, u, v) and denominator g(u,u) g(v,v) - g(u,v)^2 of the sectional curvature."""
        plane = {(a, b): u[a] * v[b] - u[b] * v[a] for a, b in self.pairs}
        top = bottom = self.field.zero
        for (a, b), (c, d) in itertools.product(self.pairs, repeat=2):
            area = plane[a, b] * plane[c, d]
            if area:
                top = top + area * self._riemann[(a, b), (c, d)]
                bottom = bottom + area * (self.g[a][c] * self.g[b][d] - self.g[a][d] * self.g[b][c])
        return self.field.tidy(top), self.field.tidy(bottom)

    def covariant_derivative(self, tensor, indices):
        """Dict of a tensor's covariant derivative, the direction last.

        Parameters
        ----------
        tensor : dict of elements by tuples of indices
            Zero where an entry is missing.
        indices : str
            ``u`` for each upper and ``l`` for each lower index.
        """
        zero, field = self.field.zero, self.field
        result = {}
        for index in itertools.product(self.axes, repeat=len(indices)):
            for e in self.axes:
                value = field.derivative(tensor.get(index, zero), e)
                for place, kind in enumerate(indices):
                    value = value + self._connection_term(tensor, index, place, kind, e)
                result[(*index, e)] = field.tidy(value)
        return result

    def _connection_term(self, tensor, index, place, kind, e):
        zero, total, i = self.field.zero, self.field.zero, index[place]
        for m in self.axes:
            value = tensor.get((*index[:place], m, *index[place + 1:]), zero)
            connection = self.christoffel[i, m, e] if kind == "u" else self.christoffel[m, i, e]
            if value and connection:
                total = total + connection * value
        return total if kind == "u" else -total

    def bianchi(self):
        """Dict of R_{abcd;e} + R_{abde;c} + R_{abec;d} for a < b and c < d < e: the independent components."""
        result = {}
        for a, b in self.pairs:
            for c, d, e in itertools.combinations(self.axes, 3):
                value = (self._riemann_slope(a, b, c, d, e) + self._riemann_slope(a, b, d, e, c)
                         + self._riemann_slope(a, b, e, c, d))
                result[a, b, c, d, e] = self.field.tidy(value)
        return result

    def _riemann_slope(self, a, b, c, d, e):
        value = self.field.derivative(self.riemann(a, b, c, d), e)
        index = (a, b, c, d)
        for place, i in enumerate(index):
            for m in self.axes:
                connection = self.christoffel[m, i, e]
                if connection:
                    value = value - connection * self.riemann(*index[:place], m, *index[place + 1:])
        return value

    def _slope(self, i, j, k):
        """Element g_{ij,k}."""
        key = (min(i, j), max(i, j), k)
        if key not in self._slopes:
            self._slopes[key] = self.field.derivative(self.g[i][j], k)
        return self._slopes[key]

    def _second_slope(self, i, j, k, m):
        """Element g_{ij,km}."""
        key = (min(i, j), max(i, j), min(k, m), max(k, m))
        if key not in self._second:
            self._second[key] = self.field.derivative(self._slope(*key[:3]), key[3])
        return self._second[key]

    def _sum(self, products):
        return self.field.tidy(self.field.sum(left * right for left, right in products if left and right))

    def _raised(self, lowered):
        """Dict of T^a_{bcd} with c < d, from the function T_{abcd}."""
        return {
            (a, b, c, d): self._sum((self.inverse[a][e], lowered(e, b, c, d)) for e in self.axes)
            for a in self.axes for b in self.axes for c, d in self.pairs
        }

    def _by_pairs(self, table, a, b, c, d):
        if a == b or c == d:
            return self.field.zero
        value = table[(min(a, b), max(a, b)), (min(c, d), max(c, d))]
        return value if (a < b) == (c < d) else -value


def antisymmetric(table, field, a, b, c, d):
    """Element of a dict that holds only c < d."""
    if c == d:
        return field.zero
    return table[a, b, c, d] if c < d else -table[a, b, d, c]


class Minors:
    """Determinants of parts of a matrix, expanded by the first row without any division; each is kept."""

    def __init__(self, field, matrix):
        self.field, self.matrix, self._kept = field, matrix, {}

    def __call__(self, rows, columns):
        """Determinant of the part with these rows and columns, two tuples of equal length."""
        if not rows:
            return self.field.one
        if (rows, columns) not in self._kept:
            self._kept[rows, columns] = self._expanded(rows, columns)
        return self._kept[rows, columns]

    def _expanded(self, rows, columns):
        total = self.field.zero
        for place, column in enumerate(columns):
            entry = self.matrix[rows[0]][column]
            if entry:
                product = entry * self(rows[1:], columns[:place] + columns[place + 1:])
                total = total + (-product if place % 2 else product)
        return total
