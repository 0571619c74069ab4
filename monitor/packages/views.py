"""Pages of packages: those of one host, the request for them, and which hosts have one."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from adminset import audit
from adminset.crud.export import Line, harmless
from adminset.errors import DomainError
from adminset.http import requires
from adminset.streams import stream
from cmdb.models import Host
from monitor.package_models import HostPackages
from monitor.packages import asking, questions
from monitor.packages.questions import ASK, VIEW, Asked

PAGE_SIZE = 100
LONGEST = 100
CSV = "text/csv; charset=utf-8"


def packages_of_host(request: HttpRequest, host: Host) -> dict[str, Any]:
    """Give what monitor/_host_packages.html draws."""
    return {
        "object": host,
        "summary": questions.summary_of(host),
        "may_ask": questions.askable(request.user).filter(pk=host.pk).exists(),
    }


@requires(VIEW)
@require_safe
def host_packages(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a host's packages, searched by name and version; `?export=csv` gives them as a file."""
    host = get_object_or_404(questions.visible_hosts(request.user), pk=pk)
    text = _word(request, "q")
    rows = questions.packages_of(host, text)
    if request.GET.get("export") == "csv":
        fields = ("name", "version", "architecture")
        name = f"packages-{slugify(host.hostname) or host.pk}.csv"
        return _csv(request, name, fields, rows.values_list(*fields), rows.count())
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = packages_of_host(request, host) | {
        "page_title": _("Packages of %(host)s") % {"host": host.hostname},
        "crumbs": [
            (_("Packages"), reverse("monitor:packages")),
            (host.hostname, None),
        ],
        "page": page,
        "text": text,
    }
    return render(request, "monitor/host_packages.html", context)


@requires(ASK)
@require_POST
def host_packages_ask(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask a host for its packages: its agent learns so with the answer to its next report."""
    host = get_object_or_404(questions.askable(request.user), pk=pk)
    asking.ask(actor=cast("audit.Actor", request.user), hosts=[host])
    messages.success(
        request,
        _("%(host)s is asked: the list comes with its agent's next report.")
        % {"host": host.hostname},
    )
    return redirect(f"{reverse('cmdb:host_detail', args=[host.pk])}?tab=packages")


@requires(VIEW)
@require_safe
def packages(request: HttpRequest) -> HttpResponse:
    """Show which hosts have a package, and in which versions; `?export=csv` gives that as a file."""
    asked = Asked(_word(request, "name"), _word(request, "version"))
    rows = questions.hosts_with(request.user, asked)
    if request.GET.get("export") == "csv" and asked.name:
        fields = ("hostname", "name", "version", "architecture", "listed_at")
        return _csv(
            request, "packages.csv", fields, rows.values_list(*fields), rows.count()
        )
    listed, total = questions.known_hosts(request.user)
    context = {
        "page_title": _("Packages"),
        "asked": asked,
        "listed": listed,
        "total": total,
        "unlisted": questions.unlisted(request.user).count(),
        "most": questions.most_at_once(),
    }
    if asked.name:
        context["versions"] = questions.versions_of(request.user, asked)
        paginator = Paginator(rows, PAGE_SIZE)
        context["page"] = paginator.get_page(request.GET.get("page"))
    return render(request, "monitor/packages.html", context)


@requires(ASK)
@require_POST
def packages_ask(request: HttpRequest) -> HttpResponse:
    """Ask some of the hosts of which no list is known."""
    hosts = questions.unlisted(request.user)[: questions.most_at_once()]
    count = asking.ask(actor=cast("audit.Actor", request.user), hosts=hosts)
    said = ngettext(
        "%(count)s host is asked: its list comes with its agent's next report.",
        "%(count)s hosts are asked: their lists come with their agents' next reports.",
        count,
    )
    messages.success(request, said % {"count": count})
    return redirect("monitor:packages")


def _word(request: HttpRequest, name: str) -> str:
    return request.GET.get(name, "").replace("\x00", "").strip()[:LONGEST]


def _csv(
    request: HttpRequest,
    name: str,
    fields: Sequence[str],
    rows: Iterable[Sequence[Any]],
    count: int,
) -> Any:
    if count > settings.EXPORT_MAX_ROWS:
        raise DomainError(
            _("%(total)s rows are too many for one export.") % {"total": count},
            _("Ask for less, or raise ADMINSET_EXPORT_MAX_ROWS."),
        )
    audit.record_export(
        cast("audit.Actor", request.user),
        HostPackages,
        rows=count,
        kind="csv",
        query=request.GET.urlencode(),
    )
    lines = _lines(fields, list(rows))
    return stream(request, lines, content_type=CSV, file_name=name)


def _lines(fields: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    writer = csv.writer(Line())
    # Spreadsheets read UTF-8 only behind a byte order mark.
    yield "\ufeff" + writer.writerow(fields)
    for row in rows:
        yield writer.writerow([harmless(cell) for cell in row])
