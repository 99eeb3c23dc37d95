"""A Wrangler that acts on an account in memory.

Its answers are worded as the genuine one's, which test_deploy_wrangler.py holds them against.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.deploy import cloudflare_api
from tests.support.deploy.cloudflare import ACCOUNT, Cloudflare, Database, bucket_key
from tools.deploy import schema
from tools.deploy.account import Outcome
from tools.deploy.config import (
    Target,
)


class Killed(BaseException):
    """The process dies."""


@dataclass
class FakeWrangler:
    """Does to `cloud` what the genuine Wrangler would, and keeps every command.

    `fail_at` names the changing command, counted from 0, that does not go well: it is refused, or with
    `killed` it is carried out and the answer is never seen.
    """

    cloud: Cloudflare
    logged_in: bool = True
    accounts: tuple[str, ...] = (ACCOUNT,)
    fail_at: int | None = None
    killed: bool = False
    commands: list[tuple[str, ...]] = field(default_factory=list)
    changes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, *words: str, folder: Path, environ: dict[str, str] | None = None) -> Outcome:
        with self.lock:
            self.commands.append(words)
            plain = tuple(word for word in words if not word.startswith("--env="))
            environment = next((word[6:] for word in words if word.startswith("--env=")), "") or "production"
            changing = bool({"create", "add", "apply", "set", "deploy", "rollback", "--file"} & set(plain))
            due = changing and self.changes == self.fail_at
            self.changes += changing
            if due and not self.killed:
                return error("The service is unavailable. [code: 10000]")
            region = words[words.index("--jurisdiction") + 1] if "--jurisdiction" in words else ""
            plain = tuple(word for word in plain if word not in ("--jurisdiction", region or None))
            outcome = self._act(plain, Call(folder, environment, environ or {}, region))
            if due:
                raise Killed
            return outcome

    def _act(self, words: tuple[str, ...], call: Call) -> Outcome:
        act = {"d1": self._d1, "r2": self._r2}.get(words[0], self._other)
        return act(words, call)

    def _other(self, words: tuple[str, ...], call: Call) -> Outcome:
        match words:
            case ("whoami", "--json"):
                return self._whoami()
            case ("kv", "namespace", "list"):
                return listed({"title": title, "id": id_} for title, id_ in self.cloud.namespaces.items())
            case ("secret", "list"):
                return self._list_secrets(call)
            case ("deployments", "status", "--json"):
                return self._status(call)
            case ("versions", "list", "--json"):
                return listed(map(cloudflare_api.describe, self.cloud.versions[call.worker]))
            case ("versions", "view", version, "--json"):
                found = cloudflare_api.find_version(self.cloud, call.worker, version)
                return Outcome(0, json.dumps(cloudflare_api.describe(found)))
            case ("rollback", version, "--yes", "--message", _):
                self.cloud.deploy(call.worker, cloudflare_api.find_version(self.cloud, call.worker, version))
                return Outcome(0, "╰  SUCCESS  Worker Version has been deployed to 100% of traffic.\n")
            case ("deploy", *options):
                return self._deploy(call, options)
        raise AssertionError(f"a command that no plan has: {words}")

    def _d1(self, words: tuple[str, ...], call: Call) -> Outcome:
        databases = self.cloud.databases
        match words[1:]:
            case ("list", "--json"):
                return listed({"name": each.name, "uuid": each.uuid} for each in databases.values())
            case ("create", name):
                return self._create_database(name, call)
            case ("execute", name, "--remote", "--json", "--command", sql):
                return Outcome(0, json.dumps(databases[name].query(sql)))
            case ("execute", name, "--remote", "--yes", "--file", path):
                return self._execute(call, name, Path(path).read_text())
            case ("migrations", "apply", "DB", "--remote"):
                return self._migrate(call)
        raise AssertionError(f"a command that no plan has: {words}")

    def _r2(self, words: tuple[str, ...], call: Call) -> Outcome:
        match words[2:]:
            case ("put", place, "--file", path, "--remote", "--force"):
                bucket, key = place.split("/", 1)
                self.cloud.bucket(bucket, call.region).setdefault("objects", {})[key] = Path(
                    path
                ).read_bytes()
                return Outcome(0, "Upload complete.\n")
            case ("info", name, "--json"):
                return self._look_at_bucket(name, call)
            case ("create", name):
                return self._create_bucket(name, call)
            case ("cors", "set", bucket, "--force", "--file", path):
                self.cloud.bucket(bucket, call.region)["cors"] = json.loads(Path(path).read_text())["rules"]
                return Outcome(0, f"✨ Set CORS configuration for bucket '{bucket}'.\n")
            case ("domain", "list", bucket):
                return self._list_domains(bucket, call)
            case (
                "domain",
                "add",
                bucket,
                "--domain",
                domain,
                "--zone-id",
                zone,
                "--min-tls",
                "1.2",
                "--force",
            ):
                self.cloud.bucket(bucket, call.region)["domains"].append({"domain": domain, "zoneId": zone})
                return Outcome(0, f"✨ Custom domain '{domain}' connected successfully.\n")
        raise AssertionError(f"a command that no plan has: {words}")

    def _whoami(self) -> Outcome:
        if not self.logged_in:
            return Outcome(1, '\n{"loggedIn":false}\n')
        accounts = [{"id": each, "name": f"Account {number}"} for number, each in enumerate(self.accounts, 1)]
        answer = {"loggedIn": True, "authType": "OAuth Token", "email": "a@example.org", "accounts": accounts}
        return Outcome(0, json.dumps(answer, indent=2))

    def _create_database(self, name: str, call: Call) -> Outcome:
        if name in self.cloud.databases:
            return error("A database with that name already exists")
        self.cloud.databases[name] = Database(name, jurisdiction=call.region or None)
        return Outcome(0, f"✅ Successfully created DB '{name}'\n")

    def _create_bucket(self, name: str, call: Call) -> Outcome:
        if (key := bucket_key(name, call.region)) in self.cloud.buckets:
            return error(
                f"A request to the Cloudflare API (/accounts/{ACCOUNT}/r2/buckets) failed.",
                "The bucket you tried to create already exists, and you own it. [code: 10004]",
            )
        self.cloud.buckets[key] = {"cors": [], "domains": []}
        return Outcome(0, f"✅ Created bucket '{name}' with default storage class of Standard.\n")

    def _look_at_bucket(self, name: str, call: Call) -> Outcome:
        if bucket_key(name, call.region) not in self.cloud.buckets:
            return error(
                f"A request to the Cloudflare API (/accounts/{ACCOUNT}/r2/buckets/{name}) failed.",
                "The specified bucket does not exist. [code: 10006]",
            )
        return Outcome(0, json.dumps({"name": name, "object_count": "0"}))

    def _list_domains(self, bucket: str, call: Call) -> Outcome:
        rows = [_block(each) for each in self.cloud.bucket(bucket, call.region)["domains"]]
        title = f"Listing custom domains connected to bucket '{bucket}'...\n"
        none = "There are no custom domains connected to this bucket."
        return Outcome(0, title + ("\n\n".join(rows) or none) + "\n")

    def _list_secrets(self, call: Call) -> Outcome:
        if call.worker not in self.cloud.workers:
            return error(
                f'Worker "{call.worker}" not found.', "If this is a new Worker, run `wrangler deploy`"
            )
        return listed(
            {"name": name, "type": "secret_text"} for name in self.cloud.workers[call.worker].secrets
        )

    def _database(self, call: Call) -> Database:
        return self.cloud.databases[Target(call.folder, call.environment).database]

    def _execute(self, call: Call, name: str, sql: str) -> Outcome:
        database = self._database(call) if name == "DB" else self.cloud.databases[name]
        database.query(f"BEGIN; {sql}\n; COMMIT")
        return Outcome(0, "🚣 Executed 9 queries in 1.00ms\n")

    def _migrate(self, call: Call) -> Outcome:
        database = self._database(call)
        database.query(schema.CREATE_MIGRATIONS_TABLE)
        applied = {row["name"] for row in database.query(schema.APPLIED)[0]["results"]}
        for migration in schema.migrations_in(call.folder / "migrations"):
            if migration.name not in applied:
                database.query(f"{migration.sql}\n;{schema.baseline([migration])}")
        return Outcome(0, "✅ No migrations to apply!\n")

    def _status(self, call: Call) -> Outcome:
        if call.worker not in self.cloud.workers:
            return error(
                f"A request to the Cloudflare API (/accounts/{ACCOUNT}/workers/scripts/…) failed.",
                "This Worker does not exist on your account. [code: 10007]",
            )
        current = {"version_id": self.cloud.workers[call.worker].id, "percentage": 100}
        return Outcome(0, json.dumps({"id": "deployment", "versions": [current]}))

    def _deploy(self, call: Call, options: list[str]) -> Outcome:
        paths = dict(zip(options[::2], options[1::2], strict=True))
        config = json.loads((call.folder / paths["--config"]).read_text())
        config |= {} if call.environment == "production" else config["env"][call.environment]
        given = json.loads(Path(paths["--secrets-file"]).read_text()) if "--secrets-file" in paths else {}
        old = self.cloud.workers.get(call.worker)
        secrets = (old.secrets if old else {}) | given
        missing = set(config["secrets"]["required"]) - {name for name, value in secrets.items() if value}
        if missing:
            return error(f"The following required secrets have not been set: {', '.join(sorted(missing))}")
        if any(each["service"] not in self.cloud.workers for each in config.get("services", [])):
            return error("Could not resolve service binding 'THUMBNAIL'. [code: 10143]")
        bindings = [
            {"type": "plain_text", "name": name, "text": text} for name, text in config["vars"].items()
        ]
        for bucket in config["r2_buckets"]:
            self.cloud.bucket(bucket["bucket_name"], bucket.get("jurisdiction", ""))
            bindings.append({"type": "r2_bucket", "name": bucket["binding"], **bucket})
        for database in config.get("d1_databases", []):
            found = self.cloud.databases[database["database_name"]]
            assert found.jurisdiction == database.get("jurisdiction")
            bindings.append({"type": "d1", "name": database["binding"], "id": found.uuid})
        for namespace in config.get("kv_namespaces", []):
            identity = namespace.get("id") or self._provision(call, namespace["binding"])
            if identity is None:
                return error("a namespace with this account ID and title already exists [code: 10014]")
            assert identity in self.cloud.namespaces.values()
            bindings.append({"type": "kv_namespace", "name": namespace["binding"], "namespace_id": identity})
        self.cloud.keep(call.worker, config | {"bindings": bindings}, secrets, tag=paths["--tag"])
        if config["workers_dev"] and self.cloud.subdomain is None:
            return error("You can either deploy … or register a workers.dev subdomain here:", "https://…")
        targets = [f"{call.worker}.{self.cloud.subdomain}.workers.dev"] if config["workers_dev"] else []
        entry = {"type": "deploy", "version": 1, "worker_name": call.worker, "targets": targets}
        Path(call.environ["WRANGLER_OUTPUT_FILE_PATH"]).write_text(json.dumps(entry) + "\n")
        return Outcome(0, f"Uploaded {call.worker} (1.00 sec)\n")

    def _provision(self, call: Call, binding: str) -> str | None:
        """The namespace that the Worker is bound to, else a new one; None where its title is taken."""
        if call.worker in self.cloud.workers:
            bound = self.cloud.workers[call.worker].metadata["bindings"]
            return next(str(each["namespace_id"]) for each in bound if each["type"] == "kv_namespace")
        title = f"{call.worker}-{binding.lower()}"
        if title in self.cloud.namespaces:
            return None
        self.cloud.namespaces[title] = f"{len(self.cloud.namespaces) + 1:032x}"
        return self.cloud.namespaces[title]


@dataclass(frozen=True)
class Call:
    """Where and for which environment a command runs."""

    folder: Path
    environment: str
    environ: dict[str, str]
    region: str

    @property
    def project(self) -> str:
        return self.folder.name if self.folder.parent.name == "variants" else "gateway"

    @property
    def root(self) -> Path:
        return self.folder if self.project == "gateway" else self.folder.parents[1]

    @property
    def worker(self) -> str:
        return Target(self.root, self.environment).worker(self.project)


def _block(domain: dict[str, str]) -> str:
    fields = {
        "domain": domain["domain"],
        "enabled": domain.get("enabled", "Yes"),
        "ownership_status": "active",
        "ssl_status": domain.get("ssl", "active"),
        "min_tls_version": "1.2",
        "zone_id": domain.get("zoneId", "(none)"),
        "zone_name": "example.org",
    }
    return "\n".join(f"{name + ':':18}{value}" for name, value in fields.items())


def listed(entries: Any) -> Outcome:
    return Outcome(0, json.dumps(list(entries), indent=2))


def error(*lines: str) -> Outcome:
    text = "\n\n  ".join(lines)
    return Outcome(
        1, "", f"\x1b[31m✘ \x1b[41;31m[\x1b[41;97mERROR\x1b[41;31m]\x1b[0m \x1b[1m{text}\x1b[0m\n\n"
    )


def structure_of(database: Database) -> schema.Structure:
    """The form of a database of the account."""
    connection: sqlite3.Connection = database.connection
    rows = connection.execute(schema.MASTER).fetchall()
    return schema.structure(dict(zip(("type", "name", "sql"), row, strict=True)) for row in rows)
