# Whether the application is well after a switch: a command, an HTTP address or a TCP port, asked on the host itself.

# One try; what it saw in $seen.
ask_health() {
  limit=${AS_HEALTH_SECONDS:-10}
  case ${AS_HEALTH-} in
    command)
      code=0
      apart health "$AS_HEALTH_TARGET" "$limit" "releases/$to" || code=$?
      seen="the command ended with exit code $code"
      [ "$code" != 124 ] || seen="the command did not end within $limit s"
      return "$code"
      ;;
    http) ask_http && holds_content ;;
    tcp) ask_tcp ;;
    *) seen="there is no way to ask for ${AS_HEALTH-}"; return 1 ;;
  esac
}

ask_http() {
  answer=.adminset/answer.$$
  code=0
  if command -v curl >/dev/null 2>&1; then
    seen=$(curl -q -g -fsS --noproxy '*' --proto =http,https --max-time "$limit" -o "$answer" "$AS_HEALTH_TARGET" 2>&1) || code=$?
  elif command -v wget >/dev/null 2>&1; then
    seen=$(wget -q -Y off -T "$limit" -O "$answer" "$AS_HEALTH_TARGET" 2>&1) || code=$?
  elif command -v python3 >/dev/null 2>&1; then
    seen=$(python3 -c "$fetch" "$AS_HEALTH_TARGET" "$limit" "$answer" 2>&1) || code=$?
  else
    seen="this host has neither curl nor wget nor python3"
    return 1
  fi
  seen=$(printf %s "${seen:-no answer (code $code)}" | tail -n 1 | cut -c1-300)
  return "$code"
}

fetch='
import sys, urllib.request
door = urllib.request.build_opener(urllib.request.ProxyHandler({}))
with door.open(sys.argv[1], timeout=float(sys.argv[2])) as said, open(sys.argv[3], "wb") as kept:
    kept.write(said.read(1 << 20))
'

forget_answer() {
  [ "${AS_HEALTH-}" != http ] || rm -f "$answer"
}

holds_content() {
  [ "${AS_HEALTH_CONTENT-}" ] || return 0
  head -c 1048576 "$answer" | grep -q -F -e "$AS_HEALTH_CONTENT" || { seen="the answer does not hold the text that is looked for"; return 1; }
}

ask_tcp() {
  host=${AS_HEALTH_TARGET%:*} port=${AS_HEALTH_TARGET##*:}
  host=${host#[} host=${host%]}
  code=0
  seen="nobody takes connections at $AS_HEALTH_TARGET"
  if command -v python3 >/dev/null 2>&1; then
    python3 -c 'import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), float(sys.argv[3]))' "$host" "$port" "$limit" 2>/dev/null || code=1
  elif command -v nc >/dev/null 2>&1; then
    nc -w "$limit" "$host" "$port" </dev/null >/dev/null 2>&1 || code=1
  elif command -v bash >/dev/null 2>&1 && command -v timeout >/dev/null 2>&1; then
    timeout "$limit" bash -c 'exec 3<>"/dev/tcp/$1/$2"' ask "$host" "$port" 2>/dev/null || code=1
  else
    seen="this host has neither python3 nor nc nor bash"
    code=1
  fi
  return "$code"
}

# All tries. True where the application is well; else its log's end is shown, for that is what is looked for next.
health() {
  [ "${AS_HEALTH:-none}" != none ] || return 0
  say stage health
  printf -- '--- health\n'
  [ "${AS_HEALTH_WAIT:-0}" = 0 ] || sleep "$AS_HEALTH_WAIT"
  attempt=1
  while :; do
    seen=
    if ask_health; then
      forget_answer
      say health_attempts "$attempt"
      return 0
    fi
    forget_answer
    printf 'try %s of %s: %s\n' "$attempt" "${AS_HEALTH_ATTEMPTS:-1}" "$seen"
    [ "$attempt" -lt "${AS_HEALTH_ATTEMPTS:-1}" ] || break
    attempt=$((attempt + 1))
    sleep "${AS_HEALTH_PAUSE:-3}"
  done
  say health_attempts "$attempt"
  say health_seen "$seen"
  tries=tries
  [ "$attempt" -ne 1 ] || tries=try
  words="Not well after $attempt $tries: $seen."
  show_log
  return 1
}

# Only where applications log: what the portal's people may see is not all that this login may read. Links count by where they lead.
show_log() {
  [ "${AS_LOG_PATH-}" ] && log=$(readlink -f "$AS_LOG_PATH") || return 0
  case $log in "$PWD"/releases/* | "$PWD"/shared/* | /var/log/*/*) ;; *) return 0 ;; esac
  [ -f "$log" ] || return 0
  printf -- '--- end of %s\n' "$AS_LOG_PATH"
  tail -n 50 "$log" | tail -c 16384
  echo
}
