"""Learning-rate schedules: values, integrals, bad input."""
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from derivations.adamw import constant, from_array


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


@pytest.mark.parametrize("make, message", [
    (lambda: constant(0.0, 5), "lr must be positive, got lr=0.0"),
    (lambda: constant(float("nan"), 5), "lr must be finite, got lr=nan"),
    (lambda: constant([0.1, 0.2], 5), r"lr must be one number, got lr=\[0.1, 0.2\]"),
    (lambda: constant("fast", 5), "lr must be a number or an array of numbers, got lr='fast'"),
    (lambda: constant(0.1, 0), "steps must be an integer >= 1, got steps=0"),
    (lambda: constant(0.1, True), "steps must be an integer >= 1, got steps=True"),
    (lambda: from_array([]), r"values must have shape \(T,\) with T >= 1, got shape \(0,\)"),
    (lambda: from_array([0.1, -0.2]), "values must not be negative"),
    (lambda: constant(0.1, 5)(5.5), r"step must lie in \[0, 5\], got step=5.5"),
    (lambda: constant(0.1, 5).kappa(-1.0), "weight_decay must not be negative, got weight_decay=-1.0"),
])
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()
