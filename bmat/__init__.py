"""Exact daily totals per song, out of play logs of any size."""

__version__ = "1.1.0"
