"""Compares the originals in the bucket with the artworks in the database; changes nothing.

`python -m tools.deploy.originals` prints every original that no artwork names, which the sweeper would remove
after a day, and every original that an artwork names and that is gone. It looks at all of both.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import botocore.config
import botocore.exceptions
import botocore.session

from tools.deploy.__main__ import LOGIN, ROOT, Means
from tools.deploy.survey import account_of, rows
from tools.deploy.target import ENVIRONMENTS, S3_ENDPOINT, Target
from tools.deploy.wrangler import Wrangler
from tools.problem import Problem

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
        page = [row["original_key"] for row in rows(database, sql, wrangler)]
        yield from page
        if len(page) < PAGE:
            return
        last = page[-1]


def named_elsewhere(database: str, wrangler: Wrangler) -> set[str]:
    """Keys in the URLs of artworks that another program recorded; the sweeper spares them."""
    return {row["key"] for row in rows(database, _NAMED, wrangler)}


def listed(client: Any, bucket: str) -> Listing:
    """Keys of all originals in the bucket and when they were uploaded."""
    try:
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=PREFIX):
            for entry in page.get("Contents", []):
                yield entry["Key"], entry["LastModified"].isoformat()
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        raise Problem(f"the bucket {bucket} cannot be listed: {error}") from error


def client_of(account: str, environ: Mapping[str, str]) -> Any:
    """An S3 client for R2, with the gateway's credentials."""
    if lacking := [name for name in CREDENTIALS if not environ.get(name)]:
        raise Problem(f"{' and '.join(lacking)} must be in the environment, as for `make deploy`")
    return botocore.session.get_session().create_client(
        "s3",
        region_name="auto",
        endpoint_url=S3_ENDPOINT.format(account=account),
        aws_access_key_id=environ[CREDENTIALS[0]],
        aws_secret_access_key=environ[CREDENTIALS[1]],
        config=botocore.config.Config(retries={"mode": "standard"}),
    )


def differences(in_database: Iterator[str], in_bucket: Listing, spared: Set[str]) -> Iterator[str]:
    """One line for each original that is in one of the two only."""
    # In this order, an upload of this very moment lacks its artwork at most: its time tells.
    named, uploaded = set(in_database), dict(in_bucket)
    for key in sorted(uploaded.keys() - named - spared):
        yield f"no artwork   {uploaded[key]}  {key}"
    for key in sorted(named - uploaded.keys()):
        yield f"no original  {key}"


def compare(target: Target, means: Means, environ: Mapping[str, str], client: Callable[..., Any]) -> None:
    account = account_of(target, means.wrangler(target.root, {}), environ.get("CLOUDFLARE_ACCOUNT_ID"))
    if account is None:
        raise Problem(LOGIN)
    wrangler = means.wrangler(target.root, {"CLOUDFLARE_ACCOUNT_ID": account.id})
    objects = listed(client(account.id, environ), target.bucket)
    spared = named_elsewhere(target.database, wrangler)
    lines = list(differences(recorded(target.database, wrangler), objects, spared))
    print("\n".join(lines) or f"{target.bucket} and {target.database} agree")


def main(
    words: Sequence[str] | None = None,
    root: Path = ROOT,
    means: Means | None = None,
    client: Callable[..., Any] = client_of,
) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.deploy.originals", description=__doc__)
    parser.add_argument("--env", choices=ENVIRONMENTS, default="production", help="whose bucket and database")
    options = parser.parse_args(words)
    try:
        compare(Target(root, options.env), means or Means(), os.environ, client)
    except Problem as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
