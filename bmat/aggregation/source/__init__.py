"""An input becomes bytes: a file, a pipe or standard input, in any encoding, and its header.

In: the paths that were given, and the options. Out: files of UTF-8, and the layout of each. Imports
`options`, `results`, `progress` and `errors`; no Numba.
"""
