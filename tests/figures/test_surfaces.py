"""What is behind a surface is drawn as hidden, and nothing else is."""
import numpy as np
import pytest

from derivations.figures.plots import curves, intervals, stacked
from derivations.figures.surfaces import _is_hidden, _triangles, chart, projection, scene
from derivations.riemann import spaces

EYE = np.array([0.62, -0.55, 0.56])


def hidden(space, points):
    project = projection(EYE)
    return _is_hidden(points, _triangles(space.mesh((17, 25)), project), project)


def test_the_far_side_of_a_sphere_is_hidden():
    rng = np.random.default_rng(1)
    points = rng.normal(size=(400, 3))
    points /= np.linalg.norm(points, axis=1)[:, None]
    towards = points @ EYE / np.linalg.norm(EYE)
    found = hidden(spaces.sphere(), points)
    assert not found[towards > 0.1].any() and found[towards < -0.3].all()


def test_a_hole_hides_nothing_and_a_rim_hides_what_is_behind_it():
    torus = spaces.torus()
    line = np.outer(np.linspace(-6, 6, 7), EYE)  # through the hole, towards the eye
    assert not hidden(torus, line).any()
    ring = torus.embed(np.array([[0.0, 0.0], [0.0, 2.0], [0.0, 4.0]]))
    assert hidden(torus, ring - 10 * EYE).all() and not hidden(torus, ring + 10 * EYE).any()


def test_a_graph_seen_from_above_hides_nothing_of_itself():
    saddle = spaces.saddle()
    x = np.random.default_rng(2).uniform(-1, 1, size=(200, 2))
    project = projection(np.array([0.05, 0.0, 1.0]))
    assert not _is_hidden(saddle.embed(x), _triangles(saddle.mesh((17, 25)), project), project).any()


@pytest.mark.parametrize("call, message", [
    (lambda: scene(spaces.saddle().mesh(), {str(i): np.zeros((2, 3)) for i in range(5)}), "lines must be at most 4"),
    (lambda: chart(points={str(i): np.zeros((1, 2)) for i in range(5)}), "points must be at most 4"),
    (lambda: curves([0, 1], {str(i): [0, 1] for i in range(6)}, xlabel="x", ylabel="y"), "lines must be at most 5"),
    (lambda: curves([0, 1], {}, xlabel="x", ylabel="y", log="z"), "log must be"),
    (lambda: intervals(["a"], {str(i): ([1],) for i in range(6)}, xlabel="x"), "groups must be at most 5"),
])
def test_more_than_can_be_told_apart_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_panels_share_their_axis_and_keep_their_own_scale():
    panels = [dict(lines={"a": [1, 2]}, ylabel="a"), dict(lines={"b": [1, 100]}, ylabel="b", log="y")]
    first, second = stacked([1, 10], panels, xlabel="step", log=True).axes
    assert first.get_xscale() == second.get_xscale() == "log"
    assert (first.get_yscale(), second.get_yscale()) == ("linear", "log")
