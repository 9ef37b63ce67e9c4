"""The API's description: complete, true to its own examples, and the one in docs/openapi.yaml."""

import re
from pathlib import Path

import pytest
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator
from rest_framework.exceptions import APIException

from bmat.api import errors
from bmat.api.middleware import CLASSES
from bmat.api.schema.errors import ANYWHERE
from bmat.api.schema.uploads import NAMES, UPLOAD
from bmat.api.serializers.reports import SubmitSerializer, check_options
from bmat.api.views.docs import described

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = "/api/docs/"


@pytest.fixture(scope="module")
def schema():
    return described()


def operations(schema):
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def answers(schema):
    """The name, and the JSON schema and examples, of every answer that has a body."""
    for name, operation in operations(schema):
        for status, response in operation["responses"].items():
            if "$ref" in response:
                response = schema["components"]["responses"][status]
            for media_type, content in response.get("content", {}).items():
                yield f"{name} {status} {media_type}", content


def problems(schema, content):
    """What is wrong with the examples of one answer."""
    whole = {**content["schema"], "components": schema["components"]}
    validator = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for example in content["examples"].values():
        yield from (error.message for error in validator.iter_errors(example["value"]))


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

    assert response.json() == schema


def test_it_says_everything_about_every_operation(schema):
    for name, operation in operations(schema):
        assert {"summary", "description", "operationId"} <= operation.keys(), name
        parameters = operation.get("parameters", [])
        assert [each for each in parameters if not each["description"]] == [], name


def test_it_has_examples_of_every_answer(schema):
    without = [name for name, content in answers(schema) if not content.get("examples")]

    assert without == []
    assert len(list(answers(schema))) > 40


def test_its_examples_are_what_it_describes(schema):
    wrong = {name: list(problems(schema, content)) for name, content in answers(schema)}

    assert {name: found for name, found in wrong.items() if found} == {}


def test_it_would_notice_an_example_that_is_wrong(schema):
    report = {"schema": {"$ref": "#/components/schemas/Report"}, "examples": {"x": {"value": {}}}}

    assert "'pid' is a required property" in list(problems(schema, report))


def test_it_has_every_field_of_an_upload():
    fields = SubmitSerializer().fields

    assert list(UPLOAD["properties"]) == list(fields)
    assert UPLOAD["required"] == [name for name, field in fields.items() if field.required]


def test_it_names_only_switches_that_are_known():
    switch = SubmitSerializer().fields["strict"]

    read = {switch.run_validation(text) for text in UPLOAD["properties"]["strict"]["enum"]}
    assert read == {True, False}


def test_it_names_only_encodings_that_are_known():
    for name in NAMES:
        check_options(encoding=name)


def known_errors(base=APIException):
    """Every class of an error that bmat defines, and those of DRF that it answers with."""
    for error in base.__subclasses__():
        if error.__module__.startswith("bmat."):
            yield error
        yield from known_errors(error)


def test_its_codes_are_the_ones_in_the_documents():
    raised = {*known_errors(), *CLASSES, *ANYWHERE, *errors.FROM_DRF} - set(errors.ABSTRACT)
    in_code = {(error.status_code, error.default_code) for error in raised}
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


def test_its_page_refuses_another_method(client):
    response = client.post(PAGE)

    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
