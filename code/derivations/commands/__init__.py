"""The command ``derivations``.

Each sub-command is a module of this room: the first line of its docstring is the short help, ``EXAMPLE`` stands at the
end of the long one, ``add_arguments(parser)`` declares its options and ``run(arguments)`` does the work, prints, and
returns an exit code (nothing for 0).
"""
import argparse
import os
import sys

from .. import __version__
from . import classroom, curvature, rms
from .options import Parser, UsageError

__all__ = ["main"]

COMMANDS = {"rms": rms, "curvature": curvature, "classroom": classroom}


def main(argv=None):
    """Run the command line.

    Parameters
    ----------
    argv : list of str, optional
        Arguments without the program's name; those of the process if omitted.

    Returns
    -------
    int
        The exit code: 0, or what a sub-command's help says.

    Raises
    ------
    SystemExit
        With code 2, after one line on stderr that names the option and its value, if an argument is wrong; with
        code 0 after ``--help``.

    Examples
    --------
    >>> main("rms --schedule constant --lr 1e-3 --weight-decay 0.1 --steps 100 --method mean_field --json".split())
    ... # doctest: +ELLIPSIS
    {...}
    0
    """
    parser = Parser(prog="derivations", description="Compute what the course derives, from the command line.")
    parser.add_argument("--version", action="version", version=f"derivations {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    for name, module in COMMANDS.items():
        command = commands.add_parser(
            name, help=_first_line(module.__doc__), description=_first_line(module.__doc__), epilog=module.EXAMPLE,
            formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
        )
        module.add_arguments(command)
        command.set_defaults(parser=command, run=module.run)
    arguments = parser.parse_args(argv)
    try:
        code = arguments.run(arguments) or 0
        sys.stdout.flush()
    except UsageError as error:
        arguments.parser.error(str(error))
    except BrokenPipeError:
        # The reader (head, less) has seen enough. Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _first_line(text):
    return text.splitlines()[0]
