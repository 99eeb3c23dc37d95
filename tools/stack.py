"""Start and stop the local stack from Python, as a context manager."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from tools.problem import Problem

ROOT = Path(__file__).resolve().parent.parent
NODE = ROOT / ".venv/bin/node"
READY = "ready on "


@dataclass(slots=True)
class Stack:
    """A running stack: where it listens and how to ask its control port."""

    url: str
    state: Path
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def control(self, action: str, **body: Any) -> dict[str, Any]:
        """Answer of one action of the control port (runtime/stack.mjs names them)."""
        about = json.loads((self.state / "stack.json").read_text())
        request = Request(  # noqa: S310
            f"{about['control']}/{action}",
            data=json.dumps(body).encode(),
            headers={"authorization": f"Bearer {about['token']}"},
        )
        with urlopen(request, timeout=60) as answer:  # noqa: S310
            return dict(json.load(answer))

    def rows(self, sql: str, *params: Any) -> list[dict[str, Any]]:
        """Rows of one SQL statement on the stack's D1 database."""
        return list(self.control("sql", sql=sql, params=params)["rows"])


def _follow(process: subprocess.Popen[str], stack: Stack, ready: threading.Event) -> None:
    for line in process.stdout or ():
        stack.lines.append(line.rstrip("\n"))
        if line.startswith(READY):
            stack.url = line.split()[2]
            ready.set()
    ready.set()


@contextmanager
def running(
    state: Path, *, port: int = 0, arguments: Sequence[str] = (), timeout: float = 120
) -> Iterator[Stack]:
    """Run the stack on `state` until the block ends, on any free port for 0; raises Problem when it fails."""
    command = [
        str(NODE),
        str(ROOT / "runtime/main.mjs"),
        "dev",
        "--port",
        str(port),
        "--state",
        str(state),
        *arguments,
    ]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    stack = Stack(url="", state=state, process=process)
    ready = threading.Event()
    follower = threading.Thread(target=_follow, args=(process, stack, ready), daemon=True)
    follower.start()
    try:
        if not ready.wait(timeout) or not stack.url:
            raise Problem("the local stack did not start:\n" + "\n".join(stack.lines))
        yield stack
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        follower.join(5)
        if process.stdout:
            process.stdout.close()
