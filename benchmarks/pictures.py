"""Pictures of the tables in ``results/``: ``draw(name)`` reads a table and writes ``results/<name>.svg``.

Each benchmark calls it after it has written its table, so that picture and table show the same numbers. Run as a
script, it draws all of them anew from the tables that are kept. Text and axes take the colour of the page.
"""
import math
import re
import textwrap
from html import escape
from pathlib import Path

from matplotlib.ticker import NullFormatter

from derivations.explore.render import picture_of
from derivations.figures.plots import intervals
from derivations.figures.style import COLORS, styled

RESULTS = Path(__file__).resolve().parent / "results"

# name: (which table of the file, columns that are drawn, axis, what the picture shows)
PICTURES = {
    "prediction_accuracy": (
        0, {"Median": "median", "Worst": "worst"}, "error of the mean square in %",
        "Median and worst error of each method, on a logarithmic axis. Both are smallest for exact, largest for mean_field."),
    "simulation_speed": (
        0, {"Million weight-steps a second": "rate"}, "million weight-steps a second",
        "Weight-steps a second of simulate, of its random numbers alone, of naive NumPy and of torch."),
    "prediction_speed": (
        0, {"ms": "time"}, "milliseconds for 1,000,000 steps",
        "Time of each method for a whole trajectory, on a logarithmic axis, and of the recursion as a Python loop."),
    "curvature_symbolic": (
        0, {"`flint`": "flint", "`sympy.polys`": "sympy.polys", "`sympy.simplify`": "sympy.simplify",
            "einsteinpy, Riemann alone": "einsteinpy"}, "CPU seconds",
        "CPU seconds of each engine for each space, on a logarithmic axis. In every row flint and sympy.polys are fastest."),
    "curvature_numeric": (
        1, {"Closed form, points a second": "closed form", "Jets, points a second": "jets"}, "points a second",
        "Points a second for each tensor by closed formulas and by jets, on a logarithmic axis."),
}


def read_table(text, number):
    """One of the tables of a Markdown text.

    Parameters
    ----------
    text : str
    number : int
        0 for the first table.

    Returns
    -------
    list of dict of str to str
        The cells of each row by the title of their column; ``""`` is the title of the first column.
    """
    blocks = re.findall(r"(?:^\|.*\n)+", text, flags=re.M)
    head, _, *rows = ([cell.strip() for cell in line.strip("|\n ").split("|")] for line in blocks[number].splitlines())
    return [dict(zip(["", *head[1:]], row)) for row in rows]


def number_of(cell):
    """The number of a cell; NaN for one that tells of none, or only of a limit such as ``> 60``."""
    found = re.match(r"[\d.,]+", cell)
    return float(found[0].replace(",", "")) if found else math.nan


@styled
def figure_of(rows, columns, axis):
    """Draw the columns of a table: a row for each name, on a logarithmic axis of whole decades."""
    names = ["\n".join(textwrap.wrap(row[""].replace("`", ""), 24)) for row in rows]
    groups = {label: ([number_of(row[column]) for row in rows],) for column, label in columns.items()}
    numbers = [number for values, in groups.values() for number in values if not math.isnan(number)]
    limits = 10.0 ** math.floor(math.log10(min(numbers))), 10.0 ** math.ceil(math.log10(max(numbers)))
    figure = intervals(names, groups, xlabel=axis, log=True, limits=limits, legend=None)
    figure.axes[0].grid(axis="x", color=COLORS["grey"], linewidth=0.5, alpha=0.6)
    figure.axes[0].xaxis.set_minor_formatter(NullFormatter())
    if len(groups) > 1:
        figure.legend(loc="outside upper center", ncols=2)
    return figure


def draw(name):
    """Draw the picture of a benchmark from its table.

    Parameters
    ----------
    name : str
        A key of ``PICTURES``.

    Returns
    -------
    pathlib.Path
        The file that was written.
    """
    number, columns, axis, alt = PICTURES[name]
    rows = read_table((RESULTS / f"{name}.md").read_text(encoding="utf-8"), number)
    svg = picture_of(figure_of(rows, columns, axis), f"measured-{name.replace('_', '-')}").markup()
    # The picture tells its own name to a screen reader, and is a file that can be opened.
    root = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(alt)}"'
    path = RESULTS / f"{name}.svg"
    svg = root + svg.removeprefix("<svg").replace(' aria-hidden="true"', "", 1)
    path.write_text(svg + "\n", encoding="utf-8")
    return path


def main():
    """Draw all pictures from the tables that are kept."""
    for name in PICTURES:
        print(draw(name))


if __name__ == "__main__":
    main()
