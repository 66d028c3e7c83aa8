# Every target does its own set-up. A machine needs python3 (3.11 or newer, with venv), git and make; the rest goes
# into .venv/ and .tools/, pinned and checked by hash. A second run finds the stamps and sets nothing up.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check audit bench lock clean

PYTHON ?= python3
JOBS ?= 2
# more for pytest, as in: make test ARGS="-k promote"
ARGS ?=
# make lock UPGRADE=--upgrade moves every version to its newest
UPGRADE ?=

python := .venv/bin/python
uv := .venv/bin/uv
# The user's own tools come before those fetched; ours before theirs, since another distribution owns the name gitops.
run := PATH="$(CURDIR)/.venv/bin:$$PATH:$(CURDIR)/.tools/bin"
compile := $(uv) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-annotate --no-header $(UPGRADE)

# uv takes seconds where pip takes most of a minute. pip comes second: it may know a mirror that uv does not.
# Both are held to the same hashes.
install = $(uv) pip install --quiet --python $(1) $(2) || $(1) -m pip install --quiet $(2)

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: .venv/.runtime ## the whole story in about a minute, from a new service to production
	@$(python) scripts/fetch_helm.py --demo
	@$(run) scripts/demo.sh

test: check .tools/.fetched ## everything that must hold: check, then all tests (skips are listed with their reasons)
	@$(run) .venv/bin/pytest -n $(JOBS) --dist worksteal $(ARGS) || { code=$$?; \
		[ $$code -ne 5 ] || echo 'make test: no test was collected, so nothing was shown to hold' >&2; exit $$code; }

check: .venv/.dev ## lint, format and types: what pre-commit runs
	@$(run) ruff check
	@$(run) ruff format --check
	@$(run) yamllint --strict .
	@$(run) mypy

audit: .venv/.dev .tools/.fetched .tools/checkov/.installed ## the deep check of all that Shiplane writes; what stays is in docs/findings.md
	@$(run) $(python) -m scripts.audit
	@echo 'make audit: that each judge finds a planted fault' >&2
	@$(run) .venv/bin/pytest -q -n $(JOBS) --dist worksteal tests/audit
	@echo 'make audit: 10,000 documents of any kind, edited' >&2
	@$(run) SHIPLANE_EXAMPLES=10000 .venv/bin/pytest -q -n $(JOBS) tests/gitops/test_yamledit_anything.py
	@echo 'make audit: images, where buildah and debootstrap are' >&2
	@$(run) SHIPLANE_BUILD_IMAGES=1 .venv/bin/pytest -q tests/images

bench: .venv/.dev .tools/.fetched ## what it costs: seconds, requests, objects
	@set -e; for script in scripts/bench_*.py; do \
		[ -e "$$script" ] || { echo 'make bench: no scripts/bench_*.py yet' >&2; exit 0; }; \
		echo "== $$script"; $(run) $(python) "$$script"; done

lock: .venv/.uv ## the lock files anew from pyproject.toml and requirements*.in (UPGRADE=--upgrade: the newest)
	$(compile) requirements-uv.in --output-file requirements-uv.txt
	$(compile) pyproject.toml requirements.in --output-file requirements.txt
	$(compile) --extra aws --extra signatures pyproject.toml requirements.in --output-file requirements-images.txt
	$(compile) pyproject.toml requirements-dev.in --output-file requirements-dev.txt
	$(compile) requirements-audit.in --output-file requirements-audit.txt

clean: ## remove all that make has made, the set-up too
	rm -rf .venv .tools dist build demo .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.uv: requirements-uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'make: this needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3 ...' >&2; exit 1; }
	@echo 'setting up .venv' >&2
	@$(PYTHON) -m venv .venv
	@$(python) -m pip install --quiet --require-hashes --requirement requirements-uv.txt
	@touch $@

.venv/.runtime: .venv/.uv requirements.txt pyproject.toml
	@echo 'installing requirements.txt' >&2
	@$(call install,$(python),--require-hashes --requirement requirements.txt)
	@$(call install,$(python),--no-deps --no-build-isolation --editable .)
	@touch $@

# requirements-dev.txt holds all of requirements.txt at the same versions, so that the demo's set-up is done with it.
.venv/.dev: .venv/.uv requirements-dev.txt requirements.txt pyproject.toml
	@echo 'installing requirements-dev.txt' >&2
	@$(call install,$(python),--require-hashes --requirement requirements-dev.txt)
	@$(call install,$(python),--no-deps --no-build-isolation --editable .)
	@touch .venv/.runtime $@

.tools/.fetched: scripts/fetch_helm.py | .venv/.dev
	@$(python) scripts/fetch_helm.py
	@mkdir -p .tools && touch $@

# An environment of its own: checkov holds what it needs at versions that are not ours.
.tools/checkov/.installed: requirements-audit.txt | .venv/.uv
	@echo 'installing requirements-audit.txt' >&2
	@$(PYTHON) -m venv --clear .tools/checkov
	@$(call install,.tools/checkov/bin/python,--require-hashes --requirement requirements-audit.txt)
	@touch $@
