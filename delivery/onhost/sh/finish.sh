# After a deploy: marks the live release as good, writes the log, clears old releases away, gives the lock back.
enter make
# One that was lost may still be at work here, and comes to its end meanwhile.
alone
find_lock
find_live
to=${AS_RELEASE:-$live}
read_line .adminset/finished
# A try of this deploy came to its end, and only its report was lost.
case $lock_deploy/$live/$line in
  "/$to/$AS_DEPLOY $to "*)
    say removed "${line#"$AS_DEPLOY $to "}"
    say live "$live"
    say done yes
    exit 0
    ;;
esac
need_lock
heal
[ "$live" = "$to" ] || die 74 "Release ${live:-none} is live here, not $to. Nothing was marked."
find_commit "$to"
find_previous
# What failed once is well now.
is_bad "$to" || rm -f ".adminset/bad/$to"
[ -f ".adminset/good/$to" ] || write_line ".adminset/good/$to" "$(now) deploy $AS_DEPLOY" || die 76 "Nothing can be written in $PWD/.adminset."
log_event "${AS_WORD:-deployed}" "$previous" "$to" "$commit"
[ -z "${AS_PINS+set}" ] || write_line .adminset/pins "$(printf %s "$AS_PINS" | tr '\n' ' ')"

# What must stay: live, the one before, both slots, pinned ones, what a process works in, and the newest good ones.
read_line .adminset/pins
stays=" $live $previous $to $line $(readlink blue) $(readlink green) "
stays=$(printf %s "$stays" | sed 's|releases/||g')
number=0
for one in $(ls -1 .adminset/good | sort -t- -k1,1nr); do
  is_whole "$one" && [ ! -f ".adminset/bad/$one" ] || continue
  number=$((number + 1))
  [ "$number" -gt "${AS_KEEP:-5}" ] || stays="$stays$one "
done
used=$(ls -l /proc/[0-9]*/cwd /proc/[0-9]*/exe 2>/dev/null | sed -n 's|.* -> ||p')
in_use() {
  case $nl$used$nl in *"$nl$PWD/releases/$1/"* | *"$nl$PWD/releases/$1$nl"* | *"$nl$PWD/releases/$1 (deleted)"*) return 0 ;; esac
  return 1
}
# What is to go is renamed first: under its own name a release is always whole. Its good mark goes before it: without its release
# it would speak for whatever comes under this name later.
remove() {
  rm -f ".adminset/good/$1" && mv -T "releases/$1" "releases/.gone.$1.$$" && rm -f ".adminset/bad/$1" ".adminset/sums/$1" && rm -rf ".adminset/own/$1"
  gone="$gone $1"
}
gone=
for one in $(ls -1 releases); do
  is_release "$one" && [ ! -L "releases/$one" ] || continue
  case $stays in *" $one "*) continue ;; esac
  # A higher number was brought here for later.
  [ -f ".adminset/good/$one" ] || [ -f ".adminset/bad/$one" ] || [ "${one%%-*}" -lt "${live%%-*}" ] 2>/dev/null || continue
  in_use "$one" || remove "$one"
done
for one in releases/.gone.* releases/.new.* .adminset/gone.* .adminset/turn.* .*."$AS_DEPLOY".*; do
  if [ -L "$one" ]; then
    rm -f "$one"
  elif [ -d "$one" ]; then
    rm -rf "$one" 2>/dev/null || { chmod -R u+rwX "$one" && rm -rf "$one"; }
  fi
done
find .adminset/incoming -type f -mmin +1440 -exec rm -f {} + 2>/dev/null
say removed "${gone# }"
say live "$live"
say previous "$previous"
# The lock goes last: whoever comes again without it finds here that all was done.
write_line .adminset/finished "$AS_DEPLOY $to ${gone# }" || die 76 "Nothing can be written in $PWD/.adminset."
mv -T .adminset/lock .adminset/unlocked.$$ && rm -rf .adminset/unlocked.*
say done yes
