"""The book without a network: kept by the service worker, installed, from a folder on disk; and unknown addresses.

The site's host is named book.localhost here: browsers reach this machine by it and allow a service worker, but the
book's script does not take it for an author's (on localhost no worker is started).
"""
import functools
import http.server
import json
import re
import shutil
import threading
import zipfile
from urllib.parse import urlsplit

import pytest
from browsers import watch
from derivations.book.offline import ARCHIVE, WORKER, is_shown, write_site
from icons import FOLDER, ICONS, render

START = "chapters/index.html"
TITLE = ".bd-article h1"        # the theme has another one, for print
READY = "navigator.serviceWorker.ready.then(() => true)"
KEPT = "caches.keys().then((names) => names.filter((name) => name.startsWith('derivations ')))"
BROKEN = """async () => {
    if (window.MathJax?.startup) await MathJax.startup.promise;
    await document.fonts.ready;
    const hidden = () => [...document.querySelectorAll('[data-live-figure]')].filter((figure) =>
        !figure.querySelector('svg') || figure.querySelector('.live-figure-controls').hidden);
    for (let tries = 0; tries < 100 && hidden().length; tries++) await new Promise((done) => setTimeout(done, 100));
    return [
        ...[...document.images].filter((image) => image.complete && !image.naturalWidth).map((image) => image.src),
        ...[...document.fonts].filter((font) => font.status === 'error').map((font) => font.family),
        ...hidden().map((figure) => figure.id),
    ];
}"""


class _Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        host, path = self.server.host, self.path.partition("?")[0]
        if not host.up:
            self.close_connection = True     # without a word: for the browser, the network is away
            return
        host.asked.append(path)
        if path in host.missing:
            self.send_error(503)
        else:
            super().do_GET()

    def send_error(self, code, *args, **more):
        """As hosts of static pages do it: an unknown address is answered with the site's own page."""
        own = self.server.host.folder / "404.html"
        if code != 404 or not own.is_file():
            super().send_error(code, *args, **more)
            return
        data = own.read_bytes()
        self.send_response(404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def end_headers(self):
        """Nothing is to come from the browser's ordinary cache."""
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def translate_path(self, path):
        """The site lies below ``host.prefix``."""
        host = self.server.host
        return super().translate_path(path[len(host.prefix) - 1:] if path.startswith(host.prefix) else "/nothing-here")

    def log_message(self, *_):
        """Keep the test report free of access lines."""


class Host:
    """A server that can go away, lose files and count what it is asked for."""

    def __init__(self, folder, prefix="/"):
        self.folder, self.prefix, self.up, self.asked, self.missing = folder, prefix, True, [], set()
        handler = functools.partial(_Handler, directory=str(folder))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.host = self
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://book.localhost:{self.server.server_port}{prefix}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def host_of():
    """Serve a folder."""
    hosts = []

    def served(folder, prefix="/"):
        hosts.append(Host(folder, prefix))
        return hosts[-1]

    yield served
    for host in hosts:
        host.close()


@pytest.fixture(scope="module")
def names(site):
    """All pages but for the root, which only leads on to the start page."""
    found = {path.relative_to(site).as_posix() for path in site.rglob("*.html") if "_static" not in path.parts}
    return sorted(found - {"index.html"})


FEW = {"index.html", "adamw", "schedules.html", "calculator.html", "reference", "offline.html", "riemann"}


@pytest.fixture
def small(site, tmp_path):
    """A copy of the site with a few of its pages, which a browser keeps quickly; mended by ``write_site``."""
    def left_out(folder, entries):
        if folder == str(site):
            return {"notebooks", "assignments", ARCHIVE} & set(entries)
        if "chapters" in folder:
            return set(entries) - FEW
        unused = re.compile(r".*\.(map|ttf)|fontawesome\.js|(?!tqdm).*\.whl")
        return {name for name in entries if unused.fullmatch(name)}

    folder = tmp_path / "site"
    shutil.copytree(site, folder, ignore=left_out)
    write_site(folder)
    return folder


def kept_by(page):
    """Wait until the book is kept."""
    page.evaluate(READY)


@pytest.fixture
def reader(page, small, host_of):
    """A page of a host, after the first visit; the host is ``page.host``."""
    page.host = host_of(small)
    page.goto(page.host.address + START)
    kept_by(page)
    page.host.asked.clear()
    return page


# ---------------------------------------------------------------- after one visit


def test_every_page_after_one_visit_of_one(page, site, names, host_of):
    host = host_of(site)
    page.goto(host.address + START)
    kept_by(page)
    host.up = False
    wrong = []
    for name in names:
        source = (site / name).read_text("utf8")
        page.goto(host.address + name)
        broken = page.evaluate(BROKEN)
        problems = page.problems + broken
        if 'class="math ' in source and not page.locator("mjx-container, math").count():
            problems.append("no formula is typeset")
        wrong += [f"{name}: {problem}" for problem in problems]
        page.problems.clear()
    assert not wrong, "\n".join(wrong)


def test_what_is_only_for_download_is_not_kept(site):
    worker = (site / WORKER).read_text("utf8")
    files = json.loads(re.search(r"FILES = (\{.*?\});", worker, re.DOTALL)[1])
    assert {START, "search.html", "searchindex.js", "404.html", "_static/live/config.json"} <= set(files)
    assert not [name for name in files if re.search(r"\.(whl|ipynb|zip|map|pdf|epub)$", name)]
    assert sum((site / name).stat().st_size for name in files) < 25e6
    asked = json.loads(re.search(r"KEPT = (\[.*?\]);", worker)[1])
    assert all(name.endswith(".whl") for name in asked) and len(asked) >= 4


def test_a_figure_answers_and_its_address_leads_back(reader):
    page = reader
    page.host.up = False
    page.goto(page.host.address + "chapters/adamw/schedules.html?from=mail")
    slider = page.locator("[data-live-figure] input[type=range]").first
    picture = page.locator("[data-live-figure] .live-figure-picture").first
    before = picture.inner_html()
    slider.press("ArrowLeft" if slider.evaluate("input => input.value === input.max") else "ArrowRight")
    page.wait_for_function("([picture, before]) => picture.innerHTML !== before", arg=[picture.element_handle(), before])
    page.wait_for_function("() => location.hash.startsWith('#fig-')")
    moved, address = picture.inner_html(), page.url
    assert "?from=mail#fig-" in address
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_function("([picture, moved]) => document.querySelector(picture).innerHTML === moved",
                           arg=["[data-live-figure] .live-figure-picture", moved])
    assert not page.problems


def test_what_the_visit_looks_for_it_finds(reader):
    """With two files missing among those that are kept, and a figure that has lost its picture."""
    page = reader
    lost = [page.host.address + path for path in ("_static/site.css", "_static/live-figures.js")]
    assert page.evaluate("""async (lost) => {
        const cache = await caches.open((await caches.keys())[0]);
        return Promise.all(lost.map((address) => cache.delete(address)));
    }""", lost) == [True, True]
    page.host.up = False
    page.goto(page.host.address + "chapters/adamw/schedules.html")
    assert page.evaluate(BROKEN.replace("tries < 100", "tries < 1"))
    assert [address for address in lost if address in str(page.problems)] == lost


def test_python_is_kept_once_it_was_asked_for(reader, small):
    page = reader
    wheel = next(small.glob("_static/live/tqdm-*.whl"))
    address = page.host.address + wheel.relative_to(small).as_posix()
    size = "address => fetch(address).then((answer) => answer.blob()).then((blob) => blob.size, () => 0)"
    page.goto(page.host.address + START)
    page.host.up = False
    assert page.evaluate(size, address) == 0
    page.host.up = True
    assert page.evaluate(size, address) == wheel.stat().st_size
    page.wait_for_function(f"caches.match({json.dumps(address)}).then(Boolean)")
    page.host.up = False
    assert page.evaluate(size, address) == wheel.stat().st_size


def test_search_finds_and_quotes(reader):
    page = reader
    page.host.up = False
    page.goto(page.host.address + "search.html?q=schedule")
    page.locator("ul.search li a").first.wait_for()
    page.locator("ul.search p.context").first.wait_for()


def test_a_calculator_fetches_its_prepared_answers(reader):
    page = reader
    page.host.up = False
    page.goto(page.host.address + "chapters/riemann/calculator.html")
    assert page.evaluate("""() => new Promise((done, failed) => {
        window.derivationsCurvature = (name) => done(name);
        const script = document.createElement('script');
        script.src = '../../_static/curvature/torus.js';
        script.onerror = failed;
        document.head.append(script);
    })""") == "torus"


def test_an_unknown_address(reader):
    page = reader
    page.host.up = False
    answer = page.goto(page.host.address + "chapters/deep/down/nothing.html?x=1")
    assert answer.status == 404
    assert_not_found_page(page, page.host.address)
    assert page.evaluate("Math.max(...[...document.styleSheets].map(sheet => sheet.cssRules.length))") > 100


def test_other_hosts_and_downloads_are_left_alone(reader):
    page = reader
    page.host.up = False
    with pytest.raises(Exception, match="ERR_"):
        page.context.new_page().goto(page.host.address + "notebooks/index.ipynb")
    page.goto(page.host.address + START)
    assert page.evaluate("fetch('http://127.0.0.1:9/').catch((error) => error.name)") == "TypeError"


def test_a_new_page_of_the_site_gets_the_sites_new_files(reader, small):
    """The old build does not know it; so its files must not come from the old build."""
    page = reader
    new = (small / START).read_text("utf8").replace("/site.css?v=", "/site.css?v=new")
    (small / "chapters/new.html").write_text(new, "utf8")
    with (small / "_static/site.css").open("a") as styles:
        styles.write("html { --build: new; }")
    build = "getComputedStyle(document.documentElement).getPropertyValue('--build').trim()"
    page.goto(page.host.address + "chapters/new.html")
    assert page.evaluate(build) == "new"
    page.goto(page.host.address + START)
    assert page.evaluate(build) == ""


# ---------------------------------------------------------------- a new version


def change(folder, text):
    """Make a new build with one page changed."""
    page = folder / "chapters/adamw/schedules.html"
    page.write_text(re.sub(r"(<section[^>]*>\s*<h1>)[^<]*", rf"\g<1>{text}", page.read_text("utf8"), count=1), "utf8")
    write_site(folder)


def heading(page):
    return page.locator(TITLE).first.text_content()


def test_a_new_version_waits_and_then_replaces_the_old_one_whole(reader, small):
    page, old = reader, reader.evaluate(KEPT)
    page.goto(page.host.address + START)
    other = watch(page.context.new_page())
    other.goto(page.host.address + "chapters/adamw/schedules.html")
    before = heading(other)
    change(small, "The new version")
    page.host.asked.clear()
    page.goto(page.host.address + "search.html")
    bar = page.get_by_role("region", name="New version")
    bar.get_by_role("status").filter(has_text="A new version").wait_for()
    # Only what has changed was fetched: the page itself (and the page of sizes, if one changed).
    asked = {path for path in page.host.asked if path != f"/{WORKER}"}
    assert "/chapters/adamw/schedules.html" in asked
    assert asked <= {"/chapters/adamw/schedules.html", "/chapters/reference/offline.html"}
    # Until then, every page is of the old version.
    page.goto(page.host.address + "chapters/adamw/schedules.html")
    assert heading(page) == before
    bar.get_by_role("button", name="Load it").press("Enter")
    for one in (page, other):
        one.locator(TITLE, has_text="The new version").wait_for()
    page.wait_for_function(f"async (old) => (await {KEPT}).length === 1 && (await {KEPT})[0] !== old", arg=old[0])
    page.host.up = False
    page.goto(page.host.address + START)
    assert bar.count() == 0
    assert not page.problems and not other.problems


def test_a_new_version_takes_over_when_the_old_one_is_closed(reader, small):
    page = reader
    page.goto(page.host.address + START)
    change(small, "The new version")
    page.reload()
    bar = page.get_by_role("region", name="New version")
    bar.get_by_role("button", name="Later").click()
    page.reload()
    page.wait_for_function("navigator.serviceWorker.getRegistration().then((one) => Boolean(one.waiting))")
    assert bar.count() == 0
    page.goto("about:blank")
    again = watch(page.context.new_page())

    def loaded():
        again.goto(page.host.address + "chapters/adamw/schedules.html")
        new = "The new version" in heading(again)
        again.goto("about:blank")
        return new

    until(loaded)


def until(condition, tries=60):
    """Wait for something that the page cannot tell."""
    pause = threading.Event()
    for _ in range(tries):
        if condition():
            return
        pause.wait(0.25)
    pytest.fail("did not happen")


def test_a_half_uploaded_version_is_not_taken(reader, small):
    page, old = reader, reader.evaluate(KEPT)
    file = small / "chapters/adamw/schedules.html"
    was = file.read_bytes()
    change(small, "The new version")
    new = file.read_bytes()
    file.write_bytes(was)                # the worker is there, this file not yet
    page.goto(page.host.address + START)
    page.wait_for_function("""navigator.serviceWorker.getRegistration()
        .then((one) => one.update()).then((one) => !one.installing && !one.waiting, () => true)""")
    until(lambda: page.evaluate(KEPT) == old)
    file.write_bytes(new)
    page.goto(page.host.address + START)
    page.get_by_role("region", name="New version").wait_for()


# ---------------------------------------------------------------- what goes wrong


def failed_install(page):
    """Wait until the first install has been given up."""
    page.wait_for_function("""navigator.serviceWorker.getRegistration()
        .then((one) => !one || !(one.installing || one.waiting || one.active))""")


def test_an_install_that_breaks_off_leaves_nothing(page, small, host_of):
    host = host_of(small)
    host.missing.add("/searchindex.js")
    page.goto(host.address + "chapters/reference/offline.html")
    page.locator("[data-offline-status=failed]").wait_for()
    assert page.evaluate(KEPT) == []
    page.problems = [problem for problem in page.problems if "searchindex" not in problem]     # the page misses it, too
    assert not page.problems
    host.missing.clear()
    page.goto(host.address + "chapters/reference/offline.html")
    page.locator("[data-offline-status=kept]").wait_for()
    host.up = False
    page.goto(host.address + START)
    assert not page.problems


def test_too_little_room(page, small, host_of):
    host = host_of(small)
    session = page.context.new_cdp_session(page)
    session.send("Storage.overrideQuotaForOrigin", {"origin": host.address.rstrip("/"), "quotaSize": 1_000_000})
    page.goto(host.address + "chapters/reference/offline.html")
    page.locator("[data-offline-status=failed]").wait_for()
    assert page.evaluate(KEPT) == []
    assert not page.problems


def test_turned_off_it_removes_itself(reader, small):
    page = reader
    page.goto(page.host.address + START)
    page.evaluate("caches.open('another site on this host')")
    for path in small.rglob("*.html"):
        path.write_text(re.sub(r"<script[^>]*/offline\.js[^>]*></script>", "", path.read_text("utf8")), "utf8")
    write_site(small, offline=False)
    page.reload()       # the old worker answers; then the page opens anew, from the network
    page.wait_for_function("!document.querySelector('script[src*=\"/offline.js\"]')")
    page.wait_for_function("navigator.serviceWorker.getRegistration().then((one) => !one)")
    page.wait_for_function("caches.keys().then((names) => names.join() === 'another site on this host')")
    page.goto(page.host.address + "chapters/adamw/schedules.html")
    assert page.evaluate("navigator.serviceWorker.controller") is None
    assert not page.problems


def test_a_reader_who_saves_data_is_asked(page, small, host_of):
    page.add_init_script("Object.defineProperty(NetworkInformation.prototype, 'saveData', {get: () => true})")
    host = host_of(small)
    page.goto(host.address + "chapters/reference/offline.html")
    button = page.get_by_role("button", name="Fetch the book now")
    button.wait_for()
    assert page.evaluate("navigator.serviceWorker.getRegistration().then((one) => !one)")
    button.click()
    page.locator("[data-offline-status=kept]").wait_for()


def test_authors_see_what_they_have_built(page, small, host_of):
    host = host_of(small)
    page.goto(host.address.replace("book.localhost", "localhost") + "chapters/reference/offline.html")
    page.locator("[data-offline-status=author]").wait_for()
    page.wait_for_load_state("networkidle")
    assert page.evaluate("navigator.serviceWorker.getRegistration().then((one) => !one)")
    assert f"/{WORKER}" not in host.asked and not page.problems


def test_without_https_nothing_is_said(browser, small, host_of):
    host = host_of(small)
    port = urlsplit(host.address).port
    context = browser.new_context()
    page = watch(context.new_page())
    # To the browser this is a plain http address somewhere: answered from the folder.
    page.route("http://plain.test/**", lambda route: route.fulfill(
        response=route.fetch(url=route.request.url.replace("http://plain.test", f"http://127.0.0.1:{port}"))))
    page.goto("http://plain.test/chapters/reference/offline.html")
    page.locator("[data-offline-status=unable]").wait_for()
    assert page.evaluate("[isSecureContext, 'serviceWorker' in navigator]") == [False, False]
    assert not page.problems
    context.close()


# ---------------------------------------------------------------- a site in a folder; unknown addresses


def assert_not_found_page(page, root):
    assert heading(page).startswith("This page is not in the book")
    links = page.eval_on_selector_all("a[href]", "links => links.map((link) => link.href)")
    # A search before has left its own link, which hides what it has marked.
    outside = [link for link in links if not link.startswith((root, "javascript:"))]
    assert not outside, outside[:5]
    assert root + START in links
    # The skip link stays on this page.
    assert f"{page.url.partition('#')[0]}#main-content" in links
    assert page.evaluate("getComputedStyle(document.querySelector('.skip-link')).position") == "fixed"
    assert page.locator("form.not-found").evaluate("form => form.action") == root + "search.html"


def test_a_site_in_a_folder_of_its_host(page, small, host_of):
    host = host_of(small, "/some/book/")
    page.goto(host.address + START)
    kept_by(page)
    assert page.evaluate("navigator.serviceWorker.ready.then((one) => one.scope)") == host.address
    host.up = False
    page.goto(host.address + "chapters/adamw/schedules.html")
    page.goto(host.address)
    page.wait_for_url("**/" + START)
    assert not page.problems
    page.goto(host.address + "nothing/here")
    assert_not_found_page(page, host.address)
    with pytest.raises(Exception, match="ERR_"):
        page.goto(host.address.replace("/some/book/", "/another/"))


@pytest.mark.parametrize("prefix, path", [
    ("/", "nothing.html"), ("/", "a/b/c/"), ("/", "chapters/a/b.html"), ("/", "404.html"), ("/some/book/", "404.html"),
    ("/some/book/", "chapters/adamw/old.html?x=1"), ("/some/book/", "_static/x/y.html")])
def test_an_unknown_address_online(browser, small, host_of, prefix, path):
    host = host_of(small, prefix)
    context = browser.new_context(service_workers="block")
    page = watch(context.new_page())
    page.goto(host.address + path)
    assert_not_found_page(page, host.address)
    # Nothing is asked for in a wrong folder; the address itself is all that is missing.
    assert page.problems == [] or len(page.problems) == 1 and path.partition("?")[0] in page.problems[0], page.problems
    page.get_by_label("Search the book for").fill("schedule")
    page.get_by_role("button", name="Search", exact=True).last.click()
    page.locator("ul.search li a").first.wait_for()
    context.close()


# ---------------------------------------------------------------- installed


def test_the_book_can_be_installed(reader):
    page = reader
    session = page.context.new_cdp_session(page)
    page.goto(page.host.address + "chapters/adamw/schedules.html")
    given = session.send("Page.getAppManifest")
    assert given["url"] == page.host.address + "manifest.webmanifest"
    assert not given["errors"]
    manifest = json.loads(given["data"])
    assert {"192x192", "512x512", "any"} <= {icon["sizes"] for icon in manifest["icons"]}
    icons = [page.host.address + icon["src"] for icon in manifest["icons"]]
    icons.append(page.locator("link[rel=apple-touch-icon]").evaluate("link => link.href"))
    assert page.evaluate("icons => Promise.all(icons.map((one) => fetch(one).then((answer) => answer.ok)))",
                         icons) == [True] * 5
    # A private window, such as a test's, is the one thing that stands in the way.
    found = [error["errorId"] for error in session.send("Page.getInstallabilityErrors")["installabilityErrors"]]
    assert set(found) <= {"in-incognito"}, found
    assert page.locator("meta[name=theme-color]").count() == 2


def test_icons_are_drawn_from_the_favicon(browser):
    """Made by ``python tests/icons.py``; another version of the browser may round a pixel's colour otherwise."""
    page = browser.new_page()
    for name, (size, full) in ICONS.items():
        pictures = [list(data) for data in ((FOLDER / name).read_bytes(), render(browser, size, full))]
        differ = page.evaluate("""async (pictures) => {
            const pixels = await Promise.all(pictures.map(async (bytes) => {
                const picture = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
                const canvas = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
                canvas.drawImage(picture, 0, 0);
                return canvas.getImageData(0, 0, picture.width, picture.height).data;
            }));
            if (pixels[0].length !== pixels[1].length) return 1;
            return pixels[0].filter((value, i) => Math.abs(value - pixels[1][i]) > 16).length / pixels[0].length;
        }""", pictures)
        assert differ < 1e-3, name
    page.close()


# ---------------------------------------------------------------- a folder on a disk


@pytest.fixture(scope="module")
def unpacked(site, tmp_path_factory):
    """The archive of the site, unpacked."""
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(site / ARCHIVE) as archive:
        archive.extractall(folder)
    return folder / "derivations-you-can-run"


def test_the_archive_is_the_site(site, unpacked):
    shown = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    shown = {path for path in shown if is_shown(path)}
    assert len(shown) > 100
    for path in shown | {WORKER}:
        assert (unpacked / path).read_bytes() == (site / path).read_bytes(), path
    assert not (unpacked / ARCHIVE).exists()


def test_every_page_from_a_disk(page, unpacked, names):
    wrong = []
    for name in names:
        page.goto((unpacked / name).as_uri())
        broken = page.evaluate(BROKEN)
        problems = page.problems + broken
        problems += [address for address in page.addresses if not address.startswith(("file:", "data:", "blob:"))]
        links = page.eval_on_selector_all("a[href^='..'], a[href$='/']", "links => links.map((link) => link.href)")
        problems += [link for link in links if link.startswith("file:") and link.partition("#")[0].endswith("/")]
        wrong += [f"{name}: {problem}" for problem in problems]
        page.problems.clear()
        page.addresses.clear()
    assert not wrong, "\n".join(wrong)


def test_a_folder_answers(page, unpacked):
    page.goto((unpacked / "search.html").as_uri() + "?q=schedule")
    page.locator("ul.search li a").first.wait_for()
    page.goto((unpacked / "404.html").as_uri())
    assert_not_found_page(page, unpacked.as_uri() + "/")
    page.goto((unpacked / "chapters/reference/offline.html").as_uri())
    page.locator("[data-offline-status=file]").wait_for()
    assert page.locator("a[href$='.zip']").count() == 0
    assert not page.problems
