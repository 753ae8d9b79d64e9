#!/usr/bin/env bash
# Sends thousands of requests generated from docs/openapi.json to a running api, valid and invalid, single and in sequences, and
# checks every response (https://schemathesis.readthedocs.io).
#
# Usage: tests/schemathesis/run.sh [option of `schemathesis run`]…
#
# Needs bash, curl, Python 3.10 or later, and a built `nudge` (`cargo build`). Installs schemathesis into a temporary folder and
# starts `nudge up` on a free port, with data in another. With URL and TOKEN set, it calls that server instead; with
# SCHEMATHESIS set to the program, it installs nothing. NUDGE is the program, by default target/debug/nudge.
# EXAMPLES: requests per operation, by default 60, which is more than 2,000 in all.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
scratch=$(mktemp -d)
server=

end() {
  if [[ -n $server ]]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$scratch"
}
trap end EXIT

if [[ -z ${SCHEMATHESIS:-} ]]; then
  python3 -m venv "$scratch/venv"
  "$scratch/venv/bin/pip" install --quiet --disable-pip-version-check 'schemathesis>=4.32,<5'
  SCHEMATHESIS=$scratch/venv/bin/schemathesis
fi

if [[ -z ${URL:-} ]]; then
  nudge=${NUDGE:-$root/target/debug/nudge}
  (cd "$root" && exec "$nudge" up --no-build --listen 127.0.0.1:0 --data-dir "$scratch/data" \
    --variable rate_limit_per_minute=0 --variable max_tags=0 --variable max_categories=0 --variable max_agents=0 >"$scratch/up.log" 2>&1) &
  server=$!
  for _ in $(seq 600); do
    URL=$(sed -nE 's|^ *API +(http://[^/]+)/.*|\1|p' "$scratch/up.log")
    [[ -n $URL ]] && break
    kill -0 "$server" 2>/dev/null || { cat "$scratch/up.log" >&2; exit 1; }
    sleep 0.5
  done
  TOKEN=$("$nudge" token schemathesis --email schemathesis@example.com --time-zone Europe/Berlin \
    --data-dir "$scratch/data" | tail -n 1)
fi
: "${URL:?the server did not print its address}" "${TOKEN:?set TOKEN as well as URL}"

# create COLLECTION NAME: creates a category or tag, and prints its id.
create() {
  curl -sf "$URL/api/v1/$1" -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d "{\"name\":\"$2\"}" |
    sed -nE 's/.*"id":"([^"]+)".*/\1/p'
}
name="schemathesis $(date +%s)"
CATEGORY=$(create categories "$name")
TAG=$(create tags "$name")
export TOKEN CATEGORY TAG PYTHONDONTWRITEBYTECODE=1

# Hooks are searched in the current folder.
cd "$here"
call() {
  "$SCHEMATHESIS" --config-file schemathesis.toml run "$root/docs/openapi.json" --url "$URL" \
    --max-examples "${EXAMPLES:-60}" --generation-database none --request-timeout 60 "$@"
}
# Deleting the account comes last, in a run of its own, because the other requests need the data.
call --exclude-operation-id deleteMe --exclude-operation-id revokeTokens "$@"
if [[ $# -eq 0 ]] && grep -q '"deleteMe"' "$root/docs/openapi.json"; then
  call --include-operation-id deleteMe --phases examples,coverage,fuzzing
fi
