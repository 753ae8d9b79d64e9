#!/usr/bin/env bash
# The official TypeScript clients, with a token and with OAuth, and the official conformance tests against /mcp.
#
# Usage: tests/mcp/run.sh                      starts an OpenID Connect provider, and `nudge up` with data of its own, on free ports
#        tests/mcp/run.sh URL TOKEN            uses a server that runs: http://127.0.0.1:3000/mcp; skips what needs the provider
# Needs Node 22 and, the first time, the npm registry. Ends with 0 when everything passes but what expected-failures.yml names.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)

node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 22 ? 0 : 1)' ||
  { echo 'Node 22 or later is needed' >&2; exit 2; }
[[ -d node_modules ]] || npm ci --no-audit --no-fund

work=$(mktemp -d)
children=()
finish() {
  for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

# line FILE PATTERN: the first match in a file that is being written; gives up after ten minutes, which a build may take.
line() {
  local found
  for _ in $(seq 3000); do
    found=$(grep -oE -m1 "$2" "$1" 2>/dev/null || true)
    if [[ -n $found ]]; then printf '%s\n' "$found"; return; fi
    sleep 0.2
  done
  echo "nothing like $2 in:" >&2
  cat "$1" >&2
  return 1
}

issuer=
if [[ $# -eq 2 ]]; then
  url=$1 token=$2
else
  (cd "$root" && cargo build)
  nudge=${CARGO_TARGET_DIR:-$root/target}/debug/nudge
  # Held open until this script ends, and the provider with it.
  mkfifo "$work/provider-in"
  node provider.mjs <"$work/provider-in" >"$work/provider" 2>"$work/provider-log" &
  children+=($!)
  exec 8>"$work/provider-in"
  issuer=$(line "$work/provider" 'http://127\.0\.0\.1:[0-9]+' | head -n 1)
  (cd "$root" && exec "$nudge" --listen 127.0.0.1:0 --data-dir "$work/data" --variable oidc_issuer="$issuer" --variable oidc_client_id=nudge-page \
    --variable jwt_issuer="$issuer" --variable jwks_url="$issuer/jwks" --variable jwks_host="$issuer" --variable jwt_hs256=true) >"$work/out" 2>"$work/log" &
  children+=($!)
  url=$(line "$work/out" 'http://127\.0\.0\.1:[0-9]+')/mcp
  token=$("$nudge" --data-dir "$work/data" token alice --time-zone Europe/Berlin | tail -n 1)
fi

failed=0
MCP_URL=$url MCP_TOKEN=$token node --test clients.test.mjs || failed=1
MCP_URL=$url OIDC_ISSUER=$issuer node --test oauth.test.mjs || failed=1

mkfifo "$work/hold"
node bearer.mjs "$url" "$token" <"$work/hold" >"$work/proxy" &
children+=($!)
exec 9>"$work/hold"
proxied=$(line "$work/proxy" 'http://.*')
for revision in 2025-06-18 2025-11-25 2026-07-28; do
  echo "Conformance, revision $revision"
  npx --no-install conformance server --url "$proxied" --suite all --spec-version "$revision" \
    --expected-failures "expected-failures.yml" --output-dir "$work/results" || failed=1
done
exit "$failed"
