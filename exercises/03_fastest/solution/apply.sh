#!/usr/bin/env bash
# All three pairs at the small size, then all three at the large one.
set -euo pipefail
for size in "$EX_SMALL" "$EX_LARGE"; do
  for pair in sysv_shm fifo unix_stream; do
    ./lab load "$pair" --rate "$EX_RATE" --size "$size"
  done
  sleep 20
done
