"""The built site, served and from disk, in a real browser."""
import functools
import http.server
import sys
import threading
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parent))
from chromium import ARGS, chromium  # noqa: E402  (the folder of tests is no package)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Keep the test report free of access lines."""


@pytest.fixture(scope="session")
def served(site):
    """Address of the site on a local server."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser():
    """A running Chromium."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=ARGS)
        yield running
        running.close()


@pytest.fixture
def page(browser):
    """A new page that collects what went wrong in ``page.problems``."""
    context = browser.new_context()
    yield watch(context.new_page())
    context.close()


def watch(page):
    """Collect console errors, uncaught exceptions, failed requests and the addresses asked for."""
    page.problems, page.addresses = [], []

    def note(message):
        if message.type == "error":
            page.problems.append(f"{message.text} ({message.location['url']})")

    page.on("console", note)
    page.on("pageerror", lambda error: page.problems.append(f"uncaught: {error}"))
    page.on("requestfailed", lambda request: page.problems.append(f"request failed: {request.url}"))
    page.on("request", lambda request: page.addresses.append(request.url))
    return page
