#!/usr/bin/env bash
# The other way round: spinning last, and a rate above the one that was asked for.
set -euo pipefail
./lab up "$EX_RING"
./lab load "$EX_RING" --rate "$((EX_RATE + 500))"
sleep 5
./lab load "$EX_RING" --reset
sleep 5
LAB_WAIT=spin ./lab up "$EX_RING"
sleep 5
