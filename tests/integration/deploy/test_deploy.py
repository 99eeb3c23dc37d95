"""`make deploy`: makes what is missing, may be interrupted anywhere, and says in a sentence why it stops."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.support.deploy import sample_migrations
from tests.support.deploy.checkout import CREDENTIALS, checkout, set_variables
from tests.support.deploy.cloudflare import ACCOUNT, SUBDOMAIN, Cloudflare, Database
from tests.support.deploy.fake_wrangler import FakeWrangler, Killed
from tests.support.deploy.projects import ROOT, VARIANTS, WORKERS
from tests.support.deploy.runs import GALLERY, Runner, changed, state
from tools.deploy import account, apply, cli, schema
from tools.deploy.apply import NO_SUBDOMAIN
from tools.deploy.config import Target

# Commands of a first run that change something: two stores, fonts, schema, four Workers, the gateway again,
# CORS.
CHANGES = 10
MIGRATIONS = schema.migrations_in(ROOT / "migrations")


def test_a_first_run_makes_everything_siblings_first(root: Path, cloud: Cloudflare, run: Runner) -> None:
    wrangler = FakeWrangler(cloud)
    assert run(wrangler) == 0
    found = state(root, cloud)
    assert found["bound"] == (True, True, f"https://{ACCOUNT}.r2.cloudflarestorage.com")
    assert found["form"] == schema.structure_of([(ROOT / "schema.sql").read_text()])
    assert found["applied"] == [migration.name for migration in MIGRATIONS]
    assert found["tokens"] == 1
    deployed = [words for words in changed(wrangler) if words.startswith("deploy")]
    assert list(cloud.workers)[-1] == "vfa-gallery"
    assert len(deployed) == len(cloud.workers) + 1 == 5
    assert run.smoked == [GALLERY]


def test_the_gateway_gets_its_address_as_public_url(
    root: Path, cloud: Cloudflare, run: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(FakeWrangler(cloud)) == 0
    assert cloud.workers["vfa-gallery"].metadata["vars"]["PUBLIC_URL"] == GALLERY
    capsys.readouterr()
    set_variables(Target(root, "production"), PUBLIC_URL="https://proxy.example")
    assert run(wrangler := FakeWrangler(cloud)) == 0
    assert cloud.workers["vfa-gallery"].metadata["vars"]["PUBLIC_URL"] == "https://proxy.example"
    assert (
        f"PUBLIC_URL stays https://proxy.example; the gateway answers at {GALLERY}" in capsys.readouterr().out
    )
    assert len([words for words in changed(wrangler) if words.startswith("deploy")]) == 4


def test_the_last_line_is_the_address_and_the_next_command(
    cloud: Cloudflare, run: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    run(FakeWrangler(cloud))
    command = "vfa user add NAME --wrangler remote"
    assert capsys.readouterr().out.splitlines()[-1] == f"{GALLERY} is ready; next: {command}"
    run(FakeWrangler(cloud), "--env", "staging")
    assert capsys.readouterr().out.splitlines()[-1].endswith(f"; next: {command} --env staging")


def test_no_tracked_file_is_changed(root: Path, cloud: Cloudflare, run: Runner) -> None:
    def files() -> dict[str, bytes]:
        found = (path for path in root.rglob("*") if path.is_file() and ".venv" not in path.parts)
        return {str(path): path.read_bytes() for path in found if "node_modules" not in path.parts}

    before = files()
    assert run(FakeWrangler(cloud), "--jurisdiction", "eu") == 0
    after = files()
    assert {path for path in after if after[path] != before.get(path)} == {str(root / ".secrets.production")}


def test_data_stays_in_the_jurisdiction_of_the_first_run(
    cloud: Cloudflare, run: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(FakeWrangler(cloud), "--jurisdiction", "eu") == 0
    assert run(again := FakeWrangler(cloud)) == 0
    assert not any("create" in words for words in again.commands)
    assert list(cloud.buckets) == ["eu/vfa-gallery"]
    assert cloud.databases["vfa-gallery"].jurisdiction == "eu"
    assert cloud.buckets["eu/vfa-gallery"]["cors"]
    endpoint = f"https://{ACCOUNT}.eu.r2.cloudflarestorage.com"
    assert cloud.workers["vfa-gallery"].metadata["vars"]["R2_S3_ENDPOINT"] == endpoint
    for worker in cloud.workers.values():
        assert [each["jurisdiction"] for each in worker.metadata["r2_buckets"]] == ["eu"]
    capsys.readouterr()
    assert run(wrangler := FakeWrangler(cloud), "--jurisdiction", "fedramp") == 1
    assert "vfa-gallery is in the jurisdiction eu and cannot be moved" in capsys.readouterr().err
    assert not changed(wrangler)


def test_a_first_run_in_a_jurisdiction_that_broke_off_goes_on_there(cloud: Cloudflare, run: Runner) -> None:
    assert run(FakeWrangler(cloud, fail_at=2), "--jurisdiction", "eu") == 1
    assert run(FakeWrangler(cloud)) == 0
    assert list(cloud.buckets) == ["eu/vfa-gallery"]


def test_a_namespace_that_a_broken_off_deployment_left_is_bound(cloud: Cloudflare, run: Runner) -> None:
    cloud.namespaces["vfa-gallery-kv"] = "f" * 32
    assert run(FakeWrangler(cloud)) == 0
    bindings = cloud.workers["vfa-gallery"].metadata["bindings"]
    assert [each["namespace_id"] for each in bindings if each["type"] == "kv_namespace"] == ["f" * 32]
    assert list(cloud.namespaces) == ["vfa-gallery-kv"]


def test_a_second_run_only_deploys_and_says_so(
    root: Path, cloud: Cloudflare, run: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    run(FakeWrangler(cloud))
    before = state(root, cloud)
    capsys.readouterr()
    wrangler = FakeWrangler(cloud)
    assert run(wrangler) == 0
    assert [words.partition(" ")[0] for words in changed(wrangler)] == ["r2", *["deploy"] * 4, "r2"]
    assert not any("--secrets-file" in words for words in changed(wrangler))
    assert state(root, cloud) == before
    assert "create" not in capsys.readouterr().out


@pytest.mark.parametrize("killed", [False, True], ids=["refused", "killed"])
@pytest.mark.parametrize("step", range(CHANGES))
def test_a_run_that_broke_off_anywhere_is_finished_by_the_next(
    root: Path, cloud: Cloudflare, run: Runner, step: int, killed: bool
) -> None:
    breaking = FakeWrangler(cloud, fail_at=step, killed=killed)
    if killed:
        with pytest.raises(Killed):
            run(breaking)
    else:
        assert run(breaking) == 1
    assert run(FakeWrangler(cloud)) == 0
    with closing(Cloudflare()) as undisturbed:
        other = root / "other"
        other.mkdir()
        assert Runner(checkout(other))(wrangler := FakeWrangler(undisturbed)) == 0
        assert state(root, cloud) == state(other, undisturbed)
    assert wrangler.changes == CHANGES


def test_stores_made_by_someone_else_meanwhile_are_taken(
    root: Path, cloud: Cloudflare, run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_account = account.read_account

    def read_too_early(*arguments: Any) -> Any:
        found = read_account(*arguments)
        cloud.databases["vfa-gallery"] = Database("vfa-gallery")
        cloud.buckets["vfa-gallery"] = {"cors": [], "domains": []}
        return found

    monkeypatch.setattr(cli, "read_account", read_too_early)
    assert run(FakeWrangler(cloud)) == 0
    assert state(root, cloud)["bound"][:2] == (True, True)


def test_a_dry_run_changes_nothing_and_shows_every_step(
    root: Path, cloud: Cloudflare, run: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (root / "wrangler.toml").read_text()
    wrangler = FakeWrangler(cloud)
    assert run(wrangler, "--dry-run") == 0
    assert not changed(wrangler)
    assert (root / "wrangler.toml").read_text() == before
    assert not list(root.glob(".secrets*"))
    told = capsys.readouterr().out
    for word in (
        "d1 create",
        "r2 bucket create",
        "r2 object put",
        "schema.sql",
        "cors set",
        "vfa smoke",
    ):
        assert word in told
    assert "pywrangler" not in told


def test_pywrangler_is_part_of_the_plan_and_comes_first(
    cloud: Cloudflare, run: Runner, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(apply, "sync_packages", lambda _: synced.append(len(cloud.databases)))
    assert run(FakeWrangler(cloud), "--pywrangler", "--dry-run") == 0
    told = capsys.readouterr().out.splitlines()
    assert "1. vendor the packages by pywrangler" in told[1]
    assert [line.strip() for line in told[2:6]] == [
        f"cd {Target(ROOT, 'production').folder(each).relative_to(ROOT)} && pywrangler sync --force"
        for each in WORKERS
    ]
    assert synced == []
    assert run(FakeWrangler(cloud), "--pywrangler") == 0
    assert synced == [0]


def test_a_dry_run_needs_no_account(
    run: Runner, cloud: Cloudflare, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    assert run(FakeWrangler(cloud, logged_in=False), "--dry-run") == 0
    told = capsys.readouterr().out
    assert "wrangler d1 create vfa-gallery" in told
    assert "1. ask for R2_ACCESS_KEY_ID and R2_SECRET_ACCESS_KEY, which are not in the environment" in told


def test_staging_touches_nothing_of_production(root: Path, cloud: Cloudflare, run: Runner) -> None:
    run(FakeWrangler(cloud))
    before = state(root, cloud)
    wrangler = FakeWrangler(cloud)
    assert run(wrangler, "--env", "staging") == 0
    after = state(root, cloud)
    assert {name: after["secrets"][name] for name in before["secrets"]} == before["secrets"]
    assert {**after, "secrets": 0, "stores": 0} == {**before, "secrets": 0, "stores": 0}
    assert sorted(cloud.databases) == ["vfa-gallery", "vfa-gallery-staging"]
    assert all("--env=staging" in words for words in wrangler.commands if words[0] == "deploy")
    tokens = {
        cloud.workers[name].secrets["WORKER_AUTH_TOKEN"] for name in ("vfa-gallery", "vfa-gallery-staging")
    }
    assert len(tokens) == 2
    assert run.smoked[-1] == "https://vfa-gallery-staging.gallery-tests.workers.dev"


@pytest.mark.parametrize("count", range(len(MIGRATIONS) + 1))
def test_a_database_made_by_hand_is_carried_forward(
    root: Path, cloud: Cloudflare, run: Runner, count: int
) -> None:
    database = cloud.databases["vfa-gallery"] = Database("vfa-gallery")
    for migration in MIGRATIONS[:count]:
        database.query(migration.sql)
    assert run(FakeWrangler(cloud)) == 0
    assert state(root, cloud)["applied"] == [migration.name for migration in MIGRATIONS]
    assert state(root, cloud)["form"] == schema.structure_of([(ROOT / "schema.sql").read_text()])


def test_pending_migrations_are_applied(root: Path, cloud: Cloudflare, run: Runner) -> None:
    run(FakeWrangler(cloud))
    database = cloud.databases["vfa-gallery"]
    database.query(sample_migrations.ROWS)
    before = sample_migrations.tables(database.connection)
    for migration in reversed(sample_migrations.LATER):
        (root / "migrations" / migration.name).write_text(migration.sql)
    wrangler = FakeWrangler(cloud)
    assert run(wrangler) == 0
    assert "d1 migrations apply DB --remote --env=" in changed(wrangler)
    assert sample_migrations.lost(before, after := sample_migrations.tables(database.connection)) == []
    assert after["signers"][0]["signer"] == "ann"
    assert run(again := FakeWrangler(cloud)) == 0
    assert not any("migrations" in words for words in changed(again))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--images-domain", "images.example.org"), "name its zone with --zone-id"),
        (
            ("--images-domain", "images.example.org", "--zone-id", "z"),
            "a firewall rule must guard the originals",
        ),
        (("--images-domain", "https://images.example.org/x"), "wants the name of a host"),
        (("--rotate", "PASSWORD"), "no Worker has a secret PASSWORD"),
    ],
)
def test_an_option_that_cannot_be_fulfilled_changes_nothing(
    cloud: Cloudflare, run: Runner, words: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wrangler = FakeWrangler(cloud)
    assert run(wrangler, *words) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert sentence in told
    assert len(told.splitlines()) == 1
    assert not changed(wrangler)


def test_without_a_login_there_is_one_clear_sentence(
    cloud: Cloudflare, run: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(FakeWrangler(cloud, logged_in=False)) == 1
    assert capsys.readouterr().err == f"error: {account.LOGIN}\n"


def test_several_accounts_are_named(
    cloud: Cloudflare, run: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(FakeWrangler(cloud, accounts=("one", "two"))) == 1
    assert "set CLOUDFLARE_ACCOUNT_ID" in (told := capsys.readouterr().err)
    assert "one (Account 1), two (Account 2)" in told


def test_without_r2_credentials_nothing_is_changed(
    cloud: Cloudflare, run: Runner, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("R2_SECRET_ACCESS_KEY")
    assert run(wrangler := FakeWrangler(cloud), "--jurisdiction", "eu") == 1
    told = capsys.readouterr().err
    assert told.startswith(
        "error: nothing was changed: R2_SECRET_ACCESS_KEY must be in the environment, from an R2"
    )
    assert "`npx wrangler r2 bucket create vfa-gallery --jurisdiction eu` creates the bucket" in told
    assert not changed(wrangler)


def test_r2_credentials_are_asked_for_before_the_first_change(
    root: Path, cloud: Cloudflare, run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    asked: list[tuple[str, int]] = []

    def ask(prompt: str) -> str:
        asked.append((prompt, len(cloud.buckets)))
        return f" {prompt[:-2].lower()} "

    run.ask = ask
    assert run(FakeWrangler(cloud)) == 0
    assert asked == [("R2_ACCESS_KEY_ID: ", 0), ("R2_SECRET_ACCESS_KEY: ", 0)]
    assert cloud.workers["vfa-gallery"].secrets["R2_ACCESS_KEY_ID"] == "r2_access_key_id"
    assert "R2_" not in (root / ".secrets.production").read_text()
    assert run(FakeWrangler(cloud)) == 0
    assert len(asked) == 2


def test_a_foreign_database_of_that_name_is_left_alone(
    cloud: Cloudflare, run: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.databases["vfa-gallery"] = Database("vfa-gallery")
    cloud.databases["vfa-gallery"].query("CREATE TABLE customers (id)")
    wrangler = FakeWrangler(cloud)
    assert run(wrangler) == 1
    assert "holds tables that neither schema.sql nor any migration made" in capsys.readouterr().err
    assert not changed(wrangler)


def test_wranglers_reason_is_passed_on(
    cloud: Cloudflare, run: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(FakeWrangler(cloud, fail_at=0)) == 1
    assert "failed: The service is unavailable. [code: 10000]" in capsys.readouterr().err


@pytest.mark.parametrize("step", range(4, 8))
def test_the_worker_that_failed_is_named(
    cloud: Cloudflare, run: Runner, step: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(FakeWrangler(cloud, fail_at=step)) == 1
    (left,) = (
        {*WORKERS}
        - {name.removeprefix("vfa-gallery-") for name in cloud.workers}
        - ({"gateway"} if step < 7 else set())
    )
    assert (left in VARIANTS) == (step < 7)
    assert capsys.readouterr().err == (
        f"error: `wrangler deploy` of the {left} Worker failed: The service is unavailable. [code: 10000]\n"
    )


def test_ctrl_c_ends_in_a_sentence(
    cloud: Cloudflare, run: Runner, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(FakeWrangler, "_deploy", interrupt)
    assert run(FakeWrangler(cloud)) == 130
    told = capsys.readouterr().err
    assert told == "error: interrupted; run `make deploy` again to continue\n"


def test_an_account_without_a_name_below_workers_dev_is_told_so(
    cloud: Cloudflare, run: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.subdomain = None
    assert run(FakeWrangler(cloud)) == 1
    assert capsys.readouterr().err == f"error: {NO_SUBDOMAIN}\n"
    cloud.subdomain = SUBDOMAIN
    assert run(FakeWrangler(cloud)) == 0


def test_uploads_are_allowed_from_the_gallery_and_from_configured_origins(
    root: Path, cloud: Cloudflare, run: Runner
) -> None:
    set_variables(Target(root, "production"), ALLOWED_ORIGINS="https://a.example, https://b.example")
    run(FakeWrangler(cloud))
    for rule in cloud.buckets["vfa-gallery"]["cors"]:
        assert rule["allowed"]["origins"] == [GALLERY, "https://a.example", "https://b.example"]
    template = json.loads((ROOT / "cors.json").read_text())
    for rule in template["rules"]:
        rule["allowed"]["origins"] = [GALLERY, "https://a.example", "https://b.example"]
    assert cloud.buckets["vfa-gallery"]["cors"] == template["rules"]
