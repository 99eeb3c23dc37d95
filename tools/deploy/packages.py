"""The Workers' packages by Cloudflare's own tool, in place of those that `make setup` vendors."""

from __future__ import annotations

import os
import subprocess

from tools.deploy.target import PROJECTS, Target
from tools.problem import Problem

TIMEOUT_SECONDS = 600


def sync(target: Target) -> None:
    """`pywrangler sync` in each project; it downloads two interpreters from outside the registries."""
    tools = target.root / ".venv/bin"
    for project in PROJECTS:
        done = subprocess.run(
            [str(tools / "pywrangler"), "sync", "--force"],
            cwd=target.folder(project),
            env={**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"},
            check=False,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )
        if done.returncode != 0:
            lines = [line.strip() for line in f"{done.stdout}\n{done.stderr}".splitlines() if line.strip()]
            errors = [line for line in lines if line.lower().startswith("error")]
            why = errors[0] if errors else (lines or ["no word"])[-1]
            raise Problem(
                f"`pywrangler sync` failed for the {project} Worker ({why}); without --pywrangler the "
                "packages are those that `make setup` vendored"
            )
        print(f"  ✓ packages of the {project} Worker by pywrangler")
