"""The command `make deploy`: see docs/deploy.md."""

from __future__ import annotations

import argparse
import functools
import getpass
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tools.deploy import adopt, apply, privacy, rollback
from tools.deploy.account import (
    LOGIN,
    Account,
    AccountState,
    InstalledWrangler,
    Wrangler,
    find_account,
    query,
    read_account,
)
from tools.deploy.apply import Deployment, Effects, Smoke
from tools.deploy.audit import SmokeTest
from tools.deploy.config import ENVIRONMENTS, JURISDICTIONS, ROOT, Target, check_setup
from tools.deploy.plan import Options, Plan, describe, make_plan
from tools.deploy.schema import Migration, migrations_in
from tools.deploy.secrets import SecretStore
from tools.problem import Problem


@dataclass(frozen=True, slots=True)
class Services:
    """Factories of everything that reaches outside this process; tests pass their own.

    `ask` asks the person at the terminal for a secret; None: there is no terminal.
    """

    wrangler: Callable[[Path, dict[str, str]], Wrangler] = InstalledWrangler
    ask: Callable[[str], str] | None = None
    privacy_check: Callable[[str], Callable[[str], None]] = privacy.PrivacyCheck
    smoke: Callable[[Target, str, SecretStore], Smoke] = SmokeTest


def parse_arguments(words: Sequence[str]) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(prog="make deploy ARGS=…", description="Deploys a clone to Cloudflare.")
    parser.add_argument("--env", choices=ENVIRONMENTS, default="production", help="what to deploy")
    parser.add_argument("--dry-run", action="store_true", help="print what would be done; needs no account")
    parser.add_argument("--jurisdiction", choices=JURISDICTIONS, default="", help="where D1 and R2 keep data")
    parser.add_argument("--versions", action="store_true", help="list the releases that are deployed")
    parser.add_argument(
        "--rollback",
        metavar="RELEASE",
        nargs="?",
        const="",
        help="return to a release, else to the one before",
    )
    parser.add_argument("--images-domain", metavar="HOST", help="serve renditions from this domain")
    parser.add_argument("--zone-id", metavar="ID", help="zone of that domain, the first time")
    parser.add_argument("--rule-made", action="store_true", help="its firewall rule was made by hand")
    parser.add_argument("--adopt", action="store_true", help="add what a database of yours lacks, in place")
    parser.add_argument("--pywrangler", action="store_true", help="vendor with `pywrangler sync` first")
    parser.add_argument("--rotate", metavar="SECRET", action="append", default=[], help="replace a secret")
    return parser.parse_args(words)


def _options(arguments: argparse.Namespace, token: str) -> Options:
    host = arguments.images_domain
    return Options(
        images_domain=privacy.normalize_host(host) if host else host,
        zone=arguments.zone_id,
        rule_made=arguments.rule_made,
        has_token=bool(token),
        rotate=frozenset(arguments.rotate),
        pywrangler=arguments.pywrangler,
        adopt=arguments.adopt,
    )


def deploy(arguments: argparse.Namespace, root: Path, environ: Mapping[str, str], services: Services) -> None:
    """Plan, print the plan and, without `--dry-run`, carry it out.

    Raises:
        Problem: something is missing or a step failed.
    """
    target = Target(root, arguments.env, arguments.jurisdiction)
    check_setup(target)
    secrets = SecretStore(root / f".secrets.{arguments.env}", environ)
    token = environ.get("CLOUDFLARE_API_TOKEN", "")
    options = _options(arguments, token)
    migrations = migrations_in(root / "migrations")
    account = find_account(target, services.wrangler(root, {}), environ.get("CLOUDFLARE_ACCOUNT_ID"))
    if account is None:
        if not arguments.dry_run:
            raise Problem(LOGIN)
        _print_plan_without_account(target, options, migrations, secrets)
        return
    wrangler = services.wrangler(root, {"CLOUDFLARE_ACCOUNT_ID": account.id})
    if arguments.versions:
        print("\n".join(rollback.describe_releases(rollback.read_versions(target, wrangler))))
        return
    if arguments.rollback is not None:
        rollback.roll_back(target, wrangler, arguments.rollback, dry_run=arguments.dry_run)
        return
    state = read_account(target, wrangler)
    target = replace(target, jurisdiction=state.jurisdiction)
    adoption = None
    if options.adopt and adopt.is_foreign(state.master, migrations):
        adoption = adopt.plan_adoption(lambda sql: query(target.database, sql, wrangler), migrations)
    plan = make_plan(target, account, state, options, migrations, secrets, adoption)
    _print_plan(target, account, plan)
    if arguments.dry_run:
        return
    if plan.missing:
        secrets = _ask_for_secrets(target, plan.missing, secrets, services.ask)
    if plan.packages:
        apply.sync_packages(target)
    effects = Effects(
        functools.partial(privacy.protect, token, environ.get("CLOUDFLARE_API_BASE_URL", privacy.API_URL)),
        services.privacy_check(target.bucket),
        services.smoke(target, account.id, secrets),
    )
    release = rollback.release_name(datetime.now(UTC))
    Deployment(target, wrangler, secrets, options, effects, release).run(plan)


def _ask_for_secrets(
    target: Target, names: Sequence[str], secrets: SecretStore, ask: Callable[[str], str] | None
) -> SecretStore:
    """The secrets with those that only a person can supply, before anything is changed.

    Raises:
        Problem: there is nobody to ask, or no answer.
    """
    region = "".join(f" {word}" for word in target.jurisdiction_options)
    needed = (
        f"an R2 API token with Object Read & Write on {target.bucket}, made at "
        "https://dash.cloudflare.com/?to=/:account/r2/api-tokens (`npx wrangler r2 bucket create "
        f"{target.bucket}{region}` creates the bucket)"
    )
    answers: dict[str, str] = {}
    if ask:
        print(f"Needed: {needed}")
        answers = {name: ask(f"{name}: ").strip() for name in names}
    if empty := [name for name in names if not answers.get(name)]:
        raise Problem(f"nothing was changed: {' and '.join(empty)} must be in the environment, from {needed}")
    return SecretStore(secrets.path, {**secrets.environ, **answers})


def _print_plan(target: Target, account: Account, plan: Plan) -> None:
    print(f"{target.environment} → account {account.name}")
    for number, (title, commands) in enumerate(describe(target, plan), 1):
        print(f"{number:3}. {title}")
        for command in commands:
            print(f"       {command}")


def _print_plan_without_account(
    target: Target, options: Options, migrations: list[Migration], secrets: SecretStore
) -> None:
    print("Nobody is logged in to Cloudflare. In an account that holds nothing yet, this would be done.")
    account = Account("<account>", "of yours")
    plan = make_plan(target, account, AccountState(), options, migrations, secrets)
    _print_plan(target, account, plan)


def main(words: Sequence[str] | None = None, root: Path = ROOT, services: Services | None = None) -> int:
    arguments = parse_arguments(sys.argv[1:] if words is None else words)
    services = services or Services(ask=getpass.getpass if sys.stdin.isatty() else None)
    try:
        deploy(arguments, root, os.environ, services)
    except Problem as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted; run `make deploy` again to continue", file=sys.stderr)
        return 130
    return 0
