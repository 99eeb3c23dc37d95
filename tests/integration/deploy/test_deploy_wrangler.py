"""A whole deployment by the genuine Wrangler, against a stand-in for Cloudflare's API.

That Cloudflare does as the stand-in cannot be seen without an account; that Wrangler takes our commands,
sends what it should and answers as we read it, is seen here.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.support.deploy import sample_migrations
from tests.support.deploy.checkout import CREDENTIALS, checkout
from tests.support.deploy.cloudflare import ACCOUNT, SUBDOMAIN, Cloudflare, Database, Worker
from tests.support.deploy.cloudflare_server import serve
from tests.support.deploy.fake_wrangler import structure_of
from tests.support.deploy.projects import ROOT, WORKERS, raw
from tools import dry_run
from tools.deploy import account, cli, schema
from tools.deploy.account import InstalledWrangler, Outcome
from tools.deploy.config import Target
from tools.problem import Problem

ZONE = "zone0123"
DOMAIN = "images.example.org"
MIGRATIONS = [migration.name for migration in schema.migrations_in(ROOT / "migrations")]
GALLERY = "https://vfa-gallery.gallery-tests.workers.dev"
IN_EU = ("--jurisdiction", "eu")
ENDPOINT = f"https://{ACCOUNT}.eu.r2.cloudflarestorage.com"


@dataclass
class Run:
    """One deployment: the account and checkout it left, and what was tried out."""

    root: Path
    cloud: Cloudflare
    smoked: list[str] = field(default_factory=list)
    probed: list[str] = field(default_factory=list)
    status: int = -1

    def smoke(self, address: str, *, new_domain: bool = False) -> None:
        assert new_domain
        self.smoked.append(address)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    root = checkout(tmp_path_factory.mktemp("checkout"), sources=True)
    with serve(Cloudflare()) as cloud, pytest.MonkeyPatch.context() as patch:
        home = str(tmp_path_factory.mktemp("home"))
        token = {"CLOUDFLARE_API_TOKEN": "token", "CLOUDFLARE_API_BASE_URL": cloud.url}
        cache = {"NODE_COMPILE_CACHE": str(ROOT / ".cache/node")}
        homes = {"HOME": home, "XDG_CONFIG_HOME": home}
        exported = {**CREDENTIALS, **token, **cache, **homes, "CLOUDFLARE_ENV": "staging"}
        for name, value in exported.items():
            patch.setenv(name, value)
        for name in ("CLOUDFLARE_ACCOUNT_ID", "AUTH_JWT_SECRET", "WORKER_AUTH_TOKEN"):
            patch.delenv(name, raising=False)
        run = Run(root, cloud)
        services = cli.Services(privacy_check=lambda _: run.probed.append, smoke=lambda *_: run.smoke)
        run.status = cli.main([*IN_EU, "--images-domain", DOMAIN, "--zone-id", ZONE], root, services)
        yield run


def bindings_of(worker: Worker) -> list[dict[str, Any]]:
    return sorted(worker.metadata["bindings"], key=lambda each: str(each["name"]))


def deploy(target: Target) -> Outcome:
    """The gateway alone, as `make deploy` does it."""
    wrangler = InstalledWrangler(target.root, {"CLOUDFLARE_ACCOUNT_ID": ACCOUNT})
    with target.generated_config("gateway", {"R2_S3_ENDPOINT": ENDPOINT}, None) as path:
        environ = {"GALLERY_CONFIG": str(path), "CLOUDFLARE_ENV": target.wrangler_name}
        words = ("deploy", target.option, "--config", path.name)
        return wrangler.run(*words, folder=target.root, environ=environ)


def test_it_goes_through(run: Run) -> None:
    assert run.status == 0
    assert run.cloud.unknown == []
    assert run.smoked == [GALLERY]
    assert run.probed == [DOMAIN]


def test_siblings_are_uploaded_before_the_gateway(run: Run) -> None:
    uploads = [call for call in run.cloud.calls if call.startswith("PUT") and "/scripts/vfa-gallery" in call]
    uploads = [call.rpartition("/")[2] for call in uploads if not call.endswith("schedules")]
    assert sorted(uploads) == [
        "vfa-gallery",
        "vfa-gallery-icon",
        "vfa-gallery-thumbnail",
        "vfa-gallery-watermark",
    ]
    assert uploads[-1] == "vfa-gallery"


def test_the_database_has_the_schema_and_its_ledger(run: Run) -> None:
    database = run.cloud.databases["vfa-gallery"]
    assert structure_of(database) == schema.structure_of([(ROOT / "schema.sql").read_text()])
    applied = [row["name"] for row in database.query(schema.APPLIED)[0]["results"]]
    assert applied == MIGRATIONS


@pytest.mark.parametrize("project", WORKERS)
def test_a_worker_is_uploaded_with_all_it_needs(run: Run, project: str) -> None:
    worker = run.cloud.workers[Target(run.root, "production").worker(project)]
    config = raw(project)
    bound = {each["name"]: each["type"] for each in worker.metadata["bindings"]}
    for name in config["secrets"]["required"]:
        assert bound[name] == "secret_text"
    assert {name for name, kind in bound.items() if kind == "plain_text"} == set(config["vars"])
    assert worker.metadata["main_module"] == Path(config["main"]).name
    assert worker.metadata["compatibility_flags"] == ["python_workers"]
    assert worker.metadata["limits"] == config["limits"]
    assert worker.metadata["observability"]["enabled"] is True
    assert any(part.startswith("python_modules/workers/") for part in worker.parts)
    assert any(part.startswith("python_modules/PIL/") for part in worker.parts) == (project != "gateway")
    assert worker.subdomain["enabled"] == (project == "gateway")
    assert worker.subdomain["previews_enabled"] is False


@pytest.mark.parametrize("project", WORKERS)
def test_a_bundle_stays_in_its_bound(run: Run, project: str) -> None:
    worker = run.cloud.workers[Target(run.root, "production").worker(project)]
    limit = dry_run.GATEWAY_LIMIT_KIB if project == "gateway" else dry_run.RENDERER_LIMIT_KIB
    assert limit == (300 if project == "gateway" else 4096)
    assert 0 < len(gzip.compress(b"".join(worker.parts.values()))) <= limit * 1024


def test_nothing_of_local_development_is_uploaded(run: Run) -> None:
    sent = json.dumps([worker.metadata for worker in run.cloud.workers.values()])
    assert "local_dev" not in sent
    assert "s3_credentials" not in sent


def test_all_workers_hold_the_same_token(run: Run) -> None:
    assert len({worker.secrets["WORKER_AUTH_TOKEN"] for worker in run.cloud.workers.values()}) == 1
    assert run.cloud.workers["vfa-gallery"].secrets["R2_ACCESS_KEY_ID"] == CREDENTIALS["R2_ACCESS_KEY_ID"]


def test_the_gateway_runs_its_cron_on_its_own_stores(run: Run) -> None:
    worker = run.cloud.workers["vfa-gallery"]
    bound = {each["name"]: each for each in worker.metadata["bindings"]}
    assert worker.crons == raw("gateway")["triggers"]["crons"]
    assert bound["DB"]["id"] == run.cloud.databases["vfa-gallery"].uuid
    assert bound["KV"]["namespace_id"] == run.cloud.namespaces["vfa-gallery-kv"]
    assert bound["R2_S3_ENDPOINT"]["text"] == ENDPOINT
    assert bound["R2_CDN_DOMAIN"]["text"] == f"https://{DOMAIN}"


def test_the_images_domain_is_guarded_then_connected(run: Run) -> None:
    (rule,) = run.cloud.rules
    assert rule["action"] == "block"
    assert DOMAIN in rule["expression"]
    domain = {"domain": DOMAIN, "zoneId": ZONE, "minTLS": "1.2"}
    assert domain.items() <= run.cloud.buckets["eu/vfa-gallery"]["domains"][0].items()
    calls = [call for call in run.cloud.calls if "rulesets" in call or "domains" in call]
    assert "rulesets" in calls[0]


def test_the_page_may_talk_to_the_bucket_and_show_the_images_domain(run: Run) -> None:
    headers = run.cloud.workers["vfa-gallery"].metadata["assets"]["config"]["_headers"]
    (policy,) = re.findall(r"^/\*\n(?:  .*\n)*?  Content-Security-Policy: (.*)$", headers, re.MULTILINE)
    assert f"img-src 'self' data: blob: https://{DOMAIN};" in policy
    assert f"connect-src 'self' {ENDPOINT};" in policy


def test_browsers_may_upload_from_the_gallery(run: Run) -> None:
    for rule in run.cloud.buckets["eu/vfa-gallery"]["cors"]:
        assert rule["allowed"]["origins"] == [GALLERY]


def test_what_the_next_run_asks_is_answered_as_we_read_it(run: Run) -> None:
    target, wrangler = (
        Target(run.root, "production"),
        InstalledWrangler(run.root, {"CLOUDFLARE_ACCOUNT_ID": ACCOUNT}),
    )

    def ask(*words: str) -> Outcome:
        return wrangler.run(*words, target.option, folder=target.root)

    with ThreadPoolExecutor(2) as pool:
        there = pool.submit(ask, "r2", "bucket", "info", target.bucket, "--json", *IN_EU)
        absent = pool.submit(ask, "r2", "bucket", "info", "another", "--json")
        domains = pool.submit(ask, "r2", "bucket", "domain", "list", target.bucket, *IN_EU)
        secrets = pool.submit(ask, "secret", "list")
        applied = pool.submit(account.query, target.database, schema.APPLIED, wrangler)
        deployed = pool.submit(account.read_deployed, target, wrangler)
        staging = pool.submit(account.read_deployed, Target(run.root, "staging"), wrangler)
    assert account.parse_bucket(there.result())
    found = deployed.result()
    assert found
    assert (found.jurisdiction, found.variables["R2_CDN_DOMAIN"]) == ("eu", f"https://{DOMAIN}")
    assert staging.result() is None
    assert not account.parse_bucket(absent.result())
    assert account.parse_domains(domains.result().out) == (account.Domain(DOMAIN, ZONE),)
    assert account.parse_secrets(secrets.result()) == target.secrets("gateway")
    assert [row["name"] for row in applied.result()] == MIGRATIONS


def test_wrangler_words_what_exists_already_as_we_expect(run: Run) -> None:
    wrangler = InstalledWrangler(run.root, {"CLOUDFLARE_ACCOUNT_ID": ACCOUNT})
    commands = [
        ("d1", "create", "vfa-gallery"),
        ("r2", "bucket", "create", "vfa-gallery", *IN_EU),
    ]
    with ThreadPoolExecutor(len(commands)) as pool:
        outcomes = list(pool.map(lambda words: wrangler.run(*words, folder=run.root), commands))
    for outcome in outcomes:
        assert outcome.status != 0
        assert account.ALREADY_EXISTS.search(outcome.reason)
        assert len(outcome.reason) < 160


def test_an_account_without_a_name_below_workers_dev_is_recognised(run: Run) -> None:
    before, run.cloud.subdomain = run.cloud.workers["vfa-gallery"], None
    outcome = deploy(Target(run.root, "production", "eu"))
    run.cloud.subdomain = SUBDOMAIN
    run.cloud.workers["vfa-gallery"] = before
    assert outcome.status != 0
    assert account.lacks_subdomain(outcome)


def test_a_migration_that_carries_data_is_applied_after_those_before_it(run: Run) -> None:
    """By Wrangler, in the order of the names, to the database that the file names."""
    target = Target(run.root, "staging")
    database = run.cloud.databases[target.database] = Database(target.database)
    database.query(
        (ROOT / "schema.sql").read_text() + schema.baseline(sample_migrations.OURS) + sample_migrations.ROWS
    )
    before = sample_migrations.tables(database.connection)
    files = [run.root / "migrations" / migration.name for migration in sample_migrations.LATER]
    for path, migration in zip(files, sample_migrations.LATER, strict=True):
        path.write_text(migration.sql)
    wrangler = InstalledWrangler(run.root, {"CLOUDFLARE_ACCOUNT_ID": ACCOUNT})
    outcome = wrangler.run("d1", "migrations", "apply", "DB", "--remote", target.option, folder=run.root)
    for path in files:
        path.unlink()
    assert outcome.status == 0, outcome.reason
    after = sample_migrations.tables(database.connection)
    assert sample_migrations.lost(before, after) == []
    assert after["signers"][0]["signer"] == "ann"
    applied = [row["name"] for row in database.query(schema.APPLIED)[0]["results"]]
    assert applied == [migration.name for migration in sample_migrations.OURS + sample_migrations.LATER]


def test_an_upload_that_cloudflare_refuses_stops_with_its_sentence(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = deploy(Target(run.root, "staging"))
    assert outcome.status != 0
    assert "required secrets have not been set" in outcome.reason
    assert capsys.readouterr().out == ""


def test_a_gateway_that_is_deployed_by_itself_is_refused_in_a_sentence(run: Run) -> None:
    before = dict(run.cloud.workers)
    wrangler = InstalledWrangler(run.root, {"CLOUDFLARE_ACCOUNT_ID": ACCOUNT})
    outcome = wrangler.run("deploy", "--env=", folder=run.root)
    assert outcome.status != 0
    assert outcome.reason.startswith("R2_S3_ENDPOINT in wrangler.toml names no account: `make deploy`")
    assert run.cloud.workers == before


def test_a_later_run_keeps_everything_and_can_be_rolled_back(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrangler takes the stores from what is deployed; only the first command named the jurisdiction."""
    cloud, first = run.cloud, dict(run.cloud.workers)
    stores = (list(cloud.databases), list(cloud.buckets), dict(cloud.namespaces))
    services = cli.Services(privacy_check=lambda _: run.probed.append, smoke=lambda *_: lambda *_, **__: None)
    assert cli.main([], run.root, services) == 0
    assert (list(cloud.databases), list(cloud.buckets), dict(cloud.namespaces)) == stores
    for name, worker in cloud.workers.items():
        assert worker.id != first[name].id
        assert worker.secrets == first[name].secrets
        assert bindings_of(worker) == bindings_of(first[name])
    assert cli.main(["--rollback"], run.root, services) == 0
    assert {name: worker.id for name, worker in cloud.workers.items()} == {
        name: worker.id for name, worker in first.items()
    }
    capsys.readouterr()
    assert cli.main(["--versions"], run.root, services) == 0
    later, current = capsys.readouterr().out.splitlines()
    assert current == f"{first['vfa-gallery'].tag}  current"
    assert later > current
    assert cloud.unknown == []


def test_without_a_login_the_command_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_KEY", "CLOUDFLARE_EMAIL", "CLOUDFLARE_API_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    with pytest.raises(Problem, match="nobody is logged in to Cloudflare"):
        cli.deploy(cli.parse_arguments([]), ROOT, {}, cli.Services())
