#!/bin/sh
# Makes sure that the programs of a PostgreSQL, a Redis and an nginx server, and curl, are on this machine; with `--browser` those of
# Chromium, too. The tests start private ones from them; a server that the system's package may have started stays unused and
# untouched.
set -eu

has_postgres() {
    for initdb in /usr/lib/postgresql/*/bin/initdb /usr/pgsql-*/bin/initdb; do
        [ -x "$initdb" ] && return 0
    done
    command -v initdb > /dev/null 2>&1
}

missing=""
has_postgres || missing="$missing postgresql"
command -v redis-server > /dev/null 2>&1 || missing="$missing redis-server"
# Debian keeps it off the PATH of users.
command -v nginx > /dev/null 2>&1 || [ -x /usr/sbin/nginx ] || missing="$missing nginx"
# The README's own commands are tested too.
command -v curl > /dev/null 2>&1 || missing="$missing curl"
if [ "${1:-}" = --browser ]; then
    command -v chromium > /dev/null 2>&1 || command -v chromium-browser > /dev/null 2>&1 || missing="$missing chromium"
    command -v chromedriver > /dev/null 2>&1 || missing="$missing chromium-driver"
fi
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root="env"
elif command -v sudo > /dev/null 2>&1 && sudo -n true 2> /dev/null; then
    as_root="sudo -n env"
else
    as_root=""
fi

if [ -z "$as_root" ] || ! command -v apt-get > /dev/null 2>&1; then
    echo "The tests need the programs of:$missing. They are not on this machine, and this user may not install them." >&2
    echo "Debian, Ubuntu:  sudo apt-get install$missing" >&2
    echo "Fedora:          sudo dnf install postgresql-server redis nginx curl chromium chromedriver" >&2
    exit 1
fi

echo "Installing from the system's packages:$missing" >&2
# shellcheck disable=SC2086  # both variables are lists of words.
{
    $as_root DEBIAN_FRONTEND=noninteractive apt-get update -qq
    $as_root DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
} < /dev/null > /dev/null
