#!/usr/bin/env bash
# The consumer of tcp on the second host, and back again: the check looks at all that was measured since the start.
set -euo pipefail
./lab load tcp --size "$EX_SIZE"
./lab hosts up
./lab place tcp second_host
sleep 6 # the check compares five seconds
./lab place tcp --back
./lab hosts down
./lab load tcp --reset
