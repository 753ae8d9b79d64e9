#!/usr/bin/env bash
# Writes a software bill of materials (CycloneDX 1.5, JSON) for the program `nudge` and for each component, from Cargo.lock. They are not
# committed: make them for what you release.
#
# Usage: scripts/sbom.sh [FOLDER]         the default is target/sbom; needs cargo, and crates.io for cargo-cyclonedx the first time
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-target/sbom}
version=0.5.9
tools=$PWD/target/tools
# cargo-cyclonedx writes beside each Cargo.toml; a name that nothing else has can be removed there.
name=sbom-of-this-run

export PATH=$tools/bin:$PATH
if ! command -v cargo-cyclonedx >/dev/null; then
  cargo install --quiet --locked --debug --root "$tools" --version "$version" cargo-cyclonedx
fi
clean() { find . -path ./target -prune -o -name "$name.json" -exec rm {} +; }
trap clean EXIT
mkdir -p "$folder"

# describe TARGET: the dependencies of each package on that platform, without those that only tests have.
describe() {
  cargo cyclonedx --quiet --format json --spec-version 1.5 --target "$1" --override-filename "$name"
}

describe "$(rustc -vV | sed -n 's/^host: //p')"
mv "$name.json" "$folder/nudge.cdx.json"
clean
describe wasm32-wasip2
for component in components/*/; do
  mv "$component$name.json" "$folder/$(basename "$component").cdx.json"
done
printf '%s\n' "$folder"/*.cdx.json
