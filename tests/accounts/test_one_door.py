"""One permission door: for random grants, tokens and objects the queryset, the question and a naive model of the rule agree, and every
listing shows exactly that set."""

import csv
import io
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.models import ApiToken, Grant, User
from accounts.services.tokens import create_token
from adminset.crypto import digest
from adminset.querysets import may, permission_for
from cmdb.models import Agent, Credential, Host, HostGroup
from tasks.models import Run, RunHost
from tests.factories import grant, make_group, make_host, make_user

ACTIONS = {
    Host: ("view", "change", "delete", "run", "terminal", "transfer", "editfile"),
    HostGroup: ("view", "change"),
    Agent: ("view", "change"),
    Credential: ("view", "use", "change"),
    Run: ("view", "cancel"),
}
PERMISSIONS = [
    permission_for(model, action)
    for model, actions in ACTIONS.items()
    for action in actions
]
KINDS = {"cmdb.hostgroup": 3, "cmdb.host": 5, "cmdb.credential": 2}

scopes = st.dictionaries(
    st.sampled_from(sorted(KINDS)),
    st.sets(st.integers(0, 4), min_size=1, max_size=3),
    max_size=2,
)
some_grants = st.lists(
    st.tuples(
        st.sets(st.sampled_from(PERMISSIONS), min_size=1, max_size=8),
        st.booleans() | st.just(False),
        scopes,
        st.sampled_from(["now", "now", "later", "over"]),
    ),
    max_size=4,
)
some_token = st.none() | st.tuples(
    st.booleans(), st.sets(st.sampled_from(PERMISSIONS), max_size=12), scopes
)
worlds = st.fixed_dictionaries(
    {
        "groups_of_hosts": st.lists(
            st.sets(st.integers(0, 2), max_size=2), min_size=5, max_size=5
        ),
        "credentials_of_hosts": st.lists(
            st.none() | st.integers(0, 1), min_size=5, max_size=5
        ),
    }
)
# Shrinking asks whole pages again for minutes: the first failure is told as it is.
ONCE = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)


@dataclass
class World:
    """Three groups, five hosts with an agent and a run each, two credentials."""

    groups: list[HostGroup]
    credentials: list[Credential]
    hosts: list[Host]
    agents: list[Agent] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    of_groups: list[set[int]] = field(default_factory=list)
    of_credentials: list[int | None] = field(default_factory=list)

    def rows(self, model: Any) -> list[Any]:
        by_model = {
            Host: self.hosts,
            HostGroup: self.groups,
            Agent: self.agents,
            Credential: self.credentials,
            Run: self.runs,
        }
        return by_model[model]

    def pks(self, kind: str, numbers: set[int]) -> set[int]:
        rows: Any = {
            "cmdb.hostgroup": self.groups,
            "cmdb.host": self.hosts,
            "cmdb.credential": self.credentials,
        }[kind]
        return {rows[number].pk for number in numbers if number < len(rows)}


def _build(world: dict[str, Any]) -> World:
    other = make_user()
    made = World(
        [make_group() for _each in range(3)],
        [Credential.objects.create(name=f"c{n}-{other.pk}") for n in range(2)],
        [],
        of_groups=world["groups_of_hosts"],
        of_credentials=world["credentials_of_hosts"],
    )
    for numbers, number in zip(made.of_groups, made.of_credentials, strict=True):
        host = make_host(
            groups=[made.groups[each] for each in numbers],
            credential=None if number is None else made.credentials[number],
        )
        made.hosts.append(host)
        made.agents.append(Agent.objects.create(host=host, secret_hash=digest("x")))
        run = Run.objects.create(command="id", title=f"on {host}", requested_by=other)
        RunHost.objects.create(run=run, host=host, host_name=host.hostname)
        made.runs.append(run)
    return made


def _give(user: User, world: World, grants: Any) -> None:
    now = timezone.now()
    for permissions, everything, scope, when in grants:
        made: Grant = grant(user, permissions)
        made.everything = everything
        made.valid_from = now + timedelta(days=1) if when == "later" else None
        made.valid_until = now - timedelta(days=1) if when == "over" else None
        made.save()
        for kind, numbers in scope.items():
            for pk in world.pks(kind, numbers):
                made.scopes.create(kind=kind, object_id=pk)


# ---- The rule once more, naively: over lists, without a query


def _reached(
    world: World, model: Any, number: int, scope: dict[str, set[int]], action: str
) -> bool:
    groups = scope.get("cmdb.hostgroup", set())
    hosts = scope.get("cmdb.host", set())

    def host_in(index: int) -> bool:
        return index in hosts or bool(world.of_groups[index] & groups)

    if model in (Host, Agent, Run):
        return host_in(number)
    if model is HostGroup:
        return number in groups
    named = number in scope.get("cmdb.credential", set())
    used = action in ("view", "use") and any(
        host_in(index)
        for index, used in enumerate(world.of_credentials)
        if used == number
    )
    return named or used


def _allowed(
    world: World, grants: Any, token: Any, model: Any, number: int, action: str
) -> bool:
    permission = permission_for(model, action)
    held = any(
        permission in permissions
        and when == "now"
        and (everything or _reached(world, model, number, scope, action))
        for permissions, everything, scope, when in grants
    )
    if token is None or not held:
        return held
    can_write, only, limit = token
    if not (can_write or action == "view") or (only and permission not in only):
        return False
    return not limit or _reached(world, model, number, limit, action)


def _speaking(user: User, world: World, token: Any) -> User:
    fresh = User.objects.get(pk=user.pk)
    if token is not None:
        fresh.token = ApiToken(**_token_fields(world, token))
    return fresh


def _token_fields(world: World, token: Any) -> dict[str, Any]:
    can_write, only, limit = token
    ids = {kind: sorted(world.pks(kind, numbers)) for kind, numbers in limit.items()}
    return {"can_write": can_write, "permissions": sorted(only), "scope_ids": ids}


class OneDoor(TestCase):
    """Whatever is granted."""

    @ONCE
    @given(worlds, some_grants, some_token)
    def test_queryset_question_and_rule_agree(
        self, world: Any, grants: Any, token: Any
    ) -> None:
        made = _build(world)
        user = make_user()
        _give(user, made, grants)
        asking = _speaking(user, made, token)
        for model, actions in ACTIONS.items():
            rows = made.rows(model)
            for action in actions:
                seen = set(
                    model.objects.visible_to(asking, action).values_list(
                        "pk", flat=True
                    )
                )
                for number, row in enumerate(rows):
                    wanted = _allowed(made, grants, token, model, number, action)
                    told = f"{action} {model.__name__} {number}"
                    assert (row.pk in seen) is wanted, told
                    assert may(asking, action, row) is wanted, told
                    assert (
                        asking.has_perm(permission_for(model, action), row) is wanted
                    ), told

    @ONCE
    @given(worlds, some_grants)
    def test_every_listing_shows_exactly_what_is_visible(
        self, world: Any, grants: Any
    ) -> None:
        made = _build(world)
        user = make_user()
        _give(user, made, grants)
        fresh = User.objects.get(pk=user.pk)
        seen = {h.hostname for h in Host.objects.visible_to(fresh)}
        browser = Client()
        browser.force_login(user)
        if not fresh.has_perm("cmdb.view_host"):
            assert browser.get("/cmdb/hosts/").status_code == 403
            assert browser.get("/api/v1/hosts/").status_code == 403
            return
        assert _csv_names(browser) == seen
        answer = browser.get("/api/v1/hosts/").json()
        assert answer["count"] == len(seen)
        assert {row["hostname"] for row in answer["results"]} == seen
        chosen = browser.get("/choices/hosts/").json()["choices"]
        assert {row["text"] for row in chosen} == seen
        told = browser.get("/api/v1/inventory/ansible/").getvalue()
        inventory = json.loads(told)["_meta"]["hostvars"]
        assert {row["adminset_hostname"] for row in inventory.values()} == seen
        page = browser.get("/cmdb/hosts/").content.decode()
        card = browser.get("/cmdb/card/").content.decode()
        for number, host in enumerate(made.hosts):
            shown = host.hostname in seen
            found = browser.get(f"/search/?q={host.hostname}").content.decode()
            assert (f'href="/cmdb/hosts/{host.pk}/"' in page) is shown
            assert (f'href="/cmdb/hosts/{host.pk}/"' in found) is shown
            assert shown or host.hostname not in card
            for path in ("", "history/"):
                status = browser.get(f"/cmdb/hosts/{host.pk}/{path}").status_code
                assert status == (200 if shown else 404), number
            assert browser.get(f"/api/v1/hosts/{host.pk}/").status_code == (
                200 if shown else 404
            )

    @ONCE
    @given(worlds, some_grants, some_token)
    def test_a_token_is_held_to_its_limits_at_the_api(
        self, world: Any, grants: Any, token: Any
    ) -> None:
        if token is None:
            return
        made = _build(world)
        user = make_user()
        _give(user, made, grants)
        row, text = create_token(actor=user, user=user, name="t")
        ApiToken.objects.filter(pk=row.pk).update(**_token_fields(made, token))
        seen = {
            h.hostname for h in Host.objects.visible_to(_speaking(user, made, token))
        }
        answer = Client().get(
            "/api/v1/hosts/", headers={"Authorization": f"Bearer {text}"}
        )
        if answer.status_code == 403:
            assert seen == set()
        else:
            assert {each["hostname"] for each in answer.json()["results"]} == seen


def _csv_names(browser: Client) -> set[str]:
    answer = browser.get("/cmdb/hosts/?export=csv&columns=hostname")
    text = b"".join(answer.streaming_content) if answer.streaming else answer.content
    rows = list(csv.reader(io.StringIO(text.decode("utf-8-sig"))))
    return {row[0] for row in rows[1:]}
