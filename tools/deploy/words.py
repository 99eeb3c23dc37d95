"""A plan in words, in the order in which it is carried out."""

from __future__ import annotations

from collections.abc import Iterator

from tools.deploy import exposure, fonts, packages
from tools.deploy.firewall import PHASE
from tools.deploy.plan import Plan
from tools.deploy.schema import Migration
from tools.deploy.target import PROJECTS, SIBLINGS, Target

Line = tuple[str, list[str]]


def describe(target: Target, plan: Plan) -> list[Line]:
    """Each step and the commands that do it."""
    parts = (_packages, _stores, _domains, _fonts, _files, _secrets, _schema, _workers, _trials)
    return [line for part in parts for line in part(target, plan)]


def _packages(target: Target, plan: Plan) -> Iterator[Line]:
    if plan.packages:
        command = f"pywrangler {' '.join(packages.COMMAND)}"
        yield (
            "vendor the packages by pywrangler",
            [f"cd {_folder(target, each)} && {command}" for each in PROJECTS],
        )


def _stores(target: Target, plan: Plan) -> Iterator[Line]:
    if plan.database:
        yield f"create the D1 database {target.database}", [f"wrangler d1 create {target.database}"]
    if plan.bucket:
        yield f"create the R2 bucket {target.bucket}", [f"wrangler r2 bucket create {target.bucket}"]
    if plan.namespace:
        command = f"wrangler kv namespace create {target.namespace}"
        yield f"create the KV namespace {target.namespace}", [command]


def _domains(target: Target, plan: Plan) -> Iterator[Line]:
    for _, host in plan.domains.guard:
        command = f"POST /zones/…/rulesets, phase {PHASE}"
        yield f"keep originals private on {host} by a firewall rule, unless it is there", [command]
    for host in plan.domains.unguarded:
        why = "that takes CLOUDFLARE_API_TOKEN with Zone WAF: Edit, and the zone's id"
        yield f"leave the firewall rule of {host} as it is, unseen", [why]
    if plan.domains.connect:
        command = f"wrangler r2 bucket domain add {target.bucket} --domain {plan.domains.connect} --zone-id …"
        yield f"connect {plan.domains.connect} to the bucket", [command]


def _fonts(target: Target, _: Plan) -> Iterator[Line]:
    key = fonts.pack()[0]
    command = f"wrangler r2 object put {target.bucket}/{key} --file assets/{key} --remote"
    yield "put the watermark's fonts for larger and rarer scripts into the bucket", [command]


def _files(_: Target, plan: Plan) -> Iterator[Line]:
    if plan.values:
        lines = [f"{table}: {key} = {value}" for (table, _, key), value in plan.values.items()]
        yield "write into wrangler.toml", lines


def _secrets(target: Target, plan: Plan) -> Iterator[Line]:
    if plan.missing:
        where = "docs/deploy.md, 'R2 credentials'"
        yield f"stop, unless {' and '.join(plan.missing)} are in the environment by then", [where]
    if plan.make:
        yield f"make {' and '.join(plan.make)}, kept in .secrets.{target.environment}", []
    if plan.keep:
        where = f".secrets.{target.environment}"
        yield f"take {' and '.join(plan.keep)} from the environment, kept in {where}", []
    if plan.begun:
        yield f"finish setting {' and '.join(plan.begun)}, which an earlier run began", []


def _schema(target: Target, plan: Plan) -> Iterator[Line]:
    where = f"DB --remote {target.option}"
    if plan.schema:
        command = f"wrangler d1 execute {where} --file schema.sql"
        yield f"apply schema.sql, which has all of {_names(plan.baseline)}", [command]
    elif plan.baseline:
        yield f"note that the database has {_names(plan.baseline)}", [f"wrangler d1 execute {where} --file …"]
    if plan.migrations:
        yield f"apply {_names(plan.migrations)}", [f"wrangler d1 migrations apply {where}"]


def _workers(target: Target, plan: Plan) -> Iterator[Line]:
    name = target.wrangler_name
    command = f"CLOUDFLARE_ENV={name} npm run build" if name else "npm run build"
    yield "build the page, which names the hosts that it may talk to", [command]
    yield "deploy the three siblings", [_deploy(target, plan, project) for project in SIBLINGS]
    yield "deploy the gateway", [_deploy(target, plan, "gateway")]
    command = f"wrangler r2 bucket cors set {target.bucket} --file …"
    yield "allow uploads from the gallery's pages", [command]


def _trials(_: Target, plan: Plan) -> Iterator[Line]:
    for host in plan.domains.probe:
        yield f"see that {host} refuses originals", [f"curl -I https://{host}{exposure.PATH}"]
    yield "try it out", ["vfa smoke --base-url …"]


def _folder(target: Target, project: str) -> str:
    return str(target.folder(project).relative_to(target.root))


def _deploy(target: Target, plan: Plan, project: str) -> str:
    secrets = plan.secrets.get(project, ())
    command = f"cd {_folder(target, project)} && wrangler deploy {target.option}"
    return f"{command} --secrets-file … ({', '.join(secrets)})" if secrets else command


def _names(migrations: tuple[Migration, ...]) -> str:
    return ", ".join(each.name for each in migrations)
