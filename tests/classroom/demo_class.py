"""Submissions of the small assignment ``demo``, honest and hostile, each with what it deserves.

``SUBMISSIONS`` maps a student's name to a ``Submission``; the name says what is special. The notebook that all start
from is right in every answer and worth 5 points of tests; the written answer waits for a marker.
"""
import base64
import copy
import json
import os
import pickle
from dataclasses import dataclass
from pathlib import Path

import nbformat

from derivations.classroom.course import Course
from derivations.classroom.grading import release
from derivations.classroom.sources import TEXT_STUB
from derivations.classroom.template import start_course

SOURCES = Path(__file__).parent / "sources"
RIGHT = {
    "scale": "def scale(x):\n    return factor * np.asarray(x)",
    "rms": "def rms(x):\n    return float(np.sqrt(np.mean(np.square(x))))",
    "why": "Since the squares are averaged, $a<b$.",
}
FULL = 5.0


@dataclass
class Submission:
    """Files of one student, and the result that they deserve.

    Attributes
    ----------
    files : callable
        ``files(release, student)`` gives a dictionary from file name to text, bytes, or a function of a path that
        makes the file.
    points : float or None
        Of the tests.
    state : str
    note : str
        What the notes must contain.
    """

    files: object
    points: float | None
    state: str = "to mark"
    note: str = ""


def notebook(release, student, answers=None, **more):
    """The released notebook, filled in, as a dictionary."""
    filled = json.loads(nbformat.writes(release))
    for cell in filled["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if name == "who":
            cell["source"] = f'STUDENT = "{more.get("signed", student)}"\nCODE = ""'
        elif name in RIGHT:
            cell["source"] = {**RIGHT, **(answers or {})}[name]
    return filled


def cell(filled, name):
    """One cell by its name."""
    return next(c for c in filled["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == name)


def answers(points, state="to mark", note="", **sources):
    """A submission with some answers of its own."""
    return Submission(lambda release, student: {"demo.ipynb": json.dumps(notebook(release, student, sources))},
                      points, state, note)


def edited(edit, points=FULL, state="to mark", note="", name="demo.ipynb"):
    """A submission whose right notebook was edited as JSON."""
    def files(release, student):
        filled = notebook(release, student)
        changed = edit(filled)
        return {name: json.dumps(filled if changed is None else changed)}
    return Submission(files, points, state, note)


def raw(content, points=None, state="unreadable", note="", name="demo.ipynb"):
    """A submission that is some bytes, text, or made by a function of its path."""
    return Submission(lambda release, student: {name: content}, points, state, note)


def first(code, points=FULL, note="", **sources):
    """A submission that runs some code before its first answer."""
    return answers(points, note=note, **{"scale": f"{code}\n{RIGHT['scale']}", **sources})


def _drop(*names):
    def edit(filled):
        filled["cells"] = [c for c in filled["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") not in names]
    return edit


def _duplicate(filled):
    second = copy.deepcopy(cell(filled, "rms"))
    second["id"] = "copy"
    filled["cells"].insert(filled["cells"].index(cell(filled, "rms")) + 1, second)
    cell(filled, "rms")["source"] = "def rms(x):\n    return 0.0"


def _reverse(filled):
    filled["cells"].reverse()


def _points(filled):
    for one in filled["cells"]:
        if "points" in one["metadata"].get("nbgrader", {}):
            one["metadata"]["nbgrader"]["points"] = 1000


def _tests(filled):
    for name in ("scale-once", "rms-plain"):
        cell(filled, name)["source"] = "assert True"
    cell(filled, "scale")["source"] = "def scale(x):\n    return 0"


def _forged(filled):
    """Results of tests written into the file, and tests turned into answers."""
    cell(filled, "rms")["source"] = "def rms(x):\n    return 0.0"
    test = cell(filled, "rms-plain")
    test["outputs"] = [{"output_type": "execute_result", "data": {"text/plain": "3.0"}, "metadata": {}, "execution_count": 1}]
    test["metadata"]["nbgrader"].update(solution=True, grade=False, locked=False, points=0)
    test["source"] = "3.0"


def _claims(filled):
    """An own cell that claims to be a test, and one to draw the student's numbers."""
    filled["cells"].insert(0, {"cell_type": "code", "id": "x", "outputs": [], "execution_count": None, "source": "1000.0",
                               "metadata": {"nbgrader": {"grade": True, "solution": False, "locked": False, "task": False,
                                                         "grade_id": "mine", "points": 1000, "schema_version": 3}}})
    filled["cells"].insert(0, {"cell_type": "code", "id": "y", "outputs": [], "execution_count": None,
                               "source": "raise SystemExit", "metadata": {"numbers": True}})


def _script(filled):
    cell(filled, "why")["source"] = ("<script>window.caught = 1</script><img src=x onerror='window.caught = 1'>"
                                     "[click](javascript:window.caught=1) <iframe src='https://example.org'></iframe>"
                                     "<javascript:window.caught=1> $\\href{javascript:window.caught=1}{x}$ "
                                     "$\\mmlToken{mi}[href=\"javascript:window.caught=1\"]{x} "
                                     "\\bbox[background:url(https://example.org/a.png)]{x}$ "
                                     "![seen](https://example.org/b.png) ![seen][c]\n\n[c]: https://example.org/c.png")
    png = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(99)).decode()
    cell(filled, "why")["attachments"] = {"\"><script>window.caught = 1</script>": {
        "image/png": png + "\"><script>window.caught = 1</script>"}}


def _format3(filled):
    cells = []
    for one in filled["cells"]:
        old = {"cell_type": one["cell_type"], "metadata": one["metadata"]}
        old["input" if one["cell_type"] == "code" else "source"] = one["source"]
        cells.append(old)
    return {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]}


def _photograph(filled):
    png = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(100)).decode()
    why = cell(filled, "why")
    why["source"] = "![page](attachment:page%201.png) ![lost](attachment:page.heic) ![evil](attachment:evil.svg)"
    why["attachments"] = {"page 1.png": {"image/png": png}, "evil.svg": {"image/svg+xml": "PHN2Zz4="}}


def _own_cells(filled):
    at = filled["cells"].index(cell(filled, "scale"))
    filled["cells"].insert(at, {"cell_type": "code", "id": "h", "metadata": {}, "outputs": [], "execution_count": None,
                                "source": "def helper(x):\n    return factor * np.asarray(x)"})
    cell(filled, "scale")["source"] = "scale = helper"


def _bare(filled):
    """As from an editor that keeps no metadata."""
    for one in filled["cells"]:
        one["metadata"] = {}


def _colab(filled):
    """As Colab saves it: other places for ids, pictures inside of texts."""
    for one in filled["cells"]:
        one["metadata"] = {"id": one.pop("id")}
    next(one for one in filled["cells"] if one["metadata"]["id"] == "why")["source"] = (
        "![page](data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(200_000)).decode() + ")")
    filled["nbformat_minor"] = 0


def _own_import(filled):
    """An import added to the given ones; the written answer in a cell of its own, with a photograph."""
    cell(filled, "given-1")["source"] += "\nfrom math import sqrt"
    cell(filled, "rms")["source"] = "def rms(x):\n    return sqrt(np.mean(np.square(x)))"
    png = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(100)).decode()
    why = cell(filled, "why")
    why["source"] = TEXT_STUB
    filled["cells"].insert(filled["cells"].index(why) + 1, {
        "cell_type": "markdown", "id": "beside", "metadata": {}, "source": "Because. ![p](attachment:p.png)",
        "attachments": {"p.png": {"image/png": png}}})


def _talkative(filled):
    for number in range(700):
        filled["cells"].append({"cell_type": "code", "id": f"n{number}", "metadata": {}, "outputs": [],
                                "execution_count": None, "source": "print('x' * 30_000)"})


def _deep_source(filled):
    deep = []
    for _ in range(700):
        deep = [deep]
    filled["nbformat_minor"] = deep
    cell(filled, "why")["source"] = deep
    filled["cells"].insert(0, {"cell_type": "code", "metadata": {}, "source": {"a": deep}})


def _unsigned(filled):
    cell(filled, "who")["source"] = 'STUDENT = ""\nCODE = ""'


def _link(path):
    os.symlink("/etc/hostname", path)


def _folder_link(path):
    os.symlink(Path(path).parents[1], path)


def _pipe(path):
    os.mkfifo(path)


def _huge(path):
    with open(path, "wb") as file:
        file.truncate(3 << 30)    # three gigabytes that take no room


def _pickle():
    class Bomb:
        def __reduce__(self):
            return os.system, ("touch /tmp/pickle-was-loaded",)
    return pickle.dumps(Bomb())


LEAVES = """\
import ctypes, os
for act in (lambda: ctypes.CDLL(None).prctl(1, 0, 0, 0, 0), os.setsid, lambda: os.setpgid(0, 0)):
    try:
        print(act())
    except OSError as e:
        print("no", e.errno)
"""
MANY_FILES = """\
import os
for i in range(10**7):
    try:
        os.mknod(f"/tmp/{i}")
    except OSError:
        pass
"""
RUBBISH = """\
import json, os, sys, time
frame = sys._getframe()
while "replies" not in frame.f_locals:
    frame = frame.f_back
deep = []
for _ in range(700):
    deep = [deep]
answer = {"id": frame.f_locals["request"]["id"], "printed": deep, "value": [deep], "pictures": 5,
          "error": {"name": deep, "text": {"a": deep}, "line": 10**4000}}
os.write(frame.f_locals["replies"], json.dumps(answer).encode() + b"\\n")
time.sleep(1e6)
"""
SWALLOWS = "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass"
ZERO_SCALE = "def scale(x):\n    return 0"
SPY = """\
import os, sys
found = []
for folder, folders, files in os.walk("/"):
    if folder in ("/usr", sys.prefix, sys.base_prefix):    # Python's own files are no secret
        folders[:] = files[:] = []
    found += [f"{folder}/{name}" for name in files if name.endswith((".ipynb", ".db", ".csv", ".md", ".json"))]
print("FOUND", sorted(found)[:50])
"""
STASH = """\
stash = []
def scale(x):
    stash.append(np.asarray(x).tolist())
    return factor * np.asarray(x)
"""
TELL = """\
def rms(x):
    raise ValueError("stash " + str(stash) + str(np.asarray(x).tolist()))
print("stash", stash)
"""
PATCHES = """\
import builtins, numpy, numpy.testing, unittest.mock
numpy.testing.assert_allclose = numpy.testing.assert_array_equal = lambda *a, **k: None
numpy.allclose = numpy.isclose = np.allclose = lambda *a, **k: True
np.abs = builtins.abs = lambda x: 0.0
builtins.AssertionError = builtins.Exception
builtins.eval = lambda *a, **k: unittest.mock.MagicMock()
builtins.isinstance = lambda *a: True
"""
TREE = """\
import ast, sys
class NoAsserts(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()
get_ipython().ast_transformers.append(NoAsserts())
class Finder:
    def find_spec(self, name, path=None, target=None):
        raise ImportError(name)
sys.meta_path.insert(0, Finder())
sys.modules["derivations"] = None
"""
FORGE = """\
import gc, io, json, os
for number in range(3, 40):
    try:
        os.write(number, b'{"id": 9, "value": ["float", "3.0"]}\\n' * 50)
    except OSError:
        pass
"""
BOTH_ZERO = {"scale": ZERO_SCALE, "rms": "def rms(x):\n    return 0.0"}

SUBMISSIONS = {
    # honest
    "right": answers(FULL),
    "wrong": answers(0, scale=ZERO_SCALE, rms="def rms(x):\n    return float(np.mean(x))"),
    "partial": answers(2, rms="def rms(x):\n    return float(np.sqrt(np.sum(np.square(x))))"),
    "only-visible": answers(3, scale="def scale(x):\n    return np.abs(factor * np.asarray(x))"),
    "hard-coded": answers(2, rms="def rms(x):\n    return 3.0"),
    "not-a-number": answers(2, rms="def rms(x):\n    return float('nan')"),
    "true-for-all": answers(2, rms="class Yes(float):\n    __sub__ = __rsub__ = __abs__ = __lt__ = lambda *a: True\n"
                                   "def rms(x):\n    return Yes(3.1)"),
    "wrong-type": answers(2, rms="def rms(x):\n    return 'three'"),
    "an-object": answers(2, rms="def rms(x):\n    return object()"),
    "syntax-error": answers(2, rms="def rms(x):\n    return ("),
    "raises": answers(2, rms="def rms(x):\n    raise RuntimeError('no')"),
    "untouched": Submission(lambda release, student: {"demo.ipynb": nbformat.writes(release)}, 0, "graded", "no name"),
    "warnings": first("import sys, warnings\nwarnings.warn('careful')\nprint('loud', file=sys.stderr)\nnp.log(np.array([0.0]))"),
    "Zoë Ünïcode 7": answers(FULL),
    "prints-a-lot": first("for i in range(200_000):\n    print('x' * 50)"),
    "own-cells": edited(_own_cells),
    "photograph": edited(_photograph, note="no PNG or JPEG"),
    "plots": first("import matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.title('<b>')"),
    "magic": first("%matplotlib inline\n!ls /\n%timeit -n1 -r1 1"),
    "bare": edited(_bare),
    "colab": edited(_colab, note="format 4.0"),
    "own-import": edited(_own_import, note="moved"),
    "utf-16": Submission(lambda release, student: {"demo.ipynb": json.dumps(notebook(release, student)).encode("utf-16")}, FULL),
    "windows": Submission(lambda release, student: {"demo.ipynb": b"\xef\xbb\xbf" + json.dumps(notebook(release, student, {
        name: source.replace("\n", "\r\n") for name, source in RIGHT.items()}), indent=1).replace("\n", "\r\n").encode()}, FULL),
    "fraction": answers(FULL, rms="from fractions import Fraction\ndef rms(x):\n"
                                  "    return Fraction(float(np.sqrt(np.mean(np.square(x)))))"),
    "waits": first("import asyncio\nasync def soon():\n    await asyncio.sleep(0.01)\nawait soon()"),
    "progress": first("from tqdm.auto import tqdm\nfor i in tqdm(range(3)):\n    pass"),
    "odd-figures": first("%matplotlib notebook\n%config InlineBackend.figure_format = 'retina'\n"
                         "import matplotlib.pyplot as plt\nplt.title('$\\\\frac$')\nplt.show()"),
    "unsigned": edited(_unsigned, points=3, note="no name"),
    # shapes of files
    "deleted-answer": edited(_drop("rms"), points=2, note="answer 'rms' was deleted"),
    "deleted-tests": edited(_drop("rms-plain", "scale-once"), note="deleted, restored: scale-once, rms-plain"),
    "deleted-both": edited(_drop("rms", "rms-plain"), points=2, note="answer 'rms' was deleted"),
    "duplicated": edited(_duplicate, note="2 times"),
    "reordered": edited(_reverse, note="another order"),
    "other-name": Submission(lambda release, student: {"my homework (1).ipynb": json.dumps(notebook(release, student))},
                             FULL, note="name was"),
    "two-files": Submission(lambda release, student: {"a.ipynb": json.dumps(notebook(release, student)),
                                                      "b.ipynb": json.dumps(notebook(release, student))},
                            None, "unreadable", "several notebooks"),
    "old-format": edited(_format3, note="format 3"),
    "other-version": edited(lambda filled: {**filled, "nbformat_minor": 2}, note="format 4.2"),
    "future-version": edited(lambda filled: {**filled, "nbformat": 9, "nbformat_minor": "x" * 1000}, note="format 9"),
    "no-notebook": raw("Please find my homework attached.", name="homework.docx", note="no notebook"),
    "not-json": raw("{\"cells\": [", note="not JSON"),
    "not-text": raw(b"\x80{}" * 100, note="not UTF-8"),
    "deep-json": raw("[" * 200_000, note="not JSON"),
    "json-list": raw("[1, 2]", note="not a notebook"),
    "odd-cells": raw(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [1, None]}), note="no list of cells"),
    "odd-metadata": edited(lambda filled: {**filled, "cells": [
        *filled["cells"], {"cell_type": ["x"], "metadata": 7, "source": {"a": 1}, "outputs": "no", "attachments": 3}]}),
    "half-pairs": edited(lambda filled: cell(filled, "why").update(source="\ud800 \u0000 \u001b[31m") or None),
    "many-cells": edited(lambda filled: {**filled, "cells": filled["cells"] * 500}, None, "unreadable", "cells"),
    "long-cell": answers(None, "unreadable", "characters", scale="#" * 300_000),
    "long-file-name": Submission(lambda release, student: {"作" * 80 + ".ipynb": json.dumps(notebook(release, student))},
                                 FULL, note="name was"),
    "bytes-file-name": Submission(lambda release, student: {
        os.fsdecode(b"\xff\x1b[2J.ipynb"): json.dumps(notebook(release, student)), os.fsdecode(b"\xff.zip"): _link},
        FULL, note="a link"),
    "much-else": Submission(lambda release, student: {
        **{f"a{number}.txt": "" for number in range(60)}, "demo.ipynb": json.dumps(notebook(release, student))},
        FULL, note="61 files"),
    "odd-version": edited(lambda filled: {**filled, "nbformat": "\ud800\u001b[2J"}, note="format ?.5"),
    "deep-source": edited(_deep_source, note="format 4.?"),
    "slow-code": first("\n" + " \n" * 90_000),
    "slow-text": answers(None, "unreadable", "or a text of", why="\\begin{a}" * 20_000),
    "early": Submission(lambda release, student: {"demo.ipynb": json.dumps(notebook(release, student)),
                                                  "timestamp.txt": "2001-01-01 00:00:00.000000 UTC"}, FULL),
    "pickle": raw(_pickle(), note="not UTF-8"),
    "wrong-assignment": raw(nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])),
                            note="no cell of this assignment"),
    "link": raw(_link, note="link"),
    "folder-link": raw(_folder_link, note="link", name="all"),
    "pipe": raw(_pipe, note="not a file"),
    "huge": raw(_huge, note="larger than"),
    # at the marks
    "edited-tests": edited(_tests, points=3, note="changed, restored: scale-once, rms-plain"),
    "edited-points": edited(_points),
    "forged-outputs": edited(_forged, points=2, note="restored: rms-plain"),
    "claims": edited(_claims),
    "copied": Submission(lambda release, student: {"demo.ipynb": json.dumps(notebook(release, student, signed="right"))},
                         0, note="signed 'right'"),
    "another's-folder": Submission(lambda release, student: {
        "right/demo.ipynb": json.dumps(notebook(release, student, BOTH_ZERO))}, 0),
    "copied-renamed": answers(3, scale="def scale(x):\n    return 31337 * np.asarray(x)"),
    "patches": first(PATCHES, points=0, **BOTH_ZERO | {"scale": PATCHES + ZERO_SCALE}),
    "patched-tree": answers(0, **{**BOTH_ZERO, "scale": TREE + ZERO_SCALE}),
    "forged-answers": answers(0, **{**BOTH_ZERO, "scale": FORGE + ZERO_SCALE}),
    "magic-objects": answers(0, **{**BOTH_ZERO, "rms": "class Any:\n    def __getattr__(self, name): return self\n"
                                                       "    __sub__ = __abs__ = __lt__ = __call__ = lambda *a, **k: True\n"
                                                       "def rms(x):\n    return Any()"}),
    "writes-a-result": answers(0, **{**BOTH_ZERO, "scale": "import json\nfor name in ('results.json', '/tmp/results.json'):\n"
                                     "    open(name, 'w').write('{\"score\": 100}')\n" + ZERO_SCALE}),
    # at the machine
    "loop": answers(2, rms="while True:\n    pass", note="no end within"),
    "loop-in-call": answers(2, rms="def rms(x):\n    while True:\n        pass"),
    "swallows-interrupts": answers(2, rms=SWALLOWS, note="no end within"),
    "sleeps": answers(2, rms="import time\ntime.sleep(1e6)", note="no end within"),
    "signals-off": first("import signal\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n"
                         "    except (OSError, ValueError): pass", rms="while True:\n    pass", points=2, note="no end within"),
    "os-exit": answers(2, rms="import os\nos._exit(0)", note="process ended"),
    "system-exit": first("import sys\ntry: sys.exit(0)\nexcept SystemExit: pass"),
    "segfault": answers(2, rms="import ctypes\nctypes.string_at(0)", note="process ended"),
    "memory-bomb": answers(2, rms="x = []\nwhile True:\n    x.append(bytearray(10**8))"),
    "disk-bomb": first("names = []\ntry:\n    for i in range(10_000):\n        with open(f'/tmp/{i}', 'wb') as f:\n"
                       "            f.write(bytes(10**7))\nexcept OSError as e:\n    print('full', e.errno)"),
    "shared-memory-bomb": first("for place in ('/dev/shm', '/dev', '/', '/box'):\n    try:\n        for i in range(10_000):\n"
                                "            with open(f'{place}/{i}', 'wb') as f:\n                f.write(bytes(10**7))\n"
                                "    except OSError as e:\n        print(place, e.errno)"),
    "output-bomb": answers(2, rms="import os\nwhile True:\n    for n in range(3, 20):\n        try: os.write(n, b'x' * 10**6)\n"
                                  "        except OSError: pass", note="cell 'rms'"),
    "drip": answers(2, rms="import os, time\nwhile True:\n    for n in range(3, 20):\n        try: os.write(n, b' ')\n"
                           "        except OSError: pass\n    time.sleep(0.05)", note="no end within"),
    "empty-value": answers(2, rms="def rms(x):\n    return np.zeros((10**9, 0))"),
    "half-value": answers(2, rms="def rms(x):\n    return '\\ud800'"),
    "talkative": edited(_talkative),
    "many-files": answers(2, rms=MANY_FILES, note="more than 10000 files"),
    "leaves": answers(2, scale=LEAVES + RIGHT["scale"], rms=LEAVES + SWALLOWS, note="no end within"),
    "rubbish": answers(2, rms=RUBBISH),
    "huge-value": answers(2, rms="def rms(x):\n    return np.zeros(10**8)"),
    "huge-integer": answers(2, rms="def rms(x):\n    return 10**100_000"),
    "deep-value": answers(2, rms="def rms(x):\n    y = []\n    for _ in range(10**5): y = [y]\n    return y"),
    "fork-bomb": first("import os\ntry:\n    while True: os.fork()\nexcept OSError as e:\n    print('no', e.errno)"),
    "thread-bomb": first("import threading\ntry:\n    for _ in range(10**5): threading.Thread(target=input).start()\n"
                         "except RuntimeError as e:\n    print('no', e)"),
    "daemon": first("import subprocess, sys\ntry:\n    subprocess.Popen([sys.executable, '-c', 'while True: pass'], "
                    "start_new_session=True)\nexcept OSError as e:\n    print('no', e.errno)"),
    "network": first("import socket, urllib.request\ntry:\n    urllib.request.urlopen('http://127.0.0.1:8000', timeout=1)\n"
                     "except OSError as e:\n    print('no', e)"),
    "signals-the-grader": first("import os, signal\nfor pid in [-1, *range(2, 40_000)]:\n    try: os.kill(pid, 9)\n"
                                "    except OSError: pass\nprint(os.getppid())"),
    # at others' work
    "spy": first(SPY),
    "leaks-hidden-inputs": answers(2, scale=STASH, rms=TELL),
    "leaks-in-a-hint": answers(2, rms="def rms(x):\n    return 3.0 if len(x) == 2 else 4200.0 + np.size(x)"),
    "script": edited(_script),
    "html-output": first("from IPython.display import HTML, display\ndisplay(HTML('<script>window.caught = 1</script>'))\n"
                         "print('<script>window.caught = 1</script>')"),
    "formula": edited(lambda filled: cell(filled, "who").update(source='STUDENT = "=cmd()"\nCODE = ""') or None,
                      points=3, note="signed '=cmd()'"),
}


def hand_in(folder, release):
    """Write all submissions into a folder, one folder a student."""
    for student, submission in SUBMISSIONS.items():
        place = Path(folder, student)
        for name, content in submission.files(release, student).items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            if callable(content):
                content(place / name)
            elif isinstance(content, bytes):
                (place / name).write_bytes(content)
            else:
                (place / name).write_text(content, "utf8")


def start(root, students, settings="", sources=SOURCES, names=("demo",)):
    """A new course with some students, some lines added to its configuration, and some assignments released."""
    start_course(root, sources)
    lines = "".join(f"{student},,,\n" for student in students)
    (root / "students.csv").write_text("id,first_name,last_name,email\n" + lines, "utf8")
    with open(root / "nbgrader_config.py", "a", encoding="utf8") as file:
        file.write(f"\n{settings}\n")
    course = Course.open(root)
    release(course, list(names))
    return course
