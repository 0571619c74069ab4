"""Whatever stands in a line of the audit trail comes back from the database as it was sealed."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from adminset import audit, audit_chain
from adminset.audit_seal import is_authentic
from adminset.models import AuditEntry
from tests.adminset.audit_lines import ACTOR, findings, row, write

pytestmark = pytest.mark.django_db


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.just("a\x00b\ud800"),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(old=VALUES, new=VALUES, text=st.text(max_size=40))
@hypothesis_settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_every_value_survives_the_way_through_the_database(
    old: Any, new: Any, text: str
) -> None:
    change = {"field": "facts", "old": old, "new": new}
    entry = audit.record(ACTOR, "host.report", changes=[change], reason=text)
    kept = AuditEntry.objects.get(pk=entry.pk)
    assert is_authentic(kept.mac, audit_chain.content(kept))


@pytest.mark.parametrize("number", [1e22, 1.0, -0.0, 1e-7, 5e-324, 2**53, 2**80, 0.1])
def test_numbers_survive_the_way_through_the_database(number: float) -> None:
    pk = write(changes=[{"field": "x", "old": None, "new": number}])[0]
    assert row(pk)["position"]
    assert findings() == []
