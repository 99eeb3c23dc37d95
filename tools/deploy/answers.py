"""What Wrangler's answers say, in the formats of the pinned version."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from tools.deploy.wrangler import Outcome
from tools.problem import Problem

ALREADY_THERE = re.compile(r"already exists", re.IGNORECASE)
_NO_SUCH_WORKER = re.compile(r"Worker \".*\".* not found|does not exist on your account|\[code: 100(07|90)\]")
_NO_SUCH_BUCKET = re.compile(r"\[code: 10006\]")
_NO_SUBDOMAIN = re.compile(r"register a workers\.dev subdomain here")


@dataclass(frozen=True, slots=True)
class Account:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Domain:
    """A custom domain of the bucket; `active` once Cloudflare answers for it."""

    host: str
    zone: str | None
    enabled: bool = True
    active: bool = True


def parse(text: str, what: str) -> Any:
    """The JSON in an answer; warnings may stand in front of it."""
    start = min((text.find(mark) for mark in "[{" if mark in text), default=-1)
    try:
        return json.loads(text[start:] if start >= 0 else text)
    except ValueError:
        raise Problem(f"Wrangler's list of {what} cannot be read: {text.strip()[:200]!r}") from None


def accounts(outcome: Outcome) -> list[Account] | None:
    """Accounts of `whoami --json`; None for someone who is not logged in."""
    if outcome.status != 0 and '"loggedIn"' not in outcome.out:
        raise Problem(f"Cloudflare cannot be asked who you are: {outcome.sentence}")
    answer = parse(outcome.out, "accounts")
    if not answer.get("loggedIn"):
        return None
    return [Account(each["id"], each["name"]) for each in answer["accounts"]]


def databases(text: str) -> dict[str, str]:
    """Name → id of `d1 list --json`."""
    return {each["name"]: each["uuid"] for each in parse(text, "databases")}


def namespaces(text: str) -> dict[str, str]:
    """Title → id of `kv namespace list`."""
    return {each["title"]: each["id"] for each in parse(text, "namespaces")}


def bucket(outcome: Outcome) -> bool:
    """Whether there is the bucket that `r2 bucket info` was asked for."""
    if outcome.status != 0 and not _NO_SUCH_BUCKET.search(f"{outcome.out}{outcome.err}"):
        raise Problem(f"`wrangler r2 bucket info` failed: {outcome.sentence}")
    return outcome.status == 0


def domains(text: str) -> tuple[Domain, ...]:
    """What `r2 bucket domain list` prints, a block of lines for each: `domain:  images.example.org`."""
    blocks = [
        dict(re.findall(r"^\s*(\w+):\s+(\S.*?)\s*$", block, re.MULTILINE))
        for block in re.split(r"\n\s*\n", text)
    ]
    return tuple(_domain(each) for each in blocks if "domain" in each)


def _domain(fields: dict[str, str]) -> Domain:
    zone = fields["zone_id"]
    return Domain(
        fields["domain"].lower(),
        None if zone == "(none)" else zone,
        fields["enabled"] == "Yes",
        fields["ownership_status"] == fields["ssl_status"] == "active",
    )


def lacks_subdomain(outcome: Outcome) -> bool:
    """Whether a deployment failed because the account has no name below workers.dev yet."""
    return bool(_NO_SUBDOMAIN.search(f"{outcome.out}{outcome.err}"))


def secret_names(outcome: Outcome) -> set[str] | None:
    """Names of `secret list`; None when there is no such Worker yet."""
    if outcome.status != 0:
        if _NO_SUCH_WORKER.search(f"{outcome.out}{outcome.err}"):
            return None
        raise Problem(f"`wrangler secret list` failed: {outcome.sentence}")
    return {each["name"] for each in parse(outcome.out, "secrets")}


def rows(text: str) -> list[dict[str, Any]]:
    """Rows of the one statement of `d1 execute --json`."""
    return list(parse(text, "rows")[0]["results"])


def addresses(output_file: str) -> list[str]:
    """Where a Worker answers, custom domains first, from what `wrangler deploy` notes of itself."""
    entries = [json.loads(line) for line in output_file.splitlines() if line.strip()]
    targets = [target for entry in entries if entry["type"] == "deploy" for target in entry["targets"]]
    domains = [target.split(" ")[0] for target in targets if "(custom domain" in target]
    hosts = [target for target in targets if re.fullmatch(r"(https://)?[\w.-]+\.workers\.dev", target)]
    return [f"https://{host.removeprefix('https://')}" for host in domains + hosts]
