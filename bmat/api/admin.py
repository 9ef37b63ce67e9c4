"""Reports in Django's admin: to look at, not to change. Status changes belong to the services.
Tokens: to make and to revoke.
"""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.text import Truncator
from knox.admin import AuthTokenAdmin
from knox.models import AuthToken
from knox.settings import knox_settings

from bmat.api.models import Report, ReportAttempt, Upload
from bmat.api.serializers.accounts import KeptTokenSerializer

# So that the list fits into a window of 1280 pixels, beside the menu and the filters.
SHOWN_NAME_LENGTH = 30


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
    """Rows to look at. A report's files are downloaded through the API, which a superuser who is
    logged in here may use.
    """

    list_display = ["name", "shown_state", "percent", "size", "owner", "uploaded", "files"]
    list_filter = ["status", "created", "error_code"]
    list_select_related = ["owner"]
    search_fields = ["pid", "input_name", "owner__username"]
    # Storage names, which mean nothing to people.
    exclude = ["input_file", "output_file", "rejects_file"]
    readonly_fields = ["pid", "owner", "created", "updated", "started", "finished", "expired"]
    readonly_fields += ["input_bytes", "result_bytes", "files"]
    readonly_fields += ["lease_token", "lease_expires", "attempts"]
    inlines = [ReportAttemptInline]

    @admin.display(description="file", ordering="input_name")
    def name(self, report: Report) -> str:
        return Truncator(report.input_name).chars(SHOWN_NAME_LENGTH) or str(report.pid)

    @admin.display(description="state", ordering="status")
    def shown_state(self, report: Report) -> str:
        """The state; of a failed report its code, too; of one that is processed, its stage."""
        detail = report.error_code or report.stage
        return f"{report.state}: {detail}" if detail else report.state

    @admin.display(description="progress", ordering="progress")
    def percent(self, report: Report) -> str:
        return f"{report.progress:.0%}"

    @admin.display(ordering="input_bytes")
    def size(self, report: Report) -> str:
        return filesizeformat(report.input_bytes)

    @admin.display(ordering="created")
    def uploaded(self, report: Report) -> str:
        return f"{report.created:%Y-%m-%d %H:%M}"

    @admin.display(empty_value="-")
    def files(self, report: Report) -> str | None:
        """Links to the result's files; nothing where there are none."""
        there = [
            (reverse(f"report-{label}", kwargs={"pid": report.pid}), label)
            for label, file in (("output", report.output_file), ("rejects", report.rejects_file))
            if file
        ]
        return format_html_join(" ", '<a href="{}">{}</a>', there) or None


@admin.register(Upload)
class UploadAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Uploads that come in parts: how far they are, and what has become of them."""

    list_display = ["name", "shown_state", "size", "owner", "begun", "expires", "report"]
    list_filter = ["created", "makes_report"]
    list_select_related = ["owner", "report"]
    search_fields = ["id", "input_name", "owner__username"]
    readonly_fields = ["id", "owner", "report", "created", "updated", "completed", "removed"]

    @admin.display(description="file", ordering="input_name")
    def name(self, upload: Upload) -> str:
        return Truncator(upload.input_name).chars(SHOWN_NAME_LENGTH) or str(upload.pk)

    @admin.display(description="state")
    def shown_state(self, upload: Upload) -> str:
        """How much has arrived, and whether it is still there."""
        if upload.is_gone:
            return "removed"
        if upload.completed is not None:
            return "whole"
        return f"{upload.offset / upload.length:.0%}" if upload.length else "coming"

    @admin.display(ordering="length")
    def size(self, upload: Upload) -> str:
        return filesizeformat(upload.offset if upload.length is None else upload.length)

    @admin.display(ordering="created")
    def begun(self, upload: Upload) -> str:
        return f"{upload.created:%Y-%m-%d %H:%M}"


admin.site.unregister(AuthToken)


@admin.register(AuthToken)
class TokenAdmin(AuthTokenAdmin):  # type: ignore[misc]  # knox has no types
    """Makes a token, which it shows once; deleting one revokes it. A token is never changed."""

    list_display = ["user", "name", "token_key", "created", "expiry"]
    list_select_related = ["user", "named"]

    @admin.display(empty_value="-")
    def name(self, token: AuthToken) -> str | None:
        return KeptTokenSerializer().get_name(token)

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
