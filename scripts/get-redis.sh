#!/usr/bin/env bash
# Unpacks Debian's redis-server into a cache outside the checkout, for those who cannot or do not want to install it, and prints that
# folder. Needs apt and dpkg; nothing is installed. With a redis-server in the PATH, the tests take that.
#
# Usage: scripts/get-redis.sh           (NUDGE_CACHE: another cache than ~/.cache/nudge)
set -euo pipefail
# shellcheck source=scripts/parts.sh
source "$(dirname "$0")/parts.sh"

folder=$cache/redis
have Redis "$folder" usr/bin/redis-server
say "Fetching redis-server and its libraries from Debian (3 MB)"
unpack redis-server redis-tools libjemalloc2 liblzf1 liblua5.1-0 lua-bitop lua-cjson libhiredis0.14 libatomic1
put Redis "$folder" unpacked
