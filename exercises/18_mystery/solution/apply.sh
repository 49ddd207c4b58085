#!/usr/bin/env bash
# What mends each cause, and touches no other pair.
set -euo pipefail
cause=${EX_FAULT%%:*}
pair=${EX_FAULT#*:}
consumer=$(printf %s "$pair" | tr _ -)-consumer
case $cause in
paused) docker compose unpause "$consumer" ;;
cut) docker network connect --alias "$pair-receiver" "${COMPOSE_PROJECT_NAME:-ipclab}_$pair" "$(docker compose ps -q "$consumer")" ;;
unlocked) ./lab lock "$pair" --reset ;;
moved) ./lab place "$pair" --back ;;
flooded) ./lab load "$pair" --reset ;;
killed | removed) docker compose start "$consumer" ;;
esac
sleep 6
