"""`python -m bmat.aggregation.compile`: compiles the kernels, for every later process to load."""

from bmat.aggregation import aggregate
from bmat.aggregation.compiled import cache_folder

if __name__ == "__main__":
    # Importing the engine has compiled them already: each kernel names its types.
    print(f"{aggregate.__name__}: kernels are in {cache_folder()}")
