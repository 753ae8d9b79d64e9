#!/usr/bin/env bash
# Lighthouse on the page of a local system, signed in. Prints the scores, and exits with 1 below performance 95, accessibility 100 or
# best practices 100.
#
# Usage: scripts/lighthouse.sh          starts `nudge up` with data of its own, on a free port
#        scripts/lighthouse.sh URL      uses a system that runs: the link that `nudge sign-in` prints
#   CHROME_PATH   the browser, by default chromium of the PATH
# Needs Node 22.19, Chromium and, the first time, the npm registry. Reports are in tests/lighthouse/results.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
here=$root/tests/lighthouse

node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a === 22 && b >= 19) ? 0 : 1)' ||
  { echo 'Node 22.19 or later is needed' >&2; exit 2; }
CHROME_PATH=${CHROME_PATH:-$(command -v chromium || command -v google-chrome || true)}
[[ -n $CHROME_PATH ]] || { echo 'Chromium is needed: apt-get install chromium' >&2; exit 2; }
export CHROME_PATH
[[ -d $here/node_modules ]] || (cd "$here" && npm ci --no-audit --no-fund)

work=$(mktemp -d)
child=
finish() {
  [[ -z $child ]] || { kill "$child" 2>/dev/null; wait "$child" 2>/dev/null; } || true
  rm -rf "$work"
}
trap finish EXIT

url=${1:-}
if [[ -z $url ]]; then
  cargo build
  nudge=${CARGO_TARGET_DIR:-$root/target}/debug/nudge
  "$nudge" --listen 127.0.0.1:0 --data-dir "$work/data" >"$work/out" 2>"$work/log" &
  child=$!
  # A build may take ten minutes.
  for _ in $(seq 3000); do
    url=$(grep -oE -m1 'http://[^ ]+/#token=[^ ]+' "$work/out" || true)
    [[ -z $url ]] || break
    kill -0 "$child" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
    sleep 0.2
  done
  [[ -n $url ]] || { echo 'nudge up printed no link' >&2; cat "$work/log" >&2; exit 1; }
  # Something to show.
  for title in "Pay rent" "Water the plants" "Call the bank"; do
    curl -fsS -o /dev/null "${url%%/#*}/api/v1/tasks" -H "Authorization: Bearer ${url##*#token=}" \
      -H 'Content-Type: application/json' -d "{\"title\":\"$title\",\"due\":\"today 11pm\"}"
  done
fi

# check FORM-FACTOR [FLAG…]
check() {
  local report=$here/results/$1.json
  mkdir -p "$here/results"
  (cd "$here" && npx --no-install lighthouse "$url" --quiet --output json --output-path "$report" "${@:2}" \
    --only-categories performance,accessibility,best-practices \
    --chrome-flags='--headless=new --no-sandbox --disable-dev-shm-usage')
  node - "$1" "$report" <<'JS'
const [form, path] = process.argv.slice(2);
const { categories, audits } = JSON.parse(require("fs").readFileSync(path, "utf8"));
const least = { performance: 95, accessibility: 100, "best-practices": 100 };
let failed = false;
for (const [id, minimum] of Object.entries(least)) {
  const score = Math.round((categories[id].score ?? 0) * 100);
  console.log(`${form}: ${id} ${score} of at least ${minimum}`);
  if (score >= minimum) continue;
  failed = true;
  for (const { id: audit, weight } of categories[id].auditRefs) {
    const { score, title, displayValue = "" } = audits[audit];
    if (weight > 0 && score !== null && score < 0.9) console.log(`  ${title} ${displayValue}`);
  }
}
for (const audit of ["first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift"])
  console.log(`${form}: ${audits[audit].title} ${audits[audit].displayValue}`);
process.exit(failed ? 1 : 0);
JS
}

failed=0
check desktop --preset desktop || failed=1
check phone || failed=1
exit "$failed"
