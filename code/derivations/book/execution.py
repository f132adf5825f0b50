"""Execute the chapters in parallel, once for each state of the code behind them.

jupyter-cache recognises a notebook by the text of its cells and its kernel. A chapter's figures also depend on the
package, on the pinned requirements and on the version of Python. So the cache lives in a folder named by a hash of
these. The folder's name is a Sphinx setting: when it changes, Sphinx itself sees a changed
configuration and reads every page again.
"""
import hashlib
import logging as python_logging
import os
import re
import shutil
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path, PurePosixPath

from jupyter_cache import get_cache
from jupyter_cache.executors.utils import create_cache_bundle, single_nb_execution
from myst_nb.core.read import is_myst_markdown_notebook
from sphinx.errors import ExtensionError
from sphinx.util import logging

logger = logging.getLogger(__name__)

BAKE = "DERIVATIONS_BAKE"
"""Environment variable: "1" makes ``explore`` prepare its figures for the site instead of making widgets."""

CHAPTER = "DERIVATIONS_CHAPTER"
"""Environment variable: name of the only chapter to execute, for authors (``make book CHAPTER=riemann/loop``)."""

READER = {"type": "plugin", "name": "myst_nb_md"}
"""How jupyter-cache reads a chapter."""
_SKIPPED_PARTS = {"__pycache__", ".ipynb_checkpoints"}
_CACHES_KEPT = 3


def source_files(root):
    """Files whose content the outputs of the chapters depend on, sorted.

    Parameters
    ----------
    root : pathlib.Path
        Folder of the book, which holds ``code/`` and the requirements.

    Returns
    -------
    list of pathlib.Path
    """
    book = root / "code" / "derivations" / "book"   # it makes pages from outputs: no cell imports it
    code = [
        path for path in (root / "code").rglob("*")
        if path.is_file() and not _SKIPPED_PARTS & set(path.parts) and ".egg-info" not in str(path)
        and (book not in path.parents or path.name == Path(__file__).name)
    ]
    return sorted(code) + [path for path in (root / "requirements.txt", root / "constraints.txt") if path.is_file()]


def cache_key(root):
    """Name of the execution cache for the present state of the code.

    Parameters
    ----------
    root : pathlib.Path
        Folder of the book.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    digest = hashlib.sha256(f"baked with Python {sys.version_info[:2]}".encode())
    for path in source_files(root):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        # Line ends differ between systems when git converts them; they must not change the key.
        digest.update(path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()[:16]


def _remove_old_caches(folder, current):
    """Keep the newest few caches, so that switching back and forth between two states is cheap."""
    if folder.is_dir():
        old = sorted((p for p in folder.iterdir() if p.is_dir() and p.name != current), key=lambda p: p.stat().st_mtime)
        for path in old[:-_CACHES_KEPT]:
            shutil.rmtree(path)


def configure(app, config):
    """``config-inited``: set the bake switch and the cache folder, before any kernel starts."""
    root = Path(app.srcdir)
    _check_package(root)
    # Set whatever the environment says: a site without prepared figures would be built without a word.
    os.environ[BAKE] = "1"
    # One thread a kernel: the chapters already run in parallel, and sums come out the same on every machine.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    folder = Path(app.outdir).parent / ".jupyter_cache"
    key = cache_key(root)
    _remove_old_caches(folder, key)
    config.nb_execution_cache_path = str(folder / key)
    config.nb_execution_mode = "cache"
    config.nb_execution_raise_on_error = True
    config.derivations_book = _own_checksum()
    only = only_chapter(root)
    config.derivations_chapter = str(only or "")
    if only:
        _be_quiet_about_others(only.relative_to(root).with_suffix("").as_posix())
    # Only a build that ended well leaves the mark. After any other (a warning, an error, an interruption) Sphinx would
    # take the pages that it had read as done, and the next build would pass without a word.
    mark = _mark(app)
    if not mark.is_file():
        shutil.rmtree(app.doctreedir, ignore_errors=True)
    mark.unlink(missing_ok=True)


def _own_checksum():
    """Changes with this extension: pages that an older one has read may lack what this one puts into them."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _mark(app):
    return Path(app.doctreedir) / "ended-well"


def _be_quiet_about_others(chapter):
    """Chapters that are shown without being run lack their numbers; a warning for each would hide those that count."""
    def keep(record):
        return getattr(record, "subtype", None) != "glue" or chapter in str(getattr(record, "location", chapter))

    for handler in python_logging.getLogger("sphinx").handlers:
        handler.addFilter(keep)


def _check_package(root):
    """The cache's key is made from ``code/`` of this book, so the chapters must import that same code."""
    import derivations
    there = Path(derivations.__file__).resolve().parent
    here = (root / "code" / "derivations").resolve()
    if here.is_dir() and here != there:
        raise ExtensionError(f"the chapters would import derivations from {there}, not from this book's {here}: "
                             "install the requirements of this book in an environment of its own")


def only_chapter(root):
    """The only chapter that an author wants to execute.

    Parameters
    ----------
    root : pathlib.Path
        Folder of the book.

    Returns
    -------
    pathlib.Path or None
        None if all chapters are to be executed.

    Raises
    ------
    sphinx.errors.ExtensionError
        If the environment variable names no chapter.
    """
    name = os.environ.get(CHAPTER, "").removesuffix(".md")
    if not name:
        return None
    path = root / "chapters" / f"{name}.md"
    if not path.is_file():
        raise ExtensionError(f"{CHAPTER}={name!r} names no chapter: chapters/{name}.md does not exist")
    return path


def _notebooks(app, env, docnames):
    """Paths of the notebooks to execute among the documents."""
    paths = [Path(env.doc2path(docname)) for docname in docnames]
    excluded = app.env.mystnb_config.execution_excludepatterns
    found = [path for path in paths if path.suffix == ".md" and is_myst_markdown_notebook(path.read_text("utf8"))
             and not any(PurePosixPath(path.as_posix()).match(pattern) for pattern in excluded)]
    only = only_chapter(Path(app.srcdir))
    if only is None:
        return found
    # The other chapters are shown without being run; a pattern of ``PurePath.match`` may be a whole path.
    skipped = [path.as_posix() for path in found if path != only]
    app.env.mystnb_config = app.env.mystnb_config.copy(execution_excludepatterns=[*excluded, *skipped])
    return [path for path in found if path == only]


def _run(notebook, timeout):
    return single_nb_execution(notebook.nb, cwd=str(Path(notebook.uri).parent), timeout=timeout, allow_errors=False,
                               extra_arguments=["--log-level=ERROR"])


def _trim(traceback):
    """The part of nbclient's message that an author needs: the cell and its traceback, without terminal colours."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", traceback)
    return plain[plain.find("An error occurred"):] if "An error occurred" in plain else plain


def execute(app, env, docnames):
    """``env-before-read-docs``: run the chapters whose outputs are not in the cache, as many at once as cores."""
    cache = get_cache(app.env.mystnb_config.execution_cache_path)
    paths = _notebooks(app, env, docnames)
    records = [cache.add_nb_to_project(str(path), read_data=READER) for path in sorted(paths)]
    waiting = [cache.get_project_notebook(r.pk) for r in records if cache.get_cached_project_nb(r.pk) is None]
    app.derivations_executed = {}
    if not waiting:
        return
    name = {nb.uri: Path(nb.uri).relative_to(app.srcdir).with_suffix("").as_posix() for nb in waiting}
    workers = min(len(waiting), os.cpu_count() or 1)
    logger.info("executing %d chapter(s), %d at a time: %s", len(waiting), workers, ", ".join(sorted(name.values())))
    failures = []
    pool = ThreadPoolExecutor(workers)
    try:
        # Threads suffice: each of them waits for a kernel, which is a process of its own.
        futures = {pool.submit(_run, nb, app.config.nb_execution_timeout): nb for nb in waiting}
        for count, future in enumerate(as_completed(futures), 1):
            notebook = futures[future]
            chapter, failure = name[notebook.uri], _failure(future)
            logger.info("[%d/%d] %s %s", count, len(waiting), chapter,
                        "failed" if failure else f"done, {future.result().time:.1f} s")
            if failure:
                failures.append((chapter, failure))
                continue
            # Written by this thread only: the cache's database is not meant for several writers.
            seconds = future.result().time
            bundle = create_cache_bundle(notebook, None, None, seconds, None)
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
            app.derivations_executed[chapter] = seconds
    except BaseException:
        # Interrupted: do not begin the chapters that still wait.
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
    if failures:
        print("\n\n".join(f"{chapter}: {text}" for chapter, text in failures), file=sys.stderr)
        # Not an exception of Sphinx: Jupyter Book would print it and two more tracebacks of its own.
        raise SystemExit("stopped, because a cell failed in " + ", ".join(chapter for chapter, _ in failures))


def _failure(future):
    """What to tell the author about a chapter that failed, or None."""
    error = future.exception()
    if error is not None:  # not a cell's error: the kernel died, say
        return f"{type(error).__name__}: {error}"
    result = future.result()
    return _trim(result.exc_string) if result.err else None


def write_every_page(app, env):
    """``env-updated``: a page also depends on labels and titles of others, so none is left as it was."""
    return sorted(env.found_docs)


def remember_clean_build(app, exception):
    """``build-finished``: leave the mark that lets the next build go on from this one."""
    if exception is None and not app._warncount:
        _mark(app).touch()


def report(app, exception):
    """``build-finished``: say where the site lies, which chapters ran and how long each took."""
    if exception is not None or app.builder.format != "html":
        return
    executed = getattr(app, "derivations_executed", {})
    lines = [f"{seconds:7.1f} s  {name}" for name, seconds in sorted(executed.items())]
    total = f"{len(executed)} chapter(s) executed" + (f" in {sum(executed.values()):.1f} s of kernel time:" if executed else
                                                      "; all outputs were in the cache")
    logger.info("%s\n%s\nthe site: %s", total, textwrap.indent("\n".join(lines), "  "), Path(app.outdir) / "index.html")


def setup(app):
    """Connect this module's steps to the Sphinx build."""
    # Part of the configuration, so that Sphinx reads the pages again when the choice changes.
    app.add_config_value("derivations_chapter", "", "env")
    app.add_config_value("derivations_book", "", "env")
    app.connect("config-inited", configure, priority=100)
    app.connect("env-before-read-docs", execute)
    app.connect("env-updated", write_every_page)
    app.connect("build-finished", remember_clean_build, priority=990)
    app.connect("build-finished", report, priority=995)
