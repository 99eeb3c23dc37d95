"""Takes the README's pictures of the page: `python -m tests.support.e2e.screenshots` writes docs/*.png."""

from __future__ import annotations

import io
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, expect, sync_playwright
from tests.support.e2e.browsing import Line, choose, expect_state, launch, painting, row, start_upload
from tests.support.e2e.paintings import paint
from tests.support.e2e.uploads import create, upload
from tests.support.pictures import encode
from tools.stack import ROOT, Stack, running

DOCS = ROOT / "docs"
LIMIT_BYTES = 400_000
WIDE: dict[str, Any] = {"viewport": {"width": 1280, "height": 860}}
LOW: dict[str, Any] = {"viewport": {"width": 1280, "height": 770}}
TALL: dict[str, Any] = {"viewport": {"width": 1280, "height": 1000}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True}

# Who made it, what it is called, how it is painted, its size and seed, and what is said of it.
WORKS = (
    ("mirela", "First cold morning", "hills", (1200, 1500), 1, {"category": "photography"}),
    ("keiko", "Seven valleys", "ink", (1200, 1600), 53, {"category": "drawing"}),
    ("oyelaran", "Tartan study", "weave", (1500, 1500), 42, {"category": "textile"}),
    ("jonas", "Carousel", "circles", (1200, 1600), 21, {"category": "illustration"}),
    ("mirela", "Two windows", "field", (1200, 1600), 11, {"category": "painting"}),
    ("oyelaran", "Strata", "dunes", (1800, 1000), 30, {"category": "digital"}),
    ("jonas", "Rotations", "circles", (1500, 1500), 22, {"category": "printmaking"}),
    (
        "keiko",
        "Red moon",
        "ink",
        (1800, 1260),
        51,
        {
            "category": "drawing",
            "description": "Five washes over one evening; the moon is the only colour that was bought.",
            "materials": "Sumi ink and vermilion on paper",
            "dimensions": "70 × 49 cm",
            "createdDate": "2024-11",
            "tags": ["ink", "mountains", "night"],
        },
    ),
    ("ana", "Evening over the ridge", "hills", (1600, 1200), 3, {"category": "painting"}),
    ("ana", "Tide lines", "dunes", (1200, 1500), 31, {"category": "mixed_media"}),
)


def vfa(stack: Stack, *words: str) -> str:
    command = [str(ROOT / ".venv/bin/vfa"), *words, "--state", str(stack.state)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def fill(stack: Stack) -> dict[str, str]:
    """Hangs the works; a token for each artist."""
    tokens: dict[str, str] = {}
    for artist, title, kind, size, seed, details in WORKS:
        if artist not in tokens:
            vfa(stack, "user", "add", artist, "--limit", "12")
            tokens[artist] = vfa(stack, "token", artist)
        headers = {"Authorization": f"Bearer {tokens[artist]}"}
        with httpx.Client(base_url=stack.url, headers=headers, timeout=60) as client:
            key = upload(client, encode(paint(kind, *size, seed), "JPEG", quality=92))
            create(client, key, title, **details).raise_for_status()
    return tokens


def shoot(page: Page, name: str) -> None:
    """Writes docs/<name>.png, with a palette when it would be too large without."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    data = encode(picture, "PNG", optimize=True)
    if len(data) > LIMIT_BYTES:
        palette = picture.quantize(256, Image.Quantize.MEDIANCUT, kmeans=2)
        data = encode(
            picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG), "PNG", optimize=True
        )
    (DOCS / f"{name}.png").write_bytes(data)
    print(f"docs/{name}.png  {len(data):,} bytes")  # noqa: T201


def open_page(browser: Browser, url: str, token: str = "", **options: Any) -> Page:
    page = browser.new_page(reduced_motion="reduce", **options)
    if token:
        page.add_init_script(f"sessionStorage.setItem('gallery.token', '{token}')")
    page.goto(url)
    return page


def settled(page: Page, selector: str) -> None:
    """Waits until the pictures that `selector` names, as far as they can be seen, are there."""
    for picture in page.locator(f"{selector} .picture").all():
        if picture.evaluate("frame => frame.getBoundingClientRect().top < innerHeight"):
            expect(picture).to_have_class("picture loaded")
    page.wait_for_timeout(400)


def shoot_gallery(browser: Browser, stack: Stack) -> None:
    for device, scheme, name in ((WIDE, "light", "gallery"), (PHONE, "dark", "gallery-phone")):
        page = open_page(browser, stack.url, color_scheme=scheme, **device)
        expect(page.locator(".card:not(.empty)")).to_have_count(len(WORKS))
        settled(page, ".card")
        shoot(page, name)


def shoot_artwork(browser: Browser, stack: Stack) -> None:
    for scheme, name in (("light", "artwork"), ("dark", "artwork-dark")):
        page = open_page(browser, stack.url, color_scheme=scheme, **LOW)
        page.get_by_role("link", name="Red moon").click()
        expect(page.locator(".strip li")).to_have_count(9)
        settled(page, ".artwork")
        shoot(page, name)


def shoot_upload(browser: Browser, stack: Stack, token: str) -> None:
    """One file is refused, one waits for its last rendition, one is being sent."""
    page = open_page(browser, f"{stack.url}/upload", token, **TALL)
    cloth = painting("market_cloth.jpg", "weave", 44)
    foreign: FilePayload = {"name": "IMG_2041.heic", "mimeType": "image/heic", "buffer": bytes(1_900_000)}
    choose(page, painting("first_light.jpg", "hills", 7), foreign)
    expect(row(page, "first_light.jpg").locator("canvas")).to_be_visible()
    stack.control("faults", worker="watermark", rendering={"kind": "late", "ms": 9000})
    start_upload(page)
    expect_state(row(page, "IMG_2041.heic"), "failed")
    choose(page, cloth)
    expect(row(page, "market_cloth.jpg").locator("canvas")).to_be_visible()
    Line(page).slow(60_000)
    start_upload(page)
    expect(row(page, "market_cloth.jpg").locator(".status")).to_have_text(re.compile(r"Sending: [3-9]\d %"))
    expect_state(row(page, "first_light.jpg"), "rendering")
    shoot(page, "upload")
    stack.control("faults", worker="watermark")


def main() -> None:
    DOCS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as state, running(Path(state)) as stack:
        tokens = fill(stack)
        with sync_playwright() as playwright:
            browser = launch(playwright)
            shoot_gallery(browser, stack)
            shoot_artwork(browser, stack)
            shoot_upload(browser, stack, tokens["ana"])
            browser.close()


if __name__ == "__main__":
    main()
