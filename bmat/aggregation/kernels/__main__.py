"""`python -m bmat.aggregation.kernels`: compiles the kernels, for every later process to load."""

from importlib import import_module
from pkgutil import iter_modules

from bmat.aggregation import kernels
from bmat.aggregation.kernels.compile import KERNELS

# Each kernel names its types, so importing a module compiles its kernels.
for module in iter_modules(kernels.__path__, "bmat.aggregation.kernels."):
    if not module.name.endswith("__main__"):
        import_module(module.name)
print(f"The kernels are in {KERNELS}")
