# Each target does its own set-up: the first run installs what is missing, later runs start at once.
# PORT=8080 chooses the port; PYTHON=python3.12 the Python that the environment is made with.

PYTHON ?= python3
PORT ?= 8000
export PORT
BIN := .venv/bin
SETUP := $(PYTHON) -m lms.bootstrap
# Two workers: the size of machine that the times below are meant for.
PYTEST := $(BIN)/python -m pytest -q
PARALLEL := -n 2 --dist loadfile

.PHONY: help demo serve check test test-all test-long test-postgresql bench setup messages

help:
	@echo "make demo | serve | test | test-all | check | bench      (PORT=8000)"

# What a target below needs is set up first; `make setup` alone prepares everything for developers.
setup:
	@$(SETUP) tests

demo:
	@$(SETUP) product --port "$(PORT)"
	@exec $(BIN)/ropes demo --port "$(PORT)"

serve:
	@$(SETUP) product --port "$(PORT)"
	@exec $(BIN)/ropes serve --port "$(PORT)"

check:
	@$(SETUP) check
	$(BIN)/ruff format --check -q .
	$(BIN)/ruff check -q .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(PYTEST) -m house tests/contract tests/releases

# Under 10 minutes.
test:
	@$(SETUP) tests
	$(PYTEST) $(PARALLEL) -m "not long"

# Under 45 minutes: the quick tests on both databases, and the long ones.
test-all: test test-postgresql test-long

test-postgresql:
	@$(SETUP) tests
	ROPES_TEST_DATABASE=postgresql $(PYTEST) $(PARALLEL) -m "not long and not browser and not house"

test-long:
	@$(SETUP) tests
	$(PYTEST) $(PARALLEL) -m long

bench:
	@$(SETUP) tests
	@$(BIN)/python -m tests.benchmarks $(ONLY)

# For translators: brings lms/translations up to date with the source.
messages:
	@$(SETUP) check
	$(BIN)/python -m tests.contract.catalogues
