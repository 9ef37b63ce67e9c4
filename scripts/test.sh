#!/bin/sh
# The whole test suite in one run, then the two coverage gates.
set -eu

.venv/bin/python -m bmat.tests.live.programs --browser
bin=.venv/bin
rm -f .coverage .coverage.*

"$bin/pytest" --cov --cov-branch --cov-report= "$@"

echo "Branch coverage, at least 95 % of bmat:"
"$bin/coverage" report --include='bmat/*' --skip-covered --fail-under=95
echo "Branch coverage, 100 % of bmat/aggregation:"
"$bin/coverage" report --include='bmat/aggregation/*' --fail-under=100
