"""The name under which a browser saves a download."""

import pytest

from bmat.api.downloads.responses import download_name


@pytest.mark.parametrize(
    "input_name, expected",
    [
        ("plays.csv", "plays-totals.csv"),
        ("plays.2020.csv", "plays.2020-totals.csv"),
        ("../../etc/passwd", "passwd-totals.csv"),
        (r"C:\Users\me\plays.csv", "plays-totals.csv"),
        ('a<b>c:"d"|e?*.csv', "a_b_c__d__e__-totals.csv"),
        ("plays\u202evsc.exe", "playsvsc-totals.csv"),
        ("a\x00b\r\nc\ud800.csv", "abc-totals.csv"),
        ("🎵.csv", "🎵-totals.csv"),
        (".csv", "csv-totals.csv"),
        (" .csv", "report-totals.csv"),
        ("..", "report-totals.csv"),
        ("", "report-totals.csv"),
        ("a" * 255, "a" * 100 + "-totals.csv"),
    ],
)
def test_it_names_a_download_after_the_upload(input_name, expected):
    assert download_name(input_name, "totals", "csv") == expected
