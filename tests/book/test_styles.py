"""The shared style sheet: thinned out by what pages use, with the icons inside."""
import base64
import io
import re

import pytest
from fontTools.ttLib import TTFont

from derivations.book import styles

PAGE = """<link href="../_static/a.css?digest=1" rel="stylesheet" />
<link rel="stylesheet" type="text/css" href="../_static/sub/b.css?v=2" />
<link rel="stylesheet" media="print" href="../_static/paper.css" />
<link rel="stylesheet" href="../_static/own.css?v=3">
<div class="used sd-card"></div>"""


@pytest.mark.parametrize("rule, left", [
    (".used{color:red}", ".used{color:red}\n"),
    (".unused{color:red}", ""),
    (".used,.unused{color:red}", ".used{color:red}\n"),
    (".used .unused{color:red}", ""),
    (":is(.unused, .used){color:red}", ":is(.unused, .used){color:red}\n"),
    (".used:not(.unused){color:red}", ".used:not(.unused){color:red}\n"),
    ('a[href$=".unused"]{color:red}', 'a[href$=".unused"]{color:red}\n'),
    ("@media print{.unused{color:red}.used{color:red}}", "@media print{\n.used{color:red}\n}\n"),
    ("@media print{.unused{color:red}}", ""),
    ("/* talk */ /*! licence */", "/*! licence */\n"),
    ("@font-face{font-family:F}", "@font-face{font-family:F}\n"),
    ("a{}\na{color:red}", "a{}\na{color:red}\n"),
])
def test_only_what_can_match_stays(rule, left):
    assert styles.thin_out(rule, {"used"}) == left


def test_what_is_no_css_is_an_error():
    with pytest.raises(ValueError, match="no CSS"):
        styles.thin_out("a{color:red} }", set())


@pytest.fixture
def out(tmp_path):
    static = tmp_path / "_static"
    (static / "sub").mkdir(parents=True)
    (static / "vendor/fontawesome").mkdir(parents=True)
    (static / "basic.css").write_text("p{margin:0}")
    (static / "a.css").write_text('@import "basic.css"; .used{color:red}')
    (static / "sub/b.css").write_text('.used{background:url(../c.png)} .unused{color:blue}')
    (static / "own.css").write_text("i{}")
    return tmp_path


def test_sheets_become_one(out):
    other = PAGE.replace('<link rel="stylesheet" href="../_static/own.css?v=3">', "")
    pages = {out / "x/1.html": PAGE, out / "x/2.html": other, out / "index.html": "<p>leads on</p>"}
    styles.merge(out, pages)
    assert (out / "_static/site.css").read_text() == 'p{margin:0}\n.used{color:red}\n.used{background:url("c.png")}\n'
    assert re.findall(r'href="([^"?]*)', pages[out / "x/1.html"]) == [
        "../_static/site.css", "../_static/paper.css", "../_static/own.css"]
    assert re.findall(r'href="([^"?]*)', pages[out / "x/2.html"]) == ["../_static/site.css", "../_static/paper.css"]
    assert pages[out / "index.html"] == "<p>leads on</p>"
    assert sorted(path.name for path in (out / "_static").rglob("*.css")) == ["own.css", "site.css"]


def test_a_later_build_of_one_page_changes_the_sheet_of_all(out):
    """Sphinx writes one page anew, and all static files; a class that was not used before comes in."""
    pages = {out / "x/1.html": PAGE, out / "x/2.html": PAGE}
    sources = {path: path.read_text() for path in (out / "_static").rglob("*.css")}
    styles.merge(out, pages)
    first = dict(pages)
    for path, text in sources.items():
        path.write_text(text)
    (out / "_static/vendor/fontawesome").mkdir()
    pages[out / "x/1.html"] = PAGE.replace("sd-card", "unused")
    styles.merge(out, pages)
    assert ".unused" in (out / "_static/site.css").read_text()
    assert pages[out / "x/2.html"] != first[out / "x/2.html"]
    links = {re.search(r"<link[^>]*site\.css[^>]*>", page)[0] for page in pages.values()}
    assert len(links) == 1


def test_nothing_written_nothing_done(out):
    pages = {out / "x/1.html": PAGE}
    styles.merge(out, pages)
    before = dict(pages), (out / "_static/site.css").read_bytes()
    styles.merge(out, pages)
    assert (pages, (out / "_static/site.css").read_bytes()) == before


def test_icons_of_the_site_are_inside_its_sheet(site):
    """All that a rule draws is there: by number, and as the letter itself (the bells of admonitions)."""
    sheet = (site / "_static/site.css").read_text("utf8")
    found = set()
    for data in re.findall(r"font/woff2;base64,([^\")]+)", sheet):
        found |= set(TTFont(io.BytesIO(base64.b64decode(data))).getBestCmap())
    private = {int(code, 16) for code in re.findall(r"\\(f[0-9a-f]{3})\b", sheet)}
    private |= {ord(letter) for letter in sheet if 0xE000 <= ord(letter) < 0xF900}
    assert len(private) > 20
    assert private - found <= {0xF09B, 0xF296}      # GitHub and GitLab: the theme names them, and no page shows them
    assert "fontawesome/webfonts" not in sheet


def test_every_class_of_an_icon_has_its_rule(site):
    sheet = (site / "_static/site.css").read_text("utf8")
    used = set()
    for path in (site / "chapters").rglob("*.html"):
        used |= set(re.findall(r'<(?:i|span) class="fa-?[a-z]* (fa-[a-z-]+)', path.read_text("utf8")))
    assert {"fa-bars", "fa-magnifying-glass"} <= used
    assert not {name for name in used if f".{name}" not in sheet}
