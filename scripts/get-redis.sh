#!/usr/bin/env bash
# Unpacks Debian's redis-server into a cache outside the checkout, as an alternative to installing it, and prints that folder. Needs apt
# and dpkg; nothing is installed. If there is a redis-server in the PATH, the tests use that.
#
# Usage: scripts/get-redis.sh           (NUDGE_CACHE: the cache, by default ~/.cache/nudge)
set -euo pipefail
# shellcheck source=scripts/parts.sh
source "$(dirname "$0")/parts.sh"

folder=$cache/redis
have Redis "$folder" usr/bin/redis-server
say "Downloading redis-server and its libraries from Debian (3 MB)"
unpack redis-server redis-tools libjemalloc2 liblzf1 liblua5.1-0 lua-bitop lua-cjson libhiredis0.14 libatomic1
put Redis "$folder" unpacked
