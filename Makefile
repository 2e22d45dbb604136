# Everything a newcomer needs: `make run` and `make test`. Both set up their own environment first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := uv==0.13.9
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: run stop test lint bench docs clean lock portal lighthouse
.DEFAULT_GOAL := help

help:
	@echo "make run    the pipeline to a finished release   (SCALE=0.1 AS_OF=2025-09-30 PROVINCE=80)"
	@echo "make stop   end its services"
	@echo "make test   every test        make lint    style, types, SQL"
	@echo "make bench  measurements      make docs    documentation of the warehouse"
	@echo "make clean  remove the environment and all local state"

$(VENV)/ready: requirements.txt pyproject.toml
	@echo "… Python packages (once; about a minute, less when they are cached)"
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
		|| { echo "Python 3.11 to 3.13 is needed; set PYTHON=python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$(UV)"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode requirements.txt
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

run: $(VENV)/ready
	@$(BIN)/khochung run

stop: $(VENV)/ready
	@$(BIN)/khochung stop

test: $(VENV)/ready
	@tests/install-tools
	$(BIN)/python -m pytest --numprocesses 2 --dist loadscope

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --processes 2 dbt_project

docs: $(VENV)/ready
	@$(BIN)/khochung docs

bench: $(VENV)/ready
	@$(BIN)/python -m bench

# The scripts of the portal from their sources; needs Node. What is built is committed.
portal:
	npm --prefix portal_src ci --ignore-scripts --no-audit --no-fund
	npm --prefix portal_src run build

# Scores of the portal that `make run` serves; needs Node and Chromium.
lighthouse:
	npm --prefix portal_src/lighthouse ci --ignore-scripts --no-audit --no-fund
	node portal_src/lighthouse/run.mjs $(or $(PORTAL),http://127.0.0.1:8090)

# requirements.txt from requirements.in; requirements.excludes says what is left out and why.
lock: $(VENV)/ready
	$(BIN)/uv pip compile --quiet requirements.in --output-file requirements.txt --python-version 3.11 --generate-hashes \
		--excludes requirements.excludes --no-emit-index-url --custom-compile-command "make lock"

clean:
	@if [ -x $(BIN)/khochung ]; then $(BIN)/khochung stop; fi
	rm -rf .khochung $(VENV) .pytest_cache .mypy_cache .ruff_cache
