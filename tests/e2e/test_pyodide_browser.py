"""The client inside Pyodide in a real browser, on another origin than the gallery's."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser
from tests.support.e2e.static_site import Site, serving
from tests.support.pictures import jpeg
from tools import stack

ROOT = Path(__file__).resolve().parents[2]
WHEELS = ROOT / ".cache/browser-wheels"
HERE = ROOT / "tests/support/e2e/pyodide"
SIZE = (1600, 1200)
TIMEOUT_MS = 60_000
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The page, npm's Pyodide, and a package index with the built wheel and what it needs."""
    dist = tmp_path_factory.mktemp("dist")
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(dist),
        str(ROOT / "client"),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    downloaded = list(WHEELS.glob("*.whl"))
    assert downloaded, "run: python3 tools/setup.py --browser"
    folders = {"": HERE, "pyodide": ROOT / "node_modules/pyodide"}
    with serving(Site(folders, [*downloaded, *dist.glob("*.whl")])) as site:
        yield site


@pytest.fixture(scope="module")
def running(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[stack.Stack]:
    """A local stack that allows the site's origin and no other."""
    state = tmp_path_factory.mktemp("state")
    with stack.running(state, arguments=["--var", f"ALLOWED_ORIGINS={site.origin}"]) as running:
        yield running


def vfa(running: stack.Stack, *words: str) -> str:
    command = [str(ROOT / ".venv/bin/vfa"), *words, "--state", str(running.state)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


def run_in_browser(
    browser: Browser, site: Site, place: str, names: dict[str, str]
) -> tuple[dict[str, Any], set[str]]:
    """What the program answered, and every origin that the browser spoke to."""
    context = browser.new_context()
    context.set_default_timeout(TIMEOUT_MS)
    origins: set[str] = set()
    context.on("request", lambda request: origins.add("/".join(request.url.split("/")[:3])))
    try:
        page = context.new_page()
        page.goto(site.origin)
        program = (HERE / "program.py").read_text()
        answer = page.evaluate(
            "([place, program, names]) => start(place, program, names)", [place, program, names]
        )
        return json.loads(answer), {origin for origin in origins if not origin.startswith(("blob:", "data:"))}
    finally:
        context.close()


@pytest.mark.parametrize("place", ["worker", "page"])
def test_the_built_wheel_uploads_from_another_origin(
    browser: Browser, site: Site, running: stack.Stack, place: str
) -> None:
    username = f"browser-{place}"
    vfa(running, "user", "add", username)
    token = vfa(running, "token", username)
    picture = jpeg(*SIZE, seed=3)
    names = {
        "gallery": running.url,
        "token": token,
        "nowhere": NOWHERE,
        "picture": base64.b64encode(picture).decode(),
    }

    answer, origins = run_in_browser(browser, site, place, names)

    assert origins <= {site.origin, running.url, NOWHERE}
    assert answer["me"] == username
    assert answer["mine"] == ["one", "From the browser"]
    assert answer["batch"] == [["arrived", "failed"], ["known", "failed"]]
    assert answer["renamed"] == "Renamed there"
    assert answer["progress"] == [
        ["sending", len(picture)],
        ["rendering", len(picture)],
        ["done", len(picture)],
    ]
    assert {"requests", "pyodide-http", "vfa-gallery-client"} <= set(answer["installed"])
    assert not {"click", "rich", "PyJWT", "pillow"} & set(answer["installed"])
    artwork = answer["artwork"]
    assert (artwork["originalWidth"], artwork["originalHeight"]) == SIZE
    original = httpx.get(artwork["originalDownloadUrl"]).content
    assert hashlib.sha256(original).digest() == hashlib.sha256(picture).digest()
    assert httpx.get(artwork["iconUrl"]).headers["content-type"] == "image/jpeg"

    assert refusal_of(answer, "not found") == ("NotFound", "not_found")
    assert refusal_of(answer, "stale") == ("PreconditionFailed", "precondition_failed")
    assert refusal_of(answer, "no picture") == ("UnreadableImage", "unreadable_image")
    assert answer["unreachable"] == {"kind": "Unreachable", "code": "unreachable", "requestId": None}
    assert answer["ready"]


def refusal_of(answer: dict[str, Any], name: str) -> tuple[str, str]:
    """Kind and code of what the gallery refused; it always names the request."""
    refused = answer[name]
    assert refused["requestId"]
    return refused["kind"], refused["code"]
