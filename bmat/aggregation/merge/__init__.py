"""One partition: its rows become sorted totals, as lines of CSV.

In: rows of `exchange`. Out: a part's text and sums. Imports `exchange` and what lies below it.
"""
