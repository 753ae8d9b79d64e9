#!/usr/bin/env bash
# Builds what checks manifests without a cluster, once, into a cache outside the checkout, and prints that folder: kustomize,
# kubeconform, and in schemas/ the JSON schemas of Kubernetes' own kinds and of those of the Spin operator, Dapr and KEDA. A minute
# or two of two cores. Needs Go 1.21 or newer, which fetches the toolchain that is named here.
#
# Usage: scripts/get-kubernetes-tools.sh      (NUDGE_CACHE: another cache than ~/.cache/nudge)
#   folder=$(scripts/get-kubernetes-tools.sh)
#   "$folder/kustomize" build FOLDER | "$folder/kubeconform" -strict \
#     -schema-location "$folder/schemas/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json"
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/parts.sh
source "$here/parts.sh"

# Those of get-kubernetes.sh.
kubernetes=k8s.io/kubernetes@v1.34.3
crds=(
  "github.com/spinkube/spin-operator@v0.6.1 config/crd/bases"
  "github.com/dapr/dapr@v1.16.0 charts/dapr/crds"
  "github.com/kedacore/keda/v2@v2.21.0 config/crd/bases"
)
kustomize=sigs.k8s.io/kustomize/kustomize/v5@v5.8.1
kubeconform=github.com/yannh/kubeconform@v0.7.0

# The one that get-dapr.sh builds with, so that Go compiles what they share once.
export GOTOOLCHAIN=go1.24.9
folder=$cache/kubernetes-tools
have "What checks manifests" "$folder" kustomize kubeconform schemas
need go
scratch
mkdir -p "$folder"
cd "$build"

# build PROGRAM PACKAGE LINKER_FLAGS: builds one into the folder; what was cut off before leaves nothing there.
build() {
  say "Building $1 ($SECONDS s so far)"
  CGO_ENABLED=0 go build -mod=mod -trimpath -ldflags "-s -w $3" -o "$folder/$1.new" "$2"
  mv "$folder/$1.new" "$folder/$1"
}

# content MODULE@VERSION: fetches a module and prints where it is. It may be written for a newer Go than what is built here.
content() {
  GOTOOLCHAIN=auto go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'
}

say "Reading the modules"
go mod init nudge.example/tools >/dev/null 2>&1
go get "$kustomize" "$kubeconform" >get.log 2>&1 || { cat get.log >&2; exit 1; }
build kustomize "${kustomize%@*}" "-X sigs.k8s.io/kustomize/api/provenance.version=${kustomize#*@}"
build kubeconform "${kubeconform%@*}/cmd/kubeconform" "-X main.version=${kubeconform#*@}"

say "Writing schemas ($SECONDS s so far)"
sources=()
for part in "${crds[@]}"; do
  from=$(content "${part% *}")
  sources+=("$from/${part#* }")
done
from=$(content "$kubernetes")
swagger=$from/api/openapi-spec/swagger.json
CGO_ENABLED=0 go run -mod=mod -trimpath "$here/crd-schemas.go" "$build/schemas" "$swagger" "${sources[@]}" >&2
rm -rf "$folder/schemas"
mv "$build/schemas" "$folder/schemas"
say "What checks manifests is in $folder ($SECONDS s)"
printf '%s\n' "$folder"
