"""What every REST endpoint shares: who may enter, paging, errors in one envelope. Named by the settings, so it imports no views."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.pagination import PageNumberPagination
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from adminset import audit, refusals
from adminset.errors import DomainError
from adminset.http import needs_proof, proof_error

ACTIONS = {
    "GET": "view",
    "HEAD": "view",
    "OPTIONS": "view",
    "POST": "add",
    "PUT": "change",
    "PATCH": "change",
    "DELETE": "delete",
}


class Pagination(PageNumberPagination):
    """`?page=2&page_size=100`; the answer counts the rows and links the pages beside."""

    page_size_query_param = "page_size"
    max_page_size = 1000


class ResourcePermission(BasePermission):
    """Asks for view, add, change or delete on the resource of the endpoint; an endpoint without one is closed."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Say whether the user holds the permission anywhere; a read-only token may only look."""
        resource = getattr(view, "resource", None)
        action = _needed(view, request.method)
        if resource is None or not action or not request.user.is_authenticated:
            return False
        if (
            action != "view"
            and request.auth is not None
            and not getattr(request.auth, "can_write", False)
        ):
            raise DomainError(
                _("This token may only read."),
                _("Use a token that may change things."),
                code="read_only_token",
                status=403,
            )
        permission = resource.permission(action)
        if not request.user.has_perm(permission):
            return False
        if needs_proof(request, permission):
            raise proof_error()
        return True


def _needed(view: Any, method: str | None) -> str:
    """Say what is asked for: by what the endpoint does where it says so itself, else by the method."""
    own: str = getattr(view, "needs", {}).get(getattr(view, "action", ""), "")
    return own or ACTIONS.get(method or "", "")


def answer_error(error: Exception, context: dict[str, Any]) -> Response:
    """Answer every error as the same envelope."""
    known = _as_domain_error(error)
    if known is None:
        raise error
    if known.status == 403 and known.code != "proof_needed":
        user, refused = context["request"].user, _refused(error, known, context)
        audit.note_refusal(user, refused)
        known.hint = known.hint or refusals.sentence(
            refusals.about(user, refused), refused
        )
    headers = {}
    if known.retry_after:
        headers["Retry-After"] = str(known.retry_after)
    if scheme := getattr(error, "auth_header", ""):
        headers["WWW-Authenticate"] = scheme
    return Response(known.as_envelope(), status=known.status, headers=headers)


def _refused(error: Exception, known: DomainError, context: dict[str, Any]) -> str:
    """Name what was refused: a permission, or what a rule says."""
    if isinstance(error, DomainError):
        return known.code
    if isinstance(error, PermissionDenied) and "." in str(error):
        return str(error)
    view, method = context.get("view"), context["request"].method or ""
    resource = getattr(view, "resource", None)
    if resource is not None and method in ACTIONS:
        return str(resource.permission(_needed(view, method)))
    return str(getattr(view, "permission", ""))


def _as_domain_error(error: Exception) -> DomainError | None:
    if isinstance(error, DomainError):
        return error
    if isinstance(error, Http404):
        return DomainError(_("There is no such object."), code="not_found", status=404)
    if isinstance(error, PermissionDenied | exceptions.PermissionDenied):
        return DomainError(_("You may not do this."), code="forbidden", status=403)
    if isinstance(error, exceptions.APIException):
        code = str(getattr(error, "default_code", "error"))
        wait = int(getattr(error, "wait", 0) or 0)
        return DomainError(
            str(error.detail),
            code=code,
            status=error.status_code,
            retry_after=wait or None,
        )
    return None


def form_error(errors: Any) -> DomainError:
    """Turn a form's errors into the envelope: one sentence, and one for each field."""
    fields = {
        ("" if name == "__all__" else name): " ".join(str(t) for t in texts)
        for name, texts in errors.items()
    }
    general = fields.pop("", "")
    return DomainError(
        general or _("Some fields are not right."), _("See fields."), fields=fields
    )
