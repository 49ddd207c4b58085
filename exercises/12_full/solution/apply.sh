#!/usr/bin/env bash
# Both consumers read nothing for five seconds.
set -euo pipefail
docker compose pause "$EX_QUEUE-consumer" udp-consumer
sleep 5
docker compose unpause "$EX_QUEUE-consumer" udp-consumer
sleep 5 # until what was lost is seen to be lost
