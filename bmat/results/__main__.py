"""`python -m bmat.results`."""

import sys

from bmat.results.cli import main

sys.exit(main())
