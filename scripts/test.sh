#!/bin/sh
# The whole test suite: once as the product runs, once more, in part, with kernels as plain Python
# that check every access to memory, once with guard pages; then the coverage gates.
set -eu

.venv/bin/python -m bmat.tests.live.programs --browser
bin=.venv/bin
rm -f .coverage .coverage.*

"$bin/pytest" --cov --cov-branch --cov-report= "$@"

echo "Kernels as plain Python, every access checked:"
tests=bmat/aggregation/tests
NUMBA_DISABLE_JIT=1 HYPOTHESIS_PROFILE=bmat-checked "$bin/pytest" -q -m "not compiled" \
    --cov --cov-append --cov-branch --cov-report= \
    $tests/test_blocks.py $tests/test_clean.py $tests/test_equality.py $tests/test_fields.py $tests/test_hashing.py \
    $tests/test_inspect.py $tests/test_kernels.py $tests/test_keys.py $tests/test_partitions.py $tests/test_records.py

echo "Compiled kernels, with guard pages:"
HYPOTHESIS_PROFILE=bmat-checked "$bin/python" -m pytest -q -p bmat.aggregation.tests.guard_pages \
    $tests/test_equality.py

echo "Branch coverage, at least 95 % of bmat:"
"$bin/coverage" report --include='bmat/*' --skip-covered --fail-under=95
echo "Branch coverage, 100 % of bmat/results, and of bmat/aggregation without its kernels:"
"$bin/coverage" report --include='bmat/aggregation/*,bmat/results/*' --omit='*/kernels/*' --fail-under=100
echo "Branch coverage, at least 98 % of the kernels:"
"$bin/coverage" report --include='bmat/aggregation/kernels/*' --fail-under=98
