"""The checkout and the environment that is deployed: wrangler.toml files, installed programs, packages.

The Workers are the folders `variants/*` that hold a wrangler.toml, and the root, which is the gateway.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tools.problem import Problem

ROOT = Path(__file__).resolve().parents[2]
GATEWAY = "gateway"
ENVIRONMENTS = ("production", "staging")
# Regions that D1 and R2 keep data in; "" is anywhere. https://developers.cloudflare.com/r2/reference/data-location/
JURISDICTIONS = ("eu", "fedramp")
NODE_TIMEOUT_SECONDS = 20
# Written beside each wrangler.toml while it is deployed, and then removed; git ignores it.
GENERATED_CONFIG = ".wrangler.deploy.json"
_FONT_INDEX = "variants/src/imaging/fonts/pack.json"


@dataclass(frozen=True, slots=True)
class Target:
    """A checkout and the environment of it that is deployed."""

    root: Path
    environment: str
    jurisdiction: str = ""

    @property
    def wrangler_name(self) -> str:
        """Wrangler's own name of production is empty."""
        return "" if self.environment == "production" else self.environment

    @property
    def option(self) -> str:
        """The option that names the environment to Wrangler."""
        return f"--env={self.wrangler_name}"

    @property
    def renderers(self) -> tuple[str, ...]:
        """Names of the renderers, sorted."""
        return tuple(sorted(path.parent.name for path in self.root.glob("variants/*/wrangler.toml")))

    @property
    def projects(self) -> tuple[str, ...]:
        """All Workers in the order of deployment: a service binding must name a Worker that exists."""
        return (*self.renderers, GATEWAY)

    def folder(self, project: str) -> Path:
        """The folder of a Worker's wrangler.toml."""
        return self.root if project == GATEWAY else self.root / "variants" / project

    def config(self, project: str) -> dict[str, Any]:
        """The project's file, with the environment's own tables in place of production's."""
        whole = tomllib.loads((self.folder(project) / "wrangler.toml").read_text())
        if self.environment == "production":
            return whole
        own = whole["env"][self.environment]
        merged: dict[str, Any] = whole | {"name": f"{whole['name']}-{self.environment}"} | own
        return merged

    def worker(self, project: str) -> str:
        """The name of a Worker in the account."""
        return str(self.config(project)["name"])

    def secrets(self, project: str) -> set[str]:
        """Names of the secrets that a Worker requires."""
        return set(self.config(project)["secrets"]["required"])

    @property
    def database(self) -> str:
        """The name of the D1 database."""
        return self._name("d1_databases", "database_name")

    @property
    def bucket(self) -> str:
        """The name of the R2 bucket."""
        return self._name("r2_buckets", "bucket_name")

    @property
    def namespace(self) -> str:
        """The title that Wrangler gives the KV namespace which it creates for the binding."""
        return f"{self.worker(GATEWAY)}-{self._name('kv_namespaces', 'binding').lower()}"

    @property
    def variables(self) -> dict[str, str]:
        """`[vars]` of the gateway."""
        return dict(self.config(GATEWAY)["vars"])

    @property
    def images_domain(self) -> str | None:
        """Host of R2_CDN_DOMAIN in wrangler.toml, a URL or a host alone, where it is set."""
        return host_of(self.variables["R2_CDN_DOMAIN"])

    def s3_endpoint(self, account_id: str) -> str:
        """R2's S3 API of an account: each jurisdiction has a host of its own."""
        region = f".{self.jurisdiction}" if self.jurisdiction else ""
        return f"https://{account_id}{region}.r2.cloudflarestorage.com"

    @property
    def jurisdiction_options(self) -> tuple[str, ...]:
        """The options that name the jurisdiction to Wrangler's commands for D1 and R2."""
        return ("--jurisdiction", self.jurisdiction) if self.jurisdiction else ()

    @contextmanager
    def generated_config(
        self, project: str, variables: Mapping[str, str], namespace_id: str | None
    ) -> Iterator[Path]:
        """A Worker's wrangler.toml with what belongs to one account, as a file in the same folder.

        `variables` replace those of the gateway; `namespace_id` is that of a KV namespace which the gateway
        does not bind yet. Wrangler finds other stores by name, or by what the deployed Worker is bound to.
        """
        whole = tomllib.loads((self.folder(project) / "wrangler.toml").read_text())
        tables = whole if self.environment == "production" else whole["env"][self.environment]
        if self.jurisdiction:
            for entry in (*tables["r2_buckets"], *tables.get("d1_databases", ())):
                entry["jurisdiction"] = self.jurisdiction
        if project == GATEWAY:
            tables["vars"].update(variables)
            for namespace in tables["kv_namespaces"]:
                namespace.update({"id": namespace_id} if namespace_id else {})
        path = self.folder(project) / GENERATED_CONFIG
        path.write_text(json.dumps(whole, indent=2))
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def _name(self, table: str, key: str) -> str:
        return str(self.config(GATEWAY)[table][0][key])


def host_of(text: str) -> str | None:
    """The host of a URL or of a host alone; None for an empty text."""
    return urlsplit(text if "://" in text else f"//{text}").hostname


def font_pack(root: Path) -> tuple[str, Path]:
    """The key in the bucket of the fonts that renderers read from there, and their file."""
    key = str(json.loads((root / _FONT_INDEX).read_text())["key"])
    return key, root / "assets" / key


def run_program(
    name: str, command: Sequence[str | Path], *, cwd: Path, environ: Mapping[str, str], timeout: int
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, without input, with `environ` added to this process's environment.

    `name` is what messages call it; `timeout` is in seconds.

    Raises:
        Problem: it does not end in time or cannot be started.
    """
    try:
        return subprocess.run(
            [str(word) for word in command],
            cwd=cwd,
            env={**os.environ, **environ},
            stdin=subprocess.DEVNULL,
            check=False,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired:
        raise Problem(f"`{name}` took more than {timeout} s; run `make deploy` again") from None
    except OSError as error:
        raise Problem(f"`{name}` cannot be started ({error.strerror}); run `make setup`") from None


def check_setup(target: Target) -> None:
    """Check that Wrangler, Node and every Worker's packages are installed as package.json wants them.

    Raises:
        Problem: names the first thing that is missing and the command that installs it.
    """
    package = json.loads((target.root / "package.json").read_text())
    wanted = package["devDependencies"]["wrangler"]
    installed = target.root / "node_modules/wrangler/package.json"
    if not installed.exists():
        raise Problem("Wrangler is not installed; run `make setup`")
    found = json.loads(installed.read_text())["version"]
    if found != wanted:
        raise Problem(f"Wrangler {found} is installed, {wanted} is wanted; run `make setup`")
    _check_node(target, package["engines"]["node"].removeprefix(">="))
    for project in target.projects:
        modules = target.folder(project) / "python_modules"
        if not (modules / "workers").is_dir():
            raise Problem(f"the {project} Worker has no packages in {modules}; run `make setup`")


def _check_node(target: Target, minimum: str) -> None:
    node = target.root / ".venv/bin/node"
    done = run_program("node", [node, "--version"], cwd=target.root, environ={}, timeout=NODE_TIMEOUT_SECONDS)
    found = re.match(r"v(\d+)\.(\d+)\.(\d+)", done.stdout)
    if not found or tuple(map(int, found.groups())) < tuple(map(int, minimum.split("."))):
        raise Problem(
            f"Node {minimum} or newer is needed, this is {done.stdout.strip() or 'none'}; run `make setup`"
        )
