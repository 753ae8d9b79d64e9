#!/usr/bin/env bash
# Gets the real parts and runs the tests that use them: what a sidecar does (tests/conformance), the main path on every broker,
# state store and database (tests/portability), and the way from an application with aiokafka and back (tests/migration). The first time takes ten minutes for Dapr beside the build of the tests; everything
# listens on loopback. Needs what the get-….sh scripts name, and PostgreSQL.
#
# Usage: scripts/test-real.sh
set -euo pipefail
cd "$(dirname "$0")/.."

for part in dapr kafka redis rabbitmq aiokafka; do
  "scripts/get-$part.sh" >/dev/null
done
# Nothing may be left out here, so a part that is missing after all is a failure.
for suite in conformance portability migration; do
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
