# shellcheck shell=bash
# What the get-….sh scripts share; to be sourced.

# shellcheck disable=SC2034 # for those who source this
cache=${NUDGE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nudge}

say() { printf '%s\n' "$*" >&2; }

# usage: ends the script with what its first lines say of its arguments. To be called at the root of the checkout.
usage() { sed -n '/^# Usage/,/^# Needs/s/^# \{0,1\}//p' "scripts/${0##*/}" >&2; exit 2; }

# have NAME FOLDER FILE…: ends the script with FOLDER's name when all of these programs and folders are in it.
have() {
  local name=$1 folder=$2 file
  shift 2
  for file in "$@"; do
    [ -x "$folder/$file" ] || return 0
  done
  say "$name is in $folder"
  printf '%s\n' "$folder"
  exit 0
}

# need PROGRAM…: ends the script when one of them is missing.
need() {
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null || { say "$program is missing"; exit 1; }
  done
}

# What more than one of the scripts that build Go programs reads.
go_kubernetes=k8s.io/kubernetes@v1.34.3
go_dapr=github.com/dapr/dapr@v1.16.0
go_keda=github.com/kedacore/keda/v2@v2.21.0
go_spin_operator=github.com/spinkube/spin-operator@v0.6.1
# One dependency of daprd does not assemble with Go 1.25 or newer; with the same one everywhere, what they share is compiled once.
go_toolchain=go1.24.9

# download MODULE@VERSION FIELD: fetches a module, and prints where its "Dir" or "GoMod" is. One that is only read may be written for
# a newer Go.
download() {
  GOTOOLCHAIN=auto go mod download -json "$1" | sed -n "s/^\t\"$2\": \"\(.*\)\",\$/\1/p"
}

# replacements MODULE@VERSION: those of its go.mod. They count in the main module only, so who builds it elsewhere repeats them.
replacements() {
  awk '/^replace \($/ { inside = 1 } /^replace / || inside { print } /^\)$/ { inside = 0 }' "$(download "$1" GoMod)"
}

# program NAME PACKAGE [LINKER_FLAGS [TAGS]]: builds one program of the module in this folder into $folder. A build that was cut off leaves
# no program behind.
program() {
  say "Building $1 ($SECONDS s so far)"
  CGO_ENABLED=0 go build -mod=mod -trimpath -tags "${4:-}" -ldflags "-s -w ${3:-}" -o "$folder/$1.new" "$2"
  mv "$folder/$1.new" "$folder/$1"
}

# scratch: a temporary folder that goes with the script, in $build.
scratch() {
  build=$(mktemp -d)
  trap 'rm -rf "$build"' EXIT
}

# put NAME FOLDER WHAT: moves what was made to where it is looked for; what was cut off before leaves nothing there.
put() {
  mkdir -p "$(dirname "$2")"
  mv "$3" "$2"
  say "$1 is in $2 ($SECONDS s)"
  printf '%s\n' "$2"
}

# unpack PACKAGE…: fetches Debian packages and unpacks them into $build/unpacked; nothing is installed.
unpack() {
  need apt-get dpkg-deb
  scratch
  # apt's own user reads what it downloads.
  chmod 755 "$build"
  cd "$build" || exit
  apt-get download "$@" >&2
  local package
  for package in ./*.deb; do
    dpkg-deb -x "$package" unpacked
  done
}
