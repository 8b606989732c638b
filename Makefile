# Everything is set up by the first target that needs it; nothing but Python and make is assumed.
PYTHON ?= python3
BIN := .venv/bin
INSTALL = $(BIN)/uv pip install --quiet --python $(BIN)/python --constraints constraints.txt --build-constraints constraints.txt

# Compiled modules are kept beside the libraries, whatever the environment says: each process would
# compile all of them anew.
export PYTHONDONTWRITEBYTECODE =
export PYTHONPYCACHEPREFIX = $(CURDIR)/.venv/pycache

.PHONY: report docs test test-all test-slow check lock clean help

help: ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

report: .venv/report-ready ## Write reports/central-asia.*, with the track record
	$(BIN)/forecast backtest --models persistence,ensemble --out build/track > /dev/null
	$(BIN)/forecast report --track build/track --out reports --targets concepts --impact all \
		--previous reports/editions/2024/central-asia.manifest.json \
		--scenario russia-kazakhstan --scenario labour-return --scenario afghanistan --corridors corridors
	$(BIN)/python docs/picture.py

docs: .venv/docs-ready ## Build the documentation site in build/site (OPTIONS=--plain: without running tutorials)
	$(BIN)/python docs/site/build.py $(OPTIONS)

test: .venv/test-ready ## Run the quick tests: everything that matters, in small form
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not slow and not thorough"

test-all: .venv/test-ready ## Run all tests but the slow studies
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not slow"

test-slow: .venv/test-ready ## Run the slow studies (coverage by simulation and the like)
	$(BIN)/python -m pytest -n auto -m slow

check: .venv/test-ready ## Run ruff, mypy and the contract of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lock: .venv/test-ready ## Write constraints.txt anew: names and versions only
	$(BIN)/uv pip compile --quiet --universal --python-version 3.12 --upgrade --all-extras --no-header --no-annotate --no-emit-index-url pyproject.toml > constraints.txt

clean: ## Remove the environment and what tools left behind
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/created: .python-version
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	@touch $@

.venv/report-ready: .venv/created pyproject.toml constraints.txt
	$(INSTALL) --editable .
	@touch $@

.venv/test-ready: .venv/created pyproject.toml constraints.txt
	$(INSTALL) --editable ".[dask,dev,docs,sdmx]"
	@touch $@ .venv/report-ready

.venv/docs-ready: .venv/created pyproject.toml constraints.txt
	$(INSTALL) --editable ".[docs]"
	@touch $@ .venv/report-ready
