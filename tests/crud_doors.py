"""What every resource must do and refuse through its other doors: many at once, files, the API, and limits to host groups."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from tests.crud_case import ResourceCase, Signed


class DoorTests(ResourceCase):
    """Bulk acts, exports and imports, the API, and rows out of scope."""

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
