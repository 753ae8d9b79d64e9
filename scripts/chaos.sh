#!/usr/bin/env bash
# Runs the simulation (tests/e2e/chaos) for a while: people use Nudge while its processes are killed and frozen. Prints the seed, what
# was done, what struck, and what was lost; ends with an error if anything was. `real` is on daprd, Kafka and PostgreSQL, all on loopback.
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
