#!/usr/bin/env bash
# Measures Nudge beside a real daprd, against a Python stack, against its own source without WebAssembly, and against the limits of a
# sidecar and a database. Prints a table; target/bench has it with ratios, three plots and the raw figures. See docs/BENCHMARKS.md.
#
# Usage: scripts/bench.sh [options of tests/load/compare, see --help]
#   SPIN=spin    Spin 4.1 or later, for --subjects spin
#   NUDGE_CACHE  cache of the real parts, by default ~/.cache/nudge
# Needs Linux, Python 3.11 or later with venv, the parts of scripts/get-dapr.sh and scripts/get-redis.sh (with --broker kafka:
# get-kafka.sh) and Debian's postgresql.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/parts.sh
source scripts/parts.sh
need cargo python3

say "Building the spin host and the driver (a quarter of an hour the first time)"
cargo build --profile native -p nudge -p spin-host --bin spin-host --example compare
say "Building the services without WebAssembly (10 minutes the first time; $SECONDS s so far)"
cargo build --release --manifest-path tests/load/peers/native/Cargo.toml --target-dir target/bench/native
requirements=tests/load/peers/python/requirements.txt
if ! cmp -s "$requirements" target/bench/python/requirements.txt; then
  say "Installing the packages of the Python stack ($SECONDS s so far)"
  rm -rf target/bench/python
  python3 -m venv target/bench/python
  target/bench/python/bin/pip install --quiet --requirement "$requirements"
  cp "$requirements" target/bench/python/
fi
say "Measuring ($SECONDS s so far)"
exec target/native/examples/compare "$@"
