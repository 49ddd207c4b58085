#!/usr/bin/env bash
# A network and nothing else, as between two hosts.
set -euo pipefail
./lab place "$EX_VICTIM" shared_network
