"""Reads over HTTP, beside an empty Python Worker in the same run."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from typing import Any

import httpx

from benchmarks.engines import Workerd, workerd
from benchmarks.gallery import Gallery, gallery
from benchmarks.harness import Sample, interleaved, latencies, timed
from benchmarks.inputs import Input, Kind
from benchmarks.places import Effort

ARTWORKS = 100
CLIENTS = 16


def run(effort: Effort) -> dict[str, Any]:
    with gallery() as running, workerd("empty") as empty:
        urls = addresses(running, empty)
        return {
            "latency": latency(running, urls, effort.times(400, 40)),
            "perSecond": {name: _per_second(url, effort.times(4, 1)) for name, url in urls.items()},
        }


def addresses(running: Gallery, empty: Workerd) -> dict[str, str]:
    """An artwork, a list of a hundred of them, a rendition, and the empty Worker."""
    made = running.create(running.upload(Input(Kind.BASELINE, 2)))
    artwork = made.facts["body"]["data"]
    _multiply(running, artwork["id"])
    return {
        "empty": f"{empty.url}empty",
        "artwork": f"{running.url}/api/artworks/{artwork['id']}",
        "list": f"{running.url}/api/artworks?limit={ARTWORKS}",
        "icon": artwork["iconUrl"],
    }


def _multiply(running: Gallery, artwork_id: str) -> None:
    """More rows like that of the artwork, to make ARTWORKS of them."""
    (row,) = running.control("sql", sql="SELECT * FROM artworks WHERE id = ?", params=[artwork_id])["rows"]
    del row["created_ms"]  # which the database makes
    sql = f"INSERT INTO artworks ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"  # noqa: S608
    for number in range(1, ARTWORKS):
        folder, _, name = row["original_key"].rpartition("/")
        key = f"{folder}/{uuid.uuid4()}.{name.rpartition('.')[2]}"
        copy = row | {"id": f"art_{uuid.uuid4().hex}", "slug": f"copy-{number}", "original_key": key}
        running.control("sql", sql=sql, params=list(copy.values()))


def latency(running: Gallery, urls: dict[str, str], rounds: int) -> dict[str, Any]:
    """One client, the addresses in turn."""
    subjects = {name: lambda url=url: _ask(running.client, url) for name, url in urls.items()}
    found = interleaved(subjects, rounds, warm=20)
    return {name: latencies([sample.ms for sample in samples]) for name, samples in found.items()}  # type: ignore[union-attr]


def _ask(client: httpx.Client, url: str) -> Sample:
    def ask() -> dict[str, Any]:
        answer = client.get(url)
        answer.raise_for_status()
        return {"bytes": len(answer.content)}

    return timed(ask)


def _per_second(url: str, seconds: float) -> float:
    """Answers a second that CLIENTS clients get, each asking for the next when it has the last."""
    counts: list[int] = []

    def client(session: httpx.Client, end: float) -> None:
        answered = 0
        while time.perf_counter() < end:
            session.get(url).raise_for_status()
            answered += 1
        counts.append(answered)

    with contextlib.ExitStack() as stack:
        # Made and connected beforehand: a client takes as long to make as many an answer.
        sessions = [stack.enter_context(httpx.Client(timeout=30)) for _ in range(CLIENTS)]
        for session in sessions:
            session.get(url).raise_for_status()
        end = time.perf_counter() + seconds
        threads = [threading.Thread(target=client, args=(session, end)) for session in sessions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return round(sum(counts) / seconds, 1)
