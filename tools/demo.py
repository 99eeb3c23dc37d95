"""The main job on a real picture: upload an original, create the artwork, fetch and show its renditions."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from rich.console import Console
from rich.table import Table

from tools import picture, stack
from tools.problem import Problem

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "demo"
VFA = ROOT / ".venv/bin/vfa"
ARTIST = "mara"
STRIP_HEIGHT = 300
STRIP_GAP = 12
RENDITIONS = ("display", "thumbnail", "icon")

Times = dict[str, float]


@contextmanager
def timed(times: Times, stage: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    times[stage] = time.perf_counter() - started


def vfa(*arguments: str) -> str:
    """Standard output of the `vfa` command."""
    done = subprocess.run([str(VFA), *arguments], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise Problem(done.stderr.strip() or done.stdout.strip())
    return done.stdout.strip()


def checked(response: httpx.Response) -> httpx.Response:
    if response.is_error:
        request = response.request
        raise Problem(f"{request.method} {request.url.path} answered {response.status_code}: {response.text}")
    return response


def create(client: httpx.Client, original: bytes, times: Times) -> dict[str, Any]:
    """The three steps of an upload; the artwork as the API answers it."""
    with timed(times, "upload ticket"):
        wish = {"filename": "dusk.jpg", "contentType": "image/jpeg", "size": len(original)}
        ticket = checked(client.post("/api/artworks/upload-url", json=wish)).json()
    with timed(times, "PUT original"):
        checked(httpx.put(ticket["uploadUrl"], headers=ticket["headers"], content=original, timeout=60))
    with timed(times, "create artwork"):
        wish = {
            "title": "Dusk over the lake",
            "originalKey": ticket["key"],
            "materials": "noise and gradients",
            "category": "digital",
            "tags": ["dusk", "mountains"],
        }
        artwork = checked(client.post("/api/artworks", json=wish)).json()["data"]
    return dict(artwork)


def fetch(client: httpx.Client, artwork: dict[str, Any], times: Times) -> dict[str, bytes]:
    """Bytes of the original and its renditions, by name."""
    with timed(times, "GET all four"):
        artwork = checked(client.get(f"/api/artworks/{artwork['id']}")).json()["data"]
        urls = {"original": artwork.get("originalDownloadUrl") or artwork["originalUrl"]}
        urls |= {name: artwork[f"{name}Url"] for name in RENDITIONS}
        return {name: checked(httpx.get(url, timeout=60)).content for name, url in urls.items()}


def show(console: Console, files: dict[str, bytes], times: Times) -> None:
    stages = Table("stage", "ms", title="Time of each stage")
    stages.columns[1].justify = "right"
    for stage, seconds in times.items():
        stages.add_row(stage, f"{seconds * 1000:.0f}")
    table = Table("file", "pixels", "bytes", title=f"Saved into {FOLDER.name}/")
    table.columns[2].justify = "right"
    for name, data in files.items():
        with Image.open(io.BytesIO(data)) as image:
            table.add_row(f"{name}.jpg", f"{image.width} × {image.height}", f"{len(data):,}")
    console.print(stages, table)


def strip(files: dict[str, bytes]) -> Image.Image:
    """Original, thumbnail, icon and a corner of the display version side by side, 300 pixels high."""
    images = {name: Image.open(io.BytesIO(data)).convert("RGB") for name, data in files.items()}
    original, display = images["original"], images["display"]
    original = original.resize((original.width * STRIP_HEIGHT // original.height, STRIP_HEIGHT))
    corner = display.crop((display.width - 420, display.height - STRIP_HEIGHT, display.width, display.height))
    parts = [original, images["thumbnail"], images["icon"], corner]
    made = Image.new(
        "RGB", (sum(part.width + STRIP_GAP for part in parts) - STRIP_GAP, STRIP_HEIGHT), "white"
    )
    left = 0
    for part in parts:
        made.paste(part, (left, STRIP_HEIGHT - part.height))
        left += part.width + STRIP_GAP
    return made


def run(console: Console) -> None:
    times: Times = {}
    original = ROOT / ".cache/demo-original.jpg"
    if not original.exists():
        with timed(times, "paint the original"), console.status("painting a 12 MP original"):
            picture.save(original)
    with tempfile.TemporaryDirectory(prefix="vfa-demo-") as folder:
        state = Path(folder)
        with timed(times, "start four Workers"), console.status("starting the four Workers"):
            starting = stack.running(state)
            running = starting.__enter__()
        try:
            vfa("user", "add", ARTIST, "--state", folder)
            token = vfa("token", ARTIST, "--state", folder)
            headers = {"Authorization": f"Bearer {token}"}
            with httpx.Client(base_url=running.url, headers=headers, timeout=60) as client:
                artwork = create(client, original.read_bytes(), times)
                files = fetch(client, artwork, times)
        finally:
            starting.__exit__(None, None, None)
    FOLDER.mkdir(exist_ok=True)
    for name, data in files.items():
        (FOLDER / f"{name}.jpg").write_bytes(data)
    # The README's picture is committed: a demo is not to change it.
    strip(files).save(FOLDER / "renditions.jpg", quality=88)
    console.print_json(json.dumps({"data": artwork}, ensure_ascii=False))
    show(console, files, times)
    console.print(
        "The local gallery of this demo has ended, and its addresses with it; `make dev` starts one to stay."
    )


def main() -> int:
    try:
        run(Console())
    except Problem as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
