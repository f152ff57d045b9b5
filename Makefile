# make demo   learn real molecules and see what was reached        make test   every check that CI runs
# Each starts from nothing: the first call makes .venv and installs into it, the next ones do not.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help venv test test-slow demo lint format clean

# A file is tested by one worker, so that its fixtures are made once, and files are started in the
# order of tests/conftest.py.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

help:
	@echo "make demo    learn real molecules (QM9) and print what was reached"
	@echo "make test    lint, types and tests: all that CI runs"
	@echo "make venv    only prepare $(VENV)      make lint / format / clean"
	@echo "make test-slow   the tests that make test leaves out: whole sweeps and long runs"
	@echo "PYTHON=...   the Python (3.11 or later) that $(VENV) is made with; now $(PYTHON)"

venv: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version.split()[0]; sys.exit(sys.version_info < (3, 11) and \
	"steerable needs Python 3.11 or later and $(PYTHON) is " + v + ": make PYTHON=python3.11 ...")'
	@test -x $(BIN)/pip || { echo "making $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "installing into $(VENV) (the first time takes a few minutes)"
	@$(PIP) install -c constraints.txt -e '.[qm9,solar,earth,smiles,dev]'
	@touch $@

test: lint
	@$(PYTEST)

test-slow: venv
	@$(PYTEST) -m slow

lint: venv
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

format: venv
	@$(BIN)/ruff check -q --fix-only
	@$(BIN)/ruff format

demo: venv
	@$(BIN)/steerable demo

# Runs are results: clean leaves runs/ alone.
clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache
	find src tests examples benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
