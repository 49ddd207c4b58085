#!/usr/bin/env bash
# The note is no part of the pair: `reset` of the pair alone would leave it in the volume.
set -euo pipefail
docker compose start mmap-file-consumer mmap-file-producer
docker compose exec -T mmap-file-consumer rm -f /channel/note
