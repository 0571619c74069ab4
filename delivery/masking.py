"""Takes the names of hosts that a reader may not know out of sentences that the engine wrote for all."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from django.utils.translation import gettext as _

from adminset.querysets import everywhere
from appconf.models import Environment
from cmdb.models import Host
from delivery.models import Deploy, DeployHost, DeployRequest, DeployStep

Mask = Callable[[str], str]


def mask_of(names: Iterable[str]) -> Mask:
    """Give a function that puts "a host outside your scope" in the place of each of these names in a text."""
    hidden = sorted({name for name in names if name}, key=len, reverse=True)
    if not hidden:
        return lambda text: text
    # A name within a longer one is another host's, or none.
    words = "|".join(map(re.escape, hidden))
    pattern = re.compile(rf"(?<![\w.-])(?:{words})(?![\w-]|\.\w)")
    shown = _("(a host outside your scope)")
    return lambda text: pattern.sub(shown, text)


def masked(
    deploy: Deploy, steps: Iterable[DeployStep], seen: Iterable[DeployHost]
) -> int:
    """Take the names of hosts that a reader may not see out of what a deploy and its steps say; give how many such hosts there are.

    The rows are changed in memory only: they are there to be shown, not to be saved.

    Args:
        seen: the hosts of the deploy that the reader may see.
    """
    known = {host.pk for host in seen}
    rows = deploy.hosts.values_list("pk", "host_name")
    names = [name for pk, name in rows if pk not in known]
    mask = mask_of(names)
    deploy.explanation = mask(deploy.explanation)
    deploy.waiting_for = mask(deploy.waiting_for)
    for step in steps:
        step.explanation = mask(step.explanation)
    return len(names)


def mask_for(
    user: Any, environments: Iterable[int], deploys: Iterable[int] = ()
) -> Mask:
    """Give a function that takes the names of hosts that a user may not see out of sentences on some environments.

    Args:
        environments: keys of those whose hosts the sentences may name.
        deploys: keys of deploys whose hosts they may name; a host may have left its environment since.
    """
    if everywhere(user, "cmdb.view_host"):
        return mask_of(())
    seen = Host.objects.visible_to(user).order_by().values("pk")
    had = DeployHost.objects.filter(deploy__in=list(deploys)).exclude(host__in=seen)
    names = set(had.values_list("host_name", flat=True))
    for environment in Environment.objects.filter(pk__in=set(environments)):
        hosts = environment.all_hosts().exclude(pk__in=seen)
        names.update(hosts.values_list("hostname", flat=True))
    return mask_of(names)


def mask_requests(user: Any, requests: Iterable[DeployRequest | None]) -> None:
    """Take the names of hosts that a user may not see out of what requests say, and out of what their deploys wait for.

    In memory only, as above.
    """
    spoke = [row for row in requests if row is not None and speaks(row)]
    if not spoke:
        return
    deploys = [row.deploy_id for row in spoke if row.deploy_id]
    mask = mask_for(user, [row.environment_id for row in spoke], deploys)
    for row in spoke:
        mask_request(row, mask)


def speaks(row: DeployRequest) -> bool:
    """Whether a request, or the deploy that it became, has a sentence to show."""
    return bool(row.words or (row.deploy is not None and row.deploy.waiting_for))


def mask_request(row: DeployRequest, mask: Mask) -> None:
    """Take names out of what a request says, and out of what its deploy waits for."""
    row.words = mask(row.words)
    if row.deploy is not None:
        row.deploy.waiting_for = mask(row.deploy.waiting_for)
