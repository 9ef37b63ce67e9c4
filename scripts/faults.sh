#!/bin/sh
# Every scenario of the fault suite, FAULT_ROUNDS times each, on private servers. Arguments are passed on to pytest.
set -eu

.venv/bin/python -m bmat.tests.live.programs
FAULT_ROUNDS="${FAULT_ROUNDS:-3}" exec .venv/bin/pytest bmat/tests/faults "$@"
