"""The built site, served and from disk, in a real browser."""
import functools
import http.server
import threading

import pytest
from browsers import watch


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


@pytest.fixture
def page(browser):
    """A new page that collects what went wrong in ``page.problems``."""
    context = browser.new_context()
    yield watch(context.new_page())
    context.close()
