"""Drawings for the Riemann chapters: surfaces with vectors that walk on them, and convergence of loops.

Drawings of any surface, and of any chart: :mod:`derivations.figures.surfaces`.
"""
import numpy as np
from matplotlib.patches import Arc, Wedge

from .plots import curves, flow, stacked
from .style import COLORS, new_figure, styled
from .surfaces import chart, corner_legend, draw_arrows, draw_surface, projection, rgb, scene, unit

__all__ = [
    "chart", "cone_and_sector", "curves", "flow", "loop_and_quotients", "loop_errors", "scene", "sphere_walk", "stacked",
    "two_ways",
]

_LINES = ["-", "--", "-.", ":"]
_MARKERS = ["o", "s", "^", "D"]
_ASIDE = np.array([0.5, 0.3, 0.4])  # added to the unit normal of a loop: an eye 15 to 30 degrees off the normal


@styled
def two_ways(first, second, first_vectors, second_vectors, hill, angle):
    """Two ways from one corner of a square on the map of a hill to the opposite one, with the vectors carried along.

    Parameters
    ----------
    first, second : array_like, shape (m, 2)
        Points of the way that goes along dx first, and of the way that goes along delta x first.
    first_vectors, second_vectors : array_like, shape (m, 2)
        The transported vectors there; four of them are drawn.
    hill : array_like, shape (a, b, 3)
        Grid of points (x, y, z) of the hill, for the contour lines and the summit.
    angle : float
        Angle between the two vectors at the far corner, in degrees.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np
    >>> x, y = np.meshgrid([0, 0.5, 1], [0, 0.5, 1])
    >>> first, second, hill = [[0, 0], [1, 0], [1, 1]], [[0, 0], [0, 1], [1, 1]], np.dstack([x, y, x - x**2])
    >>> figure = two_ways(first, second, [[0, 0.2]] * 3, [[0.2, 0]] * 3, hill, 90)
    >>> [text.get_text() for text in figure.axes[0].texts][1:3]
    ['first $dx$, then $\\\\delta x$', 'first $\\\\delta x$, then $dx$']
    """
    figure, axes = new_figure(height=3.6)
    _contour_lines(axes, np.asarray(hill, dtype=float))
    ways = ((first, first_vectors, "blue", "-", False), (second, second_vectors, "orange", "--", True))
    for points, vectors, color, line, dashed in ways:
        points, vectors = np.asarray(points, dtype=float), np.asarray(vectors, dtype=float)
        axes.plot(*points.T, color=COLORS[color], linestyle=line)
        shown = [len(points) // 4, len(points) // 2, 3 * len(points) // 4, len(points) - 1]
        draw_arrows(axes, points[shown], points[shown] + vectors[shown], COLORS[color], dashed=dashed, filled=not dashed)
    first = np.asarray(first, dtype=float)
    low, high = first.min(axis=0), first.max(axis=0)
    middle, gap = (low + high) / 2, 0.05 * (high - low)
    axes.text(middle[0], low[1] - gap[1], r"first $dx$, then $\delta x$", ha="center", va="top")
    axes.text(middle[0], high[1] - gap[1] / 2, r"first $\delta x$, then $dx$", ha="center", va="top")
    draw_arrows(axes, first[0], first[0] + first_vectors[0], "#000000")
    axes.text(*(first[0] + first_vectors[0]), "$A$ ", ha="right", va="center")
    axes.plot(*first[[0, -1]].T, linestyle="none", marker="o", markersize=4, color="#000000")
    axes.text(*(first[0] - gap), "$x$", ha="right", va="top")
    axes.text(first[-1, 0] + gap[0], first[-1, 1], r"$x+dx+\delta x$", ha="left", va="top")
    _opening(axes, first[-1], first_vectors[-1], second_vectors[-1], f"{abs(angle):.1f}°")
    axes.set(xlim=(low[0] - 7 * gap[0], high[0] + 10 * gap[0]), ylim=(low[1] - 4 * gap[1], high[1] + 8 * gap[1]))
    axes.set_aspect("equal")
    axes.axis("off")
    return figure


@styled
def sphere_walk(mesh, arrows, now, colatitudes, angles, here):
    """A vector that walks along a circle of latitude, and the angle by which a whole round turns it.

    What lies behind the sphere is thin, dotted and pale.

    Parameters
    ----------
    mesh : array_like, shape (a, b, 3)
        Grid of points of the sphere.
    arrows : pair of array_like, shape (m, 3)
        Tails and tips of the vector all along the circle; the tails are the circle. About twelve are drawn.
    now : int
        Which of these arrows is the vector now.
    colatitudes, angles : array_like, shape (p,)
        Colatitude of circles, in degrees, and the angle by which one round turns a vector, in degrees.
    here : pair of float
        The circle that is drawn: its colatitude and its angle, in degrees.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np
    >>> patch = np.stack(np.meshgrid([0, 1], [0, 1], [0])).reshape(2, 2, 3)
    >>> figure = sphere_walk(patch, (patch[0], patch[1]), 1, [0, 90], [0, 360], (45, 105))
    >>> len(figure.axes)
    2
    """
    figure, (top, bottom) = new_figure(height=4.6, nrows=2, height_ratios=[2.4, 1])
    project = projection(np.array([0.83, -0.30, 0.47]))  # the walk starts in front, even far below the equator
    draw_surface(top, mesh, project)
    centre = (np.max(mesh, axis=(0, 1)) + np.min(mesh, axis=(0, 1))) / 2
    hidden = project(np.asarray(arrows[0], dtype=float) - centre, depth=True) < 0
    tails, tips = (project(ends) for ends in arrows)
    _path_with_trail(top, tails, tips, hidden)
    _between(top, (tails[0], tips[0]), (tails[now], tips[now]), (hidden[0], hidden[now]))
    corner_legend(figure, {"at the start": ("blue", "-"), "now": ("orange", "--")})
    bottom.plot(colatitudes, angles, color=COLORS["green"])
    bottom.plot(*here, linestyle="none", marker="o", color="#000000")
    bottom.set(xlabel="colatitude of the circle (degrees)", ylabel="angle (degrees)")
    bottom.set(xlim=(0, 180), xticks=range(0, 181, 30), ylim=(0, 720), yticks=range(0, 721, 180))
    return figure


@styled
def loop_and_quotients(mesh, arrows, sizes, quotients, exact, size, angle):
    """A square loop on a surface with the vector before and after, and rotation angle per area against the size.

    The eye stands 15 to 30 degrees off the normal of the loop; two arrow heads show the sense of the walk.

    Parameters
    ----------
    mesh : array_like, shape (a, b, 3)
        Grid of points of the surface.
    arrows : pair of array_like, shape (m, 3)
        Tails and tips of the vector all along the loop; the tails are the loop. The first and the last are drawn,
        with a length that depends on the size of the surface only.
    sizes : array_like, shape (p,)
        Sides of loops, in units of the coordinates.
    quotients : dict of str to array_like, shape (p,)
        Legend text and rotation angle over area at these sizes.
    exact : float
        Gauss curvature.
    size : float
        The loop that is drawn. Between two of `sizes` its mark lies on the straight line between their values.
    angle : float
        Rotation angle of that loop, in degrees.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np
    >>> y, x = np.mgrid[0:2, 0:2]
    >>> patch = np.dstack([x, y, 0 * x])
    >>> square = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 0]])
    >>> figure = loop_and_quotients(patch, (square, square + [1, 0, 0]), [1, 2], {"corner": [1, 2]}, 0.5, 1, 57.3)
    >>> figure.axes[0].get_title()
    'turned by $+57.3$°, $K = +0.50$'
    """
    figure, (top, bottom) = new_figure(height=4.9, nrows=2, height_ratios=[2, 1])
    loop, tips = (np.asarray(ends, dtype=float) for ends in arrows)
    project = projection(unit(np.sum(np.cross(loop[:-1], loop[1:]), axis=0)) + _ASIDE)
    width = draw_surface(top, mesh, project)
    tips = loop + 0.2 * width * (tips - loop) / np.linalg.norm(tips[0] - loop[0])
    tails, tips = project(loop), project(tips)
    top.plot(*tails.T, color="#000000", linewidth=1.2, linestyle="-")
    _sense_of_walk(top, tails, 0.04 * width)
    _between(top, (tails[0], tips[0]), (tails[-1], tips[-1]))
    turned, curvature = round(angle, 1) + 0.0, round(float(exact), 2) + 0.0  # no "-0.0"
    top.set_title(f"turned by ${turned:+.1f}$°, $K = {curvature:+.2f}$")
    corner_legend(figure, {"before": ("blue", "-"), "after": ("orange", "--")})
    bottom.axhline(exact, color="#000000", linewidth=1, linestyle=(0, (1, 2)), label="$K$")
    for (label, values), color, line, marker in zip(quotients.items(), ("purple", "green"), _LINES, _MARKERS):
        bottom.plot(sizes, values, color=COLORS[color], linestyle=line, label=label)
        bottom.plot(size, np.interp(size, sizes, values), linestyle="none", marker=marker, color=COLORS[color])
    bottom.set(xlabel="side of the loop", ylabel="angle / area", xlim=(0, 1.05 * max(sizes)))
    bottom.set_ylim(*_room([exact, *np.concatenate([np.ravel(values) for values in quotients.values()])]))
    figure.legend(*bottom.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


@styled
def cone_and_sector(mesh, arrows, sector, flat_arrows):
    """A loop on a cone, and the same loop on the cone cut open and laid flat.

    Parameters
    ----------
    mesh : array_like, shape (a, b, 3)
        Grid of points of the cone.
    arrows : pair of array_like, shape (m, 3)
        Tails and tips of the vector all along the loop; the tails are the loop. The first and the last are drawn.
    sector : pair of float
        Radius and angle, in radians, of the flat piece; the cut runs along its two straight edges.
    flat_arrows : pair of array_like, shape (m, 2) or (m, 3)
        The same arrows on the flat piece (a third component is left out). About twelve are drawn.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np
    >>> patch = np.stack(np.meshgrid([0, 1], [0, 1], [0])).reshape(2, 2, 3)
    >>> figure = cone_and_sector(patch, (patch[0], patch[1]), (1.0, 3.0), (patch[0], patch[1]))
    >>> len(figure.axes)
    2
    """
    figure, (top, bottom) = new_figure(height=5.0, nrows=2, height_ratios=[1, 1.2])
    project = projection(np.array([0.58, 0.27, 0.77]))
    draw_surface(top, mesh, project)
    tails, tips = (project(ends) for ends in arrows)
    top.plot(*tails.T, color="#000000", linewidth=1.2, linestyle="-")
    _between(top, (tails[0], tips[0]), (tails[-1], tips[-1]))
    corner_legend(figure, {"before": ("blue", "-"), "after": ("orange", "--")})
    radius, angle = sector
    bottom.add_patch(Wedge((0, 0), radius, 0, np.degrees(angle), facecolor=(*rgb(COLORS["grey"]), 0.2),
                           edgecolor=COLORS["grey"]))
    tails, tips = (np.asarray(ends, dtype=float)[:, :2] for ends in flat_arrows)
    _path_with_trail(bottom, tails, tips)
    _between(bottom, (tails[0], tips[0]), (tails[-1], tips[-1]))
    bottom.set(xlim=(-1.7, 1.7), ylim=(-1.35, 1.35), aspect="equal")
    bottom.axis("off")
    return figure


@styled
def loop_errors(sizes, errors, *, guides=(1, 2)):
    """Errors of measured curvature against the size of the loop, on logarithmic axes.

    Parameters
    ----------
    sizes : array_like, shape (p,)
        Sides of the loops, in units of the coordinates.
    errors : dict of str to array_like, shape (p,)
        Legend text and error of each kind of loop; at most four.
    guides : sequence of int
        Orders to which a thin line is drawn through the first curve's and the last curve's first error.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> loop_errors([0.1, 0.2], {"corner": [0.1, 0.2], "lasso": [0.01, 0.04]}).axes[0].get_yscale()
    'log'
    """
    figure, axes = new_figure(height=3.1)
    sizes = np.asarray(sizes, dtype=float)
    looks = zip(("purple", "green", "blue", "orange"), _LINES, _MARKERS)
    for (label, values), (color, line, marker) in zip(errors.items(), looks):
        axes.loglog(sizes, values, color=COLORS[color], linestyle=line, marker=marker, markersize=4, label=label)
    ends = list(errors.values())
    for order, values in zip(guides, (ends[0], ends[-1])):
        guide = 0.5 * values[0] * (sizes / sizes[0])**order
        axes.loglog(sizes, guide, color="#000000", linewidth=0.8, linestyle=(0, (1, 2)))
        axes.text(sizes[-2], guide[-2], f"$h^{order}$" if order > 1 else "$h$", ha="left", va="top")
    axes.set_xticks(sizes, [f"{size:g}" for size in sizes])
    axes.set_xticks([], minor=True)
    axes.set(xlabel="side of the loop $h$", ylabel="error")
    axes.legend(loc="best")
    return figure


def _contour_lines(axes, hill):
    """Map of a hill, shape (a, b, 3): five contour lines and the summit."""
    x, y, z = np.moveaxis(hill, -1, 0)
    levels = np.linspace(z.min(), z.max(), 7)[1:-1]
    axes.contour(x, y, z, levels=levels, colors=COLORS["grey"], linewidths=0.7, linestyles="-", alpha=0.6)
    summit = hill[np.unravel_index(np.argmax(z), z.shape)]
    axes.plot(*summit[:2], linestyle="none", marker="^", markersize=5, color=COLORS["grey"])
    axes.text(*summit[:2], " summit", ha="left", va="center")


def _opening(axes, vertex, first, second, label):
    """Arc from the direction of one vector at the vertex to that of the other, the shorter way, with a label."""
    start, stop = (np.degrees(np.arctan2(vector[1], vector[0])) for vector in (first, second))
    turn = (stop - start + 180) % 360 - 180
    radius = 1.5 * max(np.linalg.norm(first), np.linalg.norm(second))
    low, high = sorted((start, start + turn))
    axes.add_patch(Arc(vertex, 2 * radius, 2 * radius, theta1=low, theta2=high, color="#000000", linewidth=0.9))
    middle = np.radians((low + high) / 2)
    axes.text(*(vertex + 1.15 * radius * np.array([np.cos(middle), np.sin(middle)])), label, ha="center", va="bottom")


def _path_with_trail(axes, tails, tips, hidden=None):
    """A path with about twelve thin arrows along it; what is hidden is dotted and pale."""
    hidden = np.zeros(len(tails), dtype=bool) if hidden is None else hidden
    every = max(1, (len(tails) - 1) // 12)
    for behind, color, width, line in ((False, "#000000", 1.2, "-"), (True, COLORS["grey"], 0.9, ":")):
        axes.plot(*np.where((hidden == behind)[:, None], tails, np.nan).T, color=color, linewidth=width, linestyle=line)
        shown = np.flatnonzero(hidden[::every] == behind) * every
        if len(shown):
            draw_arrows(axes, tails[shown], tips[shown], COLORS["grey"], filled=False, width=0.8, hidden=behind)


def _sense_of_walk(axes, points, size):
    """Arrow heads in the middle of the first and of the third side of a square loop."""
    for middle in ((len(points) - 1) // 8, 5 * (len(points) - 1) // 8):
        along = points[middle + 1] - points[middle]
        along = along * min(size / np.linalg.norm(along), 0.25 * (len(points) - 1) / 4)
        across = np.array([-along[1], along[0]]) / 2
        head = points[middle] + np.stack([along / 2, across - along / 2, -across - along / 2])
        # Solid: an older Matplotlib scales a dash pattern of the cycle to zero length, and refuses it.
        axes.fill(*head.T, color="#000000", linewidth=0, linestyle="-", zorder=2.5)


def _between(axes, before, after, hidden=(False, False)):
    """The vector at the start and the vector at the end, each as (tail, tip)."""
    draw_arrows(axes, *before, COLORS["blue"], hidden=hidden[0])
    draw_arrows(axes, *after, COLORS["orange"], dashed=True, filled=False, hidden=hidden[1])


def _room(values):
    """Limits with a margin; a constant gets some room too."""
    low, high = min(values), max(values)
    margin = max(0.1 * (high - low), 0.1)
    return low - margin, high + margin
