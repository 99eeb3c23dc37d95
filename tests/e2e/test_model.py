"""A short run of random operations against the model; `make soak` plays a long one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.model.checks import problems_of
from tests.support.model.run import Run
from tests.support.model.world import Shelf, State, Work

Record = Callable[[str, object], None]
ROW = {"id": "art_1", "title": "Dusk"}


def test_random_operations_with_faults_and_a_kill_keep_every_invariant(
    state: Path, record_property: Record
) -> None:
    lines: list[str] = []
    totals = Run(state, seed=11, operations=150, say=lines.append, size=50).go()
    record_property("random operations against a model", totals.operations)
    assert totals.kills == 1
    assert len(lines) == totals.rounds == 3
    assert sum(number for name, number in totals.seen.items() if name.startswith("create 201")) > 5


@pytest.mark.parametrize(
    ("state_of_work", "row", "problem"),
    [
        (State.MADE, None, "is lost"),
        (State.MADE, ROW | {"id": "art_2"}, "is lost"),
        (State.MADE, ROW | {"title": "Dawn"}, "has the title Dawn"),
        (State.DELETED, ROW, "is there again"),
        (State.MADE, ROW, None),
        (State.UNKNOWN, ROW, None),
        (State.UNKNOWN, None, None),
        (State.DELETED, None, None),
        (State.WAITING, None, None),
    ],
)
def test_the_model_notices_what_is_wrong(
    state_of_work: State, row: dict[str, Any] | None, problem: str | None
) -> None:
    work = Work("originals/u/1.jpg", state_of_work, "art_1", titles={"Dusk"})
    found = list(problems_of(work, row))
    assert len(found) == (problem is not None)
    assert all(problem in sentence for sentence in found if problem)


def test_the_model_notices_a_second_artwork_and_one_that_returns() -> None:
    shelf = Shelf("u")
    work = shelf.add("originals/u/1.jpg")
    shelf.made(work, "art_1", "Dusk")
    with pytest.raises(AssertionError, match="two artworks"):
        shelf.made(work, "art_2", "Dusk")
    work.state = State.DELETED
    with pytest.raises(AssertionError, match="there again"):
        shelf.made(work, "art_1", "Dusk")
