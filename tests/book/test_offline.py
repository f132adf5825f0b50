"""The list of the service worker, the archive and the page for unknown addresses, on a tiny site."""
import json
import re
import zipfile

import pytest
from derivations.book.offline import (
    ARCHIVE,
    PAGE,
    WORKER,
    digest,
    is_shown,
    place_not_found,
    write_manifest,
    write_site,
)


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "site"
    files = {
        "index.html": "a", "chapters/a.html": "<p>a", PAGE: '<span data-megabytes="archive">9</span>',
        "_static/live/x-1.whl": "w", "notebooks/a.ipynb": "n", "_static/b.js.map": "m", ".buildinfo": "b",
        "python/pyodide.js": "p",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf8")
    return folder


def listed(folder, name):
    return json.loads(re.search(rf"const {name} = (.*?);\n", (folder / WORKER).read_text("utf8"), re.DOTALL)[1])


def test_the_list_names_each_file_with_its_checksum(site):
    write_site(site, ["python/"])
    assert listed(site, "FILES") == {name: digest((site / name).read_bytes())
                                     for name in ("index.html", "chapters/a.html", PAGE)}
    assert listed(site, "KEPT") == ["_static/live/x-1.whl", "python/pyodide.js"]


def test_a_build_is_named_by_its_content(site):
    def build():
        write_site(site)
        return re.search("const BUILD = '(.*)'", (site / WORKER).read_text("utf8"))[1]

    first = build()
    assert build() == first
    (site / "notebooks/a.ipynb").write_text("changed", "utf8")      # kept by nobody
    assert build() == first
    (site / "chapters/a.html").write_text("<p>b", "utf8")
    assert build() != first


def test_the_archive_holds_the_site_and_not_itself(site):
    write_site(site)
    once = (site / ARCHIVE).read_bytes()
    write_site(site)
    assert (site / ARCHIVE).read_bytes() == once
    with zipfile.ZipFile(site / ARCHIVE) as archive:
        names = {name.partition("/")[2] for name in archive.namelist()}
        assert archive.read(f"derivations-you-can-run/{PAGE}") == (site / PAGE).read_bytes()
    assert names == {"index.html", "chapters/a.html", PAGE, "_static/live/x-1.whl", "notebooks/a.ipynb", WORKER,
                     "python/pyodide.js"}
    assert (site / PAGE).read_text("utf8") == '<span data-megabytes="archive">0.0</span>'


def test_turned_off_the_worker_keeps_nothing(site):
    write_site(site, offline=False)
    text = (site / WORKER).read_text("utf8")
    assert "unregister()" in text and "FILES" not in text and "'fetch'" not in text


@pytest.mark.parametrize("path, shown", [
    ("_static/live/config.json", True), ("_static/curvature/torus.js", True), ("_images/a.svg", True),
    ("assignments/a.zip", False), ("assignments/a.html", False), ("_cards/a.png", False),
    ("_static/live/a.whl", False), ("robots.txt", False), ("derivations.pdf", False)])
def test_what_pages_show(path, shown):
    assert is_shown(path) == shown


def test_the_page_for_unknown_addresses_has_relative_links():
    page = '<html><head></head><a href="/a.html"><img src="/b.png"><a href="https://c.test/"><form action="/s.html"></html>'
    placed = place_not_found(page, "/book/", ["chapters/", "a.b"])
    rest = json.loads(re.search("const REST = (.*);\n", placed)[1])
    assert re.findall('(?:href|src|action)="(.*?)"', rest) == ["a.html", "b.png", "https://c.test/", "s.html"]
    assert placed.count("</script>") == 1 and placed.startswith("<html><head>")
    assert 'const KNOWN = "/book/";\nconst NAMES = ["chapters/", "a\\\\.b"];' in placed
    assert place_not_found(placed, "/book/", []) == placed


def test_the_manifest_is_relative(tmp_path):
    write_manifest(tmp_path, "Title", "chapters/index.html")
    manifest = json.loads((tmp_path / "manifest.webmanifest").read_text("utf8"))
    addresses = [manifest["start_url"], manifest["scope"], *(icon["src"] for icon in manifest["icons"])]
    assert not [address for address in addresses if address.startswith(("/", "http"))]
    assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable"}
