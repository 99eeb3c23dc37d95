"""What a run will do: computed from what the account holds, what the files say and what was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from tools.deploy import adopt, config, schema
from tools.deploy.account import Account, AccountState
from tools.deploy.adopt import Adoption
from tools.deploy.config import GATEWAY, Target, host_of
from tools.deploy.privacy import PHASE, PROBE_PATH, Domains
from tools.deploy.schema import Migration
from tools.deploy.secrets import GENERATED
from tools.problem import Problem

SYNC_COMMAND = ("sync", "--force")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line and the environment ask for; `images_domain` is as `normalize_host` gives it."""

    images_domain: str | None = None
    zone: str | None = None
    rule_made: bool = False
    has_token: bool = False
    rotate: frozenset[str] = frozenset()
    pywrangler: bool = False
    adopt: bool = False


class Secrets(Protocol):
    """The part of `SecretStore` that a plan reads."""

    @property
    def pending(self) -> frozenset[str]: ...

    def exported(self, name: str) -> str | None: ...

    def value(self, name: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """One field for each step, empty where there is nothing to do; Workers are deployed every time.

    `variables` are those of the gateway whose values belong to one account. `namespace` says that Wrangler
    will create a KV namespace, `namespace_id` is that of one to bind. `missing` are secrets that a person
    must supply. `generate` and `store` are new values, generated or taken from the environment; `resume` are
    those that an earlier run did not bring to every Worker. `secrets` are the names that each Worker gets.
    """

    packages: bool = False
    database: bool = False
    bucket: bool = False
    variables: dict[str, str] = field(default_factory=dict)
    namespace: bool = False
    namespace_id: str | None = None
    adoption: Adoption | None = None
    schema: bool = False
    baseline: tuple[Migration, ...] = ()
    migrations: tuple[Migration, ...] = ()
    domains: Domains = field(default_factory=Domains)
    missing: tuple[str, ...] = ()
    generate: tuple[str, ...] = ()
    store: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()
    secrets: dict[str, tuple[str, ...]] = field(default_factory=dict)


def make_plan(
    target: Target,
    account: Account,
    state: AccountState,
    options: Options,
    migrations: list[Migration],
    secrets: Secrets,
    adoption: Adoption | None = None,
) -> Plan:
    """The steps for one environment.

    Raises:
        Problem: an option cannot be fulfilled, or the database is another program's.
    """
    _check_exported(target, options, secrets)
    unset = _unset_secrets(target, state, options, secrets)
    missing, generate, store = _sources(unset, options, secrets)
    variables = _variables(target, account, state, options)
    create, baseline, pending = _plan_database(target, state, migrations, adoption)
    return Plan(
        packages=options.pywrangler,
        database=target.database not in state.databases,
        bucket=not state.bucket,
        variables=variables,
        namespace=not state.deployed and target.namespace not in state.namespaces,
        namespace_id=None if state.deployed else state.namespaces.get(target.namespace),
        adoption=adoption,
        schema=create,
        baseline=tuple(baseline),
        migrations=tuple(pending),
        domains=plan_domains(target, state, options, host_of(variables["R2_CDN_DOMAIN"])),
        missing=missing,
        generate=generate,
        store=store,
        resume=tuple(sorted(unset & secrets.pending - {*generate, *store})),
        secrets=_by_worker(target, unset),
    )


def _variables(target: Target, account: Account, state: AccountState, options: Options) -> dict[str, str]:
    """Variables that wrangler.toml leaves open: from options, else the file, else the deployed gateway."""
    deployed = state.deployed.variables if state.deployed else {}
    variables = {
        name: target.variables[name] or deployed.get(name, "") for name in ("R2_CDN_DOMAIN", "PUBLIC_URL")
    }
    if options.images_domain is not None:
        variables["R2_CDN_DOMAIN"] = f"https://{options.images_domain}" if options.images_domain else ""
    return variables | {"R2_S3_ENDPOINT": target.s3_endpoint(account.id)}


def _plan_database(
    target: Target, state: AccountState, migrations: list[Migration], adoption: Adoption | None
) -> tuple[bool, list[Migration], list[Migration]]:
    """Whether to apply schema.sql, the migrations to record as applied then, and those to apply."""
    if state.has_migrations_table:
        return False, [], [each for each in migrations if each.name not in state.applied]
    if adoption:
        return False, [], [each for each in migrations if each not in adoption.covered]
    found = schema.structure(state.master)
    if not found:
        return True, migrations, []
    count = schema.applied_count(found, migrations)
    if count is None and adopt.is_adoptable(state.master):
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


def plan_domains(target: Target, state: AccountState, options: Options, wanted: str | None) -> Domains:
    """What to do about the domains of the bucket; `wanted` is the images domain.

    Raises:
        Problem: a new domain would be connected without a firewall rule, or its zone is unknown.
    """
    listed = {each.host: each for each in state.domains}
    new = wanted if wanted and wanted not in listed else None
    is_new = bool(new) or bool(wanted and not listed[wanted].active)
    if new and not options.zone:
        raise Problem(f"{new} is not connected to the bucket yet: name its zone with --zone-id")
    if target.variables["PUBLIC_ORIGINALS"] == "true":
        return Domains(connect=new, is_new=is_new)
    if new and not (options.has_token or options.rule_made):
        raise Problem(
            f"{new} would serve the whole bucket, so a firewall rule must guard the originals first: set "
            "CLOUDFLARE_API_TOKEN to a token with Zone WAF: Edit, or make the rule as docs/deploy.md shows "
            "and pass --rule-made"
        )
    zones = {each.host: each.zone for each in state.domains if each.enabled}
    if wanted and (new or (wanted in zones and not zones[wanted])):
        zones[wanted] = options.zone
    if options.rule_made:
        return Domains(connect=new, probe=tuple(zones), is_new=is_new)
    guard = tuple((zone, host) for host, zone in zones.items() if zone and options.has_token)
    guarded = {host for _, host in guard}
    unguarded = tuple(host for host in zones if host not in guarded)
    return Domains(new, guard, unguarded, tuple(zones), is_new)


def _check_exported(target: Target, options: Options, secrets: Secrets) -> None:
    """Refuse an exported value that would be taken for a new or a pending one."""
    for name in sorted(GENERATED):
        exported = secrets.exported(name)
        if exported and name in options.rotate:
            raise Problem(
                f"{name} is set in the environment, so --rotate would set that value and make no new one: "
                f"`unset {name}` and run it again"
            )
        if exported and name in secrets.pending and secrets.value(name) != exported:
            raise Problem(
                f"{name} is set in the environment, but an earlier run has begun to set another value, which "
                f".secrets.{target.environment} keeps: `unset {name}` and run it again"
            )


def _unset_secrets(target: Target, state: AccountState, options: Options, secrets: Secrets) -> frozenset[str]:
    """Secrets to set.

    One that a single Worker lacks is set for all that share it, so that they agree whatever they held.
    """
    required = {project: target.secrets(project) for project in target.projects}
    every = frozenset().union(*required.values())
    if unknown := options.rotate - every:
        raise Problem(f"no Worker has a secret {', '.join(sorted(unknown))}")
    unset = [names - (state.secrets.get(project) or set()) for project, names in required.items()]
    return every & options.rotate.union(secrets.pending, *unset)


def _sources(
    unset: frozenset[str], options: Options, secrets: Secrets
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Secrets that are missing, those to generate, and those to store from the environment."""
    # A stored value does not count as a new one.
    value = {
        name: secrets.exported(name) if name in options.rotate else secrets.value(name) for name in unset
    }
    missing = sorted(name for name in unset - GENERATED if not value[name])
    generate = sorted(name for name in unset & GENERATED if not value[name])
    store = sorted(name for name in unset & GENERATED - secrets.pending if secrets.exported(name))
    return tuple(missing), tuple(generate), tuple(store)


def _by_worker(target: Target, unset: frozenset[str]) -> dict[str, tuple[str, ...]]:
    chosen = {project: tuple(sorted(target.secrets(project) & unset)) for project in target.projects}
    return {project: names for project, names in chosen.items() if names}


Line = tuple[str, list[str]]


def describe(target: Target, plan: Plan) -> list[Line]:
    """Each step of a plan in the order in which it is carried out: its title and the commands that do it."""
    parts = (
        *(_missing_lines, _packages_lines, _store_lines, _domain_lines, _font_lines, _secret_lines),
        *(_schema_lines, _worker_lines, _check_lines),
    )
    return [line for part in parts for line in part(target, plan)]


def _missing_lines(_: Target, plan: Plan) -> Iterator[Line]:
    if plan.missing:
        section = "docs/deploy.md, 'R2 credentials'"
        yield f"ask for {' and '.join(plan.missing)}, which are not in the environment", [section]


def _packages_lines(target: Target, plan: Plan) -> Iterator[Line]:
    if plan.packages:
        command = f"pywrangler {' '.join(SYNC_COMMAND)}"
        yield (
            "vendor the packages by pywrangler",
            [f"cd {_folder(target, each)} && {command}" for each in target.projects],
        )


def _store_lines(target: Target, plan: Plan) -> Iterator[Line]:
    if plan.database:
        command = _in_region(target, f"wrangler d1 create {target.database}")
        yield f"create the D1 database {target.database}", [command]
    if plan.bucket:
        command = _in_region(target, f"wrangler r2 bucket create {target.bucket}")
        yield f"create the R2 bucket {target.bucket}", [command]


def _domain_lines(target: Target, plan: Plan) -> Iterator[Line]:
    for _, host in plan.domains.guard:
        command = f"POST /zones/…/rulesets, phase {PHASE}"
        yield f"keep originals private on {host} by a firewall rule, unless it exists", [command]
    for host in plan.domains.unguarded:
        why = "reading it takes CLOUDFLARE_API_TOKEN with Zone WAF: Edit, and the zone's id"
        yield f"leave the firewall rule of {host} as it is", [why]
    if plan.domains.connect:
        command = f"wrangler r2 bucket domain add {target.bucket} --domain {plan.domains.connect} --zone-id …"
        yield f"connect {plan.domains.connect} to the bucket", [_in_region(target, command)]


def _font_lines(target: Target, _: Plan) -> Iterator[Line]:
    key, _path = config.font_pack(config.ROOT)
    command = f"wrangler r2 object put {target.bucket}/{key} --file assets/{key} --remote"
    title = "put the watermark's fonts for larger and rarer scripts into the bucket"
    yield title, [_in_region(target, command)]


def _secret_lines(target: Target, plan: Plan) -> Iterator[Line]:
    where = f".secrets.{target.environment}"
    if plan.generate:
        yield f"generate {' and '.join(plan.generate)}, kept in {where}", []
    if plan.store:
        yield f"take {' and '.join(plan.store)} from the environment, kept in {where}", []
    if plan.resume:
        yield f"finish setting {' and '.join(plan.resume)}, which an earlier run began", []


def _schema_lines(target: Target, plan: Plan) -> Iterator[Line]:
    where = f"DB --remote {target.option}"
    if plan.adoption:
        title = f"add what users and artworks of {target.database} lack, in place"
        yield title, [*plan.adoption.remarks, f"wrangler d1 execute {where} --file …"]
    if plan.schema:
        command = f"wrangler d1 execute {where} --file schema.sql"
        yield f"apply schema.sql, which has all of {_names(plan.baseline)}", [command]
    elif plan.baseline:
        command = f"wrangler d1 execute {where} --file …"
        yield f"record that the database has {_names(plan.baseline)}", [command]
    if plan.migrations:
        yield f"apply {_names(plan.migrations)}", [f"wrangler d1 migrations apply {where}"]


def _worker_lines(target: Target, plan: Plan) -> Iterator[Line]:
    yield "deploy the renderers", [_deploy_command(target, plan, project) for project in target.renderers]
    values = [f"{name} = {value}" for name, value in sorted(plan.variables.items()) if value]
    namespace = f"; Wrangler creates the KV namespace {target.namespace}" if plan.namespace else ""
    title = f"deploy the gateway with a page built for these values{namespace}"
    yield title, [_deploy_command(target, plan, GATEWAY), *values]
    if not plan.variables["PUBLIC_URL"]:
        yield "deploy it once more with its address as PUBLIC_URL", [_deploy_command(target, plan, GATEWAY)]
    command = f"wrangler r2 bucket cors set {target.bucket} --file …"
    yield "allow uploads from the gallery's pages", [_in_region(target, command)]


def _check_lines(_: Target, plan: Plan) -> Iterator[Line]:
    for host in plan.domains.probe:
        yield f"check that {host} refuses originals", [f"curl -I https://{host}{PROBE_PATH}"]
    yield "run the smoke test", ["vfa smoke --base-url …"]


def _in_region(target: Target, command: str) -> str:
    return " ".join([command, *target.jurisdiction_options])


def _folder(target: Target, project: str) -> str:
    return str(target.folder(project).relative_to(target.root))


def _deploy_command(target: Target, plan: Plan, project: str) -> str:
    secrets = plan.secrets.get(project, ())
    command = f"cd {_folder(target, project)} && wrangler deploy {target.option}"
    return f"{command} --secrets-file … ({', '.join(secrets)})" if secrets else command


def _names(migrations: tuple[Migration, ...]) -> str:
    return ", ".join(each.name for each in migrations)
