"""`make deploy` run with doubles, and what a finished run leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.deploy.cloudflare import ACCOUNT, Cloudflare
from tests.support.deploy.deploying import FakeWrangler, form_of
from tools.deploy import __main__ as command
from tools.deploy import schema
from tools.deploy.deployment import Smoke
from tools.deploy.target import DATABASE_ID, ENDPOINT, NAMESPACE_ID, PROJECTS, Target
from tools.deploy.vault import Vault
from tools.deploy.wrangler import Wrangler
from tools.problem import Problem

GALLERY = "https://vfa-gallery.gallery-tests.workers.dev"


@dataclass
class Runner:
    """Runs the command; `smoked` and `probed` are what was tried out, `open_hosts` refuse nothing."""

    root: Path
    smoked: list[str] = field(default_factory=list)
    patient: list[bool] = field(default_factory=list)
    probed: list[str] = field(default_factory=list)
    open_hosts: set[str] = field(default_factory=set)

    def __call__(self, wrangler: Wrangler, *words: str) -> int:
        means = command.Means(lambda *_: wrangler, build, lambda _: self._probe, self._smoke)
        return command.main(words, self.root, means)

    def _probe(self, host: str) -> None:
        self.probed.append(host)
        if host in self.open_hosts:
            raise Problem(f"originals are not private on {host}")

    def _smoke(self, target: Target, account: str, vault: Vault) -> Smoke:
        def try_out(address: str, *, settling: bool = False) -> None:
            assert (target.root, account) == (self.root, ACCOUNT)
            assert vault.known("AUTH_JWT_SECRET")
            self.smoked.append(address)
            self.patient.append(settling)

        return try_out


def build(target: Target, folder: Path) -> None:
    """A page that says for whom it was built."""
    hosts = [target.variables[name] for name in ("R2_S3_ENDPOINT", "R2_CDN_DOMAIN")]
    (folder / "_headers").write_text(" ".join([target.environment, *hosts]).strip())


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
