"""`make soak`, for a quarter of a minute, while interpreters are killed and while nothing is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.soak.ledger import GROWTH_MIB, Ledger, Sample, as_markdown
from tests.support.soak.pictures import pictures
from tools.stack import ROOT


def soak(folder: Path, *words: str) -> dict[str, Any]:
    """The report of a run that found no fault."""
    command = [sys.executable, "-m", "tests.support.soak", "--minutes", "0.25", "--sample-minutes", "0.05"]
    done = subprocess.run(
        [*command, "--users", "4", "--out", str(folder), *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads((folder / "soak.json").read_text()))


@pytest.mark.parametrize("words", [[], ["--kill-every", "4"]], ids=["in peace", "with kills"])
def test_a_short_run_of_mixed_traffic_finds_no_fault(
    request: pytest.FixtureRequest, tmp_path: Path, words: list[str]
) -> None:
    if request.config.getoption("--base-url"):
        pytest.skip("needs a local runtime of its own")
    report = soak(tmp_path, *words)
    assert report["faults"] == []
    assert report["requests"] > 30
    assert report["answers"]["create 201"] > 0
    assert report["died"] == report["revived"]
    assert bool(report["kills"]) == bool(words)
    assert all(sample["rss"] > 100 for sample in report["memory"])
    assert (tmp_path / "soak.md").read_text() == as_markdown(report)


def memory_faults(*sizes: float, minutes: float = 30) -> list[str]:
    """The faults of a run with so many MiB at equal distances."""
    ledger = Ledger()
    for number, rss in enumerate(sizes):
        minute = minutes * number / (len(sizes) - 1)
        ledger.samples.append(Sample(minute, rss, {"icon": 24.0 if number == 0 else 88.0}, 0))
    ledger.check_memory()
    return ledger.faults


def test_memory_that_keeps_growing_is_a_fault() -> None:
    assert memory_faults(500, 700, 800, 820, 830, 825) == []
    assert memory_faults(500, 700, 800, 820, 830, 801 + GROWTH_MIB) == [
        f"minute 0.0: workerd grew from 800 to {801 + GROWTH_MIB} MiB"
    ]
    assert memory_faults(500, 700, 800, 900, 1000, minutes=5) == []


def test_renditions_of_another_picture_are_a_fault() -> None:
    small, large = (picture for picture in pictures() if picture.name.startswith("JPEG of"))
    assert "display is JPEG of" in str(small.fault_of(large.data, large.data, large.data))
