"""Metrics, Christoffel symbols, curvature and parallel transport.

Order of the indices, everywhere: ``christoffel[mu, alpha, beta]`` and ``riemann[mu, alpha, beta, gamma]``.

Examples
--------
>>> from derivations.riemann import curvature_by_loop, spaces
>>> print(f"{curvature_by_loop(spaces.half_plane(), [0, 1], 0.01)[0, 1, 0, 1]:.2f}")
-1.00
"""
from . import conventions, spaces
from .display import Tensor
from .errors import ChartError, CurveError, GeometryError, IntegrationError, MetricError, ParameterError
from .geodesics import Endpoints, Geodesic, exponential_map, geodesic
from .jacobi import JacobiField, conjugate_points, jacobi_field
from .line_element import LineElementError, read_line_element
from .numeric import FormulaMetric, NumericMetric, PointwiseMetric
from .routes import (
    area,
    coordinate_loop,
    curvature_by_commuting,
    curvature_by_deviation,
    curvature_by_loop,
    errors_by_loop,
    gauss_curvature_by_loop,
    observed_order,
    total_curvature,
)
from .series import propagator_series
from .shooting import geodesic_between
from .spaces import Space
from .symbolic import Metric
from .transport import Curve, Holonomy, Transport, circle, holonomy, parallel_transport, polygon, rectangle, straight

__all__ = [
    "ChartError", "Curve", "CurveError", "Endpoints", "FormulaMetric", "Geodesic", "GeometryError", "Holonomy",
    "IntegrationError", "JacobiField", "LineElementError", "Metric", "MetricError", "NumericMetric", "ParameterError",
    "PointwiseMetric", "Space", "Tensor", "Transport", "area", "circle", "conjugate_points", "conventions",
    "coordinate_loop", "curvature_by_commuting", "curvature_by_deviation", "curvature_by_loop", "errors_by_loop",
    "exponential_map", "gauss_curvature_by_loop", "geodesic", "geodesic_between", "holonomy", "jacobi_field",
    "observed_order", "parallel_transport", "polygon", "propagator_series", "read_line_element", "rectangle", "spaces",
    "straight", "total_curvature",
]
