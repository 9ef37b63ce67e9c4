"""What the Upload-Metadata of a resumable upload may say."""

from typing import Any

from rest_framework import serializers

from bmat.api.serializers.fields import SwitchField
from bmat.api.serializers.options import OptionsSerializer
from bmat.api.serializers.webhooks import CallbackSerializer, check_callback

UNKNOWN_KEY = "There is no such key, and no such option."
# They hold for a report, and for no input alone.
OF_REPORT = ("group_by", "strict", "callback_url", "callback_secret")
NO_REPORT = "This is for a report, and the upload becomes none: say it when you make one of it."
# What tus clients tell about a file by themselves, and nobody needs.
PASSED_OVER = ("name", "type", "filetype", "relativePath")


class MetadataSerializer(CallbackSerializer, OptionsSerializer):
    """The file's name, whether it becomes a report, the options of one, and whom that is to tell. A
    blank one counts as not given.
    """

    filename = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    report = SwitchField(required=False, default=True)

    def to_internal_value(self, data: Any) -> Any:
        """The values. Each key that nobody knows is an error."""
        known = {*self.fields, *PASSED_OVER}
        unknown = {name: [UNKNOWN_KEY] for name in data if name not in known}
        try:
            # Some clients call the file's name so.
            values = super().to_internal_value({"filename": data.get("name", ""), **data})
        except serializers.ValidationError as error:
            assert isinstance(error.detail, dict)
            raise serializers.ValidationError({**error.detail, **unknown}) from error
        if unknown:
            raise serializers.ValidationError(unknown)
        return values

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs["report"]:
            of_report = [name for name in OF_REPORT if attrs.get(name)]
            if of_report:
                raise serializers.ValidationError(dict.fromkeys(of_report, [NO_REPORT]))
        check_callback(attrs)
        return super().validate(attrs)
