"""Descriptions, cards, sitemap and canonical links, with and without the address of the site."""
import html
import re
from xml.etree import ElementTree

import pytest
from book.test_build import ONE, Book
from derivations.book import sharing
from PIL import Image

ADDRESS = "https://example.org/course/"
LEAD = ("Here $x$ counts. How many of them are there? "
        "The answer is a number that nobody has to guess, and *every* step is shown.\n\n")


def tags(page):
    """Content of each meta tag by its name."""
    found = re.findall(r'<meta (?:property|name)="([\w:.-]+)" content="([^"]*)"', page)
    found += [(name, content) for content, name in re.findall(r'<meta content="([^"]*)" name="([\w:.-]+)"', page)]
    return {name: html.unescape(content) for name, content in found}


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    book = Book(tmp_path_factory.mktemp("shared"))
    book.write("chapters/one.md", ONE.replace("# One\n", f"# One\n\n:::{{note}}\nNot this one, it stands in a box.\n:::\n\n{LEAD}"))
    return book


@pytest.fixture(scope="module")
def published(book):
    assert book.build(DERIVATIONS_SITE=ADDRESS.rstrip("/")), book.output
    html_folder = book.folder / "_build/html"
    kept = {path.relative_to(html_folder).as_posix(): path.read_bytes() for path in html_folder.rglob("*")
            if path.suffix in (".html", ".xml", ".txt") or path.parent.name == sharing.CARDS}
    return {name: content.decode() if not name.endswith(".png") else content for name, content in kept.items()}


@pytest.fixture(scope="module")
def private(book, published):
    """The same book without an address, built after the published one."""
    assert book.build(), book.output
    return book.folder / "_build/html"


def test_a_page_is_described_by_its_first_sentences_without_formulas(published):
    said = tags(published["chapters/one.html"])
    assert said["description"] == said["og:description"] == (
        "How many of them are there? The answer is a number that nobody has to guess, and every step is shown.")
    assert said["og:title"] == "One"


def test_with_an_address_every_page_is_announced(published):
    sitemap = ElementTree.fromstring(published["sitemap.xml"])
    found = {place.text for place in sitemap.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")}
    assert found == {f"{ADDRESS}chapters/{name}.html" for name in ("index", "one", "two")}
    assert published["robots.txt"].endswith(f"Sitemap: {ADDRESS}sitemap.xml\n")
    for place in found:
        page = published[place.removeprefix(ADDRESS)]
        assert f'<link rel="canonical" href="{place}"' in page
        said = tags(page)
        assert said["og:url"] == place and said["twitter:card"] == "summary_large_image"
        assert said["og:image"].removeprefix(ADDRESS) in published


def test_each_page_has_a_card_of_its_own(published, book):
    cards = {tags(published[f"chapters/{name}.html"])["og:image"].rpartition("/")[2] for name in ("index", "one", "two")}
    assert len(cards) == 3
    assert {name.removeprefix("_cards/") for name in published if name.startswith("_cards/")} == cards


def test_without_an_address_none_is_written(private):
    page = (private / "chapters/one.html").read_text("utf8")
    said = tags(page)
    assert said["description"] and said["og:title"] == "One"
    assert not {"og:url", "og:image", "twitter:card"} & set(said)
    assert "example.org/course" not in page and 'rel="canonical"' not in page
    assert not (private / "sitemap.xml").exists() and not (private / "robots.txt").exists()
    assert not list(private.glob(f"{sharing.CARDS}/*.png"))


def test_an_address_must_be_one(tmp_path):
    book = Book(tmp_path)
    assert not book.build(DERIVATIONS_SITE="example.org")
    assert "must be an address that begins with https://, got 'example.org'" in book.output


def test_a_card_has_the_size_that_its_tags_say(tmp_path):
    long = "A title that is so long that it takes more than four of the lines that a card has room for, and goes on"
    path = sharing.write_card(tmp_path, "Site", long, "Text with $ and _ in it. " * 6)
    with Image.open(path) as image:
        assert image.size == (1200, 630)
    before = path.stat().st_mtime_ns
    assert sharing.write_card(tmp_path, "Site", long, "Text with $ and _ in it. " * 6) == path
    assert path.stat().st_mtime_ns == before
    assert sharing.write_card(tmp_path, "Site", "Another", "") != path


def test_every_page_of_the_book_is_described(site):
    """No two pages alike, and none by a formula's source."""
    found = {}
    for path in (site / "chapters").rglob("*.html"):
        text = tags(path.read_text("utf8")).get("description", "")
        assert 20 <= len(text) <= 201, (path, text)
        assert not re.search(r"[\\$\0]", text), (path, text)
        assert text not in found, (path, found.get(text))
        found[text] = path
