#!/usr/bin/env bash
# Ends what scripts/real-up.sh started, and keeps the data. Those that ask end before those that are asked: the sidecars let go of
# their events and finish what they deliver while the components still answer; then the components, then what keeps things.
#
# Usage: scripts/real-down.sh [folder [part…]]      folder is .nudge-real; no part is all of them, by the names in folder/pids
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/parts.sh
source scripts/parts.sh

folder=${1:-.nudge-real}
[ -d "$folder/pids" ] || { say "nothing was started in $folder"; exit 1; }
folder=$(cd "$folder" && pwd)
shift $(($# > 0 ? 1 : 0))
only=" $* "

began() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

# end SECONDS PART…: asks these to end, all at once, and kills those that do not within that time.
end() {
  local patience=$1 part pid begun deadline
  local -A left=()
  shift
  for part; do
    [ -f "$folder/pids/$part" ] || continue
    [ "$only" = "  " ] || [[ $only == *" $part "* ]] || continue
    read -r pid begun <"$folder/pids/$part"
    # A process id is used again; the time it began is not.
    if [ "$(began "$pid")" != "$begun" ]; then
      say "$part had ended by itself"
      rm -f "$folder/pids/$part"
      continue
    fi
    left[$part]=$pid
    case $part in
      # At once, without waiting for its clients; its own processes follow.
      postgresql) kill -INT "$pid" 2>/dev/null || true ;;
      *) kill -TERM -- "-$pid" 2>/dev/null || true ;;
    esac
  done
  [ ${#left[@]} -gt 0 ] || return 0
  say "Ending ${!left[*]}"
  deadline=$((SECONDS + patience))
  while [ ${#left[@]} -gt 0 ]; do
    for part in "${!left[@]}"; do
      pid=${left[$part]}
      if kill -0 "$pid" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null; then
        if [ $SECONDS -ge $deadline ]; then
          say "$part does not end within $patience s: killing it"
          kill -KILL -- "-$pid" 2>/dev/null || true
        fi
      else
        rm -f "$folder/pids/$part"
        unset "left[$part]"
      fi
    done
    sleep 0.1
  done
}

end 20 daprd-notification daprd-email-delivery daprd-recurring-task daprd-api
end 15 components
end 15 scheduler mail
end 30 kafka rabbitmq redis postgresql
end 5 rabbitmq-names
[ "$only" != "  " ] || say "Everything has ended ($SECONDS s); the data is in $folder"
