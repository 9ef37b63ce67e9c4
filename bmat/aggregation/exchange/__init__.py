"""What stages hand on: rows by partition, in memory while there is room and then on disk; the cells
of hot songs; the counts and the list of rejects; merged parts.

Filled by `read` and `merge`, emptied by `merge` and `write`. Imports `job` and what lies below it.
"""
