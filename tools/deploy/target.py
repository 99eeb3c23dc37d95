"""The four wrangler.toml files for one environment: names read from them, ids written into them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import tomlkit

SIBLINGS = ("thumbnail", "icon", "watermark")
PROJECTS = (*SIBLINGS, "gateway")
ENVIRONMENTS = ("production", "staging")
S3_ENDPOINT = "https://{account}.r2.cloudflarestorage.com"

# Where a value stands: a table of the gateway's file, or one entry of an array of tables by its binding.
Place = tuple[str, str | None, str]
DATABASE_ID: Place = ("d1_databases", "DB", "database_id")
NAMESPACE_ID: Place = ("kv_namespaces", "KV", "id")
ENDPOINT: Place = ("vars", None, "R2_S3_ENDPOINT")
PUBLIC_URL: Place = ("vars", None, "PUBLIC_URL")
CDN_DOMAIN: Place = ("vars", None, "R2_CDN_DOMAIN")


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
        return f"--env={self.wrangler_name}"

    def folder(self, project: str) -> Path:
        return self.root if project == "gateway" else self.root / "variants" / project

    def config(self, project: str) -> dict[str, Any]:
        """The project's file, with the environment's own tables in place of production's."""
        whole = tomllib.loads((self.folder(project) / "wrangler.toml").read_text())
        if self.environment == "production":
            return whole
        own = whole["env"][self.environment]
        merged: dict[str, Any] = whole | {"name": f"{whole['name']}-{self.environment}"} | own
        return merged

    def worker(self, project: str) -> str:
        return str(self.config(project)["name"])

    def secrets(self, project: str) -> set[str]:
        return set(self.config(project)["secrets"]["required"])

    @property
    def database(self) -> str:
        return str(self._entry("d1_databases", "DB")["database_name"])

    @property
    def bucket(self) -> str:
        return str(self._entry("r2_buckets", "BUCKET")["bucket_name"])

    @property
    def namespace(self) -> str:
        """The file knows a namespace by its id only; its title is made from the Worker's name."""
        return f"{self.worker('gateway')}-ready"

    @property
    def variables(self) -> dict[str, str]:
        return dict(self.config("gateway")["vars"])

    @property
    def images_domain(self) -> str | None:
        """Host of R2_CDN_DOMAIN, a URL or a host alone, where it is set."""
        text = self.variables["R2_CDN_DOMAIN"]
        return urlsplit(text if "://" in text else f"//{text}").hostname

    def value(self, place: Place) -> str:
        table, binding, key = place
        entry = self.config("gateway")[table] if binding is None else self._entry(table, binding)
        return str(entry[key])

    def differing(self, values: Mapping[Place, str]) -> dict[Place, str]:
        return {place: value for place, value in values.items() if self.value(place) != value}

    def write(self, values: Mapping[Place, str]) -> None:
        """Put values into the gateway's file; every comment and blank stays where it is."""
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
        return next(each for each in self.config("gateway")[table] if each["binding"] == binding)


def _entries(table: Any) -> Iterator[Any]:
    yield from table if isinstance(table, list) else [table]
