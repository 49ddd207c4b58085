"""`python -m labctl`, which is what `./lab` runs."""

import sys

try:
    from labctl.main import main

    code = main(sys.argv[1:])
except KeyboardInterrupt:  # while it was still importing
    sys.stderr.write("error: interrupted before anything was done (hint: run it again)\n")
    code = 130
sys.exit(code)
