# Takes the lock of this host for deploy $AS_DEPLOY. Taking it again is ok; where another holds it, says who.
one_line() { printf %s "$1" | tr '\n\r' '  '; }
enter make
find_lock
[ -z "$lock_deploy" ] || need_lock
alone
heal
mine=.adminset/lock.$$
rm -rf .adminset/lock.*
mkdir "$mine" && {
  echo "deploy=$AS_DEPLOY"
  echo "who=$(one_line "$AS_WHO")"
  echo "reason=$(one_line "${AS_REASON-}")"
  echo "taken=$(now)"
} >"$mine/owner" || die 76 "Nothing can be written in $PWD/.adminset."
# Before it is taken: whoever hears nothing at all need not look for it.
say stage lock
# A folder that comes with its owner in it: renaming onto one that holds something fails, so there is one winner.
mv -T "$mine" .adminset/lock 2>/dev/null || rm -rf "$mine"
need_lock
find_live
say_lock
say live "$live"
