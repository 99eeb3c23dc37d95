"""The secrets of one environment: from the process's environment, a file that git ignores, or made here.

Cloudflare never shows a secret again, so what is made is kept: tokens for `vfa` are signed with it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MADE_HERE = frozenset({"AUTH_JWT_SECRET", "WORKER_AUTH_TOKEN"})


@dataclass(slots=True)
class Vault:
    path: Path
    environ: Mapping[str, str]
    _kept: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
        self._kept = {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}

    def supplied(self, name: str) -> str | None:
        """What the process's environment says."""
        return self.environ.get(name) or None

    def known(self, name: str) -> str | None:
        return self.supplied(name) or self._kept.get(name) or None

    def make(self, name: str) -> str:
        """A new value, kept before anyone uses it."""
        value = secrets.token_hex(32)
        self._kept[name] = value
        self._write()
        return value

    def _write(self) -> None:
        text = "# Secrets of a deployment; whoever has them can do everything. Made by `make deploy`.\n"
        text += "".join(f"{name}={value}\n" for name, value in self._kept.items())
        unfinished = self.path.with_name(f"{self.path.name}.new")
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        unfinished.replace(self.path)
