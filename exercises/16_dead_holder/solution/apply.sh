#!/usr/bin/env bash
# One lock with SEM_UNDO, one without; the second one is given back by hand after it hung for a while.
set -euo pipefail
script=$(cat exercises/16_dead_holder/hold.py)
docker compose exec -T kernel python -c "$script" "$EX_UNDO" undo
docker compose exec -T kernel python -c "$script" "$EX_KEEP" keep
sleep 12
docker compose exec -T kernel python -c "import sysv_ipc; sysv_ipc.Semaphore($EX_KEEP).release()"
sleep 3
