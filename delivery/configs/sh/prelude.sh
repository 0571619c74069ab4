# What both programs begin with. POSIX sh, coreutils or busybox. All values come by the environment under names of our own
# (CFG_NAMES lists them) and leave it at once: no command that runs later finds them there. `eval` sees our names only.
set -u
umask 077
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mark=${AS_MARK:-by-hand}
me=$(id -u)
unset AS_MARK
for name in $CFG_NAMES; do
  eval "x_$name=\$CFG_$name"
  unset "CFG_$name"
done
unset CFG_NAMES

# $1 key, $2 value: a line for the portal.
say() { printf '@%s %s %s\n' "$mark" "$1" "$2"; }

# $1 name; its value in $got.
take() { eval "got=\${x_$1:-}"; }

# $1 file; its SHA-256 in $sum, nothing where it cannot be read.
hash_of() {
  sum=$(sha256sum <"$1" 2>/dev/null) || sum=
  sum=${sum%% *}
}

# $1 a folder; whether nobody but root and we can exchange names in it.
is_ours() {
  set -- $(stat -c '%u %a' -- "$1" 2>/dev/null)
  [ $# -eq 2 ] || return 1
  [ "$1" = 0 ] || [ "$1" = "$me" ] || return 1
  [ "$((0$2 & 022))" -eq 0 ]
}

# $1 a folder in the one where we are; goes into it. Whoever may write here could exchange it for a link meanwhile: where we
# came to is compared. A link is followed only where nobody else can have laid it.
step() {
  [ -d "./$1" ] || { refused="the folder $folder is not there"; return 1; }
  before=${PWD%/}
  linked=
  if [ -L "./$1" ]; then
    is_ours . || { refused="a link in a folder of somebody else leads to $folder; name where it leads to"; return 1; }
    linked=1
  fi
  CDPATH= cd -P -- "./$1" 2>/dev/null || { refused="the folder $folder cannot be entered"; return 1; }
  [ "$linked" ] || [ "$PWD" = "$before/$1" ] || { refused="the folder $folder changed meanwhile"; return 1; }
}

# $1 path; goes into its folder: from then on its $name in there is meant, and nobody leads us elsewhere. Why nothing can be
# done there in $refused, nothing where it can.
look() {
  refused=
  name=${1##*/}
  folder=${1%/*}
  folder=${folder:-/}
  way=${1#/}
  CDPATH= cd -P -- /
  while [ "${way#*/}" != "$way" ]; do
    step "${way%%/*}" || return 0
    way=${way#*/}
  done
  if [ -L "./$name" ]; then
    refused="it is a symbolic link there; name the file it leads to"
  elif [ -e "./$name" ] && [ ! -f "./$name" ]; then
    refused="something else than a file is there"
  fi
}
