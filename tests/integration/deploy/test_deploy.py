"""`make deploy`: makes what is missing, may be interrupted anywhere, and says in a sentence why it stops."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.support.deploy import runs, sample_migrations
from tests.support.deploy.checkout import CREDENTIALS, checkout
from tests.support.deploy.cloudflare import ACCOUNT, SUBDOMAIN, Cloudflare, Database
from tests.support.deploy.fake_wrangler import FakeWrangler, Killed
from tests.support.deploy.projects import ROOT, VARIANTS, WORKERS
from tests.support.deploy.runs import GALLERY, Runner, changed, state
from tools.deploy import account, apply, cli, schema
from tools.deploy.apply import NO_SUBDOMAIN
from tools.deploy.config import CDN_DOMAIN, PUBLIC_URL, Target
from tools.problem import Problem

# Commands of a first run that change something: three stores, fonts, schema, four Workers, gateway again,
# CORS.
CHANGES = 11
MIGRATIONS = schema.migrations_in(ROOT / "migrations")


def test_a_first_run_makes_everything_siblings_first(root: Path, cloud: Cloudflare, run: Runner) -> None:
    wrangler = FakeWrangler(cloud)
    assert run(wrangler) == 0
    found = state(root, cloud)
    assert found["ids"] == (True, True, f"https://{ACCOUNT}.r2.cloudflarestorage.com")
    assert found["form"] == schema.structure_of([(ROOT / "schema.sql").read_text()])
    assert found["applied"] == [migration.name for migration in MIGRATIONS]
    assert found["tokens"] == 1
    deployed = [words for words in changed(wrangler) if words.startswith("deploy")]
    assert list(cloud.workers)[-1] == "vfa-gallery"
    assert len(deployed) == len(cloud.workers) + 1 == 5
    assert run.smoked == [GALLERY]


def test_the_gateway_is_told_its_address_once(
    root: Path, cloud: Cloudflare, run: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(FakeWrangler(cloud)) == 0
    target = Target(root, "production")
    assert target.value(PUBLIC_URL) == GALLERY
    assert cloud.workers["vfa-gallery"].metadata["vars"]["PUBLIC_URL"] == GALLERY
    assert Target(root, "staging").value(PUBLIC_URL) == ""
    target.write({PUBLIC_URL: "https://proxy.example"})
    capsys.readouterr()
    assert run(wrangler := FakeWrangler(cloud)) == 0
    assert target.value(PUBLIC_URL) == "https://proxy.example"
    assert (
        f"PUBLIC_URL stays https://proxy.example; the gateway answers at {GALLERY}" in capsys.readouterr().out
    )
    assert len([words for words in changed(wrangler) if words.startswith("deploy")]) == 4


def test_the_page_is_built_for_the_values_that_are_deployed(
    root: Path, cloud: Cloudflare, run: Runner
) -> None:
    endpoint = f"https://{ACCOUNT}.r2.cloudflarestorage.com"
    Target(root, "production").write({CDN_DOMAIN: "https://images.example.org"})
    cloud.buckets["vfa-gallery"] = {"cors": [], "domains": [{"domain": "images.example.org"}]}
    assert run(FakeWrangler(cloud)) == 0
    assert run(FakeWrangler(cloud), "--env", "staging") == 0
    assert cloud.workers["vfa-gallery"].parts == {
        "_headers": f"production {endpoint} https://images.example.org".encode()
    }
    assert cloud.workers["vfa-gallery-staging"].parts == {"_headers": f"staging {endpoint}".encode()}
    assert cloud.workers["vfa-gallery-icon"].parts == {}


def test_a_page_that_cannot_be_built_leaves_every_worker_as_it_was(
    cloud: Cloudflare, run: Runner, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise Problem("the web page cannot be built: Error: no such file")

    monkeypatch.setattr(runs, "build", fail)
    assert run(FakeWrangler(cloud)) == 1
    assert capsys.readouterr().err == "error: the web page cannot be built: Error: no such file\n"
    assert not cloud.workers


def test_a_second_run_only_deploys_and_says_so(
    root: Path, cloud: Cloudflare, run: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    run(FakeWrangler(cloud))
    before, files = state(root, cloud), (root / "wrangler.toml").read_text()
    capsys.readouterr()
    wrangler = FakeWrangler(cloud)
    assert run(wrangler) == 0
    assert [words.partition(" ")[0] for words in changed(wrangler)] == ["r2", *["deploy"] * 4, "r2"]
    assert not any("--secrets-file" in words for words in changed(wrangler))
    assert (state(root, cloud), (root / "wrangler.toml").read_text()) == (before, files)
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
        cloud.namespaces["vfa-gallery-ready"] = "f" * 32
        return found

    monkeypatch.setattr(cli, "read_account", read_too_early)
    assert run(FakeWrangler(cloud)) == 0
    assert state(root, cloud)["ids"][:2] == (True, True)


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
        "kv namespace create",
        "r2 object put",
        "schema.sql",
        "npm run build",
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
    assert "stop, unless R2_ACCESS_KEY_ID and R2_SECRET_ACCESS_KEY are in the environment" in told


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


def test_the_page_of_staging_is_planned_for_staging(
    cloud: Cloudflare, run: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    run(FakeWrangler(cloud), "--env", "staging", "--dry-run")
    assert "CLOUDFLARE_ENV=staging npm run build" in capsys.readouterr().out


def test_writing_ids_keeps_every_other_line(root: Path, cloud: Cloudflare, run: Runner) -> None:
    before = (root / "wrangler.toml").read_text().splitlines()
    run(FakeWrangler(cloud))
    after = (root / "wrangler.toml").read_text().splitlines()
    differing = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert [old.partition(" ")[0] for old, _ in differing] == [
        *("R2_S3_ENDPOINT", "PUBLIC_URL", "database_id", "id")
    ]


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


def test_without_r2_credentials_a_run_ends_once_there_is_a_bucket_to_make_them_for(
    root: Path,
    cloud: Cloudflare,
    run: Runner,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("R2_SECRET_ACCESS_KEY")
    assert run(FakeWrangler(cloud)) == 1
    told = capsys.readouterr()
    assert told.err.startswith("error: R2_SECRET_ACCESS_KEY must be in the environment: make an R2 API token")
    assert "stop, unless R2_SECRET_ACCESS_KEY" in told.out
    assert "vfa-gallery" in cloud.buckets
    assert not cloud.workers
    monkeypatch.setenv("R2_SECRET_ACCESS_KEY", "key-secret")
    assert run(FakeWrangler(cloud)) == 0
    assert state(root, cloud)["tokens"] == 1


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


@pytest.mark.parametrize("step", range(5, 9))
def test_the_worker_that_failed_is_named(
    cloud: Cloudflare, run: Runner, step: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(FakeWrangler(cloud, fail_at=step)) == 1
    (left,) = (
        {*WORKERS}
        - {name.removeprefix("vfa-gallery-") for name in cloud.workers}
        - ({"gateway"} if step < 8 else set())
    )
    assert (left in VARIANTS) == (step < 8)
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
    place = ("vars", None, "ALLOWED_ORIGINS")
    Target(root, "production").write({place: "https://a.example, https://b.example"})
    run(FakeWrangler(cloud))
    for rule in cloud.buckets["vfa-gallery"]["cors"]:
        assert rule["allowed"]["origins"] == [GALLERY, "https://a.example", "https://b.example"]
    template = json.loads((ROOT / "cors.json").read_text())
    for rule in template["rules"]:
        rule["allowed"]["origins"] = [GALLERY, "https://a.example", "https://b.example"]
    assert cloud.buckets["vfa-gallery"]["cors"] == template["rules"]
