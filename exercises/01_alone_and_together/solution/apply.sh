#!/usr/bin/env bash
# The consumer joins the IPC namespace of its producer, and /dev/shm with it; the volume stays behind.
set -euo pipefail
./lab place "$EX_VICTIM" shared_ipc
