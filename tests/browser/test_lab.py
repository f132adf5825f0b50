"""An exported chapter in JupyterLab: open it by a double click, run all its cells, move a slider."""
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

CHAPTER = "riemann/loop.ipynb"
WAIT = 60_000  # milliseconds for JupyterLab to start and for the chapter to run


@pytest.fixture
def lab(site, tmp_path):
    """Address of a JupyterLab whose folder holds the exported chapter, with settings of its own."""
    work = tmp_path / "notebooks"
    (work / CHAPTER).parent.mkdir(parents=True)
    shutil.copy(site / "notebooks" / CHAPTER, work / CHAPTER)
    # All cells in the page at once, so that the test can look at them.
    settings = tmp_path / "set/@jupyterlab/notebook-extension/tracker.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"windowingMode": "none"}', "utf8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DERIVATIONS_")}
    environment |= {"JUPYTER_CONFIG_DIR": str(tmp_path / "config"), "JUPYTER_DATA_DIR": str(tmp_path / "data"),
                    "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"), "JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "set"),
                    "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "workspaces"), "IPYTHONDIR": str(tmp_path / "ipython")}
    command = [str(Path(sys.executable).parent / "jupyter-lab"), "--no-browser", "--allow-root", "--port=0",
               "--IdentityProvider.token=", f"--notebook-dir={work}", "--LabApp.news_url=",
               "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate"]
    log = (tmp_path / "lab.log").open("w")
    server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield _address(tmp_path / "runtime", server, tmp_path / "lab.log")
    finally:
        server.terminate()
        server.wait(20)
        log.close()


def _address(runtime, server, log):
    """Wait for the file in which the server writes its address."""
    for _ in range(300):
        for path in runtime.glob("jpserver-*.json"):
            return json.loads(path.read_text("utf8"))["url"]
        assert server.poll() is None, log.read_text("utf8")
        time.sleep(0.1)
    raise AssertionError(log.read_text("utf8"))


def test_a_chapter_runs_in_jupyterlab(lab, page):
    page.set_default_timeout(WAIT)
    page.set_viewport_size({"width": 1300, "height": 900})
    page.goto(lab + "lab/tree/riemann")
    page.locator(".jp-DirListing-item", has_text=Path(CHAPTER).name).dblclick()
    page.locator(".jp-Notebook").wait_for()
    page.locator("text=Python 3 (ipykernel) | Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function("""() => {
        const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(node => node.textContent);
        const failed = document.querySelector('[data-mime-type="application/vnd.jupyter.error"]');
        return failed || prompts.length > 2 && prompts.every(text => /\\[\\d+\\]:/.test(text));
    }""")
    loud = page.locator("[data-mime-type='application/vnd.jupyter.error'], [data-mime-type='application/vnd.jupyter.stderr']")
    assert loud.all_inner_texts() == []

    figure = page.locator(".jp-OutputArea .widget-vbox", has=page.locator("svg")).first
    figure.scroll_into_view_if_needed()
    handle, picture = figure.locator(".noUi-handle").first, figure.locator("[role=img]")
    before, sentence = picture.inner_html(), picture.get_attribute("aria-label")
    handle.focus()
    handle.press("ArrowRight")
    page.wait_for_function("([node, before]) => node.querySelector('[role=img]').innerHTML !== before",
                           arg=[figure.element_handle(), before])
    assert picture.get_attribute("aria-label") != sentence
    assert figure.locator("svg").count() == 1, "redrawn in place, not appended"
