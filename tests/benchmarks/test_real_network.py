"""The parts of benchmarks/real_network.py: what it computes from a training run, and the report against its numbers."""
import importlib.util
import json
import os
import sys

import numpy as np
import pytest

from derivations.adamw import kept_results, noise_factor, predict_weight_rms


@pytest.fixture(scope="module")
def network(root):
    """The script as a module."""
    if not os.environ.get("PEERS"):
        pytest.importorskip("torch")
        pytest.importorskip("sklearn")
    spec = importlib.util.spec_from_file_location("real_network", root / "benchmarks" / "real_network.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["real_network"] = module  # dataclasses look it up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["real_network"]


def record_of(network, setting, gradients):
    """A record that holds nothing but gradients."""
    return network.Record(setting, np.zeros((3, 1)), {}, gradients.astype(np.float32), [], [])


@pytest.mark.parametrize("layer_denominator", [False, True])
def test_sizes_of_normal_gradients_change_nothing(network, layer_denominator):
    setting = network.Setting(networks=1, layer_denominator=layer_denominator)
    gradients = np.random.default_rng(3).standard_normal((network.STEPS, 3, network.KEPT))
    factor = network.sizes_factor(record_of(network, setting, gradients)).mean()
    assert factor == pytest.approx(1, abs=4e-3)


def test_gradients_of_one_size_have_no_noise_factor(network):
    setting = network.Setting(networks=1)
    signs = np.random.default_rng(4).choice([-1.0, 1.0], (network.STEPS, 3, network.KEPT))
    factor = network.sizes_factor(record_of(network, setting, signs))
    np.testing.assert_allclose(factor, 1 / noise_factor(network.BETAS), rtol=1e-6)


@pytest.mark.parametrize("pull", [0.0, 0.1, -0.1])
def test_constant_pull_is_weight_decay(network, pull):
    setting = network.Setting(kappa=0.5)
    lr, weight_decay = setting.rates
    expected = predict_weight_rms(setting.schedule, weight_decay + pull, network.BETAS, init_rms=0.1)
    found, share = network.predict(setting, np.full((3, 2), 0.1), pull)
    # The pull's own effect within the memory of the momentum is left out; it is of the order of lr * pull / (1 - beta1).
    np.testing.assert_allclose(found, expected, rtol=1e-9 if pull == 0 else 1e-3)
    noise = predict_weight_rms(setting.schedule, weight_decay + pull, network.BETAS)
    np.testing.assert_allclose(share, 1 - (noise / expected) ** 2, rtol=5e-3)


def test_rates_have_the_kappa_and_the_equilibrium_they_should(network):
    for shape in network.SHAPES:
        setting = network.Setting(shape=shape, kappa=3.0)
        lr, weight_decay = setting.rates
        assert setting.schedule.kappa(weight_decay) == pytest.approx(3.0)
        assert setting.schedule(network.STEPS / 2 if shape == "WSD" else 0) == pytest.approx(lr)
        assert lr / (2 * weight_decay) == pytest.approx(1 / network.WIDTH)


def test_autocovariance_and_its_discounted_sum(network):
    series = np.random.default_rng(5).standard_normal((40, 3, 7))
    found = network.autocovariance(series)
    for lag in (0, 1, 13, 39):
        expected = np.mean([series[t] * series[t + lag] for t in range(40 - lag)], axis=(0, 2))
        np.testing.assert_allclose(found[lag], expected, rtol=1e-10)
    total = sum(0.9 ** abs(lag) * found[abs(lag), 0] for lag in range(-5, 6))
    assert network.discounted(found[:, 0], 0.9, 5) == pytest.approx(total)


@pytest.fixture
def short(network, monkeypatch):
    """Runs of 60 steps."""
    monkeypatch.setattr(network, "STEPS", 60)
    monkeypatch.setattr(network, "LOOKS", np.array([1, 20, 40, 60]))
    return network


@pytest.mark.parametrize("change", [
    {}, {"layer_denominator": True, "normalised_output": True}, {"pure_noise": True}, {"replacement": False},
])
def test_training_is_reproducible_and_hidden_layers_are_orthogonal(short, change):
    setting = short.Setting(networks=2, **change)
    one, two = short.train(setting), short.train(setting)
    assert all(np.array_equal(one.series[name], two.series[name]) for name in one.series)
    np.testing.assert_allclose(one.series["rho"][-1], [(w.astype(float) ** 2).mean((1, 2)) for w in one.final], rtol=1e-6)
    assert np.abs(one.series["cosine"][:, : 3 if setting.normalised_output else 2]).max() < 1e-6
    assert (one.series["pull"] == 0).all() == setting.pure_noise
    if setting.layer_denominator:
        assert np.abs(one.series["pull"]).max() < 1e-5
    updates = short.updates(one)[-1].reshape(3, 2, -1)
    if not setting.layer_denominator:  # there the kept weights only stand for the layer
        size = (updates**2).mean(-1) / setting.autocovariance[0]
        assert size == pytest.approx(one.series["update"][-1], rel=0.5)


def test_report_shows_the_kept_numbers(root):
    """Nothing in the main tables was typed by hand."""
    results = root / "benchmarks" / "results"
    text = (results / "real_network.md").read_text("utf8")
    runs = json.loads((results / "real_network.json").read_text("utf8"))["runs"]
    assert len(runs) > 20
    for run in runs:
        ratio = np.array(run["measured"]) / np.array(run["predicted"])
        cells = [f"{value:.3f} ±" for value in np.sqrt((ratio**2).mean(axis=1))]
        setting = run["setting"]
        if setting["kappa"] == 0.5 or setting["label_noise"] == 0.01:
            assert all(cell in text for cell in cells), setting


@pytest.fixture
def everything(root):
    """The full numbers."""
    return json.loads((root / "benchmarks" / "results" / "real_network.json").read_text("utf8"))


def test_summary_that_comes_with_the_package_agrees_with_the_full_numbers(everything):
    kept = kept_results("real_network")
    assert len(kept["runs"]) == len(everything["runs"])
    for run, full in zip(kept["runs"], everything["runs"]):
        assert kept["defaults"] | run["setting"] == full["setting"]
        for name in ("lr", "weight_decay", "start", "predicted", "measured"):
            np.testing.assert_allclose(run[name], full[name], rtol=6e-5)
        for name in ("with_pull", "with_sizes", "accounted"):
            for ratio, measured, predicted in zip(run[name], full["measured"], full[name]):
                assert ratio**2 == pytest.approx(np.mean([(m / p) ** 2 for m, p in zip(measured, predicted)]), rel=2e-4)
    for series in kept["trajectories"].values():
        rho = np.array(everything["runs"][series["run"]]["series"]["rho"])
        np.testing.assert_allclose(series["rho"], rho.T, rtol=6e-5)
    np.testing.assert_allclose(list(kept["quartiles"].values()), everything["quartiles"], rtol=6e-5)
    np.testing.assert_allclose(kept["lags"]["sums"], everything["lags"]["sums"], rtol=6e-5)
    assert kept["looks"] == everything["looks"] and kept["seed"] == everything["seed"]


def test_summary_is_what_the_script_writes(network, everything, monkeypatch, tmp_path):
    kept = network.SUMMARY.read_text("utf8")
    monkeypatch.setattr(network, "SUMMARY", tmp_path / "summary.json")
    network.write_summary(everything)
    assert network.SUMMARY.read_text("utf8") == kept
    assert len(kept) < 31_000
