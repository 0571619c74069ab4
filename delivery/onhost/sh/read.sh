# Says what is on this host. Changes nothing, needs no lock, and works where nothing was delivered yet.
if ! reach; then
  say root_refused "$refused"
  # A path that cannot be reached says nothing of what is live; that it is not there says so only where no deploy has made it.
  [ "${absent-}" ] && [ "$AS_DEPLOY" = 0 ] || die 74 "$refused"
  say why "$refused"
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
say drained "$([ ! -f .adminset/drained ] || echo 1)"
read_line .adminset/slot
say slot "$line"
find_lock
say_lock
