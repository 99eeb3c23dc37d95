"""workerd itself is run, and not npm's program around it, on every machine that npm has it for."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from tests.support.runtime.projects import ROOT, is_gone

MACHINES = {
    "Linux x86_64": "linux-64",
    "Linux aarch64": "linux-arm64",
    "Darwin x86_64": "darwin-64",
    "Darwin arm64": "darwin-arm64",
}


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def run_on(folder: Path, machine: str) -> str:
    """What workerd.sh runs, and with which words, where `uname` says `machine`."""
    system, processor = machine.split()
    program(folder / "bin/uname", f'[ "$1" = -s ] && echo {system} || echo {processor}')
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    command = [str(folder / "runtime/workerd.sh"), "serve", "a b"]
    return subprocess.check_output(command, text=True, env={"PATH": path}).strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the binaries of all machines."""
    (tmp_path / "runtime").mkdir()
    shutil.copy(ROOT / "runtime/workerd.sh", tmp_path / "runtime")
    for platform in MACHINES.values():
        path = tmp_path / f"node_modules/@cloudflare/workerd-{platform}/bin/workerd"
        program(path, f'echo {platform} "$#" "$2"')
    program(tmp_path / "node_modules/workerd/bin/workerd", 'echo npm "$#" "$2"')
    return tmp_path


@pytest.mark.parametrize("machine", MACHINES)
def test_each_machine_runs_its_own_binary(checkout: Path, machine: str) -> None:
    assert run_on(checkout, machine) == f"{MACHINES[machine]} 2 a b"


@pytest.mark.parametrize("machine", ["Linux riscv64", "Linux aarch64"])
def test_without_a_binary_npms_own_program_is_left(checkout: Path, machine: str) -> None:
    shutil.rmtree(checkout / "node_modules/@cloudflare/workerd-linux-arm64")
    assert run_on(checkout, machine) == "npm 2 a b"


def test_the_binary_of_this_machine_lies_where_it_is_looked_for() -> None:
    system, processor = os.uname().sysname, os.uname().machine
    platform = MACHINES[f"{system} {processor}"]
    assert (ROOT / f"node_modules/@cloudflare/workerd-{platform}/bin/workerd").exists()


def test_without_setpriv_workerd_does_not_outlive_the_runtime(checkout: Path) -> None:
    for platform in MACHINES.values():
        program(
            checkout / f"node_modules/@cloudflare/workerd-{platform}/bin/workerd", "echo $$; exec sleep 60"
        )
    tools = checkout / "tools"
    tools.mkdir()
    for name in ("sh", "uname", "dirname", "sleep"):
        (tools / name).symlink_to(shutil.which(name) or "")
    # Another process than this one, so that it can be killed.
    runtime = subprocess.Popen(
        ["sh", "-c", f"{checkout}/runtime/workerd.sh serve & wait"],
        env={"PATH": str(tools)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert runtime.stdout
    workerd = int(runtime.stdout.readline())
    runtime.send_signal(signal.SIGKILL)
    runtime.wait()
    runtime.stdout.close()
    deadline = time.monotonic() + 20
    while not is_gone(workerd):
        assert time.monotonic() < deadline, "workerd outlived the runtime"
        time.sleep(0.1)
