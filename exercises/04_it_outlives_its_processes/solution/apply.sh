#!/usr/bin/env bash
# Kill both; then ipcrm, by the ids of ipcs, what has a key near the pair's.
set -euo pipefail
service=${EX_VICTIM//_/-}
docker compose kill "$service-producer" "$service-consumer"
sleep 10 # so that the exporter sees what is left
key=$([ "$EX_VICTIM" = sysv_shm ] && echo 1229996033 || echo 1229996049)
for kind in m q s; do
  docker compose exec -T holder ipcs "-$kind" | while read -r hex id _; do
    [[ $hex == 0x* ]] || continue
    distance=$((hex - key))
    if [ "${distance#-}" -le 2 ]; then docker compose exec -T holder ipcrm "-$kind" "$id" </dev/null; fi
  done
done
sleep 3
