"""Scripts and styles of the site: everything from the site itself, nothing from another host.

Live figures come from the script of ``derivations.explore``, formulas from ``maths``.
The theme's pages are repaired where they load unused scripts or leave a screen reader without a name.
"""
import html
import re
from pathlib import Path

import derivations.explore

from .notebooks import has_code, notebook_path

STATIC = Path(__file__).parent / "static"
EXPLORE_ASSETS = Path(derivations.explore.__file__).parent / "assets"

# (pattern, replacement) on the finished HTML; each leaves repaired HTML as it is.
_REPAIRS = [
    # 1.5 MB of icons as a script: the icons in use come from the theme's CSS and font.
    (r'\s*<script[^>]*src="[^"]*scripts/fontawesome\.js[^"]*"></script>', ""),
    # Thebe would fetch its kernel launcher from another host; this book has its own live figures.
    (r'\s*<script[^>]*src="[^"]*sphinx-thebe\.js[^"]*"></script>', ""),
    (r"\s*<script>const THEBE_JS_URL[^<]*</script>", ""),
    (r'\s*<link[^>]*href="[^"]*sphinx-thebe\.css[^"]*"\s*/>', ""),
    (r'<meta name="viewport" content="width=device-width, initial-scale=1" />\s*(?=<meta name="viewport")', ""),
    (r'\s*<script type="text/x-thebe-config">[^<]*</script>', ""),
    (r"\s*<script>kernelName = '[^']*'</script>", ""),
    # A citation's role must be that of a list's item, since docutils puts it into a list.
    (r'role="doc-biblioentry"', 'role="listitem"'),
    (r'(<button class="btn search-button-field[^>]*?)aria-label="Search"', r'\1aria-label="Search Ctrl+K"'),
    (r'<span class="search-button__kbd-shortcut">', '<span class="search-button__kbd-shortcut" aria-hidden="true">'),
]

_REDIRECT = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
{icon}
<meta http-equiv="refresh" content="0; url={target}">
<link rel="canonical" href="{target}">
</head>
<body><main><h1>{title}</h1><p><a href="{target}">Open the book</a></p></main></body>
</html>
"""


def configure(app, config):
    """``config-inited``: serve our files."""
    config.html_static_path += [str(STATIC), str(EXPLORE_ASSETS)]
    config.html_context.setdefault("default_mode", "auto")


def repair(page):
    """Repair one page of the theme.

    Parameters
    ----------
    page : str
        HTML.

    Returns
    -------
    str
        HTML; repairing it again changes nothing.
    """
    for pattern, replacement in _REPAIRS:
        page = re.sub(pattern, replacement, page)
    return page


def finish(app, exception):
    """``build-finished``: repair the written pages, and let the site's root lead to the start page."""
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    written = {out / app.builder.get_outfilename(name) for name in app.env.found_docs}
    for path in (out / "chapters").rglob("*.html"):
        if path not in written:  # of a chapter that is gone
            path.unlink()
    for path in out.rglob("*.html"):
        before = path.read_text("utf8")
        after = repair(before)
        if after != before:
            path.write_text(after, "utf8")
    start = app.builder.get_target_uri(app.config.root_doc)
    if start != "index.html":
        # Jupyter Book writes a bare <meta> there: no title, no language.
        icon = app.config.html_favicon and f'<link rel="icon" href="_static/{Path(app.config.html_favicon).name}">'
        (out / "index.html").write_text(_REDIRECT.format(
            language=app.config.language or "en", title=html.escape(app.config.html_title), icon=icon or "", target=start,
        ), "utf8")


def add_download(app, pagename, templatename, context, doctree):
    """``html-page-context``: offer an executed chapter as a notebook, right under its title."""
    if doctree is None or not has_code(doctree):
        return
    path = notebook_path(pagename)
    link = context["pathto"](path, resource=True)
    offer = f'<p class="take-away"><a href="{link}" download="{path.rpartition("/")[2]}">Download as a notebook</a></p>'
    context["body"] = context["body"].replace("</h1>", f"</h1>\n{offer}", 1)


def setup(app):
    """Connect this module's steps to the Sphinx build."""
    app.connect("config-inited", configure)
    app.connect("html-page-context", add_download)
    app.connect("build-finished", finish, priority=900)
    app.add_css_file("book.css")
    app.add_css_file("live-figures.css")
    app.add_js_file("live-figures.js", loading_method="defer")
