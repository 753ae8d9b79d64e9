# shellcheck shell=bash
# Shared by setup-dapr.sh, deploy.sh and rollback.sh, which source it. With dry_run=yes it prints what would be done, and changes nothing.

# shellcheck source=scripts/parts.sh
source "$(dirname "${BASH_SOURCE[0]}")/parts.sh"

# Temporary files.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

namespace=nudge
apps=(api notification email-delivery recurring-task)
kept=10 # number of releases that a rollback can restore

fail() { say "error: $*"; exit 1; }

step() { say ""; say "== $* ($SECONDS s)"; }

# run COMMAND…: runs a command that changes something.
run() {
  if [ "${dry_run:-no}" = yes ]; then
    say "would run: $*"
  else
    "$@"
  fi
}

kube() { kubectl --namespace "$namespace" "$@"; }

# part FILE KINDS: the documents of a manifest whose kind is among KINDS, a regular expression; with `!` before it, the others.
part() {
  awk -v kinds="$2" '
    function flush() {
      negated = substr(kinds, 1, 1) == "!"
      pattern = "^(" (negated ? substr(kinds, 2) : kinds) ")$"
      if (kind != "" && (kind ~ pattern) != negated) printf "---\n%s", text
      text = ""; kind = ""
    }
    /^---$/ { flush(); next }
    /^kind: / { kind = $2 }
    { text = text $0 "\n" }
    END { flush() }' "$1"
}

# named FILE NAME: the documents of a manifest with that metadata.name.
named() {
  awk -v name="$2" '
    function flush() { if (found == name) printf "---\n%s", text; text = ""; found = "" }
    /^---$/ { flush(); next }
    /^  name: / && found == "" { found = $2 }
    { text = text $0 "\n" }
    END { flush() }' "$1"
}

# A secret must not be an argument of a program, because every user of a machine can list those of all processes. Functions and printf
# are bash itself; the programs below read standard input.

# hmac_sha256 KEY: the HMAC of standard input with SHA-256, as bytes (RFC 2104). openssl takes the key as an argument only.
hmac_sha256() {
  local key bytes inner="" outer="" byte index
  if [ "${#1}" -gt 64 ]; then
    key=$(printf '%s' "$1" | openssl dgst -sha256 -binary | od -An -v -tu1)
  else
    key=$(printf '%s' "$1" | od -An -v -tu1)
  fi
  read -r -d '' -a bytes <<<"$key" || true
  for ((index = 0; index < 64; index++)); do
    byte=${bytes[index]:-0}
    printf -v inner '%s\\x%02x' "$inner" $((byte ^ 0x36))
    printf -v outer '%s\\x%02x' "$outer" $((byte ^ 0x5c))
  done
  # shellcheck disable=SC2059 # escaped bytes
  { printf "$outer"; { printf "$inner"; cat; } | openssl dgst -sha256 -binary; } | openssl dgst -sha256 -binary
}

# create_secret NAME KEY=VALUE…: creates a Secret.
create_secret() {
  local name=$1 pair
  shift
  {
    printf '{apiVersion: v1, kind: Secret, metadata: {name: %s}, data: {' "$name"
    for pair; do
      printf '"%s": "%s", ' "${pair%%=*}" "$(printf '%s' "${pair#*=}" | base64 --wrap=0)"
    done
    printf '}}\n'
  } | kube create --filename -
}

# put_objects FILE: applies them, even over changes of other field managers.
put_objects() { run kubectl apply --server-side --force-conflicts --field-manager=nudge-deploy --filename "$1"; }

# apply MANIFEST APP…: in an order in which the dependencies of each object exist. The first app is rolled out, and ready, before the
# next one: the api first, since a new service may ask it for what an old one does not know; with an earlier release, the api last.
apply() {
  local manifest=$1 workload
  shift
  step "Applying what the services stand on: Dapr's resources, policies, accounts, settings"
  part "$manifest" '!SpinApp|ScaledObject' >"$scratch/base.yaml"
  put_objects "$scratch/base.yaml"
  for workload in $(part "$manifest" 'StatefulSet' | awk '/^  name: / { print $2 }'); do
    run kube rollout status "statefulset/$workload" --timeout=300s
  done
  part "$manifest" SpinApp >"$scratch/spinapps.yaml"
  kubectl kustomize k8s/hardening >"$scratch/hardening.yaml"
  for workload; do
    step "Applying $workload"
    named "$scratch/spinapps.yaml" "$workload" >"$scratch/$workload.yaml"
    put_objects "$scratch/$workload.yaml"
    # The operator makes a Deployment of it. The rest is what a SpinApp cannot say: security contexts, spread, time to end.
    run kube wait --for=create "deployment/$workload" --timeout=60s
    named "$scratch/hardening.yaml" "$workload" >"$scratch/$workload-hardening.yaml"
    run kubectl apply --server-side --field-manager=nudge-hardening --filename "$scratch/$workload-hardening.yaml"
    run kube rollout status "deployment/$workload" --timeout=300s
  done
  step "Applying the scaling"
  part "$manifest" ScaledObject >"$scratch/scaling.yaml"
  if [ -s "$scratch/scaling.yaml" ]; then
    put_objects "$scratch/scaling.yaml"
  else
    say "none: this overlay has fixed replicas"
  fi
}

# Dapr's injector fails open: if it was unavailable, pods silently have no sidecar.
verify_sidecars() {
  local app pods pod injected app_id
  step "Checking that each pod has its sidecar"
  if [ "${dry_run:-no}" = yes ]; then
    say "would check the label dapr.io/sidecar-injected on the pods of: ${apps[*]}"
    return
  fi
  for app in "${apps[@]}"; do
    pods=$(kube get pods --selector "core.spinkube.dev/app-name=$app" --field-selector status.phase=Running \
      --output 'jsonpath={range .items[*]}{.metadata.name} {.metadata.labels.dapr\.io/sidecar-injected} {.metadata.labels.dapr\.io/app-id}{"\n"}{end}')
    [ -n "$pods" ] || fail "there is no running pod of $app"
    while read -r pod injected app_id; do
      [ "$injected" = true ] || fail "pod $pod has no sidecar: check dapr-sidecar-injector, then delete the pod"
      [ "$app_id" = "$app" ] || fail "the sidecar of pod $pod has the app id $app_id, not $app"
    done <<<"$pods"
    say "$app: $(wc -l <<<"$pods") with a sidecar"
  done
}

# releases: the numbers of the kept releases, oldest first.
releases() {
  kube get configmaps --selector nudge/release --output 'jsonpath={range .items[*]}{.metadata.labels.nudge/release}{"\n"}{end}' | sort -n
}

# current: the number of the release that was applied last; empty before the first one.
current() { kubectl get namespace "$namespace" --output 'jsonpath={.metadata.annotations.nudge/release}' --ignore-not-found; }

mark() { run kubectl annotate namespace "$namespace" "nudge/release=$1" --overwrite; }

# record MANIFEST: stores it as the next release, and deletes the oldest.
record() {
  local manifest=$1 next name old
  step "Keeping this release"
  if [ "${dry_run:-no}" = yes ]; then
    say "would keep the manifest as a ConfigMap nudge-release-N, and delete all but the last $kept"
    return
  fi
  next=$(($(releases | tail -1 || true) + 1))
  name=nudge-release-$next
  gzip --no-name --stdout "$manifest" >"$scratch/manifest.gz"
  kube create configmap "$name" --from-file="manifest.gz=$scratch/manifest.gz"
  kube label configmap "$name" "nudge/release=$next"
  mark "$next"
  for old in $(releases | head -n "-$kept"); do
    kube delete configmap "nudge-release-$old"
  done
  say "this is release $next; scripts/rollback.sh restores the previous one"
}

# release NUMBER: prints its manifest.
release() {
  kube get configmap "nudge-release-$1" --output 'jsonpath={.binaryData.manifest\.gz}' | base64 --decode | gzip --decompress
}

# objects MANIFEST: kind/name of each, sorted. A namespace is never deleted, so it does not count.
objects() { kubectl create --dry-run=client --output name --filename "$1" | grep -v '^namespace/' | sort; }

# prune FORMER MANIFEST: deletes objects that are only in the former manifest. Volumes of a StatefulSet stay, with their data.
prune() {
  local object
  step "Deleting what was there before and is not any more"
  comm -23 <(objects "$1") <(objects "$2") >"$scratch/gone"
  if [ ! -s "$scratch/gone" ]; then
    say "nothing"
    return
  fi
  while read -r object; do
    run kube delete "$object" --ignore-not-found
  done <"$scratch/gone"
}
