#!/usr/bin/env bash
# What this project says is absent, checked. ARCHITECTURE.md lists the same sentences and why they hold.
#
# Usage: scripts/check-invariants.sh        needs bash, grep, awk and find; builds nothing.
# Ends with 0 when every sentence holds, with 1 after naming each one that does not, and where.
set -euo pipefail
cd "$(dirname "$0")/.."

broken=0

# say SENTENCE FINDINGS: the sentence holds if there are no findings.
say() {
  if [[ -z "$2" ]]; then
    printf 'holds   %s\n' "$1"
  else
    printf 'BROKEN  %s\n' "$1"
    printf '%s\n' "$2" | sed 's/^/        /'
    broken=1
  fi
}

# find_in PATTERN PATH…: lines of Rust code that match, comments left out. A path that is gone is a finding, too.
find_in() {
  local pattern=$1 path
  shift
  for path; do [[ -d $path ]] || printf 'there is no folder %s\n' "$path"; done
  grep -rnE --include='*.rs' "$pattern" "$@" | grep -vE '^[^:]+:[0-9]+:[[:space:]]*//' || true
}

# product FILE PATTERN: the same for one file, up to its test module.
product() {
  awk -v file="$1" -v pattern="$2" '
    /^#\[cfg\(test\)\]/ { exit }
    /^[[:space:]]*\/\// { next }
    $0 ~ pattern { print file ":" FNR ":" $0 }' "$1"
}

# dependencies CARGO_TOML: names under [dependencies], without [dev-dependencies].
dependencies() {
  awk '/^\[/ { on = ($0 == "[dependencies]") } on && /^[a-zA-Z0-9_-]+ *=/ { print $1 }' "$1"
}

# ours CARGO_TOML ALLOWED…: dependencies on packages of this workspace that are not allowed.
ours() {
  local file=$1 name
  shift
  for name in $(dependencies "$file" | grep -E '^(nudge.*|step-clock|spin-host|dapr-sidecar|mail-sink)$' || true); do
    [[ " $* " == *" $name "* ]] || printf '%s depends on %s\n' "$file" "$name"
  done
}

services=(api notification email-delivery recurring-task legacy-adapter)
service_sources=("${services[@]/#/components/}")

say 'the domain does no IO and asks no clock' \
  "$(find_in 'std::(fs|net|env|process|time)|tokio|SystemTime::now|Timestamp::now|Zoned::now|async fn' crates/domain/src)"

say 'the domain depends on nothing of ours, the contract on the domain alone' \
  "$(ours crates/domain/Cargo.toml; ours crates/contract/Cargo.toml nudge-domain)"

say 'a component depends on no component, only on glue, contract and domain' \
  "$(for manifest in components/*/Cargo.toml; do ours "$manifest" nudge-component nudge-contract nudge-domain; done)"

say 'the bridge and the sidecar share no code' \
  "$(ours components/dapr-bridge/Cargo.toml; ours crates/dapr-sidecar/Cargo.toml step-clock)"

say 'spin host, sidecar, mail sink and clock know no task' \
  "$(for crate in spin-host dapr-sidecar mail-sink step-clock; do ours "crates/$crate/Cargo.toml" step-clock; done
     find_in 'nudge_(domain|contract|component)|task-(events|updates|reminders|recurrence)' \
       crates/spin-host/src crates/dapr-sidecar/src crates/mail-sink/src crates/step-clock/src)"

# One file asks the identity provider for its keys; it calls the one URL that the operator gave.
say 'services hold no network code but one: what leaves them goes through nudge:dapr, the database, or for keys' \
  "$(find_in 'http::send|wasip3::http|outgoing_handler|TcpStream|std::net' "${service_sources[@]}" crates/component/src |
     grep -v '^components/api/src/auth/fetch.rs:' || true)"

say 'only the api touches a database' \
  "$(find_in 'spin_sdk::(\{.*)?(pg|sqlite)' components crates/component/src | grep -v '^components/api/' || true
     awk '/^\[component\.[a-z-]+\]$/ { name = $0 } /^sqlite_databases/ && name != "[component.api]" { print "spin.toml:" FNR ": " name }' spin.toml)"

say 'the api opens no transaction: what belongs together is one statement' \
  "$(find_in '\b(BEGIN|COMMIT|ROLLBACK|SAVEPOINT)\b' components/api/src)"

say 'no component says which topic it consumes: Subscription resources do' \
  "$(find_in '"(task-events|task-updates|task-recurrence|task-reminders|reminder-outcomes|dead-letter)"|dapr/subscribe' components crates/component/src
     find_in 'topic::TASK_EVENTS' components/notification/src
     find_in 'topic::TASK_REMINDERS' components/email-delivery/src
     find_in 'topic::TASK_RECURRENCE' components/recurring-task/src
     find_in 'topic::REMINDER_OUTCOMES' components/api/src)"

say 'every topic is published with its prefix' \
  "$(find_in 'topic::[A-Z_]+\.to_owned' components)"

say 'events carry no mail address' \
  "$(grep -niE '\be-?mail\b' wit/events/types.wit crates/contract/src/task.rs crates/contract/src/event.rs || true)"

# An instance serves up to 16 requests at once, of different people, and is used again.
known='KEEPING|KEY|KEYS|KNOWN|LEASES|LIMIT|POLICY|QUEUE|PUBLISHING|READY|ROUTER|SENDING|SETTINGS|STARTED|STABLE'
say "components keep nothing of one request in a static (there are $known)" \
  "$(find_in '\bstatic (mut )?[A-Z_]+:|thread_local!' components crates/component/src | grep -vE "static ($known):" || true)"

say 'no unwrap, expect, panic or todo in product code (clippy looks for indexing as well)' \
  "$(find components crates src -path '*/src/*.rs' -not -path 'crates/test-*/*' -not -path '*/fixtures/*' -print0 | sort -z |
     while IFS= read -r -d '' file; do product "$file" '\\.(unwrap|expect|unwrap_err|expect_err)\\(|(panic|todo|unimplemented|unreachable|dbg)!'; done)"

say 'files that are kept are written by durable-file, which syncs them and their names' \
  "$(find src crates/{spin-host,dapr-sidecar,mail-sink}/src -name '*.rs' -print0 | sort -z |
     while IFS= read -r -d '' file; do
       # Compiled components and copies of files for guests are made again when they are missing.
       [[ "$file" =~ ^crates/spin-host/src/(compiled|files)\.rs$ ]] ||
         product "$file" 'fs::(write|rename|create_dir|hard_link|copy)|File::create|DirBuilder'
     done)"

say 'every package takes the lints of the workspace' \
  "$(for manifest in Cargo.toml crates/*/Cargo.toml components/*/Cargo.toml; do
       grep -A1 -E '^\[lints\]$' "$manifest" | grep -q '^workspace = true$' || printf '%s\n' "$manifest"
     done)"

# A lib.rs lists modules; a library that is one file is its lib.rs.
say 'no lib.rs has more than 100 lines, no source file more than 600' \
  "$(find components crates src tests -name '*.rs' -not -path '*/target/*' -print0 | sort -z |
     while IFS= read -r -d '' file; do
       lines=$(wc -l < "$file")
       most=600
       [[ "$file" == */src/lib.rs && "$file" != */fixtures/* && "$file" != crates/component-build/* && "$file" != crates/step-clock/* ]] && most=100
       (( lines <= most )) || printf '%s: %s lines, at most %s\n' "$file" "$lines" "$most"
     done)"

exit "$broken"
