"""A thousand files of 2 megapixels through `vfa upload`, one in twenty of them bad.

The questions: do all good ones arrive exactly once, are the bad ones listed with reasons (those that are
no pictures passed over and counted), does memory stay flat? Flat: from the second tenth of a run to its
last, the median grows by no more than 4 MiB; a run of less than half a minute is too short to tell. The
exit status is 1 when an answer is no. With --interrupt the command is killed after a quarter of the
files, and interrupted with Ctrl-C after half of them.

    .venv/bin/python -m benchmarks.client_batch --output benchmarks/results/client_batch.json
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.pictures import jpeg
from tools import stack

from benchmarks import machine
from benchmarks.places import ROOT
from benchmarks.prepare import prepare

VFA = ROOT / ".venv/bin/vfa"
SIZE = (1632, 1225)  # 2.0 megapixels
PAINTED = 20
SAMPLE_SECONDS = 1.0
FEWEST_SAMPLES = 30
MOST_GROWTH_MIB = 4.0


def numbered(picture: bytes, number: int) -> bytes:
    """The same pixels as another file: a JPEG comment with a number, right after the first marker."""
    comment = f"number {number}".encode()
    return picture[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + picture[2:]


def huge_png() -> bytes:
    """The head of a PNG of 60,000 × 60,000 pixels."""
    side = (60_000).to_bytes(4, "big")
    return b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR" + side + side + b"\x08\x02\x00\x00\x00" + bytes(4000)


def bad(number: int, picture: bytes) -> tuple[str, bytes]:
    """Suffix and bytes of one of five kinds of bad file, of which two are no pictures."""
    kinds = (
        ("jpg", picture[:2] + b"not a picture after all" * 100),
        ("txt", b"a shopping list"),
        ("bmp", b"BM" + bytes(5000)),
        ("png", huge_png()),
        ("jpg", b""),
    )
    return kinds[number % len(kinds)]


def fill(folder: Path, files: int) -> int:
    """Write the files, every twentieth of them bad; how many are good."""
    painted = [jpeg(*SIZE, seed=seed) for seed in range(PAINTED)]
    good = 0
    for number in range(files):
        picture = painted[number % PAINTED]
        if number % 20 == 19:
            suffix, data = bad(number // 20, picture)
            (folder / f"bad {number:04}.{suffix}").write_bytes(data)
        else:
            (folder / f"good {number:04}.jpg").write_bytes(numbered(picture, number))
            good += 1
    return good


@dataclass(slots=True)
class Watch:
    """Resident memory of one process, in MiB, sampled until it ends."""

    process: subprocess.Popen[bytes]
    samples: list[float] = field(default_factory=list)

    def run(self) -> None:
        status = Path(f"/proc/{self.process.pid}/status")
        while self.process.poll() is None:
            try:
                found = re.search(r"VmRSS:\s+(\d+)", status.read_text())
            except OSError:
                return
            if found:
                self.samples.append(round(int(found[1]) / 1024, 1))
            time.sleep(SAMPLE_SECONDS)


def growth(samples: list[float]) -> float | None:
    """MiB by which the median grows from the second tenth to the last; None when there are too few samples.

    >>> growth([5.0] * 10 + [39.0] * 10 + [40.0] * 80)
    1.0
    """
    tenth = len(samples) // 10
    if len(samples) < FEWEST_SAMPLES:
        return None
    return round(statistics.median(samples[-tenth:]) - statistics.median(samples[tenth : 2 * tenth]), 1)


def upload(
    running: stack.Stack, folder: Path, home: Path, token: str, parallel: int, output: Path
) -> subprocess.Popen[bytes]:
    words = {"VFA_URL": running.url, "VFA_TOKEN": token, "XDG_CONFIG_HOME": str(home)}
    command = [str(VFA), "upload", str(folder), "--parallel", str(parallel), "--json"]
    with output.open("wb") as file:
        return subprocess.Popen(command, env=os.environ | words, stdout=file)


def artworks(running: stack.Stack) -> int:
    return int(running.rows("SELECT count(*) AS n FROM artworks")[0]["n"])


def run_once(
    process: subprocess.Popen[bytes], running: stack.Stack, end: tuple[int, int] | None, output: Path
) -> dict[str, Any]:
    """Wait for one run of the command, or end it with a signal once so many artworks are there."""
    started = time.monotonic()
    watch = Watch(process)
    watcher = threading.Thread(target=watch.run)
    watcher.start()
    while end and process.poll() is None:
        time.sleep(SAMPLE_SECONDS)
        # On a loaded machine the control port may refuse a query; the next one counts.
        with contextlib.suppress(OSError):
            if artworks(running) >= end[0]:
                process.send_signal(end[1])
                break
    killed = process.wait() == -signal.SIGKILL
    watcher.join()
    answer = {"counts": None, "failed": []} if killed else json.loads(output.read_text())
    reasons = collections.Counter(f"{each['code']}: {reason(each)}" for each in answer["failed"])
    return {
        "status": process.returncode,
        "seconds": round(time.monotonic() - started, 1),
        "counts": answer["counts"],
        "passedOver": answer.get("passedOver"),
        "reasons": dict(reasons),
        "grownMiB": growth(watch.samples),
        "rssMiB": watch.samples,
    }


def reason(failure: dict[str, str]) -> str:
    """The error without the file's own name."""
    return re.sub(r"^\S*bad \d+\.\w+", "the file", failure["error"])


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="vfa-files-") as name:
        folder, home, state = (Path(name) / part for part in ("pictures", "home", "state"))
        for part in (folder, home, state):
            part.mkdir()
        good = fill(folder, arguments.files)
        megabytes = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
        with stack.running(state) as running:
            ask = [str(VFA), "user", "add", "bench", "--limit", "10000", "--state", str(state)]
            subprocess.run(ask, check=True, capture_output=True)
            token_words = [str(VFA), "token", "bench", "--state", str(state)]
            token = subprocess.run(token_words, check=True, capture_output=True, text=True).stdout.strip()
            ends: list[tuple[int, int] | None] = [None]
            if arguments.interrupt:
                ends = [(good // 4, signal.SIGKILL), (good // 2, signal.SIGINT), None]
            runs = []
            for end in ends:
                output = Path(name) / "output.json"
                process = upload(running, folder, home, token, arguments.parallel, output)
                runs.append(run_once(process, running, end, output))
            titles = running.rows("SELECT title, count(*) AS n FROM artworks GROUP BY title")
    return {
        "files": arguments.files,
        "good": good,
        "megabytes": round(megabytes, 1),
        "parallel": arguments.parallel,
        "runs": runs,
        "artworks": sum(row["n"] for row in titles),
        "distinctTitles": len(titles),
        "badAmongThem": sum(not row["title"].startswith("good ") for row in titles),
    }


def measured(arguments: argparse.Namespace) -> dict[str, Any]:
    """The measurement with its machine, commit and time."""
    prepare()
    load, started, at = machine.load(), time.monotonic(), machine.now()
    result = measure(arguments)
    about = {"at": at, "seconds": round(time.monotonic() - started), "loadBefore": load}
    return {"about": {**about, "machine": machine.machine()}, "measured": result}


def is_right(result: dict[str, Any]) -> bool:
    """Whether each good file is there once, no bad one is, and memory was flat."""
    exact = result["artworks"] == result["distinctTitles"] == result["good"] and not result["badAmongThem"]
    grown = [run["grownMiB"] for run in result["runs"] if run["grownMiB"] is not None]
    return exact and all(each <= MOST_GROWTH_MIB for each in grown)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--parallel", type=int, default=4)
    parser.add_argument("--interrupt", action="store_true")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    result = measured(arguments)
    text = json.dumps(result, indent=1)
    # One line for each series, not one for each sample.
    text = re.sub(r"\[\s+([\d.,\s]+?)\s+\]", lambda found: "[" + " ".join(found[1].split()) + "]", text)
    print(text)
    if arguments.output:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(text + "\n")
    return 0 if is_right(result["measured"]) else 1


if __name__ == "__main__":
    sys.exit(main())
