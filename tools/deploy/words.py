"""A plan in words, in the order in which it is carried out."""

from __future__ import annotations

from collections.abc import Iterator

from tools.deploy.firewall import PHASE
from tools.deploy.plan import Plan
from tools.deploy.schema import Migration
from tools.deploy.target import SIBLINGS, Target

Line = tuple[str, list[str]]


def describe(target: Target, plan: Plan) -> list[Line]:
    """Each step and the commands that do it."""
    parts = (_stores, _files, _secrets, _schema, _workers)
    return [line for part in parts for line in part(target, plan)]


def _stores(target: Target, plan: Plan) -> Iterator[Line]:
    if plan.database:
        yield f"create the D1 database {target.database}", [f"wrangler d1 create {target.database}"]
    if plan.bucket:
        yield f"create the R2 bucket {target.bucket}", [f"wrangler r2 bucket create {target.bucket}"]
    if plan.namespace:
        command = f"wrangler kv namespace create {target.namespace}"
        yield f"create the KV namespace {target.namespace}", [command]
    if plan.rule:
        command = f"POST /zones/…/rulesets, phase {PHASE}"
        yield f"keep originals private on {plan.domain} by a firewall rule", [command]
    if plan.domain:
        command = f"wrangler r2 bucket domain add {target.bucket} --domain {plan.domain} --zone-id …"
        yield f"connect {plan.domain} to the bucket", [command]


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
    yield "deploy the three siblings", [_deploy(target, plan, project) for project in SIBLINGS]
    yield "deploy the gateway", [_deploy(target, plan, "gateway")]
    command = f"wrangler r2 bucket cors set {target.bucket} --file cors.json"
    yield "allow uploads from the gallery's pages", [command]
    yield "try it out", ["vfa smoke --base-url …"]


def _deploy(target: Target, plan: Plan, project: str) -> str:
    folder = target.folder(project).relative_to(target.root)
    secrets = plan.secrets.get(project, ())
    command = f"cd {folder} && wrangler deploy {target.option}"
    return f"{command} --secrets-file … ({', '.join(secrets)})" if secrets else command


def _names(migrations: tuple[Migration, ...]) -> str:
    return ", ".join(each.name for each in migrations)
