"""The lock that student code is put behind, and courses with a small assignment."""
import shutil
import sys
from pathlib import Path

import pytest
from debian import install

from derivations.classroom.doctor import ensure_path
from derivations.classroom.sandbox import can_sandbox

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def locked():
    """Makes sure that student code can be locked in: bubblewrap is installed when we may, else this fails. Grading is
    for Linux; elsewhere these tests are skipped, and say so."""
    if not sys.platform.startswith("linux"):
        pytest.skip("students' code can be locked in on Linux only")
    if shutil.which("bwrap") is None:
        install("bubblewrap")
    can_sandbox()
    ensure_path()


@pytest.fixture
def make_course(tmp_path, locked):
    """Function that makes a course with some students and settings, with the small assignment released."""
    from demo_class import start

    return lambda students, **more: start(tmp_path / "klass", students, **more)
