"""The chain of approximations: literal sums, quadrature, identities, directions, and where each step breaks."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from derivations.adamw import (
    METHODS, DoesNotApply, constant, cosine, equilibrium_rms, from_array, inverse_time, join, linear,
    predict_weight_rms, wsd,
)
from derivations.adamw.approximations import integral_response, ode_response
from derivations.adamw.schedules import decay_schedule

SCHEDULES = {
    "constant": constant(0.01, 300),
    "linear": linear(0.01, 300),
    "warm-up": linear(0.0, 300, 0.01),
    "cosine": cosine(0.01, 300, 0.001),
    "wsd": wsd(0.01, 300, 30, 60),
    "inverse": inverse_time(0.01, 300, 50.0),
    "joined": join(linear(0.0, 50, 0.01), cosine(0.01, 250)),
}


def rho(schedule, weight_decay, method, **model):
    """Mean square, over the whole run."""
    return predict_weight_rms(schedule, weight_decay, method=method, trajectory=True, **model) ** 2


def both_sums(lr, weight_decay, beta1, ratio, init_square):
    """Double and single sum for the last step, term by term, as they are written in the derivation."""
    steps = lr.size
    kappa = np.cumsum(lr * weight_decay)
    z = np.sum(np.exp(kappa) * lr)
    double = single = 0.0
    for j in range(steps):
        beta_bar = (1 - beta1) / z * sum(np.exp(kappa[i]) * beta1 ** (i - j) * lr[i] for i in range(j, steps))
        double += beta_bar**2
        single += np.exp(2 * kappa[j]) * lr[j] ** 2 / z**2
    start = np.exp(-2 * kappa[-1])
    return [start * init_square + start * z**2 * (ratio**2 + part) / (ratio**2 + 1) for part in (double, single)]


@pytest.mark.parametrize("beta1, ratio", [(0.0, 0.0), (0.9, 0.0), (0.9, 0.3), (0.98, 0.05)])
def test_sums_equal_their_literal_form(beta1, ratio):
    rng = np.random.default_rng(2)
    lr, weight_decay = rng.uniform(0, 0.1, 120), rng.uniform(0, 1, 120)
    model = dict(betas=(beta1, 0.95), init_rms=0.3, gradient_mean=ratio)
    literal = both_sums(lr, weight_decay, beta1, ratio, 0.3**2)
    fast = [rho(from_array(lr), weight_decay, method, **model)[-1] for method in ("double_sum", "single_sum")]
    np.testing.assert_allclose(fast, literal, rtol=1e-12)


def test_double_sum_of_a_trajectory_is_that_of_each_shorter_run():
    rng = np.random.default_rng(3)
    lr = rng.uniform(0, 0.1, 40)
    path = rho(from_array(lr), 0.7, "double_sum", gradient_mean=0.2)
    each = [rho(from_array(lr[:end]), 0.7, "double_sum", gradient_mean=0.2)[-1] for end in range(1, 41)]
    np.testing.assert_allclose(path, each, rtol=1e-13)


def test_single_sum_of_constant_hyper_parameters_is_the_geometric_sum():
    x, steps = 0.01 * 0.4, np.arange(1, 501)
    geometric = 0.01**2 * np.exp(2 * x) * (1 - np.exp(-2 * x * steps)) / np.expm1(2 * x)
    np.testing.assert_allclose(rho(constant(0.01, 500), 0.4, "single_sum"), geometric, rtol=1e-12)


def test_sums_do_not_overflow():
    """Written literally they do near kappa = 350; here kappa is 2000."""
    for method in ("double_sum", "single_sum", "integral", "ode", "closed_form", "mean_field"):
        assert rho(constant(0.01, 200_000), 1.0, method)[-1] == pytest.approx(0.005, rel=0.02 if method != "double_sum" else 0.12)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("weight_decay", [0.0, 0.3, 5.0])
def test_integral_against_adaptive_quadrature(name, weight_decay):
    schedule = SCHEDULES[name]
    steps = schedule.steps
    kappa = weight_decay * quad(schedule, 0, steps, points=[30, 50, 240], epsabs=0, epsrel=1e-13, limit=200)[0]

    def weighted(s):
        return np.exp(2 * (float(schedule.kappa(weight_decay, s)) - kappa)) * float(schedule(s)) ** 2

    noise = quad(weighted, 0, steps, points=[30, 50, 240], epsabs=0, epsrel=1e-13, limit=200)[0]
    expected = np.exp(-2 * kappa) * 0.02**2 + noise
    assert rho(schedule, weight_decay, "integral", init_rms=0.02)[-1] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("weight_decay", [0.0, 1e-4, 0.3, 5.0])
def test_closed_form_ode_and_integral_agree_along_the_whole_run(name, weight_decay):
    schedule, model = SCHEDULES[name], dict(init_rms=0.02, gradient_mean=0.1)
    by_integral = rho(schedule, weight_decay, "integral", **model)
    by_ode = rho(schedule, weight_decay, "ode", **model)
    closed = rho(schedule, weight_decay, "closed_form", **model)
    np.testing.assert_allclose(by_ode, by_integral, rtol=1e-8)
    np.testing.assert_allclose(closed, by_integral, rtol=1e-12 if name in ("linear", "wsd", "constant") else 1e-9)


def test_ode_is_of_fourth_order():
    """Halving the integration step divides the error by 16, for both equations."""
    schedule, decay = cosine(0.1, 20, 0.01), decay_schedule(5.0, 20)
    exact = integral_response(schedule, decay)
    for part in ("variance", "drift"):
        errors = [
            abs(getattr(ode_response(schedule, decay, substeps=n), part)[-1] - getattr(exact, part)[-1]) for n in (2, 4)
        ]
        assert np.log2(errors[0] / errors[1]) == pytest.approx(4, abs=0.2)


def test_varying_weight_decay_of_integral_and_ode():
    """Against quadrature nested in quadrature."""
    schedule, decay = cosine(0.05, 40, 0.01), linear(1.0, 40, 3.0)

    def exponent(s):
        return quad(lambda u: float(schedule(u)) * float(decay(u)), s, 40, epsabs=1e-13)[0]

    expected = quad(lambda s: np.exp(-2 * exponent(s)) * float(schedule(s)) ** 2, 0, 40, epsabs=1e-13)[0]
    assert rho(schedule, decay, "integral")[-1] == pytest.approx(expected, rel=1e-11)
    assert rho(schedule, decay, "ode")[-1] == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("name", SCHEDULES)
def test_mean_field_is_exact_when_lr_and_decay_are_proportional(name):
    schedule = SCHEDULES[name]
    decay = schedule.scaled(100.0)
    by_integral = rho(schedule, decay, "integral", init_rms=0.05)
    np.testing.assert_allclose(rho(schedule, decay, "mean_field", init_rms=0.05), by_integral, rtol=1e-11)


def test_mean_field_can_be_exact_at_one_time_by_accident():
    """A warm-up of .357 and a decay of .2 of the run: no error at kappa = 1, errors of both signs elsewhere."""
    schedule = wsd(0.01, 10_000, 3570, 2000)
    errors = []
    for kappa in (0.2, 1.0, 3.0):
        decay = kappa / float(schedule.kappa(1.0))
        errors.append(rho(schedule, decay, "mean_field")[-1] / rho(schedule, decay, "integral")[-1] - 1)
    assert abs(errors[1]) < 1e-3 and min(abs(errors[0]), abs(errors[2])) > 3e-3


@settings(deadline=None)
@given(
    st.lists(st.floats(0.001, 0.1), min_size=2, max_size=25), st.floats(0.01, 5), st.booleans(),
)
def test_mean_field_errs_upwards_for_decreasing_rates_and_downwards_for_increasing(rates, weight_decay, rising):
    schedule = from_array(sorted(rates, reverse=not rising))
    excess = rho(schedule, weight_decay, "mean_field") - rho(schedule, weight_decay, "integral")
    tiny = 1e-12 * rho(schedule, weight_decay, "integral")
    assert np.all(-excess >= -tiny) if rising else np.all(excess >= -tiny)


@settings(deadline=None)
@given(st.lists(st.floats(0.001, 0.1), min_size=1, max_size=25), st.floats(0.01, 5))
def test_integral_lies_between_its_two_bounds(rates, weight_decay):
    schedule = from_array(rates)
    kappa, nu = float(schedule.kappa(weight_decay)), float(schedule.nu())
    value = rho(schedule, weight_decay, "integral")[-1]
    assert np.exp(-2 * kappa) * nu * (1 - 1e-12) <= value <= nu * (1 + 1e-12)


@pytest.mark.parametrize("make, errors", [
    (lambda: linear(0.01, 4000), [2, 11, 25, 55, 201]),
    (lambda: cosine(0.01, 4000), [2, 10, 23, 52, 223]),
    (lambda: wsd(0.01, 4000, 400, 800), [0.2, 1.4, 3.5, 9.6, 54]),
])
def test_mean_field_errors_known_from_the_literature_survey(make, errors):
    """Per cent of the mean square at kappa = .1, .5, 1, 2, 8, as found by an independent computation."""
    schedule, found = make(), []
    for kappa in (0.1, 0.5, 1, 2, 8):
        decay = kappa / float(schedule.kappa(1.0))
        found.append(100 * (rho(schedule, decay, "mean_field")[-1] / rho(schedule, decay, "integral")[-1] - 1))
    np.testing.assert_allclose(found, errors, atol=0.7)


@pytest.mark.parametrize("product", [1.5, 2.0, 4.0, 10.0])
def test_the_instantaneous_fixed_point_is_off_by_a_factor_in_the_limit(product):
    """eta = c / t with 2 lambda c = product: rho / (eta_t / 2 lambda) tends to product / (product - 1)."""
    schedule, weight_decay = inverse_time(0.01, 10_000_000, timescale=100.0), product / 2
    last = float(schedule(schedule.steps))
    value = float(schedule.decayed_nu(weight_decay)) / (last / (2 * weight_decay))
    start = (1 + schedule.steps / 100.0) ** (1 - product)  # what is left of the start
    assert value == pytest.approx(product / (product - 1), rel=2 * start + 1e-6)


def test_the_schedule_called_optimal_ends_a_factor_two_above_its_fixed_point():
    """eta_max / (1 + lambda eta_max s) from rho = 0 with lambda eta_max = 1: the ratio at s = 1, 10, 100."""
    for steps, ratio in ((1, 1.00), (10, 1.82), (100, 1.98)):
        schedule = inverse_time(1.0, steps, timescale=1.0)
        found = float(schedule.decayed_nu(1.0)) / (float(schedule(steps)) / 2)
        assert found == pytest.approx(ratio, abs=0.005)


@pytest.mark.parametrize("decay_steps, error", [(10, 95), (50, 75), (200, 39)])
def test_slow_variation_breaks_in_a_short_decay(decay_steps, error):
    """WSD decay from a stationary plateau, lr * wd = .01, beta1 = .99: per cent of the mean square."""
    schedule = join(constant(0.1, 4000), linear(0.1, decay_steps))
    model = dict(betas=(0.99, 0.999))
    single, double = (rho(schedule, 0.1, method, **model)[-1] for method in ("single_sum", "double_sum"))
    assert 100 * (single / rho(schedule, 0.1, "recursion", **model)[-1] - 1) == pytest.approx(error, abs=1.5)
    assert 100 * (double / rho(schedule, 0.1, "recursion", **model)[-1] - 1) < 3


def test_dropping_the_bias_correction_matters_early():
    """beta1 = .9, constant, from zero, kappa = 2 over 2000 steps: per cent of the mean square at four steps."""
    schedule, decay = constant(0.01, 2000), 0.1
    formula, truth = rho(schedule, decay, "double_sum"), rho(schedule, decay, "recursion")
    found = 100 * (formula / truth - 1)[[0, 9, 99, 999]]
    assert np.all(np.abs(found - [-99, -87, -22, -0.8]) < [0.5, 1, 1, 0.1])


@pytest.mark.parametrize("sign, early, late", [(1, 270, 41), (-1, -42, -22)])
def test_dropping_the_cross_term(sign, early, late):
    """mu = .03 and theta_0 = +-.5, at kappa = .06 and 2: per cent of the mean square."""
    for weight_decay, error in ((0.003, early), (0.1, late)):
        model = dict(init_rms=0.5, init_mean=0.5 * sign, gradient_mean=0.03)
        schedule = constant(0.01, 2000)
        found = rho(schedule, weight_decay, "double_sum", **model)[-1] / rho(schedule, weight_decay, "recursion", **model)[-1]
        assert 100 * (found - 1) == pytest.approx(error, rel=0.05, abs=1.5)


def test_components_are_averaged_as_a_mean_of_ratios():
    """log sigma ~ N(0, 1), mu = .03: the ratio of norms is 48 times too small in the mean term."""
    sigma = np.exp(np.random.default_rng(4).standard_normal(400_000))
    ratio = 0.03**2 / sigma**2
    assert ratio.mean() / (0.03**2 / np.mean(sigma**2)) == pytest.approx(np.exp(4), rel=0.3)
    schedule = constant(0.01, 400)
    rms = predict_weight_rms(schedule, 0.5, gradient_mean=0.03, gradient_std=sigma[:1000], method="single_sum")
    z = np.sum(np.exp(-0.005 * np.arange(400)) * 0.01)
    noise = np.sum(np.exp(-0.01 * np.arange(400)) * 0.01**2) / z**2
    by_hand = z**2 * np.mean((ratio[:1000] + noise) / (1 + ratio[:1000]))
    assert np.mean(rms**2) == pytest.approx(by_hand, rel=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_broadcasts_and_ends_where_its_trajectory_ends(method):
    schedule = constant(0.01, 50)
    model = dict(init_rms=[0.1, 0.2, 0.4], gradient_mean=np.array([[0.0], [0.5]]), eps=0.1, method=method)
    rms = predict_weight_rms(schedule, 0.3, **model)
    path = predict_weight_rms(schedule, 0.3, trajectory=True, **model)
    assert rms.shape == (2, 3) and path.shape == (2, 3, 50)
    np.testing.assert_array_equal(path[..., -1], rms)
    one = predict_weight_rms(schedule, 0.3, init_rms=0.2, gradient_mean=0.5, eps=0.1, method=method)
    assert isinstance(one, float) and one == pytest.approx(rms[1, 1], rel=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_all_methods_meet_in_the_limit_they_share(method):
    """Small decay per step, many steps, pure noise, beta2 near 1: all give the equilibrium."""
    rms = predict_weight_rms(constant(1e-3, 200_000), 0.1, (0.5, 0.9999), method=method)
    assert rms == pytest.approx(equilibrium_rms(1e-3, 0.1, method="leading"), rel=2e-4)


def test_weight_decay_as_number_array_and_schedule():
    schedule = linear(0.01, 60, 0.002)
    for method in METHODS[:-1]:
        number = predict_weight_rms(schedule, 0.3, method=method)
        array = predict_weight_rms(schedule, np.full(60, 0.3), method=method)
        as_schedule = predict_weight_rms(schedule, constant(0.3, 60), method=method)
        assert array == pytest.approx(number, rel=1e-12) and as_schedule == pytest.approx(number, rel=1e-12)


@pytest.mark.parametrize("call, message", [
    (lambda: predict_weight_rms(linear(0.1, 4), linear(0.1, 4), method="closed_form"), "needs a constant weight_decay"),
    (lambda: predict_weight_rms(linear(0.1, 4), 0.1, method="constant"), "needs a constant learning rate"),
    (lambda: predict_weight_rms(linear(0.1, 4), linear(0.1, 4), method="mean_field", gradient_mean=0.1),
     "method='mean_field' with a weight_decay that varies needs gradient_mean=0"),
    (lambda: predict_weight_rms(linear(0.1, 4), 0.1, method="ode", bias_correction=False),
     "bias_correction=False needs method='exact' or 'recursion', got method='ode'"),
])
def test_a_method_that_does_not_apply_says_so(call, message):
    with pytest.raises(DoesNotApply, match=message):
        call()
