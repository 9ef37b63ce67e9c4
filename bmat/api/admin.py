"""Reports in Django's admin: to look at, not to change. Status changes belong to the services.
Tokens: to make and to revoke.
"""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from knox.admin import AuthTokenAdmin
from knox.models import AuthToken
from knox.settings import knox_settings

from bmat.api.models import Report, ReportAttempt


class ReadOnly:
    """Offers nothing that would change a row."""

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, *_: Any) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, *_: Any) -> bool:
        return False


# Both classes are generic in the stubs alone.
class ReportAttemptInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """Who worked on the report, and how each attempt ended."""

    model = ReportAttempt
    fields = ("number", "worker", "lease_token", "started", "ended", "outcome")
    readonly_fields = ("number", "worker", "lease_token", "started", "ended", "outcome")
    extra = 0


@admin.register(Report)
class ReportAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows to look at."""

    list_display = [
        "pid",
        "owner",
        "input_name",
        "status",
        "stage",
        "progress",
        "rows_read",
        "created",
    ]
    list_filter = ["status", "created", "error_code"]
    list_select_related = ["owner"]
    search_fields = ["pid", "input_name", "owner__username"]
    # The files are shown by name: they have no URL of their own, and are downloaded through the
    # API.
    exclude = ["input_file", "output_file", "rejects_file"]
    readonly_fields = ["pid", "owner", "created", "updated", "started", "finished", "expired"]
    readonly_fields += ["input_bytes", "result_bytes", "output_name"]
    readonly_fields += ["lease_token", "lease_expires", "attempts"]
    inlines = [ReportAttemptInline]

    @admin.display(description="output file")
    def output_name(self, report: Report) -> str:
        return report.output_file.name or "-"


admin.site.unregister(AuthToken)


@admin.register(AuthToken)
class TokenAdmin(AuthTokenAdmin):  # type: ignore[misc]  # knox has no types
    """Makes a token, which it shows once; deleting one revokes it. A token is never changed."""

    list_display = ["user", "token_key", "created", "expiry"]
    list_select_related = ["user"]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """An expiry, which would otherwise be never."""
        return {"expiry": timezone.now() + knox_settings.TOKEN_TTL}

    def get_form(self, request: HttpRequest, obj: AuthToken | None = None, **kwargs: Any) -> Any:
        """knox's own form, which has to be told an expiry."""
        form = super().get_form(request, obj, **kwargs)
        if obj is None:
            form.base_fields["expiry"].required = True
        return form

    def has_change_permission(self, request: HttpRequest, *_: Any) -> bool:
        return False
