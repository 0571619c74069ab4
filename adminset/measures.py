"""Says numbers in words with their units: lengths of time, sizes, shares."""

from datetime import timedelta

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def distance(seconds: float) -> str:
    """Say a length of time in its largest unit."""
    whole = int(seconds)
    if whole < 60:
        return ngettext("%(n)d second", "%(n)d seconds", whole) % {"n": whole}
    if whole < 3600:
        minutes = whole // 60
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    if whole < 86400:
        hours = whole // 3600
        return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}
    days = whole // 86400
    return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}


def duration(value: timedelta | float | str | None) -> str:
    """Say a length of time in its two largest units: "2 d 4 h", "3 min 20 s", "0.4 s"."""
    if value is None or value == "":
        return "-"
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if seconds < 10 and seconds != int(seconds):
        return _("%(n)s s") % {"n": formats.localize(round(seconds, 1))}
    rest = int(seconds)
    units = [(86400, _("d")), (3600, _("h")), (60, _("min")), (1, _("s"))]
    parts = []
    for size, unit in units:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or f"0 {units[-1][1]}"


def filesize_iec(value: float | str | None) -> str:
    """Say a number of bytes in powers of 1024 ("15.5 GiB"); "-" when it is not known."""
    if value is None or value == "":
        return "-"
    size = float(value)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(size) < 1024:
            digits = 0 if unit == "B" or size == int(size) else 1
            return f"{formats.number_format(size, decimal_pos=digits)} {unit}"
        size /= 1024
    return f"{formats.number_format(size, decimal_pos=1)} PiB"


def percent(value: float | str | None) -> str:
    """Say a percentage (0 to 100) with one digit after the point below 10; "-" when it is not known."""
    if value is None or value == "":
        return "-"
    number = float(value)
    return f"{formats.number_format(number, decimal_pos=1 if 0 < abs(number) < 10 else 0)} %"
