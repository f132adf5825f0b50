"""Fixtures for all tests."""
import sys
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parent))
from browsers import ARGS, chromium  # the folder of tests is no package

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root():
    """Folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def site():
    """Folder of the built site (``make test`` builds it before it calls pytest)."""
    folder = ROOT / "_build" / "html"
    if not (folder / "index.html").is_file():
        pytest.fail(f"no site in {folder}: run `make book` first", pytrace=False)
    return folder


@pytest.fixture(scope="session")
def browser():
    """A running Chromium, one for all tests: Playwright allows no second one in the same process."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=ARGS)
        yield running
        running.close()
