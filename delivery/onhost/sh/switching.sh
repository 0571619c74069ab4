# The switch itself, forward or back: gates before, one rename, gates after. `current` leads to a whole release at every moment.

# $1 a link, $2 where it leads: replaced in one step, read back.
point() {
  new=.$1.$AS_DEPLOY.$$
  [ ! -L "$new" ] || rm -f "$new"
  ln -s "$2" "$new" || return 1
  # One rename; without -T a link to a folder would be moved into that folder.
  mv -T -f "$new" "$1" || { rm -f "$new"; return 1; }
  flush .
  [ "$(readlink "$1")" = "$2" ]
}

# $1 a sentence: nothing was switched, and the host goes back to its work.
stay() {
  kept=$1
  rm -f .adminset/switching
  find_live
  return_unswitched || kept="$kept The command that takes it into the balancer again failed: it is still out of it."
  say live "$live"
  say switched no
  die 74 "$kept Nothing was switched: release ${live:-none} is live."
}

# $1 exit code, $2 a sentence: the switch is made, and something after it went wrong.
after_all() {
  say switched yes
  die "$1" "$2 Release $to is live here."
}

# What has to be there before anything is done for release $to.
may_switch() {
  is_release "$to" || stay "The release to switch to has no name."
  is_whole "$to" || stay "Release $to is not whole on this host."
  [ "$live" != '?' ] || stay "$PWD/current is no link to a release. Move it away."
  [ "${AS_BAD_TOO-}" ] || ! is_bad "$to" || stay "Release $to is marked as bad here."
  shared_lead "$to" || stay "$words"
}

# Makes release $to live. $1 the word for the log.
put_live() {
  trap ended HUP INT TERM PIPE
  say drained "$([ ! -f .adminset/drained ] || echo 1)"
  find_live
  from=$live
  say from "$from"
  say to "$to"
  may_switch
  choose_slot
  tell_hooks "$to" "$from"
  if [ "$from" != "$to" ]; then
    to_disk
    before
    slot_first
    switch "$1"
    send_there || unswitch
  fi
  say switched yes
  say live "$to"
  # Where it was live already, an earlier try came this far: what follows the switch is done again.
  [ "$slot" ] && [ "$from" != "$to" ] || well_again
  [ "$from" != "$to" ] || send_there || after_all 77 "$words"
  hook after_switch "${AS_AFTER_SWITCH-}" || { hook_words after_switch; after_all 79 "$words"; }
  take_in || { hook_words back; after_all 79 "$words"; }
}

# All of a release is on the disk before it is live: it has to be there after a loss of power, too.
to_disk() {
  [ ! -f ".adminset/good/$to" ] || return 0
  find "releases/$to" -type f -exec sync {} + 2>/dev/null || :
}

before() {
  hook before_switch "${AS_BEFORE_SWITCH-}" || { hook_words before_switch; stay "$words"; }
  [ -z "${AS_DRAIN-}" ] || take_out
}

# Out of the balancer. The mark stands until the host is in it again, and says with which release it went: whoever comes after a
# kill knows by it.
take_out() {
  out_with=${from:--}
  [ ! -f .adminset/drained ] || find_mark
  # What went out with another release, or ill, is not well because somebody takes it out once more.
  [ "$out_with" = "${from:--}" ] || out_with=-unsure
  write_line .adminset/drained "$AS_DEPLOY $out_with" || stay "Nothing can be written in $PWD/.adminset."
  flush .adminset/drained
  say drained 1
  hook drain "$AS_DRAIN" && return 0
  # It is out since before its last switch: what cannot be taken out once more is no reason to stay on an ill release.
  [ "$out_with" = -unsure ] || { hook_words drain; stay "$words"; }
}

# With which release the host went out of the balancer, in $out_with.
find_mark() {
  out_with=
  read -r _ out_with <.adminset/drained || :
}

take_in() {
  hook back "${AS_BACK-}" || return 1
  # A way without a balancer leaves the mark to the one that took the host out.
  [ "${AS_DRAIN-}${AS_BACK-}" ] || return 0
  rm -f .adminset/drained
  say drained ''
}

# Where nothing was switched since the host was taken out, what is live is as well as it was then: it may work again.
return_unswitched() {
  # A host on which nothing is live has nothing to work with.
  [ -f .adminset/drained ] && [ "$live" ] || return 0
  find_mark
  [ "$out_with" = "$live" ] || return 0
  is_whole "$to" || to=$live
  is_whole "$to" || return 0
  tell_hooks "$to" "${from-}"
  take_in
}

# Ended from outside, or nobody listens any more: the host goes back to its work where that is safe. Whoever ends it may not wait
# for that: then the mark stays.
ended() {
  # Not ignored: hooks would inherit that.
  trap : HUP INT TERM PIPE
  end_hook
  find_live
  # Into a pipe that nobody reads the hook could not write either.
  say live "$live" 2>/dev/null || exec >/dev/null 2>&1
  return_unswitched || :
  exit 143
}

# $1 the word for the log. What is about to be done is written down first, so that it can be known after any end.
switch() {
  say stage switch
  find_previous
  previous_before=$previous
  write_line .adminset/switching "${from:--} $to ${slot:--}" || stay "Nothing can be written in $PWD/.adminset."
  flush .adminset/switching
  point current "releases/$to" || stay "$PWD/current could not be switched."
  say switched yes
  find_switching
  live=$to
  settle_switch
  log_event "$1" "$from" "$to" "$commit"
}

well_again() {
  # From here on nobody knows how well it is: only after all gates it goes back to its work.
  [ ! -f .adminset/drained ] || write_line .adminset/drained "$AS_DEPLOY -unsure"
  hook restart "${AS_RESTART-}" || { hook_words restart; after_all 77 "$words"; }
  health || after_all 78 "$words"
}

# Blue-green: the slot that does not serve gets the release, is started and asked; only then all are sent there.
choose_slot() {
  slot= slot_before=
  [ "${AS_SWITCH_COMMAND-}" ] || return 0
  read_line .adminset/slot
  slot_before=$line
  other=blue
  [ "$line" != blue ] || other=green
  slot=$other
  [ "$live" != "$to" ] || slot=$line
  case $slot in blue | green) ;; *) slot=blue ;; esac
  [ -L "$slot" ] || [ ! -e "$slot" ] || stay "$PWD/$slot is no link. Move it away."
  say slot "$slot"
}

slot_first() {
  [ "$slot" ] || return 0
  point "$slot" "releases/$to" || stay "$PWD/$slot could not be pointed at release $to."
  hook restart "${AS_RESTART-}" || { hook_words restart; stay "$words"; }
  health || stay "$words"
}

# Only once `current` says so: whoever looks after a kill in between finds the release that all may have been sent to.
send_there() {
  [ "$slot" ] || return 0
  hook switch "$AS_SWITCH_COMMAND" || { hook_words switch; return 1; }
}

# All stay where they are: `current` says so again. Where it cannot, the new release is live, and the way back has to come.
unswitch() {
  if [ "$from" ]; then
    write_line .adminset/switching "$to $from ${slot_before:--}" && point current "releases/$from"
  else
    rm -f current
  fi
  heal
  find_live
  [ "$live" = "$from" ] || after_all 77 "$words $PWD/current could not be switched back."
  as_before previous "$previous_before"
  as_before slot "$slot_before"
  log_event 'switch failed' "$to" "$from"
  stay "$words"
}

# $1 a file of .adminset, $2 its line; gone where it had none.
as_before() {
  if [ "$2" ]; then
    write_line ".adminset/$1" "$2"
  else
    rm -f ".adminset/$1"
  fi
}
