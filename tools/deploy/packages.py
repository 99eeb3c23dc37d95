"""The Workers' packages by Cloudflare's own tool, in place of those that `make setup` vendors."""

from __future__ import annotations

import os

from tools.deploy import programs
from tools.deploy.target import PROJECTS, Target
from tools.problem import Problem

TIMEOUT_SECONDS = 600
COMMAND = ("sync", "--force")


def sync(target: Target) -> None:
    """`pywrangler sync` in each project; it downloads two interpreters from outside the registries."""
    tools = target.root / ".venv/bin"
    for project in PROJECTS:
        done = programs.run(
            "pywrangler sync",
            [tools / "pywrangler", *COMMAND],
            cwd=target.folder(project),
            environ={"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"},
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
