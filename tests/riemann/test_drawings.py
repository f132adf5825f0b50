"""Drawings of the Riemann chapters: what lies behind a surface is told apart from what lies in front of it."""
import numpy as np

from derivations.figures import riemann as figures
from derivations.riemann import circle, coordinate_loop, parallel_transport, spaces


def walk_round_the_sphere(colatitude):
    """Upper panel of the drawing of one round."""
    sphere = spaces.sphere()
    walk = parallel_transport(sphere, circle(colatitude), [0.3, 0.0], samples=61)
    arrows = sphere.arrows(walk.points, walk.vectors)
    return figures.sphere_walk(sphere.mesh(), arrows, 60, [0, 180], [0, 720], (60, 180)).axes[0]


def drawn_points(line):
    return np.count_nonzero(np.isfinite(line.get_ydata()))


def test_path_behind_the_sphere_is_dotted():
    near_pole, equator = walk_round_the_sphere(0.1), walk_round_the_sphere(np.pi / 2)
    assert [line.get_linestyle() for line in equator.lines] == ["-", ":"]
    assert [drawn_points(line) for line in near_pole.lines] == [61, 0]
    front, behind = (drawn_points(line) for line in equator.lines)
    assert front + behind == 61 and abs(front - behind) <= 3


def faces(space):
    """Number of faces of a surface in the drawing of a loop at (1, 1)."""
    walk = parallel_transport(space, coordinate_loop([1.0, 1.0], 0.5, kind="centred"), [0.5, 0.0], samples=9)
    arrows = space.arrows(walk.points, walk.vectors)
    figure = figures.loop_and_quotients(space.mesh(), arrows, [0.5], {"centred": [1.0]}, 1.0, 0.5, -0.01)
    assert figure.axes[0].get_title().startswith("turned by $+0.0$")
    return len(figure.axes[0].collections[0].get_paths())


def test_only_closed_surfaces_hide_their_far_side():
    assert faces(spaces.saddle()) == faces(spaces.gaussian_bump()) == 14 * 24
    assert 100 < faces(spaces.torus()) < 14 * 24
    assert 100 < faces(spaces.sphere()) < 14 * 24


def test_vectors_are_drawn_with_one_length():
    lengths = []
    for component in (0.1, 2.0):
        saddle = spaces.saddle()
        walk = parallel_transport(saddle, coordinate_loop([0.3, 0.3], 0.5, kind="centred"), [component, 0.0], samples=9)
        arrows = saddle.arrows(walk.points, walk.vectors)
        top = figures.loop_and_quotients(saddle.mesh(), arrows, [0.5], {"centred": [1.0]}, 1.0, 0.5, 10.0).axes[0]
        lengths.append(np.ptp(top.collections[1].get_segments()[0], axis=0))
    np.testing.assert_allclose(*lengths, rtol=1e-9)
