# Putting a release together from a pack (delivery/artefacts/packs.py, format 1): whole, or with what an earlier release has.

# $1 key: its value in the plan of the pack, in $value.
planned() {
  value=
  while IFS='=' read -r key rest; do
    [ "$key" != "$1" ] || value=$rest
  done <"$new/plan"
}

# The files of the earlier release did not do: the whole pack is the way out, and the portal knows by this line.
base_fails() {
  say base_broken yes
  die 76 "$1"
}

# $1 a sentence: the bytes themselves are not what is wanted, so that they are not kept for a next try.
bad_pack() {
  say pack_broken yes
  rm -f "$part"
  die 76 "$1"
}

unpack() {
  mkdir "$new" || die 76 "$PWD/$new cannot be made."
  if [ "${AS_COMPRESSED-}" ]; then
    gzip -dc <"$part" | tar -xof - -C "$new"
  else
    # Of this option GNU's tar alone knows: it writes in larger pieces.
    TAR_OPTIONS=--blocking-factor=512 tar -xof "$part" -C "$new"
  fi || { say pack_broken yes; rm -f "$part"; no_room "The pack could not be unpacked."; }
  [ -f "$new/plan" ] && [ -d "$new/tree" ] || bad_pack "The pack is none."
  lists=$(cd "$new" && cat plan sums links exec | sha256sum)
  [ "${AS_LISTS_SHA256:-${lists%% *}}" = "${lists%% *}" ] || bad_pack "What came is not what was sent: the SHA-256 of its lists is ${lists%% *}."
  planned format
  [ "$value" = 1 ] || bad_pack "The pack is of format $value, which is not known here."
  planned artefact
  [ "$value" = "$AS_ARTEFACT" ] || bad_pack "The pack holds another artefact than the one that is wanted."
  planned base
  [ -z "$value" ] || take_from_base "$value"
  copies new "$new/tree"
  set_modes
}

no_room() {
  rm -rf "$new"
  free=$(free_bytes)
  [ "$free" -gt 1048576 ] || rm -f "$part"
  die 76 "$1 $free bytes are free in $PWD."
}

# $1 the SHA-256 of the artefact that the base has to be.
take_from_base() {
  base=releases/${AS_BASE:-none}
  is_release "${AS_BASE-}" && is_whole "$AS_BASE" || base_fails "The release ${AS_BASE:-?}, which the pack builds on, is not whole here."
  grep -q -x -F -e "artefact=$1" "$base/.adminset-release" || base_fails "The release $AS_BASE is not what the pack builds on."
  # What shared links took the place of.
  own=.adminset/own/$AS_BASE
  : >"$new/moved"
  [ ! -d "$own" ] || (cd "$own" && find . -type f) >"$new/moved"
  grep -v -x -F -f "$new/moved" "$new/same" >"$new/plain"
  grep -x -F -f "$new/moved" "$new/same" >"$new/own"
  take_same "$base" plain
  [ ! -d "$own" ] || take_same "$own" own
  copies base "$base"
  while IFS=$tab read -r number from into; do
    find_base_file "$from"
    make_way "$into"
    patch_file "$number" "$found" "$new/tree/$into"
  done <"$new/patches"
}

tab=$(printf '\t')

# $1 a folder, $2 the list of what to take from it.
take_same() {
  [ -s "$new/$2" ] || return 0
  list=$PWD/$new/$2
  (cd "$1" && tar -cf - -T "$list") | tar -xof - -C "$new/tree" || base_fails "Not all files of the release $AS_BASE are there any more."
}

find_base_file() {
  found=$base/$1
  [ ! -f "$own/$1" ] || found=$own/$1
  [ -f "$found" ] && [ ! -L "$found" ] || base_fails "The file $1 of the release $AS_BASE is not there any more."
}

# $1 a file to come: its folder.
make_way() {
  way=$new/tree/$1
  [ -d "${way%/*}" ] || mkdir -p "${way%/*}" || no_room "A folder of the release could not be made."
}

# $1 base or new: the copies from there.
copies() {
  while IFS=$tab read -r where from into; do
    [ "$where" = "$1" ] || continue
    found=$new/tree/$from
    [ "$1" = new ] || find_base_file "$from"
    make_way "$into"
    cp "$found" "$new/tree/$into" || no_room "A file of the release could not be copied."
  done <"$new/copies"
}

# $1 number of the patch, $2 the file as it was, $3 as it is to be.
patch_file() {
  planned block
  block=$value
  (
    while read -r act one two; do
      case $act in
        b) block=$one ;;
        c) dd if="$2" bs="$block" skip="$one" count="$two" 2>/dev/null ;;
        l) cat "$new/patch/$1/$one" ;;
        *) false ;;
      esac || exit 1
    done <"$new/patch/$1/ops" >"$3"
  ) || no_room "A file of the release could not be put together."
}

set_modes() {
  (
    cd "$new/tree" || exit 1
    find . -type d -exec chmod 755 {} +
    find . -type f -exec chmod 644 {} +
    [ ! -s ../exec ] || tr '\n' '\000' <../exec | xargs -0 chmod 755
  ) || die 76 "The modes of the release's files could not be set."
}

# Every file by its SHA-256, every link by where it leads, and nothing beyond.
verify() {
  (
    cd "$new/tree" || exit 1
    sums_hold ../sums >../wrong || exit 1
    planned_files=$(sed -n 's/^files=//p' ../plan)
    [ "$(($(find . -type f | wc -l)))" = "$planned_files" ] || exit 1
    [ "$(($(find . -type l | wc -l)))" = "$(($(wc -l <../links)))" ] || exit 1
    while IFS=$tab read -r path target; do
      [ "$(readlink "$path")" = "$target" ] || exit 1
    done <../links
  ) && return 0
  bad=$(sed -n 's/: FAILED.*//p' "$new/wrong" 2>/dev/null | head -n 3 | tr '\n' ' ')
  planned base
  [ -z "$value" ] || base_fails "What was put together is not the artefact: ${bad:-files are missing or too many}."
  bad_pack "What was unpacked is not the artefact: ${bad:-files are missing or too many}."
}
