"""The icons of the installed book, drawn from ``favicon.svg``. ``python tests/icons.py`` writes them anew.

Phones cut an icon to their own shape. So those for phones fill their square, and the drawing stays in the middle.
"""
import re
import sys
from pathlib import Path

STATIC = Path(__file__).resolve().parents[1] / "code/derivations/book/static"
FOLDER = STATIC / "icons"
ICONS = {"icon-192.png": (192, False), "icon-512.png": (512, False), "icon-maskable.png": (512, True),
         "apple-touch-icon.png": (180, True)}
"""For each file its size in pixels, and whether it fills its square."""


def drawing(full):
    """The icon as SVG; ``full``: without round corners, and with the drawing within a circle of 80 % of the width."""
    svg = (STATIC / "favicon.svg").read_text("utf8")
    if full:
        svg = re.sub(r'(<rect[^>]*) rx="6"([^>]*/>)(.*)(?=</svg>)',
                     r'\1\2<g transform="translate(16 16) scale(0.78) translate(-16 -16)">\3</g>', svg)
    return svg


def render(browser, size, full):
    """An icon as bytes of a PNG file."""
    page = browser.new_page(viewport={"width": size, "height": size})
    page.set_content(f"<style>body {{ margin: 0 }} svg {{ display: block; width: {size}px }}</style>{drawing(full)}")
    picture = page.screenshot(omit_background=True)
    page.close()
    return picture


def main():
    """Write all icons."""
    from browsers import ARGS, chromium
    from playwright.sync_api import sync_playwright

    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGS)
        for name, (size, full) in ICONS.items():
            (FOLDER / name).write_bytes(render(browser, size, full))
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
