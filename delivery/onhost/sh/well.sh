# Asks once more whether the live release is well, as after a switch. Changes nothing.
enter
need_lock
find_live
to=$live
is_whole "$to" || die 74 "There is no whole release live on this host."
find_previous
read_line .adminset/slot
slot=$line
tell_hooks "$to" "$previous"
say live "$live"
health || die 78 "$words"
say well yes
