#!/usr/bin/env bash
# Checks the invariants of ARCHITECTURE.md: what must be absent. That file says why.
#
# Usage: scripts/check-invariants.sh        needs bash, git, grep, awk and find; builds nothing.
# Exits with 0 if every invariant holds, otherwise with 1 after printing each broken one and where it is broken.
set -euo pipefail
cd "$(dirname "$0")/.."

# Folders of sources whose files must not import each other in a cycle.
without_cycles=(src components/{api,dapr-bridge,email-delivery,legacy-adapter,notification,recurring-task,web}/src page/src crates/{bounded-http,component,component-build,contract,dapr-sidecar,durable-file,mail-sink,oidc-client,step-clock}/src)

broken=0

# say INVARIANT FINDINGS: the invariant holds if there are no findings.
say() {
  if [[ -z "$2" ]]; then
    printf 'holds   %s\n' "$1"
  else
    printf 'BROKEN  %s\n' "$1"
    printf '%s\n' "$2" | sed 's/^/        /'
    broken=1
  fi
}

# find_in PATTERN FOLDER…: lines of Rust code that match, without comments. A folder that does not exist is a finding, too.
find_in() {
  local pattern=$1 path
  shift
  for path; do [[ -d $path ]] || printf 'folder %s does not exist\n' "$path"; done
  grep -rnE --include='*.rs' "$pattern" "$@" | grep -vE '^[^:]+:[0-9]+:[[:space:]]*//' || true
}

# product FILE PATTERN: the same for one file, without its test module.
product() {
  awk -v file="$1" -v pattern="$2" '
    /^#\[cfg\(test\)\]/ { exit }
    /^[[:space:]]*\/\// { next }
    $0 ~ pattern { print file ":" FNR ":" $0 }' "$1"
}

# dependencies CARGO_TOML: the names under [dependencies], without [dev-dependencies].
dependencies() {
  awk '/^\[/ { on = ($0 == "[dependencies]") } on && /^[a-zA-Z0-9_-]+ *=/ { print $1 }' "$1"
}

# ours CARGO_TOML ALLOWED…: dependencies on other packages of this workspace than the allowed ones.
ours() {
  local file=$1 name
  shift
  for name in $(dependencies "$file" | grep -E '^(nudge.*|step-clock|spin-host|dapr-sidecar|mail-sink)$' || true); do
    [[ " $* " == *" $name "* ]] || printf '%s depends on %s\n' "$file" "$name"
  done
}

# retired PATTERN…: lines of tracked files, named by git pathspecs, that have a retired word.
retired() {
  local words='behind (the|its|their|an|this) (answers?|deletion)|publish_behind|standing[ _-]jobs?|wears?|wearing|whereto|whoever|somebody|nobody|unwell'
  words+="|is no (uuid|instant)|must be a text|says no|dues|(is|are|who) leaving|who leaves|left[ _-]over|puts? aside|data's way|mails|mailed|dear part"
  [[ $1 == '*.rs' ]] && words+='|leaving\.rs|/// most'
  # The list itself is left out, and files that must keep their bytes: goldens, and migrations that are applied somewhere. So are names
  # that are stored, published or recorded.
  git ls-files -z -- "$@" ':!scripts/check-invariants.sh' ':!tests/golden' ':!tests/corpus' ':!components/api/src/schema/*.sql' |
    xargs -0r grep -niHE "(^|[^[:alnum:]])($words)([^[:alnum:]]|$)" | grep -vE '"task_event_left_over"|/invoke/nobody/' || true
}

services=(api web notification email-delivery recurring-task legacy-adapter)
service_sources=("${services[@]/#/components/}")

say 'the domain does no IO and does not read the clock' \
  "$(find_in 'std::(fs|net|env|process|time)|tokio|SystemTime::now|Timestamp::now|Zoned::now|async fn' crates/domain/src)"

say 'the domain depends on no other package of the workspace, the contract on the domain only' \
  "$(ours crates/domain/Cargo.toml; ours crates/contract/Cargo.toml nudge-domain)"

say 'a component depends on no other component, only on nudge-component, contract and domain' \
  "$(for manifest in components/*/Cargo.toml; do ours "$manifest" nudge-component nudge-contract nudge-domain; done)"

say 'the bridge and the sidecar share no code' \
  "$(ours components/dapr-bridge/Cargo.toml; ours crates/dapr-sidecar/Cargo.toml step-clock)"

say 'spin host, sidecar, mail sink and clock know nothing about tasks' \
  "$(for crate in bounded-http oidc-client spin-host dapr-sidecar mail-sink step-clock; do ours "crates/$crate/Cargo.toml" step-clock; done
     find_in 'nudge_(domain|contract|component)|task-(events|updates|reminders|recurrence)' \
       crates/{bounded-http,oidc-client,spin-host,dapr-sidecar,mail-sink,step-clock}/src)"

# One file fetches the keys of the identity provider; it calls only the URL that the operator configured.
say 'services contain no network code, except for fetching keys: everything else goes through nudge:dapr or to the database' \
  "$(find_in 'http::send|wasip3::http|outgoing_handler|TcpStream|std::net' "${service_sources[@]}" crates/component/src |
     grep -v '^components/api/src/auth/fetch.rs:' || true)"

say 'only the api uses a database' \
  "$(find_in 'spin_sdk::(\{.*)?(pg|sqlite)' components crates/component/src | grep -v '^components/api/' || true
     awk '/^\[component\.[a-z-]+\]$/ { name = $0 } /^sqlite_databases/ && name != "[component.api]" { print "spin.toml:" FNR ": " name }' spin.toml)"

say 'the api opens no transactions: what belongs together is one statement' \
  "$(find_in '\b(BEGIN|COMMIT|ROLLBACK|SAVEPOINT)\b' components/api/src)"

say 'no component names the topic it consumes: Subscription resources do' \
  "$(find_in '"(task-events|task-updates|task-recurrence|task-reminders|reminder-outcomes|account-notices|dead-letter)"|dapr/subscribe' components crates/component/src
     find_in 'topic::TASK_EVENTS' components/notification/src
     find_in 'topic::TASK_REMINDERS|topic::ACCOUNT_NOTICES' components/email-delivery/src
     find_in 'topic::TASK_RECURRENCE' components/recurring-task/src
     find_in 'topic::REMINDER_OUTCOMES' components/api/src)"

say 'every topic is published with its prefix' \
  "$(find_in 'topic::[A-Z_]+\.to_owned' components)"

say 'events contain no email address' \
  "$(grep -niE '\be-?mail\b' wit/events/types.wit crates/contract/src/task.rs crates/contract/src/event.rs || true)"

# An instance serves up to 16 requests of different users at once, and is reused.
known='KEEPING|KEY|KEYS|KNOWN|LATELY|LEASES|LIMIT|LOOKUPS|POLICY|PROFILES|PUMP|QUEUE|PUBLISHING|READINESS|READY|REFUSED|REVOKED|ROUTER|SERVED|SETTINGS|STARTED|STABLE|TAKEN'
say "components keep no request state in statics (allowed: $known)" \
  "$(find_in '\bstatic (mut )?[A-Z_]+:|thread_local!' components crates/component/src | grep -vE "static ($known):" || true)"

# Every user of a machine can list the arguments of all processes.
say 'scripts put no secret on a command line, and documents advise none' \
  "$(git ls-files -z -- '*.sh' '*.yaml' ':!scripts/check-invariants.sh' |
       xargs -0r grep -nE -- '-hmac|-macopt|--header "?authorization: *bearer \$|--[a-z-]*(token|password|secret)[= ]"?\$' || true
     git ls-files -z -- '*.sh' '*.yaml' '*.md' ':!scripts/check-invariants.sh' ':!ARCHITECTURE.md' | xargs -0r grep -nE -- '--from-literal' || true)"

say 'no unwrap, expect, panic or todo in product code (clippy also refuses indexing)' \
  "$(find components crates page src -path '*/src/*.rs' -not -path 'crates/test-*/*' -not -path '*/fixtures/*' -print0 | sort -z |
     while IFS= read -r -d '' file; do product "$file" '\\.(unwrap|expect|unwrap_err|expect_err)\\(|(panic|todo|unimplemented|unreachable|dbg)!'; done)"

say 'persistent files are written by durable-file, which syncs the file and its name' \
  "$(find src crates/{spin-host,dapr-sidecar,mail-sink}/src -name '*.rs' -print0 | sort -z |
     while IFS= read -r -d '' file; do
       # Compiled components and copies of files for guests are recreated when they are missing.
       [[ "$file" =~ ^crates/spin-host/src/(compiled|files)\.rs$ ]] ||
         product "$file" 'fs::(write|rename|create_dir|hard_link|copy)|File::create|DirBuilder'
     done)"

say 'every package uses the lints of the workspace' \
  "$(for manifest in Cargo.toml crates/*/Cargo.toml components/*/Cargo.toml page/Cargo.toml; do
       grep -A1 -E '^\[lints\]$' "$manifest" | grep -q '^workspace = true$' || printf '%s\n' "$manifest"
     done)"

# A lib.rs lists modules. Libraries of a single file are exempt.
say 'no lib.rs has more than 100 lines, no source file more than 600' \
  "$(find components crates page src tests -name '*.rs' -not -path '*/target/*' -print0 | sort -z |
     while IFS= read -r -d '' file; do
       lines=$(wc -l < "$file")
       limit=600
       [[ "$file" == */src/lib.rs && "$file" != */fixtures/* && "$file" != crates/component-build/* && "$file" != crates/step-clock/* ]] && limit=100
       (( lines <= limit )) || printf '%s: %s lines, the limit is %s\n' "$file" "$lines" "$limit"
     done)"

say "no import cycles in ${without_cycles[*]}" "$(scripts/import-cycles.sh "${without_cycles[@]}" 2>&1 || true)"

say 'no retired words in documents, scripts and manifests' "$(retired '*.md' '*.sh' '*.toml' '*.yaml')"

say 'no retired words in code' "$(retired '*.rs' '*.wit' '*.sql')"

exit "$broken"
