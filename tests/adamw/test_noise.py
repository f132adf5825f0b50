"""Noise factor, size of an update, gain of a mean gradient: known values, Monte Carlo, limits, bad input."""
import tracemalloc

import numpy as np
import pytest

from derivations.adamw import (
    empirical, gaussian, laplace, mean_factor, noise_factor, rademacher, student_t, uniform, update_autocovariance,
    update_rms,
)
from derivations.adamw import laws


@pytest.mark.parametrize("betas, value", [
    ((0.9, 0.95), 0.9793), ((0.0, 0.95), 0.9560), ((0.99, 0.95), 1.0237), ((0.9, 0.99), 1 / 1.0084),
    ((0.9, 0.999), 1 / 1.0010), ((0.0, 0.5), 1 / 1.27),
])
def test_noise_factor_has_its_known_values(betas, value):
    """Values that were computed by an independent quadrature and by simulation, to the digits that are known."""
    tolerance = 3e-3 if betas == (0.0, 0.5) else 2e-4
    assert noise_factor(betas) == pytest.approx(value, abs=tolerance)


@pytest.mark.parametrize("law, value", [
    (rademacher(), 1.0), (uniform(), 0.9910), (gaussian(), 0.9793), (laplace(), 0.9575), (student_t(5), 0.960),
])
def test_noise_factor_of_other_laws(law, value):
    assert noise_factor((0.9, 0.95), law=law) == pytest.approx(value, abs=5e-4 if value == 0.960 else 2e-4)


def autocovariance_by_simulation(betas, draw, lags, steps=300, runs=40_000, seed=7, eps=0.0):
    """Mean and standard error of u_t u_{t+k}, averaged over runs, from a plain loop."""
    rng = np.random.default_rng(seed)
    beta1, beta2 = betas
    m, v, updates = np.zeros(runs), np.zeros(runs), []
    for _ in range(steps + max(lags) + 1):
        g = draw(rng, runs)
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        with np.errstate(invalid="ignore"):  # 0/0 while all gradients so far are 0
            updates.append(m / (np.sqrt(v) + eps))
    products = np.array([updates[steps] * updates[steps + lag] for lag in lags])
    return products.mean(axis=1), products.std(axis=1) / np.sqrt(runs)


def two_sizes(rng, size):
    """Random sign; square 0.5 or 1.5."""
    return rng.choice([-1, 1], size) * np.sqrt(rng.choice([0.5, 1.5], size))


@pytest.mark.parametrize("betas, law, draw", [
    ((0.8, 0.9), gaussian(), lambda rng, n: rng.standard_normal(n)),
    ((0.5, 0.6), laplace(), lambda rng, n: rng.laplace(scale=0.5**0.5, size=n)),
    ((0.7, 0.8), empirical(np.sqrt([0.5, 1.5])), two_sizes),
    ((0.6, 0.4), uniform(), lambda rng, n: rng.uniform(-(3**0.5), 3**0.5, n)),
])
def test_autocovariance_against_a_plain_simulation(betas, law, draw):
    lags = [0, 1, 2, 4]
    mean, error = autocovariance_by_simulation(betas, draw, lags)
    assert np.all(np.abs(update_autocovariance(betas, law)[lags] - mean) < 4 * error)


@pytest.mark.parametrize("betas, eps", [((0.9, 0.5), 0.5), ((0.5, 0.3), 0.1), ((0.9, 0.95), 3.0), ((0.0, 0.0), 0.4)])
def test_autocovariance_with_a_visible_eps(betas, eps):
    lags = [0, 1, 3] if betas[0] else [0]
    mean, error = autocovariance_by_simulation(betas, lambda rng, n: rng.standard_normal(n), lags, eps=eps, steps=100)
    assert np.all(np.abs(update_autocovariance(betas, eps=eps)[lags] - mean) < 4 * error)


def test_noise_factor_and_mean_factor_vanish_under_a_large_eps():
    """A denominator of mostly eps does not fluctuate; without eps both formulas for C_0 agree."""
    for beta2, tolerance in ((0.95, 1e-3), (0.5, 1e-2)):
        assert noise_factor((0.9, beta2), eps=100.0) == pytest.approx(1, abs=tolerance)
        assert mean_factor((0.9, beta2), 0.7, eps=100.0) == pytest.approx(1, abs=tolerance)
    assert noise_factor((0.9, 0.95), eps=1e-9) == pytest.approx(noise_factor((0.9, 0.95)), abs=1e-8)
    assert update_autocovariance((0.9, 0.95))[0] == pytest.approx(update_rms((0.9, 0.95)) ** 2, rel=1e-8)


def test_many_lags_are_a_geometric_series():
    """beta1 close to 1 costs no more than its autocovariances take to become geometric."""
    covariance = update_autocovariance((0.9995, 0.9))
    tail = covariance[4000:4010] / 0.9995 ** np.arange(4000, 4010)
    np.testing.assert_allclose(tail, tail[0], rtol=1e-12)
    assert noise_factor((0.99, 0.9)) < noise_factor((0.995, 0.9)) < noise_factor((0.9995, 0.9)) < 1.1


def test_a_law_with_many_zeros():
    """90 % zeros against a plain loop; more zeros than beta2 / beta1^2 have no finite answer."""
    samples = np.array([0.0] * 9 + [1.0])
    def draw(rng, size):
        return rng.choice([-1, 1], size) * (rng.random(size) < 0.1) * 10**0.5
    mean, error = autocovariance_by_simulation((0.8, 0.95), draw, [0, 2], runs=20_000)
    assert np.all(np.abs(update_autocovariance((0.8, 0.95), empirical(samples))[[0, 2]] - mean) < 4 * error)
    with pytest.raises(ValueError, match="make the mean square of the update infinite for law='empirical'"):
        noise_factor((0.99, 0.5), law=empirical(samples))


def test_the_first_order_is_used_only_where_it_holds():
    """Beyond beta2 = .9999 the factor goes on smoothly, also for heavy tails."""
    for law, tolerance in ((gaussian(), 0.01), (student_t(4.1), 0.05)):
        near, far = noise_factor((0.9, 0.99989), law=law), noise_factor((0.9, 0.99991), law=law)
        assert (1 - near) / (1 - far) == pytest.approx(11 / 9, rel=tolerance)
    assert mean_factor((0.9, 0.99995), 0.3) == pytest.approx(1 - (1 - mean_factor((0.9, 0.9998), 0.3)) / 4, abs=1e-8)
    assert mean_factor((0.9, 0.99995), 0.3) < 1 - 1e-5


@pytest.mark.parametrize("law", [gaussian(), laplace(), student_t(3), empirical(np.linspace(-3, 3, 5001))])
def test_memory_stays_small_for_beta2_near_1(law):
    tracemalloc.start()
    noise_factor((0.9, 0.999), law=law)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300e6


def test_autocovariance_of_gradients_of_one_size_is_that_of_the_momentum():
    covariance = update_autocovariance((0.8, 0.95), rademacher())
    np.testing.assert_allclose(covariance, 0.2 / 1.8 * 0.8 ** np.arange(covariance.size), rtol=1e-12)
    nearly = update_autocovariance((0.8, 0.95), empirical(1 + 1e-5 * np.array([-1.0, 1.0])))
    np.testing.assert_allclose(nearly, covariance, rtol=1e-8)


def test_without_momentum_the_updates_are_uncorrelated():
    assert update_autocovariance((0.0, 0.9)).shape == (1,)
    assert noise_factor((0.0, 0.9)) == pytest.approx(update_rms((0.0, 0.9)) ** 2, rel=1e-9)


@pytest.mark.parametrize("beta1", [0.0, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("law", [gaussian(), uniform(), student_t(12)])
def test_leading_order_is_first_order(beta1, law):
    """A tenth of 1 - beta2 leaves about a hundredth of the error, for the factor and for the size of an update."""
    for function in (noise_factor, update_rms):
        errors = [
            function((beta1, beta2), law=law) - function((beta1, beta2), "leading", law=law) for beta2 in (0.999, 0.9999)
        ]
        assert abs(errors[1]) < abs(errors[0]) / 30


def test_the_size_of_an_update_at_the_usual_constants():
    assert update_rms((0.9, 0.95)) == pytest.approx(0.2261, abs=5e-5)
    assert update_rms((0.9, 0.95), "mean_field") == pytest.approx(np.sqrt(1 / 19), rel=1e-14)


@pytest.mark.parametrize("ratio", [0.3, 1.0, 4.0])
def test_mean_factor_against_a_plain_simulation(ratio):
    rng, betas, runs = np.random.default_rng(11), (0.8, 0.9), 200_000
    m, v = np.zeros(runs), np.zeros(runs)
    for _ in range(150):
        g = ratio + rng.standard_normal(runs)
        m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g**2
    update = m / np.sqrt(v) * np.hypot(1, ratio) / ratio
    assert abs(mean_factor(betas, ratio) - update.mean()) < 4 * update.std() / np.sqrt(runs)


@pytest.mark.parametrize("betas", [(0.9, 0.95), (0.9, 0.5), (0.999, 0.05)])
def test_mean_factor_of_many_ratios_is_that_of_each(betas):
    ratios = np.geomspace(1e-3, 1e5, 402).reshape(2, 201)
    each = [mean_factor(betas, float(ratio)) for ratio in ratios.ravel()]
    np.testing.assert_allclose(mean_factor(betas, -ratios).ravel(), each, atol=1e-5)
    assert each[-1] == pytest.approx(1, abs=1e-6) and mean_factor(betas, 1e300) == pytest.approx(1, abs=1e-6)


def test_mean_factor_with_eps_against_a_plain_simulation():
    rng, betas, runs = np.random.default_rng(11), (0.8, 0.9), 100_000
    m, v = np.zeros(runs), np.zeros(runs)
    for _ in range(150):
        g = 1.0 + rng.standard_normal(runs)
        m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g**2
    update = m / (np.sqrt(v) + 0.6) * (2**0.5 + 0.6)
    assert abs(mean_factor(betas, 1.0, 0.6) - update.mean()) < 4 * update.std() / np.sqrt(runs)


def test_mean_factor_of_the_sign():
    assert mean_factor((0.0, 0.0)) == pytest.approx(np.sqrt(2 / np.pi))
    assert mean_factor((0.0, 0.0), 1e-3) == pytest.approx(np.sqrt(2 / np.pi), abs=1e-6)
    assert mean_factor((0.0, 1e-4), 0.5) == pytest.approx(mean_factor((0.0, 0.0), 0.5), abs=2e-3)


@pytest.mark.parametrize("law, draws", [
    (gaussian(), 200_000), (rademacher(), 200_000), (uniform(), 200_000), (laplace(), 200_000),
    (student_t(12), 400_000), (empirical([-2.0, 0.0, 1.0, 3.0]), 200_000),
])
def test_laws_draw_what_they_promise(law, draws):
    """Moments and the two expectations of a law, from its own variates, within four standard errors."""
    sample = np.empty(draws)
    law.draw(np.random.default_rng(5), sample)

    def close(values, expected, rounding=1e-9):
        return abs(values.mean() - expected) < 4 * values.std() / np.sqrt(draws) + rounding

    assert close(sample, 0.0) and close(sample**2, 1.0) and close(sample**4, law.fourth_moment)
    for s in (0.0, 1e-6, 0.01, 0.7, 5.0):
        weight = np.exp(-s * sample**2)
        laplace_transform = np.exp(law.log_laplace(np.array(s)))
        assert close(weight, laplace_transform)
        assert close(sample**2 * weight, law.tilted_square(np.array(s)) * laplace_transform)


@pytest.mark.parametrize("law", [gaussian(), uniform(), laplace(), student_t(5), empirical([1.0, -2.0, 0.5])])
def test_tilted_square_is_minus_the_derivative_of_the_logarithm(law):
    s = np.geomspace(1e-5, 1e3, 40)
    step = 1e-4 * s
    slope = (law.log_laplace(s + step) - law.log_laplace(s - step)) / (2 * step)
    np.testing.assert_allclose(law.tilted_square(s), -slope, rtol=2e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("law", [gaussian(), rademacher(), uniform(), laplace(), student_t(5), empirical([1.0, -2.0])])
def test_laws_fill_arrays_of_both_precisions(law, dtype):
    out = np.full(1000, np.nan, dtype)
    law.draw(np.random.default_rng(3), out)
    assert out.dtype == dtype and np.all(np.isfinite(out)) and out.std() > 0.5


def test_laws_compare_by_what_they_are():
    assert student_t(5) == student_t(5) and hash(gaussian()) == hash(gaussian())
    assert student_t(5) != student_t(6) and laplace() != uniform()
    assert laws.__all__ == sorted(laws.__all__, key=lambda name: (name.islower(), name))


@pytest.mark.parametrize("call, message", [
    (lambda: noise_factor((0.9, 0.95), method="magic"), "method must be one of 'exact', 'leading', got method='magic'"),
    (lambda: noise_factor((0.9, 0.0)), r"betas=\(0.9, 0.0\) make the mean square of the update infinite"),
    (lambda: mean_factor((0.9, 0.0)), r"betas=\(0.9, 0.0\) make the mean of the update infinite"),
    (lambda: noise_factor((0.9, 1.0)), r"betas must lie in \[0, 1\), got betas=\(0.9, 1.0\)"),
    (lambda: noise_factor(law="gaussian"), "law must be a Law, such as laplace.*, got law='gaussian'"),
    (lambda: noise_factor(fourth_moment=3.0), "fourth_moment=3.0 needs method='leading'"),
    (lambda: noise_factor(method="leading", fourth_moment=0.5), "fourth_moment must be at least 1"),
    (lambda: noise_factor(method="leading", law=student_t(3)), "fourth_moment must be finite"),
    (lambda: noise_factor(method="leading", fourth_moment=1e6), "method='leading' does not hold for betas"),
    (lambda: update_rms((0.0, 0.5), "leading", law=student_t(4.1)), "method='leading' does not hold for betas"),
    (lambda: noise_factor(method="leading", eps=0.1), "eps=0.1 needs method='exact'"),
    (lambda: noise_factor(eps=-0.1), "eps must not be negative, got eps=-0.1"),
    (lambda: noise_factor((0.9, 0.999999), law=student_t(3)), "betas must have beta2 <= 0.99999 for law='student_t'"),
    (lambda: student_t(2), "degrees must be one number above 2, got degrees=2"),
    (lambda: empirical([0.0, 0.0]), "samples must hold at least 2 numbers that are not all 0, got 2 numbers"),
    (lambda: empirical([1.0, np.nan]), "samples must be finite"),
    (lambda: mean_factor(ratio=np.inf), "ratio must be finite, got ratio=inf"),
])
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
