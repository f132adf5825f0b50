"""AdamW here against torch.optim.AdamW and optax.adamw, and our schedules against theirs.

The peers are optional: a test is skipped when its peer is missing, unless the environment variable PEERS is set; then it
fails.
"""
import importlib
import os

import numpy as np
import pytest

from derivations.adamw import adamw_step, constant, cosine, from_array, join, linear, simulate, wsd

STEPS, LR, WEIGHTS = 100, 0.02, 60
SCHEDULES = {
    "constant": constant(LR, STEPS),
    "cosine": cosine(LR, STEPS),
    "wsd": wsd(LR, STEPS, warmup_steps=10, decay_steps=20),
}
# (schedule, weight decay): a number, or one value per step, proportional to the learning rate as in AdamC.
RUNS = {name: (schedule, 0.3) for name, schedule in SCHEDULES.items()}
RUNS["adamc"] = (SCHEDULES["cosine"], 0.3 * SCHEDULES["cosine"].values / LR)
BETAS = [(0.9, 0.95), (0.9, 0.999), (0.0, 0.99), (0.99, 0.9)]
EPS = [0.0, 1e-8, 1e-3]
SINGLE = dict(foreach=False, fused=False)


def peer(name):
    """The module ``name``; skips when it is missing, fails instead when PEERS is set."""
    return importlib.import_module(name) if os.environ.get("PEERS") else pytest.importorskip(name)


@pytest.fixture
def torch():
    return peer("torch")


@pytest.fixture
def optax():
    """optax in double precision: jax has that as a switch for the whole process, which is put back afterwards."""
    jax, optax = peer("jax"), peer("optax")
    before = jax.config.jax_enable_x64
    with jax.enable_x64(True):
        yield optax
    assert jax.config.jax_enable_x64 == before


@pytest.fixture(params=RUNS)
def run(request):
    """Schedule and weight decay of each step."""
    schedule, weight_decay = RUNS[request.param]
    return schedule, np.broadcast_to(weight_decay, STEPS)


def problem():
    """Start of shape (WEIGHTS,) and gradients of shape (STEPS, WEIGHTS) over many scales; the smallest ones meet eps."""
    rng = np.random.default_rng(7)
    scales = np.geomspace(1e-9, 1e3, WEIGHTS)
    return rng.normal(size=WEIGHTS), scales * (rng.standard_normal((STEPS, WEIGHTS)) + 0.1)


def ours(schedule, weight_decay, betas, eps, start, gradients):
    """Weights after every step, from adamw_step; shape (STEPS, WEIGHTS)."""
    theta, m, v, path = start, 0.0, 0.0, []
    for step, gradient in enumerate(gradients, start=1):
        rate, decay = schedule.values[step - 1], weight_decay[step - 1]
        theta, m, v = adamw_step(theta, gradient, m, v, step, rate, decay, betas, eps)
        path.append(theta)
    return np.array(path)


def with_torch(torch, lr, weight_decay, betas, eps, start, gradients, parts=3, **implementation):
    """Weights after every step, from torch.optim.AdamW on ``parts`` tensors; shape (STEPS, WEIGHTS)."""
    tensors = [torch.tensor(part, requires_grad=True) for part in np.split(start, parts)]
    optimizer = torch.optim.AdamW(tensors, lr=LR, betas=betas, eps=eps, **implementation)
    path = []
    for step, gradient in enumerate(gradients):
        optimizer.param_groups[0].update(lr=float(lr[step]), weight_decay=float(weight_decay[step]))
        for tensor, part in zip(tensors, np.split(gradient, parts)):
            tensor.grad = torch.from_numpy(part.copy())
        optimizer.step()
        path.append(np.concatenate([tensor.detach().numpy() for tensor in tensors]))
    return np.array(path)


def with_optax(optax, lr, weight_decay, betas, eps, start, gradients):
    """Weights after every step, from optax.adamw in one jitted loop; ``lr``, ``weight_decay`` map the count to a rate."""
    import jax

    optimizer = optax.adamw(lr, *betas, eps=eps, weight_decay=weight_decay)

    def step(carry, gradient):
        theta, state = carry
        update, state = optimizer.update(gradient, state, theta)
        theta = optax.apply_updates(theta, update)
        return (theta, state), theta

    start = jax.numpy.asarray(start)
    return np.array(jax.lax.scan(step, (start, optimizer.init(start)), jax.numpy.asarray(gradients))[1])


def assert_same(path, expected):
    """Equal to 1e-12 of each weight's largest value: a weight that crosses 0 has no relative error there."""
    assert path.dtype == expected.dtype == np.float64
    assert np.all(np.isfinite(expected))
    error = np.abs(path - expected) / np.abs(expected).max(axis=0)
    assert error.max() < 1e-12


def table(values):
    """Schedule as a function of optax's count, which starts at 0; traced by jax, hence a look-up."""
    import jax

    return lambda count: jax.numpy.asarray(values)[count]


@pytest.mark.parametrize("eps", EPS)
@pytest.mark.parametrize("betas", BETAS)
def test_adamw_step_equals_torch(torch, run, betas, eps):
    schedule, weight_decay = run
    setting = (weight_decay, betas, eps, *problem())
    assert_same(ours(schedule, *setting), with_torch(torch, schedule.values, *setting, **SINGLE))


@pytest.mark.parametrize("implementation", [dict(foreach=True), dict(fused=True)], ids=["foreach", "fused"])
@pytest.mark.parametrize("eps", EPS)
def test_adamw_step_equals_the_faster_forms_of_torch(torch, run, eps, implementation):
    schedule, weight_decay = run
    setting = (weight_decay, (0.9, 0.95), eps, *problem())
    assert_same(ours(schedule, *setting), with_torch(torch, schedule.values, *setting, **implementation))


@pytest.mark.parametrize("eps", EPS)
@pytest.mark.parametrize("betas", BETAS)
def test_adamw_step_equals_optax(optax, run, betas, eps):
    schedule, weight_decay = run
    start, gradients = problem()
    expected = with_optax(optax, table(schedule.values), table(weight_decay), betas, eps, start, gradients)
    assert_same(ours(schedule, weight_decay, betas, eps, start, gradients), expected)


@pytest.mark.parametrize("betas, eps", [(BETAS[0], 0.0), (BETAS[1], 1e-8), (BETAS[2], 1e-3), (BETAS[3], 0.0)])
def test_simulation_equals_torch(torch, run, betas, eps):
    schedule, weight_decay = run
    _, gradients = problem()
    setting = (weight_decay, betas, eps, np.zeros(WEIGHTS), gradients)
    assert_same_rms(replay(schedule, weight_decay, betas, eps, gradients), with_torch(torch, schedule.values, *setting))


@pytest.mark.parametrize("betas, eps", [(BETAS[0], 0.0), (BETAS[1], 1e-8)])
def test_simulation_equals_optax(optax, run, betas, eps):
    schedule, weight_decay = run
    _, gradients = problem()
    setting = (table(weight_decay), betas, eps, np.zeros(WEIGHTS), gradients)
    expected = with_optax(optax, table(schedule.values), *setting)
    assert_same_rms(replay(schedule, weight_decay, betas, eps, gradients), expected)


def replay(schedule, weight_decay, betas, eps, gradients):
    """The RMS after every step, from simulate on given gradients."""
    return simulate(
        schedule, weight_decay, betas, eps, gradients=gradients, control_variate=False, dtype=np.float64,
        record=np.arange(1, STEPS + 1), rng=np.random.default_rng(0),
    )


def assert_same_rms(result, expected):
    """The RMS of a simulation, to 1e-12, and its standard error, given the weights of a peer."""
    squares = expected**2
    rms = np.sqrt(squares.mean(axis=1))
    np.testing.assert_allclose(result.trajectory, rms, rtol=1e-12)
    errors = squares.std(axis=1, ddof=1) / np.sqrt(squares.shape[1]) / (2 * rms)
    # The first update has the same size for all weights: their spread is then the root of a rounding error.
    assert np.all(np.abs(result.standard_errors - errors) < 1e-7 * rms)


@pytest.mark.parametrize("name", SCHEDULES)
def test_step_t_of_torch_uses_schedule_of_t_when_shifted_by_one(torch, name):
    """The recipe of derivations.adamw.schedules."""
    schedule = SCHEDULES[name]
    optimizer = torch.optim.AdamW([torch.zeros(1, requires_grad=True)], lr=LR)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: schedule(min(n + 1, STEPS)) / LR)
    assert rates_of(optimizer, scheduler) == pytest.approx(schedule.values, rel=1e-15, abs=1e-18)


@pytest.mark.parametrize("name, make", [
    ("cosine", lambda optim, optimizer: optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=STEPS)),
    ("linear", lambda optim, optimizer: optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=STEPS)),
])
def test_step_t_of_torchs_own_schedules_uses_ours_of_t_minus_1(torch, name, make):
    schedule = {"cosine": cosine, "linear": linear}[name](LR, STEPS)
    optimizer = torch.optim.AdamW([torch.zeros(1, requires_grad=True)], lr=LR)
    rates = rates_of(optimizer, make(torch.optim, optimizer))
    # torch multiplies from step to step, so rounding adds up: compare with the largest rate.
    assert rates == pytest.approx(schedule(np.arange(STEPS)), rel=0, abs=1e-12 * LR)


def rates_of(optimizer, scheduler):
    """Learning rate that torch uses in the steps 1, ..., STEPS."""
    rates = []
    for _ in range(STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize("name", SCHEDULES)
def test_step_t_of_optax_uses_schedule_of_t_when_shifted_by_one(optax, name):
    """The recipe of derivations.adamw.schedules, as a look-up and without jit. A gradient of 1 makes every update -lr."""
    schedule, one = SCHEDULES[name], np.ones(1)
    path = with_optax(optax, table(schedule.values), 0.0, (0.0, 0.0), 0.0, np.zeros(1), np.ones((STEPS, 1)))
    assert -np.diff(path[:, 0], prepend=0.0) == pytest.approx(schedule.values, rel=1e-12, abs=1e-14)
    optimizer = optax.adamw(lambda count: schedule(count + 1), 0.0, 0.0, eps=0.0, weight_decay=0.0)
    state, rates = optimizer.init(one), []
    for _ in range(STEPS):
        update, state = optimizer.update(one, state, one)
        rates.append(-float(update[0]))
    assert rates == schedule.values.tolist()


@pytest.mark.parametrize("name", ["cosine", "linear", "warm-up cosine"])
def test_step_t_of_optaxs_own_schedules_uses_ours_of_t_minus_1(optax, name):
    theirs, schedule = {
        "cosine": (optax.cosine_decay_schedule(LR, STEPS, alpha=0.1), cosine(LR, STEPS, final_lr=0.1 * LR)),
        "linear": (optax.linear_schedule(LR, 0.001, STEPS), linear(LR, STEPS, final_lr=0.001)),
        "warm-up cosine": (
            optax.warmup_cosine_decay_schedule(0.0, LR, warmup_steps=20, decay_steps=STEPS),
            join(linear(0.0, 20, final_lr=LR), cosine(LR, STEPS - 20)),
        ),
    }[name]
    counts = np.arange(STEPS)
    assert [float(theirs(count)) for count in counts] == pytest.approx(schedule(counts), rel=1e-12, abs=1e-15 * LR)


def test_a_run_with_torchs_or_optaxs_cosine_is_a_run_with_the_rates_of_one_step_earlier(torch, optax):
    start, gradients = problem()
    decay, shifted = np.full(STEPS, 0.3), from_array(SCHEDULES["cosine"](np.arange(STEPS)))
    path = ours(shifted, decay, (0.9, 0.95), 1e-8, start, gradients)

    tensor = torch.tensor(start, requires_grad=True)
    optimizer = torch.optim.AdamW([tensor], lr=LR, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=STEPS)
    for gradient in gradients:
        tensor.grad = torch.from_numpy(gradient)
        optimizer.step()
        scheduler.step()
    assert_same(path[-1:], tensor.detach().numpy()[np.newaxis])

    schedule = optax.cosine_decay_schedule(LR, STEPS)
    assert_same(path, with_optax(optax, schedule, 0.3, (0.9, 0.95), 1e-8, start, gradients))


def test_double_precision_of_jax_does_not_leak():
    """No test above leaves jax in double precision."""
    jax = peer("jax")
    assert jax.numpy.ones(1).dtype == np.float32
