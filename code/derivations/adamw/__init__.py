"""The weight RMS of AdamW: schedules, the optimizer's step, predictions and simulations.

``theta_t`` is one weight after step ``t``, ``RMS`` the root of its mean square over many weights. Every prediction
is an expectation over gradients that are independent of each other and of the weights.
"""
from .estimators import equilibrium_rms, predict_weight_rms
from .noise import noise_factor
from .optimizer import adamw_step
from .schedules import Schedule, constant, from_array
from .simulation import Estimate, SimulationResult, measure_noise_factor, simulate

__all__ = [
    "Estimate",
    "Schedule",
    "SimulationResult",
    "adamw_step",
    "constant",
    "equilibrium_rms",
    "from_array",
    "measure_noise_factor",
    "noise_factor",
    "predict_weight_rms",
    "simulate",
]
