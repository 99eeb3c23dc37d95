"""The siblings inside workerd, with their memory capped, against the same code on this machine's Python."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.support.imaging.cases import CASES, original_of
from tests.support.imaging.originals import encoded, psnr, scene
from tests.support.imaging.rendering import rendered, seen

from imaging.render import Options
from imaging.variants import Variant

ROOT = Path(__file__).parents[3]
ROUNDS = 3
Runs = tuple[Path, list[dict[str, Any]]]
REFUSED = {
    "text": (b"no picture at all, but some text", 415),
    "a TIFF whose tags are further off than 32 bits reach": (b"II*\0" + b"\xf0\xff\xff\xff" + bytes(99), 422),
    "cut short": (encoded(scene(300, 200), "JPEG")[:5000], 422),
    "too large": (b"GIF89a" + b"\x20\x4e\x20\x4e" + b"\0\0\0," + bytes(64), 413),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Every case rendered by every sibling, several times over: what was saved, and what was measured."""
    folder = tmp_path_factory.mktemp("originals")
    files: list[Path] = []
    for data in [*map(original_of, CASES), *(data for data, _ in REFUSED.values())]:
        files.append(folder / str(len(files)))
        files[-1].write_bytes(data)
    command = [
        "node",
        "tests/support/imaging/in_workerd.mjs",
        "--times",
        str(ROUNDS),
        "--save",
        str(folder),
    ]
    done = subprocess.run(
        [*command, *map(str, files)], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder, [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def of(runs: Runs, variant: Variant) -> list[dict[str, Any]]:
    return [run for run in runs[1] if run["variant"] == variant]


@pytest.mark.parametrize("variant", Variant)
def test_both_runtimes_render_alike(runs: Runs, variant: Variant) -> None:
    text = Options(text="@painter")
    for number, case in enumerate(CASES):
        ours = rendered(variant, original_of(case), text if variant is Variant.WATERMARK else None)
        with Image.open(runs[0] / f"{variant}-{number}.jpg") as theirs:
            assert psnr(theirs, seen(ours)) >= 45, case


@pytest.mark.parametrize("variant", Variant)
def test_what_must_be_refused_is(runs: Runs, variant: Variant) -> None:
    last_round = of(runs, variant)[-len(REFUSED) :]
    assert [run["status"] for run in last_round] == [status for _, status in REFUSED.values()]
    assert all(run["error"].endswith(".") for run in last_round)


@pytest.mark.parametrize("variant", Variant)
def test_memory_stops_growing(runs: Runs, variant: Variant) -> None:
    heaps = [run["heapMiB"] for run in of(runs, variant)]
    assert len(heaps) >= 50
    first_round = len(heaps) // ROUNDS
    assert heaps[-1] == heaps[first_round - 1] <= 96
