# Marks release $AS_RELEASE as bad (or, with AS_GOOD_AGAIN=1, no longer): nobody goes back to it by chance.
enter
is_release "${AS_RELEASE-}" || die 74 "The release to mark has no name."
if [ "${AS_GOOD_AGAIN-}" ]; then
  rm -f ".adminset/bad/$AS_RELEASE"
  log_event "no longer bad" "" "$AS_RELEASE"
else
  mkdir -p .adminset/bad && write_line ".adminset/bad/$AS_RELEASE" "$(now) $AS_WHO: $(printf %s "${AS_REASON-}" | tr '\n' ' ')" || die 76 "Nothing can be written in $PWD/.adminset."
  log_event "marked bad" "" "$AS_RELEASE"
fi
say marked yes
