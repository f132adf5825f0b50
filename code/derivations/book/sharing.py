"""What search engines, and places where a link is shared, are told of a page.

Every page gets a description: its first sentences that need no formula. All else needs the address at which the site
will lie, which only its publisher knows: ``html_baseurl`` in the configuration, or ``DERIVATIONS_SITE`` in the
environment, as in ``.github/workflows/site.yml``. With it come canonical links, a sitemap, ``robots.txt``, and for
each page a card, the picture that is shown beside a shared link. Without it no page holds an absolute address.
"""
import hashlib
import html
import os
import re
import sys
import textwrap
from pathlib import Path

import yaml
from docutils import nodes
from sphinx import addnodes
from sphinx.errors import ExtensionError

ADDRESS = "DERIVATIONS_SITE"
"""Environment variable: address at which the site will lie, such as ``https://example.org/course/``."""

CARDS = "_cards"
"""Folder of the cards below the site's root."""

_ENOUGH, _MOST = 60, 200    # characters of a description
_APART = (nodes.Admonition, nodes.Invisible, nodes.table, nodes.literal_block, nodes.raw, nodes.footnote, nodes.citation,
          nodes.math_block, nodes.list_item, nodes.block_quote, nodes.caption, addnodes.desc, addnodes.only)
_FORMULA = "\0"
_CITED = r" ?\[[A-Z][A-Za-z+]*\d\d[a-z]?(, ?[A-Z][A-Za-z+]*\d\d[a-z]?)*\]"
_LEANS = re.compile("(And|But|Each|For each|It|Must|Now|So|That|The next cell|The same|Then|These|They|This|Those|Which)\\b")


def configure(app, config):
    """``config-inited``: take the site's address from the environment if it is there, ending with one slash."""
    address = os.environ.get(ADDRESS) or config.html_baseurl
    if address and not re.match(r"https?://[^/\s]+", address):
        raise ExtensionError(f"{ADDRESS} or html_baseurl must be an address that begins with https://, got {address!r}")
    config.html_baseurl = address.rstrip("/") + "/" if address else ""


def _is_site(app):
    """An EPUB is HTML, too, but nothing that a search engine finds."""
    return app.builder.format == "html" and app.builder.name != "epub"


def sentences(paragraph):
    """Sentences of a paragraph; a formula in it is one unprintable character.

    Parameters
    ----------
    paragraph : docutils.nodes.paragraph

    Returns
    -------
    list of str
    """
    words = re.sub(_CITED, "", re.sub(r"\s+", " ", "".join(_words(paragraph))).strip())
    return re.split(r"(?<=[.?!])\s+(?=[A-Z\"“])", words)


def _words(node):
    for child in node.children:
        if isinstance(child, nodes.math):
            yield _FORMULA
        elif isinstance(child, nodes.Text):
            yield child.astext()
        elif not isinstance(child, (nodes.raw, nodes.Invisible, nodes.footnote_reference)):
            yield from _words(child)


def describe(doctree):
    """A page in one or two sentences: the first of its text that hold no formula.

    Boxes, tables, lists and code are passed over; so the chapters' *At a glance*, which every chapter begins with, does
    not describe them all.

    Parameters
    ----------
    doctree : docutils.nodes.document

    Returns
    -------
    str
        At most 200 characters; empty if there is no such sentence.
    """
    said = ""
    for paragraph in doctree.findall(nodes.paragraph):
        if _is_apart(paragraph):
            continue
        for sentence in sentences(paragraph):
            # What leads up to a formula, a list or a figure says nothing without it.
            if _FORMULA in sentence or not re.search(r"[.?!]$", sentence) or len(sentence) < 20:
                continue
            if not said and _LEANS.match(sentence):
                continue
            if said and len(said) + len(sentence) >= _MOST:
                return said
            said = f"{said} {sentence}".strip()
            if len(said) >= _ENOUGH:
                return textwrap.shorten(said, _MOST, placeholder=" …")
    return said


def _is_apart(node):
    while node is not None:
        if isinstance(node, _APART) or {"exercise", "solution"} & set(node.get("classes", [])):
            return True
        node = node.parent
    return False


def add_tags(app, pagename, templatename, context, doctree):
    """``html-page-context``: description, and with an address the tags that a shared link is shown with."""
    if doctree is None or not _is_site(app):
        return
    title = app.env.titles[pagename].astext()
    # What an author wrote into the page's header counts more.
    given = re.search(r'<meta content="([^"]*)"[^>]* name="description"|name="description" content="([^"]*)"',
                      context["metatags"])
    text = html.unescape(given[1] or given[2]) if given else describe(doctree)
    tags = {} if given or not text else {"description": text}
    tags |= {"og:type": "website", "og:title": title, "og:site_name": app.config.html_title}
    if text:
        tags["og:description"] = text
    address = app.config.html_baseurl
    if address:
        card = write_card(Path(app.outdir) / CARDS, app.config.html_title, title, text)
        app.derivations_cards.add(card.name)
        tags |= {"og:url": address + app.builder.get_target_uri(pagename), "og:image": f"{address}{CARDS}/{card.name}",
                 "og:image:width": "1200", "og:image:height": "630", "og:image:alt": title,
                 "twitter:card": "summary_large_image"}
    context["metatags"] += "".join(
        f'\n<meta {"property" if name.startswith("og:") else "name"}="{name}" content="{html.escape(value)}" />'
        for name, value in tags.items())


def write_card(folder, site, title, text):
    """Draw a page's card, 1200 × 630 pixels; one that is there already is kept.

    Parameters
    ----------
    folder : pathlib.Path
    site, title, text : str
        What stands on it: the site's name, the page's title and description.

    Returns
    -------
    pathlib.Path
        Its name tells its content.
    """
    digest = hashlib.sha256("\0".join([_LOOK, site, title, text]).encode()).hexdigest()[:16]
    path = folder / f"{digest}.png"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        draw_card(site, title, text).savefig(path, dpi=100, metadata={"Software": None})
    return path


_LOOK = "1"     # another number here draws all cards again
_INK, _PALE, _BLUE, _ORANGE = "#1b1f24", "#57606a", "#0b5cad", "#b45309"


def draw_card(site, title, text):
    """The card as a matplotlib ``Figure``: the words, and beside them the two subjects of the book."""
    import numpy as np
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 6.3), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 1200), ylim=(0, 630))
    axes.axis("off")
    axes.fill_between([0, 1200], 0, 14, color=_BLUE, linewidth=0)
    # The way of the weights to their level, from above and from below.
    x = np.linspace(0, 1, 200)
    for start in (1.0, 0.62, 0.08):
        level = 0.36 + (start - 0.36) * np.exp(-4.5 * x)
        axes.plot(850 + 300 * x, 60 + 200 * level, color=_ORANGE, linewidth=3)
    # A circle of latitude on a sphere, with the vector that is carried round it.
    angle = np.linspace(0, 2 * np.pi, 200)
    axes.plot(1000 + 130 * np.cos(angle), 440 + 130 * np.sin(angle), color=_PALE, linewidth=2)
    axes.plot(1000 + 104 * np.cos(angle), 512 + 26 * np.sin(angle), color=_BLUE, linewidth=3)
    for turn in np.linspace(0, 2 * np.pi, 8, endpoint=False):
        tail = np.array([1000 + 104 * np.cos(turn), 512 + 26 * np.sin(turn)])
        tip = tail + 40 * np.array([np.cos(1.2 - 0.7 * turn), 0.6 * np.sin(1.2 - 0.7 * turn)])
        axes.annotate("", tip, tail, arrowprops={"arrowstyle": "-|>", "color": _BLUE, "linewidth": 2})
    axes.text(60, 560, textwrap.shorten(site, 52, placeholder=" …"), size=20, color=_PALE, va="top", parse_math=False)
    # As large as the place beside the drawings allows, which begin at 850 of 1200 pixels.
    lines, size = textwrap.wrap(title, 22), 44
    if len(lines) > 3:
        lines, size = textwrap.wrap(title, 29)[:4], 34
    axes.text(60, 490, "\n".join(lines), size=size, weight="bold", color=_INK, va="top", linespacing=1.15,
              parse_math=False)
    axes.text(60, 50, "\n".join(textwrap.wrap(text, 62)), size=18, color=_PALE, va="bottom", linespacing=1.35,
              parse_math=False)
    return figure


def begin(app):
    """``builder-inited``: no card belongs to a page yet."""
    app.derivations_cards = set()


def write(app, exception):
    """``build-finished``: the list of all pages, and where crawlers find it; cards of earlier states go."""
    out, address = Path(app.outdir), app.config.html_baseurl
    if exception is not None or not _is_site(app):
        return
    for card in (out / CARDS).glob("*.png"):
        if card.name not in app.derivations_cards:
            card.unlink()
    sitemap, robots = out / "sitemap.xml", out / "robots.txt"
    if not address:
        sitemap.unlink(missing_ok=True)
        robots.unlink(missing_ok=True)
        return
    pages = [address + app.builder.get_target_uri(name) for name in sorted(app.env.found_docs)]
    urls = "\n".join(f"<url><loc>{html.escape(page)}</loc></url>" for page in pages)
    sitemap.write_text('<?xml version="1.0" encoding="utf-8"?>\n'
                       f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{urls}\n</urlset>\n', "utf8")
    # Crawlers ask for it at the root of a host only; in a folder it does no harm.
    robots.write_text(f"User-agent: *\nAllow: /\nSitemap: {address}sitemap.xml\n", "utf8")


def setup(app):
    """Connect this module's steps to the Sphinx build."""
    app.connect("config-inited", configure)
    app.connect("builder-inited", begin)
    app.connect("html-page-context", add_tags)
    app.connect("build-finished", write)


if __name__ == "__main__":
    # For .github/workflows/site.yml: whether notebooks are to be published for Colab and Binder.
    settings = yaml.safe_load(Path("_config.yml").read_text("utf8"))["sphinx"]["config"]
    sys.stdout.write(f"repository={settings.get('derivations_repository', '')}\n")
