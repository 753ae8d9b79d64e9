#!/usr/bin/env bash
# Unpacks Debian's redis-server into a cache outside the checkout, for those who cannot or do not want to install it, and prints that
# folder. Needs apt and dpkg; nothing is installed. With a redis-server in the PATH, the tests take that.
#
# Usage: scripts/get-redis.sh           (NUDGE_CACHE: another cache than ~/.cache/nudge)
set -euo pipefail

folder=${NUDGE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nudge}/redis

say() { printf '%s\n' "$*" >&2; }

if [ -x "$folder/usr/bin/redis-server" ]; then
  say "Redis is in $folder"
  printf '%s\n' "$folder"
  exit 0
fi
for program in apt-get dpkg-deb; do
  command -v "$program" >/dev/null || { say "$program is missing: install redis-server in your system's way"; exit 1; }
done

build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
# apt's own user reads what it downloads.
chmod 755 "$build"
cd "$build"
say "Fetching redis-server and its libraries from Debian (3 MB)"
apt-get download redis-server redis-tools libjemalloc2 liblzf1 liblua5.1-0 lua-bitop lua-cjson libhiredis0.14 libatomic1 >&2
for package in ./*.deb; do
  dpkg-deb -x "$package" unpacked
done
mkdir -p "$(dirname "$folder")"
mv unpacked "$folder"
say "Redis is in $folder ($SECONDS s)"
printf '%s\n' "$folder"
