"""`make run`: the whole service in one terminal, on an embedded default.

Starts a worker for small reports and one for large ones, beat, Flower and the web server, and stops
all of them on Ctrl-C, on SIGTERM, when the terminal is closed, and when one of them ends by itself.
The terminal shows what is done, then the addresses, then a line for each event of a report, and
warnings and errors. All else is in BMAT_HOME/logs; with `VERBOSE=1`, in the terminal, too.
"""

import os
import shutil
import sys
import threading
import time
from pathlib import Path

from home_lock import HomeInUse, NoLock, lock_home
from output import Terminal, standard_output
from ready import wait_for_http
from run_settings import RunSettings, SettingError, require_free_port
from supervisor import Ended, Stopped, Supervisor

PROJECT_FOLDER = Path(__file__).resolve().parent.parent
READY_SECONDS = 120.0


class StepFailed(Exception):
    """Something that has to be done before the start was not done. The text says what."""


# What is done before the start: by its name, how it is called on the terminal, and the command. No
# process of the service shall wait for a compiler, nor two of them compile the same. Each worker
# runs Django's checks: the migration need not.
STEPS = {
    "kernels": (
        "Kernels",
        [sys.executable, str(PROJECT_FOLDER / "scripts" / "compile_kernels.py")],
    ),
    "database": (
        "Database",
        [sys.executable, "manage.py", "migrate", "--verbosity", "0", "--skip-checks"],
    ),
}


def services(settings: RunSettings) -> dict[str, list[str]]:
    """Each process's command line, by its name. None holds a secret."""
    celery = [sys.executable, "-m", "celery", "--app", "bmat.taskapp.celery"]
    worker = [*celery, "worker", "--loglevel", "INFO", "--task-events"]
    worker += ["--without-gossip", "--without-mingle"]
    schedule = str(settings.home / "celerybeat-schedule")
    return {
        "small": [*worker, "--queues", "small", "--hostname", "small@%h", "--concurrency", "2"],
        "flower": [
            *celery,
            "flower",
            f"--address={settings.host}",
            f"--port={settings.flower_port}",
            "--read-only",
        ],
        "web": [sys.executable, str(PROJECT_FOLDER / "scripts" / "serve.py")],
        "beat": [*celery, "beat", "--loglevel", "INFO", "--schedule", schedule, "--pidfile="],
        # It makes way for everything else that wants the processor.
        "large": [
            str(PROJECT_FOLDER / "scripts" / "politely.sh"),
            *worker,
            *("--queues", "large", "--hostname", "large@%h", "--concurrency", "1"),
        ],
    }


def forget_messages(home: Path) -> None:
    """Empty the embedded broker, where queues of processes that are gone would fill up for ever.
    No report is lost: a worker that starts looks for those that wait.
    """
    shutil.rmtree(home / "broker", ignore_errors=True)


def prepare(supervisor: Supervisor, environment: dict[str, str], terminal: Terminal) -> None:
    """Does all steps at the same time. Raises `StepFailed` and `Stopped`."""
    started = time.monotonic()
    for name, (_, command) in STEPS.items():
        supervisor.start(name, command, environment)
    for _ in STEPS:
        ended = supervisor.wait_for_an_end()
        if ended.exit_code != 0 or ended.name not in STEPS:
            ended.output.show_kept()
            raise StepFailed(f"{ended.name} failed ({cause(ended)})")
        title = STEPS[ended.name][0]
        terminal.show(f"{title:<9} ready ({time.monotonic() - started:.1f} s)")


def serve(supervisor: Supervisor, settings: RunSettings, environment: dict[str, str]) -> Ended:
    """Starts the service; the process of it that ended first. Raises `Stopped`."""
    for name, command in services(settings).items():
        supervisor.start(name, command, environment)
    return supervisor.wait_for_an_end()


def announce(settings: RunSettings, terminal: Terminal) -> None:
    """Show the addresses once they really answer."""
    for url in (settings.flower_url + "/healthcheck", settings.web_url + "/api/reports/"):
        if not wait_for_http(url, READY_SECONDS):
            seconds = f"{READY_SECONDS:.0f} s"
            terminal.show(f"{url} has not answered in {seconds}: see {settings.logs}")
            return
    for line in (
        "",
        f"  Reports  {settings.web_url}/api/reports/",
        f"  Docs     {settings.web_url}/api/docs/",
        f"  Flower   {settings.flower_url}/  (user: {settings.flower_user})",
        f"  Files    {settings.home}",
        f"  Logs     {settings.logs}  (VERBOSE=1 make run shows them here)",
        "  Ctrl-C stops everything.",
        "",
    ):
        terminal.show(line)


def supervise(settings: RunSettings, lock: int, terminal: Terminal) -> int:
    """Runs the service until it is stopped; the exit code."""
    environment = settings.child_environment(os.environ)
    with Supervisor(terminal, settings.logs, lock, settings.verbose) as supervisor:
        try:
            forget_messages(settings.home)
            prepare(supervisor, environment, terminal)
            threading.Thread(target=announce, args=(settings, terminal), daemon=True).start()
            ended = serve(supervisor, settings, environment)
        except Stopped as stopped:
            terminal.show("Stopping. Reports that run are handed back; Ctrl-C again does not wait.")
            return stopped.exit_code
        except StepFailed as failure:
            print(f"make run: {failure}: see the lines above, and {settings.logs}", file=sys.stderr)
            return 1
        ended.output.show_kept()
        print(
            f"make run: {ended.name} ended by itself ({cause(ended)}), so everything is stopped: "
            f"see the lines above, and {ended.output.log_path}",
            file=sys.stderr,
        )
        # No process of the service ends by itself while all is well, whatever its exit code says.
        return ended.exit_code or 1


def cause(ended: Ended) -> str:
    """How a process ended, in words."""
    if ended.exit_code > 128:
        return f"signal {ended.exit_code - 128}"
    return f"exit code {ended.exit_code}"


def main() -> int:
    """Run until stopped. The exit code is never 0: 130 after Ctrl-C, 143 after SIGTERM, 129 after
    the terminal was closed, 2 for a setting that cannot be followed and for a BMAT_HOME in use,
    else that of the process that ended first, or 1.
    """
    terminal = standard_output()
    try:
        settings = RunSettings.from_environment(os.environ)
        lock = lock_home(settings.home, terminal.show)
        require_free_port("PORT", settings.host, settings.port)
        require_free_port("FLOWER_PORT", settings.host, settings.flower_port)
    except (SettingError, HomeInUse, NoLock) as error:
        print(f"make run: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    os.chdir(PROJECT_FOLDER)
    return supervise(settings, lock, terminal)


if __name__ == "__main__":
    sys.exit(main())
