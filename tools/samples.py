"""Fill an empty local gallery with generated pictures by three artists, through its API."""

from __future__ import annotations

import argparse
import io
import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import httpx

from tools import picture
from tools.local_users import LocalDatabase
from tools.problem import Problem

ROOT = Path(__file__).resolve().parent.parent
SHAPES = ((1600, 1067), (1080, 1350), (1400, 1400), (1800, 1013), (1000, 1500))
ARTISTS = ("ines", "tomas", "yuki")
# The local runtime issues an operator's tokens to the user of this name.
OPERATOR = "operator"
WAIT_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Series:
    """Pictures of one artist: how they are painted, and what they are called."""

    artist: str
    paint: picture.Painter
    materials: str
    tags: tuple[str, ...]
    titles: tuple[str, ...]


SERIES = (
    Series(
        "ines",
        picture.paint,
        "noise and gradients",
        ("dusk", "landscape"),
        ("Dusk over the lake", "Last light", "Seven ridges", "Still water", "Evening haze"),
    ),
    Series(
        "tomas",
        picture.contours,
        "layered paper, generated",
        ("abstract", "contours"),
        ("Tide lines", "Survey of a hill", "Strata", "Low pressure", "Slow river"),
    ),
    Series(
        "yuki",
        picture.tiles,
        "tiles, generated",
        ("abstract", "geometry"),
        ("Quarter turns", "Courtyard", "Festival", "Four colours", "Stairwell"),
    ),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture to be added."""

    series: Series
    title: str
    size: tuple[int, int]
    seed: int

    def data(self) -> bytes:
        """The picture as a JPEG file."""
        file = io.BytesIO()
        self.series.paint(*self.size, self.seed).save(file, "JPEG", quality=90)
        return file.getvalue()


def samples() -> Iterator[Sample]:
    """Endless samples, the artists in turn, each in another shape."""
    number = 0
    while True:
        series = SERIES[number % len(SERIES)]
        turn = number // len(SERIES)
        name = series.titles[turn % len(series.titles)]
        title = name if turn < len(series.titles) else f"{name}, {turn // len(series.titles) + 1}"
        yield Sample(series, title, SHAPES[number % len(SHAPES)], seed=number + 1)
        number += 1


def add_users(state: Path) -> None:
    """Add the artists, and an operator, to the database of the local gallery."""
    usernames = [*ARTISTS, OPERATOR]
    values = ", ".join("(?, ?)" for _ in usernames)
    sql = f"INSERT INTO users (id, username) VALUES {values} ON CONFLICT DO NOTHING"  # noqa: S608
    parameters = [value for name in usernames for value in (f"usr_{secrets.token_hex(8)}", name)]
    LocalDatabase(ROOT, state).query(sql, parameters)


def token_of(client: httpx.Client, username: str) -> str:
    return str(client.post("/.local/token", json={"username": username}).raise_for_status().json()["token"])


def add(client: httpx.Client, sample: Sample) -> None:
    """Upload the picture and create its artwork, in the three steps of every upload."""
    headers = {"Authorization": f"Bearer {token_of(client, sample.series.artist)}"}
    data = sample.data()
    about = {"filename": "sample.jpg", "contentType": "image/jpeg", "size": len(data)}
    upload = client.post("/api/artworks/upload-url", json=about, headers=headers).raise_for_status().json()
    httpx.put(
        upload["uploadUrl"], headers=upload["headers"], content=data, timeout=WAIT_SECONDS
    ).raise_for_status()
    artwork = {
        "title": sample.title,
        "originalKey": upload["key"],
        "category": "digital",
        "materials": sample.series.materials,
        "tags": list(sample.series.tags),
    }
    client.post("/api/artworks", json=artwork, headers=headers).raise_for_status()


def fill(url: str, state: Path, count: int) -> None:
    """Add `count` samples to the gallery at `url`, whose state is in `state`, unless it has artworks."""
    with httpx.Client(base_url=url, timeout=WAIT_SECONDS) as client:
        if client.get("/api/artworks").raise_for_status().json()["data"]:
            print("the gallery is not empty: no samples were added", flush=True)
            return
        add_users(state)
        for sample in islice(samples(), count):
            add(client, sample)
        print(f"{count} samples were added, by {', '.join(ARTISTS)}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--count", type=int, default=12)
    arguments = parser.parse_args()
    try:
        fill(arguments.url, arguments.state, arguments.count)
    except KeyboardInterrupt:
        return 130
    except (httpx.HTTPError, Problem) as error:
        print(f"error: the samples were not added: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
