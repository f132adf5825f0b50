"""nbgrader's exchange, as a JupyterHub uses it: two accounts of this machine, and the teacher's.

The teacher releases, each student fetches and submits under an account of its own, the teacher collects; then our
``collect`` and ``grade`` take over. Two accounts need a superuser, who lends his rights to none of them.
"""
import json
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbgrader
import pytest
from demo_class import FULL, RIGHT, notebook, start

from derivations.classroom.collecting import tidy
from derivations.classroom.grading import feedback, grade

STUDENTS = ["games", "daemon"]    # accounts that Debian and its relatives bring along
SYSTEM_PYTHON = f"/usr/bin/python{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture
def accounts():
    """Numbers of the students' accounts; skips, and says why, where they cannot be used."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("two students need two accounts, so this test runs as superuser only")
    try:
        found = {name: pwd.getpwnam(name) for name in STUDENTS}
    except KeyError as missing:
        pytest.skip(f"this machine lacks an account: {missing}")
    return found


def as_account(account, python, packages, exchange, folder, *words):
    """Run one of nbgrader's commands under another account."""
    environment = {"USER": account.pw_name, "LOGNAME": account.pw_name, "HOME": str(folder), "LANG": "C.UTF-8",
                   "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "PYTHONPATH": packages}
    done = subprocess.run(
        [python, "-m", "nbgrader", *words, "--course=klass", f"--Exchange.root={exchange}"], cwd=folder, env=environment,
        capture_output=True, text=True, user=account.pw_uid, group=account.pw_gid, extra_groups=[])
    assert done.returncode == 0, done.stderr
    return done


def readable_python(account):
    """A Python that the account may start, with our packages on its path; skips where there is none."""
    packages = str(Path(nbgrader.__file__).parents[1])
    for python in (sys.executable, SYSTEM_PYTHON):
        if shutil.which(python) is None:
            continue
        try:
            done = subprocess.run([python, "-c", "import nbgrader, zmq"], env={"PYTHONPATH": packages}, cwd="/",
                                  user=account.pw_uid, group=account.pw_gid, extra_groups=[], capture_output=True)
        except PermissionError:
            continue
        if done.returncode == 0:
            return python, packages
    pytest.skip(f"the account {account.pw_name} cannot read this environment")


@pytest.fixture
def base():
    """A folder that other accounts may enter. Not pytest's own: that is closed to them whenever a test run starts."""
    with tempfile.TemporaryDirectory(prefix="exchange-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_two_students_and_a_teacher(accounts, locked, base):
    exchange = base / "exchange"
    exchange.mkdir()
    exchange.chmod(0o777)
    course = start(base / "klass", STUDENTS, f"c.Exchange.root = {str(exchange)!r}")

    def teacher(*words):
        done = subprocess.run([sys.executable, "-m", "nbgrader", *words], cwd=course.root, capture_output=True, text=True,
                              env={**os.environ, "USER": "root", "LOGNAME": "root"})
        assert done.returncode == 0, done.stderr
        return done

    teacher("release_assignment", "demo")
    python, packages = readable_python(accounts["games"])
    answers = {"games": {}, "daemon": {"rms": "def rms(x):\n    return 0.0"}}
    for name, account in accounts.items():
        home = base / name
        home.mkdir()
        os.chown(home, account.pw_uid, account.pw_gid)
        home.chmod(0o700)
        as_account(account, python, packages, exchange, home, "fetch_assignment", "demo")
        fetched = home / "demo/demo.ipynb"
        text = fetched.read_text("utf8")
        assert "secret_input" not in text and RIGHT["rms"] not in text
        fetched.write_text(json.dumps(notebook(course.release_notebook("demo"), name, answers[name])), "utf8")
        as_account(account, python, packages, exchange, home, "submit", "demo")
    teacher("collect", "demo")
    found = tidy(course, "demo")
    assert sorted((one.student, one.problem) for one in found) == [("daemon", ""), ("games", "")]
    assert tidy(course, "demo") == [], "what is rebuilt is left alone"
    rows = {row.student: row for row in grade(course, "demo", jobs=2)}
    assert {name: rows[name].tests for name in STUDENTS} == {"games": FULL, "daemon": 2}
    assert (course.notebook("submitted", "demo", "games").with_name("timestamp.txt")).is_file()

    # And back: the teacher releases the pages, each student fetches the own one.
    assert feedback(course, "demo", jobs=2) == []
    teacher("release_feedback", "demo")
    for name, account in accounts.items():
        as_account(account, python, packages, exchange, base / name, "fetch_feedback", "demo")
        pages = list((base / name).rglob("demo.html"))
        assert len(pages) == 1
        text = re.sub(r"<style.*?</style>|<[^>]*>", "", pages[0].read_text("utf8"), flags=re.S)
        assert [other for other in STUDENTS if other in text] == [name]
