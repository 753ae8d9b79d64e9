#!/usr/bin/env bash
# Runs the tests that need a Kubernetes control plane, in a separate network and with a separate /run: webhooks must be reachable outside
# 127.0.0.0/8, Dapr looks for its tokens in /run, and the host must not be affected. The first run takes half an hour, for
# scripts/get-kubernetes.sh; later ones half a minute and 1.5 GB of memory. Needs root, and unshare and ip of util-linux and iproute2.
#
# Usage: scripts/test-k8s.sh [ARGUMENT…]      arguments are passed to the tests: the name of a case, --list, …
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/parts.sh
source scripts/parts.sh

need cargo unshare ip mount
[ "$(id -u)" = 0 ] || { say "a separate network needs root"; exit 1; }
scripts/get-kubernetes.sh >/dev/null

say "== build ($SECONDS s)"
# Later there is no network for downloads.
cargo test -p test-kubernetes --no-run

say "== test ($SECONDS s)"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# With separate process ids, too, so that all remaining processes end with it.
# The addresses are those of crates/test-kubernetes/src/network.rs, which checks the marker.
unshare --net --mount --pid --fork --kill-child --mount-proc bash -c '
  set -euo pipefail
  ip link set lo up
  ip address add 192.0.2.1/32 dev lo
  ip route add local 10.244.0.0/16 dev lo
  mount -t tmpfs tmpfs /run
  touch /run/nudge-test-k8s
  cargo test --offline -p test-kubernetes -- "$@"
' bash "$@" 2>&1 | tee "$log"
if grep -q ' ignored$' "$log"; then
  say "some cases were ignored: see above what is missing"
  exit 1
fi
say "== done ($SECONDS s)"
