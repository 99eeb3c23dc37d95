"""The engines side by side: processes that are started once, and render what they are told."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx

from benchmarks.harness import Failed, Sample, timed
from benchmarks.inputs import Input
from benchmarks.places import HERE, NODE, ROOT
from benchmarks.processes import cpu_seconds, descendants

TIMEOUT_SECONDS = 180.0
TITLES = {
    "ours": "this project in workerd",
    "native": "native Pillow, same code",
    "sharp": "sharp, a pipeline a rendition",
    "sharp-once": "sharp, decoded once",
    "photon": "@cf-wasm/photon in workerd, a pipeline a rendition",
    "photon-once": "@cf-wasm/photon in workerd, decoded once",
    "jsquash": "jSquash in workerd, decoded once, no mark",
    "images": "Images binding as Miniflare emulates it",
}
IN_WORKERD = ("ours", "photon", "photon-once", "jsquash", "images")


class Engine(Protocol):
    def render(self, original: Input) -> Sample:
        """The three renditions of one original; raises Failed when the engine cannot make them."""


def _start(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running(command: list[str]) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A process that says on its first line that it is ready, and ends when its standard input does."""
    process = _start(command)
    try:
        assert process.stdin
        assert process.stdout
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"{command[1]} did not start")
        yield process, json.loads(line)
    finally:
        with contextlib.suppress(BrokenPipeError):
            process.stdin and process.stdin.close()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        if process.stdout:
            process.stdout.close()


@dataclass(slots=True)
class LineEngine:
    """An engine in a process of its own that times itself."""

    process: subprocess.Popen[str]
    name: str

    def render(self, original: Input) -> Sample:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"engine": self.name, "path": str(original.path)}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise Failed("the process died")
        facts = json.loads(line)
        if "error" in facts:
            raise Failed(facts["error"])
        return Sample(facts["ms"], facts)


@dataclass(slots=True)
class Workerd:
    """Engines that share one workerd; each is timed from outside, R2 in and out."""

    url: str
    boot_ms: Mapping[str, float]
    process: subprocess.Popen[str]
    client: httpx.Client
    stored: set[Input] = field(default_factory=set)

    def engine(self, name: str) -> Engine:
        return _WorkerdEngine(self, name)

    def store(self, original: Input) -> str:
        """Put the original into R2 unless it is there; its key."""
        key = f"originals/bench/{original.name}"
        if original not in self.stored:
            with original.path.open("rb") as file:
                headers = {"content-length": str(original.path.stat().st_size)}
                answer = self.client.put(f"{self.url}objects/{key}", content=file, headers=headers)
            answer.raise_for_status()
            self.stored.add(original)
        return key

    def ask(self, engine: str, body: Mapping[str, Any]) -> dict[str, Any]:
        try:
            answer = self.client.post(f"{self.url}{engine}", json=body)
            facts = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise Failed(f"{type(error).__name__}: {error}") from error
        if answer.is_error:
            raise Failed(str(facts.get("error")))
        return dict(facts)


@dataclass(frozen=True, slots=True)
class _WorkerdEngine:
    workerd: Workerd
    name: str

    def render(self, original: Input) -> Sample:
        key = self.workerd.store(original)
        pids = descendants(self.workerd.process.pid)
        before = cpu_seconds(pids)
        sample = timed(lambda: self.workerd.ask(self.name, {"key": key}))
        cpu_ms = (cpu_seconds(pids) - before) * 1000
        return Sample(sample.ms, {**sample.facts, "cpuMs": cpu_ms})


@contextmanager
def workerd(*engines: str, memory_mib: int | None = None) -> Iterator[Workerd]:
    """A workerd with these engines, warm."""
    command = [str(NODE), str(HERE / "peers/workerd.mjs"), "--engines", ",".join(engines)]
    if memory_mib is not None:
        command += ["--memory-mib", str(memory_mib)]
    with running(command) as (process, ready), httpx.Client(timeout=TIMEOUT_SECONDS) as client:
        yield Workerd(ready["url"], ready["bootMs"], process, client)


@contextmanager
def native(*arguments: str) -> Iterator[Engine]:
    with running([sys.executable, str(HERE / "peers/native.py"), *arguments]) as (process, _):
        yield LineEngine(process, "native")


@contextmanager
def sharp(name: str = "sharp") -> Iterator[Engine]:
    with running([str(NODE), str(HERE / "peers/sharp.mjs")]) as (process, _):
        yield LineEngine(process, name)


@contextmanager
def alone(name: str) -> Iterator[Engine]:
    """One engine in fresh processes: for its peak of memory."""
    if name in IN_WORKERD:
        with workerd(name) as running:
            yield running.engine(name)
    else:
        with native() if name == "native" else sharp(name) as engine:
            yield engine


@contextmanager
def side_by_side(names: Iterable[str]) -> Iterator[dict[str, Engine]]:
    """All the named engines at once."""
    wanted = list(names)
    inside = [name for name in wanted if name in IN_WORKERD]
    with contextlib.ExitStack() as stack:
        engines: dict[str, Engine] = {}
        if inside:
            shared = stack.enter_context(workerd(*inside))
            engines |= {name: shared.engine(name) for name in inside}
        for name in wanted:
            if name not in IN_WORKERD:
                engines[name] = stack.enter_context(native() if name == "native" else sharp(name))
        yield {name: engines[name] for name in wanted}


def installed() -> bool:
    return Path(HERE / "node_modules/sharp").exists()
