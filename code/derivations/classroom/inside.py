"""The student's side of the sandbox: runs cells and evaluates expressions, one request a line.

Started by :mod:`sandbox` as ``python -m derivations.classroom.inside LIMITS``. Nothing that this process says is
believed: the student's code runs in it and may rewrite all of it.
"""
import base64
import contextlib
import io
import json
import os
import resource
import sys
import traceback

from .transport import LARGEST_PICTURE, NotData, decode, encode, pack

LONGEST_TEXT = 20_000      # characters of one cell's printed output
MOST_PICTURES = 4          # a cell


class Printed(io.TextIOBase):
    """Takes what is printed; keeps the beginning."""

    def __init__(self):
        self.pieces, self.length = [], 0

    def writable(self):
        return True

    def write(self, text):
        if self.length < LONGEST_TEXT:
            self.pieces.append(text[:LONGEST_TEXT - self.length])
        self.length += len(text)
        return len(text)

    def text(self):
        cut = "\n[the rest is cut off]" if self.length > LONGEST_TEXT else ""
        return "".join(self.pieces) + cut


def limit(limits):
    """Set the process's limits for good: without privileges nobody can raise them again."""
    for name, most in limits.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))


def describe(error, cell_file=None):
    """Name, text and line of an exception."""
    line = None
    for frame in traceback.extract_tb(error.__traceback__):
        if cell_file and frame.filename == cell_file:
            line = frame.lineno
    text = str(error)
    if isinstance(error, SyntaxError):
        line, text = error.lineno, error.msg
    return {"name": type(error).__name__, "text": str(text)[:2000], "line": line}


def pictures():
    """The figures that pyplot holds open, as PNG in base64; closes them, also when one cannot be drawn."""
    if "matplotlib.pyplot" not in sys.modules:
        return []
    from matplotlib import pyplot

    try:
        found = [picture(pyplot.figure(number)) for number in pyplot.get_fignums()[:MOST_PICTURES]]
    finally:
        pyplot.close("all")
    return [png for png in found if png]


def picture(figure):
    """One figure as PNG in base64; None if it is too large."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=80)
    return base64.b64encode(out.getvalue()).decode() if out.tell() <= LARGEST_PICTURE else None


class Student:
    """The shell in which the student's cells run."""

    def __init__(self):
        from IPython.core.interactiveshell import InteractiveShell
        from traitlets.config import Config

        settings = Config()
        settings.HistoryManager.enabled = False   # no file, no thread
        settings.InteractiveShell.colors = "NoColor"
        settings.InteractiveShell.xmode = "Minimal"
        self.shell = InteractiveShell.instance(config=settings)
        # A cell's value goes back as data too: the shell keeps it and prints nothing.
        hook = self.shell.displayhook
        hook.compute_format_data = lambda value: ({}, {})
        hook.write_output_prompt = hook.finish_displayhook = lambda: None
        hook.write_format_data = lambda *formats: None
        # Figures come back by themselves, whatever backend a notebook asks for; shell commands cannot run.
        self.shell.enable_matplotlib = lambda gui=None: (gui, "agg")
        self.shell.system = self.shell.getoutput = lambda *args, **kwargs: print("[no shell commands here]")
        # IPython 9 keeps all that is printed a second time, without a limit.
        self.shell._tee = lambda channel: contextlib.nullcontext()
        # Errors go back as data; the shell's own account of them would count as printed text.
        self.shell.showtraceback = self.shell.showsyntaxerror = lambda *args, **kwargs: None

    def run(self, source, show):
        """Run one cell."""
        from IPython.lib.pretty import pretty

        result = self.shell.run_cell(source, store_history=False)
        answer = {}
        error = result.error_before_exec or result.error_in_exec
        if error is not None:
            files = {frame.filename for frame in traceback.extract_tb(error.__traceback__)}
            cell = next((name for name in files if "ipython-input" in name or name.startswith("/tmp/ipykernel")), None)
            answer["error"] = describe(error, cell)
        if show:
            answer["pictures"] = pictures()
            if result.result is not None:
                if type(result.result).__module__.startswith("matplotlib.") and hasattr(result.result, "savefig"):
                    answer["pictures"] += filter(None, [picture(result.result)])
                else:
                    answer["value"] = pretty(result.result)[:LONGEST_TEXT]
        return answer

    def evaluate(self, expression, data):
        """Value of an expression, as data."""
        space = self.shell.user_ns
        return {"value": encode(eval(expression, {**space, **{name: decode(value) for name, value in data.items()}}))}


def main():
    """Answer requests until the other side hangs up."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    limits = json.loads(sys.argv[1])
    student = Student()
    import numpy  # noqa: F401  (every assignment uses it)
    limit(limits)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    _send(replies, {"ready": True})
    for line in requests:
        request = json.loads(line)
        printed = Printed()
        before = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = printed
        try:
            if "source" in request:
                answer = student.run(request["source"], request["show"])
            else:
                answer = student.evaluate(request["expression"], request["data"])
        except NotData as error:
            answer = {"not data": str(error)}
        except BaseException as error:  # the student's code may raise anything, and the process has to answer
            answer = {"error": describe(error)}
        sys.stdout, sys.stderr = before
        if "source" in request:
            answer["printed"] = printed.text()
        _send(replies, {"id": request["id"], **answer})


def _send(descriptor, message):
    line = memoryview(pack(message))
    while line:
        line = line[os.write(descriptor, line):]


if __name__ == "__main__":
    main()
