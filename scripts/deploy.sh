#!/usr/bin/env bash
# Deploys Nudge to a cluster that scripts/setup-dapr.sh has prepared: builds and pushes the application and the Spin image, applies an
# overlay of k8s/ in a working order, waits until it runs, checks that each pod has its sidecar, and checks that a reminder is sent by
# email. The manifest is kept as a release; scripts/rollback.sh restores the previous one. Can be repeated.
#
# Usage: scripts/deploy.sh minikube|minikube-redis|minikube-rabbitmq|oke [--dry-run] [options]
#   --registry NAME      registry for images, such as registry.example.com/team; pods pull from it over TLS, without a login
#   --image NAME         an application that is already in a registry; it is not built and pushed
#   --spin-image NAME    the same for the Spin image (k8s/spin-image)
#   --mail-to ADDRESS    recipient of the reminder of the check (check@example.com; on oke there is no check without it)
#   --no-check           do not check with a reminder
#   --dry-run            print what would be done, and change nothing
# Needs kubectl 1.31 or newer, curl, openssl and, unless images are given, spin 4.1, Rust and docker. See docs/KUBERNETES.md.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/k8s.sh
source scripts/k8s.sh

place="" registry="" image="" spin_image="" mail_to="" check=yes dry_run=no
while [ $# -gt 0 ]; do
  case $1 in
    --registry | --image | --spin-image | --mail-to)
      [ $# -ge 2 ] || usage
      option=${1#--}
      declare "${option//-/_}=$2"
      shift ;;
    --no-check) check=no ;;
    --dry-run) dry_run=yes ;;
    minikube | minikube-redis | minikube-rabbitmq | oke) place=$1 ;;
    *) usage ;;
  esac
  shift
done
[ -n "$place" ] || usage
[ "$place" = oke ] || : "${mail_to:=check@example.com}"

step "Looking at what is here"
need kubectl curl openssl gzip
say "context $(kubectl config current-context)"
for crd in spinapps.core.spinkube.dev components.dapr.io; do
  kubectl get "customresourcedefinition/$crd" >/dev/null 2>&1 || fail "the cluster does not have $crd: run scripts/setup-dapr.sh ${place%%-*}"
done
# The namespace is `restricted`, so a sidecar that keeps capabilities would be refused.
injector=$(kubectl --namespace dapr-system get deployment/dapr-sidecar-injector --ignore-not-found --output \
  'jsonpath={.spec.template.spec.containers[0].env[?(@.name=="SIDECAR_DROP_ALL_CAPABILITIES")].value}')
[[ $injector != false ]] || fail "Dapr's sidecars would keep capabilities: run scripts/setup-dapr.sh ${place%%-*} again"

# digest FILE: the digest in the output of a program that pushed an image.
digest() {
  local found
  found=$(grep --only-matching --extended-regexp 'sha256:[0-9a-f]{64}' "$1" | tail -1)
  [ -n "$found" ] || fail "the registry has returned no digest: push the image by hand, and name it with --image …@sha256:…"
  printf '%s' "$found"
}

step "Images"
version=$(git describe --always --dirty)
if [ -z "$image" ]; then
  [ -n "$registry" ] || fail "name a registry for the application with --registry NAME, or an existing one with --image NAME"
  [ "$dry_run" = yes ] || need spin
  image=$registry/nudge:$version
  run spin build
  if [ "$dry_run" = yes ]; then
    run spin registry push "$image"
  else
    spin registry push "$image" | tee "$scratch/push" >&2
    image=$registry/nudge@$(digest "$scratch/push")
  fi
fi
if [ -z "$spin_image" ]; then
  [ -n "$registry" ] || fail "name a registry for the Spin image with --registry NAME, or an existing one with --spin-image NAME"
  [ "$dry_run" = yes ] || need docker
  spin_image=$registry/nudge-spin:4.1
  run docker build --tag "$spin_image" k8s/spin-image
  run docker push "$spin_image"
  if [ "$dry_run" = no ]; then
    docker image inspect --format '{{join .RepoDigests "\n"}}' "$spin_image" | grep --fixed-strings "$registry/nudge-spin@" >"$scratch/inspect" || true
    spin_image=$registry/nudge-spin@$(digest "$scratch/inspect")
  fi
fi
for name in "$image" "$spin_image"; do
  # A registry may give another image for the same tag tomorrow, to a pod that starts then.
  [[ $name == *@sha256:* ]] || say "warning: $name is a tag, which can be moved; name it as …@sha256:…"
done
say "application $image"
say "Spin        $spin_image"

step "Rendering k8s/overlays/$place"
manifest=$scratch/manifest.yaml
kubectl kustomize "k8s/overlays/$place" |
  sed -e "s|registry.invalid/nudge:unset|$image|" -e "s|registry.invalid/nudge-spin:unset|$spin_image|" >"$manifest"
say "$(grep -c '^kind: ' "$manifest") objects"

step "Secrets"
secret() { kube get secret "$1" --output "jsonpath={.data.$2}" | base64 --decode; }
has() { kube get secret "$1" >/dev/null 2>&1; }
# make NAME KEY=VALUE…: creates a Secret, unless it exists. Existing Secrets are never changed.
make() {
  local name=$1
  shift
  if has "$name"; then
    say "$name exists"
  elif [ "$dry_run" = yes ]; then
    say "would create $name with ${*//=*/=…}"
  else
    create_secret "$name" "$@"
  fi
}
# value NAME KEY: the value of an existing Secret, otherwise a random one.
value() {
  if has "$1"; then
    secret "$1" "$2"
  else
    random
  fi
}
random() { openssl rand -hex 32; }
# want NAME KEY…: a Secret that the operator of the cluster must create.
missing=()
want() {
  local name=$1 key
  shift
  has "$name" && return
  missing+=("kubectl --namespace $namespace create secret generic $name$(for key; do printf " --from-file=%s=…" "$key"; done)")
}
part "$manifest" Namespace >"$scratch/namespace.yaml"
put_objects "$scratch/namespace.yaml"
# Used only by Nudge, so random: the tokens between each service and its sidecar, and the key of the users' tokens.
for app in "${apps[@]}"; do
  make "dapr-api-token-$app" "token=$(random)"
  make "app-api-token-$app" "token=$(random)"
done
make jwt-key "jwt-key=$(random)"
if [ "$place" = oke ]; then
  want database url host
  want postgres-connection postgres-connection
  want kafka-brokers kafka-brokers
  want kafka-username kafka-username
  want kafka-password kafka-password
  want smtp-host smtp-host
  want smtp-port smtp-port
  want smtp-user smtp-user
  want smtp-password smtp-password
  has nudge-tls || missing+=("kubectl --namespace $namespace create secret tls nudge-tls --cert=… --key=…")
else
  password=$(value postgres password)
  make postgres "password=$password"
  make database "url=postgres://nudge:$password@postgres:5432/nudge" host=postgres://postgres:5432
  make smtp-host smtp-host=mail
  make smtp-port smtp-port=1025
  case $place in
    minikube-redis)
      make redis-host redis-host=redis:6379
      make redis-password "redis-password=$(random)"
      ;;
    minikube-rabbitmq)
      rabbit=$(value rabbitmq password)
      make rabbitmq "password=$rabbit"
      make rabbitmq-url "rabbitmq-url=amqp://nudge:$rabbit@rabbitmq:5672/"
      ;;
    *) make kafka-brokers kafka-brokers=kafka:9092 ;;
  esac
  [ "$place" = minikube-redis ] || make postgres-connection "postgres-connection=postgres://nudge:$password@postgres:5432/nudge?sslmode=disable"
fi
if [ ${#missing[@]} -gt 0 ]; then
  printf '%s\n' "Create these Secrets; … is a file with the value and nothing else, readable by you alone (umask 077):" "${missing[@]/#/  }" >&2
  [ "$dry_run" = yes ] || fail "${#missing[@]} Secrets are missing; docs/KUBERNETES.md says what is in each"
fi

former=$(current)
apply "$manifest" "${apps[@]}"
if [ -n "$former" ]; then
  release "$former" >"$scratch/former.yaml"
  prune "$scratch/former.yaml" "$manifest"
fi
verify_sidecars
record "$manifest"

# Signs a token like `nudge token`, with the key on the cluster.
token() {
  local key now head claims signature
  key=$(secret jwt-key jwt-key)
  now=$(date +%s)
  base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
  head=$(printf '{"alg":"HS256"}' | base64url)
  claims=$(printf '{"sub":"deploy-check","iss":"nudge","aud":"nudge","iat":%s,"exp":%s,"email":"%s"}' \
    "$now" "$((now + 600))" "$mail_to" | base64url)
  signature=$(printf '%s.%s' "$head" "$claims" | hmac_sha256 "$key" | base64url)
  printf '%s.%s.%s' "$head" "$claims" "$signature"
}

# Creates a task whose reminder is due in a few seconds, waits until it is sent, and deletes the task.
check_reminder() {
  local bearer=$scratch/bearer address forward task at answer deadline
  # In a folder that only this user can read, for curl.
  printf 'authorization: Bearer %s' "$(token)" >"$bearer"
  kubectl --namespace "$namespace" port-forward service/api :80 >"$scratch/forward" 2>&1 &
  forward=$!
  # shellcheck disable=SC2064 # the process is known now
  trap "kill $forward 2>/dev/null; rm -rf '$scratch'" EXIT
  address=$(timeout 30 sed -n '/127.0.0.1:/{s/.*\(127.0.0.1:[0-9]*\).*/\1/p;q}' <(tail --follow --lines=+1 "$scratch/forward" --pid="$forward")) ||
    fail "the api cannot be reached: $(cat "$scratch/forward")"
  at=$(date --utc --date='15 seconds' +%Y-%m-%dT%H:%M:%SZ)
  answer=$(curl --fail-with-body --silent --show-error --max-time 30 --header "@$bearer" --json \
    "{\"title\":\"Deployment check\",\"due\":\"$(date --utc --date='1 hour' +%Y-%m-%dT%H:%M:%SZ)\",\"reminders\":[{\"at\":\"$at\"}]}" \
    "http://$address/api/v1/tasks") || fail "the api refused a task: $answer"
  # Its id is the first field.
  task=${answer#*\"id\":\"}
  task=${task%%\"*}
  say "a task with a reminder at $at to $mail_to"
  deadline=$((SECONDS + 120))
  until answer=$(curl --fail-with-body --silent --show-error --max-time 30 --header "@$bearer" "http://$address/api/v1/tasks/$task") &&
    grep -q '"status":"sent"' <<<"$answer"; do
    [ $SECONDS -lt $deadline ] || fail "the reminder was not sent within 120 s: docs/DAPR_GUIDE.md, troubleshooting. $answer"
    sleep 1
  done
  say "sent"
  curl --fail-with-body --silent --show-error --max-time 30 --header "@$bearer" --request DELETE "http://$address/api/v1/tasks/$task"
}

step "Checking with a reminder"
if [ "$check" = no ]; then
  say "skipped: --no-check"
elif [ -z "$mail_to" ]; then
  say "skipped: name a recipient with --mail-to ADDRESS"
elif grep -q '^  jwks-url: .' "$manifest"; then
  say "skipped: tokens come from an identity provider (jwks-url)"
elif [ "$dry_run" = yes ]; then
  say "would create a task with a reminder in 15 s, wait until it is sent, and delete the task"
else
  check_reminder
fi
step "Done"
