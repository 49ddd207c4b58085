#!/usr/bin/env bash
# A lock that hangs can also be removed and made anew: whoever waits for the old one is told (EIDRM).
set -euo pipefail
script=$(cat exercises/16_dead_holder/hold.py)
docker compose exec -T kernel python -c "$script" "$EX_KEEP" keep
sleep 12
docker compose exec -T kernel python -c "import sysv_ipc; sysv_ipc.Semaphore($EX_KEEP).remove()"
docker compose exec -T kernel python -c "import sysv_ipc; sysv_ipc.Semaphore($EX_KEEP, sysv_ipc.IPC_CREX, initial_value=1)"
docker compose exec -T kernel python -c "$script" "$EX_UNDO" undo
sleep 3
