"""`make dev SAMPLES=N` fills an empty gallery, and only an empty one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import httpx
import numpy as np
import pytest
from tests.support.runtime.projects import ROOT, Running, refusal, run, running_in
from tools import samples

COUNT = 4


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The gallery itself, started with samples."""
    with running_in(ROOT, tmp_path_factory.mktemp("samples"), "--samples", str(COUNT)) as runtime:
        yield runtime


def test_an_empty_gallery_gets_samples_of_three_artists(gallery: Running) -> None:
    assert any(gallery.says(f"{COUNT} samples were added, by ines, tomas, yuki") for _ in range(60))
    artworks = httpx.get(f"{gallery.url}/api/artworks").json()["data"]
    assert [artwork["title"] for artwork in reversed(artworks)] == [
        sample.title for sample in islice(samples.samples(), COUNT)
    ]
    users = httpx.get(f"{gallery.url}/.local/users").json()["users"]
    assert {user["username"] for user in users if user["operator"]} == {"operator"}
    assert {user["username"] for user in users} == {*samples.ARTISTS, "operator"}

    again = ["--url", gallery.url, "--state", str(gallery.state), "--count", "2"]
    command = [sys.executable, "-m", "tools.samples", *again]
    printed = subprocess.check_output(command, cwd=ROOT, text=True)
    assert printed == "the gallery is not empty: no samples were added\n"
    assert len(httpx.get(f"{gallery.url}/api/artworks").json()["data"]) == COUNT


def test_the_start_says_what_to_do_next(gallery: Running) -> None:
    assert (
        f"  page  {gallery.url}/\n  API   {gallery.url}/docs/\n  next  .venv/bin/vfa user add" in gallery.text
    )


def test_samples_have_titles_and_shapes_of_their_own() -> None:
    made = list(islice(samples.samples(), 15))
    assert len({sample.title for sample in made}) == 15
    assert len({sample.size for sample in made}) == len(samples.SHAPES)


@pytest.mark.parametrize("series", samples.SERIES, ids=lambda series: series.artist)
def test_a_picture_follows_from_its_seed(series: samples.Series) -> None:
    pixels = [np.asarray(series.paint(120, 80, seed)).astype(int) for seed in (1, 1, 2)]
    assert pixels[0].shape == (80, 120, 3)
    assert (pixels[0] == pixels[1]).all()
    assert np.abs(pixels[0] - pixels[2]).mean() > 8


@pytest.mark.parametrize("number", ["0", "51", "many"])
def test_a_number_of_samples_is_checked(tmp_path: Path, number: str) -> None:
    told = refusal(run(ROOT, "dev", "--state", str(tmp_path / "state"), "--samples", number))
    assert f"not 1 to 50 samples: {number}" in told


def test_npms_scripts_call_make() -> None:
    scripts = json.loads((ROOT / "package.json").read_text())["scripts"]
    assert {name: scripts[name] for name in ("dev", "test", "deploy")} == {
        name: f"make {name}" for name in ("dev", "test", "deploy")
    }
