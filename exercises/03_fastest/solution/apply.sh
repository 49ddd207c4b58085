#!/usr/bin/env bash
# All three pairs at the small size, then all three at the large one.
set -euo pipefail
for size in "$EX_SMALL" "$EX_LARGE"; do
  ./lab load sysv_shm fifo unix_stream --rate "$EX_RATE" --size "$size" # returns when the figures are of this load
  sleep 7
done
