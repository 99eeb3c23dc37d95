"""The port through which everything that touches the account passes: Wrangler's command line."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tools.deploy import programs
from tools.problem import Problem

TIMEOUT_SECONDS = 300
_ADVICE = ("🪵", "📝", "To learn more", "If you think this is a bug")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one command ended: its exit status and what it printed."""

    status: int
    out: str
    err: str = ""

    @property
    def sentence(self) -> str:
        """What Wrangler says is wrong, without its frame and its advice."""
        text = _COLOURS.sub("", f"{self.err}\n{self.out}")
        _, found, message = text.partition("[ERROR]")
        lines = [line.strip() for line in (message if found else text).splitlines()]
        lines = [line for line in lines if line and not line.startswith(_ADVICE)]
        if lines and lines[0].startswith("A request to the Cloudflare API") and len(lines) > 1:
            lines = lines[1:]
        return " ".join(lines[:2]) or f"it ended with status {self.status} and no word"


class Wrangler(Protocol):
    """Runs one Wrangler command, words after `wrangler`, in a project's folder."""

    def run(self, *words: str, folder: Path, environ: dict[str, str] | None = None) -> Outcome: ...


@dataclass(slots=True)
class InstalledWrangler:
    """The pinned Wrangler of a checkout, never asking and never sending metrics."""

    root: Path
    environ: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str, folder: Path, environ: dict[str, str] | None = None) -> Outcome:
        node, script = self.root / ".venv/bin/node", self.root / "node_modules/wrangler/bin/wrangler.js"
        quiet = {"WRANGLER_SEND_METRICS": "false", "WRANGLER_HIDE_BANNER": "true", "NO_COLOR": "1"}
        # Wrangler is 15 MB of JavaScript: compiling it is a quarter of what a command costs.
        cache = os.environ.get("NODE_COMPILE_CACHE", str(self.root / ".cache/node"))
        # The option names the environment; an exported name must not, where a command has no such option.
        own = {"NODE_COMPILE_CACHE": cache, "CLOUDFLARE_ENV": "", **quiet, **self.environ, **(environ or {})}
        done = programs.run(
            f"wrangler {' '.join(words[:3])}",
            [node, script, *words],
            cwd=folder,
            environ=own,
            timeout=TIMEOUT_SECONDS,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)


def named(words: tuple[str, ...]) -> str:
    """How a sentence calls a command."""
    return f"`wrangler {' '.join(words[:3])}`"


def succeeded(outcome: Outcome, what: str) -> str:
    """Standard output of a command that must succeed."""
    if outcome.status != 0:
        raise Problem(f"{what} failed: {outcome.sentence}")
    return outcome.out
