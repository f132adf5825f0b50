"""Wrong and differently written answers to the assignment geodesic-deviation, and what must fail."""
from itertools import zip_longest

RIEMANN = '''
def riemann_tensor(Gamma, dGamma):
    n = len(Gamma)
    R = np.zeros((n,) * 4)
    for m in range(n):
        for k in range(n):
            for a in range(n):
                for b in range(n):
                    R[m, k, a, b] = {terms}
    return R
'''

SIX = '''
def six_terms(Gamma, dGamma, v, xi, p):
    n, rows = len(v), np.zeros((6, len(v)))
    vdot = {vdot}np.array([v @ Gamma[m] @ v for m in range(n)])
    inner = np.array([xi @ Gamma[m] @ v for m in range(n)])
    for m in range(n):
        rows[0, m] = -sum({first} * (v @ dGamma[c, m] @ v) for c in range(n)) - {two} * (p @ Gamma[m] @ v)
        rows[1, m] = sum({second} * (xi @ dGamma[c, m] @ v) for c in range(n))
        rows[2, m] = p @ Gamma[m] @ v
        rows[3, m] = xi @ Gamma[m] @ vdot
        rows[4, m] = p @ Gamma[m] @ v
        rows[5, m] = inner @ Gamma[m] @ v
    return rows
'''
SIX_RIGHT = dict(vdot="-", first="xi[c]", two="2", second="v[c]")

WALK = '''
def walk(x0, v0, length, steps):
    def rates(s):
        (fx, fy), second = hill(s[:2])
        q = 1 + fx**2 + fy**2
        bend = sum(second[a, b] * s[2 + a] * s[2 + b] for a in range(2) for b in range(2))
        K = {curvature}
        return np.array([s[2], s[3], {sign}fx * bend / q, {sign}fy * bend / q, s[5], -K * s[4]])
    h = length / steps
    out = np.zeros((steps + 1, 6))
    out[0] = [x0[0], x0[1], v0[0], v0[1], 0, 1]
    for k in range(steps):
        s = out[k]
{step}
    return out
'''
K_RIGHT = "(second[0, 0] * second[1, 1] - second[0, 1] * second[1, 0]) / q**2"
THREE_EIGHTHS = '''
        a = h * rates(s); b = h * rates(s + a / 3); c = h * rates(s - a / 3 + b)
        out[k + 1] = s + (a + 3 * b + 3 * c + h * rates(s + a - b + c)) / 8'''
THIRD_ORDER = '''
        a = h * rates(s); b = h * rates(s + a / 2)
        out[k + 1] = s + (a + 4 * b + h * rates(s - a + 2 * b)) / 6'''
WALK_RIGHT = dict(curvature=K_RIGHT, sign="-", step=THREE_EIGHTHS)
# Everything of question 6 that stands on the walk.
ON_WALK = {"gap-check", "errors-check"}

GAP = '''
def gap(alpha, sides):
    f = hill(start)[0]
    g = np.eye(2) + np.outer(f, f)
    low = g @ velocity
    n = {normal}
    ways = [walk(start, np.cos(a) * velocity + np.sin(a) * n, length, steps) for a in (-alpha, 0, alpha)]
    first = ways[1] if sides == 1 else ways[0]
    out = []
    for k in range(steps + 1):
        f = hill(ways[1][k, :2])[0]
        g = np.eye(2) + np.outer(f, f)
        v0, v1 = g @ ways[1][k, 2:4]
        left = np.array([-v1, v0]) / np.sqrt(np.linalg.det(g))
        out.append((ways[2][k, :2] - first[k, :2]) @ {measure} @ left / (alpha * {divisor}))
    return np.array(out)
'''
GAP_RIGHT = dict(normal="np.array([-low[1], low[0]]) / np.sqrt(np.linalg.det(g))", measure="g", divisor="sides")

EXACT = '''
def distance(K, angle, s):
    k = np.sqrt(abs(K))
    if K == 0:
        return 2 * s * np.sin(angle / 2)
    if K < 0:
        return {hyperbolic}
    return {sphere}
'''
# The chord of the two places on a sphere in space, with atan2; on the hyperboloid a logarithm for arsinh.
EXACT_RIGHT = dict(
    sphere="2 / k * np.arctan2(abs(np.sin(k * s)) * np.sin(angle / 2), "
           "np.sqrt(1 - (np.sin(k * s) * np.sin(angle / 2))**2))",
    hyperbolic="2 / k * np.log1p(np.sinh(k * s) * np.sin(angle / 2) + (np.sinh(k * s) * np.sin(angle / 2))**2 / "
               "(1 + np.sqrt(1 + (np.sinh(k * s) * np.sin(angle / 2))**2)))")
TOO_LARGE = '''
too_large = np.array([separation(K, np.array([way]), 0.0, angle)[0] / distance(K, angle, np.array([way]))[0] - 1
                      for K in (1 / radius**2, 0.0, -1 / radius**2)])
'''

INVERSE = '''
def curvature_from_gaps(y0, y1, y2, stride):
{body}
'''
RIGHT_TERMS = ("dGamma[a, m, k, b] - dGamma[b, m, k, a] + Gamma[m, a] @ Gamma[:, b, k]"
               " - sum(Gamma[m, l, b] * Gamma[l, k, a] for l in range(n))")

RIEMANN_TENSOR = [
    ("right, with loops, and with the symmetry of Gamma used", {"riemann": RIEMANN.format(terms=RIGHT_TERMS)}, set()),
    ("the opposite sign of the curvature", {"riemann": RIEMANN.format(terms=f"-({RIGHT_TERMS})")},
     {"riemann-surfaces", "riemann-any"}),
    ("the derivative as the last axis of dGamma",
     {"riemann": RIEMANN.format(terms=RIGHT_TERMS.replace("dGamma[a, m, k, b] - dGamma[b, m, k, a]",
                                                          "dGamma[m, k, b, a] - dGamma[m, k, a, b]"))},
     {"riemann-surfaces", "riemann-any"}),
    ("the plane of the loop first, the vector last",
     {"riemann": RIEMANN.format(terms=RIGHT_TERMS).replace("return R", "return R.transpose(0, 2, 3, 1)")},
     {"riemann-surfaces", "riemann-any"}),
    ("the two products of symbols left out",
     {"riemann": RIEMANN.format(terms="dGamma[a, m, k, b] - dGamma[b, m, k, a]")}, {"riemann-surfaces", "riemann-any"}),
    ("written for surfaces only",
     {"riemann": RIEMANN.format(terms=RIGHT_TERMS).replace("n = len(Gamma)", "n = 2")}, {"riemann-any"}),
    ("the visible surfaces by heart", {"riemann": '''
def riemann_tensor(Gamma, dGamma):
    R = np.zeros((len(Gamma),) * 4)
    if abs(Gamma[0, 1, 1] + np.sin(1) * np.cos(1)) < 1e-9:
        R[0, 1, 0, 1] = np.sin(1)**2
    return R
'''}, {"riemann-surfaces", "riemann-any"}),
    ("a list instead of an array",
     {"riemann": RIEMANN.format(terms=RIGHT_TERMS).replace("return R", "return R.tolist()")},
     {"riemann-surfaces", "riemann-any"}),
]
SYMMETRIES = [
    ("right, the four symmetries with loops", {"symmetries": '''
def violations(R, g):
    n, worst = len(g), [0.0] * 4
    low = np.array([sum(g[m, l] * R[l] for l in range(n)) for m in range(n)])
    for m, k, a, b in np.ndindex(n, n, n, n):
        sides = (low[m, k, a, b] + low[m, k, b, a], low[m, k, a, b] + low[k, m, a, b],
                 low[m, k, a, b] - low[a, b, m, k], low[m, k, a, b] + low[m, a, b, k] + low[m, b, k, a])
        worst = [max(w, abs(side)) for w, side in zip(worst, sides)]
    return np.array(worst)
'''}, set()),
    ("the first index not lowered", {"symmetries": '''
def violations(R, g):
    return np.array([abs(R + R.swapaxes(2, 3)).max(), abs(R + R.swapaxes(0, 1)).max(),
                     abs(R - R.transpose(2, 3, 0, 1)).max(),
                     abs(R + R.transpose(0, 2, 3, 1) + R.transpose(0, 3, 1, 2)).max()])
'''}, {"symmetries-check"}),
    ("no absolute value", {"symmetries": '''
def violations(R, g):
    R = np.tensordot(g, R, 1)
    return np.array([(R + R.swapaxes(2, 3)).max(), (R + R.swapaxes(0, 1)).max(),
                     (R - R.transpose(2, 3, 0, 1)).max(),
                     (R + R.transpose(0, 2, 3, 1) + R.transpose(0, 3, 1, 2)).max()])
'''}, {"symmetries-check"}),
    ("always zero", {"symmetries": "def violations(R, g):\n    return np.zeros(4)\n"}, {"symmetries-check"}),
]
TERMS = [
    ("right, the six terms with loops", {"six": SIX.format(**SIX_RIGHT)}, set()),
    ("the factor 2 of (43) forgotten", {"six": SIX.format(**{**SIX_RIGHT, "two": "1"})}, {"six-inserted", "six-sum"}),
    ("the geodesic equation with the wrong sign", {"six": SIX.format(**{**SIX_RIGHT, "vdot": "+"})},
     {"six-inserted", "six-sum"}),
    ("Gamma differentiated towards the neighbour, not along the curve",
     {"six": SIX.format(**{**SIX_RIGHT, "second": "xi[c]"})}, {"six-others", "six-sum"}),
    ("the derivatives of Gamma exchanged between terms 1 and 2",
     {"six": SIX.format(**{**SIX_RIGHT, "first": "v[c]", "second": "xi[c]"})},
     {"six-inserted", "six-others", "six-sum"}),
    ("terms in another order",
     {"six": SIX.format(**SIX_RIGHT).replace("return rows", "return rows[[0, 1, 3, 2, 4, 5]]")},
     {"six-inserted", "six-others"}),
    ("the law in the first row, and five rows of zeros", {"six": '''
def six_terms(Gamma, dGamma, v, xi, p):
    rows = np.zeros((6, len(v)))
    rows[0] = -np.einsum("mnab,n,a,b->m", riemann_tensor(Gamma, dGamma), v, xi, v)
    return rows
'''}, {"six-inserted", "six-others", "six-sum"}),
    ("the sum instead of the six rows",
     {"six": SIX.format(**SIX_RIGHT).replace("return rows", "return rows.sum(axis=0)")},
     {"six-inserted", "six-others", "six-sum"}),
]
LAW = [
    ("right, with complex numbers", {"law": '''
def separation(K, s, y0, rate):
    k = np.sqrt(complex(K))
    return (y0 * np.cos(k * s) + rate * s * np.sinc(k * s / np.pi)).real
'''}, set()),
    ("division by k forgotten", {"law": '''
def separation(K, s, y0, rate):
    k = np.sqrt(abs(K))
    if K > 0:
        return y0 * np.cos(k * s) + rate * np.sin(k * s)
    return y0 * np.cosh(k * s) + rate * np.sinh(k * s) if K < 0 else y0 + rate * s
'''}, {"law-check"}),
    ("K taken for its root", {"law": '''
def separation(K, s, y0, rate):
    k = abs(K)
    if K > 0:
        return y0 * np.cos(k * s) + rate * np.sin(k * s) / k
    return y0 * np.cosh(k * s) + rate * np.sinh(k * s) / k if K < 0 else y0 + rate * s
'''}, {"law-check"}),
]
DISTANCE = [
    ("right, other forms of the distance", {"exact": EXACT.format(**EXACT_RIGHT), "too-large": TOO_LARGE}, set()),
    ("the law of cosines, which loses digits",
     {"exact": EXACT.format(**{**EXACT_RIGHT, "sphere":
                               "np.arccos(np.cos(k * s)**2 + np.sin(k * s)**2 * np.cos(angle)) / k"})},
     {"exact-check"}),
    ("negative beyond the meeting",
     {"exact": EXACT.format(**{**EXACT_RIGHT, "sphere": "2 / k * np.arcsin(np.sin(k * s) * np.sin(angle / 2))"})},
     {"exact-check"}),
    ("the law of first order for the distance",
     {"exact": EXACT.format(**{**EXACT_RIGHT, "hyperbolic": "angle * np.sinh(k * s) / k"})}, {"exact-check"}),
    ("the distance in units of the radius",
     {"exact": EXACT.format(**EXACT_RIGHT).replace("2 / k", "2")}, {"exact-check"}),
    ("the error over y instead of over d",
     {"too-large": TOO_LARGE + "too_large = too_large / (1 + too_large)\n"}, {"exact-check"}),
]
FROM_GAPS = [
    ("right, with two cases", {"inverse": INVERSE.format(body='''
    half_sum = (y0 + y2) / 2
    if abs(half_sum) <= abs(y1):
        return (np.arccos(half_sum / y1) / stride)**2
    return -(np.arccosh(half_sum / y1) / stride)**2''')}, set()),
    ("the second difference", {"inverse": INVERSE.format(body="    return -(y0 - 2 * y1 + y2) / (y1 * stride**2)")},
     {"inverse-check"}),
    ("spheres only", {"inverse": INVERSE.format(body="    return (np.arccos((y0 + y2) / (2 * y1)) / stride)**2")},
     {"inverse-check"}),
    ("the rate taken for zero", {"inverse": INVERSE.format(
        body="    return float((np.arccos(y1 / y0 + 0j)**2).real) / stride**2")}, {"inverse-check"}),
    ("the curvature of somebody else's gaps",
     {"my-curvature": "my_curvature = curvature_from_gaps(1.2, 1.5, 1.1, 1.0)"}, {"inverse-check"}),
    ("the curvature as text", {"my-curvature": "my_curvature = 'a sphere'"}, {"inverse-check"}),
]
WALKS = [
    ("right, with the other Runge-Kutta method of order 4", {"walk": WALK.format(**WALK_RIGHT)}, set()),
    ("right, with SciPy", {"walk": '''
def walk(x0, v0, length, steps):
    from scipy.integrate import solve_ivp
    def rates(s, z):
        f, F = hill(z[:2])
        q = 1 + f @ f
        return [z[2], z[3], *(-f * (z[2:4] @ F @ z[2:4]) / q), z[5], -np.linalg.det(F) / q**2 * z[4]]
    return solve_ivp(rates, (0, length), [*x0, *v0, 0, 1], "DOP853", np.linspace(0, length, steps + 1),
                     rtol=1e-10, atol=1e-12).y.T
'''}, set()),
    ("a method of order 3", {"walk": WALK.format(**{**WALK_RIGHT, "step": THIRD_ORDER})},
     {"walk-geodesic", "walk-jacobi"}),
    ("the hill pushes the wrong way", {"walk": WALK.format(**{**WALK_RIGHT, "sign": "+"})},
     {"walk-geodesic", "walk-jacobi"} | ON_WALK),
    ("K without its denominator", {"walk": WALK.format(**{**WALK_RIGHT, "curvature": K_RIGHT.replace(" / q**2", "")})},
     {"walk-jacobi"} | ON_WALK),
    ("K with the wrong sign", {"walk": WALK.format(**{**WALK_RIGHT, "curvature": "-" + K_RIGHT})},
     {"walk-jacobi"} | ON_WALK),
]
GAPS = [
    ("right, the gap by a projection", {"gap": GAP.format(**GAP_RIGHT)}, set()),
    ("turned as in the plane", {"gap": GAP.format(**{**GAP_RIGHT, "normal": "np.array([-velocity[1], velocity[0]])"})},
     ON_WALK),
    ("turned to the right", {"gap": GAP.format(**{**GAP_RIGHT, "normal": "-np.array([-low[1], low[0]])"
                                                  " / np.sqrt(np.linalg.det(g))"})}, ON_WALK),
    ("measured as in the plane", {"gap": GAP.format(**{**GAP_RIGHT, "measure": "np.eye(2)"})}, ON_WALK),
    ("twice the gap of one side", {"gap": GAP.format(**{**GAP_RIGHT, "divisor": "1"})}, ON_WALK),
    ("Jacobi's y given out as the gap",
     {"gap": "def gap(alpha, sides):\n    return walk(start, velocity, length, steps)[:, 4]\n"}, ON_WALK),
    ("the orders that everybody expects", {"errors": '''
alphas = 0.04 / 2**np.arange(4)
errors = np.array([alphas, alphas**2])
orders = np.array([[1.0] * 3, [2.0] * 3])
'''}, {"errors-check"}),
    ("the mean of the error instead of the largest", {"errors": '''
alphas = 0.04 / 2**np.arange(4)
y = walk(start, velocity, length, steps)[:, 4]
errors = np.array([[abs(gap(alpha, sides) - y).mean() for alpha in alphas] for sides in (1, 2)])
orders = np.log2(errors[:, :-1] / errors[:, 1:])
'''}, {"errors-check"}),
]

# The questions do not depend on each other: one run tries one answer to each of the first six, and one run to the last.
def together(answers):
    """Several answers, each to another question, as one entry."""
    answers = [answer for answer in answers if answer]
    cells, failing = {}, set()
    for _, sources, tests in answers:
        cells.update(sources)
        failing |= tests
    return "; ".join(name for name, _, _ in answers), cells, failing


MISTAKES = [together(row) for row in zip_longest(RIEMANN_TENSOR, SYMMETRIES, TERMS, LAW, DISTANCE, FROM_GAPS,
                                                 [*WALKS, *GAPS])]
