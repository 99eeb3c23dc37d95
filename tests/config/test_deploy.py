"""`make deploy`: makes what is missing, may be interrupted anywhere, and says in a sentence why it stops."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.config.cloudflare import ACCOUNT, Cloudflare, Database
from tests.config.deploying import CREDENTIALS, FakeWrangler, Killed, checkout, form_of
from tests.config.projects import ROOT
from tools.deploy import __main__ as command
from tools.deploy import firewall, preflight, schema, survey
from tools.deploy.target import DATABASE_ID, ENDPOINT, NAMESPACE_ID, PROJECTS, Target
from tools.deploy.vault import Vault
from tools.deploy.wrangler import Wrangler

# Commands of a first run that change something: three stores, the schema, four Workers, CORS.
CHANGES = 9
MIGRATIONS = schema.migrations_in(ROOT / "migrations")


@pytest.fixture
def cloud() -> Iterator[Cloudflare]:
    with closing(Cloudflare()) as account:
        yield account


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(preflight, "_check_node", lambda *_: None)
    for name in ("CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_API_TOKEN", "AUTH_JWT_SECRET", "WORKER_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return checkout(tmp_path)


class Runner:
    """Runs the command with doubles; `smoked` are the addresses that were tried out."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.smoked: list[str] = []

    def __call__(self, wrangler: Wrangler, *words: str) -> int:
        def smoke(target: Target, account: str, vault: Vault) -> Callable[[str], None]:
            def try_out(address: str) -> None:
                assert (target.root, account) == (self.root, ACCOUNT)
                assert vault.known("AUTH_JWT_SECRET")
                self.smoked.append(address)

            return try_out

        means = command.Means(wrangler=lambda *_: wrangler, smoke=smoke)
        return command.main(words, self.root, means)


@pytest.fixture
def run(root: Path) -> Runner:
    return Runner(root)


def changed(wrangler: FakeWrangler) -> list[str]:
    """What the commands that change something change."""
    verbs = {"create", "add", "apply", "set", "deploy", "--file"}
    return [" ".join(words) for words in wrangler.commands if verbs & set(words)]


def state(root: Path, cloud: Cloudflare, environment: str = "production") -> dict[str, Any]:
    """All that a finished deployment leaves, without what is random."""
    target = Target(root, environment)
    tokens = {cloud.workers[target.worker(each)].secrets["WORKER_AUTH_TOKEN"] for each in PROJECTS}
    database = cloud.databases[target.database]
    return {
        "ids": (
            target.value(DATABASE_ID) == database.uuid,
            target.value(NAMESPACE_ID) == cloud.namespaces[target.namespace],
            target.value(ENDPOINT),
        ),
        "form": form_of(database),
        "applied": [row["name"] for row in database.query(schema.APPLIED)[0]["results"]],
        "secrets": {name: sorted(worker.secrets) for name, worker in cloud.workers.items()},
        "tokens": len(tokens),
        "cors": cloud.buckets[target.bucket]["cors"],
        "stores": (sorted(cloud.databases), sorted(cloud.buckets), sorted(cloud.namespaces)),
    }


def test_a_first_run_makes_everything_siblings_first(root: Path, cloud: Cloudflare, run: Runner) -> None:
    wrangler = FakeWrangler(cloud)
    assert run(wrangler) == 0
    found = state(root, cloud)
    assert found["ids"] == (True, True, f"https://{ACCOUNT}.r2.cloudflarestorage.com")
    assert found["form"] == schema.form_of([(ROOT / "schema.sql").read_text()])
    assert found["applied"] == [migration.name for migration in MIGRATIONS]
    assert found["tokens"] == 1
    deployed = [words for words in changed(wrangler) if words.startswith("deploy")]
    assert list(cloud.workers)[-1] == "vfa-gallery"
    assert len(deployed) == len(cloud.workers) == 4
    assert run.smoked == ["https://vfa-gallery.gallery-tests.workers.dev"]


def test_a_second_run_only_deploys_and_says_so(
    root: Path, cloud: Cloudflare, run: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    run(FakeWrangler(cloud))
    before, files = state(root, cloud), (root / "wrangler.toml").read_text()
    capsys.readouterr()
    wrangler = FakeWrangler(cloud)
    assert run(wrangler) == 0
    assert [words.partition(" ")[0] for words in changed(wrangler)] == ["deploy"] * 4 + ["r2"]
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
    look = survey.look

    def looked_too_early(*arguments: Any) -> Any:
        found = look(*arguments)
        cloud.databases["vfa-gallery"] = Database("vfa-gallery")
        cloud.buckets["vfa-gallery"] = {"cors": [], "domains": []}
        cloud.namespaces["vfa-gallery-ready"] = "f" * 32
        return found

    monkeypatch.setattr(command, "look", looked_too_early)
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
        "schema.sql",
        "cors set",
        "vfa smoke",
    ):
        assert word in told


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


def test_writing_ids_keeps_every_other_line(root: Path, cloud: Cloudflare, run: Runner) -> None:
    before = (root / "wrangler.toml").read_text().splitlines()
    run(FakeWrangler(cloud))
    after = (root / "wrangler.toml").read_text().splitlines()
    differing = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert [old.partition(" ")[0] for old, _ in differing] == ["R2_S3_ENDPOINT", "database_id", "id"]


@pytest.mark.parametrize("count", range(len(MIGRATIONS) + 1))
def test_a_database_made_by_hand_is_carried_forward(
    root: Path, cloud: Cloudflare, run: Runner, count: int
) -> None:
    database = cloud.databases["vfa-gallery"] = Database("vfa-gallery")
    for migration in MIGRATIONS[:count]:
        database.query(migration.sql)
    assert run(FakeWrangler(cloud)) == 0
    assert state(root, cloud)["applied"] == [migration.name for migration in MIGRATIONS]
    assert state(root, cloud)["form"] == schema.form_of([(ROOT / "schema.sql").read_text()])


def test_pending_migrations_are_applied(root: Path, cloud: Cloudflare, run: Runner) -> None:
    run(FakeWrangler(cloud))
    (root / "migrations/9999_more.sql").write_text("ALTER TABLE users ADD COLUMN note TEXT;")
    wrangler = FakeWrangler(cloud)
    assert run(wrangler) == 0
    assert "d1 migrations apply DB --remote --env=" in changed(wrangler)
    columns = cloud.databases["vfa-gallery"].query("PRAGMA table_info(users)")[0]["results"]
    assert "note" in {row["name"] for row in columns}
    assert run(again := FakeWrangler(cloud)) == 0
    assert not any("migrations" in words for words in changed(again))


def test_the_images_domain_is_guarded_before_it_is_connected(
    root: Path, cloud: Cloudflare, run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "token")
    guarded: list[tuple[str, str, bool]] = []

    def guard(_: str, __: str, zone: str, host: str) -> str:
        guarded.append((zone, host, bool(cloud.buckets["vfa-gallery"]["domains"])))
        return "the rule was made"

    monkeypatch.setattr(firewall, "guard", guard)
    words = ("--images-domain", "images.example.org", "--zone-id", "zone")
    assert run(FakeWrangler(cloud), *words) == 0
    assert guarded == [("zone", "images.example.org", False)]
    assert cloud.buckets["vfa-gallery"]["domains"] == [{"domain": "images.example.org", "zoneId": "zone"}]
    assert Target(root, "production").variables["R2_CDN_DOMAIN"] == "https://images.example.org"
    assert run(again := FakeWrangler(cloud)) == 0
    assert not any("domain add" in words for words in changed(again))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--images-domain", "images.example.org"), "name its zone with --zone-id"),
        (
            ("--images-domain", "images.example.org", "--zone-id", "z"),
            "a firewall rule must guard the originals",
        ),
        (("--rotate", "PASSWORD"), "no Worker has a secret PASSWORD"),
    ],
)
def test_a_wish_that_cannot_be_granted_changes_nothing(
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
    assert capsys.readouterr().err == f"error: {command.LOGIN}\n"


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


def test_what_wrangler_says_is_passed_on(
    cloud: Cloudflare, run: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(FakeWrangler(cloud, fail_at=0)) == 1
    assert "failed: The service is unavailable. [code: 10000]" in capsys.readouterr().err


def test_secrets_are_kept_for_their_owner_alone(root: Path, cloud: Cloudflare, run: Runner) -> None:
    run(FakeWrangler(cloud))
    path = root / ".secrets.production"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kept = Vault(path, {})
    held = cloud.workers["vfa-gallery"].secrets
    for name in ("AUTH_JWT_SECRET", "WORKER_AUTH_TOKEN"):
        assert kept.known(name) == held[name]
        assert len(held[name]) == 64
    assert kept.known("R2_SECRET_ACCESS_KEY") is None
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


def test_uploads_are_allowed_from_the_gallery_and_from_configured_origins(
    root: Path, cloud: Cloudflare, run: Runner
) -> None:
    place = ("vars", None, "ALLOWED_ORIGINS")
    Target(root, "production").write({place: "https://a.example, https://b.example"})
    run(FakeWrangler(cloud))
    own = "https://vfa-gallery.gallery-tests.workers.dev"
    for rule in cloud.buckets["vfa-gallery"]["cors"]:
        assert rule["allowed"]["origins"] == [own, "https://a.example", "https://b.example"]
    template = json.loads((ROOT / "cors.json").read_text())
    for rule in template["rules"]:
        rule["allowed"]["origins"] = [own, "https://a.example", "https://b.example"]
    assert cloud.buckets["vfa-gallery"]["cors"] == template["rules"]
