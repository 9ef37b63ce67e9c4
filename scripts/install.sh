#!/bin/sh
# Makes the virtual environment $1 and installs the lock file $2 into it, unless it already holds exactly that lock.
set -eu

venv=$1
lock=$2
stamp=$venv/installed

find_python() {
    for candidate in ${PYTHON:-} python3.13 python3.12 python3.11 python3; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    echo "bmat needs Python 3.11, 3.12 or 3.13, and none of them is on the PATH." >&2
    echo "Install one (Debian, Ubuntu: apt-get install python3 python3-venv), or name it: PYTHON=/path/to/python3.12 make ..." >&2
    return 1
}

wanted=$(cksum < "$lock")
if [ -x "$venv/bin/python" ] && "$venv/bin/python" -c '' 2>/dev/null; then
    if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
        exit 0
    fi
else
    python=$(find_python)
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "$python cannot make virtual environments: its packages 'venv' and 'ensurepip' are missing." >&2
        echo "Install them (Debian, Ubuntu: apt-get install python3-venv) and start again." >&2
        exit 1
    fi
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi

echo "Installing $lock into $venv (once, and again when the lock changes)..." >&2
rm -f "$stamp"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
echo "Compiling the kernels of the aggregation (once, about half a minute)..." >&2
"$venv/bin/python" -m bmat.aggregation.compile >&2
# The stamp is written last, so that an installation that was interrupted is taken up again.
printf '%s\n' "$wanted" > "$stamp"
