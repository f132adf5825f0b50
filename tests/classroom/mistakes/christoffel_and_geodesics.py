"""Wrong, hard-coded, and right but different answers on a surface of one's own."""

# Questions are marked by themselves: one notebook holds slips in many of them, so that few are run.
METRIC_FLAT_WALL = '''
def metric(x):
    radius = MEAN + SWING * np.cos(WAVE * x[0])
    return np.diag([1.0, radius**2])
'''

METRIC_DIFFERENCES = '''
def metric(x):
    tangents = np.array([(embed(x + 1e-5 * e) - embed(x - 1e-5 * e)) / 2e-5 for e in np.eye(2)])
    return tangents @ tangents.T
'''

METRIC_SYMPY = '''
import sympy as sp
_z, _phi = sp.symbols("z phi")
_rho = MEAN + SWING * sp.cos(WAVE * _z)
_J = sp.Matrix([_rho * sp.cos(_phi), _rho * sp.sin(_phi), _z]).jacobian([_z, _phi])
_metric = sp.lambdify([_z, _phi], _J.T * _J)
def metric(x):
    return _metric(*x)
'''

CHRISTOFFEL_LOWERED = '''
def christoffel(g, dg):
    return (np.swapaxes(dg, 1, 2) + dg - np.moveaxis(dg, 2, 0)) / 2
'''

CHRISTOFFEL_DIRECTION_FIRST = '''
def christoffel(g, dg):
    lowered = (np.einsum("anb->nab", dg) + np.einsum("bna->nab", dg) - dg) / 2
    return np.einsum("mn,nab->mab", np.linalg.inv(g), lowered)
'''

CHRISTOFFEL_DIAGONAL = '''
def christoffel(g, dg):
    lowered = (np.swapaxes(dg, 1, 2) + dg - np.moveaxis(dg, 2, 0)) / 2
    return lowered / np.diag(g)[:, None, None]
'''

CHRISTOFFEL_BY_HEART = '''
def christoffel(g, dg):
    return np.array([[[0, 0], [0, -2.0]], [[0, 0.5], [0.5, 0]]])
'''

CHRISTOFFEL_LOOPS = '''
def christoffel(g, dg):
    n, inverse = len(g), np.linalg.inv(g)
    gamma = np.zeros((n, n, n))
    for m in range(n):
        for a in range(n):
            for b in range(n):
                for v in range(n):
                    lowered = (dg[v, b, a] + dg[v, a, b] - dg[a, b, v]) / 2
                    gamma[m, a, b] += inverse[m, v] * lowered
    return gamma.tolist()
'''

VASE = '''
def vase_christoffel(x):
    radius = MEAN + SWING * np.cos(WAVE * x[0])
    slope = -SWING * WAVE * np.sin(WAVE * x[0])
    bend = -SWING * WAVE**2 * np.cos(WAVE * x[0])
    gamma = np.zeros((2, 2, 2))
    gamma[0, 0, 0] = slope * bend / (1 + slope**2)
    gamma[0, 1, 1] = -radius * slope / (1 + slope**2)
    gamma[1, 0, 1] = gamma[1, 1, 0] = slope / radius
    return gamma
'''
VASE_SIGN = VASE.replace("-radius * slope /", "radius * slope /")
VASE_TWICE = VASE.replace("slope / radius\n", "2 * slope / radius\n")
VASE_NOT_RAISED = VASE.replace("-radius * slope / (1 + slope**2)", "-radius * slope")
VASE_ARC_LENGTH = VASE.replace("slope * bend / (1 + slope**2)", "0.0")
VASE_DIFFERENCES = "def vase_christoffel(x):\n    return by_differences(x)"
VASE_TANGENT_PART = '''
def vase_christoffel(x):
    (z, phi), a, b, k = x, MEAN, SWING, WAVE
    rho, rho1, rho2 = a + b * np.cos(k * z), -b * k * np.sin(k * z), -b * k**2 * np.cos(k * z)
    c, s = np.cos(phi), np.sin(phi)
    tangents = np.array([[rho1 * c, rho1 * s, 1], [-rho * s, rho * c, 0]])
    mixed = [-rho1 * s, rho1 * c, 0]
    seconds = np.array([[[rho2 * c, rho2 * s, 0], mixed], [mixed, [-rho * c, -rho * s, 0]]])
    return np.einsum("mn,ni,abi->mab", np.linalg.inv(tangents @ tangents.T), tangents, seconds)
'''

COVARIANT = '''
def covariant_lower(T, dT, gamma):
    n, result = len(T), np.array(dT)
    for m in range(n):
        for v in range(n):
            for b in range(n):
                for a in range(n):
                    result[m, v, b] -= gamma[a, m, b] * T[a, v] + gamma[a, v, b] * T[m, a]
    return result
'''
COVARIANT_PLUS = COVARIANT.replace("-=", "+=")
COVARIANT_DIRECTION_FIRST = COVARIANT.replace("gamma[a, m, b]", "gamma[a, b, m]").replace(
    "gamma[a, v, b]", "gamma[a, b, v]")
COVARIANT_T_TURNED = COVARIANT.replace("T[m, a]", "T[a, m]")
COVARIANT_ALWAYS_ZERO = "def covariant_lower(T, dT, gamma):\n    return np.zeros_like(dT)"

SCALED_SIGN = '''
def scaled_connection(g, dg, w):
    return christoffel(g, dg + 2 * np.multiply.outer(g, w))
'''
SCALED_SHORT = SCALED_SIGN.replace("dg + 2", "dg - 2")
SCALED_WITHOUT_W = "def scaled_connection(g, dg, w):\n    return christoffel(g, dg)"
SCALED_TORSION = '''
def scaled_connection(g, dg, w):
    return christoffel(g, dg) - np.einsum("am,b->amb", np.eye(len(g)), w)
'''
SCALED_NOT_RAISED = '''
def scaled_connection(g, dg, w):
    one = np.eye(len(g))
    pulled = np.einsum("am,b->amb", one, w) + np.einsum("ab,m->amb", one, w)
    return christoffel(g, dg) - pulled + np.einsum("mb,a->amb", g, w)
'''

CHANGE = '''
def change_christoffel(gamma, K, L):
    J, n = np.linalg.inv(K), len(K)
    return np.array([sum(J[m, v] * (K.T @ gamma[v] @ K + L[v]) for v in range(n))
                     for m in range(n)])
'''
CHANGE_AS_TENSOR = CHANGE.replace(" + L[v]", "")
CHANGE_SIGN = CHANGE.replace(" + L[v]", " - L[v]")
CHANGE_K_AND_J = CHANGE.replace("K.T @ gamma[v] @ K", "J.T @ gamma[v] @ J")
CHANGE_TURNED = CHANGE.replace("K.T @ gamma[v] @ K", "K @ gamma[v] @ K.T")

FLATTEN_WITHOUT_K = "def flatten(gamma, K):\n    return -gamma"
FLATTEN_SIGN = 'def flatten(gamma, K):\n    return np.einsum("lmn,ma,nb->lab", gamma, K, K)'
FLATTEN_MATRICES = "def flatten(gamma, K):\n    return [-(K.T @ one @ K) for one in gamma]"

THREE_EIGHTHS = '''
def geodesic(symbols, x, v, end, steps):
    def force(x, v):
        return -np.einsum("mab,a,b->m", symbols(x), v, v)
    h, path = end / steps, [[x, v]]
    for _ in range(steps):
        a1, b1 = v, force(x, v)
        a2, b2 = v + h / 3 * b1, force(x + h / 3 * a1, v + h / 3 * b1)
        c3 = v + h * (b2 - b1 / 3)
        a3, b3 = c3, force(x + h * (a2 - a1 / 3), c3)
        c4 = v + h * (b1 - b2 + b3)
        a4, b4 = c4, force(x + h * (a1 - a2 + a3), c4)
        x, v = x + h / 8 * (a1 + 3 * a2 + 3 * a3 + a4), v + h / 8 * (b1 + 3 * b2 + 3 * b3 + b4)
        path.append([x, v])
    return np.array(path)
'''
MIDPOINT = '''
def geodesic(symbols, x, v, end, steps):
    def rate(y):
        return np.array([y[1], -(symbols(y[0]) @ y[1]) @ y[1]])
    h, path = end / steps, [np.array([x, v])]
    for _ in range(steps):
        y = path[-1]
        path.append(y + h * rate(y + h / 2 * rate(y)))
    return np.array(path)
'''
EULER = MIDPOINT.replace("h * rate(y + h / 2 * rate(y))", "h * rate(y)")
SYMBOLS_AT_START = '''
def geodesic(symbols, x, v, end, steps):
    h, path = end / steps, [np.array([x, v])]
    for _ in range(steps):
        x, v = path[-1]
        def force(v, gamma=symbols(x)):
            return -(gamma @ v) @ v
        k1 = force(v)
        k2 = force(v + h / 2 * k1)
        k3 = force(v + h / 2 * k2)
        k4 = force(v + h * k3)
        x, v = x + h * v + h**2 / 6 * (k1 + k2 + k3), v + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        path.append(np.array([x, v]))
    return np.array(path)
'''
GEODESIC = '''
def geodesic(symbols, x, v, end, steps):
    def rate(y):
        return np.array([y[1], -(symbols(y[0]) @ y[1]) @ y[1]])
    h, path = end / steps, [np.array([x, v])]
    for _ in range(steps):
        y = path[-1]
        k1 = rate(y)
        k2 = rate(y + h / 2 * k1)
        k3 = rate(y + h / 2 * k2)
        k4 = rate(y + h * k3)
        path.append(y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4))
    return np.array(path)
'''
WITHOUT_START = GEODESIC.replace("np.array(path)", "np.array(path[1:])")
WEIGHTS = GEODESIC.replace("h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)", "h / 4 * (k1 + k2 + k3 + k4)")
STRAIGHT_ON_THE_MAP = '''
def geodesic(symbols, x, v, end, steps):
    return np.array([[x + end * i / steps * v, v] for i in range(steps + 1)])
'''

HIGHEST_POINT = '''
path = geodesic(vase_christoffel, START, launch(START, np.radians(ALPHA)), 20.0, 800)
turning_height = path[:, 0, 0].max()
'''
ORDER_BY_HEART = "def measured_order(steps):\n    return 4.0"
ORDER_NATURAL_LOG = '''
def measured_order(steps):
    def error(n):
        path = geodesic(half_plane, np.array([0.0, 1.0]), np.array([1.0, 0.0]), 2.0, n)
        return abs(path[-1][0][0] - np.tanh(2))
    return np.log(error(steps) / error(2 * steps))
'''
ORDER_OTHER_WAY = ORDER_NATURAL_LOG.replace("2 * steps))", "2 * steps)) / np.log(2)")

LAUNCH_ON_THE_MAP = "def launch(x, alpha):\n    return np.array([np.cos(alpha), np.sin(alpha)])"
LAUNCH_FLAT_WALL = '''
def launch(x, alpha):
    return np.array([np.cos(alpha), np.sin(alpha) / (MEAN + SWING * np.cos(WAVE * x[0]))])
'''
LAUNCH_FROM_THE_PARALLEL = '''
def launch(x, alpha):
    return np.array([np.sin(alpha), np.cos(alpha)]) / np.sqrt(np.diag(metric(x)))
'''
LAUNCH_CHOLESKY = '''
def launch(x, alpha):
    return np.linalg.solve(np.linalg.cholesky(metric(x)).T, [np.cos(alpha), np.sin(alpha)])
'''

CONSERVED = '''
def conserved(path):
    rows = []
    for x, v in path:
        rho, rho1 = MEAN + SWING * np.cos(WAVE * x[0]), -SWING * WAVE * np.sin(WAVE * x[0])
        rows.append((np.sqrt((1 + rho1**2) * v[0]**2 + rho**2 * v[1]**2), rho**2 * v[1]))
    return rows
'''
CONSERVED_SQUARE = CONSERVED.replace("np.sqrt(", "(")
CONSERVED_RADIUS_ONCE = CONSERVED.replace("rho**2 * v[1]))", "rho * v[1]))")
CONSERVED_FLAT_WALL = CONSERVED.replace("(1 + rho1**2) * ", "")
CONSERVED_COPIED = '''
def conserved(path):
    return np.tile([MEAN + SWING, (MEAN + SWING)**2], (len(path), 1))
'''

TURNING = '''
radius = MEAN + SWING * np.cos(WAVE * START[0])
turning_height = float(np.arccos((radius * np.sin(np.deg2rad(ALPHA)) - MEAN) / SWING) / WAVE)
'''
TURNING_FROM_BELLY = TURNING.replace("np.cos(WAVE * START[0])", "1")
TURNING_RADIANS = TURNING.replace("np.deg2rad(ALPHA)", "ALPHA")
TURNING_TEXT = 'turning_height = "1.9"'
TURNING_BISECTION = '''
low, high = START[0], np.pi / WAVE
constant = (MEAN + SWING * np.cos(WAVE * low)) * np.sin(np.pi * ALPHA / 180)
for _ in range(60):
    middle = (low + high) / 2
    low, high = (middle, high) if MEAN + SWING * np.cos(WAVE * middle) > constant else (low, middle)
turning_height = low
'''

OWN_DEGREES = "own_path = geodesic(vase_christoffel, START, launch(START, ALPHA), 20.0, 800)"
OWN_OTHER_ANGLE = '''
own_path = geodesic(vase_christoffel, START, launch(START, np.radians(90 - ALPHA)), 20.0, 800)
'''
OWN_DIFFERENCES = '''
own_path = geodesic(by_differences, START, launch(START, np.radians(ALPHA)), 20.0, 800)
'''

ANSWERS = {"metric": "metric", "christoffel": "christoffel", "vase": "vase_christoffel",
           "covariant": "covariant_lower", "scaled": "scaled_connection",
           "change": "change_christoffel", "flatten": "flatten", "geodesic": "geodesic",
           "order": "measured_order", "launch": "launch", "conserved": "conserved"}

MISTAKES = [
    ("right, but different everywhere",
     {"metric": METRIC_SYMPY, "christoffel": CHRISTOFFEL_LOOPS, "vase": VASE_TANGENT_PART,
      "covariant": COVARIANT, "scaled": SCALED_SHORT, "change": CHANGE, "flatten": FLATTEN_MATRICES,
      "geodesic": THREE_EIGHTHS, "order": ORDER_OTHER_WAY, "launch": LAUNCH_CHOLESKY,
      "conserved": CONSERVED, "turning": TURNING_BISECTION},
     set()),
    ("right: a list of steps, the path with symbols from differences",
     {"geodesic": GEODESIC, "turning": TURNING, "own": OWN_DIFFERENCES},
     set()),
    ("wrong signs, logarithms and units",
     {"vase": VASE_SIGN, "covariant": COVARIANT_PLUS, "scaled": SCALED_SIGN, "change": CHANGE_SIGN,
      "flatten": FLATTEN_SIGN, "order": ORDER_NATURAL_LOG, "conserved": CONSERVED_SQUARE,
      "turning": TURNING_RADIANS},
     {"vase-values", "own-path", "covariant-values", "scaled-values", "change-values",
      "flatten-values", "order-values", "conserved-values", "turning-value"}),
    ("indices in the wrong order, or counted twice",
     {"christoffel": CHRISTOFFEL_DIRECTION_FIRST, "vase": VASE_TWICE,
      "covariant": COVARIANT_DIRECTION_FIRST, "change": CHANGE_K_AND_J,
      "launch": LAUNCH_FROM_THE_PARALLEL},
     {"christoffel-values", "scaled-values", "vase-values", "own-path", "covariant-values",
      "change-values", "launch-values"}),
    ("indices not raised, matrices turned or forgotten",
     {"christoffel": CHRISTOFFEL_LOWERED, "vase": VASE_NOT_RAISED, "covariant": COVARIANT_T_TURNED,
      "change": CHANGE_TURNED, "flatten": FLATTEN_WITHOUT_K, "conserved": CONSERVED_RADIUS_ONCE},
     {"christoffel-values", "scaled-values", "vase-values", "own-path", "covariant-values",
      "change-values", "flatten-values", "conserved-values"}),
    ("metric of an upright wall: what uses the metric fails too",
     {"metric": METRIC_FLAT_WALL},
     {"metric-values", "launch-values", "conserved-values", "own-path"}),
    ("formulas of a simpler case",
     {"christoffel": CHRISTOFFEL_DIAGONAL, "vase": VASE_ARC_LENGTH, "scaled": SCALED_TORSION,
      "change": CHANGE_AS_TENSOR, "launch": LAUNCH_FLAT_WALL, "conserved": CONSERVED_FLAT_WALL,
      "turning": TURNING_FROM_BELLY},
     {"christoffel-values", "scaled-values", "vase-values", "own-path", "change-values",
      "launch-values", "conserved-values", "turning-value"}),
    ("metric by differences, w not raised, angle from the parallel",
     {"metric": METRIC_DIFFERENCES, "scaled": SCALED_NOT_RAISED, "own": OWN_OTHER_ANGLE},
     {"metric-values", "scaled-values", "own-path"}),
    ("symbols by differences, w forgotten, degrees taken for radians in the path",
     {"vase": VASE_DIFFERENCES, "scaled": SCALED_WITHOUT_W, "own": OWN_DEGREES},
     {"vase-values", "scaled-values", "own-path"}),
    ("the visible answers by heart, and text for a number",
     {"christoffel": CHRISTOFFEL_BY_HEART, "covariant": COVARIANT_ALWAYS_ZERO,
      "order": ORDER_BY_HEART, "conserved": CONSERVED_COPIED, "turning": TURNING_TEXT},
     {"christoffel-values", "scaled-values", "covariant-values", "order-values",
      "conserved-values", "turning-value"}),
    ("geodesic: midpoint rule", {"geodesic": MIDPOINT}, {"order-values", "own-path"}),
    ("geodesic: equal weights", {"geodesic": WEIGHTS}, {"order-values", "own-path"}),
    ("geodesic: Euler", {"geodesic": EULER}, {"geodesic-path", "order-values", "own-path"}),
    ("geodesic: symbols taken at the start of a step only",
     {"geodesic": SYMBOLS_AT_START},
     {"geodesic-path", "order-values", "own-path"}),
    ("geodesic: the start is missing",
     {"geodesic": WITHOUT_START},
     {"geodesic-path", "order-values", "own-path"}),
    ("straight lines and speeds of the map",
     {"geodesic": STRAIGHT_ON_THE_MAP, "launch": LAUNCH_ON_THE_MAP},
     {"geodesic-path", "order-values", "own-path", "launch-values"}),
    ("the highest of the points of a path in place of a prediction", {"turning": HIGHEST_POINT},
     {"turning-value"}),
    ("functions return nothing",
     {cell: f"def {name}(*arguments):\n    return None" for cell, name in ANSWERS.items()},
     {"metric-values", "christoffel-values", "vase-values", "covariant-values", "scaled-values",
      "change-values", "flatten-values", "geodesic-path", "order-values", "launch-values",
      "conserved-values", "own-path"}),
]
