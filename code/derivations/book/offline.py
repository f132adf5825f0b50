"""The book without a network: kept by the browser, installed like an app, or as a folder from a zip file.

``service-worker.js``
    Keeps the whole book in the browser after one visit of one page: what it does stands in ``assets/``. Here its list
    of files is written, with a checksum of each, as the last step of a build.
``manifest.webmanifest``
    With it, browsers offer to install the book.
``derivations-you-can-run.zip``
    The whole site as a folder. It opens by a double click.
``404.html``
    Answers addresses that are not in the book, at any depth of folders.

Everything is relative to the site's root, since the site may lie in any folder of a host.
"""
import base64
import hashlib
import json
import re
import zipfile
from pathlib import Path
from urllib.parse import quote, urlsplit

ASSETS = Path(__file__).parent / "assets"

WORKER = "service-worker.js"
MANIFEST = "manifest.webmanifest"
ARCHIVE = "derivations-you-can-run.zip"
PAGE = "chapters/reference/offline.html"
"""Page for readers about all this; it states the sizes."""

# What pages show or run. Wheels, notebooks, archives and books in one file are fetched when somebody asks for them.
_SHOWN = {".html", ".css", ".js", ".mjs", ".json", ".svg", ".png", ".jpg", ".webp", ".gif", ".woff", ".woff2"}
_NEVER_SHOWN = re.compile(r"""
    (notebooks|assignments|binder|_sources)/  # downloads
    | _cards/                                 # shown by other sites
    | _static/(locales|webpack-macros|images/logo_)
    | _static/(scripts/fontawesome\.js|sphinx-thebe|vendor/fontawesome/webfonts/.*\.ttf)    # no page loads them
""", re.VERBOSE)
_NOT_IN_ARCHIVE = re.compile(r"(.*/)?\.|.*\.map$")      # hidden files, and what only debuggers read
_DATE = (1980, 1, 1, 0, 0, 0)

_ICONS = [("icon-192.png", "192x192", "any"), ("icon-512.png", "512x512", "any"),
          ("icon-maskable.png", "512x512", "maskable")]
_HEAD = """
<meta name="theme-color" media="(prefers-color-scheme: light)" content="#ffffff">
<meta name="theme-color" media="(prefers-color-scheme: dark)" content="#121212">
<link rel="apple-touch-icon" href="{icon}">
"""
_NOT_FOUND = """<h1>This page is not in the book</h1>
<p>The address may have a slip, or the page may have moved. Nothing is lost: every page is in the contents at the side,
and you can search for its words.</p>
<form role="search" action="search.html" class="not-found">
<label for="not-found-words">Search the book for</label>
<input id="not-found-words" type="search" name="q" required> <button>Search</button>
</form>
<p><a href="{start}">Go to the first page of the book</a>, or to its <a href="genindex.html">index</a>.</p>"""

_NO_SCRIPTS = "<noscript><p>This page is not in the book. With scripts turned on it leads to the contents.</p></noscript>"


def digest(data):
    """Checksum of a file: 96 bits of SHA-256, as the worker computes them.

    Examples
    --------
    >>> digest(b"")
    '47DEQpj8HBSa-_TI'
    """
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()[:12]).decode()


def files_of(folder, own=(WORKER, ARCHIVE)):
    """Paths of all files below a folder, sorted, without the named ones."""
    paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in paths if path not in own)


def is_shown(path, asked=()):
    """Whether a page of the book may load a file by itself.

    Parameters
    ----------
    path : str
        Relative to the site's root.
    asked : sequence of str
        Folders whose files are fetched only when the reader starts Python.

    Examples
    --------
    >>> [is_shown(path) for path in ("chapters/a.html", "notebooks/a.ipynb", "_static/live/config.json")]
    [True, False, True]
    """
    return Path(path).suffix in _SHOWN and not _NEVER_SHOWN.match(path) and not path.startswith(tuple(asked))


def write_worker(folder, asked=(), offline=True):
    """Write the service worker with its list of files.

    Parameters
    ----------
    folder : pathlib.Path
        The finished site.
    asked : sequence of str
        Folders, ending with a slash, whose files are kept once the reader has started Python.
    offline : bool
        Without it, the worker only removes an earlier one and what that had kept.
    """
    if not offline:
        (folder / WORKER).write_text((ASSETS / "service-worker-off.js").read_text("utf8"), "utf8")
        return
    paths = files_of(folder)
    shown = [path for path in paths if is_shown(path, asked)]
    kept = [path for path in paths if path.endswith(".whl") or path.startswith(tuple(asked))]
    text = (ASSETS / WORKER).read_text("utf8")
    files = json.dumps({quote(path): digest((folder / path).read_bytes()) for path in shown}, indent=0)
    build = digest((files + text).encode())
    head = f"const BUILD = '{build}';\nconst FILES = {files};\nconst KEPT = {json.dumps([*map(quote, kept)])};\n"
    (folder / WORKER).write_text(head + text, "utf8")


def write_manifest(folder, title, start):
    """Write the manifest of the installable book.

    Parameters
    ----------
    folder : pathlib.Path
    title : str
    start : str
        Path of the first page.
    """
    icons = [{"src": f"_static/icons/{name}", "sizes": sizes, "type": "image/png", "purpose": purpose}
             for name, sizes, purpose in _ICONS]
    icons.append({"src": "_static/favicon.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any"})
    manifest = {
        "name": title, "short_name": "Derivations", "lang": "en", "start_url": start, "scope": "./",
        "display": "minimal-ui", "theme_color": "#1f3a5f", "background_color": "#ffffff", "icons": icons,
        "description": "A book whose derivations run: the weight RMS of AdamW, and Riemann curvature.",
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", "utf8")


def _put(archive, folder, path):
    entry = zipfile.ZipInfo(f"{Path(ARCHIVE).stem}/{path}", _DATE)
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    archive.writestr(entry, (folder / path).read_bytes())
    return entry.compress_size


def _fill(page, sizes):
    """Write sizes into the page for readers, in megabytes."""
    text = page.read_text("utf8")
    for name, size in sizes.items():
        text = re.sub(rf'(<span data-megabytes="{name}">)[^<]*', rf"\g<1>{size / 1e6:.1f}", text)
    page.write_text(text, "utf8")


def write_site(folder, asked=(), offline=True):
    """Write the archive and the worker of a finished site; the same site gives the same bytes.

    Parameters
    ----------
    folder : pathlib.Path
    asked, offline
        See :func:`write_worker`.
    """
    fetched = kept = 0
    paths = [path for path in files_of(folder) if not _NOT_IN_ARCHIVE.match(path)]
    unfinished = folder.with_name(ARCHIVE + ".new")
    with zipfile.ZipFile(unfinished, "w", compresslevel=9) as archive:
        for path in paths:
            if path != PAGE:
                packed = _put(archive, folder, path)
                if is_shown(path, asked):
                    fetched, kept = fetched + packed, kept + (folder / path).stat().st_size
        # Last, since they state what the others amount to.
        if PAGE in paths:
            _fill(folder / PAGE, {"fetched": fetched, "kept": kept, "archive": archive.fp.tell()})
            _put(archive, folder, PAGE)
        write_worker(folder, asked, offline)
        _put(archive, folder, WORKER)
    unfinished.replace(folder / ARCHIVE)


def place_not_found(page, root, names):
    """Let the page for unknown addresses find the book, whatever the depth of the address.

    Parameters
    ----------
    page : str
        HTML whose links begin with a slash, as sphinx-notfound-page writes them.
    root : str
        Path of the site on its host; "" if that is not known.
    names : list of str
        Names at the site's root: an address in which one of them stands tells where the book is.

    Returns
    -------
    str
    """
    if "const KNOWN = " in page:     # of an earlier build
        return page
    page = re.sub(r'((?:href|src|action)=")/(?!/)', r"\1", page)
    head, mark, rest = page.partition("<head>")
    given = {"KNOWN": root, "NAMES": [re.escape(name) for name in names], "REST": rest}
    given = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in given.items()).replace("</", "<\\/")
    script = (ASSETS / "not-found.js").read_text("utf8")
    return f"{head}{mark}\n<script>\n{given}{script}</script>\n{_NO_SCRIPTS}</head></html>\n"


# ---------------------------------------------------------------- Sphinx


def configure(app, config):
    """``config-inited``: the text of the page for unknown addresses; its links begin with a slash for now."""
    config.notfound_urls_prefix = "/"
    config.notfound_context = {"title": "Not in the book", "body": _NOT_FOUND.format(start=f"{config.root_doc}.html")}
    if config.derivations_offline:
        app.add_js_file("offline.js", loading_method="defer")


def add_head(app, pagename, templatename, context, doctree):
    """``html-page-context``: colours around the page, and the icon on a phone's home screen."""
    icon = context["pathto"]("_static/icons/apple-touch-icon.png", resource=True)
    context["metatags"] = context.get("metatags", "") + _HEAD.format(icon=icon)


def finish(app, exception):
    """``build-finished``: when everything else has been written, list it."""
    if exception is not None or app.builder.format != "html":
        return
    out, config = Path(app.outdir), app.config
    missing = out / "404.html"
    if missing.is_file():
        # Not index.html: many sites have one.
        names = [path.name + "/" * path.is_dir() for path in sorted(out.iterdir()) if path.name != "index.html"]
        root = urlsplit(config.html_baseurl).path
        missing.write_text(place_not_found(missing.read_text("utf8"), root, names), "utf8")
    write_manifest(out, config.html_title, app.builder.get_target_uri(config.root_doc))
    python = config.derivations_pyodide
    write_site(out, [python] if python and "//" not in python else [], config.derivations_offline)


def setup(app):
    """Connect this module's steps to the Sphinx build."""
    app.setup_extension("notfound.extension")
    app.add_config_value("derivations_offline", True, "html", bool)
    app.connect("config-inited", configure)
    app.connect("html-page-context", add_head)
    app.connect("build-finished", finish, priority=990)
    app.add_css_file("offline.css")
