"""What drf-spectacular is told about all operations at once."""

import re
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from bmat.api.serializers.options import BLANK

COLLECTIONS = ("/api/reports/", "/api/uploads/", "/api/webhooks/")

ENUM_ID = "x-spec-enum-id"

Endpoint = tuple[str, str, str, Any]


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The header of a token."""

    target_class = "bmat.api.access.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token` and a space, and then what the login was answered with. A "
            "service that asks for no logins takes requests without it.",
        }


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The cookie of the admin's session."""

    target_class = "bmat.api.access.SessionAuthentication"
    # What drf-spectacular calls that of the class below it.
    name = "cookieAuth"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "The admin's login. Changes need the header `X-CSRFToken` as well, with "
            "what the cookie `csrftoken` says.",
        }


def plain_paths(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Every path answers with and without its last slash: it is written as people write it."""
    return [(plain(path), regex, method, view) for path, regex, method, view in endpoints]


def plain(path: str) -> str:
    return path if path in COLLECTIONS else path.rstrip("/")


def plain_blanks(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Of a text or blank, where blank fits the text's own pattern, leaves the text: `oneOf` allows
    one of the two alone, and the docs page shows a field for each text only.
    """
    for component in result["components"]["schemas"].values():
        for field in component.get("properties", {}).values():
            choices = field.get("oneOf", [])
            if BLANK in choices and re.search(choices[0].get("pattern", "."), ""):
                field.update(field.pop("oneOf")[0])
    return result


def known_fields_alone(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Says that an upload has no fields but those that are described, and that a report is made of
    something.
    """
    schemas = result["components"]["schemas"]
    for name in ("SubmitRequest", "InspectRequest"):
        schemas[name]["additionalProperties"] = False
    schemas["SubmitRequest"]["anyOf"] = [{"required": ["input_file"]}, {"required": ["upload"]}]
    result["paths"]["/api/reports/"]["post"]["requestBody"]["required"] = True
    return result


def without_ids(result: Any, **_: Any) -> Any:
    """Takes out the ids by which drf-spectacular tells enumerations apart: none has a name here."""
    if isinstance(result, dict):
        return {name: without_ids(each) for name, each in result.items() if name != ENUM_ID}
    return [without_ids(each) for each in result] if isinstance(result, list) else result
