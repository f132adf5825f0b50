"""Learning-rate schedules: values, integrals, bad input."""
import pickle

import mpmath
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from derivations.adamw.schedules import (
    constant, cosine, decay_schedule, from_array, inverse_time, join, linear, require_schedule, wsd,
)

STEPS = 60
EVERY_KIND = {
    "constant": constant(0.3, STEPS),
    "linear": linear(0.3, STEPS, final_lr=0.02),
    "linear to 0": linear(0.3, STEPS),
    "warm-up": linear(0.0, STEPS, final_lr=0.3),
    "nearly constant": linear(0.3, STEPS, final_lr=0.3 * (1 + 1e-12)),
    "cosine": cosine(0.3, STEPS, final_lr=0.01),
    "cosine to 0": cosine(0.3, STEPS),
    "rising cosine": cosine(1e-3, STEPS, final_lr=0.3),
    "wsd": wsd(0.3, STEPS, warmup_steps=7, decay_steps=20, final_lr=0.01),
    "inverse time": inverse_time(0.3, STEPS, timescale=5.0),
    "inverse root": inverse_time(0.3, STEPS, timescale=0.01, power=0.5),
    "inverse cube": inverse_time(0.3, STEPS, timescale=3.0, power=3.0),
    "array": from_array(np.random.default_rng(0).uniform(0, 0.3, STEPS)),
    "joined": join(linear(0.0, 5, final_lr=0.3), cosine(0.2, 25), from_array(np.linspace(0.3, 0.1, 30))),
}
no_deadline = settings(deadline=None)  # the first call imports scipy.special
every_kind = pytest.mark.parametrize("schedule", EVERY_KIND.values(), ids=EVERY_KIND)
any_kind = st.sampled_from(list(EVERY_KIND.values()))
fraction = st.floats(0, 1).map(lambda x: round(x, 6))  # numbers near 1e-300 have fewer digits
step_in_run = fraction.map(lambda x: STEPS * x)
any_decay = st.floats(-6, 3).map(lambda log: 10.0**log)


def quadrature(function, end):
    """Integral from 0 to ``end`` of a function of arrays: 20 Gauss nodes on every step, finer towards both ends."""
    shrinking = 0.5 ** np.arange(50)
    edges = np.unique(np.clip([*range(STEPS + 1), *(end * shrinking), *(end - end * shrinking)], 0, end))
    nodes, weights = np.polynomial.legendre.leggauss(20)
    width = np.diff(edges)[:, np.newaxis]
    return float(np.sum(width / 2 * weights * function(edges[:-1, np.newaxis] + width * (nodes + 1) / 2)))


# --- values ---


def test_constant():
    schedule = constant(0.02, steps=50)
    assert np.array_equal(schedule.values, np.full(50, 0.02))
    assert schedule.kappa(0.5) == pytest.approx(0.5)
    assert schedule.nu() == pytest.approx(50 * 0.02**2)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=30), st.floats(0, 3))
def test_from_array_keeps_its_values_and_sums(values, weight_decay):
    schedule = from_array(values)
    assert np.array_equal(schedule.values, values)
    assert schedule.kappa(weight_decay) == pytest.approx(weight_decay * sum(values))
    assert schedule.nu() == pytest.approx(sum(value**2 for value in values))


def test_from_array_does_not_follow_later_changes():
    values = np.array([0.1, 0.2])
    schedule = from_array(values)
    values[:] = 5.0
    assert schedule.values.tolist() == [0.1, 0.2]


def test_values_cannot_be_overwritten():
    with pytest.raises(ValueError, match="read-only"):
        constant(0.1, 3).values[0] = 1.0


@every_kind
def test_values_are_those_of_the_steps(schedule):
    assert schedule.steps == STEPS
    assert schedule.values.tolist() == [float(schedule(step)) for step in range(1, STEPS + 1)]
    fine = schedule(np.linspace(0, STEPS, 1000))
    assert fine.min() >= 0
    assert schedule.peak == pytest.approx(fine.max(), rel=0.05)
    assert fine.max() <= schedule.peak * (1 + 1e-15)


@given(st.integers(1, 500), st.floats(1e-6, 10), st.floats(0, 10))
def test_formulas_of_the_schedules(steps, lr, final_lr):
    s = np.arange(1, steps + 1)
    expected = {
        linear: lr + (final_lr - lr) * s / steps,
        cosine: final_lr + (lr - final_lr) * (1 + np.cos(np.pi * s / steps)) / 2,
    }
    for make, values in expected.items():
        assert np.allclose(make(lr, steps, final_lr).values, values, rtol=1e-13, atol=1e-14)
    root = inverse_time(lr, steps, timescale=7.0, power=0.5).values
    assert np.allclose(root, lr / np.sqrt(1 + s / 7), rtol=1e-13, atol=0)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), st.floats(0, 1))
@example(0, 0, 1, 0.0)
def test_wsd_is_its_three_pieces(warmup, decay, plateau, final_lr):
    steps = warmup + decay + plateau
    if steps == 0:
        return
    expected = [s / warmup for s in range(1, warmup + 1)] + [1.0] * plateau
    expected += [1 + (final_lr - 1) * s / decay for s in range(1, decay + 1)]
    schedule = wsd(1.0, steps, warmup, decay, final_lr)
    assert schedule.values == pytest.approx(np.array(expected), abs=1e-15)
    assert schedule.nu() == pytest.approx(warmup / 3 + plateau + decay * (1 + final_lr + final_lr**2) / 3)


def test_continuous_schedules_are_continuous_at_joints():
    schedule = wsd(1.0, 10, warmup_steps=3, decay_steps=4)
    for joint in (3, 6):
        before, at, after = schedule([joint - 1e-9, joint, joint + 1e-9])
        assert at == pytest.approx(before, abs=1e-8) == pytest.approx(after, abs=1e-8)


def test_at_a_jump_the_earlier_piece_holds():
    schedule = join(constant(1.0, 2), constant(3.0, 2), from_array([5.0]))
    assert schedule([0, 2, 2.001, 4, 4.001, 5]).tolist() == [1, 1, 3, 3, 5, 5]
    assert schedule.values.tolist() == [1, 1, 3, 3, 5]


@every_kind
def test_pickle_keeps_the_schedule(schedule):
    schedule.kappa(0.1)
    copy = pickle.loads(pickle.dumps(schedule))
    assert copy == schedule and hash(copy) == hash(schedule)
    assert np.array_equal(copy.values, schedule.values) and not copy.values.flags.writeable


# --- integrals ---


@every_kind
@pytest.mark.parametrize("end", [0.4, 1, 23.7, STEPS])
def test_kappa_and_nu_are_the_integrals(schedule, end):
    assert schedule.kappa(0.7, end) == pytest.approx(0.7 * quadrature(schedule, end), rel=2e-13)
    assert schedule.nu(end) == pytest.approx(quadrature(lambda s: schedule(s) ** 2, end), rel=2e-13)


def test_integrals_have_the_closed_forms_of_the_sources():
    a, b, steps, weight_decay = 0.01, 0.002, 2000, 0.3
    assert linear(a, steps, b).kappa(weight_decay) == pytest.approx(weight_decay * (a + b) * steps / 2, rel=1e-14)
    assert linear(a, steps, b).nu() == pytest.approx((a**2 + a * b + b**2) * steps / 3, rel=1e-14)
    assert cosine(a, steps, b).kappa(weight_decay) == pytest.approx(weight_decay * (a + b) * steps / 2, rel=1e-14)
    assert cosine(a, steps, b).nu() == pytest.approx((3 * a**2 + 2 * a * b + 3 * b**2) * steps / 8, rel=1e-14)
    t1, t2 = 300, 1500
    schedule = wsd(a, steps, t1, steps - t2)
    assert schedule.kappa(weight_decay) == pytest.approx(weight_decay * a * (steps + t2 - t1) / 2, rel=1e-14)
    assert schedule.nu() == pytest.approx(a**2 * (steps + 2 * t2 - 2 * t1) / 3, rel=1e-14)


@given(any_kind, any_kind, step_in_run, st.floats(0, 5))
def test_joined_schedules_add_up(first, second, step, weight_decay):
    both = join(first, second)
    assert both.kappa(weight_decay, STEPS + step) == pytest.approx(
        first.kappa(weight_decay) + second.kappa(weight_decay, step), rel=1e-13
    )
    assert both.nu(STEPS + step) == pytest.approx(first.nu() + second.nu(step), rel=1e-13)


@no_deadline
@given(any_kind, st.floats(1e-3, 1e3), any_decay, step_in_run)
def test_scaled(schedule, factor, weight_decay, step):
    scaled = schedule.scaled(factor)
    assert np.allclose(scaled.values, factor * schedule.values, rtol=1e-14, atol=0)
    assert scaled.nu(step) == pytest.approx(factor**2 * schedule.nu(step), rel=1e-13)
    # The exponent knows only lr * weight_decay.
    expected = factor**2 * schedule.decayed_nu(weight_decay * factor, step)
    assert scaled.decayed_nu(weight_decay, step) == pytest.approx(expected, rel=1e-11)


# --- kappa with a weight decay that varies ---


@every_kind
def test_kappa_of_a_decay_proportional_to_the_learning_rate(schedule):
    steps = np.arange(STEPS + 1)
    assert np.allclose(schedule.kappa(schedule.scaled(0.7), steps), 0.7 * schedule.nu(steps), rtol=2e-13, atol=0)


@every_kind
def test_kappa_of_a_decay_given_step_by_step(schedule):
    decay = np.random.default_rng(1).uniform(0, 2, STEPS)
    parts = [
        value * (schedule.kappa(1.0, step + 1) - schedule.kappa(1.0, step)) for step, value in enumerate(decay)
    ]
    assert np.allclose(schedule.kappa(decay, np.arange(1, STEPS + 1)), np.cumsum(parts), rtol=1e-12)
    assert schedule.kappa(decay) == schedule.kappa(from_array(decay))
    assert schedule.kappa(np.full(STEPS, 0.7)) == pytest.approx(schedule.kappa(0.7), rel=1e-13)


@given(any_kind, any_kind, step_in_run)
def test_kappa_of_two_schedules(lr, decay, end):
    expected = quadrature(lambda s: lr(s) * decay(s), end)
    assert lr.kappa(decay, end) == pytest.approx(expected, rel=2e-13)
    assert decay.kappa(lr, end) == pytest.approx(expected, rel=2e-13)


def test_is_constant():
    assert constant(0.1, 5).is_constant and wsd(0.1, 5, 0, 0).is_constant and decay_schedule(0.0, 5).is_constant
    assert join(constant(0.1, 2), constant(0.1, 3)).is_constant
    assert not join(constant(0.1, 2), constant(0.2, 3)).is_constant
    assert not cosine(0.1, 5).is_constant and not from_array([0.1, 0.2]).is_constant


def test_decay_schedule():
    assert decay_schedule(0.0, 3).values.tolist() == [0, 0, 0]
    assert decay_schedule(0.1, 3) == constant(0.1, 3)
    assert decay_schedule([0, 0.5, 1], 3) == from_array([0, 0.5, 1])
    schedule = cosine(1.0, 3)
    assert decay_schedule(schedule, 3) is schedule


# --- decayed nu ---


def linear_in_many_digits(lr, final_lr, steps, weight_decay, s):
    """The closed form with erfc and erfi, which cancels; hence 400 digits."""
    with mpmath.workdps(400):
        a, b, length, decay, s = map(mpmath.mpf, (lr, final_lr, steps, weight_decay, s))
        slope = (b - a) / length
        if decay == 0:
            return ((a + slope * s) ** 3 - a**3) / (3 * slope)
        c = decay / slope  # the exponent is c (eta_u^2 - eta_s^2)
        def antiderivative(x):
            y = mpmath.sqrt(abs(c)) * x
            gauss = mpmath.erfi(y) if c > 0 else -mpmath.erfc(y)
            return (x * mpmath.exp(c * x * x) - mpmath.sqrt(mpmath.pi / abs(c)) / 2 * gauss) / (2 * c)
        end = a + slope * s
        return (antiderivative(end) - antiderivative(a)) * mpmath.exp(-c * end * end) / slope


@pytest.mark.parametrize("ends", [(1, 0), (0, 1), (1, 0.1), (0.1, 1), (1, 0.999), (0.999, 1), (1, 1e-6), (1e-6, 1)])
@pytest.mark.parametrize("kappa", [0, 1e-8, 1e-3, 0.4, 0.6, 1.1, 30, 1e4])
def test_decayed_nu_of_a_line(ends, kappa):
    schedule = linear(ends[0], 1000, ends[1])
    weight_decay = kappa / schedule.kappa(1.0)
    for step in (1, 333, 999, 1000):
        expected = float(linear_in_many_digits(*ends, 1000, weight_decay, step))
        assert schedule.decayed_nu(weight_decay, step) == pytest.approx(expected, rel=1e-13, abs=0)


@pytest.mark.parametrize("kappa", [0.01, 1, 10, 100])
def test_decayed_nu_of_a_line_to_zero(kappa):
    steps, lr = 2000, 0.01
    schedule = linear(lr, steps)
    with mpmath.workdps(50):
        x = 2 * mpmath.mpf(kappa)
        shape = mpmath.sqrt(mpmath.pi) * mpmath.erf(mpmath.sqrt(x)) / (4 * x**1.5) - mpmath.exp(-x) / (2 * x)
    assert schedule.decayed_nu(2 * kappa / (lr * steps)) == pytest.approx(float(steps * lr**2 * shape), rel=1e-13)


def test_decayed_nu_of_wsd():
    schedule = wsd(0.01, 2000, warmup_steps=200, decay_steps=400, final_lr=0.001)
    for weight_decay in (1e-9, 0.05, 0.5, 50.0):
        with mpmath.workdps(50):
            twice = 2 * mpmath.mpf(weight_decay)
            value = linear_in_many_digits(0, 0.01, 200, weight_decay, 200)
            keep = mpmath.exp(-twice * 14)
            value = value * keep + mpmath.mpf(0.01) / twice * (1 - keep)
            value *= mpmath.exp(-twice * mpmath.mpf("2.2"))
            expected = float(value + linear_in_many_digits(0.01, 0.001, 400, weight_decay, 400))
        assert schedule.decayed_nu(weight_decay) == pytest.approx(expected, rel=1e-13)


@every_kind
@pytest.mark.parametrize("weight_decay", [1e-4, 0.3, 5.0, 100.0])
def test_decayed_nu_is_the_integral(schedule, weight_decay):
    ends = np.array([0.7, 1, 17.3, STEPS])
    expected = [
        quadrature(lambda s: np.exp(2 * (schedule.kappa(weight_decay, s) - kappa)) * schedule(s) ** 2, end)
        for end, kappa in zip(ends, schedule.kappa(weight_decay, ends))
    ]
    # The reference knows its exponent, up to 3600, to 16 digits.
    assert np.allclose(schedule.decayed_nu(weight_decay, ends), expected, rtol=5e-12, atol=0)


@pytest.mark.parametrize("kappa", [1e-3, 2, 50, 1000])
@pytest.mark.parametrize("step", [1, 400, 1000])
def test_decayed_nu_of_a_cosine_in_many_digits(kappa, step):
    schedule, weight_decay = cosine(1.0, 1000), kappa / 500
    def total(s):
        return s / 2 + 500 / mpmath.pi * mpmath.sin(mpmath.pi * s / 1000)
    def integrand(s):
        lr = (1 + mpmath.cos(mpmath.pi * s / 1000)) / 2
        return mpmath.exp(-2 * weight_decay * (total(step) - total(s))) * lr**2
    with mpmath.workdps(25):
        edges = sorted({0, step, *(step * (1 - mpmath.mpf(2) ** -n) for n in range(1, 20))})
        expected = float(mpmath.quad(integrand, edges, maxdegree=4))
    assert schedule.decayed_nu(weight_decay, step) == pytest.approx(expected, rel=1e-12)
    assert schedule.decayed_nu(weight_decay, np.arange(1, 1001))[step - 1] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("a", [0.0, 0.3, 1 - 1e-9, 1.0, 1 + 1e-9, 4.0, 1e6])
def test_decayed_nu_of_inverse_time(a):
    """With q = 1 + s / tau and a = 2 lambda eta_0 tau: eta_0^2 tau times the integral of q_s^(a-2) q_t^-a dq_s."""
    schedule = inverse_time(0.5, 1000, timescale=32.0)
    for step in (1, 1000):
        with mpmath.workdps(40):
            q, power = 1 + mpmath.mpf(step) / 32, mpmath.mpf(a) - 1
            integral = mpmath.log(q) if power == 0 else (q**power - 1) / power
            expected = float(8 * integral * q ** -(power + 1))
        assert schedule.decayed_nu(a / 32, step) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("rate", [0.75, 1.0, 4.0])
def test_on_inverse_time_the_ratio_to_the_equilibrium_has_a_limit(rate):
    """rho / (eta / 2 lambda) tends to 2 lambda c / (2 lambda c - 1) for eta = c / s."""
    schedule = inverse_time(0.5, 10**12, timescale=2 * rate)  # c = rate, and lambda = 1
    ratio = schedule.decayed_nu(1.0) / (float(schedule(10**12)) / 2)
    assert ratio == pytest.approx(2 * rate / (2 * rate - 1), rel=1e-5)


@no_deadline
@given(any_kind, any_decay, step_in_run)
def test_decayed_nu_has_its_bounds(schedule, weight_decay, step):
    nu, value = schedule.nu(step), schedule.decayed_nu(weight_decay, step)
    keep = np.exp(-2 * schedule.kappa(weight_decay, step))
    assert keep * nu * (1 - 1e-12) <= value <= nu * (1 + 1e-12)


@no_deadline
@given(any_kind, any_kind, any_decay, step_in_run)
def test_decayed_nu_is_chained(first, second, weight_decay, step):
    keep = np.exp(-2 * second.kappa(weight_decay, step))
    expected = keep * first.decayed_nu(weight_decay) + second.decayed_nu(weight_decay, step)
    assert join(first, second).decayed_nu(weight_decay, STEPS + step) == pytest.approx(expected, rel=1e-12)


@no_deadline
@given(any_kind, any_decay, st.lists(step_in_run, min_size=1, max_size=8))
def test_decayed_nu_does_not_depend_on_the_other_steps(schedule, weight_decay, steps):
    together = schedule.decayed_nu(weight_decay, steps)
    assert np.allclose(together, [schedule.decayed_nu(weight_decay, s) for s in steps], rtol=1e-12, atol=0)


@pytest.mark.parametrize("make", [cosine, lambda lr, steps: inverse_time(lr, steps, 50.0, 0.5), linear, wsd])
def test_decayed_nu_of_a_long_run_at_every_step(make):
    steps = 100_000
    schedule = make(0.01, steps, 1000, 20_000) if make is wsd else make(0.01, steps)
    every = schedule.decayed_nu(0.01, np.arange(1, steps + 1))
    some = [1, 999, 32_769, 65_537, 99_999, steps]
    assert np.allclose(every[np.array(some) - 1], [schedule.decayed_nu(0.01, s) for s in some], rtol=1e-11, atol=0)


@every_kind
def test_decayed_nu_without_decay_is_nu(schedule):
    steps = np.linspace(0, STEPS, 7).reshape(1, 7)
    assert np.array_equal(schedule.decayed_nu(0.0, steps), schedule.nu(steps))
    assert np.allclose(schedule.decayed_nu(1e-20, steps), schedule.nu(steps), rtol=1e-13, atol=0)


def test_decayed_nu_of_held_rates_is_that_of_joined_constants():
    rates = [0.3, 0.0, 0.1, 0.5]
    joined = join(*(constant(rate, 1) if rate else linear(1e-300, 1) for rate in rates))
    steps = np.linspace(0, 4, 17)
    assert np.allclose(from_array(rates).decayed_nu(0.8, steps), joined.decayed_nu(0.8, steps), rtol=1e-14, atol=0)


# --- shapes and extremes ---


@every_kind
def test_shapes(schedule):
    for method in (schedule.nu, lambda s=None: schedule.kappa(0.1, s), lambda s=None: schedule.decayed_nu(0.1, s),
                   lambda s=None: schedule.kappa(schedule, s)):
        assert isinstance(method(), float) and isinstance(method(3), float)
        assert method() == method(STEPS)
        assert method(np.array([[1, 2.5], [0, STEPS]])).shape == (2, 2)
        assert method([]).shape == (0,)
        assert method(0) == 0


@no_deadline
@given(
    st.sampled_from([5e-324, 1e-300, 1e-100, 1e-5, 1.0, 1e100]), st.sampled_from([1, 2, 10**6, 2**53]),
    st.sampled_from([0.0, 5e-324, 1e-300, 1e-100, 1.0, 1e50, 1e100]), st.sampled_from([1e-100, 1e-3, 1e100]),
    st.sampled_from([1e-100, 0.5, 1.0, 2.0, 100.0]), fraction, fraction,
)
def test_extreme_numbers_stay_finite(lr, steps, weight_decay, timescale, power, share, part):
    schedules = [
        constant(lr, steps), linear(lr, steps, lr * share), linear(0.0, steps, lr), cosine(lr, steps, lr * share),
        wsd(lr, steps, int(steps * share * part), int(steps * (1 - share) * part)), from_array([lr, 0.0, lr * share]),
        inverse_time(lr, steps, timescale, power),
    ]
    for schedule in schedules:
        step = np.array([0.0, part, part * schedule.steps, schedule.steps])
        kappa, nu = schedule.kappa(weight_decay, step), schedule.nu(step)
        value = schedule.decayed_nu(weight_decay, step)
        assert np.isfinite([kappa, nu, value, schedule.kappa(schedule, step)]).all()
        # Numbers below 1e-300 lose digits.
        assert np.all(value <= nu * (1 + 1e-9) + 1e-300)
        assert np.all(value >= np.exp(-2 * kappa) * nu * (1 - 1e-9) - 1e-300)


# --- bad input ---


@pytest.mark.parametrize("make, message", [
    (lambda: constant(0.0, 5), "lr must be positive, got lr=0.0"),
    (lambda: constant(float("nan"), 5), "lr must be finite, got lr=nan"),
    (lambda: constant([0.1, 0.2], 5), r"lr must be one number, got lr=\[0.1, 0.2\]"),
    (lambda: constant("fast", 5), "lr must be a number or an array of numbers, got lr='fast'"),
    (lambda: constant("0.1", 5), "lr must be a number or an array of numbers, got lr='0.1'"),
    (lambda: constant(True, 5), "lr must be a number or an array of numbers, got lr=True"),
    (lambda: constant(1e101, 5), r"lr must be at most 1e\+100 in size, got lr=1e\+101"),
    (lambda: constant(0.1, 0), "steps must be an integer >= 1, got steps=0"),
    (lambda: constant(0.1, 2.0), "steps must be an integer >= 1, got steps=2.0"),
    (lambda: constant(0.1, True), "steps must be an integer >= 1, got steps=True"),
    (lambda: constant(0.1, 2**53 + 1), r"steps must be at most 2\*\*53, got steps=9007199254740993"),
    (lambda: from_array([]), r"values must have shape \(T,\) with T >= 1, got shape \(0,\)"),
    (lambda: from_array(0.1), r"values must have shape \(T,\) with T >= 1, got shape \(\)"),
    (lambda: from_array([0.1, -0.2]), "values must not be negative"),
    (lambda: from_array([0.1, np.inf]), "values must be finite"),
    (lambda: from_array([True, False]), "values must be a number or an array of numbers"),
    (lambda: linear(-0.1, 5), "lr must not be negative, got lr=-0.1"),
    (lambda: linear(0.1, 5, -0.1), "final_lr must not be negative, got final_lr=-0.1"),
    (lambda: linear(0.0, 5), "lr or final_lr must be positive, got lr=0.0, final_lr=0.0"),
    (lambda: linear(0.1, 0), "steps must be an integer >= 1, got steps=0"),
    (lambda: cosine(0.0, 5), "lr must be positive, got lr=0.0"),
    (lambda: cosine(0.1, 5, float("nan")), "final_lr must be finite, got final_lr=nan"),
    (lambda: wsd(0.1, 10, 6, 5),
     r"warmup_steps \+ decay_steps must be at most steps, got warmup_steps=6, decay_steps=5, steps=10"),
    (lambda: wsd(0.1, 10, -1, 5), "warmup_steps must be an integer >= 0, got warmup_steps=-1"),
    (lambda: wsd(0.1, 10, 1, 0.5), "decay_steps must be an integer >= 0, got decay_steps=0.5"),
    (lambda: inverse_time(0.1, 5, 0.0), "timescale must be positive, got timescale=0.0"),
    (lambda: inverse_time(0.1, 5, 1e-101), "timescale must be at least 1e-100, got timescale=1e-101"),
    (lambda: inverse_time(0.1, 5, 1.0, power=-1.0), "power must be positive, got power=-1.0"),
    (lambda: inverse_time(0.1, 5, 1.0, power=101), "power must be at most 100, got power=101"),
    (lambda: join(), "schedules must hold at least one Schedule, got none"),
    (lambda: join(constant(0.1, 5), 0.1), r"schedules\[1\] must be a Schedule, got 0.1"),
    (lambda: constant(0.1, 5).scaled(0.0), "factor must be positive, got factor=0.0"),
    (lambda: constant(1e60, 5).scaled(1e60), r"factor must leave learning rates of at most 1e\+100, got factor=1e\+60"),
    (lambda: constant(0.1, 5)(5.5), r"step must lie in \[0, 5\], got step=5.5"),
    (lambda: constant(0.1, 5).nu(-1), r"step must lie in \[0, 5\], got step=-1"),
    (lambda: constant(0.1, 5).kappa(-1.0), "weight_decay must not be negative, got weight_decay=-1.0"),
    (lambda: constant(0.1, 5).kappa(True), "weight_decay must be a number or an array of numbers, got weight_decay=True"),
    (lambda: constant(0.1, 5).kappa([0.1, 0.2]), r"weight_decay must be a number, a Schedule, or have shape \(5,\)"),
    (lambda: constant(0.1, 5).kappa(constant(0.1, 4)), "weight_decay must have 5 steps, got a Schedule of 4 steps"),
    (lambda: constant(0.1, 5).decayed_nu([0.1] * 5), "weight_decay must be one number, got"),
    (lambda: constant(0.1, 5).decayed_nu(float("inf")), "weight_decay must be finite, got weight_decay=inf"),
    (lambda: require_schedule(0.1), r"schedule must be a Schedule, such as constant\(lr, steps\), got schedule=0.1"),
])
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()
