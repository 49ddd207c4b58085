#!/usr/bin/env bash
# The two semaphores belong to nobody of the lab, so they would stay until the namespace ends.
set -euo pipefail
docker compose exec -T kernel python -c "
import contextlib, sysv_ipc
for key in ($EX_UNDO, $EX_KEEP):
    with contextlib.suppress(sysv_ipc.ExistentialError):
        sysv_ipc.Semaphore(key).remove()
"
