"""A student's code in a process of its own, which can compute, and nothing else.

bubblewrap gives it a system of its own: no network, no other processes, nothing to read but Python and the libraries,
nothing to write but three small folders in memory. :mod:`seccomp` refuses new processes, threads and sockets;
:mod:`inside` limits memory, processor time and files before the first student's cell. The only way out is one line of
JSON a request, read with a limit of time and of size, and never believed.
"""
import base64
import binascii
import contextlib
import json
import math
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import seccomp
from .transport import LARGEST_PICTURE, LARGEST_REPLY, NotData, decode, encode, pack, unpack

__all__ = ["Limits", "NoSandbox", "Sandbox", "StudentDied", "StudentError", "can_sandbox", "plain", "readable_folders"]

PACKAGE = Path(__file__).resolve().parents[1]
LIGHT = ["__init__.py", "notebook.py", "variants.py", "transport.py", "inside.py"]    # of this room
MB = 1 << 20
PATIENCE = 5    # time that may pass, in multiples of the processor time allowed: a machine may be busy
GLANCE = 0.2    # seconds between two looks at the processor time and the files
WRITABLE = ("/dev/shm", "/tmp", "/box")
MOST_FILES = 10_000
MOST_PICTURES = 8    # of a cell: figures that are open, and a value that is one


class NoSandbox(RuntimeError):
    """Student code cannot be locked in on this machine; the text says what is missing."""


class StudentDied(Exception):
    """The student's process did not answer: it ended, took too long, or said something malformed."""


class StudentError(Exception):
    """The student's code raised an exception, or gave something that is no data."""


@dataclass(frozen=True)
class Limits:
    """What one student's process may use.

    Attributes
    ----------
    cell_seconds : float
        Processor time for one cell, or one call of a check.
    seconds : float
        Processor time for one run of the whole notebook.
    memory, disk : int
        Megabytes: of address space, and of each folder that can be written.
    """

    cell_seconds: float = 10.0
    seconds: float = 60.0
    memory: int = 2048
    disk: int = 64

    def __post_init__(self):
        for name, least in {"cell_seconds": 0.1, "seconds": 1, "memory": 512, "disk": 1}.items():
            value = getattr(self, name)
            if not isinstance(value, (int, float)) or not least <= value <= 1e6:
                raise ValueError(f"{name} must be a number from {least} to 1e6, got {name}={value!r}")

    def of_process(self):
        """The limits in the kernel's names and units."""
        return {"AS": int(self.memory * MB), "CPU": math.ceil(self.seconds) + 1, "FSIZE": int(self.disk * MB), "NOFILE": 128,
                "CORE": 0}


@dataclass
class Sandbox:
    """A student's process.

    Parameters
    ----------
    rooms : sequence of str
        Rooms of this package that the student's code may import.
    limits : Limits
    locked : bool
        Without the lock (``locked=False``) the process can do all that you can do: for code that you trust.

    Notes
    -----
    Use it as a context manager; the process starts with the first request and is started anew after it died, with the
    cells that ran before.
    """

    rooms: tuple = ()
    limits: Limits = field(default_factory=Limits)
    locked: bool = True

    def __post_init__(self):
        self._process, self._pid, self._folder, self._last_words = None, None, None, ""
        self._number, self._history = 0, []
        self._ends = time.monotonic() + PATIENCE * self.limits.seconds

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self._process is not None:
            self._process.stdin.close()    # an honest process ends now, and its processor time is counted
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.5)
        self.kill()

    def run(self, source, show=False):
        """Run a cell.

        Parameters
        ----------
        source : str
        show : bool
            Whether values and figures come back too.

        Returns
        -------
        dict
            ``printed`` (str), ``value`` (str or None), ``pictures`` (list of PNG bytes) and ``error`` (str or None).

        Raises
        ------
        StudentDied
        """
        self._start()
        answer = self._ask({"source": source, "show": show})
        self._history.append(source)
        return _cell_answer(answer)

    def value(self, expression, **data):
        """Value of an expression, as data.

        Raises
        ------
        StudentDied, StudentError
        """
        self._start()
        answer = self._ask({"expression": expression, "data": {name: encode(value) for name, value in data.items()}})
        if "value" in answer:
            try:
                return decode(answer["value"])
            except NotData as error:
                raise StudentError(f"{expression} is no data: {error}") from None
        if "not data" in answer:
            raise StudentError(f"{expression} is {plain(answer['not data'])}")
        raise StudentError(_error_text(answer.get("error")) or "malformed answer")

    def kill(self):
        """End the process, and all that belongs to it."""
        if self._process is not None:
            # Its process group; bubblewrap's child dies with it even if it has left the group.
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except ProcessLookupError:
                self._process.kill()    # it is gone already: this only marks it as such
            self._process.wait()
            # What it said before a student's code ran. Nobody need have closed the other end.
            os.set_blocking(self._process.stderr.fileno(), False)
            self._last_words = (self._process.stderr.read(4000) or b"").decode("utf8", "replace").strip()
            for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
                stream.close()
            self._process = self._pid = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _start(self):
        if self._process is not None:
            return
        if time.monotonic() > self._ends:
            raise StudentDied(self._used_up())
        arguments = [sys.executable, "-m", "derivations.classroom.inside", json.dumps(self.limits.of_process())]
        environment = {"LANG": "C.UTF-8", "MPLBACKEND": "agg", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
                       "PYTHONDONTWRITEBYTECODE": "1", "PYTHONNOUSERSITE": "1", "USER": "student"}
        filter_pipe, pid_pipe = os.pipe(), os.pipe()
        if self.locked:
            os.write(filter_pipe[1], seccomp.program())    # far less than a pipe holds
            arguments = [*_bubblewrap(self.rooms, self.limits), "--seccomp", str(filter_pipe[0]),
                         "--info-fd", str(pid_pipe[1]), "--", *arguments]
            environment |= {"PYTHONPATH": "/course", "HOME": "/tmp", "PATH": "/usr/bin"}
            folder = "/"
        else:
            self._folder = tempfile.TemporaryDirectory(prefix="derivations-")
            folder = self._folder.name
            environment |= {"PYTHONPATH": str(PACKAGE.parent), "HOME": folder, "PATH": os.environ.get("PATH", "/usr/bin")}
        try:
            os.close(filter_pipe[1])
            self._process = subprocess.Popen(
                arguments, env=environment, cwd=folder, start_new_session=True, bufsize=0,
                pass_fds=(filter_pipe[0], pid_pipe[1]) if self.locked else (),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        finally:
            os.close(filter_pipe[0])
            os.close(pid_pipe[1])
        os.set_blocking(self._process.stdin.fileno(), False)
        try:
            ready = self._read(math.inf, time.monotonic() + 60)    # not the student's time: a machine may be slow
            self._pid = json.loads(os.read(pid_pipe[0], 4000))["child-pid"] if self.locked else self._process.pid
        except (StudentDied, ValueError, KeyError):
            raise NoSandbox(f"the student's process did not start: {self._last_words}") from None
        finally:
            os.close(pid_pipe[0])
        if not (isinstance(ready, dict) and ready.get("ready") is True):
            raise NoSandbox(f"the student's process did not start: {ready!r}")
        for source in self._history:
            self._ask({"source": source, "show": False})

    def _ask(self, request):
        self._number += 1
        ends = min(time.monotonic() + PATIENCE * self.limits.cell_seconds, self._ends)
        most = self._processor_time() + self.limits.cell_seconds
        self._write(pack({"id": self._number, **request}), most, ends)
        answer = self._read(most, ends)
        if not (isinstance(answer, dict) and answer.get("id") == self._number):
            self.kill()
            raise StudentDied("the process gave a malformed answer")
        return answer

    def _processor_time(self):
        """Seconds that the student's process has computed. Not the time that passed: marks must not depend on how busy
        the machine is."""
        try:
            fields = Path(f"/proc/{self._pid}/stat").read_bytes().rpartition(b")")[2].split()
        except OSError:    # it has just ended, or this is no Linux: then only the time that passes counts
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _wait(self, stream, event, most, ends):
        with selectors.DefaultSelector() as selector:
            selector.register(stream, event)
            ready = False
            while not ready:
                ready = selector.select(GLANCE)
                # Looked at even when something came: one byte now and then must not buy time.
                if time.monotonic() > ends or (not ready and self._processor_time() > most):
                    self.kill()
                    raise StudentDied(self._used_up() if time.monotonic() > self._ends else
                                      f"no end within {self.limits.cell_seconds:g} s")
                if self._files() > MOST_FILES:
                    self.kill()
                    raise StudentDied(f"more than {MOST_FILES} files")

    def _used_up(self):
        return f"the time for the whole notebook, {self.limits.seconds:g} s, is used up"

    def _files(self):
        """How many files the student's process keeps: each takes memory of the kernel, which no limit counts."""
        if not self.locked or self._pid is None:
            return 0
        try:
            places = [os.statvfs(f"/proc/{self._pid}/root{place}") for place in WRITABLE]
        except OSError:    # it has just ended
            return 0
        return sum(place.f_files - place.f_ffree for place in places)

    def _write(self, line, most, ends):
        line = memoryview(line)
        while line:
            self._wait(self._process.stdin, selectors.EVENT_WRITE, most, ends)
            try:
                line = line[os.write(self._process.stdin.fileno(), line):]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                self._ended()

    def _read(self, most, ends):
        stream = self._process.stdout
        pieces, length = [], 0
        while True:
            self._wait(stream, selectors.EVENT_READ, most, ends)
            piece = os.read(stream.fileno(), 1 << 16)
            if not piece:
                self._ended()
            pieces.append(piece)
            length += len(piece)
            if length > LARGEST_REPLY:
                self.kill()
                raise StudentDied(f"a result of more than {LARGEST_REPLY // MB} MB")
            if piece.endswith(b"\n"):
                break
        try:
            return unpack(b"".join(pieces))
        except NotData:
            self.kill()
            raise StudentDied("the process gave a malformed answer") from None

    def _ended(self):
        self.kill()
        raise StudentDied("the process ended (out of memory, or your code ended it)")


def can_sandbox():
    """Try the lock.

    Raises
    ------
    NoSandbox
        If student code cannot be locked in here; the text says what to install or to set.
    """
    if not sys.platform.startswith("linux"):
        raise NoSandbox("students' code can be locked in on Linux only: use a Linux machine, WSL 2 or a virtual machine")
    if shutil.which("bwrap") is None:
        raise NoSandbox("bubblewrap is missing: install it (on Debian and Ubuntu: apt install bubblewrap)")
    try:
        seccomp.program()
    except seccomp.UnknownMachine as error:
        raise NoSandbox(str(error)) from None
    with Sandbox() as sandbox:
        try:
            if sandbox.value("6 * 7") == 42:
                return
        except (StudentDied, StudentError) as error:
            raise NoSandbox(f"a first computation failed: {error}") from None
    raise NoSandbox("6 * 7 is not 42 in the sandbox")


def readable_folders():
    """Folders of this machine that the student's code can read."""
    found = [Path("/usr"), Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()]
    return [path for path in found if not any(path.is_relative_to(other) for other in found if other != path)]


def _bubblewrap(rooms, limits):
    """Command line of bubblewrap, without the program to run."""
    words = ["bwrap", "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts",
             "--unshare-cgroup-try", "--as-pid-1", "--die-with-parent", "--uid", "65534", "--gid", "65534",
             "--hostname", "sandbox", "--cap-drop", "ALL"]
    # First what can be written: the environment may lie below /tmp, and is mounted over it.
    words += ["--dev", "/dev"]
    for path in WRITABLE:
        words += ["--size", str(limits.disk * MB), "--tmpfs", path]
    for name in ("bin", "lib", "lib32", "lib64", "sbin"):
        path = Path("/", name)
        if path.is_symlink():
            words += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            words += ["--ro-bind", str(path), str(path)]
    for path in ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives"):
        words += ["--ro-bind-try", path, path]
    for path in readable_folders():
        words += ["--ro-bind", str(path), str(path)]
    # An environment's own path may be a link: Python is started under the name by which we know it.
    if Path(sys.prefix).resolve() != Path(sys.prefix):
        words += ["--ro-bind", sys.prefix, sys.prefix]
    installed = PACKAGE.parent
    if any(PACKAGE.is_relative_to(path) for path in readable_folders()):
        words += ["--tmpfs", str(PACKAGE), "--remount-ro", str(PACKAGE)]    # installed, not linked: hide its answers
    words += ["--ro-bind", str(installed / "derivations/__init__.py"), "/course/derivations/__init__.py"]
    for name in LIGHT:
        words += ["--ro-bind", str(PACKAGE / "classroom" / name), f"/course/derivations/classroom/{name}"]
    for room in rooms:
        words += ["--ro-bind", str(PACKAGE / room), f"/course/derivations/{room}"]
    # No /proc: nothing in it is needed. /dev and the root would be writable without a limit: so they are closed.
    return [*words, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/box"]


def _cell_answer(answer):
    """A cell's answer with every part of the expected type, whatever was sent."""
    pictures, sent = [], answer.get("pictures")
    for text in sent if isinstance(sent, list) else ():
        try:
            png = base64.b64decode(text, validate=True)
        except (TypeError, ValueError, binascii.Error):
            continue
        if png.startswith(b"\x89PNG\r\n\x1a\n") and len(png) <= LARGEST_PICTURE and len(pictures) < MOST_PICTURES:
            pictures.append(png)
    value = answer.get("value")
    return {"printed": plain(answer.get("printed", "")), "value": None if value is None else plain(value),
            "pictures": pictures, "error": _error_text(answer.get("error"))}


def _error_text(error):
    if error is None:
        return None
    if not isinstance(error, dict):
        return "malformed error"
    line = error.get("line")
    where = f" (line {line})" if isinstance(line, int) and 0 < line < 10**6 else ""
    return f"{plain(error.get('name'))[:80]}: {plain(error.get('text'))[:500]}{where}"


def plain(text):
    """Text without control characters, at most as long as a page; nothing if it is no text."""
    text = text[:21_000] if isinstance(text, str) else ""
    return "".join(letter for letter in text if letter.isprintable() or letter in "\n\t")
