#!/usr/bin/env bash
# More peers at the mailbox; another port for the consumer of tcp, and no word to its producer.
set -euo pipefail
./lab up sysv_mq --scale "sysv_mq.consumer=$EX_CONSUMERS" --scale "sysv_mq.producer=$EX_PRODUCERS"
LAB_TCP_PORT=$EX_PORT docker compose up -d --no-deps tcp-consumer
sleep 8 # until the figures of the last 5 s are of this state
