"""A copy of the project with small Workers in place of the real ones, and the runtime's command run in it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
NODE = ROOT / ".venv/bin/node"
VARIANTS = ("thumbnail", "icon", "watermark")

GATEWAY = """
import sys
from types import SimpleNamespace

from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.url.endswith("/api/boom"):
            raise ValueError("a readable reason")
        if request.url.endswith("/api/odd"):
            return SimpleNamespace(js_object=7)
        if request.url.endswith("/api/python"):
            return Response(".".join(map(str, sys.version_info[:2])))
        if request.url.endswith("/api/ask"):
            return Response(await (await self.env.ICON.fetch("http://sibling/")).text())
        if request.url.endswith("/api/write"):
            await self.env.DB.prepare("INSERT INTO notes VALUES ('kept')").run()
            await self.env.BUCKET.put("note", b"kept")
            await self.env.KV.put("note", "kept")
        note = await self.env.BUCKET.get("note")
        row = await self.env.DB.prepare("SELECT text FROM notes").first()
        parts = [await self.env.KV.get("note"), row and row["text"], note and await note.text()]
        return Response(repr(parts))

    async def scheduled(self, controller):
        print("swept at", controller.cron)
"""
SIBLING = """
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        print("asked")
        try:
            bytearray(100 * 2**20)
        except MemoryError:
            return Response("MemoryError, and still here")
        return Response("as much memory as it likes")
"""


def copy_config(source: Path, target: Path) -> None:
    """Copy wrangler.toml without its build command, which looks for the whole repository."""
    text = (source / "wrangler.toml").read_text()
    (target / "wrangler.toml").write_text(re.sub(r"(?m)^\[build\]\n(?:[^\[\n].*\n)*", "", text))


def make_project(project: Path) -> Path:
    """Lay the copy out in `project`, an empty folder."""
    shutil.copytree(ROOT / "runtime", project / "runtime")
    shutil.copytree(ROOT / ".cache/wheelhouse", project / ".cache/wheelhouse")
    for prepared in (ROOT / ".cache").glob("pyodide-*/"):
        shutil.copytree(prepared, project / ".cache" / prepared.name)
    (project / "node_modules").symlink_to(ROOT / "node_modules")
    shutil.copy(ROOT / "package-lock.json", project)
    copy_config(ROOT, project)
    (project / "schema.sql").write_text("CREATE TABLE IF NOT EXISTS notes (text TEXT);\n")
    (project / "src").mkdir()
    (project / "src/entry.py").write_text(GATEWAY)
    (project / "web/dist").mkdir(parents=True)
    (project / "tools").mkdir()
    shutil.copy(ROOT / "tools/build.mjs", project / "tools")
    (project / "python_modules").symlink_to(ROOT / "python_modules")
    (project / "variants/src").mkdir(parents=True)
    for variant in VARIANTS:
        folder = project / "variants" / variant
        folder.mkdir()
        copy_config(ROOT / "variants" / variant, folder)
        # The gateway's modules will do: these siblings need the SDK only.
        shutil.copytree(ROOT / "python_modules", folder / "python_modules")
        (project / f"variants/src/{variant}.py").write_text(SIBLING)
    return project


def run(
    project: Path, *words: str, node: tuple[str, ...] = (str(NODE),), text: str | None = None
) -> subprocess.CompletedProcess[str]:
    """The runtime's command in `project`, to its end."""
    command = [*node, str(project / "runtime/main.mjs"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, input=text)


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a command that refused."""
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1, done.stderr
    assert "\x1b" not in done.stderr
    return done.stderr


class Started:
    """A runtime that was started, whose output goes to a file."""

    def __init__(self, project: Path, state: Path, log: Path, *words: str, python: str = "") -> None:
        self.log = log
        self.state = state
        environment = {**os.environ, "PYTHON_WORKERS": python} if python else None
        command = [str(NODE), str(project / "runtime/main.mjs"), "dev", "--port", "0", "--state", str(state)]
        with log.open("w") as output:
            self.process = subprocess.Popen(
                [*command, *words], stdout=output, stderr=subprocess.STDOUT, text=True, env=environment
            )

    @property
    def text(self) -> str:
        return self.log.read_text()

    def wait(self) -> str:
        """Its URL, once it is ready."""
        deadline = time.monotonic() + 120
        while "ready on " not in self.text:
            assert self.process.poll() is None, self.text
            assert time.monotonic() < deadline, self.text
            time.sleep(0.05)
        return self.text.partition("ready on ")[2].split()[0]

    def says(self, text: str) -> bool:
        """Whether the log holds `text` within two seconds."""
        deadline = time.monotonic() + 2
        while text not in self.text and time.monotonic() < deadline:
            time.sleep(0.05)
        return text in self.text

    def end(self, how: signal.Signals = signal.SIGINT) -> int:
        """Its exit status, once it has ended by the signal."""
        self.process.send_signal(how)
        return self.process.wait(20)


class Running(Started):
    """A runtime that is ready at `url`."""

    def __init__(self, project: Path, state: Path, log: Path, *words: str, python: str = "") -> None:
        super().__init__(project, state, log, *words, python=python)
        try:
            self.url = self.wait()
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise


@contextmanager
def running_in(project: Path, folder: Path, *words: str, python: str = "") -> Iterator[Running]:
    """A runtime with its state and log in `folder`, ended with the block; `python` overrides its version."""
    runtime = Running(project, folder / "state", folder / "log", *words, python=python)
    try:
        yield runtime
    finally:
        if runtime.process.poll() is None:
            runtime.end()


def descendants_of(pid: int) -> set[int]:
    """Processes that `pid` started, and those that they did."""
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    children = {int(line) for line in found.stdout.split()}
    return children.union(*map(descendants_of, children))


def _ps(pid: int, column: str) -> str:
    """A column of `ps`, which macOS has, too; empty when there is no such process."""
    command = ["ps", "-ww", "-o", f"{column}=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def command_of(pid: int) -> str:
    """The command line of a process, empty when there is none."""
    return _ps(pid, "command")


def is_gone(pid: int) -> bool:
    """Whether the process is no longer there, or only its entry is."""
    state = _ps(pid, "stat")
    return not state or state.startswith("Z")


def are_gone_soon(processes: set[int]) -> bool:
    """Whether all processes are gone within five seconds."""
    deadline = time.monotonic() + 5
    while not all(map(is_gone, processes)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return all(map(is_gone, processes))
