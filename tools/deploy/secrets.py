"""The secrets of one environment: from the process's environment, from a file that git ignores, or generated.

Cloudflare never shows a secret again, so a generated one is kept: `vfa token` signs with it. A new value is
kept beside the old one until every Worker has it, so that the next run can finish an interrupted rotation.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

GENERATED = frozenset({"AUTH_JWT_SECRET", "WORKER_AUTH_TOKEN"})
_PENDING = "PENDING_"
_HEADER = "# Secrets of a deployment, written by `make deploy`. They give full access to the gallery.\n"


@dataclass(slots=True)
class SecretStore:
    """Values in the file at `path` and in `environ`."""

    path: Path
    environ: Mapping[str, str]
    _stored: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
        self._stored = {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}

    @property
    def pending(self) -> frozenset[str]:
        """Names whose new value may have reached some of the Workers only."""
        return frozenset(name.removeprefix(_PENDING) for name in self._stored if name.startswith(_PENDING))

    def exported(self, name: str) -> str | None:
        """The value in the process's environment."""
        return self.environ.get(name) or None

    def value(self, name: str) -> str | None:
        """The pending value, else the exported one, else the stored one."""
        return self._stored.get(f"{_PENDING}{name}") or self.exported(name) or self._stored.get(name) or None

    def generate(self, name: str) -> None:
        """Store a random value of 64 hexadecimal digits as pending."""
        self._store_pending(name, secrets.token_hex(32))

    def store_exported(self, name: str) -> None:
        """Store the exported value as pending: the next run may come without it."""
        self._store_pending(name, self.environ[name])

    def confirm(self) -> None:
        """Replace old values by the pending ones, once every Worker has them."""
        pending = self.pending
        for name in pending:
            self._stored[name] = self._stored.pop(f"{_PENDING}{name}")
        if pending:
            self._write()

    def _store_pending(self, name: str, value: str) -> None:
        self._stored[f"{_PENDING}{name}"] = value
        self._write()

    def _write(self) -> None:
        text = _HEADER + "".join(f"{name}={value}\n" for name, value in self._stored.items())
        unfinished = self.path.with_name(f"{self.path.name}.new")
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        unfinished.replace(self.path)
