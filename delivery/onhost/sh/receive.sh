# Takes a pack from stdin and makes release $AS_RELEASE of it, beside the others: nothing that is live is touched.
begin
is_release "${AS_RELEASE-}" || die 74 "The release to receive has no name."
case $AS_SEND_SHA256 in '' | *[!0-9a-f]*) die 74 "The pack has no SHA-256." ;; esac
part=.adminset/incoming/$AS_SEND_SHA256.part
new=releases/.new.$AS_RELEASE.$$
# Of programs that were ended: this is the only one that works here.
rm -rf releases/.new.* shared/.new.*
trap 'rm -rf "$new"; leave' EXIT

size_of() {
  size=0
  [ ! -f "$1" ] || size=$(($(wc -c <"$1")))
}

# What is live, was before, or was good once stays as it is. What only came must still be what came: a host may have lost its power.
is_here() {
  is_whole "$AS_RELEASE" || return 1
  grep -q -x -F -e "artefact=$AS_ARTEFACT" "releases/$AS_RELEASE/.adminset-release" || die 74 "Another artefact is called $AS_RELEASE on this host."
  find_live
  find_previous
  [ "$live" != "$AS_RELEASE" ] && [ "$previous" != "$AS_RELEASE" ] && [ ! -f ".adminset/good/$AS_RELEASE" ] || return 0
  sums=$PWD/.adminset/sums/$AS_RELEASE
  [ -f "$sums" ] && (cd "releases/$AS_RELEASE" && sums_hold "$sums" >/dev/null) && return 0
  printf '%s\n' "Release $AS_RELEASE is here, but its files are not what they were: it comes anew."
  mv -T "releases/$AS_RELEASE" "releases/.gone.$AS_RELEASE.$$" && rm -rf "releases/.gone.$AS_RELEASE.$$"
  return 1
}

if is_here; then
  rm -f "$part"
  say ready "$AS_SEND_SIZE"
  say received already
  exit 0
fi
[ ! -e "releases/$AS_RELEASE" ] && [ ! -L "releases/$AS_RELEASE" ] || die 74 "$PWD/releases/$AS_RELEASE is there, but no release of AdminSet. Move it away."

# $1 how many bytes of stdin to write to stdout. Not to its end: who keeps it open for longer keeps nobody waiting.
read_bytes() {
  # dd writes in larger pieces, but not each dd can count bytes.
  if dd if=/dev/null iflag=fullblock,count_bytes count=0 2>/dev/null; then
    dd bs=131072 iflag=fullblock,count_bytes count="$1" 2>/dev/null
  else
    head -c "$1"
  fi
}

take() {
  size_of "$part"
  [ "$size" -le "$AS_SEND_SIZE" ] || { rm -f "$part"; size=0; }
  left=$((AS_SEND_SIZE - size))
  need=$((left + ${AS_RAW_BYTES:-0}))
  free=$(free_bytes)
  [ "$free" -ge "$need" ] || die 76 "There is no room in $PWD: $need bytes are needed, $free are free."
  say ready "$size"
  began_at=$size
  read_bytes "$left" >>"$part" || no_room "The pack could not be written."
  size_of "$part"
  [ "$size" = "$AS_SEND_SIZE" ] || die 76 "Only $size of $AS_SEND_SIZE bytes came. The next try goes on from there."
  # What came in one go is compared file by file, by lists that the portal vouches for; what came in pieces first as a whole.
  if [ "$began_at" != 0 ] || [ -z "${AS_LISTS_SHA256-}" ]; then
    has_sum "$part" "$AS_SEND_SHA256" || bad_pack "What came is not what was sent: its SHA-256 is $sum."
  fi
}

# What it is and who brought it, for whoever looks on the host.
describe() {
  printf '%s\n' "${AS_COMMIT:-$AS_ARTEFACT}" >"$new/tree/REVISION" && {
    echo "release=$AS_RELEASE"
    echo "artefact=$AS_ARTEFACT"
    echo "commit=${AS_COMMIT-}"
    echo "deploy=$AS_DEPLOY"
    echo "who=$(printf %s "$AS_WHO" | tr '\n\r' '  ')"
    echo "when=$(now)"
  } >"$new/tree/.adminset-release" || no_room "The release could not be described."
}

# What later looks compare the release with: without what is shared, which changes.
keep_sums() {
  mkdir -p .adminset/sums .adminset/own || die 76 "Nothing can be written in $PWD/.adminset."
  awk '
    BEGIN { count = split(ENVIRON["AS_SHARED"] "\nREVISION\n.adminset-release", shared, "\n") }
    {
      path = substr($0, 69)
      for (i = 1; i <= count; i++) {
        one = shared[i]
        sub("/$", "", one)
        if (one != "" && (path == one || index(path, one "/") == 1)) next
      }
      print
    }' "$new/sums" >"$new/kept" && mv -f "$new/kept" ".adminset/sums/$AS_RELEASE" || no_room "The sums of the release could not be kept."
}

take
say stage unpack
unpack
say stage verify
verify
keep_sums
link_shared "$new/tree"
describe
give "$new/tree"
rm -rf ".adminset/own/$AS_RELEASE"
[ ! -d "$new/replaced" ] || mv -T "$new/replaced" ".adminset/own/$AS_RELEASE" || die 76 "Nothing can be written in $PWD/.adminset."
# Nothing was ever well that comes only now.
rm -f ".adminset/good/$AS_RELEASE"
mv -T "$new/tree" "releases/$AS_RELEASE" || die 76 "The release could not be put in its place."
rm -f "$part"
say received yes
say size "$AS_SEND_SIZE"
