#!/usr/bin/env bash
# The large size first, and the rate in a step of its own.
set -euo pipefail
./lab load unix_stream fifo sysv_shm --size "$EX_LARGE"
./lab load fifo sysv_shm unix_stream --rate "$EX_RATE"
sleep 7
./lab load sysv_shm unix_stream fifo --size "$EX_SMALL"
sleep 7
