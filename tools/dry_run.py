"""Bundle all four Workers as `wrangler deploy` would, and compare their compressed sizes with limits."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile

from tools.problem import Problem
from tools.vendor import PROJECTS, ROOT, Project

WRANGLER = ROOT / "node_modules/wrangler/bin/wrangler.js"
GATEWAY_LIMIT_KIB = 300
RENDERER_LIMIT_KIB = 4096


def bundle_size(project: Project) -> float:
    """Compressed KiB of what would be uploaded.

    Raises:
        Problem: Wrangler refuses the Worker, or the gateway's bundle holds Pillow.
    """
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [str(ROOT / ".venv/bin/node"), str(WRANGLER), "deploy", "--dry-run", "--outdir", folder],
            cwd=project.folder,
            env={**os.environ, "WRANGLER_SEND_METRICS": "false", "NO_COLOR": "1"},
            check=False,
            capture_output=True,
            text=True,
        )
        size = re.search(r"gzip: ([\d.]+) (KiB|MiB)", done.stdout)
        if done.returncode != 0 or not size:
            raise Problem(f"wrangler refuses the {project.name} Worker:\n{done.stdout}{done.stderr}")
        if project.name == "gateway" and (ROOT / folder / "python_modules/PIL").exists():
            raise Problem("the gateway's bundle holds Pillow")
    return float(size[1]) * (1024 if size[2] == "MiB" else 1)


def main() -> int:
    for project in PROJECTS:
        limit = GATEWAY_LIMIT_KIB if project.name == "gateway" else RENDERER_LIMIT_KIB
        try:
            size = bundle_size(project)
        except Problem as problem:
            print(f"error: {problem}", file=sys.stderr)
            return 1
        print(f"{project.name:10} {size:8.1f} KiB compressed (at most {limit})")
        if size > limit:
            print(f"error: the {project.name} Worker is larger than its limit", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
