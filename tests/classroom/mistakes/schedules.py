"""Wrong and unusual answers to the assignment `schedules`, and the cells of tests that each of them fails."""

SINGLE_SUM = '''
def mean_square(rates, weight_decay, rho0=0.0):
    rho, path = rho0, []
    for x, lr in zip(rates * weight_decay * np.ones(len(rates)), rates):
        rho = {step}
        path.append(rho)
    return np.array(path)
'''
INTEGRAL = '''
def mean_square_integral(rate, steps, weight_decay, rho0=0.0):
    rho, h = rho0, 1 / {per_step}
    for i in range({per_step} * steps):
        rho += h * (rate(i * h) ** 2 - 2 * weight_decay * rate(i * h) * rho)
    return float(rho)
'''

MISTAKES = [
    ("the plateau is left a step late; e^-kappa and e^-2kappa confused", {
        "wsd": '''
def wsd_rates(lr, steps, warmup_steps, decay_steps):
    s = np.arange(1, steps + 1)
    return lr * np.minimum(np.minimum(s / warmup_steps, 1), (steps - s + 1) / decay_steps)
''',
        "start-left": '''
kappa = kappa_nu(cosine_rates(LR, STEPS), WEIGHT_DECAY)[0]
left = float(np.exp(-kappa[-1]))
half_step = int(np.argmax(np.exp(-2 * kappa) <= 0.5)) + 1
tenth_decay = WEIGHT_DECAY * np.log(10) / kappa[-1]
'''}, {"rates", "left-at-end", "half-left"}),
    ("the entry of the array taken for the number of the step", {
        "start-left": '''
kappa = kappa_nu(cosine_rates(LR, STEPS), WEIGHT_DECAY)[0]
left, half_step = np.exp(-2 * kappa[-1]), int(np.argmax(np.exp(-kappa) <= 0.5))
tenth_decay = WEIGHT_DECAY * np.log(10) / kappa[-1]
'''}, {"half-left"}),
    ("steps counted from 0; weight decay taken out of the sum although it varies; errors of the RMS", {
        "cosine": '''
def cosine_rates(lr, steps, final_lr=0.0):
    return final_lr + (lr - final_lr) * (1 + np.cos(np.pi * np.arange(steps) / steps)) / 2
''',
        "clock": '''
def kappa_nu(rates, weight_decay):
    return weight_decay * np.cumsum(rates), np.cumsum(rates**2)
''',
        "field-errors": '''
field = mean_field(KAPPA, 1000 / 3)
errors = [(field / mean_square_integral(lambda s: 1 - s / 1000, 1000, KAPPA / 500)) ** 0.5 - 1,
          (field / mean_square_integral(lambda s: s / 1000, 1000, KAPPA / 500)) ** 0.5 - 1, 0.0]
'''}, {"rates", "decay-clock", "three-errors"}),
    ("an update is shrunk by the decay of its own step", {
        "step-by-step": SINGLE_SUM.format(step="np.exp(-2 * x) * (rho + lr**2)")},
     {"single-sum", "sum-far", "inverse", "inverse-far"}),
    ("the exact factor of the optimizer in the place of the exponential", {
        "step-by-step": SINGLE_SUM.format(step="(1 - x) ** 2 * rho + lr**2")},
     {"single-sum", "sum-far", "inverse", "inverse-far"}),
    ("growing exponents overflow; Euler's method, of first order, with 20 points per step", {
        "step-by-step": '''
def mean_square(rates, weight_decay, rho0=0.0):
    with np.errstate(all="ignore"):
        grown = np.exp(2 * np.cumsum(rates * weight_decay))
        return (rho0 + np.cumsum(grown * rates**2)) / grown
''',
        "by-integral": INTEGRAL.format(per_step=20)}, {"sum-far", "integral"}),
    ("one point per step, of second order; no limit at kappa = 0; a fixed interval for lambda", {
        "by-integral": '''
def mean_square_integral(rate, steps, weight_decay, rho0=0.0):
    s = np.arange(steps + 1.0)
    eta = rate(s)
    kappa = weight_decay * np.append(0, np.cumsum((eta[1:] + eta[:-1]) / 2))
    f = np.exp(2 * (kappa - kappa[-1])) * eta**2
    return float(np.exp(-2 * kappa[-1]) * rho0 + np.sum((f[1:] + f[:-1]) / 2))
''',
        "two-numbers": '''
def mean_field(kappa, nu, rho0=0.0):
    with np.errstate(all="ignore"):
        return np.exp(-2 * kappa) * rho0 + (1 - np.exp(-2 * kappa)) * nu / np.float64(2 * kappa)
''',
        "solve-decay": '''
def weight_decay_for(target_rms, rates, rho0=0.0):
    low, high = 0.0, 10.0
    for _ in range(50):
        middle = (low + high) / 2
        too_large = mean_square(rates, middle, rho0)[-1] > target_rms**2
        low, high = (middle, high) if too_large else (low, middle)
    return middle
'''}, {"integral", "field", "inverse-far"}),
    ("truth over mean field; mean rate for the constant run; its balance for any run", {
        "same-run": '''
def equivalent_constant(kappa, nu, steps):
    return nu / kappa, kappa**2 / (nu * steps)
''',
        "field-errors": '''
field = mean_field(KAPPA, 1000 / 3)
errors = [mean_square_integral(lambda s: 1 - s / 1000, 1000, KAPPA / 500) / field - 1,
          mean_square_integral(lambda s: s / 1000, 1000, KAPPA / 500) / field - 1, 0.0]
''',
        "solve-decay": '''
def weight_decay_for(target_rms, rates, rho0=0.0):
    if target_rms**2 > np.sum(rates**2):
        return np.nan
    return float(np.max(rates) / (2 * target_rms**2))
'''}, {"same-numbers", "three-errors", "inverse", "inverse-far", "own-target"}),
    ("a textbook schedule, without a second wind", {
        "own-schedule": '''
def my_rates(lr, steps):
    return wsd_rates(lr, steps, steps // 10, steps // 2)
'''}, {"own-rules", "own-target"}),
    ("the numbers of another student; rates for one run only; kappa without the weight decay", {
        "start-left": '''
kappa = kappa_nu(cosine_rates(0.004, 2000), 0.375)[0]
left, half_step = np.exp(-2 * kappa[-1]), 1200
tenth_decay = 0.375 * np.log(10) / kappa[-1]
''',
        "own-schedule": '''
def my_rates(lr, steps):
    part = np.arange(1, STEPS + 1) / STEPS
    return LR * np.interp(part, [0, 0.15, 0.25, 0.42, 0.60, 0.70, 1], [0, 1, 1, 0.3, 1, 1, 0])
''',
        "own-decay": '''
rates = my_rates(LR, STEPS)
my_weight_decay = weight_decay_for(TARGET_RMS, rates, INIT_RMS**2)
my_numbers = {"kappa": float(np.sum(rates)), "nu": float(np.sum(rates**2)), "rms": TARGET_RMS,
              "mean_field_rms": float(np.sqrt(mean_field(np.sum(rates), np.sum(rates**2))))}
'''}, {"left-at-end", "half-left", "own-rules", "own-target"}),
    ("values of the visible checks returned as they stand", {
        "clock": '''
def kappa_nu(rates, weight_decay):
    return np.array([0.05, 0.2])[:len(rates)], np.array([0.01, 0.1])[:len(rates)]
''',
        "step-by-step": '''
def mean_square(rates, weight_decay, rho0=0.0):
    if len(rates) == 2:
        return np.array([0.01, 0.04 + 0.01 * np.exp(-0.4)])
    n = 1500 if len(rates) == 1500 else 10
    return np.full(len(rates), rates[0] ** 2 / (1 - np.exp(-0.04)))
''',
        "by-integral": '''
def mean_square_integral(rate, steps, weight_decay, rho0=0.0):
    return 0.01 * (1 - np.exp(-4))
''',
        "start-left": "left, tenth_decay, half_step = 0.1, 1.0, 7",
        "field-errors": "errors = [0.25, -0.15, 0.0]",
        "solve-decay": '''
def weight_decay_for(target_rms, rates, rho0=0.0):
    return 5 * np.log(2) if target_rms < 0.15 else np.nan
'''}, {"decay-clock", "single-sum", "sum-far", "integral", "left-at-end", "half-left",
       "three-errors", "inverse", "inverse-far", "own-target"}),
    ("wrong types: lists, text, one number for many, nan, None", {
        "cosine": '''
def cosine_rates(lr, steps, final_lr=0.0):
    return [final_lr + (lr - final_lr) * (1 + np.cos(np.pi * s / steps)) / 2
            for s in range(1, steps + 1)]
''',
        "start-left": 'left, half_step, tenth_decay = "1 %", "early", None',
        "step-by-step": '''
def mean_square(rates, weight_decay, rho0=0.0):
    return 0.01
''',
        "by-integral": '''
def mean_square_integral(rate, steps, weight_decay, rho0=0.0):
    return np.array([0.01])
''',
        "two-numbers": '''
def mean_field(kappa, nu, rho0=0.0):
    return np.nan
''',
        "same-run": '''
def equivalent_constant(kappa, nu, steps):
    return 0.04
''',
        "field-errors": "errors = 0.2",
        "solve-decay": '''
def weight_decay_for(target_rms, rates, rho0=0.0):
    return None
''',
        "own-schedule": '''
def my_rates(lr, steps):
    return None
''',
        "own-decay": "my_weight_decay, my_numbers = 0.5, [1.5, 0.1]"},
     {"rates", "left-at-end", "half-left", "single-sum", "sum-far", "integral", "field", "same-numbers",
      "three-errors", "inverse", "inverse-far", "own-rules", "own-target"}),
    ("right, with loops and solvers", {
        "cosine": '''
def cosine_rates(lr, steps, final_lr=0.0):
    mean, half = (lr + final_lr) / 2, (lr - final_lr) / 2
    return np.array([mean + half * np.sin(np.pi / 2 - np.pi * (i + 1) / steps) for i in range(steps)])
''',
        "wsd": '''
def wsd_rates(lr, steps, warmup_steps, decay_steps):
    rates = np.full(steps, lr, dtype=float)
    rates[:warmup_steps] = lr * np.arange(1, warmup_steps + 1) / warmup_steps
    rates[-decay_steps:] = lr * np.arange(decay_steps)[::-1] / decay_steps
    return rates
''',
        "clock": '''
def kappa_nu(rates, weight_decay):
    decay = np.broadcast_to(weight_decay, rates.shape)
    sums = [[0.0, 0.0]]
    for lr, wd in zip(rates, decay):
        sums.append([sums[-1][0] + lr * wd, sums[-1][1] + lr * lr])
    return np.array(sums[1:]).T
''',
        "start-left": '''
kappa_T = WEIGHT_DECAY * LR * STEPS / 2
left, tenth_decay = np.exp(-2 * kappa_T), 2 * np.log(10) / (LR * STEPS)
s = np.linspace(0, STEPS, 100 * STEPS + 1)
kappa_s = WEIGHT_DECAY * LR * (s / 2 + STEPS / (2 * np.pi) * np.sin(np.pi * s / STEPS))
half_step = int(np.ceil(s[np.argmax(kappa_s >= np.log(2))]))
''',
        "step-by-step": SINGLE_SUM.format(step="np.exp(-2 * x) * rho + lr**2"),
        "by-integral": '''
def mean_square_integral(rate, steps, weight_decay, rho0=0.0):
    def slope(s, rho):
        return float(rate(s)) ** 2 - 2 * weight_decay * float(rate(s)) * rho
    rho = rho0
    for s in range(steps):    # Runge-Kutta of order four
        k1 = slope(s, rho)
        k2 = slope(s + 0.5, rho + k1 / 2)
        k3 = slope(s + 0.5, rho + k2 / 2)
        rho += (k1 + 2 * k2 + 2 * k3 + slope(s + 1, rho + k3)) / 6
    return rho
''',
        "two-numbers": '''
def mean_field(kappa, nu, rho0=0.0):
    kappa = np.maximum(kappa, 1e-300)
    return np.exp(-2 * kappa) * rho0 - np.expm1(-2 * kappa) / (2 * kappa) * nu
''',
        "same-run": '''
def equivalent_constant(kappa, nu, steps):
    return np.array([(nu / steps) ** 0.5, kappa / (nu * steps) ** 0.5])
''',
        "field-errors": '''
from scipy.special import dawsn, erf
root = np.sqrt(2 * KAPPA)
field = (1 - np.exp(-2 * KAPPA)) * 2 / 3
down = np.sqrt(np.pi) * erf(root) / (2 * root) - np.exp(-2 * KAPPA)
errors = np.array([field / down - 1, field / (1 - dawsn(root) / root) - 1, 0.0])
''',
        "solve-decay": '''
def weight_decay_for(target_rms, rates, rho0=0.0):
    if target_rms**2 > rho0 + np.sum(rates**2):
        return float("nan")
    low, high = 1e-9, 1e6
    while high / low > 1 + 1e-8:
        middle = np.sqrt(low * high)
        too_large = mean_square(rates, middle, rho0)[-1] > target_rms**2
        low, high = (middle, high) if too_large else (low, middle)
    return low
'''}, set()),
    ("right, with the matrix of all exponents, a stiff solver and a smooth schedule", {
        "step-by-step": '''
def mean_square(rates, weight_decay, rho0=0.0):
    kappa = np.cumsum(rates * weight_decay)
    with np.errstate(over="ignore"):
        weight = np.tril(np.exp(2 * (kappa[None, :] - kappa[:, None])))
    return np.exp(-2 * kappa) * rho0 + weight @ rates**2
''',
        "by-integral": '''
def mean_square_integral(rate, steps, weight_decay, rho0=0.0):
    from scipy.integrate import solve_ivp
    run = solve_ivp(lambda s, rho: rate(s) ** 2 - 2 * weight_decay * rate(s) * rho, (0, steps),
                    [rho0], rtol=1e-9, atol=1e-14, max_step=20)
    return run.y[0, -1]
''',
        "solve-decay": '''
def weight_decay_for(target_rms, rates, rho0=0.0):
    if target_rms**2 > rho0 + np.sum(rates**2):
        return np.nan
    def end(decay):
        kappa = decay * np.cumsum(rates)
        return np.exp(-2 * kappa[-1]) * rho0 + np.sum(np.exp(2 * (kappa - kappa[-1])) * rates**2)
    low, high = 0.0, 1.0
    while end(high) > target_rms**2:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if end(middle) > target_rms**2 else (low, middle)
    return high
''',
        "own-schedule": '''
def my_rates(lr, steps):
    part = np.arange(1, steps + 1) / steps
    return lr * np.sin(2 * np.pi * part) ** 2
'''}, set()),
]
