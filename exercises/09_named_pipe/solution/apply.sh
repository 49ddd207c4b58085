#!/usr/bin/env bash
# Two writers, first far above PIPE_BUF, then just below it.
set -euo pipefail
./lab up fifo --scale fifo.producer=2
./lab load fifo --size "$EX_SIZE"
sleep 6 # long enough for the messages to mix
./lab load fifo --size 4084
sleep 6 # the check looks at the last ten seconds, and ./lab load takes seven
