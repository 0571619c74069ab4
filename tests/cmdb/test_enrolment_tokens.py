"""Which enrolment tokens let a machine in, and what the others are told."""

from typing import Any

import pytest

from adminset.errors import DomainError
from cmdb.models import EnrolmentToken, Host
from cmdb.services import tokens
from tests.cmdb.conftest import Enrol

pytestmark = pytest.mark.django_db


def _use_up(row: EnrolmentToken) -> None:
    row.used_count = row.use_limit


def _expire(row: EnrolmentToken) -> None:
    row.expires_at = "2020-01-01T00:00:00Z"  # type: ignore[assignment]


def _revoke(row: EnrolmentToken) -> None:
    row.revoked_at = "2020-01-01T00:00:00Z"  # type: ignore[assignment]


@pytest.mark.parametrize("spoil", [_use_up, _expire, _revoke])
def test_a_token_that_is_no_good_lets_nobody_in(
    enrol: Enrol, token: str, spoil: Any
) -> None:
    row = EnrolmentToken.objects.get()
    spoil(row)
    row.save()
    with pytest.raises(DomainError) as refusal:
        enrol()
    assert refusal.value.status == 401
    assert not Host.objects.exists()


@pytest.mark.parametrize(
    ("plain", "status"),
    [("", 401), ("nothing", 401), ("a\x00.b", 401), ("0" * 12 + ".x", 401)],
)
def test_a_token_that_does_not_exist_is_unknown(
    enrol: Enrol, plain: str, status: int
) -> None:
    with pytest.raises(DomainError) as refusal:
        tokens.find(plain)
    assert refusal.value.status == status


def test_a_wrong_secret_gets_the_seeds_words(token: str) -> None:
    with pytest.raises(DomainError) as refusal:
        tokens.find(token[:-1] + ("a" if token[-1] != "a" else "b"))
    assert refusal.value.status == 403
    assert refusal.value.message == "Post forbidden, your token error!!"
