"""TIFF inside workerd, whose libtiff knows neither Deflate nor JPEG, against this machine's Python."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.imaging.originals import encoded, psnr, scene
from tests.support.imaging.rendering import rendered, seen
from tests.support.imaging.tiffs import DEFLATE, LZW, PACKBITS, PLAIN, Packing, tiff
from tests.unit.imaging.test_tiff_kinds import Kind, file_of_kind

from imaging.render import Options
from imaging.variants import Variant

ROOT = Path(__file__).parents[3]
PAGE = (2480, 3508)
ORIGINALS: dict[str, Callable[[], bytes]] = {
    "planes with a predictor": lambda: file_of_kind(
        Kind(2, (), Packing(16, DEFLATE, 2, planar=True, rows=7, order=">", big=True))
    ),
    "tiles": lambda: file_of_kind(Kind(2, (2,), Packing(8, LZW, 2, tile=(32, 48), reverse=True))),
    "inks and alpha": lambda: file_of_kind(Kind(5, (0, 2), Packing(8, PACKBITS, rows=7))),
    "white is zero": lambda: file_of_kind(Kind(0, (2,), Packing(16, PLAIN))),
    "twelve bits": lambda: file_of_kind(Kind(1, (0,), Packing(12, DEFLATE))),
    "a palette": lambda: file_of_kind(Kind(3, (), Packing(4, LZW, rows=7))),
    "one row a strip": lambda: tiff(np.asarray(scene(900, 700)), 2, Packing(compression=DEFLATE, rows=1)),
    "JPEG strips": lambda: encoded(scene(600, 400), "TIFF", compression="jpeg", quality=95),
    "a page of fax": lambda: encoded(
        scene(*PAGE).convert("1"), "TIFF", compression="group4", strip_size=1 << 30
    ),
    "a page of LZW": lambda: encoded(
        scene(310, 438).resize(PAGE), "TIFF", compression="tiff_lzw", strip_size=1 << 30, tiffinfo={317: 2}
    ),
    "a page of JPEG": lambda: encoded(
        scene(310, 438).resize(PAGE), "TIFF", compression="jpeg", strip_size=1 << 30
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every original, and its display as workerd made it."""
    folder = tmp_path_factory.mktemp("tiffs")
    files = [folder / str(number) for number in range(len(ORIGINALS))]
    for file, make in zip(files, ORIGINALS.values(), strict=True):
        file.write_bytes(make())
    command = [
        "node",
        "tests/support/imaging/in_workerd.mjs",
        "--variants",
        "watermark",
        "--save",
        str(folder),
    ]
    done = subprocess.run(
        [*command, *map(str, files)], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    runs = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"file"')]
    assert [run["status"] for run in runs] == [200] * len(ORIGINALS), runs
    return folder


@pytest.mark.parametrize("name", ORIGINALS)
def test_both_runtimes_render_alike(folder: Path, name: str) -> None:
    number = list(ORIGINALS).index(name)
    with Image.open(folder / f"watermark-{number}.jpg") as theirs:
        ours = seen(
            rendered(Variant.WATERMARK, (folder / str(number)).read_bytes(), Options(text="@painter"))
        )
        assert psnr(theirs, ours) >= 45
