"""Blocks of the input become rows of partitions, counts, and rejects, in any order; then the blocks
are settled in the order of the file.

In: the job. Out: rows and rejects in `exchange`, and the counts. Imports `exchange` and what lies
below it.
"""
