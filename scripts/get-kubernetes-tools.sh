#!/usr/bin/env bash
# Builds the tools that check manifests without a cluster, once, into a cache outside the checkout, and prints that folder: kustomize,
# kubeconform, and in schemas/ the JSON schemas of the kinds of Kubernetes, the Spin operator, Dapr and KEDA. Takes a minute or two
# on two cores. Needs Go 1.21 or newer, which downloads the toolchain that is named here.
#
# Usage: scripts/get-kubernetes-tools.sh      (NUDGE_CACHE: the cache, by default ~/.cache/nudge)
#   folder=$(scripts/get-kubernetes-tools.sh)
#   "$folder/kustomize" build FOLDER | "$folder/kubeconform" -strict \
#     -schema-location "$folder/schemas/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json"
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/parts.sh
source "$here/parts.sh"

crds=("$go_spin_operator config/crd/bases" "$go_dapr charts/dapr/crds" "$go_keda config/crd/bases")
kustomize=sigs.k8s.io/kustomize/kustomize/v5@v5.8.1
kubeconform=github.com/yannh/kubeconform@v0.7.0

export GOTOOLCHAIN=$go_toolchain
folder=$cache/kubernetes-tools
have "What checks manifests" "$folder" kustomize kubeconform schemas
need go
scratch
mkdir -p "$folder"
cd "$build"

say "Reading the modules"
go mod init nudge.example/tools >/dev/null 2>&1
go get "$kustomize" "$kubeconform" >get.log 2>&1 || { cat get.log >&2; exit 1; }
program kustomize "${kustomize%@*}" "-X sigs.k8s.io/kustomize/api/provenance.version=${kustomize#*@}"
program kubeconform "${kubeconform%@*}/cmd/kubeconform" "-X main.version=${kubeconform#*@}"

say "Writing schemas ($SECONDS s so far)"
sources=()
for part in "${crds[@]}"; do
  from=$(download "${part% *}" Dir)
  sources+=("$from/${part#* }")
done
from=$(download "$go_kubernetes" Dir)
swagger=$from/api/openapi-spec/swagger.json
CGO_ENABLED=0 go run -mod=mod -trimpath "$here/crd-schemas.go" "$build/schemas" "$swagger" "${sources[@]}" >&2
rm -rf "$folder/schemas"
mv "$build/schemas" "$folder/schemas"
say "The tools are in $folder ($SECONDS s)"
printf '%s\n' "$folder"
