"""Checks of a deployment: the smoke test, and a comparison of the bucket's originals with the database.

`python -m tools.deploy.audit` compares and changes nothing. It prints every original that no artwork names,
which the sweeper would remove after a day, and every original that an artwork names and that is gone. It
reads all of both.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.config
import botocore.exceptions
import botocore.session

from tools.deploy import account
from tools.deploy.account import InstalledWrangler, Wrangler
from tools.deploy.config import ENVIRONMENTS, ROOT, Target, run_program
from tools.deploy.secrets import SecretStore
from tools.problem import Problem

SMOKE_USER = "smoke-test"
SMOKE_LIMIT = 3
RETRY_SECONDS = 5
# How long a new address may take to answer everywhere, and a new domain to get its certificate.
NEW_ADDRESS_SECONDS = 40
NEW_DOMAIN_SECONDS = 300
TIMEOUT_SECONDS = 300
_FOREIGN_USERS = re.compile("NOT NULL constraint failed: users|ON CONFLICT clause does not match")


@dataclass(frozen=True, slots=True)
class SmokeTest:
    """Runs `vfa smoke` on a deployment, as a user of its own where a token can be signed.

    AUTH_JWT_SECRET of `secrets` signs the token; without it only what is public is tested.
    """

    target: Target
    account_id: str
    secrets: SecretStore
    report: Callable[[str], None] = print
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def __call__(self, address: str, *, new_domain: bool = False) -> None:
        """Repeat the test until it passes; with `new_domain`, for as long as a new domain may take.

        Raises:
            Problem: it does not pass in time.
        """
        token = self._token() if self._secret else ""
        environ = {"VFA_TOKEN": token} if token else {}
        if not self._secret:
            self.report("    without AUTH_JWT_SECRET only what is public is tested")
        elif not token:
            self.report("    only what is public is tested, since the users are another program's")
        end = self.clock() + (NEW_DOMAIN_SECONDS if new_domain else NEW_ADDRESS_SECONDS)
        tries = 0
        while (done := self._vfa("smoke", "--base-url", address, environ=environ)).returncode != 0:
            if self.clock() >= end:
                break
            if new_domain and tries == 0:
                self.report(f"    waiting up to {NEW_DOMAIN_SECONDS // 60} minutes for the new images domain")
            tries += 1
            self.sleep(RETRY_SECONDS)
        self.report(done.stdout.rstrip())
        if done.returncode != 0:
            why = done.stderr.strip() or "see above"
            raise Problem(f"{address} is deployed but does not pass the smoke test: {why}")

    @property
    def _secret(self) -> str:
        return self.secrets.value("AUTH_JWT_SECRET") or ""

    def _token(self) -> str:
        """A token of SMOKE_USER; empty where users of an adopted table cannot be added."""
        words = ["--wrangler", "remote", "--config", str(self.target.root / "wrangler.toml")]
        if self.target.wrangler_name:
            words += ["--env", self.target.wrangler_name]
        for command in (
            ("user", "add", SMOKE_USER, "--limit", str(SMOKE_LIMIT)),
            ("token", SMOKE_USER, "--hours", "1"),
        ):
            done = self._vfa(*command, *words, environ={})
            if _FOREIGN_USERS.search(done.stderr):
                return ""
            if done.returncode != 0:
                raise Problem(f"`vfa {command[0]}` failed: {done.stderr.strip()}")
        return done.stdout.strip()

    def _vfa(self, *words: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
        # For production there is no `--env`, so an exported name would apply.
        own = {"CLOUDFLARE_ENV": self.target.wrangler_name, "CLOUDFLARE_ACCOUNT_ID": self.account_id}
        return run_program(
            f"vfa {words[0]}",
            [self.target.root / ".venv/bin/vfa", *words],
            cwd=self.target.root,
            environ={**own, "AUTH_JWT_SECRET": self._secret, **environ},
            timeout=TIMEOUT_SECONDS,
        )


PREFIX = "originals/"
PAGE = 5000
CREDENTIALS = ("R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY")

Listing = Iterator[tuple[str, str]]


# The end of a URL from the folder of originals on, up to a question mark.
_NAMED = f"""
SELECT substr(original_url, instr(original_url, '/{PREFIX}') + 1,
  instr(original_url || char(63), char(63)) - instr(original_url, '/{PREFIX}') - 1) AS key
FROM artworks WHERE original_key IS NULL AND instr(original_url, '/{PREFIX}') > 0
"""  # noqa: S608 (the constant above)


def recorded(database: str, wrangler: Wrangler) -> Iterator[str]:
    """Keys of the originals of all artworks, in order."""
    last = ""
    while True:
        sql = (
            f"SELECT original_key FROM artworks WHERE original_key > '{last}' "  # noqa: S608 - keys have no quotes
            f"ORDER BY original_key LIMIT {PAGE}"
        )
        page = [row["original_key"] for row in account.query(database, sql, wrangler)]
        yield from page
        if len(page) < PAGE:
            return
        last = page[-1]


def named_elsewhere(database: str, wrangler: Wrangler) -> set[str]:
    """Keys in the URLs of artworks that another program recorded; the sweeper spares them."""
    return {row["key"] for row in account.query(database, _NAMED, wrangler)}


def listed(client: Any, bucket: str) -> Listing:
    """Keys of all originals in the bucket and when they were uploaded (ISO 8601).

    Raises:
        Problem: the bucket cannot be listed.
    """
    try:
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=PREFIX):
            for entry in page.get("Contents", []):
                yield entry["Key"], entry["LastModified"].isoformat()
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        raise Problem(f"the bucket {bucket} cannot be listed: {error}") from error


def make_s3_client(endpoint: str, environ: Mapping[str, str]) -> Any:
    """An S3 client for R2, with the gateway's credentials.

    Raises:
        Problem: the credentials are not in the environment.
    """
    if lacking := [name for name in CREDENTIALS if not environ.get(name)]:
        raise Problem(f"{' and '.join(lacking)} must be in the environment, as for `make deploy`")
    return botocore.session.get_session().create_client(
        "s3",
        region_name="auto",
        endpoint_url=endpoint,
        aws_access_key_id=environ[CREDENTIALS[0]],
        aws_secret_access_key=environ[CREDENTIALS[1]],
        config=botocore.config.Config(retries={"mode": "standard"}),
    )


def differences(in_database: Iterator[str], in_bucket: Listing, spared: Set[str]) -> Iterator[str]:
    """One line for each original that is in one of the two only."""
    # In this order, an upload made meanwhile can only appear to lack its artwork; its time shows that.
    named, uploaded = set(in_database), dict(in_bucket)
    for key in sorted(uploaded.keys() - named - spared):
        yield f"no artwork   {uploaded[key]}  {key}"
    for key in sorted(named - uploaded.keys()):
        yield f"no original  {key}"


def compare(target: Target, wrangler: Wrangler, client: Any) -> None:
    """Print the differences between an environment's bucket and database.

    Raises:
        Problem: one of them cannot be read.
    """
    objects = listed(client, target.bucket)
    spared = named_elsewhere(target.database, wrangler)
    lines = list(differences(recorded(target.database, wrangler), objects, spared))
    print("\n".join(lines) or f"{target.bucket} and {target.database} agree")


def main(
    words: Sequence[str] | None = None,
    root: Path = ROOT,
    make_wrangler: Callable[[Path, dict[str, str]], Wrangler] = InstalledWrangler,
    make_client: Callable[[str, Mapping[str, str]], Any] = make_s3_client,
) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.deploy.audit", description=__doc__)
    parser.add_argument("--env", choices=ENVIRONMENTS, default="production", help="whose bucket and database")
    target = Target(root, parser.parse_args(words).env)
    try:
        wanted = os.environ.get("CLOUDFLARE_ACCOUNT_ID")
        found = account.require_account(target, make_wrangler(root, {}), wanted)
        wrangler = make_wrangler(root, {"CLOUDFLARE_ACCOUNT_ID": found.id})
        deployed = account.read_deployed(target, wrangler)
        endpoint = deployed.variables["R2_S3_ENDPOINT"] if deployed else target.s3_endpoint(found.id)
        compare(target, wrangler, make_client(endpoint, os.environ))
    except Problem as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
