# `make` alone lists the targets. Everything runs in .venv, which the first target makes, and makes again
# whenever requirements.lock or pyproject.toml changes. Nothing else has to be installed or started before.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
UV_VERSION := 0.13.9

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
UV := $(BIN)/uv pip
DOCS := README.md docs/*.md
DEMO := data/demo

# What a caller may set: make demo ONCE=1, make test ARGS="-k settings", make purge YES=1, make lock UPGRADE=1
ONCE ?=
ARGS ?=
YES ?=
UPGRADE ?=

.PHONY: help
help: ## List the targets
	@echo "Usage: make <target>. The first one sets everything up in $(VENV)."
	@awk -F ':.*## ' '/^[a-z_]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# ---- Use it -----------------------------------------------------------------------------------------------

.PHONY: demo
demo: $(READY) ## Export a synthetic workspace and serve it; needs no token (ONCE=1: export, show, end)
	@$(BIN)/clickup-toolkit demo $(if $(ONCE),--once) $(ARGS)

.PHONY: start
start: $(READY) ## Export your workspace every EXPORT_INTERVAL_HOURS, and serve it; needs the settings in .env
	@$(BIN)/clickup-toolkit up $(ARGS)

.PHONY: fresh_start
fresh_start: ## Stop what runs, rebuild .venv and start anew; the data folder stays
	@$(MAKE) down
	@rm -rf $(VENV)
	@$(MAKE) start

.PHONY: down
down: ## Stop what runs: make start, in order, and the embedded server, the demo's too; what it holds stays
	@if [ -x $(BIN)/python ]; then $(BIN)/python -c "$$STOP"; fi

export define STOP
import dataclasses, pathlib, sys
from clickup_toolkit.cli.up import end_running
from clickup_toolkit.errors import ToolkitError
from clickup_toolkit.publish import stop
from clickup_toolkit.settings import Settings
try:
    settings = Settings.read()
    demo = dataclasses.replace(settings, data_dir=pathlib.Path("$(DEMO)").absolute(), redis_url=None)
    ended = end_running(settings.data_dir)
    stopped = [stop(each) for each in (settings, demo)]
except ToolkitError as error:
    sys.exit(str(error))
if ended:
    print("What make start had started has ended.")
if any(stopped):
    print("The embedded server has stopped.")
if not ended and not any(stopped):
    print("Nothing runs in the background.")
endef

.PHONY: lab
lab: $(READY) ## Open JupyterLab on the notebooks
	@$(BIN)/jupyter lab --ServerApp.root_dir=notebooks --LabApp.news_url=None --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate $(if $(filter 0,$(shell id -u)),--allow-root) $(ARGS)

.PHONY: shell
shell: $(READY) ## Open IPython with the exported workspace loaded as ws
	@$(BIN)/ipython -i -c "from clickup_toolkit import Workspace; ws = Workspace(); print(repr(ws))"

.PHONY: purge
purge: ## Remove the data folder and .venv for good; asks first (YES=1: does not ask)
	@data="$$($(DATA_FOLDER))"; above="$${data%/}"; \
	for kept in "$(CURDIR)" "$$HOME"; do \
	  case "$$kept/" in "$$above"/*) echo "The data folder is $$data; that holds more than data. Remove it by hand."; exit 1;; esac; \
	done; \
	echo "This removes, for good: $$data, $(CURDIR)/$(DEMO) and $(CURDIR)/$(VENV)"; \
	if [ -z "$(YES)" ]; then read -r -p "Type yes to go on: " answer && [ "$$answer" = yes ] || { echo "Nothing was removed."; exit 1; }; fi
	@$(MAKE) down
	@data="$$($(DATA_FOLDER))"; rm -rf -- "$$data" "$(DEMO)" "$(VENV)"
	@echo "Removed."

DATA_FOLDER = if [ -x $(BIN)/python ]; then \
	$(BIN)/python -c 'from clickup_toolkit.settings import Settings; print(Settings.read().data_dir)'; \
	else realpath -m -- "$${CLICKUP_DATA_DIR:-data}"; fi

# ---- Work on it -------------------------------------------------------------------------------------------

.PHONY: test
test: $(READY) ## Run every test, a file of them on each core (ARGS="-k settings": a part of them)
	@$(BIN)/pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile $(ARGS)

.PHONY: lint
lint: $(READY) ## Run the quick checks: format, ruff, mypy, the order of layers, the docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cog --check --diff -P -I docs $(DOCS)

.PHONY: check
check: lint test ## Run lint and test: what must hold before a commit

.PHONY: bench
bench: $(READY) ## Run the benchmarks but the soak, which takes half an hour; each prints a table
	@found=; for file in benchmarks/[a-z]*.py; do \
	  [ -e "$$file" ] && [ "$$file" != benchmarks/soak.py ] || continue; \
	  found=yes; name=$${file##*/}; \
	  $(BIN)/python -m "benchmarks.$${name%.py}" $(ARGS); \
	done; \
	[ -n "$$found" ] || echo "There are no benchmarks yet."

.PHONY: docs
docs: $(READY) ## Write the generated parts of the docs anew: settings, tables, command line
	@$(BIN)/cog -r -P -I docs $(DOCS)

.PHONY: lock
lock: $(READY) ## Pin the dependencies anew in requirements.lock (UPGRADE=1: to the newest that fit)
	$(UV) compile pyproject.toml --extra all --universal --python-version 3.11 --no-header --no-annotate \
	  --no-emit-index-url --no-emit-find-links $(if $(UPGRADE),--upgrade) -o requirements.lock

# ---- Set-up -----------------------------------------------------------------------------------------------

# Compiled once here, since every test, kernel and server process would do it again where Python may not keep
# its byte code. Without build isolation, so that the pinned hatchling builds, and nothing else is fetched.
$(READY): requirements.lock pyproject.toml
	@echo "Setting up $(VENV), once; this downloads and compiles the packages …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "$(PYTHON) is older than 3.11. Name a newer one: make PYTHON=python3.12 …"; exit 1; }
	@[ -x $(BIN)/uv ] || $(PYTHON) -m venv --clear $(VENV) \
	  || { rm -rf $(VENV); echo "Python cannot make virtual environments here. On Debian: apt install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(UV) install --quiet --compile-bytecode --python $(BIN)/python -r requirements.lock
	@$(UV) install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
	@touch $@
