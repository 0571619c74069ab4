"""Finds out in which encoding an uploaded text is written; where that is not certain it is asked for, never guessed."""

import codecs
import re

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from adminset.imports.problems import Unreadable, whole

ENCODINGS = {
    "": gettext_lazy("Find out (UTF-8, UTF-16 with its mark, GB18030)"),
    "utf-8": "UTF-8",
    "gb18030": gettext_lazy("GB18030, GBK (Chinese)"),
    "latin-1": gettext_lazy("Latin-1, Windows-1252 (Western European)"),
}
# What is called Latin-1 is what Windows writes: the same letters, and quotes and the euro sign between them.
CODECS = {"utf-8": "utf-8-sig", "gb18030": "gb18030", "latin-1": "cp1252"}
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
LINE_END = re.compile(rb"\r\n|\r|\n")
# Of the Chinese letters of a real text nearly all are in the old, small set; of Latin-1 misread as Chinese hardly one.
COMMON_SHARE = 0.9


def decode(content: bytes, wanted: str = "") -> tuple[str, str]:
    """Read bytes as text.

    Args:
        wanted: a key of ENCODINGS; "" finds out.

    Returns:
        the text without its byte order mark, and the name of the encoding.

    Raises:
        Unreadable: it is not text of that encoding, or it is not certain which it is.
    """
    if content.startswith(UTF16_MARKS) and wanted == "":
        return _decoded(content, "utf-16"), "UTF-16"
    if wanted:
        return _decoded(content, CODECS[wanted]), str(ENCODINGS[wanted])
    marked = content.startswith(codecs.BOM_UTF8)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if not marked and _is_chinese(content):
            return content.decode("gb18030"), str(ENCODINGS["gb18030"])
        raise _unsure(content, error) from error
    mark = _("with byte order mark")
    return text, f"UTF-8 ({mark})" if marked else "UTF-8"


def _decoded(content: bytes, codec: str) -> str:
    try:
        return content.decode(codec)
    except UnicodeDecodeError as error:
        message = _(
            "This line is not %(encoding)s. Choose another encoding and send the file again."
        )
        line = _line_of(content, error.start)
        raise whole(message % {"encoding": codec}, line) from error


def _is_chinese(content: bytes) -> bool:
    try:
        wide = [sign for sign in content.decode("gb18030") if ord(sign) > 127]
    except UnicodeDecodeError:
        return False
    return sum(map(_is_common, wide)) >= COMMON_SHARE * len(wide)


def _is_common(sign: str) -> bool:
    try:
        sign.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _unsure(content: bytes, error: UnicodeDecodeError) -> Unreadable:
    """Show how the first doubtful word reads either way: who knows the word sees which one is right."""
    around = LINE_END.split(content[max(0, error.start - 20) : error.start])[-1]
    after = LINE_END.split(content[error.start : error.start + 20])[0]
    word = around + after
    message = _(
        "This line is not UTF-8. Read as Latin-1 it says “%(latin)s”, read as GB18030 “%(chinese)s”. "
        "Choose the encoding that reads right and send the file again, or save the file as UTF-8."
    )
    shown = {
        "latin": word.decode("cp1252", "replace"),
        "chinese": word.decode("gb18030", "replace"),
    }
    return whole(message % shown, _line_of(content, error.start), shown["latin"])


def _line_of(content: bytes, place: int) -> int:
    return len(LINE_END.findall(content[:place])) + 1
