"""`python -m bmat.aggregation.kernels`: compiles the kernels, for every later process to load."""

from bmat.aggregation import aggregate
from bmat.aggregation.kernels.compile import KERNELS

# Importing the engine has compiled them already: each kernel names its types.
print(f"bmat.{aggregate.__name__}: kernels are in {KERNELS}")
