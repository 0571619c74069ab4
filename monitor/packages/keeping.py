"""Lists of packages on their way into the database: cut to size, kept once for all hosts that have the same, purged."""

import hashlib
from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from adminset import audit
from cmdb.models import Agent
from cmdb.services.agents import AgentIdentity
from monitor.package_models import HostPackages, InstalledPackage, PackageList
from monitor.packages import asking
from monitor.reported_inventory import Packages

Entry = tuple[str, str, str]
LONGEST = (200, 200, 50)
CHUNK = 500


def keep(*, agent: AgentIdentity, sent: Packages) -> bool:
    """Keep the list that a host sent; False, and nothing is kept, where nobody asked for one."""
    entries = _clean(sent.entries or ())
    kept = entries[: settings.PACKAGES_PER_HOST]
    with transaction.atomic():
        asked = HostPackages.objects.select_for_update().waiting()
        row = asked.filter(pk=agent.host_id).select_related("host").first()
        if row is None:
            return False
        row.packages, row.left_out = _listed(kept), len(entries) - len(kept)
        row.manager, row.hash = (sent.manager or "")[:20], (sent.hash or "")[:64]
        row.listed_at, row.asked_at = timezone.now(), None
        row.save()
        actor = Agent.objects.get(pk=agent.pk)
        audit.record(actor, "host.list_packages", row.host)
    asking.answered(agent.host_id)
    return True


def _clean(sent: Iterable[Sequence[str]]) -> list[Entry]:
    """Give the packages in order, each once, of lengths that columns hold; one without a name is none."""
    cut = ([t[:most] for t, most in zip(e, LONGEST, strict=True)] for e in sent)
    return sorted({(name, version, kind) for name, version, kind in cut if name})


def _listed(entries: Sequence[Entry]) -> PackageList:
    text = "\n".join("\t".join(entry) for entry in entries)
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    listed, is_new = PackageList.objects.get_or_create(
        digest=digest, defaults={"count": len(entries)}
    )
    if is_new:
        for start in range(0, len(entries), CHUNK):
            _fill(listed, entries[start : start + CHUNK])
    return listed


def _fill(listed: PackageList, entries: Sequence[Entry]) -> None:
    InstalledPackage.objects.bulk_create(
        [InstalledPackage(name=n, version=v, architecture=a) for n, v, a in entries],
        ignore_conflicts=True,
    )
    wanted = set(entries)
    rows = InstalledPackage.objects.filter(name__in={entry[0] for entry in entries})
    fields = rows.values_list("pk", "name", "version", "architecture")
    keys = [key for key, *entry in fields if tuple(entry) in wanted]
    through = PackageList.packages.through
    through.objects.bulk_create(
        through(packagelist_id=listed.pk, installedpackage_id=key) for key in keys
    )


def purge() -> None:
    """Forget lists that no host has any more, and packages that no list names."""
    used = HostPackages.objects.exclude(packages=None).values("packages")
    PackageList.objects.exclude(pk__in=used).delete()
    named = PackageList.packages.through.objects.values("installedpackage")
    InstalledPackage.objects.exclude(pk__in=named).delete()
