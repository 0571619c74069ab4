"""Where programs fetch their configuration: `/api/v1/config/<project>/<environment>/` and its files, with ETags."""

from typing import Any, cast

from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from adminset.errors import DomainError, Forbidden
from appconf.models import PullToken
from appconf.pull import content, tokens
from appconf.pull.content import Told
from appconf.pull.formats import RENDERERS

HOST = OpenApiParameter("host", str, description="Values for this host, by its name.")
WAIT = OpenApiParameter(
    "wait", int, description="With If-None-Match: wait so many seconds for a change."
)
HELD_BACK = "X-AdminSet-Held-Back"


class PullAuthentication(BaseAuthentication):
    """A pull token speaks for no user: it opens one environment's configuration."""

    def authenticate(self, request: Request) -> tuple[Any, PullToken] | None:
        """Give (nobody, token); None without a header.

        Raises:
            DomainError: 401, the token is no good.
        """
        scheme, _space, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        return AnonymousUser(), tokens.token_of(text)

    def authenticate_header(self, request: Request) -> str:
        """Make DRF answer 401 instead of 403 to anonymous callers."""
        return "Bearer"


class IsItsOwn(BasePermission):
    """Lets a token into the environment that it was made for, and nowhere else."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Compare what the address names with the token's; a refusal is told in the trail."""
        token = request.auth
        if not isinstance(token, PullToken):
            return False
        asked = (view.kwargs["project"], view.kwargs["environment"])
        if asked == (token.project.code, token.environment.code):
            return True
        tokens.note_refusal(
            token, _("It asked for another project or environment than its own.")
        )
        raise Forbidden(
            _("This token is for another project or environment."),
            _("Ask with its own address."),
            code="not_its_own",
        )


class PullView(APIView):
    """What all have in common: whose token it is, and the answer that nothing changed."""

    permission = ""
    authentication_classes = [PullAuthentication]
    permission_classes = [IsItsOwn]
    renderer_classes = RENDERERS
    http_method_names = ["get", "head", "options"]
    known = frozenset({"host", "wait", "format"})

    @property
    def token(self) -> PullToken:
        """The token that asks."""
        return cast("PullToken", self.request.auth)

    def host(self, request: Request) -> Any:
        """Give the host that is asked for.

        Raises:
            DomainError: a parameter is not known, or there is no such host.
        """
        if unknown := sorted(set(request.query_params) - self.known):
            raise DomainError(
                _("There is no parameter %(name)s.") % {"name": unknown[0][:50]},
                _("Known: %(known)s.") % {"known": ", ".join(sorted(self.known))},
            )
        return content.host_named(self.token, request.query_params.get("host", ""))

    def respond(self, request: Request, told: Told, answer: Any) -> HttpResponseBase:
        """Give 304 where the asker has it, else the answer, each with its ETag."""
        unchanged = get_conditional_response(request._request, etag=told.etag)
        final: HttpResponseBase = unchanged or answer
        if unchanged is None and told.has_secrets:
            tokens.note_pull(self.token, request.path)
        final["ETag"] = told.etag
        final["Cache-Control"] = "private, no-store"
        final["Vary"] = "Accept, Authorization"
        if told.held_back:
            final[HELD_BACK] = ", ".join(told.held_back)
        return final


class Variables(PullView):
    """The variables that win in an environment."""

    @extend_schema(
        operation_id="pull_variables",
        summary="Configuration variables of an application",
        parameters=[HOST, WAIT],
        responses={200: OpenApiTypes.OBJECT, 304: None},
        auth=[],
    )
    def get(self, request: Request, project: str, environment: str) -> Any:
        """Give name -> value as JSON, YAML or an env-file, by Accept or `?format=`."""
        told = content.variables(self.token, self.host(request))
        return self.respond(request, told, Response(told.body))


class Files(PullView):
    """The configuration files of an environment."""

    known = PullView.known | {"path"}

    @extend_schema(
        operation_id="pull_files",
        summary="Configuration files of an application",
        parameters=[
            HOST,
            WAIT,
            OpenApiParameter("path", str, description="The text of this file."),
        ],
        responses={200: OpenApiTypes.OBJECT, 304: None},
        auth=[],
    )
    def get(self, request: Request, project: str, environment: str) -> Any:
        """Give the files in force as a list, or with `?path=` the text of one."""
        host, path = self.host(request), request.query_params.get("path", "")
        if not path:
            told = content.files(self.token)
            return self.respond(request, told, Response(told.body))
        try:
            told = content.file_text(self.token, path, host)
        except Forbidden as error:
            tokens.note_refusal(self.token, f"{error.message} {path}"[:200])
            raise
        body = HttpResponse(told.body, content_type="application/octet-stream")
        body["X-Content-Type-Options"] = "nosniff"
        return self.respond(request, told, body)
