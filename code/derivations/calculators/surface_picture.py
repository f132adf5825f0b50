"""A picture of a two-dimensional metric, as a surface that has the same lengths."""
import numpy as np
import sympy as sp

__all__ = ["Profile", "profile", "surface_picture"]

_SAMPLES = 601
_REACH = 3.0            # a coordinate is looked at from -3 to 3
_FEWEST = 12            # samples of a piece that is worth drawing
_MESH = (15, 25)
_FLAT = 1e-9            # rounding of g_uu - (d rho/du)^2, relative to g_uu


def surface_picture(space, key=None):
    """Draw a space of two dimensions as a surface.

    Parameters
    ----------
    space : Space
    key : str, optional
        Its name in the catalogue.

    Returns
    -------
    dict or None
        ``svg``, ``alt`` and ``caption``.
    str or None
        Why there is no picture of a space of two dimensions.
    """
    if space.n != 2:
        return None, None
    if space.embedding is not None:
        values = dict(space.defaults)
        return _drawn(space.mesh(_MESH), f"The {space.name}, seen from above and from the side.",
                      f"The {space.name} in space{_with(values)}."), None
    found = profile(space.metric, dict(space.defaults))
    if isinstance(found, str):
        return None, found
    u, v = found.coords
    ends = f"{u} from {_short(found.u[0])} to {_short(found.u[-1])}"
    caption = (f"A piece of it as a surface of revolution: {ends}{_with(found.values)}; {v} goes once round, over 2π. "
               "Lengths and angles along the surface are those of the metric.")
    return _drawn(found.mesh(_MESH), f"Surface of revolution with {ends}.", caption), None


class Profile:
    """Curve that makes a surface of revolution with a given metric.

    Parameters
    ----------
    coords : pair of str
        Coordinate along the curve, and the angle.
    u, rho, z : numpy.ndarray
        Coordinate along the curve, distance from the axis, height.
    values : dict of str to float
        Values of the parameters.
    """

    def __init__(self, coords, u, rho, z, values):
        self.coords, self.u, self.rho, self.z, self.values = coords, u, rho, z, values

    def mesh(self, shape):
        """Grid of points of the surface, shape (*shape, 3)."""
        places = np.linspace(0, 1, shape[0]) * (len(self.u) - 1)
        index = np.arange(len(self.u))
        rho, z = (np.interp(places, index, line)[:, None] for line in (self.rho, self.z))
        angle = np.linspace(0, 2 * np.pi, shape[1])
        return np.stack([rho * np.cos(angle), rho * np.sin(angle), z + 0 * angle], axis=-1)


def profile(metric, values=None):
    """Find the surface of revolution with a metric of two dimensions.

    Parameters
    ----------
    metric : Metric
    values : dict of str to float, optional
        Values of parameters; others are 1.

    Returns
    -------
    Profile, or str
        The text says why there is none.

    Examples
    --------
    >>> from derivations.riemann import read_line_element
    >>> found = profile(read_line_element("(dx**2 + dy**2)/y**2"))
    >>> found.coords, round(float(found.rho.max()), 1)
    (('y', 'x'), 1.0)
    >>> profile(read_line_element("dx**2 + x*y*dy**2"))
    'No picture: the metric depends on both coordinates.'
    """
    g = metric.matrix
    if g.atoms(sp.core.function.AppliedUndef):
        return "No picture: the metric contains an undetermined function."
    if g[0, 1] != 0:
        return "No picture: the metric has a mixed term, and no angle to turn about an axis."
    on = [x for x in metric.coords if g.has(x)]
    if len(on) == 2:
        return "No picture: the metric depends on both coordinates."
    axis = metric.coords.index(on[0]) if on else 0
    u, v = metric.coords[axis], metric.coords[1 - axis]
    values = {str(x): float((values or {}).get(str(x), 1)) for x in metric.params}
    put = {x: values[str(x)] for x in metric.params}
    along, across = g[axis, axis].subs(put), g[1 - axis, 1 - axis].subs(put)
    grid, (a, b, slope) = _sampled(u, [along, across, sp.diff(across, u)])
    with np.errstate(all="ignore"):
        rho = np.sqrt(b)
        rest = a - slope**2 / (4 * b)     # (dz/du)^2
        good = np.isfinite(rest) & (a > 0) & (b > 0) & (rest >= -_FLAT * a)
    start, stop = _longest(good)
    if stop - start < _FEWEST:
        if not np.any((a > 0) & (b > 0)):
            return "No picture: the metric is not positive, or not defined, near the coordinates that are looked at."
        return "No picture: its circles grow faster than those of any surface of revolution."
    grid, rho, steep = grid[start:stop], rho[start:stop], _smooth_root(rest[start:stop])
    z = np.concatenate([[0], np.cumsum((steep[1:] + steep[:-1]) / 2 * np.diff(grid))])
    return Profile((str(u), str(v)), grid, rho, z, values)


def _sampled(u, formulas):
    """Values of formulas in one coordinate; NaN where they are not real."""
    low = 0.0 if u.is_positive else -_REACH
    grid = np.linspace(low, _REACH, _SAMPLES)
    with np.errstate(all="ignore"):
        lines = [np.asarray(sp.lambdify(u, formula, "numpy")(grid.astype(complex))) for formula in formulas]
    lines = [np.broadcast_to(line, grid.shape) for line in lines]
    return grid, [np.where(np.abs(line.imag) < 1e-9, line.real, np.nan).astype(float) for line in lines]


def _smooth_root(square):
    """Square root with the sign that keeps it smooth: it changes where the root touches 0, as at the top of a torus."""
    root = np.sqrt(np.maximum(square, 0))
    inside = root[1:-1]
    lowest = (inside < root[:-2]) & (inside <= root[2:]) & (inside < 0.02 * root.max())
    return root * np.concatenate([[1], np.cumprod(np.where(lowest, -1, 1)), [(-1) ** np.count_nonzero(lowest)]])


def _longest(good):
    """Start and stop of the longest run of True; of two equal ones, that with larger places."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], good, [False]]).astype(int)))
    runs = edges.reshape(-1, 2)
    return max(map(tuple, runs), key=lambda run: (run[1] - run[0], run[0]), default=(0, 0))


def _drawn(mesh, alt, caption):
    from ..explore.render import picture_of    # matplotlib takes long to import
    from ..figures.surfaces import scene

    figure = scene(mesh, height=3.2)
    return {"svg": picture_of(figure, "curvature").markup(), "alt": alt, "caption": caption}


def _with(values):
    return f", drawn for {', '.join(f'{name} = {_short(value)}' for name, value in values.items())}" if values else ""


def _short(number):
    return f"{number:.3g}"
