#!/usr/bin/env bash
# Runs the simulation (tests/e2e/chaos): users work with Nudge while its processes are killed and frozen. Prints the seed, the requests,
# the faults and the losses; fails if anything was lost. `real` uses daprd, Kafka and PostgreSQL, all on loopback.
#
# Usage: scripts/chaos.sh [embedded|real] [minutes] [seed]      (real, 30, a random seed)
set -euo pipefail
cd "$(dirname "$0")/.."

subject=${1:-real} minutes=${2:-30} seed=${3:-$((RANDOM * 32768 + RANDOM))}
case $subject in
  embedded) ;;
  real)
    for part in dapr kafka; do
      "scripts/get-$part.sh" >/dev/null
    done
    export NUDGE_CHAOS_REAL=1
    ;;
  *)
    echo "usage: scripts/chaos.sh [embedded|real] [minutes] [seed]" >&2
    exit 2
    ;;
esac
export NUDGE_CHAOS_SEED=$seed NUDGE_CHAOS_SECONDS=$((minutes * 60))
exec cargo test --test chaos -- --exact "$subject"
