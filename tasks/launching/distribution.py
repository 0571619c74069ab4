"""The files that a run brings to hosts: rows of a file of the library, where it goes, whose it is there."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tasks.launching.rows import Column, RowsField, RowsWidget
from tasks.models import StoredFile

KEYS = ("file", "path", "owner", "group", "mode", "backup")
# An absolute path without steps back; what else is in it is quoted or sent as data by the lane.
PATH = re.compile(r"\A/(?!.*(?:^|/)\.\.(?:/|\Z))[^\x00-\x1f\x7f]{1,1000}\Z")
ACCOUNT = re.compile(r"\A[A-Za-z_][\w.-]{0,63}\$?\Z|\A\d{1,10}\Z")
MODE = re.compile(r"\A0?[0-7]{3,4}\Z")


class DistributionField(RowsField):
    """Cleans to [{"file", "path", "owner", "group", "mode", "backup"}]; `files` are those that the user may bring."""

    files: QuerySet[StoredFile]

    def __init__(self, **kwargs: Any) -> None:
        self.files = StoredFile.objects.none()
        super().__init__(
            required=False,
            widget=RowsWidget(
                (
                    Column("file", gettext_lazy("File"), "select", choices=list),
                    Column(
                        "path",
                        gettext_lazy("To"),
                        placeholder=gettext_lazy("To: /etc/motd"),
                    ),
                    Column("owner", gettext_lazy("Owner")),
                    Column("group", gettext_lazy("Group")),
                    Column(
                        "mode",
                        gettext_lazy("Mode"),
                        placeholder=gettext_lazy("Mode: 0644"),
                    ),
                    Column("backup", gettext_lazy("Keep the old"), "tick"),
                ),
                gettext_lazy("Add a file"),
            ),
            **kwargs,
        )

    def offer(self, files: QuerySet[StoredFile]) -> None:
        """Offer files."""
        self.files = files
        first, *others = self.widget.columns
        choices: Callable[[], Iterable[tuple[str, str]]] = lambda: [  # noqa: E731
            (str(pk), name) for pk, name in files.values_list("pk", "name")
        ]
        chosen = Column(first.name, first.label, "select", choices=choices)
        self.widget.columns = (chosen, *others)

    def clean(self, value: Any) -> list[dict[str, Any]]:
        """Read rows.

        Raises:
            ValidationError: a file that there is not, or a place that cannot be.
        """
        found = self.to_python(value)
        if not isinstance(found, list):
            raise forms.ValidationError(_("Give a list of files."))
        rows, wrong = [], []
        asked = {_key(row.get("file")) for row in found if isinstance(row, Mapping)}
        known = set(self.files.filter(pk__in=asked).values_list("pk", flat=True))
        for row in found:
            problem = _problem(row, known)
            if problem:
                wrong.append(problem)
            else:
                rows.append(_kept(row))
        if wrong:
            raise forms.ValidationError(wrong)
        return rows

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare what is meant: a page sends texts."""
        try:
            return self.clean(data) != (initial or [])
        except forms.ValidationError:
            return True


def _key(value: Any) -> int:
    text = str(value or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0


def _kept(row: Mapping[str, Any]) -> dict[str, Any]:
    texts = {k: str(row.get(k) or "").strip() for k in ("owner", "group", "mode")}
    return {
        "file": _key(row.get("file")),
        "path": str(row["path"]).strip(),
        **texts,
        "backup": bool(row.get("backup")),
    }


def _problem(row: Any, known: set[int]) -> str:
    if not isinstance(row, Mapping) or set(row) - {*KEYS, "version"}:
        return _("A row has: %(keys)s.") % {"keys": ", ".join(KEYS)}
    path = str(row.get("path") or "").strip()
    if _key(row.get("file")) not in known:
        return _("Choose a file of the library for %(path)s.") % {"path": path or "-"}
    if not PATH.match(path):
        return _(
            "Give the whole path on the host, such as /etc/motd, without .. in it."
        )
    kept = _kept(row)
    for name in ("owner", "group"):
        if kept[name] and not ACCOUNT.match(kept[name]):
            return _("%(name)s is no name of an account.") % {"name": kept[name][:40]}
    if kept["mode"] and not MODE.match(kept["mode"]):
        return _("A mode is three or four digits from 0 to 7, such as 0644.")
    return ""
