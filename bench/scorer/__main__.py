"""`python -m bench.scorer [PART…]`."""

import sys

from bench.scorer.run import main

sys.exit(main(sys.argv[1:]))
