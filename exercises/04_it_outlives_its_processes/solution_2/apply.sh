#!/usr/bin/env bash
# The same by a program: any process of the namespace and of the user may remove the objects.
set -euo pipefail
service=${EX_VICTIM//_/-}
docker compose kill "$service-consumer" "$service-producer"
sleep 10 # so that the exporter sees what is left
docker compose exec -T -e VICTIM="$EX_VICTIM" kernel python - <<'PROGRAM'
import os
from contextlib import suppress

import sysv_ipc

if os.environ["VICTIM"] == "sysv_mq":
    sysv_ipc.MessageQueue(1229996049).remove()
else:
    for key in range(1229996033 - 2, 1229996033 + 3):
        with suppress(sysv_ipc.ExistentialError):
            sysv_ipc.SharedMemory(key).remove()
        with suppress(sysv_ipc.ExistentialError):
            sysv_ipc.Semaphore(key).remove()
PROGRAM
sleep 3
