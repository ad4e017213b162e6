# Two commands for a fresh machine that has Python 3.11 to 3.13: `make demo` and `make test`.
# The rest is for those who work on it: `make help`.

VENV := .venv
BIN := $(VENV)/bin
# Of the environment that stands, the Python that it was made by; a named one that differs makes it
# anew: make setup PYTHON=python3.13
MADE_BY := $(shell sed -n 's/^executable = //p' $(VENV)/pyvenv.cfg 2>/dev/null)
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(or $(wildcard $(MADE_BY)),$(shell for p in python3.12 python3.11 python3.13 python3; do \
	"$$p" -c '$(FITS)' 2>/dev/null && command -v "$$p" && break; done))
ASKED := $(shell "$(PYTHON)" -c 'import os, sys; print(os.path.realpath(sys.executable))' 2>/dev/null)
OTHER := $(if $(MADE_BY),$(if $(filter $(ASKED),$(MADE_BY)),,other-python))
DEMO := demo
REQUIRE ?=
# A process a core, each of one thread: twice as fast here as one process of many threads.
PYTEST_ARGS ?= -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: help setup demo test lint types docs web wheel parity clean other-python
.DELETE_ON_ERROR:

help:
	@echo "make demo    synthetic people, a small training, a bundle, who is it, what it costs"
	@echo "make test    lint, types, tests (REQUIRE=all: a skipped test is a failure)"
	@echo "make docs    the pages in docs/ as HTML, in docs/_build"
	@echo "make web     fetch LiteRT.js for the phone's page, by npm"
	@echo "make wheel   what a device installs, in dist/ (with the phone's page after 'make web')"
	@echo "make setup   the environment for all of these; PYTHON=python3.13 makes it anew by another"
	@echo "make parity  rebuild the stored outputs of timm's networks (downloads PyTorch)"
	@echo "make clean   remove the demo and the environments"

setup: $(VENV)/.ready

define check_python
@"$(PYTHON)" -c '$(FITS)' 2>/dev/null || { echo "visavox: expected Python 3.11, 3.12 or 3.13, found $(or $(PYTHON),none on the path); install one, or name it: make setup PYTHON=/path/to/python3.12" >&2; exit 2; }
@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "visavox: $(PYTHON) cannot make environments; install the package python3-venv (Debian, Ubuntu: apt install python3-venv)" >&2; exit 2; }
endef

$(VENV)/.ready: setup.cfg pyproject.toml Makefile $(OTHER)
	$(check_python)
	"$(PYTHON)" -m venv $(if $(OTHER),--clear) $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[capture,gallery,kiosk,train,dev]'
	@# Without a screen's libraries (libGL) only OpenCV's headless build imports; never both.
	@$(BIN)/python -c 'import cv2' 2>/dev/null || { \
		$(BIN)/python -m pip uninstall --quiet --yes opencv-python && \
		$(BIN)/python -m pip install --quiet 'opencv-python-headless>=4.10,<5'; }
	@touch $@

# Or glibc gives each step's arrays back to the system, and asks for them again.
demo: export MALLOC_TRIM_THRESHOLD_ = 1000000000
demo: export MALLOC_MMAP_MAX_ = 0
demo: setup
	@rm -rf $(DEMO)
	@echo "== 1. sixteen synthetic people (drawn faces, synthesised voices)"
	@mkdir $(DEMO) && seq -f synthetic_%03g 9 16 > $(DEMO)/strangers.txt
	@$(BIN)/python -m train synth --people 16 --faces 16 --clips 10 --out $(DEMO)/people \
		--film $(DEMO) --in-film 6 9 4
	@echo "== 2. train a MobileViT pair on eight of them; the others stay strangers"
	@$(BIN)/python -m train fit --data $(DEMO)/people --image-size 64 --epochs 6 --voice-epochs 3 --jobs 2 \
		--leave-out-people $(DEMO)/strangers.txt --out $(DEMO)/run
	@echo "== 3. convert for the device"
	@$(BIN)/python -m convert bundle $(DEMO)/run --recipe float32 --out $(DEMO)/bundle-float32 \
		--recipe mixed_wi8 --out $(DEMO)/bundle
	@echo "== 4. what it costs on this machine"
	@$(BIN)/python -m benchmarks latency $(DEMO)/bundle-float32 $(DEMO)/bundle --rounds 20
	@echo "== 5. from when on is somebody named, and a stranger is not?"
	@# Drawn people are more alike than real ones, and so few of them show no less than 20 %.
	@$(BIN)/visavox thresholds $(DEMO)/bundle --people $(DEMO)/people --false-accept-rate 0.2
	@echo "== 6. who is it? (a face and a clip of synthetic_006 that training has not seen)"
	@$(BIN)/visavox identify $(DEMO)/bundle \
		--face $(DEMO)/people/synthetic_006/face/015.png \
		--voice $(DEMO)/people/synthetic_006/voice/009.flac
	@echo
	@echo "Figures are of synthetic people. The bundle is in $(DEMO)/bundle; README.md goes on from here."
	@echo "See it work on a page, with a film in the place of a camera:"
	@echo "    $(BIN)/visavox kiosk --demo $(DEMO)    # then open http://127.0.0.1:8765/"

test: lint types
	@# Without it, tests in a browser are skipped, or fail under REQUIRE=all.
	@$(MAKE) --no-print-directory --silent web || true
	VISAVOX_REQUIRE=$(REQUIRE) $(BIN)/python -m pytest --durations=25 $(PYTEST_ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: setup
	$(BIN)/mypy --strict edge_runtime benchmarks
	$(BIN)/mypy train convert

$(VENV)/.docs-ready: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	@touch $@

docs: $(VENV)/.docs-ready
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build
	@echo "open docs/_build/index.html"

web: setup
	@$(BIN)/python -m edge_runtime.web.fetch

# An environment of its own: who installs on a device does not train.
wheel:
	$(check_python)
	@# Or setuptools would pack modules that are no more.
	@rm -rf build/lib build/bdist.*
	@.venv-wheel/bin/python -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv --clear .venv-wheel
	.venv-wheel/bin/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	@ls dist/visavox-*.whl

.venv-parity/.ready:
	"$(PYTHON)" -m venv .venv-parity
	.venv-parity/bin/python -m pip install --quiet torch==2.13.0 "numpy>=2.4,<3" pillow pyyaml
	@# timm itself would pull in torchvision, which the script does without.
	.venv-parity/bin/python -m pip install --quiet --no-deps timm==1.0.31
	@touch $@

parity: setup .venv-parity/.ready
	.venv-parity/bin/python -m tests.data.make_timm_reference
	$(BIN)/python -m pytest tests/train/models/test_mobilevit_parity.py

clean:
	rm -rf $(DEMO) $(VENV) .venv-parity .venv-wheel build dist docs/_build docs/reference/generated *.egg-info
