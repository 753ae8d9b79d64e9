#!/usr/bin/env bash
# Installs the real parts and runs the tests that use them:
#   conformance  the behaviour of a sidecar, for the embedded one and for daprd
#   portability  the main path on every broker, state store and database; three replicas; a scheduler that loses its data;
#                recipients that no mail server takes
#   migration    from an application with aiokafka to Nudge, and back
#   chaos        two minutes of the simulation; scripts/chaos.sh runs it for half an hour
# The first run takes ten minutes for Dapr in addition to the build of the tests; everything listens on loopback. Needs the requirements
# of the get-….sh scripts, and PostgreSQL.
#
# Usage: scripts/test-real.sh
set -euo pipefail
cd "$(dirname "$0")/.."

for part in dapr kafka redis rabbitmq aiokafka; do
  "scripts/get-$part.sh" >/dev/null
done
export NUDGE_CHAOS_REAL=1 NUDGE_CHAOS_SECONDS=${NUDGE_CHAOS_SECONDS:-120}
# No case may be skipped here, so a missing part is a failure.
for suite in conformance portability migration chaos; do
  printf '\n== %s (%s s)\n' "$suite" "$SECONDS"
  log=$(mktemp)
  cargo test --test "$suite" 2>&1 | tee "$log"
  if grep -q ' ignored$' "$log"; then
    echo "some cases of $suite were ignored: see above which part is missing" >&2
    rm -f "$log"
    exit 1
  fi
  rm -f "$log"
done
printf '\n== done (%s s)\n' "$SECONDS"
