"""`make run`: the whole service in one terminal, on an embedded default.

Starts a worker for small reports and one for large ones, beat, Flower and the web server, and stops
all of them on Ctrl-C, on SIGTERM, when the terminal is closed, and when one of them ends by itself.
The terminal shows what is done, then the addresses, then a line for each event of a report, and
warnings and errors. All else is in BMAT_HOME/logs; with `VERBOSE=1`, in the terminal, too.
"""

import os
import shutil
import sys
from pathlib import Path

from home_lock import HomeInUse, NoLock, lock_home
from output import Terminal, standard_output
from ready import answers
from run_settings import RunSettings, SettingError, require_free_port
from supervisor import Ended, Stopped, Supervisor

PROJECT_FOLDER = Path(__file__).resolve().parent.parent
READY_SECONDS = 120.0
CELERY = [sys.executable, "-m", "celery", "--app", "bmat.taskapp.celery"]
WORKER = [*CELERY, "worker", "--loglevel", "INFO", "--task-events"]
WORKER += ["--without-gossip", "--without-mingle"]


class NotPrepared(Exception):
    """The service cannot be started: the text says what has failed."""


def first_services(settings: RunSettings) -> dict[str, list[str]]:
    """The command lines of what takes, does and shows a first report, by the processes' names. None
    holds a secret.
    """
    flower = [sys.executable, "-m", "config.flower", f"--address={settings.host}"]
    return {
        "small": [*WORKER, "--queues", "small", "--hostname", "small@%h", "--concurrency", "2"],
        "flower": [*flower, f"--port={settings.flower_port}", "--read-only"],
        "web": [sys.executable, str(PROJECT_FOLDER / "scripts" / "serve.py")],
    }


def other_services(settings: RunSettings) -> dict[str, list[str]]:
    """The same of what need not be there before that: it would slow the start of the others."""
    schedule = str(settings.home / "celerybeat-schedule")
    return {
        # It makes way for everything else that wants the processor.
        "large": [
            str(PROJECT_FOLDER / "scripts" / "politely.sh"),
            *WORKER,
            *("--queues", "large", "--hostname", "large@%h", "--concurrency", "1"),
        ],
        "webhooks": [
            *(*WORKER, "--queues", "webhooks", "--hostname", "webhooks@%h"),
            *("--pool", "threads", "--concurrency", "4"),
        ],
        "beat": [*CELERY, "beat", "--loglevel", "INFO", "--schedule", schedule, "--pidfile="],
    }


def forget_messages(home: Path) -> None:
    """Empty the embedded broker, where queues of processes that are gone would fill up for ever.
    No report is lost: a worker that starts looks for those that wait.
    """
    shutil.rmtree(home / "broker", ignore_errors=True)


def prepare(supervisor: Supervisor, environment: dict[str, str]) -> None:
    """Does what no process of the service can do without. Raises `NotPrepared` and `Stopped`."""
    command = [sys.executable, str(PROJECT_FOLDER / "scripts" / "prepare.py")]
    supervisor.start("prepare", command, environment, shows_output=True)
    ended = supervisor.wait_for_an_end()
    if ended.name != "prepare" or ended.exit_code != 0:
        raise NotPrepared(f"{ended.name} failed ({cause(ended)}): see the lines above")


def serve(
    supervisor: Supervisor, settings: RunSettings, environment: dict[str, str], terminal: Terminal
) -> Ended:
    """Starts the service, and says when it answers; the process of it that ended first. Raises
    `Stopped`.
    """
    for name, command in first_services(settings).items():
        supervisor.start(name, command, environment)
    urls = [f"{settings.web_url}/healthz", f"{settings.flower_url}/healthcheck"]
    ended = supervisor.wait_until(lambda: all(map(answers, urls)), READY_SECONDS)
    if ended is not None:
        return ended
    for name, command in other_services(settings).items():
        supervisor.start(name, command, environment)
    for line in announcement(settings) if all(map(answers, urls)) else no_answer(settings):
        terminal.show(line)
    return supervisor.wait_for_an_end()


def announcement(settings: RunSettings) -> list[str]:
    """The addresses."""
    return [
        "",
        f"  Page     {settings.web_url}/",
        f"  Docs     {settings.web_url}/api/docs/",
        f"  Flower   {settings.flower_url}/  (user: {settings.flower_user})",
        f"  Files    {settings.home}",
        f"  Logs     {settings.logs}  (VERBOSE=1 make run shows them here)",
        "  Ctrl-C stops everything.",
        "",
    ]


def no_answer(settings: RunSettings) -> list[str]:
    seconds = f"{READY_SECONDS:.0f} s"
    return [
        f"{settings.web_url} or {settings.flower_url} has not answered in {seconds}: "
        f"see {settings.logs}. Ctrl-C stops everything."
    ]


def supervise(settings: RunSettings, lock: int, terminal: Terminal) -> int:
    """Runs the service until it is stopped; the exit code."""
    environment = settings.child_environment(os.environ)
    with Supervisor(terminal, settings.logs, lock, settings.verbose) as supervisor:
        try:
            forget_messages(settings.home)
            prepare(supervisor, environment)
            ended = serve(supervisor, settings, environment, terminal)
        except Stopped as stopped:
            terminal.show("Stopping. Reports that run are handed back; Ctrl-C again does not wait.")
            return stopped.exit_code
        except NotPrepared as failure:
            terminal.show_progress("")
            print(f"make run: {failure}", file=sys.stderr)
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
        os.chdir(PROJECT_FOLDER)
        return supervise(settings, lock, terminal)
    except (SettingError, HomeInUse, NoLock) as error:
        print(f"make run: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
