# OpenMP threads that spin on busy cores make LightGBM up to thirty times slower.
export OMP_WAIT_POLICY := PASSIVE
export PYTHONHASHSEED := 0

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
READY_DEV := .venv/.ready-dev
READY_SECURITY := .venv/.ready-security
SECURITY := .venv/security/bin
READY_DOCS := .venv/.ready-docs
DOCS := .venv/docs/bin
CODE := benchmarks cli decisions experiments features models population release serving training
LOCKS := $(wildcard requirements/*.txt)
# Files whose hashes are known, and none that would run code while it is installed.
INSTALL := python -m pip install --quiet --require-hashes --only-binary :all:
INSTALL_OURS := python -m pip install --quiet --no-deps --no-build-isolation --editable .

.DEFAULT_GOAL := help
.PHONY: help demo serve test check lint types contracts security docs format bench soak lock release clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	$(PYTHON) -m venv .venv

$(READY): pyproject.toml $(LOCKS) | $(BIN)/python
	$(BIN)/$(INSTALL) --requirement requirements/build.txt --requirement requirements/demo.txt
	$(BIN)/$(INSTALL_OURS)
	@touch $@

$(READY_DEV): pyproject.toml $(LOCKS) | $(BIN)/python
	$(BIN)/$(INSTALL) --requirement requirements/build.txt --requirement requirements/dev.txt
	$(BIN)/$(INSTALL_OURS)
	@touch $(READY) $@

# semgrep asks for other versions than we do, so these tools have an environment of their own.
$(READY_SECURITY): requirements/security.txt | $(BIN)/python
	$(BIN)/python -m venv .venv/security
	$(SECURITY)/$(INSTALL) --requirement requirements/security.txt
	@touch $@

# The site is built from the text of the code, so its tools need none of our packages.
$(READY_DOCS): requirements/docs.txt | $(BIN)/python
	$(BIN)/python -m venv .venv/docs
	$(DOCS)/$(INSTALL) --requirement requirements/docs.txt
	@touch $@

demo: $(READY)  ## Run the main job on real data: import, features, models, decisions over HTTP, report
	$(BIN)/tactful demo

serve: $(READY)  ## Keep the decision service running on the demo's data
	$(BIN)/tactful serve

test: $(READY_DEV)  ## Run the tests and the examples in docstrings and guides
	$(BIN)/python -m pytest -m "not soak" --numprocesses auto --dist loadfile --no-loadscope-reorder

check: lint types contracts security docs test  ## Everything CI runs: format, lint, types, import contracts, weak spots, site, tests, doctests

lint: $(READY_DEV)
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m ruff check .
	$(BIN)/hadolint Dockerfile

types: $(READY_DEV)
	$(BIN)/python -m mypy

contracts: $(READY_DEV)
	$(BIN)/lint-imports

security: $(READY_SECURITY)  ## Look for weak spots and secrets in the code, without a network
	$(SECURITY)/bandit --quiet --configfile pyproject.toml --recursive $(CODE) 2> .venv/bandit.log || { cat .venv/bandit.log; exit 1; }
	$(SECURITY)/detect-secrets-hook --baseline .secrets.baseline $$(git ls-files) || test $$? -eq 3  # 3: a known one moved
	PATH=$(SECURITY):$$PATH semgrep test .semgrep
	PATH=$(SECURITY):$$PATH semgrep scan --metrics off --disable-version-check --quiet --error --config .semgrep/rules.yaml $(CODE)

docs: $(READY_DOCS)  ## Build the documentation site into var/site, and check that it needs no network
	$(DOCS)/zensical build --strict --clean
	$(DOCS)/python -m release.offline var/site

format: $(READY_DEV)  ## Format and mend what can be mended
	$(BIN)/python -m ruff format .
	$(BIN)/python -m ruff check --fix .

bench: $(READY_DEV)  ## Run every benchmark; each writes var/bench/NAME.json, its ratios go to benchmarks/history
	@for script in benchmarks/[a-z]*.py; do $(BIN)/python -m benchmarks.$$(basename $$script .py) || exit 1; done
	@$(BIN)/python -m benchmarks._history record
	@$(BIN)/python -m benchmarks._history compare

soak: $(READY_DEV)  ## The long proofs, then ten minutes of mixed load among faults; writes var/bench/soak.json
	$(BIN)/python -m pytest -m soak --numprocesses auto --dist loadfile
	$(BIN)/python -m tests.storm.soak

lock: $(READY_DEV)  ## Write constraints.txt and requirements/ after a change of dependencies
	$(BIN)/python -m release.locks

# The notices and the bill of materials are of the environment that the wheel runs in, not of the one it was made in.
release: $(READY_DEV)  ## Build the wheel, the source, the licences of others and the bill of materials, all in dist/
	rm -rf dist var/release
	$(BIN)/python -m build --no-isolation --outdir dist
	$(PYTHON) -m venv --without-pip var/release
	$(BIN)/python -m pip --python var/release/bin/python install --quiet --require-hashes --only-binary :all: --requirement requirements/serve.txt
	$(BIN)/python -m pip --python var/release/bin/python install --quiet --no-deps dist/*.whl
	var/release/bin/tactful --version
	$(BIN)/pip-licenses --python var/release/bin/python --ignore-packages tactful --format plain-vertical --with-urls \
		--with-license-file --with-notice-file --no-license-path --output-file dist/THIRD-PARTY-NOTICES.txt
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-file dist/tactful.cdx.json var/release/bin/python

clean:  ## Remove the environment and everything generated
	rm -rf .venv var dist
