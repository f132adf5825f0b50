"""adamw_step against a scalar loop written out by hand, and its identities."""
import math

import numpy as np
import pytest

from derivations.adamw import adamw_step


def test_equals_a_scalar_loop_written_out_by_hand():
    rng = np.random.default_rng(11)
    gradients = rng.normal(0.3, 2.0, size=(40, 3))
    start = rng.normal(size=3)
    parameters, m, v = start, np.zeros(3), np.zeros(3)
    for step, gradient in enumerate(gradients, start=1):
        parameters, m, v = adamw_step(
            parameters, gradient, m, v, step, lr=0.01 * step, weight_decay=0.3, betas=(0.8, 0.97), eps=1e-3
        )
    for component in range(3):
        theta, first, second = start[component], 0.0, 0.0
        for t in range(1, 41):
            g = gradients[t - 1, component]
            first = 0.8 * first + 0.2 * g
            second = 0.97 * second + 0.03 * g * g
            lr = 0.01 * t
            theta = theta - lr * 0.3 * theta
            theta = theta - lr * (first / (1 - 0.8**t)) / (math.sqrt(second / (1 - 0.97**t)) + 1e-3)
        assert parameters[component] == pytest.approx(theta, rel=1e-13)
        assert (m[component], v[component]) == pytest.approx((first, second), rel=1e-13)


def test_without_momentum_it_is_sign_descent_with_decay():
    parameters, _, _ = adamw_step([2.0, -1.0], [0.5, -3.0], 0.0, 0.0, 1, 0.1, 0.5, betas=(0.0, 0.0), eps=0.0)
    np.testing.assert_allclose(parameters, [0.95 * 2.0 - 0.1, -0.95 + 0.1], rtol=1e-15)


def test_leaves_its_inputs_alone():
    arrays = [np.ones(4) for _ in range(4)]
    adamw_step(*arrays, step=3, lr=0.1, weight_decay=0.1)
    assert all(np.array_equal(array, np.ones(4)) for array in arrays)


@pytest.mark.parametrize("change, message", [
    ({"step": 0}, "step must be an integer >= 1, got step=0"),
    ({"step": 1.5}, "step must be an integer >= 1, got step=1.5"),
    ({"lr": -1.0}, "lr must not be negative, got lr=-1.0"),
    ({"weight_decay": -0.1}, "weight_decay must not be negative, got weight_decay=-0.1"),
    ({"betas": (0.9, 1.0)}, r"betas must lie in \[0, 1\), got betas=\(0.9, 1.0\)"),
    ({"betas": 0.9}, "betas must be two numbers, got betas=0.9"),
    ({"eps": -1e-8}, "eps must not be negative, got eps=-1e-08"),
])
def test_bad_input(change, message):
    arguments = dict(step=1, lr=0.1, weight_decay=0.1) | change
    with pytest.raises(ValueError, match=message):
        adamw_step([1.0], [1.0], 0.0, 0.0, **arguments)
