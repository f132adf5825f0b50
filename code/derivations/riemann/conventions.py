r"""Curvature in the conventions of other authors: order of the indices, signs, signature.

Ours are those of Misner, Thorne and Wheeler, name ``"mtw"``:

.. math:: R^\mu{}_{\alpha\beta\gamma} = \partial_\beta \Gamma^\mu_{\alpha\gamma}
          - \partial_\gamma \Gamma^\mu_{\alpha\beta}
          + \Gamma^\mu_{\nu\beta}\Gamma^\nu_{\alpha\gamma} - \Gamma^\mu_{\nu\gamma}\Gamma^\nu_{\alpha\beta},
          \qquad R_{\mu\nu} = R^\alpha{}_{\mu\alpha\nu}.

The Christoffel symbols are the same everywhere; an array has its axes in the order in which an author writes the
indices.

.. list-table::
   :header-rows: 1

   * - name
     - definition of the author
     - Ricci tensor
     - signature
     - array[i, j, k, l]
   * - ``mtw``
     - :math:`R^i{}_{jkl} = \partial_k\Gamma^i_{jl} - \partial_l\Gamma^i_{jk} + \Gamma^i_{mk}\Gamma^m_{jl}
       - \Gamma^i_{ml}\Gamma^m_{jk}`
     - :math:`R_{jl} = R^i{}_{jil}`
     - (- + + +)
     - ``ours[i, j, k, l]``
   * - ``weinberg``
     - :math:`R^i{}_{jkl} = \partial_l\Gamma^i_{jk} - \partial_k\Gamma^i_{jl} + \Gamma^m_{jk}\Gamma^i_{lm}
       - \Gamma^m_{jl}\Gamma^i_{km}`
     - :math:`R_{jl} = R^i{}_{jil}`
     - (- + + +)
     - ``-ours[i, j, k, l]``
   * - ``landau_lifshitz``
     - :math:`R^i{}_{jkl} = \partial_k\Gamma^i_{jl} - \partial_l\Gamma^i_{jk} + \Gamma^i_{mk}\Gamma^m_{jl}
       - \Gamma^i_{ml}\Gamma^m_{jk}`
     - :math:`R_{jl} = R^i{}_{jil}`
     - (+ - - -)
     - ``ours[i, j, k, l]``
   * - ``geomstats``
     - :math:`R_{ijk}{}^l = \partial_j\Gamma^l_{ki} - \partial_k\Gamma^l_{ji} + \Gamma^l_{jm}\Gamma^m_{ki}
       - \Gamma^l_{km}\Gamma^m_{ji}`
     - :math:`R_{ij} = R_{ikj}{}^k`
     - as ours
     - ``ours[l, i, j, k]``

So Weinberg's Ricci tensor is the negative of ours, and the scalar curvature of the sphere is :math:`-2/r^2`. Landau and
Lifshitz have the metric of a space-time with the other sign: :math:`\Gamma`, :math:`R^i{}_{jkl}` and :math:`R_{jl}` do
not notice, while everything with an index moved by the metric does: :math:`R_{ijkl}` and the scalar change their sign.
A sphere of space has the scalar :math:`-2/r^2` there; for a metric that is positive, their formulas give ours,
:math:`2/r^2`. The packages einsteinpy and ``sympy.diffgeom`` agree with ``mtw``.

References
----------
C. W. Misner, K. S. Thorne, J. A. Wheeler, *Gravitation*, Freeman, 1973, equation (8.44).

S. Weinberg, *Gravitation and Cosmology*, Wiley, 1972, equations (6.1.5) and (6.2.4).

L. D. Landau, E. M. Lifshitz, *The Classical Theory of Fields*, 4th ed., 1975, sections 91 and 92.

geomstats 2.8, ``Connection.riemann_tensor`` and ``Connection.ricci_tensor``.
"""
from dataclasses import dataclass

import numpy as np
import sympy as sp

from .errors import ParameterError

__all__ = ["CONVENTIONS", "Convention", "QUANTITIES", "from_convention", "to_convention"]

QUANTITIES = ("riemann", "riemann_lowered", "ricci", "ricci_scalar", "einstein", "metric")
"""What can be translated: ``"riemann"`` has one upper index, ``"riemann_lowered"`` has none."""


@dataclass(frozen=True)
class Convention:
    """How an author's tensors differ from ours.

    Attributes
    ----------
    axes : tuple of int
        The axes of our Riemann tensor, in the order in which the author writes them.
    riemann, ricci, metric : int
        Sign of the author's Riemann tensor (one index up), Ricci tensor (indices down) and metric relative to ours.
    """

    axes: tuple = (0, 1, 2, 3)
    riemann: int = 1
    ricci: int = 1
    metric: int = 1

    def sign(self, quantity):
        """Sign of a quantity relative to ours.

        Examples
        --------
        >>> CONVENTIONS["weinberg"].sign("riemann")
        -1
        """
        return {
            "riemann": self.riemann,
            "riemann_lowered": self.riemann * self.metric,
            "ricci": self.ricci,
            "ricci_scalar": self.ricci * self.metric,
            "einstein": self.ricci,  # R_ab - g_ab R/2: the sign of the metric enters twice
            "metric": self.metric,
        }[quantity]


CONVENTIONS = {
    "mtw": Convention(),
    "weinberg": Convention(riemann=-1, ricci=-1),
    "landau_lifshitz": Convention(metric=-1),
    "geomstats": Convention(axes=(1, 2, 3, 0)),
}
"""The conventions by name."""


def to_convention(tensor, name, quantity="riemann"):
    r"""Translate one of our tensors into the convention of an author.

    Parameters
    ----------
    tensor : SymPy array or expression, or array_like
        Ours; a Riemann tensor has shape (n, n, n, n), as NumPy array (..., n, n, n, n).
    name : str
        ``"mtw"``, ``"weinberg"``, ``"landau_lifshitz"`` or ``"geomstats"``.
    quantity : str
        What the tensor is: one of ``QUANTITIES``. ``"riemann_lowered"``: the index that was up is lowered, and stands
        where the author writes it.

    Returns
    -------
    SymPy array or expression, or ndarray
        The author's, of the same shape.

    Raises
    ------
    ParameterError
        If the name or the quantity is unknown, or a Riemann tensor has not four (last) axes of the same length.

    Notes
    -----
    The table is at the top of this module.

    Ours is that of equation :eq:`eq-riemann-loop-definition` of the book.

    Examples
    --------
    >>> from derivations.riemann import spaces
    >>> ours = spaces.sphere().metric.riemann_tensor()
    >>> ours[0, 1, 0, 1], to_convention(ours, "weinberg")[0, 1, 0, 1], to_convention(ours, "geomstats")[1, 0, 1, 0]
    (sin(theta)**2, -sin(theta)**2, sin(theta)**2)
    >>> to_convention(spaces.sphere().metric.ricci_scalar(), "weinberg", quantity="ricci_scalar")
    -2/r**2
    """
    return _translate(tensor, _convention(name).axes, name, quantity)


def from_convention(tensor, name, quantity="riemann"):
    r"""Translate a tensor from the convention of an author into ours: the inverse of :func:`to_convention`.

    Parameters
    ----------
    tensor : SymPy array or expression, or array_like
        The author's.
    name : str
        ``"mtw"``, ``"weinberg"``, ``"landau_lifshitz"`` or ``"geomstats"``.
    quantity : str
        What the tensor is: one of ``QUANTITIES``.

    Returns
    -------
    SymPy array or expression, or ndarray
        Ours, of the same shape.

    Raises
    ------
    ParameterError
        As :func:`to_convention`.

    Examples
    --------
    >>> import numpy as np
    >>> theirs = np.arange(16.0).reshape(2, 2, 2, 2)
    >>> bool((to_convention(from_convention(theirs, "geomstats"), "geomstats") == theirs).all())
    True
    """
    return _translate(tensor, tuple(np.argsort(_convention(name).axes).tolist()), name, quantity)


def _convention(name):
    key = str(name).strip().lower().replace("-", "_").replace(" ", "_")
    if key not in CONVENTIONS:
        raise ParameterError(f"name must be one of {', '.join(CONVENTIONS)}, got name={name!r}")
    return CONVENTIONS[key]


def _translate(tensor, axes, name, quantity):
    if quantity not in QUANTITIES:
        raise ParameterError(f"quantity must be one of {', '.join(QUANTITIES)}, got quantity={quantity!r}")
    sign = _convention(name).sign(quantity)
    if isinstance(tensor, sp.NDimArray):
        tensor = sp.ImmutableDenseNDimArray(tensor)
    elif not isinstance(tensor, (sp.Basic, sp.MatrixBase)):
        tensor = np.asarray(tensor)
    if quantity.startswith("riemann"):
        tensor = _permuted(tensor, axes)
    return sign * tensor


def _permuted(tensor, axes):
    shape = getattr(tensor, "shape", ())
    if len(shape) < 4 or len(set(shape[-4:])) > 1:
        raise ParameterError(f"riemann must have four (last) axes of the same length, got shape {tuple(shape)}")
    if isinstance(tensor, sp.NDimArray):
        if len(shape) != 4:
            raise ParameterError(f"riemann must have shape (n, n, n, n), got shape {tuple(shape)}")
        return sp.permutedims(tensor, axes)
    before = tensor.ndim - 4
    return np.transpose(tensor, (*range(before), *(before + axis for axis in axes)))
