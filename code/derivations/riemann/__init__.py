"""Metrics, Christoffel symbols, curvature and parallel transport.

Order of the indices, everywhere: ``christoffel[mu, alpha, beta]`` and ``riemann[mu, alpha, beta, gamma]``.

Examples
--------
>>> from derivations.riemann import curvature_by_loop, spaces
>>> print(f"{curvature_by_loop(spaces.half_plane(), [0, 1], 0.01)[0, 1, 0, 1]:.2f}")
-1.00
"""
from . import spaces
from .errors import ChartError, CurveError, GeometryError, IntegrationError, MetricError, ParameterError
from .numeric import NumericMetric
from .routes import (
    area,
    coordinate_loop,
    curvature_by_loop,
    errors_by_loop,
    gauss_curvature_by_loop,
    observed_order,
    total_curvature,
)
from .series import propagator_series
from .spaces import Space
from .symbolic import Metric
from .transport import Curve, Holonomy, Transport, circle, holonomy, parallel_transport, polygon, rectangle, straight

__all__ = [
    "ChartError", "Curve", "CurveError", "GeometryError", "Holonomy", "IntegrationError", "Metric", "MetricError",
    "NumericMetric", "ParameterError", "Space", "Transport", "area", "circle", "coordinate_loop",
    "curvature_by_loop", "errors_by_loop", "gauss_curvature_by_loop", "holonomy", "observed_order",
    "parallel_transport", "polygon", "propagator_series", "rectangle", "spaces", "straight", "total_curvature",
]
