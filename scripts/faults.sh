#!/bin/sh
# Every scenario of the fault suite, FAULT_ROUNDS times each, on private servers. Arguments are passed on to pytest.
set -eu

sh scripts/require_servers.sh
FAULT_ROUNDS="${FAULT_ROUNDS:-3}" exec .venv/bin/pytest bmat/tests/faults "$@"
