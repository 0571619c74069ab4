# Says what is live and whether its files are still what was delivered (AS_DEEP=1). Changes nothing.
reach || { say root_refused "$refused"; exit 0; }
find_live
find_previous
find_commit "$live"
say live "$live"
say previous "$previous"
say commit "$commit"
say whole "$(is_whole "$live" && echo yes || echo no)"
find_lock
say_lock
[ "${AS_DEEP-}" ] && is_release "$live" && [ -f ".adminset/sums/$live" ] || exit 0
sums=$PWD/.adminset/sums/$live
cd "releases/$live" || exit 74
wrong=$([ ! -s "$sums" ] || sha256sum -c "$sums" 2>/dev/null | sed -n 's/: FAILED.*//p')
count=0
[ -z "$wrong" ] || count=$(printf '%s\n' "$wrong" | wc -l)
say changed "$((count))"
say changed_files "$(printf '%s\n' "$wrong" | head -n 20 | tr '\n' ' ' | cut -c1-3000)"
say checked "$(($(wc -l <"$sums")))"
