#!/usr/bin/env bash
# Three conditions of one pair. Each command returns when the window of the figures is full; then a few seconds more.
set -euo pipefail
./lab load "$EX_RING" --reset
LAB_WAIT=spin ./lab up "$EX_RING"
sleep 5
./lab up "$EX_RING"
sleep 5
./lab load "$EX_RING" --rate "$EX_RATE"
sleep 5
