"""The noise factor: what the fluctuation of Adam's denominator does to the weight RMS."""
from . import _checks as check

__all__ = ["noise_factor"]


def noise_factor(betas=(0.9, 0.95), method="leading", fourth_moment=3.0):
    r"""Factor :math:`S` by which the noise part of :math:`E[\theta^2]` differs from that of a frozen denominator.

    To first order in the variance of :math:`v`, which is proportional to :math:`1 - \beta_2`, and with
    :math:`q = E[g^4]/\sigma^4 - 1`,

    .. math::

        S = 1 - q (1 - \beta_2) \left[ \frac{1 - \beta_1}{1 - \beta_1\beta_2} - \frac{1}{1 + \beta_2}
        \left( \frac34 + \frac14 \frac{(1 - \beta_1)(1 + \beta_1\beta_2)}{(1 + \beta_1)(1 - \beta_1\beta_2)}
        \right) \right] .

    Parameters
    ----------
    betas : pair of float
        :math:`(\beta_1, \beta_2)`, both in [0, 1).
    method : {"leading"}
        Which approximation; the leading order is good where :math:`q (1 - \beta_2)` is small.
    fourth_moment : float or array_like
        :math:`E[g^4]/\sigma^4 \ge 1` of the gradients, which have mean 0: 3 for normal gradients.

    Returns
    -------
    float or numpy.ndarray
        The factor of the mean *square*; the RMS changes by its root.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Notes
    -----
    Equation :eq:`eq-adamw-noise-factor` of the book. It holds for independent gradients with mean 0 and a symmetric
    distribution, :math:`\epsilon = 0` and :math:`\eta\lambda \ll 1 - \beta_1`. For gradients :math:`\pm\sigma` the
    denominator does not fluctuate, ``fourth_moment`` is 1, and :math:`S = 1` exactly.

    Examples
    --------
    >>> round(noise_factor((0.9, 0.95)), 4)
    0.9781
    >>> noise_factor((0.9, 0.95), fourth_moment=1.0)
    1.0
    """
    beta1, beta2 = check.beta_pair(betas)
    check.one_of("method", method, ("leading",))
    excess = check.finite("fourth_moment", fourth_moment) - 1
    if (excess < 0).any():
        raise ValueError(f"fourth_moment must be at least 1, got fourth_moment={fourth_moment!r}")
    pull = (1 - beta1) / (1 - beta1 * beta2)
    spread = 3 / 4 + pull * (1 + beta1 * beta2) / (1 + beta1) / 4
    factor = 1 - excess * (1 - beta2) * (pull - spread / (1 + beta2))
    return factor if factor.ndim else float(factor)
