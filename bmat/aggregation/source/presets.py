"""All presets, each described as data; and which of them a file looks like.

`preset` says what they describe. docs/presets.md is for people.
"""

import codecs
import re
from collections.abc import Collection

from bmat.aggregation.errors import failure, shown
from bmat.aggregation.options import (
    DATE_COLUMN,
    PLAYS_COLUMN,
    ROLES,
    TOTAL_COLUMN,
    Options,
    column_key,
)
from bmat.aggregation.source.preset import DEFAULT, Keep, Listening, Preset
from bmat.aggregation.source.records import has_old_line_ends

HEAD_BYTES = 2**16
# How JSON begins: with an object, or an array of them; empty arrays may stand before it.
JSON_BEGIN = rb"\s*+(?:\[\s*+\]\s*+)*+(?:\[\s*+)?\{"
# The cells of SR02 in the Basic Audio Profile 1.2, in order. Later versions add cells behind.
SR02 = """
    RecordType SummaryRecordId DspResourceId ISRC ResourceTitle ResourceSubTitle
    ResourceDisplayArtistName ResourceDisplayArtistPartyId Duration ResourceType ProprietaryWorkId
    ISWC ComposerAuthor ComposerAuthorPartyId Arranger ArrangerPartyId MusicPublisher
    MusicPublisherPartyId WorkContributor WorkContributorPartyId DspReleaseId ProprietaryReleaseId
    ReleaseCatalogNumber ICPN ReleaseDisplayArtistName ReleaseDisplayArtistPartyId ReleaseTitle
    ReleaseSubTitle ReleaseType ReleaseLabel PLine ReleaseDataProvider SalesTransactionId
    IsRoyaltyBearing NumberOfStreams PromotionalActivity
"""


def fingerprint(*names: str) -> frozenset[str]:
    """The columns with these names, as they are compared."""
    return frozenset(map(column_key, names))


# How columns are named that hold numbers of plays.
COUNTS = fingerprint(
    PLAYS_COLUMN, TOTAL_COLUMN, "Plays", "Play Count", "Total Plays", "Streams", "Spins", "Quantity"
)

PRESETS = (
    DEFAULT,
    # What bmat has written itself: a result is one more input.
    Preset(
        name="totals",
        title="Totals of bmat",
        specification="https://www.rfc-editor.org/rfc/rfc4180",
        fingerprint=fingerprint(DATE_COLUMN, TOTAL_COLUMN),
        columns={role: (name,) for role, name in ROLES.items()}
        | {"date": (DATE_COLUMN,), "plays": (TOTAL_COLUMN,)},
        delimiter=",",
    ),
    # DDEX Digital Sales Reporting, flat file, the records that each hold one sale or usage.
    Preset(
        name="dsr",
        title="DDEX sales report, SR02",
        specification="https://dsr1.ddex.net/",
        reader="dsr",
        head=re.compile(rb"(?:[ \t\r]*\n|#[^\n]*\n)*+(?:HEAD|SRHE)\t(?i:dsrf)/"),
        fields=tuple(SR02.split()),
        columns={
            "song": ("ResourceTitle",),
            "artist": ("ResourceDisplayArtistName",),
            "isrc": ("ISRC",),
            "plays": ("NumberOfStreams",),
            "filter": ("RecordType",),
        },
        delimiter="\t",
        quoting="none",
        keep=Keep(b"SR02", is_prefix=True, reason="other_record"),
    ),
    Preset(
        name="soundexchange",
        title="SoundExchange report of use",
        specification="https://www.ecfr.gov/current/title-37/section-370.4",
        reader="soundexchange",
        # The header, on the first line or behind the report header's dozen.
        head=re.compile(
            rb"""(?:[^\n]*\n){0,20}?["^]?NAME[_ ]OF[_ ]SERVICE[^\n]*SOUND[_ ]RECORDING[_ ]TITLE""",
            re.IGNORECASE,
        ),
        fingerprint=fingerprint("Featured Artist", "Sound Recording Title"),
        columns={
            "song": ("SOUND_RECORDING_TITLE",),
            "artist": ("FEATURED_ARTIST",),
            "isrc": ("ISRC",),
            "service": ("NAME_OF_SERVICE",),
            # Performances are plays times listeners: they stand in where plays are not told.
            "plays": ("PLAY_FREQUENCY", "ACTUAL_TOTAL_PERFORMANCES"),
        },
    ),
    # Playlists of radio stations.
    Preset(
        name="spinitron",
        title="Spinitron playlist",
        specification="https://spinitron.com/",
        fingerprint=fingerprint("Date-time", "Artist", "Song"),
        # Six lines of title, DJ and times, and an empty one.
        has_preamble=True,
        columns={
            "song": ("Song",),
            "artist": ("Artist",),
            "isrc": ("ISRC",),
            "date": ("Date-time",),
        },
        plays="one",
    ),
    # Broadcasts of Swiss radio stations.
    Preset(
        name="suisa",
        title="SUISA radio report",
        specification="https://github.com/radiorabe/suisa_sendemeldung",
        fingerprint=fingerprint("Titel des Musikwerks", "Sendedatum", "Sendezeit"),
        columns={
            "song": ("Titel des Musikwerks",),
            "artist": ("Interpret(en)",),
            "isrc": ("ISRC",),
            "service": ("Sender",),
            "date": ("Sendedatum",),
        },
        plays="one",
    ),
    Preset(
        name="librefm",
        title="Libre.fm export",
        specification=(
            "https://github.com/metabrainz/listenbrainz-server/blob/master/"
            "listenbrainz/background/listens_importer/librefm.py"
        ),
        fingerprint=fingerprint("Artist", "Track", "Time"),
        # Lines that start with `#` may stand in front.
        has_preamble=True,
        columns={
            "song": ("Track",),
            "artist": ("Artist",),
            "date": ("Time",),
        },
        date_format="epoch",
        plays="one",
    ),
    # Logs of portable players (`.scrobbler.log`).
    Preset(
        name="audioscrobbler",
        title="Audioscrobbler log",
        specification="http://www.audioscrobbler.net/wiki/Portable_Player_Logging",
        reader="positions",
        # Times are UTC where the player knows its zone (#TZ/UTC), else (#TZ/UNKNOWN) those of its
        # clock: either way the day that was written.
        head=re.compile(rb"#AUDIOSCROBBLER/[^\n]*\n(?:#(?:TZ|CLIENT)/[^\n]*\n)*"),
        fields=("artist", "album", "track", "position", "duration", "rating", "time", "mbid"),
        columns={
            "song": ("track",),
            "artist": ("artist",),
            "date": ("time",),
            "filter": ("rating",),
        },
        delimiter="\t",
        quoting="none",
        date_format="epoch",
        plays="one",
        # The others, S, were skipped before their half.
        keep=Keep(b"L", is_prefix=False, reason="not_a_play"),
    ),
    # An export, as JSON lines.
    Preset(
        name="listenbrainz",
        title="ListenBrainz listens",
        specification="https://listenbrainz.readthedocs.io/en/latest/users/json.html",
        reader="json",
        head=re.compile(
            rb"(?s)" + JSON_BEGIN + rb'(?=.*"listened_at"\s*:).*"track_metadata"\s*:\s*\{'
        ),
        columns={
            "song": ("track_metadata.track_name",),
            "artist": ("track_metadata.artist_name",),
            "isrc": ("track_metadata.additional_info.isrc",),
            "service": (
                "track_metadata.additional_info.music_service",
                "track_metadata.additional_info.music_service_name",
            ),
            "date": ("listened_at",),
        },
        date_format="epoch",
        plays="one",
    ),
    # What Spotify gives its users, extended or of the last year.
    Preset(
        name="spotify",
        title="Spotify streaming history",
        specification="https://support.spotify.com/article/understanding-my-data/",
        reader="json",
        head=re.compile(rb"(?s)" + JSON_BEGIN + rb'.*"(?:ms_played|msPlayed)"\s*:'),
        columns={
            "song": ("master_metadata_track_name", "trackName"),
            "artist": ("master_metadata_album_artist_name", "artistName"),
            "territory": ("conn_country",),
            "date": ("ts", "endTime"),
            "filter": ("ms_played", "msPlayed"),
        },
        plays="one",
        listening=Listening(
            least=30_000,
            # Those of the extended history, and those that the last year's has in files of its own.
            instead=("episode_name", "audiobook_title", "episodeName", "audiobookName"),
        ),
    ),
    Preset(
        name="lastfm_1k",
        title="Last.fm data set of 1,000 users",
        specification="http://ocelma.net/MusicRecommendationDataset/lastfm-1K.html",
        reader="positions",
        head=re.compile(
            rb"(?=user_\d{6}\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ(?:\t[^\t\n]*){4}(?:\n|\Z))"
        ),
        fields=("userid", "timestamp", "artid", "artname", "traid", "traname"),
        columns={
            "song": ("traname",),
            "artist": ("artname",),
            "date": ("timestamp",),
        },
        delimiter="\t",
        quoting="none",
        plays="one",
    ),
    Preset(
        name="distrokid",
        title="DistroKid sales",
        specification=(
            "https://github.com/SuperHyperInstantFutureTime/TrackShift/wiki/"
            "Column-Definitions:-Distrokid"
        ),
        fingerprint=fingerprint("Reporting Date", "Sale Month", "Store", "Title", "Quantity"),
        columns={
            "song": ("Title",),
            "artist": ("Artist",),
            "isrc": ("ISRC",),
            "territory": ("Country of Sale",),
            "service": ("Store",),
            "date": ("Sale Month",),
            "plays": ("Quantity",),
            "filter": ("Song/Album",),
        },
        date_format="month",
        are_periods=True,
        # The title of an album is no song.
        keep=Keep(b"Song", is_prefix=False, reason="not_a_play"),
    ),
    Preset(
        name="tunecore",
        title="TuneCore sales",
        specification=(
            "https://github.com/SuperHyperInstantFutureTime/TrackShift/wiki/"
            "Column-Definitions:-Tunecore"
        ),
        fingerprint=fingerprint("Sales Period", "Posted Date", "Store Name", "Song Title"),
        columns={
            "song": ("Song Title",),
            "artist": ("Artist",),
            "isrc": ("Optional ISRC", "ISRC"),
            "territory": ("Country Of Sale",),
            "service": ("Store Name",),
            "date": ("Sales Period",),
            "plays": ("# Units Sold",),
        },
        are_periods=True,
    ),
)


def by_name(name: str) -> Preset:
    """The preset of this name. Raises AggregationError `invalid_option` where there is none."""
    for preset in PRESETS:
        if preset.name == name:
            return preset
    advice = f"use one of {', '.join(preset.name for preset in PRESETS)}"
    raise failure("invalid_option", option="preset", value=shown(name), advice=advice)


def recognised_head(head: bytes) -> Preset | None:
    """The preset of a file that begins with `head`, where it is one of those whose header does not
    tell. Looks at HEAD_BYTES.
    """
    if has_old_line_ends(head):
        head = head[:HEAD_BYTES].replace(b"\r", b"\n")
    start = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    for preset in PRESETS:
        if preset.head is not None and preset.head.match(head, start, HEAD_BYTES):
            return preset
    return None


def recognised_header(keys: Collection[str], options: Options) -> Preset | None:
    """The preset of a file whose header has columns with these names, as they are compared. Beside
    a column of plays a record is no single play, unless the options say so.
    """
    there = set(keys)
    has_counts = not COUNTS.isdisjoint(there) and options.plays != "one"
    for preset in PRESETS:
        if preset.reader == "header" and preset.fingerprint and preset.fingerprint <= there:
            return None if has_counts and preset.plays == "one" else preset
    return None
