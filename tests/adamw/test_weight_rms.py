"""Predictions of the weight RMS: exact enumeration, closed forms, identities, limits, bad input."""
import itertools
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derivations.adamw import adamw_step, constant, equilibrium_rms, from_array
from derivations.adamw import predict_weight_rms as predict_any
from derivations.adamw.moments import first_order_recursion

predict_weight_rms = partial(predict_any, method="recursion")
betas_strategy = st.tuples(st.floats(0, 0.99), st.floats(0, 0.999))


@pytest.mark.parametrize("init_mean, init_std", [(0.0, 0.0), (0.3, 0.0), (-0.2, 0.5)])
def test_recursion_equals_the_enumeration_of_all_sign_paths(init_mean, init_std):
    """With gradients +-1 the denominator is exactly 1 and AdamW is linear: the recursion has no error at all."""
    rng = np.random.default_rng(5)
    lr, weight_decay = rng.uniform(0.05, 0.3, 12), rng.uniform(0.0, 1.5, 12)
    signs = np.array(list(itertools.product([-1.0, 1.0], repeat=12))).T
    # Two starts of equal probability have exactly this mean and this standard deviation.
    starts = np.array([[init_mean - init_std], [init_mean + init_std]])
    parameters, m, v = np.broadcast_to(starts, (2, 2**12)), 0.0, 0.0
    measured = []
    for t in range(12):
        parameters, m, v = adamw_step(parameters, signs[t], m, v, t + 1, lr[t], weight_decay[t], (0.7, 0.9), eps=0.0)
        measured.append(np.mean(parameters**2))
    predicted = predict_weight_rms(
        from_array(lr), weight_decay, (0.7, 0.9), init_rms=np.hypot(init_mean, init_std), init_mean=init_mean,
        trajectory=True,
    )
    np.testing.assert_allclose(predicted**2, measured, rtol=0, atol=1e-14)


def test_recursion_equals_its_scalar_loop_with_mean_gradient_and_eps():
    rng = np.random.default_rng(6)
    lr, weight_decay = rng.uniform(0.0, 0.2, 300), rng.uniform(0.0, 2.0, 300)
    beta1, mu, sigma, eps, init_mean, init_rms = 0.9, 0.4, 1.7, 0.3, 0.5, 0.8
    scale = np.sqrt(mu**2 + sigma**2) + eps
    variance, mean, var_m, cov, mean_m = init_rms**2 - init_mean**2, init_mean, 0.0, 0.0, 0.0
    expected = []
    for t in range(300):
        a, e = 1 - lr[t] * weight_decay[t], lr[t] / (1 - beta1 ** (t + 1)) / scale
        var_m = beta1**2 * var_m + (1 - beta1) ** 2 * sigma**2
        before = beta1 * cov
        variance = a**2 * variance - 2 * a * e * before + e**2 * var_m
        cov = a * before - e * var_m
        mean_m = beta1 * mean_m + (1 - beta1) * mu
        mean = a * mean - e * mean_m
        expected.append(np.sqrt(variance + mean**2))
    predicted = predict_weight_rms(
        from_array(lr), weight_decay, (beta1, 0.95), eps, init_rms, init_mean, mu, sigma, trajectory=True
    )
    np.testing.assert_allclose(predicted, expected, rtol=1e-12)


@pytest.mark.parametrize("up, start", [(0.5, 0.0), (0.7, 0.3)])
def test_without_bias_correction_equals_the_enumeration_of_all_sign_paths(up, start):
    """With gradients +-1 the uncorrected denominator is sqrt(1 - beta2^t) + eps, whatever the signs."""
    rng = np.random.default_rng(7)
    lr, weight_decay, (beta1, beta2), eps = rng.uniform(0.05, 0.3, 10), rng.uniform(0.0, 1.5, 10), (0.7, 0.9), 0.1
    signs = np.array(list(itertools.product([-1.0, 1.0], repeat=10))).T
    probability = np.prod(np.where(signs > 0, up, 1 - up), axis=0)
    theta, m, v, measured = np.full(2**10, start), 0.0, 0.0, []
    for t in range(10):
        m, v = beta1 * m + (1 - beta1) * signs[t], beta2 * v + (1 - beta2) * signs[t] ** 2
        theta = theta - lr[t] * (m / (np.sqrt(v) + eps) + weight_decay[t] * theta)
        measured.append(probability @ theta**2)
    predicted = predict_weight_rms(
        from_array(lr), weight_decay, (beta1, beta2), eps, start, start, 2 * up - 1, 2 * np.sqrt(up * (1 - up)),
        bias_correction=False, trajectory=True,
    )
    np.testing.assert_allclose(predicted**2, measured, rtol=1e-12)


def test_without_bias_correction_and_beta2_zero_is_the_sum_of_squared_momentum_weights():
    """The denominator then has no start-up, and only the hat of m is missing: the closed form of the book."""
    a, beta1, power = 1 - 0.01 * 0.1, 0.9, np.arange(1, 301)
    squares = np.cumsum((0.01 * (1 - beta1) * (a**power - beta1**power) / (a - beta1)) ** 2)
    predicted = predict_weight_rms(constant(0.01, 300), 0.1, (beta1, 0.0), bias_correction=False, trajectory=True)
    np.testing.assert_allclose(predicted**2, squares, rtol=1e-12)


def test_without_bias_correction_the_start_is_known_and_the_end_is_the_same():
    late = [predict_weight_rms(constant(0.02, 2000), 0.5, bias_correction=flag) for flag in (False, True)]
    assert late[0] == pytest.approx(late[1], rel=1e-6)
    first = predict_weight_rms(constant(0.02, 1), 0.5, (0.9, 0.999), bias_correction=False)
    assert first == pytest.approx(0.02 * 0.1 / np.sqrt(0.001), rel=1e-12)


def test_without_bias_correction_settings_broadcast():
    schedule, model = constant(0.01, 30), dict(bias_correction=False, init_rms=0.2)
    eps, means = np.array([0.0, 0.1, 1.0]), np.array([[0.0], [0.5]])
    path = predict_weight_rms(schedule, 0.3, eps=eps, gradient_mean=means, trajectory=True, **model)
    assert path.shape == (2, 3, 30)
    single = predict_weight_rms(schedule, 0.3, eps=0.1, gradient_mean=0.5, **model)
    assert isinstance(single, float) and single == pytest.approx(path[1, 1, -1], rel=1e-14)


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(-5, 5)), min_size=1, max_size=70))
def test_scan_equals_the_loop(steps):
    factors, terms = np.array(steps).T
    value, expected = 0.0, []
    for factor, term in steps:
        value = factor * value + term
        expected.append(value)
    np.testing.assert_allclose(first_order_recursion(factors, terms), expected, rtol=1e-12, atol=1e-12)


@settings(deadline=None)
@given(st.floats(1e-3, 1.0), st.floats(1e-3, 0.5), betas_strategy, st.floats(-2, 2), st.floats(0.1, 3))
def test_recursion_ends_at_the_stationary_value(lr, decay_per_step, betas, mean, std):
    weight_decay = decay_per_step / lr
    steps = int(40 / min(decay_per_step, 1 - betas[0])) + 1
    model = dict(gradient_mean=mean, gradient_std=std)
    limit = equilibrium_rms(lr, weight_decay, betas, method="recursion", **model)
    assert predict_weight_rms(constant(lr, steps), weight_decay, betas, **model) == pytest.approx(limit, rel=1e-9)


@settings(deadline=None)
@given(st.floats(1e-4, 1e-2), st.floats(1e-3, 1.0), st.floats(0, 3), st.floats(0, 1))
def test_constant_is_the_formula_of_part_1(lr, weight_decay, init_rms, ratio):
    """Against the formula as it is usually written, with r = mu^2 / sigma^2 and b = 1 - lr weight_decay."""
    b, r, t = 1 - lr * weight_decay, ratio**2, 500
    spread = r + (1 - b) * (1 + b**t) / (2 * (1 - b**t))
    square = b ** (2 * t) * init_rms**2 + (1 - b**t) ** 2 * spread / (weight_decay**2 * (r + 1))
    model = dict(init_rms=init_rms, gradient_mean=ratio, method="constant")
    assert predict_weight_rms(constant(lr, t), weight_decay, **model) == pytest.approx(np.sqrt(square), rel=1e-9)


def test_constant_without_decay_is_a_random_walk_with_drift():
    square = predict_weight_rms(constant(0.01, 200), 0.0, init_rms=0.5, gradient_mean=0.2, method="constant") ** 2
    r = 0.2**2
    assert square == pytest.approx(0.5**2 + 0.01**2 * 200 * (1 + r * 200) / (1 + r), rel=1e-12)
    nearly = predict_weight_rms(constant(0.01, 200), 1e-12, init_rms=0.5, gradient_mean=0.2, method="constant") ** 2
    assert nearly == pytest.approx(square, rel=1e-8)


@pytest.mark.parametrize("beta1", [0.0, 0.5, 0.9, 0.99])
def test_constant_approaches_the_recursion_in_first_order(beta1):
    """Halving the decay per step halves the relative error of the stationary mean square."""
    errors = []
    for decay in (2e-4, 1e-4):
        exact = equilibrium_rms(0.01, decay / 0.01, (beta1, 0.95), method="recursion")
        errors.append(exact**2 / equilibrium_rms(0.01, decay / 0.01, method="leading") ** 2 - 1)
    assert errors[0] / errors[1] == pytest.approx(2, abs=0.05)
    expansion = 1e-4 / 2 - 2e-4 * beta1 / (1 - beta1**2)
    assert errors[1] == pytest.approx(expansion, rel=0.02)


def test_known_values_of_the_stationary_state():
    """Two values of rho_inf / (lr / 2 wd) that were computed independently."""
    assert equilibrium_rms(0.1, 0.1, (0.9, 0.95), method="recursion") ** 2 / 0.5 == pytest.approx(0.918, abs=5e-4)
    assert equilibrium_rms(0.1, 0.04, (0.99, 0.95), method="recursion") ** 2 / 1.25 == pytest.approx(0.716, abs=5e-4)


def test_units_of_the_gradient_cancel():
    schedule = constant(0.01, 300)
    small = predict_weight_rms(schedule, 0.3, eps=1e-3, gradient_mean=1e-3, gradient_std=2e-3)
    large = predict_weight_rms(schedule, 0.3, eps=1.0, gradient_mean=1.0, gradient_std=2.0)
    assert small == pytest.approx(large, rel=1e-12)


def test_last_step_of_the_trajectory_is_the_plain_answer_and_settings_broadcast():
    schedule, means = constant(0.01, 40), np.array([[0.0], [0.5]])
    rms = predict_weight_rms(schedule, 0.3, init_rms=[0.1, 0.2, 0.4], gradient_mean=means)
    path = predict_weight_rms(schedule, 0.3, init_rms=[0.1, 0.2, 0.4], gradient_mean=means, trajectory=True)
    assert rms.shape == (2, 3) and path.shape == (2, 3, 40)
    np.testing.assert_array_equal(path[..., -1], rms)
    single = predict_weight_rms(schedule, 0.3, init_rms=0.2, gradient_mean=0.5)
    assert isinstance(single, float) and single == pytest.approx(rms[1, 1], rel=1e-14)


def test_recursion_survives_a_long_run():
    """The literal formula overflows near kappa = 350; here kappa is 5000."""
    rms = predict_weight_rms(constant(0.1, 100_000), 0.5)
    assert rms == pytest.approx(equilibrium_rms(0.1, 0.5, method="recursion"), rel=1e-10)


@pytest.mark.parametrize("call, message", [
    (lambda: predict_weight_rms(0.1, 0.1), "schedule must be a Schedule, such as constant.*, got schedule=0.1"),
    (lambda: predict_weight_rms(constant(0.1, 3), -1.0), "weight_decay must not be negative, got weight_decay=-1.0"),
    (lambda: predict_weight_rms(constant(0.1, 3), [0.1, 0.2]), r"weight_decay must be a number, a Schedule, or have shape \(3,\)"),
    (lambda: predict_weight_rms(constant(0.1, 3), 0.1, init_rms=-1.0), "init_rms must not be negative"),
    (lambda: predict_weight_rms(constant(0.1, 3), 0.1, init_rms=0.1, init_mean=-0.2),
     r"init_rms must be at least \|init_mean\|, got init_rms=0.1, init_mean=-0.2"),
    (lambda: predict_weight_rms(constant(0.1, 3), 0.1, gradient_std=0.0), "gradient_std must be positive where"),
    (lambda: predict_weight_rms(constant(0.1, 3), 0.1, method="magic"),
     "method must be one of 'exact', 'recursion', .*, got method='magic'"),
    (lambda: predict_weight_rms(from_array([0.1, 0.2]), 0.1, method="constant"), "needs a constant learning rate"),
    (lambda: predict_weight_rms(constant(0.1, 2), [0.1, 0.2], method="constant"), "needs a constant weight_decay"),
    (lambda: predict_weight_rms(constant(0.1, 2), 0.1, method="constant", bias_correction=False),
     "bias_correction=False needs method='exact' or 'recursion', got method='constant'"),
    (lambda: predict_weight_rms(constant(0.1, 2), 10.0, method="constant"), "needs lr \\* weight_decay < 1"),
    (lambda: equilibrium_rms(0.1, 0.0), "weight_decay must be positive, got weight_decay=0.0"),
    (lambda: equilibrium_rms(0.1, 20.0), "lr \\* weight_decay must be less than 2, got lr=0.1, weight_decay=20.0"),
    (lambda: equilibrium_rms(0.1, 0.1, method="magic"), "method must be one of 'exact', 'recursion', 'leading'"),
])
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
