#!/usr/bin/env bash
# The map is shared; both pairs carry large messages for a while; then both containers of the map are killed.
set -euo pipefail
script=$(sed s/MAP_PRIVATE/MAP_SHARED/ exercises/14_memory_map/map.py)
docker compose exec -T mmap-file-producer python -c "$script" /channel/note "$EX_WORD"
./lab load mmap_file fifo --size "$EX_SIZE" --rate 20
sleep 7
docker compose kill mmap-file-producer mmap-file-consumer
