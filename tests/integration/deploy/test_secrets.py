"""Secrets of `make deploy`: kept before they are used, the same in all Workers, replaced whole."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from tests.support.deploy.cloudflare import Cloudflare
from tests.support.deploy.fake_wrangler import FakeWrangler, Killed
from tests.support.deploy.projects import ROOT
from tests.support.deploy.runs import Runner, changed, state
from tools.deploy.secrets import SecretStore


def test_secrets_are_kept_for_their_owner_alone(root: Path, cloud: Cloudflare, run: Runner) -> None:
    run(FakeWrangler(cloud))
    path = root / ".secrets.production"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kept = SecretStore(path, {})
    held = cloud.workers["vfa-gallery"].secrets
    for name in ("AUTH_JWT_SECRET", "WORKER_AUTH_TOKEN"):
        assert kept.value(name) == held[name]
        assert len(held[name]) == 64
    assert kept.value("R2_SECRET_ACCESS_KEY") is None
    assert ".secrets.*" in (ROOT / ".gitignore").read_text().splitlines()


def test_a_secret_that_one_worker_lacks_is_set_for_all_that_share_it(cloud: Cloudflare, run: Runner) -> None:
    run(FakeWrangler(cloud))
    del cloud.workers["vfa-gallery-icon"].secrets["WORKER_AUTH_TOKEN"]
    cloud.workers["vfa-gallery"].secrets["WORKER_AUTH_TOKEN"] = "another"
    run(FakeWrangler(cloud))
    assert len({worker.secrets["WORKER_AUTH_TOKEN"] for worker in cloud.workers.values()}) == 1


def test_rotating_replaces_a_secret_everywhere(root: Path, cloud: Cloudflare, run: Runner) -> None:
    run(FakeWrangler(cloud))
    old = dict(cloud.workers["vfa-gallery"].secrets)
    assert run(FakeWrangler(cloud), "--rotate", "WORKER_AUTH_TOKEN") == 0
    new = cloud.workers["vfa-gallery"].secrets
    assert new["WORKER_AUTH_TOKEN"] != old["WORKER_AUTH_TOKEN"]
    assert {name: new[name] for name in old if name != "WORKER_AUTH_TOKEN"} == {
        name: value for name, value in old.items() if name != "WORKER_AUTH_TOKEN"
    }
    assert state(root, cloud)["tokens"] == 1


def test_a_lost_file_of_secrets_does_not_replace_those_in_use(
    root: Path, cloud: Cloudflare, run: Runner
) -> None:
    run(FakeWrangler(cloud))
    before = {name: dict(worker.secrets) for name, worker in cloud.workers.items()}
    path = root / ".secrets.production"
    kept = path.read_text()
    path.write_text("\n".join(line for line in kept.splitlines() if not line.startswith("WORKER")))
    run(FakeWrangler(cloud))
    assert {name: worker.secrets for name, worker in cloud.workers.items()} == before


# The changing commands of a later run: the fonts, three renderers, the gateway, CORS. Step 1 is after the
# fonts.
@pytest.mark.parametrize("killed", [False, True], ids=["refused", "killed"])
@pytest.mark.parametrize("step", range(1, 5))
@pytest.mark.parametrize("name", ["WORKER_AUTH_TOKEN", "AUTH_JWT_SECRET"])
def test_a_rotation_that_broke_off_is_finished_by_the_next_run(
    root: Path, cloud: Cloudflare, run: Runner, name: str, step: int, killed: bool
) -> None:
    run(FakeWrangler(cloud))
    old = cloud.workers["vfa-gallery"].secrets[name]
    breaking = FakeWrangler(cloud, fail_at=step, killed=killed)
    if killed:
        with pytest.raises(Killed):
            run(breaking, "--rotate", name)
    else:
        assert run(breaking, "--rotate", name) == 1
    kept = root / ".secrets.production"
    assert f"\n{name}={old}\n" in kept.read_text()
    assert f"\nPENDING_{name}=" in kept.read_text()
    assert run(FakeWrangler(cloud)) == 0
    new = cloud.workers["vfa-gallery"].secrets[name]
    assert new != old
    assert {worker.secrets.get(name, new) for worker in cloud.workers.values()} == {new}
    assert SecretStore(kept, {}).value(name) == new
    assert "PENDING" not in kept.read_text()
    assert run(again := FakeWrangler(cloud)) == 0
    assert not any("--secrets-file" in words for words in changed(again))


def test_a_plan_says_what_an_earlier_run_began(
    cloud: Cloudflare, run: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    run(FakeWrangler(cloud))
    run(FakeWrangler(cloud, fail_at=3), "--rotate", "WORKER_AUTH_TOKEN")
    capsys.readouterr()
    run(FakeWrangler(cloud), "--dry-run")
    assert "finish setting WORKER_AUTH_TOKEN, which an earlier run began" in capsys.readouterr().out


def test_an_exported_value_is_not_taken_for_a_new_one(
    cloud: Cloudflare, run: Runner, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(FakeWrangler(cloud))
    monkeypatch.setenv("AUTH_JWT_SECRET", cloud.workers["vfa-gallery"].secrets["AUTH_JWT_SECRET"])
    assert run(wrangler := FakeWrangler(cloud), "--rotate", "AUTH_JWT_SECRET") == 1
    told = capsys.readouterr().err
    assert told.startswith(
        "error: AUTH_JWT_SECRET is set in the environment, so --rotate would set that value"
    )
    assert told.endswith("`unset AUTH_JWT_SECRET` and run it again\n")
    assert not changed(wrangler)


def test_an_exported_value_does_not_replace_one_that_was_begun(
    cloud: Cloudflare, run: Runner, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(FakeWrangler(cloud))
    run(FakeWrangler(cloud, fail_at=3), "--rotate", "WORKER_AUTH_TOKEN")
    capsys.readouterr()
    monkeypatch.setenv("WORKER_AUTH_TOKEN", "x" * 32)
    assert run(FakeWrangler(cloud)) == 1
    assert "an earlier run has begun to set another value" in capsys.readouterr().err
    monkeypatch.delenv("WORKER_AUTH_TOKEN")
    assert run(FakeWrangler(cloud)) == 0


def test_a_value_from_the_environment_is_kept_for_the_next_run(
    root: Path, cloud: Cloudflare, run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(FakeWrangler(cloud))
    del cloud.workers["vfa-gallery"].secrets["AUTH_JWT_SECRET"]
    monkeypatch.setenv("AUTH_JWT_SECRET", "s" * 64)
    assert run(FakeWrangler(cloud)) == 0
    monkeypatch.delenv("AUTH_JWT_SECRET")
    assert cloud.workers["vfa-gallery"].secrets["AUTH_JWT_SECRET"] == "s" * 64
    assert SecretStore(root / ".secrets.production", {}).value("AUTH_JWT_SECRET") == "s" * 64


def test_new_r2_credentials_are_set_from_the_environment(
    root: Path, cloud: Cloudflare, run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(FakeWrangler(cloud))
    monkeypatch.setenv("R2_ACCESS_KEY_ID", "second")
    assert run(FakeWrangler(cloud), "--rotate", "R2_ACCESS_KEY_ID") == 0
    assert cloud.workers["vfa-gallery"].secrets["R2_ACCESS_KEY_ID"] == "second"
    assert "R2_" not in (root / ".secrets.production").read_text()


def test_files_that_hold_secrets_are_ignored_by_git() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {".secrets.*", "sibling.json", "gateway.json"} <= set(ignored)
