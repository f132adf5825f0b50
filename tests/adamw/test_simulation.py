"""simulate: against adamw_step on the same gradients, against the predictions in standard errors, and by itself."""
import io
import itertools
import sys
import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from derivations.adamw import (
    adamw_step, blocks, constant, empirical, equilibrium_rms, from_array, gaussian, laplace, measure_noise_factor,
    noise_factor, predict_weight_rms, rademacher, simulate,
)
from derivations.adamw import _progress
from derivations.adamw.gradients import correlated, curved, fill_normal, linear_moments, noise_stream

PLAIN = dict(control_variate=False, dtype=np.float64)


def loop(gradients, lr, weight_decay, betas, eps):
    """RMS and its standard error after each step of ``adamw_step``."""
    theta, m, v, rms, errors = np.zeros(len(gradients[0])), 0.0, 0.0, [], []
    for t, gradient in enumerate(gradients):
        theta, m, v = adamw_step(theta, gradient, m, v, t + 1, lr[t], weight_decay[t], betas, eps)
        rms.append(np.sqrt(np.mean(theta**2)))
        errors.append(np.std(theta**2, ddof=1) / np.sqrt(theta.size) / (2 * rms[-1]))
    return np.array(rms), np.array(errors)


def test_equals_adamw_step_on_the_same_gradients(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 300)
    lr, weight_decay = np.linspace(0.02, 0.001, 3000), np.linspace(0.1, 2.0, 3000)
    gradients = 0.2 + 1.5 * np.random.default_rng(3).standard_normal((3000, 500))
    run = simulate(
        from_array(lr), weight_decay, (0.8, 0.9), 0.05, rng=np.random.default_rng(3), gradients=gradients,
        record=[1, 10, 3000], **PLAIN,
    )
    rms, errors = loop(gradients, lr, weight_decay, (0.8, 0.9), 0.05)
    assert run.parameters == 500
    np.testing.assert_allclose(run.trajectory, rms[[0, 9, 2999]], rtol=1e-12)
    np.testing.assert_allclose(run.standard_errors, errors[[0, 9, 2999]], rtol=1e-9)


BETA = st.one_of(st.just(0.0), st.floats(0.0, 0.9999))


@given(
    rates=st.lists(st.tuples(st.floats(1e-6, 1.0), st.floats(0.0, 3.0)), min_size=1, max_size=30),
    betas=st.tuples(BETA, BETA), eps=st.floats(0.0, 2.0), size=st.floats(1e-6, 1e6), seed=st.integers(0, 99),
)
def test_equals_adamw_step_whatever_the_hyper_parameters(rates, betas, eps, size, seed):
    """Decays per step up to 3: weights that change their sign, that are forgotten at once, that grow."""
    lr, weight_decay = np.array(rates).T
    gradients = size * np.random.default_rng(seed).standard_normal((len(lr), 6))
    run = simulate(
        from_array(lr), weight_decay, betas, eps * size, rng=np.random.default_rng(0), gradients=gradients,
        record=range(1, len(lr) + 1), **PLAIN,
    )
    np.testing.assert_allclose(
        run.trajectory, loop(gradients, lr, weight_decay, betas, eps * size)[0], rtol=1e-11, atol=1e-13 * lr.max()
    )


def test_without_bias_correction_equals_a_loop_without_it():
    gradients, lr = 0.2 + 1.5 * np.random.default_rng(3).standard_normal((20, 500)), 0.02
    run = simulate(
        constant(lr, 20), 0.3, (0.8, 0.9), 0.05, rng=np.random.default_rng(3), gradients=gradients,
        bias_correction=False, **PLAIN,
    )
    theta, m, v = np.zeros(500), 0.0, 0.0
    for gradient in gradients:
        m, v = 0.8 * m + 0.2 * gradient, 0.9 * v + 0.1 * gradient**2
        theta = theta - lr * (m / (np.sqrt(v) + 0.05) + 0.3 * theta)
    assert run.rms == pytest.approx(np.sqrt(np.mean(theta**2)), rel=1e-12)


def test_given_gradients_may_start_anywhere_and_have_any_number_type():
    gradients = np.random.default_rng(3).integers(1, 5, (20, 4000)).astype(np.float32)
    arguments = dict(rng=np.random.default_rng(3), gradients=gradients, control_variate=False)
    run = simulate(constant(0.1, 20), 0.3, parameters=4000, init_rms=0.5, init_mean=0.3, **arguments)
    from_zero = simulate(constant(0.1, 20), 0.3, **arguments)
    # Updates do not depend on the start: theta_t is (1 - lr wd)^t theta_0 plus the weight of a run from 0.
    theta = np.zeros(4000)
    m = v = 0.0
    for t, gradient in enumerate(gradients):
        theta, m, v = adamw_step(theta, gradient, m, v, t + 1, 0.1, 0.3, eps=0.0)
    shrink = 0.97**20
    assert from_zero.rms == pytest.approx(np.sqrt(np.mean(theta**2)), rel=1e-12)
    expected = shrink**2 * 0.25 + 2 * shrink * 0.3 * theta.mean() + from_zero.rms**2
    assert abs(run.rms**2 - expected) < 4 * 2 * run.rms * run.standard_error


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


@pytest.mark.parametrize("phi, factor", [(-0.5, 0.356), (0.5, 2.79), (0.8, 7.48)])
def test_correlated_gradients_change_the_long_run_variance(phi, factor):
    """The factors were measured independently, at betas (0.9, 0.95)."""
    remembering, independent = (
        simulate(constant(0.01, 2000), 0.25, parameters=16_384, rng=np.random.default_rng(14), gradients=gradients)
        for gradients in (correlated(phi), "gaussian")
    )
    ratio, error = remembering.square_ratio(independent)
    assert abs(ratio - factor) < 4 * error + 0.01 * factor


def test_a_curvature_adds_to_the_weight_decay():
    """To leading order in the decay per step, gradients h theta + noise act like the weight decay h / std more."""
    run = simulate(
        constant(0.002, 3000), 0.2, (0.9, 0.99), parameters=16_384, rng=np.random.default_rng(14),
        gradients=curved(1.2), gradient_std=2.0, init_rms=0.1,
    )
    predicted = predict_weight_rms(constant(0.002, 3000), 0.8, (0.9, 0.99), init_rms=0.1, method="recursion")
    assert abs(run.rms / predicted - 1) < 0.01


@pytest.mark.parametrize("law, moment", [(rademacher(), 1.0), (laplace(), 6.0), (gaussian(), 3.0)])
def test_laws_have_their_own_noise_factor(law, moment):
    """Of gradients +1 and -1 the denominator does not fluctuate at all; the control variate then leaves no variance."""
    measured = measure_noise_factor(
        (0.9, 0.99), 0.005, 1000, parameters=16_384, rng=np.random.default_rng(16), gradients=law
    )
    first_order = 1 - (moment - 1) * 0.0042  # quadrature for normal gradients: 0.9916
    assert abs(measured.value - first_order) < 4 * measured.standard_error + 0.15 * (1 - first_order) + 1e-5
    assert measured.standard_error < (1e-6 if moment == 1 else 2e-3)


@pytest.mark.parametrize("bias_correction", [True, False])
def test_fair_signs_give_the_recursion_to_the_last_digits(bias_correction):
    """With gradients +1 and -1 AdamW is its own companion, so that nothing random is left."""
    lr, model = np.linspace(0.02, 0.001, 200), dict(init_rms=0.2, init_mean=0.1, bias_correction=bias_correction)
    weight_decay, record = np.linspace(0.1, 2.0, 200), np.arange(10, 201, 10)
    run = simulate(
        from_array(lr), weight_decay, (0.9, 0.9999), parameters=100, rng=np.random.default_rng(1), record=record,
        gradients=rademacher(), dtype=np.float64, **model,
    )
    recursion = predict_weight_rms(
        from_array(lr), weight_decay, (0.9, 0.9999), method="recursion", trajectory=True, **model
    )
    np.testing.assert_allclose(run.trajectory, recursion[record - 1], rtol=1e-13)


def test_weights_whose_gradients_are_zero_stay_where_they_are():
    """A law may draw 0; without eps that is 0/0 in the formula of the update."""
    run = simulate(
        constant(0.1, 1), 0.0, parameters=30_000, rng=np.random.default_rng(1), gradients=empirical([0.0, 0.0, 1.0]),
        control_variate=False,
    )
    assert abs(run.rms - 0.1 / np.sqrt(3)) < 4 * run.standard_error


KINDS = {
    "normal": dict(),
    "no bias correction": dict(bias_correction=False, eps=0.1),
    "mean": dict(gradient_mean=0.02, init_rms=0.3, init_mean=0.2, gradient_std=0.5),
    "law": dict(gradients=laplace(), betas=(0.9, 0.99)),
    "memory": dict(gradients=correlated(0.6), gradient_std=3.0),
    "memory, no bias correction": dict(gradients=correlated(-0.6), bias_correction=False, eps=0.2),
    "curvature": dict(gradients=curved(2.0), gradient_mean=0.1, gradient_std=3.0),
    "strong curvature": dict(gradients=curved(10.0), init_rms=1.0),
}


@pytest.mark.parametrize("model", KINDS.values(), ids=KINDS)
def test_control_variate_changes_the_error_and_not_the_answer(model, request):
    plain, controlled = (
        simulate(constant(0.01, 600), 0.5, parameters=8192, rng=np.random.default_rng(1), control_variate=flag, **model)
        for flag in (False, True)
    )
    assert abs(plain.rms - controlled.rms) < 4 * plain.standard_error
    # Memory makes the denominator fluctuate more, which is what the companion lacks.
    assert (plain.standard_error / controlled.standard_error) ** 2 > (8 if "memory" in request.node.callspec.id else 20)


MODELS = {
    "memory": dict(correlation=0.6),
    "curvature": dict(curvature=3.0),
    "everything": dict(correlation=-0.4, curvature=2.0, gradient_mean=0.3, init_rms=0.5, init_mean=-0.2, eps=0.1),
    "no bias correction": dict(correlation=0.4, curvature=2.0, gradient_mean=0.3, eps=0.1, bias_correction=False),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_linear_moments_equal_the_mean_over_all_sign_paths(model):
    """Second moments do not depend on the law: all 2^12 paths of fair signs have those of normal noise."""
    lr, weight_decay = np.linspace(0.1, 0.02, 10), np.linspace(0.3, 1.0, 10)
    values = dict(correlation=0.0, curvature=0.0, gradient_mean=0.0, init_rms=0.0, init_mean=0.0, eps=0.0) | model
    signs = np.array(list(itertools.product([-1.0, 1.0], repeat=12))).T
    theta = values["init_mean"] + np.sqrt(values["init_rms"] ** 2 - values["init_mean"] ** 2) * signs[10]
    noise, m, w, expected = signs[11], 0.0, 0.0, []
    for t in range(10):
        noise = values["correlation"] * noise + np.sqrt(1 - values["correlation"] ** 2) * signs[t]
        gradient = values["curvature"] * theta + values["gradient_mean"] + 1.5 * noise
        m, w = 0.8 * m + 0.2 * gradient, 0.9 * w + 0.1 * np.mean(gradient**2)
        c1, c2 = (1 - 0.8 ** (t + 1), 1 - 0.9 ** (t + 1)) if model.get("bias_correction", True) else (1.0, 1.0)
        theta = (1 - lr[t] * weight_decay[t]) * theta - lr[t] * m / c1 / (np.sqrt(w / c2) + values["eps"])
        expected.append(np.mean(theta**2))
    mean_square, _ = linear_moments(lr, weight_decay, (0.8, 0.9), gradient_std=1.5, **model)
    np.testing.assert_allclose(mean_square, expected, rtol=1e-13)


@pytest.mark.parametrize("bias_correction", [True, False])
def test_linear_moments_of_independent_gradients_are_the_recursion(bias_correction):
    lr, weight_decay = np.linspace(0.1, 0.02, 60), np.linspace(0.3, 1.0, 60)
    model = dict(
        eps=0.3, gradient_mean=0.2, gradient_std=0.7, init_rms=0.4, init_mean=0.3, bias_correction=bias_correction
    )
    mean_square, _ = linear_moments(lr, weight_decay, (0.9, 0.95), **model)
    recursion = predict_weight_rms(
        from_array(lr), weight_decay, (0.9, 0.95), method="recursion", trajectory=True, **model
    )
    np.testing.assert_allclose(mean_square, recursion**2, rtol=1e-12)


def test_normal_numbers_are_normal_and_independent():
    numbers = np.empty(400_001, np.float32)
    fill_normal(np.random.Generator(np.random.SFC64(1)), numbers)
    assert stats.kstest(numbers, "norm").pvalue > 0.01
    assert numbers.all() and np.abs(numbers).max() < 6.7
    sines, cosines = numbers[:200_000].astype(float), numbers[-200_000:].astype(float)
    for one, two in ((sines, cosines), (sines**2, cosines**2), (sines[1:], sines[:-1])):
        assert abs(np.corrcoef(one, two)[0, 1]) < 4 / np.sqrt(200_000)
    for power, moment, error in ((2, 1, 2), (4, 3, 96), (6, 15, 10_170)):  # error: variance of one power
        assert abs(np.mean(numbers.astype(float) ** power) - moment) < 4 * np.sqrt(error / numbers.size)


def test_the_most_extreme_bits_give_finite_numbers_other_than_zero():
    class Bits:
        def __init__(self, bits):
            self.bits = bits

        def integers(self, *_, **__):
            return np.array(self.bits, np.uint32).view(np.uint64)

    extremes = [0, 1, 2, 2**30, 2**31 - 1, 2**31, 2**31 + 1, 2**32 - 1]
    for pair in itertools.product(extremes, extremes):
        numbers = np.empty(2, np.float32)
        fill_normal(Bits(pair), numbers)
        assert np.isfinite(numbers).all() and numbers.all() and np.abs(numbers).max() < 6.7


def test_noise_with_memory_is_stationary():
    gradient = noise_stream(correlated(0.7), np.random.default_rng(5), 0, 60_000, mean=0.0, has_noise=True)
    steps = np.array([gradient(step).astype(float) for step in range(4)])
    expected = 0.7 ** np.abs(np.subtract.outer(range(4), range(4)))
    np.testing.assert_allclose(np.cov(steps), expected, atol=4 * np.sqrt(2 / 60_000))


@pytest.mark.parametrize("model", [
    dict(lr=0.01, weight_decay=0.04, betas=(0.9, 0.95)),
    dict(lr=0.01, weight_decay=0.04, betas=(0.99, 0.9999), gradient_mean=1e-3, gradient_std=0.1, eps=1e-3),
    dict(lr=1e-5, weight_decay=1e-2, betas=(0.9, 0.95), init_rms=0.1),
    dict(lr=0.5, weight_decay=2.0, betas=(0.9, 0.95), init_rms=0.1),
    dict(lr=0.5, weight_decay=3.6, betas=(0.0, 0.95)),
])
def test_rounding_is_far_below_the_standard_error(model):
    """Decays per step of 4e-4 (kappa 2), 1e-7 (float32 would store a factor 1 - 1.2e-7), 1 (nothing stays) and 1.8."""
    lr = model.pop("lr")
    single, double = (
        simulate(constant(lr, 5000), parameters=4096, rng=np.random.default_rng(21), dtype=dtype, **model)
        for dtype in (np.float32, np.float64)
    )
    assert single.rms != double.rms
    assert abs(single.rms - double.rms) < min(0.01 * double.standard_error, 1e-6 * double.rms)
    assert single.standard_error == pytest.approx(double.standard_error, rel=1e-3)


def test_standard_error_is_the_spread_over_seeds():
    schedule = constant(0.02, 100)
    runs = [simulate(schedule, 0.5, parameters=256, rng=np.random.default_rng(seed)) for seed in range(200)]
    spread = np.std([run.rms for run in runs], ddof=1)
    assert np.mean([run.standard_error for run in runs]) == pytest.approx(spread, rel=0.2)


def test_same_seed_same_result_and_blocks_are_joined(monkeypatch):
    schedule = constant(0.02, 50)
    monkeypatch.setattr(blocks, "BLOCK", 300)
    one, two = (simulate(schedule, 0.5, parameters=1000, rng=np.random.default_rng(2)) for _ in range(2))
    assert (one.rms, one.standard_error, one.parameters) == (two.rms, two.standard_error, 1000)
    whole = simulate(schedule, 0.5, parameters=1000, rng=np.random.default_rng(4))
    assert abs(one.rms - whole.rms) < 5 * np.hypot(one.standard_error, whole.standard_error)


def test_a_generator_is_used_up():
    rng = np.random.default_rng(2)
    one, two = (simulate(constant(0.02, 5), 0.5, parameters=100, rng=rng) for _ in range(2))
    assert one.rms != two.rms


@pytest.mark.parametrize("gradients", ["gaussian", laplace(), correlated(0.5), curved(1.0)])
def test_threads_do_not_change_a_bit(monkeypatch, gradients):
    monkeypatch.setattr(blocks, "BLOCK", 700)
    runs = [
        simulate(
            constant(0.02, 50), 0.5, parameters=7_100, rng=np.random.default_rng(2), gradients=gradients,
            record=[1, 20, 50], threads=threads,
        )
        for threads in (1, 2, 5, None)
    ]
    for run in runs[1:]:
        np.testing.assert_array_equal(run.trajectory, runs[0].trajectory)
        np.testing.assert_array_equal(run.standard_errors, runs[0].standard_errors)


@pytest.mark.parametrize("arguments", [dict(threads=1), dict(threads=4, parameters=100)])
def test_no_thread_is_started_where_one_is_enough(monkeypatch, arguments):
    def refuse(self):
        raise AssertionError("a thread was started")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    simulate(constant(0.02, 5), 0.5, rng=np.random.default_rng(2), **arguments)


def test_an_error_in_a_thread_ends_the_others(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 100)

    class Broken(type(gaussian())):
        drawn = 0

        def draw(self, rng, out):
            Broken.drawn += 1
            if Broken.drawn > 500:
                raise ZeroDivisionError("a broken law")
            super().draw(rng, out)

    with pytest.raises(ZeroDivisionError, match="a broken law"):
        simulate(
            constant(0.02, 400), 0.5, parameters=100_000, rng=np.random.default_rng(2), gradients=Broken(), threads=2
        )
    assert Broken.drawn < 2000


def test_memory_does_not_grow_with_the_number_of_weights():
    def peak(parameters, threads):
        tracemalloc.start()
        simulate(
            constant(0.02, 6), 0.5, parameters=parameters, rng=np.random.default_rng(2), threads=threads,
            record=range(1, 7),
        )
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(100, threads=2)  # imports take memory, too
    few = peak(8 * blocks.BLOCK, threads=1)
    assert peak(64 * blocks.BLOCK, threads=1) < 1.3 * few
    assert peak(64 * blocks.BLOCK, threads=2) < 1.3 * 2 * few


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("progress, terminal, patience, shown", [
    (None, False, 0.0, False), (None, True, 0.0, True), (None, True, 60.0, False), (True, False, 60.0, True),
    (False, True, 0.0, False),
])
def test_progress_is_shown_to_whoever_watches(monkeypatch, progress, terminal, patience, shown):
    stream = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(_progress, "PATIENCE", patience)
    monkeypatch.setattr(blocks, "BLOCK", 300)
    threads = threading.active_count()
    simulate(constant(0.02, 300), 0.5, parameters=1000, rng=np.random.default_rng(2), progress=progress)
    assert bool(stream.getvalue()) == shown
    assert ("300k/300k" in stream.getvalue()) == ("weight-steps" in stream.getvalue()) == shown
    assert threading.active_count() == threads


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


GIVEN = dict(gradients=np.ones((5, 10)), control_variate=False)


@pytest.mark.parametrize("change, message", [
    ({"rng": 0}, "rng must be a numpy.random.Generator, got rng=0"),
    ({"parameters": 1}, "parameters must be an integer >= 2, got parameters=1"),
    ({"record": [3, 2]}, r"record must hold increasing integers between 1 and 5, got record=\[3, 2\]"),
    ({"record": [6]}, "record must hold increasing integers between 1 and 5"),
    ({"record": []}, "record must hold increasing integers between 1 and 5"),
    ({"init_mean": 1.0}, r"init_rms must be at least \|init_mean\|"),
    ({"gradient_std": -1.0}, "gradient_std must not be negative, got gradient_std=-1.0"),
    ({"gradient_std": 0.0}, "gradient_std must be positive where gradient_mean is 0"),
    ({"gradient_mean": [0.1, 0.2]}, r"gradient_mean must be one number, got gradient_mean=\[0.1, 0.2\]"),
    ({"eps": float("nan")}, "eps must be finite, got eps=nan"),
    ({"threads": 0}, "threads must be an integer >= 1, got threads=0"),
    ({"dtype": np.float16}, "dtype must be numpy.float32 or numpy.float64, got dtype=.*float16"),
    ({"progress": "yes"}, "progress must be True, False or None, got progress='yes'"),
    ({"weight_decay": -0.1}, "weight_decay must not be negative"),
    ({"gradients": "normal"}, "gradients must be one of 'gaussian', got gradients='normal'"),
    ({"gradients": None}, "gradients must be 'gaussian', a Law, .* got gradients=None"),
    ({"gradients": [[1.0], [1.0, 2.0]]}, "gradients must be 'gaussian', a Law"),
    (GIVEN | {"gradients": np.ones((4, 10))}, r"gradients must have shape \(5, parameters\), .* got shape \(4, 10\)"),
    (GIVEN | {"gradients": np.ones((5, 1))}, r"parameters >= 2, got shape \(5, 1\)"),
    (GIVEN | {"gradients": np.full((5, 10), np.nan)}, "gradients must be finite, got an array with NaN or infinity"),
    (GIVEN | {"parameters": 11}, "parameters must be left out or 10, as gradients has, got parameters=11"),
    (GIVEN | {"control_variate": True}, "control_variate=True needs random gradients, got an array"),
    (GIVEN | {"gradient_mean": 0.1}, "gradient_mean and gradient_std must be left out with an array"),
    (GIVEN | {"gradients": np.zeros((5, 10))}, r"eps must be positive where .* is 0 \(0/0\), got eps=0.0"),
    (GIVEN | {"gradients": np.eye(5, 10) + 1e-200}, r"eps must be positive where the first gradient"),
    (GIVEN | {"gradients": 1e200 * np.ones((5, 10))}, "numbers are not finite by step 5"),
    (GIVEN | {"gradients": 1 - np.eye(5, 10, -2), "betas": (0, 0)}, "by step 5: .* or eps=0 meets a denominator"),
    ({"gradients": curved(1e200)}, "not finite by step 5: schedule, weight_decay or gradients are too large"),
    ({"gradients": curved(1e30), "init_rms": 1e30, "control_variate": False}, "not finite by step 5"),
    ({"schedule": constant(1e60, 5), "control_variate": False}, "not finite by step 5: schedule, weight_decay or"),
])
@pytest.mark.filterwarnings("error")
def test_bad_input(change, message):
    arguments = dict(schedule=constant(0.1, 5), weight_decay=0.1, rng=np.random.default_rng(0)) | change
    if "gradients" not in change:
        arguments = dict(parameters=10) | arguments
    with pytest.raises(ValueError, match=message):
        simulate(**arguments)


@pytest.mark.parametrize("phi", [1.0, -1, float("nan"), [0.1], "a"])
def test_memory_is_a_number_between_minus_1_and_1(phi):
    with pytest.raises(ValueError, match="phi must be "):
        correlated(phi)


@pytest.mark.parametrize("curvature", [-1.0, float("inf"), [0.1]])
def test_curvature_is_a_number_that_is_not_negative(curvature):
    with pytest.raises(ValueError, match="curvature must "):
        curved(curvature)


@pytest.mark.parametrize("control_variate", [True, False])
def test_a_pull_without_noise_equals_adamw_step(control_variate):
    """The denominator is then not random, so that the companion does the same and no error is left."""
    model = dict(gradient_mean=0.3, gradient_std=0.0, init_rms=0.4, init_mean=-0.4, eps=0.1, dtype=np.float64)
    run = simulate(
        constant(0.05, 40), 0.2, (0.8, 0.9), parameters=10, rng=np.random.default_rng(0), gradients=curved(1.5),
        control_variate=control_variate, record=[1, 20, 40], **model,
    )
    theta, m, v, expected = -0.4, 0.0, 0.0, []
    for step in range(1, 41):
        theta, m, v = adamw_step(theta, 1.5 * theta + 0.3, m, v, step, 0.05, 0.2, (0.8, 0.9), 0.1)
        expected.append(abs(theta))
    np.testing.assert_allclose(run.trajectory, np.take(expected, [0, 19, 39]), rtol=1e-12)
    assert run.standard_error < 1e-8


def test_gradients_without_noise():
    """Every weight does the same: it drifts by lr a step."""
    run = simulate(
        constant(0.1, 5), 0.0, parameters=10, rng=np.random.default_rng(0), gradient_mean=-3.0, gradient_std=0.0
    )
    assert run.rms == pytest.approx(0.5, rel=1e-6)
    assert run.standard_error < 1e-7
