#!/bin/sh
# Known vulnerabilities of what the lock files hold, the tools of development included. pip-audit comes into a virtual environment of
# its own: nothing of it gets near what runs. With --strict, a package that could not be asked about is a failure: where the index
# does not answer, "no known vulnerabilities" would mean nothing.
set -eu

audit=.venv-audit
if [ ! -x "$audit/bin/pip-audit" ]; then
    .venv/bin/python -m venv "$audit"
    "$audit/bin/python" -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1
fi
for lock in requirements/base.lock requirements/local.lock requirements/bench.lock; do
    echo "$lock"
    "$audit/bin/pip-audit" --strict --disable-pip --require-hashes --progress-spinner off --requirement "$lock"
done
