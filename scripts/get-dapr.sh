#!/usr/bin/env bash
# Builds daprd, scheduler and placement of Dapr 1.16.0 from their Go module, once, into a cache outside the checkout, and
# prints that folder. Takes about seven minutes on two cores and 3 GB of memory. Needs Go 1.21 or newer, which downloads the
# toolchain that Dapr requires.
#
# Usage: scripts/get-dapr.sh            (NUDGE_CACHE: the cache, by default ~/.cache/nudge)
set -euo pipefail
# shellcheck source=scripts/parts.sh
source "$(dirname "$0")/parts.sh"

version=${go_dapr#*@v}
export GOTOOLCHAIN=$go_toolchain
folder=$cache/dapr-$version
have "Dapr $version" "$folder" daprd scheduler placement
need go

scratch
cd "$build"
say "Reading the module $go_dapr"
go mod init nudge.example/dapr >/dev/null 2>&1
replacements "$go_dapr" >>go.mod
go get "$go_dapr" >&2

mkdir -p "$folder"
for name in scheduler placement daprd; do
  tags=""
  [ "$name" = daprd ] && tags=allcomponents
  program "$name" "github.com/dapr/dapr/cmd/$name" "-X github.com/dapr/dapr/pkg/buildinfo.version=$version" "$tags"
done
say "Dapr $version is in $folder ($SECONDS s)"
printf '%s\n' "$folder"
