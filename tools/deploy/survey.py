"""What the account holds already: asked with commands that change nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tools.deploy import answers, schema
from tools.deploy.adoption import Adoption
from tools.deploy.target import PROJECTS, Target
from tools.deploy.wrangler import Wrangler, named, succeeded
from tools.problem import Problem


@dataclass(frozen=True, slots=True)
class Survey:
    """An account that holds nothing, unless told otherwise."""

    databases: Mapping[str, str] = field(default_factory=dict)
    bucket: bool = False
    namespaces: Mapping[str, str] = field(default_factory=dict)
    domains: tuple[answers.Domain, ...] = ()
    secrets: Mapping[str, set[str] | None] = field(default_factory=dict)
    master: tuple[Mapping[str, Any], ...] = ()
    applied: frozenset[str] = frozenset()
    adoption: Adoption | None = None

    @property
    def has_ledger(self) -> bool:
        return any(row["name"] == schema.LEDGER for row in self.master)


def account_of(target: Target, wrangler: Wrangler, wanted: str | None) -> answers.Account | None:
    """The account to deploy to; None when nobody is logged in, a Problem when there are several."""
    found = answers.accounts(wrangler.run("whoami", "--json", folder=target.root))
    if found is None:
        return None
    wanted = wanted or target.config("gateway").get("account_id")
    if wanted:
        return next((each for each in found if each.id == wanted), answers.Account(wanted, wanted))
    if len(found) != 1:
        choice = ", ".join(f"{each.id} ({each.name})" for each in found) or "none"
        raise Problem(f"set CLOUDFLARE_ACCOUNT_ID to the account to deploy to; yours are: {choice}")
    return found[0]


def look(target: Target, wrangler: Wrangler) -> Survey:
    """Everything at once: each question takes about a second, nearly all of it Wrangler's start."""

    def ask(*words: str) -> str:
        return succeeded(wrangler.run(*words, target.option, folder=target.root), named(words))

    def secrets(project: str) -> set[str] | None:
        return answers.secret_names(
            wrangler.run("secret", "list", target.option, folder=target.folder(project))
        )

    def has_bucket() -> bool:
        # `r2 bucket list` shows the first 20 of an account.
        words = ("r2", "bucket", "info", target.bucket, "--json")
        return answers.bucket(wrangler.run(*words, target.option, folder=target.root))

    def domains() -> tuple[answers.Domain, ...]:
        if not bucket.result():
            return ()
        return answers.domains(ask("r2", "bucket", "domain", "list", target.bucket))

    # Each job may wait for the jobs before it only.
    with ThreadPoolExecutor(4) as pool:
        databases = pool.submit(lambda: answers.databases(ask("d1", "list", "--json")))
        bucket = pool.submit(has_bucket)
        namespaces = pool.submit(lambda: answers.namespaces(ask("kv", "namespace", "list")))
        master = pool.submit(
            lambda: (
                rows(target.database, schema.MASTER, wrangler)
                if target.database in databases.result()
                else []
            )
        )
        connected = pool.submit(domains)
        held = {project: pool.submit(secrets, project) for project in PROJECTS}
        survey = Survey(
            databases.result(),
            bucket.result(),
            namespaces.result(),
            connected.result(),
            {project: future.result() for project, future in held.items()},
            tuple(master.result()),
        )
    if not survey.has_ledger:
        return survey
    applied = frozenset(row["name"] for row in rows(target.database, schema.APPLIED, wrangler))
    return replace(survey, applied=applied)


def rows(database: str, sql: str, wrangler: Wrangler) -> list[dict[str, Any]]:
    """Rows of a query on a database named as in the account: the ids in our files may not be written yet."""
    with tempfile.TemporaryDirectory() as nowhere:
        words = ("d1", "execute", database, "--remote", "--json", "--command", sql)
        return answers.rows(succeeded(wrangler.run(*words, folder=Path(nowhere)), named(words)))
