"""Run live in Chromium: bytes, seconds until Python answers, milliseconds a step, memory.

Writes ``results/run_live.md``. Needs the built site (``make book``; another folder may be given) and the local copy of
Pyodide that the tests use: so the seconds are those of the processor, without a network.
"""
import gzip
import json
import os
import platform
import re
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = ["adamw/schedules", "adamw/equilibrium", "riemann/loop", "riemann/geodesics"]
ROUNDS, STEPS = 3, 15
LINE = 20e6     # bits a second of an ordinary line

KERR = """
import time
from derivations.riemann import spaces
began = time.perf_counter()
metric = spaces.kerr().metric
parts = [metric.christoffel_symbols(), metric.riemann_tensor(), metric.ricci_tensor(), metric.kretschmann_scalar()]
time.perf_counter() - began
"""

STEP = """async (steps) => {
    const times = [];
    for (const { dataset } of document.querySelectorAll('[data-live-figure]')) {
        const { live, name } = liveFigures.get(dataset.liveFigure);
        for (let k = 0; k < steps; k++) {
            const places = live.scales.map((scale) => (scale === 'steps' ? 0 : (k + 0.5) / steps));
            const began = performance.now();
            await live.draw(name, places);
            times.push(performance.now() - began);
        }
    }
    return times;
}"""


def sizes(mirror, site, config):
    """Bytes by kind: as stored, and as they travel (servers compress scripts and WebAssembly; wheels are packed)."""
    lock = json.loads((mirror / "pyodide-lock.json").read_text("utf8"))["packages"]

    def needed(*names):
        found, waiting = set(), list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += lock[name]["depends"]
        return found

    def stored(names):
        return sum((mirror / lock[name]["file_name"]).stat().st_size for name in names)

    names = ("pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
    core = [mirror / name for name in names]
    static = site / "_static"
    scripts = [*static.glob("run-live*"), *(static / "vendor/prism-code-editor").rglob("*.*s")]
    first, scipy = needed("numpy", "matplotlib"), needed("scipy")
    wheels = {name: described["size"] for name, described in config["wheels"].items()}
    return [
        ("Python itself (Pyodide)", sum(p.stat().st_size for p in core), _compressed(core), "at the start"),
        ("NumPy and Matplotlib", *[stored(first)] * 2, "at the start"),
        ("the course's package", *[wheels["derivations"]] * 2, "at the start"),
        ("scripts and editor of the site", sum(p.stat().st_size for p in scripts), _compressed(scripts),
         "at the start"),
        ("SymPy and mpmath", *[wheels["sympy"] + wheels["mpmath"]] * 2, "at the start of pages with tensors"),
        ("SciPy", *[stored(scipy - first)] * 2, "when something imports it"),
    ]


def _compressed(paths):
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in paths)


def resident(browser):
    """Memory of the largest renderer process, in bytes (Linux)."""
    session = browser.new_browser_cdp_session()
    found = [process["id"] for process in session.send("SystemInfo.getProcessInfo")["processInfo"]
             if process["type"] == "renderer"]
    session.detach()
    pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in found if Path(f"/proc/{pid}").exists()]
    return max(pages, default=0) * os.sysconf("SC_PAGE_SIZE")


def visit(browser, address, config, pyodide, name):
    """Measure one page once, with an empty cache."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(300_000)
    page.route("**/live/config.json", lambda route: route.fulfill(json={**config, "pyodide": pyodide}))
    page.goto(f"{address}chapters/{name}.html")
    page.evaluate("""() => runLive.addEventListener('status', ({detail}) => {
        if (detail.state === 'ready') window.readyAt ??= performance.now(); })""")
    page.evaluate("window.pressedAt = performance.now(); document.querySelector('[data-action=run-live]').click()")
    status = "document.querySelector('.run-live [role=status]').textContent"
    page.wait_for_function(f"() => /^Live|error|could not/.test({status})")
    if not page.evaluate(status).startswith("Live"):
        raise RuntimeError(f"{name}: {page.evaluate(status)}")
    ready, done = page.evaluate("[readyAt - pressedAt, performance.now() - pressedAt]")
    times = page.evaluate(STEP, STEPS)
    result = {"ready": ready / 1000, "done": done / 1000, "times": times, "heap": page.evaluate("runLive.memory"),
              "resident": resident(browser), "fetched": page.evaluate("runLive.bytes")}
    if name.startswith("riemann/loop"):
        outputs = page.evaluate("code => runLive.ask('cell', {number: 99, source: code})", KERR)["outputs"]
        result["kerr"] = float(outputs[-1]["text"])
    context.close()
    return result


def main(site=ROOT / "_build" / "html"):
    """Measure and write the table."""
    sys.path.insert(0, str(ROOT / "tests"))
    from browsers import ARGS, chromium
    from playwright.sync_api import sync_playwright
    from pyodide_mirror import VERSION, Server, mirror

    folder = mirror()
    config = json.loads((site / "_static/live/config.json").read_text("utf8"))
    kinds = sizes(folder, site, config)
    runs = {name: [] for name in PAGES}
    with Server(folder) as pyodide, Server(site) as address, sync_playwright() as playwright:
        for _ in range(ROUNDS):
            for name in PAGES:
                # A browser of its own: its processes are those of this page alone.
                browser = playwright.chromium.launch(executable_path=chromium(), args=ARGS)
                version = browser.version
                runs[name].append(visit(browser, address, config, pyodide, name))
                browser.close()
                print(name, {key: value for key, value in runs[name][-1].items() if key != "times"}, flush=True)
    write(kinds, runs, f"Pyodide {VERSION}, Chromium {re.match(r'[0-9]+', version)[0]}")


def write(kinds, runs, versions):
    """Write the results as Markdown."""
    lines = ["| what | stored, MB | on the line, MB | fetched |", "|---|---|---|---|"]
    lines += [f"| {name} | {stored / 1e6:.2f} | {sent / 1e6:.2f} | {when} |" for name, stored, sent, when in kinds]
    start = sum(sent for _, _, sent, when in kinds if when == "at the start")
    lines += [
        "", f"A page without tensors fetches {start / 1e6:.1f} MB before it answers: {start * 8 / LINE:.0f} s on a "
        f"line of {LINE / 1e6:.0f} Mbit/s, and nothing the second time, when the browser has kept the files.", "",
        "| page | Python ready, s | all cells run, s | ms a step: median, worst | memory of Python, MB "
        "| of the page, MB |",
        "|---|---|---|---|---|---|",
    ]
    for name, rounds in runs.items():
        times = [value for result in rounds for value in result["times"]]

        def middle(key):
            return statistics.median(result[key] for result in rounds)

        lines.append(f"| {name} | {middle('ready'):.1f} | {middle('done'):.1f} "
                     f"| {statistics.median(times):.0f}, {max(times):.0f} "
                     f"| {middle('heap') / 1e6:.0f} | {middle('resident') / 1e6:.0f} |")
    kerr = statistics.median(result["kerr"] for rounds in runs.values() for result in rounds if "kerr" in result)
    lines += [
        "", f"Kerr's space-time in symbols (Christoffel, Riemann, Ricci, Kretschmann) takes {kerr:.1f} s in the "
        "browser.", "",
        f"Medians of {ROUNDS} visits with an empty cache, files from the same machine; {STEPS} steps a figure, between "
        f"prepared values. {versions}, {os.cpu_count()} cores ({platform.machine()}), {time.strftime('%B %Y')}.", "",
    ]
    target = ROOT / "benchmarks" / "results" / "run_live.md"
    target.write_text("\n".join(lines), "utf8")
    print(target.read_text("utf8"))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
