#!/usr/bin/env bash
# Break one pair, as the student's seed has drawn it: CAUSE:PAIR.
set -euo pipefail
cause=${EX_FAULT%%:*}
pair=${EX_FAULT#*:}
consumer=$(printf %s "$pair" | tr _ -)-consumer
case $cause in
killed) docker compose kill "$consumer" ;;
paused) docker compose pause "$consumer" ;;
cut) docker network disconnect "${COMPOSE_PROJECT_NAME:-ipclab}_$pair" "$(docker compose ps -q "$consumer")" ;;
unlocked) ./lab lock "$pair" off ;;
moved) ./lab place "$pair" shared_network ;;
removed)
    docker compose stop "$consumer"
    sleep 2 # the producer fills the queue that is then removed
    key=${LAB_SYSV_MQ_KEY:-$(sed -n s/^LAB_SYSV_MQ_KEY=//p .env)}
    docker compose exec -T kernel python -c "import sysv_ipc; sysv_ipc.MessageQueue($key).remove()"
    ;;
flooded) ./lab load "$pair" --rate 2000 --size 16384 ;;
esac
sleep 6 # until Prometheus has seen it
