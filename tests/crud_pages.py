"""What the pages of every resource must show, write and refuse."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from adminset.models import AuditEntry
from tests.crud_case import ResourceCase, Signed


class PageTests(ResourceCase):
    """The list, the pages about one, and the forms."""

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
