"""`make wrangler-dev`: the four Workers in Cloudflare's own Python runtime, by one `wrangler dev`.

Prepares what that needs beside wrangler.toml: secrets in `.dev.vars` files, which git ignores, the schema of
the local database, and a user with a token. What exists is kept.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.deploy.config import ROOT, Target, check_setup, run_program
from tools.problem import Problem

USER = "ann"
TIMEOUT_SECONDS = 300
_ASSIGNMENT = re.compile(r'^([A-Z0-9_]+)="?(.*?)"?$', re.MULTILINE)


def write_secrets(target: Target, port: int) -> dict[str, str]:
    """Write the `.dev.vars` files that are missing; returns the gateway's values.

    Secrets of an existing file are kept; its R2_S3_ENDPOINT follows the port, where Wrangler serves the local
    bucket. Only their owner can read the files.
    """
    path = target.root / ".dev.vars"
    text = path.read_text() if path.exists() else (target.root / ".dev.vars.example").read_text()
    for name in ("AUTH_JWT_SECRET", "WORKER_AUTH_TOKEN"):
        text = re.sub(rf'^{name}=""$', f'{name}="{secrets.token_hex(32)}"', text, flags=re.MULTILINE)
    text = re.sub(r"(?<=^R2_S3_ENDPOINT=\"http://127\.0\.0\.1:)\d+", str(port), text, flags=re.MULTILINE)
    _write(path, text)
    values = dict(_ASSIGNMENT.findall(text))
    for renderer in target.renderers:
        _write(target.folder(renderer) / ".dev.vars", f'WORKER_AUTH_TOKEN="{values["WORKER_AUTH_TOKEN"]}"\n')
    return values


def _write(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


def prepare(target: Target, port: int) -> str:
    """Write secrets, apply the schema and add USER; returns a token of that user.

    Raises:
        Problem: a command fails.
    """
    values = write_secrets(target, port)
    environ = _environ(target) | {"AUTH_JWT_SECRET": values["AUTH_JWT_SECRET"]}
    wrangler, vfa = _wrangler(target), target.root / ".venv/bin/vfa"
    local = ("--wrangler", "local")
    migrate = ("d1", "migrations", "apply", "DB", "--local", "--env=")
    _run("wrangler d1 migrations apply", [*wrangler, *migrate], target, environ)
    _run("vfa user add", [vfa, "user", "add", USER, "--limit", "50", *local], target, environ)
    return _run("vfa token", [vfa, "token", USER, *local], target, environ).strip()


def _wrangler(target: Target) -> tuple[Path, ...]:
    return target.root / ".venv/bin/node", target.root / "node_modules/wrangler/bin/wrangler.js"


def _environ(target: Target) -> dict[str, str]:
    path = f"{target.root / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "CLOUDFLARE_ENV": "", "WRANGLER_SEND_METRICS": "false", "GALLERY_WRANGLER_DEV": "1"}


def _run(name: str, command: Sequence[str | Path], target: Target, environ: Mapping[str, str]) -> str:
    done = run_program(name, command, cwd=target.root, environ=environ, timeout=TIMEOUT_SECONDS)
    if done.returncode != 0:
        raise Problem(f"`{name}` failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def command_line(target: Target, port: int) -> list[str]:
    """`wrangler dev` with the files of all Workers, the gateway first: it gets the port."""
    files = [target.folder(project) / "wrangler.toml" for project in ("gateway", *target.renderers)]
    options = [word for path in files for word in ("-c", str(path.relative_to(target.root)))]
    return [*map(str, _wrangler(target)), "dev", "--ip", "127.0.0.1", "--port", str(port), *options]


def main(words: Sequence[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(prog="make wrangler-dev", description=__doc__)
    parser.add_argument("--port", type=int, default=8787, help="where the gateway answers (8787)")
    port = parser.parse_args(words).port
    target = Target(root, "production")
    try:
        check_setup(target)
        token = prepare(target, port)
    except Problem as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    print(f"user {USER}, token {token}", flush=True)
    try:
        return subprocess.run(
            command_line(target, port), cwd=root, env={**os.environ, **_environ(target)}, check=False
        ).returncode
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
