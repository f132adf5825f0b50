"""Compute the curvature of a line element, or of a space of the catalogue.

The tensors are those of :class:`derivations.riemann.Metric`, in its convention.
"""
import contextlib
import signal
import threading

from .options import UsageError, positive

__all__ = ["EXAMPLE", "TENSORS", "add_arguments", "run"]

EXAMPLE = """\
examples:
  derivations curvature "dr**2 + r**2*dphi**2"
  derivations curvature " -(1 - 2*M/r)*dt**2 + dr**2/(1 - 2*M/r) + r**2*(dtheta**2 + sin(theta)**2*dphi**2)"
  derivations curvature "dx**2 + f(x)**2*dy**2" --tensors scalar --format latex
  derivations curvature kerr --tensors kretschmann --at "r=3, theta=pi/3" --params M=1 a=1/2
  derivations curvature --list

dx is the differential of the coordinate x. Functions: sin cos tan sinh cosh tanh exp log sqrt; any other, such as
a(t), is undetermined. If a line element begins with a minus sign, write a space in front of it.
R^a_bcd = d_c Gamma^a_bd - d_d Gamma^a_bc + Gamma^a_ec Gamma^e_bd - Gamma^a_ed Gamma^e_bc, R_bd = R^a_bad: the
sphere has positive scalar curvature. Components that are 0, or that follow from the symmetries, are left out.
Exit code 0; 2 after an error, which is one line on stderr.
"""

TENSORS = ("christoffel", "riemann", "ricci", "scalar", "kretschmann", "einstein", "weyl")
_USUAL = TENSORS[:5]


def add_arguments(parser):
    """Add the options of ``derivations curvature`` to ``parser``."""
    parser.add_argument("space", nargs="?", metavar="SPACE", help="a line element in quotes, or a name from --list")
    parser.add_argument("--list", action="store_true", help="print the names of the catalogue and leave")
    group = parser.add_argument_group("space")
    group.add_argument("--coords", nargs="+", metavar="X",
                       help="the coordinates in the order of the indices (default: as their differentials appear)")
    group.add_argument("--params", nargs="+", default=[], metavar="P[=VALUE]",
                       help="values of parameters, put in exactly; a parameter of a line element whose name begins "
                            "with d must be listed, with or without a value")
    group.add_argument("--n", type=int, metavar="N", help="dimensions of n_sphere or hyperbolic_space")
    group = parser.add_argument_group("output")
    group.add_argument("--tensors", nargs="+", choices=TENSORS, default=_USUAL, metavar="TENSOR",
                       help=f"only these of: {', '.join(TENSORS)}")
    group.add_argument("--format", choices=["text", "latex", "sympy"], default="text",
                       help="sympy is a Python program that makes the arrays (default text)")
    group.add_argument("--at", metavar="POINT",
                       help="print numbers at a point such as \"r=3, theta=pi/3\"; coordinates that the metric does "
                            "not contain may be left out, parameters of a named space have default values")
    group.add_argument("--time-limit", type=positive, default=60.0, metavar="SECONDS",
                       help="give up after that time (default 60; without effect on Windows)")


def run(arguments):
    """Do what the options ask for, and print it."""
    from ..riemann import GeometryError    # SymPy takes long to import
    from .curvature_report import print_catalogue, print_curvature
    from .line_element import LineElementError

    if arguments.list:
        print_catalogue()
        return
    if arguments.space is None:
        raise UsageError("no line element; --list prints the names of the catalogue")
    try:
        with _time_limit(arguments.time_limit):
            print_curvature(arguments)
    except (GeometryError, LineElementError) as error:
        raise UsageError(str(error)) from error
    except NotImplementedError as error:    # some steps of SymPy's simplify lack cases
        raise UsageError(f"SymPy cannot simplify the tensors of this metric: {error}") from error
    except _TimeIsUp:
        raise UsageError(f"not finished after --time-limit {arguments.time_limit:g} seconds: ask for fewer --tensors, "
                         "or for more time") from None


class _TimeIsUp(Exception):
    pass


@contextlib.contextmanager
def _time_limit(seconds):
    """Raise :class:`_TimeIsUp` when the block has taken longer; does nothing where there is no such signal."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number, frame):
        raise _TimeIsUp

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
