"""The results of ``derivations rms`` as text for people."""
import math
import textwrap

from .checkpoints import FLAGS
from .tensors import quoted

__all__ = ["TensorTable", "print_comparison", "print_results"]

_WIDTH = 110
_LONGEST_NAME = 56


def print_results(results):
    """Print everything that is known before a checkpoint is read."""
    _print_settings(results["settings"], results["totals"])
    if "predictions" in results:
        _print_predictions(results["predictions"])
    if "target" in results:
        _print_target(results["target"])
    if "checkpoint" in results:
        _print_checkpoint(results["checkpoint"], results["settings"], results["totals"])


def _print_settings(settings, totals):
    proportional = " at the peak, proportional to lr (AdamC)" if settings["adamc"] else ""
    beta1, beta2 = settings["betas"]
    scale = totals["time_scale_steps"]
    share = totals["start_share"]
    lines = {
        "schedule": f"{settings['schedule']}, {settings['steps']} steps, lr: peak {settings['peak_lr']:.6g}, "
                    f"last {settings['last_lr']:.6g}",
        "weight decay": f"{settings['weight_decay']:.6g}{proportional}",
        "betas, eps": f"{beta1:.6g} {beta2:.6g}, {settings['eps']:.6g}",
        "start": f"RMS {settings['init_rms']:.6g}, mean {settings['init_mean']:.6g}",
        "gradient": f"mean {settings['gradient_mean']:.6g}, standard deviation {settings['gradient_std']:.6g}, "
                    "independent, normal",
        "kappa": f"{totals['kappa']:.6g}, the sum of lr x weight decay",
        "nu": f"{totals['nu']:.6g}, the sum of lr^2",
        "time scale": "infinite: no weight decay" if scale is None
                      else f"1 / (2 lr wd) = {scale:.6g} steps at the peak",
        "left of start": f"exp(-2 kappa) = {100 * share:.3g} % of its mean square "
                         f"({100 * math.sqrt(share):.3g} % of its RMS)",
    }
    for name, text in lines.items():
        print(f"{name:<15}{text}")


def _print_predictions(rows):
    print("\nRMS of the weights after the last step, and its difference from exact in per cent of the RMS")
    print("(in per cent of the mean square it is about twice as large)\n")
    print(f"{'method':<13}{'RMS':<13}{'difference':<13}where the error comes from")
    for row in rows:
        rms = "-" if row["rms"] is None else f"{row['rms']:.6g}"
        difference = "-" if row["difference_percent"] is None else f"{row['difference_percent']:+.3f} %"
        note = row["note"]
        if row["rms"] is None:
            note = "does not apply: " + note.removeprefix(f"method={row['method']!r} ")
        print(f"{row['method']:<13}{rms:<13}{difference:<13}{' '.join(note.split())}")
    if sum(row["rms"] is not None for row in rows) > 1:
        print()
        print(textwrap.fill(
            "Errors of opposite sign can cancel: no bias correction makes the RMS smaller, slow variation makes it "
            "larger. A small difference at the last step is no proof of a small error before.", _WIDTH,
        ))


def _print_target(target):
    print(f"\nTo end at RMS {target['rms']:.6g}, change one of the two:")
    if target["weight_decay"] is not None:
        print(f"  weight decay        {target['weight_decay']:.6g}")
    if target["lr"] is not None:
        print(f"  peak learning rate  {target['lr']:.6g}")
    for note in target["notes"]:
        print(f"  {note}")


def _print_checkpoint(checkpoint, settings, totals):
    print(f"\npredicted RMS  {checkpoint['rms']:.6g} ({checkpoint['method']}), for a start with RMS "
          f"{settings['init_rms']:.6g} in every tensor")
    print(textwrap.fill(
        "A tensor that started with another RMS r keeps "
        f"exp(-2 kappa) r^2 = {totals['start_share']:.3g} r^2 of it in its mean square.", _WIDTH,
    ))


class TensorTable:
    """Prints one line for each tensor, as soon as it is measured.

    Parameters
    ----------
    tensors : list of Tensor
        All that will come: the columns are as wide as they need.
    """

    def __init__(self, tensors):
        self._name = max(len("tensor"), *(len(_short(tensor.name)) for tensor in tensors))
        self._shape = max(len("shape"), *(len(_shape(tensor.shape)) for tensor in tensors))
        self._dtype = max(len("dtype"), *(len(tensor.dtype) for tensor in tensors))
        print()
        self._print("tensor", "shape", "dtype", "RMS", "ratio", "not covered because")

    def print_row(self, row):
        """Print the line of one tensor."""
        rms = "-" if row["rms"] is None else f"{row['rms']:.5g}"
        ratio = "-" if row["ratio"] is None else f"{row['ratio']:.3f}"
        self._print(_short(row["name"]), _shape(row["shape"]), row["dtype"], rms, ratio, ", ".join(row["flags"]))

    def _print(self, name, shape, dtype, rms, ratio, why):
        line = f"{name:<{self._name}}  {shape:<{self._shape}}  {dtype:<{self._dtype}}  {rms:<11}  {ratio:<8}  {why}"
        print(line.rstrip(), flush=True)


def print_comparison(results):
    """Print what the table of tensors comes to, and what its short reasons mean."""
    tensors = results["tensors"]
    print(f"\n{results['covered']} of {len(tensors)} tensors are of the kind that the theory speaks of", end="")
    if results["ratios"]:
        low, median, high = results["ratios"]
        print(f"; measured / predicted RMS: median {median:.3f}, from {low:.3f} to {high:.3f}", end="")
    print(".")
    for flag, meaning in FLAGS.items():
        if any(flag in row["flags"] for row in tensors):
            print(textwrap.fill(f"{flag}: {meaning}", _WIDTH, subsequent_indent="    "))


def _shape(shape):
    return "x".join(map(str, shape)) or "scalar"


def _short(name):
    """A name that fits the table and holds nothing but printable ASCII."""
    name = quoted(name)
    half = (_LONGEST_NAME - 3) // 2
    return name if len(name) <= _LONGEST_NAME else f"{name[:half]}...{name[-half:]}"
