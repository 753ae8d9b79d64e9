#!/usr/bin/env bash
# Installs the prerequisites of Nudge on a cluster: cert-manager (certificates of the Spin operator's webhooks), Dapr 1.16.0 with mutual TLS, the
# Spin operator 0.6.1 and, on OKE, KEDA. Can be repeated: parts of the right version are left unchanged.
#
# Usage: scripts/setup-dapr.sh minikube|oke [--dry-run]
#   minikube   one replica of everything
#   oke        Dapr in high availability (three of each), and KEDA
#   --dry-run  print what would be done, and change nothing
# Needs kubectl, helm 3.14 or newer, and a kubectl context with the permission to install them.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/k8s.sh
source scripts/k8s.sh

place="" dry_run=no
for argument in "$@"; do
  case $argument in
    --dry-run) dry_run=yes ;;
    minikube | oke) place=$argument ;;
    *) usage ;;
  esac
done
[ -n "$place" ] || usage

dapr=1.16.0 spin_operator=0.6.1 cert_manager=v1.18.2 keda=2.18.0
oldest_server=29 # the oldest minor version that all of these support

step "Looking at what is here"
need kubectl helm
helm_version=$(helm version --template '{{.Version}}')
[ "$(printf 'v3.14.0\n%s\n' "$helm_version" | sort -V | head -1)" = v3.14.0 ] || fail "helm is $helm_version; 3.14 or newer is needed"
server=$(kubectl version --output json | sed -n '/"serverVersion"/,$s/.*"minor": "\([0-9]*\).*/\1/p' | head -1)
[ -n "$server" ] || fail "no cluster answers: choose a context, see kubectl config get-contexts"
[ "$server" -ge "$oldest_server" ] || fail "the cluster is Kubernetes 1.$server; 1.$oldest_server or newer is needed"
say "context $(kubectl config current-context), Kubernetes 1.$server, helm $helm_version"

# install RELEASE NAMESPACE CHART VERSION ARGUMENT…
install() {
  local release=$1 into=$2 chart=$3 version=$4
  shift 4
  if helm status "$release" --namespace "$into" >/dev/null 2>&1; then
    say "$release is installed; it is upgraded to $version if necessary"
  fi
  run helm upgrade --install "$release" "$chart" --version "$version" --namespace "$into" --create-namespace --wait --timeout 10m "$@"
}

step "cert-manager $cert_manager"
install cert-manager cert-manager cert-manager "$cert_manager" --repo https://charts.jetstack.io --set crds.enabled=true

step "Dapr $dapr"
# CRDs must be upgraded as well, which helm does not do itself.
run kubectl apply --server-side --force-conflicts \
  --filename "https://raw.githubusercontent.com/dapr/dapr/v$dapr/charts/dapr/crds/components.yaml" \
  --filename "https://raw.githubusercontent.com/dapr/dapr/v$dapr/charts/dapr/crds/configuration.yaml" \
  --filename "https://raw.githubusercontent.com/dapr/dapr/v$dapr/charts/dapr/crds/httpendpoints.yaml" \
  --filename "https://raw.githubusercontent.com/dapr/dapr/v$dapr/charts/dapr/crds/resiliency.yaml" \
  --filename "https://raw.githubusercontent.com/dapr/dapr/v$dapr/charts/dapr/crds/subscription.yaml"
more=(--set global.ha.enabled=false)
# The scheduler keeps its jobs on a volume in each of three zones.
[ "$place" = oke ] && more=(--set global.ha.enabled=true --set dapr_scheduler.cluster.storageClassName=oci-bv)
# Sidecars without capabilities: the namespace of Nudge is `restricted`, and refuses others.
more+=(--set dapr_sidecar_injector.sidecarDropALLCapabilities=true)
# The injector's webhook fails open, because it sees every pod of the cluster, including its own. deploy.sh checks afterwards.
install dapr dapr-system dapr "$dapr" --repo https://dapr.github.io/helm-charts/ \
  --set global.mtls.enabled=true --set global.logAsJson=true "${more[@]}"

step "Spin operator $spin_operator"
run kubectl apply --server-side --filename \
  "https://github.com/spinframework/spin-operator/releases/download/v$spin_operator/spin-operator.crds.yaml"
install spin-operator spin-operator oci://ghcr.io/spinframework/charts/spin-operator "$spin_operator"

if [ "$place" = oke ]; then
  step "KEDA $keda"
  install keda keda keda "$keda" --repo https://kedacore.github.io/charts
fi

step "Ready: scripts/deploy.sh $place"
