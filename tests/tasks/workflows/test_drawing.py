"""The picture: nothing lies on anything else, and a phone's width holds a plain row of steps."""

from __future__ import annotations

import itertools

from tasks.workflows.drawing import HEIGHT, WIDTH, draw, plain, shortened


def definition(*keys: str, edges: tuple[str, ...] = ()) -> dict[str, object]:
    steps = [{"key": key, "does": "work", "join": "all", "title": key} for key in keys]
    pairs = [edge.split(">") for edge in edges]
    return {
        "steps": steps,
        "edges": [{"source": a, "target": b, "when": "success"} for a, b in pairs],
    }


def test_boxes_do_not_overlap_and_lie_within() -> None:
    keys = [f"s{n}" for n in range(12)]
    edges = tuple(
        f"s{n}>s{m}"
        for n, m in (
            (0, 3),
            (1, 3),
            (2, 3),
            (3, 4),
            (3, 5),
            (0, 5),
            (4, 6),
            (5, 6),
            (0, 6),
            (6, 7),
        )
    )
    picture = draw(definition(*keys, edges=edges))
    for one, two in itertools.combinations(picture.boxes, 2):
        apart = abs(one.x - two.x) >= WIDTH or abs(one.y - two.y) >= HEIGHT
        assert apart, (one.key, two.key)
    for box in picture.boxes:
        assert 0 <= box.x <= picture.width - WIDTH
        assert 0 <= box.y <= picture.height - HEIGHT
    assert len(picture.lines) == len(edges)


def test_a_row_of_steps_and_two_side_by_side_fit_a_phone() -> None:
    assert draw(definition("a", "b", "c", edges=("a>b", "b>c"))).width <= 390
    assert draw(definition("a", "b", "c", edges=("a>b", "a>c"))).width <= 390


def test_nothing_is_drawn_of_nothing() -> None:
    assert draw(definition()).boxes == []


def test_a_name_is_cut_and_cannot_turn_the_text_around() -> None:
    assert plain("a\u202eb\x00c\u200b") == "abc"
    assert plain("\u202e") == "?"
    assert shortened("x" * 40) == "x" * 19 + "…"
    assert shortened("备" * 20) == "备" * 9 + "…"


def test_a_state_is_said_in_words_too() -> None:
    picture = draw(definition("a"), {"a": {"state": "danger", "label": "failed"}})
    assert (picture.boxes[0].state, picture.boxes[0].words) == ("danger", "failed")
