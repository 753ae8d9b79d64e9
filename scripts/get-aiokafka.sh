#!/usr/bin/env bash
# Installs aiokafka 0.14.0 and asyncpg 0.32.0, from PyPI, into a virtual environment outside the checkout, and prints that folder. Needs
# Python 3.10 or newer with venv.
#
# Usage: scripts/get-aiokafka.sh        (NUDGE_CACHE: the cache, by default ~/.cache/nudge)
set -euo pipefail
# shellcheck source=scripts/parts.sh
source "$(dirname "$0")/parts.sh"

version=0.14.0
folder=$cache/aiokafka-$version
have "aiokafka $version" "$folder" bin/python ready
need python3

say "Fetching aiokafka $version and asyncpg from PyPI (5 MB)"
# A virtual environment contains its own path, so it is created in its final place; the marker comes last.
rm -rf "$folder"
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check "aiokafka==$version" "asyncpg==0.32.0" >&2
install -m 755 /dev/null "$folder/ready"
say "aiokafka $version is in $folder ($SECONDS s)"
printf '%s\n' "$folder"
