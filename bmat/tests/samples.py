"""The sample files and what they give."""

from pathlib import Path

SAMPLES = Path(__file__).resolve().parents[2] / "samples"

PLAYS = (SAMPLES / "plays.csv").read_bytes()
PLAYS_TOTALS = (
    b"Song,Date,Total Number of Plays for Date\n"
    b"In The End,2020-01-01,1500\n"
    b"In The End,2020-01-02,500\n"
    b"Umbrella,2020-01-01,150\n"
    b"Umbrella,2020-01-02,250\n"
)

BAD_ROWS = (SAMPLES / "bad-rows.csv").read_bytes()
BAD_ROWS_TOTALS = (
    b"Song,Date,Total Number of Plays for Date\n"
    b'"12"" Mix",2020-01-02,5\n'
    b'"Crazy, in Love",2020-01-01,7\n'
    b"Umbrella,2020-01-01,100\n"
    b"Umbrella,2020-01-02,50\n"
)
BAD_ROWS_REJECTS = (
    b"Line,Reason,Record\n"
    b'3,missing_field,"Halo,2020-01-01"\n'
    b'4,extra_field,"Crazy, in Love,2020-01-01,7"\n'
    b'5,empty_song,",2020-01-01,5"\n'
    b'6,invalid_date,"Umbrella,2020-02-30,5"\n'
    b'7,invalid_plays,"Umbrella,2020-01-01,a lot"\n'
    b'8,negative_plays,"Umbrella,2020-01-01,-5"\n'
    b'12,unterminated_quote,"""Halo,2020-01-02,8"\n'
)
