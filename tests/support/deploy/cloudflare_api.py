"""Routes of the stand-in for Cloudflare's API."""

from __future__ import annotations

import email.parser
import json
import re
import sqlite3
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from tests.support.deploy.cloudflare import ACCOUNT, Cloudflare, Database, Refused

Answer = tuple[int, Any]
Sent = tuple[str, bytes]
Handler = Callable[..., Answer]
ROUTES: list[tuple[str, str, Handler]] = []


def route(method: str, pattern: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        ROUTES.append((method, pattern.replace("ACCOUNT", f"/accounts/{ACCOUNT}"), handler))
        return handler

    return register


def answer(cloud: Cloudflare, method: str, path: str, kind: str, body: bytes) -> Answer:
    """Status and result of a request; `kind` is its content type.

    Raises:
        Refused: the API refuses, or has no such route.
    """
    with cloud.lock:
        for verb, pattern, handler in ROUTES:
            match = re.fullmatch(pattern, path)
            if match and verb == method:
                if method != "GET":
                    cloud.calls.append(f"{method} {path}")
                return handler(cloud, *match.groups(), *([(kind, body)] if method != "GET" else []))
    cloud.unknown.append(f"{method} {path}")
    raise Refused(404, 7003, f"no route for {method} {path}")


@route("GET", "/user/tokens/verify")
def verify(_: Cloudflare) -> Answer:
    return 200, {"id": "token", "status": "active"}


@route("GET", "/user")
def user(_: Cloudflare) -> Answer:
    return 200, {"email": "operator@example.org"}


@route("GET", "/accounts")
def accounts(_: Cloudflare) -> Answer:
    return 200, [{"id": ACCOUNT, "name": "Tests"}]


@route("GET", "/memberships")
def memberships(_: Cloudflare) -> Answer:
    return 200, [{"account": {"id": ACCOUNT, "name": "Tests"}}]


@route("GET", "ACCOUNT/d1/database")
def list_databases(cloud: Cloudflare) -> Answer:
    return 200, [{"name": each.name, "uuid": each.uuid} for each in cloud.databases.values()]


@route("POST", "ACCOUNT/d1/database")
def create_database(cloud: Cloudflare, sent: Sent) -> Answer:
    name = json.loads(sent[1])["name"]
    if name in cloud.databases:
        raise Refused(400, 7502, f"Database with name '{name}' already exists")
    cloud.databases[name] = Database(name)
    return 200, {"name": name, "uuid": cloud.databases[name].uuid}


@route("GET", r"ACCOUNT/d1/database/([\w-]+)")
def get_database(cloud: Cloudflare, name: str) -> Answer:
    found = cloud.databases.get(name) or cloud.database(name)
    return 200, {"name": found.name, "uuid": found.uuid}


@route("POST", r"ACCOUNT/d1/database/([\w-]+)/query")
def query(cloud: Cloudflare, identity: str, sent: Sent) -> Answer:
    try:
        return 200, cloud.database(identity).query(json.loads(sent[1])["sql"])
    except sqlite3.Error as error:
        raise Refused(400, 7500, str(error)) from error


@route("POST", r"ACCOUNT/d1/database/([\w-]+)/import")
def import_file(cloud: Cloudflare, identity: str, sent: Sent) -> Answer:
    database, wish = cloud.database(identity), json.loads(sent[1])
    if wish["action"] == "init":
        return 200, {
            "success": True,
            "upload_url": f"{cloud.url}/upload/{identity}",
            "filename": "deploy.sql",
        }
    database.query(f"BEGIN; {database.upload.decode()}\n; COMMIT")
    meta = {"duration": 1.0, "rows_read": 0, "rows_written": 0, "size_after": 8192}
    result = {"num_queries": 1, "final_bookmark": "0", "meta": meta}
    return 200, {"success": True, "status": "complete", "messages": [], "result": result}


@route("PUT", r"/upload/([\w-]+)")
def upload(cloud: Cloudflare, identity: str, sent: Sent) -> Answer:
    cloud.database(identity).upload = sent[1]
    return 200, None


@route("POST", "/graphql")
def metrics(_: Cloudflare, __: Sent) -> Answer:
    """As for a token that may not read analytics: `r2 bucket info` asks for the size of the bucket, too."""
    return 200, {"data": None, "errors": [{"message": "not authorized for that account"}]}


@route("POST", "ACCOUNT/r2/buckets")
def create_bucket(cloud: Cloudflare, sent: Sent) -> Answer:
    name = json.loads(sent[1])["name"]
    if name in cloud.buckets:
        raise Refused(409, 10004, "The bucket you tried to create already exists, and you own it.")
    cloud.buckets[name] = {"cors": [], "domains": []}
    return 200, {"name": name}


@route("GET", r"ACCOUNT/r2/buckets/([\w-]+)")
def get_bucket(cloud: Cloudflare, name: str) -> Answer:
    if name not in cloud.buckets:
        raise Refused(404, 10006, "The specified bucket does not exist.")
    return 200, {"name": name, "creation_date": "2026-11-01"}


@route("PUT", r"ACCOUNT/r2/buckets/([\w-]+)/cors")
def set_cors(cloud: Cloudflare, bucket: str, sent: Sent) -> Answer:
    cloud.buckets[bucket]["cors"] = json.loads(sent[1])["rules"]
    return 200, {}


@route("PUT", r"ACCOUNT/r2/buckets/([\w-]+)/objects/(.+)")
def put_object(cloud: Cloudflare, bucket: str, key: str, sent: Sent) -> Answer:
    cloud.buckets[bucket].setdefault("objects", {})[unquote(key)] = sent[1]
    return 200, {}


@route("GET", r"ACCOUNT/r2/buckets/([\w-]+)/domains/custom")
def list_domains(cloud: Cloudflare, bucket: str) -> Answer:
    status = {"ownership": "active", "ssl": "active"}
    names = {"zoneName": "example.org", "enabled": True, "status": status}
    domains = [{**each, **names} for each in cloud.buckets[bucket]["domains"]]
    return 200, {"domains": domains}


@route("POST", r"ACCOUNT/r2/buckets/([\w-]+)/domains/custom")
def add_domain(cloud: Cloudflare, bucket: str, sent: Sent) -> Answer:
    cloud.buckets[bucket]["domains"].append(json.loads(sent[1]))
    return 200, {}


@route("GET", "ACCOUNT/storage/kv/namespaces")
def list_namespaces(cloud: Cloudflare) -> Answer:
    return 200, [{"title": title, "id": identity} for title, identity in cloud.namespaces.items()]


@route("POST", "ACCOUNT/storage/kv/namespaces")
def create_namespace(cloud: Cloudflare, sent: Sent) -> Answer:
    title = json.loads(sent[1])["title"]
    if title in cloud.namespaces:
        raise Refused(400, 10014, "a namespace with this account ID and title already exists")
    cloud.namespaces[title] = uuid.uuid4().hex
    return 200, {"id": cloud.namespaces[title], "title": title}


@route("GET", r"ACCOUNT/workers/scripts/([\w-]+)/secrets")
def list_secrets(cloud: Cloudflare, name: str) -> Answer:
    return 200, [{"name": each, "type": "secret_text"} for each in cloud.worker(name).secrets]


@route("GET", r"ACCOUNT/workers/services/([\w-]+)")
def get_service(cloud: Cloudflare, name: str) -> Answer:
    cloud.worker(name)
    script = {"tag": name, "tags": [], "last_deployed_from": "wrangler"}
    return 200, {"default_environment": {"environment": "production", "script": script}}


@route("PUT", r"ACCOUNT/workers/scripts/([\w-]+)")
def put_script(cloud: Cloudflare, name: str, sent: Sent) -> Answer:
    receive(cloud, name, sent)
    return 200, {"id": name, "etag": "e", "deployment_id": uuid.uuid4().hex, "startup_time_ms": 12}


@route("POST", r"ACCOUNT/workers/scripts/([\w-]+)/versions")
def post_version(cloud: Cloudflare, name: str, sent: Sent) -> Answer:
    receive(cloud, name, sent)
    return 200, {"id": str(uuid.uuid4()), "startup_time_ms": 12, "resources": {"script": {"etag": "e"}}}


def receive(cloud: Cloudflare, name: str, sent: Sent) -> None:
    """Keep the parts of a Worker; what it binds must exist, as Cloudflare insists."""
    kind, body = sent
    message = email.parser.BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    parts: dict[str, bytes] = {}
    for part in message.get_payload():
        content = part.get_payload(decode=True)  # type: ignore[union-attr]
        parts[str(part.get_param("name", header="content-disposition"))] = content  # type: ignore[union-attr,assignment]
    metadata = json.loads(parts.pop("metadata"))
    secrets = dict(cloud.workers[name].secrets) if name in cloud.workers else {}
    for binding in metadata["bindings"]:
        check_binding(cloud, binding, secrets)
        if binding["type"] == "secret_text":
            secrets[binding["name"]] = binding["text"]
    cloud.keep(name, metadata, secrets, parts)


def check_binding(cloud: Cloudflare, binding: dict[str, Any], secrets: dict[str, str]) -> None:
    exists = {
        "d1": lambda: binding["id"] in {each.uuid for each in cloud.databases.values()},
        "r2_bucket": lambda: binding["bucket_name"] in cloud.buckets,
        "kv_namespace": lambda: binding["namespace_id"] in cloud.namespaces.values(),
        "service": lambda: binding["service"] in cloud.workers,
        "inherit": lambda: binding["name"] in secrets,
    }
    if not exists.get(binding["type"], lambda: True)():
        raise Refused(400, 10021, f"binding {binding['name']} of type {binding['type']} names nothing")


@route("GET", r"ACCOUNT/workers/scripts/([\w-]+)/settings")
def get_settings(cloud: Cloudflare, name: str) -> Answer:
    return 200, {"bindings": cloud.worker(name).metadata["bindings"]}


@route("GET", r"ACCOUNT/workers/scripts/([\w-]+)/deployments")
def list_deployments(cloud: Cloudflare, name: str) -> Answer:
    cloud.worker(name)
    return 200, {"deployments": []}


@route("POST", r"ACCOUNT/workers/scripts/([\w-]+)/deployments")
def create_deployment(cloud: Cloudflare, name: str, _: Sent) -> Answer:
    cloud.worker(name)
    return 200, {"id": str(uuid.uuid4())}


@route("PATCH", r"ACCOUNT/workers/scripts/([\w-]+)/script-settings")
def patch_settings(cloud: Cloudflare, name: str, _: Sent) -> Answer:
    cloud.worker(name)
    return 200, {}


@route("POST", r"ACCOUNT/workers/scripts/([\w-]+)/assets-upload-session")
def upload_assets(_: Cloudflare, __: str, sent: Sent) -> Answer:
    """As if every file were known already: what a page holds is not this stand-in's business."""
    assert json.loads(sent[1])["manifest"]
    return 200, {"jwt": "assets", "buckets": []}


@route("GET", r"ACCOUNT/workers/workers/([\w-]+)")
def get_worker(cloud: Cloudflare, name: str) -> Answer:
    return 200, {"id": name, "name": name, "subdomain": cloud.worker(name).subdomain}


@route("GET", "ACCOUNT/workers/subdomain")
def get_subdomain(cloud: Cloudflare) -> Answer:
    if cloud.subdomain is None:
        raise Refused(404, 10007, "This account has no workers.dev subdomain.")
    return 200, {"subdomain": cloud.subdomain}


@route("POST", r"ACCOUNT/workers/scripts/([\w-]+)/subdomain")
def set_subdomain(cloud: Cloudflare, name: str, sent: Sent) -> Answer:
    cloud.worker(name).subdomain = json.loads(sent[1])
    return 200, cloud.worker(name).subdomain


@route("PUT", r"ACCOUNT/workers/scripts/([\w-]+)/schedules")
def set_schedules(cloud: Cloudflare, name: str, sent: Sent) -> Answer:
    cloud.worker(name).crons = [each["cron"] for each in json.loads(sent[1])]
    return 200, {}


@route("GET", r"/zones/(\w+)/rulesets/phases/http_request_firewall_custom/entrypoint")
def get_rules(cloud: Cloudflare, _: str) -> Answer:
    if not cloud.rules:
        raise Refused(
            404, 10003, "could not find entrypoint ruleset in the http_request_firewall_custom phase"
        )
    return 200, {"id": "ruleset", "rules": cloud.rules}


@route("POST", r"/zones/(\w+)/rulesets")
def create_rules(cloud: Cloudflare, _: str, sent: Sent) -> Answer:
    cloud.rules = [{**rule, "id": "rule1"} for rule in json.loads(sent[1])["rules"]]
    return 200, {"id": "ruleset", "rules": cloud.rules}


@route("POST", r"/zones/(\w+)/rulesets/ruleset/rules")
def add_rule(cloud: Cloudflare, _: str, sent: Sent) -> Answer:
    cloud.rules.append({**json.loads(sent[1]), "id": f"rule{len(cloud.rules) + 1}"})
    return 200, {"id": "ruleset", "rules": cloud.rules}


@route("PATCH", r"/zones/(\w+)/rulesets/ruleset/rules/(\w+)")
def change_rule(cloud: Cloudflare, _: str, rule: str, sent: Sent) -> Answer:
    cloud.rules = [{**each, **json.loads(sent[1])} if each["id"] == rule else each for each in cloud.rules]
    return 200, {"id": "ruleset", "rules": cloud.rules}
