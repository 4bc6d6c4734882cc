# Needs Python 3.11 to 3.13 and make; a C compiler and headers where a locked package has no wheel.
# `make setup` once, then `make node`; `make test` is what CI runs.

PYTHON ?= python3
# Options for the program: make node ARGS="--name ada"; for uv: make lock ARGS=--upgrade
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
# Touched by the last step of the set-up: while it is newer than what it depends on, nothing is to do.
READY := $(VENV)/.ready

.PHONY: setup demo node testnet test soak bed compose-test lint fmt proto bench lock package-test clean
.DELETE_ON_ERROR:

setup: $(READY)

# A mailbox, Alice and Bob, for some seconds, on this computer only.
demo: setup
	@$(BIN)/p2pchat demo $(ARGS)

node: setup
	@$(BIN)/p2pchat node $(ARGS)

# A whole network with faults, for two minutes, on this computer only: docs/testnet.md.
testnet: setup
	@$(BIN)/p2pchat testnet $(or $(ARGS),--nodes 8 --mailboxes 2 --seconds 120)

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python proto/generate.py --check

# Three at a time: most tests wait for something for most of their time. `make test ARGS=-n0`: one after the other.
test: lint
	$(BIN)/pytest -n 3 --dist worksteal $(ARGS)

# Crashes and bad input in full; minutes.
soak: setup
	$(BIN)/pytest -m soak $(ARGS)

# Nodes behind routers, in network namespaces; minutes, and it needs Linux and root: elsewhere it only says so.
bed: setup
	$(BIN)/pytest -rs -o faulthandler_timeout=240 -m bed $(ARGS)

# The image and the networks of compose.yml, in the Docker that runs here or, as root on Debian, in one of its own; minutes.
compose-test: setup
	$(BIN)/pytest -rs -o faulthandler_timeout=900 -m compose tests/compose $(ARGS)

fmt: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

proto: setup
	$(BIN)/python proto/generate.py

bench: setup
	$(BIN)/python -m tests.bench

# Builds wheels and installs them with several pips and Pythons; minutes, and it needs the package registry.
package-test: setup
	$(BIN)/python tests/packaging/install.py $(ARGS)

# Keeps the versions that still fit; the output names no index, so that the file is true everywhere. Those in deploy/ are
# for the container image: the same versions, without tools and without what can be left out.
lock: setup
	$(BIN)/uv pip compile pyproject.toml --quiet --all-extras --group dev --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url \
		--custom-compile-command "make lock" --output-file requirements.lock $(ARGS)
	for extra in "" workers; do \
		$(BIN)/uv pip compile pyproject.toml --quiet $${extra:+--extra $$extra} --universal \
			--python-version 3.11 --generate-hashes --no-emit-index-url --constraint requirements.lock \
			--excludes deploy/left-out.txt --custom-compile-command "make lock" \
			--output-file deploy/requirements$${extra:+-$$extra}.lock || exit 1; done
	@$(MAKE) --no-print-directory setup

clean:
	rm -rf $(VENV) build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What pip takes out of the lock, for uv to do the rest. The few packages without a wheel are built by this
# setuptools, without isolation: what uv puts into an isolated build is not held to any hash.
BOOTSTRAP := uv setuptools

# uv is told which environment to fill: an activated one of somebody else's must not be touched.
$(READY): requirements.lock pyproject.toml hatch_build.py
	@command -v $(PYTHON) >/dev/null || { echo "$$NO_PYTHON" >&2; exit 1; }
	@$(PYTHON) -c "$$CHECK_PYTHON"
	@$(BIN)/python -c "" 2>/dev/null && test -x $(BIN)/uv || { \
		$(PYTHON) -m venv --clear $(VENV) && \
		sed -n $(BOOTSTRAP:%=-e '/^%==/,/[^\\]$$/p') requirements.lock > $(VENV)/bootstrap.txt && \
		$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r $(VENV)/bootstrap.txt; }
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --no-build-isolation \
		requirements.lock || { $(BIN)/python -c "$$EXPLAIN_FAILED_BUILD"; exit 1; }
	@rm -rf $(VENV)/lib/python3*/site-packages/trio-stubs  # of 2023, from trio-typing: they hide trio's own types
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

define NO_PYTHON
make: $(PYTHON) is not installed; p2pchat needs Python 3.11, 3.12 or 3.13
  Debian, Ubuntu: apt install python3 python3-venv; elsewhere: make PYTHON=/path/to/python3.11
endef
export NO_PYTHON

# Old Pythons must be able to read this one, to say that they are too old.
define CHECK_PYTHON
import sys
found = "%s.%s at %s" % (sys.version_info[0], sys.version_info[1], sys.executable)
if not (3, 11) <= sys.version_info[:2] < (3, 14):
    sys.exit("make: p2pchat needs Python 3.11, 3.12 or 3.13, and this is " + found
             + "; say make PYTHON=/path/to/python3.11")
try:
    import ensurepip, venv
except ImportError:
    sys.exit("make: Python " + found + " cannot make virtual environments (Debian: apt install python3-venv)")
endef
export CHECK_PYTHON

# Asked only after a failed install: with a wheel, or one built before, no compiler is needed at all. The
# compiler itself is asked for the headers, so that CFLAGS, CPATH and a pyenv Python are all honoured.
define EXPLAIN_FAILED_BUILD
import os, shlex, shutil, subprocess, sys, sysconfig
compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
flags = shlex.split(os.environ.get("CFLAGS", "")) + ["-I" + sysconfig.get_path("include")]
def has(header):
    source = "#include <%s>" % header
    run = [*compiler, *flags, "-E", "-x", "c", "-"]
    return subprocess.run(run, input=source.encode(), capture_output=True).returncode == 0
if not shutil.which(compiler[0]):
    missing = ["a C compiler (" + compiler[0] + ")"]
else:
    names = {"stdlib.h": "the C library headers", "Python.h": "the headers of Python", "gmp.h": "the headers of GMP"}
    missing = [name for header, name in names.items() if not has(header)]
if not missing:
    sys.exit("make: installing the packages failed; what is above says why (no network? then try again)")
print("make: a package had to be compiled, and this is missing: " + ", ".join(missing), file=sys.stderr)
print("  Debian, Ubuntu: apt install build-essential python3-dev libgmp-dev", file=sys.stderr)
print("  macOS: xcode-select --install; brew install gmp", file=sys.stderr)
endef
export EXPLAIN_FAILED_BUILD
