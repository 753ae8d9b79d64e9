#!/usr/bin/env bash
# Stops what scripts/real-up.sh started, and keeps the data. Clients stop before their servers: the sidecars release their events and
# finish their deliveries while the components still answer; then the components, then the stores.
#
# Usage: scripts/real-down.sh [folder [part…]]      folder is .nudge-real by default; parts are named as in folder/pids, by default all
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

# end SECONDS PART…: terminates these parts at the same time, and kills those that do not exit within that time.
end() {
  local patience=$1 part pid begun deadline
  local -A left=()
  shift
  for part; do
    [ -f "$folder/pids/$part" ] || continue
    [ "$only" = "  " ] || [[ $only == *" $part "* ]] || continue
    read -r pid begun <"$folder/pids/$part"
    # Process ids are reused; start times are not.
    if [ "$(began "$pid")" != "$begun" ]; then
      say "$part had already exited"
      rm -f "$folder/pids/$part"
      continue
    fi
    left[$part]=$pid
    case $part in
      # Immediately, without waiting for its clients; its child processes follow.
      postgresql) kill -INT "$pid" 2>/dev/null || true ;;
      *) kill -TERM -- "-$pid" 2>/dev/null || true ;;
    esac
  done
  [ ${#left[@]} -gt 0 ] || return 0
  say "Stopping ${!left[*]}"
  deadline=$((SECONDS + patience))
  while [ ${#left[@]} -gt 0 ]; do
    for part in "${!left[@]}"; do
      pid=${left[$part]}
      if kill -0 "$pid" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null; then
        if [ $SECONDS -ge $deadline ]; then
          say "$part does not exit within $patience s: killing it"
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
[ "$only" != "  " ] || say "Everything is stopped ($SECONDS s); the data is in $folder"
