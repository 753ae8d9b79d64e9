#!/usr/bin/env bash
# Builds a Kubernetes control plane, the Spin operator and Dapr's services of a cluster from their Go modules, once, into a cache
# outside the checkout, and prints that folder. Also copies the objects that they need: CRDs, the operator's
# roles and webhooks, Dapr's chart. Takes half an hour on two cores, 3 GB of memory, 7 GB of disk for Go's caches. Needs Go 1.21 or
# newer, which downloads the toolchain that is named here.
#
# Usage: scripts/get-kubernetes.sh      (NUDGE_CACHE: the cache, by default ~/.cache/nudge)
set -euo pipefail
# shellcheck source=scripts/parts.sh
source "$(dirname "$0")/parts.sh"

version=${go_kubernetes#*@v}
# The modules of Kubernetes have versions 0.x.
staging=v0.${version#*.}
etcd=go.etcd.io/etcd/server/v3@v3.6.8
helm=helm.sh/helm/v3@v3.19.5
kwok=sigs.k8s.io/kwok@v0.7.0

export GOTOOLCHAIN=$go_toolchain
folder=$cache/kubernetes-$version
have "Kubernetes $version" "$folder" kube-apiserver kube-controller-manager kube-scheduler kubectl etcd kwok spin-operator \
  dapr-injector dapr-sentry dapr-operator helm objects
need go
scratch
mkdir -p "$folder"

# module NAME MODULE@VERSION: a scratch module that builds the programs of the other one. Replacements of Kubernetes point to its own
# folders, which are separate modules; those of etcd name the required versions anyway.
module() {
  say "Reading the module $2 ($SECONDS s so far)"
  mkdir "$build/$1"
  cd "$build/$1"
  go mod init "nudge.example/$1" >/dev/null 2>&1
  replacements "$2" | sed -E -e "s|=> \./staging/src/(k8s\.io/.*)\$|=> \1 $staging|" -e '/=> \.\.?\//d' >>go.mod
  # The builds print their progress; a failure is printed in full.
  go get "$2" >get.log 2>&1 || { cat get.log >&2; exit 1; }
}

# missing NAME PACKAGE [LINKER_FLAGS]: builds one program of the scratch module, unless an earlier run did.
missing() { [ -x "$folder/$1" ] || program "$@"; }

module kubernetes "$go_kubernetes"
named=""
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  named+=" -X $package.gitVersion=v$version -X $package.gitMajor=1 -X $package.gitMinor=34 -X $package.gitTreeState=clean"
done
for name in kube-apiserver kube-controller-manager kube-scheduler kubectl; do
  missing "$name" "k8s.io/kubernetes/cmd/$name" "$named"
done

module etcd "$etcd"
missing etcd go.etcd.io/etcd/server/v3

module kwok "$kwok"
missing kwok sigs.k8s.io/kwok/cmd/kwok "-X sigs.k8s.io/kwok/pkg/consts.Version=${kwok#*@}"

module spin-operator "$go_spin_operator"
missing spin-operator github.com/spinkube/spin-operator/cmd

module dapr "$go_dapr"
for name in injector sentry operator; do
  missing "dapr-$name" "github.com/dapr/dapr/cmd/$name" "-X github.com/dapr/dapr/pkg/buildinfo.version=${go_dapr#*@v}"
done

module helm "$helm"
# The Kubernetes version for which charts are rendered by default.
rendered=helm.sh/helm/v3/pkg/chartutil
missing helm helm.sh/helm/v3/cmd/helm \
  "-X helm.sh/helm/v3/internal/version.version=${helm#*@} -X $rendered.k8sVersionMajor=1 -X $rendered.k8sVersionMinor=34"

say "Copying objects ($SECONDS s so far)"
objects=$build/objects
mkdir -p "$objects/crds" "$objects/spin-operator"
from=$(download "$go_spin_operator" Dir)
cp -r "$from/config/crd/bases" "$objects/crds/spin-operator"
cp -r "$from/config/rbac" "$from/config/webhook" "$objects/spin-operator"
# With the names of a release. No pod of the cluster serves its Service: the test provides the server.
cat >"$objects/spin-operator/kustomization.yaml" <<'END'
namespace: spin-operator
namePrefix: spin-operator-
resources: [rbac, webhook]
patches:
  - target: { kind: Service, name: webhook-service }
    patch: '[{ "op": "remove", "path": "/spec/selector" }]'
END
from=$(download "$go_dapr" Dir)
cp -r "$from/charts/dapr" "$objects/dapr"
cp -r "$from/charts/dapr/crds" "$objects/crds/dapr"
from=$(download "$go_keda" Dir)
cp -r "$from/config/crd/bases" "$objects/crds/keda"
# Go keeps its modules read-only.
chmod -R u+w "$objects"
rm -rf "$folder/objects"
mv "$objects" "$folder/objects"
say "Kubernetes $version is in $folder ($SECONDS s)"
printf '%s\n' "$folder"
