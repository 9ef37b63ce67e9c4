"""What drf-spectacular is told about every operation at once."""

from collections.abc import Iterator
from typing import Any

from drf_spectacular.plumbing import build_examples_list

from bmat.api.schema.errors import ANYWHERE, SCHEMAS, SECURED, errors

Schema = dict[str, Any]

COLLECTIONS = ("/api/reports/",)
# Operations that go on with the report that another has answered.
FOLLOWING = (
    "get_report",
    "delete_report",
    "cancel_report",
    "retry_report",
    "get_output",
    "get_rejects",
    "get_rows",
    "get_summary",
)
STARTING = {"create_report": "201", "retry_report": "202"}
SECONDS = {"description": "Seconds after which to ask again.", "schema": {"type": "integer"}}
COME_AGAIN = {"Retry-After": {**SECONDS, "required": True}}
# https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/11/
LIMITS = {
    "RateLimit": {
        "description": "What is left, and for how many seconds. Other answers have it, too.",
        "schema": {"type": "string"},
        "required": True,
        "example": '"default";r=0;t=42',
    },
    "RateLimit-Policy": {
        "description": "How much there is, in how many seconds.",
        "schema": {"type": "string"},
        "required": True,
        "example": '"default";q=600;w=60',
    },
}
HEADERS: dict[str, Schema] = {
    "401": {
        "WWW-Authenticate": {
            "description": "How to say who one is.",
            "schema": {"type": "string", "const": "Token"},
            "required": True,
        }
    },
    "429": {**COME_AGAIN, **LIMITS},
    "503": COME_AGAIN,
}

Endpoint = tuple[str, str, str, Any]


def plain_paths(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Every path answers with and without its last slash: it is written as people write it."""
    return [(plain(path), regex, method, view) for path, regex, method, view in endpoints]


def plain(path: str) -> str:
    return path if path in COLLECTIONS else path.rstrip("/")


def complete(result: Schema, **_: Any) -> Schema:
    """Adds the errors that any operation may be answered with, their headers, and the links from
    one operation to the next.
    """
    components = result.setdefault("components", {})
    components.setdefault("schemas", {}).update(SCHEMAS)
    components["responses"] = dict(shared_responses())
    for operation in operations(result):
        complete_responses(operation)
        if "requestBody" in operation:
            operation["requestBody"]["required"] = True
        if operation["operationId"] in STARTING:
            started = operation["responses"][STARTING[operation["operationId"]]]
            started["links"] = {name: link(name) for name in FOLLOWING}
    return result


def complete_responses(operation: Schema) -> None:
    """Adds the shared answers that the operation does not describe itself, and headers."""
    responses = operation["responses"]
    shared = [*ANYWHERE, *(SECURED if operation.get("security") else ())]
    for status in sorted({str(error.status_code) for error in shared}):
        responses.setdefault(status, {"$ref": f"#/components/responses/{status}"})
    for status, response in responses.items():
        if status in HEADERS and "$ref" not in response:
            response.setdefault("headers", {}).update(HEADERS[status])
    operation["responses"] = dict(sorted(responses.items()))


def operations(result: Schema) -> Iterator[Schema]:
    for methods in result["paths"].values():
        yield from methods.values()


def shared_responses() -> Iterator[tuple[str, Schema]]:
    """By status, the answers that many operations may give."""
    for status, response in errors(*SECURED, *ANYWHERE).items():
        content = {"schema": response.response, "examples": build_examples_list(response.examples)}
        yield (
            str(status),
            {
                "description": response.description,
                "headers": HEADERS.get(str(status), {}),
                "content": {"application/json": content},
            },
        )


def link(operation_id: str) -> Schema:
    """How the pid of an answer is handed on."""
    return {"operationId": operation_id, "parameters": {"pid": "$response.body#/pid"}}
