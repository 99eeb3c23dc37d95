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
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import tomlkit

from tools.problem import Problem

ROOT = Path(__file__).resolve().parents[2]
GATEWAY = "gateway"
ENVIRONMENTS = ("production", "staging")
S3_ENDPOINT = "https://{account}.r2.cloudflarestorage.com"
NODE_TIMEOUT_SECONDS = 20
_FONT_INDEX = "variants/src/imaging/fonts/pack.json"

# Where a value stands: a table of the gateway's file, or one entry of an array of tables by its binding.
Setting = tuple[str, str | None, str]
DATABASE_ID: Setting = ("d1_databases", "DB", "database_id")
NAMESPACE_ID: Setting = ("kv_namespaces", "KV", "id")
ENDPOINT: Setting = ("vars", None, "R2_S3_ENDPOINT")
PUBLIC_URL: Setting = ("vars", None, "PUBLIC_URL")
CDN_DOMAIN: Setting = ("vars", None, "R2_CDN_DOMAIN")


@dataclass(frozen=True, slots=True)
class Target:
    """A checkout and the environment of it that is deployed."""

    root: Path
    environment: str

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
        return str(self._entry("d1_databases", "DB")["database_name"])

    @property
    def bucket(self) -> str:
        """The name of the R2 bucket."""
        return str(self._entry("r2_buckets", "BUCKET")["bucket_name"])

    @property
    def namespace(self) -> str:
        """The file knows a namespace by its id only; its title is made from the Worker's name."""
        return f"{self.worker(GATEWAY)}-ready"

    @property
    def variables(self) -> dict[str, str]:
        """`[vars]` of the gateway."""
        return dict(self.config(GATEWAY)["vars"])

    @property
    def images_domain(self) -> str | None:
        """Host of R2_CDN_DOMAIN, a URL or a host alone, where it is set."""
        text = self.variables["R2_CDN_DOMAIN"]
        return urlsplit(text if "://" in text else f"//{text}").hostname

    def value(self, setting: Setting) -> str:
        """The value of a setting in the gateway's file."""
        table, binding, key = setting
        entry = self.config(GATEWAY)[table] if binding is None else self._entry(table, binding)
        return str(entry[key])

    def differing(self, values: Mapping[Setting, str]) -> dict[Setting, str]:
        """Those of the values that the file does not have yet."""
        return {setting: value for setting, value in values.items() if self.value(setting) != value}

    def write(self, values: Mapping[Setting, str]) -> None:
        """Put values into the gateway's file; comments and formatting stay as they are."""
        path = self.root / "wrangler.toml"
        document = tomlkit.parse(path.read_text())
        tables: Any = document
        if self.environment != "production":
            tables = tables["env"][self.environment]
        for (table, binding, key), value in values.items():
            for entry in _entries(tables[table]):
                if binding is None or entry["binding"] == binding:
                    entry[key] = value
        path.write_text(tomlkit.dumps(document))

    def _entry(self, table: str, binding: str) -> dict[str, Any]:
        return next(each for each in self.config(GATEWAY)[table] if each["binding"] == binding)


def _entries(table: Any) -> Iterator[Any]:
    yield from table if isinstance(table, list) else [table]


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
