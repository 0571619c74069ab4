"""What is sent to a host to end the processes of a run there, children and all."""

from __future__ import annotations

import shlex

CONFIRMED = b"nothing left"
TOKEN_VARIABLE = "ADMINSET_RUN"  # noqa: S105 - the name of a variable, no secret

# Only sh, grep, sleep and /proc, so that it runs under dash and busybox alike.
# $1 a token that marks the processes, $2 the root of a tree that stays itself,
# $3 the branch of that tree that this script hangs on. Zombies do not count.
# $4 the name of a folder that the marked processes worked in and that goes with them.
# The command line counts too: a slow login shell may not have set the mark yet. [N] keeps grep from finding itself.
_STOP = r"""
token=$1 top=$2 keep=$3 folder=$4
wipe() {
  [ -z "$folder" ] || rm -rf -- "/tmp/$folder" "/var/tmp/$folder" "$HOME/$folder"
}
[ -r /proc/self/status ] || { echo "no /proc"; exit 1; }
list() {
  for status in /proc/[0-9]*/status; do
    while read -r key value rest; do
      case $key in
        State:) state=$value ;;
        Pid:) pid=$value ;;
        PPid:) [ "$state" = Z ] || echo "$pid $value"; break ;;
      esac
    done <"$status"
  done 2>/dev/null
}
search() {
  pairs=$(list)
  found=" $top "
  if [ "$token" ]; then
    for file in $(grep -ls "ADMINSET_RU[N]=$token" /proc/[0-9]*/environ /proc/[0-9]*/cmdline); do
      file=${file#/proc/}
      found="$found${file%%/*} "
    done
  fi
  grown=1
  while [ "$grown" ]; do
    grown=
    while read -r pid parent; do
      case $found in *" $pid "*) continue ;; esac
      [ "$pid" = "$keep" ] && continue
      case $found in *" $parent "*) found="$found$pid "; grown=1 ;; esac
    done <<END
$pairs
END
  done
  victims=
  for pid in $found; do
    [ "$pid" = "$top" ] || victims="$victims $pid"
  done
}
for signal in TERM 0 0 0 0 0 KILL 0 0 0; do
  search
  [ "$victims" ] || { wipe; echo "nothing left"; exit 0; }
  kill -s $signal $victims 2>/dev/null
  sleep 0.2 2>/dev/null || sleep 1
done
wipe
echo "left:$victims"
exit 1
"""

# Finds the process that serves this SSH connection: all commands of the connection
# are its children, whatever they were started by.
_WALK = r"""
pid=$$ keep=
while [ "$pid" -gt 1 ]; do
  while read -r key value rest; do
    case $key in Name:) name=$value ;; PPid:) parent=$value; break ;; esac
  done <"/proc/$pid/status"
  case $name in sshd*|dropbear*) break ;; esac
  keep=$pid pid=$parent
done
[ "$pid" -gt 1 ] || { echo "no sshd above"; exit 1; }
"""


def _as_root(script: str, user: str = "") -> str:
    named = f"-u {shlex.quote(user)} " if user else ""
    return f"sudo -S -p '' {named}/bin/sh -c {script}"


def stop_by_token(
    token: str, *, as_root: bool, user: str = "", folder: str = ""
) -> str:
    """Return the command line that ends all processes marked with `token`, and removes their `folder`.

    With `as_root` it goes through sudo (as `user`, where there is one), which reads a password line from stdin.
    It prints CONFIRMED when nothing is left, within about 3 seconds.
    """
    words = f"{shlex.quote(token)} '' '' {shlex.quote(folder)}"
    line = f"{shlex.quote(_STOP)} stop {words}"
    return _as_root(line, user) if as_root else f"/bin/sh -c {line}"


def stop_by_connection(*, as_root: bool, token: str = "") -> str:
    """Return the command line that ends all other commands of its SSH connection, and what is marked with `token`.

    Takes and prints the same as `stop_by_token`.
    """
    line = f'{shlex.quote(_STOP)} stop {shlex.quote(token)} "$pid" "$keep"'
    stop = _as_root(line) if as_root else f"/bin/sh -c {line}"
    return f"/bin/sh -c {shlex.quote(_WALK + stop)}"
