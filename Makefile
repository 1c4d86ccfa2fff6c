# The door of the project. `make demo` and `make test` set everything up first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp

.PHONY: setup demo test test-all check bench docs lock clean
.DEFAULT_GOAL := help

help: ## what can be asked
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 10

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "watchline needs Python 3.11 or newer; say which with: make PYTHON=python3.12 ..."; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@echo "Compiling the kernels (once, about a minute) ..."
	@$(BIN)/watchline doctor --quiet
	@touch $(STAMP)

setup: $(STAMP) ## virtual environment in .venv with the locked dependencies

demo: setup ## plan, prove and report the Rafah line
	$(BIN)/watchline plan examples/rafah

test: setup ## the tests (under 15 minutes on 2 cores)
	$(BIN)/python -m pytest

check: setup ## lint, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup ## every benchmark, one table each
	@for f in benchmarks/*.py; do case $$f in */_*) ;; *) $(BIN)/python $$f || exit 1;; esac; done

docs: setup ## the documentation, in docs/_build/html
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html

lock: ## pin the dependencies again (needs uv)
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements.lock
	sed -i '1i # Every dependency, pinned with hashes; no index address. Made by `make lock`.' requirements.lock

clean: ## remove what can be made again
	rm -rf $(VENV) docs/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis
