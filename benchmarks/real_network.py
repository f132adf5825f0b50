"""The weight RMS of a real network beside its prediction, and what makes the two differ.

Trains small networks on scikit-learn's digits with torch.optim.AdamW, measures the weight RMS of each layer and
compares it with ``predict_weight_rms``. Then it changes one thing at a time: the noise in the labels, the batch, the
denominator of the update, the output layer. Writes ``results/real_network.md``, the report, from the template
``real_network_report.md``, ``results/real_network.json``, every number, and a summary that comes with the package as
``derivations.adamw.kept_results("real_network")``.

Six to seven minutes on one core; the same seeds give the same numbers on the same machine and version of torch.

The summary is a dict. Numbers have five digits; lists of three run over the layers.

- ``seed``, ``steps``, ``betas``, ``eps``, ``width``, ``layers`` (names): what all runs share.
- ``defaults``: the :class:`Setting` of a run that says nothing else. ``looks``: steps of the series below.
- ``runs``: for each run ``setting`` (where it differs from the defaults), ``lr`` (peak), ``weight_decay``; ``start``,
  ``predicted`` and ``measured`` weight RMS, shape (3, networks); ``with_pull``, ``with_sizes`` and ``accounted``,
  measured over these predictions (:class:`Result`), root of the mean square over the networks; ``start_share``, mean
  over the networks; ``loss`` at the last look.
- ``trajectories``: by name, ``run`` (index in ``runs``) and ``rho``, medians over the networks, (3, looks); one has
  ``signal`` (:func:`look`), too.
- ``quartiles``: :meth:`Quartiles.numbers` by name. ``lags``: :func:`by_lag` without the gradients.
"""
import json
import math
import sys
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from sklearn.datasets import load_digits

import derivations.adamw
from derivations.adamw import (
    cosine, gaussian, predict_weight_rms, rademacher, update_autocovariance, wsd,
)

RESULTS = Path(__file__).resolve().parent / "results"
SUMMARY = Path(derivations.adamw.__file__).parent / "data" / "real_network.json"
STEPS, WIDTH, CLASSES, SEED = 4000, 128, 10, 1
BETAS, EPS = (0.9, 0.95), 1e-8
LAYERS = ("first hidden", "second hidden", "output")
LOOKS = np.unique(np.concatenate([[1, 2, 5, 10, 20], np.arange(40, STEPS + 1, 40)]))  # steps after which we measure
KEPT = 128  # weights of each layer of each network whose gradients are kept
LAGS = [0, 3, 10, 30, 100, 300, 1000, 2000]
SHAPES = {
    "cosine": lambda lr: cosine(lr, STEPS),
    "WSD": lambda lr: wsd(lr, STEPS, warmup_steps=STEPS // 20, decay_steps=STEPS // 5),
}


@dataclass(frozen=True)
class Setting:
    """One experiment: ``networks`` networks that differ in their seed only.

    Parameters
    ----------
    shape : {"cosine", "WSD"}
        Learning-rate schedule.
    kappa : float
        Total decay of the run.
    label_noise : float
        Probability that a label is replaced by one drawn from all ten, anew whenever the image is used.
    pure_noise : bool
        Replace the gradient at the output by normal noise, drawn anew for every image: no weight has a mean gradient.
    smoothing : float
        Label smoothing.
    batch : int
        Images a step.
    replacement : bool
        Whether each batch is drawn from all images, or each epoch goes once through them in a new order.
    activation : {"tanh", "relu"}
    layer_denominator : bool
        Divide the momentum by one number for the whole layer, the root of the mean of v, in place of AdamW's own.
    normalised_output : bool
        Divide the outputs of the last layer by their RMS, too (and multiply them by 4).
    networks : int
    """

    shape: str = "cosine"
    kappa: float = 2.0
    label_noise: float = 0.5
    pure_noise: bool = False
    smoothing: float = 0.0
    batch: int = 64
    replacement: bool = True
    activation: str = "tanh"
    layer_denominator: bool = False
    normalised_output: bool = False
    networks: int = 8

    @property
    def rates(self):
        """Peak learning rate and weight decay: the given kappa, and an equilibrium at the start of the second layer."""
        decay_a_step = self.kappa / SHAPES[self.shape](1.0).kappa(1.0)
        lr = math.sqrt(2 * decay_a_step / WIDTH)
        return lr, decay_a_step / lr

    @property
    def schedule(self):
        """Learning rate of each step."""
        return SHAPES[self.shape](self.rates[0])

    @property
    def autocovariance(self):
        """E[u_t u_{t+k}] of the update for pure noise; the denominator of a whole layer does not fluctuate."""
        return update_autocovariance(BETAS, rademacher() if self.layer_denominator else gaussian())


class Digits(NamedTuple):
    """Standardised pixels (images, pixels), labels (images,), and the share of images in which a pixel is lit."""

    pixels: torch.Tensor
    labels: torch.Tensor
    lit: np.ndarray


@lru_cache
def digits():
    """The 1797 images of scikit-learn; pixels that never change are left out."""
    images, labels = load_digits(return_X_y=True)
    images = images[:, images.std(axis=0) > 0]
    pixels = (images - images.mean(axis=0)) / images.std(axis=0)
    return Digits(torch.tensor(pixels, dtype=torch.float32), torch.tensor(labels), (images > 0).mean(axis=0))


class Networks(torch.nn.Module):
    """Several networks side by side, without biases and gains; parameters have the shape (networks, out, in)."""

    def __init__(self, setting, generator):
        super().__init__()
        sizes = (digits().pixels.shape[1], WIDTH, WIDTH, CLASSES)
        self.weights = torch.nn.ParameterList(
            torch.randn(setting.networks, fan_out, fan_in, generator=generator) / math.sqrt(fan_in)
            for fan_in, fan_out in zip(sizes, sizes[1:])
        )
        self.activation = getattr(torch, setting.activation)
        self.normalised_output = setting.normalised_output

    def forward(self, images):
        for weight in self.weights[:-1]:
            images = self.activation(normalised(images @ weight.mT))
        outputs = images @ self.weights[-1].mT
        return 4 * normalised(outputs) if self.normalised_output else outputs


def normalised(outputs):
    """RMSNorm without a gain: the scale of the weights before it does not change the function."""
    return outputs * torch.rsqrt(outputs.square().mean(-1, keepdim=True) + 1e-12)


class LayerAdamW(torch.optim.Optimizer):
    """AdamW with one second moment a layer: within a layer, its update is proportional to the momentum."""

    def __init__(self, weights, **defaults):
        super().__init__(weights, defaults)

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for weight in group["params"]:
                state = self.state[weight] or self._start(weight)
                advance(state, weight.grad)
                weight.mul_(1 - group["lr"] * group["weight_decay"]).sub_(group["lr"] * update(state))

    def _start(self, weight):
        state = self.state[weight]
        state.update(step=torch.tensor(0.0), exp_avg=torch.zeros_like(weight))
        state["exp_avg_sq"] = torch.zeros(len(weight), 1, 1)
        return state


def advance(state, gradient):
    """Let the moments of one layer take in one gradient; v of shape (n, 1, 1) takes the mean of its square."""
    square = gradient.square()
    if state["exp_avg_sq"].shape != square.shape:
        square = square.mean((1, 2), keepdim=True)
    state["step"] += 1
    state["exp_avg"].lerp_(gradient, 1 - BETAS[0])
    state["exp_avg_sq"].lerp_(square, 1 - BETAS[1])


def denominator(state):
    """What an optimizer divides its momentum by, given its state of one layer."""
    return (state["exp_avg_sq"] / (1 - BETAS[1] ** float(state["step"]))).sqrt() + EPS


def update(state):
    """Last update of one layer, in units of the learning rate."""
    return state["exp_avg"] / (1 - BETAS[0] ** float(state["step"])) / denominator(state)


@dataclass
class Record:
    """What is measured while n networks train; K looks, 3 layers.

    Parameters
    ----------
    setting : Setting
    start : numpy.ndarray, shape (3, n)
        Weight RMS before the first step.
    series : dict of numpy.ndarray, shape (K, 3, n)
        What :func:`look` measures.
    gradients : numpy.ndarray, shape (T, 3, n * KEPT)
        Gradients of some weights at every step.
    kept : list of numpy.ndarray, shape (n * KEPT,)
        Which weights of the flattened layer these are.
    final : list of numpy.ndarray
        Weights after the last step.
    """

    setting: Setting
    start: np.ndarray
    series: dict
    gradients: np.ndarray
    kept: list
    final: list


def train(setting, observers=()):
    """Train the networks of one setting; each look also calls ``observer(networks, optimizer, setting, step)``."""
    generator = torch.Generator().manual_seed(SEED)
    networks = Networks(setting, generator)
    weights, optimizer = list(networks.weights), make_optimizer(networks, setting)
    kept = [torch.randint(weight[0].numel(), (setting.networks, KEPT), generator=generator) for weight in weights]
    start = np.array([rms(weight) for weight in weights])
    gradients = np.empty((STEPS, len(weights), setting.networks * KEPT), np.float32)
    batches, looks = draw_batches(setting, generator), []
    for step, lr in enumerate(setting.schedule.values, start=1):
        optimizer.zero_grad()
        batch_loss(networks, setting, next(batches), generator).backward()
        for row, weight, index in zip(gradients[step - 1], weights, kept):
            row[:] = weight.grad.flatten(1).gather(1, index).flatten().numpy()
        optimizer.param_groups[0]["lr"] = float(lr)
        optimizer.step()
        if step in LOOKS:
            looks.append(look(networks, optimizer, setting))
            for observer in observers:
                observer(networks, optimizer, setting, step)
    series = {name: np.array([found[name] for found in looks]) for name in looks[0]}
    final = [weight.detach().numpy() for weight in weights]
    return Record(setting, start, series, gradients, [index.flatten().numpy() for index in kept], final)


def make_optimizer(networks, setting):
    """torch's AdamW, or the one with a denominator for each layer."""
    settings = dict(lr=1.0, weight_decay=setting.rates[1])
    if setting.layer_denominator:
        return LayerAdamW(networks.weights, **settings)
    return torch.optim.AdamW(networks.weights, betas=BETAS, eps=EPS, fused=True, **settings)


def rms(weight):
    """Weight RMS of one layer of each network, shape (n,)."""
    return weight.detach().square().mean((1, 2)).sqrt().numpy()


def draw_batches(setting, generator):
    """Endless batches: indices of images, shape (n, batch)."""
    images, shape = len(digits().pixels), (setting.networks, setting.batch)
    while setting.replacement:
        yield torch.randint(images, shape, generator=generator)
    while True:
        order = torch.stack([torch.randperm(images, generator=generator) for _ in range(setting.networks)])
        yield from order[:, : images // setting.batch * setting.batch].split(setting.batch, dim=1)


def batch_loss(networks, setting, index, generator):
    """Sum over the networks of their mean loss on one batch."""
    outputs = networks(digits().pixels[index])
    if setting.pure_noise:
        return (outputs * torch.randn(outputs.shape, generator=generator)).sum() / setting.batch
    labels = digits().labels[index]
    if setting.label_noise:
        noisy = torch.rand(labels.shape, generator=generator) < setting.label_noise
        labels = torch.where(noisy, torch.randint(CLASSES, labels.shape, generator=generator), labels)
    return cross_entropy(outputs, labels, setting.smoothing).sum() / setting.batch


def cross_entropy(outputs, targets, smoothing=0.0):
    """Loss of each image of each network, shape (n * images,); targets are labels or probabilities."""
    targets = targets.flatten() if targets.ndim == 2 else targets.flatten(0, 1)
    options = dict(reduction="none", label_smoothing=smoothing)
    return torch.nn.functional.cross_entropy(outputs.flatten(0, 1), targets, **options)


def look(networks, optimizer, setting):
    r"""Measure the networks after a step; each entry has shape (3, n), or () for the loss.

    - ``rho``: mean square of the weights. ``update``: mean square of the last update, over its prediction.
    - ``pull``: what the mean gradient gbar of all images adds to the weight decay. It moves a weight by
      -lr * gbar / d, where d is the optimizer's denominator; pull = sum(theta gbar / d) / sum(theta^2).
    - ``alignment``: the same from the last update, u for gbar / d, and the weights before it, after subtraction of
      what pure noise has: the weights contain the noise that is still in the momentum.
    - ``signal``: sum(gbar^2) over the mean of sum(g^2). ``cosine``: between the weights and gbar.
    """
    lr, weight_decay = optimizer.param_groups[0]["lr"], setting.rates[1]
    covariance = setting.autocovariance
    states = [optimizer.state[weight] for weight in networks.weights]
    loss = mean_gradient(networks, optimizer, setting)
    found = {name: [] for name in ("rho", "update", "pull", "alignment", "signal", "cosine")}
    for weight, state in zip(networks.weights, states):
        theta, gbar, d, u = weight.detach(), weight.grad, denominator(state), update(state)
        before = (theta + lr * u) / (1 - lr * weight_decay)
        size = mean(u**2) / covariance[0]
        found["rho"].append(mean(theta**2))
        found["update"].append(size)
        found["pull"].append(mean(theta * gbar / d) / mean(theta**2))
        found["alignment"].append((mean(before * u) + lr * covariance[1:].sum() * size) / mean(before**2))
        found["signal"].append(mean(gbar**2) / mean(d**2 + 0 * theta))
        found["cosine"].append(mean(theta * gbar) / np.sqrt(mean(theta**2) * mean(gbar**2) + 1e-60))
    return {name: np.array(value) for name, value in found.items()} | {"loss": loss}


def mean(values):
    """Mean over the weights of a layer, in double precision; shape (n,)."""
    return values.double().mean((1, 2)).numpy()


def mean_gradient(networks, optimizer, setting):
    """Set ``.grad`` to its expectation over images and labels; return the mean loss."""
    optimizer.zero_grad(set_to_none=False)
    images, labels, _ = digits()
    outputs = networks(images.expand(setting.networks, -1, -1))
    targets = torch.nn.functional.one_hot(labels, CLASSES) * (1 - setting.label_noise) + setting.label_noise / CLASSES
    loss = cross_entropy(outputs, targets.expand(setting.networks, -1, -1), setting.smoothing).sum() / len(images)
    if not setting.pure_noise:  # there it is 0 for every weight
        loss.backward()
    return loss.item() / setting.networks


@dataclass
class Result:
    """Prediction and measurement for the end of the runs of one setting.

    Parameters
    ----------
    setting : Setting
    lr, weight_decay : float
    start, predicted, measured : numpy.ndarray, shape (3, n)
        Weight RMS: before the first step, predicted from it for the end, measured at the end.
    with_pull, with_sizes, accounted : numpy.ndarray, shape (3, n)
        Prediction with the measured pull; with the pull and the measured sizes of the gradients; with the measured
        alignment and size of the updates.
    start_share : numpy.ndarray, shape (3, n)
        Share of the predicted mean square that is left of the start.
    sizes : numpy.ndarray, shape (3,)
        Mean of :func:`sizes_factor`.
    kurtosis : numpy.ndarray, shape (2, 3)
        Median over weights of E g^4 / (E g^2)^2 in the middle of the run and at its end, 500 steps each.
    series : dict
        What was measured at the looks: medians over the networks; (K,) for the loss, else (K, 3).
    """

    setting: Setting
    lr: float
    weight_decay: float
    start: np.ndarray
    predicted: np.ndarray
    measured: np.ndarray
    with_pull: np.ndarray
    with_sizes: np.ndarray
    accounted: np.ndarray
    start_share: np.ndarray
    sizes: np.ndarray
    kurtosis: np.ndarray
    series: dict

    def ratio(self, prediction="predicted"):
        """Measured over predicted RMS: root of the mean square over the networks, and the standard deviation; (3,)."""
        ratios = self.measured / getattr(self, prediction)
        return np.sqrt((ratios**2).mean(-1)), ratios.std(-1, ddof=1)

    def late(self, name):
        """Mean of a series over the second half of the steps, weighted with the learning rate; shape (3,)."""
        weight = self.setting.schedule.values[LOOKS - 1] * (LOOKS > STEPS // 2)
        return weight @ self.series[name] / weight.sum()


def analyse(record):
    """Compare a record with the predictions."""
    setting, start = record.setting, record.start
    # Single looks at one network are erratic where a denominator happens to be small; hence medians.
    series = {name: np.median(value, axis=-1) for name, value in record.series.items() if name != "loss"}
    pull, alignment, size = (held(series[name]) for name in ("pull", "alignment", "update"))
    sizes, (predicted, share) = sizes_factor(record).mean(-1), predict(setting, start)
    return Result(
        setting, *setting.rates, start, predicted, np.sqrt(record.series["rho"][-1]),
        with_pull=predict(setting, start, pull)[0],
        with_sizes=predict(setting, start, pull, sizes)[0],
        accounted=predict(setting, start, alignment, size)[0],
        start_share=share, sizes=sizes,
        kurtosis=np.array([kurtosis(record.gradients[at : at + 500]) for at in (STEPS // 2, STEPS - 500)]),
        series=series | {"loss": record.series["loss"]},
    )


def predict(setting, start, pull=0.0, sizes=1.0):
    """RMS at the end and the share of the start in its square, (3, n) each.

    ``pull`` (T, 3) adds to the weight decay: noise of step t is multiplied by exp(-sum of lr * pull) over the later
    steps. It may be negative, which predict_weight_rms does not allow; so the single sum with the pull over the single
    sum without it is applied to the exact prediction. ``sizes`` (3,) or (T, 3) multiplies the noise.
    """
    lr, weight_decay = setting.schedule.values, setting.rates[1]
    method = "recursion" if setting.layer_denominator else "exact"
    total, noise = (
        predict_weight_rms(setting.schedule, weight_decay, BETAS, init_rms=init, method=method) ** 2
        for init in (start, np.zeros_like(start))
    )
    pulled = np.cumsum((lr[:, None] * np.broadcast_to(pull, (STEPS, 3)))[::-1], axis=0)[::-1]
    weight = lr**2 * np.exp(-2 * weight_decay * np.cumsum(lr[::-1])[::-1])
    noise_left = noise * (weight[:, None] * sizes * np.exp(-2 * pulled)).sum(axis=0)[:, None] / weight.sum()
    start_left = (total - noise) * np.exp(-2 * pulled[0])[:, None]
    return np.sqrt(start_left + noise_left), start_left / (start_left + noise_left)


def held(series):
    """A series of the looks, (K, 3), at every step, (T, 3): linear between the looks."""
    steps = np.arange(1, STEPS + 1)
    return np.array([np.interp(steps, LOOKS, layer) for layer in series.T]).T


def sizes_factor(record):
    r"""Noise part for the recorded sizes of the gradients over the one for normal gradients of constant size.

    Let the signs of all gradients be drawn anew. The denominators stay as they are, the update is linear in the signs,
    and the mean square over all signs follows exactly from the recursion of moments. One value for each recorded
    weight, shape (3, n * KEPT).
    """
    setting, beta1 = record.setting, BETAS[0]
    momentum = cross = theta = 0.0
    for step, (lr, (gradient, d)) in enumerate(zip(setting.schedule.values, with_denominators(record)), start=1):
        momentum = beta1**2 * momentum + (1 - beta1) ** 2 * gradient**2
        rate, shrink = lr / (1 - beta1**step) / d, 1 - lr * setting.rates[1]
        theta = shrink**2 * theta - 2 * shrink * rate * beta1 * cross + rate**2 * momentum
        cross = shrink * beta1 * cross - rate * momentum
    return theta / predict(setting, np.zeros((3, 1)))[0] ** 2


def with_denominators(record):
    """Pairs of recorded gradient and denominator, (3, n * KEPT) each, step by step."""
    v = 0.0
    for step, gradient in enumerate(record.gradients.astype(float), start=1):
        square = gradient**2
        if record.setting.layer_denominator:  # the kept weights stand for the layer
            square = square.reshape(3, -1, KEPT).mean(-1).repeat(KEPT, axis=1)
        v = BETAS[1] * v + (1 - BETAS[1]) * square
        yield gradient, np.sqrt(v / (1 - BETAS[1] ** step)) + EPS


def kurtosis(gradients):
    """Median over weights of E g^4 / (E g^2)^2, for gradients of shape (steps, 3, weights); shape (3,)."""
    gradients = gradients / np.maximum(np.abs(gradients).max(axis=0), 1e-30)  # no underflow of the fourth power
    return np.median((gradients**4).mean(axis=0) / np.maximum((gradients**2).mean(axis=0) ** 2, 1e-30), axis=-1)


class Runs(dict):
    """Results by setting; one that is missing is computed."""

    def __missing__(self, setting):
        return self.add(train(setting))

    def add(self, record):
        """Analyse a record and keep the result."""
        result = self[record.setting] = analyse(record)
        print(record.setting, "measured / predicted:", result.ratio()[0].round(3), flush=True)
        return result


class Quartiles:
    """Pull in the second layer by quartile of the denominator, at each look in the second half of a run."""

    def __init__(self):
        self.found, self.rates = [], []

    def __call__(self, networks, optimizer, setting, step):
        if step <= STEPS // 2:
            return
        weight = networks.weights[1]
        theta, gbar, d = (x.detach().flatten(1) for x in (weight, weight.grad, denominator(optimizer.state[weight])))
        order = d.argsort(dim=1)

        def quarters(values):
            return values.gather(1, order).reshape(len(d), 4, -1)

        part = theta * gbar / (theta**2).sum(1, keepdim=True) / setting.rates[1]
        one = d.square().mean(1, keepdim=True).sqrt()
        found = [quarters(part / one).sum(-1), quarters(part / d).sum(-1), quarters(theta**2).mean(-1).sqrt()]
        found.append(quarters(d / one).square().mean(-1).sqrt())
        self.found.append(torch.stack(found).double().mean(1).numpy())
        self.rates.append(optimizer.param_groups[0]["lr"])

    def numbers(self):
        """Pull / weight decay with one denominator and with each weight's own, weight RMS, denominator; (4, 4)."""
        return np.average(self.found, axis=0, weights=self.rates)


class FreshBatches:
    """Output layer at fixed weights, fresh batches: the pull of the mean gradient, of skewness, of the mean update.

    For small mu / sigma and small 1 - beta2, E[u] = mu / sigma - Cov(m, v) / (2 sigma^3), and the covariance is
    (1 - beta1)(1 - beta2) / (1 - beta1 beta2) times the third moment of the gradient.
    """

    STEPS = range(1200, 3601, 400)
    SHARE = (1 - BETAS[0]) * (1 - BETAS[1]) / (1 - BETAS[0] * BETAS[1])

    def __init__(self):
        self.found = []

    def __call__(self, networks, optimizer, setting, step):
        if step not in self.STEPS:
            return
        generator = torch.Generator().manual_seed(SEED + step)
        batches = draw_batches(setting, generator)
        weight = networks.weights[-1]
        theta, gbar = weight.detach(), weight.grad.clone()
        state = {name: value.clone() for name, value in optimizer.state[weight].items()}
        total, moments = torch.zeros_like(theta), torch.zeros(2, *theta.shape)
        for count in range(140):
            optimizer.zero_grad()
            batch_loss(networks, setting, next(batches), generator).backward()
            advance(state, weight.grad)
            if count >= 60:  # by then the momentum has forgotten how the weights came to be
                total += update(state) / 80
                moments += torch.stack([weight.grad**2, (weight.grad - gbar) ** 3]) / 80
        sigma = moments[0].clamp_min(1e-30).sqrt()
        parts = (gbar / sigma, -self.SHARE / 2 * moments[1] / sigma**3, total)
        self.found.append([np.median(mean(theta * part) / mean(theta**2)) for part in parts])

    def numbers(self, result):
        """The three pulls, and that of the training itself over the same steps, in units of the weight decay; (4,)."""
        inside = (LOOKS >= self.STEPS[0]) & (LOOKS <= self.STEPS[-1])
        training = result.series["alignment"][inside, 2].mean()
        return np.append(np.mean(self.found, axis=0), training) / result.weight_decay


def by_pixel(record):
    """First layer by how often a weight's pixel is lit; rows (from, to, pixels, kurtosis, ratio, ratio with sizes)."""
    setting, rows, lit = record.setting, [], digits().lit
    start, sizes = record.start[:1].mean(), sizes_factor(record)[0]
    for low, high in ((0, 0.02), (0.02, 0.5), (0.5, 1)):
        pixels = np.flatnonzero((lit >= low) & (lit <= high))
        kept = np.isin(record.kept[0] % len(lit), pixels)
        measured = np.sqrt((record.final[0][:, :, pixels].astype(float) ** 2).mean())
        plain, sized = (predict(setting, np.full((3, 1), start), sizes=s)[0][0, 0] for s in (1.0, sizes[kept].mean()))
        steepness = kurtosis(record.gradients[STEPS // 2 :, :1, kept])[0]
        rows.append((low, high, len(pixels), steepness, measured / plain, measured / sized))
    return rows


def by_lag(record):
    """Long-run variance of the update on the plateau of a WSD schedule, summed up to growing lags.

    Returns a dict: ``gradient``, autocorrelation of the gradients at the lags 1, 2, ...; ``sums``, shape
    (len(LAGS), 3), in units of the whole sum for pure noise; ``noise``, the same for pure noise; ``square_ratio``,
    measured over predicted mean square at the end of the plateau.
    """
    setting, (lr, weight_decay) = record.setting, record.setting.rates
    plateau, theory = slice(STEPS // 4, STEPS * 4 // 5), np.zeros(STEPS)
    theory[: setting.autocovariance.size] = setting.autocovariance
    gradients = record.gradients[plateau]
    gradients = autocovariance(gradients / np.sqrt((gradients.astype(float) ** 2).mean(axis=0)))
    found = autocovariance(updates(record)[plateau])
    noise, *sums = (
        np.array([discounted(each, 1 - lr * weight_decay, lag) for lag in LAGS]) for each in (theory, *found.T)
    )
    predicted = predict_weight_rms(setting.schedule, weight_decay, BETAS, init_rms=record.start, trajectory=True)
    ratio = record.series["rho"][LOOKS == plateau.stop][0] / predicted[..., plateau.stop - 1] ** 2
    return {
        "gradient": gradients[1:1001], "noise": noise / noise[-1], "sums": np.array(sums).T / noise[-1],
        "square_ratio": ratio.mean(-1),
    }


def updates(record):
    """Updates from the recorded gradients, of their shape."""
    found, m = np.empty_like(record.gradients), 0.0
    for step, (gradient, d) in enumerate(with_denominators(record), start=1):
        m = BETAS[0] * m + (1 - BETAS[0]) * gradient
        found[step - 1] = m / (1 - BETAS[0] ** step) / d
    return found


def autocovariance(series):
    """Mean over weights of x_t x_{t+k}, for series of shape (steps, 3, weights); shape (steps, 3)."""
    steps, found = len(series), []
    for layer in range(3):
        power = np.abs(np.fft.rfft(series[:, layer].astype(float), 2 * steps, axis=0)) ** 2
        products = np.fft.irfft(power.mean(axis=1))[:steps]
        found.append(products / (steps - np.arange(steps)))
    return np.array(found).T


def discounted(covariance, shrink, lag):
    """Sum over the lags -lag, ..., lag of shrink^|k| C_k: the stationary mean square is proportional to it."""
    return covariance[0] + 2 * (shrink ** np.arange(1, lag + 1) * covariance[1 : lag + 1]).sum()


# The report. Every sentence with a claim is checked by check_sentences before it is written.
NOISY, CLEAN = Setting(), Setting(label_noise=0.0)
NOISE_ONLY = [Setting(pure_noise=True, kappa=kappa, networks=12) for kappa in (0.5, 2.0, 8.0)]
RANDOM_LABELS = Setting(label_noise=1.0)
ONE = Setting(layer_denominator=True)
ONE_CLEAN = Setting(layer_denominator=True, label_noise=0.0)
ONE_NORMALISED = Setting(layer_denominator=True, normalised_output=True)
NORMALISED = Setting(normalised_output=True)
BATCHES = [Setting(batch=16), NOISY, Setting(batch=256, networks=4)]
SMOOTHED = Setting(label_noise=0.0, smoothing=0.1)
VANISHING = [CLEAN, Setting(label_noise=0.01), Setting(label_noise=0.1), NOISY, SMOOTHED]
RELU = Setting(activation="relu")
SHUFFLED, SHUFFLED_CLEAN = Setting(replacement=False), Setting(label_noise=0.0, replacement=False)
SKEWED = [NOISY, Setting(label_noise=0.1), Setting(label_noise=0.01), RELU]
PLATEAU = Setting(shape="WSD", kappa=8.0)
ONE_PLATEAU = Setting(shape="WSD", kappa=8.0, layer_denominator=True)
MAIN = [(shape, kappa) for shape in SHAPES for kappa in (0.5, 2.0)]


def measure():
    """Run everything; the results by setting, and the numbers of the closer looks."""
    runs, quartiles, fresh = Runs(), Quartiles(), {setting: FreshBatches() for setting in SKEWED}
    for setting in SKEWED:
        runs.add(train(setting, [quartiles, fresh[setting]] if setting == NOISY else [fresh[setting]]))
    closer = {"quartiles": quartiles.numbers(), "skewness": [fresh[each].numbers(runs[each]) for each in SKEWED]}
    for setting, name, function in (
        (NOISE_ONLY[1], "pixels", by_pixel), (PLATEAU, "lags", by_lag), (ONE_PLATEAU, "lags_one_denominator", by_lag),
    ):
        record = train(setting)
        runs.add(record)
        closer[name] = function(record)
    others = [*NOISE_ONLY, RANDOM_LABELS, ONE, ONE_CLEAN, ONE_NORMALISED, NORMALISED, *BATCHES, *VANISHING]
    others += [SHUFFLED, SHUFFLED_CLEAN]
    for setting in [Setting(*each, noise) for noise in (0.5, 0.0) for each in MAIN] + others:
        runs[setting]  # trains it where it is missing
    return runs, closer


def check_sentences(runs, closer):
    """Fail if a sentence of the report is not true of the numbers."""
    hidden, ratio = slice(0, 2), {setting: result.ratio()[0] for setting, result in runs.items()}
    noisy = [runs[Setting(*each)] for each in MAIN]
    clean = [runs[Setting(*each, 0.0)] for each in MAIN]
    lags, one = closer["lags"], closer["lags_one_denominator"]
    pulls = [runs[each].late("pull")[1] / runs[each].weight_decay for each in BATCHES]
    skewness = np.array(closer["skewness"])
    by_one, by_own, size, _ = closer["quartiles"]
    facts = {
        "pure noise, hidden layers, kappa up to 2": all(off(ratio[each][hidden]) < 0.02 for each in NOISE_ONLY[:2]),
        "pure noise, hidden layers, kappa 8": off(ratio[NOISE_ONLY[2]][hidden]) < 0.05,
        "pure noise, excess grows": ratio[NOISE_ONLY[2]][1] - 1 > 2 * abs(ratio[NOISE_ONLY[1]][1] - 1),
        "noisy labels, hidden layers, with pull": all(off(each.ratio("with_pull")[0][hidden]) < 0.02 for each in noisy),
        "noisy labels, hidden layers, updates": all(off(each.ratio("accounted")[0][hidden]) < 0.015 for each in noisy),
        "clean labels, with pull and sizes": all(off(each.ratio("with_sizes")[0]) < 0.11 for each in clean),
        "clean labels, output layer": all(each.ratio()[0][2] > 3 for each in clean),
        "orthogonal": max(np.abs(each.series["cosine"][:, hidden]).max() for each in runs.values()) < 1e-6,
        "one denominator": off(ratio[ONE][hidden]) < 0.015,
        "one denominator, clean, sizes": off(runs[ONE_CLEAN].ratio("with_sizes")[0][hidden]) < 0.03,
        "one denominator, normalised output": off(ratio[ONE_NORMALISED]) < 0.05,
        "small denominators pull in, large push out": by_one[:3].min() > 0 > by_one[3] and by_own.sum() > 0.1,
        "small denominators, small weights": (np.diff(size) > 0).all(),
        "pull grows with the batch": (np.diff(pulls) > 0).all(),
        "signal grows with the batch": (np.diff([runs[each].late("signal")[1] for each in BATCHES]) > 0).all(),
        "ratio falls with the batch": (np.diff([ratio[each][1] for each in BATCHES]) < 0).all(),
        "random labels": ratio[RANDOM_LABELS][2] < 0.2 and ratio[RANDOM_LABELS][1] > 1.5,
        "random labels, with pull": off(runs[RANDOM_LABELS].ratio("with_pull")[0]) < 0.1,
        "smoothing is no noise": (runs[SMOOTHED].late("signal") > 4 * runs[VANISHING[2]].late("signal")).all(),
        "gradients answer back": lags["sums"][LAGS.index(100)].max() < 0.5 * lags["noise"][LAGS.index(100)],
        "lag 1 has the other sign": lags["gradient"][0].min() > 0,
        "sums over all lags": off(lags["sums"][-1] / lags["square_ratio"]) < 0.12,
        "one denominator, sums over all lags": off(one["sums"][-1, hidden]) < 0.05,
        "skewness": (skewness[2:, 0] > 0).all() and (skewness[2:, 1:] < -0.3).all(),
        "shuffled, noisy labels": off(ratio[SHUFFLED] / ratio[NOISY]) < 0.02,
        "shuffled, true labels": 0.02 < 1 - (ratio[SHUFFLED_CLEAN] / ratio[CLEAN])[hidden].max() < 0.08,
    }
    wrong = [name for name, holds in facts.items() if not holds]
    if wrong:
        raise AssertionError(f"the report no longer fits the numbers: {', '.join(wrong)}")


def off(ratios):
    """Largest distance of ratios from 1."""
    return np.abs(np.asarray(ratios) - 1).max()


def span(values, digits=2):
    """Smallest to largest value, as text."""
    low, high = (f"{value:.{digits}f}" for value in (np.min(values), np.max(values)))
    return low if low == high else f"{low} to {high}"


def ratios(result, prediction="predicted"):
    """Cells: measured over predicted, with the standard deviation over the networks, for the three layers."""
    return [f"{value:.3f} ± {spread:.3f}" for value, spread in zip(*result.ratio(prediction))]


def report(runs, closer, minutes):
    """The text, from its template and the numbers."""
    template = Path(__file__).with_name("real_network_report.md").read_text(encoding="utf-8")
    return template.format(
        minutes=minutes, python=sys.version.split()[0], torch=torch.__version__.split("+")[0],
        inputs=digits().pixels.shape[1], images=len(digits().pixels), width=WIDTH, classes=CLASSES,
        betas=BETAS, eps=EPS, steps=STEPS, seed=SEED, looks=len(LOOKS),
        networks=NOISY.networks, noise_networks=NOISE_ONLY[0].networks,
        plateau_from=STEPS // 4, plateau_to=STEPS * 4 // 5, **main_facts(runs), **closer_facts(runs, closer),
    )


def main_facts(runs):
    """Texts and numbers of the report that come from the results."""
    noisy, clean = ([runs[Setting(*each, noise)] for each in MAIN] for noise in (0.5, 0.0))
    strong = [result.ratio()[0] for result in noisy if result.setting.kappa == 2]
    weak = np.array([result.ratio()[0] for result in clean])
    random, cosines = runs[RANDOM_LABELS], [result.series["cosine"] for result in runs.values()]
    return {
        "noise_off": 100 * off([runs[each].ratio()[0][:2] for each in NOISE_ONLY[:2]]),
        **{f"noisy_{name}": span([each[i] for each in strong]) for i, name in enumerate(("first", "second", "output"))},
        "pulled_off": 100 * off([result.ratio("with_pull")[0][:2] for result in noisy]),
        "one_off": 100 * off(runs[ONE].ratio()[0][:2]),
        "clean_hidden": span(weak[:, :2]), "clean_output": span(weak[:, 2], 1),
        "clean_off": 100 * off([result.ratio("with_sizes")[0] for result in clean]),
        "main_noisy": main_table(noisy, "Half of the labels drawn anew whenever an image is used"),
        "main_clean": main_table(clean, "The true labels"),
        "noise": table(("κ", "Peak ηλ", *LAYERS), [
            (f"{each.kappa:g}", f"{runs[each].lr * runs[each].weight_decay:.1e}", *(
                f"{value:.3f} ± {spread / math.sqrt(each.networks):.3f}" for value, spread in zip(*runs[each].ratio())
            )) for each in NOISE_ONLY
        ]),
        "random_second": random.ratio()[0][1], "random_output": random.ratio()[0][2],
        "random_pulled": span(random.ratio("with_pull")[0]),
        "cosine_hidden": max(np.abs(each[:, :2]).max() for each in cosines),
        "cosine_output": max(np.abs(each[:, 2]).max() for each in cosines),
        "denominators": table(("Setting", *LAYERS), [
            ("AdamW, noisy labels", *ratios(runs[NOISY])),
            ("one denominator a layer, noisy labels", *ratios(runs[ONE])),
            ("the same, output layer normalised, too", *ratios(runs[ONE_NORMALISED])),
            ("AdamW, output layer normalised", *ratios(runs[NORMALISED])),
            ("one denominator a layer, true labels", *ratios(runs[ONE_CLEAN])),
            ("the same, over the prediction with sizes", *ratios(runs[ONE_CLEAN], "with_sizes")),
        ]),
        "batches": table(("Batch", "Signal Σḡ² / Σg²", "h/λ", "Measured / predicted", "With pull"), [
            (f"{each.batch}", f"{runs[each].late('signal')[1]:.4f}",
             f"{runs[each].late('pull')[1] / runs[each].weight_decay:.2f}",
             ratios(runs[each])[1], ratios(runs[each], "with_pull")[1]) for each in BATCHES
        ]),
        "signal": 100 * runs[NOISY].late("signal")[1], "signal_effect": 100 * off(runs[NOISY].ratio()[0][1]),
        "vanishing": vanishing_table(runs),
        "others": table(("κ = 2, cosine", *LAYERS), [
            ("noisy labels", *ratios(runs[NOISY])),
            ("noisy labels, epochs", *ratios(runs[SHUFFLED])),
            ("noisy labels, ReLU", *ratios(runs[RELU])),
            ("true labels", *ratios(runs[CLEAN])),
            ("true labels, epochs", *ratios(runs[SHUFFLED_CLEAN])),
        ]),
        "regimes": regimes_table(runs),
    }


def closer_facts(runs, closer):
    """Texts and numbers of the report that come from the closer looks."""
    lags, one, (by_one, by_own, size, d) = closer["lags"], closer["lags_one_denominator"], closer["quartiles"]
    columns = [lags["noise"], *lags["sums"].T, one["sums"][:, 1]]
    measured = ["", *(f"{value:.3f}" for value in (*lags["square_ratio"], one["square_ratio"][1]))]
    return {
        "pixels": table(("Pixel lit in", "Pixels", "Kurtosis of gradients", "Measured / predicted", "With sizes"), [
            (f"{100 * low:.0f} to {100 * high:.0f} % of images", f"{count}", f"{steepness:.1f}", f"{plain:.3f}",
             f"{sized:.3f}") for low, high, count, steepness, plain, sized in closer["pixels"]
        ]),
        "quartiles": table(("Quarter", "d / its RMS", "Weight RMS", "h/λ, one denominator", "h/λ, own denominators"), [
            (name, f"{d[i]:.2f}", f"{size[i]:.3f}", f"{by_one[i]:+.3f}", f"{by_own[i]:+.3f}")
            for i, name in enumerate(("smallest d", "second", "third", "largest d"))
        ] + [("all", "", "", f"{by_one.sum():+.3f}", f"{by_own.sum():+.3f}")]),
        "lags": table(("Lags up to", "Pure noise", *LAYERS, "second hidden, one denominator"), [
            (f"{lag}", *(f"{column[i]:.3f}" for column in columns)) for i, lag in enumerate(LAGS)
        ] + [("measured", *measured)]),
        **{f"lag{lag}": span(lags["gradient"][lag - 1], digits) for lag, digits in ((1, 3), (10, 3), (100, 4))},
        "skewness": table(("Setting", "Mean gradient", "Skewness", "Mean update", "In the training"), [
            (name, *(f"{value:+.2f}" for value in pulls)) for name, pulls in zip(
                ("50 % drawn anew", "10 % drawn anew", "1 % drawn anew", "50 % drawn anew, ReLU"), closer["skewness"])
        ]),
        "skewed_pulled": span([runs[each].ratio("with_pull")[0][2] for each in SKEWED[2:]]),
        "skewed_updates": span([runs[each].ratio("accounted")[0][2] for each in SKEWED[2:]]),
    }


def main_table(results, title):
    """One of the two main tables, under its title."""
    header = ("Schedule", "κ", "Layer", "Start", "Predicted", "Measured", "Measured / predicted", "With pull",
              "And sizes", "With updates")
    rows = []
    for result in results:
        others = [result.ratio(name)[0] for name in ("with_pull", "with_sizes", "accounted")]
        rows += [
            (result.setting.shape, f"{result.setting.kappa:g}", layer, f"{100 * result.start_share[i].mean():.0f} %",
             f"{result.predicted[i].mean():.4f}", f"{result.measured[i].mean():.4f}", ratios(result)[i],
             *(f"{ratio[i]:.3f}" for ratio in others))
            for i, layer in enumerate(LAYERS)
        ]
    loss = max(result.series["loss"][-1] for result in results)
    return f"**{title}** (mean loss at the end: at most {loss:.2g})\n\n{table(header, rows)}"


def regimes_table(runs):
    """Where the plain prediction holds and where not."""
    clean = [runs[Setting(*each, 0.0)].ratio()[0] for each in MAIN if each[1] == 2]
    noisy = [runs[Setting(*each)].ratio()[0] for each in MAIN if each[1] == 2]
    return table(("Gradients", "Layer", "Measured / predicted", "Why"), [
        ("pure noise", "hidden", span([runs[each].ratio()[0][:2] for each in NOISE_ONLY[:2]]), "as assumed"),
        ("noise dominates, one denominator a layer", "hidden", span(runs[ONE].ratio()[0][:2]),
         "the mean gradient is orthogonal to the weights"),
        ("noise dominates, AdamW", "first hidden", span([each[0] for each in noisy]),
         "the mean gradient over each weight's denominator is not orthogonal, it pulls inwards"),
        ("noise dominates, AdamW", "second hidden", span([each[1] for each in noisy]), "the same, more of it"),
        ("the same, batch 256 for 64", "second hidden", f"{runs[BATCHES[-1]].ratio()[0][1]:.2f}",
         "less noise, stronger pull"),
        ("all images learnt by heart", "hidden", span([each[:2] for each in clean]), "bursts, then silence"),
        ("noise dominates, AdamW", "output", span([each[2] for each in noisy]), "the loss pulls the outputs back"),
        ("labels mean nothing", "output", f"{runs[RANDOM_LABELS].ratio()[0][2]:.2f}", "the same, nothing to learn"),
        ("all images learnt by heart", "output", span([each[2] for each in clean], 1), "the loss pushes them up"),
    ])


def vanishing_table(runs):
    """From noisy labels to labels that can be learnt by heart."""
    names = ("true", "1 % drawn anew", "10 % drawn anew", "50 % drawn anew", "true, smoothed by 0.1")
    return table(("Labels", "Final loss", "Kurtosis", "Size of updates", "Signal", *LAYERS), [
        (name, f"{runs[each].series['loss'][-1]:.2g}",
         " / ".join(f"{value:.0f}" for value in runs[each].kurtosis[:, 1]),
         f"{math.sqrt(runs[each].late('update')[1]):.2f}", f"{runs[each].late('signal')[1]:.3f}", *ratios(runs[each]))
        for name, each in zip(names, VANISHING)
    ])


def table(header, rows):
    """A Markdown table; columns of words are left-aligned, as is the first."""
    words = [all(row[column][:1].isalpha() for row in rows) for column in range(len(header))]
    lines = [header, [":--" if left or not column else "--:" for column, left in enumerate(words)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def plain(value, digits=6):
    """Settings, results and arrays as JSON can hold them, numbers with so many digits."""
    if isinstance(value, (Setting, Result)):
        return {name: plain(each, digits) for name, each in vars(value).items()}
    if isinstance(value, dict):
        return {name: plain(each, digits) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each, digits) for each in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist(), digits)
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value


TRAJECTORIES = {
    "pure noise": NOISE_ONLY[1], "half the labels drawn anew": NOISY, "true labels": CLEAN,
    "one denominator a layer": ONE,
}
DIGITS = 5  # of the numbers in the summary


def summary(numbers):
    """What the package keeps of everything that ``results/real_network.json`` holds; the docstring above says what."""
    defaults, runs = plain(Setting()), numbers["runs"]
    index = {Setting(**run["setting"]): place for place, run in enumerate(runs)}
    trajectories = {}
    for name, setting in TRAJECTORIES.items():
        series = runs[index[setting]]["series"]
        trajectories[name] = {"run": index[setting], "rho": np.array(series["rho"]).T}
        if setting == NOISY:
            trajectories[name]["signal"] = np.array(series["signal"]).T
    lags = {name: each for name, each in numbers["lags"].items() if name != "gradient"}
    return plain({
        "seed": numbers["seed"], "steps": numbers["steps"], "betas": BETAS, "eps": EPS, "width": WIDTH,
        "layers": LAYERS, "defaults": defaults, "looks": numbers["looks"],
        "runs": [summary_of_run(run, defaults) for run in runs], "trajectories": trajectories,
        "quartiles": dict(zip(("one", "own", "rms", "denominator"), numbers["quartiles"])),
        "lags": {"lags": LAGS} | lags,
    }, DIGITS)


def summary_of_run(run, defaults):
    """One entry of ``runs`` in the summary."""
    measured, others = np.array(run["measured"]), ("with_pull", "with_sizes", "accounted")
    return {
        "setting": {name: value for name, value in run["setting"].items() if value != defaults[name]},
        **{name: run[name] for name in ("lr", "weight_decay", "start", "predicted", "measured")},
        **{name: np.sqrt(((measured / run[name]) ** 2).mean(axis=1)) for name in others},
        "start_share": np.mean(run["start_share"], axis=1), "loss": run["series"]["loss"][-1],
    }


def main():
    """Run all settings and write the three files."""
    began = time.process_time()
    torch.set_num_threads(1)
    runs, closer = measure()
    check_sentences(runs, closer)
    text = report(runs, closer, (time.process_time() - began) / 60)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "real_network.md").write_text(text, encoding="utf-8")
    for result in runs.values():  # a fifth of the looks is enough to show the course of a run
        result.series = {name: values[::5] for name, values in result.series.items()}
    numbers = {"seed": SEED, "steps": STEPS, "looks": LOOKS[::5], "runs": list(runs.values()), **closer}
    numbers = plain(numbers)
    (RESULTS / "real_network.json").write_text(json.dumps(numbers) + "\n", encoding="utf-8")
    write_summary(numbers)
    print(text)


def write_summary(numbers):
    """Write what the package keeps of the numbers, one entry a line."""
    lines = (f'"{name}":' + json.dumps(each, separators=(",", ":")) for name, each in summary(numbers).items())
    SUMMARY.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
