#!/bin/sh
# Runs a command so that it makes way for everything else that wants the processor. Linux may weigh whole sessions against each
# other, and niceness only inside each: so the session, which the command has to itself, is marked as well where that is possible.
set -eu

{ echo 10 > /proc/self/autogroup; } 2> /dev/null || true
exec nice -n 10 "$@"
