#!/bin/sh
# The property tests of the aggregation, and its regression files, in four ways: as it is; with a page
# without access behind every array that a kernel gets; with garbage in all memory that it gets; and
# with kernels as plain Python that check every access. FUZZ_SECONDS bounds each test.
set -eu

run() {
    echo "$1"
    shift
    # shellcheck disable=SC2086
    env $environment .venv/bin/python -m pytest -q --timeout "${FUZZ_SECONDS:-7200}" \
        -k "equals or agrees or easily" -m "$marks" bmat/aggregation/tests "$@"
}

environment="HYPOTHESIS_PROFILE=bmat-long" marks="not live"
run "Compiled, 2,000 examples each:"
run "Compiled, with guard pages:" -p bmat.aggregation.tests.guard_pages
run "Compiled, in memory full of garbage:" -p bmat.aggregation.tests.garbage
environment="HYPOTHESIS_PROFILE=bmat-long-checked NUMBA_DISABLE_JIT=1" marks="not compiled"
run "Plain Python, every access checked, 300 examples each:"
