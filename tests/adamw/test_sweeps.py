"""simulate_many and predict_many: the same numbers in this process, in others, and on a local Dask cluster."""
import concurrent.futures
import io
import multiprocessing
import sys
import threading
import time

import numpy as np
import pytest

from derivations.adamw import constant, from_array, laplace, predict_weight_rms, simulate, student_t
from derivations.adamw.gradients import correlated, curved
from derivations.adamw.sweeps import predict_many, simulate_many

SCHEDULES = [constant(0.02, 40), from_array(np.linspace(0.02, 0.001, 40))]
KINDS = ["gaussian", laplace(), student_t(5), correlated(0.3), curved(0.5)]
SETTINGS = [
    dict(schedule=schedule, weight_decay=schedule, parameters=500, gradients=kind, record=[20, 40])
    for schedule in SCHEDULES for kind in KINDS
]


def run(**arguments):
    return simulate_many(SETTINGS, rng=np.random.default_rng(7), **arguments)


def assert_same(runs, expected):
    assert len(runs) == len(expected)
    for one, two in zip(runs, expected):
        np.testing.assert_array_equal(one.trajectory, two.trajectory)
        np.testing.assert_array_equal(one.standard_errors, two.standard_errors)


@pytest.fixture(scope="module")
def here():
    """All settings, run in this process."""
    return run()


@pytest.fixture(scope="module")
def processes():
    context = multiprocessing.get_context("spawn")  # nothing is inherited: all that is sent must be pickled
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as executor:
        yield executor


def test_results_are_in_order_and_independent(here):
    assert len({float(one.rms) for one in here}) == len(SETTINGS)
    for one, setting in zip(here, SETTINGS):
        alone = simulate(**setting, rng=np.random.default_rng(11))
        assert abs(one.rms - alone.rms) < 5 * np.hypot(one.standard_error, alone.standard_error)


def test_the_generator_decides(here):
    assert_same(run(), here)
    rng = np.random.default_rng(7)
    first, second = (simulate_many(SETTINGS[:1], rng=rng)[0].rms for _ in range(2))
    assert first == here[0].rms != second


def test_processes_give_the_same_results(here, processes):
    assert_same(run(executor=processes), here)


def test_threads_give_the_same_results(here):
    with concurrent.futures.ThreadPoolExecutor(3) as executor:
        assert_same(run(executor=executor), here)


@pytest.mark.parametrize("in_processes", [False, True])
def test_a_dask_cluster_gives_the_same_results(here, in_processes):
    distributed = pytest.importorskip("distributed")
    before = set(threading.enumerate())
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=in_processes, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
        client.get_executor() as executor,
    ):
        assert_same(run(executor=executor), here)
        with pytest.raises(ValueError, match=r"settings\[0\]: betas must lie in \[0, 1\)"):
            simulate_many([SETTINGS[0] | dict(betas=(0.9, 1.0))], rng=np.random.default_rng(7), executor=executor)
    for _ in range(100):
        left = [thread for thread in set(threading.enumerate()) - before if not thread.daemon]
        if not left:
            break
        time.sleep(0.05)
    assert not left


def test_workers_start_no_threads_unless_told(monkeypatch):
    def refuse(self):
        raise AssertionError("a thread was started")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    setting = SETTINGS[0] | dict(parameters=40_000)
    simulate_many([setting], rng=np.random.default_rng(7))
    with pytest.raises(AssertionError, match="a thread was started"):
        simulate_many([setting | dict(threads=2)], rng=np.random.default_rng(7))


def test_progress_counts_settings(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    run(progress=None)
    assert stream.getvalue() == ""
    run(progress=True)
    assert "10.0/10.0" in stream.getvalue() and "settings" in stream.getvalue()


@pytest.mark.parametrize("elsewhere", [False, True])
@pytest.mark.parametrize("bad, message", [
    (dict(parameters=1), r"settings\[3\]: parameters must be an integer >= 2, got parameters=1"),
    (dict(weight_dekay=1.0), r"settings\[3\]: .*unexpected keyword argument 'weight_dekay'"),
])
def test_an_error_names_the_setting(processes, bad, message, elsewhere):
    settings = SETTINGS[:3] + [SETTINGS[3] | bad] + SETTINGS[4:]
    with pytest.raises(ValueError, match=message):
        simulate_many(settings, rng=np.random.default_rng(7), executor=processes if elsewhere else None)


@pytest.mark.parametrize("arguments, message", [
    (dict(settings=[SETTINGS[0], 5]), r"settings\[1\] must be a dictionary of arguments, got 5"),
    (dict(settings=[SETTINGS[0] | dict(rng=1)]), r"settings\[0\] must not hold 'rng': it is given once for all"),
    (dict(settings=SETTINGS, rng=3), "rng must be a numpy.random.Generator, got rng=3"),
    (dict(settings=SETTINGS, executor=3), "executor must be a concurrent.futures.Executor, got executor=3"),
    (dict(settings=SETTINGS[0]), "settings must be a list of dictionaries, got settings="),
])
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        simulate_many(**dict(rng=np.random.default_rng(7)) | arguments)


def test_no_settings_no_results():
    assert simulate_many([], rng=np.random.default_rng(7)) == predict_many([]) == []


def test_predictions_are_those_of_single_calls(processes):
    settings = [
        dict(schedule=schedule, weight_decay=weight_decay, method=method, init_rms=0.1)
        for schedule in SCHEDULES for weight_decay in (0.1, 2.0) for method in ("recursion", "exact")
    ]
    for trajectory in (False, True):
        expected = [predict_weight_rms(**setting, trajectory=trajectory) for setting in settings]
        for executor in (None, processes):
            np.testing.assert_allclose(
                predict_many(settings, trajectory=trajectory, executor=executor), expected, rtol=1e-12
            )


@pytest.mark.parametrize("bad, message", [
    (dict(betas=(0.9, 1.0)), r"settings\[1\]: betas must lie in \[0, 1\)"),
    (dict(trajectory=True), r"settings\[1\] must not hold 'trajectory'"),
])
def test_an_error_names_the_setting_of_a_prediction(bad, message):
    good = dict(schedule=SCHEDULES[0], weight_decay=0.1, method="recursion")
    with pytest.raises(ValueError, match=message):
        predict_many([good, good | bad])
