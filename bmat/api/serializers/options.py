"""What is said with an upload, in a form or in the metadata of a resumable one: its options, which
are those of bmat.aggregation.Options, and whom its report is to tell. Blank ones count as not
given: that is how forms send them. A blank number is refused.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from bmat.aggregation import AggregationError, Options
from bmat.aggregation.options import DATE_COLUMN, OPTION_NAMES, PLAYS_COLUMN, ROLES
from bmat.api.outgoing.urls import (
    HTTPS_URL,
    SECRET_LENGTH,
    SECRET_PATTERN,
    URL_LENGTH,
    check_secret,
    check_url,
)

# A form and an address hold text: these are read as yes and no, in capitals too; a blank one counts
# as not given.
SWITCH: dict[str, Any] = {
    "type": "string",
    "enum": ["", *"true false 1 0 yes no on off t f y n".split()],
    "default": "false",
}
BLANK = {"type": "string", "maxLength": 0}
COLUMN_NAME_LENGTH = 200
# The text encodings of Python, under their own names; it knows others for most of them.
# https://docs.python.org/3/library/codecs.html#standard-encodings
ENCODINGS = """
ascii big5 big5hkscs cp037 cp1006 cp1026 cp1125 cp1140 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255
cp1256 cp1257 cp1258 cp273 cp424 cp437 cp500 cp720 cp737 cp775 cp850 cp852 cp855 cp856 cp857 cp858
cp860 cp861 cp862 cp863 cp864 cp865 cp866 cp869 cp874 cp875 cp932 cp949 cp950 euc_jis_2004
euc_jisx0213 euc_jp euc_kr gb18030 gb2312 gbk hp-roman8 hz iso2022_jp iso2022_jp_1 iso2022_jp_2
iso2022_jp_2004 iso2022_jp_3 iso2022_jp_ext iso2022_kr iso8859-1 iso8859-10 iso8859-11 iso8859-13
iso8859-14 iso8859-15 iso8859-16 iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6 iso8859-7
iso8859-8 iso8859-9 johab koi8-r koi8-t koi8-u kz1048 mac-cyrillic mac-greek mac-iceland mac-latin2
mac-roman mac-turkish ptcp154 shift_jis shift_jis_2004 shift_jisx0213 tis-620 utf-16 utf-16-be
utf-16-le utf-32 utf-32-be utf-32-le utf-8 utf-8-sig
""".split()
# Characters that do not count in a column's name.
UNCOUNTED = (
    r"\x00-\x20\x2d\x5f\x7f-\xa0\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u1680\u180e"
    r"\u2000-\u200f\u2028-\u202f\u205f-\u2064\u2066-\u206f\u3000\ufe33\ufe34\ufe4d-\ufe4f\ufe63"
    r"\ufeff\uff0d\uff3f\ufff9-\ufffb"
)
# White space, as blank, or one character that counts; and no NUL.
COLUMN = {
    "type": "string",
    "maxLength": COLUMN_NAME_LENGTH,
    "pattern": rf"^(\s*|[^\x00]*[^{UNCOUNTED}][^\x00]*)$",
}
DELIMITER = {
    "type": "string",
    "pattern": r"^([\x01-\x09\x0b\x0c\x0e-\x1f!#-&(-*,/;-@\[-`{-\x7f]?|tab|\\t)$",
    "default": "",
}
# The name of each column, where no option says another one.
COLUMNS = {
    f"{role}_column": name
    for role, name in {**ROLES, "date": DATE_COLUMN, "plays": PLAYS_COLUMN}.items()
}
ROLE = f"({'|'.join(ROLES)})"
# Some of the roles, each once.
GROUP_BY: dict[str, Any] = {
    "type": "string",
    "pattern": rf"^(?![\s\S]*\b{ROLE}\b[\s\S]*\b\1\b)({ROLE}(\s*,\s*{ROLE})*)?$",
    "default": "song",
}
SHEET: dict[str, Any] = {
    "type": "string",
    "maxLength": COLUMN_NAME_LENGTH,
    "pattern": r"^[^\x00]*$",
    "default": "",
}
ENCODING: dict[str, Any] = {"type": "string", "enum": ["", *ENCODINGS]}
# The default is what a page of the description fills in.
CALLBACK_URL = {
    "type": "string",
    "maxLength": URL_LENGTH,
    "pattern": f"^({HTTPS_URL})?$",
    "default": "",
}
CALLBACK_SECRET = {
    "type": "string",
    "maxLength": SECRET_LENGTH,
    "pattern": f"^({SECRET_PATTERN})?$",
    "default": "",
}
NO_CALLBACK = "Without a callback_url, nothing is signed."
# What Django's own forms carry beside their fields.
CSRF_FIELD = "csrfmiddlewaretoken"
UNKNOWN_FIELD = "There is no such field."
UNKNOWN_KEY = "There is no such key, and no such option."
# They hold for a report, and for no input alone.
OF_REPORT = ("group_by", "strict", "callback_url", "callback_secret")
NO_REPORT = "This is for a report, and the upload becomes none: say it when you make one of it."
# What tus clients tell about a file by themselves, and nobody needs.
PASSED_OVER = ("name", "type", "filetype", "relativePath")


@extend_schema_field(SWITCH)
class SwitchField(serializers.BooleanField):
    """Yes or no."""


def field_of(option: "dataclasses.Field[Any]") -> serializers.Field[Any, Any, Any, Any]:
    """The field of an option."""
    name, text = option.name, option.metadata["help"]
    choices = option.metadata.get("choices")
    help_text = f"{text[0].upper()}{text[1:]}."
    if choices:
        return serializers.ChoiceField(
            choices, required=False, allow_blank=True, help_text=help_text
        )
    if option.type == int | None:
        return serializers.IntegerField(min_value=1, required=False, help_text=help_text)
    if option.type is bool:
        return SwitchField(required=False, help_text=help_text)
    if name in COLUMNS:
        column = {**COLUMN, "default": COLUMNS[name]}
        return described_text(column, max_length=COLUMN_NAME_LENGTH, help_text=help_text)
    # What is wrong whatever the other options are is told together with what is wrong with those.
    alone = [checked_alone(name)]
    if name == "delimiter":
        return described_text(
            DELIMITER, trim_whitespace=False, help_text=help_text, validators=alone
        )
    if name == "sheet":
        return described_text(
            SHEET, max_length=COLUMN_NAME_LENGTH, trim_whitespace=False, help_text=help_text
        )
    texts = {"group_by": GROUP_BY, "encoding": ENCODING}
    return described_text(texts[name], help_text=help_text, validators=alone)


def given_options(values: Mapping[str, Any]) -> dict[str, Any]:
    """The options among the values of a form: blank ones are left out."""
    return {name: values[name] for name in OPTION_NAMES if values.get(name)}


def described_text(schema: Mapping[str, Any], **kwargs: Any) -> serializers.CharField:
    """A text that may be blank, with what the API's description says of it."""
    field = serializers.CharField(required=False, allow_blank=True, **kwargs)
    # Of this field, not of all.
    extend_schema_field(dict(schema))(field)  # type: ignore[type-var]  # it takes instances, too
    return field


def checked_alone(name: str) -> Callable[[str], None]:
    """Raises ValidationError for a value that the option `name` cannot have."""

    def check(value: str) -> None:
        try:
            Options.of({name: value})
        except AggregationError as error:
            raise serializers.ValidationError(error.message, code=error.code) from error

    return check


def check_options(given: Mapping[str, Any]) -> None:
    """Raises ValidationError, for the option that the aggregation names, unless all can be followed
    together.
    """
    try:
        Options.of(given)
    except AggregationError as error:
        raise refused_option(error) from error


def refused_option(error: AggregationError) -> serializers.ValidationError:
    """The API's error for one about an option."""
    return serializers.ValidationError({str(error.option): [error.message]}, code=error.code)


class FormSerializer(serializers.Serializer[Any]):
    """The options of a form. A blank one counts as not given."""

    # What a client sends by itself, and nobody needs; and what is said of other names.
    passed_over: tuple[str, ...] = (CSRF_FIELD,)
    unknown = UNKNOWN_FIELD

    def get_fields(self) -> dict[str, Any]:
        """Its own fields, and one for each option."""
        options = [one for one in dataclasses.fields(Options) if one.name in OPTION_NAMES]
        return {**super().get_fields(), **{one.name: field_of(one) for one in options}}

    def to_internal_value(self, data: Any) -> Any:
        """The fields' values. Each name that nobody knows is an error, too."""
        known = {*self.fields, *self.passed_over}
        unknown = {name: [self.unknown] for name in data if name not in known}
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            assert isinstance(error.detail, dict)
            raise serializers.ValidationError({**error.detail, **unknown}) from error
        if unknown:
            raise serializers.ValidationError(unknown)
        return values

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        check_options(given_options(attrs))
        return attrs


@extend_schema_field(CALLBACK_URL)
class CallbackURLField(serializers.CharField):
    """Where an event goes, or blank: with `check_url` among its validators."""


@extend_schema_field(CALLBACK_SECRET)
class CallbackSecretField(serializers.CharField):
    """What events are signed with: with `check_secret` among its validators."""


class CallbackSerializer(serializers.Serializer[Any]):
    """Whom a report is to tell when it ends."""

    callback_url = CallbackURLField(
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        max_length=URL_LENGTH,
        validators=[check_url],
        help_text="Is told when the report ends.",
    )
    callback_secret = CallbackSecretField(
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        max_length=SECRET_LENGTH,
        validators=[check_secret],
        help_text="What that is signed with; without it, a secret that the operator can tell.",
    )


def check_callback(attrs: Mapping[str, Any]) -> None:
    """Raises ValidationError where there is a secret and nobody to be told."""
    if attrs.get("callback_secret") and not attrs.get("callback_url"):
        raise serializers.ValidationError({"callback_secret": [NO_CALLBACK]})


class MetadataSerializer(CallbackSerializer, FormSerializer):
    """The file's name, whether it becomes a report, the options of one, and whom that is to tell. A
    blank one counts as not given.
    """

    passed_over = PASSED_OVER
    unknown = UNKNOWN_KEY
    filename = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    report = SwitchField(required=False, default=True)

    def to_internal_value(self, data: Any) -> Any:
        # Some clients call the file's name so.
        return super().to_internal_value({"filename": data.get("name", ""), **data})

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs["report"]:
            of_report = [name for name in OF_REPORT if attrs.get(name)]
            if of_report:
                raise serializers.ValidationError(dict.fromkeys(of_report, [NO_REPORT]))
        check_callback(attrs)
        return super().validate(attrs)
