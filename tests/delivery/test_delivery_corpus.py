"""The corpus of hostile values through every text field of applications and deliveries, by page forms and by REST.

What is kept is kept as it came and drawn as text; what is refused is refused in words; nothing of it runs, and nothing is a 500.
What reaches hosts and builds has its own tests: tests/delivery/onhost, configs, sources, building.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import User
from adminset.crud.forms import bound_form
from adminset.crypto import Secret
from delivery.models import Pipeline
from tests.delivery.corpus_things import (
    FINE,
    MARKUP,
    REACHING,
    all_values,
    api,
    keys,
    proof,
    resources,
    source,
    text_fields,
    values,
    wished,
)
from tests.delivery.safety.safety_things import Paper

__all__ = ["api", "keys", "proof", "source", "wished"]
pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]


def test_the_walk_meets_every_kind_of_the_two_rooms() -> None:
    met = {one.model_name for one in resources()}
    assert {
        "project",
        "environment",
        "variable",
        "configfile",
        "pipeline",
        "githook",
        "releaseset",
    } <= met
    assert sum(len(text_fields(one)) for one in resources()) > 60


@pytest.mark.parametrize("part", range(2))
def test_every_text_field_keeps_text_as_text_or_refuses_it(
    api: Client, keys: dict[str, int], proof: Path, part: int
) -> None:
    asked = 0
    corpus = list(values(proof).items())
    for resource in resources():
        if resource.model_name not in keys or "change" not in resource.verbs:
            continue
        # Those that reach further meet all of it, below.
        met = REACHING.get(resource.model_name, ())
        names = [name for name in text_fields(resource) if name not in met]
        for number, name in enumerate(names):
            # Each field meets a twentieth of the corpus, shifted: all of it goes through many fields.
            for why, value in corpus[(number + 10 * part) % 20 :: 20]:
                address = f"/api/v1/{resource.path}/{keys[resource.model_name]}/"
                told = api.patch(
                    address, {name: value}, content_type="application/json"
                )
                assert told.status_code in FINE, (
                    resource.model_name,
                    name,
                    why,
                    told.content[:300],
                )
                asked += 1
                if told.status_code != 200 or name not in told.json():
                    continue
                assert _is_kept(told.json()[name], value), (name, why)
    assert asked > 120


def test_what_reaches_a_shell_git_a_path_or_a_header_meets_all_of_the_corpus(
    paper: Paper, keys: dict[str, int], proof: Path
) -> None:
    """By the forms that pages and REST share: one for each value, with all such fields of a kind in it."""
    refused = kept = 0
    for resource in resources():
        names = REACHING.get(resource.model_name, ())
        for why, value in all_values(proof).items() if names else ():
            row = resource.model._default_manager.get(pk=keys[resource.model_name])
            where = (resource.model_name, why)
            tried = dict.fromkeys(names, value)
            bad = _form(resource, paper.user, row, tried).errors
            good = dict.fromkeys((n for n in names if n not in bad), value)
            refused, kept = refused + len(bad), kept + len(good)
            if good:
                _keep(resource, paper.user, row.pk, good, where)
    assert refused > 300
    assert kept > 300


def _form(resource: Any, user: User, row: Any, values: dict[str, str]) -> Any:
    return bound_form(resource.form, user=user, values=values, instance=row)


def _keep(
    resource: Any, user: User, pk: int, values: dict[str, str], where: Any
) -> None:
    """Save values that a form took, if it takes them together; they are as they came then. Nothing of it stays."""
    row = resource.model._default_manager.get(pk=pk)
    form = _form(resource, user, row, values)
    if not form.is_valid():
        return
    with transaction.atomic():
        resource.save_checked(user=user, form=form)
        row.refresh_from_db()
        for name, value in values.items():
            told = getattr(row, name, form.cleaned_data[name])
            assert _is_kept(told, value), (*where, name, told)
        transaction.set_rollback(True)


def _is_kept(told: Any, value: str) -> bool:
    if isinstance(told, Secret):
        told = told.reveal()
    if not isinstance(told, str) or not told:
        return True
    return _plain(told.removeprefix("https://")) in (
        _plain(value),
        _plain(value.lower()),
    )


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


@pytest.mark.parametrize(
    "kind",
    ["project", "environment", "pipeline", "githook", "deployschedule", "releaseset"],
)
def test_pages_draw_what_was_kept_as_text(
    paper: Paper, keys: dict[str, int], client_of: Any, kind: str
) -> None:
    resource = next(one for one in resources() if one.model_name == kind)
    row = resource.model._default_manager.get(pk=keys[kind])
    for field in resource.model._meta.concrete_fields:
        plain = (
            field.get_internal_type() in ("CharField", "TextField")
            and not field.choices
        )
        if field.name in ("crontab", "time_zone"):
            # They are read as such before they are drawn.
            continue
        if (
            plain
            and not field.unique
            and not getattr(field, "secret", False)
            and field.editable
        ):
            setattr(row, field.name, MARKUP[: field.max_length or 50])
    row.name = MARKUP
    row.save()
    client = client_of(paper.user)
    for address in (
        f"{resource.url('detail', row.pk)}",
        resource.url("list"),
        resource.url("edit", row.pk),
    ):
        page = client.get(address).content.decode()
        assert "<script>fetch" not in page, address
    for panel in resource.panels:
        page = client.get(f"{resource.url('detail', row.pk)}?tab={panel.key}")
        assert page.status_code == 200, panel.key
        assert "<script>fetch" not in page.content.decode(), panel.key


def test_nobody_becomes_somebody_else_by_a_field(
    api: Client, paper: Paper, keys: dict[str, int]
) -> None:
    """Fields that only the portal writes are no fields of any form."""
    other = User.objects.exclude(pk=paper.user.pk).first()
    for path, kind in (
        ("git-hooks", "githook"),
        ("deploy-schedules", "deployschedule"),
        ("follow-ups", "followup"),
    ):
        for field in ("run_as", "vouched", "notice", "key", "next_at"):
            told = api.patch(
                f"/api/v1/{path}/{keys[kind]}/",
                {field: other.pk if other else 1},
                content_type="application/json",
            )
            assert told.status_code == 422, (path, field)
    assert Pipeline.objects.exists()
