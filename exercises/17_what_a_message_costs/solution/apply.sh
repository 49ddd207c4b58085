#!/usr/bin/env bash
# Three conditions of one pair, each for longer than the window of the figures.
set -euo pipefail
./lab up "$EX_RING"
./lab load "$EX_RING" --reset
sleep 14
./lab load "$EX_RING" --rate "$EX_RATE"
sleep 12
LAB_WAIT=spin ./lab up "$EX_RING"
sleep 16
