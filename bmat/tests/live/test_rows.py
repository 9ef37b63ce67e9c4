"""Asking a result for rows, over real sockets; and the measurement of it, at small scale."""

from pathlib import Path

import pytest
import requests

from bench.rows import MOST_SECONDS, measure, verdict
from bench.rows_clients import Times
from bmat.tests import samples
from bmat.tests.live.client import Client
from bmat.tests.live.generated_plays import as_csv, plays
from bmat.tests.live.stack import Stack


def test_its_pages_hold_what_the_download_holds(client: Client) -> None:
    body = client.done(client.upload(as_csv(plays(20_000, songs=50))[0]))
    url = f"{client.reports_url}{body['pid']}/rows?limit=1000"
    lines = ["Song,Date,Total Number of Plays for Date"]
    while url:
        page = requests.get(url, timeout=10).json()
        for row in page["rows"]:
            song = f'"{row["song"]}"' if "," in row["song"] else row["song"]
            lines.append(f"{song},{row['date']},{row['plays']}")
        url = page["next"]
    assert "\n".join(lines) + "\n" == client.download(body).decode()


def test_it_sums_up_what_it_counted(client: Client) -> None:
    body = client.done(client.upload(samples.BAD_ROWS))
    answer = requests.get(f"{client.reports_url}{body['pid']}/summary", timeout=10)
    summary = answer.json()
    assert summary["rows_rejected"] == sum(summary["rejects_by_reason"].values()) == 7
    assert sum(summary["plays_by_day"].values()) == body["plays_total"]


def test_the_measurement_finds_every_answer_right(
    stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "in.csv"
    source.write_bytes(as_csv(plays(5000, songs=100))[0])
    measured = measure(stack, source, song_count=30)
    assert {times.name for times in measured} >= MOST_SECONDS.keys()
    assert capsys.readouterr().out.count("errors 0") == len(measured)


def test_the_measurement_would_notice() -> None:
    quick, slow, wrong = (
        Times("song", [seconds], errors) for seconds, errors in ((0.01, 0), (0.06, 0), (0.01, 1))
    )
    assert verdict([quick, quick]) == 0
    assert verdict([slow, quick]) == verdict([wrong, quick]) == verdict([quick, wrong]) == 1
