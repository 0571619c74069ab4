# Files and folders that all releases share: they lie in shared/ and are linked into each release.

# $1 a path of the list; $path without the slash of a folder, $folder "1" for one. Refuses what leads out of a release.
take_shared() {
  path=${1%/} folder=
  [ "$path" = "$1" ] || folder=1
  case /$path/ in
    *//* | */./* | */../* | /-*) die 74 "The shared path $1 is no path within a release." ;;
  esac
}

# $1 a folder, $2 a path in it: true where no part above the last is a link, which could lead anywhere.
no_link_above() {
  above=$1 rest=$2
  while :; do
    case $rest in */*) ;; *) return 0 ;; esac
    above=$above/${rest%%/*} rest=${rest#*/}
    [ ! -L "$above" ] || return 1
  done
}

# $1 the folder of a release: lets each shared path of it lead to shared/, from where it will stand.
link_shared() {
  while IFS= read -r one; do
    [ "$one" ] || continue
    take_shared "$one"
    no_link_above "$1" "$path" || die 74 "The release has a link above the shared path $path. Nothing was switched."
    fill_shared "$1"
    up=../.. rest=$path
    while :; do
      case $rest in */*) up=../$up rest=${rest#*/} ;; *) break ;; esac
    done
    case $path in */*) mkdir -p "$1/${path%/*}" || die 76 "The folder of the shared path $path cannot be made." ;; esac
    set_aside "$1"
    ln -s "$up/shared/$path" "$1/$path" || die 76 "The shared path $path cannot be linked."
  done <<END
${AS_SHARED-}
END
}

# What the release brought there is kept: the next pack may build on it.
set_aside() {
  [ -e "$1/$path" ] || [ -L "$1/$path" ] || return 0
  kept=$new/replaced/$path
  mkdir -p "${kept%/*}" && mv -T "$1/$path" "$kept" || die 76 "$path of the release cannot be set aside."
}

# $1 the folder of a release: what it brings is the first content of what is not in shared/ yet.
fill_shared() {
  if [ -e "shared/$path" ]; then
    [ -z "$folder" ] || [ -d "shared/$path" ] || die 74 "$PWD/shared/$path is no folder, but the release wants one."
    return 0
  fi
  # Folders in there may belong to others, and lead anywhere.
  no_link_above shared "$path" || die 74 "$PWD/shared has a link above $path. Make $path there by hand."
  case $path in */*) mkdir -p "shared/${path%/*}" || die 76 "The folder of $PWD/shared/$path cannot be made." ;; esac
  rm -rf shared/.new.$$
  if [ -e "$1/$path" ]; then
    cp -Rp "$1/$path" shared/.new.$$ || die 76 "$PWD/shared/$path cannot be filled from the release."
  elif [ "$folder" ]; then
    mkdir shared/.new.$$ || die 76 "$PWD/shared/$path cannot be made."
  else
    die 74 "The shared file $PWD/shared/$path is not there, and the release brings none. Put it there."
  fi
  give shared/.new.$$
  mv -T shared/.new.$$ "shared/$path" || die 76 "$PWD/shared/$path cannot be made."
}

# Where root delivers for another user, what is delivered becomes that user's.
give() {
  [ "${AS_RUN_USER-}" ] && [ "$(id -u)" = 0 ] || return 0
  chown -hR -- "$AS_RUN_USER${AS_RUN_GROUP:+:$AS_RUN_GROUP}" "$1" || die 74 "$1 cannot be given to $AS_RUN_USER."
}

# $1 release: says in $words which shared path of it leads nowhere.
shared_lead() {
  words=
  while IFS= read -r one; do
    [ "$one" ] || continue
    take_shared "$one"
    [ -L "releases/$1/$path" ] && [ -e "releases/$1/$path" ] || words="The shared path $path of release $1 leads nowhere: look at $PWD/shared."
  done <<END
${AS_SHARED-}
END
  [ -z "$words" ]
}
