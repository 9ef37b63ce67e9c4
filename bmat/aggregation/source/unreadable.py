"""Why a file cannot be read, in words that help the person whose file it is."""

from collections.abc import Iterator
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from bmat.aggregation.errors import AggregationError, failure, shown
from bmat.aggregation.options import DATE_FORMATS, column_key, is_delimiter, python_encoding
from bmat.aggregation.source.encoding import WITHOUT_MARK
from bmat.aggregation.source.head import DELIMITERS, First, Head
from bmat.aggregation.source.header import has_named_columns, headerless_layout
from bmat.aggregation.source.looks import AS_CSV, Format, is_utf8, known_format
from bmat.aggregation.source.preset import DEFAULT, Preset
from bmat.aggregation.source.presets import recognised_header

# Names are compared that are not longer, and no more of them.
COMPARED_NAMES, COMPARED_LENGTH = 200, 60
# In a first record of no more bytes delimiters are looked for.
COMPARED_BYTES = 4096
LIKENESS = 0.55


def unreadable(head: Head, preset: Preset, likely: Preset | None) -> AggregationError:
    """Why the file has no header that `preset` reads. It looks as if `likely` could read it, but
    options that name columns stand against that.
    """
    first = nearest_first(preset, head)
    known = known_format(head.data) or not_text(head, first)
    if known and likely:
        known = Format(f"a file of {described(likely)}", "Name that in the option preset")
    if known:
        return failure("not_text", head.source, looks_like=known.name, advice=known.advice)
    assert first is not None
    roles = missing_roles(preset, first, head)
    is_default = preset is DEFAULT
    does_not_fit = f"The file does not fit {described(preset)}: its header"
    return failure(
        "missing_column",
        head.source,
        subject="The header" if is_default else does_not_fit,
        wanted=one_of(wanted_names(preset, roles, head)),
        found=what_is_found(first, head),
        advice=advice_for(preset, likely, roles, first, head),
    )


def described(preset: Preset) -> str:
    return f"the preset {preset.name} ({preset.title})"


def one_of(names: list[str]) -> str:
    """A choice of names, in English."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def nearest_first(preset: Preset, head: Head) -> First | None:
    """The record that was most likely meant to be the header: the one with the preset's
    fingerprint, or the first one, under the delimiter that occurs most often in it.
    """
    if preset.has_preamble and head.options.header_line is None:
        for first in head.preamble(preset):
            if preset.fingerprint <= set(first.keys):
                return first
    return max(head.firsts(preset), key=lambda one: len(one.fields), default=None)


def not_text(head: Head, first: First | None) -> Format | None:
    """What is wrong with the bytes of the record that would be the header."""
    if first is None:
        text = head.data[: head.bound]
    else:
        text = head.data[first.record.extent.start : first.record.extent.stop]
    if b"\0" in text:
        advice = f"{AS_CSV}; or, if it is UTF-16 without a byte order mark, name its encoding"
        return Format("binary data", advice)
    if not is_utf8(text, is_whole=first is not None):
        return Format("bytes that are not UTF-8", f"{AS_CSV} in UTF-8, or name its encoding")
    if first is None:
        looks_like = "text without a header in its first MiB"
        return Format(looks_like, f"{AS_CSV}, one record on a line")
    return None


def missing_roles(preset: Preset, first: First, head: Head) -> list[str]:
    at = preset.positions(first.keys, head.options)
    return [role for role in preset.wanted(head.options) if role not in at]


def wanted_names(preset: Preset, roles: list[str], head: Head) -> list[str]:
    """The names that columns of these roles have; where a preset knows none, the role."""
    return [shown(name) for role in roles for name in preset.names(role, head.options) or (role,)]


def what_is_found(first: First, head: Head) -> str:
    """What is there instead of the columns."""
    if first.fields:
        return f"it has {first.shown_names}"
    line = head.options.header_line
    if line is None:
        return "there is no line that could be one"
    return f"no record starts on line {line}, which the option header_line names"


def advice_for(
    preset: Preset, likely: Preset | None, roles: list[str], first: First, head: Head
) -> str:
    """What to do about columns of these roles that are missing."""
    if likely is not None:
        return f"It looks like a file of {described(likely)}: name that in the option preset"
    line = header_line_of(preset, head)
    if line is not None:
        return f"Line {line} looks like the header: name it in the option header_line"
    ways = other_ways(preset, first, head)
    change = next((how for other, how in ways if fits(preset, other)), None)
    change = change or other_dates(preset, head)
    if change is not None:
        return change
    if is_quoted_whole(first, head):
        return (
            "The whole line is in quotes, as if it were one field: take away the first and the "
            "last quote of each line, and write one quote for each two between them"
        )
    options = [f"{role}_column" for role in roles if role != "filter"]
    rename = "Rename the column" if len(roles) == 1 else "Rename the columns"
    if options:
        plural = "option" if len(options) == 1 else "options"
        rename += f", or name yours in the {plural} {', '.join(options)}"
    if "plays" in roles and not nearest_names(preset, ["plays"], first, head):
        rename += "; where each record is one play, use the option plays=one"
    nearest = nearest_names(preset, roles, first, head)
    return f"Did you mean {', '.join(nearest)}? {rename}" if nearest else rename


def header_line_of(preset: Preset, head: Head) -> int | None:
    """The physical line, of the first hundred, on which a header starts that is not the first
    record.
    """
    lines = head.preamble(preset)
    fit = [one for one in lines if not missing_roles(preset, one, head)]
    # Without a preset each is looked for that a header tells.
    if not fit and head.options.preset is None and not has_named_columns(head.options):
        fit = [one for one in lines if recognised_header(one.keys, head.options)]
    return fit[0].record.line if fit else None


def other_ways(preset: Preset, first: First, head: Head) -> Iterator[tuple[Head, str]]:
    """The file as it would be read with another delimiter, or without an option that is given, each
    with what to do for that.
    """
    options = head.options
    for delimiter in other_delimiters(preset, first, head):
        name = "tab" if delimiter == "\t" else shown(delimiter)
        how = f"The fields stand between {name}: name that in the option delimiter"
        yield changed(head, delimiter=delimiter), how
    if not head.is_quoted(preset):
        yield changed(head, quoting="csv"), "The names are in quotes: use the option quoting=csv"
    if options.header_line is not None:
        how = "The file seems to have no header: leave out the option header_line"
        yield changed(head, header_line=None), how
    if options.encoding is not None:
        name = python_encoding(options.encoding)
        text = head.data.decode("utf-8", "replace").encode(WITHOUT_MARK.get(name) or name, "ignore")
        yield (
            Head(text, replace(options, encoding=None), head.source),
            "The file is in UTF-8: leave out the option encoding",
        )


def other_delimiters(preset: Preset, first: First, head: Head) -> list[str]:
    """Those under which nobody has looked for a header. Where none is named, they are those in the
    first record, if it has none of the usual ones.
    """
    if head.named_delimiter(preset) is not None:
        return [delimiter.decode() for delimiter in DELIMITERS]
    start, stop, _ = first.record.extent
    record = head.data[start:stop]
    is_likely = not first.skipped and len(record) <= COMPARED_BYTES
    if not is_likely or any(delimiter in record for delimiter in DELIMITERS):
        return []
    return sorted(filter(is_delimiter, map(chr, set(record))))


def changed(head: Head, **options: Any) -> Head:
    """The same bytes, with other options."""
    return Head(head.data, replace(head.options, **options), head.source)


def fits(preset: Preset, head: Head) -> bool:
    """Whether the preset would read the file."""
    return any(
        not missing_roles(preset, first, head) or headerless_layout(preset, first, head)
        for first in head.firsts(preset)
    )


def other_dates(preset: Preset, head: Head) -> str | None:
    """What to do where the first record is data, if its date is read in another format."""
    formats = [
        name
        for name in DATE_FORMATS
        for first in head.firsts(preset)
        if headerless_layout(preset, first, changed(head, date_format=name))
    ]
    if not formats:
        return None
    return (
        "The first record seems to be one of a file without a header: name the format of its "
        f"dates in the option date_format, {one_of(list(dict.fromkeys(formats)))}"
    )


def is_quoted_whole(first: First, head: Head) -> bool:
    """Whether the first record is one field in quotes that holds fields itself."""
    if len(first.fields) != 1 or head.data[first.record.extent.start :][:1] != b'"':
        return False
    return any(one in first.fields[0] for one in DELIMITERS)


def nearest_names(preset: Preset, roles: list[str], first: First, head: Head) -> list[str]:
    """Of the columns found, the ones with the names nearest to those that are missing."""
    taken = set(preset.positions(first.keys, head.options).values())
    name_of = {
        key: name
        for index, (key, name) in enumerate(zip(first.keys, first.names, strict=True))
        if index not in taken and index < COMPARED_NAMES and len(name) <= COMPARED_LENGTH
    }
    nearest: list[str] = []
    for role in roles:
        for name in preset.names(role, head.options):
            found = get_close_matches(column_key(name), name_of, 1, LIKENESS)
            nearest += [shown(name_of[key]) for key in found]
    return list(dict.fromkeys(nearest))
