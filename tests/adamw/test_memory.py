"""Shares of past updates and gradients: literal sums, exact fractions, sum rules, no overflow, bad input."""
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derivations.adamw import (
    adamw_step, constant, cosine, from_array, gradient_weights, linear, predict_weight_rms, update_weights, wsd,
)

rates = st.lists(st.floats(1e-4, 0.5), min_size=1, max_size=40)
any_beta = st.floats(0, 0.999)


def literal(lr, weight_decay, beta):
    """Both shares as they are written in the derivation, term by term."""
    steps = lr.size
    kappa = np.array([sum(lr[: i + 1] * weight_decay[: i + 1]) for i in range(steps)])
    z = sum(np.exp(kappa[i]) * lr[i] for i in range(steps))
    updates = [np.exp(kappa[i]) * lr[i] / z for i in range(steps)]
    gradients = [
        (1 - beta) / z * sum(np.exp(kappa[i]) * beta ** (i - j) * lr[i] for i in range(j, steps)) for j in range(steps)
    ]
    return updates, gradients


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("decay_above_zero", [False, True])
def test_literal_sums(beta, decay_above_zero):
    rng = np.random.default_rng(5)
    lr, weight_decay = rng.uniform(0, 0.3, 80), decay_above_zero * rng.uniform(0, 2, 80)
    updates, gradients = literal(lr, weight_decay, beta)
    np.testing.assert_allclose(update_weights(from_array(lr), weight_decay), updates, rtol=1e-12)
    np.testing.assert_allclose(gradient_weights(from_array(lr), weight_decay, beta), gradients, rtol=1e-12)


def test_fractions_of_three_steps():
    """Without decay the shares are those of the learning rates: here 1/6, 2/6, 3/6, and beta is 1/2."""
    schedule, half = from_array([1.0, 2.0, 3.0]), Fraction(1, 2)
    w = [Fraction(k, 6) for k in (1, 2, 3)]
    plain = [half * (w[0] + half * w[1] + half**2 * w[2]), half * (w[1] + half * w[2]), half * w[2]]
    np.testing.assert_allclose(gradient_weights(schedule, 0.0, 0.5), [float(p) for p in plain], rtol=1e-15)
    # The running means with hats: g1, (g1 + 2 g2) / 3, (g1 + 2 g2 + 4 g3) / 7.
    hats = [w[0] + w[1] / 3 + w[2] / 7, w[1] * Fraction(2, 3) + w[2] * Fraction(2, 7), w[2] * Fraction(4, 7)]
    assert sum(hats) == 1
    found = gradient_weights(schedule, 0.0, 0.5, bias_correction=True)
    np.testing.assert_allclose(found, [float(h) for h in hats], rtol=1e-14)


@settings(deadline=None)
@given(rates, st.floats(0, 20), any_beta)
def test_sums_and_what_is_missing(lr, weight_decay, beta):
    schedule = from_array(lr)
    updates, gradients = update_weights(schedule, weight_decay), gradient_weights(schedule, weight_decay, beta)
    missing = np.sum(updates * beta ** np.arange(1, len(lr) + 1))
    assert updates.sum() == pytest.approx(1, rel=1e-13)
    assert gradients.sum() == pytest.approx(1 - missing, rel=1e-12, abs=1e-13)
    corrected = gradient_weights(schedule, weight_decay, beta, bias_correction=True)
    assert corrected.sum() == pytest.approx(1, rel=1e-9)
    assert np.all(updates >= 0) and np.all(gradients >= 0)


@settings(deadline=None)
@given(rates, st.floats(0.01, 5), st.floats(0, 0.99))
def test_their_squares_are_the_noise_part_of_the_double_sum(lr, weight_decay, beta):
    """rho_T = Z_T^2 sum_j betabar(j, T)^2 for pure noise from 0, which the package computes by a forward recursion."""
    schedule = from_array(lr)
    kappa = np.cumsum(np.array(lr) * weight_decay)
    total = np.sum(np.exp(kappa - kappa[-1]) * lr)
    expected = total * np.sqrt(np.sum(gradient_weights(schedule, weight_decay, beta) ** 2))
    found = predict_weight_rms(schedule, weight_decay, (beta, 0.95), method="double_sum")
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("schedule", [constant(0.01, 200_000), linear(0.02, 200_000), cosine(0.02, 200_000)])
def test_no_overflow_at_a_total_decay_of_2000(schedule):
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        updates, gradients = update_weights(schedule, 1.0), gradient_weights(schedule, 1.0, 0.9)
    assert updates.sum() == pytest.approx(1, rel=1e-12) and gradients.sum() == pytest.approx(1, rel=1e-12)
    if schedule.is_constant:  # a geometric series, to the last of its updates
        ages = np.arange(updates.size)[::-1]
        np.testing.assert_allclose(updates[-5000:], -np.expm1(-0.01) * np.exp(-0.01 * ages[-5000:]), rtol=1e-11)


def test_shares_of_gradients_that_are_only_once_not_zero():
    """Feed a gradient mean that jumps: m of the optimizer, averaged with the shares of the updates, must show it."""
    schedule, decay, beta = wsd(0.05, 30, 5, 10), np.linspace(0, 2, 30), 0.8
    for j in (1, 7, 30):
        m, means = 0.0, []
        for t in range(1, 31):
            _, m, _ = adamw_step(0.0, float(t == j), m, 0.0, t, 0.1, 0.0, betas=(beta, 0.9))
            means.append(float(m))
        assert update_weights(schedule, decay) @ means == pytest.approx(
            gradient_weights(schedule, decay, beta)[j - 1], rel=1e-13
        )


def test_weight_decay_as_number_array_and_schedule():
    schedule = linear(0.3, 12, 0.1)
    for decay in (np.full(12, 0.4), constant(0.4, 12)):
        np.testing.assert_array_equal(update_weights(schedule, decay), update_weights(schedule, 0.4))
        np.testing.assert_array_equal(gradient_weights(schedule, decay, 0.9), gradient_weights(schedule, 0.4, 0.9))


def test_beta_0_hands_every_gradient_on_at_once():
    schedule = cosine(0.1, 20)
    for hats in (False, True):
        np.testing.assert_allclose(
            gradient_weights(schedule, 0.5, 0.0, bias_correction=hats), update_weights(schedule, 0.5), rtol=1e-15
        )


@pytest.mark.parametrize("call, message", [
    (lambda: update_weights(0.1, 0.1), "schedule must be a Schedule"),
    (lambda: update_weights(constant(0.1, 3), -0.1), "weight_decay must not be negative"),
    (lambda: update_weights(constant(0.1, 3), [0.1, 0.2]), "weight_decay must be a number, a Schedule, or have shape"),
    (lambda: update_weights(from_array([0.0, 0.0]), 0.1), "schedule must have a positive learning rate in some step"),
    (lambda: gradient_weights(constant(0.1, 3), 0.1, 1.0), r"beta must be one number in \[0, 1\), got beta=1.0"),
    (lambda: gradient_weights(constant(0.1, 3), 0.1, [0.5]), r"beta must be one number in \[0, 1\), got beta=\[0.5\]"),
    (lambda: gradient_weights(constant(0.1, 3), 0.1, "x"), "beta must be a number"),
    (lambda: gradient_weights(constant(0.1, 3), 0.1, 0.5, bias_correction=1), "bias_correction must be True or False"),
])
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
