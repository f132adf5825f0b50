"""Open this assignment:  python start.py

The first time it makes a folder .venv beside this file and installs what the notebook needs into it (about 650 MB,
from the Python Package Index or wherever your pip is told to look). Nothing else on this computer is changed; delete
the folder and all is gone. Later it only opens the notebook in JupyterLab, without a network.

    python start.py --prepare    only install
"""
import os
import subprocess
import sys

NOTEBOOK = "assignment.ipynb"
HERE = os.path.dirname(os.path.abspath(__file__))
PLACE = os.path.join(HERE, ".venv")
PYTHON = os.path.join(PLACE, "Scripts", "python.exe") if os.name == "nt" else os.path.join(PLACE, "bin", "python")
NEEDS = os.path.join(HERE, "requirements.txt")
DONE = os.path.join(PLACE, "installed.txt")


def environment():
    """Variables for the new Python: those that would mix another Python's packages in are left out."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}


def run(*words):
    """Whether a command succeeded."""
    try:
        return subprocess.call(words, cwd=HERE, env=environment()) == 0
    except OSError:
        return False


def read(path):
    """A file's text, empty if there is no file."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def prepare():
    """Make the environment, if it is missing, unfinished, moved or for another version of this assignment."""
    # The place belongs to it: an environment that was moved does not work.
    wanted = "{}\n{}".format(PLACE, read(NEEDS))
    if read(DONE) == wanted and run(PYTHON, "-c", "import jupyterlab"):
        return
    print("Installing into {}. The first time this takes some minutes.".format(PLACE))
    sys.stdout.flush()
    if not run(sys.executable, "-m", "venv", "--clear", PLACE):
        sys.exit("Python could not make the folder .venv here. On Debian and Ubuntu, first install python3-venv "
                 "(sudo apt install python3-venv). Otherwise see whether the disk is full or the folder is "
                 "write-protected.")
    if not run(PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-user", "-r", NEEDS):
        sys.exit("The installation failed; pip says why above. Are you online? Then run this again: what has been "
                 "downloaded is kept. If pip found no version for your Python, {}, take one that README.txt names. "
                 "If a file name was too long (Windows), move this folder to a shorter place, such as C:\\work."
                 .format(sys.version.split()[0]))
    with open(DONE, "w", encoding="utf-8") as file:
        file.write(wanted)


def main(words):
    if sys.version_info < (3, 11):
        sys.exit("Python 3.11 or newer is needed; this is {}. Get one from https://www.python.org/downloads/ and start "
                 "this file with it.".format(sys.version.split()[0]))
    if words not in ([], ["--prepare"]):
        sys.exit(__doc__)
    prepare()
    if words:
        print("Ready: python start.py")
        return 0
    if not os.path.isfile(os.path.join(HERE, NOTEBOOK)):
        sys.exit("{} is not in this folder: did you rename or move it?".format(NOTEBOOK))
    print("JupyterLab opens in your browser. To end it: Ctrl+C here, or File > Shut Down there.")
    sys.stdout.flush()
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    try:
        return subprocess.call([PYTHON, "-m", "jupyterlab", NOTEBOOK] + root, cwd=HERE, env=environment())
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
