"""Releases of all four Workers: listed, and returned to together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.deploy.cloudflare import Cloudflare
from tests.support.deploy.fake_wrangler import FakeWrangler
from tests.support.deploy.projects import WORKERS
from tests.support.deploy.runs import Runner, changed
from tools.deploy import rollback
from tools.deploy.rollback import Version

START = datetime(2026, 11, 27, 12, tzinfo=UTC)
RELEASES = [rollback.release_name(START + timedelta(hours=hour)) for hour in range(3)]


@pytest.fixture
def deployed(cloud: Cloudflare, run: Runner, monkeypatch: pytest.MonkeyPatch) -> Cloudflare:
    """An account with three releases."""
    names = iter(RELEASES)
    monkeypatch.setattr(rollback, "release_name", lambda _: next(names))
    for _ in RELEASES:
        assert run(FakeWrangler(cloud)) == 0
    return cloud


def running(cloud: Cloudflare) -> set[str]:
    return {worker.tag for worker in cloud.workers.values()}


def test_a_release_is_named_after_its_time() -> None:
    assert RELEASES[0] == "20261127T120000Z"
    assert sorted(RELEASES) == RELEASES


def test_a_rollback_returns_to_the_release_before_gateway_first(deployed: Cloudflare, run: Runner) -> None:
    assert running(deployed) == {RELEASES[2]}
    assert run(wrangler := FakeWrangler(deployed), "--rollback") == 0
    assert running(deployed) == {RELEASES[1]}
    assert [words.partition(" ")[0] for words in changed(wrangler)] == ["rollback"] * 4
    assert changed(wrangler)[0].split()[1] == deployed.workers["vfa-gallery"].id
    assert run(FakeWrangler(deployed), "--rollback") == 0
    assert running(deployed) == {RELEASES[0]}


def test_a_release_may_be_named(deployed: Cloudflare, run: Runner) -> None:
    assert run(FakeWrangler(deployed), "--rollback", RELEASES[0]) == 0
    assert running(deployed) == {RELEASES[0]}
    assert run(FakeWrangler(deployed), "--rollback", RELEASES[2]) == 0
    assert running(deployed) == {RELEASES[2]}


def test_the_last_version_of_a_release_is_deployed(deployed: Cloudflare, run: Runner) -> None:
    """A first run deploys the gateway twice."""
    assert run(FakeWrangler(deployed), "--rollback", RELEASES[0]) == 0
    assert deployed.workers["vfa-gallery"].number == 2


def test_a_dry_run_of_a_rollback_changes_nothing(
    deployed: Cloudflare, run: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(wrangler := FakeWrangler(deployed), "--rollback", "--dry-run") == 0
    assert f"production → release {RELEASES[1]}" in capsys.readouterr().out
    assert not changed(wrangler)
    assert running(deployed) == {RELEASES[2]}


def test_an_interrupted_rollback_is_finished_by_name(
    deployed: Cloudflare, run: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(FakeWrangler(deployed, fail_at=2), "--rollback") == 1
    assert running(deployed) == {RELEASES[1], RELEASES[2]}
    assert run(FakeWrangler(deployed), "--rollback") == 1
    assert "the Workers run different releases" in capsys.readouterr().err
    assert run(FakeWrangler(deployed), "--rollback", RELEASES[1]) == 0
    assert running(deployed) == {RELEASES[1]}


def test_releases_are_listed_with_the_current_one(
    deployed: Cloudflare, run: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    run(FakeWrangler(deployed), "--rollback")
    capsys.readouterr()
    assert run(wrangler := FakeWrangler(deployed), "--versions") == 0
    assert capsys.readouterr().out.splitlines() == [RELEASES[2], f"{RELEASES[1]}  current", RELEASES[0]]
    assert not changed(wrangler)


def test_workers_out_of_step_are_named() -> None:
    def versions(*tags: str) -> list[Version]:
        count = len(tags)
        return [Version(tag, count - at, tag, at == 0) for at, tag in enumerate(tags)]

    found = {name: versions("b", "a") for name in WORKERS}
    found["icon"] = versions("", "b", "a")
    assert list(rollback.describe_releases(found)) == [
        "b  current in gateway, thumbnail, watermark",
        "a",
        "the icon Worker runs a version that `make deploy` did not tag",
    ]


@pytest.mark.parametrize(
    ("release", "sentence"),
    [("20200101T000000Z", "not every Worker has a version of 20200101T000000Z"), ("", "no earlier release")],
)
def test_a_release_that_does_not_exist_is_a_problem(
    deployed: Cloudflare, run: Runner, release: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(FakeWrangler(deployed), "--rollback", RELEASES[0]) == 0
    words: list[Any] = ["--rollback", *([release] if release else [])]
    assert run(wrangler := FakeWrangler(deployed), *words) == 1
    assert sentence in capsys.readouterr().err
    assert not changed(wrangler)


def test_before_the_first_deployment_there_is_nothing_to_return_to(
    cloud: Cloudflare, run: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(FakeWrangler(cloud), "--rollback") == 1
    assert capsys.readouterr().err == "error: the icon Worker is not deployed yet\n"
