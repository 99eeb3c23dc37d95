"""`make deploy` run with doubles, and what a finished run leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.deploy.cloudflare import ACCOUNT, Cloudflare
from tests.support.deploy.fake_wrangler import FakeWrangler, structure_of
from tools.deploy import cli, schema
from tools.deploy.account import Wrangler
from tools.deploy.apply import Smoke
from tools.deploy.config import Target
from tools.deploy.secrets import SecretStore
from tools.problem import Problem

GALLERY = "https://vfa-gallery.gallery-tests.workers.dev"


@dataclass
class Runner:
    """Runs the command; `smoked` and `probed` are what was tested, `open_hosts` refuse nothing."""

    root: Path
    smoked: list[str] = field(default_factory=list)
    new_domain: list[bool] = field(default_factory=list)
    probed: list[str] = field(default_factory=list)
    open_hosts: set[str] = field(default_factory=set)
    ask: Callable[[str], str] | None = None

    def __call__(self, wrangler: Wrangler, *words: str) -> int:
        services = cli.Services(lambda *_: wrangler, self.ask, lambda _: self._probe, self._smoke)
        return cli.main(words, self.root, services)

    def _probe(self, host: str) -> None:
        self.probed.append(host)
        if host in self.open_hosts:
            raise Problem(f"originals are not private on {host}")

    def _smoke(self, target: Target, account: str, secrets: SecretStore) -> Smoke:
        def test(address: str, *, new_domain: bool = False) -> None:
            assert (target.root, account) == (self.root, ACCOUNT)
            assert secrets.value("AUTH_JWT_SECRET")
            self.smoked.append(address)
            self.new_domain.append(new_domain)

        return test


def changed(wrangler: FakeWrangler) -> list[str]:
    """What the commands that change something change."""
    verbs = {"create", "add", "apply", "set", "deploy", "rollback", "--file"}
    return [" ".join(words) for words in wrangler.commands if verbs & set(words)]


def state(root: Path, cloud: Cloudflare, environment: str = "production") -> dict[str, Any]:
    """All that a finished deployment leaves, without what is random."""
    target = Target(root, environment)
    tokens = {cloud.workers[target.worker(each)].secrets["WORKER_AUTH_TOKEN"] for each in target.projects}
    database = cloud.databases[target.database]
    gateway = cloud.workers[target.worker("gateway")]
    bound = {each["name"]: each for each in gateway.metadata["bindings"]}
    return {
        "bound": (
            bound["DB"]["id"] == database.uuid,
            bound["KV"]["namespace_id"] == cloud.namespaces[target.namespace],
            bound["R2_S3_ENDPOINT"]["text"],
        ),
        "vars": gateway.metadata["vars"],
        "form": structure_of(database),
        "applied": [row["name"] for row in database.query(schema.APPLIED)[0]["results"]],
        "secrets": {name: sorted(worker.secrets) for name, worker in cloud.workers.items()},
        "tokens": len(tokens),
        "cors": cloud.buckets[target.bucket]["cors"],
        "stores": (sorted(cloud.databases), sorted(cloud.buckets), sorted(cloud.namespaces)),
    }
