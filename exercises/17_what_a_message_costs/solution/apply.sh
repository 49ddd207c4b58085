# Three conditions of one pair, each for longer than the window of the figures.
set -eu
sleep 12
./lab load "$EX_RING" --rate "$EX_RATE"
sleep 12
LAB_WAIT=spin ./lab up "$EX_RING"
sleep 16
