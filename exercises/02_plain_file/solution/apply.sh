#!/usr/bin/env bash
# The lock off until enough was lost, on again, then the disk.
set -euo pipefail
lost() {
  ./lab status --json | .venv/bin/python -c '
import json, sys
races = json.load(sys.stdin)["races"]
print(sum(race["updates_lost"] for race in races if race["mechanism"] == "plain_file" and not race["sync"]))'
}
before=$(lost)
./lab lock plain_file off
until [ $(($(lost) - before)) -ge "$EX_LOST" ]; do sleep 1; done
./lab lock plain_file on
LAB_FILE_FSYNC=on ./lab up plain_file
sleep 6 # five seconds of messages: ./lab up has waited for the window of their median
