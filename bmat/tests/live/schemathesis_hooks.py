"""What schemathesis is told beside the API's description: what an upload and a download have to be,
and JSON Schema has no words for. The answers to those that are not so have tests of their own in
bmat/api/tests.
"""

import os
import re
from typing import Any

import requests
import schemathesis
from django.core.exceptions import ValidationError
from hypothesis import strategies as st
from werkzeug.http import parse_range_header

from bmat.aggregation import AggregationError, Options
from bmat.aggregation.options import OPTION_NAMES, column_key
from bmat.api.outgoing.urls import HTTPS_URL, check_url
from bmat.tests.live.client import ANSWER_SECONDS
from bmat.tests.live.people import LEAVER, MAKER, TOKEN_VARIABLE

VERSION, MEDIA_TYPE = "1.0.0", "application/offset+octet-stream"
# What a generated request to an upload may say. Metadata, parts and checksums have notations of
# their own.
OF_UPLOADS = {"tus-resumable", "upload-length", "upload-defer-length", "upload-offset"}
OF_UPLOADS |= {"authorization", "idempotency-key", "content-type"}
# So large is an upload at most: thousands of them have room on any disk.
MOST_BYTES = 2**20
schemathesis.serializer.alias(MEDIA_TYPE, "application/octet-stream")
# A file is a text: of others, schemathesis 4.32 cannot say whether they keep to a schema that has
# several, and ends.
BEGINNING = "Song,Date,Number of Plays\n"
schemathesis.openapi.format("binary", st.text(min_size=1) | st.text().map(BEGINNING.__add__))
LOGOUTS, OF_TOKENS = ("logout", "logout_all"), ("create_token", "revoke_token")
USES = 50
INSTANTS = ("created_after", "created_before")
# `excel_safe` is not there, or says no.
NOT_SAFE = "none  false 0 no off f n".split(" ")
# Together they say which columns are read.
COLUMNS = tuple(name for name in OPTION_NAMES if name.endswith("_column"))
WHICH = (*COLUMNS, "group_by", "plays", "preset")
# As bmat.api.serializers.options has it, which needs all of Django.
COLUMN_NAME_LENGTH = 200
# A number in a form is its digits.
TEXTS = tuple(name for name in OPTION_NAMES if name not in ("header_line", "strict"))


@schemathesis.auth(refresh_interval=None)
class Token:
    """alice's token. A logout gets one of its own each time, and what makes and revokes tokens one
    for a while, of people who need theirs for nothing else.
    """

    def __init__(self) -> None:
        self._maker, self._uses = "", 0

    def get(self, case: Any, context: Any) -> str:
        name, base = context.operation.definition.raw["operationId"], base_of(context)
        if name in LOGOUTS:
            return fresh_token(base, LEAVER)
        return self._token_of_maker(base) if name in OF_TOKENS else os.environ[TOKEN_VARIABLE]

    def _token_of_maker(self, base: str) -> str:
        """That of somebody who has fewer tokens than anybody may have."""
        if self._uses % USES == 0:
            headers = {"Authorization": fresh_token(base, MAKER)}
            requests.post(f"{base}/api/auth/logoutall", headers=headers, timeout=ANSWER_SECONDS)
            self._maker = fresh_token(base, MAKER)
        self._uses += 1
        return self._maker

    def set(self, case: Any, data: str, context: Any) -> None:
        case.headers = {**(case.headers or {}), "Authorization": data}


def base_of(context: Any) -> str:
    """The service's address."""
    return str(context.operation.base_url.rstrip("/"))


def fresh_token(base: str, login: dict[str, str]) -> str:
    """What a request carries after another login."""
    answer = requests.post(f"{base}/api/auth/login", json=login, timeout=ANSWER_SECONDS)
    answer.raise_for_status()
    return f"Token {answer.json()['token']}"


@schemathesis.hook
def filter_body(context: Any, body: Any) -> bool:
    """Whether the generated body is no form, or one to which the description does justice."""
    if not isinstance(body, dict):
        return True
    if body.get("base"):
        # No schema knows which reports there are.
        return False
    checks = (has_files, has_texts, has_different_columns, has_target)
    return all(check(body) for check in checks)


def has_files(body: dict[str, Any]) -> bool:
    """Some, and none of them empty: schemathesis takes every file for empty where a schema gives
    lengths. And no upload that came in parts: no schema knows which there are.
    """
    sent = body.get("input_file")
    files = sent if isinstance(sent, list) else [sent]
    are_there = all(getattr(file, "data", file) not in (b"", "", None) for file in files)
    return "upload" not in body and are_there and files != []


def has_texts(body: dict[str, Any]) -> bool:
    """A form sends a number as its digits, and null as a word: texts both, and none is wrong. The
    white space around a column's name does not count, which no schema can say.
    """
    texts = [body[name] for name in TEXTS if name in body]
    return all(isinstance(text, str) and not is_long_with_white_space(text) for text in texts)


def is_long_with_white_space(text: str) -> bool:
    return len(text.strip()) <= COLUMN_NAME_LENGTH < len(text)


def has_target(body: dict[str, Any]) -> bool:
    """No schema can say which ports are none of the web, which addresses are not public, or that a
    secret alone signs nothing. The service of the tests takes http, too.
    """
    url = body.get("callback_url", body.get("url"))
    if body.get("callback_secret") and not url:
        return False
    if not isinstance(url, str) or not re.fullmatch(HTTPS_URL, url):
        return not str(url).startswith("http:")
    try:
        check_url(url)
    except ValidationError:
        return False
    return True


def has_different_columns(body: dict[str, Any]) -> bool:
    """No schema can say that the names of columns, or the fields of a key, have to differ. Where
    one of them is none, or another option is wrong, that is not why the request is refused.
    """
    texts = {name: str(body[name]).strip() for name in WHICH if body.get(name)}
    given = {name: text for name, text in texts.items() if text}
    if any(name in COLUMNS and not column_key(value) for name, value in given.items()):
        return True
    try:
        Options.of(given)
    except AggregationError as error:
        return error.option not in COLUMNS and not has_repeated_field(given)
    return True


def has_repeated_field(given: dict[str, str]) -> bool:
    """Whether the key has a field twice."""
    fields = [field.strip() for field in given.get("group_by", "").split(",")]
    return len(set(fields)) < len(fields)


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """Whether the generated request is one to which the description does justice: it wants
    formulas escaped in CSV alone, or nowhere, and no range that begins behind the end of a file,
    for no schema knows how long that is. The body again: some are made without filter_body.
    """
    query = dict(case.query or {})
    is_csv = query.get("format") in (None, "", "csv")
    wanted = parse_range_header(dict(case.headers or {}).get("Range"))
    begins_at_once = wanted is None or wanted.ranges[0][0] <= 0
    return (
        is_upload_to_be(case)
        and filter_body(context, case.body)
        and filter_query(context, query)
        and begins_at_once
        and (is_csv or str(query.get("excel_safe")).lower() in NOT_SAFE)
    )


def is_upload_to_be(case: Any) -> bool:
    """Whether the generated headers say of a resumable upload what goes together, which no schema
    can say: either a length or that it comes later.
    """
    headers = {name.lower(): str(value) for name, value in dict(case.headers or {}).items()}
    if not case.path.startswith("/api/uploads"):
        return True
    # Another version is 412, which no list of statuses for wrong requests has; other headers than
    # those of the protocol are nobody's business.
    if headers.get("tus-resumable") != VERSION or not headers.keys() <= OF_UPLOADS:
        return False
    length = headers.get("upload-length")
    if case.method == "POST":
        is_told = (length is None) != ("upload-defer-length" not in headers)
        is_taken = not (length or "").isdecimal() or 0 < int(length or 0) <= MOST_BYTES
        return is_told and is_taken and not has_more_than(case.body, length)
    return True


def has_more_than(body: Any, length: str | None) -> bool:
    """Whether there are more bytes than were announced."""
    content = body.encode() if isinstance(body, str) else body
    is_known = isinstance(content, bytes) and length is not None and length.isdecimal()
    return is_known and len(content) > int(length or 0)


@schemathesis.hook
def filter_query(context: Any, query: Any) -> bool:
    """Whether the generated parameters go together. No schema can say that a cursor is one that was
    given out, that an order needs a song, that the totals are by song, that columns differ, nor
    which of two days is the first.
    """
    if not isinstance(query, dict):
        return True
    if any(query.get(name) for name in ("cursor", "artist", "isrc", "territory", "service")):
        return False
    if not all(is_instant(query.get(name)) for name in INSTANTS):
        return False
    if not has_different_columns(query):
        return False
    if str(query.get("order") or "song").lstrip("-") != "song" and not query.get("song"):
        return False
    first, last = query.get("from"), query.get("to")
    return not first or not last or str(first) <= str(last)


def is_instant(value: Any) -> bool:
    """Whether a generated date-time, if it is one, is there in UTC: leap seconds are not, nor are
    some hours at both ends of the calendar.
    """
    return not re.match(r"(0000|0001|9999)-", str(value)) and ":60" not in str(value)
