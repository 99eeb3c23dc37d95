"""WebP and GIF: the first frame."""

import pytest
from PIL import Image
from tests.support.imaging.originals import encoded, psnr, scene
from tests.support.imaging.rendering import picture_of, rendered

from imaging.errors import TooLarge, UnreadableImage
from imaging.formats.exif import ORIENTATION
from imaging.variants import Variant


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_a_lossless_webp_comes_out_as_it_went_in(mode: str) -> None:
    original = scene(173, 91).convert(mode)
    picture = picture_of(Variant.WATERMARK, encoded(original, "WEBP", lossless=True))
    assert picture.convert("RGB").tobytes() == original.convert("RGB").tobytes()


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_lossy_webp_with_and_without_alpha(mode: str) -> None:
    original = scene(300, 200).convert(mode)
    assert psnr(picture_of(Variant.WATERMARK, encoded(original, "WEBP", quality=95)), original) > 30


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("extras", [{}, {"exif": b"Exif\0\0" + Image.Exif().tobytes()[6:], "xmp": b"<x/>"}])
def test_a_webp_with_other_chunks_around_its_pixels(lossless: bool, extras: dict[str, bytes]) -> None:
    original = scene(120, 80)
    plain = picture_of(Variant.WATERMARK, encoded(original, "WEBP", lossless=lossless))
    picture = picture_of(Variant.WATERMARK, encoded(original, "WEBP", lossless=lossless, **extras))
    assert picture.tobytes() == plain.tobytes()


def test_an_animated_webp_may_be_turned() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    frames = [scene(60, 40, seed=seed) for seed in (1, 2)]
    data = encoded(
        frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True, exif=exif.tobytes()
    )
    expected = frames[0].transpose(Image.Transpose.ROTATE_270)
    assert picture_of(Variant.WATERMARK, data).tobytes() == expected.tobytes()


@pytest.mark.parametrize(("kind", "options"), [("WEBP", {"lossless": True}), ("GIF", {})])
def test_the_first_frame_of_an_animation_is_taken(kind: str, options: dict[str, bool]) -> None:
    frames = [scene(90, 60, seed=seed).quantize(64).convert("RGB") for seed in (1, 2, 3)]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=50, **options)
    assert psnr(picture_of(Variant.WATERMARK, data), frames[0]) > 45


def test_frames_behind_the_first_may_be_missing() -> None:
    frames = [scene(90, 60, seed=seed) for seed in (1, 2, 3, 4)]
    for kind, options in (("GIF", {}), ("WEBP", {"lossless": True})):
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        cut = data[: len(data) // 2]
        assert picture_of(Variant.WATERMARK, cut).tobytes() == picture_of(Variant.WATERMARK, data).tobytes()


def test_a_first_frame_smaller_than_its_screen_is_laid_on_the_background() -> None:
    frame = encoded(Image.new("P", (20, 10), 0), "GIF")
    wide = frame[:6] + (50).to_bytes(2, "little") + (30).to_bytes(2, "little") + frame[10:]
    rendition = rendered(Variant.WATERMARK, wide)
    assert rendition.original_size == (50, 30)


@pytest.mark.parametrize("interlace", [0, 1])
@pytest.mark.parametrize("mode", ["P", "L"])
def test_a_gif_comes_out_as_it_went_in(mode: str, interlace: int) -> None:
    original = scene(131, 77).quantize(200) if mode == "P" else scene(131, 77).convert("L")
    picture = picture_of(Variant.WATERMARK, encoded(original, "GIF", interlace=interlace))
    assert picture.convert("RGB").tobytes() == original.convert("RGB").tobytes()


@pytest.mark.parametrize("kind", ["WEBP", "GIF"])
@pytest.mark.parametrize("kept", [12, 25, 0.3, 0.8])
def test_a_file_cut_short_is_reported(kind: str, kept: float) -> None:
    data = encoded(scene(200, 150), kind)
    with pytest.raises(UnreadableImage):
        picture_of(Variant.ICON, data[: int(kept * len(data)) if kept < 1 else int(kept)])


@pytest.mark.parametrize("kind", ["WEBP", "GIF"])
def test_broken_pixels_are_reported(kind: str) -> None:
    data = encoded(scene(200, 150), kind)
    broken = data[:60] + b"\xff" * (len(data) - 100) + data[-40:]
    with pytest.raises(UnreadableImage):
        picture_of(Variant.ICON, broken)


def gif_with(screen: tuple[int, int], frame: tuple[int, int]) -> bytes:
    """A GIF whose screen and whose frame say other sizes than its pixels have."""
    data = bytearray(encoded(Image.new("P", (20, 15), 0), "GIF"))
    at = data.index(b",\0\0\0\0")
    for start, (width, height) in ((6, screen), (at + 5, frame)):
        data[start : start + 4] = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    return bytes(data)


def test_a_gif_without_width_is_reported() -> None:
    with pytest.raises(UnreadableImage):
        picture_of(Variant.ICON, gif_with((0, 15), (0, 15)))


def test_a_frame_that_reaches_beyond_its_screen_counts_in_full() -> None:
    with pytest.raises(TooLarge, match="60000 × 60000"):
        picture_of(Variant.ICON, gif_with((20, 15), (60000, 60000)))
