# Every target sets up what it needs; nothing has to be installed by hand but Python 3.11 or later.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test slow lint bench clean

demo: $(READY)
	$(BIN)/snapupscale demo -o demo-out

test: lint debian
	$(BIN)/pytest -m "not slow"

slow: $(READY) debian
	$(BIN)/pytest -m slow

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	$(BIN)/python tests/benchmarks/stages.py
	$(BIN)/python tests/benchmarks/picks.py
	$(BIN)/python tests/benchmarks/startup.py

$(READY): pyproject.toml constraints.txt models/manifest.toml
	$(PYTHON) -m venv $(VENV) || { $(MAKE) venv-package && $(PYTHON) -m venv $(VENV); }
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $(READY)

# A browser for the test of the report, and openssl for a certificate of the test server.
.PHONY: debian venv-package
debian:
	@command -v chromium >/dev/null && command -v openssl >/dev/null || \
	  { command -v apt-get >/dev/null && $(APT) chromium openssl; } || \
	  echo "chromium or openssl is missing and can't be installed: the tests that need them are left out"

venv-package:
	$(APT) python3-venv

APT = export DEBIAN_FRONTEND=noninteractive; SUDO=$$([ "$$(id -u)" = 0 ] || echo sudo -n); \
  $$SUDO apt-get update -qq && $$SUDO apt-get install -y -qq --no-install-recommends

clean:
	rm -rf $(VENV) demo-out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
