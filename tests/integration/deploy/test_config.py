"""The checkout that is deployed: what must be installed, and how programs are run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.deploy.checkout import write_program
from tests.support.deploy.projects import ROOT
from tests.support.gallery.clock import run
from tests.support.gallery.world import World, settings
from tools.deploy import config
from tools.deploy.config import Target
from tools.problem import Problem

from gallery.access import uploads


def test_a_complete_checkout_passes(target: Target) -> None:
    config.check_setup(target)


@pytest.mark.parametrize(
    ("version", "sentence"),
    [("v22.11.0", r"Node 22\.12\.0 or newer is needed, this is v22\.11\.0"), ("", "this is none")],
)
def test_an_old_node_is_reported(target: Target, own_programs: Path, version: str, sentence: str) -> None:
    write_program(own_programs / "node", f"echo {version}")
    with pytest.raises(Problem, match=sentence):
        config.check_setup(target)


def test_a_missing_node_is_reported(target: Target, own_programs: Path) -> None:
    assert not own_programs.exists()
    with pytest.raises(Problem, match=r"`node` cannot be started \(No such file.*run `make setup`"):
        config.check_setup(target)


def test_another_version_of_wrangler_is_reported(target: Target) -> None:
    package = json.loads((target.root / "package.json").read_text())
    package["devDependencies"]["wrangler"] = "9.9.9"
    (target.root / "package.json").write_text(json.dumps(package))
    with pytest.raises(Problem, match=r"is installed, 9\.9\.9 is wanted; run `make setup`"):
        config.check_setup(target)


def test_missing_packages_are_reported(target: Target) -> None:
    (target.folder("icon") / "python_modules/workers").rmdir()
    with pytest.raises(Problem, match="the icon Worker has no packages"):
        config.check_setup(target)
    (target.root / "node_modules").unlink()
    with pytest.raises(Problem, match="Wrangler is not installed"):
        config.check_setup(target)


def test_a_program_that_does_not_end_or_does_not_exist_is_a_problem(tmp_path: Path) -> None:
    slow, missing = tmp_path / "slow", tmp_path / "missing"
    write_program(slow, "exec sleep 60")
    with pytest.raises(Problem, match=r"`vfa smoke` took more than 1 s; run `make deploy` again"):
        config.run_program("vfa smoke", [slow], cwd=tmp_path, environ={}, timeout=1)
    with pytest.raises(Problem, match=r"`vfa smoke` cannot be started \(No such file"):
        config.run_program("vfa smoke", [missing], cwd=tmp_path, environ={}, timeout=1)


def test_cors_allows_every_header_of_an_upload_ticket() -> None:
    rules = json.loads((ROOT / "cors.json").read_text())["rules"]
    world = World()
    world.user("usr_1")
    request = uploads.UploadRequest("image/jpeg", "image/jpeg", 10)
    ticket = run(uploads.issue_upload(world.platform, settings(), "usr_1", request))
    (rule,) = [rule for rule in rules if ticket["method"] in rule["allowed"]["methods"]]
    assert {name.lower() for name in ticket["headers"]} == set(rule["allowed"]["headers"])
    assert "ETag" in rule["exposeHeaders"]
    assert all("*" not in rule["allowed"]["origins"] for rule in rules)


def test_the_workers_are_found_by_their_files(target: Target) -> None:
    before = list(target.projects)
    (target.root / "variants/banner").mkdir()
    (target.root / "variants/banner/wrangler.toml").write_text('name = "vfa-gallery-banner"')
    assert before == ["icon", "thumbnail", "watermark", "gateway"]
    assert list(target.projects) == ["banner", *before]
