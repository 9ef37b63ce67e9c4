"""The API's description: complete, and the one in docs/openapi.yaml."""

import re
from pathlib import Path

import pytest
from drf_spectacular.validation import validate_schema
from rest_framework.exceptions import APIException, ValidationError

from bmat.aggregation.options import OPTION_NAMES, ROLES, column_key
from bmat.api.errors import CODES, ApiError
from bmat.api.serializers.options import ENCODINGS, GROUP_BY, SWITCH, UNCOUNTED, check_options
from bmat.api.serializers.reports import SubmitSerializer
from bmat.api.views.service import described

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = "/api/docs/"


@pytest.fixture(scope="module")
def schema():
    return described()


def operations(schema):
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def test_it_is_valid_openapi(schema):
    assert schema["openapi"] == "3.1.0"
    validate_schema(schema)


def test_it_is_the_one_in_the_documents(client):
    response = client.get("/api/schema/")

    assert response["Content-Type"].startswith("application/vnd.oai.openapi")
    written = (DOCS / "openapi.yaml").read_text()
    assert response.content.decode() == written, "Run: make schema"


@pytest.mark.parametrize("tail", ["", "/"])
def test_it_can_be_had_as_json(client, schema, tail):
    response = client.get(f"/api/schema{tail}", headers={"accept": "application/json"})

    assert response["Content-Type"] == "application/json"
    assert response.json() == schema


@pytest.mark.parametrize("query, first", [("json", b"{"), ("yaml", b"o")])
def test_its_format_can_be_named(client, query, first):
    assert client.get(f"/api/schema/?format={query}").content[:1] == first


def test_it_knows_no_other_format(client):
    assert client.get("/api/schema/?format=xml").json()["code"] == "not_found"


def test_it_is_not_made_anew_for_each_request(client, monkeypatch):
    first = client.get("/api/schema/")

    def fail(*_):
        raise AssertionError("it was rendered again")

    monkeypatch.setattr("drf_spectacular.renderers.OpenApiYamlRenderer.render", fail)

    assert client.get("/api/schema/").content == first.content


def test_who_has_it_already_gets_nothing(client):
    etag = client.get("/api/schema/")["ETag"]

    again = client.get("/api/schema/", headers={"If-None-Match": etag})

    assert (again.status_code, again["Cache-Control"]) == (304, "public, no-cache")


def test_it_says_everything_about_every_operation(schema):
    for name, operation in operations(schema):
        assert {"summary", "description", "operationId"} <= operation.keys(), name
        parameters = operation.get("parameters", [])
        assert [each for each in parameters if not each["description"]] == [], name


def test_it_says_of_every_operation_what_any_may_be_answered_with(schema):
    for name, operation in operations(schema):
        assert {"406", "429", "500", "503"} <= operation["responses"].keys(), name
        is_open = {} in operation.get("security", [{}])
        assert is_open or "`invalid_token`" in operation["responses"]["401"]["description"], name


def test_it_names_every_code_that_a_view_answers_with(schema):
    """The others are answered before a view is found."""
    texts = [
        response["description"]
        for _, operation in operations(schema)
        for response in operation["responses"].values()
    ]
    unnamed = {code for code in CODES if not any(f"`{code}`" in text for text in texts)}

    assert unnamed == {"bad_request", "unknown_host", "method_not_allowed"}


@pytest.mark.parametrize(
    "path, name, names",
    [
        (
            "/api/reports/",
            "SubmitRequest",
            ["callback_url", "callback_secret", "input_file", "upload", "base"],
        ),
        ("/api/inspect", "InspectRequest", ["input_file"]),
    ],
)
def test_it_has_every_field_of_an_upload(schema, path, name, names):
    upload = schema["components"]["schemas"][name]
    body = schema["paths"][path]["post"]["requestBody"]

    assert list(upload["properties"]) == [*names, *OPTION_NAMES]
    assert body["required"]
    either = [{"required": ["input_file"]}, {"required": ["upload"]}]
    assert upload.get("anyOf", upload.get("required")) == (
        either if "upload" in names else ["input_file"]
    )
    assert list(body["content"]) == ["multipart/form-data"]


def test_a_blank_option_is_one_of_the_texts_and_not_beside_them(schema):
    parameters = schema["paths"]["/api/reports/{pid}/inspect"]["get"]["parameters"]
    options = [each["schema"] for each in parameters if each["in"] == "query"]

    assert len(options) == len(OPTION_NAMES)
    assert not any("oneOf" in option for option in options)


def test_it_names_only_switches_that_are_known():
    switch = SubmitSerializer().fields["strict"]

    read = {switch.run_validation(text) for text in SWITCH["enum"] if text}
    assert read == {True, False}


def test_it_names_only_encodings_that_are_known():
    for name in ENCODINGS:
        check_options({"encoding": name})


def test_it_knows_which_characters_count_in_the_name_of_a_column():
    # Those past U+FFFF are rare, and their ranges no pattern that all programs can read.
    texts = [chr(code) for code in range(1, 0x10000) if not 0xD800 <= code < 0xE000]

    assert [
        text for text in texts if bool(re.match(f"[{UNCOUNTED}]", text)) == bool(column_key(text))
    ] == []


@pytest.mark.parametrize("roles", [("song",), ("artist", "song"), tuple(ROLES)])
def test_it_describes_keys_as_they_can_be(roles):
    for key in (",".join(roles), " , ".join(roles[::-1])):
        check_options({"group_by": key})
        assert re.fullmatch(GROUP_BY["pattern"], key)
    for key in (",".join([*roles, roles[0]]), ",".join([*roles, "label"]), f"{roles[0]},"):
        with pytest.raises(ValidationError):
            check_options({"group_by": key})
        assert not re.fullmatch(GROUP_BY["pattern"], key)


def test_errors_of_its_own_come_from_the_table_of_codes():
    own = [each for each in APIException.__subclasses__() if each.__module__.startswith("bmat.")]

    assert own == [ApiError]
    codes = [vars(each).get("default_code") for each in ApiError.__subclasses__()]
    assert {"disk_full", "upload_used"} <= {code for code in codes if code} <= set(CODES)


def test_its_codes_are_the_ones_in_the_documents():
    in_code = {(known.status, code) for code, known in CODES.items()}
    rows = re.findall(r"^\| (\d{3}) \| `(\w+)` \|", (DOCS / "api.md").read_text(), re.MULTILINE)

    assert {(int(status), code) for status, code in rows} == in_code
    assert len(rows) == len(set(rows))


def test_its_page_asks_no_other_host(client):
    page = client.get(PAGE)

    addresses = re.findall(r'(?:src|href|data-schema)="([^"]*)"', page.content.decode())
    assert len(addresses) == 5
    assert [address for address in addresses if not address.startswith("/")] == []
    assert "default-src 'none'" in page["Content-Security-Policy"]


def test_its_page_has_no_script_of_its_own(client):
    scripts = re.findall(rb"<script([^>]*)>(.*?)</script>", client.get(PAGE).content, re.DOTALL)

    assert [content for _, content in scripts] == [b"", b""]


def test_its_page_gives_whoever_is_logged_in_a_csrf_token(client):
    assert "csrftoken" in client.get(PAGE).cookies


def test_reports_come_first(schema):
    names = [tag["name"] for tag in schema["tags"]]
    assert names == ["reports", "uploads", "webhooks", "auth"]


def test_its_page_refuses_another_method(client):
    response = client.post(PAGE)

    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
