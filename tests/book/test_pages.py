"""Repairs of the theme's pages."""
import re

import pytest

from derivations.book.pages import lighten, repair

PAGE = """<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<script defer src="../_static/scripts/fontawesome.js?digest=1"></script>
<script src="../_static/sphinx-thebe.js?v=1"></script>
<script>const THEBE_JS_URL = "https://unpkg.com/thebe";</script>
<script type="text/x-thebe-config">{}</script><script>kernelName = 'python3'</script>
<script src="../_static/documentation_options.js"></script>
<script src="../_static/doctools.js"></script>
<script src="../_static/searchtools.js"></script><script src="../searchindex.js"></script>
<script src="../_static/design-tabs.js"></script><script>let toggleHintShow = 'Click';</script>
<script src="../_static/togglebutton.js"></script><script src="../_static/copybutton.js"></script>
<link rel="preload" as="script" href="../_static/scripts/bootstrap.js" />
<script defer src="../_static/scripts/bootstrap.js"></script>
<button class="btn" data-bs-title="Color mode" data-bs-placement="bottom" data-bs-toggle="tooltip"></button>
<div role="doc-biblioentry"></div>
"""


def test_repair_drops_what_loads_from_elsewhere():
    repaired = repair(PAGE)
    assert re.findall(r"<script[^>]*>", repaired) == [
        '<script src="../_static/documentation_options.js">', '<script defer src="../_static/doctools.js">']
    assert repaired.count("viewport") == 1 and "preload" not in repaired
    assert '<button class="btn" title="Color mode"></button>' in repaired
    assert "doc-biblioentry" not in repaired


def test_repairing_twice_changes_nothing():
    assert repair(repair(PAGE)) == repair(PAGE)


@pytest.mark.parametrize("used, script", [
    ('<div id="search-results">', "searchindex"), ('<input class="sd-tab-input">', "design-tabs"),
    ('<div class="solution dropdown admonition">', "togglebutton"), ('<div class="highlight">', "copybutton"),
])
def test_a_script_stays_where_it_is_used(used, script):
    assert f"{script}.js" not in repair(PAGE)
    assert f"{script}.js" in repair(PAGE + used)


def test_scripts_of_the_theme_are_quiet(tmp_path):
    (tmp_path / "scripts").mkdir()
    path = tmp_path / "scripts/theme.js"
    script = "e=1,console.log(`to ${e.a(1)} mode`),a();x&&console.error('kept')"
    path.write_text(script + "\n//# sourceMappingURL=theme.js.map")
    (tmp_path / "scripts/theme.js.map").touch()
    (tmp_path / "locales").mkdir()
    lighten(tmp_path)
    assert path.read_text() == "e=1,void 0,a();x&&console.error('kept')"
    assert [found.name for found in tmp_path.rglob("*")] == ["scripts", "theme.js"]
