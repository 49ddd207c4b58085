#!/usr/bin/env bash
# A private map changes nothing in the file; write(2) does, and every map of the file shows it.
set -euo pipefail
docker compose exec -T mmap-file-consumer sh -c "printf %s $EX_WORD > /channel/note"
./lab load fifo mmap_file --size "$EX_SIZE" --rate 20
sleep 7
docker compose kill mmap-file-consumer mmap-file-producer
