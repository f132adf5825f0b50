"""The weight RMS calculator: its answers are those of the package, and every bad input gets its sentence."""
import inspect
import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from derivations.adamw import (
    METHODS, DoesNotApply, constant, cosine, equilibrium_rms, inverse_time, join, kept_results, linear,
    predict_weight_rms, wsd,
)
from derivations.book.calculators import data_block
from derivations.calculators import weight_rms, weight_rms_figure
from derivations.calculators.weight_rms import (
    DRAWN_POINTS, FIELDS, SCHEDULES, WARNINGS, known_error, make_schedule, page_data,
)
from derivations.commands.options import Parser
from derivations.commands.schedules import add_schedule_arguments, schedule_from

SHORT = {"steps": 400, "warmup_steps": 40, "decay_steps": 100, "timescale": 50.0, "lr": 0.01, "weight_decay": 0.5}


def answer(**fields):
    """An answer without its picture."""
    return weight_rms(**{**SHORT, **fields}, picture=False)


# What the calculator should make of SHORT.
WARMUP = linear(0, 40, 0.01)
MADE = {
    "constant": join(WARMUP, constant(0.01, 360)),
    "linear": join(WARMUP, linear(0.01, 360, 0.001)),
    "cosine": join(WARMUP, cosine(0.01, 360, 0.001)),
    "wsd": wsd(0.01, 400, 40, 100, 0.001),
    "inverse_time": join(WARMUP, inverse_time(0.01, 360, 50.0, 0.7)),
    "drawn": join(linear(0, 16, 0.01), constant(0.01, 64), linear(0.01, 80, 0.009), linear(0.009, 80, 0.0065),
                  linear(0.0065, 80, 0.003), linear(0.003, 48, 0.001), linear(0.001, 32)),
}


@pytest.mark.parametrize("adamc", [False, True])
@pytest.mark.parametrize("kind", SCHEDULES)
def test_methods_are_those_of_the_package(kind, adamc):
    told = answer(schedule=kind, final_lr=0.001, power=0.7, adamc=adamc, init_rms=0.03, beta2=0.99)
    decay = MADE[kind].scaled(0.5 / 0.01) if adamc else 0.5
    assert set(told["methods"]) == set(METHODS)
    for method, row in told["methods"].items():
        try:
            rms = predict_weight_rms(MADE[kind], decay, (0.9, 0.99), init_rms=0.03, method=method)
        except DoesNotApply as error:
            assert row["rms"] is None and row["note"].startswith("does not apply"), error
        else:
            assert row["rms"] == pytest.approx(rms, rel=1e-12)
            assert row["difference"] == pytest.approx(rms / told["methods"]["exact"]["rms"] - 1, abs=1e-12)


def test_a_mean_gradient_and_eps_reach_the_methods():
    told = answer(schedule="linear", warmup_steps=0, gradient_mean=0.2, eps=0.3)
    rms = predict_weight_rms(linear(0.01, 400), 0.5, gradient_mean=0.2, eps=0.3, init_rms=0.02)
    assert told["methods"]["exact"]["rms"] == pytest.approx(rms, rel=1e-12)


def test_totals():
    totals = answer(schedule="linear", warmup_steps=0, init_rms=0.5)["totals"]
    assert totals["kappa"] == pytest.approx(0.5 * 0.01 * 400 / 2)
    assert totals["nu"] == pytest.approx(0.01**2 * 400 / 3)
    assert totals["mean_square_left"] == pytest.approx(np.exp(-2)) and totals["rms_left"] == pytest.approx(np.exp(-1))
    assert totals["time_scale"] == pytest.approx(100)
    end = predict_weight_rms(linear(0.01, 400), 0.5, init_rms=0.5)
    assert totals["of_the_end"] == pytest.approx(np.exp(-2) * (0.5 / end) ** 2)
    assert (totals["peak_lr"], totals["last_lr"]) == (0.01, 0)


def test_equilibria():
    places = {place["where"]: place for place in answer(schedule="linear", warmup_steps=0)["equilibrium"]}
    assert places["peak"]["leading"] == pytest.approx(0.1) and places["peak"]["step"] is None
    assert places["peak"]["exact"] == pytest.approx(equilibrium_rms(0.01, 0.5))
    assert places["last"] == {"where": "last", "step": 400, "lr": 0, "weight_decay": 0.5, "leading": None,
                              "recursion": None, "exact": None}
    values = linear(0.01, 400).values
    step = places["half"]["step"]
    assert 0.5 * values[step - 1:].sum() >= 0.5 > 0.5 * values[step:].sum()


def test_little_decay_has_no_half_unit():
    assert [place["where"] for place in answer(weight_decay=0.01)["equilibrium"]] == ["peak", "last"]
    assert answer(weight_decay=0)["equilibrium"][0]["leading"] is None


@pytest.mark.parametrize("kind", SCHEDULES)
def test_the_inverse_ends_at_the_target(kind):
    found = answer(schedule=kind, target_rms=0.06)["inverse"]
    for change in ({"weight_decay": found["weight_decay"]}, {"lr": found["lr"]}):
        assert answer(schedule=kind, **change)["methods"]["exact"]["rms"] == pytest.approx(0.06, rel=1e-8)


def test_an_inverse_that_does_not_exist_says_why():
    found = answer(target_rms=1000)["inverse"]
    assert found["weight_decay"] is None and "target_rms=1000" in found["notes"][0]
    found = answer(adamc=True, target_rms=0.05)["inverse"]
    assert found["weight_decay"] is None and found["lr"] > 0 and "AdamC" in found["notes"][0]


@pytest.mark.parametrize(("fields", "named"), [
    ({"lr": 0}, "lr"), ({"lr": -1e-3}, "lr"), ({"lr": "fast"}, "lr"), ({"lr": None}, "lr"),
    ({"lr": float("nan")}, "lr"), ({"lr": float("inf")}, "lr"), ({"lr": True}, "lr"),
    ({"lr": [1]}, "lr"), ({"lr": 10**400}, "lr"),
    ({"steps": 0}, "steps"), ({"steps": 1.5}, "steps"), ({"steps": 10**7}, "steps"), ({"steps": "400"}, "steps"),
    ({"warmup_steps": -1}, "warmup_steps"), ({"warmup_steps": 400}, "warmup_steps"),
    ({"schedule": "wsd", "decay_steps": 361}, "decay_steps"), ({"final_lr": -1}, "final_lr"),
    ({"schedule": "inverse_time", "timescale": 0}, "timescale"), ({"schedule": "inverse_time", "power": 0}, "power"),
    ({"weight_decay": -0.1}, "weight_decay"), ({"beta1": 1}, "beta1"), ({"beta2": 1.0}, "beta2"), ({"eps": -1}, "eps"),
    ({"init_rms": -1}, "init_rms"), ({"gradient_mean": 1e9}, "gradient_mean"), ({"target_rms": 0}, "target_rms"),
    ({"schedule": "zigzag"}, "schedule"), ({"schedule": 3}, "schedule"), ({"schedule": []}, "schedule"),
    ({"adamc": "yes"}, "adamc"),
    ({"schedule": "drawn", "points": "abc"}, "points"), ({"schedule": "drawn", "points": None}, "points"),
    ({"schedule": "drawn", "points": []}, "points"), ({"schedule": "drawn", "points": [[0, 1]]}, "points"),
    ({"schedule": "drawn", "points": [[0, 1], [50, 1]]}, "points"),
    ({"schedule": "drawn", "points": [[0, 1], [60, 1], [50, 1], [100, 1]]}, "points"),
    ({"schedule": "drawn", "points": [[0, 1], [100, 101]]}, "points"),
    ({"schedule": "drawn", "points": [[0, 0], [100, 0]]}, "points"),
    ({"schedule": "drawn", "points": [[0, float("nan")], [100, 1]]}, "points"),
])
def test_a_bad_field_is_named_with_its_value(fields, named):
    told = answer(**fields)
    assert set(told) == {"error", "field"} and told["field"] == named
    value = fields[named]
    assert named in told["error"] and (isinstance(value, (float, list)) or str(value)[:80] in told["error"])
    assert "\n" not in told["error"]
    json.dumps(told, allow_nan=False)


def test_weights_without_bounds_are_an_error():
    told = answer(schedule="constant", steps=10_000, lr=1.0, weight_decay=100.0)
    assert "grow beyond all bounds" in told["error"]


@pytest.mark.parametrize(("fields", "expected"), [
    ({"steps": 20_000, "weight_decay": 0.03}, set()), ({"weight_decay": 0.01}, {"start"}),
    ({"steps": 20_000, "weight_decay": 0.5}, {"long"}), ({"weight_decay": 2.0, "steps": 600}, {"fast"}),
    ({"steps": 300, "weight_decay": 0.9, "beta2": 0.99}, {"few"}),
    ({"steps": 20_000, "weight_decay": 0.03, "gradient_mean": 0.5}, {"mean", "other"}),
    ({"steps": 20_000, "weight_decay": 0.03, "eps": 0.5}, {"other"}),
])
def test_warnings(fields, expected):
    told = answer(**fields)["warnings"]
    beginnings = {name: text.split("{")[0] or text.split("}")[1] for name, text in WARNINGS.items()}
    found = {name for name, start in beginnings.items() if any(start in text for text in told)}
    # "start" and "long" begin alike.
    kappa = answer(**fields)["totals"]["kappa"]
    found -= {"start"} if kappa >= 0.5 else {"long"}
    assert found == expected and len(told) == len(expected)


def test_known_errors_are_those_of_the_simulations():
    runs = [run for run in kept_results("prediction_accuracy") if run["schedule"] == "WSD"]
    errors = [abs((1 + run["errors"]["mean_field"]) ** 0.5 - 1) for run in runs]
    assert known_error("mean_field", "wsd") == (
        f"median {100 * np.median(errors):.2f} %, worst {100 * max(errors):.0f} %, 12 WSD runs")
    assert known_error("exact", "drawn").endswith("48 runs of other kinds")
    assert known_error("constant", "cosine") is None


def test_an_answer_is_fit_for_json_and_has_a_picture():
    told = weight_rms(**SHORT, target_rms=0.05)
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert ElementTree.fromstring(told["svg"]).tag == "svg" and "400 steps" in told["alt"]


@pytest.mark.parametrize("fields", [
    {"weight_decay": 0}, {"adamc": True, "gradient_mean": 0.1}, {"schedule": "drawn"},
    {"init_rms": 0, "steps": 1, "warmup_steps": 0}, {"steps": 10**6},
    {"schedule": "drawn", "points": [[0, 100], [50, 100], [50, 0], [100, 0]]},
])
def test_the_picture_of_unusual_runs(fields):
    told = weight_rms(**{**SHORT, **fields})
    assert "error" not in told and "<svg" in told["svg"]


def test_figure_takes_the_fields():
    assert len(weight_rms_figure(**SHORT, schedule="wsd").axes) == 2
    with pytest.raises(ValueError, match="warmup_steps"):
        weight_rms_figure(steps=10, warmup_steps=20)


def test_arguments_and_fields_agree():
    defaults = {name: parameter.default for name, parameter in inspect.signature(weight_rms).parameters.items()}
    for name, field in FIELDS.items():
        assert defaults[name] == field.default
        assert field.default is None or field.low <= field.default <= field.high
    assert set(defaults) - set(FIELDS) == {"schedule", "points", "adamc", "picture"}
    assert defaults["points"] == DRAWN_POINTS


def test_data_of_the_page():
    data = json.loads(json.dumps(page_data(), allow_nan=False))
    assert [0.9, 0.95] in [pair[:2] for pair in data["noise_factors"]]
    assert set(data["errors"]) == set(data["schedules"]) == set(SCHEDULES)
    assert len(data_block("demo", data)) < 12_000


@pytest.mark.parametrize("words", [
    "constant", "constant --warmup-steps 40", "linear --warmup-steps 40 --final-lr 1e-3", "cosine",
    "inverse-time --timescale 50", "cosine --warmup-steps 40 --final-lr 1e-3", "wsd --decay-steps 100",
    "wsd --decay-steps 100 --warmup-steps 300",
    "inverse-time --timescale 50 --power 0.7 --warmup-steps 1",
])
def test_schedules_are_those_of_the_command_line(words):
    parser = Parser()
    add_schedule_arguments(parser)
    options = parser.parse_args(["--lr", "0.01", "--steps", "400", "--schedule", *words.split()])
    names = ("warmup_steps", "final_lr", "decay_steps", "timescale", "power")
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    assert make_schedule(options.schedule.replace("-", "_"), 0.01, 400, **given) == schedule_from(options)[0]
