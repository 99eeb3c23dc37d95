"""The steps of a deployment that are programs of the checkout: the page and pywrangler."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.deploy.checkout import write_program
from tools.deploy import apply
from tools.deploy.config import Target
from tools.problem import Problem


@pytest.mark.parametrize(("environment", "name"), [("production", ""), ("staging", "staging")])
def test_the_page_is_built_for_the_environment_that_is_deployed(
    target: Target, own_programs: Path, monkeypatch: pytest.MonkeyPatch, environment: str, name: str
) -> None:
    monkeypatch.setenv("CLOUDFLARE_ENV", "exported")
    write_program(own_programs / "node", 'echo "$1 $CLOUDFLARE_ENV" > "$2/_headers"')
    apply.build_page(Target(target.root, environment), target.root)
    assert (target.root / "_headers").read_text() == f"{target.root}/web/build.mjs {name}\n"


def test_a_page_that_cannot_be_built_says_why(target: Target, own_programs: Path) -> None:
    write_program(own_programs / "node", 'echo "at x" >&2; echo "Error: no such file" >&2; exit 1')
    with pytest.raises(Problem, match=r"^the web page cannot be built: Error: no such file$"):
        apply.build_page(target, target.root)


def test_pywrangler_syncs_each_project_in_its_folder(target: Target, own_programs: Path) -> None:
    write_program(own_programs / "pywrangler", f'echo "$PWD $@" >> {target.root}/calls')
    apply.sync_packages(target)
    folders = [target.folder(project) for project in target.projects]
    assert (target.root / "calls").read_text().splitlines() == [f"{each} sync --force" for each in folders]


def test_a_failing_pywrangler_is_a_problem(target: Target, own_programs: Path) -> None:
    write_program(own_programs / "pywrangler", 'echo "error: Request failed"; echo "Output:" >&2; exit 1')
    with pytest.raises(Problem, match=r"failed for the icon Worker \(error: Request failed\)"):
        apply.sync_packages(target)
