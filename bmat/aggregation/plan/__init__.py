"""What a run will do, before it does it: how much memory each task may use, where partitions begin,
and which songs are hot, all read off the input's size and a sample of it.

In: the sources and the limits. Out: the job. Samples with the readers of `read` and the tables of
`merge`.
"""
