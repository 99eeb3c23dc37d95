"""A copy of this checkout to deploy from."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import tomlkit
from tests.support.deploy.projects import ROOT, WORKERS
from tools.deploy.config import Target

CREDENTIALS = {"R2_ACCESS_KEY_ID": "key-id", "R2_SECRET_ACCESS_KEY": "key-secret"}


def checkout(folder: Path, *, sources: bool = False) -> Path:
    """A copy of this checkout before its first deployment; with `sources`, all that Wrangler bundles."""
    for name in ("wrangler.toml", "schema.sql", "cors.json", "package.json", "pyproject.toml"):
        shutil.copy2(ROOT / name, folder / name)
    (folder / "tools").mkdir()
    shutil.copy2(ROOT / "tools/build.mjs", folder / "tools/build.mjs")
    shutil.copytree(ROOT / "migrations", folder / "migrations")
    for project in WORKERS:
        source, copy = (
            Target(ROOT, "production").folder(project),
            Target(folder, "production").folder(project),
        )
        copy.mkdir(parents=True, exist_ok=True)
        if project != "gateway":
            shutil.copy2(source / "wrangler.toml", copy / "wrangler.toml")
        if sources:
            _link(source / "python_modules", copy / "python_modules")
        else:
            (copy / "python_modules/workers").mkdir(parents=True)
    if sources:
        for name in ("src", "variants/src", "web"):
            _link(ROOT / name, folder / name)
    for name in ("node_modules", ".venv"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def set_variables(target: Target, **values: str) -> None:
    """Write variables into the gateway's wrangler.toml."""
    path = target.root / "wrangler.toml"
    document: Any = tomlkit.parse(path.read_text())
    tables = document if target.environment == "production" else document["env"][target.environment]
    tables["vars"].update(values)
    path.write_text(tomlkit.dumps(document))


def _link(source: Path, target: Path) -> None:
    """Hard links where the file system has them; symbolic ones Wrangler passes over."""

    def link(file: str, copy: str) -> None:
        try:
            os.link(file, copy)
        except OSError:
            shutil.copy2(file, copy)

    shutil.copytree(source, target, copy_function=link, ignore=shutil.ignore_patterns("__pycache__"))


def write_program(path: Path, script: str) -> None:
    """An executable shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
