"""Changes the key under which stored secrets lie: column by column, a few rows at a time, so that it may be killed at any moment."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import models, transaction
from django.db.models.functions import Substr

from adminset import crypto, ring_file
from adminset.crypto import EncryptedTextField, Secret
from adminset.errors import Conflict, DomainError
from adminset.keyring import KeyRing

BATCH = 200


@dataclass(frozen=True)
class Column:
    """A column of sealed texts."""

    model: type[models.Model]
    field: EncryptedTextField

    @property
    def label(self) -> str:
        """Name it: "cmdb.credential.password"."""
        return self.field.context

    def rows(self) -> models.QuerySet[Any]:
        """Give the rows that hold a secret, of every owner, in the order of their keys."""
        held = self.model._base_manager.exclude(**{f"{self.field.name}__isnull": True})
        return held.order_by("pk")

    def sealed(self) -> Iterator[tuple[Any, Secret]]:
        """Give (primary key, sealed text) of each."""
        pairs = self.rows().values_list("pk", self.field.name).iterator()
        return ((pk, secret) for pk, secret in pairs if secret)

    def not_under(self, key_id: str) -> models.QuerySet[Any]:
        """Narrow to rows that another key sealed."""
        prefix = f"{crypto.FORMAT}:{key_id}:"
        start = Substr(self.field.name, 1, len(prefix), output_field=models.CharField())
        return self.rows().annotate(_start=start).exclude(_start=prefix)


@dataclass(frozen=True)
class Trouble:
    """A sealed text that cannot be opened."""

    column: str
    pk: Any
    why: str

    def __str__(self) -> str:
        return f"{self.column} of row {self.pk}: {self.why}"


@dataclass
class Outcome:
    """What a change of keys did: values by column, those that somebody saved meanwhile, those that do not open."""

    changed: Counter[str] = field(default_factory=Counter)
    overtaken: int = 0
    troubles: list[Trouble] = field(default_factory=list)


def columns() -> list[Column]:
    """List every column of sealed texts of every room."""
    return [
        Column(model, found)
        for model in apps.get_models(include_auto_created=True)
        if not model._meta.proxy
        for found in model._meta.local_concrete_fields
        if isinstance(found, EncryptedTextField)
    ]


def census() -> dict[str, Counter[str]]:
    """Count sealed texts by column and by the id of their key; "" for texts that are not sealed as ours are."""
    return {
        column.label: Counter(
            crypto.key_id_of(secret.sealed) for _, secret in column.sealed()
        )
        for column in columns()
    }


def waiting(key_id: str) -> int:
    """Count the sealed texts that are not under this key."""
    return sum(column.not_under(key_id).count() for column in columns())


def rotate(
    key_id: str, on_batch: Callable[[str, int], None], *, batch: int = BATCH
) -> Outcome:
    """Seal every stored secret with one key; what lies under it already is left alone, so that a second call goes on.

    Each batch is a transaction of its own. A value that somebody else saved after it was read stays as they saved it.

    Args:
        key_id: a key of the ring.
        on_batch: told the column and how many of its rows were just gone through.
        batch: rows of one transaction.
    """
    outcome = Outcome()
    for column in columns():
        last: Any = None
        while True:
            with transaction.atomic():
                seen, last = _batch(column, key_id, last, batch, outcome)
            if not seen:
                break
            on_batch(column.label, seen)
    return outcome


def _batch(
    column: Column, key_id: str, after: Any, most: int, outcome: Outcome
) -> tuple[int, Any]:
    """Go through the next rows; give how many, and the last one's key."""
    rows = column.not_under(key_id)
    if after is not None:
        rows = rows.filter(pk__gt=after)
    pairs = list(rows.values_list("pk", column.field.name)[:most])
    for pk, secret in pairs:
        if secret is None:
            continue
        try:
            fresh = reseal(secret.sealed, column.label, key_id)
        except DomainError as error:
            outcome.troubles.append(Trouble(column.label, pk, error.message))
            continue
        name = column.field.name
        still = column.model._base_manager.filter(pk=pk, **{name: secret})
        if still.update(**{name: Secret(fresh, column.label)}):
            outcome.changed[column.label] += 1
        else:
            outcome.overtaken += 1
    return len(pairs), pairs[-1][0] if pairs else after


def reseal(sealed: str, context: str, key_id: str) -> str:
    """Open a text and seal it with another key.

    Raises:
        DomainError: it does not open.
    """
    return crypto.encrypt(crypto.decrypt(sealed, context), context, key_id)


def used_keys() -> set[str]:
    """Name the keys that stored secrets lie under."""
    return {key_id for counts in census().values() for key_id in counts}


def unused_keys() -> list[str]:
    """Name the keys of the ring, but for the first, that no stored secret needs."""
    used, held = used_keys(), list(crypto.ring())
    return [key_id for key_id in held[1:] if key_id not in used]


def drop_unused(ring: KeyRing) -> list[str]:
    """Take the keys that no stored secret needs off the portal's own ring; give their ids.

    Raises:
        Conflict: a secret was saved under one of them at that very moment; the keys are back on the ring.
    """
    if ring.path is None:
        return []
    # SQLite lets nobody write meanwhile; other databases do, so it is looked at once more afterwards.
    with transaction.atomic():
        unused = set(unused_keys())
        taken = ring_file.remove(ring.path, unused) if unused else []
    late = unused & used_keys()
    if late:
        ring_file.put_back(ring.path, taken)
        names = ", ".join(sorted(late))
        raise Conflict(
            f"A secret was saved under {names} just now, so no key was removed.",
            "Run manage.py rotate_keys --drop-old again.",
        )
    return sorted(unused)
