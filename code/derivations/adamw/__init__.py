"""The weight RMS of AdamW: schedules, the optimizer's step, predictions and simulations.

``theta_t`` is one weight after step ``t``, ``RMS`` the root of its mean square over many weights. Every prediction
is an expectation over gradients that are independent of each other and of the weights.
"""
from ._checks import DoesNotApply
from .estimators import METHODS, equilibrium_rms, predict_weight_rms
from .gradients import Correlated, Curved, correlated, curved
from .inverse import lr_for, weight_decay_for
from .kept import KEPT, kept_results
from .laws import Law, empirical, gaussian, laplace, rademacher, student_t, uniform
from .memory import gradient_weights, update_weights
from .noise import mean_factor, noise_factor, update_autocovariance, update_rms
from .optimizer import adamw_step
from .schedules import Schedule, constant, cosine, from_array, inverse_time, join, linear, wsd
from .simulation import Estimate, SimulationResult, measure_noise_factor, simulate
from .sweeps import predict_many, simulate_many

__all__ = [
    "KEPT",
    "METHODS",
    "Correlated",
    "Curved",
    "DoesNotApply",
    "Estimate",
    "Law",
    "Schedule",
    "SimulationResult",
    "adamw_step",
    "constant",
    "correlated",
    "cosine",
    "curved",
    "empirical",
    "equilibrium_rms",
    "from_array",
    "gaussian",
    "gradient_weights",
    "inverse_time",
    "join",
    "kept_results",
    "laplace",
    "linear",
    "lr_for",
    "mean_factor",
    "measure_noise_factor",
    "noise_factor",
    "predict_many",
    "predict_weight_rms",
    "rademacher",
    "simulate",
    "simulate_many",
    "student_t",
    "uniform",
    "update_autocovariance",
    "update_rms",
    "update_weights",
    "weight_decay_for",
    "wsd",
]
