#!/usr/bin/env bash
# Unpacks Debian's RabbitMQ and Erlang into a cache outside the checkout, and prints that folder. Needs apt and dpkg; nothing is
# installed.
#
# Usage: scripts/get-rabbitmq.sh        (NUDGE_CACHE: another cache than ~/.cache/nudge)
set -euo pipefail

folder=${NUDGE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nudge}/rabbitmq

say() { printf '%s\n' "$*" >&2; }

if [ -d "$folder/usr/lib/erlang" ]; then
  say "RabbitMQ is in $folder"
  printf '%s\n' "$folder"
  exit 0
fi
for program in apt-get dpkg-deb; do
  command -v "$program" >/dev/null || { say "$program is missing: RabbitMQ is fetched from Debian only"; exit 1; }
done

build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
# apt's own user reads what it downloads.
chmod 755 "$build"
cd "$build"
say "Fetching rabbitmq-server and Erlang from Debian (45 MB)"
apt-get download rabbitmq-server erlang-base erlang-asn1 erlang-crypto erlang-public-key erlang-mnesia erlang-runtime-tools \
  erlang-ssl erlang-eldap erlang-inets erlang-os-mon erlang-parsetools erlang-syntax-tools erlang-tools erlang-xmerl >&2
for package in ./*.deb; do
  dpkg-deb -x "$package" unpacked
done
# Erlang's scripts name the folder that they were installed to.
sed -i "s|ROOTDIR=/usr/lib/erlang|ROOTDIR=$folder/usr/lib/erlang|" unpacked/usr/lib/erlang/bin/erl unpacked/usr/lib/erlang/erts-*/bin/erl
mkdir -p "$(dirname "$folder")"
mv unpacked "$folder"
say "RabbitMQ is in $folder ($SECONDS s)"
printf '%s\n' "$folder"
