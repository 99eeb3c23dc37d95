"""The Cloudflare account: Wrangler's command line, what its commands print, and what the account holds.

Formats are those of the pinned Wrangler.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from tools.deploy import schema
from tools.deploy.config import GATEWAY, Target, run_program
from tools.problem import Problem

LOGIN = (
    'nobody is logged in to Cloudflare: run `PATH="$PWD/.venv/bin:$PATH" npx wrangler login`, or set '
    "CLOUDFLARE_API_TOKEN (docs/deploy.md lists its permissions)"
)
TIMEOUT_SECONDS = 300
_FOOTER = ("🪵", "📝", "To learn more", "If you think this is a bug")
_BUILD = "[custom build]"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
ALREADY_EXISTS = re.compile(r"already exists", re.IGNORECASE)
_NO_SUCH_WORKER = re.compile(
    r"Worker \".*\".* not found|does not exist on your account|has no deployments|\[code: 100(07|90)\]"
)
_NO_SUCH_BUCKET = re.compile(r"\[code: 10006\]")
_NO_SUBDOMAIN = re.compile(r"register a workers\.dev subdomain here")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one command ended: its exit status and what it printed."""

    status: int
    out: str
    err: str = ""

    @property
    def reason(self) -> str:
        """What Wrangler says is wrong, without its frame and its links."""
        text = _COLOURS.sub("", f"{self.err}\n{self.out}")
        if "Running custom build" in text:
            built = [
                line.removeprefix(_BUILD).strip() for line in text.splitlines() if line.startswith(_BUILD)
            ]
            return " ".join(line for line in built if line and not line.startswith("Running:"))
        _, found, message = text.partition("[ERROR]")
        lines = [line.strip() for line in (message if found else text).splitlines()]
        lines = [line for line in lines if line and not line.startswith(_FOOTER)]
        if lines and lines[0].startswith("A request to the Cloudflare API") and len(lines) > 1:
            lines = lines[1:]
        return " ".join(lines[:2]) or f"it ended with status {self.status} and printed nothing"


class Wrangler(Protocol):
    """Runs one Wrangler command, words after `wrangler`, in a project's folder."""

    def run(self, *words: str, folder: Path, environ: dict[str, str] | None = None) -> Outcome: ...


@dataclass(slots=True)
class InstalledWrangler:
    """The pinned Wrangler of a checkout, without prompts and metrics."""

    root: Path
    environ: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str, folder: Path, environ: dict[str, str] | None = None) -> Outcome:
        node, script = self.root / ".venv/bin/node", self.root / "node_modules/wrangler/bin/wrangler.js"
        quiet = {"WRANGLER_SEND_METRICS": "false", "WRANGLER_HIDE_BANNER": "true", "NO_COLOR": "1"}
        # Compiling Wrangler's 15 MB of JavaScript takes a quarter of a command's time.
        cache = os.environ.get("NODE_COMPILE_CACHE", str(self.root / ".cache/node"))
        # The option names the environment; an exported name must not, where a command has no such option.
        own = {"NODE_COMPILE_CACHE": cache, "CLOUDFLARE_ENV": "", **quiet, **self.environ, **(environ or {})}
        done = run_program(
            f"wrangler {' '.join(words[:3])}",
            [node, script, *words],
            cwd=folder,
            environ=own,
            timeout=TIMEOUT_SECONDS,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)


def command_name(words: tuple[str, ...]) -> str:
    """How messages name a command."""
    return f"`wrangler {' '.join(words[:3])}`"


def output_of(outcome: Outcome, what: str) -> str:
    """Standard output of a command that must succeed.

    Raises:
        Problem: it failed; with what Wrangler printed as the reason.
    """
    if outcome.status != 0:
        raise Problem(f"{what} failed: {outcome.reason}")
    return outcome.out


@dataclass(frozen=True, slots=True)
class Account:
    """An account that the logged-in user may deploy to."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Domain:
    """A custom domain of the bucket; `active` once Cloudflare answers for it."""

    host: str
    zone: str | None
    enabled: bool = True
    active: bool = True


def parse_json(text: str, what: str) -> Any:
    """The JSON in an answer; warnings may stand in front of it."""
    start = min((text.find(mark) for mark in "[{" if mark in text), default=-1)
    try:
        return json.loads(text[start:] if start >= 0 else text)
    except ValueError:
        raise Problem(f"Wrangler's list of {what} cannot be read: {text.strip()[:200]!r}") from None


def parse_accounts(outcome: Outcome) -> list[Account] | None:
    """Accounts of `whoami --json`; None when nobody is logged in.

    Raises:
        Problem: Cloudflare cannot be asked.
    """
    if outcome.status != 0 and '"loggedIn"' not in outcome.out:
        raise Problem(f"Cloudflare cannot be asked who you are: {outcome.reason}")
    answer = parse_json(outcome.out, "accounts")
    if not answer.get("loggedIn"):
        return None
    return [Account(each["id"], each["name"]) for each in answer["accounts"]]


def parse_databases(text: str) -> frozenset[str]:
    """Names of `d1 list --json`."""
    return frozenset(each["name"] for each in parse_json(text, "databases"))


def parse_namespaces(text: str) -> dict[str, str]:
    """Title → id of `kv namespace list`."""
    return {each["title"]: each["id"] for each in parse_json(text, "namespaces")}


def parse_bucket(outcome: Outcome) -> bool:
    """Whether there is the bucket that `r2 bucket info` was asked for.

    Raises:
        Problem: the command failed for another reason.
    """
    if outcome.status != 0 and not _NO_SUCH_BUCKET.search(f"{outcome.out}{outcome.err}"):
        raise Problem(f"`wrangler r2 bucket info` failed: {outcome.reason}")
    return outcome.status == 0


def parse_domains(text: str) -> tuple[Domain, ...]:
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


@dataclass(frozen=True, slots=True)
class Deployed:
    """What the gateway that is deployed now has: its variables, and the jurisdiction of its bucket."""

    variables: Mapping[str, str]
    jurisdiction: str = ""


def parse_current_version(outcome: Outcome) -> str | None:
    """The id of the version in `deployments status --json`; None when there is no such Worker yet.

    Raises:
        Problem: the command failed for another reason.
    """
    if outcome.status != 0:
        if _NO_SUCH_WORKER.search(f"{outcome.out}{outcome.err}"):
            return None
        raise Problem(f"`wrangler deployments status` failed: {outcome.reason}")
    return str(parse_json(outcome.out, "deployments")["versions"][0]["version_id"])


def parse_version(text: str) -> Deployed:
    """What a gateway's `versions view --json` binds."""
    bindings = parse_json(text, "versions")["resources"]["bindings"]
    variables = {each["name"]: each["text"] for each in bindings if each["type"] == "plain_text"}
    buckets = (each.get("jurisdiction") for each in bindings if each["type"] == "r2_bucket")
    return Deployed(variables, next(buckets, None) or "")


def lacks_subdomain(outcome: Outcome) -> bool:
    """Whether a deployment failed because the account has no name below workers.dev yet."""
    return bool(_NO_SUBDOMAIN.search(f"{outcome.out}{outcome.err}"))


def parse_secrets(outcome: Outcome) -> set[str] | None:
    """Names of `secret list`; None when there is no such Worker yet.

    Raises:
        Problem: the command failed for another reason.
    """
    if outcome.status != 0:
        if _NO_SUCH_WORKER.search(f"{outcome.out}{outcome.err}"):
            return None
        raise Problem(f"`wrangler secret list` failed: {outcome.reason}")
    return {each["name"] for each in parse_json(outcome.out, "secrets")}


def parse_rows(text: str) -> list[dict[str, Any]]:
    """Rows of the one statement of `d1 execute --json`."""
    return list(parse_json(text, "rows")[0]["results"])


def parse_addresses(output_file: str) -> list[str]:
    """Where a Worker answers, custom domains first, from the file that `wrangler deploy` writes."""
    entries = [json.loads(line) for line in output_file.splitlines() if line.strip()]
    targets = [target for entry in entries if entry["type"] == "deploy" for target in entry["targets"]]
    domains = [target.split(" ")[0] for target in targets if "(custom domain" in target]
    hosts = [target for target in targets if re.fullmatch(r"(https://)?[\w.-]+\.workers\.dev", target)]
    return [f"https://{host.removeprefix('https://')}" for host in domains + hosts]


@dataclass(frozen=True, slots=True)
class AccountState:
    """What an account holds of one environment; by default nothing.

    `namespaces` are title → id, `secrets` are the names that each Worker has (None: there is
    no such Worker), `master` are the rows of the database's sqlite_master, `applied` names of migrations.
    """

    databases: frozenset[str] = frozenset()
    bucket: bool = False
    namespaces: Mapping[str, str] = field(default_factory=dict)
    domains: tuple[Domain, ...] = ()
    secrets: Mapping[str, set[str] | None] = field(default_factory=dict)
    master: tuple[Mapping[str, Any], ...] = ()
    applied: frozenset[str] = frozenset()
    deployed: Deployed | None = None
    jurisdiction: str = ""

    @property
    def has_migrations_table(self) -> bool:
        return any(row["name"] == schema.MIGRATIONS_TABLE for row in self.master)


def find_account(target: Target, wrangler: Wrangler, wanted: str | None) -> Account | None:
    """The account to deploy to, `wanted` or the only one; None when nobody is logged in.

    Raises:
        Problem: there are several accounts, or none.
    """
    found = parse_accounts(wrangler.run("whoami", "--json", folder=target.root))
    if found is None:
        return None
    wanted = wanted or target.config(GATEWAY).get("account_id")
    if wanted:
        return next((each for each in found if each.id == wanted), Account(wanted, wanted))
    if len(found) != 1:
        choice = ", ".join(f"{each.id} ({each.name})" for each in found) or "none"
        raise Problem(f"set CLOUDFLARE_ACCOUNT_ID to the account to deploy to; yours are: {choice}")
    return found[0]


def require_account(target: Target, wrangler: Wrangler, wanted: str | None) -> Account:
    """As `find_account`, but somebody must be logged in.

    Raises:
        Problem: nobody is logged in, or the account is not clear.
    """
    account = find_account(target, wrangler, wanted)
    if account is None:
        raise Problem(LOGIN)
    return account


def read_deployed(target: Target, wrangler: Wrangler) -> Deployed | None:
    """What the deployed gateway has; None before the first deployment.

    Raises:
        Problem: a command failed.
    """
    words = ("deployments", "status", "--json")
    version = parse_current_version(wrangler.run(*words, target.option, folder=target.root))
    if version is None:
        return None
    view = ("versions", "view", version, "--json")
    outcome = wrangler.run(*view, target.option, folder=target.root)
    return parse_version(output_of(outcome, command_name(view)))


def choose_jurisdiction(target: Target, deployed: Deployed | None, found: Sequence[str]) -> str:
    """The jurisdiction of the bucket; `found` are those that have a bucket of its name.

    It is where the deployed gateway's bucket is, else where a bucket is, else what was asked for.

    Raises:
        Problem: another one was asked for, and a bucket cannot be moved.
    """
    wanted = target.jurisdiction
    if deployed:
        actual = deployed.jurisdiction
    elif found:
        actual = wanted if wanted in found else found[0]
    else:
        actual = wanted
    if wanted and wanted != actual:
        place = f"the jurisdiction {actual}" if actual else "no jurisdiction"
        raise Problem(
            f"the bucket {target.bucket} is in {place} and cannot be moved: leave out --jurisdiction, or "
            "name another bucket and database in wrangler.toml"
        )
    return actual


def read_account(target: Target, wrangler: Wrangler) -> AccountState:
    """Read the state with commands that change nothing, at the same time: each takes about a second to start.

    Raises:
        Problem: a command failed, or the bucket is in another jurisdiction than the target's.
    """

    def output(*words: str) -> str:
        return output_of(wrangler.run(*words, target.option, folder=target.root), command_name(words))

    def read_secrets(project: str) -> set[str] | None:
        return parse_secrets(wrangler.run("secret", "list", target.option, folder=target.folder(project)))

    def has_bucket(place: Target) -> bool:
        # `r2 bucket list` shows the first 20 of an account.
        words = ("r2", "bucket", "info", target.bucket, "--json", *place.jurisdiction_options)
        return parse_bucket(wrangler.run(*words, target.option, folder=target.root))

    def find_jurisdiction() -> str:
        found = [place.jurisdiction for place, bucket in buckets.items() if bucket.result()]
        return choose_jurisdiction(target, deployed.result(), found)

    def read_domains() -> tuple[Domain, ...]:
        place = replace(target, jurisdiction=find_jurisdiction())
        if not buckets[place].result():
            return ()
        words = ("r2", "bucket", "domain", "list", target.bucket, *place.jurisdiction_options)
        return parse_domains(output(*words))

    def read_master() -> list[dict[str, Any]]:
        if target.database not in databases.result():
            return []
        return query(target.database, schema.MASTER, wrangler)

    regions = dict.fromkeys(("", "eu", target.jurisdiction))
    places = [replace(target, jurisdiction=region) for region in regions]
    # Each job may wait for the jobs before it only.
    with ThreadPoolExecutor(4) as pool:
        databases = pool.submit(lambda: parse_databases(output("d1", "list", "--json")))
        deployed = pool.submit(read_deployed, target, wrangler)
        buckets = {place: pool.submit(has_bucket, place) for place in places}
        namespaces = pool.submit(lambda: parse_namespaces(output("kv", "namespace", "list")))
        master = pool.submit(read_master)
        domains = pool.submit(read_domains)
        secrets = {project: pool.submit(read_secrets, project) for project in target.projects}
        state = AccountState(
            databases.result(),
            buckets[replace(target, jurisdiction=find_jurisdiction())].result(),
            namespaces.result(),
            domains.result(),
            {project: future.result() for project, future in secrets.items()},
            tuple(master.result()),
            deployed=deployed.result(),
            jurisdiction=find_jurisdiction(),
        )
    if not state.has_migrations_table:
        return state
    applied = frozenset(row["name"] for row in query(target.database, schema.APPLIED, wrangler))
    return replace(state, applied=applied)


def query(database: str, sql: str, wrangler: Wrangler) -> list[dict[str, Any]]:
    """Rows of a query on a database that is named as in the account.

    Raises:
        Problem: the query failed.
    """
    # Where no wrangler.toml is, Wrangler finds the database by its name.
    with tempfile.TemporaryDirectory() as empty:
        words = ("d1", "execute", database, "--remote", "--json", "--command", sql)
        return parse_rows(output_of(wrangler.run(*words, folder=Path(empty)), command_name(words)))
