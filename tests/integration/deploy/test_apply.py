"""Packages that are vendored by pywrangler."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.deploy.checkout import write_program
from tools.deploy import apply
from tools.deploy.config import Target
from tools.problem import Problem


def test_pywrangler_syncs_each_project_in_its_folder(target: Target, own_programs: Path) -> None:
    write_program(own_programs / "pywrangler", f'echo "$PWD $@" >> {target.root}/calls')
    apply.sync_packages(target)
    folders = [target.folder(project) for project in target.projects]
    assert (target.root / "calls").read_text().splitlines() == [f"{each} sync --force" for each in folders]


def test_a_failing_pywrangler_is_a_problem(target: Target, own_programs: Path) -> None:
    write_program(own_programs / "pywrangler", 'echo "error: Request failed"; echo "Output:" >&2; exit 1')
    with pytest.raises(Problem, match=r"failed for the icon Worker \(error: Request failed\)"):
        apply.sync_packages(target)
