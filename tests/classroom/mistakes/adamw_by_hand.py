"""Mistakes in "AdamW by hand", and the cells of tests that must notice them; other right answers, which must pass."""


def step(first="beta1 * m + (1 - beta1) * g", hat1="first / (1 - beta1**t)", root="np.sqrt(second / (1 - beta2**t)) + eps",
         before="theta", new="(1 - lr * weight_decay) * theta - lr * update", back="first, second", gradient="g"):
    """The cell ``step``, with one line of it exchanged."""
    return f"""
def adamw_step(theta, g, m, v, t, lr, weight_decay, betas, eps):
    beta1, beta2 = betas
    g = {gradient}
    first = {first}
    second = beta2 * v + (1 - beta2) * g**2
    update = {hat1} / ({root})
    return {new}, {back}
"""


MISTAKES = [
    ("the small constant is under the root",
     {"step": step(root="np.sqrt(second / (1 - beta2**t) + eps)")}, {"step-update"}),
    ("the small constant is added before the hat of v",
     {"step": step(root="(np.sqrt(second) + eps) / np.sqrt(1 - beta2**t)")}, {"step-update"}),
    ("the running means are handed on with their hats",
     {"step": step(back="first / (1 - beta1**t), second / (1 - beta2**t)")},
     {"step-update", "simulate-level", "gap-measured", "l2-step"}),
    ("no hats",
     {"step": step(hat1="first", root="np.sqrt(second) + eps")},
     {"step-update", "simulate-level", "l2-step"}),
    ("the weight decay is not multiplied by the learning rate, and the shortcut is taken for the same rule",
     {"step": step(new="(1 - weight_decay) * theta - lr * update"),
      "half": "def half_gradients(beta2, eps):\n    return eps, eps"},
     {"step-decay", "half-sizes"}),
    ("the decay acts on the new weight, and the shortcut's root is turned over",
     {"step": step(new="(1 - lr * weight_decay) * (theta - lr * update)"),
      "half": "def half_gradients(beta2, eps):\n    return eps, eps * np.sqrt(1 - beta2)"},
     {"step-decay", "half-sizes"}),
    ("the decay is in the gradient, and the L2 step decays the weight as well",
     {"step": step(gradient="g + weight_decay * theta", new="theta - lr * update"),
      "l2": """
def l2_step(theta, g, m, v, t, lr, weight_decay, betas, eps):
    new, m, v = adamw_step(theta, g + weight_decay * theta, m, v, t, lr, 0.0, betas, eps)
    return new - lr * weight_decay * theta, m, v
"""},
     {"step-decay", "l2-step"}),
    ("a neighbour's numbers, a zero gradient as the one that stops the weight, the largest gradient without betas",
     {"table": "table = np.array([[0.9, 0.81, 1.0, 0.6], [0.94, 0.85, 0.8, 0.5], [0.6, 0.8, 0.7, 0.4]])",
      "still": "still = 0.0", "largest": "largest = 0.8 / 0.6",
      "wanted": "wanted_decay = 0.9", "gap": "measured, gap = np.full(200, 0.23), 0.0", "noisy": "decayed = [0.4, 0.9, 0.1]"},
     {"table-three-steps", "still-fourth", "largest-fourth", "wanted-decay", "gap-measured", "noisy-averages"}),
    ("still: the new gradient is taken to enter with weight 1; largest: an endpoint of a grid; gap of the roots, in another run",
     {"still": "still = -my_betas[0] * table[2, 0]", "largest": "largest = 1000 * my_gradients[0]",
      "gap": "measured = simulate_update_rms(my_sim_betas, 200, 10_000, 3)\n"
             "gap = measured[100:].mean() / mean_field_rms(my_sim_betas[0], np.array([9999]))[0] - 1"},
     {"still-fourth", "largest-fourth", "gap-measured"}),
    ("the divisor of PyTorch, for constants that change; shares of the weight newest first; the warm-up forgotten",
     {"shares": """
def shares(b):
    t = len(b)
    w = np.array([(1 - b[j]) * np.prod(b[j + 1:]) for j in range(t)])
    return w / (1 - b[-1]**t)
""",
      "weight": """
def weight_shares(lr, weight_decay):
    a = 1 - lr * weight_decay
    return np.append(np.prod(a), [lr[i] * weight_decay * np.prod(a[:i]) for i in range(len(lr))])
""",
      "wanted": "wanted_decay = np.log(1 / my_share) / (my_peak * my_steps)"},
     {"shares-weights", "weight-mean", "wanted-decay"}),
    ("the product begins one too early; exponentials in place of factors; the share taken as a share of the square",
     {"shares": """
def shares(b):
    w = np.array([(1 - b[j]) * np.prod(b[j:]) for j in range(len(b))])
    return w / w.sum()
""",
      "weight": """
def weight_shares(lr, weight_decay):
    kappa = np.append(0, np.cumsum(lr * weight_decay))
    left = np.exp(kappa - kappa[-1])
    return np.append(left[0], np.diff(left))
""",
      "wanted": "wanted_decay = np.log(1 / my_share) / my_schedule.sum() / 2"},
     {"shares-weights", "weight-mean", "wanted-decay"}),
    ("only constants that do not change; the limit at every step; the formula in place of a simulation",
     {"shares": """
def shares(b):
    w = (1 - b[0]) * b[0] ** np.arange(len(b))[::-1]
    return w / w.sum()
""",
      "weight": """
def weight_shares(lr, weight_decay):
    a = 1 - lr[0] * weight_decay
    return np.append(a ** len(lr), (1 - a) * a ** np.arange(len(lr))[::-1])
""",
      "mean-field": "def mean_field_rms(beta1, t):\n    return np.sqrt((1 - beta1) / (1 + beta1)) + 0 * t",
      "simulate": """
def simulate_update_rms(betas, steps, parameters, seed):
    t, b = np.arange(1, steps + 1), betas[0]
    noise = 1 + (t > 1) * np.random.default_rng(seed).normal(size=steps) * 0.01
    return np.sqrt((1 - b) / (1 + b) * (1 + b**t) / (1 - b**t)) * noise
"""},
     {"shares-weights", "weight-mean", "mean-field-value", "simulate-level", "gap-measured"}),
    ("the mean square and not its root, twice; the betas exchanged in the simulation; noise squared in L2",
     {"mean-field": "def mean_field_rms(beta1, t):\n    return (1 - beta1) / (1 + beta1) * (1 + beta1**t) / (1 - beta1**t)",
      "simulate": """
def simulate_update_rms(betas, steps, parameters, seed):
    rng, m, v, out = np.random.default_rng(seed), 0.0, 0.0, []
    for t in range(1, steps + 1):
        u, m, v = adamw_step(0.0, rng.normal(size=parameters), m, v, t, 1.0, 0.0, betas[::-1], 0.0)
        out.append(np.mean(u**2))
    return np.array(out)
""",
      "noisy": "decayed = [0.999**my_noisy_steps, (1 - 0.001 / my_sigma**2)**my_noisy_steps, 0.1 * my_sigma]"},
     {"mean-field-value", "simulate-level", "gap-measured", "noisy-averages"}),
    ("the first-order formula of the chapter as the gap, beside a right run",
     {"gap": "measured = simulate_update_rms(my_sim_betas, 200, 10_000, 3)\n"
             "b1, b2 = my_sim_betas\n"
             "gap = 2 * (1 - b2) * (b1**2 - b2) / ((1 + b2) * (1 - b1**2 * b2))"},
     {"gap-measured"}),
    ("the small constant left out of the L2 step",
     {"l2": "def l2_step(theta, g, m, v, t, lr, weight_decay, betas, eps):\n"
            "    return adamw_step(theta, g + weight_decay * theta, m, v, t, lr, 0.0, betas, 0.0)"},
     {"l2-step"}),
    ("a run at other betas, and all its steps averaged",
     {"gap": "measured = simulate_update_rms((0.9, 0.95), 200, 10_000, 3)\n"
             "gap = np.mean(measured**2) * 1.9 / 0.1 - 1"},
     {"gap-measured"}),
    ("wrong types and shapes: nothing, text, numbers that are none, one value for many",
     {"step": "def adamw_step(theta, g, m, v, t, lr, weight_decay, betas, eps):\n    return theta",
      "half": "def half_gradients(beta2, eps):\n    return 'eps'",
      "table": "table = np.full((3, 4), np.nan)", "still": "still = [1.0, 2.0]", "largest": "largest = float('inf')",
      "shares": "def shares(b):\n    return {}", "weight": "def weight_shares(lr, weight_decay):\n    return lr",
      "wanted": "wanted_decay = float('nan')", "mean-field": "def mean_field_rms(beta1, t):\n    return 1.0",
      "simulate": "def simulate_update_rms(betas, steps, parameters, seed):\n    return np.full(steps, np.nan)",
      "gap": "measured, gap = None, '0.3'", "l2": "def l2_step(*everything):\n    return None", "noisy": "decayed = 0.5"},
     {"step-update", "step-decay", "half-sizes", "table-three-steps", "still-fourth", "largest-fourth", "shares-weights",
      "weight-mean", "wanted-decay", "mean-field-value", "simulate-level", "gap-measured", "l2-step", "noisy-averages"}),
    ("right, as PyTorch orders it and in loops: nothing may fail",
     {"step": """
import math

def adamw_step(theta, g, m, v, t, lr, weight_decay, betas, eps):
    theta = theta * (1 - lr * weight_decay)
    m = m + (g - m) * (1 - betas[0])
    v = v * betas[1] + g * g * (1 - betas[1])
    denominator = np.sqrt(v) / math.sqrt(1 - betas[1]**t) + eps
    return [theta - (lr / (1 - betas[0]**t)) * (m / denominator), m, v]
""",
      "half": "def half_gradients(beta2, eps):\n    return np.array([eps, eps * (1 - beta2) ** -0.5])",
      "table": """
table, theta, m, v = [], my_theta, 0, 0
for t in (1, 2, 3):
    g = my_gradients[t - 1]
    m = round(my_betas[0] * m + (1 - my_betas[0]) * g, 4)
    v = round(my_betas[1] * v + (1 - my_betas[1]) * g * g, 4)
    u = round(m / (1 - my_betas[0]**t) / (v / (1 - my_betas[1]**t)) ** 0.5, 4)
    theta = round(theta - my_lr * my_weight_decay * theta - my_lr * u, 4)
    table.append([m, v, u, theta])
""",
      "still": "still = float('%.4g' % (-my_betas[0] / (1 - my_betas[0]) * table[2][0]))",
      "largest": """
grid = np.linspace(-100, 100, 200_001)
size = np.abs(my_betas[0] * table[2][0] + (1 - my_betas[0]) * grid)
largest = grid[np.argmax(size / np.sqrt(my_betas[1] * table[2][1] + (1 - my_betas[1]) * grid**2))]
""",
      "shares": """
def shares(b):
    w = []
    for constant in b:
        w = [constant * old for old in w] + [1 - constant]
    return [share / sum(w) for share in w]
""",
      "weight": """
def weight_shares(lr, weight_decay):
    s = [1.0]
    for rate in lr:
        s = [old * (1 - rate * weight_decay) for old in s] + [rate * weight_decay]
    return s
""",
      "wanted": """
from scipy.optimize import brentq
wanted_decay = brentq(lambda x: np.prod(1 - my_schedule * x) - my_share, 0, 1 / my_peak)
""",
      "mean-field": """
def mean_field_rms(beta1, t):
    out = []
    for n in t:
        p = beta1 ** np.arange(n)
        out.append(np.sqrt(np.sum(p**2)) / np.sum(p))
    return out
""",
      "simulate": """
def simulate_update_rms(betas, steps, parameters, seed):
    g = np.random.default_rng(seed).standard_normal((parameters, steps))
    m, v, out = np.zeros(parameters), np.zeros(parameters), np.zeros(steps)
    for t in range(steps):
        m = betas[0] * m + (1 - betas[0]) * g[:, t]
        v = betas[1] * v + (1 - betas[1]) * g[:, t] ** 2
        u = m / (1 - betas[0] ** (t + 1)) / (np.sqrt(v / (1 - betas[1] ** (t + 1))) + 1e-8)
        out[t] = np.sqrt(np.mean(u**2))
    return out
""",
      "gap": """
measured = simulate_update_rms(my_sim_betas, 200, 12_000, 2024)
gap = float(np.mean(measured[100:] ** 2) * (1 + my_sim_betas[0]) / (1 - my_sim_betas[0])) - 1
""",
      "l2": """
def l2_step(theta, g, m, v, t, lr, weight_decay, betas, eps):
    g = g + weight_decay * theta
    m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g**2
    return theta - lr * m / (1 - betas[0]**t) / (np.sqrt(v / (1 - betas[1]**t)) + eps), m, v
""",
      "noisy": "decayed = [round(float(np.exp(-0.001 * my_noisy_steps)), 3),\n"
               "           round(float(np.exp(-0.001 * my_noisy_steps / my_sigma)), 3), my_sigma / 10]"},
     set()),
]
