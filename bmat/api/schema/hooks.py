"""What drf-spectacular is told about every operation at once."""

from collections.abc import Iterator
from typing import Any

from drf_spectacular.plumbing import build_examples_list

from bmat.api.schema.errors import ANYWHERE, SCHEMAS, errors

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
HEADERS = {"503": {"Retry-After": {**SECONDS, "required": True}}}

Schema = dict[str, Any]
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
        for status in components["responses"]:
            operation["responses"][status] = {"$ref": f"#/components/responses/{status}"}
        operation["responses"] = dict(sorted(operation["responses"].items()))
        if "requestBody" in operation:
            operation["requestBody"]["required"] = True
        if operation["operationId"] in STARTING:
            started = operation["responses"][STARTING[operation["operationId"]]]
            started["links"] = {name: link(name) for name in FOLLOWING}
    return result


def operations(result: Schema) -> Iterator[Schema]:
    for methods in result["paths"].values():
        yield from methods.values()


def shared_responses() -> Iterator[tuple[str, Schema]]:
    """By status, the answers that any operation may give."""
    for status, response in errors(*ANYWHERE).items():
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
