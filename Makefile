# The door of the project. `make demo` and `make test` set everything up first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp

.PHONY: help setup demo test check bench docs lock page clean
.DEFAULT_GOAL := help

help: ## what can be asked
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 10

# The studio's page; a machine without Node goes on without it, and the server says how to build it.
WEB_SOURCES := $(wildcard web/*.json web/*.ts web/*.js web/index.html web/.npmrc) $(shell find web/src web/public -type f 2>/dev/null)
PAGE := src/watchline/studio/page/.stamp

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "watchline needs Python 3.11 or newer; say which with: make PYTHON=python3.12 ..."; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@echo "Compiling the kernels (once, one to six minutes) ..."
	@$(BIN)/watchline doctor --quiet
	@touch $(STAMP)

$(PAGE): $(filter-out web/src/api/schema.d.ts,$(WEB_SOURCES))
	@if command -v npm >/dev/null && node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)'; then \
	  echo "Building the studio's page ..."; \
	  cd web && npm ci --silent --no-audit --no-fund && npm run --silent build -- --logLevel warn && touch ../$(PAGE); \
	else echo "No Node 20.19 or newer here: the studio's page is not built, and its browser tests are skipped."; fi

setup: $(STAMP) ## virtual environment in .venv with the locked dependencies, and the studio's page
	@$(MAKE) --no-print-directory page || echo "The studio's page could not be built (see above): all else works, its browser tests are skipped."

demo: setup ## plan, prove and report the Rafah line
	$(BIN)/watchline plan examples/rafah

test: setup ## the tests (under 15 minutes on 2 cores)
	$(BIN)/python -m pytest

check: setup ## lint, types, layers
	@if [ -d web/node_modules ]; then cd web && npm run --silent check; fi
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup ## every benchmark, one table each
	@for f in benchmarks/*.py; do case $$f in */_*) ;; *) $(BIN)/python $$f || exit 1;; esac; done

page: $(PAGE) ## the studio's page, where Node is present

docs: setup ## the documentation, in docs/_build/html
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html

lock: ## pin the dependencies again (needs uv)
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements.lock
	sed -i '1i # Every dependency, pinned with hashes; no index address. Made by `make lock`.' requirements.lock

clean: ## remove what can be made again
	rm -rf $(VENV) web/node_modules src/watchline/studio/page docs/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis
