# Runs the command of one stage on this host, in the release that is on its way (or live), as a hook.
enter
need_lock
find_live
to=${AS_RELEASE:-$live}
is_whole "$to" || to=$live
is_whole "$to" || die 74 "There is no whole release on this host to run the command in."
find_previous
read_line .adminset/slot
slot=$line
tell_hooks "$to" "$previous"
hook command "${AS_COMMAND-}" || { hook_words command; die 70 "$words"; }
