"""Several files in one report, and a month on top of it: through sockets, with real workers."""

from bmat.tests import samples
from bmat.tests.live.client import Body, Client

JANUARY = b"Song,Date,Number of Plays\nUmbrella,2020-01-31,5\n"
FEBRUARY = "Date;Song;Number of Plays\n2020-02-01;Älter;7\n2020-02-30;Älter;1\n".encode("utf-16")
MARCH = b"Track,Date,Number of Plays\nUmbrella,2020-01-31,4\n"


def upload(client: Client, *contents: bytes, **fields: str) -> Body:
    """The finished report of these files."""
    files = [("input_file", (f"{n}.csv", content)) for n, content in enumerate(contents)]
    answer = client.send("POST", client.reports_url, files=files, data=fields)
    assert answer.status_code == 201, answer.text
    return client.done(answer.json()["pid"])


def test_a_report_of_several_files_gets_another_month(client: Client) -> None:
    base = upload(client, JANUARY, FEBRUARY)

    assert client.download(base, "rejects_file").decode() == (
        "File,Line,Reason,Record\n1.csv,3,invalid_date,2020-02-30;Älter;1\n"
    )
    found = [(one["name"], one["rows_read"], one["encoding"]) for one in base["inputs"]]
    assert found == [("0.csv", 1, "utf-8"), ("1.csv", 2, "utf-16")]

    report = upload(client, MARCH, base=base["pid"], song_column="Track")
    assert client.delete(base["pid"]).status_code == 204

    assert client.download(report).decode() == (
        "Song,Date,Total Number of Plays for Date\nUmbrella,2020-01-31,9\nÄlter,2020-02-01,7\n"
    )
    assert [one["name"] for one in report["inputs"]] == ["0.csv", "0.csv (totals)"]
    assert (report["base"], report["rows_rejected"]) == (base["pid"], 0)


def test_a_thousand_files_are_one_report(client: Client) -> None:
    report = upload(client, *[samples.PLAYS] * 1000)

    assert (report["rows_read"], report["plays_total"]) == (7_000, 2_400_000)
    assert len(client.body(report["pid"])["inputs"]) == 1000
    assert "inputs" not in client.send("GET", client.reports_url).json()["results"][0]
