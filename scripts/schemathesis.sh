#!/bin/sh
# The long run of the requests that are made from the API's description.
set -eu

.venv/bin/python -m bmat.tests.live.programs
SCHEMATHESIS_SECONDS=${SCHEMATHESIS_SECONDS:-600}
export SCHEMATHESIS_SECONDS
exec .venv/bin/pytest -s bmat/tests/live/test_schemathesis.py
