"""What goes wrong in the assignment "Round the loop", and what is right although it looks different."""

CHRISTOFFEL = """
def christoffel(surface, r):
    f, df, _ = profile(surface, r)
    gamma = np.zeros((2, 2, 2))
    gamma[0, 1, 1] = {radial}
    gamma[1, 0, 1] = gamma[1, 1, 0] = {angular}
    return gamma
"""
PROPAGATOR = """
def propagator(surface, vertices, steps=20):
    vertices = np.asarray(vertices, float)
    P, h = np.eye(2), 1 / steps
    for start, leg in zip(vertices[:-1], np.diff(vertices, axis=0)):
        Q = np.eye(2)
        for s in h * np.arange(steps):
            def rate(s):
                return {sign}christoffel(surface, start[0] + s * leg[0]) @ leg
            {step}
        P = {product}
    return P
"""
RUNGE_KUTTA = """k1 = rate(s) @ Q
            k2 = rate({middle}) @ (Q + h / 2 * k1)
            k3 = rate({middle}) @ (Q + h / 2 * k2)
            k4 = rate({last}) @ (Q + h * k3)
            Q = Q + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)"""
RIGHT = RUNGE_KUTTA.format(middle="s + h / 2", last="s + h")
MIDPOINT = "Q = Q + h * rate(s + h / 2) @ (Q + h / 2 * rate(s) @ Q)"
EULER = "Q = Q + h * rate(s) @ Q"
ROTATION = """
def propagator(surface, vertices, steps=20):
    # In unit vectors transport is a rotation by minus the integral of f' dphi.
    vertices = np.asarray(vertices, float)
    turned = 0.0
    for start, leg in zip(vertices[:-1], np.diff(vertices, axis=0)):
        nodes, weights = np.polynomial.legendre.leggauss(30)
        turned += leg[1] / 2 * (weights @ profile(surface, start[0] + (nodes + 1) / 2 * leg[0])[1])
    first, last = profile(surface, vertices[0, 0])[0], profile(surface, vertices[-1, 0])[0]
    c, s = np.cos(turned), np.sin(turned)
    return np.array([[c, s * first], [-s / last, c * first / last]])
"""
COLUMNS = """
def propagator(surface, vertices, steps=20):
    columns = []
    for A in ([1.0, 0.0], [0.0, 1.0]):
        A = np.array(A)
        for (r0, phi0), (r1, phi1) in zip(vertices[:-1], vertices[1:]):
            def slope(s, A):
                gamma = christoffel(surface, r0 + s * (r1 - r0))
                return -np.einsum("mab,a,b->m", gamma, A, [r1 - r0, phi1 - phi0])
            h = 1 / steps
            for i in range(steps):
                s = i / steps
                k1 = slope(s, A)
                k2 = slope(s + h / 2, A + h * k1 / 2)
                k3 = slope(s + h / 2, A + h * k2 / 2)
                k4 = slope(s + h, A + h * k3)
                A = A + h * (k1 + 2 * k2 + 2 * k3 + k4) / 6
        columns.append(A)
    return np.array(columns).T
"""
TURN = """
def turn(surface, r, P):
    f = profile(surface, r)[0]
    return {angle}
"""
RIEMANN = """
def riemann(surface, r):
    f, df, ddf = profile(surface, r)
    R = np.zeros((2, 2, 2, 2))
    R[0, 1, 0, 1], R[0, 1, 1, 0] = {first}, -({first})
    R[1, 0, 0, 1], R[1, 0, 1, 0] = {second}, -({second})
    return R
"""
RIEMANN_BY_DIFFERENCES = """
def riemann(surface, r, h=1e-4):
    gamma = christoffel(surface, r)
    d = np.zeros((2, 2, 2, 2))  # derivative first
    d[0] = (christoffel(surface, r + h) - christoffel(surface, r - h)) / (2 * h)
    half = np.einsum("bmac->mabc", d) + np.einsum("mnb,nac->mabc", gamma, gamma)
    return half - half.transpose(0, 1, 3, 2)
"""
MEASURED = """
def measured(surface, r, shape, h):
    shape = np.asarray(shape, float)
    following = np.roll(shape, -1, axis=0)
    area = {area}
    loop = [r, 0] + h * {loop}
    return {sign}(propagator(surface, loop) - np.eye(2)) / (area * h**2)
"""
SHOELACE = "(shape[:, 0] * following[:, 1] - shape[:, 1] * following[:, 0]).sum() / 2"
CLOSED = "np.concatenate([shape, shape[:1]])"
ANGLES = """
def interior_angles(corners):
    angles = []
    for k in range(3):
        a, b, c = np.roll(corners, -k, axis=0)
        {two}
        angles.append(np.arccos(u @ v / np.sqrt((u @ u) * (v @ v))))
    return np.array(angles)
"""
AREA = """
def triangle_area(corners, radius):
    a, b, c = corners
    up, down = np.linalg.det(corners), 1 + a @ b + b @ c + c @ a
    return {area}
"""
TRIANGLE = """
def triangle_turn(corners, n):
    points = []
    for a, b in zip(corners, np.roll(corners, -1, axis=0)):
        side, s = np.arccos(a @ b), np.arange(n)[:, None] / n
        points.append({points})
    x, y, z = np.concatenate([*points, corners[:1]]).T
    vertices = np.stack([np.arccos(z), np.arctan2(y, x)], axis=1)
    return turn(("sphere", 1.0), vertices[0, 0], propagator(("sphere", 1.0), vertices))
"""
TOTAL = """
def total_curvature(surface, r1, r2, angle):
    n = 4000
    r = r1 + (r2 - r1) * (np.arange(n) + 0.5) / n
    f, _, ddf = profile(surface, r)
    return {sign}angle * (ddf / f * {element}).sum() * (r2 - r1) / n
"""
CIRCLE = """
colatitude = np.radians(colatitude_degrees)
solid_angle = 2 * np.pi * (1 - np.cos(colatitude))
measured_angle = {measured}
full_turns = round((solid_angle - measured_angle) / (2 * np.pi))
"""
CONE = """
deficit = {deficit}
turned = {turned}
tip_radius = {tip}
"""
BISECTION = """
low, high = 0.0, 20 * width
for _ in range(60):
    tip_radius = (low + high) / 2
    if 1 - profile(rounded, tip_radius)[1] < share * (1 - np.sin(chi)):
        low = tip_radius
    else:
        high = tip_radius
"""
ORDERS = """
M = [measured(rounded, place, shape, h) for h in (0.2, 0.1, 0.05)]
M += [{first}, {second}]
errors = [abs(m - riemann(rounded, place)[:, :, 0, 1]).max() for m in M]
order_measured, order_extrapolated = np.log2(errors[0] / errors[1]), np.log2(errors[3] / errors[4])
"""


def propagator(sign="-", step=RIGHT, product="Q @ P"):
    return PROPAGATOR.format(sign=sign, step=step, product=product)


def measured(area=SHOELACE, loop=CLOSED, sign="-"):
    return MEASURED.format(area=area, loop=loop, sign=sign)


def cone(deficit="2 * np.pi * (1 - np.sin(chi))", turned="np.angle(np.exp(1j * winding * deficit))",
         tip="width * np.arctanh(np.sqrt(share))"):
    return CONE.format(deficit=deficit, turned=turned, tip=tip)


BY_TRANSPORT = {"circle-numbers", "measured-values", "orders-numbers", "triangle-turns"}
MISTAKES = [
    ("wrong sign of Gamma^r_{phi phi}", {"christoffel": CHRISTOFFEL.format(radial="f * df", angular="df / f")},
     {"christoffel-values", "propagator-values", "propagator-order"} | BY_TRANSPORT),
    ("f' forgotten, which the plane does not show",
     {"christoffel": CHRISTOFFEL.format(radial="-f", angular="1 / f")},
     {"christoffel-values", "propagator-values", "propagator-order"} | BY_TRANSPORT),
    ("transport with the wrong sign", {"propagator": propagator(sign="")},
     {"propagator-values", "propagator-order"} | BY_TRANSPORT),
    ("legs multiplied in the wrong order", {"propagator": propagator(product="P @ Q")},
     {"propagator-values", "measured-values", "orders-numbers", "triangle-turns"}),
    ("the transposed propagator", {"propagator": propagator().replace("return P", "return P.T")},
     {"propagator-values", "propagator-order"} | BY_TRANSPORT),
    ("Euler's method", {"propagator": propagator(step=EULER)},
     {"propagator-order", "measured-values", "orders-numbers", "triangle-turns"}),
    ("the midpoint method", {"propagator": propagator(step=MIDPOINT)},
     {"propagator-order"}),
    ("all stages at the start of the step",
     {"propagator": propagator(step=RUNGE_KUTTA.format(middle="s", last="s"))},
     {"propagator-order", "measured-values", "orders-numbers", "triangle-turns"}),
    ("the visible answers of question 1, written down",
     {"propagator": "def propagator(surface, vertices, steps=20):\n"
                    "    return np.eye(2) if len(vertices) > 2 else np.array([[0.0, 1.0], [-1.0, 0.0]])"},
     {"propagator-values", "propagator-order"} | BY_TRANSPORT),
    ("angle from components that are not along unit vectors",
     {"turn": TURN.format(angle="np.arctan2(P[1, 0], P[0, 0])")}, {"turn-values", "circle-numbers", "triangle-turns"}),
    ("angle from its cosine, without a sign", {"turn": TURN.format(angle="np.arccos(np.trace(P) / 2)")},
     {"turn-values", "circle-numbers", "triangle-turns"}),
    ("each answer for itself: solid angle not reduced, curvature of the wrong sign, extrapolated as if of order 2, "
     "angles between the chords, arctan, no area element, cosine for sine",
     {"circle": CIRCLE.format(measured="solid_angle"), "riemann": RIEMANN.format(first="f * ddf", second="-ddf / f"),
      "orders": ORDERS.format(first="(4 * M[1] - M[0]) / 3", second="(4 * M[2] - M[1]) / 3"),
      "angles": ANGLES.format(two="u, v = b - a, c - a"),
      "area": AREA.format(area="2 * radius**2 * np.arctan(up / down)"), "total": TOTAL.format(sign="-", element="1"),
      "cone": cone(deficit="2 * np.pi * (1 - np.cos(chi))")},
     {"circle-numbers", "riemann-values", "orders-numbers", "angles-values", "area-values", "total-values",
      "cone-numbers"}),
    ("the same again: the other sense, both indices below, an area without its sign, radius in place of its square, "
     "sides straight in the coordinates, curvature of the wrong sign, turned against the walk, share without the root",
     {"circle": CIRCLE.format(measured="-np.angle(np.exp(1j * solid_angle))"),
      "riemann": RIEMANN.format(first="-f * ddf", second="f * ddf"), "measured": measured(area=f"abs({SHOELACE})"),
      "area": AREA.format(area="2 * radius * np.arctan2(up, down)"),
      "triangle": TRIANGLE.format(points="np.repeat(a[None], n, axis=0)"), "total": TOTAL.format(sign="", element="f"),
      "cone": cone(turned="-np.angle(np.exp(1j * winding * deficit))", tip="width * np.arctanh(share)")},
     {"circle-numbers", "riemann-values", "orders-numbers", "measured-values", "area-values", "triangle-turns",
      "total-values", "cone-numbers", "tip-radius"}),
    ("extrapolated as if the order were 2, full turns not taken off, area without a sign",
     {"orders": ORDERS.format(first="(4 * M[1] - M[0]) / 3", second="(4 * M[2] - M[1]) / 3"),
      "cone": cone(turned="winding * deficit"), "area": AREA.format(area="abs(2 * radius**2 * np.arctan2(up, down))")},
     {"orders-numbers", "cone-numbers", "area-values"}),
    ("the numbers of another student",
     {"circle": "measured_angle, solid_angle, full_turns = 3.0 - 2 * np.pi, 3.0, 1",
      "cone": "deficit, turned, tip_radius = 3.1, -0.1, 1.0",
      "orders": "order_measured, order_extrapolated = 1.0, 2.0"},
     {"circle-numbers", "cone-numbers", "tip-radius", "orders-numbers"}),
    ("the area of the parallelogram for every loop, the angle sum in place of transport",
     {"measured": measured(area="np.linalg.det(shape[1:3])"),
      "triangle": "def triangle_turn(corners, n):\n"
                  "    return (interior_angles(corners).sum() - np.pi) * np.sign(np.linalg.det(corners))"},
     {"measured-values", "orders-numbers", "triangle-turns"}),
    ("a loop that is not closed", {"measured": measured(loop="shape")}, {"measured-values", "orders-numbers"}),
    ("the exact tensor in place of a measurement",
     {"measured": "def measured(surface, r, shape, h):\n    return riemann(surface, r)[:, :, 0, 1]",
      "orders": "order_measured, order_extrapolated = 1.0, 2.0"}, {"measured-values", "orders-numbers"}),
    ("wrong types", {"christoffel": "def christoffel(surface, r):\n    return [[0, 1], [2]]",
                     "propagator": "def propagator(surface, vertices, steps=20):\n    return 'P'",
                     "turn": "def turn(surface, r, P):\n    return 'a right angle'",
                     "circle": "measured_angle, solid_angle, full_turns = 'a', [1, 2], None",
                     "riemann": "def riemann(surface, r):\n    return None",
                     "measured": "def measured(surface, r, shape, h):\n    return np.full((2, 2), np.nan)",
                     "orders": "order_measured, order_extrapolated = float('nan'), 10**400",
                     "angles": "def interior_angles(corners):\n    return 3.0",
                     "area": "def triangle_area(corners, radius):\n    return np.array([1.0])",
                     "triangle": "def triangle_turn(corners, n):\n    return 1j",
                     "total": "def total_curvature(surface, r1, r2, angle):\n    return float('nan')",
                     "cone": "deficit = turned = tip_radius = {'angle': 1}"},
     {"christoffel-values", "propagator-values", "propagator-order", "turn-values", "riemann-values",
      "angles-values", "area-values", "total-values", "cone-numbers", "tip-radius"} | BY_TRANSPORT),
    ("right: transport as a rotation, the second column, the formula of the circle, area as a sum of triangles, the "
     "extrapolation as a correction, arccos, another slerp, the closed form of the total curvature, a remainder",
     {"propagator": ROTATION, "turn": TURN.format(angle="np.arctan2(-P[0, 1] / f, P[1, 1])"),
      "circle": CIRCLE.format(measured="np.angle(np.exp(-2j * np.pi * np.cos(colatitude)))"),
      "measured": measured(area="sum(v[0] * w[1] - v[1] * w[0] for v, w in zip(shape[1:-1], shape[2:])) / 2"),
      "orders": ORDERS.format(first="M[1] + (M[1] - M[0])", second="M[2] + (M[2] - M[1])"),
      "angles": ANGLES.format(two="u, v = np.cross(a, b), np.cross(a, c)"),
      "area": AREA.format(area="radius**2 * 2 * np.angle(complex(down, up))"),
      "triangle": TRIANGLE.format(
          points="np.cos(s * side) * a + np.sin(s * side) * (b - (a @ b) * a) / np.sin(side)"),
      "total": "def total_curvature(surface, r1, r2, angle):\n"
               "    return angle * (profile(surface, r1)[1] - profile(surface, r2)[1])",
      "cone": cone(turned="np.pi - (np.pi - winding * deficit) % (2 * np.pi)")}, set()),
    ("right: one vector after the other, curvature by differences, the midpoint rule, a radius by bisection",
     {"propagator": COLUMNS, "riemann": RIEMANN_BY_DIFFERENCES, "total": TOTAL.format(sign="-", element="f"),
      "cone": cone(tip="0.0") + BISECTION}, set()),
]
