# Derivations You Can Run. `make help` lists the targets; each makes the environment it needs.
PYTHON ?= python3
RUN := .venv/bin/python
BUILD := env -u DERIVATIONS_CHAPTER .venv/bin/jupyter-book build -W -n --keep-going
PORT ?= 8000

.PHONY: book test lint lab pdf classroom serve live bench train links release constraints clean help
.DEFAULT_GOAL := help

ifdef CHAPTER
book: .venv/book.stamp ## build the site into _build/html; CHAPTER=riemann/loop: only that chapter runs, into _build/chapter
	DERIVATIONS_CHAPTER=$(CHAPTER) .venv/bin/jupyter-book build -n --path-output _build/chapter .
else
book: .venv/book.stamp ## build the site into _build/html; CHAPTER=riemann/loop: only that chapter runs, into _build/chapter
	$(BUILD) .
endif

test: .venv/dev.stamp $(if $(PEERS),.venv/peers.stamp) ## strict clean build, then all tests; PEERS=1: also against torch and optax
	rm -rf _build && $(BUILD) . && $(RUN) -m pytest -n 2 --dist loadfile $(PYTEST)$(if $(PYTEST),, && $(RUN) -m derivations.book.release --tested)

lint: .venv/dev.stamp ## look for faults in code, words, workflows and chapters, as a commit does
	.venv/bin/pre-commit run --all-files

lab: book ## open the chapters as notebooks in JupyterLab; your edits stay in notebooks/
	$(RUN) -m derivations.book.notebooks _build/html/notebooks notebooks && .venv/bin/jupyter lab --notebook-dir=notebooks $(if $(filter 0,$(shell id -u)),--allow-root)

pdf: .venv/dev.stamp book ## each chapter and the whole book as PDF, in _build/pdf; PAPER=Letter: not on A4
	CHROMIUM=$$($(RUN) tests/browsers.py) && CHROMIUM=$$CHROMIUM $(RUN) -m derivations.book.pdf _build/html _build/pdf --paper $(or $(PAPER),A4)

classroom: .venv/classroom.stamp ## add what teachers need to set and grade the assignments, and say whether this machine is ready
	.venv/bin/derivations classroom doctor

serve: book ## serve the site on this machine only
	$(RUN) -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

live: .venv/dev.stamp book ## boot Python in a browser on every page with code (ten minutes)
	LIVE_PAGES=all $(RUN) -m pytest tests/browser/test_run_live.py -k every_page

bench: .venv/dev.stamp .venv/peers.stamp ## run the benchmarks, each keeps its table in benchmarks/results; SCRIPT=benchmarks/NAME.py: only that one
	for script in $(or $(SCRIPT),$(filter-out benchmarks/real_network.py benchmarks/published_checkpoint.py,$(wildcard benchmarks/*.py))); do $(RUN) $$script || exit 1; done

train: .venv/dev.stamp .venv/peers.stamp ## train real networks beside their prediction (six minutes), and read a published one (a download)
	$(RUN) benchmarks/real_network.py && $(RUN) benchmarks/published_checkpoint.py

links: .venv/book.stamp ## ask every other site that the book links to whether the page is still there
	DERIVATIONS_CHAPTER=notation .venv/bin/jupyter-book build --builder linkcheck --path-output _build/links .

release: .venv/dev.stamp book ## after make test: wheel, source archive, site, checksums and notes into _build/release
	$(RUN) -m derivations.book.release

constraints: ## renew constraints.txt from a fresh environment with the newest releases the pins allow
	rm -rf .venv-new && $(PYTHON) -m venv .venv-new && sed '/^-c/d' requirements.txt > .venv-new/requirements.txt && sed 's,^-r requirements.txt,-r .venv-new/requirements.txt,' requirements-dev.txt > .venv-new/dev.txt && .venv-new/bin/pip install -r .venv-new/dev.txt && .venv-new/bin/pip freeze --exclude-editable > constraints.txt && rm -rf .venv-new

clean: ## remove the site, the execution cache and the environment; your notebooks/ stay
	rm -rf _build .venv

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sort -u | awk -F ':.*## ' '{printf "make %-12s %s\n", $$1, $$2}'

.venv/book.stamp: requirements.txt constraints.txt code/pyproject.toml
	$(PYTHON) -m venv .venv && $(RUN) -m pip install --disable-pip-version-check --progress-bar on -r requirements.txt && touch $@

.venv/dev.stamp: requirements-dev.txt .venv/book.stamp
	$(RUN) -m pip install --disable-pip-version-check -r requirements-dev.txt && touch $@

.venv/classroom.stamp: code/pyproject.toml .venv/book.stamp
	$(RUN) -m pip install --disable-pip-version-check -c constraints.txt -e "./code[classroom]" && touch $@

.venv/peers.stamp: code/pyproject.toml .venv/dev.stamp
	$(RUN) -m pip install --disable-pip-version-check -c constraints.txt -e "./code[peers]" && touch $@
