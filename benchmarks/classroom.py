"""Grade 100 submissions of one assignment: time, memory, interruption; beside nbgrader's own way of running notebooks.

Writes ``results/classroom.md``. Every second student has one answer wrong. Nobody's name but a number is used. Takes
about ten minutes.
"""
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import nbformat

from derivations.classroom.collecting import collect
from derivations.classroom.course import Course
from derivations.classroom.doctor import ensure_path
from derivations.classroom.grading import feedback, grade, marks, release
from derivations.classroom.sources import NAME_CELL, NAME_SOURCE
from derivations.classroom.template import start_course

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).resolve().parent / "results"
NAME, COUNT, PEERS = "adamw-by-hand", 100, 10
STUDENTS = [f"student {number:03}" for number in range(COUNT)]


def new_course(folder):
    """A course with the class's work collected."""
    root = Path(folder) / "klass"
    start_course(root, ROOT / "assignments")
    (root / "students.csv").write_text("id\n" + "".join(f"{student}\n" for student in STUDENTS), "utf8")
    course = Course.open(root)
    release(course, [NAME])
    for number, student in enumerate(STUDENTS):
        notebook = json.loads(nbformat.writes(course.teachers_notebook(NAME)))
        for cell in notebook["cells"]:
            metadata = cell["metadata"].get("nbgrader", {})
            if metadata.get("grade_id") == NAME_CELL:
                cell["source"] = NAME_SOURCE.format(student=student)
            elif metadata.get("solution") and not metadata["grade"] and number % 2:
                cell["source"] = "raise NotImplementedError"
                number = 0    # only the first answer
        path = Path(folder) / "handed-in" / student / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(notebook), "utf8")
    collect(course, NAME, Path(folder) / "handed-in")
    return course


class Memory(threading.Thread):
    """Watches the memory of this process and all below it: proportional set size, in MB."""

    def __init__(self):
        super().__init__(daemon=True)
        self.samples, self.going = [], True

    def run(self):
        while self.going:
            self.samples.append(sum(map(self._size, self._family())))
            time.sleep(0.5)

    def _family(self):
        lines = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout.splitlines()
        parents = {int(pid): int(parent) for pid, parent in map(str.split, lines)}
        family = {os.getpid()}
        while True:
            more = {pid for pid, parent in parents.items() if parent in family} - family
            if not more:
                return family
            family |= more

    def _size(self, pid):
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:    # it has just ended
            return 0.0
        return int(text.split("Pss:")[1].split()[0]) / 1024


def timed(work, *arguments, **options):
    """Wall seconds of a call, and what it returns."""
    start = time.perf_counter()
    result = work(*arguments, **options)
    return time.perf_counter() - start, result


def points(rows):
    return {row.student: (row.state, row.tests, row.written) for row in rows}


def interrupted(folder):
    """Kill a run in the middle, go on; the number graded before, and the marks."""
    course = new_course(folder)
    command = [sys.executable, "-m", "derivations", "classroom", "grade", NAME, "--jobs", "2", "--course", str(course.root)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while sum(row.state == "to mark" for row in marks(course, NAME)) < COUNT // 3:
        time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(2)
    before = sum(row.state == "to mark" for row in marks(course, NAME))
    return before, points(grade(course, NAME, jobs=2))


def stock(folder):
    """nbgrader's own way: the tests run in the student's kernel. CPU seconds for each of some submissions."""
    course = Course.open(Path(folder) / "klass")
    code = (
        "import resource, sys\n"
        "from nbgrader.converters import Autograde\n"
        "from nbgrader.coursedir import CourseDirectory\n"
        "from nbgrader.preprocessors import Execute\n"
        "from derivations.classroom.course import Course\n"
        "from derivations.classroom.nbgrader_steps import MarkInSandbox\n"
        "config = Course.open(sys.argv[1]).config\n"
        "steps = config.Autograde.autograde_preprocessors\n"
        "config.Autograde.autograde_preprocessors = [Execute if step is MarkInSandbox else step for step in steps]\n"
        "folder = CourseDirectory(config=config, assignment_id=sys.argv[2], student_id=sys.argv[3])\n"
        "before = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]\n"
        "Autograde(coursedir=folder, config=config, force=True).start()\n"
        "after = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]\n"
        "print(sum(b.ru_utime + b.ru_stime - a.ru_utime - a.ru_stime for a, b in zip(before, after)))\n")
    found = []
    for student in STUDENTS[:PEERS]:
        done = subprocess.run([sys.executable, "-c", code, str(course.root), NAME, student], capture_output=True, text=True,
                              check=True)
        found.append(float(done.stdout.strip().splitlines()[-1]))
    return found


def main():
    ensure_path()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
        course = new_course(folder)
        memory = Memory()
        memory.start()
        one, rows = timed(grade, course, NAME, jobs=1)
        memory.going = False
        memory.join()
        seconds = [course.read_report(NAME, student)["cpu_seconds"] for student in STUDENTS]
        two, again = timed(grade, course, NAME, jobs=2, force=True)
        pages, failed = timed(feedback, course, NAME, jobs=2)
        before, resumed = interrupted(other)
        same = points(rows) == points(again) == resumed
        theirs = stock(folder)
    early, late = (statistics.median(part) for part in (memory.samples[5:25], memory.samples[-20:]))
    lines = [
        f"{COUNT} submissions of *{NAME}*, every second one with an answer missing; Python {platform.python_version()}, "
        "2 shared cores.", "",
        "| what | measured |", "|:--|--:|",
        f"| processor time of a submission, median (worst) | {statistics.median(seconds):.2f} s ({max(seconds):.2f} s) |",
        f"| the same in nbgrader's own kernel, {PEERS} submissions | {statistics.median(theirs):.2f} s ({max(theirs):.2f} s) |",
        f"| all, `--jobs 1` | {one:.0f} s |",
        f"| all, `--jobs 2` | {two:.0f} s ({one / two:.2f} times as fast) |",
        f"| pages of feedback, `--jobs 2` | {pages:.0f} s, {len(failed)} failed |",
        f"| memory of all processes, early, late, most | {early:.0f}, {late:.0f}, {max(memory.samples):.0f} MB |",
        f"| killed after {before} of {COUNT}, then run again | {'the same marks' if same else 'OTHER MARKS'} |",
        f"| points of tests, all right, one wrong | {rows[0].tests:g}, {rows[1].tests:g} |", "",
    ]
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "classroom.md").write_text("\n".join(lines), "utf8")
    print("\n".join(lines))
    if not same or failed:
        sys.exit("marks differ, or pages failed")


if __name__ == "__main__":
    main()
