"""A short run of random operations against the model; `make soak` plays a long one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.model.run import Run

Record = Callable[[str, object], None]


def test_random_operations_with_faults_and_a_kill_keep_every_invariant(
    state: Path, record_property: Record
) -> None:
    lines: list[str] = []
    totals = Run(state, seed=11, operations=150, say=lines.append, size=50).go()
    record_property("random operations against a model", totals.operations)
    assert totals.kills == 1
    assert len(lines) == totals.rounds == 3
    assert sum(number for name, number in totals.seen.items() if name.startswith("create 201")) > 5
