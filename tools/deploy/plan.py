"""What is to be done: pure, from what the account holds, what the files say and what is wished."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from tools.deploy import schema
from tools.deploy.answers import Account
from tools.deploy.schema import Migration
from tools.deploy.survey import Survey
from tools.deploy.target import (
    CDN_DOMAIN,
    DATABASE_ID,
    ENDPOINT,
    NAMESPACE_ID,
    PROJECTS,
    S3_ENDPOINT,
    Place,
    Target,
)
from tools.deploy.vault import MADE_HERE
from tools.problem import Problem

NOT_MADE = "(made by the steps above)"


class Secrets(Protocol):
    """Values that are at hand: `supplied` those of this very run, `known` these and the kept ones."""

    def supplied(self, name: str) -> str | None: ...

    def known(self, name: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line and the environment ask for."""

    images_domain: str | None = None
    zone: str | None = None
    rule_made: bool = False
    has_token: bool = False
    rotate: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Plan:
    """Each field one step; empty where there is nothing to do. Workers are deployed every time.

    `missing` are secrets that only a person can supply: a run without them ends once the stores are there,
    for it takes a bucket to make a token for it.
    """

    database: bool = False
    bucket: bool = False
    namespace: bool = False
    values: dict[Place, str] = field(default_factory=dict)
    schema: bool = False
    baseline: tuple[Migration, ...] = ()
    migrations: tuple[Migration, ...] = ()
    rule: bool = False
    domain: str | None = None
    missing: tuple[str, ...] = ()
    make: tuple[str, ...] = ()
    secrets: dict[str, tuple[str, ...]] = field(default_factory=dict)


def plan(
    target: Target,
    account: Account,
    survey: Survey,
    wishes: Wishes,
    migrations: list[Migration],
    at_hand: Secrets,
) -> Plan:
    """The steps for one environment; raises a Problem for a wish that cannot be granted."""
    missing, make, secrets = _secrets(target, survey, wishes, at_hand)
    created, baseline, pending = _database(target, survey, migrations)
    domain = wishes.images_domain or target.images_domain
    connect = bool(domain) and domain not in survey.domains
    if connect and not wishes.zone:
        raise Problem(f"{domain} is not connected to the bucket yet: name its zone with --zone-id")
    private = target.variables["PUBLIC_ORIGINALS"] != "true"
    if connect and private and not (wishes.has_token or wishes.rule_made):
        raise Problem(
            f"{domain} would serve the whole bucket, so a firewall rule must guard the originals first: set "
            "CLOUDFLARE_API_TOKEN to a token with Zone WAF: Edit, or make the rule as docs/deploy.md shows "
            "and pass --rule-made"
        )
    wanted = {
        DATABASE_ID: survey.databases.get(target.database, NOT_MADE),
        NAMESPACE_ID: survey.namespaces.get(target.namespace, NOT_MADE),
        ENDPOINT: S3_ENDPOINT.format(account=account.id),
    }
    if domain:
        wanted[CDN_DOMAIN] = f"https://{domain}"
    return Plan(
        database=target.database not in survey.databases,
        bucket=target.bucket not in survey.buckets,
        namespace=target.namespace not in survey.namespaces,
        values=target.differing(wanted),
        schema=created,
        baseline=tuple(baseline),
        migrations=tuple(pending),
        rule=connect and private and not wishes.rule_made,
        domain=domain if connect else None,
        missing=missing,
        make=make,
        secrets=secrets,
    )


def _database(
    target: Target, survey: Survey, migrations: list[Migration]
) -> tuple[bool, list[Migration], list[Migration]]:
    """Whether schema.sql is to be applied, what is then to be noted as applied, and what is to be applied."""
    if survey.has_ledger:
        return False, [], [each for each in migrations if each.name not in survey.applied]
    found = schema.form(survey.master)
    if not found:
        return True, migrations, []
    count = schema.standing(found, migrations)
    if count is None:
        raise Problem(
            f"the database {target.database} holds tables that neither schema.sql nor any migration made; "
            "name another database in wrangler.toml, or bring it to one of these states"
        )
    return False, migrations[:count], migrations[count:]


def _secrets(
    target: Target, survey: Survey, wishes: Wishes, at_hand: Secrets
) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Secrets that are missing, those to make anew, and those to set for each Worker.

    A secret that one Worker lacks is set for all that share it, so that they agree whatever they held.
    """
    required = {project: target.secrets(project) for project in PROJECTS}
    if unknown := wishes.rotate - set().union(*required.values()):
        raise Problem(f"no Worker has a secret {', '.join(sorted(unknown))}")
    lacking = set(wishes.rotate)
    for project, names in required.items():
        lacking |= names - (survey.secrets.get(project) or set())
    # A kept value is not a new one.
    value = {
        name: at_hand.supplied(name) if name in wishes.rotate else at_hand.known(name) for name in lacking
    }
    make = tuple(sorted(name for name in lacking & MADE_HERE if not value[name]))
    missing = tuple(sorted(name for name in lacking - MADE_HERE if not value[name]))
    chosen = {project: tuple(sorted(names & lacking)) for project, names in required.items()}
    return missing, make, {project: names for project, names in chosen.items() if names}
