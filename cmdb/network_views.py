"""What one does with networks and certificates besides reading and editing: reserve an address, check a certificate now."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from adminset.crud.views import find
from adminset.http import requires
from cmdb import selectors
from cmdb.forms.network import ReserveForm
from cmdb.models import Certificate
from cmdb.resources.network import SUBNET
from cmdb.services import certificates, network
from cmdb.views import me


@requires("cmdb.add_ipaddress")
@require_POST
def subnet_reserve(request: HttpRequest, pk: int) -> HttpResponse:
    """Reserve the next free address of a subnet, and go on to its page."""
    subnet = find(SUBNET, request.user, pk)
    form = ReserveForm(request.POST, user=request.user)
    values = form.cleaned_data if form.is_valid() else {}
    address = network.reserve_checked(user=me(request), subnet=subnet, **values)
    messages.success(request, _("%(name)s is reserved.") % {"name": address})
    return redirect(address)


@requires("cmdb.change_certificate")
@require_POST
def certificate_check(request: HttpRequest, pk: int) -> HttpResponse:
    """Fetch a certificate from its server."""
    certificate: Certificate = selectors.to_change(Certificate, request.user, pk)
    changed = certificates.check(actor=me(request), certificate=certificate)
    certificate.refresh_from_db()
    if certificate.error:
        messages.error(request, certificate.error)
    elif changed:
        messages.success(request, _("%(name)s is fetched.") % {"name": certificate})
    else:
        messages.info(
            request, _("%(name)s is as it was before.") % {"name": certificate}
        )
    return redirect(certificate)
