"""Every url and web socket asks for a permission, and refuses who does not hold it; what is public stands here by name."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import User
from adminset.http import SIGNED_IN
from adminset.sockets import routes

# Open to anybody, each with its reason.
PUBLIC = {
    "healthz": "a load balancer asks whether the process answers; tells nothing",
    "readyz": "the process manager asks whether the parts answer; names no address",
    "csp_report": "browsers report here by themselves, without a cookie; one bounded log line, nothing kept",
    "set_language": "sets a cookie of the visitor's own browser",
    "accounts:sign_in": "where one signs in",
    "accounts:oidc_start": "leads to the provider where one signs in",
    "accounts:oidc_callback": "where the provider sends one back; asks for the state that this very session holds",
    "accounts:sign_in_code": "where one gives the code after the password",
    "agent_api:enroll": "asks for an enrolment token itself (tests/monitor/test_agent_api.py)",
    "agent_api:rotate": "asks for the agent's own secret itself (tests/monitor/test_agent_identity.py)",
    "agent_download:install": "a host that is not enrolled yet; the script is the same for all, with this portal's address",
    "agent_download:package": "a host that is not enrolled yet; the agent's source code (tests/monitor/test_agent_download.py)",
    "agent_api:facts": "asks for an agent's own token itself (tests/monitor/test_agent_api.py)",
    "appconf_api:pull_variables": "asks for a pull token itself (tests/appconf/pull)",
    "appconf_api:pull_files": "asks for a pull token itself (tests/appconf/pull)",
    "cmdb:collect": "off by default; asks for the token of old agents itself (tests/cmdb/test_legacy.py)",
    "cmdb:gethost": "off by default; asks for the token of old agents itself (tests/cmdb/test_legacy.py)",
    "cmdb:getgroup": "off by default; asks for the token of old agents itself (tests/cmdb/test_legacy.py)",
    "monitor:received_sys_info": "off by default; asks for the token of old agents itself (tests/monitor/test_legacy.py)",
    "hb:beat": "a job's key is the proof (tests/monitor/test_heartbeats.py)",
    "tasks:hook_in": "the message's signature is the proof (tests/tasks/hooks/test_door.py)",
    "delivery:githook_in": "the message's signature is the proof (tests/delivery/triggers/test_githook_door.py)",
    "hb:beat_word": "a job's key is the proof (tests/monitor/test_heartbeats.py)",
    "status:status_page": "public where two switches say so, else asks to sign in (tests/monitor/test_status_page.py)",
    "status:status_badge": "public where two switches say so, else asks to sign in (tests/monitor/test_status_page.py)",
    "agent_api:metrics": "asks for an agent's own token itself (tests/monitor/test_agent_api.py)",
}
# Open to everybody who is signed in: their own affairs, or pages that ask again for each part.
FOR_ALL_USERS = {
    "home",
    "search",
    "choices",
    "saved_views",
    "saved_view",
    "bulk_job",
    "import_list",
    "import_plan",
    "import_bad_rows",
    "change_revert",
    "request_revert",
    "revert_progress",
    "schema",
    # The objects themselves are asked.
    "cmdb:related_add",
    "cmdb:relation_delete",
    "cmdb:impact",
    "cmdb:impact_data",
    "cmdb_api:relations",
    "cmdb_api:relation_one",
    "cmdb_api:impact_of",
    "accounts:sign_out",
    "accounts:profile",
    "accounts:confirm",
    "accounts:oidc_confirm",
    "accounts:explain",
    "accounts_api:explain",
    "accounts:second_factor",
    "accounts:second_factor_off",
    "accounts:recovery_codes",
    "accounts:preferences",
    "accounts:password_change",
    "accounts:my_sessions",
    "accounts:my_session_end",
    "accounts:my_sessions_end",
    "accounts:sign_out_everywhere",
    "accounts:my_sign_ins",
    "accounts:my_tokens",
    "accounts:my_token_add",
    "accounts:my_token_revoke",
    "accounts:my_token_rotate",
    "accounts_api:apitoken_rotate",
    "tasks_api:task_client",
    # The session itself is asked: its owner, and guests, who need no permission of their own (tests/tasks/terminal).
    "tasks:terminal_ticket",
    "tasks:terminal_join",
}


def _walk(
    patterns: list[Any], namespace: str = "", route: str = ""
) -> Iterator[tuple[str, str, URLPattern]]:
    for pattern in patterns:
        here = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            below = (
                f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            )
            yield from _walk(pattern.url_patterns, below, here)
        else:
            yield f"{namespace}{pattern.name}", here, pattern


def all_urls() -> list[tuple[str, str, URLPattern]]:
    """List (name, route, pattern) of every url of the portal."""
    return list(_walk(get_resolver().url_patterns))


def _permission(pattern: URLPattern) -> str:
    view = pattern.callback
    return getattr(view, "permission", "") or getattr(
        getattr(view, "cls", None), "permission", ""
    )


URLS = all_urls()
GUARDED = [entry for entry in URLS if entry[0] not in PUBLIC]


def _address(route: str) -> str:
    """Fill a route with a number that no object has."""
    plain = re.sub(r"<[^>]+>", "999999", route)
    plain = re.sub(
        r"\(\?P<format>[^)]*\)", "json", re.sub(r"\(\?P<\w+>\\d\+\)", "999999", plain)
    )
    return "/" + plain.replace("^", "").replace("$", "").replace("\\Z", "").replace(
        "\\.", "."
    ).replace("/?", "/")


@pytest.mark.parametrize(
    ("name", "route", "pattern"), GUARDED, ids=[e[0] + " " + e[1] for e in GUARDED]
)
def test_every_url_names_its_permission(
    name: str, route: str, pattern: URLPattern
) -> None:
    permission = _permission(pattern)
    assert permission or name in FOR_ALL_USERS, (
        f"{name} ({route}) asks for no permission: use adminset.http.requires"
    )
    if permission == SIGNED_IN:
        assert name in FOR_ALL_USERS, (
            f"{name} is open to every user but is not in FOR_ALL_USERS"
        )


def test_the_lists_of_this_file_name_no_url_that_is_gone() -> None:
    names = {name for name, _route, _pattern in URLS}
    assert set(PUBLIC) - names == set()
    assert FOR_ALL_USERS - names == set()


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post"])
def test_every_url_refuses_anonymous_visitors(client: Client, method: str) -> None:
    let_in = []
    for name, route, _pattern in GUARDED:
        answer = getattr(client, method)(_address(route))
        sent_away = answer.status_code == 302 and "/sign-in/" in answer["Location"]
        if not sent_away and answer.status_code not in {401, 404, 405}:
            let_in.append((name, answer.status_code))
        if answer.status_code == 404 and not name.startswith("api:"):
            let_in.append((name, f"not resolved: {_address(route)}"))
    assert let_in == []


# The page of a refusal is drawn for every url.
@pytest.mark.timeout(300)
@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post"])
def test_every_url_refuses_users_without_the_permission(
    client_of: Callable[[User], Client], stranger: User, method: str
) -> None:
    client = client_of(stranger)
    let_in = []
    for name, route, _pattern in GUARDED:
        if name in FOR_ALL_USERS:
            continue
        answer = getattr(client, method)(_address(route))
        if answer.status_code not in {403, 405} and not (
            name.startswith("api:") and answer.status_code == 404
        ):
            let_in.append((name, answer.status_code))
    assert let_in == []


def test_every_web_socket_names_its_permission() -> None:
    for pattern in routes():
        consumer = getattr(pattern.callback, "consumer_class", None)
        assert getattr(consumer, "permission", ""), (
            f"{pattern.pattern} asks for no permission"
        )
