"""The explanation: never at odds with the gate, says what decided and what is missing, and tells nobody what is not his."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.explain import explain, grantors
from accounts.models import ApiToken, User
from adminset.querysets import may
from cmdb.models import HostGroup
from tests.factories import grant, make_group, make_host, make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
API = "/api/v1/access/explain/"


class Agreement(TestCase):
    """The answer is that of the gate, whatever grants somebody has."""

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        grants=st.lists(
            st.tuples(
                st.sampled_from(
                    ["cmdb.view_host", "cmdb.run_host", "cmdb.change_host"]
                ),
                st.sampled_from(["everywhere", "mine", "other"]),
                st.sampled_from(["now", "later", "over"]),
            ),
            max_size=4,
        ),
        is_active=st.booleans(),
        is_superuser=st.booleans(),
    )
    def test_it_never_disagrees(
        self, grants: list[Any], is_active: bool, is_superuser: bool
    ) -> None:
        groups = {"mine": make_group(), "other": make_group()}
        host = make_host(groups=[groups["mine"]])
        user = make_user(is_active=is_active, is_superuser=is_superuser)
        asker = make_user(is_superuser=True)
        now = timezone.now()
        for permission, place, when in grants:
            given_ = grant(
                user, [permission], [groups[place]] if place in groups else []
            )
            given_.valid_from = now + timedelta(days=1) if when == "later" else None
            given_.valid_until = now - timedelta(days=1) if when == "over" else None
            given_.save()
        fresh = User.objects.get(pk=user.pk)
        for action in ("view", "run", "change"):
            decision = explain(asker, fresh, f"cmdb.{action}_host", host)
            assert decision.allowed == may(fresh, action, host)
            assert decision.allowed == any(v.holds for v in decision.verdicts)


def test_it_names_the_grant_that_decided(
    client_of: Signed, admin: User, operator: User, group: HostGroup
) -> None:
    make_host("web-1", groups=[group])
    page = client_of(admin).get(
        "/accounts/explain/?user=operator&permission=cmdb.run_host&object=web-1"
    )
    text = page.content.decode()
    assert "Yes" in text
    assert "holds on web, which leads here" in text


def test_it_says_what_would_be_needed_and_who_can_give_it(
    client_of: Signed, admin: User, operator: User, other_group: HostGroup
) -> None:
    make_host("db-1", groups=[other_group])
    page = client_of(admin).get(
        "/accounts/explain/?user=operator&permission=cmdb.run_host&object=db-1"
    )
    text = page.content.decode()
    assert "No" in text
    assert "which does not lead here" in text
    assert "Who can grant it: admin" in " ".join(text.split())


def test_about_others_only_who_sees_grants_may_ask(
    client_of: Signed, operator: User, admin: User
) -> None:
    browser = client_of(operator)
    refused = browser.get("/accounts/explain/?user=admin&permission=cmdb.view_host")
    assert refused.status_code == 422
    assert "administrator may do everything" not in refused.content.decode()
    own = browser.get("/accounts/explain/?permission=cmdb.view_host")
    assert own.status_code == 200
    assert "holds on web" in own.content.decode()


def test_an_object_that_the_asker_may_not_see_does_not_exist(
    client_of: Signed, operator: User, other_group: HostGroup
) -> None:
    hidden = make_host("db-1", groups=[other_group])
    browser = client_of(operator)
    for name in ("db-1", str(hidden.pk), "no-such-host"):
        page = browser.get(
            f"/accounts/explain/?permission=cmdb.view_host&object={name}"
        )
        assert page.status_code == 422
        assert "There is no such object" in page.content.decode()
        answer = browser.get(f"{API}?permission=cmdb.view_host&object={name}")
        assert answer.status_code == 404


def test_machines_get_the_same_answer(
    client_of: Signed, operator: User, group: HostGroup
) -> None:
    make_host("web-1", groups=[group])
    answer = (
        client_of(operator).get(f"{API}?permission=cmdb.run_host&object=web-1").json()
    )
    assert (answer["allowed"], answer["user"], answer["target"]) == (
        True,
        "operator",
        "web-1",
    )
    assert answer["verdicts"][0]["holds"] is True
    wrong = client_of(operator).get(f"{API}?permission=cmdb.fly_host")
    assert wrong.status_code == 422
    assert "permission" in wrong.json()["error"]["fields"]


def test_a_token_is_explained_with_its_limits(admin: User) -> None:
    host = make_host()
    admin.token = ApiToken(can_write=False, permissions=["cmdb.view_idc"])
    decision = explain(admin, admin, "cmdb.run_host", host)
    assert not decision.allowed
    assert "API token that speaks" in " ".join(v.sentence for v in decision.verdicts)


def test_ones_own_run_is_said_to_be_ones_own(operator: User, run_of: Any) -> None:
    run = run_of(operator)
    decision = explain(operator, operator, "tasks.view_run", run)
    assert decision.allowed
    assert "own" in decision.verdicts[-1].sentence


@pytest.fixture
def run_of(settings: Any, tmp_path: Any) -> Callable[[User], Any]:
    from tasks.models import Run  # noqa: PLC0415 - of a higher room, for this one case

    settings.RUN_DIR = tmp_path
    return lambda user: Run.objects.create(command="id", title="id", requested_by=user)


def test_who_can_grant_are_those_who_hold_it_and_give_everywhere(
    admin: User, group: HostGroup
) -> None:
    make_user("scoped", perms=["accounts.add_grant", "cmdb.run_host"], groups=[group])
    make_user("lacks", perms=["accounts.add_grant"])
    make_user("gives", perms=["accounts.add_grant", "cmdb.run_host"])
    assert grantors("cmdb.run_host") == (["admin", "gives"], 0)


def test_a_refused_page_says_what_is_missing_and_who_gives_it(
    client_of: Signed, stranger: User, admin: User
) -> None:
    page = client_of(stranger).get("/cmdb/hosts/")
    text = " ".join(page.content.decode().split())
    assert page.status_code == 403
    assert "Assets: host / view" in text
    assert "cmdb.view_host" in text
    assert "Who can grant it: admin" in text
    assert "/accounts/explain/?permission=cmdb.view_host" in text


def test_a_refused_machine_is_told_too(
    client_of: Signed, stranger: User, admin: User
) -> None:
    answer = client_of(stranger).get("/api/v1/hosts/")
    assert answer.status_code == 403
    assert "cmdb.view_host" in answer.json()["error"]["hint"]
    assert "admin" in answer.json()["error"]["hint"]
