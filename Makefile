SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PORT ?= 8000
# Two more than processors: there is always a test that waits for something.
WORKERS ?= $(shell echo $$(($$(nproc) + 2)))
ARGS ?=
BIN := .venv/bin
SOURCES := accounts notifications resets sspr_project tenants tests writeback
PYTEST := $(BIN)/python -m pytest

# What one process of the tests compiled is there for the next one, whatever the machine says.
export PYTHONDONTWRITEBYTECODE :=

.NOTPARALLEL:
.PHONY: help setup demo run bench mutants test tests test-fast compiled system lint types migrations catalogues messages fmt clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: .venv/.complete ## create .venv with everything Python needs

.venv/.complete: pyproject.toml uv.lock scripts/setup
	@scripts/setup
	@touch $@

demo: setup ## serve the demo on http://localhost:$(PORT)
	@scripts/compile-messages
	@$(BIN)/python manage.py demo --port $(PORT)

run: setup ## serve your own development database on http://localhost:$(PORT)
	@scripts/compile-messages
	@$(BIN)/python manage.py migrate --verbosity 1
	@$(BIN)/python manage.py runserver $(PORT)

bench: setup ## measure: an hour on a quiet machine; writes docs/performance.md anew
	@$(BIN)/python -m benchmarks.flow $(ARGS)
	@$(BIN)/python -m benchmarks.timing --pairs 1000 $(ARGS)
	@$(BIN)/python -m benchmarks.load $(ARGS)
	@$(BIN)/python -m benchmarks.writeback $(ARGS)
	@$(BIN)/python -m benchmarks.growth $(ARGS)
	@$(BIN)/python -m benchmarks.report

mutants: setup ## plant small faults into the rules, one at a time: do the tests notice?
	@$(BIN)/python -m benchmarks.mutants $(ARGS)

test: setup system ## everything: lint, types, contracts and every test
	@scripts/beside "$(MAKE) compiled" $(MAKE) lint migrations catalogues
	@scripts/beside "$(BIN)/mypy" $(MAKE) tests

# Compiling the tests once costs what each of their processes would spend on it.
compiled: setup
	@$(BIN)/python -m compileall -q $(SOURCES)
	@found=$$($(PYTEST) --collect-only --quiet) || { tail -n 40 <<<"$$found"; exit 1; }

tests: setup
	@rm -f .reach.json
	@SSPR_REACH=.reach.json $(PYTEST) -n $(WORKERS) --dist worksteal $(ARGS)
	@scripts/coverage-floor .reach.json

test-fast: setup ## the tests that need no browser, no coverage; ARGS=… goes to pytest
	@scripts/compile-messages
	@$(PYTEST) -n $(WORKERS) --dist worksteal -m "not browser and not slow" $(ARGS)

system:
	@scripts/system-packages

lint: setup ## style, templates and import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@scripts/lint-templates
	@$(BIN)/lint-imports --no-logo
	@scripts/scan

types: setup ## mypy, strict
	@$(BIN)/mypy

migrations: setup
	@scripts/migrations-check

catalogues: setup
	@scripts/compile-messages
	@$(BIN)/python scripts/catalogue-check

messages: setup ## collect the texts into the catalogues and compile them
	@scripts/collect-messages
	@scripts/compile-messages

fmt: setup ## format and mend what a machine can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@if [ -d templates ]; then $(BIN)/djlint templates --reformat --quiet || true; fi

clean: ## remove what the tools made; databases and outboxes stay
	@rm -rf .venv .venv-tools .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@rm -f .reach.json
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
