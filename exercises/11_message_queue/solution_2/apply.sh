#!/usr/bin/env bash
# The same queue without a pause: a load that the consumer cannot keep up with fills it too.
set -euo pipefail
LAB_POSIX_MQ_PRIORITIES="$EX_PRIORITIES" ./lab up posix_mq
./lab load posix_mq --rate 100000 --size 64
sleep 3
./lab load posix_mq --reset
LAB_SYSV_MQ_TYPES="$EX_TYPES" ./lab up sysv_mq --scale "sysv_mq.consumer=$EX_TYPES"
sleep 6 # the check looks at the last five seconds
