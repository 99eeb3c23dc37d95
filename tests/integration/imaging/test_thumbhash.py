"""The thumbHash of a rendition, as the reference decoder in JavaScript shows it."""

import asyncio
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.imaging.originals import encoded, scene
from tests.support.imaging.rendering import OPTIONS

from imaging.preview import preview_of
from imaging.render import Preview, render
from imaging.source import BytesSource
from imaging.variants import Variant

ROOT = Path(__file__).parents[3]
DECODER = """
import { thumbHashToRGBA, thumbHashToApproximateAspectRatio } from "thumbhash";
const results = JSON.parse(process.argv[1]).map((text) => {
  const hash = Buffer.from(text, "base64");
  const { w, h, rgba } = thumbHashToRGBA(hash);
  return { w, h, rgba: [...rgba], ratio: thumbHashToApproximateAspectRatio(hash) };
});
console.log(JSON.stringify(results));
"""


def decoded(hashes: list[str]) -> list[tuple[Image.Image, float]]:
    """What the reference decoder makes of the hashes, and the aspect it tells."""
    command = ["node", "--input-type=module", "-e", DECODER, json.dumps(hashes)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=True)
    return [
        (Image.frombytes("RGBA", (each["w"], each["h"]), bytes(each["rgba"])), each["ratio"])
        for each in json.loads(done.stdout)
    ]


def described(picture: Image.Image, **options: object) -> Preview:
    source = BytesSource(encoded(picture, "JPEG", quality=92, **options))
    rendition = asyncio.run(render(Variant.THUMBNAIL, source, OPTIONS[Variant.THUMBNAIL], preview_of))
    assert rendition.preview is not None
    return rendition.preview


def test_the_reference_decoder_shows_the_picture_blurred() -> None:
    pictures = [
        scene(400, 300, seed=1),
        scene(300, 500, seed=2),
        scene(600, 600, seed=3),
        scene(1500, 300, seed=4),
    ]
    hashes = [described(picture).thumb_hash for picture in pictures]
    for picture, (blurred, ratio) in zip(pictures, decoded(hashes), strict=True):
        assert ratio == pytest.approx(picture.width / picture.height, rel=0.25) or picture.width == 1500
        assert blurred.getchannel("A").getextrema() == (255, 255)
        small = picture.resize(blurred.size, Image.Resampling.BOX)
        difference = np.asarray(small, float) - np.asarray(blurred.convert("RGB"), float)
        assert np.abs(difference).mean() < 40
        assert np.abs(difference.mean((0, 1))).max() < 12


def test_the_hash_is_of_the_whole_upright_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    [(blurred, ratio)] = decoded([described(scene(600, 300), exif=exif).thumb_hash])
    assert ratio < 1
    assert blurred.height > blurred.width
