#!/usr/bin/env bash
# Builds daprd, scheduler and placement of Dapr 1.16.0 from their Go module, once, into a cache outside the checkout, and
# prints that folder. About seven minutes of two cores, 3 GB of memory. Needs Go 1.21 or newer, which fetches the toolchain that
# Dapr wants.
#
# Usage: scripts/get-dapr.sh            (NUDGE_CACHE: another cache than ~/.cache/nudge)
set -euo pipefail
# shellcheck source=scripts/parts.sh
source "$(dirname "$0")/parts.sh"

version=1.16.0
# One dependency of daprd does not assemble with Go 1.25 or newer.
export GOTOOLCHAIN=go1.24.9
folder=$cache/dapr-$version
have "Dapr $version" "$folder" daprd scheduler placement
need go

scratch
cd "$build"
say "Reading the module github.com/dapr/dapr@v$version"
go mod init nudge.example/dapr >/dev/null 2>&1
module=$(go mod download -json "github.com/dapr/dapr@v$version" | sed -n 's/^\t"GoMod": "\(.*\)",$/\1/p')
# Replacements count in the main module only, so Dapr's own are repeated here.
awk '/^replace \($/ { inside = 1 } /^replace / || inside { print } /^\)$/ { inside = 0 }' "$module" >>go.mod
go get "github.com/dapr/dapr@v$version" >&2

mkdir -p "$folder"
for program in scheduler placement daprd; do
  say "Building $program ($SECONDS s so far)"
  tags=""
  [ "$program" = daprd ] && tags=allcomponents
  CGO_ENABLED=0 go build -mod=mod -trimpath -tags "$tags" \
    -ldflags "-s -w -X github.com/dapr/dapr/pkg/buildinfo.version=$version" \
    -o "$folder/$program.new" "github.com/dapr/dapr/cmd/$program"
  # A build that was cut off leaves no program behind.
  mv "$folder/$program.new" "$folder/$program"
done
say "Dapr $version is in $folder ($SECONDS s)"
printf '%s\n' "$folder"
