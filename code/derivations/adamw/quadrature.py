"""Gauss-Legendre quadrature of many stretches at once, and sums that keep their digits."""
import numpy as np

__all__ = ["NODES", "gauss", "panels", "running_sum"]

NODES = 16  # of one panel, if not said otherwise
_CHANGE = 4.0  # a panel is cut where the exponent changes by more than this
_FORGOTTEN = 100.0  # weights below exp(-100) are left out
_ROWS = 2**15  # panels that are integrated at once: bounds the memory


def running_sum(terms):
    """0 and the sums of the first 1, 2, ... terms; in long doubles, as rounding errors would add up over many steps."""
    return np.concatenate([[0.0], np.cumsum(terms, dtype=np.longdouble).astype(float)])


def panels(exponent, length):
    r"""Cut stretches that end at given steps into panels on which an exponential is tame.

    A panel is described by the distances of its two ends from the end of its stretch, so that it can be as narrow as
    the exponential asks for. It is halved until the exponent changes by at most 4 on it; panels on which it exceeds 100
    are left out.

    Parameters
    ----------
    exponent : callable
        ``exponent(row, d)`` for arrays of equal shape: the exponent at the distance ``d`` before the end of the stretch
        number ``row``. It is 0 for d = 0, and does not fall with d.
    length : numpy.ndarray, shape (n,)
        Lengths of the stretches.

    Returns
    -------
    row, near, far : numpy.ndarray, shape (m,)
        The panels: their stretch, and the distances of their ends from its end.

    Examples
    --------
    >>> panels(lambda row, d: d, np.array([3.0, 8.0]))
    (array([0, 1, 1]), array([0., 0., 4.]), array([3., 4., 8.]))
    """
    row, near, far = np.arange(length.size), np.zeros(length.size), length
    done = []
    while True:
        low, high, middle = exponent(row, near), exponent(row, far), (near + far) / 2
        cut = (low <= _FORGOTTEN) & (high - low > _CHANGE) & (near < middle) & (middle < far)
        keep = (low <= _FORGOTTEN) & ~cut
        done.append((row[keep], near[keep], far[keep]))
        if not cut.any():
            return tuple(np.concatenate(parts) for parts in zip(*done))
        row, near, middle, far = row[cut], near[cut], middle[cut], far[cut]
        row, near, far = np.tile(row, 2), np.concatenate([near, middle]), np.concatenate([middle, far])


def gauss(integrand, end, near, far, nodes=NODES):
    r"""Gauss-Legendre quadrature of many panels, :math:`\int_{near}^{far} f(e, x)\,dx` for each.

    Parameters
    ----------
    integrand : callable
        ``f(end, x)`` of arrays of shape (m, 1) and (m, nodes): the end of the stretch and the distance from it.
    end, near, far : numpy.ndarray, shape (n,)
        The panels.
    nodes : int
        Number of nodes of each panel.

    Returns
    -------
    numpy.ndarray, shape (n,)

    Examples
    --------
    >>> gauss(lambda end, d: end - d, np.array([1.0, 2.0]), np.zeros(2), np.array([1.0, 2.0]))
    array([0.5, 2. ])
    """
    where, weights = np.polynomial.legendre.leggauss(nodes)
    where = (where + 1) / 2
    result = np.empty(end.shape)
    for first in range(0, end.size, _ROWS):
        rows = slice(first, first + _ROWS)
        width = (far - near)[rows]
        distance = near[rows, np.newaxis] + width[:, np.newaxis] * where
        result[rows] = integrand(end[rows, np.newaxis], distance) @ weights * width / 2
    return result
