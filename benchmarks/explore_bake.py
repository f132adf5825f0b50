"""What a live figure costs: CPU time a frame beside matplotlib's own savefig, size on the page, script time a step.

Writes ``results/explore_bake.md``. The size is that of the figure's HTML after gzip, as a web server sends it.
"""
import gzip
import io
import math
import os
import statistics
import sys
import time
from pathlib import Path

import matplotlib
import numpy as np

os.environ["DERIVATIONS_BAKE"] = "1"

from derivations.explore import explore, log_slider, slider
from derivations.explore.render import draw_figure, picture_of
from derivations.figures import new_figure, styled

ROOT = Path(__file__).resolve().parents[1]
STEPS = np.arange(0, 2000, 10.0)
ROUNDS, FRAMES_A_ROUND = 8, 12
GRIDS = [
    {"lr": log_slider(1e-4, 1e-2, 46)},
    {"lr": log_slider(1e-4, 1e-2, 19), "weight_decay": log_slider(0.01, 1, 9)},
    {"lr": log_slider(1e-4, 1e-2, 9), "weight_decay": log_slider(0.01, 1, 9), "beta": slider(0.1, 0.9, 0.1)},
]

TIMED = """window.spent = [];
const stock = window.requestAnimationFrame;
window.requestAnimationFrame = (run) => stock((time) => {
  const began = performance.now();
  run(time);
  spent.push(performance.now() - began);
});"""
STEP_THROUGH = """async (input) => {
  spent.length = 0;
  for (let round = 0; round < 5; round++) {
    for (let index = 0; index <= +input.max; index++) {
      input.value = index;
      input.dispatchEvent(new Event('input'));
      await new Promise(done => setTimeout(done, 20));
    }
  }
  return spent;
}"""


@styled
def draw(lr=1e-3, weight_decay=0.1, beta=0.9):
    """Draw an ordinary chapter figure: three curves of 200 points, a level, a legend, maths in the labels."""
    level = np.sqrt(lr / (2 * weight_decay) * (1 - beta) / (1 + beta))
    decay = np.exp(-40 * lr * weight_decay * STEPS)
    figure, axes = new_figure()
    for start in (0.02, 0.1, 0.5):
        axes.plot(STEPS, np.sqrt(start**2 * decay + level**2 * (1 - decay)), label=rf"$\sigma_0={start}$")
    axes.axhline(level, color="#000000", lw=1, ls="--")
    axes.set(xlabel="step $t$", ylabel=r"$\mathrm{RMS}(w)$", ylim=(0, 0.6), title=f"lr = {lr:.2g}")
    axes.legend()
    return figure


def ours(lr):
    """Draw one frame as baking does."""
    picture_of(draw_figure(draw, {"lr": lr}), "bench")


def savefig(lr):
    """Draw one frame as matplotlib does by itself."""
    draw(lr).savefig(io.BytesIO(), format="svg")


def milliseconds_a_frame(functions):
    """CPU time a call of each function: rounds in turn, the best round of each counts."""
    rates = np.geomspace(1e-4, 1e-2, FRAMES_A_ROUND)
    best = dict.fromkeys(functions, math.inf)
    for _ in range(ROUNDS):
        for function in functions:
            began = time.process_time()
            for lr in rates:
                function(lr)
            best[function] = min(best[function], 1e3 * (time.process_time() - began) / len(rates))
    return [best[function] for function in functions]


def bake(grid):
    """Bake one figure; return it, its number of frames and the CPU milliseconds a frame."""
    frames = math.prod(len(control.values) for control in grid.values())
    began = time.process_time()
    figure = explore(draw, name=f"bench-{frames}", alt="RMS at rate {lr:.2g}.", max_frames=sys.maxsize, **grid)
    return figure, frames, 1e3 * (time.process_time() - began) / frames


def script_milliseconds(figure):
    """Mean script time of one step of the first slider in Chromium."""
    sys.path.insert(0, str(ROOT / "tests"))
    from browsers import ARGS, chromium
    from playwright.sync_api import sync_playwright
    script = (ROOT / "code/derivations/explore/assets/live-figures.js").read_text("utf8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGS)
        page = browser.new_page()
        page.set_content(f"<!DOCTYPE html>{figure.markup}<script>{TIMED}</script><script>{script}</script>")
        page.locator(".live-figure-controls").wait_for(state="visible")
        spent = page.locator("input[type=range]").first.evaluate(STEP_THROUGH)
        browser.close()
    return statistics.mean(spent)


def main():
    frame, stock = milliseconds_a_frame([ours, savefig])
    lines = [
        f"Python {sys.version.split()[0]}, matplotlib {matplotlib.__version__}; figure of three curves of "
        f"{len(STEPS)} points. One frame takes {frame:.0f} ms of CPU time; matplotlib's `savefig` takes {stock:.0f} ms "
        "for the same figure in the same run.",
        "",
        "| Controls | Frames | CPU ms a frame | kB after gzip | Script ms a step |",
        "|:--|--:|--:|--:|--:|",
    ]
    for grid in GRIDS:
        figure, frames, cost = bake(grid)
        size = len(gzip.compress(figure.markup.encode())) / 1000
        steps = " x ".join(f"{len(control.values)}" for control in grid.values())
        lines.append(f"| {steps} | {frames} | {cost:.0f} | {size:.1f} | {script_milliseconds(figure):.2f} |")
    text = "\n".join(lines) + "\n"
    results = ROOT / "benchmarks" / "results"
    results.mkdir(exist_ok=True)
    (results / "explore_bake.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
