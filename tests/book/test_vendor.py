"""Vendored files are the ones that the table beside them names, unchanged."""
import hashlib
import json
from pathlib import Path

from derivations.book.pages import STATIC

CHECKSUMS = json.loads((Path(__file__).parent / "vendor.json").read_text("utf8"))


def test_checksums():
    vendor = STATIC / "vendor"
    found = {path.relative_to(vendor).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
             for path in vendor.rglob("*") if path.is_file() and path.name != "README.md"}
    assert found == CHECKSUMS
