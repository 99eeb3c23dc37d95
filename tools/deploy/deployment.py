"""Does what a plan says; every step may be done again."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tools.deploy import answers, fonts, schema
from tools.deploy.domains import Domains
from tools.deploy.plan import Plan
from tools.deploy.target import DATABASE_ID, NAMESPACE_ID, PUBLIC_URL, SIBLINGS, Place, Target
from tools.deploy.vault import Vault
from tools.deploy.wishes import Wishes
from tools.deploy.wrangler import Outcome, Wrangler, named, succeeded
from tools.problem import Problem

NO_SUBDOMAIN = (
    "the account has no name below workers.dev yet: choose one at "
    "https://dash.cloudflare.com/?to=/:account/workers/onboarding, or give the gateway a domain of its own "
    "(docs/deploy.md), and run `make deploy` again"
)


class Smoke(Protocol):
    """Tries out an address; with `settling`, the images domain may not answer yet."""

    def __call__(self, address: str, *, settling: bool = False) -> None: ...


@dataclass(frozen=True, slots=True)
class Hands:
    """What a run does without Wrangler.

    Set the firewall rule for (zone, host), build the page into a folder, see that a host refuses originals,
    try out an address.
    """

    protect: Callable[[str, str], str]
    build: Callable[[Path], None]
    probe: Callable[[str], None]
    smoke: Smoke


@dataclass(slots=True)
class Deployment:
    """One run."""

    target: Target
    wrangler: Wrangler
    vault: Vault
    wishes: Wishes
    hands: Hands
    report: Callable[[str], None] = print

    def carry_out(self, plan: Plan) -> None:
        self._prepare(plan)
        addresses = self._deploy_all(plan)
        self.vault.settle()
        if not addresses:
            raise Problem("the gateway has no address: wrangler.toml needs workers_dev or a custom domain")
        self._allow_uploads(addresses)
        for host in plan.domains.probe:
            with self._step(f"{host} refuses originals"):
                self.hands.probe(host)
        with self._step(f"smoke test of {addresses[0]}"):
            self.hands.smoke(addresses[0], settling=plan.domains.settling)

    def _prepare(self, plan: Plan) -> None:
        """Everything that Workers need: stores, domains, values, secrets, tables."""
        values = dict(plan.values) | self._create(plan)
        self._connect(plan.domains)
        self._upload_fonts()
        if values:
            with self._step("wrangler.toml written"):
                self.target.write(values)
        if plan.missing:
            raise Problem(
                f"{' and '.join(plan.missing)} must be in the environment: make an R2 API token with Object "
                f"Read & Write on {self.target.bucket} at https://dash.cloudflare.com/?to=/:account/r2/api-tokens"
            )
        for name in plan.make:
            self.vault.make(name)
        for name in plan.keep:
            self.vault.keep(name)
        self._migrate(plan)

    def _deploy_all(self, plan: Plan) -> list[str]:
        """The siblings, then the gateway with a page for the values of wrangler.toml; where it answers."""
        with tempfile.TemporaryDirectory(prefix="vfa-page-") as page:
            with self._step("page built"):
                self.hands.build(Path(page))
            title = "thumbnail, icon and watermark deployed"
            with self._step(title), ThreadPoolExecutor(len(SIBLINGS)) as pool:
                list(pool.map(lambda project: self._deploy(project, plan), SIBLINGS))
            with self._step("gateway deployed"):
                addresses = self._deploy("gateway", plan, "--assets", page)
            if self._note_address(addresses):
                with self._step(f"gateway deployed with PUBLIC_URL = {addresses[0]}"):
                    self._deploy("gateway", plan, "--assets", page)
            return addresses

    def _note_address(self, addresses: list[str]) -> bool:
        """Whether PUBLIC_URL was written: where it is empty, or one of the gateway's lesser addresses.

        Any other value is somebody's own, such as a proxy's.
        """
        known = self.target.value(PUBLIC_URL)
        if not addresses or known == addresses[0]:
            return False
        if known and known not in addresses:
            self.report(f"    PUBLIC_URL stays {known}; the gateway answers at {', '.join(addresses)}")
            return False
        self.target.write({PUBLIC_URL: addresses[0]})
        return True

    def _create(self, plan: Plan) -> dict[Place, str]:
        """Make the stores that are missing, all at once; the ids of the new ones."""
        target = self.target

        def database() -> dict[Place, str]:
            self._make(f"D1 database {target.database}", "d1", "create", target.database)
            found = answers.databases(self._run("d1", "list", "--json"))
            return {DATABASE_ID: _listed(found, target.database)}

        def namespace() -> dict[Place, str]:
            self._make(f"KV namespace {target.namespace}", "kv", "namespace", "create", target.namespace)
            found = answers.namespaces(self._run("kv", "namespace", "list"))
            return {NAMESPACE_ID: _listed(found, target.namespace)}

        def bucket() -> dict[Place, str]:
            self._make(f"R2 bucket {target.bucket}", "r2", "bucket", "create", target.bucket)
            return {}

        jobs = {database: plan.database, namespace: plan.namespace, bucket: plan.bucket}
        with ThreadPoolExecutor(len(jobs)) as pool:
            made = [pool.submit(job) for job, wanted in jobs.items() if wanted]
        return {place: value for future in made for place, value in future.result().items()}

    def _make(self, what: str, *words: str) -> None:
        with self._step(f"{what} created"):
            outcome = self._outcome(*words)
            if outcome.status != 0 and not answers.ALREADY_THERE.search(outcome.sentence):
                succeeded(outcome, named(words))

    def _connect(self, domains: Domains) -> None:
        for zone, host in domains.guard:
            with self._step(f"originals private on {host}"):
                self.hands.protect(zone, host)
        if domains.connect:
            words = ("r2", "bucket", "domain", "add", self.target.bucket, "--domain", domains.connect)
            with self._step(f"{domains.connect} connected"):
                self._run(*words, "--zone-id", str(self.wishes.zone), "--min-tls", "1.2", "--force")

    def _upload_fonts(self) -> None:
        key, path = fonts.pack()
        words = (
            "r2",
            "object",
            "put",
            f"{self.target.bucket}/{key}",
            "--file",
            str(path),
            "--remote",
            "--force",
        )
        with self._step("fonts for the watermark uploaded"):
            self._run(*words)

    def _migrate(self, plan: Plan) -> None:
        if plan.adoption:
            with self._step("users and artworks adopted"):
                self._execute(plan.adoption.sql)
        if plan.schema:
            # One file, for D1 takes all of a file or nothing: a schema without its ledger cannot come about.
            text = (self.target.root / "schema.sql").read_text() + schema.baseline(plan.baseline)
            with self._step("schema.sql applied"):
                self._execute(text)
        elif plan.baseline:
            with self._step("ledger of migrations written"):
                self._execute(schema.baseline(plan.baseline))
        if plan.migrations:
            with self._step("migrations applied"):
                self._run("d1", "migrations", "apply", "DB", "--remote")

    def _execute(self, sql: str) -> None:
        with _file("deploy.sql", sql) as path:
            self._run("d1", "execute", "DB", "--remote", "--yes", "--file", str(path))

    def _deploy(self, project: str, plan: Plan, *more: str) -> list[str]:
        """Deploy one Worker with the secrets it is to get; where it answers."""
        secrets = {name: self.vault.known(name) or "" for name in plan.secrets.get(project, ())}
        with _file("secrets.json", json.dumps(secrets)) as path, _file("output.ndjson", "") as output:
            options = ("--secrets-file", str(path)) if secrets else ()
            words = ("deploy", self.target.option, *options, *more)
            environ = {"WRANGLER_OUTPUT_FILE_PATH": str(output)}
            folder = self.target.folder(project)
            outcome = self.wrangler.run(*words, folder=folder, environ=environ)
            if answers.lacks_subdomain(outcome):
                raise Problem(NO_SUBDOMAIN)
            succeeded(outcome, f"`wrangler deploy` of the {project} Worker")
            return answers.addresses(output.read_text())

    def _allow_uploads(self, addresses: list[str]) -> None:
        policy = json.loads((self.target.root / "cors.json").read_text())
        allowed = self.target.variables["ALLOWED_ORIGINS"].split(",")
        origins = [*addresses, *(origin.strip() for origin in allowed if origin.strip())]
        for rule in policy["rules"]:
            rule["allowed"]["origins"] = origins
        words = ("r2", "bucket", "cors", "set", self.target.bucket, "--force", "--file")
        title = f"uploads allowed from {', '.join(origins)}"
        with self._step(title), _file("cors.json", json.dumps(policy)) as path:
            self._run(*words, str(path))

    def _outcome(self, *words: str) -> Outcome:
        return self.wrangler.run(*words, self.target.option, folder=self.target.root)

    def _run(self, *words: str) -> str:
        return succeeded(self._outcome(*words), named(words))

    @contextmanager
    def _step(self, title: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.report(f"  ✓ {title} ({time.monotonic() - started:.1f} s)")


def _listed(found: dict[str, str], name: str) -> str:
    if name not in found:
        raise Problem(f"{name} was made but is not listed yet; run `make deploy` again in a minute")
    return found[name]


@contextmanager
def _file(name: str, text: str) -> Iterator[Path]:
    """A file that only its owner can read, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="vfa-deploy-") as folder:
        path = Path(folder) / name
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(text)
        yield path
