"""Static files under names with a hash, those that our scripts import included."""

from typing import ClassVar

from whitenoise.storage import CompressedManifestStaticFilesStorage

IMPORT = (
    r"""(?P<matched>import\s*(?P<names>\{[^}]*\})\s*from\s*"(?P<url>\.\.?/[^"]+)";)"""
)
REWRITE = ((IMPORT, 'import %(names)s from "%(url)s";'),)


class HashedStorage(CompressedManifestStaticFilesStorage):
    """Rewrites `import {...} from "./x.js"` of static/js/, static/terminal/ and static/files/ too.

    Else a script that a page names and another imports would run twice, and an old one would stay in caches. Django can do that for
    all scripts, but trips over those of other packages.
    """

    patterns: ClassVar = (
        *CompressedManifestStaticFilesStorage.patterns,
        ("js/*.js", REWRITE),
        ("terminal/*.js", REWRITE),
        ("files/*.js", REWRITE),
    )
