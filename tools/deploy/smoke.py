"""The last step: `vfa smoke` on what was deployed, as a person of its own where a token can be signed."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from tools.deploy.target import Target
from tools.deploy.vault import Vault
from tools.problem import Problem

PERSON = "smoke-test"
ROOM = 3
TRIES = 8
PAUSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class SmokeTest:
    """AUTH_JWT_SECRET of `vault` signs the token; without it only what is public is tried."""

    target: Target
    account: str
    vault: Vault
    report: Callable[[str], None] = print
    sleep: Callable[[float], None] = time.sleep

    def __call__(self, address: str) -> None:
        environ = {"VFA_TOKEN": self._token()} if self._secret else {}
        if not self._secret:
            self.report("    without AUTH_JWT_SECRET only what is public is tried")
        # A new address takes a while until it answers everywhere.
        for attempt in range(1, TRIES + 1):
            done = self._vfa("smoke", "--base-url", address, environ=environ)
            if done.returncode == 0:
                break
            if attempt < TRIES:
                self.sleep(PAUSE_SECONDS)
        self.report(done.stdout.rstrip())
        if done.returncode != 0:
            why = done.stderr.strip() or "see above"
            raise Problem(f"{address} is deployed but does not pass the smoke test: {why}")

    @property
    def _secret(self) -> str:
        return self.vault.known("AUTH_JWT_SECRET") or ""

    def _token(self) -> str:
        words = ("--wrangler", "remote", "--config", str(self.target.root / "wrangler.toml"))
        for command in (("user", "add", PERSON, "--limit", str(ROOM)), ("token", PERSON, "--hours", "1")):
            done = self._vfa(*command, *words, environ={})
            if done.returncode != 0:
                raise Problem(f"`vfa {command[0]}` failed: {done.stderr.strip()}")
        return done.stdout.strip()

    def _vfa(self, *words: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
        own = {"CLOUDFLARE_ACCOUNT_ID": self.account, "AUTH_JWT_SECRET": self._secret}
        # Wrangler takes the environment's name from here, where `vfa` does not pass it on.
        if self.target.environment != "production":
            own["CLOUDFLARE_ENV"] = self.target.environment
        return subprocess.run(
            [str(self.target.root / ".venv/bin/vfa"), *words],
            cwd=self.target.root,
            env={**os.environ, **own, **environ},
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )
