"""Reports, and who was told of them, in Django's admin: to look at, not to change. Status changes
belong to the services. Tokens and webhooks: to make and to revoke.
"""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.text import Truncator
from knox.admin import AuthTokenAdmin
from knox.models import AuthToken
from knox.settings import knox_settings

from bmat.api.models import Delivery, Report, ReportAttempt, Upload, Webhook
from bmat.api.models.reports import LONG_COLUMNS
from bmat.api.outgoing.urls import without_login
from bmat.api.serializers.accounts import KeptTokenSerializer
from bmat.api.services.outbox import new_secret, shown_url

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

    def get_queryset(self, request: HttpRequest) -> QuerySet[Report]:
        """Without what may be long, which is fetched for the report alone that is looked at."""
        return super().get_queryset(request).defer(*LONG_COLUMNS)

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

    list_display = ["name", "shown_state", "size", "owner", "begun", "expires", "made"]
    list_filter = ["created", "makes_report"]
    list_select_related = ["owner"]
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

    @admin.display(description="report", empty_value="-")
    def made(self, upload: Upload) -> str | None:
        """The pid of its report; nothing where there is none."""
        return str(upload.report_id) if upload.report_id else None

    @admin.display(ordering="created")
    def begun(self, upload: Upload) -> str:
        return f"{upload.created:%Y-%m-%d %H:%M}"


@admin.register(Webhook)
class WebhookAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Makes a webhook, whose secret it shows once, and turns it off and on."""

    list_display = ["owner", "shown_url", "enabled", "created"]
    list_filter = ["enabled"]
    list_select_related = ["owner"]
    search_fields = ["owner__username", "url"]

    @admin.display(description="URL", ordering="url")
    def shown_url(self, webhook: Webhook) -> str:
        return without_login(webhook.url)

    def save_model(self, request: HttpRequest, obj: Webhook, form: Any, change: bool) -> None:
        """Gives a new webhook its secret."""
        if not change:
            obj.secret = new_secret()
            text = f"Its secret, which is shown this once: {obj.secret}"
            messages.warning(request, text)
        super().save_model(request, obj, form, change)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Events to look at. They are sent again through the API."""

    list_display = ["event", "report_id", "url", "state", "tries", "last", "created"]
    list_filter = ["state", "event", "created"]
    search_fields = ["id", "report__pid"]
    readonly_fields = ["id", "event", "report_id", "url", "state", "created", "tries"]
    readonly_fields += ["next_attempt_at", "shown_attempts", "body"]
    exclude = ["report", "webhook", "attempts", "attempt_started", "lease_token"]
    exclude += ["next_enqueue_at", "enqueue_count"]

    @admin.display(description="URL", empty_value="-")
    def url(self, delivery: Delivery) -> str | None:
        return shown_url(delivery)

    @admin.display(description="last answer", empty_value="-")
    def last(self, delivery: Delivery) -> str | None:
        """The status of the last answer, or why there was none."""
        return next((said(each) for each in delivery.attempts[-1:]), None)

    @admin.display(description="attempts", empty_value="-")
    def shown_attempts(self, delivery: Delivery) -> str | None:
        lines = [
            (f"{each['started']}: {said(each)}, {each['seconds']} s",) for each in delivery.attempts
        ]
        return format_html_join(mark_safe("<br>"), "{}", lines) or None


def said(attempt: dict[str, Any]) -> str:
    """What came of an attempt, in a word."""
    return str(attempt["status"] or attempt["error"])


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
