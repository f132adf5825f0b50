"""Surfaces seen from a direction, and charts: curves, arrows and points on them.

Surfaces are drawn in plain two-dimensional axes: a parallel projection, far faces first. That costs a fraction of
matplotlib's three-dimensional axes and keeps equal scales.
"""
import numpy as np
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.lines import Line2D

from .plots import draw_panel
from .style import COLORS, new_figure, styled

__all__ = ["chart", "scene"]

_LOOKS = [("blue", "-"), ("orange", (0, (4, 2))), ("green", (0, (6, 2, 1, 2))), ("purple", (0, (2, 1.2)))]
_MARKERS = ["o", "s", "^", "D"]
_EYE = (0.62, -0.55, 0.56)
_THICKNESS = 0.02  # of the drawing: a curve on the smooth surface may lie this far below the flat faces


@styled
def scene(mesh, lines=None, *, arrows=None, points=None, eye=_EYE, title=None, panel=None, height=3.6):
    """A surface in space with curves, arrows and points on it; what lies behind the surface is dotted and pale.

    Parameters
    ----------
    mesh : array_like, shape (a, b, 3)
        Grid of points of the surface; at most about 400 faces in a live figure.
    lines : dict of str to array_like, shape (m, 3), optional
        Legend text and points of each curve; at most four, which differ in colour and dash pattern. A text that begins
        with an underscore gets no entry in the legend.
    arrows : dict of str to (tails, tips), optional
        Legend text and ends of arrows, each of shape (k, 3); at most four.
    points : dict of str to array_like, shape (k, 3), optional
        Legend text and places of markers; at most four.
    eye : array_like, shape (3,)
        Direction from the surface to the eye; not vertical.
    title : str, optional
        Stands above the scene.
    panel : dict, optional
        A plot below the scene: ``x``, ``xlabel`` and arguments of :func:`derivations.figures.plots.curves`.
    height : float
        Of the whole figure, in inches.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there are more curves, arrows or points than can be told apart.

    Examples
    --------
    >>> y, x = np.mgrid[0:3, 0:3]
    >>> patch, line = np.dstack([x, y, 0 * x]), [[0, 0, 0], [1, 1, 0], [2, 2, 0]]
    >>> figure = scene(patch, {"way": line}, panel=dict(x=[0, 1], lines={"K": [0, 0]}, xlabel="s", ylabel="K"))
    >>> len(figure.axes)
    2
    """
    figure, axes = _frame(height, panel)
    project = projection(np.asarray(eye, dtype=float))
    triangles = _triangles(np.asarray(mesh, dtype=float), project)
    draw_surface(axes, mesh, project)

    def place(ends):
        ends = np.asarray(ends, dtype=float)
        return project(ends), _is_hidden(ends, triangles, project)

    _contents(figure, axes, lines, arrows, points, place)
    if title is not None:
        axes.set_title(title)
    return figure


@styled
def chart(
    lines=None, *, arrows=None, points=None, ground=(), limits=None, labels=("x", "y"), title=None, panel=None,
    height=3.6,
):
    """A map: curves, arrows and points in two coordinates, with equal scales.

    Parameters
    ----------
    lines, arrows, points : dict, optional
        As for :func:`scene`, with ends of shape (m, 2).
    ground : sequence of array_like, shape (m, 2)
        Thin grey lines below everything: a grid, the edge of the chart.
    limits : ((low, high), (low, high)), optional
        Ends of the two axes.
    labels : pair of str
        Texts of the axes.
    title, panel, height
        As for :func:`scene`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there are more curves, arrows or points than can be told apart.

    Examples
    --------
    >>> chart({"way": [[0, 0], [1, 2]]}, limits=((-1, 2), (0, 2))).axes[0].get_xlim()
    (np.float64(-1.0), np.float64(2.0))
    """
    figure, axes = _frame(height, panel)
    for line in ground:
        axes.plot(*np.asarray(line, dtype=float).T, color=COLORS["grey"], linewidth=0.6, linestyle="-", alpha=0.7)
    _contents(figure, axes, lines, arrows, points, lambda ends: (np.asarray(ends, dtype=float), False))
    axes.set(xlabel=labels[0], ylabel=labels[1], aspect="equal")
    if limits is not None:
        axes.set(xlim=limits[0], ylim=limits[1])
    if title is not None:
        axes.set_title(title)
    return figure


def _frame(height, panel):
    """Figure and the axes of the picture; the panel below it is drawn."""
    if panel is None:
        return new_figure(height=height)
    figure, (axes, below) = new_figure(height=height, nrows=2, height_ratios=[2, 1])
    panel = dict(panel)
    below.set_xlabel(panel.pop("xlabel"))
    draw_panel(below, panel.pop("x"), panel.pop("lines"), **panel)
    return figure, axes


def _contents(figure, axes, lines, arrows, points, place):
    """Curves, arrows and points; ``place(ends)`` gives their positions on paper and which of them are hidden."""
    entries = []
    for name, given in (("lines", lines), ("arrows", arrows), ("points", points)):
        if given is not None and len(given) > 4:
            raise ValueError(f"{name} must be at most 4, or they cannot be told apart, got {len(given)}")
    for (label, line), (color, dash) in zip((lines or {}).items(), _LOOKS):
        at, hidden = place(line)
        hidden = np.broadcast_to(hidden, len(at))
        for behind, look in ((True, dict(linewidth=1, linestyle=":", alpha=0.75)), (False, dict(linestyle=dash))):
            # The neighbours of a change are drawn in both looks, so that no gap opens.
            shown = (hidden == behind) | np.roll(hidden == behind, 1) & (np.arange(len(at)) > 0) & behind
            axes.plot(*np.where(shown[:, None], at, np.nan).T, color=COLORS[color], **look)
        entries.append((label, Line2D([], [], color=COLORS[color], linestyle=dash, linewidth=1.8)))
    for number, ((label, (tails, tips)), (color, _)) in enumerate(zip((arrows or {}).items(), _LOOKS)):
        (tails, hidden), (tips, _) = place(np.atleast_2d(tails)), place(np.atleast_2d(tips))
        for behind in (True, False):
            some = np.broadcast_to(hidden, len(tails)) == behind
            if some.any():
                draw_arrows(axes, tails[some], tips[some], COLORS[color], dashed=number % 2 == 1,
                            filled=number % 2 == 0, hidden=behind)
        dash = (0, (2, 1)) if number % 2 else "-"
        entries.append((label, Line2D([], [], color=COLORS[color], linestyle=dash, linewidth=2.4)))
    for (label, spots), marker in zip((points or {}).items(), _MARKERS):
        at, hidden = place(np.atleast_2d(spots))
        seen = ~np.broadcast_to(hidden, len(at))
        look = dict(linestyle="none", marker=marker, color="#000000", zorder=4)
        axes.plot(*at[seen].T, markersize=4.5, **look)
        axes.plot(*at[~seen].T, markersize=4.5, markerfacecolor="none", alpha=0.6, **look)
        entries.append((label, Line2D([], [], markersize=4.5, **look)))
    entries = [(label, handle) for label, handle in entries if not label.startswith("_")]
    if entries:
        labels, handles = zip(*entries)
        figure.legend(handles, labels, loc="outside upper center", ncols=2, handlelength=2.4)


def _triangles(mesh, project):
    """Corners of the faces on paper, (k, 3, 2), and their depths, (k, 3)."""
    a, b, c, d = mesh[:-1, :-1], mesh[1:, :-1], mesh[1:, 1:], mesh[:-1, 1:]
    corners = np.concatenate([np.stack(some, axis=-2).reshape(-1, 3, 3) for some in ((a, b, c), (a, c, d))])
    return project(corners), project(corners, depth=True)


def _is_hidden(points, triangles, project):
    """Which of the points (m, 3) lie behind a face, as seen from the eye."""
    corners, depths = triangles
    at, depth = project(points), project(points, depth=True)
    u, v = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    size = np.ptp(depths) + np.ptp(corners.reshape(-1, 2))
    thin = np.abs(area) < 1e-12 * size**2  # seen edge on: hides nothing
    area = np.where(thin, 1.0, area)
    offset = at[:, None, :] - corners[:, 0]
    first = (offset[..., 0] * v[:, 1] - offset[..., 1] * v[:, 0]) / area
    second = (u[:, 0] * offset[..., 1] - u[:, 1] * offset[..., 0]) / area
    inside = (first >= 0) & (second >= 0) & (first + second <= 1) & ~thin
    front = depths[:, 0] + first * (depths[:, 1] - depths[:, 0]) + second * (depths[:, 2] - depths[:, 0])
    return np.any(inside & (front > depth[:, None] + _THICKNESS * size), axis=1)


def projection(eye):
    """Parallel projection (..., 3) -> (..., 2) for an eye in this direction; depth towards the eye on request."""
    eye = unit(eye)
    right = unit(np.array([-eye[1], eye[0], 0.0]))
    up = np.cross(eye, right)

    def project(points, depth=False):
        points = np.asarray(points, dtype=float)
        return points @ eye if depth else points @ np.stack([right, up], axis=-1)
    return project


def unit(vector):
    return vector / np.linalg.norm(vector)


def draw_surface(axes, mesh, project):
    """Faces of a grid, far ones first, darker at a grazing angle; returns the width of the drawing in data units.

    A closed surface has an inside: its faces that are turned away from the eye are left out.
    """
    mesh = np.asarray(mesh, dtype=float)
    corners = np.stack([mesh[:-1, :-1], mesh[1:, :-1], mesh[1:, 1:], mesh[:-1, 1:]], axis=2).reshape(-1, 4, 3)
    corners = corners[np.argsort(project(corners.mean(axis=1), depth=True), kind="stable")]
    normals = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    lengths = np.maximum(np.linalg.norm(normals, axis=1), 1e-12)  # a face at a pole may have no area
    facing = project(normals / lengths[:, None], depth=True)
    if _is_closed(mesh):
        corners, facing = corners[facing >= 0], facing[facing >= 0]
    shades = np.round(0.40 - 0.30 * np.abs(facing), 2)
    axes.add_collection(PolyCollection(
        project(corners), facecolors=[(*rgb(COLORS["grey"]), shade) for shade in shades],
        edgecolors=[(*rgb(COLORS["grey"]), 0.5)], linewidths=0.4,
    ))
    low, high = project(mesh.reshape(-1, 3)).min(axis=0), project(mesh.reshape(-1, 3)).max(axis=0)
    margin = 0.06 * (high - low)
    axes.set(xlim=(low[0] - margin[0], high[0] + margin[0]), ylim=(low[1] - margin[1], high[1] + margin[1]))
    axes.set_aspect("equal")
    axes.axis("off")
    return high[0] - low[0]


def _is_closed(mesh):
    """Whether a grid has no border: two opposite edges are the same line, or each of them is one point."""
    pairs = ((mesh[0], mesh[-1]), (mesh[:, 0], mesh[:, -1]))
    return all(np.allclose(a, b) or (np.allclose(a, a[0]) and np.allclose(b, b[0])) for a, b in pairs)


def draw_arrows(axes, tails, tips, color, *, dashed=False, filled=True, width=2.4, hidden=False):
    """Arrows (k, 2) in data units; dashes and empty heads tell two kinds apart without their colour.

    Hidden arrows, behind a surface, are thin, dotted and pale.
    """
    width = 0.6 * width if dashed else width  # thinner: where two lie on one another, both are seen
    line = (0, (2, 1)) if dashed else "-"
    if hidden:
        width, line, filled = min(width, 1.0), (0, (1, 1.2)), False
    tails, tips = np.atleast_2d(np.asarray(tails, dtype=float)), np.atleast_2d(np.asarray(tips, dtype=float))
    along = tips - tails
    across = np.stack([-along[:, 1], along[:, 0]], axis=-1)
    neck = tips - 0.16 * along
    heads = np.stack([tips + 0.12 * along, neck + 0.13 * across, neck - 0.13 * across], axis=1)
    axes.add_collection(LineCollection(
        np.stack([tails, tips - 0.1 * along], axis=1), colors=color, linewidths=width, linestyles=[line],
        zorder=3, clip_on=False, alpha=0.75 if hidden else None,
    ))
    axes.add_collection(PolyCollection(
        heads, facecolors=color if filled else "none", edgecolors=color, linewidths=min(width, 1.0),
        zorder=3, clip_on=False, alpha=0.75 if hidden else None,
    ))


def corner_legend(figure, entries):
    """Legend in the corner of the figure: a scene of equal scales leaves it free."""
    lines = [Line2D([], [], color=COLORS[color], linestyle=line, linewidth=2) for color, line in entries.values()]
    figure.legend(lines, list(entries), loc="upper left", handlelength=2.6)


def rgb(color):
    return tuple(int(color[i:i + 2], 16) / 255 for i in (1, 3, 5))
