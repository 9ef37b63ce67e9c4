"""`python -m bmat.aggregation`."""

import sys

from bmat.aggregation.cli import main

sys.exit(main())
