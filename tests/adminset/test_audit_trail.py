"""The audit trail: who, what, before and after, from where; and that it only grows."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client

from accounts.models import User
from adminset import audit
from adminset.context import RequestContext, current
from adminset.models import AuditEntry
from adminset.querysets import NOWHERE, Scope, scope_of
from adminset.words import VERBS, type_words, verb_words
from cmdb.models import Host, Idc
from tests.factories import make_group, make_host, make_idc, make_user

pytestmark = pytest.mark.django_db


def test_a_line_says_who_did_what_to_which_object_and_from_where(admin: User) -> None:
    idc = make_idc("Beijing")
    token = current.set(RequestContext("r1", "203.0.113.5"))
    entry = audit.record(
        admin,
        "idc.update",
        idc,
        changes=[{"field": "name", "old": "a", "new": "b"}],
        reason="typo",
    )
    current.reset(token)
    assert (entry.actor, entry.actor_kind, entry.actor_name) == (admin, "user", "admin")
    assert (entry.target_type, entry.target_id, entry.target_name) == (
        "cmdb.idc",
        str(idc.pk),
        "Beijing",
    )
    assert (entry.request_id, entry.address, entry.reason) == (
        "r1",
        "203.0.113.5",
        "typo",
    )


def test_the_system_writes_lines_too() -> None:
    entry = audit.record(audit.SystemActor("schedule 7"), "run.request")
    assert (entry.actor, entry.actor_kind, entry.actor_name) == (
        None,
        "system",
        "schedule 7",
    )


def test_a_line_outlives_its_author_and_its_object(admin: User) -> None:
    host, author = make_host("web1"), make_user("leaver")
    entry = audit.record(author, "host.update", host)
    author.delete(), host.delete()
    kept = AuditEntry.objects.get(pk=entry.pk)
    assert (kept.actor, kept.actor_name, kept.target_name) == (None, "leaver", "web1")


def test_a_line_is_never_changed_and_never_deleted(admin: User) -> None:
    entry = audit.record(admin, "x.y")
    entry.verb = "z"
    with pytest.raises(TypeError):
        entry.save()
    with pytest.raises(TypeError):
        entry.delete()
    assert AuditEntry.objects.get(pk=entry.pk).verb == "x.y"


def test_a_snapshot_names_related_objects_and_changes_keep_its_order() -> None:
    host = make_host("web1", groups=[make_group("web")], idc=make_idc("Beijing"))
    before = audit.snapshot(host)
    assert (before["idc"], before["groups"]) == ("Beijing", ["web"])
    host.hostname, host.owner = "web2", "Li Wei"
    changes = audit.changed(before, audit.snapshot(host))
    assert changes == [
        {"field": "owner", "old": "", "new": "Li Wei"},
        {"field": "hostname", "old": "web1", "new": "web2"},
    ]


def test_a_password_hash_never_enters_the_trail() -> None:
    user = make_user("zhang")
    assert user.password not in str(audit.snapshot(user))


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_named_verb_reads_as_words(verb: str) -> None:
    assert str(verb_words(verb)) != verb


def test_generic_and_unknown_verbs_read_too() -> None:
    assert str(verb_words("cabinet.update")) == "changed"
    assert verb_words("future.thing") == "future.thing"
    assert str(type_words("cmdb.host")) == "host"
    assert type_words("gone.model") == "gone.model"


def test_nobody_and_the_inactive_see_nothing() -> None:
    make_host(), make_idc()
    leaver = make_user(is_superuser=True, is_active=False)
    assert scope_of(AnonymousUser(), "cmdb.view_host") == NOWHERE
    assert scope_of(leaver, "cmdb.view_host") == NOWHERE
    assert not Host.objects.visible_to(AnonymousUser()).exists()
    assert not Idc.objects.visible_to(leaver).exists()


def test_an_empty_scope_is_nothing() -> None:
    assert not Scope()
    assert not Scope(ids={"cmdb.hostgroup": frozenset()})
    assert Scope(ids={"cmdb.hostgroup": frozenset([1])})
    assert Scope(everything=True)


def test_a_request_leaves_its_id_on_what_it_wrote(client: Client, admin: User) -> None:
    client.force_login(admin)
    answer = client.post("/cmdb/idcs/add/", {"name": "Beijing", "code": "bj"})
    assert (
        AuditEntry.objects.get(verb="idc.create").request_id == answer["X-Request-ID"]
    )
