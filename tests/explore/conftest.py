"""Static pages with live figures, opened in a real browser."""
from pathlib import Path

import pytest
from derivations import explore as explore_package

ASSETS = Path(explore_package.__file__).parent / "assets"


def standalone_page(html_body):
    """Return an HTML page that embeds the book's script and style sheet around the given body."""
    css = (ASSETS / "live-figures.css").read_text(encoding="utf-8")
    js = (ASSETS / "live-figures.js").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Live figures</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<style>{css}</style><script type="module">{js}</script></head>\n'
        f"<body><main>{html_body}</main></body></html>"
    )


@pytest.fixture
def bake(monkeypatch):
    """Switch baking on, with nothing baked yet."""
    monkeypatch.setenv("DERIVATIONS_BAKE", "1")
    monkeypatch.setattr(explore_package, "_session", explore_package.baked.Session())


@pytest.fixture
def open_page(browser, tmp_path):
    """Open figures as a page from a file; fails if the page logs an error."""
    contexts, errors = [], []

    def open_figures(*figures, fragment="", **options):
        path = tmp_path / "page.html"
        path.write_text(standalone_page("\n".join(figure.markup for figure in figures)), encoding="utf-8")
        context = browser.new_context(**{"viewport": {"width": 800, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(path.as_uri() + fragment)
        return page

    yield open_figures
    for context in contexts:
        context.close()
    assert errors == []
