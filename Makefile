# Everything a person or CI runs. `make` alone lists it.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SPARK := $(VENV)/.spark
DEMO_DIR ?= demo
DEMO_PERSONS ?= 20000
PYTEST_WORKERS ?= 2

# Bytecode is kept: the tests start hundreds of processes, and each would compile anew what it imports of src/.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install demo system test check bench national soak fix docs wheel image manifests clean

help: ## list these targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Enclos needs Python 3.11 or newer"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@# The lock is whole: pip need not look for what packages ask for, only say that nothing is missing.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip check --disable-pip-version-check >/dev/null
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $(STAMP)

# The extra `spark`, half a gigabyte of sources to build: for tests and bench alone.
$(SPARK): $(STAMP) requirements-spark.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --require-hashes \
	  -r requirements-spark.lock
	$(BIN)/python -m pip check --disable-pip-version-check >/dev/null
	@touch $(SPARK)

install: $(STAMP) ## put enclos and what it needs at .venv/bin/enclos

demo: $(STAMP) ## the whole story on a synthetic France, and a report with figures
	$(BIN)/enclos demo --persons $(DEMO_PERSONS) --dir $(DEMO_DIR)

# What tests start from the system. Root installs it; anyone else is told, and the tests that need it are left out.
SYSTEM_PACKAGES := softhsm2 bubblewrap r-cran-survival chromium radosgw ceph-mon ceph-osd ceph-common swift-proxy \
  swift-account swift-container swift-object memcached postgresql systemd glewlwyd \
  odbc-postgresql unixodbc default-jdk-headless libpostgresql-jdbc-java r-cran-rpostgresql r-cran-dbplyr
# Node.js as Debian packs it, where no other is there
SYSTEM_PACKAGES += $(if $(shell command -v npm),,nodejs npm)
# What only the long tests start beside them.
LONG_PACKAGES := mmdebstrap buildah podman runc strace

system:
	@missing=; for package in $(SYSTEM_PACKAGES); do dpkg -s $$package >/dev/null 2>&1 || missing="$$missing $$package"; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get install -y -qq --no-install-recommends $$missing >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends $$missing >/dev/null; }; \
	else echo "left out, install as root:$$missing (their tests are left out here, never in CI)"; fi

test: $(STAMP) $(SPARK) system ## all tests; as root it installs what they start from the system
	$(BIN)/python -m compileall -q -j $(PYTEST_WORKERS) src
	@# A file to whichever worker is free, in order: what a file makes is made once, and the last files are the shortest.
	$(BIN)/python -m pytest -q -n $(PYTEST_WORKERS) --dist loadfile --no-loadscope-reorder -m "not slow"

check: $(STAMP) ## style, types, import contracts, generated pages
	@fail=0; \
	$(BIN)/ruff check . || fail=1; \
	$(BIN)/ruff format --check . || fail=1; \
	$(BIN)/mypy || fail=1; \
	$(BIN)/lint-imports || fail=1; \
	$(BIN)/python tools/print_docs.py --check || fail=1; \
	if [ $$fail -eq 0 ]; then echo "all checks hold"; else echo "some checks fail"; exit 1; fi

fix: $(STAMP) ## let ruff repair what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(STAMP) ## print the generated pages again, and take the pictures where Chromium is
	$(BIN)/python tools/print_docs.py
	if command -v chromium >/dev/null; then $(BIN)/python tools/take_pictures.py; fi

wheel: $(STAMP) ## dist/enclos-VERSION-py3-none-any.whl, always the same bytes, and the lock of what it runs with
	rm -f dist/enclos-*.whl
	$(BIN)/python -m hatchling build -t wheel -d dist
	$(BIN)/python tools/runtime_lock.py > dist/requirements.lock

image: wheel ## dist/image: an OCI archive from Debian packages and locked wheels, and its bill of materials
	PYTHON=$(abspath $(BIN)/python) deploy/oci/build dist dist/image

manifests: $(STAMP) ## render the Kubernetes overlays again; needs kubectl
	$(BIN)/python tools/render_manifests.py

bench: $(STAMP) system ## ratios against named references, kept in bench/history.jsonl, drawn in bench/history.html
	$(BIN)/python bench/run.py

# Some hours and 55 GB of disk; docs/scale.md says how much of each, and how it goes on after a stop: by the same call.
NATIONAL_DIR ?= national
NATIONAL_PERSONS ?= 1360000
NATIONAL_YEARS ?= 2014-2023
NATIONAL_WORKERS ?= 1
national: $(STAMP) ## a sample of the country from deliveries to releases, measured; the same call goes on after a stop
	$(BIN)/python bench/national.py --dir $(NATIONAL_DIR) --persons $(NATIONAL_PERSONS) --years $(NATIONAL_YEARS) \
	  --workers $(NATIONAL_WORKERS)

soak: SYSTEM_PACKAGES += $(LONG_PACKAGES)
soak: $(STAMP) $(SPARK) system ## the long tests, and then `make national`
	ENCLOS_TESTS_LONG=1 $(BIN)/python -m pytest -q -n $(PYTEST_WORKERS) -m slow
	ENCLOS_TESTS_LONG=1 $(BIN)/python -m pytest -q -n $(PYTEST_WORKERS) -m "not slow" tests/generative
	$(MAKE) national

clean: ## remove what make made
	rm -rf $(VENV) $(DEMO_DIR) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
