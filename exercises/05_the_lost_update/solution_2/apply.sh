#!/usr/bin/env bash
# The same with another lock.
set -euo pipefail
lost() {
  ./lab status --json | .venv/bin/python -c '
import json, sys
races = json.load(sys.stdin)["races"]
print(sum(race["updates_lost"] for race in races if race["mechanism"] == sys.argv[1] and not race["sync"]))' "$EX_VICTIM"
}
before=$(lost)
./lab lock "$EX_VICTIM" off
until [ $(($(lost) - before)) -ge "$EX_LOST" ]; do sleep 1; done
./lab lock "$EX_VICTIM" on
cp exercises/05_the_lost_update/solution_2/exercise.py exercise-05.py
