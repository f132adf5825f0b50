"""Compute the curvature of a line element, or of a space of the catalogue.

The tensors are those of :class:`derivations.riemann.Metric`, in its convention.
"""
import argparse
import contextlib
import io
import json
import math
import os
import subprocess
import sys

from .options import UsageError, non_negative

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
MEMORY_LIMIT = 4 << 30    # bytes
_USUAL = TENSORS[:5]
_OPTIONS = ("space", "coords", "params", "n", "tensors", "format", "at", "time_limit")


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
    group.add_argument("--time-limit", type=non_negative, default=60.0, metavar="SECONDS",
                       help="give up after that time (default 60), or when the computation takes more than "
                            f"{MEMORY_LIMIT >> 30} GB of memory (not on Windows); 0 for no limits")


def run(arguments):
    """Do what the options ask for, and print it."""
    if arguments.list:
        from .curvature_report import print_catalogue    # SymPy takes long to import
        print_catalogue()
    elif arguments.space is None:
        raise UsageError("no line element; --list prints the names of the catalogue")
    elif arguments.time_limit == 0 or sys.platform == "emscripten":  # in a browser there are no other processes
        _compute(arguments)
    else:
        print(_computed_elsewhere(arguments), end="")


def _compute(arguments):
    """Compute and print in this process, without limits; all errors that are foreseen become a UsageError."""
    from ..riemann import GeometryError
    from ..riemann.listing import foreseen_errors
    from .curvature_report import print_curvature

    try:
        with foreseen_errors():
            print_curvature(arguments)
    except GeometryError as error:
        raise UsageError(str(error)) from error
    except MemoryError as error:
        raise UsageError("not enough memory: ask for fewer --tensors, or simplify the line element") from error


# A signal reaches Python only between two steps of Python, and FLINT may stay in C for hours: only another process can
# be stopped. It is not one of `multiprocessing`, which would run the user's script again to find its functions.
_PROGRAM = """\
import json, sys
task = json.load(sys.stdin)
sys.path[:] = task["path"]
from derivations.commands.curvature import _answer
_answer(task["options"])
"""


def _computed_elsewhere(arguments):
    """What :func:`_compute` prints, computed by another process that is stopped when the time is up."""
    task = {"path": sys.path, "options": {name: getattr(arguments, name) for name in _OPTIONS}}
    # No modules from the current folder; and no threads of BLAS, each of which reserves memory.
    environment = os.environ | {"PYTHONSAFEPATH": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run([sys.executable, "-c", _PROGRAM], input=json.dumps(task), env=environment,
                              capture_output=True, text=True, errors="replace", timeout=arguments.time_limit)
    except subprocess.TimeoutExpired:
        raise UsageError(f"not finished after --time-limit {arguments.time_limit:g} seconds: ask for fewer --tensors, "
                         "or for more time") from None
    if done.returncode < 0:    # killed; where memory is not granted, C libraries abort
        raise UsageError(f"the computation was ended by signal {-done.returncode}, probably because it needs more than "
                         f"{MEMORY_LIMIT >> 30} GB of memory: ask for fewer --tensors")
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise UsageError(f"the computation failed (--time-limit 0 shows where): {reason}")
    answer = json.loads(done.stdout)
    sys.stderr.write(done.stderr)
    if "error" in answer:
        raise UsageError(answer["error"])
    return answer["printed"]


def _answer(options):
    """Run by the other process: write to its standard output what is printed, or the error, as JSON."""
    from . import curvature_report  # noqa: F401  (before the limit: libraries reserve more memory than they use)

    _limit(options.pop("time_limit"))
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            _compute(argparse.Namespace(**options))
        answer = {"printed": printed.getvalue()}
    except UsageError as error:
        answer = {"error": str(error)}
    json.dump(answer, sys.stdout)


def _limit(seconds):
    """Bound the memory of this process, and its time in case that nobody is left to stop it."""
    try:
        import resource
    except ImportError:    # Windows
        return
    for kind, soft in ((resource.RLIMIT_AS, MEMORY_LIMIT), (resource.RLIMIT_CPU, math.ceil(min(seconds, 1e9)) + 5)):
        hard = resource.getrlimit(kind)[1]
        with contextlib.suppress(ValueError, OSError):    # macOS does not always grant it
            resource.setrlimit(kind, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
