"""Weight decay and learning rate for a given RMS: they give it back, and what cannot be had is said."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derivations.adamw import (
    constant, cosine, equilibrium_rms, laplace, linear, lr_for, predict_weight_rms, weight_decay_for, wsd,
)


@settings(deadline=None, max_examples=25)
@given(st.floats(1e-4, 1e-2), st.floats(0.3, 3.0), st.sampled_from(["exact", "recursion", "integral", "mean_field"]))
def test_weight_decay_gives_the_rms_back(lr, factor, method):
    schedule = cosine(lr, 2000)
    target = factor * predict_weight_rms(schedule, 2.0 / (lr * 2000), method=method)
    free = predict_weight_rms(schedule, 0.0, method=method)
    if target >= 0.99 * free:  # less decay than none would be needed
        with pytest.raises(ValueError, match="no weight decay between"):
            weight_decay_for(1.02 * free, schedule, method=method)
    else:
        decay = weight_decay_for(target, schedule, method=method)
        assert predict_weight_rms(schedule, decay, method=method) == pytest.approx(target, rel=1e-8)


@settings(deadline=None, max_examples=25)
@given(st.floats(1e-3, 0.5), st.floats(0.012, 0.1), st.sampled_from([constant, linear, cosine]))
def test_learning_rate_gives_the_rms_back(weight_decay, target, shape):
    lr = lr_for(target, shape(123.0, 500), weight_decay, init_rms=0.01)
    assert predict_weight_rms(shape(lr, 500), weight_decay, init_rms=0.01) == pytest.approx(target, rel=1e-8)


def test_the_largest_of_several_learning_rates_is_returned():
    """From a start of .2 the RMS first falls and then rises with the learning rate; both branches pass through .15."""
    schedule, decay = constant(1.0, 1000), 0.5
    lr = lr_for(0.15, schedule, decay, init_rms=0.2)
    slow = [predict_weight_rms(constant(rate, 1000), decay, init_rms=0.2) for rate in (lr / 100, lr / 10, lr)]
    assert slow[0] > 0.15 and slow[1] < 0.15 and slow[2] == pytest.approx(0.15)


def test_equilibrium_both_ways():
    decay = weight_decay_for(0.05, 1e-3)
    assert equilibrium_rms(1e-3, decay, method="exact") == pytest.approx(0.05, rel=1e-8)
    assert lr_for(0.05, None, decay) == pytest.approx(1e-3, rel=1e-6)


@pytest.mark.parametrize("weight_decay", [0.0, 1e-110, 1e-12, 1e-7, 1e-3])
def test_learning_rate_of_a_random_walk(weight_decay):
    """With hardly any decay the RMS is lr sqrt(T S) after constant rates, whatever the decay."""
    lr = lr_for(0.05, constant(1.0, 4000), weight_decay, method="single_sum")
    assert lr == pytest.approx(0.05 / np.sqrt(4000), rel=1e-6 if weight_decay < 1e-6 else 3e-3)
    if weight_decay:
        assert lr_for(0.05, None, weight_decay, method="leading") == pytest.approx(2 * weight_decay * 0.05**2, rel=1e-8)


def test_other_laws_and_means_in_the_inverse_problem():
    for model in (dict(law=laplace()), dict(gradient_mean=0.05), dict(eps=0.4)):
        decay = weight_decay_for(0.05, 1e-3, **model)
        assert equilibrium_rms(1e-3, decay, **model) == pytest.approx(0.05, rel=1e-8)
        decay = weight_decay_for(0.02, cosine(1e-3, 4000), **model)
        assert predict_weight_rms(cosine(1e-3, 4000), decay, **model) == pytest.approx(0.02, rel=1e-8)


def test_peak_is_the_argument_of_the_schedule():
    for make in (lambda lr: cosine(lr, 400), lambda lr: wsd(lr, 400, 40, 80), lambda lr: linear(0.0, 400, lr)):
        target = predict_weight_rms(make(0.02), 0.3)
        assert lr_for(target, make(1.0), 0.3) == pytest.approx(0.02, rel=1e-7)


@pytest.mark.parametrize("call, message", [
    (lambda: weight_decay_for(-1.0, constant(0.1, 5)), "target_rms must be positive, got target_rms=-1.0"),
    (lambda: weight_decay_for([0.1, 0.2], constant(0.1, 5)), r"target_rms must be one number, got target_rms=\[0.1, 0.2\]"),
    (lambda: weight_decay_for(5.0, constant(0.1, 5)), "no weight decay between .* gives target_rms=5.0: the RMS found"),
    (lambda: weight_decay_for(0.1, [0.1, 0.2]), r"schedule must be one number, got schedule=\[0.1"),
    (lambda: weight_decay_for(0.1, constant(0.1, 5), init_rms=[0.1, 0.2]), "the model must give one RMS, got an RMS of shape"),
    (lambda: lr_for(0.1, None, [0.1, 0.2]), r"weight_decay must be one number, got weight_decay=\[0.1, 0.2\]"),
    (lambda: lr_for(0.1, constant(0.1, 5), 0.01, init_rms=0.2, gradient_mean=9.0), "no learning rate between"),
    (lambda: lr_for(0.1, 0.1, 0.1), "schedule must be a Schedule, such as constant.*, got schedule=0.1"),
    (lambda: lr_for(np.nan, None, 0.1), "target_rms must be finite, got target_rms=nan"),
])
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
