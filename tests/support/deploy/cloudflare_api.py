"""Routes of the stand-in for Cloudflare's API."""

from __future__ import annotations

import email.parser
import json
import re
import sqlite3
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from tests.support.deploy.cloudflare import ACCOUNT, Cloudflare, Database, Refused, Worker, bucket_key

Answer = tuple[int, Any]


@dataclass(frozen=True)
class Sent:
    """A request's content type, body and R2 jurisdiction."""

    kind: str
    body: bytes
    region: str = ""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Handler = Callable[..., Answer]
ROUTES: list[tuple[str, str, Handler]] = []


def route(method: str, pattern: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        ROUTES.append((method, pattern.replace("ACCOUNT", f"/accounts/{ACCOUNT}"), handler))
        return handler

    return register


def answer(cloud: Cloudflare, method: str, path: str, sent: Sent) -> Answer:
    """Status and result of a request.

    Raises:
        Refused: the API refuses, or has no such route.
    """
    with cloud.lock:
        for verb, pattern, handler in ROUTES:
            match = re.fullmatch(pattern, path)
            if match and verb == method:
                if method != "GET":
                    cloud.calls.append(f"{method} {path}")
                return handler(cloud, *match.groups(), sent)
    cloud.unknown.append(f"{method} {path}")
    raise Refused(404, 7003, f"no route for {method} {path}")


@route("GET", "/user/tokens/verify")
def verify(_: Cloudflare, _sent: Sent) -> Answer:
    return 200, {"id": "token", "status": "active"}


@route("GET", "/user")
def user(_: Cloudflare, _sent: Sent) -> Answer:
    return 200, {"email": "operator@example.org"}


@route("GET", "/accounts")
def accounts(_: Cloudflare, _sent: Sent) -> Answer:
    return 200, [{"id": ACCOUNT, "name": "Tests"}]


@route("GET", "/memberships")
def memberships(_: Cloudflare, _sent: Sent) -> Answer:
    return 200, [{"account": {"id": ACCOUNT, "name": "Tests"}}]


@route("GET", "ACCOUNT/d1/database")
def list_databases(cloud: Cloudflare, _sent: Sent) -> Answer:
    return 200, [{"name": each.name, "uuid": each.uuid} for each in cloud.databases.values()]


@route("POST", "ACCOUNT/d1/database")
def create_database(cloud: Cloudflare, sent: Sent) -> Answer:
    name = sent.json["name"]
    if name in cloud.databases:
        raise Refused(400, 7502, f"Database with name '{name}' already exists")
    cloud.databases[name] = Database(name, jurisdiction=sent.json.get("jurisdiction"))
    return 200, {"name": name, "uuid": cloud.databases[name].uuid}


@route("GET", r"ACCOUNT/d1/database/([\w-]+)")
def get_database(cloud: Cloudflare, name: str, _sent: Sent) -> Answer:
    found = cloud.databases.get(name) or cloud.database(name)
    return 200, {"name": found.name, "uuid": found.uuid, "jurisdiction": found.jurisdiction}


@route("POST", r"ACCOUNT/d1/database/([\w-]+)/query")
def query(cloud: Cloudflare, identity: str, sent: Sent) -> Answer:
    try:
        return 200, cloud.database(identity).query(sent.json["sql"])
    except sqlite3.Error as error:
        raise Refused(400, 7500, str(error)) from error


@route("POST", r"ACCOUNT/d1/database/([\w-]+)/import")
def import_file(cloud: Cloudflare, identity: str, sent: Sent) -> Answer:
    database, body = cloud.database(identity), sent.json
    if body["action"] == "init":
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
    cloud.database(identity).upload = sent.body
    return 200, None


@route("POST", "/graphql")
def metrics(_: Cloudflare, __: Sent) -> Answer:
    """As for a token that may not read analytics: `r2 bucket info` asks for the size of the bucket, too."""
    return 200, {"data": None, "errors": [{"message": "not authorized for that account"}]}


@route("POST", "ACCOUNT/r2/buckets")
def create_bucket(cloud: Cloudflare, sent: Sent) -> Answer:
    name = sent.json["name"]
    if bucket_key(name, sent.region) in cloud.buckets:
        raise Refused(409, 10004, "The bucket you tried to create already exists, and you own it.")
    cloud.buckets[bucket_key(name, sent.region)] = {"cors": [], "domains": []}
    return 200, {"name": name}


@route("GET", r"ACCOUNT/r2/buckets/([\w-]+)")
def get_bucket(cloud: Cloudflare, name: str, _sent: Sent) -> Answer:
    cloud.bucket(name, _sent.region)
    return 200, {"name": name, "creation_date": "2026-11-01"}


@route("PUT", r"ACCOUNT/r2/buckets/([\w-]+)/cors")
def set_cors(cloud: Cloudflare, bucket: str, sent: Sent) -> Answer:
    cloud.bucket(bucket, sent.region)["cors"] = sent.json["rules"]
    return 200, {}


@route("PUT", r"ACCOUNT/r2/buckets/([\w-]+)/objects/(.+)")
def put_object(cloud: Cloudflare, bucket: str, key: str, sent: Sent) -> Answer:
    cloud.bucket(bucket, sent.region).setdefault("objects", {})[unquote(key)] = sent.body
    return 200, {}


@route("GET", r"ACCOUNT/r2/buckets/([\w-]+)/domains/custom")
def list_domains(cloud: Cloudflare, bucket: str, _sent: Sent) -> Answer:
    status = {"ownership": "active", "ssl": "active"}
    names = {"zoneName": "example.org", "enabled": True, "status": status}
    domains = [{**each, **names} for each in cloud.bucket(bucket, _sent.region)["domains"]]
    return 200, {"domains": domains}


@route("POST", r"ACCOUNT/r2/buckets/([\w-]+)/domains/custom")
def add_domain(cloud: Cloudflare, bucket: str, sent: Sent) -> Answer:
    cloud.bucket(bucket, sent.region)["domains"].append(sent.json)
    return 200, {}


@route("GET", "ACCOUNT/storage/kv/namespaces")
def list_namespaces(cloud: Cloudflare, _sent: Sent) -> Answer:
    return 200, [{"title": title, "id": identity} for title, identity in cloud.namespaces.items()]


@route("POST", "ACCOUNT/storage/kv/namespaces")
def create_namespace(cloud: Cloudflare, sent: Sent) -> Answer:
    title = sent.json["title"]
    if title in cloud.namespaces:
        raise Refused(400, 10014, "a namespace with this account ID and title already exists")
    cloud.namespaces[title] = uuid.uuid4().hex
    return 200, {"id": cloud.namespaces[title], "title": title}


@route("GET", r"ACCOUNT/workers/scripts/([\w-]+)/secrets")
def list_secrets(cloud: Cloudflare, name: str, _sent: Sent) -> Answer:
    return 200, [{"name": each, "type": "secret_text"} for each in cloud.worker(name).secrets]


@route("GET", r"ACCOUNT/workers/services/([\w-]+)")
def get_service(cloud: Cloudflare, name: str, _sent: Sent) -> Answer:
    cloud.worker(name)
    script = {"tag": name, "tags": [], "last_deployed_from": "wrangler"}
    return 200, {"default_environment": {"environment": "production", "script": script}}


@route("PUT", r"ACCOUNT/workers/scripts/([\w-]+)")
def put_script(cloud: Cloudflare, name: str, sent: Sent) -> Answer:
    version = receive(cloud, name, sent)
    return 200, {"id": name, "etag": "e", "deployment_id": version.id, "startup_time_ms": 12}


@route("POST", r"ACCOUNT/workers/scripts/([\w-]+)/versions")
def post_version(cloud: Cloudflare, name: str, sent: Sent) -> Answer:
    version = receive(cloud, name, sent)
    return 200, {"id": version.id, "startup_time_ms": 12, "resources": {"script": {"etag": "e"}}}


@route("GET", r"ACCOUNT/workers/scripts/([\w-]+)/versions")
def list_versions(cloud: Cloudflare, name: str, _sent: Sent) -> Answer:
    cloud.worker(name)
    return 200, {"items": [describe(each) for each in reversed(cloud.versions[name])]}


@route("GET", r"ACCOUNT/workers/scripts/([\w-]+)/versions/([\w-]+)")
def get_version(cloud: Cloudflare, name: str, version: str, _sent: Sent) -> Answer:
    return 200, describe(find_version(cloud, name, version))


def find_version(cloud: Cloudflare, name: str, version: str) -> Worker:
    for each in cloud.versions.get(name, []):
        if each.id == version:
            return each
    raise Refused(404, 10007, "This version does not exist on your account.")


def describe(version: Worker) -> dict[str, Any]:
    hidden = [
        {"name": each["name"], "type": "secret_text"} if each["type"] == "secret_text" else each
        for each in version.metadata["bindings"]
    ]
    created = f"2026-11-01T00:00:{version.number:02}Z"
    return {
        "id": version.id,
        "number": version.number,
        "metadata": {"created_on": created, "author_email": "operator@example.org", "source": "wrangler"},
        "annotations": {"workers/tag": version.tag} if version.tag else {},
        "resources": {"bindings": hidden, "script": {"etag": "e"}, "script_runtime": {}},
    }


def receive(cloud: Cloudflare, name: str, sent: Sent) -> Worker:
    """Keep the parts of a Worker; what it binds must exist, as Cloudflare insists."""
    kind, body = sent.kind, sent.body
    message = email.parser.BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    parts: dict[str, bytes] = {}
    for part in message.get_payload():
        content = part.get_payload(decode=True)  # type: ignore[union-attr]
        parts[str(part.get_param("name", header="content-disposition"))] = content  # type: ignore[union-attr,assignment]
    metadata = json.loads(parts.pop("metadata"))
    secrets = dict(cloud.workers[name].secrets) if name in cloud.workers else {}
    bound = (
        {each["name"]: each for each in cloud.workers[name].metadata["bindings"]}
        if name in cloud.workers
        else {}
    )
    metadata["bindings"] = [
        bound.get(each["name"], each) if each["type"] == "inherit" else each for each in metadata["bindings"]
    ]
    for binding in metadata["bindings"]:
        check_binding(cloud, binding)
        if binding["type"] == "secret_text":
            secrets[binding["name"]] = binding["text"]
    return cloud.keep(name, metadata, secrets, parts, metadata.get("annotations", {}).get("workers/tag", ""))


def check_binding(cloud: Cloudflare, binding: dict[str, Any]) -> None:
    exists: dict[str, Callable[[], bool]] = {
        "d1": lambda: binding["id"] in {each.uuid for each in cloud.databases.values()},
        "r2_bucket": lambda: (
            bucket_key(binding["bucket_name"], binding.get("jurisdiction") or "") in cloud.buckets
        ),
        "kv_namespace": lambda: binding["namespace_id"] in cloud.namespaces.values(),
        "service": lambda: binding["service"] in cloud.workers,
        "inherit": lambda: False,
    }
    if not exists.get(binding["type"], lambda: True)():
        raise Refused(400, 10021, f"binding {binding['name']} of type {binding['type']} names nothing")


@route("GET", r"ACCOUNT/workers/scripts/([\w-]+)/settings")
def get_settings(cloud: Cloudflare, name: str, _sent: Sent) -> Answer:
    return 200, {"bindings": cloud.worker(name).metadata["bindings"]}


@route("GET", r"ACCOUNT/workers/scripts/([\w-]+)/deployments")
def list_deployments(cloud: Cloudflare, name: str, _sent: Sent) -> Answer:
    deployment = {
        "id": "deployment",
        "source": "wrangler",
        "strategy": "percentage",
        "author_email": "operator@example.org",
        "created_on": "2026-11-01T00:00:00Z",
        "versions": [{"version_id": cloud.worker(name).id, "percentage": 100}],
        "annotations": {},
    }
    return 200, {"deployments": [deployment]}


@route("POST", r"ACCOUNT/workers/scripts/([\w-]+)/deployments")
def create_deployment(cloud: Cloudflare, name: str, sent: Sent) -> Answer:
    (version,) = sent.json["versions"]
    cloud.deploy(name, find_version(cloud, name, version["version_id"]))
    return 200, {"id": str(uuid.uuid4())}


@route("PATCH", r"ACCOUNT/workers/scripts/([\w-]+)/script-settings")
def patch_settings(cloud: Cloudflare, name: str, _: Sent) -> Answer:
    cloud.worker(name)
    return 200, {}


@route("POST", r"ACCOUNT/workers/scripts/([\w-]+)/assets-upload-session")
def upload_assets(_: Cloudflare, __: str, sent: Sent) -> Answer:
    """As if every file were known already: what a page holds is not this stand-in's business."""
    assert sent.json["manifest"]
    return 200, {"jwt": "assets", "buckets": []}


@route("GET", r"ACCOUNT/workers/workers/([\w-]+)")
def get_worker(cloud: Cloudflare, name: str, _sent: Sent) -> Answer:
    return 200, {"id": name, "name": name, "subdomain": cloud.worker(name).subdomain}


@route("GET", "ACCOUNT/workers/subdomain")
def get_subdomain(cloud: Cloudflare, _sent: Sent) -> Answer:
    if cloud.subdomain is None:
        raise Refused(404, 10007, "This account has no workers.dev subdomain.")
    return 200, {"subdomain": cloud.subdomain}


@route("POST", r"ACCOUNT/workers/scripts/([\w-]+)/subdomain")
def set_subdomain(cloud: Cloudflare, name: str, sent: Sent) -> Answer:
    cloud.worker(name).subdomain = sent.json
    return 200, cloud.worker(name).subdomain


@route("PUT", r"ACCOUNT/workers/scripts/([\w-]+)/schedules")
def set_schedules(cloud: Cloudflare, name: str, sent: Sent) -> Answer:
    cloud.worker(name).crons = [each["cron"] for each in sent.json]
    return 200, {}


@route("GET", r"/zones/(\w+)/rulesets/phases/http_request_firewall_custom/entrypoint")
def get_rules(cloud: Cloudflare, _: str, _sent: Sent) -> Answer:
    if not cloud.rules:
        raise Refused(
            404, 10003, "could not find entrypoint ruleset in the http_request_firewall_custom phase"
        )
    return 200, {"id": "ruleset", "rules": cloud.rules}


@route("POST", r"/zones/(\w+)/rulesets")
def create_rules(cloud: Cloudflare, _: str, sent: Sent) -> Answer:
    cloud.rules = [{**rule, "id": "rule1"} for rule in sent.json["rules"]]
    return 200, {"id": "ruleset", "rules": cloud.rules}


@route("POST", r"/zones/(\w+)/rulesets/ruleset/rules")
def add_rule(cloud: Cloudflare, _: str, sent: Sent) -> Answer:
    cloud.rules.append({**sent.json, "id": f"rule{len(cloud.rules) + 1}"})
    return 200, {"id": "ruleset", "rules": cloud.rules}


@route("PATCH", r"/zones/(\w+)/rulesets/ruleset/rules/(\w+)")
def change_rule(cloud: Cloudflare, _: str, rule: str, sent: Sent) -> Answer:
    cloud.rules = [{**each, **sent.json} if each["id"] == rule else each for each in cloud.rules]
    return 200, {"id": "ruleset", "rules": cloud.rules}
