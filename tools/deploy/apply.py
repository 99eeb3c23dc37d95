"""Carries out a plan; every step may be repeated."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from tools.deploy import account, config, schema
from tools.deploy.account import Outcome, Wrangler
from tools.deploy.config import GATEWAY, Target, run_program
from tools.deploy.plan import SYNC_COMMAND, Options, Plan
from tools.deploy.privacy import Domains
from tools.deploy.secrets import SecretStore
from tools.problem import Problem

SYNC_TIMEOUT_SECONDS = 600
NO_SUBDOMAIN = (
    "the account has no name below workers.dev yet: choose one at "
    "https://dash.cloudflare.com/?to=/:account/workers/onboarding, or give the gateway a domain of its own "
    "(docs/deploy.md), and run `make deploy` again"
)


def sync_packages(target: Target) -> None:
    """Vendor each Worker's packages by `pywrangler sync`, in place of those that `make setup` vendors.

    It downloads two interpreters from outside the package registries.

    Raises:
        Problem: it fails for a Worker.
    """
    programs = target.root / ".venv/bin"
    for project in target.projects:
        done = run_program(
            "pywrangler sync",
            [programs / "pywrangler", *SYNC_COMMAND],
            cwd=target.folder(project),
            environ={"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"},
            timeout=SYNC_TIMEOUT_SECONDS,
        )
        if done.returncode != 0:
            lines = [line.strip() for line in f"{done.stdout}\n{done.stderr}".splitlines() if line.strip()]
            errors = [line for line in lines if line.lower().startswith("error")]
            why = errors[0] if errors else (lines or ["it printed nothing"])[-1]
            raise Problem(
                f"`pywrangler sync` failed for the {project} Worker ({why}); without --pywrangler the "
                "packages are those that `make setup` vendored"
            )
        print(f"  ✓ packages of the {project} Worker by pywrangler")


class Smoke(Protocol):
    """Runs the smoke test on an address; with `new_domain`, the images domain may not answer yet."""

    def __call__(self, address: str, *, new_domain: bool = False) -> None: ...


@dataclass(frozen=True, slots=True)
class Effects:
    """What a run does without Wrangler.

    `protect` sets the firewall rule of (zone, host), `check_private` raises a Problem for a host that serves
    originals, `smoke` tests an address.
    """

    protect: Callable[[str, str], str]
    check_private: Callable[[str], None]
    smoke: Smoke


@dataclass(slots=True)
class Deployment:
    """One run; `release` is the tag of the versions that it deploys, the same for all Workers."""

    target: Target
    wrangler: Wrangler
    secrets: SecretStore
    options: Options
    effects: Effects
    release: str
    report: Callable[[str], None] = print

    def run(self, plan: Plan) -> None:
        """Carry out every step.

        Raises:
            Problem: a step failed; the next run continues there.
        """
        self._prepare(plan)
        addresses = self._deploy_all(plan)
        self.secrets.confirm()
        self._allow_uploads(addresses)
        for host in plan.domains.probe:
            with self._step(f"{host} refuses originals"):
                self.effects.check_private(host)
        with self._step(f"smoke test of {addresses[0]}"):
            self.effects.smoke(addresses[0], new_domain=plan.domains.is_new)
        environment = f" --env {self.target.wrangler_name}" if self.target.wrangler_name else ""
        self.report(f"{addresses[0]} is ready; next: vfa user add NAME --wrangler remote{environment}")

    def _prepare(self, plan: Plan) -> None:
        """Everything that Workers need: stores, domains, fonts, secrets, tables."""
        if plan.bucket:
            self._create_store(
                f"R2 bucket {self.target.bucket}", "r2", "bucket", "create", self.target.bucket
            )
        if plan.database:
            self._create_store(f"D1 database {self.target.database}", "d1", "create", self.target.database)
        self._connect(plan.domains)
        self._upload_fonts()
        for name in plan.generate:
            self.secrets.generate(name)
        for name in plan.store:
            self.secrets.store_exported(name)
        self._migrate(plan)

    def _deploy_all(self, plan: Plan) -> list[str]:
        """Deploy the renderers, then the gateway; returns where it answers."""
        renderers = self.target.renderers
        with self._step(f"{', '.join(renderers)} deployed"), ThreadPoolExecutor(len(renderers)) as pool:
            list(pool.map(lambda project: self._deploy(project, plan), renderers))
        with self._step("page built and gateway deployed"):
            addresses = self._deploy(GATEWAY, plan)
        if not addresses:
            raise Problem("the gateway has no address: wrangler.toml needs workers_dev or a custom domain")
        if (url := self._public_url(addresses)) != plan.variables["PUBLIC_URL"]:
            with self._step(f"gateway deployed with PUBLIC_URL = {url}"):
                self._deploy(GATEWAY, replace(plan, variables=plan.variables | {"PUBLIC_URL": url}))
        return addresses

    def _public_url(self, addresses: list[str]) -> str:
        """What wrangler.toml says, such as a proxy's address, else the gateway's first address."""
        written = self.target.variables["PUBLIC_URL"]
        if written and written not in addresses:
            self.report(f"    PUBLIC_URL stays {written}; the gateway answers at {', '.join(addresses)}")
        return written or addresses[0]

    def _create_store(self, what: str, *words: str) -> None:
        with self._step(f"{what} created"):
            words = (*words, *self.target.jurisdiction_options)
            outcome = self._outcome(*words)
            if outcome.status != 0 and not account.ALREADY_EXISTS.search(outcome.reason):
                account.output_of(outcome, account.command_name(words))

    def _connect(self, domains: Domains) -> None:
        for zone, host in domains.guard:
            with self._step(f"originals private on {host}"):
                self.effects.protect(zone, host)
        if domains.connect:
            words = ["r2", "bucket", "domain", "add", self.target.bucket, "--domain", domains.connect]
            words += ["--zone-id", str(self.options.zone), "--min-tls", "1.2", "--force"]
            with self._step(f"{domains.connect} connected"):
                self._output(*words, *self.target.jurisdiction_options)

    def _upload_fonts(self) -> None:
        key, path = config.font_pack(config.ROOT)
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
            self._output(*words, *self.target.jurisdiction_options)

    def _migrate(self, plan: Plan) -> None:
        if plan.adoption:
            with self._step("users and artworks adopted"):
                self._execute(plan.adoption.sql)
        if plan.schema:
            # One file, since D1 applies all of it or nothing: so there is no schema without its table of
            # migrations.
            text = (self.target.root / "schema.sql").read_text() + schema.baseline(plan.baseline)
            with self._step("schema.sql applied"):
                self._execute(text)
        elif plan.baseline:
            with self._step("migrations recorded as applied"):
                self._execute(schema.baseline(plan.baseline))
        if plan.migrations:
            with self._step("migrations applied"):
                self._output("d1", "migrations", "apply", "DB", "--remote")

    def _execute(self, sql: str) -> None:
        with _file("deploy.sql", sql) as path:
            self._output("d1", "execute", "DB", "--remote", "--yes", "--file", str(path))

    def _deploy(self, project: str, plan: Plan) -> list[str]:
        """Deploy one Worker with the secrets it is to get; returns where it answers."""
        secrets = {name: self.secrets.value(name) or "" for name in plan.secrets.get(project, ())}
        folder = self.target.folder(project)
        with (
            _file("secrets.json", json.dumps(secrets)) as path,
            _file("output.ndjson", "") as output,
            self.target.generated_config(project, plan.variables, plan.namespace_id) as generated,
        ):
            options = ("--secrets-file", str(path)) if secrets else ()
            words = (
                "deploy",
                self.target.option,
                "--config",
                generated.name,
                "--tag",
                self.release,
                *options,
            )
            environ = {
                "WRANGLER_OUTPUT_FILE_PATH": str(output),
                # The page's build reads the same values, and must not take this for a deployment by hand.
                "GALLERY_CONFIG": str(generated),
                "CLOUDFLARE_ENV": self.target.wrangler_name,
            }
            outcome = self.wrangler.run(*words, folder=folder, environ=environ)
            if account.lacks_subdomain(outcome):
                raise Problem(NO_SUBDOMAIN)
            account.output_of(outcome, f"`wrangler deploy` of the {project} Worker")
            return account.parse_addresses(output.read_text())

    def _allow_uploads(self, addresses: list[str]) -> None:
        policy = json.loads((self.target.root / "cors.json").read_text())
        allowed = self.target.variables["ALLOWED_ORIGINS"].split(",")
        origins = [*addresses, *(origin.strip() for origin in allowed if origin.strip())]
        for rule in policy["rules"]:
            rule["allowed"]["origins"] = origins
        words = ("r2", "bucket", "cors", "set", self.target.bucket, "--force", "--file")
        title = f"uploads allowed from {', '.join(origins)}"
        with self._step(title), _file("cors.json", json.dumps(policy)) as path:
            self._output(*words, str(path), *self.target.jurisdiction_options)

    def _outcome(self, *words: str) -> Outcome:
        return self.wrangler.run(*words, self.target.option, folder=self.target.root)

    def _output(self, *words: str) -> str:
        return account.output_of(self._outcome(*words), account.command_name(words))

    @contextmanager
    def _step(self, title: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.report(f"  ✓ {title} ({time.monotonic() - started:.1f} s)")


@contextmanager
def _file(name: str, text: str) -> Iterator[Path]:
    """A file that only its owner can read, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="vfa-deploy-") as folder:
        path = Path(folder) / name
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(text)
        yield path
