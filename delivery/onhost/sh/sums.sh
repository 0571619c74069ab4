# SHA-256 of files. OpenSSL uses what the processor has for it, five times as fast as sha256sum; where it is missing, old, or says
# something else than expected, sha256sum has the last word. Its configuration stays out of it: that may bring in a device to wait for.

# $1 a list as `sha256sum -c` reads it, of paths from here; wrong ones are told on stdout as `sha256sum -c` tells them.
sums_hold() {
  [ -s "$1" ] || return 0
  wanted=$(sha256sum <"$1") || return 1
  if command -v openssl >/dev/null 2>&1 && [ "$wanted" ]; then
    [ "$(told_by_openssl "$1" | sha256sum)" != "$wanted" ] || return 0
  fi
  sha256sum -c "$1" 2>/dev/null
}

# $1 such a list: what it would have to be.
told_by_openssl() {
  cut -c 67- "$1" | tr '\n' '\000' | OPENSSL_CONF=/dev/null xargs -0 openssl dgst -sha256 -r 2>/dev/null | sed 's/ \*/  /'
}

# $1 a file, $2 what its SHA-256 has to be; what it is in $sum.
has_sum() {
  if command -v openssl >/dev/null 2>&1; then
    sum=$(OPENSSL_CONF=/dev/null openssl dgst -sha256 -r <"$1" 2>/dev/null)
    sum=${sum%% *}
    [ "$sum" != "$2" ] || return 0
  fi
  sum=$(sha256sum <"$1")
  sum=${sum%% *}
  [ "$sum" = "$2" ]
}
