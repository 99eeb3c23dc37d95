"""The secrets of one environment: from the process's environment, a file that git ignores, or made here.

Cloudflare never shows a secret again, so what is made is kept: tokens for `vfa` are signed with it. A new
value stands beside the old one until every Worker has it, so that the next run finishes one that broke off.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MADE_HERE = frozenset({"AUTH_JWT_SECRET", "WORKER_AUTH_TOKEN"})
_PENDING = "PENDING_"
_HEAD = "# Secrets of a deployment; whoever has them can do everything. Made by `make deploy`.\n"


@dataclass(slots=True)
class Vault:
    path: Path
    environ: Mapping[str, str]
    _kept: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
        self._kept = {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}

    @property
    def begun(self) -> frozenset[str]:
        """Names whose new value may have reached some of the Workers only."""
        return frozenset(name.removeprefix(_PENDING) for name in self._kept if name.startswith(_PENDING))

    def supplied(self, name: str) -> str | None:
        """What the process's environment says."""
        return self.environ.get(name) or None

    def known(self, name: str) -> str | None:
        return self._kept.get(f"{_PENDING}{name}") or self.supplied(name) or self._kept.get(name) or None

    def make(self, name: str) -> None:
        """A new value, kept before anyone uses it."""
        self._begin(name, secrets.token_hex(32))

    def keep(self, name: str) -> None:
        """Take over what the environment says: the next run may come without it."""
        self._begin(name, self.environ[name])

    def settle(self) -> None:
        """Every Worker has the new values."""
        begun = self.begun
        for name in begun:
            self._kept[name] = self._kept.pop(f"{_PENDING}{name}")
        if begun:
            self._write()

    def _begin(self, name: str, value: str) -> None:
        self._kept[f"{_PENDING}{name}"] = value
        self._write()

    def _write(self) -> None:
        text = _HEAD + "".join(f"{name}={value}\n" for name, value in self._kept.items())
        unfinished = self.path.with_name(f"{self.path.name}.new")
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        unfinished.replace(self.path)
