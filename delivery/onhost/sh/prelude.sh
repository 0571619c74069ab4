# What every program on a host begins with. POSIX sh, coreutils or busybox. Values come by the environment only: AS_* are the
# portal's, ADMINSET_* reach hooks. All names below the deploy path are relative to it, so that no link above can lead astray.
set -u
umask 022
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
nl='
'
: "${AS_MARK:=by-hand}" "${AS_DEPLOY:=0}" "${AS_WHO:=}"

# $1 key, $2 value: a line for the portal. What files of the host say may hold anything, but no line of its own.
say() {
  said=$2
  case $said in *"$nl"*) said=$(printf %s "$said" | tr '\n' ' ') ;; esac
  printf '@%s %s %s\n' "$AS_MARK" "$1" "$said"
}

# $1 exit code, $2 a sentence.
die() {
  printf '%s\n' "$2" >&2
  say why "$2"
  exit "$1"
}

now() { date -u +%Y-%m-%dT%H:%M:%SZ; }
# To the disk, as far as this host's sync knows how.
flush() { sync "$@" 2>/dev/null || :; }

# $1 file, $2 its only line; whole or not at all.
write_line() {
  printf '%s\n' "$2" >"$1.$$" && mv -f "$1.$$" "$1"
}

# $1 file; its first line in $line, nothing where there is none.
read_line() {
  line=
  [ ! -f "$1" ] || IFS= read -r line <"$1" || :
}

is_release() {
  case $1 in '' | [!0-9A-Za-z]* | *[!0-9A-Za-z._-]*) return 1 ;; esac
  [ "${#1}" -le 100 ]
}

system_folder() {
  case $1/ in
    / | // | /bin/* | /boot/* | /dev/* | /etc/* | /lib/* | /lib32/* | /lib64/* | /proc/* | /sbin/* | /sys/*) return 0 ;;
    /home/ | /media/ | /mnt/ | /opt/ | /root/ | /run/ | /srv/ | /tmp/ | /usr/ | /var/) return 0 ;;
    /usr/bin/* | /usr/include/* | /usr/lib/* | /usr/lib32/* | /usr/lib64/* | /usr/libexec/* | /usr/sbin/*) return 0 ;;
    /usr/share/ | /usr/local/ | /usr/local/bin/* | /usr/local/etc/* | /usr/local/lib/* | /usr/local/sbin/*) return 0 ;;
    /var/backups/ | /var/cache/ | /var/lib/ | /var/local/ | /var/log/ | /var/mail/ | /var/run/* | /var/spool/ | /var/tmp/) return 0 ;;
  esac
  return 1
}

# Why the deploy path is none, in $refused.
root_refused() {
  refused=
  case $1 in /*) ;; *) refused="The deploy path is not absolute." ;; esac
  case $1/ in
    *//* | */./* | */../* | *"$nl"*) refused="The deploy path holds . or .. or an empty part. Write it out." ;;
  esac
  ! system_folder "$1" || refused="The deploy path $1 is a folder of the system. Choose one of its own, such as /srv/app."
  [ "$refused" ]
}

# $1 "make" where the folders are to be made. Goes to the deploy path, or says in $refused why not.
reach() {
  ! root_refused "${AS_ROOT-}" || return 1
  if [ ! -d "$AS_ROOT" ]; then
    [ "${1-}" ] || { refused="The deploy path $AS_ROOT is not there yet." absent=1; return 1; }
    mkdir -p "$AS_ROOT" || { refused="The deploy path $AS_ROOT cannot be made."; return 1; }
  fi
  cd -P "$AS_ROOT" || { refused="The deploy path $AS_ROOT cannot be entered."; return 1; }
  root=$(pwd -P)
  [ "$root" = "$AS_ROOT" ] || { refused="The deploy path leads over a link to $root. Write $root as the deploy path."; return 1; }
  for one in releases shared .adminset .adminset/good .adminset/bad .adminset/incoming; do
    [ ! -L "$one" ] || { refused="$root/$one is a link. It must be a folder."; return 1; }
    [ -z "${1-}" ] || [ -d "$one" ] || mkdir "$one" 2>/dev/null || [ -d "$one" ] || { refused="$root/$one cannot be made."; return 1; }
  done
}

enter() {
  reach "${1-}" || die 74 "$refused"
}

# The release that is live in $live; empty where there is none, `?` where `current` is something else than a link to a release.
find_live() {
  live=
  if [ -L current ]; then
    live=$(readlink current)
    live=${live#"$PWD/"}
    live=${live#./}
    live=${live#releases/}
    live=${live%/}
    is_release "$live" || live='?'
  elif [ -e current ]; then
    live='?'
  fi
}

# A folder under this name was renamed into place when all of it was there.
is_whole() {
  [ -d "releases/$1" ] && [ ! -L "releases/$1" ] && [ -f "releases/$1/.adminset-release" ]
}

# Somebody said that it is bad. What only failed here once is tried again by whoever names it, but not chosen by itself.
is_bad() {
  [ -f ".adminset/bad/$1" ] || return 1
  read_line ".adminset/bad/$1"
  case $line in 'failed '*) return 1 ;; esac
}

# What a program was about to switch when it was ended: the truth is where `current` leads.
find_switching() {
  was= becomes= slot_then=
  [ -f .adminset/switching ] || return 0
  read -r was becomes slot_then <.adminset/switching || :
  [ "$was" != - ] || was=
}

heal() {
  find_switching
  [ "$becomes" ] || return 0
  find_live
  settle_switch
}

# What was begun is done, or was not: $live says which.
settle_switch() {
  if [ "$live" = "$becomes" ]; then
    [ -z "$was" ] || write_line .adminset/previous "$was"
    [ -z "${slot_then#-}" ] || write_line .adminset/slot "$slot_then"
  fi
  rm -f .adminset/switching
}

# The release that was live before, in $previous.
find_previous() {
  read_line .adminset/previous
  previous=$line
  find_switching
  [ -z "$becomes" ] || [ "$live" != "$becomes" ] || previous=$was
  is_release "$previous" || previous=
}

# Who holds the lock: $lock_deploy, $lock_who, $lock_reason, $lock_taken; all empty where it is free.
find_lock() {
  lock_deploy= lock_who= lock_reason= lock_taken=
  [ -d .adminset/lock ] || return 0
  lock_deploy='?'
  [ -f .adminset/lock/owner ] || return 0
  while IFS='=' read -r key value; do
    case $key in
      deploy) lock_deploy=$value ;;
      who) lock_who=$value ;;
      reason) lock_reason=$value ;;
      taken) lock_taken=$value ;;
    esac
  done <.adminset/lock/owner
}

lock_words() {
  words="This host is locked by deploy $lock_deploy (${lock_who:-unknown}, since ${lock_taken:-unknown}): ${lock_reason:-no reason given}."
}

say_lock() {
  say lock "$lock_deploy"
  say lock_who "$lock_who"
  say lock_reason "$lock_reason"
  say lock_taken "$lock_taken"
}

# Only whoever holds the lock may change what is here.
need_lock() {
  find_lock
  [ "$lock_deploy" != "$AS_DEPLOY" ] || return 0
  say_lock
  [ "$lock_deploy" ] || die 75 "Deploy $AS_DEPLOY does not hold the lock of this host any more. Nothing was done."
  lock_words
  die 75 "$words"
}

# "pid start" of a process, in $born; empty where it is gone.
find_born() {
  born=
  stat=
  [ ! -r "/proc/$1/stat" ] || IFS= read -r stat 2>/dev/null <"/proc/$1/stat" || :
  stat=${stat##*) }
  [ "$stat" ] || return 0
  pid=$1
  set -- $stat
  # Of a zombie there is nothing to wait for.
  [ "$1" = Z ] || born="$pid ${20-}"
}

# One program of the portal at a time: the one of a worker that was lost may still be going on here.
alone() {
  left=$((${AS_ALONE_SECONDS:-20} * 5))
  until take_turn; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || die 75 "Another program of the portal is still at work in $PWD (process ${line%%.*})."
    sleep 0.2 2>/dev/null || { sleep 1; left=$((left - 4)); }
  done
  trap 'leave' EXIT
  trap 'exit 143' HUP INT TERM
}

take_turn() {
  # Whoever is at work has put its name there. The name of one that is gone is taken away, and never a folder: in that there may be
  # somebody else by now.
  for line in .adminset/busy/*; do
    line=${line##*/}
    [ "$line" != '*' ] || continue
    find_born "${line%%.*}"
    [ "$born" != "${line%%.*} ${line#*.}" ] || return 1
    rm -rf ".adminset/busy/$line"
  done
  find_born $$
  own=$$.${born#* }
  rm -rf ".adminset/turn.$$"
  mkdir ".adminset/turn.$$" && : >".adminset/turn.$$/$own" || die 76 "Nothing can be written in $PWD/.adminset."
  # Renaming onto a folder that holds something fails: there is one winner.
  mv -T ".adminset/turn.$$" .adminset/busy 2>/dev/null || { rm -rf ".adminset/turn.$$"; return 1; }
}

leave() {
  # Neither takes away what another one has put there meanwhile.
  rm -f ".adminset/busy/${own:-none}"
  rmdir .adminset/busy 2>/dev/null || :
}

# How programs begin that change something here.
begin() {
  enter make
  need_lock
  alone
  # Whoever was at work meanwhile may have given it back.
  need_lock
  heal
}

# $1 word, $2 from, $3 to, $4 commit: a line of the log that outlives the portal's database; the same event is told once.
log_event() {
  event=$(printf 'deploy=%s\tfrom=%s\tto=%s\tcommit=%s\t%s' "$AS_DEPLOY" "${2:--}" "${3:--}" "${4:--}" "$1")
  case $(tail -n 1 revisions.log 2>/dev/null) in *"$event") return 0 ;; esac
  who=$AS_WHO
  case $who in *[!\ -~]*) who=$(printf %s "$who" | tr '\t\n\r' '   ') ;; esac
  printf '%s\twho=%s\t%s\n' "$(now)" "${who:--}" "$event" >>revisions.log
}

# The commit of a release, in $commit.
find_commit() {
  commit=
  # Whoever the files belong to may have put a link there.
  [ ! -L "releases/$1/REVISION" ] || return 0
  read_line "releases/$1/REVISION"
  commit=$line
}

free_bytes() { df -Pk . | { read -r _; read -r _ _ _ free _; echo "$((free * 1024))"; }; }
