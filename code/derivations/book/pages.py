"""Scripts and styles of the site: everything from the site itself, nothing from another host.

Live figures come from the script of ``derivations.explore``, formulas from ``maths``.
The theme's pages are repaired where they load what they do not use, hold up the first sight of a page, talk in the
console, or leave a reader without a name or a place to go.
"""
import html
import re
import shutil
from pathlib import Path

import derivations.explore

from . import styles
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
    # The empty corner of a table heads nothing.
    (r'<th class="head[^"]*"><p></p></th>', "<td></td>"),
    # One parameter of a signature a line: a list in which nothing is defined.
    (r'<dd>(<em class="sig-param">.*?)</dd>', r'<span class="sig-line">\1</span>'),
    (r'<dl>(\s*<span class="sig-line">(?:(?!<dl>).)*?)</dl>', r'<span class="sig-lines">\1</span>'),
    (r'<img (src="[^"]*_static/(?:minus|plus)\.png")', r'<img width="11" height="11" \1'),
    # Bootstrap's script only draws the tips of buttons that have a title; browsers show titles themselves.
    (r'\s*<link rel="preload" as="script"[^>]*>', ""),
    (r'\s*<script[^>]*src="[^"]*scripts/bootstrap\.js[^"]*"></script>', ""),
    (r'(<button(?=[^>]*data-bs-toggle="tooltip")[^>]*?)\s*data-bs-title="([^"]*)"', r'\1 title="\2"'),
    (r'\s*data-bs-(?:toggle|placement)="(?:tooltip|bottom|left)"', ""),
    (r'\s*console\.log\("\[PST\][^"]*"\);', ""),
    (r'<div id="pst-primary-sidebar" class', '<div id="pst-primary-sidebar" role="navigation" aria-label="Book" class'),
    # All of them in order or none: but what inline scripts use at once must be there.
    (r"<script(?![^>]*\b(?:defer|async|type=)\b)(?=[^>]*\bsrc=)(?![^>]*documentation_options\.js)", "<script defer"),
]

# On every page but the one of the search: the index and its reader, 75 kB.
_SEARCH = r'\s*<script[^>]*src="[^"]*(?:searchtools|language_data|searchindex)\.js[^"]*"></script>'

# (what a page must hold, what it else does without)
_ONLY_WITH = [
    (r'class="[^"]*\bsd-tab', r'\s*<script[^>]*src="[^"]*design-tabs\.js[^"]*"></script>'),
    (r'class="(?:[^"]* )?(?:toggle|dropdown)[ "]', r'\s*<script[^>]*src="[^"]*togglebutton\.js[^"]*"></script>'
                                             r"|\s*<script>(?:let toggle|var togglebuttonSelector)[^<]*</script>"),
    (r'class="highlight', r'\s*<script[^>]*src="[^"]*(?:clipboard\.min|copybutton)\.js[^"]*"></script>'),
]

# Below ``_static``: no page loads them.
_UNUSED = ["**/*.map", "images", "locales", "scripts/bootstrap.js*", "scripts/fontawesome.js*", "sphinx-thebe.*",
           "*webpack-macros.html"]

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
        page = re.sub(pattern, replacement, page, flags=re.DOTALL)
    if 'id="search-results"' not in page:
        page = re.sub(_SEARCH, "", page)
    for needed, pattern in _ONLY_WITH:
        if not re.search(needed, page):
            page = re.sub(pattern, "", page)
    return page


def lighten(static):
    """Delete what no page loads, and let the theme's scripts be quiet.

    Parameters
    ----------
    static : pathlib.Path
        The folder ``_static`` of the site.
    """
    for pattern in _UNUSED:
        for path in list(static.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
    for path in [*(static / "scripts").glob("*.js"), static / "togglebutton.js"]:
        if not path.is_file():
            continue
        script = path.read_text("utf8")
        # They report what they do; with the maps gone, a browser's tools would ask for these in vain.
        quiet = re.sub(r"console\.(?:log|info)\((?:[^()]|\([^()]*\))*\)", "void 0", script)
        quiet = re.sub(r"\n//# sourceMappingURL=\S*", "", quiet)
        if path.name == "sphinx-book-theme.js":
            quiet = re.sub(r"\b\w+\.blur\(\)", "void 0", quiet)     # a button that is pressed must keep the focus
        if quiet != script:
            path.write_text(quiet, "utf8")


def finish(app, exception):
    """``build-finished``: repair the written pages, and let the site's root lead to the start page."""
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    written = {out / app.builder.get_outfilename(name) for name in app.env.found_docs}
    for path in (out / "chapters").rglob("*.html"):
        if path not in written:  # of a chapter that is gone
            path.unlink()
    pages = {path: path.read_text("utf8") for path in sorted(out.rglob("*.html"))
             if path.relative_to(out).parts[0] != "_static"}
    repaired = {path: repair(page) for path, page in pages.items()}
    lighten(out / "_static")
    styles.merge(out, repaired)
    for path, page in repaired.items():
        if page != pages[path]:
            path.write_text(page, "utf8")
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
    app.add_css_file("print.css", priority=900)   # has the last word on paper
    app.add_js_file("print.js", loading_method="defer")
    app.add_js_file("live-figures.js", loading_method="defer")
