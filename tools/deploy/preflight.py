"""What must be here before the account is asked anything."""

from __future__ import annotations

import json
import re

from tools.deploy import programs
from tools.deploy.target import PROJECTS, Target
from tools.problem import Problem


def check(target: Target) -> None:
    """Raise a Problem naming the first thing that is missing and what to do about it."""
    package = json.loads((target.root / "package.json").read_text())
    wanted = package["devDependencies"]["wrangler"]
    installed = target.root / "node_modules/wrangler/package.json"
    if not installed.exists():
        raise Problem("Wrangler is not installed; run `make setup`")
    found = json.loads(installed.read_text())["version"]
    if found != wanted:
        raise Problem(f"Wrangler {found} is installed, {wanted} is wanted; run `make setup`")
    _check_node(target, package["engines"]["node"].removeprefix(">="))
    for project in PROJECTS:
        modules = target.folder(project) / "python_modules"
        if not (modules / "workers").is_dir():
            raise Problem(f"the {project} Worker has no packages in {modules}; run `make setup`")


def _check_node(target: Target, minimum: str) -> None:
    node = target.root / ".venv/bin/node"
    done = programs.run("node", [node, "--version"], cwd=target.root, environ={}, timeout=20)
    found = re.match(r"v(\d+)\.(\d+)\.(\d+)", done.stdout)
    if not found or tuple(map(int, found.groups())) < tuple(map(int, minimum.split("."))):
        raise Problem(
            f"Node {minimum} or newer is needed, this is {done.stdout.strip() or 'none'}; run `make setup`"
        )
