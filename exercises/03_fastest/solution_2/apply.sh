#!/usr/bin/env bash
# The large size first, by pairs that are started with it; then the small one.
set -euo pipefail
LAB_RATE="$EX_RATE" LAB_SIZE="$EX_LARGE" ./lab up sysv_shm fifo unix_stream
sleep 20
for pair in sysv_shm fifo unix_stream; do
  ./lab load "$pair" --size "$EX_SMALL"
done
sleep 20
