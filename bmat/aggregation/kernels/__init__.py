"""Everything that Numba compiles, and the arrays that it works on.

Kernels take arrays and numbers and call nothing outside this folder; without the compiler
(NUMBA_DISABLE_JIT=1) they run as plain Python, with every access checked. Imports only itself.
"""

import os

IS_COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "") in ("", "0")
