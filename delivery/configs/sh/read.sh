# Says of each file f<n>: s (as it should be), d (differs), m (is missing), x <why>; and of one that is there a<n>: mode, owner,
# group, size, time of its last change. Of one that differs the text follows, packed, in c<n>.0, c<n>.1 and so on, with the
# secrets that belong into it masked here already: they go nowhere. t<n> says why there is no text.
n=$x_COUNT
left=$x_BUDGET

# stdin: a text; stdout: the same without the secrets, line by line. $0 is not changed in place: a secret may look like a mask.
masked() {
  (
    number=0
    while [ "$number" -lt "$x_SECRETS" ]; do
      take "S$number"
      eval "export CFG_S$number=\$got"
      number=$((number + 1))
    done
    export CFG_SECRETS="$x_SECRETS" CFG_MASK="$x_MASK" LC_ALL=C
    awk '
      BEGIN { n = ENVIRON["CFG_SECRETS"] + 0; for (i = 0; i < n; i++) s[i] = ENVIRON["CFG_S" i] }
      {
        line = $0
        for (i = 0; i < n; i++) {
          done = ""; rest = line
          while ((at = index(rest, s[i])) > 0) {
            done = done substr(rest, 1, at - 1) ENVIRON["CFG_MASK"]
            rest = substr(rest, at + length(s[i]))
          }
          line = done rest
        }
        print line
      }'
  )
}

send_text() { # $1 number, $2 what to read
  take "${1}_TEXT"
  [ "$got" ] || { say "t$1" new; return; }
  for tool in awk gzip base64 fold; do
    command -v "$tool" >/dev/null 2>&1 || { say "t$1" tools; return; }
  done
  size=$(wc -c <"$2") || { say "t$1" unreadable; return; }
  [ "$((size))" -le "$x_MOST" ] || { say "t$1" long; return; }
  packed=$(masked <"$2" | gzip -c | base64 | tr -d '\n')
  [ "$packed" ] || { say "t$1" unreadable; return; }
  [ "${#packed}" -le "$left" ] || { say "t$1" long; return; }
  left=$((left - ${#packed}))
  piece=0
  printf '%s\n' "$packed" | fold -w 3600 | while IFS= read -r line; do
    say "c$1.$piece" "$line"
    piece=$((piece + 1))
  done
}

# $1 number; the file is open as 3. What was opened is what stands there under its name: no link that came in between.
tell() {
  opened=/proc/self/fd/3
  [ ! -L "./$name" ] && [ "$(stat -L -c '%d:%i' $opened)" = "$(stat -c '%d:%i' -- "./$name")" ] || {
    say "f$1" "x it changed meanwhile"
    return
  }
  hash_of $opened
  [ "$sum" ] || { say "f$1" "x it cannot be read"; return; }
  say "a$1" "$(stat -L -c '%a %U %G %s %Y' $opened)"
  if [ "$sum" = "$sha" ]; then
    say "f$1" s
  else
    say "f$1" d
    send_text "$1" $opened
  fi
  return 0
}

at=0
while [ "$at" -lt "$n" ]; do
  take "${at}_PATH" && path=$got
  take "${at}_SHA" && sha=$got
  look "$path"
  if [ "$refused" ]; then
    say "f$at" "x $refused"
  elif [ ! -e "./$name" ]; then
    say "f$at" m
  elif [ ! -r "./$name" ]; then
    say "f$at" "x it cannot be read"
  else
    { tell "$at"; } 3<"./$name" || say "f$at" "x it cannot be read"
  fi
  at=$((at + 1))
done
exit 0
