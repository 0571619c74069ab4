# Puts files in place: all are written beside their places, checked and validated before the first one moves. The folders may
# belong to the application: what root writes there lies in a folder of our own ($own), which nobody else can write into or
# move away from its place, and comes out of it by renaming, which follows no links. Says of each
# file f<n>: s (it was so already), p (placed), n (not touched), x <why>; of each reload command r<n>: k, or x <exit code>.
# Exit: 0 well, 74 nothing was changed, 76 only some were placed, 77 a reload command failed.
n=$x_COUNT
bad=
own=.adminset-config
start=$(pwd)

each() { # $1 a function, called with the number of each file
  at=0
  while [ "$at" -lt "$n" ]; do
    "$1" "$at" || return 1
    at=$((at + 1))
  done
}

# From the folder of a file into our own one there: from then on the file is ../$name.
enter_own() {
  mkdir -m 700 -- "./$own" 2>/dev/null
  [ ! -L "./$own" ] || return 1
  outer=${PWD%/}
  CDPATH= cd -P -- "./$own" 2>/dev/null || return 1
  [ "$PWD" = "$outer/$own" ] && [ -O . ] && is_ours .
}

# What a try left behind, this one or one that was killed; then our folder, unless something is kept in it.
remove_new() {
  file "$1"
  [ -z "$refused" ] || return 0
  rm -f -- "./.adminset-new-$key"
  [ -d "./$own" ] && enter_own || return 0
  rm -f -- "new-$key" "copy-$key"
  rmdir -- "../$own" 2>/dev/null
  return 0
}
trap 'each remove_new' EXIT
trap 'exit 143' HUP INT TERM

fail() { # $1 number, $2 why
  printf 'File %s: %s.\n' "$1" "$2" >&2
  say "f$1" "x $2"
  eval "state_$1=x"
  bad=1
}

# $1 a command of the portal's people, $2 the file that it is about: an argument, never text of the command.
command_on() {
  (
    CDPATH= cd -- "$start" 2>/dev/null || cd /
    if command -v timeout >/dev/null 2>&1; then
      timeout "$x_SECONDS" /bin/sh -c "$1" adminset "$2" </dev/null
    else
      /bin/sh -c "$1" adminset "$2" </dev/null
    fi
  )
}

file() { # $1 number: what is wanted of it, in variables; goes into its folder
  take "${1}_PATH" && path=$got
  take "${1}_KEY" && key=$got
  take "${1}_OWNER" && owner=$got
  take "${1}_GROUP" && group=$got
  take "${1}_MODE" && mode=$got
  take "${1}_SHA" && sha=$got
  look "$path"
}

is_so() {
  [ -f "./$name" ] || return 1
  hash_of "./$name"
  [ "$sum" = "$sha" ] || return 1
  [ "$((0$(stat -c %a -- "./$name")))" -eq "$((0$mode))" ] || return 1
  [ -z "$owner" ] || [ "$owner" = "$(stat -c %U -- "./$name")" ] || return 1
  [ -z "$group" ] || [ "$group" = "$(stat -c %G -- "./$name")" ]
}

write_new() { # $1 number
  rm -f -- "$new" "../.adminset-new-$key" || return 1
  : >"$new" || return 1
  take "${1}_PARTS" && parts=$got
  part=0
  while [ "$part" -lt "$parts" ]; do
    take "${1}_T$part"
    printf %s "$got" >>"$new" || return 1
    part=$((part + 1))
  done
}

own_new() {
  if [ -f "../$name" ]; then
    [ "$owner" ] || owner=$(stat -c %u -- "../$name")
    [ "$group" ] || group=$(stat -c %g -- "../$name")
    [ "$owner" != "$(stat -c %u -- "$new")" ] || owner=
    [ "$group" != "$(stat -c %g -- "$new")" ] || group=
  fi
  [ -z "$owner" ] || chown -- "$owner" "$new" || return 1
  [ -z "$group" ] || chgrp -- "$group" "$new" || return 1
  chmod -- "$mode" "$new"
}

stage() { # $1 number
  file "$1"
  [ -z "$refused" ] || { fail "$1" "$refused"; return 0; }
  if is_so; then
    eval "state_$1=s"
    return 0
  fi
  new=new-$key
  enter_own || { fail "$1" "no folder of our own can be made beside it ($own)"; return 0; }
  write_new "$1" || { fail "$1" "it cannot be written beside its place"; return 0; }
  hash_of "$new"
  [ "$sum" = "$sha" ] || { fail "$1" "what arrived is not what was sent"; return 0; }
  own_new || { fail "$1" "owner, group or mode cannot be set"; return 0; }
  sync -- "$new" 2>/dev/null || sync
  take "${1}_VALIDATE"
  if [ "$got" ]; then
    # What the file names without a path is looked for beside it.
    beside=.adminset-new-$key
    mv -fT -- "$new" "../$beside" || { fail "$1" "it cannot be written beside its place"; return 0; }
    code=0
    command_on "$got" "${path%/*}/$beside" || code=$?
    [ "$code" -eq 0 ] || { fail "$1" "the validate command ended with exit code $code"; return 0; }
  fi
  eval "state_$1=n"
}

# $1 stamp: a copy of the former file into our own folder; the newest $x_KEEP stay.
keep_former() {
  rm -f -- "copy-$key"
  cp -pP -- "../$name" "copy-$key" || return 1
  mv -fT -- "copy-$key" "./$name.$1" || return 1
  set -- "./$name".[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]-[0-9][0-9][0-9][0-9][0-9][0-9]
  while [ $# -gt "$x_KEEP" ]; do
    rm -f -- "$1"
    shift
  done
}

place() { # $1 number
  eval "state=\$state_$1"
  [ "$state" = n ] || return 0
  file "$1"
  [ -z "$refused" ] || { fail "$1" "$refused"; return 1; }
  enter_own || { fail "$1" "the folder $own beside it changed meanwhile"; return 1; }
  new=new-$key
  take "${1}_VALIDATE"
  [ -z "$got" ] || new=../.adminset-new-$key
  take "${1}_STAMP"
  if [ "$got" ] && [ -f "../$name" ]; then
    keep_former "$got" || { fail "$1" "no copy of the former file can be kept"; return 1; }
  fi
  # Whoever takes over after a loss between here and the reload command knows that it is still to come.
  : >"reload-$key" || { fail "$1" "its folder cannot be written"; return 1; }
  mv -fT -- "$new" "../$name" || { fail "$1" "it cannot be moved into its place"; return 1; }
  sync -- .. 2>/dev/null
  hash_of "../$name"
  [ "$sum" = "$sha" ] || { fail "$1" "what stands there now is not what was sent"; return 1; }
  eval "state_$1=p"
}

tell() {
  eval "state=\$state_$1"
  [ "$state" = x ] || say "f$1" "$state"
}

wants_reload() {
  file "$1"
  eval "state=\$state_$1"
  [ "$state" = p ] || { [ "$state" = s ] && [ -e "./$own/reload-$key" ]; } || return 0
  take "${1}_RELOAD"
  [ -z "$got" ] || eval "wanted_$got=1"
}

forget_pending() {
  file "$1"
  take "${1}_RELOAD"
  if [ "$got" ]; then
    eval "ended=\${ended_$got:-0}"
    [ "$ended" -eq 0 ] || return 0
  fi
  [ -z "$refused" ] && [ -d "./$own" ] && enter_own || return 0
  rm -f -- "reload-$key"
}

each stage
if [ "$bad" ]; then
  each tell
  exit 74
fi
each place
each tell
[ -z "$bad" ] || exit 76
each wants_reload
number=0
code_of_all=0
while [ "$number" -lt "$x_RELOADS" ]; do
  eval "wanted=\${wanted_$number:-}"
  if [ "$wanted" ]; then
    take "R$number"
    code=0
    command_on "$got" "" || code=$?
    eval "ended_$number=\$code"
    if [ "$code" -eq 0 ]; then
      say "r$number" k
    else
      say "r$number" "x $code"
      code_of_all=77
    fi
  fi
  number=$((number + 1))
done
each forget_pending
exit "$code_of_all"
