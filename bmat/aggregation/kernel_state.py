"""The state of the parsing kernel, a list of numbers: what stands where; and the reasons for which
records are rejected.
"""

# Fields of the state: the caller sets the first ones, the kernel moves on the others.
(
    P_POSITION,
    P_STOP,
    P_END,
    P_IS_LAST,
    P_LINES,
    P_ROWS_COUNTED,
    P_PLAYS_LOW,
    P_PLAYS_HIGH,
    P_REJECT_BYTES,
    P_REJECTS_LISTED,
    P_MOST_LISTED,
    P_DELIMITER,
    P_FIELD_COUNT,
    P_SONG,
    P_DATE,
    P_PLAYS,
    P_SPLITTER_SKIP,
    P_BUCKET_WIDTH,
    P_HOT_SONGS,
    P_FIRST_DAY,
    P_DAYS,
    P_PAIRS,
    P_SEEN,
    P_SCRATCH,
    P_MOST_RECORD,
    P_MOST_QUOTED,
    P_MOST_SONG,
    P_WORK,
) = range(28)
P_REASONS = P_WORK + 16
PARSE_FIELDS = P_REASONS + 10

# The order is that of the data contract: the first reason that applies. A song that is too long is
# told after one that is empty.
REASONS = (
    "unterminated_quote",
    "too_long",
    "extra_field",
    "missing_field",
    "empty_song",
    "invalid_character",
    "invalid_encoding",
    "invalid_date",
    "negative_plays",
    "invalid_plays",
)
(
    UNTERMINATED_QUOTE,
    TOO_LONG,
    EXTRA_FIELD,
    MISSING_FIELD,
    EMPTY_SONG,
    INVALID_CHARACTER,
    INVALID_ENCODING,
    INVALID_DATE,
    NEGATIVE_PLAYS,
    INVALID_PLAYS,
) = range(10)
