"""Whom we trust over TLS: read once a process, because reading all authorities of the world costs more than a request."""

import functools
import ssl
from pathlib import Path


def trust(authorities: str, *, verify: bool) -> ssl.SSLContext:
    """Give what connections are opened with; shared by all that trust the same.

    Args:
        authorities: file of the certificates that are trusted; a changed file is read again.
        verify: False: nobody has to prove anything.
    """
    if not verify:
        return _anybody()
    return _of_file(authorities, Path(authorities).stat().st_mtime_ns)


@functools.lru_cache(maxsize=8)
def _of_file(authorities: str, changed_at: int) -> ssl.SSLContext:
    found = ssl.create_default_context(cafile=authorities)
    found.set_alpn_protocols(["http/1.1"])
    return found


@functools.cache
def _anybody() -> ssl.SSLContext:
    found = ssl.create_default_context()
    found.check_hostname, found.verify_mode = False, ssl.CERT_NONE
    found.set_alpn_protocols(["http/1.1"])
    return found
