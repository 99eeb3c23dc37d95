"""The create as a whole: for 1, 4 and 16 clients, where its time goes, and what the gateway adds."""

from __future__ import annotations

import contextlib
import queue
import statistics
import threading
import time
from collections.abc import Sequence
from typing import Any

import httpx

from benchmarks.engines import workerd
from benchmarks.gallery import Gallery, Original, gallery
from benchmarks.harness import Sample, interleaved, latencies, summary, timed
from benchmarks.inputs import Input, Kind
from benchmarks.places import Effort

MEGAPIXELS = (2, 12)
CLIENTS = (1, 4, 16)
CREATES = {2: {1: 40, 4: 48, 16: 64}, 12: {1: 24, 4: 32, 16: 48}}
SHARES = ("siblings", "D1", "R2", "KV", "limits", "gateway")


def run(effort: Effort) -> dict[str, Any]:
    found: dict[str, Any] = {"load": {}, "shares": {}}
    with gallery() as running:
        for megapixels in MEGAPIXELS:
            picture = Input(Kind.BASELINE, megapixels)
            running.create(running.upload(picture))
            for clients in CLIENTS:
                creates = effort.times(CREATES[megapixels][clients], 2 * clients)
                found["load"][f"{megapixels} MP, {clients}"] = _load(running, picture, clients, creates)
    with gallery(staged=True) as running, workerd("empty") as empty:
        for megapixels in MEGAPIXELS:
            originals = [
                running.upload(Input(Kind.BASELINE, megapixels)) for _ in range(effort.times(16, 3) + 1)
            ]
            found["shares"][f"{megapixels} MP"] = _shares(running, empty, originals)
    return found


def _load(running: Gallery, picture: Input, clients: int, creates: int) -> dict[str, Any]:
    """A closed loop: each client asks for its next create when it has the answer to the last."""
    waiting: queue.SimpleQueue[Original] = queue.SimpleQueue()
    for _ in range(creates):
        waiting.put(running.upload(picture))
    samples: list[Sample] = []
    with contextlib.ExitStack() as stack:
        # Made beforehand: a client takes as long to make as many an answer.
        sessions = [stack.enter_context(httpx.Client(timeout=120)) for _ in range(clients)]
        threads = [
            threading.Thread(target=_client, args=(running, session, waiting, samples))
            for session in sessions
        ]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - started
    made = [sample for sample in samples if sample.facts["status"] == 201]
    return {
        "latency": latencies([sample.ms for sample in made]),
        "perSecond": round(len(made) / seconds, 2),
        "refused": len(samples) - len(made),
        "statuses": sorted({sample.facts["status"] for sample in samples}),
        "serverTiming": _agreement(made),
    }


def _client(
    running: Gallery,
    session: httpx.Client,
    waiting: queue.SimpleQueue[Original],
    samples: list[Sample],
) -> None:
    while True:
        try:
            original = waiting.get_nowait()
        except queue.Empty:
            return
        samples.append(running.create(original, session))


def _agreement(samples: Sequence[Sample]) -> dict[str, Any]:
    """How the total of Server-Timing compares with the clock outside, and the median of its stages."""
    shares = [sample.facts["stages"]["total"] / sample.ms for sample in samples]
    names = samples[0].facts["stages"]
    stages = {
        name: round(statistics.median(sample.facts["stages"][name] for sample in samples), 1)
        for name in names
    }
    return {"ofOutside": summary(shares), "stages": stages}


def _shares(running: Gallery, empty: Any, originals: list[Original]) -> dict[str, Any]:
    """One client, so that no call waits for another create: where the time of a create goes."""
    waiting = iter(originals)

    def create() -> Sample:
        sample = running.create(next(waiting))
        assert sample.facts["status"] == 201, sample.facts
        return sample

    def nothing() -> Sample:
        return timed(lambda: {"status": empty.client.post(f"{empty.url}empty", json={}).status_code})

    found = interleaved({"create": create, "empty": nothing}, len(originals) - 1)
    creates, empties = found["create"], found["empty"]
    assert not isinstance(creates, str)
    assert not isinstance(empties, str)
    bindings = {
        name: summary([sample.facts["bindings"].get(name, 0.0) for sample in creates]) for name in SHARES
    }
    without = [sample.ms - sample.facts["bindings"]["siblings"] for sample in creates]
    return {
        "create": summary([sample.ms for sample in creates]),
        "empty": summary([sample.ms for sample in empties]),
        "bindings": bindings,
        "withoutSiblings": summary(without),
        "overheadMs": round(
            statistics.median(without) - statistics.median(sample.ms for sample in empties), 2
        ),
    }
