# Running what people wrote: hooks, restarts, commands. Each in a session of its own, with a time-out, without what is the portal's.

# $1 stage, $2 text for /bin/sh, $3 seconds, $4 the folder it runs in. Gives its exit code, 124 where its time was over.
apart() {
  timeout=$(command -v timeout) || timeout=
  setsid=$(command -v setsid) || setsid=
  [ "$timeout" ] || printf '%s\n' "This host has no \`timeout\`: only the time-out of the whole stage counts."
  find_seconds
  began=$seconds_now
  inner "$@" &
  child=$!
  code=0
  wait "$child" || code=$?
  group=$child child=
  # A time-out ends with 124 (coreutils), 137 or 143 (busybox), which a command may also end with by itself.
  find_seconds
  if [ "$((seconds_now - began))" -ge "$3" ]; then
    case $code in 124 | 137 | 143) code=124; [ -z "$setsid" ] || kill -9 "-$group" 2>/dev/null || : ;; esac
  fi
  # What it wrote last may be half a line.
  echo
  return "$code"
}

# Ends the hook that is at work, with all that it began.
end_hook() {
  [ "${child-}" ] || return 0
  kill -9 "-$child" 2>/dev/null || kill -9 "$child" 2>/dev/null || :
  child=
}

# Seconds of a clock that nobody sets, in $seconds_now.
find_seconds() {
  if [ -r /proc/uptime ]; then
    read -r seconds_now _ </proc/uptime
    seconds_now=${seconds_now%%.*}
  else
    seconds_now=$(date +%s)
  fi
}

# All variables of the portal's own leave the environment, but for those that bring the hook's. A line within a value may look
# like one, and is then none.
forget_own() {
  while IFS= read -r name; do
    case $name in 'export AS_N_'* | 'export AS_V_'* | 'export AS_VARS='*) continue ;; 'export AS_'*) ;; *) continue ;; esac
    name=${name#export }
    name=${name%%=*}
    case $name in *[!A-Z0-9_]*) ;; *) unset "$name" ;; esac
  done <<END
$(export -p)
END
}

named='
AS_I=1
while [ "$AS_I" -le "${AS_VARS:-0}" ]; do
  eval "export \"\$AS_N_$AS_I=\$AS_V_$AS_I\"; unset AS_N_$AS_I AS_V_$AS_I"
  AS_I=$((AS_I + 1))
done
unset AS_I AS_VARS'

inner() {
  cd "$4" || exit 126
  ADMINSET_STAGE=${AS_STAGE:-$1} ADMINSET_TEXT=$2
  export ADMINSET_STAGE ADMINSET_TEXT
  seconds=$3
  # A variable of the hook gets its name in the hook's own shell: no program of ours is started under it.
  set -- /bin/sh -c "$named"'
eval "unset ADMINSET_TEXT; $ADMINSET_TEXT"'
  [ -z "$timeout" ] || set -- "$timeout" -k 10 "$seconds" "$@"
  [ -z "$setsid" ] || set -- "$setsid" "$@"
  forget_own
  exec "$@" </dev/null 2>&1
}

# $1 stage, $2 text: a hook of the release that is on its way. Nothing to do is well done.
hook() {
  [ "$2" ] || return 0
  say stage "$1"
  printf -- '--- %s\n' "${AS_STAGE:-$1}"
  code=0
  apart "$1" "$2" "${AS_HOOK_SECONDS:-600}" "releases/$to" || code=$?
  say "code_$1" "$code"
  [ "$code" = 0 ] || printf -- '--- exit code %s\n' "$code"
  return "$code"
}

# $1 stage, for a sentence about the hook that ended just now.
hook_words() {
  case $code in
    124) words="The command of stage ${AS_STAGE:-$1} did not end within ${AS_HOOK_SECONDS:-600} s and was ended." ;;
    *) words="The command of stage ${AS_STAGE:-$1} ended with exit code $code." ;;
  esac
}

# What hooks are told beside what came with the leg: $1 the release that is to be live, $2 the one that is.
tell_hooks() {
  ADMINSET_RELEASE=$1 ADMINSET_PREVIOUS=$2 ADMINSET_ROOT=$PWD ADMINSET_RELEASE_PATH=$PWD/releases/$1
  find_commit "$1"
  ADMINSET_COMMIT=$commit ADMINSET_SLOT=${slot-}
  export ADMINSET_RELEASE ADMINSET_PREVIOUS ADMINSET_ROOT ADMINSET_RELEASE_PATH ADMINSET_COMMIT ADMINSET_SLOT
}
