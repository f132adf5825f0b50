"""``derivations rms``: what it prints, what it refuses."""
import json
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from xml.etree import ElementTree

import numpy as np
import pytest
from derivations.adamw import (
    METHODS,
    adamw_step,
    constant,
    cosine,
    equilibrium_rms,
    from_array,
    inverse_time,
    join,
    linear,
    predict_weight_rms,
    wsd,
)
from derivations.commands import main, rms
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

BASE = "rms --schedule cosine --lr 3e-3 --weight-decay 0.1 --steps 4000"


@pytest.fixture
def command(capsys):
    """Run a command line; return what it printed."""
    def run(line, *more):
        assert main([*line.split(), *map(str, more)]) == 0
        printed = capsys.readouterr()
        assert printed.err == ""
        return printed.out
    return run


@pytest.fixture
def fails(capsys):
    """Run a command line that is wrong; return its one line on stderr."""
    def run(line, *more):
        with pytest.raises(SystemExit) as caught:
            main([*line.split(), *map(str, more)])
        assert caught.value.code == 2
        message = capsys.readouterr().err
        assert message.count("\n") == 1 and message.endswith("\n")
        return message
    return run


@pytest.mark.parametrize("options, schedule, peak", [
    ("--schedule constant --lr 0.01 --steps 300", constant(0.01, 300), 0.01),
    ("--schedule linear --lr 0.01 --steps 300 --final-lr 1e-3", linear(0.01, 300, 1e-3), 0.01),
    ("--schedule cosine --lr 0.01 --steps 3e2", cosine(0.01, 300), 0.01),
    ("--schedule cosine --lr 0.01 --steps 300 --warmup-steps 100",
     join(linear(0.0, 100, 0.01), cosine(0.01, 200)), 0.01),
    ("--schedule constant --lr 0.01 --steps 300 --warmup-steps 100",
     join(linear(0.0, 100, 0.01), constant(0.01, 200)), 0.01),
    ("--schedule wsd --lr 0.01 --steps 300 --warmup-steps 30 --decay-steps 60 --final-lr 1e-3",
     wsd(0.01, 300, 30, 60, 1e-3), 0.01),
    ("--schedule wsd --lr 0.01 --steps 300 --decay-steps 60", wsd(0.01, 300, 0, 60), 0.01),
    ("--schedule inverse-time --lr 0.01 --steps 300 --timescale 50", inverse_time(0.01, 300, 50), 0.01),
    ("--schedule inverse-time --lr 0.01 --steps 300 --timescale 50 --power 0.5",
     inverse_time(0.01, 300, 50, 0.5), 0.01),
])
def test_predictions_are_those_of_the_library(command, options, schedule, peak):
    model = dict(betas=(0.9, 0.99), eps=0.1, init_rms=0.2, init_mean=-0.05, gradient_mean=0.02, gradient_std=2.0)
    printed = json.loads(command(
        f"rms {options} --weight-decay 0.7 --betas 0.9 0.99 --eps .1 --init-rms .2 --init-mean=-5e-2 "
        "--gradient-mean 0.02 --gradient-std 2 --json"
    ))
    assert [row["method"] for row in printed["predictions"]] == list(rms.METHODS)
    exact = predict_weight_rms(schedule, 0.7, method="exact", **model)
    checked = 0
    for row in printed["predictions"]:
        if row["rms"] is None:
            with pytest.raises(ValueError) as caught:
                predict_weight_rms(schedule, 0.7, method=row["method"], **model)
            assert row["note"] == str(caught.value)
            continue
        assert row["rms"] == pytest.approx(predict_weight_rms(schedule, 0.7, method=row["method"], **model), rel=1e-12)
        assert row["difference_percent"] == pytest.approx(100 * (row["rms"] - exact) / exact, abs=1e-9)
        checked += 1
    assert checked >= 5
    kappa = schedule.kappa(0.7)
    assert printed["totals"] == pytest.approx({
        "kappa": kappa, "nu": schedule.nu(), "time_scale_steps": 1 / (2 * peak * 0.7),
        "start_share": np.exp(-2 * kappa),
    })
    assert printed["settings"]["peak_lr"] == peak
    assert printed["settings"]["last_lr"] == schedule.values[-1]


def test_every_method_of_the_library_is_there(fails):
    assert set(rms.METHODS) == set(METHODS)
    assert "invalid choice: 'magic'" in fails(f"{BASE} --method magic")


def test_text(command):
    text = command("rms --schedule constant --lr 0.01 --weight-decay 0.5 --steps 1000 --init-rms 0.3")
    lines = text.splitlines()
    assert "lr: peak 0.01, last 0.01" in lines[0] and "constant, 1000 steps" in lines[0]
    assert "kappa          5, the sum of lr x weight decay" in lines
    assert "nu             0.1, the sum of lr^2" in lines
    assert "time scale     1 / (2 lr wd) = 100 steps at the peak" in lines
    assert "left of start  exp(-2 kappa) = 0.00454 % of its mean square (0.674 % of its RMS)" in lines
    assert "its difference from exact in per cent of the RMS" in text
    exact = predict_weight_rms(constant(0.01, 1000), 0.5, init_rms=0.3)
    plain = predict_weight_rms(constant(0.01, 1000), 0.5, init_rms=0.3, method="mean_field")
    row = next(line for line in lines if line.startswith("mean_field"))
    assert row.split()[1:4] == [f"{plain:.6g}", f"{100 * (plain / exact - 1):+.3f}", "%"]
    starts = {line.index(word) for word in ("where the error", "denominator") for line in lines if word in line}
    assert len(starts) == 1
    assert max(map(len, lines)) <= 120 and text.isascii()


def test_one_method_and_one_that_does_not_apply(command):
    text = command(f"{BASE} --method single_sum constant")
    rows = [line for line in text.splitlines() if line.split(" ")[0] in rms.METHODS]
    assert [row.split()[0] for row in rows] == ["single_sum", "constant"]
    assert rows[1].split()[1:3] == ["-", "-"] and "does not apply: needs a constant learning rate" in rows[1]


def test_without_decay(command):
    text = command("rms --schedule constant --lr 0.01 --weight-decay 0 --steps 400 --method mean_field")
    assert "infinite: no weight decay" in text and "exp(-2 kappa) = 100 %" in text
    assert "mean_field   0.2 " in text    # lr sqrt(steps)


def test_adamc_is_proportional_to_the_learning_rate(command):
    printed = json.loads(command(f"{BASE} --adamc --json --method recursion"))
    schedule = cosine(3e-3, 4000)
    expected = predict_weight_rms(schedule, 0.1 * schedule.values / 3e-3, method="recursion")
    assert printed["predictions"][0]["rms"] == pytest.approx(expected, rel=1e-12)
    assert printed["totals"]["kappa"] == pytest.approx(0.1 / 3e-3 * schedule.nu(), rel=1e-9)
    assert printed["totals"]["time_scale_steps"] == pytest.approx(1 / (2 * 3e-3 * 0.1))
    assert "proportional to lr (AdamC)" in command(f"{BASE} --adamc")


@pytest.mark.parametrize("suffix", [".npy", ".txt", ".csv"])
def test_schedule_file(command, tmp_path, suffix):
    values = np.random.default_rng(4).uniform(0, 0.02, 500)
    path = tmp_path / f"values{suffix}"
    np.save(path, values) if suffix == ".npy" else np.savetxt(path, values)
    printed = json.loads(command("rms --weight-decay 0.3 --json --steps 500 --schedule-file", path))
    assert printed["predictions"][0]["rms"] == pytest.approx(predict_weight_rms(from_array(values), 0.3), rel=1e-12)
    assert printed["settings"]["peak_lr"] == values.max() and printed["settings"]["steps"] == 500


def test_target_rms(command):
    model = dict(init_rms=0.02, betas=(0.9, 0.99))
    printed = json.loads(command(f"{BASE} --init-rms .02 --betas .9 .99 --target-rms 0.08 --json"))["target"]
    assert printed["notes"] == []
    assert predict_weight_rms(cosine(3e-3, 4000), printed["weight_decay"], **model) == pytest.approx(0.08, rel=1e-6)
    assert predict_weight_rms(cosine(printed["lr"], 4000), 0.1, **model) == pytest.approx(0.08, rel=1e-6)
    text = command(f"{BASE} --init-rms .02 --betas .9 .99 --target-rms 0.08")
    assert f"weight decay        {printed['weight_decay']:.6g}" in text
    assert f"peak learning rate  {printed['lr']:.6g}" in text


def test_target_rms_that_cannot_be_had(command):
    text = command(f"{BASE} --target-rms 1e6")
    assert "no weight decay between" in text and "--target-rms=1000000.0" in text
    text = command(f"{BASE} --adamc --target-rms 0.05")
    assert "with --adamc it is no single number" in text and "peak learning rate" in text


@pytest.mark.parametrize("suffix, start", [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".pdf", b"%PDF")])
def test_plot(command, tmp_path, suffix, start):
    path = tmp_path / f"rms{suffix}"
    run = "rms --schedule wsd --lr 0.01 --weight-decay 0.5 --steps 1000 --warmup-steps 50 --decay-steps 200"
    text = command(f"{run} --log --plot", path)
    assert path.read_bytes().startswith(start) and f"Drawn in {path}" in text
    if suffix == ".svg":
        ElementTree.parse(path)


def test_plot_draws_the_trajectories_at_whole_steps(command, tmp_path, monkeypatch):
    from derivations.figures import adamw
    seen = {}

    def record(steps, curves, **options):
        seen.update(steps=steps, curves=curves, options=options)
        return draw(steps, curves, **options)

    draw = adamw.weight_rms
    monkeypatch.setattr(adamw, "weight_rms", record)
    command(f"{BASE} --method constant exact mean_field --plot", tmp_path / "rms.png")
    assert list(seen["curves"]) == ["exact", "mean field"]    # "constant" does not apply to a cosine
    path = predict_weight_rms(cosine(3e-3, 4000), 0.1, trajectory=True)
    np.testing.assert_allclose(seen["curves"]["exact"], path[seen["steps"] - 1], rtol=1e-12)
    assert seen["steps"][0] == 1 and seen["steps"][-1] == 4000 and seen["steps"].size == 1000


def checkpoint(tmp_path, write):
    """A checkpoint with normal weights of known RMS beside everything that the theory does not cover."""
    rng = np.random.default_rng(8)
    weights = rng.normal(size=(64, 64))
    weights *= 0.05 / np.sqrt(np.mean(weights**2))
    return write(tmp_path / "model.safetensors", {
        "layers.0.weight": weights,
        "layers.1.weight": weights.astype(np.float32),
        "layers.0.bias": rng.normal(size=512),
        "embed_tokens.weight": rng.normal(size=(32, 64)),
        "lm_head.weight": np.full((32, 64), 0.25),
        "step": np.array(7),
        "phase": ("C64", [4], bytes(32)),
        "broken.weight": np.r_[np.ones(511), np.nan].reshape(2, 256),
        "tiny.weight": rng.normal(size=(2, 2)),
    })


def test_checkpoint(command, tmp_path, write):
    path = checkpoint(tmp_path, write)
    found = json.loads(command(f"{BASE} --json --checkpoint", path))["checkpoint"]
    exact = predict_weight_rms(cosine(3e-3, 4000), 0.1)
    assert found["rms"] == exact and found["method"] == "exact" and found["files"] == [str(path)]
    rows = {row["name"]: row for row in found["tensors"]}
    assert {name: row["flags"] for name, row in rows.items()} == {
        "layers.0.weight": [], "layers.1.weight": [], "layers.0.bias": ["vector"],
        "embed_tokens.weight": ["embedding"], "lm_head.weight": ["head", "constant"], "step": ["integer", "vector"],
        "phase": ["unsupported", "vector"], "broken.weight": ["non-finite"], "tiny.weight": ["small"],
    }
    assert rows["layers.0.weight"]["rms"] == pytest.approx(0.05, rel=1e-14)
    assert rows["layers.1.weight"]["rms"] == pytest.approx(0.05, rel=1e-7)
    assert rows["layers.0.weight"]["ratio"] == pytest.approx(0.05 / exact, rel=1e-14)
    assert rows["broken.weight"]["rms"] is None and rows["step"]["rms"] is None
    assert found["covered"] == 2 and found["ratios"] == pytest.approx([0.05 / exact] * 3, rel=1e-7)


def test_checkpoint_as_text(command, tmp_path, write):
    path = checkpoint(tmp_path, write)
    text = command(f"{BASE} --init-rms .01 --method mean_field --checkpoint", path)
    predicted = predict_weight_rms(cosine(3e-3, 4000), 0.1, init_rms=0.01, method="mean_field")
    assert f"predicted RMS  {predicted:.6g} (mean_field), for a start with RMS 0.01 in every tensor" in text
    assert f"exp(-2 kappa) r^2 = {np.exp(-2 * 0.1 * 3e-3 * 4000 / 2):.3g} r^2" in text
    row = next(line for line in text.splitlines() if line.startswith("layers.0.weight"))
    assert row.split() == ["layers.0.weight", "64x64", "F64", "0.05", f"{0.05 / predicted:.3f}"]
    assert "head, constant" in text and "2 of 9 tensors are of the kind that the theory speaks of" in text
    assert "vector: fewer than 2 dimensions" in text and "optimizer:" not in text


def test_checkpoint_of_a_run_with_independent_gradients(command, tmp_path):
    """65,536 weights trained with noise: the ratio is 1 within four standard errors of an RMS, 1 / sqrt(2 n)."""
    rng, steps = np.random.default_rng(11), 300
    weights, m, v = rng.normal(0, 0.1, (256, 256)), 0.0, 0.0
    for t in range(1, steps + 1):
        weights, m, v = adamw_step(weights, rng.normal(size=weights.shape), m, v, t, 0.01, 0.5, (0.9, 0.95), eps=0.0)
    np.savez_compressed(tmp_path / "run.npz", w=weights)
    run = f"rms --schedule constant --lr 0.01 --weight-decay 0.5 --steps {steps} --init-rms 0.1"
    found = json.loads(command(f"{run} --json --checkpoint", tmp_path / "run.npz"))["checkpoint"]
    assert found["ratios"][1] == pytest.approx(1, abs=4 / np.sqrt(2 * weights.size))


def test_checkpoint_names_and_shards(command, fails, tmp_path, write):
    path = checkpoint(tmp_path, write)
    np.savez(tmp_path / "more.npz", **{"layers.2.weight": np.linspace(-1, 1, 600).reshape(2, 300)})
    text = command(f"{BASE} --names layers.*weight --checkpoint", path, tmp_path / "more.npz")
    assert "3 of 3 tensors" in text and "layers.2.weight" in text and "embed" not in text
    assert "--names 'gone' finds no tensor in --checkpoint" in fails(f"{BASE} --names gone --checkpoint", path)
    assert "--names '(' is no regular expression" in fails(f"{BASE} --names ( --checkpoint", path)
    assert "--names 'w' needs --checkpoint" in fails(f"{BASE} --names w")


def test_a_name_cannot_steer_the_terminal(command, tmp_path, write):
    path = write(tmp_path / "model.safetensors", {"\x1b[2J" + "long" * 50: np.ones((2, 300)), "\u00e9": np.ones(300)})
    text = command(f"{BASE} --checkpoint", path)
    assert text.isascii() and "\x1b" not in text and "\\x1b[2J" in text
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("options, message", [
    ("--checkpoint gone.safetensors", "--checkpoint gone.safetensors: no such file"),
    ("--checkpoint model.bin", "no such file"),
    ("--method constant --checkpoint model.safetensors", "--method constant does not apply: "),
    ("--plot rms.gif", "--plot 'rms.gif' must end in .svg, .png or .pdf"),
    ("--plot gone/rms.svg", "--plot 'gone/rms.svg': No such file"),
    ("--method constant --plot rms.svg", "--plot has nothing to draw"),
    ("--method exact recursion ode integral mean_field --plot rms.svg", "--plot draws at most 4 methods"),
    ("--decay-steps 10", "--decay-steps 10 does not apply to --schedule cosine"),
    ("--timescale 10", "--timescale 10.0 does not apply to --schedule cosine"),
    ("--warmup-steps 4000", "--warmup-steps must be less than --steps, got --warmup-steps 4000 --steps 4000"),
    ("--lr 0", "argument --lr: must be positive, got '0'"),
    ("--lr=-1e-3", "argument --lr: must be positive, got '-1e-3'"),
    ("--lr nan", "argument --lr: must be 0 or a number of size 1e-30 to 1e30, got 'nan'"),
    ("--lr fast", "argument --lr: must be 0 or a number of size 1e-30 to 1e30, got 'fast'"),
    ("--steps 0", "argument --steps: must be a whole number from 1 to 10000000, got '0'"),
    ("--steps 2.5", "argument --steps: must be a whole number from 1"),
    ("--steps 1e12", "argument --steps: must be a whole number from 1 to 10000000, got '1e12'"),
    ("--init-rms 1e31", "argument --init-rms: must be 0 or a number of size 1e-30 to 1e30, got '1e31'"),
    ("--weight-decay -1", "argument --weight-decay: must not be negative, got '-1'"),
    ("--betas 0.9 1.0", "--betas must lie in [0, 1), got --betas=[0.9, 1.0]"),
    ("--betas 0.9", "argument --betas: expected 2 arguments"),
    ("--init-rms 0.1 --init-mean 0.2", "--init-rms must be at least |--init-mean|"),
    ("--gradient-std 0", "--gradient-std must be positive where"),
    ("--lr 40 --weight-decay 3", "the weights grow beyond all bounds, with --lr * --weight-decay up to 119.9999"),
    ("--target-rms 0", "argument --target-rms: must be positive, got '0'"),
    ("--schedule-file values.npy", "not allowed with argument --schedule"),
    ("--unknown 3", "unrecognized arguments: --unknown 3"),
])
def test_errors(fails, tmp_path, monkeypatch, write, options, message):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "model.safetensors", {"w": np.ones((2, 300))})
    assert message in fails(f"{BASE} {options}")


sizes = st.sampled_from(["0", "1e-30", "1e-9", "1e-3", "0.1", "1", "30"])


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["constant", "linear", "cosine", "wsd --decay-steps 2", "inverse-time --timescale 3"]),
       sizes, sizes, st.sampled_from(["3", "50"]), st.booleans(), st.dictionaries(
           st.sampled_from(["init-rms", "init-mean", "gradient-mean", "gradient-std", "eps", "warmup-steps"]), sizes))
def test_any_numbers_give_finite_results_or_one_line(capsys, schedule, lr, weight_decay, steps, adamc, more):
    line = f"rms --schedule {schedule} --lr {lr} --weight-decay {weight_decay} --steps {steps} --json"
    line += " --adamc" * adamc + "".join(f" --{name} {value}" for name, value in more.items())
    try:
        main(line.split())
    except SystemExit as error:
        printed = capsys.readouterr()
        assert error.code == 2 and printed.out == "" and printed.err.count("\n") == 1
    else:
        printed = capsys.readouterr()
        assert printed.err == ""
        assert all(np.isfinite(row["rms"]) for row in json.loads(printed.out)["predictions"] if row["rms"] is not None)


@pytest.mark.parametrize("line, message", [
    ("", "the following arguments are required: command"),
    ("magic", "invalid choice: 'magic'"),
    ("rms", "required"),
    ("rms --schedule cosine --lr 0.1 --steps 10", "the following arguments are required: --weight-decay"),
    ("rms --schedule cosine --weight-decay 0.1 --steps 10", "--schedule cosine needs --lr"),
    ("rms --schedule cosine --weight-decay 0.1 --lr 0.1", "--schedule cosine needs --steps"),
    ("rms --schedule wsd --weight-decay 0.1 --lr 0.1 --steps 10", "--schedule wsd needs --decay-steps"),
    ("rms --schedule wsd --weight-decay 0.1 --lr 0.1 --steps 10 --warmup-steps 6 --decay-steps 6", "--warmup-steps"),
    ("rms --schedule inverse-time --weight-decay 0.1 --lr 0.1 --steps 10", "--schedule inverse-time needs --timescale"),
])
def test_errors_of_incomplete_lines(fails, line, message):
    assert message in fails(line)


@pytest.mark.parametrize("name, content, message", [
    ("values.json", b"[1]", "must end in .npy, .txt or .csv"),
    ("values.txt", b"0.1\nfast\n", "cannot be read as numbers"),
    ("values.txt", b"", "must hold one row or one column of numbers"),
    ("values.txt", b"0.1 0.2\n0.3 0.4\n", "must hold one row or one column of numbers"),
    ("values.txt", b"0.1\n-0.2\n", "must hold finite learning rates >= 0, not all 0"),
    ("values.txt", b"0.1\nnan\n", "must hold finite learning rates >= 0, not all 0"),
    ("values.txt", b"0\n0\n", "must hold finite learning rates >= 0, not all 0"),
    ("values.npy", b"\x93NUMPY\x01\x00", "cannot be read as numbers"),
    ("values.npy", b"PK\x03\x04", "cannot be read as numbers"),
])
def test_errors_of_schedule_files(fails, tmp_path, monkeypatch, name, content, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(content)
    error = fails(f"rms --weight-decay 0.1 --schedule-file {name}")
    assert message in error and f"--schedule-file '{name}'" in error


def test_more_errors_of_schedule_files(fails, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("objects.npy", np.array([{}, 1], dtype=object))
    np.save("complex.npy", np.ones(3, complex))
    np.savetxt("good.txt", np.ones(3))
    run = "rms --weight-decay 0.1 --schedule-file"
    assert "cannot be read as numbers" in fails(f"{run} objects.npy")
    assert "must hold one row or one column of numbers, got complex128" in fails(f"{run} complex.npy")
    assert "has 3 learning rates, but got --steps 4" in fails(f"{run} good.txt --steps 4")
    assert "--lr 0.1 does not apply to --schedule-file" in fails(f"{run} good.txt --lr 0.1")
    assert "--warmup-steps 1 does not apply to --schedule-file" in fails(f"{run} good.txt --warmup-steps 1")
    assert "'gone.csv': gone.csv not found" in fails(f"{run} gone.csv")
    assert "'gone.npy': No such file" in fails(f"{run} gone.npy")


def test_help_has_examples_that_run(command, capsys, tmp_path, monkeypatch, write):
    with pytest.raises(SystemExit) as caught:
        main(["rms", "--help"])
    text = capsys.readouterr().out
    assert caught.value.code == 0 and "examples:" in text
    monkeypatch.chdir(tmp_path)
    checkpoint(tmp_path, write)
    lines = rms.EXAMPLE.replace("\\\n", " ").splitlines()
    examples = [line.split("derivations ", 1)[1] for line in lines if "derivations rms" in line]
    assert len(examples) == 3
    for example in examples:
        assert "kappa" in command(example)
    assert (tmp_path / "rms.svg").is_file()


def test_the_script_is_this_function(root):
    project = tomllib.loads((root / "code/pyproject.toml").read_text("utf8"))["project"]
    assert EntryPoint("derivations", project["scripts"]["derivations"], "console_scripts").load() is main


def test_as_a_process():
    """The equilibrium to which it settles, from a process of its own; and a pipe that closes early is no error."""
    line = "rms --schedule constant --lr 0.01 --weight-decay 0.5 --steps 3000 --method recursion --json"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "derivations", *line.split()], capture_output=True, text=True, check=True
    )
    settled = equilibrium_rms(0.01, 0.5, method="recursion")
    assert json.loads(done.stdout)["predictions"][0]["rms"] == pytest.approx(settled, rel=1e-6)
    assert done.stderr == ""
    process = subprocess.Popen(
        [sys.executable, "-m", "derivations", *line.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    assert process.stderr.read() == b"" and process.wait() == 0
    process.stderr.close()
