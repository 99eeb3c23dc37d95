"""The pipeline's promises, end to end."""

from __future__ import annotations

import concurrent.futures
import json
import time
from collections.abc import Callable

import httpx
import pytest
from PIL import Image, ImageOps
from tests.support.e2e.accounts import AccountFactory
from tests.support.e2e.inside import counts
from tests.support.pictures import decode, encode, jpeg, photo, psnr
from tools import picture
from tools.stack import Stack

RENDITIONS = ("displayUrl", "thumbnailUrl", "iconUrl")
FAILED = "Image processing failed. Please try again."


@pytest.fixture(scope="module")
def large_original() -> bytes:
    """A 12.6 MP JPEG with a wide dynamic range."""
    return encode(picture.paint(4352, 2896), "JPEG", quality=90)


def unmarked_display(original: bytes) -> Image.Image:
    """What the display version would look like without its watermark."""
    image = ImageOps.exif_transpose(decode(original)).convert("RGB")
    image.thumbnail((2048, 2048), Image.Resampling.LANCZOS)
    return image


def test_the_row_keeps_all_four_urls(account: AccountFactory, stack: Stack) -> None:
    artist = account()
    artwork = artist.create(artist.upload(jpeg())).json()["data"]
    columns = "original_url, display_url, thumbnail_url, icon_url"
    row = stack.rows(f"SELECT {columns} FROM artworks WHERE id = ?", artwork["id"])[0]  # noqa: S608
    assert list(row.values()) == [artwork["originalUrl"], *(artwork[name] for name in RENDITIONS)]


def test_full_upload_flow(account: AccountFactory, large_original: bytes) -> None:
    artist = account()
    key = artist.upload(large_original)
    answer = artist.create(
        key, "Évening, at the Läke!", category="digital", tags=["dusk", "lake"], createdDate="2026-05-01"
    )

    assert answer.status_code == 201, answer.text
    artwork = answer.json()["data"]
    assert artwork["id"].startswith("art_")
    assert (artwork["userId"], artwork["title"]) == (artist.user_id, "Évening, at the Läke!")
    assert (artwork["category"], artwork["tags"]) == ("digital", ["dusk", "lake"])
    assert artwork["createdDate"] == "2026-05-01"
    assert artwork["isFeatured"] is False
    assert artwork["createdAt"] == artwork["updatedAt"]
    assert artwork["status"] == "active"
    assert key in artwork["originalUrl"]
    again = artist.client.get(f"/api/artworks/{artwork['id']}")
    assert again.status_code == 200
    assert {**artwork, **again.json()["data"]}["slug"] == artwork["slug"]


def test_all_three_variants_run_at_the_same_time(
    account: AccountFactory, stack: Stack, large_original: bytes
) -> None:
    artist = account()
    key = artist.upload(large_original)
    answer = artist.create(key)
    assert answer.status_code == 201, answer.text

    deadline = time.monotonic() + 5
    while len(spans := rendering_spans(list(stack.lines), answer.headers["x-request-id"])) < 3:
        assert time.monotonic() < deadline, "the renderers' log lines have not come"
        time.sleep(0.05)
    latest_start = max(start for start, _ in spans.values())
    earliest_finish = min(finish for _, finish in spans.values())
    assert latest_start < earliest_finish
    assert max(finish for _, finish in spans.values()) - min(start for start, _ in spans.values()) < 10_000


def rendering_spans(lines: list[str], request_id: str) -> dict[str, tuple[int, int]]:
    """Start and finish in ms of each variant's work, from the renderers' own log lines."""
    events = (
        json.loads(line.partition("] ")[2]) for line in lines if "startedAt" in line and line.startswith("[")
    )
    return {
        event["variant"]: (event["startedAt"], event["finishedAt"])
        for event in events
        if event["requestId"] == request_id
    }


def test_every_url_resolves_to_the_right_picture(account: AccountFactory, large_original: bytes) -> None:
    artist = account()
    artwork = artist.create(artist.upload(large_original)).json()["data"]
    files = {name: httpx.get(artwork[name], timeout=30) for name in RENDITIONS}
    assert {answer.status_code for answer in files.values()} == {200}
    assert {answer.headers["content-type"] for answer in files.values()} == {"image/jpeg"}
    display, thumbnail, icon = (decode(files[name].content) for name in RENDITIONS)

    assert thumbnail.size == (300, 300)
    assert icon.size == (128, 128)
    reference = unmarked_display(large_original)
    assert display.size == reference.size
    width, height = reference.size
    top_left = (0, 0, width // 2, height // 2)
    bottom_right = (width // 2, int(height * 0.85), width, height)
    assert psnr(display.crop(top_left), reference.crop(top_left)) > 35
    assert psnr(display.crop(bottom_right), reference.crop(bottom_right)) < 30
    square = ImageOps.fit(reference, (300, 300), Image.Resampling.LANCZOS)
    assert psnr(thumbnail, square) > 30
    assert httpx.get(artwork["originalDownloadUrl"], timeout=30).content == large_original


@pytest.mark.parametrize("kind", ["down", "hang", "nonsense"])
@pytest.mark.parametrize("variant", ["thumbnail", "icon", "watermark"])
def test_one_renderer_down_fails_the_whole_create(
    account: AccountFactory,
    stack: Stack,
    faults: Callable[..., None],
    objects: Callable[[], set[str]],
    variant: str,
    kind: str,
) -> None:
    artist = account()
    key = artist.upload(jpeg(seed=5))
    before = objects()
    faults(variant, rendering={"kind": kind})
    failed = artist.create(key)

    assert (failed.status_code, failed.json()["error"]) == (500, FAILED)
    assert objects() == before
    assert counts(stack, artist) == (0, 0)

    faults(variant)
    assert artist.create(key).status_code == 201
    assert counts(stack, artist) == (1, 1)


def test_three_creates_at_once_make_three_records(account: AccountFactory) -> None:
    artist = account()
    originals = {f"Work {seed}": jpeg(900, 600, seed=seed) for seed in (11, 12, 13)}
    keys = {title: artist.upload(data) for title, data in originals.items()}
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda title: artist.create(keys[title], title), originals))

    assert [answer.status_code for answer in answers] == [201, 201, 201]
    artworks = [answer.json()["data"] for answer in answers]
    assert len({artwork["id"] for artwork in artworks}) == 3
    assert len({artwork["slug"] for artwork in artworks}) == 3
    for artwork in artworks:
        assert keys[artwork["title"]] in artwork["originalUrl"]
        thumbnail = decode(httpx.get(artwork["thumbnailUrl"], timeout=30).content)
        for title, data in originals.items():
            reference = ImageOps.fit(decode(data).convert("RGB"), (300, 300), Image.Resampling.LANCZOS)
            assert (psnr(thumbnail, reference) > 25) == (title == artwork["title"])


def test_the_third_create_over_a_limit_of_two_is_refused(account: AccountFactory) -> None:
    artist = account(limit=2)
    keys = [artist.upload(encode(photo(320, 240, seed), "PNG"), "image/png") for seed in (1, 2, 3)]
    answers = [artist.create(key) for key in keys]

    assert [answer.status_code for answer in answers] == [201, 201, 429]
    refusal = answers[2].json()
    assert (refusal["error"], refusal["code"]) == ("Artwork limit reached", "artwork_limit_reached")
