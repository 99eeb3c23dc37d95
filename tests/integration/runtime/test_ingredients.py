"""What is missing, broken or of the wrong age is named in one sentence before anything starts."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.runtime.projects import NODE, refusal, run

# A Node of another age: it says so, and its modules do not know their folder.
OLD_NODE = """
import module from "node:module";
Object.defineProperty(process.versions, "node", { value: "18.20.8" });
module.registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    if (!url.startsWith("file:")) return loaded;
    return { ...loaded, source: `delete import.meta.dirname;\\n${loaded.source}` };
  },
});
"""
# A machine that lets nobody listen.
CLOSED_PORTS = """
import net from "node:net";
net.Server.prototype.listen = function () {
  const denied = Object.assign(new Error("listen EACCES: permission denied"), { code: "EACCES" });
  queueMicrotask(() => this.emit("error", denied));
};
"""
Change = Callable[[str], str]


def preloading(folder: Path, script: str) -> tuple[str, ...]:
    """The command of a Node that runs `script` first."""
    path = folder / "preloaded.mjs"
    path.write_text(script)
    return (str(NODE), "--import", str(path))


def old_nodes() -> list[str]:
    """Every Node on this machine that is too old for the runtime."""
    folders = os.environ["PATH"].split(os.pathsep)
    found = {path for folder in folders if (path := shutil.which("node", path=folder))}
    versions = {path: subprocess.check_output([path, "--version"], text=True) for path in sorted(found)}
    return [path for path, version in versions.items() if int(version[1:].split(".")[0]) < 22]


def started(project: Path, tmp_path: Path) -> str:
    """The sentence with which a start on a state of its own is refused."""
    return refusal(run(project, "dev", "--port", "0", "--state", str(tmp_path / "state")))


def test_an_old_node_is_named(template: Path, tmp_path: Path) -> None:
    node = preloading(tmp_path, OLD_NODE)
    done = run(template, "dev", "--state", str(tmp_path), node=node)
    assert "Node 22.12 or newer is needed, this is 18.20.8" in refusal(done)


@pytest.mark.parametrize("node", old_nodes())
def test_an_old_node_of_this_machine_is_named(template: Path, tmp_path: Path, node: str) -> None:
    done = run(template, "dev", "--state", str(tmp_path), node=(node,))
    assert "Node 22.12 or newer is needed" in refusal(done)


def test_a_port_in_use_is_named(template: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run(template, "dev", "--port", str(port), "--state", str(tmp_path))
    assert f"port {port} is in use" in refusal(done)


def test_a_port_that_the_user_may_not_take_is_not_said_to_be_in_use(template: Path, tmp_path: Path) -> None:
    node = preloading(tmp_path, CLOSED_PORTS)
    said = refusal(run(template, "dev", "--port", "80", "--state", str(tmp_path), node=node))
    assert "port 80 is reserved for other users" in said


def without_line(start: str) -> Change:
    return lambda text: re.sub(rf"(?m)^{start}.*\n", "", text, count=1)


def without_table(name: str) -> Change:
    return lambda text: re.sub(rf"(?m)^\[\[{name}\]\]\n(?:[^\[\n].*\n)*", "", text)


def with_line(start: str, line: str) -> Change:
    return lambda text: re.sub(rf"(?m)^{start}.*$", line, text, count=1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text + "\nname = [\n", "does not parse: "),
        (with_line("name = ", "name = 7"), 'does not parse: Expected "name" to be of type string'),
        (without_line("name = "), "has no `name`"),
        (without_line("main = "), "has no `main`"),
        (without_line("compatibility_date"), "has no `compatibility_date`"),
        (with_line("main = ", 'main = "src/absent.py"'), "src/absent.py as `main`, which is no file"),
        (with_line("main = ", 'main = "src"'), "/src as `main`, which is no file"),
        (without_table("d1_databases"), "has no [[d1_databases]]"),
        (without_table("r2_buckets"), "has no [[r2_buckets]]"),
        (without_table("kv_namespaces"), "has no [[kv_namespaces]]"),
        (without_table("services"), "has no [[services]]"),
        (without_table("ratelimits"), "has no [[ratelimits]]"),
        (
            with_line("service = ", 'service = "elsewhere"'),
            "to elsewhere, which none of the Workers is called",
        ),
        (with_line("crons = ", 'crons = ["daily"]'), "has a cron that cannot be read: daily"),
    ],
)
def test_a_fault_in_the_gateways_wrangler_toml_is_named(
    project: Path, tmp_path: Path, change: Change, said: str
) -> None:
    path = project / "wrangler.toml"
    path.write_text(change(path.read_text()))
    told = started(project, tmp_path)
    assert told.startswith(f"error: {path} ")
    assert said in told


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text + "\nname = [\n", "does not parse: "),
        (with_line("main = ", 'main = "../src/absent.py"'), "src/absent.py as `main`, which is no file"),
        (without_table("r2_buckets"), "has no [[r2_buckets]]"),
    ],
)
def test_a_fault_in_a_siblings_wrangler_toml_is_named(
    project: Path, tmp_path: Path, change: Change, said: str
) -> None:
    path = project / "variants/icon/wrangler.toml"
    path.write_text(change(path.read_text()))
    told = started(project, tmp_path)
    assert told.startswith(f"error: {path} ")
    assert said in told


def test_a_wrangler_toml_that_is_not_there_is_named(project: Path, tmp_path: Path) -> None:
    (project / "variants/icon/wrangler.toml").unlink()
    assert "binds ICON to vfa-gallery-icon, which none of the Workers is called" in started(project, tmp_path)


def test_what_wrangler_refuses_is_told_in_one_sentence(project: Path, tmp_path: Path) -> None:
    path = project / "wrangler.toml"
    path.write_text(with_line("main = ", 'main = "src/entry.sql"')(path.read_text()))
    (project / "src/entry.sql").touch()
    told = started(project, tmp_path)
    assert told.startswith("error: wrangler cannot bundle the gateway Worker: Build failed")
    assert "src/entry.sql" in told


@pytest.mark.parametrize("made", ["variants/icon/python_modules", "web/dist"])
def test_what_set_up_has_not_made_is_named(project: Path, tmp_path: Path, made: str) -> None:
    shutil.rmtree(project / made)
    assert "run `make setup`" in (told := started(project, tmp_path))
    assert made.removeprefix("variants/icon/") in told


@pytest.mark.parametrize(
    "path", ["system/libssl.so", "system/ssl.py", "pillow-11.3.0-cp313-cp313-pyodide_2025_0_wasm32.whl"]
)
def test_a_package_that_is_missing_or_corrupt_is_named(project: Path, tmp_path: Path, path: str) -> None:
    house = project / ".cache/wheelhouse/3.13"
    data = bytearray((house / path).read_bytes())
    data[len(data) // 2] ^= 1
    (house / path).write_bytes(data)
    corrupt = started(project, tmp_path)
    assert f"{house / path} is not as it was fetched; remove {house} and run `make setup`" in corrupt
    (house / path).unlink()
    assert f"{house / path} is missing; remove {house} and run `make setup`" in started(project, tmp_path)


def test_a_vendored_file_that_is_corrupt_is_named(project: Path, tmp_path: Path) -> None:
    module = next((project / "variants/icon/python_modules").rglob("*/__init__.py"))
    module.write_text(module.read_text() + "\n")
    told = started(project, tmp_path)
    assert f"{module} is not as its package has it; remove {project}/variants/icon/python_modules" in told


def test_a_snapshot_that_is_corrupt_is_made_anew(project: Path) -> None:
    installed = json.loads((project / "node_modules/pyodide/package.json").read_text())["version"]
    (snapshot,) = (project / ".cache").glob(f"pyodide-{installed}*/snapshot.bin")
    size = snapshot.stat().st_size
    with snapshot.open("r+b") as file:
        file.truncate(size // 2)
    make = 'import { bootFiles } from "./runtime/pyodide.mjs"; await bootFiles("3.13");'
    command = [str(NODE), "--input-type=module", "-e", make]
    subprocess.run(command, cwd=project, check=True, timeout=60)
    assert snapshot.stat().st_size >= size // 2 + 1
    unchanged = snapshot.stat().st_mtime_ns
    subprocess.run(command, cwd=project, check=True, timeout=60)
    assert snapshot.stat().st_mtime_ns == unchanged
