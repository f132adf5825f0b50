"""Wrong and unusual answers to the assignment mean-field-limits, and the cells of tests that each of them must fail."""

_STEPS = '''
def adamw_updates(gradients, beta1, beta2):
    m = v = np.zeros(gradients.shape[1])
    rows = []
    for t, g in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        rows.append({update})
    return np.array(rows)
'''

_WEIGHTS = '''
def final_weights(updates, lr, weight_decay):
    theta = np.zeros(updates.shape[1])
    for eta, u in zip(lr, updates):
        theta = {step}
    return theta
'''

_ERRORS = '''
updates = adamw_updates(np.random.default_rng(SEED).standard_normal((STEPS, 8000)), BETA1, {beta2})
squares, errors = np.empty(3), np.empty((3, 3))
for row, kappa in enumerate(KAPPAS):
    decay = {decay}
    rho, error = mean_and_error(final_weights(updates, LR, decay) ** 2)
    guesses = np.array([mean_field(LR, decay), single_sum(LR, decay)])
    squares[row] = rho
    errors[row] = [*{errors}, error / rho]
'''

_SIZES = '''
noise = np.random.default_rng(SEED + 1).standard_normal((300, 2000))
runs = [adamw_updates(noise, BETA1, beta2) for beta2 in BETA2S]
c0 = (1 - BETA1) / (1 + BETA1)
'''

_REPAIRED = '''
sums = np.array([single_sum(LR, kappa / LR.sum()) for kappa in KAPPAS])
repaired = {repaired}
'''

MISTAKES = [
    ("no bias correction",
     {"updates": _STEPS.format(update="m / np.sqrt(v)")},
     {"check-first-update", "check-updates"}),
    ("only the momentum has its hat",
     {"updates": _STEPS.format(update="m / (1 - beta1**t) / np.sqrt(v)")},
     {"check-first-update", "check-updates"}),
    ("an epsilon of 1e-8, as in PyTorch's default",
     {"updates": _STEPS.format(update="m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + 1e-8)")},
     {"check-first-update"}),
    ("the sign of the gradient, which the visible checks would accept",
     {"updates": "def adamw_updates(gradients, beta1, beta2):\n    return np.sign(gradients)"},
     {"check-first-update", "check-updates", "check-errors", "check-sizes", "check-factors", "check-repaired"}),
    ("the square root of the denominator is forgotten",
     {"updates": _STEPS.format(update="m / (1 - beta1**t) / (v / (1 - beta2**t))")},
     {"check-first-update", "check-updates", "check-errors", "check-sizes", "check-factors", "check-repaired"}),
    ("the update is decayed, too",
     {"weights": _WEIGHTS.format(step="(1 - eta * weight_decay) * (theta - eta * u)")},
     {"check-weights"}),
    ("the weights gain the update instead of losing it",
     {"weights": _WEIGHTS.format(step="(1 - eta * weight_decay) * theta + eta * u")},
     {"check-weights"}),
    ("standard deviation instead of standard error",
     {"error-bar": "def mean_and_error(samples):\n    return np.mean(samples), np.std(samples)"},
     {"check-error-bar", "check-errors", "check-update-square", "check-sizes", "check-noise-factor", "check-factors"}),
    ("the error bar of normal weights, for all samples",
     {"error-bar": "def mean_and_error(samples):\n"
                   "    return np.mean(samples), np.mean(samples) * np.sqrt(2 / np.size(samples))"},
     {"check-error-bar", "check-update-square", "check-sizes", "check-noise-factor", "check-factors"}),
    ("the mean field divides by zero, and loses digits",
     {"mean-field": "def mean_field(lr, weight_decay):\n    kappa = weight_decay * np.sum(lr)\n"
                    "    return (1 - np.exp(-2 * kappa)) * np.sum(lr**2) / (2 * kappa)"},
     {"check-mean-field"}),
    ("the formulas return the RMS",
     {"mean-field": "def mean_field(lr, weight_decay):\n    kappa = weight_decay * np.sum(lr)\n"
                    "    factor = -np.expm1(-2 * kappa) / (2 * kappa) if kappa else 1\n"
                    "    return np.sqrt(factor * np.sum(lr**2))",
      "single-sum": "def single_sum(lr, weight_decay):\n    kappa = weight_decay * np.cumsum(lr)\n"
                    "    return np.sqrt(np.sum(np.exp(2 * (kappa - kappa[-1])) * lr**2))"},
     {"check-mean-field", "check-single-sum", "check-errors", "check-repaired"}),
    ("the single sum overflows",
     {"single-sum": "def single_sum(lr, weight_decay):\n    kappa = weight_decay * np.cumsum(lr)\n"
                    "    return np.exp(-2 * kappa[-1]) * np.sum(np.exp(2 * kappa) * lr**2)"},
     {"check-single-sum"}),
    ("the newest update decays, too",
     {"single-sum": "def single_sum(lr, weight_decay):\n    kappa = weight_decay * np.cumsum(lr)\n"
                    "    return np.sum(np.exp(2 * (kappa - lr * weight_decay - kappa[-1])) * lr**2)"},
     {"check-single-sum", "check-errors"}),
    ("errors of the RMS",
     {"errors": _ERRORS.format(beta2="BETA1**2", decay="kappa / LR.sum()", errors="(np.sqrt(guesses / rho) - 1)")},
     {"check-errors"}),
    ("errors relative to the formula, with the sign turned round",
     {"errors": _ERRORS.format(beta2="BETA1**2", decay="kappa / LR.sum()", errors="(1 - rho / guesses)")},
     {"check-errors"}),
    ("another beta2 in the run",
     {"errors": _ERRORS.format(beta2="0.95", decay="kappa / LR.sum()", errors="(guesses / rho - 1)")},
     {"check-errors", "check-repaired"}),
    ("the weight decay of a constant schedule",
     {"errors": _ERRORS.format(beta2="BETA1**2", decay="kappa / (PEAK * STEPS)", errors="(guesses / rho - 1)")},
     {"check-errors", "check-repaired"}),
    ("all steps of a weight count as independent",
     {"update-square": "def update_square(updates, burn):\n    return mean_and_error(updates[burn:].ravel() ** 2)"},
     {"check-update-square"}),
    ("the weights are averaged before the steps, and the spread of the steps is used",
     {"update-square": "def update_square(updates, burn):\n"
                       "    return mean_and_error(np.mean(updates[burn:] ** 2, axis=1))"},
     {"check-update-square"}),
    ("the root of the ratio",
     {"sizes": _SIZES + "sizes = np.sqrt(np.array([update_square(run, 60) for run in runs]) / c0)"},
     {"check-sizes"}),
    ("sums of pairs divided by all steps",
     {"autocovariance": "def autocovariance(updates, lags, burn):\n    u = updates[burn:]\n"
                        "    return np.array([(u[:len(u) - k] * u[k:]).sum(axis=0) / len(u)\n"
                        "                     for k in range(lags + 1)])"},
     {"check-autocovariance", "check-noise-factor"}),
    ("the pairs wrap round the end",
     {"autocovariance": "def autocovariance(updates, lags, burn):\n    u = updates[burn:]\n"
                        "    return np.array([(u * np.roll(u, -k, axis=0)).mean(axis=0) for k in range(lags + 1)])"},
     {"check-autocovariance", "check-noise-factor"}),
    ("a mean is subtracted",
     {"autocovariance": "def autocovariance(updates, lags, burn):\n"
                        "    u = updates[burn:] - updates[burn:].mean(axis=0)\n"
                        "    return np.array([(u[:len(u) - k] * u[k:]).mean(axis=0) for k in range(lags + 1)])"},
     {"check-autocovariance", "check-noise-factor", "check-factors"}),
    ("the companion lacks its hat",
     {"companion": "def companion_updates(gradients, beta1):\n    m, rows = 0, []\n    for g in gradients:\n"
                   "        m = beta1 * m + (1 - beta1) * g\n        rows.append(m)\n    return np.array(rows)"},
     {"check-companion"}),
    ("only positive lags",
     {"noise-factor": "def noise_factor(updates, companion, lags, burn):\n"
                      "    gap = autocovariance(updates, lags, burn) - autocovariance(companion, lags, burn)\n"
                      "    value, error = mean_and_error(gap.sum(axis=0))\n    return 1 + value, error"},
     {"check-noise-factor", "check-factors", "check-repaired"}),
    ("lag 0 counts twice",
     {"noise-factor": "def noise_factor(updates, companion, lags, burn):\n"
                      "    gap = autocovariance(updates, lags, burn) - autocovariance(companion, lags, burn)\n"
                      "    value, error = mean_and_error(2 * gap.sum(axis=0))\n    return 1 + value, error"},
     {"check-noise-factor", "check-factors"}),
    ("the errors of the lags are added as if lags were independent",
     {"noise-factor": "def noise_factor(updates, companion, lags, burn):\n"
                      "    gap = autocovariance(updates, lags, burn) - autocovariance(companion, lags, burn)\n"
                      "    value, error = np.transpose([mean_and_error(row) for row in gap])\n"
                      "    return 1 + value[0] + 2 * value[1:].sum(), np.sqrt(error[0]**2 + 4 * (error[1:]**2).sum())"},
     {"check-noise-factor", "check-factors"}),
    ("the companion has other gradients",
     {"factors": "other = companion_updates(np.random.default_rng(5).standard_normal((300, 2000)), BETA1)\n"
                 "factors = np.array([noise_factor(run, other, 25, 60) for run in runs])"},
     {"check-factors"}),
    ("S is mistaken for the size of the update",
     {"factors": "factors = sizes.copy()"},
     {"check-factors", "check-repaired"}),
    ("the repair takes the wrong row",
     {"repaired": _REPAIRED.format(
         repaired="np.outer([c0 * sizes[3, 0], sizes[3, 0], factors[3, 0]], sums / squares)")},
     {"check-repaired"}),
    ("ideas 1 and 2 without the measured size",
     {"repaired": _REPAIRED.format(repaired="np.outer([c0, 1, factors[1, 0] / c0], sums / squares)")},
     {"check-repaired"}),
    ("simulated over predicted",
     {"repaired": _REPAIRED.format(
         repaired="1 / np.outer([c0 * sizes[1, 0], sizes[1, 0], factors[1, 0]], sums / squares)")},
     {"check-repaired"}),
    ("the visible checks' answers, written down",
     {"mean-field": "def mean_field(lr, weight_decay):\n    return float((1 - np.exp(-4)) * 0.1 / 4)",
      "single-sum": "def single_sum(lr, weight_decay):\n"
                    "    return 0.1 if weight_decay == 0 else float(0.01 * np.exp(-3) + 0.09)",
      "error-bar": "def mean_and_error(samples):\n    return 1.0, 0.05",
      "weights": "def final_weights(updates, lr, weight_decay):\n    return np.full(updates.shape[1], -0.19)",
      "errors": "squares, errors = np.ones(3), np.full((3, 3), 0.01)",
      "update-square": "def update_square(updates, burn):\n    return 5.0, 2.0",
      "sizes": _SIZES + "sizes = np.full((4, 2), 0.01)",
      "noise-factor": "def noise_factor(updates, companion, lags, burn):\n"
                      "    return (1.0, 0.0) if np.array_equal(updates, companion) else (6.0, 0.0)",
      "factors": "factors = np.full((4, 2), 0.01)",
      "repaired": "repaired = np.ones((3, 3))"},
     {"check-mean-field", "check-single-sum", "check-error-bar", "check-weights", "check-errors", "check-update-square",
      "check-sizes", "check-noise-factor", "check-factors", "check-repaired"}),
    ("lists, text and nan where arrays and numbers are asked for",
     {"updates": "def adamw_updates(gradients, beta1, beta2):\n    return gradients.tolist()",
      "weights": "def final_weights(updates, lr, weight_decay):\n    return 'weights'",
      "error-bar": "def mean_and_error(samples):\n    return 'mean', None",
      "mean-field": "def mean_field(lr, weight_decay):\n    return np.array([0.1])",
      "single-sum": "def single_sum(lr, weight_decay):\n    return float('nan')",
      "errors": "squares, errors = [1, 2, 3], [[1, 2], [3]]",
      "update-square": "def update_square(updates, burn):\n    return 5",
      "sizes": "c0, sizes = 1, np.full((4, 2), np.nan)",
      "autocovariance": "def autocovariance(updates, lags, burn):\n    return [[1], [2, 3]]",
      "companion": "def companion_updates(gradients, beta1):\n    return None",
      "noise-factor": "def noise_factor(updates, companion, lags, burn):\n    return [[1, 2], [3, 4]]",
      "factors": "factors = np.array([['a', 'b']] * 4)",
      "repaired": "repaired = {}"},
     {"check-first-update", "check-updates", "check-weights", "check-error-bar", "check-mean-field", "check-single-sum",
      "check-errors", "check-update-square", "check-sizes", "check-autocovariance", "check-companion",
      "check-noise-factor", "check-factors", "check-repaired"}),
    ("another way in every question, all of them right",
     {"updates": '''
def average(values, beta):
    """Bias-corrected running mean as a matrix of weights that add up to 1."""
    steps = np.arange(len(values))
    age = steps[:, None] - steps
    weights = np.tril(beta ** np.abs(age).astype(float))
    return weights @ values / weights.sum(axis=1, keepdims=True)

def adamw_updates(gradients, beta1, beta2):
    return average(gradients, beta1) / np.sqrt(average(gradients**2, beta2))
''',
      "weights": '''
def final_weights(updates, lr, weight_decay):
    left = [1.0]   # what the later steps leave of an update
    for eta in lr[:0:-1]:
        left.append(left[-1] * (1 - eta * weight_decay))
    return -(np.array(left[::-1]) * lr) @ updates
''',
      "error-bar": '''
def mean_and_error(samples):
    samples = [float(x) for x in samples]
    n = len(samples)
    mean = sum(samples) / n
    return [mean, (sum((x - mean) ** 2 for x in samples) / (n - 1) / n) ** 0.5]
''',
      "mean-field": '''
def mean_field(lr, weight_decay):
    x = 2 * weight_decay * sum(lr)
    factor = 1 - x / 2 + x**2 / 6 - x**3 / 24 if x < 1e-3 else (1 - np.exp(-x)) / x
    return float(factor * sum(eta**2 for eta in lr))
''',
      "single-sum": '''
def single_sum(lr, weight_decay):
    rho = 0.0
    for eta in lr:
        rho = np.exp(-2 * weight_decay * eta) * rho + eta**2
    return rho
''',
      "errors": '''
rng = np.random.default_rng(99)   # other random numbers, row by row, and less memory
m = v = np.zeros(8000)
thetas, decays = np.zeros((3, 8000)), KAPPAS[:, None] / LR.sum()
for t, eta in enumerate(LR, start=1):
    g = rng.standard_normal(8000)
    m, v = BETA1 * m + (1 - BETA1) * g, BETA1**2 * v + (1 - BETA1**2) * g * g
    u = m / (1 - BETA1**t) / np.sqrt(v / (1 - BETA1 ** (2 * t)))
    thetas = (1 - eta * decays) * thetas - eta * u
squares = np.mean(thetas**2, axis=1)
spread = np.std(thetas**2, axis=1, ddof=1) / np.sqrt(8000) / squares
fields = np.array([mean_field(LR, k / LR.sum()) for k in KAPPAS])
sums = np.array([single_sum(LR, k / LR.sum()) for k in KAPPAS])
errors = np.column_stack([fields / squares - 1, sums / squares - 1, spread])
''',
      "update-square": '''
def update_square(updates, burn):
    each = np.array([column[burn:] @ column[burn:] / (len(updates) - burn) for column in updates.T])
    return each.mean(), each.std(ddof=1) / len(each) ** 0.5
''',
      "sizes": '''
seeds = np.random.SeedSequence(4).spawn(4)   # new gradients for each value of beta2
noises = [np.random.default_rng(s).standard_normal((300, 2000)) for s in seeds]
runs = [adamw_updates(g, BETA1, b) for g, b in zip(noises, BETA2S)]
c0 = (1 - BETA1) / (1 + BETA1)
sizes = np.array([np.array(update_square(run, 60)) / c0 for run in runs])
''',
      "autocovariance": '''
def autocovariance(updates, lags, burn):
    late = updates[burn:]
    spectrum = np.fft.rfft(late, 2 * len(late), axis=0)   # padded, so nothing wraps round
    sums = np.fft.irfft(abs(spectrum) ** 2, 2 * len(late), axis=0)[:lags + 1]
    return sums / (len(late) - np.arange(lags + 1))[:, None]
''',
      "companion": "def companion_updates(gradients, beta1):\n    return average(gradients, beta1)",
      "noise-factor": '''
def noise_factor(updates, companion, lags, burn):
    twice = np.where(np.arange(lags + 1) > 0, 2.0, 1.0)
    each = twice @ autocovariance(updates, lags, burn) - twice @ autocovariance(companion, lags, burn)
    return 1 + float(each.mean()), float(each.std(ddof=1) / np.sqrt(each.size))
''',
      "factors": "factors = np.array([noise_factor(run, companion_updates(g, BETA1), 25, 60)\n"
                 "                    for run, g in zip(runs, noises)])",
      "repaired": '''
repaired = np.empty((3, 3))
for column, kappa in enumerate(KAPPAS):
    ratio = single_sum(LR, kappa / LR.sum()) / squares[column]
    repaired[:, column] = c0 * sizes[1, 0] * ratio, sizes[1, 0] * ratio, factors[1, 0] * ratio
'''},
     set()),
]
