"""A copy of this checkout to deploy from."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.support.deploy.projects import ROOT, WORKERS
from tools.deploy.config import CDN_DOMAIN, DATABASE_ID, ENDPOINT, ENVIRONMENTS, NAMESPACE_ID, Target

PLACEHOLDERS = {
    DATABASE_ID: "00000000-0000-0000-0000-000000000000",
    NAMESPACE_ID: "0" * 32,
    ENDPOINT: "https://ACCOUNT_ID.r2.cloudflarestorage.com",
    CDN_DOMAIN: "",
}
CREDENTIALS = {"R2_ACCESS_KEY_ID": "key-id", "R2_SECRET_ACCESS_KEY": "key-secret"}


def checkout(folder: Path, *, sources: bool = False) -> Path:
    """A copy of this checkout before its first deployment; with `sources`, all that Wrangler bundles."""
    for name in ("wrangler.toml", "schema.sql", "cors.json", "package.json", "pyproject.toml"):
        shutil.copy2(ROOT / name, folder / name)
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
    for environment in ENVIRONMENTS:
        Target(folder, environment).write(PLACEHOLDERS)
    return folder


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
