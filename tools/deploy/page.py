"""The web page of one environment: its Content-Security-Policy names that environment's hosts."""

from __future__ import annotations

from pathlib import Path

from tools.deploy import programs
from tools.deploy.target import Target
from tools.problem import Problem

TIMEOUT_SECONDS = 120


def build(target: Target, folder: Path) -> None:
    """`npm run build` into a folder, with the values that wrangler.toml has now."""
    done = programs.run(
        "node web/build.mjs",
        [target.root / ".venv/bin/node", target.root / "web/build.mjs", folder],
        cwd=target.root,
        environ={"CLOUDFLARE_ENV": target.wrangler_name},
        timeout=TIMEOUT_SECONDS,
    )
    if done.returncode != 0:
        lines = [line.strip() for line in done.stderr.splitlines() if "Error" in line]
        raise Problem(f"the web page cannot be built: {(lines or ['no word'])[0]}")
