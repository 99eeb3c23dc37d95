"""The last step: `vfa smoke` on what was deployed, as a person of its own where a token can be signed."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from tools.deploy import programs
from tools.deploy.target import Target
from tools.deploy.vault import Vault
from tools.problem import Problem

PERSON = "smoke-test"
ROOM = 3
PAUSE_SECONDS = 5
# A new address takes a while until it answers everywhere, a new domain until it has its certificate.
PATIENCE_SECONDS = 40
SETTLING_SECONDS = 300
TIMEOUT_SECONDS = 300
_NOT_OURS = re.compile("NOT NULL constraint failed: users|ON CONFLICT clause does not match")


@dataclass(frozen=True, slots=True)
class SmokeTest:
    """AUTH_JWT_SECRET of `vault` signs the token; without it only what is public is tried."""

    target: Target
    account: str
    vault: Vault
    report: Callable[[str], None] = print
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def __call__(self, address: str, *, settling: bool = False) -> None:
        """Try until it works; with `settling`, for as long as a new domain may take."""
        token = self._token() if self._secret else ""
        environ = {"VFA_TOKEN": token} if token else {}
        if not self._secret:
            self.report("    without AUTH_JWT_SECRET only what is public is tried")
        elif not token:
            self.report("    only what is public is tried, for the users are another program's")
        end = self.clock() + (SETTLING_SECONDS if settling else PATIENCE_SECONDS)
        tries = 0
        while (done := self._vfa("smoke", "--base-url", address, environ=environ)).returncode != 0:
            if self.clock() >= end:
                break
            if settling and tries == 0:
                self.report(f"    waiting up to {SETTLING_SECONDS // 60} minutes for the new images domain")
            tries += 1
            self.sleep(PAUSE_SECONDS)
        self.report(done.stdout.rstrip())
        if done.returncode != 0:
            why = done.stderr.strip() or "see above"
            raise Problem(f"{address} is deployed but does not pass the smoke test: {why}")

    @property
    def _secret(self) -> str:
        return self.vault.known("AUTH_JWT_SECRET") or ""

    def _token(self) -> str:
        """A token of PERSON's; empty where an adopted table of users takes none from us."""
        words = ["--wrangler", "remote", "--config", str(self.target.root / "wrangler.toml")]
        if self.target.wrangler_name:
            words += ["--env", self.target.wrangler_name]
        for command in (("user", "add", PERSON, "--limit", str(ROOM)), ("token", PERSON, "--hours", "1")):
            done = self._vfa(*command, *words, environ={})
            if _NOT_OURS.search(done.stderr):
                return ""
            if done.returncode != 0:
                raise Problem(f"`vfa {command[0]}` failed: {done.stderr.strip()}")
        return done.stdout.strip()

    def _vfa(self, *words: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
        # Production has no name that `--env` could pass on, and an exported one would be taken for it.
        own = {"CLOUDFLARE_ENV": self.target.wrangler_name, "CLOUDFLARE_ACCOUNT_ID": self.account}
        return programs.run(
            f"vfa {words[0]}",
            [self.target.root / ".venv/bin/vfa", *words],
            cwd=self.target.root,
            environ={**own, "AUTH_JWT_SECRET": self._secret, **environ},
            timeout=TIMEOUT_SECONDS,
        )
