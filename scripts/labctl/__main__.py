"""`python -m labctl`, which is what `./lab` runs."""

import sys

from labctl.main import main

sys.exit(main(sys.argv[1:]))
