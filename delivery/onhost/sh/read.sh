# Says what is on this host. Changes nothing, needs no lock, and works where nothing was delivered yet.
say user "$(id -un 2>/dev/null || id -u)"
say arch "$(uname -m)"
say tools "$(for one in timeout setsid curl wget python3 gzip; do command -v "$one" >/dev/null 2>&1 && printf '%s ' "$one"; done)"
if ! reach; then
  say root_refused "$refused"
  exit 0
fi
list() {
  found=
  for one in $(ls -1 "$1" 2>/dev/null | sort -t- -k1,1nr | head -n 150); do
    is_release "$one" || continue
    [ "$1" != releases ] || is_whole "$one" || continue
    found="$found $one"
  done
  say "${1#.adminset/}" "${found# }"
}
find_live
find_previous
say live "$live"
say live_whole "$(is_whole "$live" && echo yes || echo no)"
find_commit "$live"
say commit "$commit"
say previous "$previous"
list releases
list .adminset/good
list .adminset/bad
read_line .adminset/slot
say slot "$line"
say pins "$(cat .adminset/pins 2>/dev/null)"
say free_bytes "$(free_bytes)"
find_lock
say_lock
