"""Writing sites, and letting jump hosts be tried again."""

from typing import Any, cast

from django.db import transaction
from django.utils.translation import gettext as _

from adminset import audit
from adminset.crud import services
from adminset.errors import DomainError
from cmdb.models import Host
from tasks.models import Site
from tasks.services.judging import check_credentials
from tasks.sites.questions import way_to
from tasks.ssh import breakers


@transaction.atomic
def save_site(*, actor: Any, form: Any) -> Site:
    """Save a site; who chooses a jump host lets everybody's runs pass it, and so must be able to use it.

    Raises:
        Forbidden: the actor may not run on the jump host, or not use its credential.
        DomainError: the way to its hosts would lead in a circle.
    """
    site = cast("Site", services.save(actor=actor, form=form))
    if site.jump is not None and {"jump", "idc", "how", "enabled"} & set(
        form.changed_data
    ):
        _check_jump(actor, site, site.jump)
    return site


def _check_jump(actor: Any, site: Site, jump: Host) -> None:
    if not Host.objects.visible_to(actor, "run").filter(pk=jump.pk).exists():
        words = _("You may not run work on %(jump)s.") % {"jump": jump}
        hint = _("Choose a jump host on which you may, or ask who may run there.")
        raise DomainError(words, hint, fields={"jump": f"{words} {hint}"}, status=403)
    check_credentials(actor, [jump])
    hosts = Host.objects.filter(idc=site.idc).exclude(pk=jump.pk)
    for host in (*hosts[:1], jump):
        try:
            way_to(host)
        except DomainError as error:
            error.fields = {"jump": f"{error.message} {error.hint}"}
            raise


def close_breakers(*, actor: Any, site: Site) -> int:
    """Let the jump host of a site be tried again at once, by all workers; give how many left it alone.

    Raises:
        DomainError: it has no jump host with a credential.
    """
    jump = site.jump
    if jump is None or jump.credential is None:
        raise DomainError(
            _("%(site)s has no jump host with a credential.") % {"site": site},
            _("Choose one on its page."),
        )
    with transaction.atomic():
        audit.record(actor, "site.close_breaker", site)
    return breakers.close(str(jump.address), jump.port, jump.credential.username)
