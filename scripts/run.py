"""`make run`: the whole service in one terminal, on an embedded default.

Starts a worker, beat, Flower and then the web server, prefixes their output, and stops all of them
on Ctrl-C, on SIGTERM, when the terminal is closed, and when one of them ends by itself.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

from honcho import manager
from ready import wait_for_http
from run_settings import RunSettings, SettingError, require_free_port

PROJECT_FOLDER = Path(__file__).resolve().parent.parent
READY_SECONDS = 120.0
# An idle worker takes about 7 s to end in order on the filesystem broker; honcho would wait for 5.
manager.KILL_WAIT = 20


class LeaderFirst:
    """How to end a process and what it has started. honcho's own way would ask all of them at once:
    a Celery worker whose pool ends under its hands then waits for it in vain.
    """

    @staticmethod
    def terminate(pid: int) -> None:
        os.kill(pid, signal.SIGTERM)

    @staticmethod
    def kill(pid: int) -> None:
        os.killpg(pid, signal.SIGKILL)


class Supervisor(manager.Manager):
    """honcho's manager, which asks the leaders to end, and only kills whole groups."""

    def __init__(self) -> None:
        super().__init__()
        self._procmgr = LeaderFirst()

    def terminate(self) -> None:
        """Ask every process to end; a little later where a signal comes before all are started."""
        if self._all_started():
            super().terminate()
        else:
            threading.Timer(0.1, self.terminate).start()


def commands(settings: RunSettings) -> dict[str, list[str]]:
    """Each process's command line, by the name that prefixes its output. None holds a secret."""
    celery = [sys.executable, "-m", "celery", "--app", "bmat.taskapp.celery"]
    worker = [*celery, "worker", "--loglevel", "INFO", "--task-events"]
    worker += ["--without-gossip", "--without-mingle"]
    schedule = str(settings.home / "celerybeat-schedule")
    return {
        "small": [*worker, "--queues", "small", "--hostname", "small@%h", "--concurrency", "2"],
        # It makes way for everything else that wants the processor.
        "large": [
            str(PROJECT_FOLDER / "scripts" / "politely.sh"),
            *worker,
            *("--queues", "large", "--hostname", "large@%h", "--concurrency", "1"),
        ],
        "beat": [*celery, "beat", "--loglevel", "INFO", "--schedule", schedule, "--pidfile="],
        "flower": [
            *celery,
            "flower",
            f"--address={settings.host}",
            f"--port={settings.flower_port}",
            "--read-only",
        ],
        "web": [sys.executable, str(PROJECT_FOLDER / "scripts" / "serve.py")],
    }


def forget_messages(home: Path) -> None:
    """Empty the embedded broker, where queues of processes that are gone would fill up for ever.
    No report is lost: a worker that starts looks for those that wait.
    """
    shutil.rmtree(home / "broker", ignore_errors=True)


def announce(settings: RunSettings) -> None:
    """Print the addresses once they really answer."""
    for url in (settings.flower_url + "/healthcheck", settings.web_url + "/api/reports/"):
        if not wait_for_http(url, READY_SECONDS):
            print(f"{url} has not answered in {READY_SECONDS:.0f} s: see above", flush=True)
            return
    print(
        f"\n  Reports  {settings.web_url}/api/reports/"
        f"\n  Docs     {settings.web_url}/api/docs/"
        f"\n  Flower   {settings.flower_url}/  (user: {settings.flower_user})"
        f"\n  Files    {settings.home}"
        "\n  Ctrl-C stops everything.\n",
        flush=True,
    )


def main() -> int:
    """Run until stopped. The exit code is never 0: 130 after Ctrl-C, 143 after SIGTERM, 2 for a
    setting that cannot be followed, else that of the process that ended first, or 1.
    """
    try:
        settings = RunSettings.from_environment(os.environ)
        require_free_port("PORT", settings.host, settings.port)
        require_free_port("FLOWER_PORT", settings.host, settings.flower_port)
    except SettingError as error:
        print(f"make run: {error}", file=sys.stderr)
        return 2
    os.chdir(PROJECT_FOLDER)
    settings.home.mkdir(parents=True, exist_ok=True)
    forget_messages(settings.home)
    environment = settings.child_environment(os.environ)
    # No process of the service shall wait for a compiler, nor two of them compile the same.
    compile_kernels = [sys.executable, "-m", "bmat.aggregation.compile"]
    if subprocess.run(compile_kernels, env=environment, check=False).returncode != 0:
        print("make run: the kernels were not compiled: see the message above", file=sys.stderr)
        return 1
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    if subprocess.run(migrate, env=environment, check=False).returncode != 0:
        print("make run: the database was not migrated: see the message above", file=sys.stderr)
        return 1

    supervisor = Supervisor()
    for name, command in commands(settings).items():
        supervisor.add_process(name, "exec " + shlex.join(command), env=environment)
    # A closed terminal would otherwise end the supervisor alone: its children are sessions
    # of their own.
    signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    threading.Thread(target=announce, args=(settings,), daemon=True).start()
    supervisor.loop()
    # No process of the service ends by itself while all is well, whatever its exit code says.
    return supervisor.returncode or 1


if __name__ == "__main__":
    sys.exit(main())
