"""The configuration that only GitHub and editors read: it parses, and what it names exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
CONFIGURATION = [
    *sorted((ROOT / ".github").rglob("*.yml")),
    ROOT / ".pre-commit-config.yaml",
]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
PINNED = re.compile(r"[\w./-]+@(v\d+\.\d+\.\d+|[0-9a-f]{40})")


def read(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text()))


def jobs(path: Path) -> Iterator[dict[str, Any]]:
    yield from read(path)["jobs"].values()


def strings(value: Any) -> Iterator[str]:
    """Every text of a document, names of entries aside."""
    if isinstance(value, dict):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)
    elif isinstance(value, str):
        yield value


def test_there_are_workflows() -> None:
    assert {path.stem for path in WORKFLOWS} >= {"tests", "nightly", "audit", "deploy"}


@pytest.mark.parametrize("path", CONFIGURATION, ids=lambda path: path.name)
def test_the_file_is_yaml(path: Path) -> None:
    assert read(path)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_make_target_of_a_workflow_exists(path: Path) -> None:
    named = {name for text in strings(read(path)) for name in re.findall(r"\bmake ([a-z-]+)", text)}
    assert named <= TARGETS


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_job_ends_by_itself_and_may_do_little(path: Path) -> None:
    assert "permissions" in read(path)
    for job in jobs(path):
        assert 0 < job["timeout-minutes"] <= 120


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned(path: Path) -> None:
    for job in jobs(path):
        for step in job["steps"]:
            if "uses" in step:
                assert PINNED.fullmatch(step["uses"]), step["uses"]


def test_what_hooks_run_is_in_the_lock() -> None:
    """Programs of .venv/bin are those of locks/dev.txt."""
    locked = set(re.findall(r"^([\w-]+)==", (ROOT / "locks/dev.txt").read_text(), re.MULTILINE))
    (repository,) = read(ROOT / ".pre-commit-config.yaml")["repos"]
    programs = {hook["entry"].split()[0].rpartition("/")[2] for hook in repository["hooks"]}
    assert programs <= locked


def test_every_accepted_advisory_is_explained() -> None:
    (accepted,) = re.findall(r"^ACCEPTED = (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    explained = re.findall(r"GHSA-[\w-]+|CVE-[\d-]+", (ROOT / "SECURITY.md").read_text())
    assert sorted(accepted.split()) == sorted(explained)
