# Says whether the files of what is live are still what was delivered. Changes nothing.
reach || die 74 "$refused"
find_live
say live "$live"
say whole "$(is_whole "$live" && echo yes || echo no)"
is_release "$live" && [ -f ".adminset/sums/$live" ] || exit 0
sums=$PWD/.adminset/sums/$live
cd "releases/$live" || exit 74
wrong=$(sums_hold "$sums" | sed -n 's/: FAILED.*//p')
count=0
[ -z "$wrong" ] || count=$(printf '%s\n' "$wrong" | wc -l)
say changed "$((count))"
say changed_files "$(printf '%s\n' "$wrong" | head -n 20 | tr '\n' ' ' | cut -c1-3000)"
