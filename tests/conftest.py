"""Fixtures for all tests."""
from pathlib import Path

import pytest

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
