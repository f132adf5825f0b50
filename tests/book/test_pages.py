"""Repairs of the theme's pages."""
from derivations.book.pages import repair

PAGE = """<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<script defer src="../_static/scripts/fontawesome.js?digest=1"></script>
<script src="../_static/sphinx-thebe.js?v=1"></script>
<script>const THEBE_JS_URL = "https://unpkg.com/thebe";</script>
<script type="text/x-thebe-config">{}</script><script>kernelName = 'python3'</script>
<script src="../_static/doctools.js"></script>
<div role="doc-biblioentry"></div>
"""


def test_repair_drops_what_loads_from_elsewhere():
    repaired = repair(PAGE)
    assert repaired.count("<script") == 1 and "doctools.js" in repaired
    assert repaired.count("viewport") == 1
    assert "doc-biblioentry" not in repaired


def test_repairing_twice_changes_nothing():
    assert repair(repair(PAGE)) == repair(PAGE)
