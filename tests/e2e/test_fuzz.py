"""Broken pictures by the thousand, rendered where it runs: a picture or a typed refusal, never more.

Every coding is cut at each sixteenth, for the variants in turn, and then mutated by chance with a fixed seed.
`pytest tests/e2e/test_fuzz.py --mutations 5000` is the long run.
"""

from __future__ import annotations

import base64
import itertools
import random
import time
from collections.abc import Callable, Iterator

import pytest
from tests.support.pictures import encode, photo
from tools.stack import Stack

VARIANTS = ("thumbnail", "icon", "watermark")
OUTPUT_KEYS = {
    "thumbnail": "thumbnails/runtime/once.jpg",
    "icon": "icons/runtime/once.jpg",
    "watermark": "display/runtime/once.jpg",
}
TYPED = {(413, "too_large"), (415, "unsupported_type"), (422, "unreadable_image")}
LONGEST_SECONDS = 10
HEAP_CAP_BYTES = 96 * 2**20
Mutation = Callable[[bytes, random.Random], bytes]


def seeds() -> dict[str, bytes]:
    """One small valid picture for each coding."""
    rgb = photo(160, 120, 9)
    rgba = rgb.copy()
    rgba.putalpha(photo(160, 120, 4).convert("L"))
    return {
        "jpeg": encode(rgb, "JPEG", quality=80),
        "progressive": encode(rgb, "JPEG", quality=80, progressive=True),
        "cmyk": encode(rgb.convert("CMYK"), "JPEG", quality=80),
        "png": encode(rgb, "PNG"),
        "png alpha": encode(rgba, "PNG"),
        "palette": encode(rgb.quantize(64), "PNG"),
        "gif": encode(rgb.quantize(32), "GIF"),
        "webp": encode(rgba, "WEBP", quality=70),
        "tiff": encode(rgb, "TIFF", compression="tiff_lzw"),
    }


def truncated(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def flipped(data: bytes, rng: random.Random) -> bytes:
    mutated = bytearray(data)
    for _ in range(rng.choice((1, 2, 8, 64))):
        mutated[rng.randrange(len(mutated))] ^= 1 << rng.randrange(8)
    return bytes(mutated)


def header_flipped(data: bytes, rng: random.Random) -> bytes:
    mutated = bytearray(data)
    for _ in range(rng.choice((1, 2, 4))):
        mutated[rng.randrange(min(96, len(mutated)))] = rng.randrange(256)
    return bytes(mutated)


def spliced(data: bytes, rng: random.Random) -> bytes:
    other = rng.choice(list(seeds_once().values()))
    cut = rng.randrange(min(len(data), 600))
    return data[:cut] + other[rng.randrange(len(other)) :]


def wrong_lengths(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(max(1, len(data) - 4))
    length = rng.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF, rng.randrange(2**32)))
    return data[:at] + length.to_bytes(4, rng.choice(("big", "little"))) + data[at + 4 :]


MUTATIONS: tuple[Mutation, ...] = (truncated, flipped, header_flipped, spliced, wrong_lengths)
_seeds: dict[str, bytes] = {}


def seeds_once() -> dict[str, bytes]:
    if not _seeds:
        _seeds.update(seeds())
    return _seeds


def sixteenths() -> Iterator[tuple[str, str, bytes]]:
    """Kind, variant and bytes of every seed, cut at each sixteenth of its length."""
    variants = itertools.cycle(VARIANTS)
    for (kind, data), part in itertools.product(seeds_once().items(), range(16)):
        variant = next(variants)
        yield f"{kind}, {part} sixteenths", variant, data[: len(data) * part // 16]


def mutants(count: int) -> Iterator[tuple[str, str, bytes]]:
    """Kind, variant and bytes of `count` mutated pictures, always the same ones."""
    rng = random.Random(20260718)  # noqa: S311
    kinds = itertools.cycle(itertools.product(seeds_once().items(), MUTATIONS, VARIANTS))
    for (kind, data), mutate, variant in itertools.islice(kinds, count):
        yield f"{kind} {mutate.__name__}", variant, mutate(data, rng)


@pytest.fixture(scope="module")
def render(stack: Stack) -> Callable[[str, bytes], tuple[int, dict[str, object], float]]:
    def ask(variant: str, data: bytes) -> tuple[int, dict[str, object], float]:
        started = time.monotonic()
        file = base64.b64encode(data).decode()
        answer = stack.control("render", variant=variant, file=file, outputKey=OUTPUT_KEYS[variant])
        return answer["status"], answer["body"], time.monotonic() - started

    return ask


def test_any_bytes_get_a_picture_or_a_typed_refusal(
    stack: Stack,
    render: Callable[[str, bytes], tuple[int, dict[str, object], float]],
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> None:
    outcomes: dict[tuple[int, object], int] = {}
    slowest = 0.0
    mutated = mutants(request.config.getoption("--mutations"))
    for name, variant, data in itertools.chain(sixteenths(), mutated):
        status, body, seconds = render(variant, data)
        outcome = (status, body.get("code"))
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
        assert status == 200 or outcome in TYPED, (name, variant, outcome, data.hex()[:400])
        assert seconds < LONGEST_SECONDS, (name, variant, seconds)
        slowest = max(slowest, seconds)
    assert outcomes.get((200, None), 0) > 0
    assert outcomes.get((422, "unreadable_image"), 0) > 0
    heap = max(about["heapBytes"] for about in stack.control("status").values())
    assert heap <= HEAP_CAP_BYTES
    for (status, code), count in outcomes.items():
        record_property(f"broken pictures answered {status} {code or 'with a rendition'}", count)
    record_property("broken pictures, slowest answer, s", round(slowest, 2))
    record_property("broken pictures, largest heap, MiB", round(heap / 2**20, 1))
    for variant in VARIANTS:
        assert render(variant, seeds_once()["jpeg"])[0] == 200
