# shellcheck shell=bash
# Shared by the get-….sh scripts, which source it.

# shellcheck disable=SC2034 # used by the scripts that source this
cache=${NUDGE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nudge}

say() { printf '%s\n' "$*" >&2; }

# usage: prints the usage from the head of the script, and exits. Must be called in the root of the checkout.
usage() { sed -n '/^# Usage/,/^# Needs/s/^# \{0,1\}//p' "scripts/${0##*/}" >&2; exit 2; }

# have NAME FOLDER FILE…: prints FOLDER and exits if it contains all of these programs and folders.
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

# need PROGRAM…: exits with an error if one of them is missing.
need() {
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null || { say "$program is missing"; exit 1; }
  done
}

# Versions that several of the scripts that build Go programs use.
go_kubernetes=k8s.io/kubernetes@v1.34.3
go_dapr=github.com/dapr/dapr@v1.16.0
go_keda=github.com/kedacore/keda/v2@v2.21.0
go_spin_operator=github.com/spinkube/spin-operator@v0.6.1
# One dependency of daprd does not build with Go 1.25 or newer. With the same toolchain everywhere, shared packages are compiled once.
go_toolchain=go1.24.9

# download MODULE@VERSION FIELD: downloads a module, and prints its "Dir" or "GoMod". A module that is only read may require a newer Go.
download() {
  GOTOOLCHAIN=auto go mod download -json "$1" | sed -n "s/^\t\"$2\": \"\(.*\)\",\$/\1/p"
}

# replacements MODULE@VERSION: those of its go.mod. They apply only in the main module, so building it elsewhere must repeat them.
replacements() {
  awk '/^replace \($/ { inside = 1 } /^replace / || inside { print } /^\)$/ { inside = 0 }' "$(download "$1" GoMod)"
}

# program NAME PACKAGE [LINKER_FLAGS [TAGS]]: builds one program of the module in this folder into $folder. An interrupted build leaves
# no program behind.
program() {
  say "Building $1 ($SECONDS s so far)"
  CGO_ENABLED=0 go build -mod=mod -trimpath -tags "${4:-}" -ldflags "-s -w ${3:-}" -o "$folder/$1.new" "$2"
  mv "$folder/$1.new" "$folder/$1"
}

# scratch: creates a temporary folder, in $build, which is deleted when the script exits.
scratch() {
  build=$(mktemp -d)
  trap 'rm -rf "$build"' EXIT
}

# put NAME FOLDER WHAT: moves the result to its final folder, so that an interrupted script leaves nothing there.
put() {
  mkdir -p "$(dirname "$2")"
  mv "$3" "$2"
  say "$1 is in $2 ($SECONDS s)"
  printf '%s\n' "$2"
}

# unpack PACKAGE…: downloads Debian packages and unpacks them into $build/unpacked; nothing is installed.
unpack() {
  need apt-get dpkg-deb
  scratch
  # apt downloads as its own user, which must be able to read the folder.
  chmod 755 "$build"
  cd "$build" || exit
  apt-get download "$@" >&2
  local package
  for package in ./*.deb; do
    dpkg-deb -x "$package" unpacked
  done
}
