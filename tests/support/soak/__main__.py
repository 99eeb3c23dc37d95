"""`make soak`: mixed traffic for a given time; every answer is judged, and at the end workerd's memory."""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import httpx
from tests.support.e2e.accounts import artist_of
from tests.support.soak.ledger import Ledger, as_markdown, write
from tests.support.soak.pictures import pictures, refused
from tests.support.soak.visitor import Visitor
from tools import stack as local_stack
from tools.stack import ROOT, Stack

WORKERS = ("gateway", "thumbnail", "icon", "watermark")
INTERPRETER_FAULTS = ("crash", "corrupt", "freeze")
QUOTA = 100_000
SWEEP_SECONDS = 20
SETTLE_SECONDS = 60
FOLLOW_SECONDS = 0.2
# What fails so long before or after a death fails by it: claims have to run out, workerd has to boot.
BEFORE_SECONDS, AFTER_SECONDS = 15, 60
DEATHS = ("interpreter_died", "crashed unexpectedly", "is started again")
# All Workers and their users share this machine: a slow answer is no fault.
PATIENT = ["--var", "VARIANT_DEADLINE_SECONDS=20"]


class Soak:
    """One run against a stack of its own."""

    def __init__(self, stack: Stack, arguments: argparse.Namespace) -> None:
        self.stack = stack
        self.ledger = Ledger()
        self.minutes: float = arguments.minutes
        self.sample_seconds: float = arguments.sample_minutes * 60
        self.kill_seconds: float | None = arguments.kill_every
        self.rng = random.Random(arguments.seed)  # noqa: S311
        self.over = threading.Event()
        self._doubts: list[tuple[float, str]] = []
        self._deaths: list[float] = []

    def doubt(self, what: str) -> None:
        self._doubts.append((time.monotonic(), what))

    def run(self, visitors: list[Visitor], operator: httpx.Client) -> None:
        """All of it, to the last check."""
        self.ledger.started = time.monotonic()
        duties: list[Callable[[], None]] = [partial(self._visit, visitor) for visitor in visitors]
        duties += [partial(self._sweep, operator), self._sample, self._follow]
        if self.kill_seconds:
            duties.append(self._kill)
        threads = [threading.Thread(target=self._guarded, args=(duty,)) for duty in duties]
        for thread in threads:
            thread.start()
        self.over.wait(self.minutes * 60)
        self.over.set()
        for thread in threads:
            thread.join()
        self._settle()
        for visitor in visitors:
            visitor.check_account()
        self._sum_up()

    def _guarded(self, duty: Callable[[], None]) -> None:
        try:
            duty()
        except Exception as error:
            self.ledger.fault(f"the soak itself failed: {error!r}")
            self.over.set()
            raise

    def _visit(self, visitor: Visitor) -> None:
        while not self.over.is_set():
            visitor.act()

    def _sweep(self, operator: httpx.Client) -> None:
        while not self.over.wait(SWEEP_SECONDS):
            try:
                answer = operator.post("/api/sweep", params={"dryRun": self.rng.choice(["true", "false"])})
                self.ledger.count("sweep", answer.status_code)
                if answer.status_code not in (200, 503):
                    self.doubt(f"sweep: {answer.status_code} {answer.text[:300]}")
                elif answer.status_code == 200 and answer.json()["data"]["missing"]:
                    self.doubt(f"sweep: missing {answer.json()['data']['missing']}")
            except httpx.TransportError as error:
                self.doubt(f"sweep: {error!r}")

    def _sample(self) -> None:
        while True:
            try:
                heaps = {name: about["heapBytes"] for name, about in self.stack.control("status").items()}
                made = self.ledger.sample(workerd_of(self.stack), heaps)
                print(f"minute {made.minute}: workerd {made.rss} MiB, {made.requests} requests", flush=True)
            except (OSError, ValueError) as error:
                self.doubt(f"memory: {error!r}")
            if self.over.wait(self.sample_seconds):
                return

    def _follow(self) -> None:
        """Notes when something died."""
        seen = 0
        while not self.over.wait(FOLLOW_SECONDS):
            lines = list(self.stack.lines)[seen:]
            seen += len(lines)
            self._deaths += [time.monotonic() for line in lines if any(death in line for death in DEATHS)]

    def _kill(self) -> None:
        while not self.over.wait(self.kill_seconds):
            if self.rng.random() < 0.2:
                self._kill_workerd()
                continue
            worker, kind = self.rng.choice(WORKERS), self.rng.choice(INTERPRETER_FAULTS)
            self.ledger.kills[f"{worker} {kind}"] += 1
            try:
                self.stack.control("faults", worker=worker, interpreter={"kind": kind})
            except OSError as error:
                self.doubt(f"kill: {error!r}")

    def _kill_workerd(self) -> None:
        try:
            os.kill(workerd_of(self.stack), signal.SIGKILL)
        except ProcessLookupError:
            return
        self._deaths.append(time.monotonic())
        self.ledger.kills["workerd"] += 1

    def _settle(self) -> None:
        """All is well again within a minute of the last request, and the memory then is the last sample."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            try:
                if httpx.get(f"{self.stack.url}/healthz", timeout=SETTLE_SECONDS).status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.2)
            if time.monotonic() > deadline:
                self.ledger.fault("the gallery does not recover")
                break
            time.sleep(0.5)
        self.over.set()
        self._sample()

    def _sum_up(self) -> None:
        for moment, what in self._doubts:
            if not any(-BEFORE_SECONDS <= moment - death <= AFTER_SECONDS for death in self._deaths):
                self.ledger.fault(what)
        if self.count("interpreter_died") != self.count("interpreter_started") and not self.kill_seconds:
            self.ledger.fault("an interpreter died and was not replaced")
        if not self.kill_seconds:
            self.ledger.check_memory()

    def count(self, word: str) -> int:
        return sum(word in line for line in list(self.stack.lines))


def workerd_of(stack: Stack) -> int:
    """The process behind the stack. Raises OSError while there is none."""
    found = subprocess.run(["ps", "-axo", "pid=,ppid=,comm="], check=True, capture_output=True, text=True)
    for line in found.stdout.splitlines():
        pid, parent, program = line.split(maxsplit=2)
        if int(parent) == stack.process.pid and Path(program).name == "workerd":
            return int(pid)
    raise ProcessLookupError("no workerd runs")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--sample-minutes", type=float, default=5, help="between two looks at the memory")
    parser.add_argument("--users", type=int, default=6, help="at once")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kill-every", type=float, metavar="SECONDS", help="kill an interpreter or workerd")
    parser.add_argument("--out", type=Path, default=ROOT / ".cache/soak", help="folder of the report")
    return parser.parse_args()


def main() -> int:
    """Exit status 0 when nothing was wrong."""
    arguments = parse()
    good, bad = pictures(), refused()
    with ExitStack() as stack_of:
        state = Path(stack_of.enter_context(tempfile.TemporaryDirectory()))
        stack = stack_of.enter_context(local_stack.running(state, arguments=PATIENT))
        soak = Soak(stack, arguments)
        visitors = []
        for number in range(arguments.users):
            account = stack_of.enter_context(artist_of(stack, f"visitor-{number}", QUOTA))
            rng = random.Random(f"{arguments.seed} {number}")  # noqa: S311
            visitors.append(Visitor(account, good, bad, soak.ledger, soak.doubt, rng))
        operator = stack_of.enter_context(artist_of(stack, "operator", QUOTA, operator=True))
        soak.run(visitors, operator.client)
        report = soak.ledger.report(
            seed=arguments.seed,
            users=arguments.users,
            died=soak.count("interpreter_died"),
            revived=soak.count("interpreter_started"),
            restarts=soak.count("workerd ended and was started again"),
        )
    path = write(report, arguments.out)
    print(as_markdown(report))
    print(json.dumps({"report": str(path), "faults": len(report["faults"])}))
    return 1 if report["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
