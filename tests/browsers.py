"""Find a Chromium for the browser tests, or get one; watch its pages.

In this order: an installed Chrome or Chromium (or the one that ``CHROMIUM`` names); the build that Playwright
downloads; Debian's package when we are root. ``python tests/browsers.py`` prints the path.
"""
import os
import shutil
import subprocess
import sys
from pathlib import Path

from debian import install
from playwright.sync_api import sync_playwright

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")

# Quiet flags: the tests count requests, so the browser must not make any of its own.
ARGS = ["--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync"]
if hasattr(os, "geteuid") and os.geteuid() == 0:
    ARGS.append("--no-sandbox")  # Chromium's own sandbox refuses to run as root


class NoBrowser(RuntimeError):
    """No Chromium is installed and none could be had."""


def installed():
    """Path of an installed Chrome or Chromium, or None."""
    named = os.environ.get("CHROMIUM")
    if named:
        if not Path(named).is_file():
            raise NoBrowser(f"CHROMIUM={named!r} is not a file")
        return named
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    return found or (str(MAC) if MAC.is_file() else None)


def _playwrights():
    """Path of Playwright's own Chromium, downloaded when missing; None when it cannot be had."""
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    if not Path(path).is_file():
        print("no Chrome or Chromium is installed: trying Playwright's download", file=sys.stderr)
        command = [sys.executable, "-m", "playwright", "install", "chromium"]
        try:
            subprocess.run(command, timeout=600, check=True, capture_output=True)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            print(f"Playwright's download failed: {error}", file=sys.stderr)
    return path if Path(path).is_file() else None


def _debians():
    """Path of Debian's Chromium, installed when we are root; None when it cannot be had."""
    return installed() if install("chromium") else None


def chromium():
    """Path of a Chromium.

    Returns
    -------
    str

    Raises
    ------
    NoBrowser
        When there is none; the message says what to install.
    """
    path = installed() or _playwrights() or _debians()
    if path is None:
        raise NoBrowser("the browser tests need Chrome or Chromium: install one (on Debian and Ubuntu: "
                        "apt install chromium), or set CHROMIUM to its path")
    return path


def watch(page):
    """Collect what the console says (but for ``debug``), uncaught exceptions, failed requests and the addresses."""
    page.problems, page.addresses = [], []

    def note(message):
        # A context that forbids service workers says so itself, in each page's console.
        if message.type != "debug" and message.text != "Service Worker registration blocked by Playwright":
            page.problems.append(f"{message.text} ({message.location['url']})")

    def note_failure(request):
        # Chromium drops what a page still asks for (its icon, say) when the page gives way to the next: no failure.
        if request.failure != "net::ERR_ABORTED":
            page.problems.append(f"request failed: {request.url} ({request.failure})")

    page.on("console", note)
    page.on("pageerror", lambda error: page.problems.append(f"uncaught: {error}"))
    page.on("requestfailed", note_failure)
    page.on("request", lambda request: page.addresses.append(request.url))
    return page


if __name__ == "__main__":
    try:
        print(chromium())
    except NoBrowser as missing:
        sys.exit(str(missing))
