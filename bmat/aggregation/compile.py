"""`python -m bmat.aggregation.compile`: compiles the kernels, for every later process to load."""

import numba

from bmat.aggregation import aggregate

# Importing the engine has compiled them already: each kernel names its types.
print(f"bmat.{aggregate.__name__}: kernels are in {numba.config.CACHE_DIR}")
