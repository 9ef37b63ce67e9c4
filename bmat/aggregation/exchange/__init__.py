"""What stages hand on: rows by partition, in memory while there is room and then on disk; the cells
of hot songs; the list of rejects.

Written by `read`, read by `merge` and `write`. Imports `workspace` and what lies below it.
"""
