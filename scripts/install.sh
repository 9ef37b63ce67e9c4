#!/bin/sh
# Finds a Python that bmat runs on, and has it install the lock files $2... into the virtual environment $1 (see install.py).
set -eu

venv=$1

# An interpreter as the locked packages have wheels for: CPython, 64 bits, with the GIL.
suits() {
    "$1" -c 'import sys, sysconfig
sys.exit(not (
    (3, 11) <= sys.version_info[:2] <= (3, 14)
    and sys.implementation.name == "cpython"
    and sys.maxsize > 2**32
    and not sysconfig.get_config_var("Py_GIL_DISABLED")
))' 2> /dev/null
}

makes_environments() {
    "$1" -c 'import ensurepip, venv' 2> /dev/null
}

# Sets `python` to the first of the given programs that will do.
find_python() {
    for candidate in "$@"; do
        if ! suits "$candidate"; then
            continue
        elif makes_environments "$candidate"; then
            python=$candidate
            return
        fi
        incomplete=${incomplete:-$candidate}
    done
}

python=""
incomplete=""
if [ -n "${PYTHON:-}" ]; then
    find_python "$PYTHON"
else
    # An environment keeps the version that it was made with. 3.13 is the one of the images.
    find_python "$venv/bin/python" python3.13 python3.12 python3.11 python3.14 python3
fi

if [ -z "$python" ] && [ -n "$incomplete" ]; then
    name=python$("$incomplete" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "$incomplete cannot make virtual environments: its modules 'venv' and 'ensurepip' are missing." >&2
    echo "Install them (Debian, Ubuntu: apt-get install $name-venv) and start again." >&2
    exit 1
elif [ -z "$python" ]; then
    if [ -n "${PYTHON:-}" ]; then
        echo "PYTHON=$PYTHON is no CPython 3.11, 3.12, 3.13 or 3.14 of 64 bits." >&2
    else
        echo "bmat needs CPython 3.11, 3.12, 3.13 or 3.14 of 64 bits, and none of them is on the PATH." >&2
    fi
    echo "Debian 12 and later, Ubuntu 24.04 and later:  apt-get install python3 python3-venv" >&2
    echo "Fedora:                                       dnf install python3.13" >&2
    echo "macOS:                                        brew install python@3.13" >&2
    echo "Where it is somewhere else, name it:          make run PYTHON=/path/to/python3.13" >&2
    exit 1
fi

exec "$python" "$(dirname "$0")/install.py" "$@"
