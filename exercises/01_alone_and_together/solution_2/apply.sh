#!/usr/bin/env bash
# The same without /dev/shm: this pair needs neither.
set -euo pipefail
./lab place "$EX_VICTIM" ipc_namespace
