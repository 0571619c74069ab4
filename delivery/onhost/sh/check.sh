# Pre-flight: looks at everything a deploy needs here, and changes nothing. A line a check: `check_<id> <ok|warn|fail> <what was seen>`.
result() {
  say "check_$1" "$2 $3"
  [ "$2" = ok ] || printf '%s: %s %s\n' "$2" "$1" "$3"
}
has() { command -v "$1" >/dev/null 2>&1; }

check_tools() {
  missing=
  for one in awk cat cp cut date dd df find grep head id ln ls mkdir mv readlink rm sed sha256sum sort tail tar tr wc xargs; do
    has "$one" || missing="$missing $one"
  done
  [ -z "${AS_COMPRESSED-}" ] || has gzip || missing="$missing gzip"
  mv --help 2>&1 | grep -q -e -T || missing="$missing mv-with--T"
  if [ "$missing" ]; then
    result tools fail "$missing"
  elif has timeout && has setsid; then
    result tools ok ''
  else
    result tools warn 'timeout or setsid'
  fi
}

# The nearest folder above the deploy path that is there, in $near.
find_near() {
  near=$AS_ROOT
  while [ ! -d "$near" ]; do
    near=${near%/*}
    [ "$near" ] || near=/
  done
}

check_path() {
  if root_refused "$AS_ROOT"; then
    result path fail "$refused"
    return 1
  fi
  find_near
  if [ "$near" != "$AS_ROOT" ] && [ -e "$AS_ROOT" ]; then
    result path fail "$AS_ROOT is no folder."
    return 1
  fi
  if [ "$near" = "$AS_ROOT" ]; then
    reach || { result path fail "$refused"; return 1; }
    result path ok "$AS_ROOT"
  else
    cd -P "$near" || return 1
    result path ok "$AS_ROOT will be made"
  fi
}

check_write() {
  for one in . releases shared .adminset; do
    [ "$near" = "$AS_ROOT" ] || [ "$one" = . ] || continue
    [ ! -e "$one" ] || [ -w "$one" ] || { result write fail "$PWD/$one"; return; }
  done
  result write ok "$PWD"
}

check_user() {
  me=$(id -un 2>/dev/null || id -u)
  wanted=${AS_RUN_USER-}
  if [ -z "$wanted" ] || [ "$wanted" = "$me" ]; then
    result user ok "$me"
  elif ! id "$wanted" >/dev/null 2>&1; then
    result user fail "$wanted is not known here"
  elif [ "$(id -u)" = 0 ]; then
    result user ok "$me for $wanted"
  else
    result user fail "$me cannot give files to $wanted"
  fi
}

check_space() {
  free=$(free_bytes)
  need=${AS_NEED_BYTES:-0}
  if [ "$free" -ge "$need" ]; then
    result space ok "$free of $need"
  else
    result space fail "$free of $need"
  fi
  inodes=$(df -Pi . 2>/dev/null | { read -r _; read -r _ _ _ left _; echo "${left-}"; })
  case $inodes in '' | *[!0-9]*) return 0 ;; esac
  # Some file systems have no fixed number and say 0.
  if [ "$inodes" -eq 0 ] || [ "$inodes" -ge "${AS_NEED_FILES:-0}" ]; then
    result inodes ok "$inodes"
  else
    result inodes fail "$inodes of ${AS_NEED_FILES:-0}"
  fi
}

check_current() {
  live=
  [ "$near" != "$AS_ROOT" ] || find_live
  if [ "$live" = '?' ]; then
    result current fail "$PWD/current"
  elif [ "$live" ] && ! is_whole "$live"; then
    result current warn "$PWD/current leads to $live, which is not whole"
  else
    result current ok "$live"
  fi
}

check_shared() {
  missing=
  while IFS= read -r one; do
    [ "$one" ] || continue
    path=${one%/}
    if [ "$path" != "$one" ]; then
      [ ! -e "shared/$path" ] || [ -d "shared/$path" ] || { result shared fail "$PWD/shared/$path is no folder"; return; }
    elif [ ! -e "shared/$path" ]; then
      case $nl${AS_BRINGS-}$nl in *"$nl$path$nl"*) continue ;; esac
      [ -z "${AS_NOT_BUILT-}" ] || { missing="$missing $path"; continue; }
      result shared fail "$PWD/shared/$path is not there"
      return
    fi
  done <<END
${AS_SHARED-}
END
  # What is not built yet may bring them: receiving it refuses, before anything is switched, where it does not.
  [ -z "$missing" ] && result shared ok '' || result shared warn "not in $PWD/shared, unless the release brings it:$missing"
}

check_lock() {
  find_lock
  say_lock
  if [ -z "$lock_deploy" ] || [ "$lock_deploy" = "$AS_DEPLOY" ]; then
    result lock ok ''
  else
    lock_words
    result lock fail "$words"
  fi
}

check_release() {
  [ "${AS_RELEASE-}" ] || return 0
  one=releases/$AS_RELEASE
  if [ -z "${AS_BAD_TOO-}" ] && is_bad "$AS_RELEASE"; then
    result release fail "$AS_RELEASE is marked as bad"
  elif is_whole "$AS_RELEASE"; then
    result release ok "$AS_RELEASE is here already"
  elif [ -e "$one" ] || [ -L "$one" ]; then
    result release fail "$PWD/$one"
  else
    result release ok ''
  fi
}

# Where something is live already, the application itself is what listens there.
check_ports() {
  [ "${AS_PORTS-}" ] && [ -z "$live" ] || return 0
  taken=
  for one in $AS_PORTS; do
    ! is_taken "${one%/*}" "${one#*/}" || taken="$taken $one"
  done
  [ "$taken" ] && result ports fail "${taken# }" || result ports ok "$AS_PORTS"
}

# $1 a port, $2 tcp, where somebody must listen, or udp, where there is no more than a socket.
is_taken() {
  hex=$(printf '%04X' "$1")
  cat "/proc/net/$2" "/proc/net/${2}6" 2>/dev/null | awk -v port=":$hex" -v kind="$2" '
    ($4 == "0A" || kind == "udp") && substr($2, length($2) - 4) == port { found = 1 }
    END { exit !found }'
}

check_health() {
  case ${AS_HEALTH-} in
    http) has curl || has wget || has python3 || { result health fail 'curl, wget or python3'; return; } ;;
    tcp) has python3 || has nc || has bash || { result health fail 'python3, nc or bash'; return; } ;;
  esac
  result health ok ''
}

check_tools
check_user
check_health
check_path || exit 0
check_write
check_space
check_current
check_ports
[ "$near" = "$AS_ROOT" ] || exit 0
check_shared
check_lock
check_release
