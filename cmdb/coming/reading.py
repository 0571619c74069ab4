"""Reads what people typed into AdminSet's boxes of text: sizes, numbers, days, money. Nothing of it is evaluated."""

import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from cmdb.legacy_facts import DISK, UNITS, VERSION

SIZE = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s*([KMGTP]?)(?:i?B)?", re.IGNORECASE)
TIMES = re.compile(r"(.+?)\s*[*x×]\s*(\d{1,3})", re.IGNORECASE)
TIMES_BEFORE = re.compile(r"(\d{1,3})\s*[*x×]\s*(.+)", re.IGNORECASE)
BETWEEN = re.compile(r"[,，;；+、]|\s+\+\s+")
CPUS = re.compile(r"(\d{1,5})\s*(?:核|个|颗|线程|cores?|c|threads?|v?cpus?)?", re.I)
DAY = re.compile(r"((?:19|20)\d\d)(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d\d)(\d\d))")
HOUR = re.compile(r"[T ]\d\d?:\d\d.*")
MONEY = re.compile(r"(\d{1,12}|\d{1,3}(?:,\d{3})+)(\.\d{1,6})?")
BIG = {"万": 10_000, "亿": 100_000_000}
CURRENCIES = {
    "￥": "CNY",
    "¥": "CNY",
    "RMB": "CNY",
    "CNY": "CNY",
    "元": "CNY",
    "人民币": "CNY",
    "US$": "USD",
    "$": "USD",
    "USD": "USD",
    "美元": "USD",
    "€": "EUR",
    "EUR": "EUR",
    "欧元": "EUR",
    "HKD": "HKD",
}
CENT = Decimal("0.01")


def text(value: Any) -> str:
    """Give a value as plain text: no control characters, and none of those that turn the line round."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    lines = str(value).replace("\r\n", "\n").replace("\r", "\n")
    kept = (c for c in lines if c in "\n\t" or unicodedata.category(c)[0] != "C")
    return "".join(kept).strip()


def size(said: str) -> int | None:
    """Read "32", "32 GB", "32768M" as bytes; a bare number means GB, as in AdminSet."""
    found = SIZE.fullmatch(said.strip())
    if not found:
        return None
    return int(Decimal(found[1]) * UNITS[found[2].upper() or "G"]) or None


def disks(said: str) -> int | None:
    """Add up disks: what AdminSet's agent sent ("['Disk /dev/sda: 20 GiB']"), or "2*500G + 1T" as people type it."""
    told = DISK.findall(said)
    if told:
        return int(sum(Decimal(number) * UNITS[unit] for _name, number, unit in told))
    parts = [part.strip() for part in BETWEEN.split(said) if part.strip()]
    sizes = [_many(part) for part in parts]
    return sum(each for each in sizes if each) if sizes and all(sizes) else None


def _many(part: str) -> int | None:
    """Read one size, or so many of one size."""
    for pattern, number, rest in ((TIMES, 2, 1), (TIMES_BEFORE, 1, 2)):
        found = pattern.fullmatch(part)
        one = size(found[rest]) if found else None
        if found and one:
            return int(found[number]) * one or None
    return size(part)


def cpus(said: str) -> int | None:
    """Read "8", "8核", "8 cores"."""
    found = CPUS.fullmatch(said.strip())
    return int(found[1]) or None if found else None


def day(said: Any) -> str | None:
    """Read a day as people write it, as ISO; None where it is none."""
    if isinstance(said, datetime | date):
        return said.strftime("%Y-%m-%d")
    found = DAY.fullmatch(HOUR.sub("", str(said).strip()))
    if not found:
        return None
    try:
        return date(*(int(each) for each in found.groups() if each)).isoformat()
    except ValueError:
        return None


def money(said: str) -> tuple[Decimal, str] | None:
    """Read "￥12,000元", "1.2万", "$ 500" as (amount, currency); the currency is "" where none is said."""
    rest, currency, factor = said.upper().strip(), "", 1
    for mark in sorted(CURRENCIES, key=len, reverse=True):
        if mark in rest:
            currency = currency or CURRENCIES[mark]
            rest = rest.replace(mark, "")
    rest = rest.strip()
    if rest[-1:] in BIG:
        factor, rest = BIG[rest[-1]], rest[:-1].strip()
    found = MONEY.fullmatch(rest)
    if not found:
        return None
    amount = Decimal(found[1].replace(",", "") + (found[2] or "")) * factor
    return amount.quantize(CENT), currency


def release(said: str) -> tuple[str, str]:
    """Split "CentOS Linux 7.6" into name and version."""
    found = VERSION.fullmatch(said)
    return (found[1], found[2]) if found else (said, "")
