"""Debian packages that tests need and pip cannot install: bubblewrap, chromium."""
import os
import shutil
import subprocess
import sys

__all__ = ["install"]


def install(package):
    """Install a package when we may.

    Parameters
    ----------
    package : str

    Returns
    -------
    bool
        Whether it was installed; the reason why not is printed.
    """
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return False
    print(f"installing Debian's package {package}", file=sys.stderr)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", package]):
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            print(f"{' '.join(command)} failed: {done.stderr[-500:]}", file=sys.stderr)
            return False
    return True
