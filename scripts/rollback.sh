#!/usr/bin/env bash
# Restores the previous release: its objects as they were applied, including images and settings. Objects that it did not have are
# deleted; Secrets and data stay. Prints how long it took.
#
# Usage: scripts/rollback.sh [--to RELEASE] [--dry-run]
#   --to RELEASE   the number of another release
#   --dry-run      print what would be done, and change nothing
# Needs kubectl 1.31 or newer. Data is not rolled back: migrations only add, so earlier releases work with it.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/k8s.sh
source scripts/k8s.sh

to="" dry_run=no
while [ $# -gt 0 ]; do
  case $1 in
    --to)
      [ $# -ge 2 ] || usage
      to=$2
      shift ;;
    --dry-run) dry_run=yes ;;
    *) usage ;;
  esac
  shift
done

need kubectl gzip

step "Looking for the release before"
now=$(current)
[ -n "$now" ] || fail "there is no release on $(kubectl config current-context): scripts/deploy.sh makes the first"
all=$(releases)
if [ -z "$to" ]; then
  to=$(awk -v now="$now" '$1 < now' <<<"$all" | tail -1)
  [ -n "$to" ] || fail "release $now is the oldest that is kept"
fi
grep -qx "$to" <<<"$all" || fail "there is no release $to; available: $(tr '\n' ' ' <<<"$all")"
say "from release $now to release $to, on $(kubectl config current-context)"

release "$to" >"$scratch/to.yaml"
release "$now" >"$scratch/now.yaml"

# The api last: an earlier one may not know what the services of this release ask it for.
apply "$scratch/to.yaml" notification email-delivery recurring-task api
prune "$scratch/now.yaml" "$scratch/to.yaml"
verify_sidecars
mark "$to"
step "Release $to runs again"
