PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help up test browser monitoring bench fmt lint clean

help: ## what can be done here
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "framewatch needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make up PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing framewatch into $(VENV) (once; about half a minute, 900 MB) ..."
	@$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --editable '.[embedded]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --group dev
	@touch $@

up: $(VENV)/.installed ## install if needed, start everything, show the demo; Ctrl-C stops it
	@$(BIN)/framewatch up --demo

browser: $(VENV)/.installed-dev ## a Chromium for the console's tests, where there is none yet
	@$(BIN)/python -m tests.chromium

monitoring: $(VENV)/.installed-dev ## Prometheus and Alertmanager for the tests of rules and dashboards, where there are none
	@$(BIN)/python -m tests.monitoring

test: $(VENV)/.installed-dev browser monitoring ## format, lint, types, house rules and the whole suite
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

bench: $(VENV)/.installed-dev ## the benchmarks; each prints ratios measured in one run
	$(BIN)/python -m bench

fmt: $(VENV)/.installed-dev ## format and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## forget the environment (data in FRAMEWATCH_HOME stays)
	rm -rf $(VENV)
