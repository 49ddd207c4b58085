#!/usr/bin/env bash
# The other half of a socket's name is its address: the name under which the pair's network knows the consumer.
set -euo pipefail
./lab up sysv_mq --scale "sysv_mq.consumer=$EX_CONSUMERS" --scale "sysv_mq.producer=$EX_PRODUCERS"
consumer=$(docker compose ps -q tcp-consumer)
network="${COMPOSE_PROJECT_NAME:-ipclab}_tcp"
docker network disconnect "$network" "$consumer"
docker network connect --alias tcp-renamed "$network" "$consumer"
docker restart "$consumer"
sleep 8 # until the figures of the last 5 s are of this state
