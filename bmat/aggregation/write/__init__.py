"""Totals become output.csv, rejects.csv and summary.json: whole, or not at all.

In: the parts, in order, and the counts. Out: files. Imports `exchange` and what lies below it.
"""
