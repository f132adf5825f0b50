"""Controls: the values that they offer, and what they refuse."""
import math

import pytest
from derivations.explore import choice, log_slider, slider, toggle
from hypothesis import given
from hypothesis import strategies as st


def test_slider_offers_both_ends_in_exact_decimals():
    control = slider(0, 1, 0.1, value=0.3, unit="rad")
    assert control.values == (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    assert control.default == 0.3
    assert control.shown[3] == "0.3 rad"


def test_slider_of_ints_offers_ints():
    control = slider(-2, 4, 3)
    assert control.values == (-2, 1, 4)
    assert all(type(value) is int for value in control.values)
    assert control.texts == ("-2", "1", "4")


def test_slider_reaches_an_end_that_is_not_a_decimal():
    control = slider(0, math.pi, math.pi / 12)
    assert len(control.values) == 13
    assert control.values[-1] == math.pi


@given(st.integers(-50, 50), st.integers(1, 40), st.sampled_from([0.01, 0.05, 0.25, 0.1, 1e-3, 2.5]))
def test_slider_has_even_steps(first, count, step):
    start = first * step
    control = slider(start, start + count * step, step)
    assert len(control.values) == count + 1
    assert all(math.isclose(b - a, step, rel_tol=1e-6) for a, b in zip(control.values, control.values[1:]))
    assert len(set(control.keys)) == count + 1


def test_log_slider_meets_powers_of_ten():
    control = log_slider(1e-5, 1e-1, 9, value=1e-3)
    assert control.values[::2] == (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
    assert control.texts[:3] == ("1e-5", "3.16e-5", "0.0001")


def test_close_values_get_the_digits_that_tell_them_apart():
    assert log_slider(1, 1.001, 3).texts == ("1", "1.0005", "1.001")


@pytest.mark.parametrize("make, default", [
    (lambda: log_slider(1e-17, 1e-13, 5, value=1e-14), 1e-14),
    (lambda: slider(0, 5e-13, 1e-13, fmt="g", value=3e-13), 3e-13),
    (lambda: slider(0, 1, 0.1, value=0.1 + 0.2), 0.3),
    (lambda: slider(10**12, 10**12 + 3, 1, value=10**12 + 2), 10**12 + 2),
    (lambda: choice([1e-17, 1e-14], value=1e-14), 1e-14),
])
def test_the_nearest_value_is_shown_first(make, default):
    assert make().default == default


def test_tiny_steps_are_told_apart():
    assert slider(0, 5e-13, 1e-13).texts == ("0", "1e-13", "2e-13", "3e-13", "4e-13", "5e-13")
    assert slider(1e6, 1e6 + 3e-6, 1e-6).texts[1:3] == ("1000000.000001", "1000000.000002")


def test_what_rounding_leaves_of_zero_is_zero():
    control = slider(-math.pi, math.pi, math.pi / 4, value=0)
    assert control.default == 0
    assert control.texts[3:6] == ("-0.785", "0", "0.785")
    assert control.keys[4] == "0"


def test_keys_differ():
    assert slider(10**12, 10**12 + 2, 1).keys == ("1000000000000", "1000000000001", "1000000000002")
    assert slider(1e6, 1e6 + 2e-6, 1e-6).keys == ("1000000.0", "1000000.000001", "1000000.000002")


def test_choice_of_a_dict_maps_text_to_value():
    control = choice({"sphere": 1, "plane": 0}, value=0)
    assert control.texts == ("sphere", "plane")
    assert control.default == 0
    assert control.keys == ("sphere", "plane")


def test_choice_takes_any_object():
    def square(x):
        return x * x

    assert choice({"square": square, "sine": math.sin}, value=math.sin).start == 1


def test_toggle_gives_booleans():
    assert toggle().values == (False, True)
    assert toggle(True).default is True


@pytest.mark.parametrize("make, message", [
    (lambda: slider(1, 1, 1), "stop must be greater than start, got start=1, stop=1"),
    (lambda: slider(2, 1, 1), "stop must be greater than start, got start=2, stop=1"),
    (lambda: slider(0, 1, 0), "step must be positive, got step=0"),
    (lambda: slider(0, 1, -0.1), "step must be positive, got step=-0.1"),
    (lambda: slider(0, 1, 0.3), "whole number of steps, got start=0, stop=1, step=0.3"),
    (lambda: slider(0, 1, 5), "whole number of steps"),
    (lambda: slider(float("nan"), 1, 1), "start must be a finite number, got start=nan"),
    (lambda: slider(0, float("inf"), 1), "stop must be a finite number, got stop=inf"),
    (lambda: slider(0, 1, "x"), "step must be a finite number, got step='x'"),
    (lambda: slider(0, 1, 0.5, value=0.3), "value must be one of the offered values 0.0, 0.5, 1.0, got value=0.3"),
    (lambda: slider(0, 1, 0.5, value="0.5"), "value must be one of the offered values 0.0, 0.5, 1.0, got value='0.5'"),
    (lambda: slider(0, 1, 0.5, value=float("nan")), "value must be one of the offered values .* got value=nan"),
    (lambda: slider(0, 5e-13, 1e-13, value=2.5e-13), "value must be one of the offered values"),
    (lambda: log_slider(1e-17, 1e-13, 5, value=0), "value must be one of the offered values"),
    (lambda: slider(10**12, 10**12 + 3, 2), "whole number of steps"),
    (lambda: slider(0, 1, 0.5, label=3), "label must be a str, got label=3"),
    (lambda: toggle(label="$$x$$"), "label must write its maths between single dollar signs"),
    (lambda: slider(0, 1, 0.5, fmt=".0f"), "fmt must tell all values apart"),
    (lambda: slider(0, 1, 0.5, fmt="q"), "fmt must be a format specification .*got fmt='q'"),
    (lambda: log_slider(0, 1, 3), "start must be positive on a logarithmic slider, got start=0"),
    (lambda: log_slider(1, 10, 1), "steps must be a whole number of at least 2, got steps=1"),
    (lambda: log_slider(1, 10, 2.5), "steps must be a whole number of at least 2, got steps=2.5"),
    (lambda: log_slider(10, 1, 3), "stop must be greater than start"),
    (lambda: choice([]), "a control must offer at least 2 values"),
    (lambda: choice("ab"), "options must be a list or a dict, got options='ab'"),
    (lambda: choice([1, 1]), "options must look different from one another"),
    (lambda: choice([1, 2], value=3), "value must be one of the offered values 1, 2, got value=3"),
    (lambda: toggle("yes"), "value must be True or False, got value='yes'"),
])
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
