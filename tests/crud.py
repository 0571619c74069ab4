"""What every resource must do and refuse: a subclass of five lines gives a model its tests."""

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from adminset.crud.resource import Resource, all_resources
from adminset.models import AuditEntry
from tests.factories import make_user

Signed = Callable[[User], Client]


@pytest.mark.django_db
class ResourceTests:
    """Base: name the model, and how to make one and what to send.

    Attributes:
        model: the model under test.
        scoped: whether a grant limited to a host group sees only some rows (then `make(outside=True)` makes one outside).
    """

    model: ClassVar[type[models.Model]]
    scoped: ClassVar[bool] = False
    # Names a value of `valid` that may be sent alone to change something, and how the object then reads.
    edit: ClassVar[tuple[str, Any]] = ("name", "renamed")

    def make(self, number: int = 0, *, outside: bool = False) -> Any:
        """Make an object."""
        raise NotImplementedError

    def valid(self) -> dict[str, Any]:
        """Give what a person would type to add one."""
        raise NotImplementedError

    @property
    def resource(self) -> Resource:
        """The resource of the model."""
        return next(r for r in all_resources() if r.model is self.model)

    @pytest.fixture(autouse=True)
    def _urls_are_loaded(self, settings: Any) -> None:
        __import__(settings.ROOT_URLCONF)

    def _needs(self, verb: str) -> None:
        if verb not in self.resource.verbs:
            pytest.skip(f"{self.resource.model_name} does not offer {verb}")

    def _holder(self, *actions: str) -> User:
        return make_user(
            perms=[
                "cmdb.view_hostgroup",
                *(self.resource.permission(a) for a in actions),
            ]
        )

    def _form(self, instance: Any, **values: Any) -> dict[str, Any]:
        """What the edit page would send for an object: its own values, with some replaced."""
        form = self.resource.form(user=make_user(is_superuser=True), instance=instance)
        sent: dict[str, Any] = {}
        for name, field in form.fields.items():
            value = form.get_initial_for_field(field, name)
            if isinstance(value, list | models.QuerySet):
                sent[name] = [getattr(each, "pk", each) for each in value]
            elif value not in (None, False):
                sent[name] = getattr(value, "pk", value)
        return sent | values

    def _changed(self, instance: Any) -> dict[str, Any]:
        return self._form(instance, **dict([self.edit]))

    # -- anonymous, and signed in without the permission

    @pytest.mark.parametrize(
        "verb", ["list", "add", "import", "detail", "edit", "delete", "history"]
    )
    def test_anonymous_visitors_are_sent_to_the_sign_in_page(
        self, client: Client, verb: str
    ) -> None:
        instance = self.make()
        self._needs(
            {
                "edit": "change",
                "detail": "delete",
                "list": "delete",
                "history": "delete",
            }.get(verb, verb)
        )
        pk = instance.pk if verb in {"detail", "edit", "delete", "history"} else None
        answer = client.get(self.resource.url(verb, pk))
        assert answer.status_code == 302
        assert "/sign-in/" in answer["Location"]

    def test_a_stranger_may_not_list(self, client_of: Signed, stranger: User) -> None:
        assert client_of(stranger).get(self.resource.url("list")).status_code == 403

    def test_a_stranger_may_not_see_one(
        self, client_of: Signed, stranger: User
    ) -> None:
        assert (
            client_of(stranger)
            .get(self.resource.url("detail", self.make().pk))
            .status_code
            == 403
        )

    def test_one_who_only_sees_may_not_add(self, client_of: Signed) -> None:
        self._needs("add")
        client = client_of(self._holder("view"))
        before = self.model._default_manager.count()
        answer = client.post(self.resource.url("add"), self.valid())
        assert answer.status_code == 403
        assert self.model._default_manager.count() == before

    def test_one_who_only_sees_may_not_edit(self, client_of: Signed) -> None:
        self._needs("change")
        instance = self.make()
        answer = client_of(self._holder("view")).post(
            self.resource.url("edit", instance.pk), self._changed(instance)
        )
        assert answer.status_code == 403
        assert not AuditEntry.objects.filter(verb__endswith=".update").exists()

    def test_one_who_only_sees_may_not_delete(self, client_of: Signed) -> None:
        self._needs("delete")
        instance = self.make()
        assert (
            client_of(self._holder("view"))
            .post(self.resource.url("delete", instance.pk))
            .status_code
            == 403
        )
        assert self.model._default_manager.filter(pk=instance.pk).exists()

    # -- what the pages show

    def test_the_list_shows_what_there_is(self, client_of: Signed, admin: User) -> None:
        instance = self.make()
        answer = client_of(admin).get(self.resource.url("list"))
        assert answer.status_code == 200
        assert self.resource.url("detail", instance.pk) in answer.content.decode()

    def test_the_empty_list_is_a_page_too(self, client_of: Signed, admin: User) -> None:
        assert (
            client_of(admin)
            .get(self.resource.url("list") + "?q=no-such-thing-anywhere")
            .status_code
            == 200
        )

    def test_every_column_sorts_both_ways(self, client_of: Signed, admin: User) -> None:
        self.make()
        columns = [
            name
            for name, column in self.resource.table.base_columns.items()
            if column.orderable is not False
        ]
        client = client_of(admin)
        for name in columns:
            for sign in ("", "-"):
                assert (
                    client.get(
                        self.resource.url("list"), {"sort": sign + name}
                    ).status_code
                    == 200
                ), name

    def test_twelve_rows_cost_as_many_queries_as_two(
        self, client_of: Signed, admin: User
    ) -> None:
        client = client_of(admin)
        for number in range(2):
            self.make(number)
        client.get(self.resource.url("list"))
        few = self._queries(client)
        for number in range(2, 12):
            self.make(number)
        assert self._queries(client) == few

    def _queries(self, client: Client) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(self.resource.url("list")).status_code == 200
        return len(queries)

    def test_the_detail_page_and_the_history_open(
        self, client_of: Signed, admin: User
    ) -> None:
        instance = self.make()
        client = client_of(admin)
        assert client.get(self.resource.url("detail", instance.pk)).status_code == 200
        assert client.get(self.resource.url("history", instance.pk)).status_code == 200

    def test_one_that_does_not_exist_is_not_found(
        self, client_of: Signed, admin: User
    ) -> None:
        assert (
            client_of(admin).get(self.resource.url("detail", 999_999)).status_code
            == 404
        )

    # -- writing through pages

    def test_adding_writes_a_row_and_an_audit_line(
        self, client_of: Signed, admin: User
    ) -> None:
        self._needs("add")
        before = set(self.model._default_manager.values_list("pk", flat=True))
        answer = client_of(admin).post(self.resource.url("add"), self.valid())
        assert answer.status_code == 302, (
            answer.context and answer.context["form"].errors
        )
        made = self.model._default_manager.exclude(pk__in=before).get()
        entry = AuditEntry.objects.get(
            target_type=self.model._meta.label_lower, target_id=str(made.pk)
        )
        assert entry.actor == admin
        assert entry.verb.endswith(".create")

    def test_an_incomplete_form_comes_back_with_its_errors(
        self, client_of: Signed, admin: User
    ) -> None:
        self._needs("add")
        before = self.model._default_manager.count()
        answer = client_of(admin).post(self.resource.url("add"), {})
        assert answer.status_code == 422
        assert self.model._default_manager.count() == before

    def test_editing_records_the_old_and_the_new_value(
        self, client_of: Signed, admin: User
    ) -> None:
        self._needs("change")
        instance = self.make()
        answer = client_of(admin).post(
            self.resource.url("edit", instance.pk), self._changed(instance)
        )
        assert answer.status_code == 302, (
            answer.context and answer.context["form"].errors
        )
        entry = AuditEntry.objects.get(
            target_type=self.model._meta.label_lower, verb__endswith=".update"
        )
        assert [change["field"] for change in entry.changes] == [self.edit[0]]

    def test_saving_without_a_change_records_nothing(
        self, client_of: Signed, admin: User
    ) -> None:
        self._needs("change")
        instance = self.make()
        client_of(admin).post(
            self.resource.url("edit", instance.pk), self._form(instance)
        )
        assert not AuditEntry.objects.filter(verb__endswith=".update").exists()

    def test_deleting_asks_first_and_then_records_it(
        self, client_of: Signed, admin: User
    ) -> None:
        self._needs("delete")
        instance = self.make()
        client = client_of(admin)
        assert client.get(self.resource.url("delete", instance.pk)).status_code == 200
        assert self.model._default_manager.filter(pk=instance.pk).exists()
        assert client.post(self.resource.url("delete", instance.pk)).status_code == 302
        assert not self.model._default_manager.filter(pk=instance.pk).exists()
        assert (
            AuditEntry.objects.filter(
                verb__endswith=".delete", target_id=str(instance.pk)
            ).count()
            == 1
        )

    # -- many at once

    def test_bulk_delete_takes_the_ticked_rows_and_no_other(
        self, client_of: Signed, admin: User
    ) -> None:
        self._needs("delete")
        one, two, kept = (self.make(number) for number in range(3))
        data = {"pk": [one.pk, two.pk], "confirm": "1", "count": "2"}
        assert (
            client_of(admin).post(self.resource.url("bulk_delete"), data).status_code
            == 302
        )
        assert list(
            self.model._default_manager.filter(pk__in=[one.pk, two.pk, kept.pk])
        ) == [kept]

    def test_bulk_delete_without_permission_deletes_nothing(
        self, client_of: Signed
    ) -> None:
        self._needs("delete")
        one = self.make()
        answer = client_of(self._holder("view")).post(
            self.resource.url("bulk_delete"),
            {"pk": [one.pk], "confirm": "1", "count": "1"},
        )
        assert answer.status_code == 403
        assert self.model._default_manager.filter(pk=one.pk).exists()

    @pytest.mark.parametrize("kind", ["csv", "xlsx"])
    def test_the_list_can_be_exported(
        self, client_of: Signed, admin: User, kind: str
    ) -> None:
        self.make()
        answer = client_of(admin).get(self.resource.url("list"), {"export": kind})
        assert answer.status_code == 200
        assert f".{kind}" in answer["Content-Disposition"]
        assert len(answer.getvalue()) > 10

    def test_an_import_with_an_unknown_column_changes_nothing(
        self, client_of: Signed, admin: User
    ) -> None:
        self._needs("import")
        before = self.model._default_manager.count()
        answer = self._import(client_of(admin), b"no_such_column\nx\n")
        assert answer.status_code == 422
        assert "no_such_column" in answer.content.decode()
        assert self.model._default_manager.count() == before

    def test_a_valid_row_is_imported(self, client_of: Signed, admin: User) -> None:
        self._needs("import")
        before = self.model._default_manager.count()
        row = {name: self._as_cell(value) for name, value in self.valid().items()}
        content = (
            ",".join(row) + "\n" + ",".join(f'"{cell}"' for cell in row.values()) + "\n"
        )
        client = client_of(admin)
        answer = self._import(client, content.encode())
        assert answer.status_code == 302, answer.context and answer.context["errors"]
        plan = answer["Location"]
        assert self.model._default_manager.count() == before
        client.post(plan, {"do": "apply"})
        assert self.model._default_manager.count() == before + 1, client.get(
            plan
        ).context["rows"]

    @staticmethod
    def _as_cell(value: Any) -> str:
        return "; ".join(map(str, value)) if isinstance(value, list) else str(value)

    def _import(self, client: Client, content: bytes) -> Any:
        file = SimpleUploadedFile("rows.csv", content, "text/csv")
        return client.post(self.resource.url("import"), {"file": file})

    # -- the API

    def _api(self, pk: int | None = None) -> str:
        return f"/api/v1/{self.resource.path}/" + (f"{pk}/" if pk else "")

    def test_the_api_lists_and_gives_one(self, client_of: Signed, admin: User) -> None:
        instance = self.make()
        client = client_of(admin)
        assert instance.pk in [
            row["id"] for row in client.get(self._api()).json()["results"]
        ]
        assert client.get(self._api(instance.pk)).json()["id"] == instance.pk

    def test_the_api_refuses_anonymous_callers_with_the_envelope(
        self, client: Client
    ) -> None:
        answer = client.get(self._api())
        assert answer.status_code == 401
        assert set(answer.json()["error"]) == {"code", "message", "hint", "fields"}

    def test_the_api_refuses_a_stranger(
        self, client_of: Signed, stranger: User
    ) -> None:
        assert client_of(stranger).get(self._api()).status_code == 403

    def test_the_api_adds_changes_and_deletes(
        self, client_of: Signed, admin: User
    ) -> None:
        client = client_of(admin)
        if "add" not in self.resource.verbs or "change" not in self.resource.verbs:
            answer = client.post(self._api(), {}, content_type="application/json")
            assert answer.status_code in {403, 405}
            return
        made = client.post(self._api(), self.valid(), content_type="application/json")
        assert made.status_code == 201, made.json()
        pk = made.json()["id"]
        changed = client.patch(
            self._api(pk), dict([self.edit]), content_type="application/json"
        )
        assert changed.status_code == 200, changed.json()
        if "delete" in self.resource.verbs:
            assert client.delete(self._api(pk)).status_code == 204
            assert not self.model._default_manager.filter(pk=pk).exists()

    def test_the_api_names_the_field_that_is_wrong(
        self, client_of: Signed, admin: User
    ) -> None:
        self._needs("add")
        answer = client_of(admin).post(
            self._api(), {"no_such_field": 1}, content_type="application/json"
        )
        assert answer.status_code == 422
        assert "no_such_field" in answer.json()["error"]["fields"]

    # -- scope

    def test_a_row_outside_the_scope_is_not_found_anywhere(
        self, client_of: Signed, operator: User
    ) -> None:
        if not self.scoped:
            pytest.skip(f"{self.resource.model_name} has no scope of its own")
        inside, outside = self.make(), self.make(1, outside=True)
        client = client_of(operator)
        listed = client.get(self.resource.url("list")).content.decode()
        assert self.resource.url("detail", inside.pk) in listed
        assert self.resource.url("detail", outside.pk) not in listed
        assert client.get(self.resource.url("detail", outside.pk)).status_code == 404
        assert client.get(self._api(outside.pk)).status_code == 404
        assert outside.pk not in [
            row["id"] for row in client.get(self._api()).json()["results"]
        ]
        assert (
            str(outside)
            not in client.get(self.resource.url("list"), {"export": "csv"})
            .getvalue()
            .decode()
        )
