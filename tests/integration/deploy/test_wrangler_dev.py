"""The commands that docs/deploy.md gives for a genuine `wrangler dev`, run as they stand there.

With JavaScript in place of the Python sources, for workerd fetches Cloudflare's Python runtime from a host of
its own: what is seen is that configuration, secrets, stores, S3 endpoint and service bindings go together.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.deploy.checkout import checkout
from tests.support.deploy.projects import ROOT, VARIANTS

from gallery.access.signing import Signer

KEY = "originals/usr_1/00000000-0000-4000-8000-000000000001.jpg"
GATEWAY = """
const SIBLINGS = ["THUMBNAIL", "ICON", "WATERMARK"];
export default {
  async fetch(request, env) {
    const path = new URL(request.url).pathname;
    const ask = async (name) => (await env[name].fetch("http://sibling" + path)).text();
    const { results } = await env.DB.prepare("SELECT username FROM users").all();
    await env.KV.put("flag", "up", { expirationTtl: 60 });
    const texts = Object.entries(env).filter(([, value]) => typeof value === "string");
    return Response.json({
      users: results.map((row) => row.username),
      flag: await env.KV.get("flag"),
      allowed: (await env.CREATE_LIMIT.limit({ key: "ann" })).success,
      siblings: await Promise.all(SIBLINGS.map(ask)),
      texts: Object.fromEntries(texts),
    });
  },
};
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


def blocks(heading: str) -> list[str]:
    """The shell blocks of one section of the guide."""
    section = (ROOT / "docs/deploy.md").read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)


def in_javascript(root: Path) -> None:
    (root / "src").mkdir()
    (root / "variants/src").mkdir()
    (root / "web/dist").mkdir(parents=True)
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
    example = (ROOT / ".dev.vars.example").read_text()
    (root / ".dev.vars.example").write_text(example.replace("8787", str(port)))
    script = blocks("A genuine `wrangler dev`")[0].replace("8787", str(port))
    log = root / "dev.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            ["bash", "-euc", script],
            cwd=root,
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


def test_a_person_is_added_while_it_runs(development: Development) -> None:
    command = next(line for line in blocks("A genuine `wrangler dev`")[1].splitlines() if "user add" in line)
    done = development.sh(command)
    assert done.returncode == 0, done.stderr
    assert development.look()["users"] == ["ann"]


def test_an_upload_ticket_works_once_and_siblings_see_the_original(development: Development) -> None:
    signer = Signer(f"{development.url}/cdn-cgi/local/r2/s3", "vfa-gallery", "local", "local")
    headers = {"Content-Type": "image/jpeg", "If-None-Match": "*"}
    signed = headers | {"Content-Length": "5"}
    url = signer.presign("PUT", KEY, now=datetime.now(UTC), lifetime=900, headers=signed)
    answers = [httpx.put(url, headers=headers, content=b"hello", timeout=30).status_code for _ in range(2)]
    assert answers == [200, 412]
    assert [text.split()[1] for text in development.look(f"api/{KEY}")["siblings"]] == ["hello"] * 3
