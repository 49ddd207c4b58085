#!/bin/sh
# Before Grafana's own start: a random password for its administrator, once per volume. Nobody types it: `./lab` reads
# it through the engine to write annotations. docs/decisions/0020-grafana-write-access.md
set -eu
folder=/var/lib/grafana/lab
if [ ! -s "$folder/admin-password" ]; then
  umask 077
  mkdir -p "$folder"
  head -c 32 /dev/urandom | base64 | tr -d '\n' >"$folder/new"
  mv "$folder/new" "$folder/admin-password"
fi
exec /run.sh "$@"
