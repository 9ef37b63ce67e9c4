"""The list of reports: narrowed to what is wanted, and in pages."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from bmat.api.models import Report, Status
from bmat.api.models.reports import INPUT_NAME_LENGTH
from bmat.api.serializers.options import BLANK
from bmat.api.serializers.results import TextField

EXAMPLE_PAGE = "https://bmat.example/api/reports/?cursor=cD0yMDI2LTExLTAx"
BAD_CURSOR = "It is not one that an earlier page has given."
# What a page starts behind: the time at which a report was created.
POSITION = serializers.DateTimeField()
INSTANT = {"oneOf": [{"type": "string", "format": "date-time"}, BLANK]}
ADDRESS = {"type": ["string", "null"], "format": "uri"}


@extend_schema_field(INSTANT)
class InstantField(serializers.DateTimeField):
    """An ISO 8601 date-time, or a day for its first instant; in UTC where it names no zone."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)


class SomeOfField(serializers.MultipleChoiceField):
    """Some of the choices; a parameter that is given again allows another one."""

    def get_value(self, dictionary: Any) -> Any:
        return [value for value in super().get_value(dictionary) if value]


class FilterSerializer(serializers.Serializer[Any]):
    """What the list of reports may be narrowed to. Blank parameters count as not given."""

    status = SomeOfField(
        choices=Status.choices, required=False, help_text="Give it again to allow another one."
    )
    created_after = InstantField(help_text="This instant, or later. UTC where it names no zone.")
    created_before = InstantField(help_text="Before this instant.")
    input_name = TextField(
        max_length=INPUT_NAME_LENGTH, help_text="A part of the file's name, in capitals or not."
    )
    error_code = TextField(help_text="Failed with this code.")

    LOOKUPS = {
        "status": "status__in",
        "created_after": "created__gte",
        "created_before": "created__lt",
        "input_name": "input_name__icontains",
        "error_code": "error_code",
    }

    def narrow(self, reports: "QuerySet[Report]") -> "QuerySet[Report]":
        """Those of `reports` that are wanted. Raises ValidationError."""
        self.is_valid(raise_exception=True)
        given = {name: value for name, value in self.validated_data.items() if value}
        return reports.filter(**{self.LOOKUPS[name]: value for name, value in given.items()})


class NewestFirst(CursorPagination):
    """Pages that stay put while reports come in. A page size that cannot be had is refused, where
    DRF would take another.
    """

    ordering = ("-created", "pid")
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 500

    def decode_cursor(self, request: Request) -> Cursor | None:
        """The cursor of the request. DRF would call one that nobody was given a page that is not
        found, and would ask the database for a time that is none.
        """
        try:
            cursor = super().decode_cursor(request)
            if cursor is not None and cursor.position is not None:
                POSITION.run_validation(cursor.position)
        except (NotFound, ValidationError) as error:
            raise ValidationError({"cursor": [BAD_CURSOR]}) from error
        return cursor

    def get_page_size(self, request: Request) -> int:
        wanted = request.query_params.get("page_size")
        if wanted is None:
            return self.page_size
        field = serializers.IntegerField(min_value=1, max_value=self.max_page_size)
        try:
            page_size: int = field.run_validation(wanted)
        except ValidationError as error:
            raise ValidationError({"page_size": error.detail}) from error
        return page_size

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        size = {"type": "integer", "minimum": 1, "maximum": self.max_page_size}
        text = {"type": "string"}
        return [
            parameter("cursor", "Where the page starts: part of `next` and `previous`.", text),
            parameter("page_size", "Reports on a page.", {**size, "default": self.page_size}),
        ]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": {**ADDRESS, "example": EXAMPLE_PAGE},
                "previous": {**ADDRESS, "example": None},
                "results": schema,
            },
        }


def parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter of the query, as OpenAPI has it."""
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": schema,
    }
