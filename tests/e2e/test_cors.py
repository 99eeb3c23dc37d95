"""A page of another origin, in a real browser."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from tests.support.e2e.accounts import vfa
from tests.support.pictures import jpeg
from tools import stack as local_stack
from tools.stack import Stack

# The three steps, a look at the pictures and at what only exposed headers tell.
FLOW = """
async ({ gallery, token, picture }) => {
  const bytes = Uint8Array.from(atob(picture), (sign) => sign.charCodeAt(0));
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const call = (method, path, body, extra) =>
    fetch(gallery + path, { method, headers: { ...headers, ...extra }, body: body && JSON.stringify(body) });
  const ticket = await (
    await call("POST", "/api/artworks/upload-url", {
      filename: "a.jpg", contentType: "image/jpeg", size: bytes.length,
    })
  ).json();
  const put = await fetch(ticket.uploadUrl, { method: ticket.method, headers: ticket.headers, body: bytes });
  const created = await call("POST", "/api/artworks", { title: "From afar", originalKey: ticket.key });
  const { data } = await created.json();
  const match = { "If-Match": created.headers.get("ETag") };
  const changed = await call("PATCH", `/api/artworks/${data.id}`, { title: "x" }, match);
  const image = await fetch(data.displayUrl, { headers: { Range: "bytes=0-2" } });
  const shown = await new Promise((resolve) => {
    const element = new Image();
    element.onload = () => resolve(element.naturalWidth);
    element.onerror = () => resolve(0);
    element.src = data.thumbnailUrl;
  });
  const removed = await call("DELETE", `/api/artworks/${data.id}`);
  return {
    statuses: [put, created, changed, image, removed].map((answer) => answer.status),
    etag: created.headers.get("ETag"),
    timing: created.headers.get("Server-Timing"),
    requestId: created.headers.get("X-Request-Id"),
    shown,
  };
}
"""
READ = """(gallery) => fetch(`${gallery}/healthz`).then((answer) => answer.status, (error) => error.name)"""


class Blank(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Elsewhere</title>")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """An origin of its own with an empty page."""
    with HTTPServer(("127.0.0.1", 0), Blank) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(5)


@pytest.fixture
def open_stack(request: pytest.FixtureRequest, elsewhere: str, tmp_path: Path) -> Iterator[Stack]:
    """A gallery that knows the other origin."""
    if request.config.getoption("--base-url"):
        pytest.skip("needs a local runtime of its own")
    with local_stack.running(tmp_path, arguments=["--var", f"ALLOWED_ORIGINS={elsewhere}"]) as stack:
        assert f"pages on {elsewhere} may call it, by ALLOWED_ORIGINS" in stack.lines
        yield stack


def test_a_page_of_an_allowed_origin_runs_the_whole_flow(
    browser: Browser, elsewhere: str, open_stack: Stack
) -> None:
    state = ["--state", str(open_stack.state)]
    vfa("user", "add", "ada", *state)
    context = browser.new_context()
    page = context.new_page()
    page.goto(elsewhere)
    given = {
        "gallery": open_stack.url,
        "token": vfa("token", "ada", *state),
        "picture": base64.b64encode(jpeg(640, 480)).decode(),
    }
    seen = page.evaluate(FLOW, given)
    assert seen["statuses"] == [200, 201, 200, 206, 204]
    assert seen["shown"] == 300
    assert seen["etag"].startswith('"1-')
    assert "thumbnail;dur=" in seen["timing"]
    assert seen["requestId"]
    assert page.evaluate(READ, open_stack.url) == 200

    page.goto(elsewhere.replace("127.0.0.1", "localhost"))
    assert page.evaluate(READ, open_stack.url) == "TypeError"
    context.close()
