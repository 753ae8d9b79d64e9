#!/usr/bin/env bash
# Unpacks Debian's RabbitMQ and Erlang into a cache outside the checkout, and prints that folder. Needs apt and dpkg; nothing is
# installed.
#
# Usage: scripts/get-rabbitmq.sh        (NUDGE_CACHE: the cache, by default ~/.cache/nudge)
set -euo pipefail
# shellcheck source=scripts/parts.sh
source "$(dirname "$0")/parts.sh"

folder=$cache/rabbitmq
have RabbitMQ "$folder" usr/lib/erlang
say "Downloading rabbitmq-server and Erlang from Debian (32 MB)"
unpack rabbitmq-server erlang-base erlang-asn1 erlang-crypto erlang-public-key erlang-mnesia erlang-runtime-tools \
  erlang-ssl erlang-eldap erlang-inets erlang-os-mon erlang-parsetools erlang-syntax-tools erlang-tools erlang-xmerl
# Erlang's scripts contain the folder of their installation.
sed -i "s|ROOTDIR=/usr/lib/erlang|ROOTDIR=$folder/usr/lib/erlang|" \
  unpacked/usr/lib/erlang/bin/erl unpacked/usr/lib/erlang/erts-*/bin/erl
put RabbitMQ "$folder" unpacked
