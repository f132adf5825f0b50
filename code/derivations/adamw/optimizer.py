"""One exact step of AdamW: what every prediction and simulation of this room is compared with."""
import numpy as np

from . import _checks as check

__all__ = ["adamw_step"]


def adamw_step(parameters, gradient, first_moment, second_moment, step, lr, weight_decay, betas=(0.9, 0.95), eps=1e-8):
    r"""Take one step of AdamW, with bias correction and decoupled weight decay.

    .. math::

        m_t &= \beta_1 m_{t-1} + (1 - \beta_1) g_t, \qquad v_t = \beta_2 v_{t-1} + (1 - \beta_2) g_t^2, \\
        u_t &= \frac{m_t / (1 - \beta_1^t)}{\sqrt{v_t / (1 - \beta_2^t)} + \epsilon}, \qquad
        \theta_t = (1 - \eta\lambda)\,\theta_{t-1} - \eta\, u_t .

    Everything acts element by element.

    Parameters
    ----------
    parameters, gradient, first_moment, second_moment : array_like
        :math:`\theta_{t-1}, g_t, m_{t-1}, v_{t-1}`, of shapes that broadcast. Before the first step both moments are 0.
    step : int
        :math:`t`, counted from 1.
    lr, weight_decay : float or array_like
        :math:`\eta \ge 0` and :math:`\lambda \ge 0` of this step.
    betas : pair of float
        :math:`(\beta_1, \beta_2)`, both in [0, 1).
    eps : float
        :math:`\epsilon \ge 0`, in the unit of the gradient. With ``eps=0`` a weight that has seen only zero gradients
        becomes NaN.

    Returns
    -------
    parameters, first_moment, second_moment : numpy.ndarray
        :math:`\theta_t, m_t, v_t`; the inputs are left as they are.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Notes
    -----
    Equation :eq:`eq-adamw-step` of the book, the algorithm of [1]_. ``torch.optim.AdamW`` computes the same.

    References
    ----------
    .. [1] I. Loshchilov, F. Hutter, Decoupled weight decay regularization, ICLR 2019, arXiv 1711.05101.

    Examples
    --------
    The first step has length ``lr``, whatever the size of the gradient:

    >>> theta, m, v = adamw_step([1.0, 1.0], [5.0, -0.02], 0.0, 0.0, step=1, lr=0.1, weight_decay=0.0, eps=0.0)
    >>> theta
    array([0.9, 1.1])
    """
    step = check.count("step", step)
    beta1, beta2 = check.beta_pair(betas)
    lr, weight_decay = check.non_negative("lr", lr), check.non_negative("weight_decay", weight_decay)
    parameters, gradient = check.finite("parameters", parameters), check.squarable("gradient", gradient)
    first_moment = beta1 * check.finite("first_moment", first_moment) + (1 - beta1) * gradient
    second_moment = beta2 * check.non_negative("second_moment", second_moment) + (1 - beta2) * gradient**2
    corrected_mean = first_moment / (1 - beta1**step)
    corrected_square = second_moment / (1 - beta2**step)
    update = corrected_mean / (np.sqrt(corrected_square) + check.non_negative("eps", eps))
    return (1 - lr * weight_decay) * parameters - lr * update, first_moment, second_moment
