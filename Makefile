# What a person types. Every target says what it does: `make help`.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run test faults load downloads uploads screenshots page rows fuzz schemathesis bench cluster billion compressed memory cancel lint format schema lock audit clean
.PHONY: venv-run venv-test venv-bench

VENV := .venv
BENCH_VENV := .venv-bench
BIN := $(VENV)/bin
# Every lock is the whole closure, extras and all: whoever installs it resolves nothing.
LOCK_COMMAND := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r target text; do \
		printf '%-14s %s\n' "$$target" "$$text"; done

run: venv-run ## start API, worker, beat and Flower on an embedded default (PORT, FLOWER_PORT, BMAT_HOME, VERBOSE=1)
	@exec $(BIN)/python scripts/run.py

test: venv-test ## run every test, with a private PostgreSQL and Redis, and check the coverage
	@exec sh scripts/test.sh

faults: venv-test ## stop each part of the running service, FAULT_ROUNDS=3 times: nothing may be lost
	@exec sh scripts/faults.sh

load: venv-test ## 20 clients with small reports beside one of 1 GB: how long they take, how many go through
	@$(BIN)/python -m bmat.tests.live.programs && $(BIN)/python -m bench.load

downloads: venv-test ## a download of 1 GB that breaks off at 40 % and goes on; 200 clients who poll at the same time
	@$(BIN)/python -m bmat.tests.live.programs && $(BIN)/python -m bench.downloads

uploads: venv-test ## a resumable upload of 1 GB (UPLOAD_BYTES) beside a copy, and eight at once: speed and memory
	@$(BIN)/python -m bmat.tests.live.programs && $(BIN)/python -m bench.uploads

screenshots: venv-test ## take pictures of the page in every state, into docs/img
	@$(BIN)/python -m bmat.tests.live.programs --browser && $(BIN)/python -m bench.screenshots

page: venv-test ## the page in a browser: drop to chart, a broken upload, searches, Lighthouse (PAGE_PARTS, PAGE_UPLOAD_BYTES, BENCH_ROWS)
	@$(BIN)/python -m bmat.tests.live.programs --browser && $(BIN)/python -m bench.page

rows: venv-test ## ask a result of 25 million rows for songs (BENCH_ROWS, BENCH_SHAPE=high): p95 below 50 ms
	@$(BIN)/python -m bmat.tests.live.programs && $(BIN)/python -m bench.rows

fuzz: venv-test ## run the property tests of the aggregation with 2,000 examples each, checked in four ways
	@exec sh scripts/fuzz.sh

schemathesis: venv-test ## make thousands of requests from the API's description, for SCHEMATHESIS_SECONDS=600
	@exec sh scripts/schemathesis.sh

bench: venv-bench ## measure the aggregation beside its peers (BENCH_ROWS=25000000, see docs/performance.md)
	@exec $(BENCH_VENV)/bin/python -m bench

cluster: venv-test ## the aggregation on a Dask cluster of one and of two workers, beside one thread (BENCH_ROWS)
	@$(BIN)/python -m bench.cluster

billion: venv-test ## aggregate a billion rows, a file of 37 GB: exact, and within the budget (BILLION_TIMES=40, BENCH_ROWS)
	@$(BIN)/python -m bench.billion

compressed: venv-test ## aggregate packed files beside the unpacking alone, and refuse what would become 10 GB (COMPRESSED_ROUNDS=5)
	@$(BIN)/python -m bench.compressed

memory: venv-test ## the most memory that hostile inputs of 4 GB take (MEMORY_BYTES, MEMORY_ROWS, MEMORY_CASES)
	@$(BIN)/python -m bench.memory

cancel: venv-test ## cancel the aggregation ten times in each stage: how long it goes on (CANCEL_ROWS, CANCEL_ROUNDS)
	@$(BIN)/python -m bench.cancel

lint: venv-test ## flake8, mypy --strict, missing migrations, Django's deployment checks
	@exec sh scripts/lint.sh

format: venv-test ## lay the code out again (ruff)
	$(BIN)/ruff check --select I --fix .
	$(BIN)/ruff format .

schema: venv-test ## write docs/openapi.yaml again, as the code has it now
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

lock: venv-test ## resolve requirements/*.txt into requirements/*.lock, with hashes
	$(LOCK_COMMAND) requirements/base.txt -o requirements/base.lock
	$(LOCK_COMMAND) -c requirements/base.lock requirements/local.txt -o requirements/local.lock
	$(LOCK_COMMAND) -c requirements/base.lock requirements/bench.txt -o requirements/bench.lock

audit: venv-test ## ask the Python package index for known vulnerabilities of what is locked (needs a network)
	@exec sh scripts/audit.sh

clean: ## remove what the commands above made, except the reports under var/
	rm -rf $(VENV) $(BENCH_VENV) .venv-audit .bench .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .coverage.* htmlcov staticfiles
	find bmat config bench scripts -type d -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# The script compares what the locks name, not their age: a fresh checkout may carry any time stamp. What testing needs
# holds what running needs, so that neither of the two makes the environment of the other anew.
venv-run:
	@sh scripts/install.sh $(VENV) requirements/base.lock

venv-test:
	@sh scripts/install.sh $(VENV) requirements/base.lock requirements/local.lock --kernels

venv-bench:
	@sh scripts/install.sh $(BENCH_VENV) requirements/bench.lock --kernels
