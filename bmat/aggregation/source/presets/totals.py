"""Totals that bmat has written: a result is one more input."""

from bmat.aggregation.options import DATE_COLUMN, ROLES, TOTAL_COLUMN
from bmat.aggregation.source.presets.preset import Preset, fingerprint

TOTALS = Preset(
    name="totals",
    title="Totals of bmat",
    specification="https://www.rfc-editor.org/rfc/rfc4180",
    fingerprint=fingerprint(DATE_COLUMN, TOTAL_COLUMN),
    columns={role: (name,) for role, name in ROLES.items()}
    | {"date": (DATE_COLUMN,), "plays": (TOTAL_COLUMN,)},
    delimiter=",",
)
