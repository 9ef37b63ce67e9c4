"""What each command of `bmat` does with the service, and prints. Each returns an exit code."""

import argparse
import csv
import getpass
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any

from bmat.client import engine
from bmat.client.client import MOST_REPORTS_OF_A_PAGE, MOST_ROWS_OF_A_PAGE, Client
from bmat.client.errors import (
    DONE,
    ClientError,
    Interrupted,
    NoService,
    ReportFailed,
    SettingsError,
    TooManyRejects,
    Unreachable,
    UsageError,
)
from bmat.client.progress import Display
from bmat.client.reports import KEY_COLUMNS, OPTIONS, Report
from bmat.client.settings import Settings, load_settings, read_file, settings_path, write_file
from bmat.client.texts import comparison, inspection_text, report_line, report_text, summary_text
from bmat.client.watch import Event, Look, Watcher

STANDARD_OUTPUT = "-"
# Of several reports, none would fare better than the one that met this.
STOPS_ALL = (BrokenPipeError, Interrupted, NoService, SettingsError, Unreachable)


class Command:
    """One call of `bmat`: what it was told, and whom it talks to."""

    def __init__(self, told: argparse.Namespace, client: Client, display: Display) -> None:
        self.told = told
        self.client = client
        self.display = display

    @property
    def options(self) -> dict[str, Any]:
        """How a file is read, as far as it was said."""
        return {name: getattr(self.told, name) for name in OPTIONS}

    def print(self, answer: Mapping[str, Any], text: str) -> None:
        """The answer as JSON on one line, or the text of it."""
        print(json.dumps(answer, ensure_ascii=False) if self.told.json else text, flush=True)

    def submit(self) -> int:
        told = self.told
        groups = [[file] for file in told.files] if told.separately else [told.files]
        if len(groups) > 1 and (told.output or told.rejects):
            raise UsageError("-o and --rejects are for one report: leave --separately out.")
        is_only = len(groups) == 1
        pids: list[str] = []
        codes = [
            self._tried(partial(self._send, group, pids), group[0], is_only) for group in groups
        ]
        # All are under way before the first one is waited for.
        if self._is_waited_for:
            codes += [self._tried(partial(self._finish, pid), pid, is_only) for pid in pids]
        return max(codes)

    def _tried(self, step: Callable[[], int], where: Path | str, is_only: bool) -> int:
        """The exit code of one of several steps: one that fails does not stop the others."""
        try:
            return step()
        except STOPS_ALL:
            raise
        except (ClientError, OSError) as error:
            if is_only:
                raise
            return self.display.tell(error, str(where))

    def _send(self, files: list[Path], pids: list[str]) -> int:
        """Make one report of the files, and add it to the pids."""
        options = {**self.options, "base": self.told.base}
        try:
            with self.display.sending(files) as on_sent:
                report = self.client.submit(*files, options=options, on_sent=on_sent)
        except KeyboardInterrupt as stop:
            message = "Interrupted. The same command goes on where this one was."
            raise Interrupted(message) from stop
        pids.append(report["pid"])
        if not self._is_waited_for:
            self.print(report, report["pid"])
        return DONE

    @property
    def _is_waited_for(self) -> bool:
        told = self.told
        return bool(told.wait or told.output or told.rejects or told.max_rejects)

    def wait(self) -> int:
        return self._finish(self.told.pid)

    def _finish(self, pid: str) -> int:
        """Wait for the report, fetch its files, and say what it came to."""
        told = self.told
        try:
            with self.display.processing() as on_report:
                report = self.client.wait(pid, on_report)
        except KeyboardInterrupt as stop:
            raise Interrupted(
                f"Interrupted. The report goes on. Wait again: bmat wait {pid}; stop it: bmat "
                f"cancel {pid}"
            ) from stop
        except ReportFailed as failure:
            if told.rejects and failure.report["rejects_file"]:
                self._fetch_rejects(pid, told.rejects)
            raise
        if told.output:
            self._fetch_totals(pid, told.output)
        if told.rejects and report["rejects_file"]:
            self._fetch_rejects(pid, told.rejects)
        elif told.rejects:
            self.display.say(f"nothing was rejected: {told.rejects} is not written")
        self._tell(report)
        if told.max_rejects and not told.max_rejects.allow(report):
            raise TooManyRejects(f"{report['rows_rejected']:,} records of {pid} were rejected.")
        return DONE

    def _tell(self, report: Report) -> None:
        """What came of the report; not into the totals."""
        for warning in report["warnings"]:
            self.display.say(f"warning: {warning['message']}")
        if STANDARD_OUTPUT in (self.told.output, self.told.rejects):
            self.display.say(report_line(report))
        else:
            self.print(report, report_line(report))

    def status(self) -> int:
        report = self.client.report(self.told.pid)
        self.print(report, report_text(report))
        return DONE

    def list(self) -> int:
        told = self.told
        limit = None if told.all else told.limit
        most = MOST_REPORTS_OF_A_PAGE
        reports = self.client.reports(
            states=told.state, input_name=told.name, page_size=min(max(limit or most, 1), most)
        )
        for report in islice(reports, limit):
            line = f"{report['pid']}  {report['created'][:19]}  {report_line(report)}"
            self.print(report, line)
        return DONE

    def rows(self) -> int:
        told = self.told
        names = (*KEY_COLUMNS, "contains", "to", "grain", "order")
        question = {name: getattr(told, name) for name in names}
        question |= {"song_prefix": told.prefix, "from": told.first}
        limit = None if told.all else told.limit
        most = MOST_ROWS_OF_A_PAGE
        rows = self.client.rows(told.pid, limit=min(max(limit or most, 1), most), **question)
        writer = csv.writer(sys.stdout, lineterminator="\n")
        for number, row in enumerate(islice(rows, limit)):
            if told.json:
                print(json.dumps(row, ensure_ascii=False))
                continue
            if not number:
                writer.writerow(row)
            writer.writerow(row.values())
        return DONE

    def summary(self) -> int:
        summary = self.client.summary(self.told.pid)
        self.print(summary, summary_text(summary))
        return DONE

    def compare(self) -> int:
        told = self.told
        changes = self.client.compare(told.pid, told.earlier, grain=told.grain)
        self.print(changes, comparison(changes))
        return DONE

    def inspect(self) -> int:
        """0 where all files can be read."""
        is_local = engine.is_here() and not self.told.remote
        failed = False
        for path in self.told.files:
            options = {name: value for name, value in self.options.items() if value}
            if is_local:
                found = engine.inspected(path, options)
            else:
                found = self.client.inspect(path, options)
            self.print({"file": str(path), **found}, f"{path}\n{inspection_text(found)}")
            failed = failed or found["error"] is not None
        return ClientError.exit_code if failed else DONE

    def download(self) -> int:
        self._fetch_totals(self.told.pid, self.told.output)
        return DONE

    def rejects(self) -> int:
        self._fetch_rejects(self.told.pid, self.told.output)
        return DONE

    def _fetch_totals(self, pid: str, output: str) -> None:
        told = self.told
        fetch = partial(self.client.download, pid, format=told.format, excel_safe=told.excel_safe)
        self._fetch(output, fetch)

    def _fetch_rejects(self, pid: str, output: str) -> None:
        fetch = partial(self.client.rejects, pid, excel_safe=self.told.excel_safe)
        self._fetch(output, fetch)

    def _fetch(self, output: str, fetch: Callable[..., None]) -> None:
        """Put what the client can `fetch` in its place."""
        target = sys.stdout.buffer if output == STANDARD_OUTPUT else Path(output)
        try:
            with self.display.receiving() as on_received:
                fetch(target, on_received=on_received)
        except KeyboardInterrupt as stop:
            message = "Interrupted. A download to a file goes on where it was."
            raise Interrupted(message) from stop

    def cancel(self) -> int:
        report = self.client.cancel(self.told.pid)
        self.print(report, report_line(report))
        return DONE

    def retry(self) -> int:
        report = self.client.retry(self.told.pid)
        self.print(report, report_line(report))
        return DONE

    def delete(self) -> int:
        self.client.delete(self.told.pid)
        self.print({"pid": self.told.pid, "deleted": True}, f"{self.told.pid} deleted")
        return DONE

    def watch(self) -> int:
        """Ends on SIGINT and SIGTERM, with 0: the next start goes on."""

        def stop(number: int, frame: FrameType | None) -> None:
            raise KeyboardInterrupt

        signal.signal(signal.SIGTERM, stop)
        look = Look(self.told.pattern, self.told.settle, min(1.0, self.told.settle / 2))
        watcher = Watcher(self.client, self.told.folder, self.options, look, self._show_event)
        self.display.say(f"watching {self.told.folder}; Ctrl-C ends it")
        try:
            watcher.run()
        except KeyboardInterrupt:
            self.display.say("ended; the next start goes on from here")
        return DONE

    def _show_event(self, event: Event) -> None:
        if "error" in event:
            error = event["error"]
            self.display.complain(f"{event['file']}: {error['code']}: {error['message']}")
        if "pid" in event or self.told.json:
            self.print(event, f"{event.get('pid')}  {event['file']}")

    def login(self) -> int:
        name = self.told.name or input("Name: ")
        token = self.client.login(name, getpass.getpass("Password: "))
        kept = Settings(self.client.url, token["token"], self.told.insecure_http)
        path = write_file(kept)
        shown = {"url": self.client.url, "expiry": token["expiry"], "file": str(path)}
        until = f" until {token['expiry'][:10]}" if token["expiry"] else ""
        self.print(shown, f"Logged in at {self.client.url}{until}: the token is in {path}")
        return DONE

    def logout(self) -> int:
        self.client.logout()
        if read_file(settings_path()):
            kept = load_settings(environment={**os.environ, "BMAT_TOKEN": "", "BMAT_URL": ""})
            write_file(Settings(kept.url, "", kept.insecure_http))
        self.print({"url": self.client.url}, f"Logged out at {self.client.url}")
        return DONE
