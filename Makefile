# Every target sets up what it needs: Python 3.11 or newer is enough. `make PYTHON=…` names the interpreter.

# The SDKs that the wrapper is tested with, and what the SDKs' own tests need; `make .venv-openai-1` and so on.
SDKS := .venv-openai-1 .venv-openai-2 .venv-openai-3
SUITES := .venv-openai-1-oldest .venv-suite-1 .venv-suite-2 .venv-suite-3

# Other tables of prices, to compare ours with.
ORACLES := .venv-litellm

# All tests, on all cores.
TESTS := .venv-dev/bin/python -m pytest --numprocesses=auto --dist=worksteal

# Which runners `make bench` starts, each `bench/NAME.py`; arguments for `make demo` and `make up`.
BENCHES ?= overhead drain
ARGS ?=
PYTHON ?=
export PYTHON

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

.PHONY: demo
demo: .venv ## Start everything with made-up data, to look around (ARGS="--port 8600")
	@.venv/bin/monitor demo $(ARGS)

.PHONY: up
up: .venv ## Start the server: dashboard, drain and jobs (ARGS="--port 8600")
	@.venv/bin/monitor up $(ARGS)

.PHONY: test
test: .venv-dev ## Run the checks and all tests
	@scripts/browser || true
	@status=0; \
	$(MAKE) --jobs=3 --keep-going $(SDKS) || echo "So some tests with other versions of openai will be skipped." >&2 & \
	$(MAKE) check || status=$$?; \
	wait; \
	$(TESTS) || status=$$?; \
	exit $$status

# Not part of `test`: on Python 3.11 the replay of recorded traffic takes twice as long while its lines are counted.
.PHONY: coverage
coverage: .venv-dev ## Run all tests and say which lines they do not reach
	@$(TESTS) --cov --cov-report=term

.PHONY: check
check: .venv-dev ## Check format, lint, types and the layers
	@status=0; \
	.venv-dev/bin/ruff format --check --quiet --diff . || status=1; \
	.venv-dev/bin/ruff check --quiet . || status=1; \
	.venv-dev/bin/mypy --no-error-summary || status=1; \
	.venv-dev/bin/lint-imports --no-logo || status=1; \
	if [ $$status -eq 0 ]; then echo "The checks found nothing."; else echo "The checks failed, see above."; fi; \
	exit $$status

.PHONY: format
format: .venv-dev ## Format the code and mend what lint can mend
	@.venv-dev/bin/ruff check --fix --quiet . || true
	@.venv-dev/bin/ruff format .

.PHONY: lock
lock: .venv-lock ## Lock all requirements again (ARGS=--upgrade takes the newest)
	@UV=.venv-lock/bin/uv scripts/lock $(ARGS)

.PHONY: bench
bench: .venv-dev ## Run the benchmarks
	@set -e; for name in $(BENCHES); do .venv-dev/bin/python -m bench.$$name; done

.PHONY: torture
torture: .venv-dev ## Run the long campaigns of crashes, forks and calls, with every SDK
	@$(MAKE) --keep-going $(SDKS) $(SUITES) $(ORACLES) || echo "So some campaigns with other versions of openai will be skipped." >&2
	@.venv-dev/bin/python -m pytest -m torture

.PHONY: clean
clean: ## Remove the virtual environments and everything generated; the data directory stays
	rm -rf .venv .venv-* .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: .venv
.venv:
	@scripts/venv .venv requirements/server.txt requirements/build.txt
	@scripts/install .venv

.PHONY: .venv-dev
.venv-dev:
	@scripts/venv .venv-dev requirements/dev.txt
	@scripts/install .venv-dev

.PHONY: .venv-lock
.venv-lock:
	@scripts/venv .venv-lock requirements/lock.txt

.PHONY: $(SDKS) $(SUITES)
$(SDKS) $(SUITES):
	@scripts/venv $@ requirements/$(@:.venv-%=%).txt

.PHONY: $(ORACLES)
$(ORACLES):
	@PIP_NO_DEPS=1 scripts/venv $@ requirements/$(@:.venv-%=%).txt
