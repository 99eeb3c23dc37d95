"""`make wrangler-dev`: secrets, schema, a user with a token, and one `wrangler dev` with four configurations.

With JavaScript in place of the Python sources, for workerd fetches Cloudflare's Python runtime from a host of
its own: what is seen is that configuration, secrets, stores, S3 endpoint and service bindings go together.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from tests.support.deploy.checkout import checkout
from tests.support.deploy.projects import NODE, ROOT, VARIANTS
from tools import wrangler_dev
from tools.deploy.config import Target

from gallery.access.signing import Signer

KEY = "originals/usr_1/00000000-0000-4000-8000-000000000001.jpg"
GATEWAY = """
const SIBLINGS = ["THUMBNAIL", "ICON", "WATERMARK"];
export default {
  async fetch(request, env) {
    const path = new URL(request.url).pathname;
    const ask = async (name) => (await env[name].fetch("http://sibling" + path)).text();
    const { results } = await env.DB.prepare("SELECT id, username FROM users ORDER BY username").all();
    await env.KV.put("flag", "up", { expirationTtl: 60 });
    const texts = Object.entries(env).filter(([, value]) => typeof value === "string");
    return Response.json({
      users: results,
      flag: await env.KV.get("flag"),
      allowed: (await env.CREATE_LIMIT.limit({ key: "ann" })).success,
      siblings: await Promise.all(SIBLINGS.map(ask)),
      texts: Object.fromEntries(texts),
    });
  },
};
"""
COMMAND = """
import sys
from pathlib import Path
from tools.wrangler_dev import main
sys.exit(main(["--port", sys.argv[2]], Path(sys.argv[1])))
"""
SIBLING = """
export default {
  async fetch(request, env) {
    const object = await env.BUCKET.get(new URL(request.url).pathname.slice("/api/".length));
    return new Response(`${env.WORKER_AUTH_TOKEN} ${object && (await object.text())}`);
  },
};
"""


@dataclass(frozen=True)
class Development:
    """A running `wrangler dev`: where it answers, and the checkout it runs in."""

    root: Path
    url: str

    def look(self, path: str = "api/me") -> Any:
        """What the gateway finds in its environment, and the siblings at `path` in the bucket."""
        return httpx.get(f"{self.url}/{path}", timeout=30).json()

    def sh(self, script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euc", script],
            cwd=self.root,
            env=environ(),
            check=False,
            capture_output=True,
            text=True,
        )


def environ() -> dict[str, str]:
    quiet = {"WRANGLER_SEND_METRICS": "false", "NODE_COMPILE_CACHE": str(ROOT / ".cache/node")}
    return {**os.environ, **quiet, "PATH": f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"}


def in_javascript(root: Path) -> None:
    (root / "src").mkdir()
    (root / "variants/src").mkdir()
    (root / "src/entry.mjs").write_text(GATEWAY)
    (root / "variants/src/sibling.mjs").write_text(SIBLING)
    for folder in (root, *(root / "variants" / name for name in VARIANTS)):
        path = folder / "wrangler.toml"
        main = "src/entry.mjs" if folder == root else "../src/sibling.mjs"
        text = re.sub(r"^main = .*$", f'main = "{main}"', path.read_text(), flags=re.MULTILINE)
        path.write_text(text.replace('compatibility_flags = ["python_workers"]', "compatibility_flags = []"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait(url: str, process: subprocess.Popen[str], log: Path) -> None:
    for _ in range(480):
        try:
            httpx.get(url, timeout=5)
        except httpx.TransportError:
            assert process.poll() is None, log.read_text()
            time.sleep(0.25)
        else:
            return
    pytest.fail(log.read_text())


@pytest.fixture(scope="module")
def development(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Development]:
    root, port = checkout(tmp_path_factory.mktemp("checkout")), free_port()
    in_javascript(root)
    shutil.copy2(ROOT / ".dev.vars.example", root / ".dev.vars.example")
    shutil.copytree(ROOT / "web", root / "web")
    log = root / "dev.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, str(root), str(port)],
            cwd=ROOT,
            env=environ(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            wait(f"http://127.0.0.1:{port}/", process, log)
            yield Development(root, f"http://127.0.0.1:{port}")
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)


def test_every_binding_variable_and_secret_is_there(development: Development) -> None:
    answer = development.look()
    assert (answer["flag"], answer["allowed"]) == ("up", True)
    texts = answer["texts"]
    assert texts["R2_S3_ENDPOINT"] == f"{development.url}/cdn-cgi/local/r2/s3"
    assert len(texts["AUTH_JWT_SECRET"]) == 64
    assert texts["R2_BUCKET"] == "vfa-gallery"
    assert answer["siblings"] == [f"{texts['WORKER_AUTH_TOKEN']} null"] * 3


def test_a_user_with_a_token_is_there(development: Development) -> None:
    (line,) = [line for line in (development.root / "dev.log").read_text().splitlines() if "token" in line]
    name, token = re.fullmatch(r"user (\w+), token (\S+)", line).groups()  # type: ignore[union-attr]
    users = development.look()["users"]
    assert [user["username"] for user in users] == [name] == ["ann"]
    secret = development.look()["texts"]["AUTH_JWT_SECRET"]
    claims = jwt.decode(token, secret, algorithms=["HS256"], options={"verify_aud": False})
    assert claims["sub"] == users[0]["id"]


def test_users_are_added_while_it_runs(development: Development) -> None:
    done = development.sh("vfa user add bob --wrangler local")
    assert done.returncode == 0, done.stderr
    assert [user["username"] for user in development.look()["users"]] == ["ann", "bob"]


def test_an_upload_ticket_works_once_and_siblings_see_the_original(development: Development) -> None:
    signer = Signer(f"{development.url}/cdn-cgi/local/r2/s3", "vfa-gallery", "local", "local")
    headers = {"Content-Type": "image/jpeg", "If-None-Match": "*"}
    signed = headers | {"Content-Length": "5"}
    url = signer.presign("PUT", KEY, now=datetime.now(UTC), lifetime=900, headers=signed)
    answers = [httpx.put(url, headers=headers, content=b"hello", timeout=30).status_code for _ in range(2)]
    assert answers == [200, 412]
    assert [text.split()[1] for text in development.look(f"api/{KEY}")["siblings"]] == ["hello"] * 3


def test_what_exists_is_kept_and_the_port_is_followed(tmp_path: Path) -> None:
    target = Target(checkout(tmp_path), "production")
    shutil.copy2(ROOT / ".dev.vars.example", tmp_path / ".dev.vars.example")
    first = wrangler_dev.write_secrets(target, 8787)
    again = wrangler_dev.write_secrets(target, 9000)
    assert first["R2_S3_ENDPOINT"] == "http://127.0.0.1:8787/cdn-cgi/local/r2/s3"
    assert again == first | {"R2_S3_ENDPOINT": "http://127.0.0.1:9000/cdn-cgi/local/r2/s3"}
    assert len(first["AUTH_JWT_SECRET"]) == len(first["WORKER_AUTH_TOKEN"]) == 64
    files = [tmp_path / ".dev.vars", *(target.folder(name) / ".dev.vars" for name in target.renderers)]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert {path.read_text() for path in files[1:]} == {f'WORKER_AUTH_TOKEN="{first["WORKER_AUTH_TOKEN"]}"\n'}


def test_the_command_names_every_worker_and_the_gateway_first(tmp_path: Path) -> None:
    words = wrangler_dev.command_line(Target(checkout(tmp_path), "production"), 8787)
    files = [f"variants/{name}/wrangler.toml" for name in VARIANTS]
    assert words[2:] == [
        *("dev", "--ip", "127.0.0.1", "--port", "8787", "-c", "wrangler.toml"),
        *(word for path in files for word in ("-c", path)),
    ]


@pytest.mark.parametrize(
    ("project", "missing", "sentence"),
    [
        ("gateway", "packages", "The packages of this Worker are not installed: run `make setup` first."),
        ("icon", "packages", "The packages of this Worker are not installed: run `make setup` first."),
        (
            "gateway",
            "secrets",
            "The secrets for local development are missing: `make wrangler-dev` writes them",
        ),
        ("icon", "secrets", "The secrets for local development are missing: `make wrangler-dev` writes them"),
    ],
)
def test_plain_wrangler_dev_says_what_is_missing(
    tmp_path: Path, project: str, missing: str, sentence: str
) -> None:
    target = Target(checkout(tmp_path, sources=missing == "secrets"), "production")
    if missing == "packages":
        (target.folder(project) / "python_modules/workers").rmdir()
        in_javascript(target.root)
    wrangler = ROOT / "node_modules/wrangler/bin/wrangler.js"
    command = [str(NODE), str(wrangler), "dev", "--port", str(free_port())]
    folder = target.folder(project)
    done = subprocess.run(
        command,
        cwd=folder,
        env=environ(),
        stdin=subprocess.DEVNULL,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert sentence in done.stdout + done.stderr
