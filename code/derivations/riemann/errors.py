"""What can go wrong in geometry, each with a name that a caller can catch.

Bad input is a ``ValueError``; an integrator that does not reach its tolerance is a ``RuntimeError``. A NaN is never
passed on in silence.
"""

__all__ = ["GeometryError", "MetricError", "ParameterError", "ChartError", "CurveError", "IntegrationError"]


class GeometryError(ValueError):
    """Base class of the bad-input errors of :mod:`derivations.riemann`."""


class MetricError(GeometryError):
    """The matrix is no metric: not square, not symmetric, singular everywhere, or made of unknown symbols."""


class ParameterError(GeometryError):
    """A parameter of a metric is missing, unknown or not a finite real number."""


class ChartError(GeometryError):
    """A point is not a point of the chart: wrong shape, complex, NaN, outside the limits, or a singular point."""


class CurveError(GeometryError):
    """A curve has a gap, or a loop does not return to its first point."""


class IntegrationError(RuntimeError):
    """An integrator or Newton's method did not reach the tolerance asked for."""
