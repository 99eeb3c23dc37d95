"""JPEGs that every other reader opens, in the right colours, natively and inside workerd."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.imaging.jpeg_kinds import INKS, SHOWN, picture, ycc
from tests.support.imaging.jpegs import APP1, DQT, with_segments
from tests.support.imaging.originals import psnr
from tests.support.imaging.rendering import picture_of, rendered, seen
from tests.unit.imaging.test_orientation import exif_block

from imaging.errors import UnreadableImage
from imaging.formats.jpeg_segments import Metadata
from imaging.variants import Variant

ROOT = Path(__file__).parents[3]
WHOLE = 33  # dB; chroma at a third or a quarter is less alike than a camera's
KINDS = {**SHOWN, **INKS}


def close(kind: str, shown: Image.Image) -> bool:
    if kind in INKS:
        return bool(np.asarray(shown.convert("RGB")).mean((0, 1)).min() > 180)
    return psnr(shown, picture()) > (25 if "chroma at a" in kind else WHOLE)


@pytest.mark.parametrize("kind", KINDS)
def test_the_picture_is_shown(kind: str) -> None:
    assert close(kind, picture_of(Variant.WATERMARK, KINDS[kind]()).convert("RGB"))


@pytest.fixture(scope="module")
def from_workerd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The thumbnails of all kinds, as the renderer in workerd makes them."""
    folder = tmp_path_factory.mktemp("kinds")
    files = []
    for number, make in enumerate(KINDS.values()):
        files.append(folder / str(number))
        files[-1].write_bytes(make())
    command = [
        "node",
        "tests/support/imaging/in_workerd.mjs",
        "--variants",
        "thumbnail",
        "--save",
        str(folder),
    ]
    done = subprocess.run(
        [*command, *map(str, files)], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    runs = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    wrong = [
        (kind, run.get("error"))
        for kind, run in zip(KINDS, runs[-len(KINDS) :], strict=True)
        if run["status"] != 200
    ]
    assert not wrong
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_the_deployed_decoder_shows_the_same(kind: str, from_workerd: Path) -> None:
    with Image.open(from_workerd / f"thumbnail-{[*KINDS].index(kind)}.jpg") as theirs:
        # How chroma that is not just halved is brought up is each decoder's own way.
        least = 30 if "chroma at a" in kind else 45
        assert psnr(theirs, seen(rendered(Variant.THUMBNAIL, KINDS[kind]()))) > least


CUT = {
    "half": lambda data: data[: len(data) // 2],
    "the last row of blocks": lambda data: data[:-300],
    "the last few blocks": lambda data: data[:-60],
    "the data": lambda data: data[: data.index(b"\xff\xda") + 14],
    "the header": lambda data: data[:200],
}


@pytest.mark.parametrize("cut", CUT)
@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"restart_marker_blocks": 7}, {"subsampling": 0}], ids=str
)
def test_a_file_whose_rows_are_not_all_there_is_refused(cut: str, options: dict[str, object]) -> None:
    with pytest.raises(UnreadableImage):
        picture_of(Variant.WATERMARK, CUT[cut](ycc(**options)))


@pytest.mark.parametrize("options", [{}, {"restart_marker_blocks": 7}], ids=str)
def test_cut_anywhere_it_is_either_refused_or_whole(options: dict[str, object]) -> None:
    """What is let through lacks no more than padding."""
    data = ycc(**options)
    whole = picture_of(Variant.WATERMARK, data)
    let_through = 0
    for length in range(len(data) - 1, len(data) - 60, -1):
        try:
            shown = picture_of(Variant.WATERMARK, data[:length])
        except UnreadableImage:
            continue
        let_through += 1
        assert psnr(shown, whole) > 45
    assert 2 <= let_through < 12


def test_a_marker_in_the_middle_ends_the_picture() -> None:
    data = ycc()
    middle = len(data) // 2
    with pytest.raises(UnreadableImage):
        picture_of(Variant.WATERMARK, data[:middle] + b"\xff\xe5\0\4ab" + data[middle:])


def test_a_trailer_without_the_rows_before_it_is_refused() -> None:
    data = ycc()
    with pytest.raises(UnreadableImage):
        picture_of(Variant.WATERMARK, data[: len(data) // 2] + b"\xff\xd8\xff\xe1")


@pytest.mark.parametrize(("blocks", "orientation"), [((6,), 6), ((6, 1), 6), ((1, 6), 1), ((3, 8, 6), 3)])
def test_the_first_exif_block_counts(blocks: tuple[int, ...], orientation: int) -> None:
    data = with_segments(ycc(), *((APP1, exif_block(each)) for each in blocks), before=DQT)
    expected = picture_of(
        Variant.WATERMARK, with_segments(ycc(), (APP1, exif_block(orientation)), before=DQT)
    )
    assert picture_of(Variant.WATERMARK, data).tobytes() == expected.tobytes()


def test_the_first_profile_counts() -> None:
    metadata = Metadata()
    for number, content in ((2, b"b"), (1, b"a"), (2, b"x"), (1, b"y"), (3, b"c")):
        metadata.add(0xE2, b"ICC_PROFILE\0" + bytes([number, 3]) + content)
    assert metadata.profile == b"abc"
