"""Seals every stored secret with another key: resumable, with a dry run; docs/secrets.md says the steps."""

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from adminset import audit, crypto, keyring, ring_file, rotation
from adminset.errors import DomainError
from adminset.keyring import KeyRing
from adminset.progress import Bar

ACTOR = audit.SystemActor("command line")


class Command(BaseCommand):
    """`manage.py rotate_keys [--new-key | --to KEY] [--drop-old] [--dry-run]`."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take which key, and what else is done."""
        key = parser.add_mutually_exclusive_group()
        key.add_argument(
            "--new-key",
            action="store_true",
            help="first make a new key and put it at the head of the ring",
        )
        key.add_argument(
            "--to",
            metavar="KEY",
            help="go (back) to this key of the ring instead of the first",
        )
        parser.add_argument(
            "--drop-old",
            action="store_true",
            help="afterwards take the keys that nothing needs any more off the ring",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="only say what would be done"
        )
        parser.add_argument(
            "--batch", type=int, default=rotation.BATCH, help="rows of one transaction"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate; exit code 1 when something could not be opened."""
        try:
            self._check(options)
            if options["dry_run"]:
                self._tell(options)
            else:
                self._do(options)
        except (DomainError, OSError, ValueError) as error:
            hint = getattr(error, "hint", "")
            raise CommandError(" ".join(f"{error} {hint}".split())) from error

    def _check(self, options: dict[str, Any]) -> None:
        if options["batch"] < 1:
            raise CommandError("--batch must be 1 or more.")
        held = list(crypto.ring())
        if options["to"] and options["to"] not in held:
            raise CommandError(
                f"There is no key {options['to']} on the ring. It holds: {', '.join(held)}."
            )
        if (options["new_key"] or options["drop_old"]) and own_ring() is None:
            raise CommandError(
                "The key ring is given by ADMINSET_ENCRYPTION_KEYS, so this command cannot change it. "
                "Make a key with manage.py new_key and put it into that setting yourself; docs/secrets.md says in which order."
            )

    def _tell(self, options: dict[str, Any]) -> None:
        target = "a new key" if options["new_key"] else wanted_key(options)
        total = 0
        for label, counts in rotation.census().items():
            others = {key: n for key, n in counts.items() if key != target}
            total += sum(others.values())
            held = ", ".join(
                f"{n} under {key or 'no key of ours'}"
                for key, n in sorted(counts.items())
            )
            self.stdout.write(
                f"{label}: {held or 'nothing'}; {sum(others.values())} would be sealed with {target}"
            )
        self.stdout.write(f"Dry run: {total} would be changed, nothing was.")
        if options["drop_old"]:
            old = [key for key in crypto.ring() if key != target]
            names = ", ".join(old) or "none"
            self.stdout.write(
                f"Keys that would leave the ring, if all can be opened: {names}."
            )

    def _do(self, options: dict[str, Any]) -> None:
        ring = own_ring()
        if ring is not None:
            self._prepare(ring, options)
        target = wanted_key(options)
        progress = Progress(self.stdout, rotation.waiting(target))
        with progress.bar:
            outcome = rotation.rotate(target, progress.went, batch=options["batch"])
        if outcome.changed or options["to"]:
            _note("keys.rotate", target, outcome.changed)
        self.stdout.write(self._summary(target, outcome))
        if ring is not None and options["drop_old"]:
            self._drop(ring)
        for trouble in outcome.troubles:
            self.stderr.write(str(trouble))
        if outcome.troubles:
            raise CommandError(
                f"{len(outcome.troubles)} stored secrets cannot be opened and stayed as they are. "
                "manage.py check_secrets lists them."
            )

    def _prepare(self, ring: KeyRing, options: dict[str, Any]) -> None:
        if ring.path is None:
            return
        if options["new_key"]:
            entry = keyring.new_encryption_key()
            ring_file.add_first(ring.path, entry)
            name = ring_file.key_id(entry)
            audit.record(ACTOR, "keys.add", changes=[_change("key", name)])
            self.stdout.write(
                f"The new key {name} is at the head of the ring {ring.path}. "
                "If this is broken off, run rotate_keys again without --new-key."
            )
        elif options["to"]:
            ring_file.move_first(ring.path, options["to"])

    def _summary(self, target: str, outcome: rotation.Outcome) -> str:
        first, left = next(iter(crypto.ring())), rotation.waiting(target)
        words = [
            f"{outcome.changed.total()} stored secrets are now sealed with {target}."
        ]
        if outcome.overtaken:
            words.append(
                f"{outcome.overtaken} were saved by somebody meanwhile and stay as saved."
            )
        if left > len(outcome.troubles):
            words.append(f"{left} lie under another key: run this again.")
        if first != target:
            words.append(
                f"New values are still sealed with {first}: put {target} first in ADMINSET_ENCRYPTION_KEYS and restart."
            )
        return " ".join(words)

    def _drop(self, ring: KeyRing) -> None:
        dropped = rotation.drop_unused(ring)
        if dropped:
            audit.record(ACTOR, "keys.drop", changes=[_change("keys", dropped)])
        names = ", ".join(dropped)
        self.stdout.write(
            f"Removed from the ring: {names}. Backups of the database from before still need them."
            if dropped
            else "No key was removed: none is without use."
        )


def own_ring() -> KeyRing | None:
    """Give the ring if it lies in the portal's own file, else None."""
    keys = crypto.ring()
    return keys if isinstance(keys, KeyRing) and keys.ours else None


def wanted_key(options: dict[str, Any]) -> str:
    """Name the key that everything shall lie under."""
    return options["to"] or next(iter(crypto.ring()))


def _change(name: str, new: Any) -> audit.Change:
    return {"field": name, "old": None, "new": new}


def _note(verb: str, target: str, changed: Counter[str]) -> None:
    counts = [_change(label, number) for label, number in sorted(changed.items())]
    audit.record(ACTOR, verb, changes=[_change("key", target), *counts])


class Progress:
    """A bar on a terminal; a line for each batch anywhere else."""

    def __init__(self, out: Any, total: int) -> None:
        self._out, self._total, self._done = out, total, 0
        self.bar = Bar(out, total, "secrets")

    def went(self, label: str, rows: int) -> None:
        """Show how far it is after some more rows of a column."""
        self._done += rows
        self.bar.advance(rows)
        if not self._out.isatty():
            self._out.write(f"{label}: {self._done} of {self._total}")
            self._out.flush()
