"""Two artefacts side by side: which files came, went and changed."""

from typing import Any

from delivery.artefacts import comparing
from delivery.artefacts.manifests import Entry


def entry(path: str, **fields: Any) -> Entry:
    """Make an entry of a manifest."""
    values = {"size": 10, "sha256": path * 4}
    return Entry(path, **(values | fields))


def test_files_that_came_went_and_changed_are_told_apart() -> None:
    was = [entry("a"), entry("b"), entry("c"), entry("d")]
    now = [
        entry("a"),
        entry("b", sha256="other", size=30),
        entry("d", executable=True),
        entry("e", size=5),
    ]
    found = comparing.compare(was, now)
    assert [(each.path, each.state) for each in found.named] == [
        ("b", "changed"),
        ("c", "removed"),
        ("d", "mode"),
        ("e", "added"),
    ]
    assert found.same == 1
    assert found.grown == 20 - 10 + 5
    assert found.named[0].grown == 20


def test_a_link_that_leads_elsewhere_is_a_change() -> None:
    was, now = [entry("l", target="x", sha256="")], [entry("l", target="y", sha256="")]
    assert comparing.compare(was, now).counts == {"changed": 1}


def test_more_than_a_page_can_name_is_counted_all_the_same() -> None:
    found = comparing.compare([], [entry(f"f{n:04}") for n in range(700)])
    assert found.counts == {"added": 700}
    assert len(found.named) == comparing.MOST_NAMED
    assert found.unnamed == 200
