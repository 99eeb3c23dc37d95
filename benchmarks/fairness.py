"""One user's flood of creates, another's single creates, and anybody's reads, on one stack.

.venv/bin/python -m benchmarks.fairness --output benchmarks/results/fairness.json
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import httpx
from tests.support.e2e.accounts import Account, artist_of
from tests.support.e2e.uploads import create_in_turn
from tests.support.pictures import jpeg
from tools import stack as local_stack

from benchmarks import machine

FLOOD = 48  # a user may have 50 uploads open
SINGLES = 8
READ_PAUSE = 0.05


def until_created(artist: Account, key: str) -> None:
    with httpx.Client(base_url=artist.client.base_url, headers=artist.headers, timeout=60) as client:
        answer = create_in_turn(client, key, "Flood")
    assert answer.status_code == 201, answer.text


def reads(url: str, stopped: threading.Event, seconds: list[float]) -> None:
    with httpx.Client(base_url=url, timeout=60) as client:
        while not stopped.wait(READ_PAUSE):
            started = time.monotonic()
            assert client.get("/api/artworks").status_code == 200
            seconds.append(time.monotonic() - started)


def read_alone(url: str, for_seconds: float) -> list[float]:
    stopped, seconds = threading.Event(), list[float]()
    reader = threading.Thread(target=reads, args=(url, stopped, seconds))
    reader.start()
    time.sleep(for_seconds)
    stopped.set()
    reader.join()
    return seconds


def spread(seconds: list[float]) -> dict[str, Any]:
    """Milliseconds: median, 95th percentile, the slowest, and all."""
    ordered = sorted(value * 1000 for value in seconds)
    return {
        "p50": round(statistics.median(ordered), 1),
        "p95": round(ordered[int(0.95 * (len(ordered) - 1))], 1),
        "most": round(ordered[-1], 1),
        "all": [round(value, 1) for value in ordered],
    }


def measured(side: tuple[int, int]) -> dict[str, Any]:
    original = jpeg(*side, seed=3, quality=60)
    with (
        tempfile.TemporaryDirectory() as folder,
        local_stack.running(Path(folder) / "state") as stack,
        artist_of(stack, "mara", 1000) as many,
        artist_of(stack, "nell", 1000) as single,
    ):
        keys = [many.upload(original) for _ in range(FLOOD)]
        own = [single.upload(original) for _ in range(2 * SINGLES)]
        alone = [timed(single, key) for key in own[:SINGLES]]
        quiet = read_alone(stack.url, 5)
        stopped, beside = threading.Event(), list[float]()
        flood = [threading.Thread(target=until_created, args=(many, key)) for key in keys]
        reader = threading.Thread(target=reads, args=(stack.url, stopped, beside))
        started = time.monotonic()
        for thread in [*flood, reader]:
            thread.start()
        time.sleep(2)
        crowded = [timed(single, key) for key in own[SINGLES:] if any(t.is_alive() for t in flood)]
        for thread in flood:
            thread.join()
        seconds = time.monotonic() - started
        stopped.set()
        reader.join()
    return {
        "megapixels": round(side[0] * side[1] / 1e6, 1),
        "flood": FLOOD,
        "secondsOfTheFlood": round(seconds, 1),
        "aSingleCreateAlone": spread(alone),
        "aSingleCreateBesideTheFlood": spread(crowded),
        "readsAlone": spread(quiet),
        "readsBesideTheFlood": spread(beside),
    }


def timed(artist: Account, key: str) -> float:
    started = time.monotonic()
    answer = artist.create(key)
    assert answer.status_code == 201, answer.text
    return time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    load = machine.load()
    runs = [measured(side) for side in ((1632, 1224), (4000, 3000))]
    for run in runs:
        for name, value in run.items():
            print(name, {k: v for k, v in value.items() if k != "all"} if isinstance(value, dict) else value)
    report = {
        "about": {"at": machine.now(), "loadBefore": load, "machine": machine.machine()},
        "measured": runs,
    }
    if arguments.output:
        arguments.output.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
