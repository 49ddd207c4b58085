#!/usr/bin/env bash
# Types for the one queue, priorities for the other, and a pause in which the second one fills up.
set -euo pipefail
LAB_SYSV_MQ_TYPES="$EX_TYPES" ./lab up sysv_mq --scale "sysv_mq.consumer=$EX_TYPES"
LAB_POSIX_MQ_PRIORITIES="$EX_PRIORITIES" ./lab up posix_mq
docker compose pause posix-mq-consumer
sleep 2
docker compose unpause posix-mq-consumer
sleep 6 # the check looks at the last five seconds
