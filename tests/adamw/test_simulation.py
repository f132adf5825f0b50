"""simulate: against adamw_step on the same gradients, and against the predictions in standard errors."""
import numpy as np
import pytest

from derivations.adamw import (
    adamw_step, constant, equilibrium_rms, from_array, measure_noise_factor, noise_factor, predict_weight_rms, simulate,
)
from derivations.adamw import simulation


def test_equals_adamw_step_on_the_same_gradients():
    lr, weight_decay = np.linspace(0.02, 0.001, 30), np.linspace(0.1, 2.0, 30)
    model = dict(gradient_mean=0.2, gradient_std=1.5, init_rms=0.3, init_mean=0.1)
    run = simulate(
        from_array(lr), weight_decay, (0.8, 0.9), 0.05, 500,
        rng=np.random.default_rng(3), control_variate=False, record=[1, 10, 30], **model,
    )
    rng = np.random.default_rng(3)
    theta, m, v = 0.1 + np.sqrt(0.3**2 - 0.1**2) * rng.standard_normal(500), 0.0, 0.0
    expected, errors = [], []
    for t in range(30):
        gradient = 0.2 + 1.5 * rng.standard_normal(500)
        theta, m, v = adamw_step(theta, gradient, m, v, t + 1, lr[t], weight_decay[t], (0.8, 0.9), 0.05)
        rms = np.sqrt(np.mean(theta**2))
        expected.append(rms)
        errors.append(np.std(theta**2, ddof=1) / np.sqrt(500) / (2 * rms))
    np.testing.assert_allclose(run.trajectory, np.take(expected, [0, 9, 29]), rtol=1e-12)
    np.testing.assert_allclose(run.standard_errors, np.take(errors, [0, 9, 29]), rtol=1e-9)


def test_without_bias_correction_equals_a_loop_without_it():
    lr, model = 0.02, dict(gradient_mean=0.2, gradient_std=1.5)
    run = simulate(
        constant(lr, 20), 0.3, (0.8, 0.9), 0.05, 500,
        rng=np.random.default_rng(3), bias_correction=False, control_variate=False, **model,
    )
    rng = np.random.default_rng(3)
    theta, m, v = 0.0 * rng.standard_normal(500), 0.0, 0.0
    for _ in range(20):
        gradient = 0.2 + 1.5 * rng.standard_normal(500)
        m, v = 0.8 * m + 0.2 * gradient, 0.9 * v + 0.1 * gradient**2
        theta = theta - lr * (m / (np.sqrt(v) + 0.05) + 0.3 * theta)
    assert run.rms == pytest.approx(np.sqrt(np.mean(theta**2)), rel=1e-12)


@pytest.mark.parametrize("beta2, errors", [(0.95, [-0.800, -0.398]), (0.999, [9.0, 26.1])])
def test_without_bias_correction_the_early_mean_square_is_off_by_the_predicted_factor(beta2, errors):
    """The first update is exact for normal gradients too; at step 10 their denominator fluctuates."""
    schedule, rng, record = constant(0.01, 10), np.random.default_rng(15), [1, 10]
    raw, corrected = (
        simulate(schedule, 0.1, (0.9, beta2), rng=rng, parameters=32_768, bias_correction=flag, record=record)
        for flag in (False, True)
    )
    np.testing.assert_allclose((raw.trajectory / corrected.trajectory) ** 2, 1 + np.array(errors), rtol=0.04)


@pytest.mark.parametrize("betas, factor", [((0.9, 0.95), 0.9793), ((0.0, 0.95), 0.9560)])
def test_equilibrium_is_the_recursion_times_the_noise_factor(betas, factor):
    """The factors were computed by quadrature of the exact formula for normal gradients."""
    schedule, weight_decay = constant(0.01, 1500), 0.4
    start = equilibrium_rms(0.01, weight_decay, betas, method="recursion")
    run = simulate(
        schedule, weight_decay, betas, parameters=16_384, rng=np.random.default_rng(8), init_rms=start
    )
    predicted = start * np.sqrt(factor)
    assert abs(run.rms - predicted) < 4 * run.standard_error + 2e-4 * predicted
    assert run.standard_error < 2e-3 * predicted


def test_leading_noise_factor_is_good_where_beta2_is_close_to_1():
    betas = (0.9, 0.99)
    schedule, weight_decay = constant(0.01, 2000), 0.2
    start = equilibrium_rms(0.01, weight_decay, betas, method="recursion")
    run = simulate(schedule, weight_decay, betas, parameters=32_768, rng=np.random.default_rng(9), init_rms=start)
    predicted = start * np.sqrt(noise_factor(betas))
    assert abs(run.rms - predicted) < 4 * run.standard_error + 5e-4 * predicted


@pytest.mark.parametrize("betas, factor", [((0.9, 0.95), 0.9793), ((0.99, 0.95), 1.0237)])
def test_measured_noise_factor_is_the_exact_one(betas, factor):
    """The factors were computed by quadrature, for normal gradients and small decay."""
    measured = measure_noise_factor(betas, 0.001, 2500, parameters=16_384, rng=np.random.default_rng(16))
    assert abs(measured.value - factor) < 4 * measured.standard_error + 1e-3
    assert measured.standard_error < 3e-3


@pytest.mark.parametrize("decay, message", [
    (0.0, "decay must be positive, got decay=0.0"),
    (2.0, "decay must be less than 2, got decay=2.0"),
    ([0.1, 0.2], r"decay must be one number, got decay=\[0.1, 0.2\]"),
])
def test_noise_factor_is_measured_at_one_decay_below_2(decay, message):
    with pytest.raises(ValueError, match=message):
        measure_noise_factor((0.9, 0.95), decay, 5, rng=np.random.default_rng(0))


def test_mean_gradient_cross_term_and_eps_against_the_recursion():
    """beta2 close to 1 freezes the denominator; what is left of its fluctuation is below half a per cent."""
    betas, model = (0.9, 0.999), dict(gradient_mean=0.05, init_rms=0.5, init_mean=0.45, eps=0.5)
    schedule = constant(0.01, 800)
    run = simulate(schedule, 0.2, betas, parameters=8192, rng=np.random.default_rng(10), **model)
    predicted = predict_weight_rms(schedule, 0.2, betas, **model)
    assert abs(run.rms / predicted - 1) < 5e-3


@pytest.mark.parametrize("correlation, factor", [(-0.5, 0.356), (0.5, 2.79), (0.8, 7.48)])
def test_correlated_gradients_change_the_long_run_variance(correlation, factor):
    """The factors were measured independently, at betas (0.9, 0.95)."""
    schedule = constant(0.01, 2000)
    correlated, independent = (
        simulate(
            schedule, 0.25, parameters=16_384, rng=np.random.default_rng(14), gradient_correlation=value,
            control_variate=value == 0,
        )
        for value in (correlation, 0.0)
    )
    ratio, error = correlated.square_ratio(independent)
    assert abs(ratio - factor) < 4 * error + 0.02 * factor


@pytest.mark.parametrize("bias_correction", [True, False])
def test_control_variate_changes_the_error_and_not_the_answer(bias_correction):
    schedule, model = constant(0.01, 600), dict(bias_correction=bias_correction, eps=0.1)
    plain, controlled = (
        simulate(schedule, 0.5, parameters=8192, rng=np.random.default_rng(12), control_variate=flag, **model)
        for flag in (False, True)
    )
    assert abs(plain.rms - controlled.rms) < 4 * plain.standard_error
    assert (plain.standard_error / controlled.standard_error) ** 2 > 20


def test_standard_error_is_the_spread_over_seeds():
    schedule = constant(0.02, 100)
    runs = [simulate(schedule, 0.5, parameters=256, rng=np.random.default_rng(seed)) for seed in range(200)]
    spread = np.std([run.rms for run in runs], ddof=1)
    assert np.mean([run.standard_error for run in runs]) == pytest.approx(spread, rel=0.2)


def test_same_seed_same_result_and_blocks_are_joined(monkeypatch):
    schedule = constant(0.02, 50)
    monkeypatch.setattr(simulation, "BLOCK", 300)
    one, two = (simulate(schedule, 0.5, parameters=1000, rng=np.random.default_rng(2)) for _ in range(2))
    assert (one.rms, one.standard_error, one.parameters) == (two.rms, two.standard_error, 1000)
    whole = simulate(schedule, 0.5, parameters=1000, rng=np.random.default_rng(4))
    assert abs(one.rms - whole.rms) < 5 * np.hypot(one.standard_error, whole.standard_error)


def test_error_of_a_ratio_is_its_spread_over_seeds():
    schedule, ratios, errors = constant(0.02, 50), [], []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        one, two = (simulate(schedule, wd, parameters=200, rng=rng, control_variate=False) for wd in (0.5, 2.0))
        ratio, error = one.square_ratio(two)
        ratios.append(ratio)
        errors.append(error)
    assert np.mean(errors) == pytest.approx(np.std(ratios, ddof=1), rel=0.15)


def test_weights_that_have_not_moved_have_no_error():
    run = simulate(from_array([0.0, 0.1]), 0.1, parameters=100, rng=np.random.default_rng(0), record=[1, 2])
    assert run.trajectory[0] == 0.0 and run.standard_errors[0] == 0.0


@pytest.mark.parametrize("change, message", [
    ({"rng": 0}, "rng must be a numpy.random.Generator, got rng=0"),
    ({"parameters": 1}, "parameters must be an integer >= 2, got parameters=1"),
    ({"record": [3, 2]}, r"record must hold increasing integers between 1 and 5, got record=\[3, 2\]"),
    ({"record": [6]}, "record must hold increasing integers between 1 and 5"),
    ({"record": []}, "record must hold increasing integers between 1 and 5"),
    ({"init_mean": 1.0}, r"init_rms must be at least \|init_mean\|"),
    ({"gradient_correlation": 1.0}, "gradient_correlation must lie between -1 and 1, got gradient_correlation=1.0"),
    ({"gradient_correlation": 0.5}, "gradient_correlation=0.5 needs control_variate=False"),
    ({"gradient_std": -1.0}, "gradient_std must not be negative, got gradient_std=-1.0"),
])
def test_bad_input(change, message):
    arguments = dict(rng=np.random.default_rng(0), parameters=10) | change
    with pytest.raises(ValueError, match=message):
        simulate(constant(0.1, 5), 0.1, **arguments)
