"""Adopts a database that has users and artworks already; see docs/deploy.md.

`python -m tools.deploy.adopt --dry-run` says what would be done and prints the SQL.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.deploy import answers
from tools.deploy.__main__ import LOGIN, ROOT, Means
from tools.deploy.adoption import adoption
from tools.deploy.schema import migrations_in
from tools.deploy.survey import account_of
from tools.deploy.target import ENVIRONMENTS, Target
from tools.deploy.wrangler import Wrangler, named, succeeded
from tools.problem import Problem


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.deploy.adopt", description=__doc__)
    parser.add_argument("--env", choices=ENVIRONMENTS, default="production", help="whose database")
    parser.add_argument("--local", action="store_true", help="the database of `wrangler dev`")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, print the SQL")
    return parser.parse_args(words)


def adopt(options: argparse.Namespace, target: Target, wrangler: Wrangler) -> None:
    # By its name, and away from wrangler.toml, a database is found before its id is written there.
    name, place = ("DB", "--local") if options.local else (target.database, "--remote")

    def run(folder: Path, *words: str) -> str:
        where = target.root if options.local else folder
        option = (target.option,) if options.local else ()
        words = ("d1", "execute", name, place, *words)
        return succeeded(wrangler.run(*words, *option, folder=where), named(words))

    with tempfile.TemporaryDirectory(prefix="vfa-adopt-") as empty:
        folder = Path(empty)

        def ask(sql: str) -> list[dict[str, Any]]:
            return answers.rows(run(folder, "--json", "--command", sql))

        found = adoption(ask, migrations_in(target.root / "migrations"))
        print("\n  ".join([f"{target.database} has users and artworks of another program", *found.notes]))
        if options.dry_run:
            print(found.sql)
            return
        path = folder / "adopt.sql"
        path.write_text(found.sql)
        run(folder, "--yes", "--file", str(path))
    print(f"{target.database} is adopted; `make deploy` applies what is pending")


def wrangler_of(options: argparse.Namespace, target: Target, means: Means, account: str | None) -> Wrangler:
    if options.local:
        return means.wrangler(target.root, {})
    found = account_of(target, means.wrangler(target.root, {}), account)
    if found is None:
        raise Problem(LOGIN)
    return means.wrangler(target.root, {"CLOUDFLARE_ACCOUNT_ID": found.id})


def main(
    words: Sequence[str] | None = None,
    root: Path = ROOT,
    means: Means | None = None,
    environ: Mapping[str, str] = os.environ,
) -> int:
    options = arguments(words)
    target = Target(root, options.env)
    try:
        account = environ.get("CLOUDFLARE_ACCOUNT_ID")
        adopt(options, target, wrangler_of(options, target, means or Means(), account))
    except Problem as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
