"""`python -m bmat.client`."""

import sys

from bmat.client.cli import main

sys.exit(main())
