"""What a page of the site costs its reader: bytes, requests, shifts of the layout, and Lighthouse's marks on a phone.

Writes ``results/site.md`` from ``results/site.json``, which keeps a column "before" beside the newest measurement:
``python benchmarks/site.py [--as before] [FOLDER]``. Needs the built site (``make book``) and a Chromium; Lighthouse
needs node as well, and its columns stay empty without it. Takes five minutes.
"""
import argparse
import contextlib
import functools
import gzip
import http.server
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
LIGHTHOUSE = ROOT / "benchmarks" / "lighthouse"
ROUNDS = 3
PAGES = {
    "start page": "chapters/index.html",
    "formulas": "chapters/riemann/formulas.html",
    "chapter with the most formulas": "chapters/adamw/exact_prediction.html",
    "chapter with the heaviest live figures": "chapters/riemann/loop.html",
    "calculator": "chapters/adamw/calculator.html",
    "reference of the package": "chapters/reference/api.html",
}
MARKS = ["performance", "accessibility", "best-practices", "seo"]
SHIFTS = """
window.shifts = 0;
new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
}).observe({ type: 'layout-shift', buffered: true });
"""
PHONE = {"width": 412, "height": 823}


class _Gzip(http.server.SimpleHTTPRequestHandler):
    """Files as static hosts send them: text compressed, the rest as it is."""

    protocol_version = "HTTP/1.1"
    compressible = re.compile(r"\.(html|css|js|json|svg|wasm|inv|txt|xml|webmanifest)$")

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        if path.is_dir():
            path /= "index.html"
        if not path.is_file():
            self.send_error(404)
            return
        body = path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path.name))
        self.send_header("Cache-Control", "max-age=600")
        if self.compressible.search(path.name):
            body = gzip.compress(body, 6)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Keep the report free of access lines."""


@contextlib.contextmanager
def serve(site):
    """Serve a folder on this machine; yields its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Gzip, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def visit(browser, address, name):
    """Open a page on a phone with an empty cache, scroll through it, and count."""
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    sent, asked, said = [], [], []
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.on("Network.loadingFinished", lambda event: sent.append(event["encodedDataLength"]))
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.add_init_script(SHIFTS)
    page.goto(address + name)
    page.evaluate("async () => { await window.MathJax?.startup?.promise; await document.fonts.ready; }")
    page.wait_for_load_state("networkidle")
    first = round(sum(sent) / 1000)
    page.evaluate("""async () => {
        for (let y = 0; y < document.body.scrollHeight; y += innerHeight) {
            scrollTo(0, y);
            await new Promise(requestAnimationFrame);
        }
    }""")
    page.wait_for_load_state("networkidle")
    hosts = {url.split("/")[2] for url in asked if url.startswith("http")} - {address.split("/")[2]}
    result = {"kB": first, "requests": len([url for url in asked if url.startswith("http")]), "hosts": len(hosts),
              "messages": len(said), "shift": round(page.evaluate("shifts"), 3)}
    context.close()
    return result


def lighthouse(chromium):
    """The command that runs Lighthouse, installed when missing; None without node."""
    if not (shutil.which("node") and shutil.which("npm")):
        print("node and npm are not installed: no Lighthouse", file=sys.stderr)
        return None
    program = LIGHTHOUSE / "node_modules" / ".bin" / "lighthouse"
    if not program.is_file():
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=LIGHTHOUSE, check=True)
    flags = "--headless=new --disable-gpu" + (" --no-sandbox" if os.geteuid() == 0 else "")

    def run(url):
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.json"
            subprocess.run([program, url, "--quiet", "--output=json", f"--output-path={report}",
                            f"--only-categories={','.join(MARKS)}", f"--chrome-flags={flags}"],
                           env={**os.environ, "CHROME_PATH": chromium}, check=True, timeout=300)
            found = json.loads(report.read_text("utf8"))
        return {"version": found["lighthouseVersion"],
                **{mark: round(100 * found["categories"][mark]["score"]) for mark in MARKS}}

    return run


def measure(site):
    """All pages of a built site."""
    sys.path.insert(0, str(ROOT / "tests"))
    from browsers import ARGS, chromium
    from playwright.sync_api import sync_playwright

    pages = {}
    with serve(site) as address:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=ARGS)
            versions = [f"Chromium {browser.version.partition('.')[0]}"]
            for kind, name in PAGES.items():
                pages[kind] = visit(browser, address, name)
            browser.close()
        mark = lighthouse(chromium())
        for kind, name in PAGES.items():
            rounds = [mark(address + name) for _ in range(ROUNDS)] if mark else []
            for key in MARKS if rounds else []:
                pages[kind][key] = statistics.median(result[key] for result in rounds)
            print(kind, pages[kind], flush=True)
    if mark:
        versions.insert(0, f"Lighthouse {rounds[0]['version']} (mobile, median of {ROUNDS})")
    return {"pages": pages, "with": ", ".join(versions), "size": round(sum(
        path.stat().st_size for path in site.rglob("*") if path.is_file()) / 1e6, 1)}


def write(results):
    """Write the results as Markdown: ``before → now`` in each field."""
    before, now = results.get("before"), results["now"]

    def both(first, second):
        return str(second) if first in (None, second) else f"{first} → {second}"

    lines = ["| page | transfer, kB | requests | other hosts | console messages | layout shift "
             "| performance | accessibility | best practices | SEO |", "|---" * 10 + "|"]
    for kind, found in now["pages"].items():
        was = before["pages"].get(kind, {}) if before else {}
        keys = ("kB", "requests", "hosts", "messages", "shift", *MARKS)
        fields = [both(was.get(key), found.get(key, "")) for key in keys]
        lines.append(f"| [{kind}](../{PAGES[kind].removeprefix('chapters/').replace('.html', '.md')}) | "
                     + " | ".join(fields) + " |")
    size = both(before and before["size"], now["size"])
    lines += ["", f"Where two numbers stand, the first was measured before the site was tuned. The whole site: {size} "
              f"MB. A phone's screen, an empty cache, text compressed with gzip. {now['with']}, {os.cpu_count()} cores "
              f"({platform.machine()}), {time.strftime('%B %Y')}.", ""]
    target = RESULTS / "site.md"
    target.write_text("\n".join(lines), "utf8")
    print(target.read_text("utf8"))


def main(*arguments):
    """Measure one site, keep the numbers, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--as", dest="name", choices=["before", "now"], default="now")
    parser.add_argument("site", nargs="?", type=Path, default=ROOT / "_build" / "html")
    options = parser.parse_args(arguments)
    kept = RESULTS / "site.json"
    results = json.loads(kept.read_text("utf8")) if kept.is_file() else {}
    results[options.name] = measure(options.site)
    results.setdefault("now", results[options.name])
    kept.write_text(json.dumps(results, indent=1) + "\n", "utf8")
    write(results)


if __name__ == "__main__":
    main(*sys.argv[1:])
