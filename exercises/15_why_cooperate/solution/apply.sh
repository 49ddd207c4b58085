#!/usr/bin/env bash
# A large job in few chunks, and a small job in many.
set -euo pipefail
./lab speedup --mechanism "$EX_CARRIER" --workers 2 --job "$EX_JOB" --chunks 16 --rounds 3
./lab speedup --mechanism "$EX_CARRIER" --workers 2 --job 20000 --chunks 4000 --rounds 1
