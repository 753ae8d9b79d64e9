# shellcheck shell=bash
# What the get-….sh scripts share; to be sourced.

# shellcheck disable=SC2034 # for those who source this
cache=${NUDGE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nudge}

say() { printf '%s\n' "$*" >&2; }

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
