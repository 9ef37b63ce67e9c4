"""Forms of every kind that clients send: what is right is read, what is wrong is said."""

from io import BytesIO
from itertools import cycle
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bmat.api import uploads
from bmat.api.errors import invalid, told_as
from bmat.api.models import Report
from bmat.api.tests.fixtures import PLAYS

pytestmark = pytest.mark.django_db

FILE = 'Content-Disposition: form-data; name="input_file"; filename="plays.csv"'


def part(*headers, content=PLAYS, end="\r\n"):
    head = "".join(f"{header}{end}" for header in headers)
    return f"--x{end}{head}{end}".encode() + content + end.encode()


def field(name, content, *headers):
    return part(f'Content-Disposition: form-data; name="{name}"', *headers, content=content)


@pytest.fixture
def send(client):
    """Posts a body; `length` is what is announced of it."""

    def sent(body, content_type="multipart/form-data; boundary=x", **environ):
        return client.generic("POST", "/api/reports/", body, content_type, **environ)

    return sent


def refused(response, left_over, **told):
    detail = told.pop("detail", None)
    expected = told_as("parse_error", detail) if detail else invalid(told)
    assert (response.status_code, response.json()) == (400, expected)
    assert left_over() == []


def test_it_reads_a_form(send):
    assert send(part(FILE) + field("strict", b"true") + b"--x--\r\n").status_code == 201
    assert Report.objects.get().options == {"strict": True}


def test_it_passes_over_what_stands_around_a_form(send):
    body = b"preamble\r\n" + part(FILE) + b"--x--\r\nepilogue\r\n"

    assert send(body).status_code == 201


def test_it_says_that_a_form_has_no_end(send, left_over):
    refused(send(part(FILE)), left_over, detail=uploads.NO_END)


def test_it_says_that_the_boundary_is_not_there(send, left_over):
    body = part(FILE) + b"--x--\r\n"

    response = send(body, "multipart/form-data; boundary=another")

    refused(response, left_over, detail=uploads.NO_PARTS)


def test_it_says_that_lines_end_with_lf(send, left_over):
    refused(send(part(FILE, end="\n") + b"--x--\n"), left_over, detail=uploads.LF_LINES)


@pytest.mark.parametrize("name", ["", '; filename=""', '; filename=".."'])
def test_it_says_that_the_file_has_no_name(send, left_over, name):
    body = field(f'input_file"{name};x="', PLAYS) + b"--x--\r\n"

    refused(send(body), left_over, input_file=[uploads.NO_FILENAME])


def test_it_asks_for_the_file_that_nobody_chose(send, left_over):
    body = part(FILE.replace("plays.csv", ""), content=b"") + b"--x--\r\n"

    refused(send(body), left_over, input_file=["No file was submitted."])


def test_it_says_that_a_part_has_no_name(send, left_over):
    body = part("Content-Disposition: form-data") + b"--x--\r\n"

    refused(send(body), left_over, detail=uploads.NO_NAME)


def test_it_says_that_a_form_cannot_be_read(send, left_over):
    body = part("no header") + b"--x--\r\n"

    detail = "The form cannot be read: Malformed segment header."
    refused(send(body), left_over, detail=detail)


def test_it_refuses_a_part_of_endless_headers(send, left_over):
    body = part(*[f"X-{number}: 1" for number in range(100)]) + b"--x--\r\n"

    detail = "The request has too many fields or files."
    refused(send(body), left_over, detail=detail)


def test_it_refuses_a_field_that_it_does_not_know(send, left_over):
    body = part(FILE) + field("colour", b"red") + b"--x--\r\n"

    refused(send(body), left_over, colour=["There is no such field."])


def test_it_names_what_it_does_not_know_beside_what_it_misses(send, left_over):
    body = part(FILE.replace("input_file", "file")) + b"--x--\r\n"

    refused(
        send(body),
        left_over,
        input_file=["No file was submitted."],
        file=["There is no such field."],
    )


@pytest.mark.parametrize(
    "disposition",
    [
        "filename=\"a.csv\"; filename*=UTF-8''%C3%A4.csv",
        "filename*=UTF-8''%C3%A4.csv",
        'filename="ä.csv"',
        'filename="C:\\\\music\\\\ä.csv"',
        'filename="&auml;.csv"',
    ],
)
def test_it_reads_a_files_name_as_clients_write_it(send, disposition):
    header = f'Content-Disposition: form-data; name="input_file"; {disposition}'

    assert send(part(header) + b"--x--\r\n").status_code == 201
    assert Report.objects.get().input_name == "ä.csv"


def test_it_reads_a_field_in_its_own_charset(send):
    latin = field("song_column", "Lied ä".encode("latin-1"), "Content-Type: text/plain; charset=l1")

    assert send(part(FILE) + latin + b"--x--\r\n").status_code == 201
    assert Report.objects.get().options == {"song_column": "Lied ä"}


def test_it_refuses_a_field_that_is_no_text(send, left_over):
    body = part(FILE) + field("song_column", b"\xff") + b"--x--\r\n"

    message = "This is no utf-8 text: say which it is in the part's charset."
    refused(send(body), left_over, song_column=[message])


@pytest.mark.parametrize(
    "charset, options",
    [("ISO-8859-1", {"encoding": "iso8859-1"}), ("utf-8", {}), ("us-ascii", {})],
)
def test_it_reads_a_file_in_the_charset_of_its_part(send, charset, options):
    body = part(FILE, f"Content-Type: text/csv; charset={charset}") + b"--x--\r\n"

    assert send(body).status_code == 201
    report = Report.objects.get()
    assert (report.options, report.inputs[0]["options"]) == ({}, options)


def test_an_option_goes_before_the_charset_of_the_part(send):
    file = part(FILE, "Content-Type: text/csv; charset=latin-1")

    assert send(file + field("encoding", b"cp1252") + b"--x--\r\n").status_code == 201
    report = Report.objects.get()
    assert (report.options, report.inputs[0]["options"]) == ({"encoding": "cp1252"}, {})


def test_it_refuses_a_charset_that_it_does_not_know(send, left_over):
    body = part(FILE, "Content-Type: text/csv; charset=klingon") + b"--x--\r\n"

    message = "The charset of this part is not known here: klingon"
    refused(send(body), left_over, input_file=[message])


@pytest.mark.parametrize("header", ["Content-Transfer-Encoding: base64", "Content-Encoding: gzip"])
def test_it_refuses_an_encoded_part(send, left_over, header):
    message = "This part is encoded: send the file's own bytes."

    refused(send(part(FILE, header) + b"--x--\r\n"), left_over, input_file=[message])


def test_it_takes_a_part_that_says_it_is_plain(send):
    body = part(FILE, "Content-Transfer-Encoding: binary") + b"--x--\r\n"

    assert send(body).status_code == 201


@pytest.mark.parametrize("path", ["/api/reports/", "/api/auth/login"])
@pytest.mark.parametrize("encoding", ["gzip", "GZIP, identity", "br"])
def test_it_refuses_a_compressed_body(client, path, encoding):
    response = client.generic(
        "POST", path, b"x", "text/csv", headers={"content-encoding": encoding}
    )

    assert response.status_code == 415
    assert response.json()["code"] == "unsupported_media_type"
    assert encoding.lower() in response.json()["detail"]


def test_it_takes_a_body_that_says_it_is_plain(send):
    response = send(part(FILE) + b"--x--\r\n", headers={"content-encoding": "identity"})

    assert response.status_code == 201


def test_it_refuses_a_request_of_very_many_files(send, settings, left_over):
    settings.BMAT_MAX_INPUTS = 9
    body = b"".join([part(FILE)] * 10) + b"--x--\r\n"

    refused(send(body), left_over, input_file=["There are more than the 9 files of a report."])


class InPieces(BytesIO):
    """A body that comes in pieces of so many bytes."""

    def __init__(self, body, cuts):
        super().__init__(body)
        self._sizes = cycle(cuts)

    def read(self, size=-1):
        return super().read(next(self._sizes))


def received(body):
    """What the file of a form holds."""
    form = uploads.Form(announced_bytes=0, limit_bytes=2**20, is_hashed=False)
    try:
        form.read(body, "x", 0)
        [file] = form.files.getlist("input_file")
        return Path(file.temporary_file_path()).read_bytes()
    finally:
        form.discard()


@hypothesis_settings(max_examples=300, deadline=None)
@given(
    words=st.lists(st.sampled_from([b"\r", b"\n", b"\r\n--", b"x", b"-", b"plays"])),
    cuts=st.lists(st.integers(1, 12), min_size=1),
)
@example(words=[b"plays", b"\r\n-"], cuts=[len(part(FILE, content=b"plays\r\n-")) - 2, 1])
def test_a_file_is_the_same_in_whatever_pieces_its_form_comes(words, cuts):
    content = b"".join(words).replace(b"\r\n--x", b"\r\n--y")

    body = part(FILE, content=content) + b"--x--\r\n"

    assert received(InPieces(body, cuts)) == content
