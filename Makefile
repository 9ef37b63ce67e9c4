# What a person types. Every target says what it does: `make help`.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run test faults load downloads rows fuzz schemathesis bench lint format schema lock audit clean

VENV := .venv
BENCH_VENV := .venv-bench
BIN := $(VENV)/bin
LOCK_COMMAND := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r target text; do \
		printf '%-14s %s\n' "$$target" "$$text"; done

run: $(VENV)/installed ## start API, worker, beat and Flower on an embedded default (PORT, FLOWER_PORT, BMAT_HOME)
	@exec $(BIN)/python scripts/run.py

test: $(VENV)/installed ## run every test, with a private PostgreSQL and Redis, and check the coverage
	@exec sh scripts/test.sh

faults: $(VENV)/installed ## strike every part of the running service, FAULT_ROUNDS=3 times each: nothing may be lost
	@exec sh scripts/faults.sh

load: $(VENV)/installed ## 20 clients with small reports beside one of 1 GB: how long they take, how many go through
	@sh scripts/require_servers.sh && $(BIN)/python -m bench.load

downloads: $(VENV)/installed ## a download of 1 GB that breaks off at 40 % and goes on; 200 clients who poll at the same time
	@sh scripts/require_servers.sh && $(BIN)/python -m bench.downloads

rows: $(VENV)/installed ## ask a result of 25 million rows for songs (BENCH_ROWS, BENCH_SHAPE=high): p95 below 50 ms
	@sh scripts/require_servers.sh && $(BIN)/python -m bench.rows

fuzz: $(VENV)/installed ## run the property tests of the aggregation with 2,000 examples each, checked in four ways
	@exec sh scripts/fuzz.sh

schemathesis: $(VENV)/installed ## make thousands of requests from the API's description, for SCHEMATHESIS_SECONDS=600
	@exec sh scripts/schemathesis.sh

bench: $(BENCH_VENV)/installed ## measure the aggregation beside its peers (BENCH_ROWS=25000000, see docs/performance.md)
	@exec $(BENCH_VENV)/bin/python -m bench

lint: $(VENV)/installed ## flake8, mypy --strict, missing migrations, Django's deployment checks
	@exec sh scripts/lint.sh

format: $(VENV)/installed ## lay the code out again (ruff)
	$(BIN)/ruff check --select I --fix .
	$(BIN)/ruff format .

schema: $(VENV)/installed ## write docs/openapi.yaml again, as the code has it now
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

lock: $(VENV)/installed ## resolve requirements/*.txt into requirements/*.lock, with hashes
	$(LOCK_COMMAND) requirements/local.txt -o requirements/local.lock
	$(LOCK_COMMAND) requirements/production.txt -o requirements/production.lock
	$(LOCK_COMMAND) requirements/bench.txt -o requirements/bench.lock

audit: $(VENV)/installed ## ask the Python package index for known vulnerabilities of what is locked (needs a network)
	@exec sh scripts/audit.sh

clean: ## remove what the commands above made, except the reports under var/
	rm -rf $(VENV) $(BENCH_VENV) .venv-audit .bench .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .coverage.* htmlcov staticfiles
	find bmat config bench scripts -type d -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# The script compares the lock's content, not its age: a fresh checkout may carry any time stamp.
$(VENV)/installed: FORCE
	@exec sh scripts/install.sh $(VENV) requirements/local.lock

$(BENCH_VENV)/installed: FORCE
	@exec sh scripts/install.sh $(BENCH_VENV) requirements/bench.lock

.PHONY: FORCE
FORCE:
