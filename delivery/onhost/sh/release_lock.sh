# Gives the lock of this host back. AS_BREAK=1 takes it from whoever holds it, and the log says so.
reach || exit 0
[ "${AS_BREAK-}" ] || [ ! -d .adminset ] || alone
find_lock
if [ -z "$lock_deploy" ]; then
  say lock ''
  exit 0
fi
if [ "$lock_deploy" != "$AS_DEPLOY" ]; then
  [ "${AS_BREAK-}" ] || { say_lock; lock_words; die 75 "$words"; }
  [ -z "${AS_LOCK_OF-}" ] || [ "$AS_LOCK_OF" = "$lock_deploy" ] || { say_lock; die 75 "Another deploy took the lock meanwhile: $lock_deploy."; }
  log_event "lock of deploy $lock_deploy broken"
fi
rm -rf .adminset/unlocked.*
mv -T .adminset/lock .adminset/unlocked.$$ || die 76 "The lock in $PWD/.adminset cannot be removed."
rm -rf .adminset/unlocked.$$
say lock ''
