"""The four Worker projects as their files describe them."""

from __future__ import annotations

import json
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from tools.vendor import PROJECTS

ROOT = Path(__file__).resolve().parents[3]
NODE = ROOT / ".venv/bin/node"
FILES = {project.name: project.folder / "wrangler.toml" for project in PROJECTS}
VARIANTS = sorted(set(FILES) - {"gateway"})
WORKERS = (*VARIANTS, "gateway")
ENVIRONMENTS = ("", "staging")
SOURCES = {"gateway": ROOT / "src", **dict.fromkeys(VARIANTS, ROOT / "variants/src")}

Config = dict[str, Any]


@cache
def raw(name: str) -> Config:
    """A wrangler.toml as it is written."""
    return tomllib.loads(FILES[name].read_text())


@cache
def _read() -> dict[str, dict[str, Config]]:
    command = [str(NODE), str(Path(__file__).with_name("read_configs.mjs")), *map(str, FILES.values())]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60)
    return dict(zip(FILES, json.loads(done.stdout), strict=True))


def read(name: str, environment: str = "") -> Config:
    """A wrangler.toml as Wrangler reads it for one environment; "" is production."""
    return _read()[name][environment]


def bindings(config: Config) -> set[str]:
    """Names that the Worker finds in `env`: bindings, variables and secrets."""
    named = ("d1_databases", "r2_buckets", "kv_namespaces", "services")
    return {
        *(entry["binding"] for kind in named for entry in config.get(kind, [])),
        *(entry["name"] for entry in config.get("ratelimits", [])),
        *(name for name in [config.get("assets", {}).get("binding")] if name),
        *config.get("vars", {}),
        *config.get("secrets", {}).get("required", []),
    }
