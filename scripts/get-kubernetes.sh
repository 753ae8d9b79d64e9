#!/usr/bin/env bash
# Builds a Kubernetes control plane, the Spin operator and Dapr's services of a cluster from their Go modules, once, into a cache
# outside the checkout, and prints that folder. Beside the programs it puts the objects that they need: CRDs, the operator's
# roles and webhooks, Dapr's chart. Half an hour of two cores, 3 GB of memory, 7 GB of disk for Go's caches. Needs Go 1.21 or
# newer, which fetches the toolchain that is named here.
#
# Usage: scripts/get-kubernetes.sh      (NUDGE_CACHE: another cache than ~/.cache/nudge)
set -euo pipefail
# shellcheck source=scripts/parts.sh
source "$(dirname "$0")/parts.sh"

version=1.34.3
# Kubernetes names its own modules 0.x.
staging=v0.${version#*.}
dapr=github.com/dapr/dapr@v1.16.0
etcd=go.etcd.io/etcd/server/v3@v3.6.8
helm=helm.sh/helm/v3@v3.19.5
keda=github.com/kedacore/keda/v2@v2.21.0
kwok=sigs.k8s.io/kwok@v0.7.0
spin_operator=github.com/spinkube/spin-operator@v0.6.1

# The one that get-dapr.sh builds with, so that Go compiles what they share once.
export GOTOOLCHAIN=go1.24.9
folder=$cache/kubernetes-$version
have "Kubernetes $version" "$folder" kube-apiserver kube-controller-manager kube-scheduler kubectl etcd kwok spin-operator \
  dapr-injector dapr-sentry dapr-operator helm objects
need go
scratch
mkdir -p "$folder"

# download MODULE@VERSION FIELD: fetches a module, and prints where its "Dir" or "GoMod" is. One that is only read may be written for
# a newer Go.
download() {
  GOTOOLCHAIN=auto go mod download -json "$1" | sed -n "s/^\t\"$2\": \"\(.*\)\",\$/\1/p"
}

# module NAME MODULE@VERSION: a scratch module that builds what the other one has. Replacements count in the main module only, so
# they are repeated here: Kubernetes' point to its own folders, which are modules of their own; etcd's say what it requires anyway.
module() {
  say "Reading the module $2 ($SECONDS s so far)"
  mkdir "$build/$1"
  cd "$build/$1"
  go mod init "nudge.example/$1" >/dev/null 2>&1
  local its
  its=$(download "$2" GoMod)
  awk '/^replace \($/ { inside = 1 } /^replace / || inside { print } /^\)$/ { inside = 0 }' "$its" |
    sed -E -e "s|=> \./staging/src/(k8s\.io/.*)\$|=> \1 $staging|" -e '/=> \.\.?\//d' >>go.mod
  # What it takes is told by the builds; a failure is told in full.
  go get "$2" >get.log 2>&1 || { cat get.log >&2; exit 1; }
}

# program NAME PACKAGE [LINKER FLAGS]: builds one program of the scratch module, unless a run before this one did.
program() {
  [ -x "$folder/$1" ] && return
  say "Building $1 ($SECONDS s so far)"
  CGO_ENABLED=0 go build -mod=mod -trimpath -ldflags "-s -w ${3:-}" -o "$folder/$1.new" "$2"
  # A build that was cut off leaves no program behind.
  mv "$folder/$1.new" "$folder/$1"
}

module kubernetes "k8s.io/kubernetes@v$version"
named=""
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  named+=" -X $package.gitVersion=v$version -X $package.gitMajor=1 -X $package.gitMinor=34 -X $package.gitTreeState=clean"
done
for name in kube-apiserver kube-controller-manager kube-scheduler kubectl; do
  program "$name" "k8s.io/kubernetes/cmd/$name" "$named"
done

module etcd "$etcd"
program etcd go.etcd.io/etcd/server/v3

module kwok "$kwok"
program kwok sigs.k8s.io/kwok/cmd/kwok "-X sigs.k8s.io/kwok/pkg/consts.Version=${kwok#*@}"

module spin-operator "$spin_operator"
program spin-operator github.com/spinkube/spin-operator/cmd

module dapr "$dapr"
for name in injector sentry operator; do
  program "dapr-$name" "github.com/dapr/dapr/cmd/$name" "-X github.com/dapr/dapr/pkg/buildinfo.version=${dapr#*@v}"
done

module helm "$helm"
# The Kubernetes that charts are rendered for when none is asked.
rendered=helm.sh/helm/v3/pkg/chartutil
program helm helm.sh/helm/v3/cmd/helm \
  "-X helm.sh/helm/v3/internal/version.version=${helm#*@} -X $rendered.k8sVersionMajor=1 -X $rendered.k8sVersionMinor=34"

say "Copying objects ($SECONDS s so far)"
objects=$build/objects
mkdir -p "$objects/crds" "$objects/spin-operator"
from=$(download "$spin_operator" Dir)
cp -r "$from/config/crd/bases" "$objects/crds/spin-operator"
cp -r "$from/config/rbac" "$from/config/webhook" "$objects/spin-operator"
# With the names of a release. No pod of the cluster answers for its Service: the test says who does.
cat >"$objects/spin-operator/kustomization.yaml" <<'END'
namespace: spin-operator
namePrefix: spin-operator-
resources: [rbac, webhook]
patches:
  - target: { kind: Service, name: webhook-service }
    patch: '[{ "op": "remove", "path": "/spec/selector" }]'
END
from=$(download "$dapr" Dir)
cp -r "$from/charts/dapr" "$objects/dapr"
cp -r "$from/charts/dapr/crds" "$objects/crds/dapr"
from=$(download "$keda" Dir)
cp -r "$from/config/crd/bases" "$objects/crds/keda"
# Go keeps its modules read-only.
chmod -R u+w "$objects"
rm -rf "$folder/objects"
mv "$objects" "$folder/objects"
say "Kubernetes $version is in $folder ($SECONDS s)"
printf '%s\n' "$folder"
