"""The book as PDF: each chapter, and all of it, printed by Chromium from the built site.

``python -m derivations.book.pdf SITE OUT`` writes ``OUT/NAME.pdf``, the whole book, and one file a chapter below
``OUT/chapters``. How a page looks on paper is said by ``print.css`` and ``print.js`` of the site, so a reader's own
print of a page looks the same.

The whole book is one long page, put together from the site's pages by ``assets/book-on-one-page.js`` and printed at
once: so its links lead inside it, and it is one tagged document with one outline. Chromium does not tell a page on which
sheet a link ends. So the numbers in the table of contents come from the chapters' own prints, which break alike; where
the print of the book shows others, it is printed once more with these.
"""
import argparse
import functools
import http.server
import os
import re
import sys
import threading
import time
from pathlib import Path

import derivations

try:
    import pypdf
    from playwright.sync_api import sync_playwright
except ImportError as missing:
    sys.exit(f"{missing.name} is missing: `make pdf` installs it, or pip install -r requirements-dev.txt")

PRINTS = 3
"""How often the whole book is printed at most, until its table of contents is right."""

ASSETS = Path(__file__).parent / "assets"

START = "chapters/index.html"

SETTLED = """async () => {
    await window.MathJax?.startup?.promise;
    await document.fonts.ready;
}"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """No access lines."""


class Site:
    """A built site, served to Chromium on this machine only.

    Parameters
    ----------
    folder : pathlib.Path
    page : playwright.sync_api.Page
        A page of the running browser.
    paper : {"A4", "Letter"}
    """

    def __init__(self, folder, page, paper="A4"):
        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}/"
        self.page, self.paper = page, paper

    def close(self):
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()

    def open(self, name):
        """Open a page of the site, and wait until its formulas stand."""
        self.page.goto(self.address + name)
        self.page.evaluate(SETTLED)

    def call(self, function, *words):
        """Call a function of ``book-on-one-page.js`` on the open page."""
        if not self.page.evaluate("typeof bookOnOnePage === 'object'"):
            self.page.add_script_tag(path=ASSETS / "book-on-one-page.js")
        return self.page.evaluate(f"words => bookOnOnePage.{function}(...words)", list(words))

    def print(self, path):
        """Print the open page."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.pdf(path=path, format=self.paper, margin=None, prefer_css_page_size=False, print_background=True,
                      tagged=True, outline=True)


# ---------------------------------------------------------------- after Chromium


def link_of(annotation):
    """Address to which an annotation of a page leads, None if it leads inside the file or is no link."""
    action = annotation.get("/A")
    return str(action["/URI"]) if action and action.get("/S") == "/URI" else None


def mend(path, author, address, target):
    """Name the author, and lead links to the site's own pages elsewhere: a file does not know the site.

    Parameters
    ----------
    path : pathlib.Path
        The PDF, which is written again.
    author : str
    address : str
        Where the site was served.
    target : callable
        Gives, for the part of a link behind ``address``, the action of the PDF that takes its place, or None: then the
        words stay, without a link.
    """
    writer = pypdf.PdfWriter(clone_from=path)
    writer.add_metadata({"/Author": author, "/Creator": f"derivations {derivations.__version__}"})
    for page in writer.pages:
        kept = pypdf.generic.ArrayObject()
        for reference in page.get("/Annots", ()):
            annotation = reference.get_object()
            link = link_of(annotation)
            if link and link.startswith(address):
                action = target(link.removeprefix(address))
                if action is None:
                    continue
                annotation[pypdf.generic.NameObject("/A")] = action
            kept.append(reference)
        if "/Annots" in page:
            page[pypdf.generic.NameObject("/Annots")] = kept
    writer.write(path)


def to_other_file(here, names, link):
    """Action that leads from one chapter's PDF to another's, for a link of the site.

    Parameters
    ----------
    here : str
        Page of the site that was printed.
    names : collection of str
        All pages that are printed.
    link : str
        Address relative to the site's root.

    Returns
    -------
    pypdf.generic.DictionaryObject or None
        None for what is not printed.
    """
    name, _, anchor = link.partition("#")
    if name not in names:
        return None
    other = os.path.relpath(name, os.path.dirname(here)).replace(os.sep, "/").removesuffix(".html") + ".pdf"
    generic = pypdf.generic
    place = generic.NameObject("/" + anchor) if anchor else generic.ArrayObject(
        [generic.NumberObject(0), generic.NameObject("/Fit")])
    return generic.DictionaryObject({
        generic.NameObject("/S"): generic.NameObject("/GoToR"),
        generic.NameObject("/F"): generic.TextStringObject(other),
        generic.NameObject("/D"): place,
    })


def to_site(base, link):
    """Action that leads to the published site."""
    generic = pypdf.generic
    return generic.DictionaryObject({
        generic.NameObject("/S"): generic.NameObject("/URI"),
        generic.NameObject("/URI"): generic.TextStringObject(base + link),
    })


def file_name(title):
    """A title as the name of a file.

    Examples
    --------
    >>> file_name("Derivations You Can Run")
    'derivations-you-can-run'
    """
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def page_numbers(path):
    """Page, counted from 1, of each place in a PDF to which something links.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    dict of str to int
    """
    reader = pypdf.PdfReader(path)
    return {name.removeprefix("/"): reader.get_destination_page_number(place) + 1
            for name, place in reader.named_destinations.items()}


def print_chapter(site, out, name, names, about):
    """Print one page of the site.

    Parameters
    ----------
    site : Site
    out : pathlib.Path
    name : str
        Page of the site, ``chapters/adamw/optimizer.html``.
    names : collection of str
        All pages that are printed.
    about : dict
        ``author`` and ``base``: the address of the published site, "" where that is not known.

    Returns
    -------
    pathlib.Path
    """
    path = out / Path(name).with_suffix(".pdf")
    site.open(name)
    site.call("linkPlaces")
    site.print(path)
    base = about["base"]
    target = functools.partial(to_site, base) if base else functools.partial(to_other_file, name, names)
    mend(path, about["author"], site.address, target)
    return path


def print_book(site, out, about, sheets=None):
    """Print the whole book.

    Parameters
    ----------
    site : Site
    out : pathlib.Path
    about : dict
        ``title``, ``author`` and ``base``.
    sheets : dict of str to int, optional
        Number of sheets of each page of the site, if it has been printed already.

    Returns
    -------
    pathlib.Path
    """
    path = out / f"{file_name(about['title'])}.pdf"
    site.open(START)
    site.call("assemble", derivations.__version__)
    site.page.add_style_tag(path=ASSETS / "book-on-one-page.css")
    numbers = site.call("expected", sheets or {})
    for _ in range(PRINTS):
        site.call("number", numbers)
        site.print(path)
        found = page_numbers(path)
        if all(found[place] == number for place, number in numbers.items()):
            break
        numbers = {place: found[place] for place in numbers}
    else:
        raise RuntimeError(f"{path}: the table of contents is wrong after {PRINTS} prints")
    base = about["base"]
    mend(path, about["author"], site.address, functools.partial(to_site, base) if base else lambda link: None)
    return path


def make(folder, out, browser, paper="A4", only=None):
    """Print the book.

    Parameters
    ----------
    folder : pathlib.Path
        The built site.
    out : pathlib.Path
    browser : playwright.sync_api.Browser
    paper : {"A4", "Letter"}
    only : str, optional
        Name of one page (``riemann/loop``) instead of all, or ``book``.

    Yields
    ------
    pathlib.Path
        Each file, when it has been written.

    Raises
    ------
    ValueError
        If no page has that name.
    """
    site = Site(folder, browser.new_page(), paper)
    try:
        site.open(START)
        about = site.call("about")
        names = [page["name"] for part in site.call("contents") for page in part["pages"]]
        chosen = names if only is None else [name for name in names if name == f"chapters/{only}.html"]
        if not chosen and only != "book":
            raise ValueError(f"the book has no page only={only!r}")
        sheets = {}
        for name in chosen:
            path = print_chapter(site, out, name, names, about)
            sheets[name] = len(pypdf.PdfReader(path).pages)
            yield path
        if only in (None, "book"):
            yield print_book(site, out, about, sheets)
    finally:
        site.page.close()
        site.close()


def main(words=None):
    """Run the command; see the module."""
    parser = argparse.ArgumentParser(prog="python -m derivations.book.pdf", description=__doc__.partition("\n")[0])
    parser.add_argument("site", type=Path, help="folder of the built site")
    parser.add_argument("out", type=Path, help="folder for the PDF files")
    parser.add_argument("--paper", choices=["A4", "Letter"], default="A4")
    parser.add_argument("--only", metavar="NAME", help="one page, such as riemann/loop, or book: the whole book alone")
    chosen = parser.parse_args(words)
    if not (chosen.site / START).is_file():
        parser.error(f"no site in {chosen.site}: run `make book` first")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM") or None)
        begun = time.monotonic()
        for path in make(chosen.site, chosen.out, browser, chosen.paper, chosen.only):
            print(f"{path}: {len(pypdf.PdfReader(path).pages)} pages, {path.stat().st_size / 1e6:.1f} MB, "
                  f"{time.monotonic() - begun:.0f} s", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
