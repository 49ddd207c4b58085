#!/usr/bin/env bash
# The other way round: spinning first, and a rate above the one that was asked for.
set -euo pipefail
./lab load "$EX_RING" --reset
LAB_WAIT=spin ./lab up "$EX_RING"
sleep 14
./lab up "$EX_RING"
sleep 14
./lab load "$EX_RING" --rate "$((EX_RATE + 500))"
sleep 14
