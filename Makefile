# make demo: the main job, end to end, on this machine. make test: all tests. Both make what they need.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Nothing is written outside this directory: the caches of pip and npm are in it as well.
export PIP_CACHE_DIR := $(CURDIR)/.cache/pip
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export ANSIBLE_HOME := $(CURDIR)/.cache/ansible
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.cache/collections
export PYTHONPATH := $(CURDIR)
export MYPYPATH := $(CURDIR)/.cache/collections
# tests/conftest.py says which tests stay together. Much of a test is waiting, so there is one process more than there are cores.
PARALLEL := --numprocesses=$(shell echo $$(($$(nproc 2>/dev/null || echo 1) + 1))) --dist=loadscope --no-loadscope-reorder --durations=15
LINK := .cache/collections/ansible_collections/clawfleet/clawdbot

.PHONY: help
help:
	@grep -hE '^# make|^#: ' $(MAKEFILE_LIST) | sed 's/^#:* *//'

$(VENV)/demo: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.12 ...")'
	@echo "Making .venv (once; about half a minute) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --requirement requirements.txt
	@touch $@

$(VENV)/dev: requirements-dev.txt $(VENV)/demo
	@echo "Installing the tools for the tests into .venv (once; about a minute) ..."
	@$(BIN)/pip install --quiet --requirement requirements-dev.txt
	@touch $@

# The tests kill a run at each of its system calls.
.PHONY: strace
strace:
	@command -v strace >/dev/null || tools/install-packages strace

# The tests open the report in it.
.PHONY: chromium
# Not at the same time as the other package.
chromium: | strace
	@{ command -v chromium && command -v chromedriver; } >/dev/null || tools/install-packages chromium chromium-driver

# The collection where ansible looks for it: it is this directory.
$(LINK):
	@mkdir -p $(dir $(LINK))
	@ln -s ../../../.. $(LINK)

#: make demo [PRODUCT=openclaw] [ARGS=-vvvv]   three real gateways get Kimi models, and it is shown that they work
.PHONY: demo
PRODUCT := clawdbot
demo: $(VENV)/demo $(LINK)
	@$(BIN)/python -m tools.demo $(PRODUCT) $(ARGS)

#: make test                lint, sanity, units, module: and end-to-end tests
.PHONY: test
test: lint sanity pytest

#: make lint                ansible-lint, yamllint, ruff, mypy, shellcheck, changelog
.PHONY: lint
lint: $(VENV)/dev $(LINK)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy -p ansible_collections.clawfleet.clawdbot.plugins -p tools
	$(BIN)/yamllint --strict .
	$(BIN)/ansible-lint --offline
	$(BIN)/antsibull-changelog lint
	git grep -lE '^#!/(bin/sh|usr/bin/env bash)$$' -- ':!*.py' | xargs $(BIN)/shellcheck

#: make sanity              ansible-test sanity
.PHONY: sanity
sanity: $(VENV)/dev $(LINK)
	PATH=$(CURDIR)/$(BIN):$$PATH tests/run-sanity

#: make units               the tests that need no gateway
.PHONY: units
units: $(VENV)/dev $(LINK) strace
	$(BIN)/python -m pytest $(PARALLEL) tests/unit tests/module

# Both products, installed once for all targets that need them.
.PHONY: products
products: $(VENV)/demo
	$(BIN)/python -m tools.product

#: make pytest              all tests in Python
.PHONY: pytest
pytest: $(VENV)/dev $(LINK) products strace chromium
	$(BIN)/python -m pytest $(PARALLEL)

#: make lock PRODUCT=openclaw VERSION=2026.9.5   a lock file for the role gateway
.PHONY: lock
lock: $(VENV)/demo
	@$(BIN)/python -m tools.lock "$(PRODUCT)" "$(VERSION)"

#: make litellm             the tests with LiteLLM's proxy as endpoint
.PHONY: litellm
litellm: $(VENV)/dev $(LINK) .cache/litellm/done
	$(BIN)/python -m tools.product
	$(BIN)/python -m pytest tests/litellm

.cache/litellm/done: requirements-litellm.txt
	@echo "Installing LiteLLM into .cache/litellm (once; about a minute) ..."
	@$(PYTHON) -m venv .cache/litellm
	@.cache/litellm/bin/pip install --quiet --requirement requirements-litellm.txt
	@touch $@

#: make bench               what the collection costs, beside other ways of doing the same
.PHONY: bench
bench: $(VENV)/dev $(LINK)
	PYTHONPATH=$(CURDIR):$(CURDIR)/.cache/collections $(BIN)/python bench/json5_edit.py
	PYTHONPATH=$(CURDIR):$(CURDIR)/.cache/collections $(BIN)/python bench/verify_models.py
	PYTHONPATH=$(CURDIR):$(CURDIR)/.cache/collections $(BIN)/python bench/program.py
	PYTHONPATH=$(CURDIR):$(CURDIR)/.cache/collections $(BIN)/python bench/fleet.py

#: make bench-hosts         the same on ten real systemd hosts in podman
.PHONY: bench-hosts
bench-hosts: $(VENV)/dev $(LINK)
	$(BIN)/python -m tools.product clawdbot
	$(AS_ROOT) tools/podman/images bookworm
	$(AS_ROOT) "PYTHONPATH=$(CURDIR):$(CURDIR)/.cache/collections" tools/podman/run $(BIN)/python bench/fleet.py --real

include extensions/molecule/molecule.mk
