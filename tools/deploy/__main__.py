"""`make deploy`: see docs/deploy.md."""

from __future__ import annotations

import argparse
import functools
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tools.deploy import exposure, firewall, packages, page, preflight
from tools.deploy.adoption import adoption, is_foreign
from tools.deploy.answers import Account
from tools.deploy.deployment import Deployment, Hands, Smoke
from tools.deploy.plan import Plan, plan
from tools.deploy.schema import Migration, migrations_in
from tools.deploy.smoke import SmokeTest
from tools.deploy.survey import Survey, account_of, look, rows
from tools.deploy.target import ENVIRONMENTS, Target
from tools.deploy.vault import Vault
from tools.deploy.wishes import Wishes, host_of
from tools.deploy.words import describe
from tools.deploy.wrangler import InstalledWrangler, Wrangler
from tools.problem import Problem

ROOT = Path(__file__).resolve().parents[2]
LOGIN = (
    'nobody is logged in to Cloudflare: run `PATH="$PWD/.venv/bin:$PATH" npx wrangler login`, or set '
    "CLOUDFLARE_API_TOKEN (docs/deploy.md lists its permissions)"
)


def arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make deploy ARGS=…", description="From a clone to Cloudflare.")
    parser.add_argument("--env", choices=ENVIRONMENTS, default="production", help="what to deploy")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done; needs no account")
    parser.add_argument("--images-domain", metavar="HOST", help="serve renditions from this domain")
    parser.add_argument("--zone-id", metavar="ID", help="zone of that domain, the first time")
    parser.add_argument("--rule-made", action="store_true", help="its firewall rule was made by hand")
    parser.add_argument("--adopt", action="store_true", help="add what a database of yours lacks, in place")
    parser.add_argument("--pywrangler", action="store_true", help="vendor with `pywrangler sync` first")
    parser.add_argument("--rotate", metavar="SECRET", action="append", default=[], help="replace a secret")
    return parser.parse_args(words)


def show(target: Target, account: Account, steps: Plan) -> None:
    print(f"{target.environment} → account {account.name}")
    for number, (title, commands) in enumerate(describe(target, steps), 1):
        print(f"{number:3}. {title}")
        for command in commands:
            print(f"       {command}")


@dataclass(frozen=True, slots=True)
class Means:
    """What a run reaches the outside with."""

    wrangler: Callable[[Path, dict[str, str]], Wrangler] = InstalledWrangler
    build: Callable[[Target, Path], None] = page.build
    probe: Callable[[str], Callable[[str], None]] = exposure.Probe
    smoke: Callable[[Target, str, Vault], Smoke] = SmokeTest


def wishes_of(options: argparse.Namespace, token: str) -> Wishes:
    return Wishes(
        images_domain=host_of(options.images_domain) if options.images_domain else None,
        zone=options.zone_id,
        rule_made=options.rule_made,
        has_token=bool(token),
        rotate=frozenset(options.rotate),
        pywrangler=options.pywrangler,
        adopt=options.adopt,
    )


def deploy(options: argparse.Namespace, root: Path, environ: Mapping[str, str], means: Means) -> None:
    target = Target(root, options.env)
    preflight.check(target)
    vault = Vault(root / f".secrets.{options.env}", environ)
    token = environ.get("CLOUDFLARE_API_TOKEN", "")
    wishes = wishes_of(options, token)
    migrations = migrations_in(root / "migrations")
    account = account_of(target, means.wrangler(root, {}), environ.get("CLOUDFLARE_ACCOUNT_ID"))
    if account is None:
        if not options.dry_run:
            raise Problem(LOGIN)
        show_to_nobody(target, wishes, migrations, vault)
        return
    wrangler = means.wrangler(root, {"CLOUDFLARE_ACCOUNT_ID": account.id})
    survey = look(target, wrangler)
    if wishes.adopt and is_foreign(survey.master, migrations):
        found = adoption(lambda sql: rows(target.database, sql, wrangler), migrations)
        survey = replace(survey, adoption=found)
    steps = plan(target, account, survey, wishes, migrations, vault)
    show(target, account, steps)
    if options.dry_run:
        return
    if steps.packages:
        packages.sync(target)
    hands = Hands(
        functools.partial(firewall.guard, token, environ.get("CLOUDFLARE_API_BASE_URL", firewall.API)),
        functools.partial(means.build, target),
        means.probe(target.bucket),
        means.smoke(target, account.id, vault),
    )
    Deployment(target, wrangler, vault, wishes, hands).carry_out(steps)


def show_to_nobody(target: Target, wishes: Wishes, migrations: list[Migration], vault: Vault) -> None:
    print("Nobody is logged in to Cloudflare. In an account that holds nothing yet, this would be done.")
    nobody = Account("<account>", "of yours")
    show(target, nobody, plan(target, nobody, Survey(), wishes, migrations, vault))


def main(words: Sequence[str] | None = None, root: Path = ROOT, means: Means | None = None) -> int:
    options = arguments(sys.argv[1:] if words is None else words)
    try:
        deploy(options, root, os.environ, means or Means())
    except Problem as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted; `make deploy` goes on from here when it is run again", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
