#!/usr/bin/env bash
# The disk first, then a pair that was started without the lock.
set -euo pipefail
lost() {
  ./lab status --json | .venv/bin/python -c '
import json, sys
races = json.load(sys.stdin)["races"]
print(sum(race["updates_lost"] for race in races if race["mechanism"] == "plain_file" and not race["sync"]))'
}
LAB_FILE_FSYNC=on ./lab up plain_file
sleep 20 # ten seconds of messages, and the window of their median
LAB_RACE_LOCK=off ./lab up plain_file
until [ "$(lost)" -ge "$EX_LOST" ]; do sleep 1; done
./lab up plain_file
sleep 20
