#!/usr/bin/env bash
# A consumer with another port, or another name in its network, is made anew as compose.yaml has it.
set -euo pipefail
docker compose up -d --no-deps --force-recreate tcp-consumer
