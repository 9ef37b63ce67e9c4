"""DDEX Digital Sales Reporting, flat file, the records that each hold one sale or usage."""

import re

from bmat.aggregation.source.presets.preset import Keep, Preset

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

DSR = Preset(
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
)
