# Makes an earlier release live again: $AS_TO, or the one before. The same gates as forward; only the switch, so it takes seconds.
begin
find_live
to=${AS_TO-}
ADMINSET_ROLLBACK=1
export ADMINSET_ROLLBACK
# The one before, or else the newest good one that is not marked as bad.
choose() {
  find_previous
  for one in $previous $(ls -1 .adminset/good 2>/dev/null | sort -t- -k1,1nr); do
    to=$one
    is_release "$one" && [ "$one" != "$live" ] && [ ! -f ".adminset/bad/$one" ] && is_whole "$one" && return 0
  done
  to=
}
# A try of this deploy that was ended went back already: not one further.
read_line .adminset/back
case $line in "$AS_DEPLOY $live") to=${to:-$live} ;; esac
[ "$to" ] || choose
[ "$to" ] || stay "There is no earlier release on this host to go back to."
is_release "$to" && write_line .adminset/back "$AS_DEPLOY $to" || stay "Nothing can be written in $PWD/.adminset."
if [ "${AS_MARK_BAD-}" ] && [ "$live" != "$to" ] && is_release "$live" && [ ! -f ".adminset/bad/$live" ]; then
  write_line ".adminset/bad/$live" "failed in deploy $AS_DEPLOY $(now)" || stay "Nothing can be written in $PWD/.adminset."
fi
put_live 'switched back'
