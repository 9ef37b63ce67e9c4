"""Reports in Django's admin: to look at, not to change. Status changes belong to the services."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from bmat.api.models import Report


@admin.register(Report)
class ReportAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs alone
    """Rows to look at."""

    list_display = ["pid", "input_name", "status", "stage", "progress", "rows_read", "created"]
    list_filter = ["status", "created", "error_code"]
    search_fields = ["pid", "input_name"]
    # The files are shown by name: they have no URL of their own, and are downloaded through the
    # API.
    exclude = ["input_file", "output_file", "rejects_file"]
    readonly_fields = ["pid", "created", "updated", "started", "finished", "output_name"]

    @admin.display(description="output file")
    def output_name(self, report: Report) -> str:
        return report.output_file.name or "-"

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, *_: Any) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, *_: Any) -> bool:
        return False
