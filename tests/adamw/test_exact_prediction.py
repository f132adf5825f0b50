"""The method "exact" against simulated AdamW, in standard errors; predictions of many settings; bad input."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derivations.adamw import (
    METHODS, constant, cosine, equilibrium_rms, from_array, join, laplace, linear, predict_many, predict_weight_rms,
    rademacher, simulate, student_t, wsd,
)

SCHEDULES = {
    "constant": constant(0.01, 2000),
    "linear": linear(0.01, 2000),
    "cosine": cosine(0.01, 2000),
    "wsd": wsd(0.01, 2000, 200, 400),
}


def distance(schedule, weight_decay, betas, seed, **model):
    """Prediction minus simulation: in standard errors, and relative to the mean square."""
    run = simulate(schedule, weight_decay, betas, parameters=32_768, rng=np.random.default_rng(seed), **model)
    law = model.pop("gradients", None)
    predicted = predict_weight_rms(schedule, weight_decay, betas, law=law, **model)
    return (predicted - run.rms) / run.standard_error, (predicted / run.rms) ** 2 - 1


@pytest.mark.parametrize("betas", [(0.9, 0.95), (0.95, 0.95), (0.99, 0.999)])
@pytest.mark.parametrize("name", SCHEDULES)
def test_exact_is_within_four_standard_errors_and_half_a_per_cent(name, betas):
    """A part of the grid of benchmarks/prediction_accuracy.py, from which the book's table comes."""
    decay = 2 / float(SCHEDULES[name].kappa(1.0))
    errors, relative = distance(SCHEDULES[name], decay, betas, seed=len(name), init_rms=0.02)
    assert abs(errors) < 4 and abs(relative) < 5e-3


@pytest.mark.parametrize("ratio", [0.01, 0.05, 0.3, 1.0])
def test_exact_with_a_mean_gradient(ratio):
    errors, relative = distance(constant(0.01, 3000), 0.3, (0.9, 0.95), seed=3, gradient_mean=ratio)
    frozen = predict_weight_rms(constant(0.01, 3000), 0.3, gradient_mean=ratio, method="recursion")
    exact = predict_weight_rms(constant(0.01, 3000), 0.3, gradient_mean=ratio)
    assert abs(relative) < 3e-3
    assert abs((frozen / exact) ** 2 - 1) > 2 * abs(relative) and (abs(errors) < 4 or abs(relative) < 2e-3)


def test_exact_with_a_start_aligned_with_the_mean_gradient():
    model = dict(gradient_mean=0.03, init_rms=0.5, init_mean=0.5)
    _, relative = distance(constant(0.01, 2000), 0.05, (0.9, 0.95), seed=4, **model)
    assert abs(relative) < 5e-3


@pytest.mark.parametrize("law", [rademacher(), laplace(), student_t(5)])
def test_exact_with_other_laws(law):
    errors, relative = distance(constant(0.01, 2500), 0.1, (0.9, 0.95), seed=5, gradients=law)
    assert abs(errors) < 4 and abs(relative) < 5e-3


@pytest.mark.parametrize("eps", [0.01, 0.1, 0.5])
def test_a_visible_eps_is_good_to_a_third_of_a_per_cent(eps):
    errors, relative = distance(constant(0.01, 2500), 0.1, (0.9, 0.95), seed=6, eps=eps)
    assert abs(relative) < 3e-3


def test_exact_with_weight_decay_proportional_to_the_learning_rate():
    schedule = join(linear(0.0, 200, 0.01), cosine(0.01, 1800))
    errors, relative = distance(schedule, schedule.scaled(30.0), (0.9, 0.95), seed=7)
    assert abs(errors) < 4 and abs(relative) < 5e-3


def test_equilibrium_of_exact_is_where_a_long_run_ends():
    for model in (dict(), dict(gradient_mean=0.2), dict(eps=0.3, gradient_std=2.0)):
        limit = equilibrium_rms(0.01, 0.5, method="exact", **model)
        assert predict_weight_rms(constant(0.01, 8000), 0.5, **model) == pytest.approx(limit, rel=1e-9)


def test_components_without_noise_and_without_mean():
    """sigma = 0 drives the weight to -sign(mu) / lambda at full speed; both factors are then 1."""
    rms = predict_weight_rms(constant(0.01, 4000), 0.5, gradient_mean=[0.3, 0.0], gradient_std=[0.0, 1.0])
    assert rms[0] == pytest.approx(2.0, rel=1e-6)
    assert rms[1] == pytest.approx(predict_weight_rms(constant(0.01, 4000), 0.5), rel=1e-6)


def test_many_predictions_equal_single_ones():
    rng = np.random.default_rng(9)
    several = [
        dict(schedule=cosine(lr, 300), weight_decay=decay, method=method, gradient_mean=mean)
        for lr, decay, method, mean in zip(
            rng.uniform(1e-3, 0.1, 24), rng.uniform(0, 2, 24), 4 * METHODS[:6], 6 * (0.0, 0.0, 0.1, 0.0)
        )
    ]
    several += [
        dict(schedule=linear(0.1, 300), weight_decay=linear(1.0, 300), betas=(0.5, 0.9)),
        dict(schedule=linear(0.1, 300), weight_decay=0.2, betas=(0.5, 0.9), init_rms=[0.1, 0.2]),
        dict(schedule=constant(0.1, 7), weight_decay=0.2, bias_correction=False),
    ]
    for flag in (False, True):
        together = predict_many(several, trajectory=flag)
        for setting, answer in zip(several, together):
            np.testing.assert_allclose(answer, predict_weight_rms(**setting, trajectory=flag), rtol=1e-12)


rates = st.lists(st.just(0.0) | st.floats(1e-9, 0.5), min_size=1, max_size=40)


@settings(deadline=None)
@given(
    rates, st.floats(0, 2), st.floats(0, 0.99), st.floats(0.5, 0.9999), st.floats(0, 1e3), st.floats(-1, 1),
    st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.floats(0, 10), st.sampled_from(METHODS[:-1]),
)
def test_legal_input_gives_a_finite_answer(lr, decay, beta1, beta2, init_rms, share, mean, std, eps, method):
    rms = predict_weight_rms(
        from_array(lr), decay, (beta1, beta2), eps, init_rms, share * init_rms, mean, std, method=method, trajectory=True
    )
    assert rms.shape == (len(lr),) and np.all(np.isfinite(rms)) and np.all(rms >= 0)


@settings(deadline=None)
@given(rates, st.floats(0, 2), st.floats(1e-6, 1e6), st.sampled_from(METHODS[:-1]))
def test_the_unit_of_the_gradient_does_not_matter(lr, decay, unit, method):
    model = dict(eps=0.1, gradient_mean=0.3, gradient_std=1.2)
    scaled = {name: unit * value for name, value in model.items()}
    one, two = (predict_weight_rms(from_array(lr), decay, method=method, **m) for m in (model, scaled))
    assert one == pytest.approx(two, rel=1e-9)


@settings(deadline=None)
@given(rates, st.floats(0, 2), st.floats(1e-3, 1e3), st.sampled_from(METHODS[:-1]))
def test_weights_scale_with_the_learning_rate(lr, decay, unit, method):
    """Learning rate times c, weight decay over c, start times c: all weights times c."""
    one = predict_weight_rms(from_array(lr), decay, init_rms=0.2, method=method)
    two = predict_weight_rms(from_array(unit * np.array(lr)), decay / unit, init_rms=0.2 * unit, method=method)
    assert two == pytest.approx(unit * one, rel=1e-9)


@pytest.mark.parametrize("call, message", [
    (lambda: predict_weight_rms(constant(0.1, 3), 0.1, betas=(0.9, 0.0)), "betas=.* make the mean square of the update"),
    (lambda: predict_weight_rms(constant(0.1, 3), 0.1, betas=(1.0, 0.9)), r"betas must lie in \[0, 1\), got betas="),
    (lambda: predict_weight_rms(constant(0.1, 3), 0.1, law="laplace"), "law must be a Law, .*, got law='laplace'"),
    (lambda: predict_weight_rms(constant(0.1, 3), 0.1, law=laplace(), gradient_mean=0.1), "needs normal gradients"),
    (lambda: predict_weight_rms(constant(1.0, 5000), 2.5), "the weights grow beyond all bounds, with .* up to 2.5"),
    (lambda: predict_weight_rms(constant(0.1, 3), float("nan")), "weight_decay must be finite, got weight_decay=nan"),
    (lambda: predict_many([{}]), r"settings\[0\]"),
    (lambda: predict_weight_rms(constant(1e-200, 5), 0.1), "schedule must have a peak of at least 1e-100, got 1e-200"),
    (lambda: predict_weight_rms(constant(0.1, 5), 0.1, eps="0.1"), "eps must be a number or an array of numbers, got eps='0.1'"),
    (lambda: predict_weight_rms(constant(0.1, 5), 0.1, init_rms=True), "init_rms must be a number or an array"),
    (lambda: predict_weight_rms(constant(0.1, 5), 0.1, betas="00"), "betas must be two numbers, got betas='00'"),
    (lambda: predict_weight_rms(constant(0.1, 5), 0.1, trajectory="no"), "trajectory must be True or False, got trajectory='no'"),
    (lambda: predict_weight_rms(constant(0.1, 5), 0.1, bias_correction=1), "bias_correction must be True or False, got"),
    (lambda: predict_weight_rms(constant(0.1, 5), 0.1, init_rms=1e160),
     "init_rms must be at most 1e\\+100 in size, got init_rms=1e\\+160"),
    (lambda: predict_weight_rms(constant(0.1, 5), 0.1, eps=[0.1, 0.2], init_rms=[1, 2, 3]),
     r"shapes must broadcast, got eps \(2,\), init_rms \(3,\)"),
    (lambda: predict_weight_rms(constant(0.1, 20), np.where(np.arange(20) == 7, -1.0, 0.1)),
     r"weight_decay must not be negative, got weight_decay\[7\]=-1.0"),
    (lambda: predict_many([dict(schedule=constant(0.1, 3), weight_decay=0.1), dict(schedule=constant(0.1, 3), weight_decay=-1)]),
     r"settings\[1\].*weight_decay must not be negative, got weight_decay=-1"),
])
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
