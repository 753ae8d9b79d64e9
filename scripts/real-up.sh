#!/usr/bin/env bash
# Runs Nudge on real parts, on loopback: a broker, PostgreSQL, Redis, Dapr's scheduler, a mail server that keeps every email as a
# file, a daprd for each of the four services, and the components on the spin host. Running parts are left alone, so this restarts
# parts that have exited. scripts/real-down.sh stops everything and keeps the data; see docs/DAPR_GUIDE.md.
#
# Usage: scripts/real-up.sh [--broker kafka|redis-streams|rabbitmq] [--state postgresql|redis] [--database sqlite|postgresql]
#                           [--no-build] [folder]
#   The first of each is the default; folder is .nudge-real. A folder stores its choices, its ports and its secrets.
#   --no-build   run the programs and components that are in target/
#   SPIN=spin    Spin 4.1 or later instead of the spin host
#   NUDGE_CACHE  cache of the real parts, by default ~/.cache/nudge
# Needs Linux, curl, the parts of scripts/get-….sh (Java for Kafka) and Debian's postgresql.
# shellcheck disable=SC2034 # variables that `set -a` exports
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
# shellcheck source=scripts/parts.sh
source scripts/parts.sh

broker="" state="" database="" folder="" build=yes
while [ $# -gt 0 ]; do
  case $1 in
    --broker | --state | --database)
      [ $# -ge 2 ] || usage
      declare "${1#--}=$2"
      shift ;;
    --no-build) build=no ;;
    -*) usage ;;
    *) [ -z "$folder" ] || usage; folder=$1 ;;
  esac
  shift
done
case $broker in '' | kafka | redis-streams | rabbitmq) ;; *) usage ;; esac
case $state in '' | postgresql | redis) ;; *) usage ;; esac
case $database in '' | sqlite | postgresql) ;; *) usage ;; esac

folder=${folder:-.nudge-real}
# PostgreSQL refuses to run as root; as user 65534 it must be able to enter the folders.
user=()
mode=700
if [ "$(id -u)" = 0 ]; then
  user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  mode=711
fi
umask 077
# shellcheck disable=SC2174 # the parent folders belong to others
mkdir -p -m "$mode" "$folder"
folder=$(cd "$folder" && pwd)
mkdir -p "$folder/logs" "$folder/pids"

# A folder contains the data of one choice. Tasks are not moved between databases, nor events between brokers.
if [ -f "$folder/choices" ]; then
  begun=$(cat "$folder/choices")
  read -r old_broker old_state old_database <<<"$begun"
  [ "${broker:-$old_broker} ${state:-$old_state} ${database:-$old_database}" = "$begun" ] || {
    say "$folder was created with --broker $old_broker --state $old_state --database $old_database: use another folder"
    exit 2
  }
  broker=$old_broker state=$old_state database=$old_database
fi
: "${broker:=kafka}" "${state:=postgresql}" "${database:=sqlite}"
wants() { [[ " $broker $state $database " == *" $1"* ]]; }

# --- shared by all parts ---

started=()

# alive PART: whether it runs. The file has its process id and, because ids are reused, its start time.
alive() {
  local pid began
  read -r pid began 2>/dev/null <"$folder/pids/$1" && [ "$(began "$pid")" = "$began" ]
}

# began PID: its start time, in ticks of the machine; nothing if it has exited, or is about to: a zombie, with the kernel's flag
# for exiting processes, or with a pending SIGKILL.
began() {
  local stat fields
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  read -ra fields <<<"${stat##*) }"
  [[ ${fields[0]} == [ZX] ]] || ((fields[6] & 4)) || ((fields[28] & 256)) || printf '%s' "${fields[19]}"
}

# launch PART COMMAND…: starts it in a process group of its own, with its log in logs/PART.log, unless it runs.
launch() {
  local part=$1
  shift
  if alive "$part"; then
    say "$part is already running"
    return
  fi
  say "Starting $part"
  printf '== %s\n' "$(date -u +%FT%TZ)" >>"$folder/logs/$part.log"
  setsid "$@" </dev/null >>"$folder/logs/$part.log" 2>&1 &
  printf '%s %s\n' "$!" "$(began "$!")" >"$folder/pids/$part"
  started+=("$part")
}

# since PART: its log since its last start.
since() { awk '/^== / { text = ""; next } { text = text $0 "\n" } END { printf "%s", text }' "$folder/logs/$1.log"; }

fail() {
  say "FAILED: $1"
  if [ -n "${2:-}" ]; then
    say "Errors in $folder/logs/$2.log, and its end:"
    since "$2" | { grep -E 'level=(error|fatal)|"level":"ERROR"|ERROR' || true; } | tail -n 5 >&2
    say "…"
    since "$2" | tail -n 10 >&2
  fi
  exit 1
}

# until_ready PART SECONDS COMMAND…: waits until the command succeeds.
until_ready() {
  local part=$1 deadline=$((SECONDS + $2)) begun=$SECONDS
  shift 2
  [[ " ${started[*]} " == *" $part "* ]] || return 0
  until "$@"; do
    alive "$part" || fail "$part has exited" "$part"
    [ $SECONDS -lt $deadline ] || fail "$part is not ready after $((SECONDS - begun)) s" "$part"
    sleep 0.2
  done
  say "$part is ready ($SECONDS s)"
}
# Not grep -q, which would exit before awk has written.
says() { since "$1" | grep -F -- "$2" >/dev/null; }
answers() { [ "$(curl --noproxy '*' -s -o /dev/null -m 5 -w '%{http_code}' "http://$1")" = "$2" ]; }

# port NAME PART [WISH]: sets $port to the port of this name: the previous one, the wished one, or a free one.
taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
port() {
  touch "$folder/ports"
  port=$(sed -n "s/^$1 //p" "$folder/ports")
  if [ -n "$port" ]; then
    ! alive "$2" || return 0
    # A process that was just killed may still have it.
    local deadline=$((SECONDS + 10))
    while taken "$port" && [ $SECONDS -lt $deadline ]; do sleep 0.2; done
    taken "$port" || return 0
  fi
  [ -z "$port" ] || say "Port $port of $1 is in use by another process: choosing another"
  port=${3:-0}
  # Below the range of ephemeral ports.
  while [ "$port" = 0 ] || taken "$port" || grep -q " $port$" "$folder/ports"; do
    port=$((20000 + RANDOM % 12000))
  done
  sed -i "/^$1 /d" "$folder/ports"
  printf '%s %s\n' "$1" "$port" >>"$folder/ports"
}

# secret NAME: sets the variable of that name to a secret of this folder, which is created if it does not exist.
secret() {
  touch "$folder/secrets.env"
  grep -q "^$1=" "$folder/secrets.env" ||
    printf '%s=%s\n' "$1" "$(od -An -tx1 -N32 /dev/urandom | tr -d ' \n')" >>"$folder/secrets.env"
  declare -g "$1=$(sed -n "s/^$1=//p" "$folder/secrets.env")"
}

# variable_of ID: how the names of variables write an app id.
variable_of() { tr a-z- A-Z_ <<<"$1"; }

# secret_of ID NAME: sets $value to the secret of this name of an app.
secret_of() {
  local variable
  variable=$(variable_of "$1")_$2
  value=${!variable}
}

# If this run fails, stop what it started.
finish() {
  local code=$?
  trap - EXIT
  if [ "$code" != 0 ] && [ ${#started[@]} -gt 0 ]; then
    say "Stopping what was started: ${started[*]}"
    scripts/real-down.sh "$folder" "${started[@]}" || true
  fi
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- the parts ---

need curl setsid
dapr=$cache/dapr-1.16.0
[[ -x $dapr/daprd && -x $dapr/scheduler ]] || fail "there is no Dapr 1.16.0 in $cache: run scripts/get-dapr.sh"
if [ "$build" = yes ]; then
  say "Building the components and the mail server (minutes the first time)"
  # spin.toml names this folder, whatever CARGO_TARGET_DIR says.
  cargo=(cargo build -q --target-dir target)
  cargo run -q --target-dir target -p nudge-component-build >&2
  "${cargo[@]}" -p mail-sink --example mail-sink
  [ -n "${SPIN:-}" ] || "${cargo[@]}" -p spin-host
fi
spin_host=$root/target/debug/spin-host
mail_sink=$root/target/debug/examples/mail-sink
[ -x "$mail_sink" ] || fail "there is no $mail_sink: run this without --no-build"
[ -n "${SPIN:-}" ] || [ -x "$spin_host" ] || fail "there is no $spin_host: run this without --no-build"
printf '%s\n' "$broker $state $database" >"$folder/choices"

for name in JWT_KEY RABBITMQ_PASSWORD REDIS_PASSWORD POSTGRESQL_PASSWORD; do
  secret "$name"
done
# Each service and its sidecar have tokens of their own.
ids=(api notification email-delivery recurring-task)
for id in "${ids[@]}"; do
  secret "$(variable_of "$id")_DAPR_API_TOKEN"
  secret "$(variable_of "$id")_APP_API_TOKEN"
done
# The secrets to which the files of dapr-components refer.
secrets=("jwt-key=$JWT_KEY")

start_kafka() {
  local jars=$cache/kafka-4.1.2 client controller
  [ -d "$jars" ] || fail "there is no Kafka 4.1.2 in $cache: run scripts/get-kafka.sh"
  need java
  port kafka kafka; client=$port
  port kafka-controller kafka; controller=$port
  secrets+=("kafka-brokers=127.0.0.1:$client")
  alive kafka || cat >"$folder/kafka.properties" <<END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$client,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$client
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$folder/kafka
num.partitions=3
offsets.topic.replication.factor=1
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
END
  local java=(java -Xms256m -Xmx512m -XX:+UseSerialGC -Djava.net.preferIPv4Stack=true
    -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info -cp "$jars/*")
  if [ ! -f "$folder/kafka/meta.properties" ]; then
    say "Formatting Kafka's storage"
    # The id of the cluster is any 16 bytes in base64url.
    "${java[@]}" kafka.tools.StorageTool format -t bnVkZ2UtcmVhbC1wYXJ0cw -c "$folder/kafka.properties" \
      >"$folder/logs/kafka.log" 2>&1 || fail "Kafka cannot format its storage" kafka
  fi
  launch kafka "${java[@]}" kafka.Kafka "$folder/kafka.properties"
}

start_rabbitmq() {
  local usr=$cache/rabbitmq/usr client distribution names server
  server=$(ls -d "$usr"/lib/rabbitmq/lib/*/sbin/rabbitmq-server 2>/dev/null) ||
    fail "there is no RabbitMQ in $cache: run scripts/get-rabbitmq.sh"
  port rabbitmq rabbitmq; client=$port
  port rabbitmq-distribution rabbitmq; distribution=$port
  port rabbitmq-names rabbitmq-names; names=$port
  secrets+=("rabbitmq-url=amqp://nudge:$RABBITMQ_PASSWORD@127.0.0.1:$client")
  # Erlang's name service; otherwise the server would start one that never exits.
  launch rabbitmq-names "$usr/lib/erlang/bin/epmd" -d -address 127.0.0.1 -port "$names"
  until_ready rabbitmq-names 20 says rabbitmq-names "epmd running"
  mkdir -p "$folder/rabbitmq"
  printf '%s\n' "listeners.tcp.local = 127.0.0.1:$client" "default_user = nudge" "default_pass = $RABBITMQ_PASSWORD" "log.console = true" \
    >"$folder/rabbitmq/rabbitmq.conf"
  printf '[].\n' >"$folder/rabbitmq/enabled_plugins"
  launch rabbitmq env PATH="$usr/lib/erlang/bin:$PATH" HOME="$folder/rabbitmq" ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT="$names" \
    RABBITMQ_NODENAME=rabbit@localhost RABBITMQ_DIST_PORT="$distribution" RABBITMQ_CONF_ENV_FILE=/dev/null \
    RABBITMQ_CONFIG_FILE="$folder/rabbitmq/rabbitmq.conf" RABBITMQ_ENABLED_PLUGINS_FILE="$folder/rabbitmq/enabled_plugins" \
    RABBITMQ_MNESIA_BASE="$folder/rabbitmq/mnesia" RABBITMQ_LOG_BASE="$folder/rabbitmq" \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} +S 2:2" "$server"
}

start_redis() {
  local server=(redis-server) libraries
  if ! command -v redis-server >/dev/null; then
    # shellcheck disable=SC2012 # Debian's paths have no special characters
    libraries=$(ls -d "$cache"/redis/usr/lib/*/ 2>/dev/null | head -n 1)
    [ -x "$cache/redis/usr/bin/redis-server" ] ||
      fail "there is no redis-server: install Debian's, or run scripts/get-redis.sh"
    server=(env LD_LIBRARY_PATH="$libraries" "$cache/redis/usr/bin/redis-server")
  fi
  port redis redis
  secrets+=("redis-host=127.0.0.1:$port" "redis-password=$REDIS_PASSWORD")
  mkdir -p "$folder/redis"
  # Every change is written to its log, because it may contain the inbox of email-delivery.
  printf '%s\n' "bind 127.0.0.1" "port $port" "dir \"$folder/redis\"" 'save ""' "appendonly yes" "requirepass $REDIS_PASSWORD" \
    >"$folder/redis/redis.conf"
  launch redis "${server[@]}" "$folder/redis/redis.conf"
}

start_postgresql() {
  local programs
  # shellcheck disable=SC2012
  programs=$(dirname "$(command -v initdb || ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1)")
  [ -x "$programs/postgres" ] || fail "there is no PostgreSQL: install Debian's postgresql"
  port postgresql postgresql
  postgres=postgres://nudge:$POSTGRESQL_PASSWORD@127.0.0.1:$port
  secrets+=("postgres-connection=$postgres/postgres?sslmode=disable")
  if [ ! -f "$folder/postgresql/PG_VERSION" ]; then
    say "Creating a PostgreSQL cluster"
    rm -rf "$folder/postgresql"
    mkdir -m 700 "$folder/postgresql"
    [ ${#user[@]} = 0 ] || chown 65534:65534 "$folder/postgresql"
    # initdb reads the password as the user that it runs as.
    printf '%s\n' "$POSTGRESQL_PASSWORD" >"$folder/initdb-password"
    [ ${#user[@]} = 0 ] || chown 65534:65534 "$folder/initdb-password"
    (cd / && "${user[@]}" "$programs/initdb" --auth=scram-sha-256 --username=nudge --pwfile="$folder/initdb-password" \
      -D "$folder/postgresql") >"$folder/logs/postgresql.log" 2>&1 || {
      rm -f "$folder/initdb-password"
      fail "initdb failed" postgresql
    }
    rm -f "$folder/initdb-password"
  fi
  launch postgresql "${user[@]}" "$programs/postgres" -h 127.0.0.1 -p "$port" -k "" -D "$folder/postgresql"
}

start_scheduler() {
  local serve health etcd peer id=dapr-scheduler-server-0
  port scheduler scheduler; serve=$port
  port scheduler-health scheduler; health=$port
  port scheduler-etcd scheduler; etcd=$port
  port scheduler-peer scheduler; peer=$port
  scheduler=127.0.0.1:$serve
  launch scheduler "$dapr/scheduler" --listen-address 127.0.0.1 --port "$serve" --healthz-listen-address 127.0.0.1 \
    --healthz-port "$health" --override-broadcast-host-port "$scheduler" --enable-metrics=false --id "$id" \
    --etcd-data-dir "$folder/scheduler" --etcd-client-port "$etcd" --etcd-initial-cluster "$id=http://127.0.0.1:$peer" \
    --identity-directory-write "$folder/scheduler-identity"
}

start_mail() {
  port mail mail
  secrets+=("smtp-host=127.0.0.1" "smtp-port=$port")
  launch mail "$mail_sink" "127.0.0.1:$port" "$folder/mail"
}

start_components() {
  local id name value sidecars=0
  port components components 3000
  address=127.0.0.1:$port
  # In the environment, which other users cannot read, unlike arguments.
  set -a
  for id in "${ids[@]}"; do
    port "daprd-$id-http" "daprd-$id" $((3500 + sidecars))
    sidecars=$((sidecars + 1))
    name=$(variable_of "$id")
    declare -g "SPIN_VARIABLE_${name}_SIDECAR=http://127.0.0.1:$port"
    secret_of "$id" DAPR_API_TOKEN
    declare -g "SPIN_VARIABLE_${name}_DAPR_API_TOKEN=$value"
    secret_of "$id" APP_API_TOKEN
    declare -g "SPIN_VARIABLE_${name}_DAPR_APP_TOKEN=$value"
  done
  SPIN_VARIABLE_PUBLIC_URL=http://$address
  if [ "$database" = postgresql ]; then
    SPIN_VARIABLE_DATABASE_URL="$postgres/postgres?sslmode=disable"
    SPIN_VARIABLE_DATABASE_HOST=postgres://${postgres#*@}
  fi
  set +a
  local host=("$spin_host" up --from "$root/spin.toml" --cache-dir "$folder/compiled")
  if [ -n "${SPIN:-}" ]; then
    # Spin sends head and body of a request in two writes; on a pooled connection the second one waits 40 ms for an acknowledgement.
    printf '[outbound_http]\nconnection_pooling = false\n' >"$folder/runtime-config.toml"
    host=(env SPIN_WASMTIME_POOLING=0 MALLOC_ARENA_MAX=2 "$SPIN" up --from "$root/spin.toml" --runtime-config-file "$folder/runtime-config.toml")
  fi
  alive components || say "${SPIN:-The spin host} compiles the components first, unless they are cached"
  launch components "${host[@]}" --listen "$address" --state-dir "$folder/spin"
  unset "${!SPIN_VARIABLE_@}"
  until_ready components 180 answers "$address/health/live" 200
}

# start_daprd ID PATH [ARGUMENT…]: the sidecar of a service, with the health check at PATH.
start_daprd() {
  local id=$1 path=$2 part=daprd-$1 http grpc internal metrics folder_of value resources=()
  shift 2
  # In the environment, like those of the components.
  secret_of "$id" DAPR_API_TOKEN
  local -x DAPR_API_TOKEN=$value
  secret_of "$id" APP_API_TOKEN
  local -x APP_API_TOKEN=$value
  port "$part-http" "$part"; http=$port
  port "$part-grpc" "$part"; grpc=$port
  port "$part-internal" "$part"; internal=$port
  port "$part-metrics" "$part"; metrics=$port
  for folder_of in common subscriptions "$broker" "$state"; do
    resources+=(--resources-path "$root/dapr-components/$folder_of")
  done
  launch "$part" env -C "$folder" DAPR_HOST_IP=127.0.0.1 "$dapr/daprd" --app-id "$id" --app-protocol http \
    --app-port "${address#*:}" --dapr-listen-addresses 127.0.0.1 --dapr-http-port "$http" --dapr-grpc-port "$grpc" \
    --dapr-internal-grpc-listen-address 127.0.0.1 --dapr-internal-grpc-port "$internal" \
    --metrics-listen-address 127.0.0.1 --metrics-port "$metrics" --disable-builtin-k8s-secret-store \
    --scheduler-host-address "$scheduler" --config "$folder/configuration.yaml" "${resources[@]}" \
    --enable-app-health-check --app-health-check-path "$path" --app-health-probe-interval 5 \
    --app-health-probe-timeout 3000 --app-health-threshold 1000 "$@"
}

# --- start everything ---

case $broker in kafka) start_kafka ;; rabbitmq) start_rabbitmq ;; esac
wants redis && start_redis
wants postgresql && start_postgresql
start_scheduler
start_mail
until_ready kafka 90 says kafka "Kafka Server started"
until_ready rabbitmq 90 says rabbitmq "Server startup complete"
until_ready redis 30 says redis "Ready to accept connections"
until_ready postgresql 60 says postgresql "database system is ready to accept connections"
until_ready scheduler 60 says scheduler "Cron is ready"
until_ready mail 20 says mail "listening on"

# The secret store is a flat JSON object. None of the values needs escaping.
new=$(printf '  "%s",\n' "${secrets[@]/=/\": \"}" | sed '$s/,$//')
new=$(printf '{\n%s\n}' "$new")
if [ "$new" != "$(cat "$folder/secrets.json" 2>/dev/null)" ]; then
  for id in "${ids[@]}"; do
    ! alive "daprd-$id" || fail "the address of a part has changed since the daprds started: run scripts/real-down.sh $folder first"
  done
  printf '%s\n' "$new" >"$folder/secrets.json"
fi
# mDNS would multicast, and does not work on a machine without a network.
cat >"$folder/configuration.yaml" <<END
apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata:
  name: nudge
spec:
  nameResolution:
    component: sqlite
    configuration:
      connectionString: "$folder/names.db"
END

start_components
# As many calls as one instance of a component serves at a time.
start_daprd api /health/live --app-max-concurrency 16
start_daprd notification /notification/health --app-max-concurrency 16
# Dapr's smtp binding mixes up emails that are sent at the same time; without this, email-delivery sends none (decision 0032).
start_daprd email-delivery /email-delivery/health --app-max-concurrency 1
start_daprd recurring-task /recurring-task/health --app-max-concurrency 16
for id in "${ids[@]}"; do
  until_ready "daprd-$id" 60 says "daprd-$id" "dapr initialized"
done
deadline=$((SECONDS + 60))
for ready in health/ready email-delivery/ready; do
  until answers "$address/$ready" 200; do
    [ $SECONDS -lt $deadline ] || {
      say "$(curl --noproxy '*' -s -m 5 "http://$address/$ready")"
      fail "$address/$ready does not answer 200, see also the daprds' logs" components
    }
    sleep 0.2
  done
done
for part in "$folder"/pids/*; do
  alive "${part##*/}" || fail "${part##*/} has exited in the meantime" "${part##*/}"
done

nudge="cargo run -q --"
[ "$build" = yes ] || nudge=target/debug/nudge
port_of() { sed -n "s/^$1 //p" "$folder/ports"; }
cat <<END

Nudge runs on $broker, with state in $state and tasks in $database ($SECONDS s).

  application   http://$address
  sidecars      $(for id in "${ids[@]}"; do printf '%s %s  ' "$id" "$(port_of "daprd-$id-http")"; done)
  mail          $folder/mail/*.eml
  logs          $folder/logs
  tokens        $folder/secrets.env (API_DAPR_API_TOKEN for the sidecar of the api)
  other ports   $folder/ports

A token, and a task whose reminder comes in some seconds:

  TOKEN=\$($nudge token alice --email alice@example.com --data-dir $folder)
  curl -sS http://$address/api/v1/tasks -H "Authorization: Bearer \$TOKEN" -H 'Content-Type: application/json' \\
    -d '{"title":"Call the bank","due":"in 70 seconds","reminders":[{"minutesBefore":1}]}'

End it with: scripts/real-down.sh $folder
END
