"""MathML written by the build against MathJax in the browser, on the chapters with most formulas.

Writes ``results/maths.md``. Needs the built site (``make book``); builds the same book with the other setting into
``_build/maths``. Chromium is slowed to a quarter of its speed, as Lighthouse does for a phone.
"""
import functools
import gzip
import http.server
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from browsers import ARGS, chromium  # noqa: E402  (the folder of tests is no package)

ROUNDS, SLOWER, CHAPTERS = 3, 4, 3
NAMES = {"mathml": "MathML", "mathjax": "MathJax"}

# From the start of the navigation to the frame in which the last formula stands, with its font.
STOOD = """
window.stood = new Promise(resolve => addEventListener('DOMContentLoaded', async () => {
    await window.MathJax?.startup?.promise;
    document.body.offsetHeight;
    await document.fonts.ready;
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
}));
window.shift = 0;
new PerformanceObserver(list => list.getEntries().forEach(entry => {
    if (!entry.hadRecentInput) window.shift += entry.value;
})).observe({ type: 'layout-shift', buffered: true });
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files, and keeps the report free of access lines."""

    def log_message(self, *_):
        pass


def build(setting, folder):
    """Build the book with a setting of its own; its chapters have run already."""
    shutil.copytree(ROOT / "_build/.jupyter_cache", folder / "_build/.jupyter_cache", dirs_exist_ok=True)
    text = (ROOT / "_config.yml").read_text("utf8")
    text = re.sub(r"(?m)^ *derivations_maths:.*\n", "", text)
    text = text.replace("  config:\n", f"  config:\n    derivations_maths: {setting}\n", 1)
    with tempfile.TemporaryDirectory() as place:
        config = Path(place) / "_config.yml"
        config.write_text(text, "utf8")
        book = Path(sys.executable).parent / "jupyter-book"
        command = [book, "build", "--config", config, "--path-output", folder, ROOT]
        subprocess.run(command, check=True, capture_output=True)


def most_formulas(site):
    """The chapters with most formulas, and how many each has."""
    counts = {path.relative_to(site).as_posix(): path.read_text("utf8").count('class="math notranslate')
              for path in (site / "chapters").rglob("*.html") if "reference" not in path.parts}
    return sorted(counts.items(), key=lambda pair: -pair[1])[:CHAPTERS]


def visit(browser, address, site, width):
    """Bytes on the line, milliseconds, layout shift, height and accessibility tree of one visit."""
    context = browser.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    page.add_init_script(STOOD)
    asked = []
    page.on("requestfinished", lambda request: asked.append(request.url))
    session = context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(address)
    found = {"time": page.evaluate("window.stood")}
    session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    page.wait_for_load_state("networkidle")
    found |= {"shift": page.evaluate("window.shift"),
              "height": page.evaluate("document.querySelector('article').offsetHeight"),
              "nodes": page.evaluate("document.querySelectorAll('*').length")}
    session.send("Accessibility.enable")
    tree = session.send("Accessibility.getFullAXTree")["nodes"]
    roles = [node["role"]["value"] for node in tree if "role" in node and not node["ignored"]]
    found["maths"] = sum(role == "MathMLMath" for role in roles)
    found["bytes"] = sum(size(site, url) for url in set(asked))
    context.close()
    return found


def size(site, url):
    """Bytes of a file on the line: what is not packed already, a server compresses."""
    path = site / re.sub(r"^https?://[^/]+/|[?#].*", "", url)
    data = path.read_bytes()
    return len(data) if path.suffix in (".woff", ".woff2", ".png") else len(gzip.compress(data, 6))


def serve(site):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"


def main():
    folder = ROOT / "_build/maths"
    sites = {"mathml": ROOT / "_build/html", "mathjax": folder / "_build/html"}
    if "<math" not in (sites["mathml"] / "chapters/notation.html").read_text("utf8"):
        sys.exit("_build/html must be built with derivations_maths: mathml")
    build("mathjax", folder)
    addresses = {setting: serve(site) for setting, site in sites.items()}
    rows = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGS)
        for name, count in most_formulas(sites["mathml"]):
            # In turn, so that both see the same moods of the machine.
            visits = {setting: [] for setting in sites}
            for _ in range(ROUNDS):
                for setting, site in sites.items():
                    visits[setting].append(visit(browser, addresses[setting] + name, site, 1280))
            phone = {setting: visit(browser, addresses[setting] + name, sites[setting], 390) for setting in sites}
            for setting, found in visits.items():
                times = [one["time"] / 1000 for one in found]
                last = found[-1]
                rows.append(f"| {name[9:-5]}, {count} | {NAMES[setting]} | {last['bytes'] / 1000:.0f} "
                            f"| {statistics.median(times):.1f} ({min(times):.1f} to {max(times):.1f}) "
                            f"| {max(one['shift'] for one in found):.3f}, {phone[setting]['shift']:.3f} "
                            f"| {last['height']}, {phone[setting]['height']} | {last['nodes']} | {last['maths']} |")
        version = browser.version
        browser.close()
    text = "\n".join([
        "| chapter, formulas | renderer | kB on the line, whole page | s until the formulas stand | layout shift: "
        "desktop, phone | height in px: desktop, phone | elements | formulas in the accessibility tree |",
        "|---|---|---|---|---|---|---|---|", *rows, "",
        f"Chromium {version}, slowed to 1/{SLOWER}, {platform.system()} {platform.machine()}; the median of {ROUNDS} "
        "visits with an empty cache, and the fastest and slowest.", ""])
    (Path(__file__).parent / "results/maths.md").write_text(text, "utf8")
    print(text)


if __name__ == "__main__":
    main()
