r"""Arrays of tensor components that show only what is worth reading: the non-zero independent components.

A :class:`Tensor` is a SymPy array in every other respect: indexing, slicing, ``diff``, ``subs``, comparison.
"""
import itertools

import sympy as sp

__all__ = ["Tensor"]


class Tensor(sp.ImmutableDenseNDimArray):
    r"""SymPy array with the names and positions of its indices.

    Parameters
    ----------
    iterable, shape
        As for ``sympy.ImmutableDenseNDimArray``.
    symbol : str, optional
        Letter in front of the indices, as LaTeX, such as ``"R"`` or ``r"\Gamma"``. Left out, the array is shown as
        SymPy shows arrays: results of slicing and arithmetic do so.
    indices : str
        Positions of the indices: ``u`` for upper and ``l`` for lower; derivatives after a semicolon (``"ul;l"``).
    coords : sequence of sympy.Symbol
        The coordinates, which name the indices.
    symmetries : sequence of (permutation, sign)
        Generators of the symmetries under exchange of indices. Of the components which they relate, only the first is
        shown.
    cyclic : bool
        Whether :math:`T_{abcd} + T_{acdb} + T_{adbc} = 0` holds too; then one of these three is left out.

    Notes
    -----
    ``str``, ``repr``, ``sympy.latex`` and the display of notebooks list the components, one a line.

    Examples
    --------
    >>> import sympy as sp
    >>> x, y = sp.symbols("x y")
    >>> tensor = Tensor([x, y, y, 0], (2, 2), symbol="h", indices="ul", coords=(x, y), symmetries=[((1, 0), 1)])
    >>> tensor
    h^x_x = x
    h^x_y = y
    >>> print(sp.latex(tensor))
    \begin{aligned}
    h^{x}{}_{x} &= x\\
    h^{x}{}_{y} &= y
    \end{aligned}
    >>> tensor[0, :]
    [x, y]
    """

    _names = None

    def __new__(cls, iterable, shape=None, *, symbol=None, indices="", coords=(), symmetries=(), cyclic=False,
                **kwargs):
        self = super().__new__(cls, iterable, shape, **kwargs)
        if symbol is not None:
            self._names = (symbol, indices, tuple(coords), tuple(symmetries), cyclic)
        return self

    @property
    def symbol(self):
        """Letter in front of the indices, or None."""
        return None if self._names is None else self._names[0]

    @property
    def indices(self):
        """Positions of the indices, ``u`` or ``l`` each, or None if they are not known."""
        return None if self._names is None else self._names[1].replace(";", "")

    def independent_components(self):
        """Dict of the non-zero independent components by their indices, in order.

        Notes
        -----
        For the curvature tensor, what equation :eq:`eq-riemann-symmetries` of the book leaves; how many at most,
        :eq:`eq-riemann-count`.

        Examples
        --------
        >>> from derivations.riemann import spaces
        >>> riemann = spaces.sphere().metric.riemann_tensor(lowered=True)
        >>> riemann.independent_components()
        {(0, 1, 0, 1): r**2*sin(theta)**2}
        """
        symmetries, cyclic = self._names[3:] if self._names else ((), False)
        group = _group(symmetries, self.rank())
        return {
            index: self[index] for index in itertools.product(*map(range, self.shape))
            if self[index] != 0 and _is_first(index, group) and not (cyclic and _is_cyclic_sum(index))
        }

    def latex_equations(self):
        r"""Name and value, as LaTeX, of each non-zero independent component; ``[(letter, "0")]`` if there is none.

        Examples
        --------
        >>> from derivations.riemann import spaces
        >>> spaces.sphere().metric.ricci_tensor().latex_equations()
        [('R_{\\theta \\theta}', '1'), ('R_{\\phi \\phi}', '\\sin^{2}{\\left(\\theta \\right)}')]
        """
        return self._listing(self._latex_name, list, sp.latex)

    def __reduce__(self):
        return _restored, (sp.flatten(self), self.shape, self._names)

    def __str__(self):
        if self._names is None:
            return super().__str__()
        return self._listing(self._plain_name, lambda lines: "\n".join(f"{a} = {b}" for a, b in lines), str)

    __repr__ = __str__

    def _latex(self, printer):
        """Called by ``sympy.latex``."""
        if self._names is None:
            return printer._print_NDimArray(self)
        return self._listing(self._latex_name, _aligned, printer.doprint)

    def _repr_latex_(self):
        return rf"$\displaystyle {sp.latex(self)}$"

    def _listing(self, name, joined, printed):
        lines = [(name(index), printed(value)) for index, value in self.independent_components().items()]
        return joined(lines or [(name(None), "0")])

    def _plain_name(self, index):
        symbol, indices, coords, *_ = self._names
        if index is None:
            return symbol.replace("\\", "")
        groups = itertools.groupby(_labels(index, indices, [str(x) for x in coords]), key=lambda label: label[0])
        return symbol.replace("\\", "") + "".join(
            ("^" if kind == "u" else "_") + " ".join(text for _, text in labels).replace("; ", ";")
            for kind, labels in groups
        )

    def _latex_name(self, index):
        symbol, indices, coords, *_ = self._names
        if index is None:
            return symbol
        groups = itertools.groupby(_labels(index, indices, [sp.latex(x) for x in coords]), key=lambda label: label[0])
        marks = {"u": "^", "l": "_"}
        return symbol + "{}".join(f"{marks[kind]}{{{' '.join(text for _, text in labels)}}}" for kind, labels in groups)


def _labels(index, indices, names):
    """Pairs of position and name, with the semicolon in front of the first index of a derivative."""
    kinds, _, derivatives = indices.partition(";")
    labels = [(kind, names[i]) for kind, i in zip(kinds + derivatives, index)]
    if derivatives:
        kind, text = labels[len(kinds)]
        labels[len(kinds)] = (kind, f";{text}")
    return labels


def _aligned(lines):
    return "\\begin{aligned}\n" + "\\\\\n".join(f"{a} &= {b}" for a, b in lines) + "\n\\end{aligned}"


def _group(generators, rank):
    """All permutations that some permutations generate; signs do not matter for what is shown."""
    found = {tuple(range(rank))}
    while True:
        more = {tuple(element[i] for i in permutation) for element in found for permutation, _ in generators} - found
        if not more:
            return found
        found |= more


def _is_first(index, group):
    return all(index <= tuple(index[i] for i in permutation) for permutation in group)


def _is_cyclic_sum(index):
    """Whether the first Bianchi identity gives the component T_{adbc}, a < b < c < d, from two others."""
    a, d, b, c = index
    return a < b < c < d


def _restored(components, shape, names):
    tensor = Tensor(components, shape)
    tensor._names = names
    return tensor
