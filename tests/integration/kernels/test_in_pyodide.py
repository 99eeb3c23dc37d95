"""The module as Workers load it, in WebAssembly, beside the libjpeg of Pyodide's Pillow, which is IJG's."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.support.kernels.jpegs import GOOD, good, size_of

ROOT = Path(__file__).parents[3]
SUPPORT = ROOT / "tests/support/kernels"


def sampling(name: str) -> str:
    if name in ("grey", "flat", "noise", "one pixel", "one row", "one column"):
        return "grey" if name == "grey" else "444"
    return name[:3] if name[:3] in ("444", "422", "420") else "420"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("jpegs")
    kinds = {}
    for number, name in enumerate(GOOD):
        (folder / f"{number}").write_bytes(good(name))
        kinds[f"{number}"] = (size_of(name), sampling(name))
    (folder / "files.json").write_text(json.dumps(kinds))
    shutil.copy(SUPPORT / "oracle.py", folder)
    program, runner = SUPPORT / "planes_in_pyodide.py", "tests/support/imaging/in_pyodide.mjs"
    command = ["node", runner, str(program), str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {[*GOOD][int(line["name"])]: line for line in lines}


@pytest.mark.parametrize("name", GOOD)
def test_planes_are_those_of_ijgs_libjpeg_at_every_scale(told: dict[str, dict[str, Any]], name: str) -> None:
    assert told[name]["luma"] == [True] * 4
    assert all(told[name]["chroma"])
    assert len(told[name]["chroma"]) == {"444": 4, "420": 3}.get(sampling(name), 0)


@pytest.mark.parametrize("name", GOOD)
def test_pictures_are_written_with_the_bytes_of_ijgs_libjpeg(
    told: dict[str, dict[str, Any]], name: str
) -> None:
    assert told[name]["full"]["same"]


@pytest.mark.parametrize("name", GOOD)
def test_halved_chroma_is_50_db_from_that_of_ijgs_libjpeg(told: dict[str, dict[str, Any]], name: str) -> None:
    decibels = 48 if name == "noise" else 50  # from black to white
    assert told[name]["halved"]["apart"] <= 255**2 / 10 ** (decibels / 10)
    assert told[name]["halved"]["length"] <= 1.02
