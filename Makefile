# Every target sets up what it needs; `make` alone prints this list.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LOCK := requirements.lock
OUT ?= out
# Tests start hundreds of processes, each of which would compile the same modules again.
unexport PYTHONDONTWRITEBYTECODE
# All cores; a file stays with one of them, for what its tests share, and files begin in the order of tests/conftest.py.
PARALLEL := -n auto --dist loadfile --no-loadscope-reorder
# What was compiled is kept, whatever the environment says: to rewrite the asserts of all tests takes each process ten seconds.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest
MOCKS := tests/support/stripe_mock
WEB := tests/support/web
KAFKA := tests/support/kafka
SCHEDULERS := tests/support/schedulers
# The first interpreter between 3.11 and 3.13 that this machine has.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& { echo $$p; break; }; done)
COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
	--python-version 3.11 --group dev --extra tracing pyproject.toml

NIGHT := fixtures/casablanca_night
STREAM = $(BIN)/makegood stream --source dir:$(OUT)/stream/telemetry --orders $(NIGHT)/orders.jsonl \
	--customers $(NIGHT)/customers.jsonl --grants $(NIGHT)/grants.jsonl --ledger sqlite:///$(OUT)/stream/ledger.db

.PHONY: help setup run stream test test-postgres test-servers servers prism prove check lock format bench calibrate preview screenshots clean

help: ## Print the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(READY) ## Create .venv and install the locked dependencies

$(READY): $(LOCK) pyproject.toml
	@test -n "$(PYTHON)" || { echo "makegood needs Python 3.11, 3.12 or 3.13; name one with: make PYTHON=/path/to/python3" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement $(LOCK)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

run: setup ## Run the nightly job on fixtures/casablanca_night and show the mail
	@$(BIN)/makegood nightly --telemetry fixtures/casablanca_night/telemetry --orders fixtures/casablanca_night/orders.jsonl \
		--customers fixtures/casablanca_night/customers.jsonl --grants fixtures/casablanca_night/grants.jsonl \
		--ledger sqlite:///$(OUT)/casablanca_night.db --as-of "$$(cat fixtures/casablanca_night/as_of)" --out $(OUT)/casablanca_night --show-mail line-0501

stream: setup prism ## Play the same night into a folder at speed, and show what a stream finds while it comes
	@rm -rf $(OUT)/stream && mkdir -p $(OUT)/stream/telemetry
	@$(STREAM) & stream=$$!; trap 'kill $$stream 2>/dev/null' EXIT; \
		$(BIN)/makegood play $(NIGHT)/telemetry --into $(OUT)/stream/telemetry --speed 240; kill $$stream; wait $$stream
	@echo "All of the night has come; what still waits for more is closed at $$(cat $(NIGHT)/as_of):"
	@$(STREAM) --drain --until "$$(cat $(NIGHT)/as_of)"

test: setup ## Run all fast tests
	$(PYTEST) $(PARALLEL)

test-postgres: setup ## Run the ledger's tests on PostgreSQL; says how to get a server where there is none
	MAKEGOOD_TEST_STORE=postgresql $(PYTEST) tests/remediation $(PARALLEL)

test-servers: setup servers ## Run the tests that need other people's servers, and the proofs that take longer
	MAKEGOOD_REQUIRE_SERVERS=1 $(PYTEST) -m "(servers or hypothesis) and not benchmark" $(PARALLEL)

servers: prism $(MOCKS)/node_modules/.ready $(WEB)/node_modules/.ready $(MOCKS)/bin/stripe-mock $(KAFKA)/jars/.ready \
	$(SCHEDULERS)/.venv/.ready

prism: $(BIN)/prism

$(BIN)/prism: $(READY)
	GOBIN="$(CURDIR)/$(BIN)" go install github.com/apache/beam/sdks/v2/go/cmd/prism@v2.77.0
	@touch $@

%/node_modules/.ready: %/package-lock.json
	npm ci --silent --no-audit --no-fund --prefix $*
	@touch $@

$(MOCKS)/bin/stripe-mock:
	GOBIN="$(CURDIR)/$(MOCKS)/bin" go install github.com/stripe/stripe-mock@v0.203.0

$(KAFKA)/jars/.ready: $(KAFKA)/pom.xml
	mvn --quiet --batch-mode --file $(KAFKA)/pom.xml package
	@touch $@

$(SCHEDULERS)/.venv/.ready: $(SCHEDULERS)/requirements.lock $(READY)
	$(PYTHON) -m venv $(SCHEDULERS)/.venv
	$(BIN)/uv pip sync --quiet --require-hashes --python $(SCHEDULERS)/.venv/bin/python $(SCHEDULERS)/requirements.lock
	@touch $@

prove: setup servers ## The slow proofs, at the size of a release: hours
	MAKEGOOD_PROVE=release MAKEGOOD_REQUIRE_SERVERS=1 $(PYTEST) tests/prove -m "" -n 2 --dist loadfile -s

check: setup ## ruff, mypy strict, import-linter, lock up to date
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy tests
	$(BIN)/lint-imports
	@cp $(LOCK) $(VENV)/checked.lock && $(COMPILE) --output-file $(VENV)/checked.lock \
		&& { diff -q $(LOCK) $(VENV)/checked.lock >/dev/null || { echo "$(LOCK) is not up to date: run 'make lock'" >&2; exit 1; }; }

lock: setup ## Write requirements.lock anew from pyproject.toml
	$(COMPILE) --output-file $(LOCK)
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
		--python-version 3.11 $(SCHEDULERS)/requirements.in --output-file $(SCHEDULERS)/requirements.lock

format: setup ## Format the source and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup ## Measure speed and memory, and print the ratios
	$(BIN)/python -m pytest tests/benchmarks -m benchmark -o addopts="" -s -q

calibrate: setup ## Fit the quality score to people's ratings in ../shared/data/sqoe4, and say how well it does
	@$(BIN)/python -m tests.detectors.playback.calibrating
	@$(BIN)/python -m tests.detectors.playback.triggering

preview: setup ## Write every mail, in each language and voice, and pages that show them
	@rm -rf $(OUT)/preview && $(BIN)/makegood preview --out $(OUT)/preview

screenshots: preview ## Take a picture of every mail in Chromium: telephone and desk, by day and by night
	@rm -rf $(OUT)/screenshots && $(BIN)/python -m tests.support.screenshots $(OUT)/preview $(OUT)/screenshots

clean: ## Remove what the targets made
	rm -rf $(VENV) $(OUT) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
