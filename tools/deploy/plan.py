"""What is to be done: pure, from what the account holds, what the files say and what is wished."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from tools.deploy import adoption, schema
from tools.deploy.adoption import Adoption
from tools.deploy.answers import Account
from tools.deploy.domains import Domains, domains
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
from tools.deploy.wishes import Wishes
from tools.problem import Problem

NOT_MADE = "(made by the steps above)"


class Secrets(Protocol):
    """Values that are at hand: `supplied` those of this very run, `known` these and the kept ones.

    `begun` are names whose new value an earlier run did not bring to every Worker.
    """

    @property
    def begun(self) -> frozenset[str]: ...

    def supplied(self, name: str) -> str | None: ...

    def known(self, name: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """Each field one step; empty where there is nothing to do. Workers are deployed every time.

    `missing` are secrets that only a person can supply: a run without them ends once the stores are there,
    for it takes a bucket to make a token for it. `make` and `keep` are new values, `begun` those that an
    earlier run did not bring to every Worker.
    """

    packages: bool = False
    database: bool = False
    bucket: bool = False
    namespace: bool = False
    values: dict[Place, str] = field(default_factory=dict)
    adoption: Adoption | None = None
    schema: bool = False
    baseline: tuple[Migration, ...] = ()
    migrations: tuple[Migration, ...] = ()
    domains: Domains = field(default_factory=Domains)
    missing: tuple[str, ...] = ()
    make: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    begun: tuple[str, ...] = ()
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
    _refuse_exported(target, wishes, at_hand)
    lacking = _lacking(target, survey, wishes, at_hand)
    missing, make, keep = _sources(lacking, wishes, at_hand)
    created, baseline, pending = _database(target, survey, migrations)
    wanted = {
        DATABASE_ID: survey.databases.get(target.database, NOT_MADE),
        NAMESPACE_ID: survey.namespaces.get(target.namespace, NOT_MADE),
        ENDPOINT: S3_ENDPOINT.format(account=account.id),
    }
    if wishes.images_domain:
        wanted[CDN_DOMAIN] = f"https://{wishes.images_domain}"
    return Plan(
        packages=wishes.pywrangler,
        database=target.database not in survey.databases,
        bucket=not survey.bucket,
        namespace=target.namespace not in survey.namespaces,
        values=target.differing(wanted),
        adoption=survey.adoption,
        schema=created,
        baseline=tuple(baseline),
        migrations=tuple(pending),
        domains=domains(target, survey, wishes),
        missing=missing,
        make=make,
        keep=keep,
        begun=tuple(sorted(lacking & at_hand.begun - {*make, *keep})),
        secrets=_by_worker(target, lacking),
    )


def _database(
    target: Target, survey: Survey, migrations: list[Migration]
) -> tuple[bool, list[Migration], list[Migration]]:
    """Whether schema.sql is to be applied, what is then to be noted as applied, and what is to be applied."""
    if survey.has_ledger:
        return False, [], [each for each in migrations if each.name not in survey.applied]
    if survey.adoption:
        return False, [], [each for each in migrations if each not in survey.adoption.covered]
    found = schema.form(survey.master)
    if not found:
        return True, migrations, []
    count = schema.standing(found, migrations)
    if count is None and adoption.is_adoptable(survey.master):
        raise Problem(
            f"the database {target.database} holds users and artworks of another program: `python -m "
            "tools.deploy.adopt --dry-run` says what they lack, and --adopt adds it in place (docs/deploy.md)"
        )
    if count is None:
        raise Problem(
            f"the database {target.database} holds tables that neither schema.sql nor any migration made; "
            "name another database in wrangler.toml, or bring it to one of these states"
        )
    return False, migrations[:count], migrations[count:]


def _refuse_exported(target: Target, wishes: Wishes, at_hand: Secrets) -> None:
    """An exported value would be taken for the new one that is to be made, or that was begun."""
    for name in sorted(MADE_HERE):
        supplied = at_hand.supplied(name)
        if supplied and name in wishes.rotate:
            raise Problem(
                f"{name} is set in the environment, so --rotate would set that value and make no new one: "
                f"`unset {name}` and run it again"
            )
        if supplied and name in at_hand.begun and at_hand.known(name) != supplied:
            raise Problem(
                f"{name} is set in the environment, but an earlier run has begun to set another value, which "
                f".secrets.{target.environment} keeps: `unset {name}` and run it again"
            )


def _lacking(target: Target, survey: Survey, wishes: Wishes, at_hand: Secrets) -> frozenset[str]:
    """Secrets to set.

    One that a single Worker lacks is set for all that share it, so that they agree whatever they held.
    """
    required = {project: target.secrets(project) for project in PROJECTS}
    every = frozenset().union(*required.values())
    if unknown := wishes.rotate - every:
        raise Problem(f"no Worker has a secret {', '.join(sorted(unknown))}")
    lacked = [names - (survey.secrets.get(project) or set()) for project, names in required.items()]
    return every & wishes.rotate.union(at_hand.begun, *lacked)


def _sources(
    lacking: frozenset[str], wishes: Wishes, at_hand: Secrets
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Secrets that are missing, those to make anew, and those to take over from the environment."""
    # A kept value is not a new one.
    value = {
        name: at_hand.supplied(name) if name in wishes.rotate else at_hand.known(name) for name in lacking
    }
    missing = sorted(name for name in lacking - MADE_HERE if not value[name])
    make = sorted(name for name in lacking & MADE_HERE if not value[name])
    keep = sorted(name for name in lacking & MADE_HERE - at_hand.begun if at_hand.supplied(name))
    return tuple(missing), tuple(make), tuple(keep)


def _by_worker(target: Target, lacking: frozenset[str]) -> dict[str, tuple[str, ...]]:
    chosen = {project: tuple(sorted(target.secrets(project) & lacking)) for project in PROJECTS}
    return {project: names for project, names in chosen.items() if names}
