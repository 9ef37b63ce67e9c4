"""Ends the processes of `make run` where its supervisor could not: after `kill -9`, or a crash.

Started by the supervisor, as `watcher.py <file descriptor of the lock on BMAT_HOME>`. It reads from
a pipe whose other end only the supervisor holds: `+<pid>` for a process that leads a group,
`-<pid>` for a group that is gone. The pipe's end is the supervisor's. The lock is held until the
groups are gone, so that no other service can begin before that.
"""

import os
import signal
import sys
import time

from home_lock import mark_ending

# To hand back running reports; after that, they are killed.
TERM_SECONDS = 5.0
KILL_SECONDS = 5.0
POLL_SECONDS = 0.05


def main() -> None:
    lock = int(sys.argv[1])
    # It leaves last, whoever asks all processes of a terminal or of the system to end.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    groups = groups_left_over()
    if groups:
        mark_ending(lock)
        end(groups)


def groups_left_over() -> set[int]:
    """Waits for the supervisor's end; the groups that it has not ended."""
    groups: set[int] = set()
    for line in sys.stdin.buffer:
        pid = int(line[1:])
        if line.startswith(b"+"):
            groups.add(pid)
        else:
            groups.discard(pid)
    return groups


def end(groups: set[int]) -> None:
    """Asks the leaders to end, and kills what is left of their groups after a while."""
    for leader in groups:
        try:
            os.kill(leader, signal.SIGTERM)
        except ProcessLookupError:
            pass
    wait_until_gone(groups, TERM_SECONDS)
    for group in groups:
        signal_group(group, signal.SIGKILL)
    wait_until_gone(groups, KILL_SECONDS)


def wait_until_gone(groups: set[int], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(signal_group(group, 0) for group in groups) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def signal_group(group: int, number: int) -> bool:
    """Sends the signal; 0 only asks. Whether the group has a process that can take it."""
    try:
        os.killpg(group, number)
    # macOS does not permit it where all that is left waits to be collected.
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main()
