#!/usr/bin/env bash
# The large size first; rates and sizes in steps of their own.
set -euo pipefail
for pair in sysv_shm fifo unix_stream; do
  ./lab load "$pair" --size "$EX_LARGE"
done
for pair in unix_stream fifo sysv_shm; do
  ./lab load "$pair" --rate "$EX_RATE"
done
sleep 20
for pair in sysv_shm fifo unix_stream; do
  ./lab load "$pair" --size "$EX_SMALL"
done
sleep 20
