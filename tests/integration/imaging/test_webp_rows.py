"""WebP through the module that decodes a few rows at a time, in WebAssembly, beside Pillow's own decoder."""

import json
import subprocess
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.support.imaging.originals import encoded, scene

ROOT = Path(__file__).parents[3]
MIB = 1 << 20


def translucent(width: int, height: int) -> Image.Image:
    picture = scene(width, height).convert("RGBA")
    picture.putalpha(Image.radial_gradient("L").resize((width, height)))
    return picture


def few_colours(width: int, height: int, colours: int) -> Image.Image:
    return scene(width, height).quantize(colours).convert("RGB")


def repeating(width: int, height: int, rows: int) -> Image.Image:
    """Noise that comes again after so many rows, as far away as a lossless picture may look for it."""
    noise = np.random.default_rng(7).integers(0, 40, (rows, width, 3), np.uint8)
    return Image.fromarray(np.concatenate([noise] * (height // rows + 1))[:height])


def animated(mode: str, **options: Any) -> bytes:
    frames = [scene(90, 70).convert(mode), Image.new(mode, (90, 70))]
    return encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], **options)


def riff(name: bytes, data: bytes) -> bytes:
    return name + len(data).to_bytes(4, "little") + data + bytes(len(data) % 2)


def canvas(
    left: int, top: int, picture: Image.Image, width: int = 90, height: int = 70, **options: Any
) -> bytes:
    """An animation whose first frame is a part of its canvas."""
    pixels = encoded(picture, "WEBP", **options)
    pixels = pixels[30:] if pixels[12:16] == b"VP8X" else pixels[12:]
    numbers = (left // 2, top // 2, picture.width - 1, picture.height - 1, 100)
    frame = b"".join(number.to_bytes(3, "little") for number in numbers) + b"\0" + pixels
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBP" + riff(b"VP8X", b"\x12\0\0\0" + sides) + riff(b"ANIM", bytes(6)) + riff(b"ANMF", frame)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def raw_alpha(method: int) -> bytes:
    """A lossy picture whose alpha is not packed, or filtered in one of the three ways."""
    picture = translucent(60, 40)
    data = encoded(picture, "WEBP", quality=80)
    at = data.index(b"ALPH")
    length = int.from_bytes(data[at + 4 : at + 8], "little")
    rest = data[at + 8 + length + length % 2 :]
    alpha = np.asarray(picture)[..., 3]
    body = data[8:at] + riff(b"ALPH", bytes([method << 2]) + alpha.tobytes()) + rest
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def few_colours_packed(colours: int) -> bytes:
    return encoded(few_colours(333, 201, colours), "WEBP", lossless=True)


LOSSLESS = {"lossless": True, "exact": True}
GOOD: dict[str, Callable[[], bytes]] = {
    "lossy": lambda: encoded(scene(500, 333), "WEBP", quality=85),
    "lossy, simple filter": lambda: encoded(scene(333, 500), "WEBP", quality=20, method=0),
    "lossy and alpha": lambda: encoded(translucent(301, 203), "WEBP", quality=70),
    "lossy and coarse alpha": lambda: encoded(translucent(301, 203), "WEBP", quality=70, alpha_quality=30),
    **{f"lossy and raw alpha, filter {method}": partial(raw_alpha, method) for method in range(4)},
    "lossless": lambda: encoded(scene(301, 203), "WEBP", lossless=True),
    "lossless and alpha": lambda: encoded(translucent(301, 203), "WEBP", **LOSSLESS),
    **{f"lossless, {count} colours": partial(few_colours_packed, count) for count in (2, 4, 16, 200)},
    "one pixel": lambda: encoded(scene(1, 1), "WEBP"),
    "one pixel, lossless": lambda: encoded(scene(1, 1), "WEBP", lossless=True),
    "one row": lambda: encoded(scene(3000, 1), "WEBP"),
    "one column": lambda: encoded(scene(1, 3000), "WEBP", lossless=True),
    "widest": lambda: encoded(scene(16383, 40), "WEBP", quality=50, method=0),
    "widest, lossless": lambda: encoded(scene(16383, 40), "WEBP", lossless=True, quality=0, method=0),
    "highest and alpha": lambda: encoded(translucent(40, 16383), "WEBP", quality=50, method=0),
    "far repeats": lambda: encoded(repeating(1500, 1900, 600), "WEBP", quality=40, method=2, **LOSSLESS),
    "far repeats, wide": lambda: encoded(repeating(16000, 150, 60), "WEBP", quality=40, method=2, **LOSSLESS),
    "animated": lambda: animated("RGB", quality=80),
    "animated, lossless and alpha": lambda: animated("RGBA", lossless=True),
    "a part of the canvas": lambda: canvas(10, 6, scene(40, 30), quality=90),
    "a part with alpha": lambda: canvas(50, 40, translucent(40, 30), quality=90),
    "a lossless part": lambda: canvas(0, 2, translucent(40, 30), lossless=True),
    "fuzz lossy": lambda: encoded(scene(70, 50), "WEBP", quality=80),
    "fuzz alpha": lambda: encoded(translucent(70, 50), "WEBP", quality=80),
    "fuzz lossless": lambda: encoded(translucent(70, 50), "WEBP", lossless=True),
    "fuzz colours": lambda: encoded(few_colours(70, 50, 12), "WEBP", lossless=True),
    "fuzz animated": lambda: animated("RGBA", quality=50),
}


def cut(kind: str, share: float) -> bytes:
    data = GOOD[kind]()
    return data[: int(len(data) * share)]


def with_alpha_head(head: int) -> bytes:
    data = bytearray(GOOD["lossy and alpha"]())
    data[data.index(b"ALPH") + 8] = head
    return bytes(data)


def of_another_size(kind: str) -> bytes:
    """A canvas that says one column more than the picture has."""
    data = bytearray(GOOD[kind]())
    data[24] += 1
    return bytes(data)


BAD: dict[str, Callable[[], bytes]] = {
    **{
        f"cut {kind} {share}": partial(cut, kind, share)
        for kind in ("lossy", "lossless")
        for share in (0.02, 0.5, 0.99)
    },
    "alpha of an unknown kind": lambda: with_alpha_head(0x02),
    "alpha with reserved bits": lambda: with_alpha_head(0x41),
    "alpha too short": lambda: with_alpha_head(0x00),
    "canvas of another size": lambda: of_another_size("lossy and alpha"),
    "a frame outside of its canvas": lambda: canvas(60, 6, scene(40, 30), quality=90),
    "a frame below its canvas": lambda: canvas(10, 42, scene(40, 30), quality=90),
    "lossless pixels under the lossy name": lambda: encoded(scene(40, 30), "WEBP", lossless=True).replace(
        b"VP8L", b"VP8 "
    ),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What Pyodide said of every file."""
    folder = tmp_path_factory.mktemp("webp")
    for name, make in {**GOOD, **BAD}.items():
        (folder / name).write_bytes(make())
    command = [
        "node",
        "tests/support/imaging/in_pyodide.mjs",
        "tests/support/imaging/webp_in_pyodide.py",
        str(folder),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {line["name"]: line for line in lines}


@pytest.mark.parametrize("case", GOOD)
def test_it_decodes_to_the_very_pixels_that_pillow_has(told: dict[str, dict[str, Any]], case: str) -> None:
    assert told[case]["outcome"] == ["decoded", "decoded"]


@pytest.mark.parametrize("case", BAD)
def test_what_is_broken_is_refused(told: dict[str, dict[str, Any]], case: str) -> None:
    assert told[case]["outcome"][0] == "UnreadableImage"


@pytest.mark.parametrize("case", [case for case in GOOD if case.startswith("fuzz")])
def test_files_with_random_changes_decode_or_are_refused(told: dict[str, dict[str, Any]], case: str) -> None:
    assert min(told[case]["fuzzed"].values()) > 20


@pytest.mark.parametrize("case", GOOD)
def test_it_takes_no_more_than_the_model_says(told: dict[str, dict[str, Any]], case: str) -> None:
    with Image.open(BytesIO(GOOD[case]())) as picture:
        width = picture.width
    assert told[case]["spent"] <= 256 * width + 9 * MIB
    if case.startswith(("lossy", "widest")) and "alpha" not in case and "lossless" not in case:
        assert told[case]["spent"] <= 256 * width + MIB // 4
    assert told[case]["refused"] is True
